// What differs between two policies of one device: packets, as they are on the wire, whose answer changed.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/question.h"

namespace aclmend::difference {

// What is known of the way beside the packet. A dimension that is absent is "any": the change is the same in
// all of its values, or its values were not told apart.
using Known = std::map<model::Dimension, std::string>;

// Stands for every name of a dimension that no rule at hand mentions.
inline constexpr const char* any_other = "(any other)";

// What one of the two policies does with the packets of a box.
struct Answer {
  model::Verdict verdict = model::Verdict::unknown;
  model::Decider by;                         // a rule or default of that policy; empty when unknown
  std::vector<model::Condition> conditions;  // what an unknown hangs on, at most 64
};

// Packets that all had the one answer and now all have the other. Of one family.
struct ChangedBox {
  Box packets;
  Known context;
  Answer before, after;
};

// The three lists are disjoint, each within itself too. Largest boxes first.
struct Difference {
  static constexpr std::size_t most_boxes = 10000;
  std::vector<ChangedBox> newly_permitted, newly_denied;
  std::vector<ChangedBox> newly_unknown;  // also: unknown before and after, with another signature
  std::size_t not_kept = 0;               // boxes beyond `most_boxes` of a list
  // False where the policies are too tangled to be compared wholly: what is listed did change, but more may
  // have. Nothing is proved by such a difference.
  bool is_complete = true;
  bool is_truncated() const { return not_kept > 0 || !is_complete; }
  bool empty() const {
    return is_complete && newly_permitted.empty() && newly_denied.empty() && newly_unknown.empty();
  }
};

// Packets that meet something that was added, removed, moved or changed; all others keep their signature.
struct Region {
  Known context;
  std::vector<Box> boxes;  // disjoint
};

}  // namespace aclmend::difference
