// The set algorithm against a bitmask, over every subset of a small universe. The universe ends at a point of
// its own, so everything about the last point is tried without 2^32 of anything.
#include "sets/flip_set.h"

#include <compare>
#include <cstdint>
#include <random>

#include "sets/address.h"
#include "tests/support/test.h"

namespace aclmend {
namespace {

constexpr int universe = 7;

// The numbers 0 to 6, and nothing beyond: arithmetic that leaves the universe throws.
class Tiny {
 public:
  constexpr Tiny() = default;
  constexpr explicit Tiny(int value) : value_(value) {
    if (value < 0 || value >= universe) throw std::out_of_range("left the universe");
  }
  constexpr int value() const { return value_; }
  friend constexpr Tiny operator~(Tiny point) { return Tiny(universe - 1 - point.value_); }
  friend constexpr Tiny operator+(Tiny point, int more) { return Tiny(point.value_ + more); }
  friend constexpr Tiny operator-(Tiny point, int less) { return Tiny(point.value_ - less); }
  constexpr auto operator<=>(const Tiny&) const = default;

 private:
  int value_ = 0;
};

using TinySet = FlipSet<Tiny>;
using Mask = unsigned;  // bit i: point i is a member
constexpr Mask everything = (1U << universe) - 1;

Mask mask_of(const TinySet& set) {
  Mask mask = 0;
  for (int i = 0; i < universe; ++i) mask |= static_cast<Mask>(set.contains(Tiny(i))) << i;
  return mask;
}

bool has(Mask mask, int i) { return (mask >> i & 1) == 1; }

TinySet set_of(Mask mask) {
  std::vector<Interval<Tiny>> points;
  for (int i = 0; i < universe; ++i)
    if (has(mask, i)) points.push_back({Tiny(i), Tiny(i)});
  return TinySet::of(points);
}

// The flips that a canonical set with these members must have, by definition.
std::vector<Tiny> flips_of(Mask mask) {
  std::vector<Tiny> flips;
  for (int i = 0; i < universe; ++i)
    if (has(mask, i) != (i > 0 && has(mask, i - 1))) flips.push_back(Tiny(i));
  return flips;
}

}  // namespace

TEST_CASE("every subset of a small universe has one form, and tells its members", "[sets]") {
  for (Mask mask = 0; mask <= everything; ++mask) {
    const TinySet set = set_of(mask);
    REQUIRE(set.flips() == flips_of(mask));
    REQUIRE(mask_of(set) == mask);
    REQUIRE(set.empty() == (mask == 0));
    REQUIRE(set.is_all() == (mask == everything));
    REQUIRE((~set).flips() == flips_of(~mask & everything));
    REQUIRE(TinySet::of(set.intervals()) == set);
    REQUIRE(set.intervals().size() == set.interval_count());
    Mask rebuilt = 0;
    for (const auto& [first, last] : set.intervals())
      for (int i = first.value(); i <= last.value(); ++i) rebuilt |= 1U << i;
    REQUIRE(rebuilt == mask);
  }
}

TEST_CASE("every operation on every pair of subsets agrees with the bitmask", "[sets]") {
  for (Mask a = 0; a <= everything; ++a) {
    for (Mask b = 0; b <= everything; ++b) {
      const TinySet one = set_of(a), other = set_of(b);
      REQUIRE((one | other).flips() == flips_of(a | b));
      REQUIRE((one & other).flips() == flips_of(a & b));
      REQUIRE((one - other).flips() == flips_of(a & ~b));
      REQUIRE(one.covers(other) == ((b & ~a) == 0));
      REQUIRE(one.intersects(other) == ((a & b) != 0));
      REQUIRE((one == other) == (a == b));
      TinySet changed = one;
      REQUIRE((changed |= other) == set_of(a | b));
      REQUIRE((changed &= one) == one);
      REQUIRE((changed -= other) == set_of(a & ~b));
    }
  }
}

TEST_CASE("the union of any three intervals, empty ones too, agrees with the bitmask", "[sets]") {
  std::vector<Interval<Tiny>> choices;
  for (int first = 0; first < universe; ++first)
    for (int last = 0; last < universe; ++last) choices.push_back({Tiny(first), Tiny(last)});
  const auto mask = [](const Interval<Tiny>& one) {
    Mask bits = 0;
    for (int i = one.first.value(); i <= one.last.value(); ++i) bits |= 1U << i;
    return bits;
  };
  for (const auto& a : choices) {
    for (Mask b = 0; b <= everything; ++b) REQUIRE(set_of(b).covers(a) == ((mask(a) & ~b) == 0));
    REQUIRE(TinySet(a.first, a.last).flips() == flips_of(mask(a)));
    for (const auto& b : choices)
      for (const auto& c : choices)
        REQUIRE(TinySet::of({a, b, c}).flips() == flips_of(mask(a) | mask(b) | mask(c)));
  }
}

TEST_CASE("an interval that ends at the last point has no second flip", "[sets]") {
  const FlipSet<std::uint8_t> top(200, 255);
  CHECK(top.flips() == std::vector<std::uint8_t>{200});
  CHECK(top.contains(255));
  CHECK((~top).contains(199));
  CHECK_FALSE((~top).contains(200));
  const V6 last = ~V6{0};
  CHECK(FlipSet<V6>(last, last).flips() == std::vector<V6>{last});
  CHECK(FlipSet<V6>::of({{last, last}, {0, last - 1}}).is_all());
  CHECK(FlipSet<V4>::of({{0xFFFFFFFF, 0xFFFFFFFF}, {5, 0xFFFFFFFE}}) == FlipSet<V4>(5, 0xFFFFFFFF));
}

TEST_CASE("a long list gives the same set as its intervals one by one", "[sets]") {
  rc::prop("sorted by digits or by comparison", [](std::uint32_t seed) {
    std::mt19937 dice(seed);
    std::vector<Interval<V4>> four(3000);
    std::vector<Interval<V6>> six;
    for (auto& [first, last] : four) {
      first = static_cast<V4>(dice());
      last = std::max(first, static_cast<V4>(first + (dice() & 0xFFFFF)));  // no wrapping round
      six.push_back({first, last});
    }
    const auto set = FlipSet<V4>::of(four);
    std::vector<Interval<V4>> ascending = four;
    std::ranges::sort(ascending, {}, &Interval<V4>::first);
    RC_ASSERT(FlipSet<V4>::of(ascending) == set);
    const auto wide = FlipSet<V6>::of(six);  // never sorted by digits
    RC_ASSERT(std::ranges::equal(wide.flips(), set.flips()));
  });
}

TEST_CASE("a small set against a large one gives what the large one against the small one gives", "[sets]") {
  rc::prop("the leaps miss nothing", [](std::uint32_t seed) {
    std::mt19937 dice(seed);
    std::vector<Interval<std::uint16_t>> many, few;
    const auto add = [&](auto& list, unsigned longest) {
      const auto first = static_cast<std::uint16_t>(dice());
      list.push_back(
          {first, static_cast<std::uint16_t>(std::min<std::size_t>(65535, first + dice() % longest))});
    };
    for (int i = 0; i < 2000; ++i) add(many, 30);
    for (int i = 0; i < 3; ++i) add(few, 5000);
    const auto a = FlipSet<std::uint16_t>::of(many), b = FlipSet<std::uint16_t>::of(few);
    const auto both = a & b, either = a | b, a_alone = a - b, b_alone = b - a;
    for (std::size_t point = 0; point <= 65535; point += 1 + dice() % 16) {
      const auto at = static_cast<std::uint16_t>(point);
      const bool in_a = a.contains(at), in_b = b.contains(at);
      const bool right = both.contains(at) == (in_a && in_b) && either.contains(at) == (in_a || in_b) &&
                         a_alone.contains(at) == (in_a && !in_b) && b_alone.contains(at) == (in_b && !in_a);
      if (!right) RC_FAIL("at " + std::to_string(point));
    }
    RC_ASSERT((b & a) == both);
    RC_ASSERT(a.intersects(b) == !both.empty());
    RC_ASSERT(a.covers(b) == b_alone.empty());
    RC_ASSERT(either.covers(a) && either.covers(b) && a.covers(both));
  });
}

}  // namespace aclmend
