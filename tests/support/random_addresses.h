// Sets of addresses for properties: a few prefixes of both families, crowded so that some meet and nest, now
// and then a wide one.
#pragma once
#include <random>

#include "sets/address_set.h"

namespace aclmend::test {

inline AddressSet random_addresses(std::mt19937_64& dice, int most_prefixes = 12) {
  std::vector<Prefix> prefixes;
  for (auto left = dice() % static_cast<unsigned>(most_prefixes + 1); left > 0; --left) {
    const Family family = dice() % 3 == 0 ? Family::ipv6 : Family::ipv4;
    const int bits = address_bits(family);
    const V6 base = family == Family::ipv4 ? V6{0x28000000} : V6{0x2a01011100000000} << 64;
    const Address address{family, base | (V6{dice() % 256} << (dice() % 2 * 8))};
    const auto widest = static_cast<unsigned>(dice() % 16 == 0 ? bits - 2 : 10);
    const int length = bits - static_cast<int>(dice() % widest);
    prefixes.push_back(prefix_of(address, length));
  }
  return AddressSet::of(prefixes);
}

}  // namespace aclmend::test
