#include "sets/packet_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <iterator>

namespace aclmend {
namespace {

// No packet uses the addresses of a family that only one end has.
Box without_idle_family(Box box) {
  const auto trim = [&](auto family) {
    auto& sources = box.source.*family;
    auto& destinations = box.destination.*family;
    if (sources.empty()) destinations = {};
    if (destinations.empty()) sources = {};
  };
  trim(&AddressSet::v4);
  trim(&AddressSet::v6);
  return box;
}

}  // namespace

Box Box::all() {
  return {AddressSet::all(), AddressSet::all(), ProtocolSet::all(), PortSet::all(), PortSet::all()};
}

bool Box::empty() const {
  const bool has_v4 = !source.v4.empty() && !destination.v4.empty();
  const bool has_v6 = !source.v6.empty() && !destination.v6.empty();
  return !(has_v4 || has_v6) || protocol.empty() || source_port.empty() || destination_port.empty();
}

bool Box::contains(const Packet& packet) const {
  return packet.source.family == packet.destination.family && source.contains(packet.source) &&
         destination.contains(packet.destination) && protocol.contains(packet.protocol) &&
         source_port.contains(packet.source_port) && destination_port.contains(packet.destination_port);
}

bool Box::covers(const Box& other) const {
  const auto covers_family = [&](auto family) {
    return (other.source.*family).empty() || (other.destination.*family).empty() ||
           ((source.*family).covers(other.source.*family) &&
            (destination.*family).covers(other.destination.*family));
  };
  return other.empty() || (protocol.covers(other.protocol) && source_port.covers(other.source_port) &&
                           destination_port.covers(other.destination_port) &&
                           covers_family(&AddressSet::v4) && covers_family(&AddressSet::v6));
}

Box operator&(const Box& a, const Box& b) {
  return {a.source & b.source, a.destination & b.destination, a.protocol & b.protocol,
          a.source_port & b.source_port, a.destination_port & b.destination_port};
}

bool Box::intersects(const Box& other) const {
  const auto share_family = [&](auto family) {
    return (source.*family).intersects(other.source.*family) &&
           (destination.*family).intersects(other.destination.*family);
  };
  return protocol.intersects(other.protocol) && destination_port.intersects(other.destination_port) &&
         source_port.intersects(other.source_port) &&
         (share_family(&AddressSet::v4) || share_family(&AddressSet::v6));
}

std::vector<Box> pieces_outside(const Box& a, const Box& b) {
  if (!a.intersects(b)) return a.empty() ? std::vector<Box>{} : std::vector{without_idle_family(a)};
  std::vector<Box> out;
  Box rest = a;  // narrowed to b one side after another; what falls off each time is outside b
  const auto cut = [&](auto Box::* side) {
    Box outside = rest;
    outside.*side = rest.*side - b.*side;
    if (!outside.empty()) out.push_back(without_idle_family(std::move(outside)));
    rest.*side = rest.*side & b.*side;
  };
  cut(&Box::protocol);
  cut(&Box::destination_port);
  cut(&Box::source_port);
  cut(&Box::destination);
  cut(&Box::source);
  return out;
}

PacketSet::PacketSet(Box box) {
  if (!box.empty()) boxes_.push_back(without_idle_family(std::move(box)));
}

bool PacketSet::contains(const Packet& packet) const {
  return std::ranges::any_of(boxes_, [&](const Box& box) { return box.contains(packet); });
}

namespace {

std::string some_of(const AddressSet& set) {
  constexpr std::size_t most = 6;
  if (set.is_all()) return "any";
  const std::vector<Prefix> prefixes = set.prefixes();
  const std::size_t shown = std::min(prefixes.size(), most);
  std::string text = fmt::format("{}", fmt::join(to_strings(std::span(prefixes).first(shown)), " "));
  if (prefixes.size() > shown) text += fmt::format(" and {} more", prefixes.size() - shown);
  return text;
}

}  // namespace

std::string to_string(const Box& box) {
  std::string text = fmt::format("{} -> {}", some_of(box.source), some_of(box.destination));
  if (box.protocol.is_all()) {
    text += " any protocol";
  } else {
    for (std::size_t i = 0; i < box.protocol.interval_count(); ++i) {
      const auto [first, last] = box.protocol.interval(i);
      text += " " + protocol_name(first);
      if (first != last) text += fmt::format("-{}", protocol_name(last));
    }
  }
  if (!box.destination_port.is_all()) text += "/" + to_string(box.destination_port);
  if (!box.source_port.is_all()) text += fmt::format(" from source port {}", to_string(box.source_port));
  return text;
}

PacketSet operator|(const PacketSet& a, const PacketSet& b) {
  PacketSet result = a - b;
  result.boxes_.insert(result.boxes_.end(), b.boxes_.begin(), b.boxes_.end());
  return result;
}

PacketSet operator&(const PacketSet& a, const PacketSet& b) {
  PacketSet result;
  for (const Box& one : a.boxes_)
    for (const Box& other : b.boxes_)
      if (one.intersects(other)) result.boxes_.push_back(without_idle_family(one & other));
  return result;
}

PacketSet operator-(const PacketSet& a, const PacketSet& b) {
  PacketSet result = a;
  for (const Box& taken : b.boxes_) {
    std::vector<Box> rest;
    for (Box& box : result.boxes_) {
      if (box.intersects(taken)) std::ranges::move(pieces_outside(box, taken), std::back_inserter(rest));
      else rest.push_back(std::move(box));
    }
    result.boxes_ = std::move(rest);
  }
  return result;
}

Packet PacketSet::example() const {
  assert(!empty());
  const Box& box = boxes_.front();
  const bool is_v4 = !box.source.v4.empty() && !box.destination.v4.empty();
  const auto lowest = [&](const AddressSet& set) {
    return is_v4 ? Address::v4(set.v4.interval(0).first) : Address::v6(set.v6.interval(0).first);
  };
  return {lowest(box.source), lowest(box.destination), box.protocol.interval(0).first,
          box.source_port.interval(0).first, box.destination_port.interval(0).first};
}

}  // namespace aclmend
