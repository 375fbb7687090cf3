// What aclmend.yaml may hold: one table for each kind of entry.
#include <array>
#include <chrono>

#include "base/text.h"
#include "inventory/read.h"

namespace aclmend::inventory {
namespace {

using std::string_view;

bool is_version(const yaml::Value& word) { return !word.is_quoted && word.text == "1"; }
bool is_address(const yaml::Value& word) { return parse_address(word.text).has_value(); }
bool is_prefix(const yaml::Value& word) { return parse_prefix(word.text).has_value(); }

bool is_date(string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  const auto year = parse_decimal<unsigned>(text.substr(0, 4));
  const auto month = parse_decimal<unsigned>(text.substr(5, 2));
  const auto day = parse_decimal<unsigned>(text.substr(8, 2));
  if (!year || !month || !day) return false;
  return std::chrono::year_month_day(std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                     std::chrono::day(*day))
      .ok();
}
bool is_code_or_slug(const yaml::Value& word) {
  return forms::code.accepts(word) || forms::name.accepts(word);
}

bool is_day(const yaml::Value& word) { return is_date(word.text); }

bool is_release(const yaml::Value& word) {
  return is_date(word.text) || (word.text.size() == 10 && parse_decimal<std::uint64_t>(word.text));
}

bool is_age(const yaml::Value& word) {
  const string_view text = word.text;
  return text.size() >= 2 && text.size() <= 5 && text.ends_with('d') && !text.starts_with('0') &&
         parse_decimal<std::uint32_t>(text.substr(0, text.size() - 1)).has_value();
}

constexpr std::array instance_words = {string_view("Worldwide"), string_view("USGovGCCHigh"),
                                       string_view("USGovDoD"), string_view("China"), string_view("Germany")};
constexpr std::array source_words = {string_view("store"), string_view("service")};
constexpr std::array each_words = {string_view("device-group"), string_view("vsys"), string_view("context")};
constexpr std::array direction_words = {string_view("in"), string_view("out"), string_view("forward")};

constexpr Form version{"the number 1", is_version};
constexpr Form address{"an address", is_address};
constexpr Form prefix{"a prefix such as 198.51.100.0/24", is_prefix};
constexpr Form code_or_slug{"a finding code such as ACM020, or its slug", is_code_or_slug};
constexpr Form day{"a date such as 2027-01-31", is_day};
constexpr Form release{"a version of ten digits such as 2025120100, or a date such as 2025-12-01",
                       is_release};
constexpr Form age{"a number of days such as 45d", is_age};
constexpr Form instance{"", nullptr, instance_words};
constexpr Form source{"", nullptr, source_words};
constexpr Form each{"", nullptr, each_words};
constexpr Form direction{"", nullptr, direction_words};

constexpr std::array endpoints_keys = {
    Key{"instance", Need::optional, Holds::word, &instance},
    Key{"pin", Need::optional, Holds::word, &release},
    Key{"source", Need::optional, Holds::word, &source},
    Key{"file", Need::optional, Holds::word, &forms::text},
    Key{"max-age", Need::optional, Holds::word, &age},
};
constexpr Shape endpoints_shape{"'endpoints'", endpoints_keys};

constexpr std::array mail_keys = {
    Key{"name", Need::optional, Holds::word, &forms::text},
    Key{"hosts", Need::optional, Holds::words, &address},
};
constexpr Shape mail_shape{"'mail'", mail_keys};

constexpr std::array device_keys = {
    Key{"name", Need::optional, Holds::word, &forms::text},
    Key{"file", Need::optional, Holds::word, &forms::text},
    Key{"files", Need::optional, Holds::words, &forms::text},
    Key{"each", Need::optional, Holds::word, &each},
    Key{"to", Need::optional, Holds::words, &address},
    Key{"ingress", Need::optional, Holds::word, &forms::text},
    Key{"egress", Need::optional, Holds::word, &forms::text},
    Key{"direction", Need::optional, Holds::word, &direction},
    Key{"local", Need::optional, Holds::words, &address},
    Key{"vendor", Need::optional, Holds::word, &forms::name},
    Key{"vsys", Need::optional, Holds::word, &forms::text},
    Key{"device-group", Need::optional, Holds::word, &forms::text},
    Key{"context", Need::optional, Holds::word, &forms::text},
    Key{"profile", Need::optional, Holds::word, &forms::text},
    Key{"program", Need::optional, Holds::word, &forms::text},
    Key{"flows", Need::optional, Holds::words, &forms::name},
};
constexpr Shape device_shape{"a device", device_keys};

constexpr std::array skip_keys = {
    Key{"files", Need::required, Holds::words, &forms::text},
    Key{"reason", Need::required, Holds::word, &forms::prose},
};
constexpr Shape skip_shape{"an entry of 'skip'", skip_keys};

constexpr std::array set_keys = {
    Key{"device", Need::required, Holds::word, &forms::text},
    Key{"name", Need::optional, Holds::word, &forms::text},
    Key{"file", Need::required, Holds::word, &forms::text},
};
constexpr Shape set_shape{"an entry of 'sets'", set_keys};

constexpr std::array assume_keys = {
    Key{"device", Need::required, Holds::word, &forms::text},
    Key{"condition", Need::required, Holds::word, &forms::text},
    Key{"holds", Need::required, Holds::word, &forms::boolean},
    Key{"reason", Need::required, Holds::word, &forms::prose},
};
constexpr Shape assume_shape{"an entry of 'assume'", assume_keys};

constexpr std::array path_keys = {
    Key{"name", Need::required, Holds::word, &forms::text},
    Key{"through", Need::required, Holds::steps, &forms::text},
    Key{"flows", Need::optional, Holds::words, &forms::name},
};
constexpr Shape path_shape{"a path", path_keys};

constexpr std::array waiver_keys = {
    Key{"device", Need::optional, Holds::word, &forms::text},
    Key{"flow", Need::optional, Holds::word, &forms::name},
    Key{"code", Need::optional, Holds::word, &code_or_slug},
    Key{"ranges", Need::required, Holds::words, &prefix},
    Key{"expires", Need::required, Holds::word, &day},
    Key{"owner", Need::required, Holds::word, &forms::text},
    Key{"reason", Need::required, Holds::word, &forms::prose},
};
constexpr Shape waiver_shape{"a waiver", waiver_keys};

constexpr std::array notify_keys = {
    Key{"to", Need::required, Holds::words, &forms::text},
    Key{"from", Need::required, Holds::word, &forms::text},
    Key{"smtp", Need::required, Holds::word, &forms::text},
    Key{"only-on-change", Need::optional, Holds::word, &forms::boolean},
};
constexpr Shape notify_shape{"'notify'", notify_keys};

constexpr std::array inventory_keys = {
    Key{"version", Need::required, Holds::word, &version},
    Key{"endpoints", Need::optional, Holds::map, nullptr, &endpoints_shape},
    Key{"mail", Need::optional, Holds::map, nullptr, &mail_shape},
    Key{"rules", Need::optional, Holds::word, &forms::text},
    Key{"devices", Need::required, Holds::maps, nullptr, &device_shape},
    Key{"skip", Need::optional, Holds::maps, nullptr, &skip_shape},
    Key{"sets", Need::optional, Holds::maps, nullptr, &set_shape},
    Key{"assume", Need::optional, Holds::maps, nullptr, &assume_shape},
    Key{"paths", Need::optional, Holds::maps, nullptr, &path_shape},
    Key{"waivers", Need::optional, Holds::maps, nullptr, &waiver_shape},
    Key{"notify", Need::optional, Holds::map, nullptr, &notify_shape},
};
constexpr Shape inventory_file_shape{"the inventory", inventory_keys};

}  // namespace

const Shape& inventory_shape() { return inventory_file_shape; }

}  // namespace aclmend::inventory
