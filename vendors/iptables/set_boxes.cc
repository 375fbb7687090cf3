#include "vendors/iptables/set_boxes.h"

#include <algorithm>

namespace aclmend::iptables {
namespace {

using model::ConditionKind;
using model::ContextTerm;
using model::MarkTest;
using model::ServiceBox;

bool is_empty(const MatchBox& box) {
  return box.source.empty() || box.destination.empty() || box.service.protocol.empty() ||
         box.service.source.empty() || box.service.destination.empty();
}

ContextTerm opposite(ContextTerm term) {
  term.negated = !term.negated;
  return term;
}
MarkTest opposite(MarkTest test) {
  test.negated = !test.negated;
  return test;
}

template <class Test>
bool has(const std::vector<Test>& tests, const Test& test) {
  return std::ranges::find(tests, test) != tests.end();
}

// The part of a outside b, as disjoint boxes.
std::vector<MatchBox> pieces_outside(const MatchBox& a, const MatchBox& b) {
  std::vector<MatchBox> pieces;
  MatchBox rest = a;  // what is inside b in all places looked at so far
  const auto part = [&](auto& place, const auto& other) {
    MatchBox piece = rest;
    auto& outside = place(piece);
    outside = outside - other;
    if (!outside.empty()) pieces.push_back(std::move(piece));
    auto& inside = place(rest);
    inside = inside & other;
    return !inside.empty();
  };
  const auto source = [](MatchBox& box) -> AddressSet& { return box.source; };
  const auto destination = [](MatchBox& box) -> AddressSet& { return box.destination; };
  const auto protocol = [](MatchBox& box) -> ProtocolSet& { return box.service.protocol; };
  const auto source_port = [](MatchBox& box) -> PortSet& { return box.service.source; };
  const auto destination_port = [](MatchBox& box) -> PortSet& { return box.service.destination; };
  if (!part(source, b.source) || !part(destination, b.destination) || !part(protocol, b.service.protocol) ||
      !part(source_port, b.service.source) || !part(destination_port, b.service.destination))
    return {a};
  const auto tests = [&](auto list) {
    for (const auto& test : list(b)) {
      if (has(list(rest), test)) continue;
      if (has(list(rest), opposite(test))) return false;
      MatchBox piece = rest;
      list(piece).push_back(opposite(test));
      pieces.push_back(std::move(piece));
      list(rest).push_back(test);
    }
    return true;
  };
  const auto context = [](auto& box) -> auto& { return box.context; };
  const auto marks = [](auto& box) -> auto& { return box.marks; };
  if (!tests(context) || !tests(marks)) return {a};
  return pieces;
}

}  // namespace

MatchBox every_packet(Family family) {
  return {AddressSet::all(family),
          AddressSet::all(family),
          ServiceBox{ProtocolSet::all(), PortSet::all(), PortSet::all()},
          {},
          {}};
}

Answer everything_possible(Family family, ConditionKind kind, std::string name, Span where) {
  return {{}, {every_packet(family)}, {{kind, std::move(name), where}}};
}

void add_box(std::vector<MatchBox>& to, MatchBox box) {
  if (!is_empty(box)) to.push_back(std::move(box));
}

bool Effort::spend(const MatchBox& box) {
  const std::size_t cost = 8 + box.source.v4.flips().size() + box.source.v6.flips().size() +
                           box.destination.v4.flips().size() + box.destination.v6.flips().size() +
                           box.service.source.flips().size() + box.service.destination.flips().size();
  left_ = left_ > cost ? left_ - cost : 0;
  return left_ > 0;
}

std::optional<std::vector<MatchBox>> part_outside(const MatchBox& box, std::span<const MatchBox> others,
                                                  Effort& effort) {
  std::vector<MatchBox> left{box};
  for (const MatchBox& other : others) {
    std::vector<MatchBox> next;
    for (const MatchBox& piece : left) {
      if (!effort.spend(piece) || !effort.spend(other)) return std::nullopt;
      std::ranges::move(pieces_outside(piece, other), std::back_inserter(next));
    }
    left = std::move(next);
    if (left.size() > most_boxes) return std::nullopt;
  }
  return left;
}

bool add_outside(std::vector<MatchBox>& boxes, std::span<const MatchBox> more, Effort& effort) {
  for (const MatchBox& box : more) {
    auto left = part_outside(box, boxes, effort);
    if (!left || boxes.size() + left->size() > most_boxes) return false;
    std::ranges::move(*left, std::back_inserter(boxes));
  }
  return true;
}

AddressSet union_of(std::span<const AddressSet* const> sets, Family family) {
  if (sets.size() == 1) return *sets.front();
  const auto all = [&](auto of) {
    auto intervals = of(AddressSet{}).intervals();
    for (const AddressSet* set : sets) {
      const auto more = of(*set).intervals();
      intervals.insert(intervals.end(), more.begin(), more.end());
    }
    return intervals;
  };
  if (family == Family::ipv4)
    return {FlipSet<V4>::of(all([](const AddressSet& set) -> const FlipSet<V4>& { return set.v4; })), {}};
  return {{}, FlipSet<V6>::of(all([](const AddressSet& set) -> const FlipSet<V6>& { return set.v6; }))};
}

}  // namespace aclmend::iptables
