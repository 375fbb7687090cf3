// The one engine under `fix` and `diff`: what two policies of one device do differently.
//
// A packet can change its answer only if it meets something that was added, removed, moved or changed. So the
// lists are aligned first (compare.h), what has no partner gives the regions (region.h), and only inside
// these are the two policies walked (cells.h).
//
// The **signature** of a packet is what a policy does with it in every possible world: a leaf, permit or
// deny, or a question, "does one of these conditions let a rule take it? then …, otherwise …". For one list
// that is the ordered list of (action, conditions) of the rules that possibly take the packet, down to the
// first that certainly does; an accept leads on to the signature of what comes after its stage, under the
// translation that was made, so that serial stages and calls are one signature. Dropped, because it cannot
// change the outcome:
//   - a question whose two answers are the same: a possible permit right before a certain one, a condition on
//     a packet that a later stage denies anyway;
//   - the order, and the number, of neighbours with the same consequence ("permit if A, permit if B");
//   - a choice (egress not known, members of a pool) whose alternatives all have the same signature.
// A translation that cannot be followed (a pool of thousands, of the other family) is a choice that bears the
// pool itself: another pool is another signature.
// What stays is a question whose answers differ. So a packet is permitted exactly when its signature is the
// leaf permit, denied when it is deny, and unknown otherwise: two policies differ for a packet exactly when
// its signatures do. Conditions are compared by kind and name.
#pragma once
#include <optional>
#include <vector>

#include "difference/result.h"

namespace aclmend::difference {

// A condition that the asker has settled, by kind and name.
struct Assumption {
  model::Condition condition;
  bool holds = true;
};

struct Question {
  Known known;  // the rest is asked for each of its values, but for an egress that the destination selects
  std::vector<Assumption> assumed;
  std::optional<PacketSet> within;  // nothing else is looked at
};

// Where packets could have changed their answer, by context; contexts without any are left out.
std::vector<Region> changed_regions(const model::Policy& before, const model::Policy& after,
                                    const Question& question);

Difference what_differs(const model::Policy& before, const model::Policy& after, const Question& question);

// The boxes' packets in one context; a box that is the same for any value of a dimension counts.
PacketSet packets_of(const std::vector<ChangedBox>& boxes, const Known& context);

// The signature of one packet in words: "time-range OFFICE ? permit : deny".
std::string signature(const model::Policy& policy, const Question& question, const Packet& packet);

}  // namespace aclmend::difference
