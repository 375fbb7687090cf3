// Address places as terms of the policy. A mask with holes is a set of as many intervals as its holes make;
// where these are too many, its hull is possible and nothing is certain.
#include <fmt/format.h>

#include <bit>

#include "vendors/iptables/lowering.h"

namespace aclmend::iptables {
namespace {

using model::AddressGroup;
using model::AddressTerm;
using model::Partly;

constexpr std::size_t most_intervals_of_a_mask = 1 << 16;
constexpr std::size_t most_intervals = 1 << 20;  // of all masks with holes together

int width(Family family) { return address_bits(family); }
V6 ones(int bits) { return bits == 0 ? V6{0} : ~V6{0} >> (128 - bits); }

// The bits a mask leaves open, lowest first; those below the lowest set bit of the mask are one run.
struct Holes {
  int low = 0;             // open bits at the end
  std::vector<int> above;  // open bits further up
};
Holes holes_of(V6 mask, int bits) {
  Holes holes;
  while (holes.low < bits && (mask >> holes.low & 1) == 0) ++holes.low;
  for (int bit = holes.low; bit < bits; ++bit)
    if ((mask >> bit & 1) == 0) holes.above.push_back(bit);
  return holes;
}

template <class Point>
FlipSet<Point> members(V6 number, const Holes& holes) {
  std::vector<Interval<Point>> intervals;
  const std::size_t count = std::size_t{1} << holes.above.size();
  intervals.reserve(count);
  for (std::size_t choice = 0; choice < count; ++choice) {
    V6 first = number;
    for (std::size_t i = 0; i < holes.above.size(); ++i)
      if ((choice >> i & 1) != 0) first |= V6{1} << holes.above[i];
    intervals.push_back({static_cast<Point>(first), static_cast<Point>(first | ones(holes.low))});
  }
  return FlipSet<Point>::of(std::move(intervals));
}

AddressSet of_numbers(Family family, V6 first, V6 last) {
  return AddressSet(Address{family, first}, Address{family, last});
}

}  // namespace

Partly<AddressSet> AddressBook::expanded(const AddressTest& test, Span span) {
  const AddressSet all = AddressSet::all(test.family);
  const auto sure = [&](AddressSet set) {
    if (test.negated) set = all - set;
    return Partly<AddressSet>{set, set, {}};
  };
  if (test.kind == AddressTest::Kind::range) return sure(of_numbers(test.family, test.first, test.second));
  const int bits = width(test.family);
  const Holes holes = holes_of(test.second, bits);
  if (holes.above.empty()) return sure(of_numbers(test.family, test.first, test.first | ones(holes.low)));
  const std::size_t count =
      holes.above.size() < 32 ? std::size_t{1} << holes.above.size() : most_intervals + 1;
  if (count <= most_intervals_of_a_mask && intervals_ + count <= most_intervals) {
    intervals_ += count;
    if (test.family == Family::ipv4) return sure({members<V4>(test.first, holes), {}});
    return sure({{}, members<V6>(test.first, holes)});
  }
  // Above its highest hole a mask is as good as a prefix.
  const model::ConditionId condition =
      lowering_.policy.condition(model::ConditionKind::too_complex, "a mask with many holes", span);
  const AddressSet hull = of_numbers(test.family, test.first, test.first | ones(holes.above.back() + 1));
  return {{}, test.negated ? all : hull, {condition}};
}

AddressTerm AddressBook::anonymous(Partly<AddressSet> addresses, Span span) {
  AddressGroup group;
  group.span = span;
  group.addresses = std::move(addresses);
  return AddressTerm::group(this->group(std::move(group)));
}

model::GroupId AddressBook::group(AddressGroup group) {
  lowering_.policy.groups.push_back(std::move(group));
  return static_cast<model::GroupId>(lowering_.policy.groups.size() - 1);
}

AddressTerm AddressBook::of(const AddressTest& test, Span span) {
  const bool is_plain =
      test.kind == AddressTest::Kind::masked && test.family == Family::ipv4 && !test.negated;
  if (is_plain)
    if (const auto length = netmask_length(static_cast<V4>(test.second)))
      return *length == 0 ? AddressTerm::any() : AddressTerm::v4(static_cast<V4>(test.first), *length);
  return anonymous(expanded(test, span), span);
}

AddressTerm AddressBook::of_test(std::uint32_t index, Span span) {
  const auto known = by_place_.find(index);
  if (known != by_place_.end()) return known->second;
  const AddressTerm term = of(lowering_.from.addresses[index], span);
  by_place_.emplace(index, term);
  return term;
}

AddressTerm AddressBook::shared(AddressTerm a, AddressTerm b, Span span) {
  const auto key_of = [](AddressTerm term) {
    return static_cast<std::uint64_t>(term.value) << 16 | static_cast<std::uint64_t>(term.length) << 8 |
           static_cast<std::uint64_t>(term.kind);
  };
  const std::array key{key_of(a), key_of(b)};
  const auto known = by_pair_.find(key);
  if (known != by_pair_.end()) return known->second;
  const auto one = addresses_of(lowering_.policy, a);
  const auto other = addresses_of(lowering_.policy, b);
  Partly<AddressSet> shared{one->certain & other->certain, one->possible & other->possible,
                            model::united(one->conditions, other->conditions)};
  if (shared.certain == shared.possible) shared.conditions.clear();
  const AddressTerm term = anonymous(std::move(shared), span);
  by_pair_.emplace(key, term);
  return term;
}

}  // namespace aclmend::iptables
