// Addresses and prefixes as text: RFC 4291 §2.2 and RFC 5952, the C library as the second opinion.
#include "sets/address.h"

#include <arpa/inet.h>

#include <array>
#include <random>

#include "sets/address_set.h"
#include "tests/support/test.h"

namespace aclmend {
namespace {

V6 from_bytes(const std::array<unsigned char, 16>& bytes) {
  V6 number = 0;
  for (const unsigned char byte : bytes) number = number << 8 | byte;
  return number;
}

// What inet_pton reads. It knows the two families apart, as parse_address does by the colon.
std::optional<Address> by_the_library(const std::string& text) {
  if (text.find('\0') != std::string::npos) return std::nullopt;  // a C string would end there
  std::array<unsigned char, 16> bytes{};
  if (text.find(':') == std::string::npos) {
    if (::inet_pton(AF_INET, text.c_str(), bytes.data()) != 1) return std::nullopt;
    return Address::v4(V4{bytes[0]} << 24 | V4{bytes[1]} << 16 | V4{bytes[2]} << 8 | bytes[3]);
  }
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return std::nullopt;
  return Address::v6(from_bytes(bytes));
}

std::string printed_by_the_library(Address address) {
  std::array<unsigned char, 16> bytes{};
  const int size = address_bits(address.family) / 8;
  for (int i = 0; i < size; ++i)
    bytes[static_cast<std::size_t>(i)] = static_cast<unsigned char>(address.number >> (8 * (size - 1 - i)));
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(address.is_v4() ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
}

// The library prints ::102:304 as ::1.2.3.4 (the deprecated IPv4-compatible form); RFC 5952 §5 asks for mixed
// notation only under known prefixes, of which we print ::ffff:0:0/96 so.
bool printed_alike_by_definition(Address address) {
  return address.is_v4() || address.number >> 32 != 0 || address.number <= 0xFFFF;
}

// Numbers with runs of zero groups, which is where spellings differ.
V6 some_v6(std::mt19937_64& dice) {
  const unsigned kept = static_cast<unsigned>(dice());
  V6 number = 0;
  for (unsigned group = 0; group < 8; ++group) {
    const unsigned value = static_cast<unsigned>(dice()) >> (dice() % 16) & 0xFFFF;
    number = number << 16 | (kept >> group & 1 ? value : 0);
  }
  if (dice() % 8 == 0) number = (number & 0xFFFFFFFF) | V6{0xFFFF} << 32;
  return number;
}

}  // namespace

TEST_CASE("IPv4 addresses are four decimal octets without leading zeros", "[sets]") {
  CHECK(parse_v4("0.0.0.0") == 0U);
  CHECK(parse_v4("255.255.255.255") == 0xFFFFFFFF);
  CHECK(parse_v4("203.0.113.25") == 0xCB007119);
  const char* const bad =
      GENERATE("", ".", "...", "1", "1.2", "1.2.3", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4.", "1.2.3.4.5",
               "256.1.1.1", "1.1.1.256", "1.1.1.999", "1.1.1.1000", "01.1.1.1", "1.1.1.00", "1.1.010.1",
               "000.0.0.0", "0x1.1.1.1", "1.1.1.1 ", " 1.1.1.1", "1.1.1.-1", "+1.1.1.1", "1.1.1.1/32",
               "1,1,1,1", "a.b.c.d", "1.1.1.1a", "1.1.1.\xd9\xa1");
  INFO(bad);
  CHECK_FALSE(parse_v4(bad));
  CHECK_FALSE(parse_address(bad));
}

TEST_CASE("every octet in every place reads and prints; no other number does", "[sets]") {
  for (unsigned octet = 0; octet <= 1100; ++octet) {
    for (unsigned place = 0; place < 4; ++place) {
      std::string text, padded;
      for (unsigned i = 0; i < 4; ++i) {
        const std::string value = i == place ? std::to_string(octet) : "7";
        text += (i > 0 ? "." : "") + value;
        padded += (i > 0 ? "." : "") + (i == place ? "0" + value : value);
      }
      const auto read = parse_address(text);
      REQUIRE(read.has_value() == (octet <= 255));
      REQUIRE_FALSE(parse_address(padded));
      if (read) REQUIRE(to_string(*read) == text);
      if (read) REQUIRE((read->as_v4() >> (24 - 8 * place) & 255) == octet);
    }
  }
}

TEST_CASE("IPv6 in every spelling of RFC 4291 prints as RFC 5952 wants it", "[sets]") {
  struct Row {
    const char* text;
    const char* printed;
  };
  const Row row = GENERATE(values<Row>({
      {"::", "::"},
      {"0:0:0:0:0:0:0:0", "::"},
      {"0000:0000:0000:0000:0000:0000:0000:0000", "::"},
      {"::0", "::"},
      {"0::", "::"},
      {"0::0", "::"},
      {"::1", "::1"},
      {"0:0:0:0:0:0:0:1", "::1"},
      {"1::", "1::"},
      {"FF01:0:0:0:0:0:0:101", "ff01::101"},
      {"2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"},
      {"2001:0db8::0001", "2001:db8::1"},               // §4.1 leading zeros
      {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},        // §4.2.1
      {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // §4.2.2 one group is not shortened
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},          // §4.2.3 the longest run
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},    // §4.2.3 the first of equals
      {"2001:DB8:AAAA:BBBB:CCCC:DDDD:EEEE:AAAA", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"},  // §4.3
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
      {"0:0:3:4:5:6:7:8", "::3:4:5:6:7:8"},
      {"0:0:0:4:0:0:0:0", "0:0:0:4::"},
      {"::ffff:0:0", "::ffff:0.0.0.0"},  // §5 IPv4-mapped
      {"::FFFF:129.144.52.38", "::ffff:129.144.52.38"},
      {"0:0:0:0:0:FFFF:129.144.52.38", "::ffff:129.144.52.38"},
      {"::13.1.68.3", "::d01:4403"},  // IPv4-compatible: deprecated
      {"0:0:0:0:0:0:13.1.68.3", "::d01:4403"},
      {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
      {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
      {"1:2:3:4:5::1.2.3.4", "1:2:3:4:5:0:102:304"},
      {"fe80::ABCD:Ef01", "fe80::abcd:ef01"},
  }));
  INFO(row.text);
  const auto address = parse_address(row.text);
  REQUIRE(address);
  CHECK(address->family == Family::ipv6);
  CHECK(to_string(*address) == row.printed);
  CHECK(parse_address(row.printed) == address);
  CHECK(by_the_library(row.text) == address);
}

TEST_CASE("what is no IPv6 address is refused", "[sets]") {
  const char* const bad = GENERATE(
      ":", ":::", "::::", "1", "1:", ":1", "1:2", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:", ":1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "1:2:3:4::5:6:7:8", "::1:2:3:4:5:6:7:8",
      "1:2:3:4:5:6:7:8::", "1::2::3", "::1::", "1:::2", "12345::", "::00001", "g::", "::1g", "::-1", ":: 1",
      " ::1", "::1 ", "::1%eth0", "fe80::1%1", "[::1]", "::1/128", "::0x1",
      "1.2.3.4::", "1.2.3.4:1::", "::1.2.3.4:5", "::1.2.3", "::1.2.3.256", "::01.2.3.4", "::1.2.3.4.5",
      "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:1.2.3.4", "1:2:3:4:5:6::1.2.3.4", "::ffff:1.2.3.", "::.1.2.3",
      "1::2:", "::1:2:");
  INFO(bad);
  CHECK_FALSE(parse_address(bad));
  CHECK_FALSE(by_the_library(bad));
}

TEST_CASE("the C library reads and prints addresses as we do", "[sets]") {
  rc::prop("random addresses, printed", [](std::uint64_t seed) {
    std::mt19937_64 dice(seed);
    for (int i = 0; i < 50; ++i) {
      const Address address = i % 4 == 0 ? Address::v4(static_cast<V4>(dice())) : Address::v6(some_v6(dice));
      RC_ASSERT(parse_address(to_string(address)) == address);
      RC_ASSERT(parse_address(printed_by_the_library(address)) == address);
      if (printed_alike_by_definition(address))
        RC_ASSERT(to_string(address) == printed_by_the_library(address));
    }
  });
  rc::prop(
      "random text of the same letters, and addresses with a few letters changed", [](std::uint64_t seed) {
        std::mt19937_64 dice(seed);
        constexpr std::string_view letters = "0123456789abcdefABCDEF:::::...///%x g";
        const auto letter = [&] { return letters[dice() % letters.size()]; };
        for (int i = 0; i < 200; ++i) {
          std::string text;
          if (i % 2 == 0)
            text = to_string(i % 4 == 0 ? Address::v4(static_cast<V4>(dice())) : Address::v6(some_v6(dice)));
          for (auto edits = dice() % (text.empty() ? 12 : 4); edits > 0; --edits) {
            const auto at = dice() % (text.size() + 1);
            if (dice() % 3 == 0 && at < text.size()) text.erase(at, 1);
            else if (dice() % 2 == 0 && at < text.size()) text[at] = letter();
            else text.insert(at, 1, letter());
          }
          RC_ASSERT(parse_address(text) == by_the_library(text));
        }
      });
}

TEST_CASE("every short text of an address's letters means what the C library says", "[sets]") {
  constexpr std::string_view letters = "01a:./";
  std::string text;
  const std::function<void()> longer = [&] {
    REQUIRE(parse_address(text) == by_the_library(text));
    if (text.size() == 7) return;
    for (const char letter : letters) {
      text.push_back(letter);
      longer();
      text.pop_back();
    }
  };
  longer();
}

TEST_CASE("a prefix is an address and a length, with no bits beyond it", "[sets]") {
  CHECK(to_string(parse_prefix("40.92.0.0/15").value()) == "40.92.0.0/15");
  CHECK(to_string(parse_prefix("2001:DB8::/32").value()) == "2001:db8::/32");
  CHECK(to_string(parse_prefix("203.0.113.25").value()) == "203.0.113.25/32");
  CHECK(host_bare(parse_prefix("203.0.113.25/32").value()) == "203.0.113.25");
  CHECK(host_bare(parse_prefix("2001:db8::1").value()) == "2001:db8::1");
  CHECK(host_bare(parse_prefix("0.0.0.0/0").value()) == "0.0.0.0/0");
  CHECK(parse_prefix("::/0").value().last() == Address::v6(~V6{0}));
  CHECK(parse_prefix("0.0.0.0/0").value().last() == Address::v4(0xFFFFFFFF));
  const char* const bad =
      GENERATE("", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/032", "10.0.0.0/08", "10.0.0.0/-1",
               "10.0.0.0/+8", "10.0.0.0/8 ", "10.0.0.0/ 8", "10.0.0.0/8/8", "10.0.0.0//8",
               "10.0.0.0/4294967304", "10.0.0.0/255.0.0.0", "10.0.0.1/8", "0.0.0.1/0", "128.0.0.0/0",
               "2001:db8::/129", "2001:db8::1/64", "::1/0", "::/x", "10.0.0/8");
  INFO(bad);
  CHECK_FALSE(parse_prefix(bad));
}

TEST_CASE("prefixes of every length hold exactly their addresses", "[sets]") {
  rc::prop("first, last, neighbours", [](std::uint64_t seed) {
    std::mt19937_64 dice(seed);
    for (const Family family : {Family::ipv4, Family::ipv6}) {
      for (int length = 0; length <= address_bits(family); ++length) {
        const Address inside =
            family == Family::ipv4 ? Address::v4(static_cast<V4>(dice())) : Address::v6(some_v6(dice));
        const Prefix prefix = prefix_of(inside, length);
        RC_ASSERT(prefix.contains(inside) && prefix.contains(prefix.first()) &&
                  prefix.contains(prefix.last()));
        RC_ASSERT(prefix.last().number - prefix.first().number + 1 ==
                  (length == 0 && family == Family::ipv6 ? V6{0} : V6{1} << (address_bits(family) - length)));
        if (length > 0) {
          const V6 all = family == Family::ipv4 ? V6{0xFFFFFFFF} : ~V6{0};
          RC_ASSERT(!prefix.contains({family, (prefix.first().number - 1) & all}));
          RC_ASSERT(!prefix.contains({family, (prefix.last().number + 1) & all}));
        }
        RC_ASSERT(!prefix.contains({family == Family::ipv4 ? Family::ipv6 : Family::ipv4, inside.number}));
        RC_ASSERT(parse_prefix(to_string(prefix)) == prefix);
        RC_ASSERT(parse_prefix(host_bare(prefix)) == prefix);
      }
    }
  });
}

TEST_CASE("a netmask has a length when its ones come first", "[sets]") {
  for (int length = 0; length <= 32; ++length) {
    CHECK(netmask_length(netmask(length)) == length);
    CHECK(std::popcount(netmask(length)) == length);
  }
  CHECK(netmask(15) == parse_v4("255.254.0.0"));
  for (const char* mask : {"0.0.0.1", "255.0.255.0", "0.1.255.255", "255.255.255.253", "127.255.255.255"})
    CHECK_FALSE(netmask_length(parse_v4(mask).value()));
}

TEST_CASE("IPv4 sorts before IPv6, whatever the numbers", "[sets]") {
  CHECK(Address::v4(0xFFFFFFFF) < Address::v6(0));
  CHECK(Prefix{Address::v4(0), 0} < Prefix{Address::v4(0), 1});
}

}  // namespace aclmend
