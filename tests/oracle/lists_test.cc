// Exported lists loaded by the real nft and ipset in a network namespace of the test's own: each holds
// exactly the addresses, and loading the next list changes them in one step.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "endpoints/lists.h"
#include "sets/prefix_list.h"
#include "tests/oracle/iptables/namespace.h"
#include "tests/support/random_addresses.h"
#include "tests/support/test.h"
#include "vendors/vendor.h"

namespace aclmend::oracle {
namespace {

using Json = nlohmann::json;

const ListFormat& format_named(std::string_view id) {
  for (const ListFormat& format : endpoints::list_formats())
    if (format.id == id) return format;
  for (const Vendor* vendor : all_vendors())
    if (vendor->list != nullptr && vendor->list->id == id) return *vendor->list;
  throw std::logic_error("no such format");
}

struct Kernel {
  Descriptor home, inside;
};
Result<Kernel> kernel(const std::vector<std::string>& probe, std::string_view in) {
  TRY(home, own_namespace());
  TRY(made, new_namespace(home));
  Kernel kernel{std::move(home), std::move(made)};
  const Inside there(kernel.inside, kernel.home);
  TRY(probed, ran(probe, in));
  if (probed.status != 0) return fail(fmt::format("{}: {}", probe[0], trimmed(probed.err)));
  return kernel;
}

// A namespace in which the program works; where there is none the test says that nothing was asked.
std::optional<Kernel> asked(const std::vector<std::string>& probe, std::string_view in) {
  auto made = kernel(probe, in);
  if (made) return std::move(*made);
  WARN("exported lists were not loaded into the kernel: " << made.error().message);
  return std::nullopt;
}

AddressSet element_of(const Json& element) {
  if (element.is_string()) return AddressSet(parse_prefix(element.get<std::string>()).value());
  if (element.contains("range"))
    return {parse_address(element["range"][0].get<std::string>()).value(),
            parse_address(element["range"][1].get<std::string>()).value()};
  const Json& prefix = element.at("prefix");
  return AddressSet(
      prefix_of(parse_address(prefix.at("addr").get<std::string>()).value(), prefix.at("len").get<int>()));
}

AddressSet nft_holds(const std::string& name) {
  const auto listed = ran({"nft", "-j", "list", "set", "inet", "filter", name}, "");
  REQUIRE(listed);
  AddressSet all;
  if (listed->status != 0) return all;
  const Json document = Json::parse(listed->out);
  for (const Json& item : document.at("nftables"))
    if (item.contains("set") && item["set"].contains("elem"))
      for (const Json& element : item["set"]["elem"]) all |= element_of(element);
  return all;
}

AddressSet ipset_holds(const std::string& name) {
  const auto saved = ran({"ipset", "save", name}, "");
  REQUIRE(saved);
  AddressSet all;
  for (const std::string_view line : split(saved->out, '\n'))
    if (const auto words = split(line, ' '); words.size() == 3 && words[0] == "add")
      all |= read_entry(words[2], HostBits::refused).value();
  return all;
}

NamedList some_list(std::mt19937_64& dice) {
  return {"M365-EOP", test::random_addresses(dice), "", {"a comment; with { marks } and 'quotes'"}};
}

}  // namespace

TEST_CASE("nft loads its sets, and loads them again over others", "[kernel][lists]") {
  const auto kernel = asked({"nft", "-f", "-"}, "add table inet filter\n");
  if (!kernel) return;
  const Inside there(kernel->inside, kernel->home);
  AddressSet before;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    std::mt19937_64 dice(seed);
    NamedList list = some_list(dice);
    if (seed == 9) list.addresses |= AddressSet::all(Family::ipv4);
    if (list.addresses.empty()) continue;
    const std::string text = written_as(format_named("nft"), list).value();
    INFO("seed " << seed << "\n" << text);
    CHECK(ran({"nft", "-c", "-f", "-"}, text)->err == "");
    CHECK(ran({"nft", "-f", "-"}, text)->err == "");
    // A family of which there is nothing keeps what it had.
    if (!list.addresses.v4.empty()) before.v4 = list.addresses.v4;
    if (!list.addresses.v6.empty()) before.v6 = list.addresses.v6;
    CHECK(nft_holds("M365-EOP-v4").v4 == before.v4);
    CHECK(nft_holds("M365-EOP-v6").v6 == before.v6);
  }
  const auto used = ran({"nft", "-f", "-"},
                        "add chain inet filter input { type filter hook input priority 0; policy drop; }\n"
                        "add rule inet filter input tcp dport 25 ip saddr @M365-EOP-v4 accept\n");
  CHECK(used->err == "");
  std::mt19937_64 dice(1);
  NamedList list = some_list(dice);
  list.addresses |= AddressSet(parse_prefix("192.0.2.0/24").value());
  CHECK(ran({"nft", "-f", "-"}, written_as(format_named("nft"), list).value())->err == "");
  CHECK(nft_holds("M365-EOP-v4").v4 == list.addresses.v4);
}

TEST_CASE("nft leaves the set as it was where a file is spoilt", "[kernel][lists]") {
  const auto kernel = asked({"nft", "-f", "-"}, "add table inet filter\n");
  if (!kernel) return;
  const Inside there(kernel->inside, kernel->home);
  const AddressSet first(parse_prefix("192.0.2.0/24").value()),
      second(parse_prefix("198.51.100.0/24").value());
  CHECK(ran({"nft", "-f", "-"}, written_as(format_named("nft"), {"EOP", first, "", {}}).value())->status ==
        0);
  const std::string spoilt = written_as(format_named("nft"), {"EOP", second, "", {}}).value() +
                             "add element inet filter nosuch { 192.0.2.1 }\n";
  CHECK(ran({"nft", "-f", "-"}, spoilt)->status != 0);
  CHECK(nft_holds("EOP-v4") == first);
}

TEST_CASE("ipset restores its sets, and restores them again over others that rules use", "[kernel][lists]") {
  const auto kernel = asked({"ipset", "restore"}, "create probe hash:net\ndestroy probe\n");
  if (!kernel) return;
  const Inside there(kernel->inside, kernel->home);
  AddressSet before;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    std::mt19937_64 dice(seed);
    NamedList list = some_list(dice);
    if (seed == 9) list.addresses |= AddressSet::all(Family::ipv4);
    if (list.addresses.empty()) continue;
    const std::string text = written_as(format_named("ipset"), list).value();
    INFO("seed " << seed << "\n" << text);
    CHECK(ran({"ipset", "restore"}, text)->err == "");
    if (!list.addresses.v4.empty()) before.v4 = list.addresses.v4;
    if (!list.addresses.v6.empty()) before.v6 = list.addresses.v6;
    CHECK(ipset_holds("M365-EOP-v4").v4 == before.v4);
    CHECK(ipset_holds("M365-EOP-v6").v6 == before.v6);
    if (seed == 20) {  // from here on a rule holds the set, so that it cannot be destroyed
      const auto rule = ran(
          {"iptables", "-A", "INPUT", "-m", "set", "--match-set", "M365-EOP-v4", "src", "-j", "ACCEPT"}, "");
      if (!rule || rule->status != 0) WARN("no rule could be made that uses the set");
    }
    if (seed == 30) CHECK(ran({"ipset", "create", "M365-EOP.v4", "hash:net"}, "")->status == 0);  // cut off
  }
  const auto names = ran({"ipset", "list", "-n"}, "");
  CHECK(names->out.find("M365-EOP.") == std::string::npos);
}

TEST_CASE("a set of another kind under a name stays as it is, and so does the other family's",
          "[kernel][lists]") {
  const auto kernel = asked({"ipset", "restore"},
                            "create EOP-v4 hash:net\nadd EOP-v4 192.0.2.0/24\n"
                            "create EOP-v6 hash:ip family inet6\nadd EOP-v6 2001:db8::1\n");
  if (!kernel) return;
  const Inside there(kernel->inside, kernel->home);
  const AddressSet addresses = AddressSet(parse_prefix("198.51.100.0/24").value()) |
                               AddressSet(parse_prefix("2001:db8:1::/48").value());
  const auto refused =
      ran({"ipset", "restore"}, written_as(format_named("ipset"), {"EOP", addresses, "", {}}).value());
  CHECK(refused->status != 0);
  CHECK(ipset_holds("EOP-v4") == AddressSet(parse_prefix("192.0.2.0/24").value()));
  CHECK(ipset_holds("EOP-v6") == AddressSet(parse_prefix("2001:db8::1/128").value()));
}

}  // namespace aclmend::oracle
