// Boxes in bulk: quick questions without a new set, joining of many, sizes. (Private to difference.)
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sets/packet_set.h"

namespace aclmend::difference {

// How much of a set lies in another.
enum class Part : std::uint8_t { none, some, all };

inline std::size_t mixed(std::size_t seed, std::size_t value) {
  std::uint64_t x = (seed ^ value) + 0x9E3779B97F4A7C15ULL;  // splitmix64
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ x >> 27) * 0x94D049BB133111EBULL;
  return x ^ x >> 31;
}

template <class Point>
std::size_t hash(const FlipSet<Point>& set) {
  std::size_t result = set.flips().size();
  for (const Point flip : set.flips()) {
    result = mixed(result, static_cast<std::size_t>(flip));
    if constexpr (sizeof(Point) > sizeof(std::size_t))
      result = mixed(result, static_cast<std::size_t>(flip >> 64));
  }
  return result;
}
inline std::size_t hash(const AddressSet& set) { return mixed(hash(set.v4), hash(set.v6)); }

template <class Point>
Part part_of(const FlipSet<Point>& side, Point first, Point last) {
  bool has_inside = false, has_outside = false;
  for (std::size_t i = 0; i < side.interval_count(); ++i) {
    const auto [from, to] = side.interval(i);
    if (from <= last && to >= first) has_inside = true;
    if (from < first || to > last) has_outside = true;
    if (has_inside && has_outside) return Part::some;
  }
  return has_inside ? Part::all : Part::none;
}

// How much of `side` lies in `set`.
template <class Point>
Part part_of(const FlipSet<Point>& side, const FlipSet<Point>& set) {
  if (set.empty()) return Part::none;
  if (set.is_all()) return side.empty() ? Part::none : Part::all;
  bool has_inside = false, has_outside = false;
  for (std::size_t i = 0; i < side.interval_count(); ++i) {
    const auto [from, to] = side.interval(i);
    const auto after = std::upper_bound(set.flips().begin(), set.flips().end(), from);
    if (after != set.flips().end() && *after <= to) return Part::some;
    ((after - set.flips().begin()) % 2 == 1 ? has_inside : has_outside) = true;
    if (has_inside && has_outside) return Part::some;
  }
  return has_inside ? Part::all : Part::none;
}

template <class Point>
bool meets(const FlipSet<Point>& set, Point first, Point last) {
  const auto after = std::upper_bound(set.flips().begin(), set.flips().end(), first);
  return (after - set.flips().begin()) % 2 == 1 || (after != set.flips().end() && *after <= last);
}

template <class Point>
bool meets(const FlipSet<Point>& a, const FlipSet<Point>& b) {
  const FlipSet<Point>& few = a.flips().size() <= b.flips().size() ? a : b;
  const FlipSet<Point>& many = &few == &a ? b : a;
  for (std::size_t i = 0; i < few.interval_count(); ++i)
    if (const auto [first, last] = few.interval(i); meets(many, first, last)) return true;
  return false;
}
inline bool meets(const AddressSet& a, const AddressSet& b) { return meets(a.v4, b.v4) || meets(a.v6, b.v6); }
inline bool meets(const Box& a, const Box& b) {
  const bool v4 = meets(a.source.v4, b.source.v4) && meets(a.destination.v4, b.destination.v4);
  const bool v6 = meets(a.source.v6, b.source.v6) && meets(a.destination.v6, b.destination.v6);
  return (v4 || v6) && meets(a.protocol, b.protocol) && meets(a.source_port, b.source_port) &&
         meets(a.destination_port, b.destination_port);
}

// The box's part in each family; empty parts are left out.
std::vector<Box> by_family(const Box& box);

// The same packets in fewer boxes: boxes that differ in one side are one. Disjoint ones stay disjoint.
std::vector<Box> joined(std::vector<Box> boxes);
// At least these packets, in at most about `limit` boxes.
std::vector<Box> joined_roughly(std::vector<Box> boxes, std::size_t limit);

// The same packets, none of them twice. None where that takes more boxes than `most`.
std::optional<std::vector<Box>> disjoint(const std::vector<Box>& boxes, std::size_t most);

AddressSet united(const std::vector<const AddressSet*>& sets);

long double packet_count(const Box& box);
// The order in which boxes are listed where they are of one size.
bool precedes(const Box& a, const Box& b);

}  // namespace aclmend::difference
