// The one set algorithm. A set over an ordered universe is the ascending list of the points where membership
// flips, starting from "not a member". [a, b] is {a, b + 1}; where b is the last point of the universe the
// second flip does not exist, so there is no `max + 1` to overflow. Equal sets have equal lists.
#pragma once
#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

namespace aclmend {

template <class Point>
constexpr Point last_point = static_cast<Point>(~Point{0});  // Point is an unsigned integer, 128-bit ones too

template <class Point>
struct Interval {  // both ends are members
  Point first;
  Point last;
  bool operator==(const Interval&) const = default;
};

template <class Point>
class FlipSet {
 public:
  FlipSet() = default;
  FlipSet(Point first, Point last) {
    if (first > last) return;
    flips_.push_back(first);
    if (last != last_point<Point>) flips_.push_back(static_cast<Point>(last + 1));
  }
  static FlipSet all() { return FlipSet(Point{0}, last_point<Point>); }

  // The union of intervals in any order, overlapping or not.
  static FlipSet of(std::vector<Interval<Point>> intervals) {
    std::ranges::sort(intervals, {}, &Interval<Point>::first);
    FlipSet set;
    for (std::size_t i = 0; i < intervals.size();) {
      const Point first = intervals[i].first;
      Point last = intervals[i].last;
      for (++i; i < intervals.size() &&
                (last == last_point<Point> || intervals[i].first <= static_cast<Point>(last + 1));
           ++i)
        last = std::max(last, intervals[i].last);
      set.flips_.push_back(first);
      if (last != last_point<Point>) set.flips_.push_back(static_cast<Point>(last + 1));
    }
    return set;
  }

  bool empty() const { return flips_.empty(); }
  bool is_all() const { return flips_.size() == 1 && flips_[0] == Point{0}; }
  bool contains(Point point) const {
    const auto after = std::upper_bound(flips_.begin(), flips_.end(), point);
    return (after - flips_.begin()) % 2 == 1;
  }
  bool covers(const FlipSet& other) const { return (other - *this).empty(); }
  bool intersects(const FlipSet& other) const { return !(*this & other).empty(); }

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
    return merged(a, b, [](bool in_a, bool in_b) { return in_a || in_b; });
  }
  friend FlipSet operator&(const FlipSet& a, const FlipSet& b) {
    if (a.empty() || b.is_all()) return a;
    if (b.empty() || a.is_all()) return b;
    return merged(a, b, [](bool in_a, bool in_b) { return in_a && in_b; });
  }
  friend FlipSet operator-(const FlipSet& a, const FlipSet& b) {
    if (a.empty() || b.empty()) return a;
    return merged(a, b, [](bool in_a, bool in_b) { return in_a && !in_b; });
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
  template <class Keep>
  static FlipSet merged(const FlipSet& a, const FlipSet& b, Keep keep) {
    FlipSet result;
    result.flips_.reserve(a.flips_.size() + b.flips_.size());
    bool in_a = false, in_b = false, in_result = false;
    auto at_a = a.flips_.begin(), at_b = b.flips_.begin();
    while (at_a != a.flips_.end() || at_b != b.flips_.end()) {
      const bool from_a = at_b == b.flips_.end() || (at_a != a.flips_.end() && *at_a <= *at_b);
      const bool from_b = at_a == a.flips_.end() || (at_b != b.flips_.end() && *at_b <= *at_a);
      const Point point = from_a ? *at_a : *at_b;
      if (from_a) in_a = !in_a, ++at_a;
      if (from_b) in_b = !in_b, ++at_b;
      if (keep(in_a, in_b) != in_result) {
        in_result = !in_result;
        result.flips_.push_back(point);
      }
    }
    return result;
  }

  std::vector<Point> flips_;
};

}  // namespace aclmend
