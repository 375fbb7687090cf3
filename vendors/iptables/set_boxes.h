// Boxes of packets as sets: what lies outside others, and unions that stay disjoint (private to set_match).
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vendors/iptables/set_match.h"

namespace aclmend::iptables {

// Certain and open boxes, all disjoint.
struct Answer {
  std::vector<MatchBox> certain, open;
  std::vector<model::Condition> conditions;
};

MatchBox every_packet(Family family);
Answer everything_possible(Family family, model::ConditionKind kind, std::string name, Span where);

// Unless it holds no packet.
void add_box(std::vector<MatchBox>& to, MatchBox box);

// How much work the boxes of one answer may be.
class Effort {
 public:
  bool spend(const MatchBox& box);

 private:
  std::size_t left_ = 20'000'000;
};

// What of a box lies outside all the others; nothing where that is too much work.
std::optional<std::vector<MatchBox>> part_outside(const MatchBox& box, std::span<const MatchBox> others,
                                                  Effort& effort);
// Adds to disjoint boxes what of another list lies outside them. False: too much work, or too many boxes.
bool add_outside(std::vector<MatchBox>& boxes, std::span<const MatchBox> more, Effort& effort);

// The union of many sets of one family, at the price of one sort.
AddressSet union_of(std::span<const AddressSet* const> sets, Family family);

// The answer for one set that is known, of the rule's family, no list, and has no more parts than there are
// flags (set_answer.cc).
Answer answer_of_set(const IpSet& set, const SetTest& test);

}  // namespace aclmend::iptables
