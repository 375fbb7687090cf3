// A list as a file for `ipset restore`, against our own reader of ipsets; the kernel's opinion is
// tests/oracle/lists_test.cc.
#include <algorithm>

#include "tests/support/random_addresses.h"
#include "tests/support/test.h"
#include "vendors/iptables/edit.h"
#include "vendors/iptables/ipset_read.h"

namespace aclmend::iptables {
namespace {

AddressSet held(const IpSet* set) {
  AddressSet all;
  if (set == nullptr) return all;
  CHECK(set->is_known());
  CHECK(set->type == SetType::hash_net);
  for (const Element& element : set->elements) {
    CHECK_FALSE(element.nomatch);
    all |= AddressSet(set->first_prefix(element));
  }
  return all;
}

IpSets restored(const std::string& text, IpSets before = {}) {
  const Source source("list.ipset", text);
  const auto reading = read_ipsets(source, 0, std::move(before));
  REQUIRE(reading);
  INFO(text);
  CHECK(reading->diagnostics.all().empty());
  return reading->sets;
}

NamedList list_of(AddressSet addresses) { return {"EOP", std::move(addresses), "", {"a comment"}}; }

}  // namespace

TEST_CASE("a restore file fills a set beside the one in force and swaps them", "[iptables][ipset][lists]") {
  CHECK(written_as(restore_format, list_of(AddressSet(parse_prefix("40.92.0.0/15").value()) |
                                           AddressSet(parse_prefix("192.0.2.7/32").value())))
            .value() ==
        "# a comment\n"
        "# load it with: ipset restore < THIS; a rule names a set: --match-set EOP-v4\n"
        "create EOP-v4 hash:net family inet maxelem 65536 -exist\n"
        "create EOP.v4 hash:net family inet maxelem 65536 -exist\n"
        "flush EOP.v4\n"
        "add EOP.v4 40.92.0.0/15\n"
        "add EOP.v4 192.0.2.7/32\n"
        "swap EOP.v4 EOP-v4\n"
        "destroy EOP.v4\n");
}

TEST_CASE("both families are filled before either is swapped in", "[iptables][ipset][lists]") {
  NamedList list = list_of(AddressSet(parse_prefix("40.92.0.0/15").value()) |
                           AddressSet(parse_prefix("2001:db8::/32").value()));
  list.heading.clear();
  CHECK(written_as(restore_format, list).value() ==
        "create EOP-v4 hash:net family inet maxelem 65536 -exist\n"
        "create EOP.v4 hash:net family inet maxelem 65536 -exist\n"
        "create EOP-v6 hash:net family inet6 maxelem 65536 -exist\n"
        "create EOP.v6 hash:net family inet6 maxelem 65536 -exist\n"
        "flush EOP.v4\n"
        "add EOP.v4 40.92.0.0/15\n"
        "flush EOP.v6\n"
        "add EOP.v6 2001:db8::/32\n"
        "swap EOP.v4 EOP-v4\n"
        "swap EOP.v6 EOP-v6\n"
        "destroy EOP.v4\n"
        "destroy EOP.v6\n");
}

TEST_CASE("a set's name has at most 31 characters, its ending included", "[iptables][ipset][lists]") {
  NamedList list = list_of(AddressSet(parse_prefix("192.0.2.0/24").value()));
  list.name = std::string(28, 'a');
  CHECK(restored(written_as(restore_format, list).value()).named(list.name + "-v4") != nullptr);
  list.name += 'a';
  CHECK_FALSE(written_as(restore_format, list));
}

TEST_CASE("what is restored holds exactly the list, whatever was there", "[iptables][ipset][lists]") {
  IpSets before;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 dice(seed);
    AddressSet addresses = test::random_addresses(dice);
    if (seed == 7) addresses = AddressSet::all();  // hash:net takes no /0
    if (addresses.empty()) continue;
    INFO("seed " << seed);
    const IpSets after = restored(written_as(restore_format, list_of(addresses)).value(), before);
    const bool has_v4 = !addresses.v4.empty(), has_v6 = !addresses.v6.empty();
    const IpSet *four = after.named("EOP-v4"), *six = after.named("EOP-v6");
    if (has_v4) CHECK(held(four).v4 == addresses.v4);
    else CHECK((four != nullptr) == (before.named("EOP-v4") != nullptr));
    if (has_v6) CHECK(held(six).v6 == addresses.v6);
    CHECK(after.named("EOP.v4") == nullptr);
    CHECK(after.named("EOP.v6") == nullptr);
    before = after;
  }
}

}  // namespace aclmend::iptables
