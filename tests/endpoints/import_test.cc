// Saved answers: whose they are and of when, from what they hold, their names and what the user says. And
// documents of changes carried out on what is held.
#include "endpoints/import.h"

#include "base/digest.h"
#include "endpoints/verify.h"
#include "tests/support/test.h"

using namespace aclmend;
using namespace aclmend::endpoints;

namespace {

// A list with the SMTP row of Worldwide, of China, or with none.
const std::string worldwide = R"([{"id":1,"serviceArea":"Common","tcpPorts":"443","ips":["192.0.2.0/24"]},
{"id":10,"serviceArea":"Exchange","tcpPorts":"25","ips":["40.92.0.0/15","2a01:111:f403::/48"]}])";
const std::string china = R"([{"id":1,"serviceArea":"Common","tcpPorts":"443","ips":["192.0.2.0/24"]},
{"id":27,"serviceArea":"Exchange","tcpPorts":"25","ips":["42.159.36.0/24","2406:e500:200::/64"]}])";
const std::string nobodys = R"([{"id":1,"serviceArea":"Exchange","tcpPorts":"443","ips":["192.0.2.0/24"]}])";

std::string told(std::string name, std::string_view text, const Said& said = {}) {
  const auto imported = recognise(Source(std::move(name), text), said);
  if (!imported) return "refused: " + imported.error().message;
  std::string all;
  if (const auto* release = std::get_if<Release>(&imported->is)) {
    all = std::string(to_string(release->instance)) + " by " + imported->instance_from + ", " +
          (release->version.empty() ? "no version" : release->version) + " by " + imported->version_from +
          ", " + release->as_of;
    for (const std::string& remark : release->remarks) all += "; " + remark;
  } else {
    const Changes& changes = std::get<Changes>(imported->is);
    all = std::string(to_string(changes.instance)) + " by " + imported->instance_from + ", after '" +
          changes.from + "' to " + changes.to;
  }
  return all;
}

Said instance(Instance instance) { return {.instance = instance, .version = {}}; }

std::string record(std::string_view version, std::string_view rest) {
  return R"({"id":1,"endpointSetId":10,"disposition":"change","version":")" + std::string(version) + "\"," +
         std::string(rest) + "}";
}

Release list(std::string version, std::string_view text = worldwide) {
  Release release = decode(Source("list.json", text), Instance::worldwide).value();
  release.version = std::move(version);
  return release;
}

Changes document(std::string_view text) {
  const auto imported = recognise(Source("Worldwide-changes.json", text), {});
  REQUIRE(imported);
  return std::get<Changes>(imported->is);
}

std::string told(const Result<std::vector<Made>>& all) {
  if (!all) return "refused: " + all.error().message;
  std::string text;
  for (const Made& made : *all) {
    text += made.before + " > " + made.release.version + (made.is_held ? " held" : " made");
    for (const NotApplied& one : made.not_applied) text += "; not applied: " + one.reason;
    for (const RowDifference& one : made.differences) text += "; " + std::to_string(one.row) + " " + one.what;
    text += "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("a file's name and folder tell its instance, version or date", "[endpoints][import]") {
  const auto name = [](std::string_view path) {
    const Named found = named(path);
    return (found.instance ? std::string(to_string(*found.instance)) : "?") +
           (found.by_folder ? " by its folder" : "") + " " + found.version + found.date;
  };
  CHECK(name("Worldwide-2023073100.json") == "Worldwide 2023073100");
  CHECK(name("saved/worldwide/2018063000.json") == "Worldwide by its folder 2018063000");
  CHECK(name("Germany/China-2018063000.json") == "China 2018063000");
  CHECK(name("china/usgovdod/x.json") == "USGovDoD by its folder ");
  CHECK(name("usgovgcchigh-2025-12-01.json.gz") == "USGovGCCHigh 2025-12-01");
  CHECK(name("USGOVDOD_20251201.json") == "USGovDoD 2025-12-01");
  CHECK(name("worldwide-2025-12-01-with-mem.json") == "Worldwide 2025-12-01");
  CHECK(name("china-2025-11-before.json") == "China ");
  CHECK(name("endpoints.json") == "? ");
  CHECK(name("standard input") == "? ");
  CHECK(name("") == "? ");
  CHECK(name("2018063000/") == "? ");
  // Two that contradict each other, and what only looks like it.
  CHECK(name("china-or-worldwide-2018063000-2018073000.json") == "? ");
  CHECK(name("worldwideweb-20180630001.json") == "? ");
  CHECK(name("worldwide-2018133000.json") == "Worldwide ");
  CHECK(name("worldwide-2018-06-3.json") == "Worldwide ");
}

TEST_CASE("whose list a file is: by its rows and its name, and where they differ by the user",
          "[endpoints][import]") {
  CHECK(told("list-2023073100.json", worldwide) ==
        "Worldwide by its SMTP rows, 2023073100 by its name, 2023-07-31");
  CHECK(told("China/2023073100.json", china) == "China by its folder, 2023073100 by its name, 2023-07-31");
  CHECK(
      told("worldwide-2023073100.json", china) ==
      "refused: its name says Worldwide, and its SMTP rows are those of China: say which it is (--instance)");
  CHECK(told("worldwide-2023073100.json", china, instance(Instance::china)) ==
        "China by --instance, 2023073100 by its name, 2023-07-31");
  CHECK(told("x-2023073100.json", china, instance(Instance::germany)) ==
        "Germany by --instance, 2023073100 by its name, 2023-07-31; its SMTP rows are those of China, not of "
        "Germany");
  CHECK(told("x-2023073100.json", nobodys) ==
        "refused: neither its name, its folder nor its SMTP rows tell whose list it is: say so (--instance)");
  CHECK(told("germany-2023073100.json", nobodys) ==
        "Germany by its name, 2023073100 by its name, 2023-07-31; the list holds no IPv6 range; was it asked "
        "for "
        "with NoIPv6?; the list holds Exchange rows alone; was it cut to them?");
}

TEST_CASE("a version is never invented", "[endpoints][import]") {
  CHECK(
      told("worldwide.json", worldwide) ==
      "refused: its name holds neither a version such as 2023073100 nor a date such as 2023-07-31: say which "
      "version it is (--version)");
  CHECK(told("worldwide-2025-12-01.json", worldwide) ==
        "Worldwide by its name, no version by its name, 2025-12-01");
  Said said;
  said.version = "2025120100";
  CHECK(told("worldwide.json", worldwide, said) ==
        "Worldwide by its name, 2025120100 by --version, 2025-12-01");
  CHECK(told("worldwide-2023073100.json", worldwide, said) ==
        "Worldwide by its name, 2025120100 by --version, 2025-12-01; its name says version 2023073100");
  said.version = "December";
  CHECK(told("worldwide.json", worldwide, said) ==
        "refused: expected a version of ten digits such as 2023073100, found 'December'");
}

TEST_CASE("a document of changes is recognised, and what it is complete for", "[endpoints][import]") {
  const std::string changes = "[" + record("2018073000", R"("add":{"ips":["40.107.0.0/16"]})") + "," +
                              record("2018072800", R"("add":{"urls":["a"]})") + "]";
  CHECK(told("Worldwide-changes.json", changes) == "Worldwide by its name, after '' to 2018073000");
  CHECK(told("changes/Worldwide-2018063000.json", changes) ==
        "Worldwide by its name, after '2018063000' to 2018073000");
  CHECK(told("Worldwide-2018073000.json", changes) == "Worldwide by its name, after '' to 2018073000");
  CHECK(told("x.json", changes, instance(Instance::china)) == "China by --instance, after '' to 2018073000");
  CHECK(told("x.json", changes) ==
        "refused: neither its name, its folder nor its SMTP rows tell whose list it is: say so (--instance)");
  CHECK(told("x.json", R"({"instance":"China","latest":"2018063000"})", instance(Instance::china)) ==
        "refused: the file is an answer of /version, which says what versions there are; wanted is the "
        "answer of "
        "/endpoints/INSTANCE as JSON");
}

TEST_CASE("changes make the next release of one that is held, and are checked against the next held",
          "[endpoints][import]") {
  const std::string first = record("2018072800", R"("add":{"ips":["40.107.0.0/16"]})");
  const std::string second = record("2018073000", R"("remove":{"ips":["40.92.0.0/15"]})");
  const Changes changes = document("[" + second + "," + first + "]");
  const Release start = list("2018063000");
  const auto made = replay(std::vector{start}, changes);
  CHECK(told(made) == "2018063000 > 2018072800 made\n2018072800 > 2018073000 made\n");
  const Release& last = made->back().release;
  CHECK(to_string(addresses(last.rows[1])) == "40.107.0.0/16 2a01:111:f403::/48");
  CHECK(last.as_of == "2018-07-30");
  CHECK(last.sha256 == sha256_hex(encode(last)));
  CHECK(last.remarks == std::vector<std::string>{"made from 2018072800 by its changes"});

  // Held in between: compared, and the held one goes on.
  Release between = list("2018072800");
  CHECK(told(replay(std::vector{between, start}, changes)) ==
        "2018063000 > 2018072800 held; 10 ips: 40.107.0.0/16 is too many\n2018072800 > 2018073000 made\n");
  // Held where the document tells nothing: it should be as before.
  between.version = "2018072900";
  CHECK(told(replay(std::vector{start, between}, changes)) ==
        "2018063000 > 2018072800 made\n"
        "2018072800 > 2018072900 held; 10 ips: 40.107.0.0/16 is too many\n2018072900 > 2018073000 made\n");
  // What cannot be carried out ends it.
  const Changes wrong =
      document("[" + record("2018072800", R"("add":{"ips":["40.92.0.0/15"]})") + "," + second + "]");
  CHECK(told(replay(std::vector{start}, wrong)) ==
        "2018063000 > 2018072800 made; not applied: 40.92.0.0/15 is to be added to row 10 and stands in it "
        "already\n");
}

TEST_CASE("changes are carried out only on what they follow", "[endpoints][import]") {
  Changes changes = document("[" + record("2018072800", R"("add":{"urls":["a"]})") + "]");
  CHECK(told(replay({}, changes)) ==
        "refused: it begins with version 2018072800 of Worldwide, and no release before that is held");
  Release other = list("2018063000");
  other.instance = Instance::china;
  const Release later = list("2018072800"), dated = list("");
  Release partly = list("2018063000");
  partly.completeness = Completeness::smtp_rows;
  CHECK(told(replay(std::vector{other, later, dated, partly}, changes)) ==
        "refused: it begins with version 2018072800 of Worldwide, and no release before that is held");
  // It tells what came after a version that is not held: what lies between is in neither.
  changes.from = "2018071500";
  CHECK(told(replay(std::vector{list("2018063000")}, changes)) ==
        "refused: it tells what came after 2018071500, and the newest release held before that is "
        "2018063000: what "
        "changed between them is not in it");
  CHECK(told(replay(std::vector{list("2018071500")}, changes)) == "2018071500 > 2018072800 made\n");
}

TEST_CASE("a release that was made is read again as it was", "[endpoints][import]") {
  Release release = list("2018063000");
  release.rows[0].urls = {"b\"\\\x01\xC3\xA4", "a"};
  release.rows[0].udp_ports = PortSet::of({{443, 443}, {3478, 3481}});
  release.rows[0].category = "Allow";
  release.rows[1].required = false;
  const std::string text = encode(release);
  const auto again = decode(Source("made.json", text), Instance::worldwide);
  REQUIRE(again);
  CHECK(differences(*again, release).empty());
  CHECK(encode(*again) == text);
  std::ranges::reverse(release.rows);
  std::ranges::reverse(release.rows[0].ips);
  CHECK(encode(release) == text);
  const auto held =
      decode_held(Source("https://example.com/", text), Instance::china, "2018063000", "2018-06-30");
  CHECK(title(*held) == "Microsoft 365 China 2018063000, from the store");
}

// ---- verification and history of what is held

TEST_CASE("each release is rebuilt from the one before it and the changes held", "[endpoints][verify]") {
  const std::string smaller = R"([{"id":1,"serviceArea":"Common","tcpPorts":"443","ips":["192.0.2.0/24"]},
{"id":10,"serviceArea":"Exchange","tcpPorts":"25","ips":["40.92.0.0/15"]}])";
  const std::vector<Kept> kept = {{list("2018063000"), {}}, {list("2018073000", smaller), {}}};
  const auto told_of = [&](std::vector<Changes> changes) {
    const Verification result = verify(kept, changes);
    REQUIRE(result.steps.size() == 1);
    const Step& step = result.steps[0];
    std::string text = step.from + " > " + step.to + " by " + std::string(to_string(step.by)) + ", " +
                       std::to_string(step.records) + " records; " + step.note;
    for (const NotApplied& one : step.not_applied) text += "; not applied: " + one.reason;
    for (const RowDifference& one : step.differences) text += "; " + one.what;
    CHECK(result.agrees() == (step.not_applied.empty() && step.differences.empty()));
    return text;
  };
  const auto document_from = [](std::string from, std::string_view records) {
    Changes changes = document("[" + std::string(records) + "]");
    changes.from = std::move(from);
    return changes;
  };
  const std::string removal = record("2018073000", R"("remove":{"ips":["2a01:111:f403::/48"]})");
  CHECK(told_of({}) == "2018063000 > 2018073000 by derived, 1 records; no changes held between them");
  CHECK(told_of({document_from("2018063000", removal)}) == "2018063000 > 2018073000 by changes, 1 records; ");
  CHECK(
      told_of({document_from("2018063000", record("2018073000", R"("remove":{"ips":["40.92.0.0/15"]})"))}) ==
      "2018063000 > 2018073000 by changes, 1 records; ; ips: 40.92.0.0/15 is missing; ips: "
      "2a01:111:f403::/48 is "
      "too many");
  CHECK(
      told_of({document_from("2018063000", record("2018073000", R"("remove":{"ips":["40.93.0.0/16"]})"))}) ==
      "2018063000 > 2018073000 by changes, 0 records; ; not applied: 40.93.0.0/16 is to leave row 10 and "
      "does not "
      "stand in it; ips: 2a01:111:f403::/48 is too many");
  // Two documents that follow each other; one that leaves a gap, or does not say where it begins.
  const Changes early = document_from("2018063000", record("2018070100", R"("add":{"urls":["a"]})"));
  const Changes late = document_from(
      "2018070100", record("2018070100", R"("add":{"urls":["a"]})") + "," +
                        record("2018073000", R"("remove":{"ips":["2a01:111:f403::/48"],"urls":["a"]})"));
  CHECK(told_of({late, early}) == "2018063000 > 2018073000 by changes, 2 records; ");
  CHECK(told_of({late}) == "2018063000 > 2018073000 by derived, 1 records; no changes held between them");
  CHECK(told_of({document_from("", removal)}) ==
        "2018063000 > 2018073000 by derived, 1 records; no changes held between them");
}

TEST_CASE("a list without a version is not rebuilt, and it is said", "[endpoints][verify]") {
  Release dated = list("");
  dated.as_of = "2018-07-30";
  const Verification result = verify(std::vector<Kept>{{list("2018063000"), {}}, {dated, {}}}, {});
  REQUIRE(result.steps.size() == 1);
  CHECK(to_string(result.steps[0].by) == "nothing");
  CHECK(result.steps[0].note == "2018-07-30 has no version, so no changes lead to it");
  CHECK(result.releases == 2);
}

TEST_CASE("the history says what each release changed in the chosen rows", "[endpoints][verify]") {
  const std::vector<Kept> kept = {{list("2018063000", nobodys), "2026-03-01T10:00:00Z"},
                                  {list("2018070100"), "2026-03-02T10:00:00Z"},
                                  {list("2018070200", nobodys), {}},
                                  {list("2018070300", china), {}}};
  const auto changes = release_changes(kept, smtp_selection());
  REQUIRE(changes.size() == 4);
  CHECK(!changes[0].difference);
  CHECK(changes[0].first_seen == "2026-03-01T10:00:00Z");
  CHECK(changes[0].not_compared.find("holds no Exchange rows with TCP 25 and addresses") !=
        std::string::npos);
  CHECK(changes[1].is_first);
  CHECK(to_string(changes[1].difference->added) == "40.92.0.0/15 2a01:111:f403::/48");
  CHECK(changes[1].difference->rows.size() == 1);
  CHECK(!changes[2].difference);
  REQUIRE(changes[3].difference);
  CHECK(to_string(changes[3].difference->removed) == "40.92.0.0/15 2a01:111:f403::/48");
  const auto all = release_changes(kept, std::nullopt);
  CHECK(all[0].is_first);
  CHECK(to_string(all[2].difference->removed) == "40.92.0.0/15 2a01:111:f403::/48");
}
