// What matches ask. A first packet is knowledge: SYN alone, no fragment, a new connection.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "vendors/iptables/settle.h"
#include "vendors/iptables/words.h"

namespace aclmend::iptables {
namespace {

using model::ConditionKind;

Problem at(std::string_view word, std::string message) { return {word, std::move(message)}; }
std::string found(std::string_view expected, std::string_view word) {
  return fmt::format("expected {}, found '{}'", expected, printable(word.substr(0, 60)));
}

void add_open(Body& body, ConditionKind kind, std::string name) {
  constexpr std::size_t longest_name = 100;
  if (name.size() > longest_name) name = name.substr(0, longest_name) + "...";
  body.matches.push_back(OpenMatch{kind, printable(name)});
}

// The module and what was given to it, as a condition is called.
std::string as_written(const Module& module) {
  std::string text = module.name;
  for (const Given& one : module.given)
    text += fmt::format(" {}--{}{}{}", one.negated ? "! " : "", one.option->name,
                        one.values.empty() ? "" : " ", fmt::join(one.values, " "));
  std::string swallowed = module.swallowed;
  std::ranges::replace(swallowed, ';', ' ');
  text += swallowed.empty() ? "" : " " + std::string(trimmed(swallowed));
  return text;
}

PortSet set_of(model::PortRange range) { return PortSet(range.first, range.last); }

// ---- ports --------------------------------------------------------------------------------------------

std::uint8_t protocol_of_module(std::string_view name) {
  if (name == "tcp") return protocol::tcp;
  if (name == "udp") return protocol::udp;
  if (name == "udplite") return 136;
  if (name == "sctp") return protocol::sctp;
  return 33;  // dccp
}

enum TcpFlag : std::uint8_t { fin = 1, syn = 2, rst = 4, psh = 8, ack = 16, urg = 32 };
std::optional<std::uint8_t> tcp_flags(std::string_view text) {
  std::uint8_t flags = 0;
  for (const std::string_view word : split(text, ',')) {
    const std::string name = lower(word);
    if (name == "fin") flags |= fin;
    else if (name == "syn") flags |= syn;
    else if (name == "rst") flags |= rst;
    else if (name == "psh") flags |= psh;
    else if (name == "ack") flags |= ack;
    else if (name == "urg") flags |= urg;
    else if (name == "all") flags |= fin | syn | rst | psh | ack | urg;
    else if (name != "none") return std::nullopt;
  }
  return flags;
}

constexpr std::uint8_t known_icmp_codes = 255;
struct IcmpName {
  std::string_view name;
  std::uint8_t type;
  std::uint8_t first_code = 0, last_code = known_icmp_codes;
};
constexpr IcmpName icmp_names[] = {
    {"echo-reply", 0},
    {"pong", 0},
    {"destination-unreachable", 3},
    {"network-unreachable", 3, 0, 0},
    {"host-unreachable", 3, 1, 1},
    {"protocol-unreachable", 3, 2, 2},
    {"port-unreachable", 3, 3, 3},
    {"fragmentation-needed", 3, 4, 4},
    {"source-route-failed", 3, 5, 5},
    {"network-unknown", 3, 6, 6},
    {"host-unknown", 3, 7, 7},
    {"network-prohibited", 3, 9, 9},
    {"host-prohibited", 3, 10, 10},
    {"TOS-network-unreachable", 3, 11, 11},
    {"TOS-host-unreachable", 3, 12, 12},
    {"communication-prohibited", 3, 13, 13},
    {"host-precedence-violation", 3, 14, 14},
    {"precedence-cutoff", 3, 15, 15},
    {"source-quench", 4},
    {"redirect", 5},
    {"network-redirect", 5, 0, 0},
    {"host-redirect", 5, 1, 1},
    {"TOS-network-redirect", 5, 2, 2},
    {"TOS-host-redirect", 5, 3, 3},
    {"echo-request", 8},
    {"ping", 8},
    {"router-advertisement", 9},
    {"router-solicitation", 10},
    {"time-exceeded", 11},
    {"ttl-exceeded", 11},
    {"ttl-zero-during-transit", 11, 0, 0},
    {"ttl-zero-during-reassembly", 11, 1, 1},
    {"parameter-problem", 12},
    {"ip-header-bad", 12, 0, 0},
    {"required-option-missing", 12, 1, 1},
    {"timestamp-request", 13},
    {"timestamp-reply", 14},
    {"address-mask-request", 17},
    {"address-mask-reply", 18},
};
constexpr IcmpName icmp6_names[] = {
    {"destination-unreachable", 1},
    {"no-route", 1, 0, 0},
    {"communication-prohibited", 1, 1, 1},
    {"beyond-scope", 1, 2, 2},
    {"address-unreachable", 1, 3, 3},
    {"port-unreachable", 1, 4, 4},
    {"failed-policy", 1, 5, 5},
    {"reject-route", 1, 6, 6},
    {"packet-too-big", 2},
    {"time-exceeded", 3},
    {"ttl-exceeded", 3},
    {"ttl-zero-during-transit", 3, 0, 0},
    {"ttl-zero-during-reassembly", 3, 1, 1},
    {"parameter-problem", 4},
    {"bad-header", 4, 0, 0},
    {"unknown-header-type", 4, 1, 1},
    {"unknown-option", 4, 2, 2},
    {"echo-request", 128},
    {"ping", 128},
    {"echo-reply", 129},
    {"pong", 129},
    {"router-solicitation", 133},
    {"router-advertisement", 134},
    {"neighbour-solicitation", 135},
    {"neighbor-solicitation", 135},
    {"neighbour-advertisement", 136},
    {"neighbor-advertisement", 136},
    {"redirect", 137},
};

// The name itself, else the only one that begins so.
const IcmpName* icmp_named(std::span<const IcmpName> names, std::string_view word) {
  const std::string wanted = lower(word);
  const IcmpName* begun = nullptr;
  for (const IcmpName& one : names) {
    const std::string name = lower(one.name);
    if (name == wanted) return &one;
    if (!name.starts_with(wanted)) continue;
    if (begun != nullptr) return nullptr;
    begun = &one;
  }
  return begun;
}

}  // namespace

Settled settle_nothing(Module& module, const RulePlace&, Body&, Operands&) {
  if (module.given.empty() && !module.kind->options.empty())
    return at({}, fmt::format("-m {} needs --{}", module.name, module.kind->options.front().name));
  return std::nullopt;
}

Settled settle_ports(Module& module, const RulePlace&, Body& body, Operands& operands) {
  const std::uint8_t number = protocol_of_module(module.name);
  if (!body.protocol || body.protocol->negated || body.protocol->number != number)
    return at({}, fmt::format("-m {} needs -p {}", module.name, module.name));
  std::string spelled;
  for (const Given& one : module.given) {
    const std::string_view value = one.values.empty() ? std::string_view{} : one.values.front();
    const char* sign = one.negated ? "! " : "";
    switch (one.option->id) {
      case ports::source:
      case ports::destination: {
        const auto range = parse_port_range(value);
        if (!range) return at(value, range.error());
        const bool is_source = one.option->id == ports::source;
        if (!is_source && !one.negated && !body.asks_port) {
          body.asks_port = true;
          operands.ports = *range;
        } else {
          body.matches.push_back(
              PortMatch{is_source ? PortMatch::Which::source : PortMatch::Which::destination, set_of(*range),
                        one.negated});
        }
        spelled += fmt::format("{}{} {}:{};", sign, is_source ? "sport" : "dport", range->first, range->last);
        break;
      }
      case ports::flags: {
        if (module.name != "tcp") {
          add_open(body, ConditionKind::device_state, as_written(module));
          spelled += "other;";
          break;
        }
        const auto mask = tcp_flags(value);
        if (!mask) return at(value, found("TCP flags", value));
        const auto wanted = tcp_flags(one.values[1]);
        if (!wanted) return at(one.values[1], found("TCP flags", one.values[1]));
        // nft leaves a test of no flags out, whatever it should find.
        if (*mask == 0 && (*wanted != 0 || one.negated))
          add_open(body, ConditionKind::device_state, as_written(module));
        else body.matches.push_back(Constant{((TcpFlag::syn & *mask) == *wanted) != one.negated});
        spelled += fmt::format("{}flags {} {};", sign, *mask, *wanted);
        break;
      }
      case ports::syn:
        body.matches.push_back(Constant{!one.negated});
        spelled += fmt::format("{}flags {} {};", sign, fin | syn | rst | ack, static_cast<int>(syn));
        break;
      default:
        add_open(body, ConditionKind::device_state, as_written(module));
        spelled += as_written(module);
        break;
    }
  }
  module.spelled = spelled + " ";
  return std::nullopt;
}

Settled settle_multiport(Module& module, const RulePlace&, Body& body, Operands&) {
  if (!body.protocol || body.protocol->negated || !has_ports(body.protocol->number))
    return at({}, "-m multiport needs -p tcp, udp, udplite, dccp or sctp");
  if (!module.has_protocol_before) return at({}, "-m multiport needs the -p before it");
  if (module.given.size() != 1) return at({}, "-m multiport takes one list of ports");
  const Given& given = module.given.front();
  std::vector<Interval<std::uint16_t>> ranges;
  int slots = 0;
  for (const std::string_view word : split(given.values.front(), ',')) {
    const auto range = parse_port_range(word);
    if (!range) return at(word, range.error());
    // "1024:" and ":1023" are for the other matches.
    if (word.starts_with(':') || word.ends_with(':')) return at(word, found("a port or A:B", word));
    if (word.find(':') != std::string_view::npos && range->first == range->last)
      return at(word, "a range of one port is refused: write the port");
    slots += word.find(':') == std::string_view::npos ? 1 : 2;
    ranges.push_back({range->first, range->last});
  }
  constexpr int most_slots = 15;
  if (slots > most_slots)
    return at(
        given.values.front(),
        fmt::format("-m multiport holds {} ports (a range counts twice), these are {}", most_slots, slots));
  const auto which = given.option->id == ports::source        ? PortMatch::Which::source
                     : given.option->id == ports::destination ? PortMatch::Which::destination
                                                              : PortMatch::Which::either;
  std::string list;
  for (const auto& [first, last] : ranges)
    list += first == last ? fmt::format("{},", first) : fmt::format("{}:{},", first, last);
  module.spelled = fmt::format("{}{} {}", given.negated ? "! " : "", static_cast<int>(which), list);
  body.matches.push_back(PortMatch{which, PortSet::of(std::move(ranges)), given.negated});
  return std::nullopt;
}

Settled settle_icmp(Module& module, const RulePlace& place, Body& body, Operands&) {
  const bool is_v6 = module.name == "icmp6";
  const std::uint8_t number = is_v6 ? protocol::icmp6 : protocol::icmp;
  if (is_v6 != (place.family == Family::ipv6))
    return at({}, fmt::format("-m {} is for the other family", module.name));
  if (!body.protocol || body.protocol->negated || body.protocol->number != number)
    return at({}, fmt::format("-m {} needs -p {}", module.name, is_v6 ? "ipv6-icmp" : "icmp"));
  if (module.given.empty()) return at({}, fmt::format("-m {} needs a type", module.name));
  for (const Given& one : module.given) {
    const std::string_view word = one.values.front();
    IcmpMatch match{number, PortSet(0, 255), PortSet(0, 255), one.negated};
    const std::size_t slash = word.find('/');
    const auto type = parse_number(word.substr(0, slash));
    // 255 is how the kernel writes "any".
    if (!is_v6 && (lower(word) == "any" || (type && *type == 255))) {
      match.types = match.codes = PortSet(0, 255);
    } else if (type) {
      if (*type > 255) return at(word, found("an ICMP type up to 255", word));
      match.types = PortSet(static_cast<std::uint16_t>(*type), static_cast<std::uint16_t>(*type));
      if (slash != std::string_view::npos) {
        const auto code = parse_number(word.substr(slash + 1));
        if (!code || *code > 255) return at(word, found("an ICMP code up to 255 after '/'", word));
        match.codes = PortSet(static_cast<std::uint16_t>(*code), static_cast<std::uint16_t>(*code));
      }
    } else {
      const IcmpName* name = is_v6 ? icmp_named(icmp6_names, word) : icmp_named(icmp_names, word);
      if (name == nullptr) return at(word, found("an ICMP type", word));
      match.types = PortSet(name->type, name->type);
      match.codes = PortSet(name->first_code, name->last_code);
    }
    module.spelled =
        fmt::format("{}{} {}", one.negated ? "! " : "", to_string(match.types), to_string(match.codes));
    body.matches.push_back(std::move(match));
  }
  return std::nullopt;
}

Settled settle_iprange(Module& module, const RulePlace& place, Body& body, Operands&) {
  if (module.given.empty()) return at({}, "-m iprange needs --src-range or --dst-range");
  for (const Given& one : module.given) {
    const std::string_view word = one.values.front();
    const std::size_t dash = word.find('-');
    const auto first = parse_plain_address(word.substr(0, dash));
    if (!first) return at(word.substr(0, dash), first.error());
    const auto last = dash == std::string_view::npos ? first : parse_plain_address(word.substr(dash + 1));
    if (!last) return at(word.substr(dash + 1), last.error());
    if (first->family != place.family || last->family != place.family)
      return at(word, found(place.family == Family::ipv4 ? "IPv4 addresses" : "IPv6 addresses", word));
    if (*last < *first) return at(word, "the range ends before it begins");
    body.matches.push_back(
        AddressMatch{one.option->id == 0 ? End::source : End::destination,
                     {AddressTest::Kind::range, place.family, one.negated, first->number, last->number}});
  }
  return std::nullopt;
}

// ---- connections --------------------------------------------------------------------------------------

namespace {

std::optional<std::uint8_t> states_of(std::string_view text, bool with_nat) {
  std::uint8_t states = 0;
  for (const std::string_view word : split(text, ',')) {
    const std::string name = lower(word);
    if (name == "invalid") states |= state_invalid;
    else if (name == "new") states |= state_new;
    else if (name == "untracked") states |= state_untracked;
    else if (name == "established" || name == "related" || (with_nat && name == "snat"))
      states |= state_other;
    else if (with_nat && name == "dnat") states |= state_dnat;
    else return std::nullopt;
  }
  return states;
}

// NONE has no bits of its own; the others are set later in a connection's life.
bool is_status(std::string_view text) {
  return std::ranges::all_of(split(text, ','), [](std::string_view word) {
    const std::string name = lower(word);
    return name == "none" || name == "expected" || name == "seen_reply" || name == "assured" ||
           name == "confirmed";
  });
}

AddressTest test_of(const MaskedAddress& masked, bool negated) {
  return {AddressTest::Kind::masked, masked.address.family, negated, masked.address.number, masked.mask};
}

}  // namespace

Settled settle_conntrack(Module& module, const RulePlace& place, Body& body, Operands&) {
  if (module.given.empty()) return at({}, fmt::format("-m {} asks nothing", module.name));
  ConntrackMatch match;
  for (const Given& one : module.given) {
    const std::string_view word = one.values.front();
    if (one.option->id != conntrack::states) match.asks_connection = true;
    const auto address = [&]() -> std::expected<AddressTest, Problem> {
      const auto masked = parse_masked_address(word);
      if (!masked) return std::unexpected(at(word, masked.error()));
      if (masked->address.family != place.family)
        return std::unexpected(
            at(word, found(place.family == Family::ipv4 ? "an IPv4 address" : "an IPv6 address", word)));
      return test_of(*masked, one.negated);
    };
    const auto seen = [&](End end) -> Settled {
      const auto test = address();
      if (!test) return test.error();
      match.seen.push_back({end, *test});
      return std::nullopt;
    };
    const auto port = [&](PortMatch::Which which) -> Settled {
      const auto range = parse_port_range(word);
      if (!range) return at(word, range.error());
      match.seen_ports.push_back({which, set_of(*range), one.negated});
      return std::nullopt;
    };
    Settled problem;
    switch (one.option->id) {
      case conntrack::states:
        match.states = states_of(word, module.name == "conntrack");
        match.states_negated = one.negated;
        if (!match.states) problem = at(word, found("connection states", word));
        break;
      case conntrack::protocol: {
        const auto number = parse_protocol(lower(word));
        if (!number || *number == 0) return at(word, found("a protocol", word));
        match.protocols = ProtocolSet(*number, *number);
        if (one.negated) match.protocols = ~*match.protocols;
        break;
      }
      case conntrack::origin_source: problem = seen(End::source); break;
      case conntrack::reply_destination: problem = seen(End::source); break;
      case conntrack::reply_source: problem = seen(End::destination); break;
      case conntrack::origin_destination: {
        const auto test = address();
        if (!test) return test.error();
        match.wire_destination = *test;
        break;
      }
      case conntrack::origin_source_port:
      case conntrack::reply_destination_port: problem = port(PortMatch::Which::source); break;
      case conntrack::reply_source_port: problem = port(PortMatch::Which::destination); break;
      case conntrack::origin_destination_port: {
        const auto range = parse_port_range(word);
        if (!range) return at(word, range.error());
        match.wire_ports = one.negated ? ~set_of(*range) : set_of(*range);
        match.asks_wire_port = true;
        break;
      }
      case conntrack::status:
        if (!is_status(word)) return at(word, found("a connection's status", word));
        match.never = match.never || !one.negated;
        break;
      case conntrack::expire: add_open(body, ConditionKind::device_state, as_written(module)); break;
      case conntrack::direction: {
        const std::string name = lower(word);
        if (name != "original" && name != "reply") return at(word, found("ORIGINAL or REPLY", word));
        match.never = match.never || name == "reply";
        break;
      }
      default: break;
    }
    if (problem) return problem;
  }
  body.matches.push_back(std::move(match));
  return std::nullopt;
}

// ---- marks, sets, kinds of addresses ------------------------------------------------------------------

std::optional<MarkValue> parse_mark(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto value = parse_number(text.substr(0, slash));
  if (!value) return std::nullopt;
  MarkValue mark{*value, std::nullopt};
  if (slash == std::string_view::npos) return mark;
  mark.mask = parse_number(text.substr(slash + 1));
  if (!mark.mask) return std::nullopt;
  return mark;
}

Settled settle_mark_match(Module& module, const RulePlace&, Body& body, Operands&) {
  if (module.given.empty()) return at({}, fmt::format("-m {} needs --mark", module.name));
  const Given& given = module.given.front();
  const auto mark = parse_mark(given.values.front());
  if (!mark) return at(given.values.front(), found("a mark", given.values.front()));
  const MarkMatch match{module.name == "mark" ? model::MarkTest::Of::packet : model::MarkTest::Of::connection,
                        mark->value, mark->mask.value_or(0xFFFFFFFF), given.negated};
  module.spelled = fmt::format("{}{:x}/{:x}", given.negated ? "! " : "", match.value, match.mask);
  body.matches.push_back(match);
  return std::nullopt;
}

Settled settle_set(Module& module, const RulePlace&, Body& body, Operands&) {
  const Given* given = module.find(sets::match);
  if (given == nullptr) return at({}, "-m set needs --match-set");
  const std::string_view name = given->values[0], flags = given->values[1];
  constexpr std::size_t longest_set = 31, most_flags = 6;
  if (name.empty() || name.size() > longest_set) return at(name, found("the name of a set", name));
  const std::vector<std::string_view> ends = split(flags, ',');
  if (ends.size() > most_flags ||
      !std::ranges::all_of(ends, [](std::string_view end) { return end == "src" || end == "dst"; }))
    return at(flags, found("src or dst for each dimension", flags));
  body.matches.push_back(SetMatch{std::string(name), std::string(flags), given->negated,
                                  module.find(sets::return_nomatch) != nullptr});
  if (module.find(sets::packets) != nullptr || module.find(sets::bytes) != nullptr)
    add_open(body, ConditionKind::device_state, as_written(module));
  return std::nullopt;
}

Settled settle_address_type(Module& module, const RulePlace&, Body& body, Operands&) {
  for (const Given& one : module.given) {
    if (one.option->id == address_type::interface) continue;
    static constexpr std::string_view types[] = {"UNSPEC",   "UNICAST",   "LOCAL",     "BROADCAST",
                                                 "ANYCAST",  "MULTICAST", "BLACKHOLE", "UNREACHABLE",
                                                 "PROHIBIT", "THROW",     "NAT",       "XRESOLVE"};
    AddressTypeMatch match;
    match.end = one.option->id == address_type::source ? End::source : End::destination;
    match.negated = one.negated;
    for (const std::string_view word : split(one.values.front(), ',')) {
      std::string name(word);
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
      if (std::ranges::find(types, name) == std::end(types))
        return at(word, found("a type of addresses, such as LOCAL", word));
      match.types += (match.types.empty() ? "" : ",") + name;
    }
    body.matches.push_back(std::move(match));
  }
  if (module.find(address_type::source) == nullptr && module.find(address_type::destination) == nullptr)
    return at({}, "-m addrtype needs --src-type or --dst-type");
  if (module.find(address_type::interface) != nullptr)
    add_open(body, ConditionKind::device_state, as_written(module));
  return std::nullopt;
}

Settled settle_recent(Module& module, const RulePlace&, Body& body, Operands&) {
  // --set notes the address and is true.
  if (const Given* set = module.find(recent::set); set != nullptr && module.find(recent::asked) == nullptr)
    body.matches.push_back(Constant{!set->negated});
  else if (module.find(recent::asked) == nullptr)
    return at({}, "-m recent needs --set, --rcheck, --update or --remove");
  else add_open(body, ConditionKind::device_state, as_written(module));
  return std::nullopt;
}

namespace {

struct OpenKind {
  std::string_view module;
  ConditionKind kind;
};
constexpr OpenKind open_kinds[] = {
    {"limit", ConditionKind::rate_limit},        {"hashlimit", ConditionKind::rate_limit},
    {"connlimit", ConditionKind::rate_limit},    {"connbytes", ConditionKind::rate_limit},
    {"quota", ConditionKind::rate_limit},        {"quota2", ConditionKind::rate_limit},
    {"rateest", ConditionKind::rate_limit},      {"statistic", ConditionKind::device_state},
    {"time", ConditionKind::time_range},         {"owner", ConditionKind::program},
    {"cgroup", ConditionKind::program},          {"geoip", ConditionKind::external_list},
    {"asn", ConditionKind::external_list},       {"string", ConditionKind::application},
    {"u32", ConditionKind::application},         {"bpf", ConditionKind::application},
    {"layer7", ConditionKind::application},      {"ndpi", ConditionKind::application},
    {"length", ConditionKind::device_state},     {"ttl", ConditionKind::device_state},
    {"hl", ConditionKind::device_state},         {"dscp", ConditionKind::device_state},
    {"tos", ConditionKind::device_state},        {"ecn", ConditionKind::device_state},
    {"tcpmss", ConditionKind::device_state},     {"ipv4options", ConditionKind::device_state},
    {"condition", ConditionKind::device_state},  {"psd", ConditionKind::device_state},
    {"fuzzy", ConditionKind::device_state},      {"account", ConditionKind::device_state},
    {"mac", ConditionKind::device_state},        {"physdev", ConditionKind::device_state},
    {"pkttype", ConditionKind::device_state},    {"realm", ConditionKind::device_state},
    {"devgroup", ConditionKind::device_state},   {"cpu", ConditionKind::device_state},
    {"cluster", ConditionKind::device_state},    {"policy", ConditionKind::device_state},
    {"rpfilter", ConditionKind::device_state},   {"osf", ConditionKind::device_state},
    {"socket", ConditionKind::device_state},     {"helper", ConditionKind::device_state},
    {"connlabel", ConditionKind::device_state},  {"ah", ConditionKind::device_state},
    {"esp", ConditionKind::device_state},        {"mh", ConditionKind::device_state},
    {"rt", ConditionKind::device_state},         {"frag", ConditionKind::device_state},
    {"dst", ConditionKind::device_state},        {"hbh", ConditionKind::device_state},
    {"ipv6header", ConditionKind::device_state}, {"eui64", ConditionKind::device_state},
    {"nth", ConditionKind::device_state},        {"random", ConditionKind::device_state},
    {"iface", ConditionKind::device_state},      {"tcp-option", ConditionKind::device_state},
};

}  // namespace

std::optional<ConditionKind> open_kind_of(std::string_view module) {
  const auto known = std::ranges::find(open_kinds, module, &OpenKind::module);
  return known == std::end(open_kinds) ? std::nullopt : std::optional(known->kind);
}

Settled settle_open(Module& module, const RulePlace&, Body& body, Operands&) {
  add_open(body, open_kind_of(module.name).value_or(ConditionKind::not_understood), as_written(module));
  return std::nullopt;
}

}  // namespace aclmend::iptables
