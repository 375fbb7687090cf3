// What targets do. What happens after the filter (SNAT, MASQUERADE) only ends its chain.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "vendors/iptables/settle.h"
#include "vendors/iptables/words.h"

namespace aclmend::iptables {
namespace {

Problem at(std::string_view word, std::string message) { return {word, std::move(message)}; }
std::string found(std::string_view expected, std::string_view word) {
  return fmt::format("expected {}, found '{}'", expected, printable(word.substr(0, 60)));
}

std::string with_options(const Module& module) {
  std::string swallowed = module.swallowed;
  std::ranges::replace(swallowed, ';', ' ');
  constexpr std::size_t longest = 100;
  return printable(std::string(trimmed(module.name + " " + swallowed)).substr(0, longest));
}

Settled only_in(const Module& module, const RulePlace& place, Table table) {
  if (place.table == table) return std::nullopt;
  return at({}, fmt::format("{} stands in the {} table alone", module.name, to_string(table)));
}

bool is_about_ports(const Body& body) {
  return body.protocol && !body.protocol->negated && has_ports(body.protocol->number);
}

// "25", "25-30", "25-30/2525".
std::expected<model::PortRange, std::string> port_span(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_port(text.substr(0, dash));
  if (!first) return std::unexpected(found("a port", text));
  if (dash == std::string_view::npos) return model::PortRange{*first, *first};
  const auto last = parse_port(text.substr(dash + 1));
  if (!last) return std::unexpected(found("a port after '-'", text));
  if (*last < *first) return std::unexpected("the range of ports ends before it begins");
  return model::PortRange{*first, *last};
}

// What stands behind --to-destination: "A[-B][:p[-q[/base]]]", IPv6 addresses in brackets before a port.
struct GoalText {
  std::string_view addresses, ports;
};
std::optional<GoalText> goal_of(std::string_view text, Family family) {
  if (family == Family::ipv4) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return GoalText{text, {}};
    return GoalText{text.substr(0, colon), text.substr(colon + 1)};
  }
  if (text.starts_with(':') && !text.starts_with("::")) return GoalText{{}, text.substr(1)};
  if (!text.starts_with('[')) return GoalText{text, {}};
  const std::size_t close = text.rfind(']');
  if (close == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(close + 1);
  if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
  return GoalText{text.substr(1, close - 1), rest.empty() ? rest : rest.substr(1)};
}

}  // namespace

Settled settle_pass(Module&, const RulePlace&, Body& body, Operands&) {
  body.target = Pass{};
  return std::nullopt;
}

Settled settle_dnat(Module& module, const RulePlace& place, Body& body, Operands& operands) {
  if (auto problem = only_in(module, place, Table::nat)) return problem;
  const Given* to = module.find(translation::to);
  if (to == nullptr) return at({}, "DNAT needs --to-destination");
  const std::string_view word = to->values.front();
  const auto goal = goal_of(word, place.family);
  if (!goal) return at(word, found("an address, and a port behind it", word));
  if (!goal->addresses.empty()) {
    const std::size_t dash = goal->addresses.find('-');
    const auto first = parse_plain_address(goal->addresses.substr(0, dash));
    if (!first) return at(word, first.error());
    const auto last =
        dash == std::string_view::npos ? first : parse_plain_address(goal->addresses.substr(dash + 1));
    if (!last) return at(word, last.error());
    if (first->family != place.family || last->family != place.family)
      return at(word, "an address of the other family");
    if (*last < *first) return at(word, "the range ends before it begins");
    operands.goal.addresses = {first->number, last->number};
  }
  if (!goal->ports.empty()) {
    if (!is_about_ports(body)) return at(word, "a port needs -p tcp, udp, sctp or dccp");
    const std::size_t slash = goal->ports.find('/');
    const auto ports = port_span(goal->ports.substr(0, slash));
    if (!ports) return at(word, ports.error());
    operands.goal.ports = *ports;
    operands.goal.ports_are_shifted = slash != std::string_view::npos;
  } else if (goal->addresses.empty()) {
    return at(word, found("an address", word));
  }
  body.target = Translate{Translate::Kind::dnat};
  return std::nullopt;
}

Settled settle_redirect(Module& module, const RulePlace& place, Body& body, Operands& operands) {
  if (auto problem = only_in(module, place, Table::nat)) return problem;
  if (const Given* to = module.find(translation::to)) {
    const std::string_view word = to->values.front();
    if (!is_about_ports(body)) return at(word, "--to-ports needs -p tcp, udp, sctp or dccp");
    const auto ports = port_span(word);
    if (!ports) return at(word, ports.error());
    operands.goal.ports = *ports;
  }
  body.target = Translate{Translate::Kind::redirect};
  return std::nullopt;
}

Settled settle_netmap(Module& module, const RulePlace& place, Body& body, Operands& operands) {
  if (auto problem = only_in(module, place, Table::nat)) return problem;
  const Given* to = module.find(translation::to);
  if (to == nullptr) return at({}, "NETMAP needs --to");
  const std::string_view word = to->values.front();
  const auto network = parse_masked_address(word);
  if (!network) return at(word, network.error());
  if (network->address.family != place.family) return at(word, "a network of the other family");
  operands.goal.addresses = {network->address.number, network->mask};
  body.target = Translate{Translate::Kind::netmap};
  return std::nullopt;
}

Settled settle_source_nat(Module& module, const RulePlace& place, Body& body, Operands&) {
  if (auto problem = only_in(module, place, Table::nat)) return problem;
  body.target = Accept{true};
  return std::nullopt;
}

namespace {

// One of the forms of --set-mark as (mark & ~clear) ^ toggle.
struct Change {
  std::uint32_t clear = 0, toggle = 0;
};
std::optional<Change> change_of(std::uint8_t option, std::string_view word) {
  const auto mark = parse_mark(word);
  const auto plain = parse_number(word);
  switch (option) {
    case marks::set_xmark:
      if (!mark) return std::nullopt;
      return Change{mark->mask.value_or(0xFFFFFFFF), mark->value};
    case marks::set_mark:
      if (!mark) return std::nullopt;
      return Change{mark->mask ? mark->value | *mark->mask : 0xFFFFFFFF, mark->value};
    case marks::or_mark: return plain ? std::optional(Change{*plain, *plain}) : std::nullopt;
    case marks::and_mark: return plain ? std::optional(Change{~*plain, 0}) : std::nullopt;
    case marks::xor_mark: return plain ? std::optional(Change{0, *plain}) : std::nullopt;
    default: return std::nullopt;
  }
}

}  // namespace

Settled settle_mark(Module& module, const RulePlace&, Body& body, Operands&) {
  const bool of_connection = module.name == "CONNMARK";
  SetMark target;
  target.needs_connection = of_connection;
  const auto mask_of = [&](std::uint8_t id) -> std::optional<std::uint32_t> {
    const Given* given = module.find(id);
    return given == nullptr ? std::optional<std::uint32_t>() : parse_number(given->values.front());
  };
  for (const std::uint8_t id : {marks::packet_mask, marks::connection_mask, marks::mask})
    if (module.find(id) != nullptr && !mask_of(id))
      return at(module.find(id)->values.front(), found("a mask", module.find(id)->values.front()));
  const std::uint32_t both = mask_of(marks::mask).value_or(0xFFFFFFFF);
  const std::uint32_t of_packet = mask_of(marks::packet_mask).value_or(both);
  const std::uint32_t of_mark = mask_of(marks::connection_mask).value_or(both);
  int actions = 0;
  for (const Given& one : module.given) switch (one.option->id) {
      case marks::save:
        // ctmark = (ctmark & ~ctmask) ^ (mark & nfmask)
        target.change.connmark_clear = of_mark;
        target.change.connmark_from_mark = of_packet;
        ++actions;
        break;
      case marks::restore:
        // mark = (mark & ~nfmask) ^ (ctmark & ctmask)
        target.change.mark_clear = of_packet;
        target.change.mark_from_connmark = of_mark;
        ++actions;
        break;
      case marks::packet_mask:
      case marks::connection_mask:
      case marks::mask: break;
      default: {
        const auto change = change_of(one.option->id, one.values.front());
        if (!change) return at(one.values.front(), found("a mark", one.values.front()));
        (of_connection ? target.change.connmark_clear : target.change.mark_clear) = change->clear;
        (of_connection ? target.change.connmark_toggle : target.change.mark_toggle) = change->toggle;
        ++actions;
      }
    }
  if (actions != 1) return at({}, fmt::format("{} does one thing to a mark", module.name));
  const model::StateChange& change = target.change;
  module.spelled = fmt::format("{:x} {:x} {:x} {:x} {:x} {:x}", change.mark_clear, change.mark_toggle,
                               change.mark_from_connmark, change.connmark_clear, change.connmark_toggle,
                               change.connmark_from_mark);
  body.target = target;
  return std::nullopt;
}

Settled settle_untrack(Module& module, const RulePlace& place, Body& body, Operands&) {
  if (auto problem = only_in(module, place, Table::raw)) return problem;
  if (module.name == "NOTRACK" || !module.given.empty()) body.target = Untrack{};
  else body.target = Pass{};
  if (module.name == "NOTRACK" || (!module.given.empty() && module.swallowed.empty())) {
    module.name = "CT";  // the kernel holds both for the same
    module.spelled = "notrack";
  }
  return std::nullopt;
}

Settled settle_reject(Module& module, const RulePlace& place, Body& body, Operands&) {
  if (auto problem = only_in(module, place, Table::filter)) return problem;
  module.spelled = place.family == Family::ipv4 ? "icmp-port-unreachable" : "icmp6-port-unreachable";
  if (const Given* with = module.find(0)) {
    const std::string_view word = with->values.front();
    static constexpr std::string_view of_v4[] = {"icmp-net-unreachable",
                                                 "net-unreach",
                                                 "icmp-host-unreachable",
                                                 "host-unreach",
                                                 "icmp-proto-unreachable",
                                                 "proto-unreach",
                                                 "icmp-port-unreachable",
                                                 "port-unreach",
                                                 "icmp-net-prohibited",
                                                 "net-prohib",
                                                 "icmp-host-prohibited",
                                                 "host-prohib",
                                                 "icmp-admin-prohibited",
                                                 "admin-prohib",
                                                 "tcp-reset",
                                                 "tcp-rst"};
    static constexpr std::string_view of_v6[] = {"icmp6-no-route",
                                                 "no-route",
                                                 "icmp6-adm-prohibited",
                                                 "adm-prohibited",
                                                 "icmp6-addr-unreachable",
                                                 "addr-unreach",
                                                 "icmp6-port-unreachable",
                                                 "port-unreach",
                                                 "tcp-reset",
                                                 "tcp-rst",
                                                 "icmp6-policy-fail",
                                                 "policy-fail",
                                                 "icmp6-reject-route",
                                                 "reject-route"};
    const std::span<const std::string_view> words = place.family == Family::ipv4
                                                        ? std::span<const std::string_view>(of_v4)
                                                        : std::span<const std::string_view>(of_v6);
    const std::string name = lower(word);
    const auto known =
        std::ranges::find_if(words, [&](std::string_view one) { return one.starts_with(name); });
    if (known == words.end()) return at(word, found("a kind of refusal", word));
    const bool is_reset = known->starts_with("tcp-");
    if (is_reset && (!body.protocol || body.protocol->negated || body.protocol->number != protocol::tcp))
      return at(word, "tcp-reset needs -p tcp");
    module.spelled = is_reset ? "tcp-reset" : std::string(*(known - (known - words.begin()) % 2));
  }
  body.target = Drop{true};
  return std::nullopt;
}

Settled settle_set_target(Module& module, const RulePlace&, Body& body, Operands&) {
  Pass target;
  for (const Given& one : module.given) {
    target.changes_set = std::string(one.values.front());
    if (one.option->id == sets::map) target.sets_any_mark = true;
  }
  body.target = std::move(target);
  return std::nullopt;
}

Settled settle_hmark(Module&, const RulePlace&, Body& body, Operands&) {
  body.target = Pass{{}, true};
  return std::nullopt;
}

Settled settle_program(Module& module, const RulePlace& place, Body& body, Operands&) {
  if (module.name == "TPROXY")
    if (auto problem = only_in(module, place, Table::mangle)) return problem;
  body.target = ProgramDecides{with_options(module)};
  return std::nullopt;
}

}  // namespace aclmend::iptables
