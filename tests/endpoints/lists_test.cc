// A selection of a release as a list: what stands in each neutral form, and what is refused.
#include "endpoints/lists.h"

#include <algorithm>

#include "base/text.h"
#include "sets/prefix_list.h"
#include "tests/support/random_addresses.h"
#include "tests/support/test.h"

using namespace aclmend;
using namespace aclmend::endpoints;

namespace {

ListRequest smtp_request() {
  return {.selection = smtp_selection(),
          .literal = {},
          .words = to_string(smtp_selection()),
          .flow = "eop-inbound-smtp",
          .name = {},
          .families = Families::both};
}

Row row(std::uint32_t id, std::initializer_list<std::string_view> prefixes) {
  Row made{.id = id,
           .service_area = "Exchange",
           .tcp_ports = PortSet(25, 25),
           .udp_ports = {},
           .ips = {},
           .urls = {},
           .category = "Allow",
           .required = true};
  for (const std::string_view text : prefixes) made.ips.push_back(parse_prefix(text).value());
  return made;
}

Release release_with(std::vector<Row> rows) {
  Release release;
  release.instance = Instance::worldwide;
  release.version = "2025120100";
  release.origin = Origin::file;
  release.file = "list.json";
  release.sha256 = std::string(64, 'a');
  release.rows = std::move(rows);
  return release;
}

List smtp_list(const Release& release) { return list_of(release, smtp_request()).value(); }

const ListFormat& format_named(std::string_view id) {
  const auto found = std::ranges::find(list_formats(), id, &ListFormat::id);
  REQUIRE(found != list_formats().end());
  return *found;
}

std::string text_as(std::string_view format, const List& list) {
  return written_as(format_named(format), list.named).value();
}

// The prefixes of the lines of a text: the first word of each line that begins with a digit.
std::vector<std::string> first_words(std::string_view text) {
  std::vector<std::string> words;
  for (const std::string_view line : split(text, '\n'))
    if (!line.empty() && line[0] != '#') words.emplace_back(line.substr(0, line.find(' ')));
  return words;
}

}  // namespace

TEST_CASE("the plain list of what is built in", "[endpoints][lists]") {
  const Release now = newest(Instance::worldwide);
  CHECK(text_as("plain", smtp_list(now)) ==
        "# addresses that Microsoft 365 publishes, chosen by aclmend\n"
        "# list       Microsoft 365 Worldwide as of " +
            now.as_of + ", built in\n# sha256     " + now.sha256 +
            "\n"
            "# chosen     Exchange rows with TCP 25 and addresses (flow eop-inbound-smtp)\n"
            "# holds      4 IPv4 prefixes, 2 IPv6 prefixes\n"
            "# direction  Microsoft's list states no direction: who connects to whom is not said\n"
            "40.92.0.0/15\n40.107.0.0/16\n52.100.0.0/14\n104.47.0.0/17\n"
            "2a01:111:f400::/48\n2a01:111:f403::/48\n");
}

TEST_CASE("prefixes are the fewest, IPv4 first, ascending, each with its length", "[endpoints][lists]") {
  const List list = smtp_list(release_with({row(1, {"2001:db8::/33", "198.51.100.7/32", "192.0.2.128/25"}),
                                            row(2, {"192.0.2.0/25", "2001:db8:8000::/33"})}));
  CHECK(first_words(text_as("plain", list)) ==
        std::vector<std::string>{"192.0.2.0/24", "198.51.100.7/32", "2001:db8::/32"});
  CHECK(list.named.name == "M365-EOP-INBOUND-SMTP");
}

TEST_CASE("one family can be asked for, and is all there is then", "[endpoints][lists]") {
  ListRequest request = smtp_request();
  request.families = Families::ipv6;
  const List six =
      list_of(release_with({row(1, {"192.0.2.0/24"}), row(2, {"2001:db8::/32", "203.0.113.0/24"})}), request)
          .value();
  CHECK(first_words(text_as("plain", six)) == std::vector<std::string>{"2001:db8::/32"});
  CHECK(text_as("plain", six).find("1 IPv6 prefix; IPv4 was not asked for") != std::string::npos);
  REQUIRE(six.rows.size() == 1);
  CHECK(six.rows[0].id == 2);
  CHECK(six.rows[0].ips.size() == 1);
  CHECK(families_named("IPv4").value() == Families::ipv4);
  CHECK(families_named("v4").error().message == "expected ipv4, ipv6 or both, found 'v4'");
}

TEST_CASE("what would be empty, or everything, is an error", "[endpoints][lists]") {
  ListRequest request = smtp_request();
  request.families = Families::ipv6;
  CHECK(list_of(release_with({row(1, {"192.0.2.0/24"})}), request).error().message ==
        "Microsoft 365 Worldwide 2025120100, file list.json: no IPv6 address among Exchange rows with TCP 25 "
        "and addresses");
  CHECK_FALSE(list_of(release_with({}), smtp_request()));
  CHECK(list_of(release_with({row(1, {"0.0.0.0/1", "128.0.0.0/1"})}), smtp_request())
            .error()
            .message.find("every address of a family") != std::string::npos);
  ListRequest literal = smtp_request();
  literal.literal = AddressSet();
  CHECK_FALSE(list_of(newest(Instance::worldwide), literal));
}

TEST_CASE("every row can be asked for, of a release of which every row is known", "[endpoints][lists]") {
  ListRequest request;
  request.words = "every row";
  const List all = list_of(newest(Instance::worldwide), request).value();
  CHECK(all.named.addresses == addresses(newest(Instance::worldwide).rows));
  CHECK(all.named.name == "M365-WORLDWIDE");
  CHECK(std::ranges::none_of(all.rows, [](const Row& one) { return one.ips.empty(); }));
  CHECK_FALSE(list_of(at_version(Instance::worldwide, "2018072800").value(), request));
}

TEST_CASE("ranges that a flow names itself are no list of Microsoft's, and the head says so",
          "[endpoints][lists]") {
  ListRequest request;
  request.literal = relay_pool();
  request.flow = "relay-pool";
  request.words = "the ranges that the flow itself names";
  const List list = list_of(newest(Instance::worldwide), request).value();
  CHECK(text_as("plain", list) ==
        "# addresses that a required flow names itself; no list of Microsoft's holds them\n"
        "# chosen     the ranges that the flow itself names (flow relay-pool)\n"
        "# holds      1 IPv4 prefix, 0 IPv6 prefixes\n"
        "40.95.0.0/16\n");
  CHECK(csv(list).ends_with("\n40.95.0.0/16,ipv4,,,,,,\n"));
}

TEST_CASE("CSV has a line for each prefix of each row, and spreadsheets do not run it",
          "[endpoints][lists]") {
  Row first = row(9, {"198.51.100.0/25", "198.51.100.128/25", "2001:db8::/32"});
  first.tcp_ports = PortSet(80, 80) | PortSet(443, 443);
  first.udp_ports = PortSet(3478, 3481);
  first.required.reset();
  first.category = "=cmd|' /C calc'!A0, \"x\"";
  first.service_area = "a\nb";
  List list = list_of(release_with({first, row(10, {"192.0.2.0/24", "198.51.100.0/24"})}),
                      {.selection = {}, .literal = {}, .words = "every row", .flow = {}, .name = {}})
                  .value();
  list.named.heading = {"one"};
  CHECK(csv(list) ==
        "# one\n"
        "prefix,family,id,service_area,tcp_ports,udp_ports,category,required\n"
        "192.0.2.0/24,ipv4,10,Exchange,25,,Allow,true\n"
        "198.51.100.0/24,ipv4,9,a\\x0ab,\"80,443\",3478-3481,\"'=cmd|' /C calc'!A0, \"\"x\"\"\",\n"
        "198.51.100.0/24,ipv4,10,Exchange,25,,Allow,true\n"
        "2001:db8::/32,ipv6,9,a\\x0ab,\"80,443\",3478-3481,\"'=cmd|' /C calc'!A0, \"\"x\"\"\",\n");
}

TEST_CASE("no line of an external dynamic list is a comment alone", "[endpoints][lists]") {
  List list = smtp_list(release_with({row(1, {"192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"})}));
  list.named.heading = {"one", "two", "three", "four", "five"};
  CHECK(text_as("edl", list) ==
        "192.0.2.0/24 # one\n198.51.100.0/24 # two\n2001:db8::/32 # three; four; five\n");
  list.named.heading = {"one"};
  CHECK(text_as("edl", list) == "192.0.2.0/24 # one\n198.51.100.0/24\n2001:db8::/32\n");
  list.named.heading.clear();
  CHECK(text_as("edl", list) == "192.0.2.0/24\n198.51.100.0/24\n2001:db8::/32\n");
}

TEST_CASE("more than PAN-OS takes is refused", "[endpoints][lists]") {
  std::vector<Interval<V4>> hosts;
  for (V4 i = 0; i <= 50'000; ++i) hosts.push_back({0x0A000000 + 2 * i, 0x0A000000 + 2 * i});
  NamedList many{"EOP", {FlipSet<V4>::of(hosts), {}}, {}, {}};
  CHECK(written_as(format_named("edl"), many).error().message ==
        "edl: at most 50,000 prefixes, and these are 50,001; PAN-OS skips the entries beyond");
  hosts.pop_back();
  many.addresses = {FlipSet<V4>::of(hosts), {}};
  CHECK(written_as(format_named("edl"), many));
}

TEST_CASE("a check of the list changes no byte of what was exported from it", "[endpoints][lists]") {
  Release release = release_with({row(1, {"192.0.2.0/24"})});
  release.origin = Origin::store;
  release.checked = "2026-01-01";
  const List before = smtp_list(release);
  release.checked = "2026-01-02";
  const List after = smtp_list(release);
  for (const char* format : {"plain", "edl", "nft"}) CHECK(text_as(format, before) == text_as(format, after));
  CHECK(csv(before) == csv(after));
  CHECK(before.named.description == after.named.description);
}

TEST_CASE("a set of nftables a family, of those that have addresses", "[endpoints][lists]") {
  List list = smtp_list(release_with({row(1, {"192.0.2.0/24", "198.51.100.7/32"})}));
  list.named.heading.clear();
  CHECK(text_as("nft", list) ==
        "add table inet filter\n"
        "add set inet filter M365-EOP-INBOUND-SMTP-v4 { type ipv4_addr; flags interval; }\n"
        "flush set inet filter M365-EOP-INBOUND-SMTP-v4\n"
        "add element inet filter M365-EOP-INBOUND-SMTP-v4 {\n"
        "  192.0.2.0/24,\n"
        "  198.51.100.7/32\n"
        "}\n");
  list = smtp_list(release_with({row(1, {"192.0.2.0/24", "2001:db8::/32"})}));
  const std::string both = text_as("nft", list);
  CHECK(both.find("-v4 { type ipv4_addr") != std::string::npos);
  CHECK(both.find("-v6 { type ipv6_addr") != std::string::npos);
}

TEST_CASE("where a file's name tries to leave the comment, it stays in it", "[endpoints][lists]") {
  Release release = release_with({row(1, {"192.0.2.0/24"})});
  release.file = "a\nflush ruleset\n" + std::string(2000, 'x');
  const List list = smtp_list(release);
  for (const std::string& text :
       {text_as("plain", list), text_as("nft", list), text_as("edl", list), csv(list)})
    for (const std::string_view line : split(text, '\n')) {
      CHECK_FALSE(line.starts_with("flush ruleset"));
      CHECK(line.size() < 1000);
    }
}

TEST_CASE("the same list gives the same bytes, and reading it gives the same addresses",
          "[endpoints][lists]") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 dice(seed);
    const AddressSet addresses = test::random_addresses(dice);
    if (addresses.empty()) continue;
    INFO("seed " << seed);
    Row one = row(10, {});
    one.ips = addresses.prefixes();
    std::ranges::shuffle(one.ips, dice);
    const List list = smtp_list(release_with({one}));
    for (const char* format : {"plain", "edl"}) {
      const std::string text = text_as(format, list);
      const Source source("list", text);
      CHECK(read_prefix_list(source, HostBits::refused).value().addresses == addresses);
      CHECK(text == text_as(format, smtp_list(release_with({one}))));
    }
  }
}
