// What a rule's matches take together: disjoint parts, each a product of an address set at either end,
// services, the way and the packet's state. Most bodies have one part; a set of pairs or a test of the
// connection makes more.
#include <fmt/format.h>

#include <algorithm>

#include "vendors/iptables/lowering.h"
#include "vendors/iptables/meaning.h"
#include "vendors/iptables/words.h"

namespace aclmend::iptables {

using model::AddressTerm;
using model::ConditionIds;
using model::ConditionKind;
using model::ContextTerm;
using model::Dimension;
using model::ServiceBox;
using model::ServiceSet;
using model::StateMatch;

namespace {

constexpr std::size_t most_parts = 4096;

const ServiceBox every_service{ProtocolSet::all(), PortSet::all(), PortSet::all()};

// One part while it is put together.
struct Shape {
  AddressTerm source, destination;
  ServiceSet services{every_service};
  std::vector<ContextTerm> context{};
  StateMatch state{};
  std::optional<model::WireMatch> wire{};
  ConditionIds conditions{};
};
using Shapes = std::vector<Shape>;

ServiceSet both(const ServiceSet& a, const ServiceSet& b) {
  ServiceSet shared;
  for (const ServiceBox& one : a)
    for (const ServiceBox& other : b) {
      ServiceBox box{one.protocol & other.protocol, one.source & other.source,
                     one.destination & other.destination};
      if (!box.protocol.empty() && !box.source.empty() && !box.destination.empty())
        shared.push_back(std::move(box));
    }
  return shared;
}

// False: nothing is in both.
bool narrow(StateMatch& state, const StateMatch& by) {
  using Tracking = StateMatch::Tracking;
  using Translated = StateMatch::Translated;
  if (state.tracking == Tracking::any) state.tracking = by.tracking;
  else if (by.tracking != Tracking::any && by.tracking != state.tracking) return false;
  if (state.tracking == Tracking::never) return false;
  if (state.translated == Translated::either) state.translated = by.translated;
  else if (by.translated != Translated::either && by.translated != state.translated) return false;
  state.marks.insert(state.marks.end(), by.marks.begin(), by.marks.end());
  return true;
}

constexpr std::uint8_t udplite = 136;
ProtocolSet one_protocol(std::uint8_t number) { return ProtocolSet(number, number); }

// Protocols whose connections are told apart by ports.
ProtocolSet tracked_by_ports() {
  return one_protocol(protocol::tcp) | one_protocol(protocol::udp) | one_protocol(protocol::sctp);
}

AddressSet prefix_set(std::string_view text) { return AddressSet(*parse_prefix(text)); }

}  // namespace

// Works out one body.
class Meanings::Worker {
 public:
  Worker(Lowering& lowering, AddressBook& addresses, SetMatches& sets, Table table, Span span)
      : lowering_(lowering), addresses_(addresses), sets_(sets), table_(table), span_(span) {}

  Shapes shapes(const Body& body) {
    Shapes shapes{Shape{}};
    if (body.protocol) {
      ProtocolSet set = one_protocol(body.protocol->number);
      if (body.protocol->negated) set = ~set;
      shapes.front().services = {{std::move(set), PortSet::all(), PortSet::all()}};
    }
    for (const Match& match : body.matches) {
      Shapes of_match = std::visit([&](const auto& one) { return taken(one, body); }, match);
      shapes = meet(shapes, of_match);
      if (shapes.size() > most_parts) {
        Shape all;
        all.conditions = {condition(ConditionKind::too_complex, "sets of many pairs in one rule")};
        for (const Match& open : body.matches)
          if (const auto* known = std::get_if<OpenMatch>(&open))
            all.conditions = model::united(all.conditions, {condition(known->kind, known->name)});
        return {all};
      }
    }
    return shapes;
  }

 private:
  model::ConditionId condition(ConditionKind kind, std::string_view name) {
    return lowering_.policy.condition(kind, name, span_);
  }

  Shapes meet(const Shapes& a, const Shapes& b) {
    Shapes shared;
    for (const Shape& one : a)
      for (const Shape& other : b) {
        Shape shape = one;
        shape.services = both(one.services, other.services);
        if (shape.services.empty() || !narrow(shape.state, other.state)) continue;
        shape.source = addresses_.both(one.source, other.source, span_);
        shape.destination = addresses_.both(one.destination, other.destination, span_);
        shape.context.insert(shape.context.end(), other.context.begin(), other.context.end());
        if (!shape.wire) {
          shape.wire = other.wire;
        } else if (other.wire) {
          shape.wire->destination = addresses_.both(shape.wire->destination, other.wire->destination, span_);
          shape.wire->ports &= other.wire->ports;
        }
        shape.conditions = model::united(one.conditions, other.conditions);
        shared.push_back(std::move(shape));
        if (shared.size() > most_parts) return shared;
      }
    return shared;
  }

  Shapes taken(const AddressMatch& match, const Body&) {
    Shape shape;
    (match.end == End::source ? shape.source : shape.destination) = addresses_.of(match.test, span_);
    return {shape};
  }

  Shapes taken(const InterfaceMatch& match, const Body&) {
    Shape shape;
    shape.context = {{match.dimension, {match.name}, match.negated}};
    return {shape};
  }

  static ServiceSet services_of(const PortMatch& match, const ProtocolSet& protocols) {
    const PortSet& ports = match.ports;
    const PortSet others = ~ports;
    const PortSet all = PortSet::all();
    switch (match.which) {
      case PortMatch::Which::source: return {{protocols, match.negated ? others : ports, all}};
      case PortMatch::Which::destination: return {{protocols, all, match.negated ? others : ports}};
      case PortMatch::Which::either: break;
    }
    if (match.negated) return {{protocols, others, others}};
    return {{protocols, ports, all}, {protocols, others, ports}};
  }

  Shapes taken(const PortMatch& match, const Body&) {
    Shape shape;
    shape.services = both(services_of(match, ProtocolSet::all()), {every_service});
    return {shape};
  }

  Shapes taken(const IcmpMatch& match, const Body&) {
    Shape shape;
    const ProtocolSet protocol = one_protocol(match.protocol);
    if (match.negated)
      shape.services = both({{protocol, ~match.types, PortSet::all()}, {protocol, match.types, ~match.codes}},
                            {{protocol, PortSet(0, 255), PortSet(0, 255)}});
    else shape.services = {{protocol, match.types, match.codes}};
    return {shape};
  }

  Shapes taken(const Constant& match, const Body&) { return match.holds ? Shapes{Shape{}} : Shapes{}; }

  Shapes taken(const OpenMatch& match, const Body&) {
    Shape shape;
    shape.conditions = {condition(match.kind, match.name)};
    return {shape};
  }

  Shapes taken(const MarkMatch& match, const Body&) {
    Shape shape;
    const bool of_connection = match.of == model::MarkTest::Of::connection;
    if (of_connection && table_ == Table::raw) return {};  // there is no connection yet
    // A packet without a connection fails the test, negated or not.
    if (of_connection) {
      shape.state.tracking = StateMatch::Tracking::fresh;
      const Tracked services = tracked_services(lowering_.family);
      shape.services = services.fresh;
      shape.services.insert(shape.services.end(), services.unknown.begin(), services.unknown.end());
    }
    if (!lowering_.marks_are_known) {
      shape.conditions = {condition(
          ConditionKind::mark, fmt::format("{}{}0x{:x}/0x{:x}", of_connection ? "of the connection " : "",
                                           match.negated ? "! " : "", match.value, match.mask))};
      return {shape};
    }
    shape.state.marks = {{match.of, match.mask, match.value, match.negated}};
    return {shape};
  }

  Shapes taken(const SetMatch& match, const Body&);
  bool is_filled(const std::string& name) const;
  AddressTerm group_of(const SetMatch& match, const SetAddresses& addresses, ConditionIds conditions);
  Shapes taken(const ConntrackMatch& match, const Body&);
  Shapes connected(const ConntrackMatch& match, const ServiceSet& services);
  Shapes taken(const AddressTypeMatch& match, const Body&);
  AddressSet numbers(std::string_view v4, std::string_view v6) {
    const std::string_view text = lowering_.family == Family::ipv4 ? v4 : v6;
    return text.empty() ? AddressSet{} : prefix_set(text);
  }

  Lowering& lowering_;
  AddressBook& addresses_;
  SetMatches& sets_;
  Table table_;
  Span span_;
};

// ---- the connection -----------------------------------------------------------------------------------

// nf_conntrack_core.c, nf_conntrack_proto_icmp.c, nf_conntrack_proto_icmpv6.c.
Tracked tracked_services(Family family) {
  const PortSet all = PortSet::all();
  const std::uint8_t icmp = family == Family::ipv4 ? protocol::icmp : protocol::icmp6;
  const auto types = [](std::initializer_list<std::pair<int, int>> ranges) {
    std::vector<Interval<std::uint16_t>> intervals;
    for (const auto& [first, last] : ranges)
      intervals.push_back({static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last)});
    return PortSet::of(std::move(intervals));
  };
  const PortSet begins = family == Family::ipv4 ? types({{8, 8}, {13, 13}, {15, 15}, {17, 17}})
                                                : types({{128, 128}, {139, 139}});
  const PortSet passed_by = family == Family::ipv4 ? PortSet{} : types({{130, 136}, {143, 143}});
  Tracked tracked;
  tracked.fresh = {{~(one_protocol(icmp) | one_protocol(udplite)), all, all},
                   {one_protocol(icmp), begins, all}};
  tracked.invalid = {{one_protocol(icmp), ~(begins | passed_by), all}};
  if (!passed_by.empty()) tracked.untracked = {{one_protocol(icmp), passed_by, all}};
  tracked.unknown = {{one_protocol(udplite), all, all}};
  return tracked;
}

// A packet that conntrack has seen is NEW, and DNAT as well once its destination was changed. One that raw
// took out is UNTRACKED; in raw itself no packet has a connection, which conntrack calls INVALID. Of a packet
// without a connection the states alone are asked; where none are, nothing passes.
Shapes Meanings::Worker::taken(const ConntrackMatch& match, const Body&) {
  using Tracking = StateMatch::Tracking;
  const auto has = [&](std::uint8_t bit) { return match.states && (*match.states & bit) != 0; };
  const auto passes = [&](std::uint8_t bit) { return match.states && has(bit) != match.states_negated; };
  Shapes shapes;
  const auto add = [&](Tracking tracking, const ServiceSet& services) {
    Shape shape;
    shape.state.tracking = tracking;
    shape.services = services;
    shapes.push_back(std::move(shape));
  };
  const ServiceSet every{every_service};
  if (passes(state_untracked)) add(Tracking::untracked, every);
  if (table_ == Table::raw) {
    if (passes(state_invalid)) add(Tracking::fresh, every);
    return shapes.size() == 2 ? Shapes{Shape{}} : shapes;
  }
  const Tracked services = tracked_services(lowering_.family);
  if (passes(state_untracked) && !services.untracked.empty()) add(Tracking::fresh, services.untracked);
  if (passes(state_invalid)) add(Tracking::fresh, services.invalid);
  const bool settled = match.states && match.states_negated &&
                       (*match.states & (state_new | state_invalid)) == 0 && !match.asks_connection &&
                       !has(state_dnat);
  add(Tracking::fresh, services.unknown);
  if (!settled)
    shapes.back().conditions = {condition(ConditionKind::device_state, "whether the kernel tracks UDP-Lite")};
  for (Shape& shape : connected(match, services.fresh)) shapes.push_back(std::move(shape));
  return shapes;
}

// The part of packets with a connection.
Shapes Meanings::Worker::connected(const ConntrackMatch& match, const ServiceSet& services) {
  using Translated = StateMatch::Translated;
  const auto has = [&](std::uint8_t bit) { return match.states && (*match.states & bit) != 0; };
  if (match.never) return {};
  Shape shape;
  shape.state.tracking = StateMatch::Tracking::fresh;
  shape.services = services;
  if (has(state_new)) {
    if (match.states_negated) return {};
  } else if (has(state_dnat)) {
    shape.state.translated = match.states_negated ? Translated::no : Translated::yes;
  } else if (match.states && !match.states_negated) {
    return {};
  }
  for (const AddressMatch& one : match.seen) {
    AddressTerm& place = one.end == End::source ? shape.source : shape.destination;
    place = addresses_.both(place, addresses_.of(one.test, span_), span_);
  }
  if (match.protocols)
    shape.services = both(shape.services, {{*match.protocols, PortSet::all(), PortSet::all()}});
  if (match.wire_destination) {
    shape.wire.emplace();
    shape.wire->destination = addresses_.of(*match.wire_destination, span_);
  }
  if (match.seen_ports.empty() && !match.asks_wire_port) return {shape};
  // Ports of what has none are 0; ICMP has its type and code there.
  const ProtocolSet icmp = one_protocol(lowering_.family == Family::ipv4 ? protocol::icmp : protocol::icmp6);
  const auto part = [&](const ProtocolSet& protocols) {
    Shape one = shape;
    one.services = both(shape.services, {{protocols, PortSet::all(), PortSet::all()}});
    return one;
  };
  Shapes shapes;
  Shape with = part(tracked_by_ports());
  for (const PortMatch& one : match.seen_ports)
    with.services = both(with.services, services_of(one, tracked_by_ports()));
  if (match.asks_wire_port) {
    if (!with.wire) with.wire.emplace();
    with.wire->ports = match.wire_ports;
  }
  if (!with.services.empty()) shapes.push_back(std::move(with));
  Shape odd = part(icmp);
  odd.conditions = {condition(ConditionKind::device_state, "the ports of an ICMP connection")};
  if (!odd.services.empty()) shapes.push_back(std::move(odd));
  const bool takes_zero =
      match.wire_ports.contains(0) && std::ranges::all_of(match.seen_ports, [](const PortMatch& one) {
        return one.ports.contains(0) != one.negated;
      });
  Shape without = part(~(tracked_by_ports() | icmp));
  if (takes_zero && !without.services.empty()) shapes.push_back(std::move(without));
  return shapes;
}

// ---- sets ---------------------------------------------------------------------------------------------

Shapes Meanings::Worker::taken(const SetMatch& match, const Body&) {
  const SetTest test{match.set, parse_flags(match.flags).value_or(std::vector<Flag>{}), match.negated,
                     match.return_nomatch, lowering_.family};
  const auto ids = [&](const std::vector<model::Condition>& conditions) {
    ConditionIds all;
    for (const model::Condition& one : conditions)
      all = model::united(all, {lowering_.policy.condition(one.kind, one.name, one.where)});
    return all;
  };
  if (is_filled(match.set)) {
    Shape shape;
    shape.conditions = {
        condition(ConditionKind::dynamic_address, fmt::format("ipset {}, which rules change", match.set))};
    return {shape};
  }
  if (const SetAddresses* addresses = sets_.addresses(test)) {
    Shape shape;
    (test.flags.front() == Flag::src ? shape.source : shape.destination) =
        group_of(match, *addresses, ids(addresses->conditions));
    return {shape};
  }
  Shapes shapes;
  const MatchBoxes& boxes = sets_.boxes(test);
  const AddressSet all = AddressSet::all(lowering_.family);
  const auto term = [&](const AddressSet& set) {
    return set == all ? AddressTerm::any() : addresses_.anonymous({set, set, {}}, span_);
  };
  for (std::size_t i = 0; i < boxes.possible.size(); ++i) {
    const MatchBox& box = boxes.possible[i];
    Shape shape;
    shape.source = term(box.source);
    shape.destination = term(box.destination);
    shape.services = {box.service};
    shape.context = box.context;
    if (i >= boxes.certain.size()) shape.conditions = ids(boxes.conditions);
    if (!box.marks.empty() && !lowering_.marks_are_known)
      shape.conditions = model::united(
          shape.conditions, {condition(ConditionKind::mark, fmt::format("in ipset {}", match.set))});
    else shape.state.marks = box.marks;
    shapes.push_back(std::move(shape));
  }
  return shapes;
}

bool Meanings::Worker::is_filled(const std::string& name) const {
  if (lowering_.filled_sets.contains(name)) return true;
  const IpSet* set = lowering_.from.sets.named(name);
  return set != nullptr && std::ranges::any_of(lowering_.filled_sets, [&](const std::string& filled) {
           return set->type == SetType::list_set && std::ranges::find(set->names, filled) != set->names.end();
         });
}

// The group that stands for the set: shared by all rules that ask for it, and what an edit of it is about.
AddressTerm Meanings::Worker::group_of(const SetMatch& match, const SetAddresses& addresses,
                                       ConditionIds conditions) {
  const auto [known, is_new] = lowering_.set_terms.try_emplace(
      fmt::format("{}{}{}", match.negated ? "! " : "", match.return_nomatch ? "~ " : "", match.set));
  if (!is_new) return known->second;
  model::AddressGroup group;
  const IpSet* set = lowering_.from.sets.named(match.set);
  const bool is_itself = !match.negated && !match.return_nomatch && set != nullptr && set->is_known();
  group.span = set != nullptr ? set->span : span_;
  if (is_itself) {
    group.name = match.set;
    group.kind = model::GroupKind::group;
  }
  group.addresses = {addresses.certain, addresses.possible, std::move(conditions)};
  const model::GroupId id = addresses_.group(std::move(group));
  if (is_itself) lowering_.set_groups.emplace(id, match.set);
  return known->second = AddressTerm::group(id);
}

// ---- addresses by what they are -----------------------------------------------------------------------

namespace {

std::vector<std::string_view> words_of(std::string_view list) {
  std::vector<std::string_view> words;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    words.push_back(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return words;
}

}  // namespace

// The kernel looks into its table of local routes (xt_addrtype.c): an own address is LOCAL, one of a
// network's two ends BROADCAST, 224.0.0.0/4 MULTICAST, everything else UNICAST. Of IPv6 the first three words
// are asked of the address's scope, all that are named.
Shapes Meanings::Worker::taken(const AddressTypeMatch& match, const Body&) {
  const bool is_v4 = lowering_.family == Family::ipv4;
  const AddressSet all = AddressSet::all(lowering_.family);
  const AddressSet multicast = numbers("224.0.0.0/4", "ff00::/8");
  const AddressSet broadcast =
      is_v4 ? prefix_set("255.255.255.255/32") | prefix_set("0.0.0.0/8") : AddressSet{};
  const AddressSet unspecified = numbers("", "::/128");
  const AddressSet loopback = numbers("127.0.0.0/8", "::1/128");
  const std::vector<std::string_view> types = words_of(match.types);
  const auto asks = [&](std::string_view type) { return std::ranges::find(types, type) != types.end(); };
  const bool is_strange = std::ranges::any_of(types, [&](std::string_view type) {
    return type != "LOCAL" && type != "UNICAST" && type != "MULTICAST" && (type != "BROADCAST" || !is_v4) &&
           type != "UNSPEC";
  });
  Shape open;
  open.conditions = {
      condition(ConditionKind::device_state,
                fmt::format("addrtype {}{} {}", match.negated ? "! " : "",
                            match.end == End::source ? "--src-type" : "--dst-type", match.types))};
  if (is_strange) return {open};
  const AddressSet own = (lowering_.from.local & all) | loopback;
  const auto of_set = [&](AddressSet set) {
    Shape shape;
    (match.end == End::source ? shape.source : shape.destination) =
        addresses_.anonymous({set, set, {}}, span_);
    return shape;
  };
  // Whether the rest of the addresses, neither broadcast nor multicast, are the device's own: a destination
  // by the way the packet goes, a source where the device sends it.
  const ContextTerm is_own = match.end == End::destination
                                 ? ContextTerm{Dimension::direction, {"in"}, false}
                                 : ContextTerm{Dimension::direction, {"out"}, false};
  ContextTerm is_no_own = is_own;
  is_no_own.negated = true;
  AddressSet plain = all - multicast - broadcast;  // LOCAL or UNICAST
  AddressSet special;
  bool takes_local = asks("LOCAL"), takes_unicast = asks("UNICAST");
  if (is_v4) {
    special = (asks("MULTICAST") ? multicast : AddressSet{}) | (asks("BROADCAST") ? broadcast : AddressSet{});
  } else {
    // All that are named must hold; LOCAL besides.
    AddressSet scope = all;
    if (asks("MULTICAST")) scope &= multicast;
    if (takes_unicast) scope &= all - multicast - unspecified;
    if (asks("UNSPEC")) scope &= unspecified;
    if (!takes_local) {
      return {of_set(match.negated ? all - scope : scope)};
    }
    plain = scope;
    takes_unicast = false;
  }
  if (match.negated && is_v4) {
    special = (multicast | broadcast) - special;
    takes_local = !takes_local;
    takes_unicast = !takes_unicast;
  }
  Shapes shapes;
  if (!special.empty()) shapes.push_back(of_set(special));
  const auto add = [&](AddressSet set, const ContextTerm& way) {
    if (set.empty()) return;
    Shape shape = of_set(std::move(set));
    shape.context = {way};
    shapes.push_back(std::move(shape));
  };
  if (is_v4 && takes_local && takes_unicast) {
    shapes.push_back(of_set(plain));
    return shapes;
  }
  const AddressSet known_own = match.end == End::source ? own : loopback;
  if (is_v4) {
    if (takes_local) add(plain, is_own), add(plain & known_own, is_no_own);
    if (takes_unicast) add(plain - known_own, is_no_own);
  } else if (!match.negated) {
    add(plain, is_own), add(plain & known_own, is_no_own);
  } else {
    add(all - plain, is_own), add(all - (plain & known_own), is_no_own);
  }
  return shapes;
}

namespace {

model::ServiceTerm service_term(model::Policy& policy, const ServiceSet& services, Span span) {
  if (services.size() == 1) {
    const ServiceBox& box = services.front();
    if (box.protocol.is_all() && box.source.is_all() && box.destination.is_all())
      return model::ServiceTerm::any();
    const auto one_range = [](const auto& set) { return set.interval_count() == 1; };
    if (one_range(box.protocol) && box.protocol.interval(0).first == box.protocol.interval(0).last &&
        one_range(box.source) && one_range(box.destination)) {
      const auto range = [](const PortSet& set) {
        return model::PortRange{set.interval(0).first, set.interval(0).last};
      };
      return model::ServiceTerm::of(box.protocol.interval(0).first, range(box.source),
                                    range(box.destination));
    }
  }
  model::ServiceGroup group;
  group.span = span;
  group.services = {services, services, {}};
  policy.service_groups.push_back(std::move(group));
  return model::ServiceTerm::group(static_cast<model::GroupId>(policy.service_groups.size() - 1));
}

std::uint32_t qualifier_of(model::Policy& policy, const Shape& shape) {
  model::Qualifier qualifier{shape.conditions, shape.context, shape.state, shape.wire};
  if (qualifier == model::Qualifier{}) return 0;
  policy.qualifiers.push_back(std::move(qualifier));
  return static_cast<std::uint32_t>(policy.qualifiers.size() - 1);
}

}  // namespace

std::vector<RulePart> Meanings::lowered(const Body& body, Table table, Span span) {
  std::vector<RulePart> parts;
  for (const Shape& shape : Worker(lowering_, addresses_, sets_, table, span).shapes(body)) {
    RulePart part;
    part.source = shape.source;
    part.destination = shape.destination;
    part.service = service_term(lowering_.policy, shape.services, span);
    part.qualifier = qualifier_of(lowering_.policy, shape);
    parts.push_back(part);
  }
  return parts;
}

namespace {
std::optional<model::ServiceTerm> narrowed_literal(model::ServiceTerm service, model::PortRange ports) {
  service.destination.first = std::max(service.destination.first, ports.first);
  service.destination.last = std::min(service.destination.last, ports.last);
  if (service.destination.first > service.destination.last) return std::nullopt;
  return service;
}
}  // namespace

// To packets with one of the ports as their destination; none: there are no such packets.
std::optional<model::ServiceTerm> Meanings::narrowed(const model::ServiceTerm& service,
                                                     model::PortRange ports, Span span) {
  if (service.kind == model::ServiceTerm::Kind::literal) return narrowed_literal(service, ports);
  const bool is_any = service.kind == model::ServiceTerm::Kind::any;
  const auto [known, is_new] =
      narrowed_.try_emplace({is_any ? ~model::GroupId{0} : service.group_id, ports.first, ports.last});
  if (is_new) {
    const ServiceSet of_ports{{ProtocolSet::all(), PortSet::all(), PortSet(ports.first, ports.last)}};
    const ServiceSet left =
        is_any ? of_ports
               : both(lowering_.policy.service_groups[service.group_id].services.possible, of_ports);
    if (!left.empty()) known->second = service_term(lowering_.policy, left, span);
  }
  return known->second;
}

std::span<const RulePart> Meanings::of(const Rule& rule, Table table) {
  Known& known = known_[rule.body];
  if (!known.is_worked_out) {
    const Body& body = lowering_.from.bodies[rule.body];
    known = {lowered(body, table, rule.span), body.asks_port, true};
  }
  if (!known.asks_port) return known.parts;
  if (known.parts.size() == 1 && known.parts.front().service.kind == model::ServiceTerm::Kind::literal) {
    one_ = known.parts.front();  // as nearly always
    const auto service = narrowed_literal(one_.service, rule.ports);
    if (service) one_.service = *service;
    return std::span(&one_, service ? 1 : 0);
  }
  of_rule_.clear();
  for (RulePart part : known.parts)
    if (const auto service = narrowed(part.service, rule.ports, rule.span)) {
      part.service = *service;
      of_rule_.push_back(part);
    }
  return of_rule_;
}

}  // namespace aclmend::iptables
