// A list as an object group: what is typed in is read as exactly the same addresses.
#include <algorithm>

#include "tests/support/edits.h"
#include "tests/support/random_addresses.h"
#include "tests/support/test.h"
#include "vendors/cisco_asa/edit.h"

namespace aclmend::cisco_asa {
namespace {

constexpr const char* device =
    "ASA Version 9.16(4)\nhostname edge\ninterface GigabitEthernet0/0\n nameif outside\n security-level 0\n"
    " ip address 203.0.113.1 255.255.255.0\naccess-list OUT extended deny ip any any\n"
    "access-group OUT in interface outside\n";

const Vendor& asa() {
  for (const Vendor* vendor : all_vendors())
    if (vendor->id == "cisco-asa") return *vendor;
  throw std::logic_error("no cisco-asa");
}

// The group after the text was typed into the device, twice where it should change nothing.
AddressSet typed_in(const std::string& text, int times = 1) {
  const SourcePtr config = std::make_shared<const Source>("edge.cfg", device);
  ReadOptions options;
  for (int i = 0; i < times; ++i) options.scripts.push_back(std::make_shared<const Source>("list.txt", text));
  // Groups that nothing uses are not in a policy.
  options.scripts.push_back(std::make_shared<const Source>(
      "rule.txt", "access-list OUT line 1 extended permit tcp object-group EOP any eq smtp\n"));
  const auto reading = asa().read(std::span(&config, 1), options);
  REQUIRE(reading);
  if (times == 1) {
    INFO(text);
    CHECK(test::errors_of(*reading) == "");
  }
  for (const model::AddressGroup& group : reading->devices[0].policy.groups)
    if (group.name == "EOP") {
      CHECK(group.addresses.certain == group.addresses.possible);
      return group.addresses.certain;
    }
  return {};
}

NamedList list_of(AddressSet addresses) {
  return {"EOP", std::move(addresses), "Microsoft 365 Worldwide; what? 100 %", {"who connects?", "! second"}};
}

}  // namespace

TEST_CASE("an object group to paste: only commands and comments, no question marks", "[asa][lists]") {
  const AddressSet addresses = AddressSet(parse_prefix("40.92.0.0/15").value()) |
                               AddressSet(parse_prefix("203.0.113.7/32").value()) |
                               AddressSet(parse_prefix("2001:db8::/32").value());
  CHECK(written_as(object_group_format, list_of(addresses)).value() ==
        "! who connects\n"
        "! ! second\n"
        "! adds to the group EOP; what it holds already stays (\"already exists\" does no harm)\n"
        "! to see what it holds: show running-config object-group id EOP\n"
        "! a group of both families needs 9.0 or later, and must not stand in a nat command\n"
        "configure terminal\n"
        "object-group network EOP\n"
        " description Microsoft 365 Worldwide; what 100 %\n"
        " network-object 40.92.0.0 255.254.0.0\n"
        " network-object host 203.0.113.7\n"
        " network-object 2001:db8::/32\n"
        "end\n");
  NamedList bare = list_of(AddressSet(parse_prefix("2001:db8::/32").value()));
  bare.heading.clear();
  bare.description.clear();
  CHECK(written_as(object_group_format, bare).value() ==
        "configure terminal\nobject-group network EOP\n network-object 2001:db8::/32\nend\n");
}

TEST_CASE("a group's name has at most 64 characters", "[asa][lists]") {
  NamedList list = list_of(AddressSet(parse_prefix("192.0.2.0/24").value()));
  list.name = std::string(64, 'a');
  CHECK(written_as(object_group_format, list));
  list.name += 'a';
  CHECK_FALSE(written_as(object_group_format, list));
}

TEST_CASE("an object group that is typed in holds exactly the list", "[asa][lists]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    std::mt19937_64 dice(seed);
    const AddressSet addresses = test::random_addresses(dice);
    if (addresses.empty()) continue;
    INFO("seed " << seed);
    const std::string text = written_as(object_group_format, list_of(addresses)).value();
    CHECK(typed_in(text) == addresses);
    if (seed < 5) CHECK(typed_in(text, 2) == addresses);
  }
}

}  // namespace aclmend::cisco_asa
