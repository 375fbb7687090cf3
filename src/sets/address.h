// IPv4 and IPv6 addresses and prefixes. An IPv6 address is its 128-bit number; an IPv4-mapped IPv6 address
// (::ffff:a.b.c.d) stays IPv6: a filter sees it as such.
#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aclmend {

using V4 = std::uint32_t;
__extension__ typedef unsigned __int128 V6;

enum class Family : std::uint8_t { ipv4, ipv6 };

constexpr int address_bits(Family family) { return family == Family::ipv4 ? 32 : 128; }

struct Address {
  Family family = Family::ipv4;
  V6 number = 0;  // for IPv4 the low 32 bits

  static Address v4(V4 number) { return {Family::ipv4, number}; }
  static Address v6(V6 number) { return {Family::ipv6, number}; }
  bool is_v4() const { return family == Family::ipv4; }
  V4 as_v4() const { return static_cast<V4>(number); }
  auto operator<=>(const Address&) const = default;  // IPv4 before IPv6
};

struct Prefix {
  Address address;  // no bits set beyond the length
  int length = 0;

  Address first() const { return address; }
  Address last() const;
  bool contains(Address other) const;
  auto operator<=>(const Prefix&) const = default;
};

// "203.0.113.25", "2001:db8::1" in every spelling of RFC 4291 §2.2 (upper case, leading zeros, "::",
// embedded IPv4). Octets are decimal, at most three digits, no leading zero (RFC 6943 §3.1.1). No zone.
std::optional<Address> parse_address(std::string_view text);
std::optional<V4> parse_v4(std::string_view text);

// "40.92.0.0/15" or a bare address (its full length). Bits beyond the length are an error: nullopt.
std::optional<Prefix> parse_prefix(std::string_view text);

Prefix prefix_of(Address address, int length);  // clears the bits beyond the length
Prefix host_prefix(Address address);            // /32 or /128

// The length of a contiguous netmask (255.254.0.0 → 15).
std::optional<int> netmask_length(V4 mask);
V4 netmask(int length);

std::string to_string(Address address);       // RFC 5952 for IPv6
std::string to_string(const Prefix& prefix);  // always with its length
std::string host_bare(const Prefix& prefix);  // without the length where it is a single host

}  // namespace aclmend
