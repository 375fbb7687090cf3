// The 163 real releases of five instances, taken in by their names, through the store and back, and told: the
// SMTP timeline, and each release rebuilt from its predecessor and the changes.
#include "tests/support/test.h"

#include <map>

#include "base/file.h"
#include "endpoints/import.h"
#include "endpoints/verify.h"
#include "store/store.h"
#include "tests/support/folder.h"

using namespace aclmend;
using namespace aclmend::endpoints;

namespace {

constexpr std::string_view now = "2026-03-01T10:00:00Z";

using Lists = std::map<Instance, std::vector<Kept>>;

// Files → recognised → put → read again. Empty where the lists are not at hand.
Lists through_the_store() {
  Lists lists;
  const auto root = test::shared_data("m365/from-docs-json");
  if (root.empty()) return lists;
  const test::Folder folder;
  auto store = store::Store::open(folder.path() + "/store.sqlite", store::Mode::read_write);
  REQUIRE(store);
  std::vector<store::Held> received;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    const SourcePtr source = read_file(entry.path()).value();
    const auto imported = recognise(*source, {});
    INFO(entry.path());
    INFO((imported ? "" : imported.error().message));
    REQUIRE(imported);
    const Release& release = std::get<Release>(imported->is);
    CHECK(entry.path().filename().string().starts_with(std::string(to_string(release.instance)) + "-" +
                                                       release.version));
    received.push_back({.instance = std::string(to_string(release.instance)),
                        .version = release.version,
                        .as_of = release.as_of,
                        .origin = "file",
                        .source = source->name(),
                        .first_seen = std::string(now),
                        .completeness = std::string(to_string(release.completeness)),
                        .sha256 = {},
                        .bytes = 0,
                        .body = std::string(source->text())});
  }
  CHECK(received.size() == 163);
  const auto put = store->put_releases(received);
  REQUIRE(put);
  for (const store::Put one : *put) CHECK(one == store::Put::added);
  for (const Instance instance : instances()) {
    const std::string name(to_string(instance));
    const auto heads = store->releases(name);
    REQUIRE(heads);
    for (const store::Held& head : *heads) {
      const auto held = store->release(name, head.version).value().value();
      const auto release = decode_held(Source(held.source, held.body), instance, held.version, held.as_of);
      REQUIRE(release);
      lists[instance].push_back({*release, held.first_seen});
    }
  }
  return lists;
}

const Lists& real_lists() {
  static const Lists lists = through_the_store();
  if (lists.empty()) WARN("the real lists are not at hand");
  return lists;
}

std::vector<std::string> beside(std::vector<std::string> names, std::vector<std::string> others) {
  std::ranges::sort(names);
  std::ranges::sort(others);
  std::vector<std::string> left;
  std::ranges::set_difference(names, others, std::back_inserter(left));
  left.erase(std::ranges::unique(left).begin(), left.end());
  return left;
}

// A row of Microsoft's, as it was published: "+ 40.92.0.0/15 - 40.92.0.0/14".
std::string as_published(const RowChange& change) {
  const Row none, &before = change.before ? *change.before : none,
                  &after = change.after ? *change.after : none;
  std::string text = std::to_string(change.id);
  if (before.tcp_ports != after.tcp_ports) text += " " + service(after);
  const auto tell = [&text](std::string_view sign, const std::vector<std::string>& entries) {
    if (!entries.empty()) text += " " + std::string(sign);
    for (const std::string& entry : entries) text += " " + entry;
  };
  std::vector<Prefix> ips_before = before.ips, ips_after = after.ips, came, went;
  std::ranges::sort(ips_before);
  std::ranges::sort(ips_after);
  std::ranges::set_difference(ips_after, ips_before, std::back_inserter(came));
  std::ranges::set_difference(ips_before, ips_after, std::back_inserter(went));
  tell("+", to_strings(came));
  tell("-", to_strings(went));
  tell("+", beside(after.urls, before.urls));
  tell("-", beside(before.urls, after.urls));
  return text;
}

// A line for each version in which an SMTP row changed.
std::string timeline(const std::vector<Kept>& releases) {
  std::string text;
  for (const ReleaseChange& one : release_changes(releases, smtp_selection())) {
    if (!one.difference || one.difference->rows.empty()) continue;
    text += one.version;
    for (const RowChange& change : one.difference->rows) text += " " + as_published(change);
    text += "\n";
  }
  return text;
}

// The same in addresses: what TCP 25 of Exchange gained and lost.
std::string coverage(const std::vector<Kept>& releases) {
  std::string text;
  for (const ReleaseChange& one : release_changes(releases, smtp_selection())) {
    if (!one.difference || one.is_first) continue;
    for (const PurposeChange& purpose : one.difference->purposes) {
      if (purpose.service.find("25") == std::string::npos) continue;
      text += one.version + " " + purpose.service + " " + std::string(to_string(purpose.change)) + " + " +
              to_string(purpose.added) + " - " + to_string(purpose.removed) + "\n";
      CHECK(one.difference->added == purpose.added);
      CHECK(one.difference->removed == purpose.removed);
    }
  }
  return text;
}

}  // namespace

TEST_CASE("the real releases give the timeline of the SMTP rows", "[endpoints][replay]") {
  const Lists& lists = real_lists();
  if (lists.empty()) return;
  CHECK(lists.at(Instance::worldwide).size() == 47);
  CHECK(
      timeline(lists.at(Instance::worldwide)) ==
      "2018063000 10 tcp/25 + 23.103.132.0/22 23.103.136.0/21 23.103.144.0/20 23.103.198.0/23 "
      "23.103.200.0/22 "
      "23.103.212.0/22 40.92.0.0/14 40.107.0.0/17 40.107.128.0/18 52.100.0.0/14 65.55.88.0/24 65.55.169.0/24 "
      "94.245.120.64/26 104.47.0.0/17 157.55.234.0/24 157.56.110.0/23 157.56.112.0/24 207.46.100.0/24 "
      "207.46.163.0/24 213.199.154.0/24 213.199.180.128/26 216.32.180.0/23 2a01:111:f400:7c00::/54 "
      "2a01:111:f400:fc00::/54 2a01:111:f403::/48\n"
      "2018072800 10 - 23.103.144.0/20 23.103.212.0/22 40.107.128.0/18\n"
      "2018080200 10 + 23.103.144.0/20 + *.mail.protection.outlook.com\n"
      "2018102900 10 - 2a01:111:f400:fc00::/54\n"
      "2019010700 10 + 40.92.0.0/15 40.107.0.0/16 - 40.92.0.0/14 40.107.0.0/17 65.55.88.0/24 "
      "94.245.120.64/26 "
      "213.199.180.128/26 216.32.180.0/23\n"
      "2019022800 10 - 23.103.132.0/22 23.103.136.0/21 23.103.144.0/20 23.103.198.0/23 23.103.200.0/22 "
      "65.55.169.0/24 157.55.234.0/24 157.56.110.0/23 157.56.112.0/24 207.46.100.0/24 207.46.163.0/24 "
      "213.199.154.0/24\n"
      "2019072900 10 + 2a01:111:f400::/48 - 2a01:111:f400:7c00::/54\n");
  CHECK(timeline(lists.at(Instance::usgov_gcc_high)) ==
        "2018063000 6 tcp/25,443 + 13.72.179.197/32 13.72.183.70/32 23.103.191.0/24 23.103.199.128/25 "
        "23.103.208.0/22 52.227.170.14/32 52.227.170.120/32 52.227.178.94/32 52.227.180.138/32 "
        "52.227.182.149/32 "
        "52.238.74.212/32 2001:489a:2202:4::/62 2001:489a:2202:c::/62 2001:489a:2202:2000::/63 "
        "+ *.manage.office365.us *.protection.office365.us *.scc.office365.us manage.office365.us "
        "scc.office365.us\n"
        "2021011500 6 + 52.244.65.13/32\n");
  CHECK(timeline(lists.at(Instance::usgov_dod)) ==
        "2018063000 6 tcp/25,443 + 23.103.191.0/24 23.103.199.0/25 23.103.204.0/22 52.181.167.91/32 "
        "52.182.95.219/32 2001:489a:2202::/62 2001:489a:2202:8::/62 2001:489a:2202:2000::/63 "
        "+ *.protection.office365.us *.scc.protection.apps.mil scc.protection.apps.mil\n"
        "2018102900 6 + 23.103.208.0/22\n"
        "2019011100 6 + 52.181.167.52/32 + *.protection.apps.mil - *.scc.protection.apps.mil "
        "scc.protection.apps.mil\n"
        "2020062900 6 - 23.103.208.0/22\n");
  // Before 2019062800 its row 2 has no TCP 25.
  CHECK(timeline(lists.at(Instance::china)) ==
        "2019062800 2 tcp/25,53,80,443 + 42.159.33.192/27 42.159.36.0/24 42.159.161.192/27 42.159.164.0/24 "
        "139.219.16.0/27 139.219.17.0/24 139.219.24.0/22 139.219.145.0/27 139.219.146.0/24 139.219.156.0/22 "
        "2406:e500:c020::/44 2406:e500:c120::/44\n"
        "2020022800 2 + 2406:e500:4440::/43\n"
        "2021092800 2 + 2406:e500:4420::/43\n");
  CHECK(
      timeline(lists.at(Instance::germany)) ==
      "2018063000 5 tcp/25,443 + 51.4.72.0/24 51.4.80.0/27 51.5.72.0/24 51.5.80.0/27 2a01:4180:4050:400::/64 "
      "2a01:4180:4050:800::/64 2a01:4180:4051:400::/64 2a01:4180:4051:800::/64 "
      "+ *.mail.protection.outlook.de *.protection.outlook.de\n"
      "2020062900 5 - *.mail.protection.outlook.de\n");
}

TEST_CASE("the same timeline in addresses: what is cut otherwise is no change", "[endpoints][replay]") {
  const Lists& lists = real_lists();
  if (lists.empty()) return;
  CHECK(coverage(lists.at(Instance::worldwide)) ==
        "2018072800 tcp/25 narrowed + nothing - 23.103.144.0/20 23.103.212.0/22 40.107.128.0/18\n"
        "2018080200 tcp/25 widened + 23.103.144.0/20 - nothing\n"
        "2018102900 tcp/25 narrowed + nothing - 2a01:111:f400:fc00::/54\n"
        "2019010700 tcp/25 replaced + 40.107.128.0/17 - 40.94.0.0/15 65.55.88.0/24 94.245.120.64/26 "
        "213.199.180.128/26 216.32.180.0/23\n"
        "2019022800 tcp/25 narrowed + nothing - 23.103.132.0/22 23.103.136.0/21 23.103.144.0/20 "
        "23.103.198.0/23 "
        "23.103.200.0/22 65.55.169.0/24 157.55.234.0/24 157.56.110.0/23 157.56.112.0/24 207.46.100.0/24 "
        "207.46.163.0/24 213.199.154.0/24\n"
        "2019072900 tcp/25 widened + 2a01:111:f400::/50 2a01:111:f400:4000::/51 2a01:111:f400:6000::/52 "
        "2a01:111:f400:7000::/53 2a01:111:f400:7800::/54 2a01:111:f400:8000::/49 - nothing\n");
}

TEST_CASE("the real releases have the SMTP rows that are compiled in", "[endpoints][replay]") {
  for (const auto& [instance, releases] : real_lists())
    for (const Kept& kept : releases) {
      INFO(to_string(instance) << " " << kept.release.version);
      const auto built_in = at_version(instance, kept.release.version);
      REQUIRE(built_in);
      const auto real = select(kept.release, smtp_selection());
      const auto ours = select(*built_in, smtp_selection());
      REQUIRE(real.has_value() == ours.has_value());
      if (real) CHECK(real->addresses == ours->addresses);
    }
}

TEST_CASE("each real release is made from its predecessor by the changes between them",
          "[endpoints][replay]") {
  std::size_t records = 0, steps = 0;
  for (const auto& [instance, releases] : real_lists()) {
    const std::string name(to_string(instance));
    INFO(name);
    const auto file = test::shared_data("m365/derived-changes/" + name + "-changes-derived.json");
    REQUIRE(!file.empty());
    const auto imported = recognise(*read_file(file).value(), {});
    REQUIRE(imported);
    Changes changes = std::get<Changes>(imported->is);
    CHECK(changes.instance == instance);
    CHECK(changes.remarks.empty());
    records += changes.records.size();

    // Version by version, from the first alone: what is made is what is held.
    std::vector<Release> held = {releases.front().release};
    const auto made = replay(held, changes);
    REQUIRE(made);
    for (const Made& one : *made) {
      for (const NotApplied& not_applied : one.not_applied)
        FAIL_CHECK(title(not_applied.record) << ": " << not_applied.reason);
      const auto same =
          std::ranges::find(releases, one.release.version,
                            [](const Kept& kept) -> const std::string& { return kept.release.version; });
      REQUIRE(same != releases.end());
      for (const RowDifference& difference : differences(one.release, same->release))
        FAIL_CHECK(one.release.version << " row " << difference.row << " " << difference.what);
    }
    const Release& last = made->back().release;
    CHECK(decode(Source("made", encode(last)), instance)->rows == last.rows);
    // And as a store verifies it.
    changes.from = releases.front().release.version;
    const Verification verification = verify(releases, std::vector{changes});
    steps += verification.steps.size();
    CHECK(verification.agrees());
    for (const Step& step : verification.steps)
      CHECK((step.by == Step::By::changes || step.from >= changes.to));
  }
  if (!real_lists().empty()) {
    CHECK(records == 580);
    CHECK(steps == 158);
  }
}
