// Sets of packets: a union of disjoint boxes over source, destination, protocol, source port and destination
// port. Each side of a box is a set, so a rule with a group in every place is one box. Protocols without
// ports carry them all the same (all ports); ICMP has its type in the source-port place and its code in the
// other. A packet has one family: of a box with both, IPv4 sources go to IPv4 destinations alone.
#pragma once
#include <string>
#include <vector>

#include "sets/address_set.h"

namespace aclmend {

struct Packet {
  Address source;
  Address destination;
  std::uint8_t protocol = 0;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  bool operator==(const Packet&) const = default;
};

struct Box {
  AddressSet source;
  AddressSet destination;
  ProtocolSet protocol;
  PortSet source_port;
  PortSet destination_port;

  static Box all();
  bool empty() const;
  bool contains(const Packet& packet) const;
  bool covers(const Box& other) const;
  bool intersects(const Box& other) const;
  bool operator==(const Box&) const = default;
};

// "52.100.0.0/14 -> 203.0.113.25/32 tcp/25"; what is not restricted is "any" or left out, long lists are cut.
std::string to_string(const Box& box);

Box operator&(const Box& a, const Box& b);
// The part of a outside b, as at most five disjoint boxes, none empty.
std::vector<Box> pieces_outside(const Box& a, const Box& b);

class PacketSet {
 public:
  PacketSet() = default;
  explicit PacketSet(Box box);
  static PacketSet all() { return PacketSet(Box::all()); }

  bool empty() const { return boxes_.empty(); }
  bool contains(const Packet& packet) const;
  // Disjoint and none empty, in no particular order. A family has addresses at both ends of a box or at none.
  const std::vector<Box>& boxes() const { return boxes_; }

  friend PacketSet operator|(const PacketSet& a, const PacketSet& b);
  friend PacketSet operator&(const PacketSet& a, const PacketSet& b);
  friend PacketSet operator-(const PacketSet& a, const PacketSet& b);
  PacketSet& operator|=(const PacketSet& other) { return *this = *this | other; }
  PacketSet& operator&=(const PacketSet& other) { return *this = *this & other; }
  PacketSet& operator-=(const PacketSet& other) { return *this = *this - other; }
  // The same packets (two empty differences); the boxes may differ.
  bool equals(const PacketSet& other) const { return (*this - other).empty() && (other - *this).empty(); }

  // Some member, the lowest of the first box; the set must not be empty.
  Packet example() const;

 private:
  std::vector<Box> boxes_;
};

}  // namespace aclmend
