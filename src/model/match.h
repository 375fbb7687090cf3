// What a rule asks beside addresses and services, and how a packet is moved by a translation: the pieces that
// decide, meaning and by_source share. (meaning and by_source match addresses and services in their own ways,
// so that the three can be held against each other.)
#pragma once
#include "model/question.h"

namespace aclmend::model {

enum class Fit : std::uint8_t { no, possible, certain };

// Whether the rule is certainly about another service, or another destination: the quick look that spares a
// walk over a million rules the long one. It may say no where the answer is yes, never the reverse.
inline bool is_about_another_service(const Rule& rule, const Packet& packet) {
  const ServiceTerm& service = rule.service;
  return service.kind == ServiceTerm::Kind::literal &&
         (service.protocol != packet.protocol || packet.destination_port < service.destination.first ||
          packet.destination_port > service.destination.last);
}
inline bool is_elsewhere(const Rule& rule, const Packet& packet) {
  return is_about_another_service(rule, packet) ||
         (rule.destination.kind == AddressTerm::Kind::v4 &&
          (!packet.destination.is_v4() ||
           (packet.destination.as_v4() & netmask(rule.destination.length)) != rule.destination.value));
}

// What the place shares with the set.
AddressSet shared(const Policy& policy, AddressTerm term, const AddressSet& set);

struct QualifierFit {
  Fit fit = Fit::certain;
  ConditionIds conditions;  // what a merely possible fit hangs on
};
// How one address, or one packet's service, stands to a place of a rule.
struct SetFit {
  Fit fit = Fit::certain;
  const ConditionIds* conditions = nullptr;  // of a possible fit
};
SetFit address_fit(const Policy& policy, AddressTerm term, Address address);
SetFit service_fit(const Policy& policy, const ServiceTerm& term, const Packet& packet);

// The same, whatever the packet, what it carries and what it was translated to.
QualifierFit standing_fit(const Context& context, const Qualifier& qualifier);

ConditionId condition_of(Dimension dimension);

// How a packet differs from what it was on the wire: its destination and destination port.
struct View {
  using Change = Translation::Change;
  Change address = Change::none;  // one_of: the single address `to`
  Address to;                     // one_of
  V6 address_shift = 0;
  Change port = Change::none;  // one_of: the single port `to_port`
  std::uint16_t to_port = 0;
  std::uint16_t port_shift = 0;

  bool is_own() const { return address == Change::own; }  // nobody knows which: ask own_fit
  Address destination_of(Address wire) const;             // own: as on the wire
  std::uint16_t port_of(std::uint16_t wire) const;
  // The wire destinations, and wire ports, that certainly look like members of the set.
  AddressSet wire_destinations(const AddressSet& seen) const;
  PortSet wire_ports(const PortSet& seen) const;
  // Those that possibly do: others only behind an own address.
  AddressSet possible_wire_destinations(const AddressSet& seen) const;
  // What certainly looks as it did on the wire.
  AddressSet kept_destinations() const;
  PortSet kept_ports() const;
  bool operator==(const View&) const = default;
  auto operator<=>(const View&) const = default;
};

// How an own address, which may be any, stands to a place of a rule. A possible fit hangs on
// `pool_condition`, and on these conditions beside it.
SetFit own_fit(const Policy& policy, AddressTerm term, Family family);

// Where one packet is: what it carries and looks like, and its destination and port on the wire.
struct Position {
  State state;
  View view;
  Address destination;
  std::uint16_t port = 0;
};
QualifierFit qualifier_fit(const Policy& policy, const Context& context, const Qualifier& qualifier,
                           const Position& position);
// What a qualifier asks of the wire, and of what a translation has changed, as packets on the wire. None:
// nothing.
std::optional<Partly<PacketSet>> wire_packets(const Policy& policy, const Qualifier& qualifier,
                                              const View& view);

// The ways into a branch for a packet: one, or alternatives on the dimension's condition.
struct Entry {
  std::size_t index = 0;               // of the case; the number of cases for `otherwise`
  const std::string* known = nullptr;  // what the dimension is inside; null: not known
};
struct Entries {
  std::vector<Entry> ways;
  bool is_denied = false;  // no ways, and why: the context names no case; else there are no cases at all
};
Entries entries(const Branch& branch, const Context& context, const View& view, Address wire);
Context inside(const Context& context, Dimension dimension, const std::string* known);

// The views a translation leads to, one a member of its pool. More members than `largest_pool`, or a pool of
// both families: none, and the result is unknown.
inline constexpr std::size_t largest_pool = 1024;
std::optional<std::vector<View>> translated_views(const View& before, const Translation& translation);
// A pool of one family cannot take packets of the other (NAT64 is not modelled): for those it is unknown.
bool can_take(const Translation& translation, Family family);

// Packets as they come to a stage: what the translations before it may have made of them.
struct Arrival {
  PacketSet packets;  // as they are on the wire
  View view;
};
// The region's packets that possibly come to one of the stages, each as it is met first. Packets stand in
// several arrivals where a translation hangs on a condition. None at all where some are too complex to be
// followed.
std::vector<Arrival> arrivals(const Policy& policy, const Context& context, const PacketSet& region,
                              const std::vector<NodeId>& stages);
// The stages that walk the list, by a call too.
std::vector<NodeId> stages_of(const Policy& policy, ListId list);

// Work that a walk may do beyond reading each list once: calls and states multiply in hostile files. What is
// still on its way when it is spent is unknown (`complexity_condition`).
struct Effort {
  std::uint64_t left = 0;
  bool spend(std::uint64_t count) {
    if (left < count) left = 0;
    else left -= count;
    return left > 0;
  }
};
// Packets of one header, on all ways through marks and pools, at one place of a walk.
inline constexpr std::size_t most_at_a_place = 2 * largest_pool;

// Deeper calls than any device allows (a loop in a hostile file) are unknown.
inline constexpr int deepest_call = 64;

}  // namespace aclmend::model
