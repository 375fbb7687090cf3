#include "sets/address_set.h"

#include <random>

#include "tests/support/test.h"

namespace aclmend {
namespace {

// The fewest prefixes of [first, last] by their definition: a block inside is one, a block outside none, any
// other is its two halves.
void cover(std::vector<Prefix>& out, const Prefix& block, Address first, Address last) {
  if (block.last() < first || last < block.first()) return;
  if (first <= block.first() && block.last() <= last) return out.push_back(block);
  const int bits = address_bits(block.address.family);
  const Address middle{block.address.family, block.address.number | V6{1} << (bits - block.length - 1)};
  cover(out, {block.address, block.length + 1}, first, last);
  cover(out, {middle, block.length + 1}, first, last);
}

std::vector<Prefix> cover(Address first, Address last) {
  std::vector<Prefix> out;
  cover(out, {{first.family, 0}, 0}, first, last);
  return out;
}

Address some_address(Family family, std::mt19937_64& dice) {
  if (family == Family::ipv4) return Address::v4(static_cast<V4>(dice()));
  V6 number = V6{dice()} << 64 | dice();
  if (dice() % 2 == 0) number >>= dice() % 128;
  return Address::v6(number);
}

}  // namespace

TEST_CASE("every range of six high or six low bits becomes its fewest prefixes", "[sets]") {
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const int bits = address_bits(family);
    const V6 highest = family == Family::ipv4 ? V6{0xFFFFFFFF} : ~V6{0};
    for (unsigned i = 0; i < 64; ++i) {
      for (unsigned j = i; j < 64; ++j) {
        const Address first{family, V6{i} << (bits - 6)};
        const Address last{family, (V6{j} << (bits - 6)) | (highest >> 6)};
        REQUIRE(minimal_prefixes(first, last) == cover(first, last));
        REQUIRE(minimal_prefixes({family, i}, {family, j}) == cover({family, i}, {family, j}));
        const Address near_end{family, highest - j}, end{family, highest - i};
        REQUIRE(minimal_prefixes(near_end, end) == cover(near_end, end));
      }
    }
  }
}

TEST_CASE("any range becomes its fewest prefixes, and they give the range back", "[sets]") {
  rc::prop("both families", [](std::uint64_t seed) {
    std::mt19937_64 dice(seed);
    for (const Family family : {Family::ipv4, Family::ipv6}) {
      Address first = some_address(family, dice), last = some_address(family, dice);
      if (last < first) std::swap(first, last);
      const auto prefixes = minimal_prefixes(first, last);
      RC_ASSERT(prefixes == cover(first, last));
      RC_ASSERT(AddressSet::of(prefixes) == AddressSet(first, last));
      RC_ASSERT(minimal_prefixes(last, first).empty() == (first != last));
    }
  });
}

TEST_CASE("an address set keeps its families apart", "[sets]") {
  const AddressSet four = AddressSet::all(Family::ipv4), six = AddressSet::all(Family::ipv6);
  CHECK((four | six).is_all());
  CHECK((four & six).empty());
  CHECK(~four == six);
  CHECK(AddressSet::all() - six == four);
  CHECK_FALSE(four.intersects(six));
  CHECK_FALSE(four.covers(six));
  CHECK(AddressSet::all().covers(six));
  CHECK(four.covers(AddressSet{}));
  CHECK(four.contains(Address::v4(7)));
  CHECK_FALSE(four.contains(Address::v6(7)));
  CHECK(six.lowest() == Address::v6(0));
  CHECK((four | six).lowest() == Address::v4(0));
  CHECK_FALSE(AddressSet{}.lowest());
  CHECK(to_string(four | six) == "0.0.0.0/0 ::/0");
  CHECK(to_string(AddressSet{}) == "nothing");
}

TEST_CASE("the prefixes of a set are minimal, ascending, IPv4 first", "[sets]") {
  const auto set = [](std::initializer_list<const char*> texts) {
    AddressSet result;
    for (const char* text : texts) result |= AddressSet(parse_prefix(text).value());
    return result;
  };
  CHECK(to_string(set({"2001:db8::/33", "10.0.1.0/24", "2001:db8:8000::/33", "10.0.0.0/24", "9.9.9.9"})) ==
        "9.9.9.9/32 10.0.0.0/23 2001:db8::/32");
  CHECK(to_string(set({"52.100.0.0/14", "104.47.0.0/17"}) - set({"52.102.0.0/16"})) ==
        "52.100.0.0/15 52.103.0.0/16 104.47.0.0/17");
  CHECK(to_string(set({"255.255.255.255", "0.0.0.0"})) == "0.0.0.0/32 255.255.255.255/32");
  rc::prop("of any set", [](std::uint64_t seed) {
    std::mt19937_64 dice(seed);
    std::vector<Prefix> some;
    for (int i = 0; i < 40; ++i) {
      const Family family = i % 3 == 0 ? Family::ipv6 : Family::ipv4;
      const int length = static_cast<int>(dice() % static_cast<unsigned>(address_bits(family) + 1));
      some.push_back(prefix_of(some_address(family, dice), std::max(length, 4)));
    }
    const AddressSet whole = AddressSet::of(some);
    const auto prefixes = whole.prefixes();
    RC_ASSERT(AddressSet::of(prefixes) == whole);
    RC_ASSERT(std::ranges::is_sorted(prefixes));
    for (const Prefix& prefix : some) {
      RC_ASSERT(whole.covers(AddressSet(prefix)));
      RC_ASSERT(
          std::ranges::any_of(prefixes, [&](const Prefix& one) { return one.contains(prefix.first()); }));
    }
    for (std::size_t i = 1; i < prefixes.size(); ++i) {  // disjoint, and no two halves of one block
      RC_ASSERT(prefixes[i - 1].last() < prefixes[i].first());
      const bool halves = prefixes[i - 1].length == prefixes[i].length && prefixes[i].length > 0 &&
                          prefixes[i - 1].address.family == prefixes[i].address.family &&
                          prefix_of(prefixes[i].address, prefixes[i].length - 1) ==
                              prefix_of(prefixes[i - 1].address, prefixes[i].length - 1);
      RC_ASSERT(!halves);
    }
  });
}

TEST_CASE("ports print as ranges", "[sets]") {
  CHECK(to_string(PortSet(25, 25) | PortSet(1024, 65535)) == "25 1024-65535");
  CHECK(to_string(~PortSet(25, 25)) == "0-24 26-65535");
  CHECK(to_string(PortSet(0, 0) | PortSet(65535, 65535)) == "0 65535");
  CHECK(to_string(PortSet(25, 26) | PortSet(27, 28)) == "25-28");
  CHECK(to_string(PortSet()) == "nothing");
}

TEST_CASE("protocols have names, and every number is one", "[sets]") {
  for (unsigned number = 0; number <= 255; ++number) {
    const auto protocol = static_cast<std::uint8_t>(number);
    CHECK(protocol_number(protocol_name(protocol)) == protocol);
    CHECK(protocol_number(std::to_string(number)) == protocol);
  }
  CHECK(protocol_number("TCP") == protocol::tcp);
  CHECK(protocol_name(protocol::icmp6) == "icmp6");
  for (const char* bad : {"", "256", "-1", "tcpp", "6 ", "0x6"}) CHECK_FALSE(protocol_number(bad));
}

}  // namespace aclmend
