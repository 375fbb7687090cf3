// What is asked of a Policy, and the two ways to the answer: `decide` takes one packet, slow and obvious;
// `meaning` takes a region of packets; `by_source` one destination and service with all its sources at once.
#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/policy.h"

namespace aclmend::model {

enum class Verdict : std::uint8_t { permit, deny, unknown };
std::string_view to_string(Verdict verdict);

// What the asker knows of the way. A dimension that is not given is a set of alternatives.
struct Context {
  std::map<Dimension, std::string> known;
  std::map<ConditionId, bool> assumed;  // conditions that the asker has settled
  std::optional<ListId> chain;          // ask this list alone
};

// What took a packet: a rule, or a stage's default.
struct Decider {
  std::optional<RuleRef> rule;
  std::optional<NodeId> stage;  // its default decided
  bool operator==(const Decider&) const = default;
  auto operator<=>(const Decider&) const = default;
};

// The sentence of the default that decided; empty where a rule did.
std::string implicit_of(const Policy& policy, const Decider& by);

struct Hop {
  enum class Outcome : std::uint8_t { no_match, possible, match };
  RuleRef rule;
  Outcome outcome = Outcome::match;
};

struct OpenCondition {
  ConditionId condition = 0;
  std::optional<RuleRef> rule;
};

// The answer for one packet.
struct Decision {
  Verdict verdict = Verdict::unknown;
  Decider decider;                        // of the certain verdict; empty when unknown
  std::vector<OpenCondition> conditions;  // those of the rules that possibly took it
  std::optional<Packet> translated;       // as the last stage saw it, where that differs and is one packet
  std::vector<Hop> path;  // rules that matched or might have, in order; `no_match` only near the decision
};

// Unknown because it could not be followed to the end: no other answer contradicts it.
bool gave_up(const Decision& decision);

Decision decide(const Policy& policy, const Context& context, const Packet& packet);
// Many packets in one walk: a list of a million rules is read once for all of them.
std::vector<Decision> decide(const Policy& policy, const Context& context, std::span<const Packet> packets);

// Packets that possibly got one action, by whom. A packet of the region stands in at least one Outcome.
struct Outcome {
  PacketSet packets;  // as they are on the wire
  bool is_permit = false;
  Decider decider;
  ConditionIds conditions;
};

struct Meaning {
  std::vector<Outcome> outcomes;
  PacketSet permitted() const;  // in no deny set
  PacketSet denied() const;     // in no permit set
  PacketSet unknown() const;    // in both
};

Meaning meaning(const Policy& policy, const Context& context, const PacketSet& region);

// One destination and service; `source_ports` are the asked ones.
struct Slice {
  Address destination;
  std::uint8_t protocol = protocol::tcp;
  std::uint16_t destination_port = 25;
  PortSet source_ports{1024, 65535};
};

// A run of source addresses with the same answer. Where source ports differ, the answer is the worst of them:
// denied if any asked port is surely denied, else unknown if any is.
struct SourceRange {
  Address first;
  Address last;
  Verdict verdict = Verdict::unknown;
  Decider permit_by;     // first that possibly permits
  Decider deny_by;       // first that possibly denies
  PortSet denied_ports;  // where not all asked source ports share the verdict; else empty
};

// The same for one source: runs of destination addresses, as they are on the wire.
std::vector<SourceRange> by_destination(const Policy& policy, const Context& context, Address source,
                                        const Slice& slice, const AddressSet& destinations);

// Disjoint, IPv4 before IPv6, ascending; together exactly `sources`.
std::vector<SourceRange> by_source(const Policy& policy, const Context& context, const Slice& slice,
                                   const AddressSet& sources);

}  // namespace aclmend::model
