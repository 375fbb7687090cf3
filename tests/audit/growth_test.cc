// The work of an audit grows with its input and no faster, whatever the input: counted in bytes allocated,
// since a million rules in a test would cost everybody's time and seconds tell nothing on a busy machine.
#include <fmt/format.h>

#include "tests/support/allocations.h"
#include "tests/support/folder.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

namespace aclmend {
namespace {

// A firewall whose mail host is 10.1.1.25, on the wire 203.0.113.25; the entries are those of its list OUT.
std::string firewall(const std::string& groups, const std::string& entries) {
  return "ASA Version 9.16(4)\n"
         "hostname edge\n"
         "interface GigabitEthernet0/0\n nameif outside\n security-level 0\n"
         " ip address 203.0.113.2 255.255.255.0\n"
         "interface GigabitEthernet0/1\n nameif dmz\n security-level 50\n"
         " ip address 10.1.1.1 255.255.255.0\n"
         "object network MAIL\n host 10.1.1.25\n" +
         groups + entries +
         "access-list OUT extended deny ip any any\n"
         "object network MAIL\n nat (dmz,outside) static 203.0.113.25\n"
         "access-group OUT in interface outside\n"
         "route outside 0.0.0.0 0.0.0.0 203.0.113.1 1\n";
}

std::string dotted(std::uint32_t v4) {
  return fmt::format("{}.{}.{}.{}", v4 >> 24, v4 >> 16 & 255, v4 >> 8 & 255, v4 & 255);
}
// Numbers in an order without neighbours, none twice.
std::uint32_t scattered(std::uint32_t i, std::uint32_t below) {
  return static_cast<std::uint32_t>(std::uint64_t{i} * 1'000'003 % below);
}

std::string ordinary(std::uint32_t rules) {
  std::string entries;
  for (std::uint32_t i = 0; i < rules; ++i)
    entries += fmt::format("access-list OUT extended permit tcp host {} host {} eq {}\n",
                           dotted(0x50000000 + scattered(i, 1 << 24)), dotted(0x0A020000 + i % 65536),
                           1024 + i % 20000);
  return firewall({}, entries);
}

// Every entry is about another host of Exchange Online, the mail host and port 25.
std::string hostile(std::uint32_t rules) {
  std::string entries;
  for (std::uint32_t i = 0; i < rules; ++i)
    entries += fmt::format("access-list OUT extended {} tcp host {} host 10.1.1.25 eq smtp\n",
                           i % 2 == 0 ? "permit" : "deny", dotted(0x34640000 + scattered(i, 1 << 18)));
  return firewall({}, entries);
}

// One group of hosts of Exchange Online that every entry names, one in ten for the mail host.
std::string shared_group(std::uint32_t members, std::uint32_t rules) {
  std::string group = "object-group network BIG\n";
  for (std::uint32_t i = 0; i < members; ++i)
    group += fmt::format(" network-object host {}\n", dotted(0x34640000 + 2 * i));
  std::string entries;
  for (std::uint32_t i = 0; i < rules; ++i)
    entries += i % 10 == 0
                   ? fmt::format(
                         "access-list OUT extended permit tcp object-group BIG host 10.1.1.25 range "
                         "{} {}\n",
                         1 + i / 10 % 24, 26 + i / 240)
                   : fmt::format("access-list OUT extended permit tcp object-group BIG host {} eq {}\n",
                                 dotted(0x0A020000 + i), 1024 + i % 20000);
  return firewall(group, entries);
}

double work_of(const std::string& configuration) {
  const test::Folder folder;
  const std::string file = folder.write("edge.cfg", configuration);
  const std::uint64_t before = test::allocated_bytes();
  const test::Ran ran = test::aclmend({"audit", file, "--to", "203.0.113.25"});
  const std::uint64_t work = test::allocated_bytes() - before;
  INFO(ran.err);
  REQUIRE(ran.status == 1);  // not all that is required gets through
  return static_cast<double>(work);
}

TEST_CASE("ten times the rules are ten times the work", "[growth]") {
  CHECK(work_of(ordinary(100'000)) < 13 * work_of(ordinary(10'000)));
}

TEST_CASE("ten times the rules are ten times the work, all of them about the question", "[growth]") {
  CHECK(work_of(hostile(100'000)) < 13 * work_of(hostile(10'000)));
}

TEST_CASE("a group that many rules share is expanded once", "[growth]") {
  const double few_rules = work_of(shared_group(65'536, 10));
  const double no_group = work_of(shared_group(1, 10'000));
  CHECK(work_of(shared_group(65'536, 10'000)) < 1.5 * (few_rules + no_group));
}

}  // namespace
}  // namespace aclmend
