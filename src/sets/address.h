// IPv4 and IPv6 addresses and prefixes. An IPv6 address is its 128-bit number; an IPv4-mapped IPv6 address
// (::ffff:a.b.c.d) stays IPv6: a filter sees it as such.
#pragma once
#include <compare>
#include <cstddef>
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

// The IPv4 address that a text begins with; length 0 where there is none. What follows it is the caller's.
struct ScannedV4 {
  V4 number = 0;
  std::size_t length = 0;
};
inline ScannedV4 scan_v4(std::string_view text) {
  constexpr unsigned none = 10;
  const auto digit = [&](std::size_t at) {
    const unsigned value = at < text.size() ? static_cast<unsigned>(text[at]) - '0' : none;
    return value < 10 ? value : none;
  };
  V4 number = 0;
  std::size_t at = 0;
  for (int octet = 0; octet < 4; ++octet) {
    if (octet > 0 && (at >= text.size() || text[at++] != '.')) return {};
    unsigned value = digit(at++);
    if (value == none) return {};
    if (const unsigned second = digit(at); second != none) {
      if (value == 0) return {};
      value = 10 * value + second;
      ++at;
      if (const unsigned third = digit(at); third != none) value = 10 * value + third, ++at;
    }
    if (value > 255) return {};
    number = number << 8 | value;
  }
  return {number, at};
}

// "40.92.0.0/15" or a bare address (its full length). Bits beyond the length are an error: nullopt.
std::optional<Prefix> parse_prefix(std::string_view text);

Prefix prefix_of(Address address, int length);  // clears the bits beyond the length
Prefix host_prefix(Address address);            // /32 or /128

// The length of a contiguous netmask (255.254.0.0 → 15).
std::optional<int> netmask_length(V4 mask);
V4 netmask(int length);

// Writes the address in its usual form (RFC 5952 for IPv6), at most longest_address bytes; returns their end.
inline constexpr std::size_t longest_address = 39;
char* write(char* to, Address address);

std::string to_string(Address address);
std::string to_string(const Prefix& prefix);  // always with its length
std::string host_bare(const Prefix& prefix);  // without the length where it is a single host

}  // namespace aclmend
