// Two lists compared as sets of addresses, and their rows followed across ids.
#include "tests/support/test.h"

#include <set>

#include "base/file.h"
#include "endpoints/result.h"

using namespace aclmend;
using namespace aclmend::endpoints;

namespace {

Row row(std::uint32_t id, std::string_view ports, std::initializer_list<std::string_view> ips,
        std::vector<std::string> urls = {}) {
  Row made;
  made.id = id;
  made.service_area = "Exchange";
  std::vector<Interval<std::uint16_t>> intervals;
  for (std::size_t at = 0; at < ports.size();) {
    const std::size_t comma = std::min(ports.find(',', at), ports.size());
    const auto port = static_cast<std::uint16_t>(std::stoi(std::string(ports.substr(at, comma - at))));
    intervals.push_back({port, port});
    at = comma + 1;
  }
  made.tcp_ports = PortSet::of(intervals);
  for (const std::string_view ip : ips) made.ips.push_back(parse_prefix(ip).value());
  made.urls = std::move(urls);
  made.category = "Allow";
  made.required = true;
  return made;
}

Release list(std::vector<Row> rows) {
  Release release;
  release.rows = std::move(rows);
  return release;
}

std::string told(const Difference& difference) {
  std::string text = "+ " + to_string(difference.added) + "\n- " + to_string(difference.removed) + "\n";
  for (const RowChange& change : difference.rows) {
    text += std::to_string(change.id);
    if (change.was_id) text += " was " + std::to_string(*change.was_id);
    text += " " + std::string(to_string(change.change)) + " + " + to_string(change.added) + " - " +
            to_string(change.removed) + "\n";
    CHECK(change.before.has_value() == (change.change != Change::added));
    CHECK(change.after.has_value() == (change.change != Change::removed));
  }
  return text;
}

std::string between(std::vector<Row> before, std::vector<Row> after,
                    const std::optional<Selection>& selection = std::nullopt) {
  return told(diff(list(std::move(before)), list(std::move(after)), selection).value());
}

const std::string none = "+ nothing\n- nothing\n";

}  // namespace

TEST_CASE("ranges cut or joined otherwise are no change", "[endpoints][diff]") {
  CHECK(between({row(10, "25", {"40.107.0.0/17", "40.107.128.0/17"})}, {row(10, "25", {"40.107.0.0/16"})}) ==
        none);
  CHECK(between({row(10, "25", {"40.107.0.0/16", "40.107.3.0/24"})}, {row(10, "25", {"40.107.0.0/16"})}) ==
        none);
}

TEST_CASE("widening and narrowing are told by what is covered", "[endpoints][diff]") {
  CHECK(between({row(10, "25", {"40.107.0.0/17"})}, {row(10, "25", {"40.107.0.0/16"})}) ==
        "+ 40.107.128.0/17\n- nothing\n10 widened + 40.107.128.0/17 - nothing\n");
  CHECK(between({row(10, "25", {"40.92.0.0/14"})}, {row(10, "25", {"40.92.0.0/15"})}) ==
        "+ nothing\n- 40.94.0.0/15\n10 narrowed + nothing - 40.94.0.0/15\n");
  CHECK(between({row(10, "25", {"139.219.16.0/27", "139.219.17.0/24"})},
                {row(10, "25", {"139.219.16.0/23"})}) ==
        "+ 139.219.16.32/27 139.219.16.64/26 139.219.16.128/25\n- nothing\n"
        "10 widened + 139.219.16.32/27 139.219.16.64/26 139.219.16.128/25 - nothing\n");
  CHECK(between({row(10, "25", {"192.0.2.0/25"})}, {row(10, "25", {"192.0.2.128/25"})}) ==
        "+ 192.0.2.128/25\n- 192.0.2.0/25\n10 replaced + 192.0.2.128/25 - 192.0.2.0/25\n");
}

TEST_CASE("ports, names and terms are told where the addresses stayed", "[endpoints][diff]") {
  CHECK(between({row(2, "25,443", {"192.0.2.0/24"})}, {row(2, "443", {"192.0.2.0/24"})}) ==
        none + "2 ports + nothing - nothing\n");
  CHECK(between({row(2, "25", {"192.0.2.0/24"}, {"a"})}, {row(2, "25", {"192.0.2.0/24"}, {"a", "b"})}) ==
        none + "2 urls + nothing - nothing\n");
  CHECK(between({row(2, "25", {}, {"a", "b"})}, {row(2, "25", {}, {"b", "a"})}) == none);
  Row optional = row(2, "25", {"192.0.2.0/24"});
  optional.required = false;
  CHECK(between({row(2, "25", {"192.0.2.0/24"})}, {optional}) == none + "2 terms + nothing - nothing\n");
  optional.required.reset();  // not stated: not another
  CHECK(between({row(2, "25", {"192.0.2.0/24"})}, {optional}) == none);
}

TEST_CASE("rows come and go", "[endpoints][diff]") {
  CHECK(between({row(1, "25", {"192.0.2.0/24"})}, {row(2, "443", {"198.51.100.0/24"})}) ==
        "+ 198.51.100.0/24\n- 192.0.2.0/24\n"
        "1 removed + nothing - 192.0.2.0/24\n2 added + 198.51.100.0/24 - nothing\n");
}

TEST_CASE("a row whose content stands under another id has moved", "[endpoints][diff]") {
  CHECK(between({row(2, "25,443", {"192.0.2.0/24", "198.51.100.0/24"})},
                {row(27, "25", {"192.0.2.0/24", "198.51.100.0/23"})}) ==
        "+ 198.51.101.0/24\n- nothing\n27 was 2 moved + 198.51.101.0/24 - nothing\n");
  // Other ports, or less than half: not the same thing.
  CHECK(between({row(2, "25", {"192.0.2.0/24"})}, {row(27, "443", {"192.0.2.0/24"})}) ==
        none + "2 removed + nothing - 192.0.2.0/24\n27 added + 192.0.2.0/24 - nothing\n");
  // Folded into another row, and split off one that stays.
  CHECK(between({row(2, "587", {"192.0.2.0/24"}), row(5, "143", {"192.0.2.0/24"})},
                {row(2, "143,587", {"192.0.2.0/24"})}) ==
        none + "2 ports + nothing - nothing\n2 was 5 moved + nothing - nothing\n");
  CHECK(between({row(2, "25,443", {"192.0.2.0/24"})},
                {row(2, "443", {"192.0.2.0/24"}), row(27, "25", {"192.0.2.0/24"})}) ==
        none + "2 ports + nothing - nothing\n27 was 2 moved + nothing - nothing\n");
}

TEST_CASE("a row that is the same under another id is renumbered", "[endpoints][diff]") {
  CHECK(between({row(2, "25", {"192.0.2.0/24"}, {"a"})}, {row(27, "25", {"192.0.2.0/24"}, {"a"})}) ==
        none + "27 was 2 renumbered + nothing - nothing\n");
  // With other names, or beside the old row, it moved.
  CHECK(between({row(2, "25", {"192.0.2.0/24"}, {"a"})}, {row(27, "25", {"192.0.2.0/24"}, {"b"})}) ==
        none + "27 was 2 moved + nothing - nothing\n");
  CHECK(between({row(2, "25", {"192.0.2.0/24"})},
                {row(2, "25", {"192.0.2.0/24"}), row(27, "25", {"192.0.2.0/24"})}) ==
        none + "27 was 2 moved + nothing - nothing\n");
}

namespace {

std::string purposes(std::vector<Row> before, std::vector<Row> after) {
  std::string text;
  const auto difference = diff(list(std::move(before)), list(std::move(after)), std::nullopt);
  for (const PurposeChange& one : difference->purposes) {
    text += one.service_area + " " + one.service + " " + std::string(to_string(one.change));
    for (const std::uint32_t id : one.was_ids) text += " " + std::to_string(id);
    text += " >";
    for (const std::uint32_t id : one.ids) text += " " + std::to_string(id);
    text += " + " + to_string(one.added) + " - " + to_string(one.removed) + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("what changed for a service is told whatever rows hold it", "[endpoints][diff]") {
  // China in 2025: TCP 25 left row 2 for a row of its own and grew; 53 and 80 ended; 443 stayed.
  CHECK(purposes({row(2, "25,53,80,443", {"42.159.36.0/24", "139.219.16.0/27"})},
                 {row(2, "443", {"42.159.36.0/24", "139.219.16.0/27"}),
                  row(27, "25", {"42.159.36.0/24", "139.219.16.0/24"})}) ==
        "Exchange tcp/25 widened 2 > 27 + 139.219.16.32/27 139.219.16.64/26 139.219.16.128/25 - nothing\n"
        "Exchange tcp/53,80 removed 2 > + nothing - 42.159.36.0/24 139.219.16.0/27\n");
  CHECK(purposes({row(2, "25", {"192.0.2.0/24"})}, {row(27, "25", {"192.0.2.0/25", "192.0.2.128/25"})}) ==
        "Exchange tcp/25 renumbered 2 > 27 + nothing - nothing\n");
  CHECK(purposes({row(2, "25,443", {"192.0.2.0/24"})},
                 {row(2, "443", {"192.0.2.0/24"}), row(27, "25", {"192.0.2.0/24"})}) ==
        "Exchange tcp/25 moved 2 > 27 + nothing - nothing\n");
  // The same range in two rows: one row's loss is no loss.
  CHECK(purposes({row(1, "25", {"192.0.2.0/24"}), row(2, "25", {"192.0.2.0/25"})},
                 {row(1, "25", {"192.0.2.0/24"})}) == "Exchange tcp/25 moved 1 2 > 1 + nothing - nothing\n");
  CHECK(purposes({row(1, "25", {"192.0.2.0/24"})}, {row(1, "25", {"192.0.2.0/24"}, {"a"})}).empty());
  CHECK(purposes({row(1, "25", {"192.0.2.0/24"})},
                 {row(1, "25", {"192.0.2.0/25"}), row(3, "443", {"198.51.100.0/24"})}) ==
        "Exchange tcp/25 narrowed 1 > 1 + nothing - 192.0.2.128/25\n"
        "Exchange tcp/443 added > 3 + 198.51.100.0/24 - nothing\n");
  Row skype = row(11, "", {"13.107.64.0/18"});
  skype.service_area = "Skype";
  skype.udp_ports = PortSet::of({{3478, 3481}});
  Row skype_now = skype;
  skype_now.udp_ports = PortSet::of({{3478, 3479}, {50000, 59999}});
  CHECK(purposes({skype}, {skype_now}) ==
        "Skype udp/3480-3481 removed 11 > + nothing - 13.107.64.0/18\n"
        "Skype udp/50000-59999 added > 11 + 13.107.64.0/18 - nothing\n");
}

TEST_CASE("a selection compares only what it chooses", "[endpoints][diff]") {
  const std::vector<Row> before = {row(9, "443", {"192.0.2.0/24"}), row(10, "25", {"192.0.2.0/24"})};
  const std::vector<Row> after = {row(9, "443", {"198.51.100.0/24"}), row(10, "25", {"192.0.2.0/24"})};
  CHECK(between(before, after, smtp_selection()) == none);
  CHECK(between(before, after) ==
        "+ 198.51.100.0/24\n- nothing\n9 replaced + 198.51.100.0/24 - 192.0.2.0/24\n");
}

TEST_CASE("China's SMTP row moved from 2 to 27 in November 2025", "[endpoints][diff]") {
  const auto difference =
      diff(at_version(Instance::china, "2022072800").value(), newest(Instance::china), smtp_selection());
  REQUIRE(difference);
  CHECK(
      to_string(difference->added) ==
      "40.72.120.0/22 40.72.124.192/26 139.219.16.32/27 139.219.16.64/26 139.219.16.128/25 139.219.145.32/27 "
      "139.219.145.64/26 139.219.145.128/25 159.27.176.0/21 2406:e500:200::/64 2406:e500:201::/64 "
      "2406:e500:4400::/43 2406:e500:4460::/43 2406:e500:4480::/41 2406:e500:4500::/40");
  CHECK(to_string(difference->removed) == "2406:e500:c020::/44 2406:e500:c120::/44");
  REQUIRE(difference->rows.size() == 1);
  CHECK(difference->rows[0].id == 27);
  CHECK(difference->rows[0].was_id == 2);
  CHECK(difference->rows[0].change == Change::moved);
}

TEST_CASE("what is not known of a past version is not called changed", "[endpoints][diff]") {
  // Its names and categories are not known; its addresses are.
  const auto difference = diff(at_version(Instance::worldwide, "2022072800").value(),
                               newest(Instance::worldwide), smtp_selection());
  REQUIRE(difference);
  CHECK(told(*difference) == none);
  const auto all =
      diff(at_version(Instance::worldwide, "2022072800").value(), newest(Instance::worldwide), std::nullopt);
  REQUIRE(!all);
  CHECK(all.error().message ==
        "Microsoft 365 Worldwide 2022072800, built in, SMTP rows only: all rows cannot be compared");
}

TEST_CASE("what came and what left is exactly the difference, however ranges are cut", "[endpoints][diff]") {
  rc::prop("against a table of 256 addresses", [] {
    const auto rows = [] {
      std::vector<Row> made;
      const auto count = *rc::gen::inRange(1, 5);
      for (int i = 0; i < count; ++i) {
        Row one = row(static_cast<std::uint32_t>(*rc::gen::inRange(1, 6) * 10 + i),
                      *rc::gen::element<std::string>("25", "443", "25,443"), {});
        const auto prefixes = *rc::gen::inRange(0, 4);
        for (int j = 0; j < prefixes; ++j)
          one.ips.push_back(prefix_of(Address::v4(0xC0000200U + static_cast<V4>(*rc::gen::inRange(0, 256))),
                                      *rc::gen::inRange(24, 33)));
        made.push_back(std::move(one));
      }
      return made;
    };
    const Release before = list(rows()), after = list(rows());
    const auto difference = diff(before, after, std::nullopt);
    RC_ASSERT(difference.has_value());
    const auto holds = [](const Release& release, Address address) {
      for (const Row& one : release.rows)
        for (const Prefix& ip : one.ips)
          if (ip.contains(address)) return true;
      return false;
    };
    for (V4 i = 0; i < 256; ++i) {
      const Address address = Address::v4(0xC0000200U + i);
      RC_ASSERT(difference->added.contains(address) == (!holds(before, address) && holds(after, address)));
      RC_ASSERT(difference->removed.contains(address) == (holds(before, address) && !holds(after, address)));
    }
    // Each port of the service: what came and left is what its purposes say.
    for (const std::uint16_t port : {std::uint16_t{25}, std::uint16_t{443}}) {
      const auto having = [port](const Release& release) {
        std::vector<Row> rows = release.rows;
        std::erase_if(rows, [port](const Row& one) { return !one.tcp_ports.contains(port); });
        return addresses(rows);
      };
      AddressSet came, went;
      for (const PurposeChange& one : difference->purposes) {
        if (one.service.find(std::to_string(port)) == std::string::npos) continue;
        came |= one.added;
        went |= one.removed;
      }
      RC_ASSERT(came == having(after) - having(before));
      RC_ASSERT(went == having(before) - having(after));
    }
    const auto same = diff(before, before, std::nullopt);
    RC_ASSERT(same->rows.empty());
    RC_ASSERT(same->purposes.empty());
  });
}

TEST_CASE("every step between real lists of an instance agrees with their texts", "[endpoints][diff]") {
  for (const Instance instance : instances()) {
    const auto path = test::shared_data("m365/from-docs-json/" + std::string(to_string(instance)));
    if (path.empty()) {
      WARN("the real lists are not at hand");
      return;
    }
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(path)) files.push_back(entry.path());
    std::ranges::sort(files);
    std::optional<Release> before;
    for (const auto& file : files) {
      INFO(file);
      Release now = decode(*read_file(file).value(), instance).value();
      if (before) {
        const auto difference = diff(*before, now, std::nullopt);
        REQUIRE(difference);
        // Rows that are told as unchanged hold the same addresses and ports; changed ones are told once an
        // id.
        for (const Row& one : now.rows) {
          const auto told_of = std::ranges::count_if(difference->rows, [&](const RowChange& change) {
            return change.id == one.id && !change.was_id && change.change != Change::removed;
          });
          const auto was = std::ranges::find(before->rows, one.id, &Row::id);
          if (was == before->rows.end()) continue;
          const bool same = addresses(*was) == addresses(one) && was->tcp_ports == one.tcp_ports &&
                            was->udp_ports == one.udp_ports && was->category == one.category &&
                            was->required == one.required && was->service_area == one.service_area;
          if (same && std::multiset<std::string>(was->urls.begin(), was->urls.end()) ==
                          std::multiset<std::string>(one.urls.begin(), one.urls.end()))
            CHECK(told_of == 0);
          if (!same) CHECK(told_of == 1);
        }
        CHECK(difference->added == addresses(now.rows) - addresses(before->rows));
      }
      before = std::move(now);
    }
  }
}
