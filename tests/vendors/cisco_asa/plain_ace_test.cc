// plain_ace is a short way through parse_ace: whatever it takes, the grammar must read the same out of it.
#include <fmt/format.h>

#include <fstream>
#include <random>
#include <sstream>

#include "tests/support/test.h"
#include "vendors/cisco_asa/ace.h"
#include "vendors/cisco_asa/reader.h"

namespace aclmend::cisco_asa {
namespace {

// What the commands of a text leave behind. Words of an entry point into the text, which must stay.
Configuration configuration_of(std::string_view text) {
  const SourcePtr source = std::make_shared<const Source>("test", text);
  Account account(std::span(&source, 1));
  Reader reader(account);
  reader.read(0);
  return std::move(reader.take().back());
}

constexpr std::string_view definitions =
    "name 10.1.1.25 MX\n"
    "object network HOST\n host 10.1.1.25\n"
    "object service SMTP\n service tcp destination eq smtp\n"
    "object-group network NETS\n network-object 40.92.0.0 255.254.0.0\n"
    "object-group service PORTS tcp\n port-object eq smtp\n"
    "object-group service BOTH tcp-udp\n port-object eq domain\n"
    "object-group service MIXED\n service-object tcp destination eq smtp\n"
    "object-group protocol PROTOCOLS\n protocol-object tcp\n"
    "object-group icmp-type TYPES\n icmp-object echo\n"
    "object-group user USERS\n user A\\b\n";

bool is_same_or_none(std::string_view entry, const Configuration& configuration) {
  const auto plain = plain_ace(entry, configuration);
  return !plain || *plain == parse_ace(Words(entry), configuration);
}

TEST_CASE("entries of the plainest kind take the short way", "[asa]") {
  const Configuration configuration = configuration_of(definitions);
  for (const std::string_view entry : {
           "permit ip any any",
           "deny ip any4 any6 log",
           "permit tcp 40.92.0.0 255.254.0.0 host 203.0.113.25 eq smtp",
           "permit udp host 192.0.2.1 192.0.2.0 255.255.255.0 range 1024 65535",
           "permit tcp object-group NETS object HOST eq 25 log",
           "permit tcp any object-group NETS eq https",
           "permit ip object-group NETS object-group NOT-HERE",
           "permit tcp 0.0.0.0 0.0.0.0 any",
       }) {
    INFO(entry);
    REQUIRE(plain_ace(entry, configuration));
    CHECK(*plain_ace(entry, configuration) == parse_ace(Words(entry), configuration));
    CHECK(parse_ace(Words(entry), configuration).fault.empty());
  }
}

TEST_CASE("what may mean something else is left to the grammar", "[asa]") {
  const Configuration configuration = configuration_of(definitions);
  for (const std::string_view entry : {
           "permit tcp any object-group PORTS host 10.1.1.25",  // source ports
           "permit tcp any object-group NOT-HERE",              // ports or addresses
           "permit tcp any any eq",
           "permit tcp any any range 30 20",
           "permit tcp any any eq smtp established",
           "permit tcp host 010.1.1.25 any",
           "permit tcp host 10.1.1.25 (mx.example.org) any",
           "permit tcp 40.92.0.1 255.254.0.0 any",
           "permit tcp 40.92.0.0 0.1.255.255 any",
           "permit tcp object-group NETS(298) any",
           "permit ip any any eq 25",
           "permit icmp any any",
           "permit  ip any any",
           "permit ip any any ",
           "permit ip any",
           "permitip any any",
           "",
       }) {
    INFO(entry);
    CHECK_FALSE(plain_ace(entry, configuration));
  }
}

// The choices for one part of an entry: the plain ones, and those that are not.
struct Choices {
  std::vector<std::string_view> plain, other;
};
const Choices heads = {{"permit tcp", "deny tcp", "permit udp", "permit ip"},
                       {"permit icmp", "permit object-group PROTOCOLS", "permit 6", "deny", "permits tcp"}};
const Choices addresses = {{"any", "any4", "any6", "host 10.1.1.25", "40.92.0.0 255.254.0.0",
                            "0.0.0.0 0.0.0.0", "object HOST", "object-group NETS"},
                           {"any(inside)",
                            "host MX",
                            "host 2001:db8::1",
                            "host 10.1.1.256",
                            "40.92.0.0 0.1.255.255",
                            "40.92.0.1 255.254.0.0",
                            "10.0.1.0 255.0.255.0",
                            "MX 255.255.255.255",
                            "2001:db8::/32",
                            "object NOT-HERE",
                            "object-group NETS(12)",
                            "object-group PORTS",
                            "object-group BOTH",
                            "object-group MIXED",
                            "object-group NOT-HERE",
                            "object-group HOST",
                            "interface outside",
                            "range 10.1.1.1 10.1.1.9",
                            "host",
                            "object-group"}};
const Choices services = {
    {"", "eq smtp", "eq 25", "eq 65535", "range 1 9", "range smtp www"},
    {"eq 65536", "eq 025", "eq nothing", "eq syslog", "eq", "range 9 1", "range 1", "neq 25", "lt 25",
     "gt 25", "object-group PORTS", "object-group BOTH", "object-group NETS", "echo", "5"}};
const Choices tails = {{"", "log"}, {"log 6", "log disable", "inactive", "time-range T", "logs", "0x1"}};
const Choices blanks = {{" "}, {"  ", "\t", ""}};

TEST_CASE("the short way reads what the grammar reads: random entries", "[asa]") {
  const Configuration configuration = configuration_of(definitions);
  std::size_t plain = 0;
  rc::prop("equal where it is plain", [&] {
    std::mt19937 random(*rc::gen::arbitrary<std::uint32_t>());
    const auto any_of = [&](const Choices& choices) {
      const auto& those = random() % 8 == 0 ? choices.other : choices.plain;
      return those[random() % those.size()];
    };
    for (int i = 0; i < 100; ++i) {
      std::string entry(any_of(heads));
      for (const Choices* part : {&addresses, &addresses, &services, &tails})
        if (const std::string_view words = any_of(*part); !words.empty())
          entry.append(any_of(blanks)).append(words);
      if (plain_ace(entry, configuration)) ++plain;
      if (!is_same_or_none(entry, configuration)) RC_FAIL(entry);
    }
  });
  CHECK(plain > 1000);  // of 10,000
}

TEST_CASE("the short way reads what the grammar reads: addresses alone", "[asa]") {
  const Configuration configuration = configuration_of(definitions);
  for (const std::string_view address : addresses.plain)
    CHECK(plain_address(" " + std::string(address), configuration));
  for (const auto* choices : {&addresses.plain, &addresses.other})
    for (const std::string_view address : *choices)
      for (const std::string_view behind : {"", " ", "x", " 255.255.255.0", " (mx.example.org)"}) {
        const std::string text = fmt::format(" {}{}", address, behind);
        INFO(text);
        const auto plain = plain_address(text, configuration);
        if (!plain) continue;
        Words words(text);
        const AddressResult whole = parse_address_place(words, configuration);
        CHECK(whole.place == *plain);
        CHECK((whole.fault.empty() && whole.odd_octet.empty() && whole.unpaired.empty()));
        CHECK(words.at_end());
      }
}

TEST_CASE("the short way reads what the grammar reads: all entries of the case files", "[asa]") {
  std::size_t entries = 0;
  for (const auto& file : std::filesystem::directory_iterator(test::root() / "vendors/cisco_asa/cases")) {
    std::ostringstream bytes;
    bytes << std::ifstream(file.path(), std::ios::binary).rdbuf();
    const std::string text = bytes.str();
    const Configuration configuration = configuration_of(text);
    constexpr std::string_view extended = " extended ";
    for (std::size_t at = text.find(extended); at != std::string::npos; at = text.find(extended, at)) {
      at += extended.size();
      const std::string_view entry = std::string_view(text).substr(at, text.find_first_of("\r\n", at) - at);
      INFO(file.path() << ": " << entry);
      CHECK(is_same_or_none(entry, configuration));
      ++entries;
    }
  }
  CHECK(entries > 100);
}

}  // namespace
}  // namespace aclmend::cisco_asa
