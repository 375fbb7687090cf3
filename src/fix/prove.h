// Whether a change does what was asked and nothing else.
#pragma once
#include <string>
#include <vector>

#include "audit/obstacle.h"
#include "fix/question.h"

namespace aclmend::fix {

// What a rule for a flow cannot help opening: the flow's packets as a list sees them, from any source port.
// Lists are named, because their numbers change with every edit.
struct Envelope {
  std::string list;
  Box seen;
};
Envelope envelope_of(const model::Policy& policy, const audit::Obstacle& obstacle, model::ListId list);

// The same context for any policy of the device: assumptions are found by their names.
model::Context context_in(const model::Policy& policy, const difference::Known& known,
                          const std::vector<difference::Assumption>& assumed);

// What a difference does beyond the envelopes.
std::vector<difference::ChangedBox> beyond(const difference::Difference& difference,
                                           const model::Policy& after,
                                           const std::vector<difference::Assumption>& assumed,
                                           const std::vector<Envelope>& envelopes);

struct Policies {
  const model::Policy& before;
  const model::Policy& after;
  const model::Policy& rolled_back;
};
// Boundary packets of all that is newly permitted, and their neighbours, one by one. An Error is our own.
Result<audit::SecondCount> second_count(const difference::Difference& difference, const Policies& policies,
                                        const std::vector<difference::Assumption>& assumed);

}  // namespace aclmend::fix
