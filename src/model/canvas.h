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

template <class Point>
class Canvas {
 public:
  // `cuts` are the first points of pieces, ascending; the first is 0 unless there are none.
  explicit Canvas(std::vector<Point> cuts) : cuts_(std::move(cuts)), pieces_(cuts_.size() + 1) {
    for (Index i = 0; i < pieces_.size(); ++i)
      pieces_[i].open = pieces_[i].not_accepted = pieces_[i].not_denied = i;
  }

  void may_accept(Point first, Point last, Index rule) {
    each(first, last, &Piece::not_accepted, [&](Piece& piece) { piece.accepted_by = rule; });
  }
  void may_deny(Point first, Point last, Index rule) {
    each(first, last, &Piece::not_denied, [&](Piece& piece) { piece.denied_by = rule; });
  }
  void close(Point first, Point last, Index rule) {
    each(first, last, &Piece::open, [&](Piece& piece) {
      piece.closed_by = rule;
      // A closed piece is out of reach for every later rule.
      piece.not_accepted = piece.not_denied = piece.open;
    });
  }
  Index begin_of(Point point) {
    if (point != sought_) {
      sought_ = point;
      found_ = static_cast<Index>(std::lower_bound(cuts_.begin(), cuts_.end(), point) - cuts_.begin());
    }
    return found_;
  }
  std::size_t size() const { return cuts_.size(); }
  Point first(std::size_t piece) const { return cuts_[piece]; }
  Point last(std::size_t piece) const {
    return piece + 1 == cuts_.size() ? last_point<Point> : static_cast<Point>(cuts_[piece + 1] - 1);
  }
  Index accepted_by(std::size_t piece) const { return pieces_[piece].accepted_by; }
  Index denied_by(std::size_t piece) const { return pieces_[piece].denied_by; }
  Index closed_by(std::size_t piece) const {
    return pieces_[piece].closed_by;
  }  // nobody: the default gets it

 private:
  // All that a rule asks of a piece stands together: hostile lists come to their pieces in no order, and
  // every place they look at is a cache miss.
  struct Piece {
    Index accepted_by = nobody, denied_by = nobody, closed_by = nobody;
    // Union-find: itself while it is not done, else a piece further on.
    Index open = 0, not_accepted = 0, not_denied = 0;
  };

  // Paints the pieces from first to last that are not done, and then they are.
  template <class Paint>
  void each(Point first, Point last, Index Piece::* link, Paint paint) {
    for (Index at = next(begin_of(first), link); at < cuts_.size() && cuts_[at] <= last;
         at = next(at, link)) {
      pieces_[at].*link = at + 1;
      paint(pieces_[at]);
    }
  }
  Index next(Index at, Index Piece::* link) {
    while (pieces_[at].*link != at) at = pieces_[at].*link = pieces_[pieces_[at].*link].*link;
    return at;
  }

  std::vector<Point> cuts_;
  std::vector<Piece> pieces_;  // and one behind the last
  Point sought_ = 0;           // a rule that accepts and closes looks twice for the same piece
  Index found_ = 0;
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
