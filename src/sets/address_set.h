// Sets of addresses of both families, and of ports and protocols. Immutable values; the default is empty.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sets/address.h"
#include "sets/flip_set.h"

namespace aclmend {

struct AddressSet {
  FlipSet<V4> v4;
  FlipSet<V6> v6;

  AddressSet() = default;
  AddressSet(FlipSet<V4> four, FlipSet<V6> six) : v4(std::move(four)), v6(std::move(six)) {}
  explicit AddressSet(Address address) : AddressSet(address, address) {}
  explicit AddressSet(const Prefix& prefix) : AddressSet(prefix.first(), prefix.last()) {}
  AddressSet(Address first, Address last);  // of one family; empty when first > last

  static AddressSet all() { return {FlipSet<V4>::all(), FlipSet<V6>::all()}; }
  static AddressSet all(Family family);
  static AddressSet of(std::span<const Prefix> prefixes);

  bool empty() const { return v4.empty() && v6.empty(); }
  bool is_all() const { return v4.is_all() && v6.is_all(); }
  bool contains(Address address) const;
  bool covers(const AddressSet& other) const { return v4.covers(other.v4) && v6.covers(other.v6); }
  bool intersects(const AddressSet& other) const {
    return v4.intersects(other.v4) || v6.intersects(other.v6);
  }
  std::optional<Address> lowest() const;  // IPv4 before IPv6

  // The fewest prefixes with exactly these addresses: IPv4 before IPv6, ascending.
  std::vector<Prefix> prefixes() const;

  friend AddressSet operator|(const AddressSet& a, const AddressSet& b) { return {a.v4 | b.v4, a.v6 | b.v6}; }
  friend AddressSet operator&(const AddressSet& a, const AddressSet& b) { return {a.v4 & b.v4, a.v6 & b.v6}; }
  friend AddressSet operator-(const AddressSet& a, const AddressSet& b) { return {a.v4 - b.v4, a.v6 - b.v6}; }
  AddressSet& operator|=(const AddressSet& other) { return *this = *this | other; }
  AddressSet& operator&=(const AddressSet& other) { return *this = *this & other; }
  AddressSet& operator-=(const AddressSet& other) { return *this = *this - other; }
  AddressSet operator~() const { return {~v4, ~v6}; }
  bool operator==(const AddressSet&) const = default;
};

using PortSet = FlipSet<std::uint16_t>;     // ICMP type and code take these places too
using ProtocolSet = FlipSet<std::uint8_t>;  // IANA protocol numbers

// Of a number that is not 0: how many zero bits it ends in, and the place of its highest bit.
inline int trailing_zeros(V4 number) { return std::countr_zero(number); }
inline int highest_bit(V4 number) { return 31 - std::countl_zero(number); }
inline int trailing_zeros(V6 number) {
  const auto low = static_cast<std::uint64_t>(number);
  return low != 0 ? std::countr_zero(low) : 64 + std::countr_zero(static_cast<std::uint64_t>(number >> 64));
}
inline int highest_bit(V6 number) {
  const auto high = static_cast<std::uint64_t>(number >> 64);
  return high != 0 ? 127 - std::countl_zero(high) : 63 - std::countl_zero(static_cast<std::uint64_t>(number));
}

namespace protocol {
inline constexpr std::uint8_t icmp = 1, tcp = 6, udp = 17, icmp6 = 58, sctp = 132;
}

// Calls emit(network, length) for the fewest prefixes that together are [first, last], ascending.
template <class Point, class Emit>
void each_minimal_prefix(Point first, Point last, Emit emit) {
  constexpr int bits = 8 * sizeof(Point);
  while (first <= last) {
    // The largest block that starts here: aligned here, and not longer than what is left.
    const Point left = static_cast<Point>(last - first);  // addresses behind the first one
    int size = first == 0 ? bits : trailing_zeros(first);
    if (left != last_point<Point>) size = std::min(size, highest_bit(static_cast<Point>(left + 1)));
    emit(first, bits - size);
    const Point behind = size == bits ? last_point<Point> : static_cast<Point>((Point{1} << size) - 1);
    if (behind == left) return;
    first = static_cast<Point>(first + behind + 1);
  }
}

// The same as a list; both addresses are of one family.
std::vector<Prefix> minimal_prefixes(Address first, Address last);

std::vector<std::string> to_strings(std::span<const Prefix> prefixes);
std::string to_string(const AddressSet& set);    // "40.92.0.0/15 2001:db8::/32"; "nothing" when empty
std::string to_string(const PortSet& set);       // "25 1024-65535"
std::string protocol_name(std::uint8_t number);  // "tcp", "47"
std::optional<std::uint8_t> protocol_number(
    std::string_view name);  // tcp udp icmp icmp6 sctp gre esp ah or a number

}  // namespace aclmend
