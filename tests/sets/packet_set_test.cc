// Packet sets against membership. The universe has two values in every place (and two families), so that all
// of its packets can be asked one by one; each value stands for a stretch of the real space.
#include "sets/packet_set.h"

#include <array>

#include "tests/support/test.h"

namespace aclmend {
namespace {

constexpr int values = 3;  // stretches in each place: the first, one in the middle, the last

AddressSet address_stretch(Family family, int i) {
  const V6 size = family == Family::ipv4 ? V6{1} << 31 : V6{1} << 127;
  const V6 last = family == Family::ipv4 ? V6{0xFFFFFFFF} : ~V6{0};
  if (i == 0) return AddressSet({family, 0}, {family, 9});
  if (i == 1) return AddressSet({family, size}, {family, size});
  return AddressSet({family, last - 4}, {family, last});
}

template <class Set>
Set number_stretch(int i) {
  if (i == 0) return Set(0, 0);
  if (i == 1) return Set(20, 40);
  return Set(250, static_cast<decltype(Set().interval(0).first)>(~0U));
}

// One packet from each cell of the universe.
std::vector<Packet> all_packets() {
  std::vector<Packet> packets;
  for (const Family family : {Family::ipv4, Family::ipv6})
    for (int s = 0; s < values; ++s)
      for (int d = 0; d < values; ++d)
        for (int p = 0; p < values; ++p)
          for (int sp = 0; sp < values; ++sp)
            for (int dp = 0; dp < values; ++dp)
              packets.push_back({*address_stretch(family, s).lowest(), *address_stretch(family, d).lowest(),
                                 number_stretch<ProtocolSet>(p).interval(0).first,
                                 number_stretch<PortSet>(sp).interval(0).first,
                                 number_stretch<PortSet>(dp).interval(0).first});
  return packets;
}

// Any subset of the stretches, the empty one too.
rc::Gen<AddressSet> some_addresses() {
  return rc::gen::map(rc::gen::inRange(0, 64), [](int mask) {
    AddressSet set;
    for (int i = 0; i < 3; ++i) {
      if ((mask >> i & 1) == 1) set |= address_stretch(Family::ipv4, i);
      if ((mask >> (i + 3) & 1) == 1) set |= address_stretch(Family::ipv6, i);
    }
    return set;
  });
}
template <class Set>
rc::Gen<Set> some_numbers() {
  return rc::gen::map(rc::gen::inRange(0, 8), [](int mask) {
    Set set;
    for (int i = 0; i < 3; ++i)
      if ((mask >> i & 1) == 1) set |= number_stretch<Set>(i);
    return set;
  });
}

// At full size from the first run on: inRange draws from the bottom of its range while the size is small.
rc::Gen<Box> some_box() {
  return rc::gen::resize(100,
                         rc::gen::build<Box>(rc::gen::set(&Box::source, some_addresses()),
                                             rc::gen::set(&Box::destination, some_addresses()),
                                             rc::gen::set(&Box::protocol, some_numbers<ProtocolSet>()),
                                             rc::gen::set(&Box::source_port, some_numbers<PortSet>()),
                                             rc::gen::set(&Box::destination_port, some_numbers<PortSet>())));
}
rc::Gen<std::vector<Box>> some_boxes() {
  return rc::gen::mapcat(rc::gen::resize(100, rc::gen::inRange<std::size_t>(0, 5)), [](std::size_t count) {
    return rc::gen::container<std::vector<Box>>(count, some_box());
  });
}

// A set and what it must hold, in the order of all_packets().
struct Twin {
  PacketSet set;
  std::vector<bool> members;
};

Twin twin_of(const std::vector<Box>& boxes) {
  Twin twin;
  for (const Box& box : boxes) twin.set |= PacketSet(box);
  for (const Packet& packet : all_packets())
    twin.members.push_back(std::ranges::any_of(boxes, [&](const Box& b) { return b.contains(packet); }));
  return twin;
}

void check_members(const PacketSet& set, const std::vector<bool>& members) {
  const auto packets = all_packets();
  for (std::size_t i = 0; i < packets.size(); ++i) RC_ASSERT(set.contains(packets[i]) == members[i]);
  RC_ASSERT(set.empty() == std::ranges::none_of(members, std::identity{}));
  if (!set.empty()) RC_ASSERT(set.contains(set.example()));
  for (const Packet& packet : packets)  // disjoint
    RC_ASSERT(std::ranges::count_if(set.boxes(), [&](const Box& b) { return b.contains(packet); }) <= 1);
  for (const Box& box : set.boxes()) {
    RC_ASSERT(!box.empty());
    RC_ASSERT(box.source.v4.empty() == box.destination.v4.empty());
    RC_ASSERT(box.source.v6.empty() == box.destination.v6.empty());
  }
}

}  // namespace

TEST_CASE("packet sets follow membership in every operation", "[sets]") {
  rc::prop("union, intersection, difference, equality", [] {
    const auto a = twin_of(*some_boxes());
    const auto b = twin_of(*some_boxes());
    std::vector<bool> either, both, a_alone;
    for (std::size_t i = 0; i < a.members.size(); ++i) {
      either.push_back(a.members[i] || b.members[i]);
      both.push_back(a.members[i] && b.members[i]);
      a_alone.push_back(a.members[i] && !b.members[i]);
    }
    RC_CLASSIFY(!(a.set - b.set).empty() && !(a.set & b.set).empty(), "they cross");
    check_members(a.set, a.members);
    check_members(a.set | b.set, either);
    check_members(a.set & b.set, both);
    check_members(a.set - b.set, a_alone);
    RC_ASSERT(a.set.equals(b.set) == (a.members == b.members));
    RC_ASSERT(((a.set - b.set) | (a.set & b.set)).equals(a.set));
    RC_ASSERT((a.set | b.set).equals(b.set | a.set));
    RC_ASSERT((PacketSet::all() - (PacketSet::all() - a.set)).equals(a.set));
  });
}

TEST_CASE("box covers and intersects mean what membership says", "[sets]") {
  const auto packets = all_packets();
  rc::prop("for any two boxes", [&] {
    const Box a = *some_box(), b = *some_box();
    const bool covers =
        std::ranges::all_of(packets, [&](const Packet& p) { return !b.contains(p) || a.contains(p); });
    const bool meet =
        std::ranges::any_of(packets, [&](const Packet& p) { return b.contains(p) && a.contains(p); });
    RC_ASSERT(a.covers(b) == covers);
    RC_ASSERT(a.intersects(b) == meet);
    RC_ASSERT((a & b).empty() == !meet);
    std::size_t pieces = 0;
    for (const Box& piece : pieces_outside(a, b)) {
      ++pieces;
      RC_ASSERT(!piece.empty() && a.covers(piece) && !piece.intersects(b));
    }
    RC_ASSERT(pieces <= 5);
  });
}

TEST_CASE("a box with both families pairs neither IPv4 with IPv6 nor the other way round", "[sets]") {
  const Address v4 = Address::v4(0x0A000001), v6 = Address::v6(1);
  Box box = Box::all();
  CHECK_FALSE(box.contains({v4, v6, 6, 1, 25}));
  CHECK_FALSE(box.contains({v6, v4, 6, 1, 25}));
  CHECK(box.contains({v6, v6, 6, 1, 25}));
  box.source = AddressSet(v4);
  box.destination = AddressSet(v6);
  CHECK(box.empty());
  CHECK(PacketSet(box).empty());
  box.source |= AddressSet(v6);
  CHECK_FALSE(box.empty());
  CHECK(PacketSet(box).boxes().front().source == AddressSet(v6));
  CHECK(PacketSet(box).example() == Packet{v6, v6, 0, 0, 0});
}

}  // namespace aclmend
