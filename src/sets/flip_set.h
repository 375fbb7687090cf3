// The one set algorithm. A set over an ordered universe is the ascending list of the points where membership
// flips, starting from "not a member". [a, b] is {a, b + 1}; where b is the last point of the universe the
// second flip does not exist, so there is no `max + 1` to overflow. Equal sets have equal lists.
//
// Union, intersection and difference are one merge walk. Where one set cannot change the result (outside b
// nothing of a is in a & b) the walk leaps over its flips, so a small set against a large one costs the small
// one's size times a logarithm, not the large one's size.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace aclmend {

template <class Point>
constexpr Point last_point = static_cast<Point>(~Point{0});  // Point is an unsigned integer, 128-bit ones too

template <class Point>
struct Interval {  // both ends are members; first > last is empty
  Point first;
  Point last;
  bool operator==(const Interval&) const = default;
};

// Ascending by first point. Long lists of 32-bit points are sorted by their digits, three rounds of eleven
// bits.
template <class Point>
void sort_by_first(std::vector<Interval<Point>>& intervals) {
  if (std::ranges::is_sorted(intervals, {}, &Interval<Point>::first)) return;
  if constexpr (std::is_same_v<Point, std::uint32_t>) {
    constexpr std::size_t worth_it = 2000, digits = 2048, rounds = 3;
    const auto digit = [](const Interval<Point>& one, std::size_t round) {
      return one.first >> 11 * round & (digits - 1);
    };
    if (intervals.size() >= worth_it) {
      // First a count of each digit, then the place where its next one goes.
      std::array<std::array<std::uint32_t, digits>, rounds> place{};
      for (const auto& one : intervals)
        for (std::size_t round = 0; round < rounds; ++round) ++place[round][digit(one, round)];
      std::vector<Interval<Point>> other(intervals.size());
      for (std::size_t round = 0; round < rounds; ++round) {
        std::uint32_t before = 0;
        for (std::uint32_t& at : place[round]) before += std::exchange(at, before);
        for (const auto& one : intervals) other[place[round][digit(one, round)]++] = one;
        intervals.swap(other);
      }
      return;
    }
  }
  std::ranges::sort(intervals, {}, &Interval<Point>::first);
}

template <class Point>
class FlipSet {
 public:
  FlipSet() = default;
  FlipSet(Point first, Point last) {
    if (first > last) return;
    flips_.reserve(last == last_point<Point> ? 1 : 2);
    append(first, last);
  }
  static FlipSet all() { return FlipSet(Point{0}, last_point<Point>); }

  // The union of intervals in any order, overlapping or not.
  static FlipSet of(std::vector<Interval<Point>> intervals) {
    sort_by_first(intervals);
    std::size_t kept = 0;  // the front of the list: disjoint, and not even touching
    for (const auto& one : intervals) {
      if (one.first > one.last) continue;
      const Point reach = kept == 0 ? Point{0} : intervals[kept - 1].last;
      const bool joins =
          kept != 0 && (reach == last_point<Point> || one.first <= static_cast<Point>(reach + 1));
      if (joins) intervals[kept - 1].last = std::max(reach, one.last);
      else intervals[kept++] = one;
    }
    FlipSet set;
    set.flips_.reserve(2 * kept);
    for (std::size_t i = 0; i < kept; ++i) set.append(intervals[i].first, intervals[i].last);
    return set;
  }

  bool empty() const { return flips_.empty(); }
  bool is_all() const { return flips_.size() == 1 && flips_[0] == Point{0}; }
  bool contains(Point point) const {
    const auto after = std::upper_bound(flips_.begin(), flips_.end(), point);
    return (after - flips_.begin()) % 2 == 1;
  }
  bool covers(Interval<Point> interval) const {
    if (interval.first > interval.last) return true;
    const auto after = std::upper_bound(flips_.begin(), flips_.end(), interval.first);
    return (after - flips_.begin()) % 2 == 1 && (after == flips_.end() || interval.last < *after);
  }
  bool covers(const FlipSet& other) const {
    return !walk(other, *this, in_a_alone, [](Point) { return Go::stop; });
  }
  bool intersects(const FlipSet& other) const {
    return walk(*this, other, in_both, [](Point) { return Go::stop; });
  }

  std::size_t interval_count() const { return (flips_.size() + 1) / 2; }
  Interval<Point> interval(std::size_t i) const {
    const bool open_end = 2 * i + 1 == flips_.size();
    return {flips_[2 * i], open_end ? last_point<Point> : static_cast<Point>(flips_[2 * i + 1] - 1)};
  }
  std::vector<Interval<Point>> intervals() const {
    std::vector<Interval<Point>> result;
    result.reserve(interval_count());
    for (std::size_t i = 0; i < interval_count(); ++i) result.push_back(interval(i));
    return result;
  }
  const std::vector<Point>& flips() const { return flips_; }

  friend FlipSet operator|(const FlipSet& a, const FlipSet& b) {
    if (a.empty() || b.is_all()) return b;
    if (b.empty() || a.is_all()) return a;
    return merged(a, b, in_either);
  }
  friend FlipSet operator&(const FlipSet& a, const FlipSet& b) {
    if (a.empty() || b.is_all()) return a;
    if (b.empty() || a.is_all()) return b;
    return merged(a, b, in_both);
  }
  friend FlipSet operator-(const FlipSet& a, const FlipSet& b) {
    if (a.empty() || b.empty()) return a;
    return merged(a, b, in_a_alone);
  }
  FlipSet& operator|=(const FlipSet& other) { return *this = *this | other; }
  FlipSet& operator&=(const FlipSet& other) { return *this = *this & other; }
  FlipSet& operator-=(const FlipSet& other) { return *this = *this - other; }
  FlipSet operator~() const {
    FlipSet result;
    if (flips_.empty() || flips_[0] != Point{0}) {
      result.flips_.reserve(flips_.size() + 1);
      result.flips_.push_back(Point{0});
      result.flips_.insert(result.flips_.end(), flips_.begin(), flips_.end());
    } else {
      result.flips_.assign(flips_.begin() + 1, flips_.end());
    }
    return result;
  }
  bool operator==(const FlipSet&) const = default;

 private:
  using Flip = typename std::vector<Point>::const_iterator;
  enum class Go : std::uint8_t { on, stop };

  static constexpr auto in_either = [](bool in_a, bool in_b) { return in_a || in_b; };
  static constexpr auto in_both = [](bool in_a, bool in_b) { return in_a && in_b; };
  static constexpr auto in_a_alone = [](bool in_a, bool in_b) { return in_a && !in_b; };

  void append(Point first, Point last) {
    flips_.push_back(first);
    if (last != last_point<Point>) flips_.push_back(static_cast<Point>(last + 1));
  }

  // The first flip from `at` on that is not before the point, found in steps that double.
  static Flip leap(Flip at, Flip end, Point point) {
    auto step = end - at > 0 && *at < point ? std::ptrdiff_t{1} : 0;
    if (step == 0) return at;
    while (step < end - at && at[step] < point) at += step, step *= 2;
    return std::lower_bound(at, at + std::min(step, end - at), point);
  }

  // Calls on_flip for each point where membership in the result flips, ascending, until it says stop.
  // True when it was called at all.
  template <class Keep, class OnFlip>
  static bool walk(const FlipSet& a, const FlipSet& b, Keep keep, OnFlip on_flip) {
    const Flip end_a = a.flips_.end(), end_b = b.flips_.end();
    Flip at_a = a.flips_.begin(), at_b = b.flips_.begin();
    const auto in_a = [&] { return (at_a - a.flips_.begin()) % 2 == 1; };
    const auto in_b = [&] { return (at_b - b.flips_.begin()) % 2 == 1; };
    bool in_result = false, called = false;
    while (true) {
      if (keep(false, in_b()) == keep(true, in_b())) at_a = at_b == end_b ? end_a : leap(at_a, end_a, *at_b);
      if (keep(in_a(), false) == keep(in_a(), true)) at_b = at_a == end_a ? end_b : leap(at_b, end_b, *at_a);
      if (at_a == end_a && at_b == end_b) return called;
      const bool from_a = at_b == end_b || (at_a != end_a && *at_a <= *at_b);
      const bool from_b = at_a == end_a || (at_b != end_b && *at_b <= *at_a);
      const Point point = from_a ? *at_a : *at_b;
      if (from_a) ++at_a;
      if (from_b) ++at_b;
      if (keep(in_a(), in_b()) == in_result) continue;
      in_result = !in_result;
      called = true;
      if (on_flip(point) == Go::stop) return called;
    }
  }

  template <class Keep>
  static FlipSet merged(const FlipSet& a, const FlipSet& b, Keep keep) {
    FlipSet result;
    walk(a, b, keep, [&](Point point) {
      result.flips_.push_back(point);
      return Go::on;
    });
    return result;
  }

  std::vector<Point> flips_;
};

}  // namespace aclmend
