#include "difference/boxes.h"

#include <map>
#include <tuple>

namespace aclmend::difference {
namespace {

enum class Place : std::uint8_t { source, destination, source_port, destination_port, protocol };
constexpr Place places[] = {Place::source, Place::destination, Place::source_port, Place::destination_port,
                            Place::protocol};

std::size_t hash_but(const Box& box, Place place) {
  std::size_t result = 0;
  if (place != Place::source) result = mixed(result, hash(box.source));
  if (place != Place::destination) result = mixed(result, hash(box.destination));
  if (place != Place::protocol) result = mixed(result, hash(box.protocol));
  if (place != Place::source_port) result = mixed(result, hash(box.source_port));
  if (place != Place::destination_port) result = mixed(result, hash(box.destination_port));
  return result;
}

bool same_but(const Box& a, const Box& b, Place place) {
  return (place == Place::source || a.source == b.source) &&
         (place == Place::destination || a.destination == b.destination) &&
         (place == Place::protocol || a.protocol == b.protocol) &&
         (place == Place::source_port || a.source_port == b.source_port) &&
         (place == Place::destination_port || a.destination_port == b.destination_port);
}

template <class Point>
FlipSet<Point> united_flips(const std::vector<const FlipSet<Point>*>& sets) {
  std::vector<Interval<Point>> intervals;
  for (const FlipSet<Point>* set : sets)
    for (std::size_t i = 0; i < set->interval_count(); ++i) intervals.push_back(set->interval(i));
  return FlipSet<Point>::of(std::move(intervals));
}

template <class Set>
Set united_sides(const std::vector<const Box*>& boxes, Set Box::* side) {
  if constexpr (std::is_same_v<Set, AddressSet>) {
    std::vector<const AddressSet*> sets;
    for (const Box* box : boxes) sets.push_back(&(box->*side));
    return united(sets);
  } else {
    std::vector<const Set*> sets;
    for (const Box* box : boxes) sets.push_back(&(box->*side));
    return united_flips(sets);
  }
}

Box united_at(const std::vector<const Box*>& boxes, Place place) {
  Box box = *boxes.front();
  switch (place) {
    case Place::source: box.source = united_sides(boxes, &Box::source); break;
    case Place::destination: box.destination = united_sides(boxes, &Box::destination); break;
    case Place::source_port: box.source_port = united_sides(boxes, &Box::source_port); break;
    case Place::destination_port: box.destination_port = united_sides(boxes, &Box::destination_port); break;
    case Place::protocol: box.protocol = united_sides(boxes, &Box::protocol); break;
  }
  return box;
}

std::vector<Box> joined_at(std::vector<Box> boxes, Place place) {
  std::vector<std::pair<std::size_t, std::size_t>> order;  // hash, index
  order.reserve(boxes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) order.emplace_back(hash_but(boxes[i], place), i);
  std::ranges::sort(order);
  std::vector<Box> result;
  result.reserve(boxes.size());
  std::vector<std::vector<const Box*>> groups;  // of one hash
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && order[end].first == order[begin].first) ++end;
    if (end == begin + 1) {
      result.push_back(std::move(boxes[order[begin].second]));
      continue;
    }
    groups.clear();
    for (std::size_t i = begin; i < end; ++i) {
      const Box& box = boxes[order[i].second];
      const auto alike = std::ranges::find_if(
          groups, [&](const auto& group) { return same_but(*group.front(), box, place); });
      if (alike != groups.end()) alike->push_back(&box);
      else groups.push_back({&box});
    }
    for (const auto& group : groups)
      result.push_back(group.size() == 1 ? *group.front() : united_at(group, place));
  }
  return result;
}

template <class Point>
long double point_count(const FlipSet<Point>& set) {
  long double count = 0;
  for (std::size_t i = 0; i < set.interval_count(); ++i)
    count += static_cast<long double>(set.interval(i).last - set.interval(i).first) + 1;
  return count;
}

}  // namespace

std::vector<Box> by_family(const Box& box) {
  std::vector<Box> parts;
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const AddressSet all = AddressSet::all(family);
    Box part{box.source & all, box.destination & all, box.protocol, box.source_port, box.destination_port};
    if (!part.empty()) parts.push_back(std::move(part));
  }
  return parts;
}

AddressSet united(const std::vector<const AddressSet*>& sets) {
  if (sets.size() == 1) return *sets.front();
  std::vector<const FlipSet<V4>*> v4;
  std::vector<const FlipSet<V6>*> v6;
  for (const AddressSet* set : sets) {
    v4.push_back(&set->v4);
    v6.push_back(&set->v6);
  }
  return {united_flips(v4), united_flips(v6)};
}

std::vector<Box> joined(std::vector<Box> boxes) {
  for (std::size_t before = 0; boxes.size() > 1 && boxes.size() != before;) {
    before = boxes.size();
    for (const Place place : places) boxes = joined_at(std::move(boxes), place);
  }
  return boxes;
}

std::vector<Box> joined_roughly(std::vector<Box> boxes, std::size_t limit) {
  boxes = joined(std::move(boxes));
  const auto hull = [](const std::vector<const Box*>& group) {
    Box all = *group.front();
    all.source = united_at(group, Place::source).source;
    all.destination = united_at(group, Place::destination).destination;
    all.protocol = united_at(group, Place::protocol).protocol;
    all.source_port = united_at(group, Place::source_port).source_port;
    all.destination_port = united_at(group, Place::destination_port).destination_port;
    return all;
  };
  if (boxes.size() > limit) {  // those of one source: a group that many rules name
    std::map<std::size_t, std::vector<const Box*>> groups;
    for (const Box& box : boxes) groups[mixed(hash(box.source), hash(box.protocol))].push_back(&box);
    std::vector<Box> hulls;
    for (const auto& [key, group] : groups) hulls.push_back(hull(group));
    boxes = joined(std::move(hulls));
  }
  std::ranges::sort(boxes, precedes);
  if (boxes.size() > limit) {  // neighbours
    const std::size_t together = (boxes.size() + limit - 1) / limit;
    std::vector<Box> hulls;
    for (std::size_t i = 0; i < boxes.size(); i += together) {
      std::vector<const Box*> group;
      for (std::size_t k = i; k < std::min(i + together, boxes.size()); ++k) group.push_back(&boxes[k]);
      hulls.push_back(hull(group));
    }
    boxes = std::move(hulls);
  }
  return boxes;
}

std::optional<std::vector<Box>> disjoint(const std::vector<Box>& boxes, std::size_t most) {
  std::vector<Box> result;
  for (const Box& box : boxes) {
    std::vector<Box> pieces{box};
    for (std::size_t i = 0, before = result.size(); i < before && !pieces.empty(); ++i) {
      if (!meets(box, result[i])) continue;
      std::vector<Box> outside;
      for (const Box& piece : pieces) {
        if (meets(piece, result[i]))
          std::ranges::move(pieces_outside(piece, result[i]), std::back_inserter(outside));
        else outside.push_back(piece);
      }
      pieces = std::move(outside);
      if (pieces.size() > most) return std::nullopt;
    }
    if (result.size() + pieces.size() > most) return std::nullopt;
    std::ranges::move(pieces, std::back_inserter(result));
  }
  return result;
}

long double packet_count(const Box& box) {
  return (point_count(box.source.v4) * point_count(box.destination.v4) +
          point_count(box.source.v6) * point_count(box.destination.v6)) *
         point_count(box.protocol) * point_count(box.source_port) * point_count(box.destination_port);
}

bool precedes(const Box& a, const Box& b) {
  const auto order = [](const Box& box) {
    return std::tie(box.source.v4.flips(), box.source.v6.flips(), box.destination.v4.flips(),
                    box.destination.v6.flips(), box.protocol.flips(), box.source_port.flips(),
                    box.destination_port.flips());
  };
  return order(a) < order(b);
}

}  // namespace aclmend::difference
