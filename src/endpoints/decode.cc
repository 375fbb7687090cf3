// An answer of /endpoints: a JSON array of rows ("Microsoft 365 IP Address and URL web service"). What is odd
// in real ones: blanks in port lists, ranges of ports, "" for no ports, keys that are absent or not
// documented, "true" as a text. A list that is only partly understood is refused: a smaller list would call a
// blocked range open.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/text.h"
#include "endpoints/decode_json.h"
#include "endpoints/ports.h"
#include "endpoints/result.h"

namespace aclmend::endpoints {
namespace {

using Kind = JsonValue::Kind;

// The service's lists have up to 120 rows, 40 kB of text when they are small and 120 kB when large.
constexpr std::size_t largest_text = 16 << 20;
constexpr std::size_t most_rows = 2'000;
constexpr std::size_t most_entries = 50'000;  // prefixes and names together

constexpr std::string_view ask_instead = "; wanted is the answer of /endpoints/INSTANCE as JSON";

std::unexpected<Error> refuse(const Source& source, std::uint32_t offset, std::string message) {
  return fail(error_at(source, offset, std::move(message)));
}

std::unexpected<Error> wrong_kind(const Source& source, const JsonValue& value, std::string_view key,
                                  std::string_view expected) {
  return refuse(source, value.offset,
                fmt::format("expected {} for '{}', found {}", expected, key, to_string(value.kind)));
}

// What a file is that does not even begin like JSON; empty: it may be.
std::string_view other_than_json(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return "UTF-16 text (as PowerShell's Out-File writes it); save it as UTF-8 (-Encoding utf8)";
  const std::string_view body = trimmed(text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text);
  const std::string head = lower(body.substr(0, 200));
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return "empty";
  if (head.find("<rss") != std::string::npos) return "an RSS feed of versions (/version with Format=RSS)";
  if (head.find("<html") != std::string::npos || head.starts_with("<!doctype"))
    return "an HTML page, perhaps a proxy's or a portal's error";
  if (head.starts_with('<')) return "XML; the service's XML lists ended in 2018";
  if (head.starts_with("id,") || head.starts_with("\"id\",")) return "CSV; ask with Format=JSON";
  if (head.starts_with("instance,latest")) return "the versions as CSV (/version)";
  return {};
}

// What a JSON text is that is not a list of rows; empty: it may be.
std::string_view other_than_rows(const JsonValue& root) {
  const JsonValue& sample = root.kind == Kind::array && !root.items.empty() ? root.items.front() : root;
  if (sample.find("latest") != nullptr) return "an answer of /version, which says what versions there are";
  if (sample.find("endpointSetId") != nullptr || sample.find("disposition") != nullptr)
    return "an answer of /changes, which says what changed and not what stands in the list";
  if (root.kind == Kind::array && root.items.empty())
    return "an empty list; Microsoft publishes no empty one, so it is not taken for true";
  if (root.find("value") != nullptr) return "a list wrapped in an object; save its 'value' alone";
  if (root.kind != Kind::array) return "JSON, but no list of rows";
  return {};
}

Result<std::string> text_of(const Source& source, const JsonValue& row, std::string_view key) {
  const JsonValue* value = row.find(key);
  if (value == nullptr) return std::string();
  if (value->kind != Kind::text) return wrong_kind(source, *value, key, "a text");
  return value->text;
}

// true, false, "true", "False": /changes writes them as texts.
Result<std::optional<bool>> truth_of(const Source& source, const JsonValue& row, std::string_view key) {
  const JsonValue* value = row.find(key);
  if (value == nullptr) return std::optional<bool>();
  if (value->kind == Kind::boolean) return std::optional(value->truth);
  if (value->kind == Kind::text && lower(value->text) == "true") return std::optional(true);
  if (value->kind == Kind::text && lower(value->text) == "false") return std::optional(false);
  return wrong_kind(source, *value, key, "true or false");
}

Result<PortSet> ports_of(const Source& source, const JsonValue& row, std::string_view key) {
  const JsonValue* value = row.find(key);
  if (value == nullptr) return PortSet();
  if (value->kind != Kind::text) return wrong_kind(source, *value, key, "a text such as \"80,443\"");
  auto ports = parse_ports(value->text);
  if (!ports) return refuse(source, value->offset, ports.error().message);
  return ports;
}

Result<Prefix> prefix_at(const Source& source, const JsonValue& value) {
  if (value.kind != Kind::text) return wrong_kind(source, value, "ips", "texts");
  const std::string_view text = value.text;
  if (const auto prefix = parse_prefix(text)) return *prefix;
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  const auto length =
      slash == std::string_view::npos ? std::nullopt : parse_decimal<std::uint8_t>(text.substr(slash + 1));
  if (address && length && *length <= address_bits(address->family))
    return refuse(source, value.offset,
                  fmt::format("{} has bits set beyond its length; is {} meant?", text,
                              to_string(prefix_of(*address, *length))));
  return refuse(source, value.offset,
                fmt::format("expected a prefix such as 40.92.0.0/15, found '{}'", text.substr(0, 60)));
}

Result<std::vector<Prefix>> prefixes_of(const Source& source, const JsonValue& row) {
  std::vector<Prefix> all;
  const JsonValue* list = row.find("ips");
  if (list == nullptr) return all;
  if (list->kind != Kind::array) return wrong_kind(source, *list, "ips", "a list");
  for (const JsonValue& item : list->items) {
    TRY(prefix, prefix_at(source, item));
    all.push_back(prefix);
  }
  // Each once, in the order of the first.
  std::vector<Prefix> sorted = all;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) == sorted.end()) return all;
  std::vector<Prefix> once;
  for (const Prefix& prefix : all) {
    const auto [first, last] = std::ranges::equal_range(sorted, prefix);
    if (first == last) continue;
    once.push_back(prefix);
    sorted.erase(first, last);
  }
  return once;
}

Result<std::vector<std::string>> urls_of(const Source& source, const JsonValue& row) {
  std::vector<std::string> all;
  const JsonValue* list = row.find("urls");
  if (list == nullptr) return all;
  if (list->kind != Kind::array) return wrong_kind(source, *list, "urls", "a list");
  for (const JsonValue& item : list->items) {
    if (item.kind != Kind::text) return wrong_kind(source, item, "urls", "texts");
    all.push_back(item.text);
  }
  return all;
}

Result<Row> row_of(const Source& source, const JsonValue& value) {
  if (value.kind != Kind::object)
    return refuse(source, value.offset, fmt::format("expected a row, found {}", to_string(value.kind)));
  const JsonValue* id = value.find("id");
  if (id == nullptr) return refuse(source, value.offset, "a row without 'id'");
  if (id->kind != Kind::whole_number || id->number > 1'000'000'000)
    return wrong_kind(source, *id, "id", "a whole number below 1,000,000,000");
  TRY(service_area, text_of(source, value, "serviceArea"));
  if (service_area.empty())
    return refuse(source, value.offset, fmt::format("row {} has no 'serviceArea'", id->number));
  TRY(tcp_ports, ports_of(source, value, "tcpPorts"));
  TRY(udp_ports, ports_of(source, value, "udpPorts"));
  TRY(ips, prefixes_of(source, value));
  TRY(urls, urls_of(source, value));
  TRY(category, text_of(source, value, "category"));
  TRY(required, truth_of(source, value, "required"));
  // No real row has addresses and no port; one that lost its ports would drop out of every selection unseen.
  if (!ips.empty() && tcp_ports.empty() && udp_ports.empty())
    return refuse(source, value.offset,
                  fmt::format("row {} has addresses, but neither 'tcpPorts' nor 'udpPorts'", id->number));
  return Row{.id = static_cast<std::uint32_t>(id->number),
             .service_area = std::move(service_area),
             .tcp_ports = std::move(tcp_ports),
             .udp_ports = std::move(udp_ports),
             .ips = std::move(ips),
             .urls = std::move(urls),
             .category = std::move(category),
             .required = required};
}

Result<std::vector<Row>> rows_of(const Source& source, const JsonValue& root) {
  if (root.items.size() > most_rows)
    return refuse(source, root.offset, fmt::format("more than {} rows", most_rows));
  std::vector<Row> rows;
  std::unordered_map<std::uint32_t, std::uint32_t> line_of_id;
  std::size_t entries = 0;
  for (const JsonValue& item : root.items) {
    TRY(row, row_of(source, item));
    const std::uint32_t line = source.position(item.offset).line;
    if (const auto [first, is_new] = line_of_id.try_emplace(row.id, line); !is_new)
      return refuse(source, item.offset,
                    fmt::format("row id {} stands twice, first in line {}", row.id, first->second));
    entries += row.ips.size() + row.urls.size();
    if (entries > most_entries)
      return refuse(source, item.offset, fmt::format("more than {} prefixes and names", most_entries));
    rows.push_back(std::move(row));
  }
  return rows;
}

bool holds_family(std::span<const Row> rows, Family family) {
  return std::ranges::any_of(rows, [family](const Row& row) {
    return std::ranges::any_of(row.ips, [family](const Prefix& ip) { return ip.address.family == family; });
  });
}

}  // namespace

Result<Release> decode(const Source& source, Instance instance) {
  const std::string_view text = source.text();
  if (text.size() > largest_text)
    return refuse(source, 0, fmt::format("larger than {} MiB{}", largest_text >> 20, ask_instead));
  if (const auto what = other_than_json(text); !what.empty())
    return refuse(source, 0, fmt::format("the file is {}{}", what, ask_instead));
  TRY(root, parse_json(source));
  if (const auto what = other_than_rows(root); !what.empty())
    return refuse(source, root.offset, fmt::format("the file is {}{}", what, ask_instead));
  TRY(rows, rows_of(source, root));
  Release release;
  release.instance = instance;
  release.origin = Origin::file;
  release.file = source.name();
  release.lines = source.line_count();
  release.sha256 = source.sha256();
  release.rows = std::move(rows);
  if (holds_family(release.rows, Family::ipv4) && !holds_family(release.rows, Family::ipv6))
    release.remarks.emplace_back("the list holds no IPv6 range; was it asked for with NoIPv6?");
  return release;
}

}  // namespace aclmend::endpoints
