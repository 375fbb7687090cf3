// Painting a line of addresses: pieces between cuts, each with the first rule that possibly accepts it and
// the first that possibly denies it, until one certainly takes it. Union-find skips what is painted, so n
// rules over m pieces cost about n + m, whatever they overlap. (Private to by_source.)
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "sets/address_set.h"

namespace aclmend::model {

using Index = std::uint32_t;
constexpr Index nobody = std::numeric_limits<Index>::max();

class Skip {  // union-find over pieces: the next one that is not done
 public:
  explicit Skip(std::size_t count) : next_(count + 1) { std::iota(next_.begin(), next_.end(), Index{0}); }
  Index at(Index piece) {
    while (next_[piece] != piece) piece = next_[piece] = next_[next_[piece]];
    return piece;
  }
  void done(Index piece) { next_[piece] = piece + 1; }

 private:
  std::vector<Index> next_;
};

template <class Point>
class Canvas {
 public:
  // `cuts` are the first points of pieces, ascending; the first is 0 unless there are none.
  explicit Canvas(std::vector<Point> cuts)
      : cuts_(std::move(cuts)),
        accepted_by_(cuts_.size(), nobody),
        denied_by_(cuts_.size(), nobody),
        closed_by_(cuts_.size(), nobody),
        open_(cuts_.size()),
        not_accepted_(cuts_.size()),
        not_denied_(cuts_.size()) {}

  void may_accept(Point first, Point last, Index rule) {
    paint(first, last, rule, accepted_by_, not_accepted_);
  }
  void may_deny(Point first, Point last, Index rule) { paint(first, last, rule, denied_by_, not_denied_); }
  void close(Point first, Point last, Index rule) {
    for (Index piece = open_.at(begin_of(first)); piece < cuts_.size() && cuts_[piece] <= last;
         piece = open_.at(piece)) {
      open_.done(piece);
      closed_by_[piece] = rule;
      // A closed piece is out of reach for every later rule.
      not_accepted_.done(piece);
      not_denied_.done(piece);
    }
  }
  Index closed_by(std::size_t piece) const { return closed_by_[piece]; }  // nobody: the default gets it
  Index begin_of(Point point) const {
    return static_cast<Index>(std::lower_bound(cuts_.begin(), cuts_.end(), point) - cuts_.begin());
  }
  std::size_t size() const { return cuts_.size(); }
  Point first(std::size_t piece) const { return cuts_[piece]; }
  Point last(std::size_t piece) const {
    return piece + 1 == cuts_.size() ? last_point<Point> : static_cast<Point>(cuts_[piece + 1] - 1);
  }
  Index accepted_by(std::size_t piece) const { return accepted_by_[piece]; }
  Index denied_by(std::size_t piece) const { return denied_by_[piece]; }

 private:
  void paint(Point first, Point last, Index rule, std::vector<Index>& by, Skip& left) {
    for (Index piece = left.at(begin_of(first)); piece < cuts_.size() && cuts_[piece] <= last;
         piece = left.at(piece)) {
      by[piece] = rule;
      left.done(piece);
    }
  }

  std::vector<Point> cuts_;
  std::vector<Index> accepted_by_, denied_by_, closed_by_;
  Skip open_, not_accepted_, not_denied_;
};

// Ascending without duplicates. IPv4 by radix: hostile lists have millions of cuts.
inline void sort_unique(std::vector<V4>& points) {
  if (points.size() > 4096) {
    std::vector<V4> other(points.size());
    for (int shift = 0; shift < 32; shift += 8) {
      std::vector<std::size_t> begin(257, 0);
      for (const V4 point : points) ++begin[(point >> shift & 255) + 1];
      std::partial_sum(begin.begin(), begin.end(), begin.begin());
      for (const V4 point : points) other[begin[point >> shift & 255]++] = point;
      points.swap(other);
    }
  } else {
    std::ranges::sort(points);
  }
  points.erase(std::unique(points.begin(), points.end()), points.end());
}

inline void sort_unique(std::vector<V6>& points) {
  std::ranges::sort(points);
  points.erase(std::unique(points.begin(), points.end()), points.end());
}

}  // namespace aclmend::model
