#include "model/match.h"

#include <algorithm>

namespace aclmend::model {
namespace {

// "eth0" names itself; "eth+" (iptables) every name that begins so.
bool names_it(const std::string& pattern, const std::string& name) {
  if (pattern.ends_with('+'))
    return name.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
  return pattern == name;
}

Fit context_fit(const ContextTerm& term, const Context& context) {
  const auto known = context.known.find(term.dimension);
  if (known == context.known.end()) return Fit::possible;
  const bool named =
      std::ranges::any_of(term.names, [&](const auto& name) { return names_it(name, known->second); });
  return named != term.negated ? Fit::certain : Fit::no;
}

// The set moved by `by`, modulo the universe: rotating the flips, and the first and last stretch with them.
template <class Point>
FlipSet<Point> rotated(const FlipSet<Point>& set, Point by) {
  std::vector<Interval<Point>> moved;
  for (const auto& [first, last] : set.intervals()) {
    const auto new_first = static_cast<Point>(first + by);
    const auto new_last = static_cast<Point>(last + by);
    if (new_first <= new_last) {
      moved.push_back({new_first, new_last});
    } else {
      moved.push_back({new_first, last_point<Point>});
      moved.push_back({Point{0}, new_last});
    }
  }
  return FlipSet<Point>::of(std::move(moved));
}

template <class Point>
std::vector<Point> members(const FlipSet<Point>& set) {  // of a set that is known to be small
  std::vector<Point> points;
  for (const auto& [first, last] : set.intervals())
    for (Point point = first;; ++point) {
      points.push_back(point);
      if (point == last) break;
    }
  return points;
}

template <class Point>
bool has_at_most(const FlipSet<Point>& set, std::size_t limit) {
  V6 count = 0;
  for (const auto& [first, last] : set.intervals()) {
    const V6 length = V6{last} - V6{first};
    if (length >= limit) return false;
    count += length + 1;
    if (count > limit) return false;
  }
  return true;
}

bool holds(const ServiceSet& set, const Packet& packet) {
  return std::ranges::any_of(set, [&](const ServiceBox& box) {
    return box.protocol.contains(packet.protocol) && box.source.contains(packet.source_port) &&
           box.destination.contains(packet.destination_port);
  });
}

}  // namespace

SetFit address_fit(const Policy& policy, AddressTerm term, Address address) {
  const auto sure = [](bool is_member) { return SetFit{is_member ? Fit::certain : Fit::no}; };
  switch (term.kind) {
    case AddressTerm::Kind::any: return sure(true);
    case AddressTerm::Kind::any4: return sure(address.is_v4());
    case AddressTerm::Kind::any6: return sure(!address.is_v4());
    case AddressTerm::Kind::v4:
      return sure(address.is_v4() && (address.as_v4() & netmask(term.length)) == term.value);
    case AddressTerm::Kind::group: {
      const Partly<AddressSet>& set = policy.groups[term.value].addresses;
      if (set.certain.contains(address)) return {Fit::certain};
      if (set.possible.contains(address)) return {Fit::possible, &set.conditions};
      return {Fit::no};
    }
  }
  return {Fit::no};
}

SetFit service_fit(const Policy& policy, const ServiceTerm& term, const Packet& packet) {
  const auto inside = [](PortRange range, std::uint16_t port) {
    return port >= range.first && port <= range.last;
  };
  switch (term.kind) {
    case ServiceTerm::Kind::any: return {Fit::certain};
    case ServiceTerm::Kind::literal:
      return {packet.protocol == term.protocol && inside(term.source, packet.source_port) &&
                      inside(term.destination, packet.destination_port)
                  ? Fit::certain
                  : Fit::no};
    case ServiceTerm::Kind::group: {
      const Partly<ServiceSet>& set = policy.service_groups[term.group_id].services;
      if (holds(set.certain, packet)) return {Fit::certain};
      if (holds(set.possible, packet)) return {Fit::possible, &set.conditions};
      return {Fit::no};
    }
  }
  return {Fit::no};
}

AddressSet shared(const Policy& policy, AddressTerm term, const AddressSet& set) {
  if (term.kind == AddressTerm::Kind::v4) {  // most places of most rules, and most share nothing
    const std::vector<V4>& flips = set.v4.flips();
    const V4 last = term.value | ~netmask(term.length);
    const auto after = std::upper_bound(flips.begin(), flips.end(), term.value);
    const bool holds_first = (after - flips.begin()) % 2 == 1;
    if (!holds_first && (after == flips.end() || *after > last)) return {};
  }
  return addresses_of(policy, term)->possible & set;
}

ConditionId condition_of(Dimension dimension) {
  switch (dimension) {
    case Dimension::ingress: return ingress_condition;
    case Dimension::egress: return egress_condition;
    case Dimension::application: return application_condition;
    case Dimension::program: return program_condition;
    case Dimension::profile: return profile_condition;
    case Dimension::direction: return direction_condition;
    case Dimension::family: return complexity_condition;  // never open: each packet has one
  }
  return complexity_condition;
}

SetFit own_fit(const Policy& policy, AddressTerm term, Family family) {
  const AddressSet all = AddressSet::all(family);
  const auto set = addresses_of(policy, term);
  if (set->certain.covers(all)) return {Fit::certain};
  if (!set->possible.intersects(all)) return {Fit::no};
  const bool is_group = term.kind == AddressTerm::Kind::group;
  return {Fit::possible, is_group ? &policy.groups[term.value].addresses.conditions : nullptr};
}

namespace {

const ConditionIds pool_conditions{pool_condition};

// Whether a translation has changed the packet.
SetFit translated_fit(StateMatch::Translated asked, const Position& at) {
  if (asked == StateMatch::Translated::either) return {};
  const bool other_port = at.view.port_of(at.port) != at.port;
  if (at.view.is_own() && !other_port) return {Fit::possible, &pool_conditions};
  const bool is_other = other_port || at.view.destination_of(at.destination) != at.destination;
  return {is_other == (asked == StateMatch::Translated::yes) ? Fit::certain : Fit::no};
}

}  // namespace

QualifierFit qualifier_fit(const Policy& policy, const Context& context, const Qualifier& qualifier,
                           const Position& position) {
  if (!qualifier.state.matches(position.state)) return {Fit::no, {}};
  QualifierFit result = standing_fit(context, qualifier);
  const auto also = [&](SetFit part) {
    if (result.fit == Fit::no) return;
    result.fit = std::min(result.fit, part.fit);
    if (result.fit == Fit::no) result.conditions.clear();
    else if (part.fit == Fit::possible) result.conditions = united(result.conditions, *part.conditions);
  };
  also(translated_fit(qualifier.state.translated, position));
  if (qualifier.wire) {
    if (!qualifier.wire->ports.contains(position.port)) also({Fit::no});
    also(address_fit(policy, qualifier.wire->destination, position.destination));
  }
  return result;
}

std::optional<Partly<PacketSet>> wire_packets(const Policy& policy, const Qualifier& qualifier,
                                              const View& view) {
  using Translated = StateMatch::Translated;
  const Translated translated = qualifier.state.translated;
  if (translated == Translated::either && !qualifier.wire) return std::nullopt;
  Partly<PacketSet> result{PacketSet::all(), PacketSet::all(), {}};
  if (translated != Translated::either) {
    Box kept = Box::all();
    kept.destination_port = view.kept_ports();
    if (view.is_own()) {  // of those that keep their port nobody knows whether they keep their address
      result.conditions = pool_conditions;
      const PacketSet open{kept};
      result.certain = translated == Translated::yes ? PacketSet::all() - open : PacketSet{};
      result.possible = translated == Translated::yes ? PacketSet::all() : open;
    } else {
      kept.destination = view.kept_destinations();
      const PacketSet same{kept};
      result.possible = translated == Translated::yes ? PacketSet::all() - same : same;
      result.certain = result.possible;
    }
  }
  if (qualifier.wire) {
    const auto destination = addresses_of(policy, qualifier.wire->destination);
    Box box = Box::all();
    box.destination_port = qualifier.wire->ports;
    box.destination = destination->possible;
    result.possible &= PacketSet(box);
    box.destination = destination->certain;
    result.certain &= PacketSet(box);
    result.conditions = united(result.conditions, destination->conditions);
  }
  return result;
}

QualifierFit standing_fit(const Context& context, const Qualifier& qualifier) {
  QualifierFit result;
  for (const ContextTerm& term : qualifier.context) switch (context_fit(term, context)) {
      case Fit::no: return {Fit::no, {}};
      case Fit::possible:
        result.conditions = united(result.conditions, {condition_of(term.dimension)});
        break;
      case Fit::certain: break;
    }
  for (const ConditionId condition : qualifier.conditions) {
    const auto assumed = context.assumed.find(condition);
    if (assumed == context.assumed.end()) result.conditions = united(result.conditions, {condition});
    else if (!assumed->second) return {Fit::no, {}};
  }
  if (!result.conditions.empty()) result.fit = Fit::possible;
  return result;
}

Address View::destination_of(Address wire) const {
  switch (address) {
    case Translation::Change::none: return wire;
    case Translation::Change::shift:
      return wire.is_v4() ? Address::v4(static_cast<V4>(wire.number + address_shift))
                          : Address::v6(wire.number + address_shift);
    case Translation::Change::one_of: return to;
    case Translation::Change::own: return wire;
  }
  return wire;
}

std::uint16_t View::port_of(std::uint16_t wire) const {
  switch (port) {
    case Translation::Change::none: return wire;
    case Translation::Change::shift: return static_cast<std::uint16_t>(wire + port_shift);
    case Translation::Change::one_of: return to_port;
    case Translation::Change::own: break;  // of addresses alone
  }
  return wire;
}

AddressSet View::wire_destinations(const AddressSet& seen) const {
  switch (address) {
    case Change::none: return seen;
    case Change::shift:
      return {rotated<V4>(seen.v4, static_cast<V4>(-address_shift)), rotated<V6>(seen.v6, -address_shift)};
    case Change::one_of: return seen.contains(to) ? AddressSet::all(to.family) : AddressSet{};
    case Change::own:
      return {seen.v4.is_all() ? seen.v4 : FlipSet<V4>{}, seen.v6.is_all() ? seen.v6 : FlipSet<V6>{}};
  }
  return seen;
}

AddressSet View::possible_wire_destinations(const AddressSet& seen) const {
  if (!is_own()) return wire_destinations(seen);
  AddressSet wire;
  for (const Family family : {Family::ipv4, Family::ipv6})
    if (seen.intersects(AddressSet::all(family))) wire |= AddressSet::all(family);
  return wire;
}

AddressSet View::kept_destinations() const {
  switch (address) {
    case Change::none: return AddressSet::all();
    case Change::shift: {
      AddressSet kept;
      if (static_cast<V4>(address_shift) == 0) kept |= AddressSet::all(Family::ipv4);
      if (address_shift == 0) kept |= AddressSet::all(Family::ipv6);
      return kept;
    }
    case Change::one_of: return AddressSet(to);
    case Change::own: return {};
  }
  return {};
}

PortSet View::kept_ports() const {
  switch (port) {
    case Change::none: return PortSet::all();
    case Change::shift: return port_shift == 0 ? PortSet::all() : PortSet{};
    case Change::one_of: return PortSet(to_port, to_port);
    case Change::own: break;  // of addresses alone
  }
  return PortSet::all();
}

PortSet View::wire_ports(const PortSet& seen) const {
  switch (port) {
    case Translation::Change::none: return seen;
    case Translation::Change::shift:
      return rotated<std::uint16_t>(seen, static_cast<std::uint16_t>(-port_shift));
    case Translation::Change::one_of: return seen.contains(to_port) ? PortSet::all() : PortSet{};
    case Translation::Change::own: break;
  }
  return seen;
}

bool can_take(const Translation& translation, Family family) {
  if (translation.address != Translation::Change::one_of) return true;
  return translation.addresses.intersects(AddressSet::all(family));
}

std::optional<std::vector<View>> translated_views(const View& before, const Translation& translation) {
  using Change = Translation::Change;
  std::vector<View> by_address{before};
  if (translation.address == Change::shift) {
    View& view = by_address.front();
    if (view.is_own()) {  // and stays one
    } else if (view.address == Change::one_of) {
      view.to = view.to.is_v4() ? Address::v4(static_cast<V4>(view.to.number + translation.address_shift))
                                : Address::v6(view.to.number + translation.address_shift);
    } else {
      view.address = Change::shift;
      view.address_shift += translation.address_shift;
    }
  } else if (translation.address == Change::own) {
    View& view = by_address.front();
    view.address = Change::own;
    view.to = {};
    view.address_shift = 0;
  } else if (translation.address == Change::one_of) {
    const AddressSet& pool = translation.addresses;
    if (pool.empty() || (!pool.v4.empty() && !pool.v6.empty()) || !has_at_most(pool.v4, largest_pool) ||
        !has_at_most(pool.v6, largest_pool))
      return std::nullopt;
    by_address.clear();
    const auto take = [&](Address address) {
      View view = before;
      view.address = Change::one_of;
      view.address_shift = 0;
      view.to = address;
      by_address.push_back(view);
    };
    for (const V4 number : members(pool.v4)) take(Address::v4(number));
    for (const V6 number : members(pool.v6)) take(Address::v6(number));
  }
  if (translation.port == Change::none) return by_address;
  std::vector<View> views;
  for (View view : by_address) {
    if (translation.port == Change::shift) {
      if (view.port == Change::one_of)
        view.to_port = static_cast<std::uint16_t>(view.to_port + translation.port_shift);
      else
        view.port = Change::shift,
        view.port_shift = static_cast<std::uint16_t>(view.port_shift + translation.port_shift);
      views.push_back(view);
      continue;
    }
    if (translation.ports.empty() || !has_at_most(translation.ports, largest_pool / by_address.size()))
      return std::nullopt;
    for (const std::uint16_t number : members(translation.ports)) {
      view.port = Change::one_of;
      view.port_shift = 0;
      view.to_port = number;
      views.push_back(view);
    }
  }
  return views;
}

// ---- branches -----------------------------------------------------------------------------------------

namespace {

Entries entry_named(const Branch& branch, const std::string& name) {
  const auto named = std::ranges::find(branch.cases, name, &Branch::Case::name);
  if (named == branch.cases.end() && !branch.otherwise) return {{}, true};
  return {{{static_cast<std::size_t>(named - branch.cases.begin()), &name}}};
}

Entries entries_by_destination(const Branch& branch, const View& view, Address wire) {
  Entries all;
  for (std::size_t i = 0; i < branch.cases.size(); ++i) {
    const Branch::Case& one = branch.cases[i];
    if (!view.is_own() && one.destinations.contains(view.destination_of(wire))) return {{{i, &one.name}}};
    all.ways.push_back({i, &one.name});
  }
  if (branch.cases.empty() && branch.otherwise) all.ways.push_back({0, nullptr});
  return all;
}

}  // namespace

Entries entries(const Branch& branch, const Context& context, const View& view, Address wire) {
  const auto known = context.known.find(branch.dimension);
  const auto by_context = [&] {
    return known != context.known.end() ? entry_named(branch, known->second)
                                        : entries_by_destination(branch, view, wire);
  };
  switch (branch.by) {
    case Branch::By::context: return by_context();
    case Branch::By::destination: return entries_by_destination(branch, view, wire);
    case Branch::By::routed:
      if (view.is_own()) return entry_named(branch, branch.own_case);
      if (view.destination_of(wire) != wire) return entries_by_destination(branch, view, wire);
      return by_context();
  }
  return {};
}

Context inside(const Context& context, Dimension dimension, const std::string* known) {
  Context result = context;
  if (known != nullptr) result.known[dimension] = *known;
  else result.known.erase(dimension);
  return result;
}

}  // namespace aclmend::model
