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

using Index = std::uint32_t;  // of 31 bits
constexpr Index nobody = std::numeric_limits<Index>::max() >> 1;

template <class Point>
class Canvas {
 public:
  // `cuts` are the first points of pieces, ascending; the first is 0 unless there are none.
  explicit Canvas(std::vector<Point> cuts) : cuts_(std::move(cuts)), pieces_(cuts_.size() + 1) {
    for (Index i = 0; i < pieces_.size(); ++i)
      pieces_[i].open = pieces_[i].not_accepted = pieces_[i].not_denied = i;
  }

  // `by` is an Index, or becomes one where it is asked for.
  template <class By>
  void may_accept(Point first, Point last, By&& by) {
    each(first, last, in_piece(&Piece::not_accepted),
         [&](Index at) { pieces_[at].accepted_by = static_cast<Index>(by) & nobody; });
  }
  template <class By>
  void may_deny(Point first, Point last, By&& by) {
    each(first, last, in_piece(&Piece::not_denied),
         [&](Index at) { pieces_[at].denied_by = static_cast<Index>(by) & nobody; });
  }
  void may_fall_out(Point first, Point last) {
    if (not_fallen_.empty()) {
      not_fallen_.resize(pieces_.size());
      std::iota(not_fallen_.begin(), not_fallen_.end(), Index{0});
      falls_out_.resize(pieces_.size());
    }
    each(
        first, last, [&](Index at) -> Index& { return not_fallen_[at]; },
        [&](Index at) { falls_out_[at] = pieces_[at].open == at; });
  }
  enum class Closing : std::uint8_t { silent, accepting, denying };
  // Of several that possibly take a piece, the one that certainly does is told.
  template <class By>
  void close(Point first, Point last, Closing how, By&& by) {
    each(first, last, in_piece(&Piece::open), [&](Index at) {
      Piece& piece = pieces_[at];
      if (how == Closing::accepting) {
        piece.accepted_by = static_cast<Index>(by) & nobody;
        piece.is_accepted = true;
      }
      if (how == Closing::denying) {
        piece.denied_by = static_cast<Index>(by) & nobody;
        piece.is_denied = true;
      }
      // A closed piece is out of reach for every later rule.
      piece.not_accepted = piece.not_denied = at + 1;
    });
  }
  // Calls visit(first, last) for what is open between two points, a piece at a time.
  template <class Visit>
  void open_between(Point first_point, Point last_point, Visit visit) {
    const auto open = in_piece(&Piece::open);
    for (Index at = next(begin_of(first_point), open); at < cuts_.size() && cuts_[at] <= last_point;
         at = next(at + 1, open))
      visit(first(at), last(at));
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
  // For certain: by a rule that closed it.
  bool is_accepted(std::size_t piece) const { return pieces_[piece].is_accepted; }
  bool is_denied(std::size_t piece) const { return pieces_[piece].is_denied; }
  // Whether something of it goes on.
  bool falls_out(std::size_t piece) const {
    return pieces_[piece].open == piece || (!falls_out_.empty() && falls_out_[piece]);
  }

 private:
  // All that a rule asks of a piece stands together: hostile lists come to their pieces in no order, and
  // every place they look at is a cache miss.
  struct Piece {
    Index accepted_by : 31 = nobody, is_accepted : 1 = 0, denied_by : 31 = nobody, is_denied : 1 = 0;
    // Union-find: itself while it is not done, else a piece further on.
    Index open = 0, not_accepted = 0, not_denied = 0;
  };
  auto in_piece(Index Piece::* link) {
    return [this, link](Index at) -> Index& { return pieces_[at].*link; };
  }

  // Paints the pieces from first to last that are not done, and then they are.
  template <class Link, class Paint>
  void each(Point first, Point last, Link link, Paint paint) {
    for (Index at = next(begin_of(first), link); at < cuts_.size() && cuts_[at] <= last;
         at = next(at, link)) {
      paint(at);
      link(at) = at + 1;
    }
  }
  template <class Link>
  Index next(Index at, Link link) {
    while (link(at) != at) at = link(at) = link(link(at));
    return at;
  }

  std::vector<Point> cuts_;
  std::vector<Piece> pieces_;  // and one behind the last
  // By a return: of most canvases nothing returns.
  std::vector<Index> not_fallen_;
  std::vector<bool> falls_out_;
  Point sought_ = 0;  // a rule that accepts and closes looks twice for the same piece
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
