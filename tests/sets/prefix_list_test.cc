#include "sets/prefix_list.h"

#include <random>

#include "base/text.h"
#include "tests/support/test.h"

namespace aclmend {
namespace {

Result<PrefixList> read(std::string_view text, HostBits host_bits = HostBits::refused) {
  const Source source("list.txt", text);
  return read_prefix_list(source, host_bits);
}

// The canonical text of a list, or its error.
std::string outcome(std::string_view text, HostBits host_bits = HostBits::refused) {
  const auto list = read(text, host_bits);
  return list ? to_list(list->addresses) : to_string(list.error()) + "\n";
}

// Some entry of a list and the addresses it names.
struct Entry {
  std::string text;
  AddressSet addresses;
};

Entry some_entry(std::mt19937_64& dice) {
  const Family family = dice() % 3 == 0 ? Family::ipv6 : Family::ipv4;
  const int bits = address_bits(family);
  const V6 mask = family == Family::ipv4 ? V6{0xFFFFFFFF} : ~V6{0};
  const Address first{family, ((V6{dice()} << 64 | dice()) & mask) >> (dice() % 3 == 0 ? dice() % 24 : 0)};
  const std::string gap = dice() % 4 == 0 ? " " : "";
  switch (dice() % 3) {
    case 0: return {to_string(first), AddressSet(first)};
    case 1: {
      const Prefix prefix = prefix_of(first, static_cast<int>(dice() % static_cast<unsigned>(bits + 1)));
      return {to_string(prefix), AddressSet(prefix)};
    }
    default: {
      const Address last{family, first.number + std::min<V6>(mask - first.number, dice() % 100000)};
      return {to_string(first) + gap + "-" + gap + to_string(last), AddressSet(first, last)};
    }
  }
}

}  // namespace

TEST_CASE("a list may hold addresses, prefixes and ranges of both families", "[sets]") {
  CHECK(outcome("2001:db8::/33\n"
                "10.0.0.5-10.0.0.9\n"
                "2001:DB8:8000::/33\n"
                "192.0.2.1\n"
                "::1\n"
                "10.0.0.4/32\n"
                "2001:db9:: - 2001:db9::2\n") ==
        "10.0.0.4/30\n10.0.0.8/31\n192.0.2.1\n::1\n2001:db8::/32\n2001:db9::/127\n2001:db9::2\n");
  CHECK(outcome("0.0.0.0/0\n::/0") == "0.0.0.0/0\n::/0\n");
  CHECK(outcome("0.0.0.0-255.255.255.255\n::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") ==
        "0.0.0.0/0\n::/0\n");
}

TEST_CASE("comments, blanks, empty lines, CRLF and a byte order mark are nothing", "[sets]") {
  CHECK(outcome("") == "");
  CHECK(outcome("\n\n \n\t\r\n# nothing\n  # nothing") == "");
  CHECK(outcome("\xEF\xBB\xBF"
                "10.0.0.1\r\n  10.0.0.2 \t# the other one\r\n10.0.0.3/32#glued\r\n::1\r\n10.0.0.0\r") ==
        "10.0.0.0/30\n::1\n");
  CHECK(read("10.0.0.1\n# no entry\n\n10.0.0.1\n10.0.0.0/24\r\n ::1 # x")->entries == 4);
}

TEST_CASE("a line that is not understood is an error at its place", "[sets]") {
  struct Row {
    const char* text;
    const char* error;
  };
  const Row row = GENERATE(values<Row>({
      {"10.0.0.1\nfoo\n", "list.txt:2:1: expected an address, a prefix or a range, found 'foo'"},
      {"  10.0.0 # x", "list.txt:1:3: expected an address, a prefix or a range, found '10.0.0'"},
      {"10.0.0.1 10.0.0.2",
       "list.txt:1:1: expected an address, a prefix or a range, found '10.0.0.1 10.0.0.2'"},
      {"10.0.0.01", "list.txt:1:1: expected an address, a prefix or a range, found '10.0.0.01'"},
      {"10.0.0.1;", "list.txt:1:1: expected an address, a prefix or a range, found '10.0.0.1;'"},
      {"10.0.0.1\r5", "list.txt:1:1: expected an address, a prefix or a range, found '10.0.0.1\r5'"},
      {"10.0.0.0\r/8", "list.txt:1:1: expected an address, a prefix or a range, found '10.0.0.0\r/8'"},
      {"\n\n10.0.0.0/33", "list.txt:3:10: expected a prefix length, 0 to 32, found '33'"},
      {"10.0.0.0/", "list.txt:1:10: expected a prefix length, 0 to 32, found ''"},
      {"10.0.0.0/08", "list.txt:1:10: expected a prefix length, 0 to 32, found '08'"},
      {"10.0.0.0/255.0.0.0", "list.txt:1:10: expected a prefix length, 0 to 32, found '255.0.0.0'"},
      {"2001:db8::/129", "list.txt:1:12: expected a prefix length, 0 to 128, found '129'"},
      {"x/8", "list.txt:1:1: expected an address, a prefix or a range, found 'x/8'"},
      {"10.0.0.9-10.0.0.5", "list.txt:1:10: the range ends before it begins, at '10.0.0.9'"},
      {"10.0.0.9 -  ::1", "list.txt:1:13: the range begins in one family and ends in the other"},
      {"10.0.0.9-", "list.txt:1:10: expected the range's last address, found ''"},
      {"10.0.0.9 - 10.0.0.256", "list.txt:1:12: expected the range's last address, found '10.0.0.256'"},
      {"10.0.0.0/24-10.0.1.0/24",
       "list.txt:1:1: expected an address, a prefix or a range, found "
       "'10.0.0.0/24-10.0.1.0/24'"},
      {"-10.0.0.9", "list.txt:1:1: expected an address, a prefix or a range, found '-10.0.0.9'"},
      {" 10.0.0.1/8",
       "list.txt:1:2: bits are set beyond the length: did you mean 10.0.0.0/8 or 10.0.0.1? "
       "(--host-bits clear takes the first)"},
      {"::1/0",
       "list.txt:1:1: bits are set beyond the length: did you mean ::/0 or ::1? "
       "(--host-bits clear takes the first)"},
  }));
  CHECK(outcome(row.text) == std::string(row.error) + "\n");
}

TEST_CASE("a long line is shown in part", "[sets]") {
  const auto error = read(std::string(100000, 'x')).error();
  CHECK(error.message == "expected an address, a prefix or a range, found '" + std::string(50, 'x') + "…'");
}

TEST_CASE("bits beyond the length can be cleared", "[sets]") {
  CHECK(outcome("10.1.2.3/8\n2001:db8::1/32\n192.0.2.1/32\n", HostBits::cleared) ==
        "10.0.0.0/8\n192.0.2.1\n2001:db8::/32\n");
  CHECK(outcome("10.1.2.3/0", HostBits::cleared) == "0.0.0.0/0\n");
}

TEST_CASE("every list means the union of its entries, and its canonical text reads back", "[sets]") {
  rc::prop("random lists", [](std::uint64_t seed) {
    std::mt19937_64 dice(seed);
    std::string text;
    AddressSet whole;
    constexpr std::string_view ends[] = {"\n", "\r\n", " \n", "\t# c\n", "\n\n", "#\n"};
    for (auto lines = dice() % 60; lines > 0; --lines) {
      const Entry entry = some_entry(dice);
      (text += dice() % 5 == 0 ? " " : "") += entry.text;
      text += ends[dice() % std::size(ends)];
      whole |= entry.addresses;
      RC_ASSERT(read_entry(entry.text, HostBits::refused).value() == entry.addresses);
    }
    const auto list = read(text);
    RC_ASSERT(list.has_value());
    RC_ASSERT(list->addresses == whole);
    const std::string canonical = to_list(whole);
    RC_ASSERT(read(canonical)->addresses == whole);
    std::string plain;
    for (const Prefix& prefix : whole.prefixes()) plain += host_bare(prefix) + "\n";
    RC_ASSERT(canonical == plain);
  });
}

TEST_CASE("the short way of reading a line and the long one agree", "[sets]") {
  rc::prop("a leading blank forces the long way; so do other letters", [](std::uint64_t seed) {
    std::mt19937_64 dice(seed);
    constexpr std::string_view letters = "0123456789../-# \r";
    for (int i = 0; i < 100; ++i) {
      const Prefix prefix = prefix_of(Address::v4(static_cast<V4>(dice())), static_cast<int>(dice() % 33));
      std::string text = dice() % 2 == 0 ? to_string(prefix) : host_bare(prefix);
      for (auto edits = dice() % 3; edits > 0; --edits) {
        const auto at = dice() % text.size();
        if (dice() % 2 == 0) text[at] = letters[dice() % letters.size()];
        else text.insert(at, 1, letters[dice() % letters.size()]);
      }
      const auto quick = read(text), slow = read(" " + text);
      RC_ASSERT(quick.has_value() == slow.has_value());
      if (quick) RC_ASSERT(quick->addresses == slow->addresses && quick->entries == slow->entries);
    }
  });
}

TEST_CASE("more entries than are gathered at once make the same set", "[sets]") {
  std::string text;
  for (int round = 0; round < 3; ++round)
    for (unsigned i = 0; i < 400000; ++i)  // every second address, then all again
      text += to_string(Address::v4(0x0A000000 + i * 2 + (round == 2 ? 1 : 0))) + "\n";
  const auto list = read(text);
  REQUIRE(list);
  CHECK(list->entries == 1200000);
  CHECK(list->addresses == AddressSet(Address::v4(0x0A000000), Address::v4(0x0A000000 + 799999)));
}

TEST_CASE("lines within a set are kept as they stand", "[sets]") {
  const std::string text =
      "# Exchange Online\n"
      "40.92.0.0/15\r\n"
      "  52.100.0.0/14   # half of it is asked\n"
      "52.102.0.0/16 # inside\n"
      "52.100.0.0-52.101.255.255\n"
      "52.100.7.7\n"
      "2a01:111:f400::/48\n"
      "\n"
      "52.103.0.0";
  const Source source("list.txt", text);
  const auto lines = [&](const char* asked) {
    return lines_within(read_entry(asked, HostBits::refused).value(), source, HostBits::refused).value();
  };
  CHECK(lines("52.100.0.0/15").text == "52.100.0.0-52.101.255.255\n52.100.7.7\n");
  CHECK(lines("52.100.0.0/14").text ==
        "  52.100.0.0/14   # half of it is asked\n52.102.0.0/16 # inside\n52.100.0.0-52.101.255.255\n"
        "52.100.7.7\n52.103.0.0\n");
  CHECK(lines("40.0.0.0/8").text == "40.92.0.0/15\r\n");
  CHECK(lines("::/0").text == "2a01:111:f400::/48\n");
  CHECK(lines("1.1.1.1").text.empty());
  CHECK(lines("1.1.1.1").entries == 7);
  const Source bad("list.txt", "52.100.7.7\nno\n");
  CHECK(to_string(lines_within(AddressSet::all(), bad, HostBits::refused).error()) ==
        "list.txt:2:1: expected an address, a prefix or a range, found 'no'");
}

TEST_CASE("entries are handed out in their order, as often as they stand there", "[sets]") {
  const auto entries = [](std::string_view text, HostBits host_bits = HostBits::refused) {
    const Source source("list.txt", text);
    std::string told;
    const auto count =
        each_prefix(source, host_bits, [&](const Prefix& prefix) { told += to_string(prefix) + " "; });
    return count ? told + std::to_string(*count) : to_string(count.error());
  };
  CHECK(entries("192.0.2.1\n# nothing\n\n10.0.0.0/8 # ten\r\n192.0.2.1\n") ==
        "192.0.2.1/32 10.0.0.0/8 192.0.2.1/32 3");
  CHECK(entries("10.0.0.5-10.0.0.8\n2001:db8::\n") == "10.0.0.5/32 10.0.0.6/31 10.0.0.8/32 2001:db8::/128 2");
  CHECK(entries("0.0.0.0/0\n::/0\n") == "0.0.0.0/0 ::/0 2");
  CHECK(entries("") == "0");
  CHECK(entries("10.0.0.1/8\n", HostBits::cleared) == "10.0.0.0/8 1");
  CHECK(entries("10.0.0.1\nx\n") == "list.txt:2:1: expected an address, a prefix or a range, found 'x'");
}

TEST_CASE("addresses are counted beyond 64 and 128 bits", "[sets]") {
  CHECK(address_count(FlipSet<V4>()) == "0");
  CHECK(address_count(FlipSet<V4>::all()) == "4294967296");
  CHECK(address_count(FlipSet<V4>(0, 9) | FlipSet<V4>(20, 20)) == "11");
  CHECK(address_count(FlipSet<V6>()) == "0");
  CHECK(address_count(FlipSet<V6>::all()) == "340282366920938463463374607431768211456");
  CHECK(address_count(~FlipSet<V6>(7, 7)) == "340282366920938463463374607431768211455");
  CHECK(address_count(AddressSet(parse_prefix("2001:db8::/32").value()).v6) ==
        "79228162514264337593543950336");
}

}  // namespace aclmend
