// What a rule asks beside addresses and services, and how a packet is moved by a translation: the pieces that
// decide, meaning and by_source share. (meaning and by_source match addresses and services in their own ways,
// so that the three can be held against each other.)
#pragma once
#include "model/question.h"

namespace aclmend::model {

enum class Fit : std::uint8_t { no, possible, certain };

// Whether the rule is certainly about something else than this destination and service: the quick look that
// spares a walk over a million rules the long one. It may say no where the answer is yes, never the reverse.
inline bool is_elsewhere(const Rule& rule, const Packet& packet) {
  const ServiceTerm& service = rule.service;
  if (service.kind == ServiceTerm::Kind::literal &&
      (service.protocol != packet.protocol || packet.destination_port < service.destination.first ||
       packet.destination_port > service.destination.last))
    return true;
  return rule.destination.kind == AddressTerm::Kind::v4 &&
         (!packet.destination.is_v4() ||
          (packet.destination.as_v4() & netmask(rule.destination.length)) != rule.destination.value);
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

QualifierFit qualifier_fit(const Policy& policy, const Context& context, const Rule& rule, State state);
// The same, whatever state the packet is in.
QualifierFit standing_fit(const Context& context, const Qualifier& qualifier);

ConditionId condition_of(Dimension dimension);

// How a packet differs from what it was on the wire: its destination and destination port.
struct View {
  Translation::Change address = Translation::Change::none;  // one_of: the single address `number`
  Address to;                                               // one_of
  V6 address_shift = 0;
  Translation::Change port = Translation::Change::none;  // one_of: the single port `to_port`
  std::uint16_t to_port = 0;
  std::uint16_t port_shift = 0;

  Address destination_of(Address wire) const;
  std::uint16_t port_of(std::uint16_t wire) const;
  // The wire destinations, and wire ports, that look like members of the set.
  AddressSet wire_destinations(const AddressSet& seen) const;
  PortSet wire_ports(const PortSet& seen) const;
  bool operator==(const View&) const = default;
  auto operator<=>(const View&) const = default;
};

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
// several arrivals where a translation hangs on a condition.
std::vector<Arrival> arrivals(const Policy& policy, const Context& context, const PacketSet& region,
                              const std::vector<NodeId>& stages);
// The stages that walk the list, by a call too.
std::vector<NodeId> stages_of(const Policy& policy, ListId list);

// Deeper calls than any device allows (a loop in a hostile file) are unknown.
inline constexpr int deepest_call = 64;

}  // namespace aclmend::model
