// Answers of /changes and /version: what is odd in real ones is read, what is not understood is refused with
// its place; records are carried out only on a list that is as they say.
#include "endpoints/changes.h"

#include "base/file.h"
#include "tests/support/test.h"

using namespace aclmend;
using namespace aclmend::endpoints;

namespace {

Result<Changes> decoded(std::string_view text) {
  return decode_changes(Source("changes.json", text), Instance::worldwide);
}

std::string refusal(std::string_view text) {
  const auto changes = decoded(text);
  return changes ? "accepted" : to_string(changes.error());
}

std::string record_with(std::string_view members) {
  return R"([{"id": 1, "endpointSetId": 10, "disposition": "Change", "version": "2020012800", )" +
         std::string(members) + "}]";
}

std::vector<Prefix> prefixes(std::initializer_list<std::string_view> texts) {
  std::vector<Prefix> all;
  for (const std::string_view text : texts) all.push_back(parse_prefix(text).value());
  return all;
}

PortSet ports(std::uint16_t port) { return PortSet::of({{port, port}}); }

Row row(std::uint32_t id, std::uint16_t port, std::initializer_list<std::string_view> ips,
        std::vector<std::string> urls = {}) {
  Row made;
  made.id = id;
  made.service_area = "Exchange";
  made.tcp_ports = ports(port);
  made.ips = prefixes(ips);
  made.urls = std::move(urls);
  made.category = "Allow";
  made.required = true;
  return made;
}

Release list(std::string version, std::vector<Row> rows) {
  Release release;
  release.version = std::move(version);
  release.rows = std::move(rows);
  return release;
}

ChangeRecord record(Disposition disposition, std::uint32_t id) {
  ChangeRecord made;
  made.id = 7;
  made.row = id;
  made.disposition = disposition;
  made.version = "2020012800";
  return made;
}

// What was not carried out, or the rows that came of it.
std::string told(const Release& before, const ChangeRecord& one) {
  const Applied applied = apply(before, std::vector{one}, "2020012800").value();
  if (!applied.not_applied.empty()) {
    CHECK(applied.not_applied.size() == 1);
    CHECK(applied.not_applied[0].record == one);
    CHECK(differences(applied.release, before).empty());  // wholly or not at all
    return applied.not_applied[0].reason;
  }
  std::string text;
  for (const Row& made : applied.release.rows) {
    text += (text.empty() ? "" : "; ") + std::to_string(made.id) + " " + service(made);
    for (const std::string& ip : to_strings(made.ips)) text += " " + ip;
    for (const std::string& url : made.urls) text += " " + url;
  }
  return text;
}

}  // namespace

TEST_CASE("a real record is read with all that is odd in it", "[endpoints][changes]") {
  const auto changes = decoded(R"([
  {"id": 500, "endpointSetId": 149, "disposition": "Add", "version": "2020012800", "impact": "AddedUrl",
   "current": {"expressRoute": "false", "serviceArea": "Common", "category": "Default", "required": "true",
               "tcpPorts": "80, 443", "notes": ""},
   "add": {"effectiveDate": "20191125", "urls": ["a.office.com", "b.office.com"]}},
  {"id": 501, "endpointSetId": 10, "disposition": "CHANGE", "version": "2018112800", "impact": "Renumbered",
   "previous": {"required": "False"}, "current": {"required": true},
   "add": {"ips": ["40.92.0.0/15", "40.92.0.0/15"]}, "remove": {"ips": [], "urls": ["c"]},
   "changeDescription": "Removing old IP prefixes", "later": 1}
])");
  REQUIRE(changes);
  REQUIRE(changes->records.size() == 2);
  CHECK(changes->sha256.size() == 64);
  CHECK(changes->lines == 10);
  const ChangeRecord& first = changes->records[0];  // by version
  CHECK(first.id == 501);
  CHECK(first.disposition == Disposition::change);
  CHECK(first.effective.empty());
  CHECK(first.added_ips == prefixes({"40.92.0.0/15"}));
  CHECK(first.removed_urls == std::vector<std::string>{"c"});
  CHECK(first.previous.required == false);
  CHECK(first.current.required == true);
  CHECK(!first.current.tcp_ports);
  CHECK(first.line == 6);
  const ChangeRecord& second = changes->records[1];
  CHECK(title(second) == "row 149, record 500 of 2020012800");
  CHECK(second.disposition == Disposition::add);
  CHECK(second.effective == "2019-11-25");
  CHECK(second.current.service_area == "Common");
  CHECK(second.current.required == true);
  CHECK(second.previous == Terms());
  CHECK(changes->remarks ==
        std::vector<std::string>{"'later' is not known here and was passed over",
                                 "the impact 'Renumbered' is not known here; nothing hangs on it"});
  CHECK(decoded("[]")->records.empty());
}

TEST_CASE("what is not understood of a record is refused with its place", "[endpoints][changes]") {
  CHECK(refusal(record_with(R"("add": {"ips": ["40.92.0.1/15"]})")) ==
        "changes.json:1:99: 40.92.0.1/15 has bits set beyond its length; is 40.92.0.0/15 meant?");
  CHECK(refusal(record_with(R"("add": {"effectiveDate": "25.11.2019"})")) ==
        "changes.json:1:108: expected an 'effectiveDate' such as 20191125, found '25.11.2019'");
  CHECK(refusal(record_with(R"("add": {"effectiveDate": "20191345"})")) ==
        "changes.json:1:108: expected an 'effectiveDate' such as 20191125, found '20191345'");
  CHECK(refusal(record_with(R"("add": ["40.92.0.0/15"])")) ==
        "changes.json:1:90: expected an object for 'add', found a list");
  CHECK(refusal(record_with(R"("current": {"required": "maybe"})")) ==
        "changes.json:1:107: expected true or false for 'required', found a text");
  CHECK(refusal(R"([{"id": 1, "endpointSetId": 10, "disposition": "Move", "version": "2020012800"}])") ==
        "changes.json:1:48: expected 'disposition' to be add, change or remove, found 'Move'");
  CHECK(
      refusal(R"([{"id": 1, "endpointSetId": 10, "disposition": "Add", "version": "20200128"}])") ==
      "changes.json:1:2: record 1: expected a 'version' of ten digits such as 2020012800, found '20200128'");
  CHECK(refusal(R"([{"id": 1, "disposition": "Add", "version": "2020012800"}])") ==
        "changes.json:1:2: a record without 'endpointSetId'");
  CHECK(refusal(R"([{"endpointSetId": 1, "disposition": "Add", "version": "2020012800"}])") ==
        "changes.json:1:2: a record without 'id'");
  CHECK(refusal("[5]") == "changes.json:1:2: expected a record, found a number");
}

TEST_CASE("what is another kind of answer is named", "[endpoints][changes]") {
  const std::string wanted = "; wanted is the answer of /changes/INSTANCE/VERSION as JSON";
  CHECK(refusal(R"([{"id": 1, "serviceArea": "Exchange"}])") ==
        "changes.json:1:1: the file is an answer of /endpoints, which says what stands in the list and not "
        "what "
        "changed" +
            wanted);
  CHECK(refusal(R"({"latest": "2020012800"})") ==
        "changes.json:1:1: the file is an answer of /version, which says what versions there are" + wanted);
  CHECK(refusal("<html>") ==
        "changes.json:1:1: the file is an HTML page, perhaps a proxy's or a portal's error" + wanted);
  CHECK(refusal("") == "changes.json:1:1: the file is empty" + wanted);
  CHECK(refusal("{}") == "changes.json:1:1: the file is JSON, but no list of changes" + wanted);
}

TEST_CASE("what a document may hold is bounded", "[endpoints][changes]") {
  std::string many = "[";
  for (int i = 0; i <= 10'000; ++i)
    many += std::string(i == 0 ? "" : ",") +
            R"({"id":1,"endpointSetId":1,"disposition":"add","version":"2020012800"})";
  CHECK(refusal(many + "]") == "changes.json:1:1: more than 10000 records");
  std::string names =
      R"([{"id":1,"endpointSetId":1,"disposition":"add","version":"2020012800","add":{"urls":["a")";
  for (int i = 0; i < 100'000; ++i) names += ",\"a\"";
  CHECK(refusal(names + "]}}]") == "changes.json:1:2: more than 100000 prefixes and names");
}

TEST_CASE("a record is carried out wholly, or not at all with the reason", "[endpoints][changes]") {
  const Release before = list(
      "2019112700", {row(10, 25, {"40.92.0.0/15", "40.107.0.0/17"}, {"a"}), row(1, 443, {"52.96.0.0/14"})});
  const auto change = [](std::initializer_list<std::string_view> add,
                         std::initializer_list<std::string_view> remove) {
    ChangeRecord one = record(Disposition::change, 10);
    one.added_ips = prefixes(add);
    one.removed_ips = prefixes(remove);
    return one;
  };
  CHECK(told(before, change({"40.107.0.0/16"}, {"40.107.0.0/17"})) ==
        "1 tcp/443 52.96.0.0/14; 10 tcp/25 40.92.0.0/15 40.107.0.0/16 a");
  CHECK(told(before, change({"104.47.0.0/17", "40.92.0.0/15"}, {"40.107.0.0/17"})) ==
        "40.92.0.0/15 is to be added to row 10 and stands in it already");
  CHECK(told(before, change({"104.47.0.0/17"}, {"40.107.0.0/16"})) ==
        "40.107.0.0/16 is to leave row 10 and does not stand in it");
  ChangeRecord names = record(Disposition::change, 10);
  names.added_urls = {"a"};
  CHECK(told(before, names) == "a is to be added to row 10 and stands in it already");
  names.row = 11;
  CHECK(told(before, names) == "row 11 is to be changed and is not there");
}

TEST_CASE("terms are changed from what they were", "[endpoints][changes]") {
  const Release before = list("2019112700", {row(2, 587, {"40.92.0.0/15"})});
  ChangeRecord one = record(Disposition::change, 2);
  one.previous.tcp_ports = ports(587);
  one.current.tcp_ports = ports(143);
  CHECK(told(before, one) == "2 tcp/143 40.92.0.0/15");
  one.previous.tcp_ports = ports(25);
  CHECK(told(before, one) == "it says that tcpPorts was 25, and the row says 587");
  one.previous.tcp_ports.reset();
  CHECK(told(before, one) == "it makes tcpPorts 143 and does not say what it was; the row says 587");
  one.current.tcp_ports = ports(587);  // told though it stayed
  CHECK(told(before, one) == "2 tcp/587 40.92.0.0/15");
  one.current.udp_ports = ports(443);  // there was none
  CHECK(told(before, one) == "2 tcp/587 udp/443 40.92.0.0/15");
  one = record(Disposition::change, 2);
  one.previous.tcp_ports = ports(587);  // and none since
  CHECK(told(before, one) == "row 2 would have addresses and no ports");
  one = record(Disposition::change, 2);
  one.previous.required = false;
  CHECK(told(before, one) == "it says that required was false, and the row says true");
  one.previous.required = true;
  one.current.required = false;
  CHECK(apply(before, std::vector{one}, "2020012800")->release.rows[0].required == false);
}

TEST_CASE("rows are added and removed as a whole", "[endpoints][changes]") {
  const Release before = list("2019112700", {row(10, 25, {"40.92.0.0/15", "40.107.0.0/16"}, {"a"})});
  ChangeRecord add = record(Disposition::add, 11);
  add.added_ips = prefixes({"104.47.0.0/17"});
  CHECK(told(before, add) == "row 11 would have no service area");
  add.current.service_area = "Exchange";
  CHECK(told(before, add) == "row 11 would have addresses and no ports");
  add.current.tcp_ports = ports(25);
  CHECK(told(before, add) == "10 tcp/25 40.92.0.0/15 40.107.0.0/16 a; 11 tcp/25 104.47.0.0/17");
  add.row = 10;
  CHECK(told(before, add) == "row 10 is to be added and is there already");
  add.previous.category = "Allow";
  add.row = 12;
  CHECK(told(before, add) == "a row that is added has no previous terms");

  ChangeRecord remove = record(Disposition::remove, 10);
  CHECK(told(before, remove).empty());  // no rows are left
  remove.removed_ips = prefixes({"40.92.0.0/15"});
  CHECK(told(before, remove) == "row 10 is to be removed and also holds 40.107.0.0/16");
  remove.removed_ips = prefixes({"40.92.0.0/15", "40.107.0.0/16"});
  CHECK(told(before, remove) == "row 10 is to be removed and also holds a");
  remove.removed_urls = {"a"};
  CHECK(told(before, remove).empty());
  remove.removed_urls = {"b"};
  CHECK(told(before, remove) == "b is to leave row 10 and does not stand in it");
  remove.row = 11;
  CHECK(told(before, remove) == "row 11 is to be removed and is not there");
}

TEST_CASE("only the versions between are carried out", "[endpoints][changes]") {
  const Release before = list("2019112700", {row(10, 25, {"40.92.0.0/15"})});
  std::vector<ChangeRecord> records;
  for (const char* version : {"2019112700", "2019112701", "2020012800", "2020012801"}) {
    ChangeRecord one = record(Disposition::change, 10);
    one.version = version;
    one.added_urls = {version};
    records.push_back(one);
  }
  const auto applied = apply(before, records, "2020012800");
  REQUIRE(applied);
  CHECK(applied->release.rows[0].urls == std::vector<std::string>{"2019112701", "2020012800"});
  CHECK(applied->release.version == "2020012800");
  CHECK(applied->release.as_of == "2020-01-28");
  CHECK(apply(before, records, "2018063000").error().message ==
        "Microsoft 365 Worldwide 2019112700, built in: expected a version after it, found '2018063000'");
  CHECK(apply(list("", {}), records, "2020012800").error().message ==
        "Microsoft 365 Worldwide, of unknown date, built in: it has no version, so what came after it cannot "
        "be "
        "told");
  const auto partly = apply(at_version(Instance::worldwide, "2018063000").value(), records, "2020012800");
  CHECK(partly.error().message ==
        "Microsoft 365 Worldwide 2018063000, built in, SMTP rows only: not all of its rows are known, so "
        "changes "
        "cannot be followed");
}

TEST_CASE("how two lists differ is told row by row", "[endpoints][changes]") {
  Row other = row(10, 443, {"40.92.0.0/14"}, {"b"});
  other.required.reset();
  std::string text;
  for (const RowDifference& one :
       differences(list("", {row(10, 25, {"40.92.0.0/15"}, {"a", "b"}), row(11, 25, {})}),
                   list("", {row(9, 25, {}), other})))
    text += std::to_string(one.row) + " " + one.what + "\n";
  CHECK(text ==
        "9 the row is missing\n"
        "10 ips: 40.92.0.0/14 is missing\n10 ips: 40.92.0.0/15 is too many\n10 urls: a is too many\n"
        "10 tcpPorts: 25 and not 443\n10 required: true and not nothing\n"
        "11 the row is too many\n");
  CHECK(differences(list("1", {row(1, 25, {"192.0.2.0/24", "40.92.0.0/15"}, {"b", "a", "a"})}),
                    list("2", {row(1, 25, {"40.92.0.0/15", "192.0.2.0/24"}, {"a", "b"})}))
            .empty());
}

TEST_CASE("what is derived from two lists makes the one of the other", "[endpoints][changes]") {
  rc::prop("over random rows", [] {
    const auto random_list = [](std::string version) {
      std::vector<Row> rows;
      const std::vector<std::string> names = {"a", "b", "c"};
      for (std::uint32_t id = 1; id <= 4; ++id) {
        if (*rc::gen::inRange(0, 3) == 0) continue;
        Row one = row(id, *rc::gen::element<std::uint16_t>(25, 443), {});
        one.service_area = *rc::gen::element<std::string>("Exchange", "Common");
        one.category = *rc::gen::element<std::string>("", "Allow", "Default");
        one.required = *rc::gen::element(std::optional<bool>(), std::optional(true), std::optional(false));
        for (V4 i = 0; i < 4; ++i)
          if (*rc::gen::arbitrary<bool>())
            one.ips.push_back(prefix_of(Address::v4(0xC0000200U + 64 * i), 26));
        if (*rc::gen::arbitrary<bool>()) std::ranges::reverse(one.ips);
        one.urls = *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(names));
        if (*rc::gen::arbitrary<bool>()) one.udp_ports = ports(3478);
        if (one.ips.empty() && *rc::gen::arbitrary<bool>()) one.tcp_ports = one.udp_ports = PortSet();
        rows.push_back(std::move(one));
      }
      return list(std::move(version), std::move(rows));
    };
    const Release a = random_list("2019112700"), b = random_list("2020012800");
    const auto records = derive(a, b);
    const auto applied = apply(a, records, b.version);
    RC_ASSERT(applied.has_value());
    for (const NotApplied& one : applied->not_applied) RC_LOG() << one.reason << "\n";
    RC_ASSERT(applied->not_applied.empty());
    RC_ASSERT(differences(applied->release, b).empty());
    RC_ASSERT(differences(b, applied->release).empty());
    RC_ASSERT(records.empty() == differences(a, b).empty());
    // Once more it does not apply: every record that brings or takes something finds it done.
    Applied again = apply(Release(a), records, b.version).value();
    again.release.version = a.version;
    const auto twice = apply(again.release, records, b.version);
    for (const ChangeRecord& one : records)
      if (!one.added_ips.empty() || one.disposition != Disposition::change)
        RC_ASSERT(std::ranges::any_of(twice->not_applied,
                                      [&](const NotApplied& kept) { return kept.record == one; }));
  });
}

// ---- in effect?

namespace {

ChangeRecord addition(std::string version, std::string effective, std::initializer_list<std::string_view> add,
                      std::initializer_list<std::string_view> remove = {}, std::uint32_t id = 10) {
  ChangeRecord one = record(Disposition::change, id);
  one.version = std::move(version);
  one.effective = std::move(effective);
  one.added_ips = prefixes(add);
  one.removed_ips = prefixes(remove);
  return one;
}

std::string coming(const Release& release, const std::vector<ChangeRecord>& records,
                   std::string_view day = "2020-02-01") {
  const NotYet later = not_yet(release, records, day, smtp_selection());
  std::string text;
  AddressSet all;
  for (const Coming& part : later.parts) {
    text += (text.empty() ? "" : "; ") + part.effective + " by " + part.version + ": " +
            to_string(part.addresses);
    CHECK(!all.intersects(part.addresses));
    all |= part.addresses;
  }
  CHECK(all == later.addresses);
  return text;
}

}  // namespace

TEST_CASE("an addition with a later date is published and not in effect", "[endpoints][changes]") {
  const Release now = list("2020012800", {row(10, 25, {"40.92.0.0/15", "52.100.0.0/14", "104.47.0.0/17"})});
  const auto both = std::vector{addition("2020012800", "2020-03-01", {"52.100.0.0/14"}),
                                addition("2020010200", "2020-02-15", {"104.47.0.0/17"})};
  CHECK(coming(now, both) ==
        "2020-02-15 by 2020010200: 104.47.0.0/17; 2020-03-01 by 2020012800: 52.100.0.0/14");
  CHECK(coming(now, both, "2020-02-14") == coming(now, both));
  CHECK(coming(now, both, "2020-02-15") == "2020-03-01 by 2020012800: 52.100.0.0/14");
  CHECK(coming(now, both, "2020-03-01").empty());
  CHECK(coming(now, {}).empty());
}

TEST_CASE("what is not known to come later is in effect", "[endpoints][changes]") {
  const Release now =
      list("2020012800", {row(10, 25, {"40.92.0.0/15", "40.107.0.0/16"}), row(1, 443, {"52.96.0.0/14"})});
  // No date, a date before the version.
  CHECK(coming(now, {addition("2020012800", "", {"40.107.0.0/16"})}).empty());
  CHECK(coming(now, {addition("2020012800", "2019-11-25", {"40.107.0.0/16"})}).empty());
  // Not of the release: published later, taken back, of a row that is not asked for.
  CHECK(coming(now, {addition("2020032700", "2020-04-27", {"40.107.0.0/16"})}).empty());
  CHECK(coming(now, {addition("2020012800", "2020-03-01", {"198.51.100.0/24"})}).empty());
  CHECK(coming(now, {addition("2020012800", "2020-03-01", {"52.96.0.0/14"}, {}, 1)}).empty());
  // Half of it was in force in another cut: as its row stood before, or removed by the same version.
  CHECK(coming(now, {addition("2020012800", "2020-03-01", {"40.107.0.0/16"}, {"40.107.0.0/17"})}) ==
        "2020-03-01 by 2020012800: 40.107.128.0/17");
  const Release wide = list("2020012800", {row(10, 25, {"40.92.0.0/15", "40.92.0.0/16"})});
  CHECK(coming(wide, {addition("2020012800", "2020-03-01", {"40.92.0.0/16"})}).empty());
  // Added twice, once at once; added twice, the earlier day counts.
  const std::vector<ChangeRecord> twice = {addition("2020012800", "2020-03-01", {"40.107.0.0/16"}),
                                           addition("2020012800", "", {"40.107.0.0/17"})};
  CHECK(coming(now, twice) == "2020-03-01 by 2020012800: 40.107.128.0/17");
  const std::vector<ChangeRecord> days = {addition("2020012800", "2020-03-05", {"40.107.0.0/16"}),
                                          addition("2020012800", "2020-03-01", {"40.107.0.0/17"})};
  CHECK(coming(now, days) ==
        "2020-03-01 by 2020012800: 40.107.0.0/17; 2020-03-05 by 2020012800: 40.107.128.0/17");
}

TEST_CASE("what moved to another row was in effect", "[endpoints][changes]") {
  // As China's in 2025: row 2 gave TCP 25 away to a new row 27, which brings one range more.
  const Release now = list(
      "2020012800", {row(2, 443, {"42.159.36.0/24"}), row(27, 25, {"42.159.36.0/24", "40.72.120.0/22"})});
  ChangeRecord gave = record(Disposition::change, 2);
  gave.previous.tcp_ports = PortSet::of({{25, 25}, {443, 443}});
  gave.current.tcp_ports = ports(443);
  ChangeRecord took = addition("2020012800", "2020-03-01", {"42.159.36.0/24", "40.72.120.0/22"}, {}, 27);
  took.disposition = Disposition::add;
  took.current.service_area = "Exchange";
  took.current.tcp_ports = ports(25);
  CHECK(coming(now, {gave, took}) == "2020-03-01 by 2020012800: 40.72.120.0/22");
  CHECK(coming(now, {took, gave}) == "2020-03-01 by 2020012800: 40.72.120.0/22");
  // A row that is gone may have been of any kind: what it held counts as in effect.
  ChangeRecord went = record(Disposition::remove, 9);
  went.removed_ips = prefixes({"40.72.120.0/23"});
  CHECK(coming(now, {gave, took, went}) == "2020-03-01 by 2020012800: 40.72.122.0/23");
}

// ---- /version

TEST_CASE("the versions are read, of one instance or of all", "[endpoints][changes]") {
  const auto read = [](std::string_view text) { return decode_versions(Source("version.json", text)); };
  const auto one = read(
      R"({"instance": "worldwide", "latest": "2018063000", "versions": ["2018062000", "2018063000", "2018062000"]})");
  REQUIRE(one);
  REQUIRE(one->all.size() == 1);
  CHECK(one->all[0].instance == Instance::worldwide);
  CHECK(one->all[0].latest == "2018063000");
  CHECK(one->all[0].versions == std::vector<std::string>{"2018063000", "2018062000"});
  const auto all = read(
      R"([{"instance": "Worldwide", "latest": "2018063000"}, {"instance": "Moon", "latest": "2018063000"},
          {"instance": "USGovGCCHigh", "latest": "2019011701"}])");
  REQUIRE(all);
  CHECK(all->all.size() == 2);
  CHECK(all->all[1].latest == "2019011701");
  CHECK(all->remarks == std::vector<std::string>{"the instance 'Moon' is not known here"});
  const auto refused = [&](std::string_view text) { return to_string(read(text).error()); };
  CHECK(refused(R"({"instance": "Worldwide", "latest": "20180630"})") ==
        "version.json:1:1: expected 'latest' to be a version of ten digits such as 2020012800, found "
        "'20180630'");
  CHECK(refused(R"({"instance": "Worldwide", "latest": "0000000000"})") ==
        "version.json:1:1: expected 'latest' to be a version of ten digits such as 2020012800, found "
        "'0000000000'");
  CHECK(refused(R"({"instance": "Worldwide", "latest": "2018063000", "versions": ["x"]})") ==
        "version.json:1:64: expected a version of ten digits such as 2020012800, found 'x'");
  CHECK(
      refused(
          R"([{"instance": "China", "latest": "2018063000"}, {"instance": "china", "latest": "2018063000"}])") ==
      "version.json:1:49: China stands twice");
  CHECK(refused("[]") ==
        "version.json:1:1: the file is an empty list of versions; wanted is the answer of /version as JSON");
  CHECK(refused(R"([{"id": 1, "serviceArea": "Exchange"}])") ==
        "version.json:1:1: the file is an answer of /endpoints, a list itself; wanted is the answer of "
        "/version as "
        "JSON");
}

TEST_CASE("Microsoft's own samples are read", "[endpoints][changes]") {
  const auto folder = test::shared_data("m365/samples");
  if (folder.empty()) {
    WARN("the samples are not at hand");
    return;
  }
  const auto changes = [&](const char* name) {
    return decode_changes(*read_file(folder / name).value(), Instance::worldwide).value();
  };
  const Changes real = changes("changes-real-record-2020012800.json");
  CHECK(real.remarks.empty());
  REQUIRE(real.records.size() == 1);
  CHECK(real.records[0].effective == "2019-11-25");
  CHECK(real.records[0].current.required == true);
  const Changes first = changes("changes-msdocs-example1.json");
  REQUIRE(first.records.size() == 2);
  CHECK(first.records[1].effective == "2018-06-09");
  CHECK(changes("changes-msdocs-example2.json").records.size() == 2);
  const auto versions = [&](const char* name) { return decode_versions(*read_file(folder / name).value()); };
  CHECK(versions("version-msdocs-all-2018.json")->all.size() == 5);
  CHECK(versions("version-msdocs-allversions.json")->all[0].versions.size() == 2);
  CHECK(versions("version-msdocs.csv")
            .error()
            .message.starts_with("the file is the versions as CSV (/version); wanted is"));
  CHECK(
      versions("version-msdocs-rss.xml").error().message.starts_with("the file is an RSS feed of versions"));
}
