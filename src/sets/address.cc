#include "sets/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>

#include "base/text.h"

namespace aclmend {
namespace {

constexpr V6 low_bits(int count) { return count >= 128 ? ~V6{0} : (V6{1} << count) - 1; }

// The groups between colons of one side of "::". An embedded IPv4 address may be the last of the text.
struct Groups {
  std::array<std::uint16_t, 8> values{};
  std::size_t count = 0;
};

std::optional<std::uint16_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    unsigned digit = 0;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    else if (c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F') digit = static_cast<unsigned>(c - 'A' + 10);
    else return std::nullopt;
    value = value * 16 + digit;
  }
  return static_cast<std::uint16_t>(value);
}

enum class Embedded : std::uint8_t { allowed, refused };

std::optional<Groups> parse_groups(std::string_view text, Embedded embedded) {
  Groups groups;
  if (text.empty()) return groups;
  while (true) {
    const std::size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    if (colon == std::string_view::npos && part.find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(part);
      if (embedded == Embedded::refused || !v4 || groups.count > 6) return std::nullopt;
      groups.values[groups.count++] = static_cast<std::uint16_t>(*v4 >> 16);
      groups.values[groups.count++] = static_cast<std::uint16_t>(*v4 & 0xFFFF);
      return groups;
    }
    const auto group = parse_group(part);
    if (!group || groups.count == 8) return std::nullopt;
    groups.values[groups.count++] = *group;
    if (colon == std::string_view::npos) return groups;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;  // "1:" has nothing after its colon
  }
}

std::optional<V6> parse_v6(std::string_view text) {
  const std::size_t gap = text.find("::");
  const bool has_gap = gap != std::string_view::npos;
  if (has_gap && text.find("::", gap + 1) != std::string_view::npos) return std::nullopt;
  const auto head = parse_groups(text.substr(0, gap), has_gap ? Embedded::refused : Embedded::allowed);
  const auto tail = has_gap ? parse_groups(text.substr(gap + 2), Embedded::allowed) : Groups{};
  if (!head || !tail) return std::nullopt;
  const std::size_t given = head->count + tail->count;
  if (has_gap ? given > 7 : given != 8) return std::nullopt;
  V6 number = 0;
  for (std::size_t i = 0; i < head->count; ++i) number |= V6{head->values[i]} << (112 - 16 * i);
  for (std::size_t i = 0; i < tail->count; ++i) number |= V6{tail->values[i]} << (16 * (tail->count - 1 - i));
  return number;
}

struct Octet {
  std::array<char, 3> digits{};
  std::uint8_t length = 0;
};
constexpr std::array<Octet, 256> octets = [] {
  std::array<Octet, 256> all;
  for (unsigned value = 0; value < 256; ++value) {
    Octet& octet = all[value];
    for (const unsigned unit : {100U, 10U, 1U})
      if (value >= unit || unit == 1)
        octet.digits[octet.length++] = static_cast<char>('0' + value / unit % 10);
  }
  return all;
}();

// Writes up to two bytes more than it needs: `to` has room for 15.
char* write_v4(char* to, V4 number) {
  for (const int shift : {24, 16, 8, 0}) {
    const Octet& octet = octets[number >> shift & 255];
    to = std::ranges::copy(octet.digits, to).out - 3 + octet.length;
    if (shift > 0) *to++ = '.';
  }
  return to;
}

char* write_group(char* to, unsigned group) {
  for (int shift = 12; shift >= 0; shift -= 4)
    if (group >> shift != 0 || shift == 0) *to++ = "0123456789abcdef"[group >> shift & 15];
  return to;
}

char* write_v6(char* to, V6 number) {
  if (number >> 32 == 0xFFFF) {  // RFC 5952 §5: IPv4-mapped
    constexpr std::string_view mapped = "::ffff:";
    return write_v4(std::ranges::copy(mapped, to).out, static_cast<V4>(number));
  }
  std::array<std::uint16_t, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) groups[i] = static_cast<std::uint16_t>(number >> (112 - 16 * i));
  // §4.2: the longest run of at least two zero groups, the first of equals, becomes "::".
  std::size_t gap = 8, gap_length = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    const std::size_t begin = i;
    while (i < 8 && groups[i] == 0) ++i;
    if (i - begin > gap_length) gap = begin, gap_length = i - begin;
  }
  for (std::size_t i = 0; i < 8;) {
    if (i == gap) {
      *to++ = ':';
      if (i += gap_length; i == 8) *to++ = ':';
      continue;
    }
    if (i > 0) *to++ = ':';
    to = write_group(to, groups[i++]);
  }
  return to;
}

}  // namespace

std::optional<V4> parse_v4(std::string_view text) {
  const ScannedV4 scanned = scan_v4(text);
  if (scanned.length == 0 || scanned.length != text.size()) return std::nullopt;
  return scanned.number;
}

std::optional<Address> parse_address(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    const auto v4 = parse_v4(text);
    return v4 ? std::optional(Address::v4(*v4)) : std::nullopt;
  }
  const auto v6 = parse_v6(text);
  return v6 ? std::optional(Address::v6(*v6)) : std::nullopt;
}

std::optional<Prefix> parse_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  if (slash == std::string_view::npos) return host_prefix(*address);
  const std::string_view digits = text.substr(slash + 1);
  const auto length = parse_decimal<unsigned>(digits);
  if (!length || *length > static_cast<unsigned>(address_bits(address->family)) ||
      (digits.size() > 1 && digits[0] == '0'))
    return std::nullopt;
  const Prefix prefix = prefix_of(*address, static_cast<int>(*length));
  if (prefix.address != *address) return std::nullopt;
  return prefix;
}

Prefix prefix_of(Address address, int length) {
  const int bits = address_bits(address.family);
  assert(length >= 0 && length <= bits);
  address.number &= ~low_bits(bits - length);
  return {address, length};
}

Prefix host_prefix(Address address) { return {address, address_bits(address.family)}; }

Address Prefix::last() const {
  return {address.family, address.number | low_bits(address_bits(address.family) - length)};
}

bool Prefix::contains(Address other) const {
  return other.family == address.family && prefix_of(other, length).address == address;
}

std::optional<int> netmask_length(V4 mask) {
  const int length = std::countl_one(mask);
  return mask == netmask(length) ? std::optional(length) : std::nullopt;
}

V4 netmask(int length) { return length == 0 ? 0 : ~V4{0} << (32 - length); }

char* write(char* to, Address address) {
  return address.is_v4() ? write_v4(to, address.as_v4()) : write_v6(to, address.number);
}

std::string to_string(Address address) {
  std::array<char, longest_address> text;
  return {text.data(), write(text.data(), address)};
}

std::string to_string(const Prefix& prefix) {
  return fmt::format("{}/{}", to_string(prefix.address), prefix.length);
}

std::string host_bare(const Prefix& prefix) {
  return prefix.length == address_bits(prefix.address.family) ? to_string(prefix.address) : to_string(prefix);
}

}  // namespace aclmend
