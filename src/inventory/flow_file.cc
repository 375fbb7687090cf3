// A flow file, rules/<id>.yaml: which packets must get through, and why. The table below is what it may hold;
// rules/README.md says what each key means.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "inventory/flows.h"

namespace aclmend::inventory {
namespace {

bool is_end(const yaml::Value& word) {
  return word.text == "selected" || word.text == "mail-hosts" || parse_prefix(word.text).has_value();
}

constexpr std::array severity_words = {std::string_view("error"), std::string_view("warning"),
                                       std::string_view("note")};
constexpr std::array others_words = {std::string_view("ignore"), std::string_view("note"),
                                     std::string_view("warning"), std::string_view("error")};
constexpr std::array direction_words = {std::string_view("inbound"), std::string_view("outbound")};
constexpr std::array protocol_words = {std::string_view("tcp"), std::string_view("udp")};
constexpr std::array has_words = {std::string_view("ips")};

constexpr Form severity{"", nullptr, severity_words};
constexpr Form others{"", nullptr, others_words};
constexpr Form direction{"", nullptr, direction_words};
constexpr Form protocol_form{"", nullptr, protocol_words};
constexpr Form has{"", nullptr, has_words};
constexpr Form end{"'selected', 'mail-hosts' or a prefix such as 40.95.0.0/16", is_end};

constexpr std::array select_keys = {
    Key{"service-area", Need::optional, Holds::word, &forms::text},
    Key{"tcp-port", Need::optional, Holds::word, &forms::port},
    Key{"udp-port", Need::optional, Holds::word, &forms::port},
    Key{"has", Need::required, Holds::word, &has},
};
constexpr Shape select_shape{"a selection", select_keys};

constexpr std::array packets_keys = {
    Key{"direction", Need::required, Holds::word, &direction},
    Key{"source", Need::required, Holds::words, &end},
    Key{"destination", Need::required, Holds::words, &end},
    Key{"protocol", Need::required, Holds::word, &protocol_form},
    Key{"port", Need::required, Holds::word, &forms::port},
    Key{"application", Need::optional, Holds::word, &forms::text},
};
constexpr Shape packets_shape{"'flow'", packets_keys};

constexpr std::array flow_keys = {
    Key{"id", Need::required, Holds::word, &forms::name},
    Key{"title", Need::required, Holds::word, &forms::text},
    Key{"severity", Need::required, Holds::word, &severity},
    Key{"select", Need::optional, Holds::map, nullptr, &select_shape},
    Key{"flow", Need::required, Holds::map, nullptr, &packets_shape},
    Key{"others", Need::optional, Holds::word, &others},
    Key{"why", Need::required, Holds::word, &forms::prose},
    Key{"code", Need::optional, Holds::word, &forms::code},
    Key{"with", Need::optional, Holds::word, &forms::name},
};
constexpr Shape flow_file_shape{"a flow", flow_keys};

Severity severity_of(std::string_view word) {
  if (word == "note") return Severity::note;
  return word == "warning" ? Severity::warning : Severity::error;
}

Others others_of(std::string_view word) {
  if (word == "error") return Others::error;
  if (word == "warning") return Others::warning;
  return word == "note" ? Others::note : Others::ignore;
}

std::optional<std::uint16_t> port_of(const yaml::Value& map, std::string_view key) {
  return parse_decimal<std::uint16_t>(text_of(map, key));
}

Selection selection_of(const yaml::Value& map) {
  return {.service_area = text_of(map, "service-area"),
          .tcp_port = port_of(map, "tcp-port"),
          .udp_port = port_of(map, "udp-port"),
          .has_ips = text_of(map, "has") == "ips"};
}

std::string without_blank_ends(std::string_view prose) {
  constexpr std::string_view blanks = " \t\r\n";
  const std::size_t begin = prose.find_first_not_of(blanks);
  return std::string(prose.substr(begin, prose.find_last_not_of(blanks) - begin + 1));
}

// `selected` and `mail-hosts` stand alone; prefixes may be several.
Result<End> end_of(const yaml::Value& value, const std::string& file) {
  const std::vector<std::string> words = texts_of(value);
  if (words.size() == 1 && words[0] == "selected") return End{End::Kind::selected, {}};
  if (words.size() == 1 && words[0] == "mail-hosts") return End{End::Kind::mail_hosts, {}};
  std::vector<Prefix> prefixes;
  for (const std::string& word : words) {
    const auto prefix = parse_prefix(word);
    if (!prefix) return fail(error_at(value, file, fmt::format("'{}' stands alone, not in a list", word)));
    prefixes.push_back(*prefix);
  }
  return End{End::Kind::literal, AddressSet::of(prefixes)};
}

// What the table cannot say: how the parts of a flow go together.
Errors contradictions(const yaml::Value& root, const Flow& flow, const std::string& file) {
  Errors errors;
  const yaml::Value& packets = *yaml::find(root, "flow");
  const auto at = [&](const yaml::Value& map, std::string_view key, std::string message) {
    errors.push_back(error_at(*yaml::find(map, key), file, std::move(message)));
  };
  const bool is_inbound = flow.direction == Direction::inbound;
  const End& near = is_inbound ? flow.destination : flow.source;
  const End& far = is_inbound ? flow.source : flow.destination;
  if (near.kind != End::Kind::mail_hosts)
    at(packets, is_inbound ? "destination" : "source",
       fmt::format("the {} of an {} flow is 'mail-hosts'", is_inbound ? "destination" : "source",
                   to_string(flow.direction)));
  if (far.kind == End::Kind::mail_hosts)
    at(packets, is_inbound ? "source" : "destination",
       fmt::format("the {} of an {} flow is 'selected' or prefixes", is_inbound ? "source" : "destination",
                   to_string(flow.direction)));
  if (far.kind == End::Kind::selected && !flow.select)
    at(root, "flow", "'selected' needs the key 'select', which says what is selected");
  if (far.kind != End::Kind::selected && flow.select)
    at(root, "select", "nothing in 'flow' is 'selected': this selection would have no effect");
  if (flow.select && !flow.select->tcp_port && !flow.select->udp_port)
    at(root, "select", "a selection needs 'tcp-port' or 'udp-port'");
  if (!is_inbound && flow.others != Others::ignore)
    at(root, "others", "'others' asks who else reaches the mail host: an outbound flow has none");
  if (flow.with == flow.id) at(root, "with", "a flow cannot go with itself");
  return errors;
}

}  // namespace

const Shape& flow_shape() { return flow_file_shape; }

Checked<Flow> read_flow(const Source& source) {
  const std::string& file = source.name();
  auto parsed = yaml::parse(source);
  if (!parsed) return std::unexpected(std::move(parsed).error());
  const yaml::Value& root = *parsed;
  if (Errors errors = check(root, flow_file_shape, file); !errors.empty())
    return std::unexpected(std::move(errors));

  const yaml::Value& packets = *yaml::find(root, "flow");
  auto from = end_of(*yaml::find(packets, "source"), file);
  auto to = end_of(*yaml::find(packets, "destination"), file);
  Errors errors;
  if (!from) errors.push_back(from.error());
  if (!to) errors.push_back(to.error());
  if (!errors.empty()) return std::unexpected(std::move(errors));

  Flow flow;
  flow.id = text_of(root, "id");
  flow.title = text_of(root, "title");
  flow.severity = severity_of(text_of(root, "severity"));
  if (const yaml::Value* select = yaml::find(root, "select")) flow.select = selection_of(*select);
  flow.direction = text_of(packets, "direction") == "outbound" ? Direction::outbound : Direction::inbound;
  flow.source = *std::move(from);
  flow.destination = *std::move(to);
  flow.protocol = protocol_number(text_of(packets, "protocol")).value_or(protocol::tcp);
  flow.port = port_of(packets, "port").value_or(0);
  flow.application = text_of(packets, "application");
  flow.others = others_of(text_of(root, "others"));
  flow.why = without_blank_ends(text_of(root, "why"));
  flow.code = text_of(root, "code");
  flow.with = text_of(root, "with");
  flow.place = place_of(root, file);
  errors = contradictions(root, flow, file);
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return flow;
}

}  // namespace aclmend::inventory
