// `aclmend flows` as a user meets it.
#include <nlohmann/json.hpp>

#include "tests/support/folder.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

using namespace aclmend::test;
using Json = nlohmann::json;

namespace {

const std::string partner =
    "id: partner-inbound-smtp\ntitle: Our partner reaches the mail server\nseverity: warning\n"
    "flow: { direction: inbound, source: [198.51.100.0/28], destination: mail-hosts, protocol: tcp, port: 25 "
    "}\n"
    "why: Agreed with the partner.\n";

Json json_of(std::vector<std::string> args, const std::string& schema, int status) {
  args.insert(args.end(), {"--format", "json"});
  const Ran ran = aclmend::test::aclmend(args);
  CHECK(ran.status == status);
  CHECK(schema_errors(ran.out, schema) == "");
  const Json document = Json::parse(ran.out);
  CHECK(document["exit"] == status);
  return document;
}

}  // namespace

TEST_CASE("flows list names what is asked, and when", "[cli][flows]") {
  const Ran ran = aclmend::test::aclmend({"flows", "list"});
  CHECK(ran.status == 0);
  CHECK(ran.err.empty());
  CHECK(ran.out ==
        "eop-inbound-smtp         error    by default                              shipped\n"
        "    Exchange Online Protection reaches the on-premises mail server\n"
        "eop-outbound-smtp        error    where it is named                       shipped\n"
        "    The on-premises mail server reaches Exchange Online Protection\n"
        "hybrid-inbound-https     error    where it is named                       shipped\n"
        "    Exchange Online reaches the on-premises Exchange web services\n"
        "hybrid-outbound-https    error    where it is named                       shipped\n"
        "    The on-premises Exchange server reaches Exchange Online's web services\n"
        "relay-pool               note     with eop-inbound-smtp                   shipped\n"
        "    Exchange Online's relay pool, which Microsoft's list leaves out, reaches the on-premises mail "
        "server\n");
  const Json document = json_of({"flows", "list"}, "flows-list", 0);
  REQUIRE(document["flows"].size() == 5);
  CHECK(document["flows"][0]["id"] == "eop-inbound-smtp");
  CHECK(document["flows"][0]["default"] == true);
  CHECK(document["flows"][0]["select"]["tcp_port"] == 25);
  CHECK(document["flows"][0]["source"] == "selected");
  CHECK(document["flows"][4]["code"] == "ACM023");
  CHECK(document["flows"][4]["source"] == Json::array({"40.95.0.0/16"}));
  CHECK(document["flows"][4]["select"] == nullptr);
}

TEST_CASE("flows of a folder stand beside the shipped ones", "[cli][flows]") {
  const Folder folder;
  folder.write("rules/partner.yaml", partner);
  folder.write("rules/README.md", "not a flow");
  const Json document = json_of({"flows", "list", "--rules", folder.path() + "/rules"}, "flows-list", 0);
  REQUIRE(document["flows"].size() == 6);
  CHECK(document["flows"][5]["origin"] == "file");
  CHECK(document["flows"][5]["file"] == folder.path() + "/rules/partner.yaml");

  const Ran none = aclmend::test::aclmend({"flows", "list", "--rules", folder.path()});
  CHECK(none.status == 2);
  CHECK(none.err == "aclmend: " + folder.path() + ": holds no flow file (*.yaml)\n");
  const Ran missing = aclmend::test::aclmend({"flows", "list", "--rules", folder.path() + "/no"});
  CHECK(missing.status == 2);
}

TEST_CASE("flows show prints the reasoning", "[cli][flows]") {
  const Ran ran = aclmend::test::aclmend({"flows", "show", "eop-inbound-smtp"});
  CHECK(ran.status == 0);
  CHECK(ran.out.find("packets    inbound: selected ranges -> mail hosts, tcp/25, smtp\n") !=
        std::string::npos);
  CHECK(ran.out.find("selected   rows of Exchange with TCP 25 that name addresses\n") != std::string::npos);
  CHECK(ran.out.find("Microsoft's list does not state a direction") != std::string::npos);
  const Json document = json_of({"flows", "show", "relay-pool"}, "flows-show", 0);
  REQUIRE(document["flows"].size() == 1);
  CHECK(document["flows"][0]["with"] == "eop-inbound-smtp");

  const Ran mistyped = aclmend::test::aclmend({"flows", "show", "relay-pol"});
  CHECK(mistyped.status == 2);
  CHECK(mistyped.out.empty());
  CHECK(mistyped.err == "aclmend: there is no flow 'relay-pol': did you mean 'relay-pool'?\n");
}

TEST_CASE("flows check shows the line that cannot be used", "[cli][flows]") {
  const Folder folder;
  const std::string good = folder.write("good.yaml", partner);
  std::string text = partner;
  text.replace(text.find("severity"), 8, "sevrity");
  const std::string bad = folder.write("bad.yaml", text);
  const Ran ran = aclmend::test::aclmend({"flows", "check", good, bad});
  CHECK(ran.status == 2);
  CHECK(ran.err.find(bad + ":3:1: error: unknown key 'sevrity' in a flow: did you mean 'severity'?\n"
                           "  sevrity: warning\n  ^\n") != std::string::npos);
  CHECK(ran.out.find("ok: partner-inbound-smtp") != std::string::npos);
  CHECK(ran.out.find("cannot be used") != std::string::npos);

  const Json document = json_of({"flows", "check", good, bad}, "flows-check", 2);
  CHECK(document["files"][0]["usable"] == true);
  CHECK(document["files"][1]["usable"] == false);
  CHECK(document["files"][1]["id"] == nullptr);
  CHECK(document["inputs"].size() == 2);
  REQUIRE(document["diagnostics"].size() == 2);
  CHECK(document["diagnostics"][1]["line"] == 3);

  const Ran missing = aclmend::test::aclmend({"flows", "check", folder.path() + "/none.yaml"});
  CHECK(missing.status == 2);
  CHECK(missing.err.find("none.yaml: error: cannot be opened") != std::string::npos);
  CHECK(missing.out.find("cannot be used") != std::string::npos);
}

TEST_CASE("flows check knows the finding codes, and takes what is in force without files", "[cli][flows]") {
  const Folder folder;
  const std::string file = folder.write("f.yaml", partner + "code: ACM999\n");
  const Ran ran = aclmend::test::aclmend({"flows", "check", file});
  CHECK(ran.status == 2);
  CHECK(ran.err.find("there is no finding code ACM999") != std::string::npos);
  CHECK(json_of({"flows", "check"}, "flows-check", 0)["files"].size() == 5);
  folder.write("other/f.yaml", "id: eop-inbound-smtp\n");
  const Json refused = json_of({"flows", "check", "--rules", folder.path() + "/other"}, "flows-check", 2);
  CHECK_FALSE(refused["diagnostics"].empty());
}
