#include "fix/prove.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "model/match.h"

namespace aclmend::fix {
namespace {

using difference::Assumption;
using difference::ChangedBox;
using difference::Known;
using model::Policy;
using model::Verdict;

constexpr std::size_t most_counted = 96;

std::vector<model::NodeId> stages_named(const Policy& policy, const std::string& list) {
  std::vector<model::NodeId> stages;
  for (model::ListId id = 0; id < policy.lists.size(); ++id)
    if (policy.lists[id].name == list)
      for (const model::NodeId stage : model::stages_of(policy, id)) stages.push_back(stage);
  return stages;
}

// The packets of the region that an envelope does not hold, in whatever way they may come to the list.
PacketSet outside(const PacketSet& region, const Policy& policy, const model::Context& context,
                  const Envelope& envelope, const std::vector<model::NodeId>& stages) {
  PacketSet arrived, strange;
  for (const model::Arrival& arrival : arrivals(policy, context, region, stages)) {
    Box held = envelope.seen;
    held.destination = arrival.view.wire_destinations(envelope.seen.destination);
    held.destination_port = arrival.view.wire_ports(envelope.seen.destination_port);
    strange |= arrival.packets - PacketSet(held);
    arrived |= arrival.packets;
  }
  return strange | (region - arrived);
}

// A change that is the same for any ingress is looked at on each: not all of them may lead to the list.
std::vector<Known> with_ingress(const Policy& policy, const Known& known) {
  constexpr auto ingress = model::Dimension::ingress;
  if (known.contains(ingress)) return {known};
  std::set<std::string> names;
  bool takes_any = false;
  for (const model::Node& node : policy.nodes)
    if (const auto* branch = std::get_if<model::Branch>(&node);
        branch != nullptr && branch->dimension == ingress) {
      for (const model::Branch::Case& one : branch->cases) names.insert(one.name);
      takes_any = takes_any || branch->otherwise.has_value();
    }
  if (takes_any) {
    names.insert(difference::any_other);
    for (const model::Qualifier& qualifier : policy.qualifiers)
      for (const model::ContextTerm& term : qualifier.context)
        if (term.dimension == ingress) names.insert(term.names.begin(), term.names.end());
  }
  std::vector<Known> contexts;
  for (const std::string& name : names) {
    contexts.push_back(known);
    contexts.back()[ingress] = name;
  }
  if (contexts.empty()) contexts.push_back(known);
  return contexts;
}

}  // namespace

Envelope envelope_of(const Policy& policy, const audit::Obstacle& obstacle, model::ListId list) {
  Envelope envelope;
  envelope.list = policy.lists[list].name;
  const AddressSet host(obstacle.is_inbound() ? obstacle.seen.destination : obstacle.seen.source);
  envelope.seen.source = obstacle.is_inbound() ? obstacle.required : host;
  envelope.seen.destination = obstacle.is_inbound() ? host : obstacle.required;
  envelope.seen.protocol = ProtocolSet(obstacle.slice.protocol, obstacle.slice.protocol);
  envelope.seen.source_port = PortSet::all();
  envelope.seen.destination_port = PortSet(obstacle.seen.destination_port, obstacle.seen.destination_port);
  return envelope;
}

model::Context context_in(const Policy& policy, const Known& known, const std::vector<Assumption>& assumed) {
  model::Context context;
  context.known = known;
  for (const Assumption& assumption : assumed)
    for (model::ConditionId id = 0; id < policy.conditions.size(); ++id)
      if (policy.conditions[id].kind == assumption.condition.kind &&
          policy.conditions[id].name == assumption.condition.name)
        context.assumed[id] = assumption.holds;
  return context;
}

std::vector<ChangedBox> beyond(const difference::Difference& difference, const Policy& after,
                               const std::vector<Assumption>& assumed,
                               const std::vector<Envelope>& envelopes) {
  std::vector<std::vector<model::NodeId>> stages;
  for (const Envelope& envelope : envelopes) stages.push_back(stages_named(after, envelope.list));
  std::vector<ChangedBox> found;
  for (const ChangedBox& changed : difference.newly_permitted)
    for (const Known& known : with_ingress(after, changed.context)) {
      const model::Context context = context_in(after, known, assumed);
      PacketSet left(changed.packets);
      for (std::size_t i = 0; i < envelopes.size() && !left.empty(); ++i)
        left = outside(left, after, context, envelopes[i], stages[i]);
      for (const Box& box : left.boxes()) found.push_back({box, known, changed.before, changed.after});
    }
  return found;
}

// ---- the second count ---------------------------------------------------------------------------------

namespace {

// Packets of one context, and what each should get.
struct Claims {
  Known known;
  std::vector<Packet> inside;      // newly permitted
  std::vector<Packet> neighbours;  // their answers stay
};

void add_neighbour(Claims& claims, const Packet& packet, const PacketSet& changed) {
  if (!changed.contains(packet)) claims.neighbours.push_back(packet);
}

std::optional<Address> next_to(Address address, bool is_below) {
  const V6 edge = is_below ? V6{0} : address.is_v4() ? V6{~V4{0}} : ~V6{0};
  if (address.number == edge) return std::nullopt;
  return Address{address.family, is_below ? address.number - 1 : address.number + 1};
}

// Packets that differ from one that is inside in one place, by one.
void add_neighbours(Claims& claims, const Packet& packet, const PacketSet& changed) {
  for (const bool is_below : {true, false}) {
    if (const auto source = next_to(packet.source, is_below)) {
      Packet other = packet;
      other.source = *source;
      add_neighbour(claims, other, changed);
    }
    if (const auto destination = next_to(packet.destination, is_below)) {
      Packet other = packet;
      other.destination = *destination;
      add_neighbour(claims, other, changed);
    }
    Packet other = packet;
    other.destination_port = static_cast<std::uint16_t>(packet.destination_port + (is_below ? -1 : 1));
    add_neighbour(claims, other, changed);
  }
}

Claims claims_of(const difference::Difference& difference, const ChangedBox& changed, std::size_t room) {
  Claims claims{changed.context, {}, {}};
  const PacketSet all = difference::packets_of(difference.newly_permitted, changed.context);
  const Box& box = changed.packets;
  const std::vector<Prefix> sources = box.source.prefixes();  // of one family
  Packet packet;
  const Family family = sources.front().address.family;
  packet.destination = *(box.destination & AddressSet::all(family)).lowest();
  packet.protocol = box.protocol.interval(0).first;
  packet.destination_port = box.destination_port.interval(0).first;
  const auto ports = {box.source_port.interval(0).first,
                      box.source_port.interval(box.source_port.interval_count() - 1).last};
  constexpr std::size_t a_prefix_takes = 16;
  const std::size_t count = std::clamp<std::size_t>(room / a_prefix_takes, 1, sources.size());
  for (std::size_t i = 0; i < count; ++i) {
    const Prefix& prefix = sources[i * sources.size() / count];
    for (const Address source : {prefix.first(), prefix.last()}) {
      packet.source = source;
      for (const std::uint16_t port : ports) {
        packet.source_port = port;
        claims.inside.push_back(packet);
      }
      add_neighbours(claims, packet, all);
    }
  }
  return claims;
}

// None: too complex to be followed.
std::vector<std::optional<Verdict>> verdicts(const Policy& policy, const Known& known,
                                             const std::vector<Assumption>& assumed,
                                             const std::vector<Packet>& packets) {
  std::vector<std::optional<Verdict>> result;
  for (const model::Decision& one : decide(policy, context_in(policy, known, assumed), packets))
    result.push_back(gave_up(one) ? std::nullopt : std::optional(one.verdict));
  return result;
}

}  // namespace

Result<audit::SecondCount> second_count(const difference::Difference& difference, const Policies& policies,
                                        const std::vector<Assumption>& assumed) {
  audit::SecondCount count;
  const std::size_t boxes = difference.newly_permitted.size();
  for (std::size_t i = 0, tried = 0; i < boxes && tried < most_counted; ++i) {
    const Claims claims =
        claims_of(difference, difference.newly_permitted[i], std::max<std::size_t>(most_counted / boxes, 1));
    std::vector<Packet> packets = claims.inside;
    packets.insert(packets.end(), claims.neighbours.begin(), claims.neighbours.end());
    tried += packets.size();
    const auto before = verdicts(policies.before, claims.known, assumed, packets);
    const auto after = verdicts(policies.after, claims.known, assumed, packets);
    const auto rolled_back = verdicts(policies.rolled_back, claims.known, assumed, packets);
    for (std::size_t p = 0; p < packets.size(); ++p) {
      if (!before[p] || !after[p] || !rolled_back[p]) continue;
      ++count.packets;
      const bool is_inside = p < claims.inside.size();
      const bool agrees =
          is_inside ? before[p] != Verdict::permit && after[p] == Verdict::permit : before[p] == after[p];
      if (!agrees || rolled_back[p] != before[p])
        return fail(fmt::format(
            "our two ways of counting disagree about the change for {} -> {} port {}: this is an error of "
            "aclmend, and nothing it worked out can be trusted",
            to_string(packets[p].source), to_string(packets[p].destination), packets[p].destination_port));
    }
  }
  return count;
}

}  // namespace aclmend::fix
