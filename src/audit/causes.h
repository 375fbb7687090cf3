// Why are they blocked? Given the line that stops a set of sources, the causes behind it, nearest to the mend
// first (semantics page, "Findings are about causes").
#pragma once
#include <string>
#include <vector>

#include "audit/result.h"
#include "model/question.h"

namespace aclmend::audit {

// Sources that one decider stops on their way to one host and service.
struct Blocked {
  const model::Policy* policy = nullptr;
  const model::Context* context = nullptr;
  Packet seen;   // a stopped packet as the filter sees it (translated); its source is in `sources`
  Address wire;  // the destination on the wire
  model::Decider by;
  AddressSet sources;    // all that it stops, of the required ones
  AddressSet required;   // of both families
  AddressSet permitted;  // required ones that get through
  std::vector<model::RuleRef> permitted_by;
  bool is_outbound = false;           // `sources` are destinations: only the decider itself is told
  bool other_family_is_open = false;  // everything required of IPv4 gets through
};

struct Cause {
  Code code = Code::blocked_by_deny;
  AddressSet ranges = {};     // the part of `sources` that it explains
  std::string headline = {};  // of a finding with this cause: "group EOP-NETS lost 2 members"
  std::string sentence = {};
  std::vector<Line> related = {};
  // What a mend would touch.
  std::vector<model::RuleRef> permits =
      {};  // disabled, too late, unbound; or the one that the lost members served
  std::optional<model::GroupId> group = {};  // that lost members
  std::vector<model::GroupId> members = {};  // the lost ones
};

// At least one; their ranges are disjoint and together `sources`.
std::vector<Cause> causes_of(const Blocked& blocked);

}  // namespace aclmend::audit
