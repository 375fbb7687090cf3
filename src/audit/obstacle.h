// What stands in the way of a required flow, in the policy's own terms: for whoever mends it. (A finding says
// the same in lines and words.)
#pragma once
#include <string>
#include <vector>

#include "audit/causes.h"
#include "audit/question.h"

namespace aclmend::audit {

// Addresses of one flow and host that one decider stops, or that hang on what is not known.
struct Obstacle {
  const inventory::Flow* flow = nullptr;
  model::Context context;  // with the ingress that was given or inferred
  std::string ingress;     // empty: this firewall has no named interfaces
  model::Slice slice;      // as it is on the wire; of an outbound flow: its source and service
  AddressSet required;     // all that the flow requires, of both families
  model::Verdict verdict = model::Verdict::deny;
  model::Decider by;          // who denies, or possibly denies
  AddressSet addresses;       // of the sources; of an outbound flow: of the destinations
  PortSet source_ports;       // the asked ones that are stopped
  Packet seen;                // one of the packets, as the decider sees it
  std::vector<Cause> causes;  // nearest first; of what is denied, on the way in

  bool is_inbound() const { return flow->direction == inventory::Direction::inbound; }
  // The stopped packets, as they are on the wire.
  PacketSet packets() const;
  // One of them, of this peer, from a usual source port where that is stopped.
  Packet packet(Address peer) const;
};

// A packet of a flow between its host (the slice's address) and a peer, from a usual source port if it may
// be.
Packet packet_of(const inventory::Flow& flow, const model::Slice& slice, const PortSet& source_ports,
                 Address peer);

struct Examination {
  DeviceAudit told;
  std::vector<Obstacle> obstacles;
};
// The audit, and what a mend would have to remove.
Result<Examination> examine(const Question& question);

// A member that people would try: not the number of a network.
Address example_of(const AddressSet& set);

}  // namespace aclmend::audit
