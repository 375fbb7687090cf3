// The service's answers: what is odd in real ones is read, what would make the list smaller is refused with
// its place, and what is another kind of file is named.
#include "tests/support/test.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "endpoints/decode_json.h"
#include "endpoints/result.h"

using namespace aclmend;
using namespace aclmend::endpoints;

namespace {

Result<Release> decoded(std::string_view text) {
  return decode(Source("list.json", text), Instance::worldwide);
}

std::string refusal(std::string_view text) {
  const auto release = decoded(text);
  return release ? "accepted" : to_string(release.error());
}

std::string row_with(std::string_view members) {
  return R"([{"id": 10, "serviceArea": "Exchange", )" + std::string(members) + "}]";
}

std::string texts(std::span<const Prefix> prefixes) {
  std::string all;
  for (const std::string& text : to_strings(prefixes)) all += (all.empty() ? "" : " ") + text;
  return all;
}

}  // namespace

TEST_CASE("a real row is read with all that is odd in it", "[endpoints][decode]") {
  const auto release = decoded(R"([
  {"id": 10, "serviceArea": "Exchange", "serviceAreaDisplayName": "Exchange Online",
   "urls": ["*.mx.microsoft"], "ips": ["40.92.0.0/15", "2a01:111:f403::/48", "40.92.0.0/15"],
   "tcpPorts": "143, 587, 993,995", "udpPorts": "5061,50000-59999", "expressRoute": true,
   "category": "Allow", "required": "True", "notes": "", "later": {"unknown": [1, {"deep": null}]}},
  {"id": 11, "serviceArea": "Common", "tcpPorts": "443,80", "udpPorts": "", "required": false}
])");
  REQUIRE(release);
  REQUIRE(release->rows.size() == 2);
  const Row& row = release->rows[0];
  CHECK(row.id == 10);
  CHECK(row.service_area == "Exchange");
  CHECK(texts(row.ips) == "40.92.0.0/15 2a01:111:f403::/48");
  CHECK(row.urls == std::vector<std::string>{"*.mx.microsoft"});
  CHECK(service(row) == "tcp/143,587,993,995 udp/5061,50000-59999");
  CHECK(row.category == "Allow");
  CHECK(row.required == true);
  CHECK(service(release->rows[1]) == "tcp/80,443");
  CHECK(release->rows[1].required == false);
  CHECK(release->rows[1].category.empty());
  CHECK(release->version.empty());
  CHECK(release->as_of.empty());
  CHECK(release->sha256.size() == 64);
}

TEST_CASE("a bare address is a host, and escapes in texts are read", "[endpoints][decode]") {
  const auto release =
      decoded("\xEF\xBB\xBF" +
              row_with(R"("ips": ["52.238.78.88", "2a01:111:f403::1", "40.92.0.0\/15"], "tcpPorts": "25")"));
  REQUIRE(release);
  CHECK(texts(release->rows[0].ips) == "52.238.78.88/32 2a01:111:f403::1/128 40.92.0.0/15");
}

TEST_CASE("a list without IPv6 is remarked on", "[endpoints][decode]") {
  const auto without = decoded(row_with(R"("ips": ["40.92.0.0/15"], "tcpPorts": "25")"));
  REQUIRE(without);
  REQUIRE(without->remarks.size() == 1);
  CHECK(without->remarks[0] == "the list holds no IPv6 range; was it asked for with NoIPv6?");
  const auto with = decoded(row_with(R"("ips": ["40.92.0.0/15", "2a01:111:f403::/48"], "tcpPorts": "25")"));
  REQUIRE(with);
  CHECK(with->remarks.empty());
}

TEST_CASE("what would make the list smaller or other is refused with its place", "[endpoints][decode]") {
  const auto one = [](std::string_view members) { return refusal(row_with(members)); };
  CHECK(one(R"("ips": ["40.92.1.0/15"], "tcpPorts": "25")") ==
        "list.json:1:48: 40.92.1.0/15 has bits set beyond its length; is 40.92.0.0/15 meant?");
  CHECK(one(R"("ips": ["40.92.0.0/33"])") ==
        "list.json:1:48: expected a prefix such as 40.92.0.0/15, found '40.92.0.0/33'");
  CHECK(one(R"("ips": ["40.92.0.0/15", ""], "tcpPorts": "25")") ==
        "list.json:1:64: expected a prefix such as 40.92.0.0/15, found ''");
  CHECK(one(R"("ips": "40.92.0.0/15")") == "list.json:1:47: expected a list for 'ips', found a text");
  CHECK(one(R"("ips": null)") == "list.json:1:47: expected a list for 'ips', found null");
  CHECK(one(R"("ips": ["40.92.0.0/15", 25])") == "list.json:1:64: expected texts for 'ips', found a number");
  CHECK(one(R"("urls": [["a"]])") == "list.json:1:49: expected texts for 'urls', found a list");
  CHECK(one(R"("tcpPorts": 25)") ==
        "list.json:1:52: expected a text such as \"80,443\" for 'tcpPorts', found a number");
  for (const std::string_view ports :
       {"0", "65536", "25,", "80,,443", "-5", "5-", "90-80", "25;80", "smtp", "2 5"})
    CHECK(one(R"("tcpPorts": ")" + std::string(ports) + "\"") ==
          "list.json:1:52: expected ports such as '80,443' or '50000-59999', found '" +
              (ports == "25," || ports == "80,,443" ? "" : std::string(ports)) + "'");
  CHECK(one(R"("required": "maybe")") ==
        "list.json:1:52: expected true or false for 'required', found a text");
  CHECK(one(R"("category": 7)") == "list.json:1:52: expected a text for 'category', found a number");
  CHECK(one(R"("ips": ["40.92.0.0/15"], "tcpPorts": "")") ==
        "list.json:1:2: row 10 has addresses, but neither 'tcpPorts' nor 'udpPorts'");
  CHECK(one(R"("ips": ["40.92.0.0/15"], "ips": [], "tcpPorts": "25")") ==
        "list.json:1:65: the key 'ips' stands twice in one object");
}

TEST_CASE("rows without their identity are refused", "[endpoints][decode]") {
  CHECK(refusal(R"([{"serviceArea": "Exchange"}])") == "list.json:1:2: a row without 'id'");
  CHECK(refusal(R"([{"id": 1}])") == "list.json:1:2: row 1 has no 'serviceArea'");
  const std::string wrong = "expected a whole number below 1,000,000,000 for 'id', found a number";
  for (const std::string_view id : {"-1", "1.5", "1e3", "99999999999", "18446744073709551616"})
    CHECK(refusal("[{\"id\": " + std::string(id) + "}]") == "list.json:1:9: " + wrong);
  CHECK(refusal(R"([{"id": "10"}])") ==
        "list.json:1:9: expected a whole number below 1,000,000,000 for 'id', found a text");
  CHECK(refusal("[\n{\"id\": 1, \"serviceArea\": \"Common\"},\n{\"id\": 1, \"serviceArea\": \"Common\"}]") ==
        "list.json:3:1: row id 1 stands twice, first in line 2");
  CHECK(refusal(R"([{"id": 1, "serviceArea": "Common"}, 7])") ==
        "list.json:1:38: expected a row, found a number");
}

TEST_CASE("a file of another kind is named for what it is", "[endpoints][decode]") {
  const std::string instead = "; wanted is the answer of /endpoints/INSTANCE as JSON";
  const auto is = [&](std::string_view text, std::string_view what) {
    CHECK(refusal(text) == "list.json:1:1: the file is " + std::string(what) + instead);
  };
  is("", "empty");
  is(" \n\t\n", "empty");
  is("[]", "an empty list; Microsoft publishes no empty one, so it is not taken for true");
  is(R"({"instance":"Worldwide","latest":"2018063000"})",
     "an answer of /version, which says what versions there are");
  is(R"([{"instance":"Worldwide","latest":"2018063000"}])",
     "an answer of /version, which says what versions there are");
  is(R"([{"id":424,"endpointSetId":32,"disposition":"Change","version":"2018062700"}])",
     "an answer of /changes, which says what changed and not what stands in the list");
  is("<!DOCTYPE html><html>", "an HTML page, perhaps a proxy's or a portal's error");
  is("<html><body>Access denied</body></html>", "an HTML page, perhaps a proxy's or a portal's error");
  is("<?xml version=\"1.0\"?><rss version=\"2.0\">", "an RSS feed of versions (/version with Format=RSS)");
  is("<products updated=\"7/1/2018\">", "XML; the service's XML lists ended in 2018");
  is("instance,latest\nWorldwide,2018063000\n", "the versions as CSV (/version)");
  is("id,serviceArea,urls\n1,Exchange,a\n", "CSV; ask with Format=JSON");
  is(std::string_view("\xFF\xFE[\0]\0", 6),
     "UTF-16 text (as PowerShell's Out-File writes it); save it as UTF-8 (-Encoding utf8)");
  is(R"({"value": [{"id": 1}], "Count": 1})", "a list wrapped in an object; save its 'value' alone");
  is("\"hello\"", "JSON, but no list of rows");
  is("{}", "JSON, but no list of rows");
}

TEST_CASE("broken JSON is refused at its place", "[endpoints][decode]") {
  CHECK(refusal("[\n  {\"id\": 1,}\n]") ==
        "list.json:2:12: not JSON: while parsing object key - unexpected '}'; expected string literal");
  CHECK(refusal("[{\"id\": 1")
            .starts_with("list.json:1:10: not JSON: while parsing object - unexpected end of input"));
  CHECK(refusal("[1e999]").starts_with("list.json:1:6: not JSON: number overflow"));
  CHECK(refusal("[{\"id\": 1}] trailing").find("not JSON: ") != std::string::npos);
  CHECK(refusal("[\"\xff\"]").find("not JSON: ") != std::string::npos);
  CHECK(refusal("edge.cfg").find("not JSON: ") != std::string::npos);
}

TEST_CASE("depth, values and rows are bounded", "[endpoints][decode]") {
  CHECK(refusal(std::string(100'000, '[')) == "list.json:1:33: nested deeper than 32");
  std::string values = R"([{"id": 1, "serviceArea": "Common", "x": [0)";
  for (int i = 0; i < 500'000; ++i) values += ",0";
  CHECK(refusal(values + "]}]").find("more than 500000 values") != std::string::npos);
  std::string rows = "[";
  for (int i = 0; i < 2'001; ++i)
    rows +=
        (i == 0 ? "" : ",") + std::string(R"({"id": )") + std::to_string(i) + R"(, "serviceArea": "Common"})";
  CHECK(refusal(rows + "]") == "list.json:1:1: more than 2000 rows");
  CHECK(refusal(std::string((16 << 20) + 1, ' ')).find("larger than 16 MiB") != std::string::npos);
}

TEST_CASE("every value knows where it begins", "[endpoints][decode]") {
  const Source source("x.json", "{ \"a\" : [ 1 , -2,3.5,true ,null,\"t\\u0041\" ],\n \"b\":{}, \"c\":12}");
  const auto root = parse_json(source);
  REQUIRE(root);
  std::string found;
  const auto add = [&](const JsonValue& value) {
    found += source.text().substr(value.offset, 2);
    found += '|';
  };
  for (const JsonValue& item : root->find("a")->items) add(item);
  add(*root->find("b"));
  add(*root->find("c"));
  CHECK(found == "1 |-2|3.|tr|nu|\"t|{}|12|");
  CHECK(root->find("a")->items.back().text == "tA");
}

TEST_CASE("all real answers are read, with every prefix and name that stands in them",
          "[endpoints][decode]") {
  std::size_t files = 0;
  for (const std::string folder : {"m365/from-docs-json", "m365/service-json", "m365/exchange-only"}) {
    const auto path = test::shared_data(folder);
    if (path.empty()) {
      WARN("the real data are not at hand: " + folder);
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
      if (!entry.is_regular_file()) continue;
      ++files;
      INFO(entry.path());
      const auto source = read_file(entry.path());
      REQUIRE(source);
      const auto release = decode(**source, Instance::worldwide);
      if (!release) FAIL(to_string(release.error()));
      const auto other = nlohmann::json::parse((*source)->text());
      REQUIRE(release->rows.size() == other.size());
      for (std::size_t i = 0; i < other.size(); ++i) {
        const Row& row = release->rows[i];
        CHECK(row.id == other[i]["id"].get<std::uint32_t>());
        CHECK(row.service_area == other[i]["serviceArea"].get<std::string>());
        CHECK(row.required == other[i]["required"].get<bool>());
        CHECK(row.category == other[i]["category"].get<std::string>());
        CHECK(row.urls == other[i].value("urls", std::vector<std::string>()));
        CHECK(to_strings(row.ips) == other[i].value("ips", std::vector<std::string>()));
        CHECK(row.tcp_ports.empty() == other[i].value("tcpPorts", "").empty());
        CHECK(row.udp_ports.empty() == other[i].value("udpPorts", "").empty());
      }
    }
  }
  if (files != 0) CHECK(files == 163 + 4 + 3);
}
