// `aclmend endpoints` as a user meets it: exit status, text, JSON that follows its schema, and refusals.
#include "tests/support/test.h"

#include <nlohmann/json.hpp>

#include "tests/support/folder.h"
#include "tests/support/program.h"

using namespace aclmend::test;
using Json = nlohmann::json;

namespace {

const std::string worldwide = R"([
  {"id": 9, "serviceArea": "Exchange", "ips": ["40.92.0.0/15", "52.238.78.88/32"], "tcpPorts": "443",
   "category": "Allow", "required": true},
  {"id": 10, "serviceArea": "Exchange", "urls": ["*.mx.microsoft"], "category": "Allow", "required": true,
   "ips": ["40.92.0.0/15", "40.107.0.0/17", "192.0.2.0/24", "2a01:111:f403::/48"], "tcpPorts": "25"}
])";

struct Answer {
  int status = 0;
  Json document;
};

// The document, after its schema has been asked.
Answer json_of(std::vector<std::string> args, const std::string& schema) {
  args.insert(args.end(), {"--format", "json"});
  const Ran ran = aclmend::test::aclmend(args);
  CHECK(ran.err.empty());
  CHECK(schema_errors(ran.out, schema).empty());
  Answer answer{ran.status, Json::parse(ran.out)};
  CHECK(answer.document["exit"] == ran.status);
  return answer;
}

Ran run(const std::vector<std::string>& args) { return aclmend::test::aclmend(args); }

std::string refusal(const std::vector<std::string>& args) {
  const Ran ran = run(args);
  CHECK(ran.status == 2);
  CHECK(ran.out.empty());
  return ran.err;
}

}  // namespace

TEST_CASE("endpoints show: the ranges that send mail, from the list built in", "[cli][endpoints]") {
  const Ran ran = run({"endpoints", "show"});
  CHECK(ran.status == 0);
  CHECK(ran.err.empty());
  CHECK(ran.out ==
        "Microsoft 365 Worldwide as of 2025-12-01, built in, last checked 2026-08-11\n"
        "  asked      Exchange rows with TCP 25 and addresses                      flow eop-inbound-smtp\n"
        "  holds      4 IPv4, 2 IPv6 ranges, in 1 of 64 rows\n"
        "\n"
        "row 10   Exchange    tcp/25                 Allow, required\n"
        "  40.92.0.0/15               since 2019010700\n"
        "  40.107.0.0/16              since 2019010700\n"
        "  52.100.0.0/14              since 2018063000 or before\n"
        "  104.47.0.0/17              since 2018063000 or before\n"
        "  2a01:111:f400::/48         since 2019072900\n"
        "  2a01:111:f403::/48         since 2018063000 or before\n"
        "  *.mail.protection.outlook.com\n"
        "  *.mx.microsoft\n");
}

TEST_CASE("endpoints show as JSON names the list it rests on", "[cli][endpoints][schema]") {
  const Json shown = json_of({"endpoints", "show"}, "endpoints-show").document;
  CHECK(shown["schema"] == "aclmend/endpoints-show/1");
  CHECK(shown["instance"] == "Worldwide");
  CHECK(shown["version"].is_null());
  CHECK(shown["as_of"] == "2025-12-01");
  CHECK(shown["checked"] == "2026-08-11");
  CHECK(shown["origin"] == "embedded");
  CHECK(shown["inputs"].empty());
  CHECK(shown["prefixes"] == Json{"40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17",
                                  "2a01:111:f400::/48", "2a01:111:f403::/48"});
  REQUIRE(shown["rows"].size() == 1);
  CHECK(shown["rows"][0]["id"] == 10);
  CHECK(shown["rows"][0]["tcp_ports"] == "25");
  CHECK(shown["rows"][0]["udp_ports"].is_null());
}

TEST_CASE("endpoints show of every instance, flow and completeness follows the schema",
          "[cli][endpoints][schema]") {
  for (const std::string instance : {"Worldwide", "usgovgcchigh", "USGovDoD", "China", "Germany"})
    CHECK(json_of({"endpoints", "show", "--instance", instance, "--all"}, "endpoints-show")
              .document["flow"]
              .is_null());
  const Json past = json_of({"endpoints", "show", "--endpoints", "2018072800"}, "endpoints-show").document;
  CHECK(past["version"] == "2018072800");
  CHECK(past["completeness"] == "smtp-rows");
  const Json https =
      json_of({"endpoints", "show", "--flow", "hybrid-inbound-https"}, "endpoints-show").document;
  CHECK(https["rows"].size() == 2);
  const Json relay = json_of({"endpoints", "show", "--flow", "relay-pool"}, "endpoints-show").document;
  CHECK(relay["prefixes"] == Json{"40.95.0.0/16"});
  CHECK(relay["rows"].empty());
}

TEST_CASE("endpoints show of a file: input, digest and the instance that was inferred",
          "[cli][endpoints][schema]") {
  const Folder folder;
  const std::string file = folder.write("list.json", worldwide);
  const Json shown = json_of({"endpoints", "show", "--endpoints", file}, "endpoints-show").document;
  CHECK(shown["origin"] == "file");
  CHECK(shown["as_of"].is_null());
  CHECK(shown["inputs"][0]["file"] == file);
  CHECK(shown["inputs"][0]["sha256"] == shown["sha256"]);
  CHECK(shown["inputs"][0]["lines"]["total"] == 6);
  CHECK(shown["inferred"] == Json{file + " is taken for a list of Worldwide (--instance)"});
  CHECK(json_of({"endpoints", "show", "--endpoints", file, "--instance", "Worldwide"}, "endpoints-show")
            .document["inferred"]
            .empty());
  const Json other =
      json_of({"endpoints", "show", "--endpoints", file, "--instance", "China"}, "endpoints-show").document;
  CHECK(other["remarks"] == Json{"its SMTP rows are those of Worldwide, not of China"});
}

TEST_CASE("endpoints covers: yes is 0, no is 1, a part is no", "[cli][endpoints][schema]") {
  const auto asked = [](std::vector<std::string> ips) {
    ips.insert(ips.begin(), {"endpoints", "covers"});
    return json_of(ips, "endpoints-covers");
  };
  const Answer yes = asked({"52.100.140.7"});
  CHECK(yes.status == 0);
  CHECK(yes.document["covered"] == true);
  CHECK(yes.document["rows"].size() == 2);
  CHECK(yes.document["rows"][1] == Json{{"instance", "Worldwide"},
                                        {"id", 10},
                                        {"service_area", "Exchange"},
                                        {"ports", "tcp/25"},
                                        {"prefix", "52.100.0.0/14"},
                                        {"since", "2018063000"},
                                        {"until", nullptr}});
  const Answer former = asked({"157.56.110.0/24"});
  CHECK(former.status == 1);
  CHECK(former.document["rows"][0]["until"] == "2019022800");
  const Answer part = asked({"40.92.0.0/14"});
  CHECK(part.status == 1);
  CHECK(part.document["asked"][0]["missing"] == Json{"40.94.0.0/15"});
  CHECK(part.document["notes"].size() == 2);  // in part, and the relay pool
  CHECK(asked({"52.181.167.52"}).document["rows"][0]["until"] == "2022-06-29/2024-02-25");
  CHECK(asked({"192.0.2.1"}).document["rows"].empty());
}

TEST_CASE("endpoints covers on a terminal", "[cli][endpoints]") {
  const Ran ran = run({"endpoints", "covers", "40.95.1.1", "40.92.0.0/14", "--instance", "Worldwide",
                       "--flow", "eop-inbound-smtp"});
  CHECK(ran.status == 1);
  CHECK(ran.out ==
        "40.95.1.1                  no\n"
        "  40.92.0.0/14             Worldwide row 10, Exchange, tcp/25; since 2018063000 or before, until "
        "2019010700\n"
        "  40.95.0.0/16             relay pool: it sends, and no list holds it\n"
        "40.92.0.0/14               no, only in part\n"
        "  40.92.0.0/15             Worldwide row 10, Exchange, tcp/25; since 2019010700\n"
        "  40.92.0.0/14             Worldwide row 10, Exchange, tcp/25; since 2018063000 or before, until "
        "2019010700\n"
        "  40.95.0.0/16             relay pool: it sends, and no list holds it\n"
        "note: 40.92.0.0/14 is published in part: 40.92.0.0/15 is, 40.94.0.0/15 is not\n"
        "note: 40.95.0.0/16 is Microsoft's relay pool: it sends relayed and forwarded mail, and no list "
        "holds it\n"
        "\n"
        "  published  0 of 2\n"
        "  looked in  Exchange rows with TCP 25 and addresses\n"
        "             Microsoft 365 Worldwide as of 2025-12-01, built in, last checked 2026-08-11\n");
  CHECK(run({"endpoints", "covers", "40.95.1.1", "--exit-zero"}).status == 0);
}

TEST_CASE("endpoints covers takes lists: files and standard input, each address once",
          "[cli][endpoints][schema]") {
  const Folder folder;
  const std::string list = "# seen at the gate\n52.100.140.7\n52.100.140.7 # again\n192.0.2.1\n";
  const std::string file = folder.write("seen.txt", list);
  const Answer from_file =
      json_of({"endpoints", "covers", "--file", file, "104.47.1.1", "104.47.1.1"}, "endpoints-covers");
  CHECK(from_file.status == 1);
  const Json& asked = from_file.document["asked"];
  REQUIRE(asked.size() == 3);
  CHECK(asked[0]["prefix"] == "104.47.1.1/32");
  CHECK(asked[1]["prefix"] == "52.100.140.7/32");
  CHECK(asked[2]["prefix"] == "192.0.2.1/32");
  CHECK(asked[2]["rows"].empty());
  for (const auto& place : asked[1]["rows"])
    CHECK(from_file.document["rows"][place.get<std::size_t>()]["prefix"] == "52.100.0.0/14");
  CHECK(asked[1]["rows"].size() == 2);
  const Json& input = from_file.document["inputs"][0];
  CHECK(input["file"] == file);
  CHECK(input["lines"]["total"] == 4);
  CHECK(input["lines"]["decides"] == 3);
  const Ran piped = aclmend::test::aclmend({"endpoints", "covers", "-"}, list);
  CHECK(piped.status == 1);
  CHECK(piped.out.starts_with("52.100.140.7               yes\n"));
  CHECK(piped.out.find("\n  published  1 of 2\n") != std::string::npos);
  const Ran bad = aclmend::test::aclmend({"endpoints", "covers", "-"}, "52.100.140.7\n52.100.140.7:25\n");
  CHECK(bad.status == 2);
  CHECK(bad.out.empty());
  CHECK(bad.err ==
        "aclmend: standard input:2:1: expected an address, a prefix or a range, found '52.100.140.7:25'\n");
  CHECK(
      aclmend::test::aclmend({"endpoints", "covers", "-", "--host-bits", "clear"}, "40.92.1.0/15\n").status ==
      0);
  CHECK(refusal({"endpoints", "covers", "--file", folder.path() + "/absent"}).find("absent") !=
        std::string::npos);
  CHECK(refusal({"endpoints", "covers", "--file", folder.write("empty", "# none\n")})
            .find("nothing is asked") != std::string::npos);
}

TEST_CASE("endpoints covers bounds how many are asked at once", "[cli][endpoints]") {
  std::string list;
  for (int i = 0; i <= 100'000; ++i)
    list += "10." + std::to_string(i / 65536) + "." + std::to_string(i / 256 % 256) + "." +
            std::to_string(i % 256) + "\n";
  const Ran ran = aclmend::test::aclmend({"endpoints", "covers", "-"}, list);
  CHECK(ran.status == 2);
  CHECK(ran.err.find("more than 100,000 different addresses at once") != std::string::npos);
}

TEST_CASE("endpoints export: one selection in every form", "[cli][endpoints][lists]") {
  const std::vector<std::string> prefixes = {"40.92.0.0/15",  "40.107.0.0/16",      "52.100.0.0/14",
                                             "104.47.0.0/17", "2a01:111:f400::/48", "2a01:111:f403::/48"};
  const auto exported = [](std::vector<std::string> args) {
    args.insert(args.begin(), {"endpoints", "export"});
    const Ran ran = run(args);
    CHECK(ran.status == 0);
    CHECK(ran.err.empty());
    return ran.out;
  };
  std::string bare;
  for (const std::string& prefix : prefixes) bare += prefix + "\n";
  CHECK(exported({"--bare"}) == bare);
  CHECK(exported({}).ends_with("who connects to whom is not said\n" + bare));
  CHECK(exported({}) == exported({"--format", "plain"}));
  for (const char* format : {"csv", "edl", "nft", "ipset"}) {
    const std::string text = exported({"--format", format});
    for (const std::string& prefix : prefixes) CHECK(text.find(prefix) != std::string::npos);
    CHECK(text.find("Microsoft 365 Worldwide as of ") != std::string::npos);
    CHECK(text.find("states no direction") != std::string::npos);
    CHECK(text == exported({"--format", format}));
  }
  CHECK(exported({"--format", "cisco-asa", "--name", "EOP"})
            .find("object-group network EOP\n description Microsoft 365 Worldwide as of ") !=
        std::string::npos);
  CHECK(exported({"--families", "ipv6", "--bare"}) == "2a01:111:f400::/48\n2a01:111:f403::/48\n");
  CHECK(exported({"--flow", "relay-pool", "--bare"}) == "40.95.0.0/16\n");
  const Folder folder;
  CHECK(exported({"--report", "ipset=" + folder.path() + "/list.ipset"}).ends_with(bare));
  CHECK(aclmend::test::text_of(folder.path() + "/list.ipset") == exported({"--format", "ipset"}));
}

TEST_CASE("endpoints export as JSON", "[cli][endpoints][schema]") {
  const Json all = json_of({"endpoints", "export"}, "endpoints-export").document;
  CHECK(all["name"] == "M365-EOP-INBOUND-SMTP");
  CHECK(all["counts"] == Json{{"ipv4", 4}, {"ipv6", 2}});
  CHECK(all["direction"].is_null());
  CHECK(all["rows"][0]["prefixes"] == all["prefixes"]);
  const Json every =
      json_of({"endpoints", "export", "--all", "--families", "ipv4"}, "endpoints-export").document;
  CHECK(every["flow"].is_null());
  CHECK(every["counts"]["ipv6"] == 0);
  CHECK(
      json_of({"endpoints", "export", "--flow", "relay-pool"}, "endpoints-export").document["rows"].empty());
}

TEST_CASE("endpoints export refuses what would be no list", "[cli][endpoints][lists]") {
  const auto refused = [](std::vector<std::string> args) {
    args.insert(args.begin(), {"endpoints", "export"});
    return refusal(args);
  };
  CHECK(refused({"--flow", "relay-pool", "--families", "ipv6"}) ==
        "aclmend: flow relay-pool: no IPv6 address among the ranges that the flow itself names\n");
  CHECK(refused({"--families", "v6"}) == "aclmend: expected ipv4, ipv6 or both, found 'v6'\n");
  CHECK(refused({"--format", "ipset", "--name", "a b"}).find("expected a name of letters") !=
        std::string::npos);
  CHECK(refused({"--format", "ipset", "--name", std::string(29, 'a')}).find("at most 28") !=
        std::string::npos);
  CHECK(refused({"--format", "xml"}).find("ipset") != std::string::npos);
}

TEST_CASE("endpoints diff compares coverage of files, versions and the list built in",
          "[cli][endpoints][schema]") {
  const Folder folder;
  const std::string file = folder.write("list.json", worldwide);
  const Ran ran = run({"endpoints", "diff", file});
  CHECK(ran.status == 0);
  CHECK(
      ran.out.substr(ran.out.find("\n\n")) ==
      "\n\naddresses\n"
      "  + 40.107.128.0/17\n  + 52.100.0.0/14\n  + 104.47.0.0/17\n  + 2a01:111:f400::/48\n  - 192.0.2.0/24\n"
      "\nrow 10  replaced  Exchange  tcp/25\n  + *.mail.protection.outlook.com\n");
  const Json moved =
      json_of({"endpoints", "diff", "2022072800", "--instance", "China"}, "endpoints-diff").document;
  REQUIRE(moved["rows"].size() == 1);
  CHECK(moved["rows"][0]["id"] == 27);
  CHECK(moved["rows"][0]["was_id"] == 2);
  CHECK(moved["rows"][0]["change"] == "moved");
  CHECK(moved["rows"][0]["before"]["tcp_ports"] == "25,53,80,443");
  CHECK(moved["before"]["version"] == "2022072800");
  CHECK(moved["removed"] == Json{"2406:e500:c020::/44", "2406:e500:c120::/44"});
  const Json widened = json_of({"endpoints", "diff", "2018112800", "2019010700"}, "endpoints-diff").document;
  CHECK(widened["added"] == Json{"40.107.128.0/17"});  // /17 became /16
  const Json all = json_of({"endpoints", "diff", file, "embedded", "--all"}, "endpoints-diff").document;
  CHECK(all["rows"].size() == 64);  // row 9 wider, row 10 replaced, the rest added
  CHECK(
      json_of({"endpoints", "diff", "2025043000", "2025-12-01"}, "endpoints-diff").document["rows"].empty());
}

TEST_CASE("endpoints refuses what it cannot answer, in words", "[cli][endpoints]") {
  const Folder folder;
  const std::string version =
      folder.write("version.json", R"({"instance":"Worldwide","latest":"2018063000"})");
  CHECK(refusal({"endpoints", "show", "--endpoints", version}) ==
        "aclmend: " + version +
            ":1:1: the file is an answer of /version, which says what versions there are; wanted is "
            "the answer of /endpoints/INSTANCE as JSON\n");
  const std::string no_mail =
      folder.write("common.json", R"([{"id": 1, "serviceArea": "Common", "tcpPorts": "443"}])");
  CHECK(refusal({"endpoints", "show", "--endpoints", no_mail})
            .find("holds no Exchange rows with TCP 25 and addresses") != std::string::npos);
  CHECK(refusal({"endpoints", "show", "--endpoints", folder.path() + "/absent.json"}).find("absent.json") !=
        std::string::npos);
  CHECK(refusal({"endpoints", "show", "--endpoints", "2019010100"})
            .find("2019010100 of Worldwide is not known here") != std::string::npos);
  CHECK(
      refusal({"endpoints", "show", "--endpoints", "2024-01-01"}) ==
      "aclmend: no list of Worldwide as of 2024-01-01 is known here; the one built in is as of 2025-12-01\n");
  CHECK(refusal({"endpoints", "show", "--instance", "GCC"}).find("one of Worldwide") != std::string::npos);
  CHECK(refusal({"endpoints", "show", "--flow", "eop-inbound"}).find("eop-inbound-smtp") !=
        std::string::npos);
  CHECK(refusal({"endpoints", "show", "--all", "--flow", "eop-inbound-smtp"}) ==
        "aclmend: --all and --flow exclude each other\n");
  CHECK(refusal({"endpoints", "show", "--all", "--endpoints", "2018072800"}).find("leave out --all") !=
        std::string::npos);
  CHECK(refusal({"endpoints", "covers", "40.92.1.0/15"}) ==
        "aclmend: '40.92.1.0/15': bits are set beyond the length: did you mean 40.92.0.0/15 or 40.92.1.0? "
        "(--host-bits clear takes the first)\n");
  CHECK(refusal({"endpoints", "covers", "mail"}).find("expected an address, a prefix or a range") !=
        std::string::npos);
  CHECK(refusal({"endpoints", "covers"}).find("nothing is asked: expected addresses") != std::string::npos);
  CHECK(refusal({"endpoints", "covers", "-", "--file", "-"}).find("only once") != std::string::npos);
  CHECK(refusal({"endpoints", "diff", "2018072800", "--all"}).find("all rows cannot be compared") !=
        std::string::npos);
  const std::string mail = folder.write("list.json", worldwide);
  CHECK(refusal({"endpoints", "diff", mail, "2018072800", "--instance", "China"}).find("China") !=
        std::string::npos);
  CHECK(refusal({"endpoints", "show", "--format", "yaml"}).find("yaml") != std::string::npos);
  CHECK(refusal({"endpoints"}) ==
        "aclmend endpoints: expected show, covers, diff, export, fetch, import, history, verify or pin\n");
  CHECK(refusal({"endpoints", "shwo"}) ==
        "aclmend endpoints: expected show, covers, diff, export, fetch, import, history, verify or pin, "
        "found 'shwo'; did you mean 'show'?\n");
  CHECK(refusal({"endpoints", "show", "--isntance", "China"}).find("did you mean --instance?") !=
        std::string::npos);
}

TEST_CASE("what comes from a file cannot steer the terminal", "[cli][endpoints]") {
  const Folder folder;
  const std::string file = folder.write(
      "list.json", R"([{"id": 10, "serviceArea": "Exchange", "ips": ["192.0.2.0/24"], "tcpPorts": "25",
                        "urls": ["a\u001b[2Jb\n"], "category": "\u001b]0;x\u0007"}])");
  const Ran ran = run({"endpoints", "show", "--endpoints", file});
  CHECK(ran.status == 0);
  CHECK(ran.out.find('\x1b') == std::string::npos);
  CHECK(ran.out.find("a\\x1b[2Jb") != std::string::npos);
}
