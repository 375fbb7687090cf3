// What is compiled in: the newest rows of each instance, the history of the SMTP rows, and that both agree
// with each other and with the real lists they were taken from.
#include "tests/support/test.h"

#include <map>
#include <set>

#include "base/file.h"
#include "endpoints/result.h"

using namespace aclmend;
using namespace aclmend::endpoints;

namespace {

Prefix prefix(std::string_view text) { return parse_prefix(text).value(); }
AddressSet set(std::string_view text) { return AddressSet(prefix(text)); }

std::vector<Row> smtp_rows(const Release& release) {
  std::vector<Row> rows;
  for (const Row& row : release.rows)
    if (selects(smtp_selection(), row)) rows.push_back(row);
  return rows;
}

std::vector<Prefix> smtp_prefixes(const Release& release) {
  std::vector<Prefix> all;
  for (const Row& row : smtp_rows(release)) all.insert(all.end(), row.ips.begin(), row.ips.end());
  std::ranges::sort(all);
  return all;
}

// The real lists of an instance by version; empty where they are not at hand.
std::map<std::string, Release> real_releases(Instance instance) {
  std::map<std::string, Release> all;
  const std::string name(to_string(instance));
  for (const std::string& folder : {"m365/from-docs-json/" + name, std::string("m365/exchange-only")}) {
    const auto path = test::shared_data(folder);
    if (path.empty()) continue;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
      const std::string file = entry.path().filename();
      if (!file.starts_with(name + "-")) continue;
      auto release = decode(*read_file(entry.path()).value(), instance);
      REQUIRE(release);
      all.emplace(file.substr(name.size() + 1, 10), std::move(*release));
    }
  }
  return all;
}

const Former* former_holding(const std::vector<Former>& former, std::string_view text) {
  for (const Former& part : former)
    if (part.addresses.covers(set(text))) return &part;
  return nullptr;
}

std::string left(const std::vector<Former>& former, std::string_view text) {
  const Former* part = former_holding(former, text);
  return part == nullptr ? "still in force or never listed" : in_words(part->until);
}

}  // namespace

TEST_CASE("the newest rows of every instance say their version or date, and how complete they are",
          "[endpoints]") {
  std::string told;
  for (const Instance instance : instances()) {
    const Release release = newest(instance);
    CHECK(release.instance == instance);
    CHECK(release.sha256.size() == 64);
    CHECK(!release.checked.empty());
    told += title(release) + ": " + std::string(to_string(release.completeness)) + ", " +
            std::to_string(release.rows.size()) + "\n";
  }
  CHECK(told ==
        "Microsoft 365 Worldwide as of 2025-12-01, built in, last checked 2026-08-11: whole, 64\n"
        "Microsoft 365 USGovGCCHigh as of 2025-12-01, built in, last checked 2025-12-01: whole, 26\n"
        "Microsoft 365 USGovDoD as of 2025-12-01, built in, last checked 2025-12-01: whole, 24\n"
        "Microsoft 365 China as of 2025-11-27, built in, last checked 2025-11-27: smtp-rows-newer, 22\n"
        "Microsoft 365 Germany 2020120100, built in, last checked 2020-12-01: whole, 31\n");
}

TEST_CASE("the SMTP ranges of every instance", "[endpoints]") {
  const auto ranges = [](Instance instance) {
    return to_string(select(newest(instance), smtp_selection()).value().addresses);
  };
  CHECK(ranges(Instance::worldwide) ==
        "40.92.0.0/15 40.107.0.0/16 52.100.0.0/14 104.47.0.0/17 2a01:111:f400::/48 2a01:111:f403::/48");
  CHECK(
      ranges(Instance::usgov_gcc_high) ==
      "23.103.191.0/24 23.103.199.128/25 23.103.208.0/22 52.227.182.149/32 52.238.74.212/32 52.244.65.13/32 "
      "62.10.128.0/20 2001:489a:2202:4::/62 2001:489a:2202:c::/62 2001:489a:2202:2000::/63 "
      "2001:489a:2202:8000::/50");
  CHECK(ranges(Instance::usgov_dod) ==
        "23.103.191.0/24 23.103.199.0/25 23.103.204.0/22 62.10.144.0/20 2001:489a:2202::/62 "
        "2001:489a:2202:8::/62 "
        "2001:489a:2202:2000::/63 2001:489a:2202:c000::/50");
  CHECK(ranges(Instance::china) ==
        "40.72.120.0/22 40.72.124.192/26 42.159.33.192/27 42.159.36.0/24 42.159.161.192/27 42.159.164.0/24 "
        "139.219.16.0/23 139.219.24.0/22 139.219.145.0/24 139.219.146.0/24 139.219.156.0/22 159.27.176.0/21 "
        "2406:e500:200::/64 2406:e500:201::/64 2406:e500:4400::/39");
  CHECK(ranges(Instance::germany) ==
        "51.4.72.0/24 51.4.80.0/27 51.5.72.0/24 51.5.80.0/27 2a01:4180:4050:400::/64 2a01:4180:4050:800::/64 "
        "2a01:4180:4051:400::/64 2a01:4180:4051:800::/64");
}

TEST_CASE("the history ends with the newest rows: prefixes, row and ports", "[endpoints]") {
  for (const Instance instance : instances()) {
    INFO(to_string(instance));
    const Release release = newest(instance);
    const auto rows = smtp_rows(release);
    REQUIRE(rows.size() == 1);
    std::vector<Prefix> standing;
    for (const Listing& listing : history(instance)) {
      CHECK(listing.since);
      if (listing.until) continue;
      standing.push_back(listing.prefix);
      CHECK(listing.id == rows[0].id);
      CHECK(listing.service == service(rows[0]));
    }
    std::ranges::sort(standing);
    CHECK(standing == smtp_prefixes(release));
  }
}

TEST_CASE("the history is what walking the real lists gives", "[endpoints]") {
  for (const Instance instance : instances()) {
    INFO(to_string(instance));
    const auto releases = real_releases(instance);
    if (releases.empty()) {
      WARN("the real lists are not at hand");
      return;
    }
    std::set<std::pair<Prefix, std::string>> came, went;
    std::vector<Prefix> before;
    for (const auto& [version, real] : releases) {
      INFO(version);
      const auto replayed = at_version(instance, version);
      REQUIRE(replayed);
      CHECK(replayed->version == version);
      CHECK(smtp_prefixes(*replayed) == smtp_prefixes(real));
      const auto ours = smtp_rows(*replayed), theirs = smtp_rows(real);
      REQUIRE(ours.size() == theirs.size());
      for (std::size_t i = 0; i < ours.size(); ++i) {
        CHECK(ours[i].id == theirs[i].id);
        CHECK(ours[i].tcp_ports == theirs[i].tcp_ports);
      }
      const auto now = smtp_prefixes(real);
      for (const Prefix& one : now)
        if (!std::ranges::binary_search(before, one)) came.emplace(one, version);
      for (const Prefix& one : before)
        if (!std::ranges::binary_search(now, one)) went.emplace(one, version);
      before = now;
    }
    std::set<std::pair<Prefix, std::string>> told_came, told_went;
    for (const Listing& listing : history(instance)) {
      if (!listing.since->version.empty()) {
        told_came.emplace(listing.prefix, listing.since->version);
        CHECK(listing.since->first_known == (listing.since->version == releases.begin()->first));
      }
      if (listing.until && !listing.until->version.empty())
        told_went.emplace(listing.prefix, listing.until->version);
    }
    CHECK(told_came == came);
    CHECK(told_went == went);
  }
}

TEST_CASE("the newest embedded rows are those of the service's answers", "[endpoints]") {
  const auto check = [](Instance instance, const std::string& file) {
    const auto path = test::shared_data("m365/" + file);
    if (path.empty()) {
      WARN("not at hand: " + file);
      return;
    }
    auto real = decode(*read_file(path).value(), instance);
    REQUIRE(real);
    std::ranges::sort(real->rows, {}, &Row::id);
    CHECK(newest(instance).rows == real->rows);
  };
  check(Instance::worldwide, "service-json/worldwide-2025-12-01.json");
  check(Instance::usgov_gcc_high, "service-json/usgovgcchigh-2025-12-01.json");
  check(Instance::germany, "from-docs-json/Germany/Germany-2020120100.json");
}

TEST_CASE("China: all rows but 2 and 27 are those of the answer before the change", "[endpoints]") {
  const auto path = test::shared_data("m365/service-json/china-2025-11-before.json");
  if (path.empty()) {
    WARN("not at hand");
    return;
  }
  auto real = decode(*read_file(path).value(), Instance::china);
  REQUIRE(real);
  Release ours = newest(Instance::china);
  const auto is_changed = [](const Row& row) { return row.id == 2 || row.id == 27; };
  std::erase_if(real->rows, is_changed);
  std::erase_if(ours.rows, is_changed);
  std::ranges::sort(real->rows, {}, &Row::id);
  CHECK(ours.rows == real->rows);
}

TEST_CASE("a past version is replayed, and says that only its SMTP rows are known", "[endpoints]") {
  const auto release = at_version(Instance::worldwide, "2018072800");
  REQUIRE(release);
  CHECK(release->completeness == Completeness::smtp_rows);
  CHECK(release->as_of == "2018-07-28");
  CHECK(title(*release) == "Microsoft 365 Worldwide 2018072800, built in, SMTP rows only");
  CHECK(smtp_prefixes(*release).size() == 22);
  CHECK(!select(*release, smtp_selection())->addresses.intersects(set("23.103.144.0/20")));
  const auto next = at_version(Instance::worldwide, "2018080200");
  REQUIRE(next);
  CHECK(select(*next, smtp_selection())->addresses.covers(set("23.103.144.0/20")));
  const auto germany = at_version(Instance::germany, "2020120100");
  REQUIRE(germany);
  CHECK(germany->completeness == Completeness::whole);
}

TEST_CASE("a version that is not known is not invented", "[endpoints]") {
  const auto refusal = [](Instance instance, std::string_view version) {
    const auto release = at_version(instance, version);
    return release ? std::string("found") : to_string(release.error());
  };
  CHECK(refusal(Instance::worldwide, "2019010100") ==
        "version 2019010100 of Worldwide is not known here; the last known before it is 2018112800; the next "
        "known is "
        "2019010700");
  CHECK(refusal(Instance::worldwide, "2025120100") ==
        "version 2025120100 of Worldwide is not known here; the last known before it is 2025043000");
  CHECK(refusal(Instance::china, "0000000000") ==
        "version 0000000000 of China is not known here; the next known is 2018063000");
  CHECK(refusal(Instance::worldwide, "20190107") ==
        "expected a version of ten digits such as 2019022800, found '20190107'");
}

TEST_CASE("a selection that the list cannot answer is an error, never nothing", "[endpoints]") {
  const Selection https{.service_area = "Exchange", .tcp_port = 443, .udp_port = {}, .has_ips = true};
  CHECK(select(newest(Instance::worldwide), https)->rows.size() == 2);
  const auto past = select(*at_version(Instance::worldwide, "2018072800"), https);
  REQUIRE(!past);
  CHECK(past.error().message ==
        "Microsoft 365 Worldwide 2018072800, built in, SMTP rows only: the Exchange rows with TCP 443 and "
        "addresses "
        "cannot be told from it; give a file of that version (--endpoints)");
  const auto none = select(*at_version(Instance::china, "2018063000"), smtp_selection());
  REQUIRE(!none);
  CHECK(none.error().message ==
        "Microsoft 365 China 2018063000, built in, SMTP rows only holds no Exchange rows with TCP 25 and "
        "addresses; a "
        "list cut to other service areas, or of another instance?");
}

TEST_CASE("rows are chosen by what they are", "[endpoints]") {
  // Client submission by name (TCP 25 without addresses) is not EOP, and row 9 is TCP 443.
  const auto ids = [](Instance instance) {
    std::vector<std::uint32_t> all;
    for (const Row& row : smtp_rows(newest(instance))) all.push_back(row.id);
    return all;
  };
  CHECK(ids(Instance::worldwide) == std::vector<std::uint32_t>{10});
  CHECK(ids(Instance::usgov_gcc_high) == std::vector<std::uint32_t>{6});
  CHECK(ids(Instance::usgov_dod) == std::vector<std::uint32_t>{6});
  CHECK(ids(Instance::china) == std::vector<std::uint32_t>{27});
  CHECK(ids(Instance::germany) == std::vector<std::uint32_t>{5});
  CHECK(!select(newest(Instance::worldwide), smtp_selection())->addresses.intersects(set("52.238.78.88/32")));
}

TEST_CASE("former ranges say when the addresses left for the last time", "[endpoints]") {
  const auto former = former_ranges(newest(Instance::worldwide));
  CHECK(left(former, "23.103.212.0/22") == "in version 2018072800");
  CHECK(left(former, "65.55.88.0/24") == "in version 2019010700");
  CHECK(left(former, "157.56.110.0/23") == "in version 2019022800");
  CHECK(left(former, "23.103.144.0/20") == "in version 2019022800");  // withdrawn, put back, withdrawn
  CHECK(left(former, "40.94.0.0/15") == "in version 2019010700");     // 40.92.0.0/14 became /15
  CHECK(former_holding(former, "40.94.0.0/15")->listed[0] == prefix("40.92.0.0/14"));
  const std::string standing = "still in force or never listed";
  CHECK(left(former, "40.92.0.0/15") == standing);
  CHECK(left(former, "40.107.128.0/18") == standing);          // came back inside 40.107.0.0/16
  CHECK(left(former, "2a01:111:f400:fc00::/54") == standing);  // came back inside 2a01:111:f400::/48
  CHECK(left(former, "2a01:111:f400:7c00::/54") == standing);
  AddressSet all;
  for (const Former& part : former) {
    CHECK(!part.addresses.intersects(all));
    all |= part.addresses;
  }
  CHECK(!all.intersects(select(newest(Instance::worldwide), smtp_selection())->addresses));

  CHECK(left(former_ranges(newest(Instance::usgov_dod)), "52.181.167.52/32") ==
        "between 2022-06-29 and 2024-02-25");
  const auto china = former_ranges(newest(Instance::china));
  CHECK(left(china, "2406:e500:c020::/44") == "between 2025-11-01 and 2025-11-27");
  CHECK(left(china, "139.219.16.0/27") == standing);  // within 139.219.16.0/23
  CHECK(former_ranges(newest(Instance::germany)).empty());
}

TEST_CASE("what the list in force holds is not former", "[endpoints]") {
  const auto former = former_ranges(*at_version(Instance::worldwide, "2018080200"));
  CHECK(left(former, "23.103.144.0/20") == "still in force or never listed");
  CHECK(left(former, "40.94.0.0/15") == "still in force or never listed");
  CHECK(left(former, "23.103.212.0/22") == "in version 2018072800");
}

TEST_CASE("a file's instance is known by its SMTP rows", "[endpoints]") {
  for (const Instance instance : instances()) CHECK(likely_instance(newest(instance).rows) == instance);
  CHECK(likely_instance({}) == std::nullopt);
}

TEST_CASE("instances are named in any case, and a wrong name is told the choices", "[endpoints]") {
  CHECK(instance_named("worldwide") == Instance::worldwide);
  CHECK(instance_named("USGOVDOD") == Instance::usgov_dod);
  CHECK(instance_named("GCC").error().message ==
        "expected an instance, one of Worldwide, USGovGCCHigh, USGovDoD, China or Germany; found 'GCC'");
}
