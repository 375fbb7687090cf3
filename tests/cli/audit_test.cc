// The audit as a user runs it: the story before and after the change, fleets, what cannot be judged.
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/folder.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

using namespace aclmend;
using test::Ran;

namespace {

std::string story(const std::string& name) { return (test::root() / "fixtures" / "story" / name).string(); }

nlohmann::json audited(std::vector<std::string> args, int status) {
  args.insert(args.begin(), "audit");
  args.insert(args.end(), {"--format", "json"});
  const Ran ran = test::aclmend(args);
  INFO(ran.err);
  CHECK(ran.status == status);
  REQUIRE_FALSE(ran.out.empty());
  CHECK(test::schema_errors(ran.out, "audit") == "");
  const auto answer = nlohmann::json::parse(ran.out);
  CHECK(answer["exit"] == ran.status);
  return answer;
}

}  // namespace

TEST_CASE("before the change every required range is open, after it two are blocked by the last line") {
  const auto before = audited({story("edge-before.cfg")}, 0);
  CHECK(before["devices"][0]["checks"][0]["status"] == "pass");
  CHECK(before["summary"]["error"] == 0);

  const auto after = audited({story("edge-after.cfg")}, 1);
  const auto& check = after["devices"][0]["checks"][0];
  CHECK(check["status"] == "fail");
  CHECK(check["permitted"] == nlohmann::json({"40.92.0.0/15", "40.107.0.0/16"}));
  CHECK(check["blocked"] == nlohmann::json({"52.100.0.0/14", "104.47.0.0/17"}));
  const auto& finding = after["findings"][0];
  CHECK(finding["code"] == "ACM003");
  CHECK(finding["ranges"] == check["blocked"]);
  CHECK(finding["witness"]["from"] == "52.100.0.1");
  CHECK(finding["blocked_by"]["text"] == "access-list OUTSIDE_IN extended deny ip any any log");
}

TEST_CASE("the same input gives the same bytes, and no secret of it is in any of them") {
  const std::vector<std::string> args = {"audit", story("edge-after.cfg"), "--format", "json"};
  const Ran first = test::aclmend(args), second = test::aclmend(args);
  CHECK(first.out == second.out);
  const Ran ledger = test::aclmend({"audit", story("edge-after.cfg"), "--ledger"});
  for (const std::string& text : {first.out, first.err, ledger.out, ledger.err}) {
    CHECK(text.find("$sha512$") == std::string::npos);
    CHECK(text.find("pre-shared-key") == std::string::npos);
    CHECK(text.find("community") == std::string::npos);
  }
}

TEST_CASE("the ledger has a state for every line of the input") {
  const Ran ran = test::aclmend({"audit", story("edge-after.cfg"), "--ledger"});
  const std::string text = test::text_of(story("edge-after.cfg"));
  const auto lines = std::count(text.begin(), text.end(), '\n');
  std::istringstream out(ran.out);
  std::ptrdiff_t told = 0;
  for (std::string line; std::getline(out, line);)
    told += line.starts_with(story("edge-after.cfg") + ":") ? 1 : 0;
  CHECK(told == lines);
}

TEST_CASE("exit status: --fail-on and --exit-zero move 1, nothing moves 2") {
  CHECK(test::aclmend({"audit", story("edge-after.cfg"), "--fail-on", "never"}).status == 0);
  CHECK(test::aclmend({"audit", story("edge-after.cfg"), "--exit-zero"}).status == 0);
  CHECK(test::aclmend({"audit", story("edge-before.cfg"), "--fail-on", "note"}).status == 1);
  CHECK(test::aclmend({"audit", story("nothing-there.cfg"), "--exit-zero"}).status == 2);
  CHECK(test::aclmend({"audit", story(""), "--exit-zero"}).status == 2);
  CHECK(test::aclmend({"audit", story("edge-after.cfg"), "--flow", "eop-inbound-smpt"}).status == 2);
}

TEST_CASE("a device that cannot be judged makes 2, and the others are reported in full") {
  const auto fleet = audited({story("edge-after.cfg"), story("deferral.txt")}, 2);
  CHECK(fleet["summary"]["unreadable"] == 1);
  CHECK(fleet["devices"][1]["error"].is_string());
  std::vector<std::string> codes;
  for (const auto& finding : fleet["findings"]) codes.push_back(finding["code"]);
  CHECK(std::ranges::find(codes, "ACM003") != codes.end());
  CHECK(std::ranges::find(codes, "ACM090") != codes.end());
}

TEST_CASE("--strict refuses what had to be inferred; told what it was, it answers") {
  const Ran refused = test::aclmend({"audit", story("edge-after.cfg"), "--strict"});
  CHECK(refused.status == 2);
  CHECK(refused.out.find("--ingress") != std::string::npos);
  const Ran told = test::aclmend(
      {"audit", story("edge-after.cfg"), "--strict", "--ingress", "outside", "--to", "203.0.113.25"});
  CHECK(told.status == 1);
}

TEST_CASE("an inventory names the devices, and a glob's are asked only if they know the mail host") {
  const test::Folder folder;
  const std::string quiet =
      "ASA Version 9.16(4)\nhostname quiet\ninterface GigabitEthernet0/0\n nameif outside\n"
      " security-level 0\n ip address 192.0.2.2 255.255.255.0\n"
      "access-list OUT extended deny ip any any\naccess-group OUT in interface outside\n";
  folder.write("quiet.cfg", quiet);
  folder.write("edge.cfg", test::text_of(story("edge-after.cfg")));
  folder.write("aclmend.yaml",
               "version: 1\nmail: { hosts: [203.0.113.25] }\ndevices:\n"
               "  - { name: edge, file: edge.cfg, ingress: outside }\n  - { file: \"q*.cfg\" }\n");
  const auto answer = audited({"--inventory", folder.path() + "/aclmend.yaml"}, 1);
  CHECK(answer["devices"].size() == 2);
  CHECK(answer["devices"][0]["name"] == "edge");
  CHECK(answer["devices"][1]["checks"][0]["status"] == "not-applicable");
  CHECK(answer["summary"]["not_asked"] == 1);
}

TEST_CASE("a file of the inventory is asked as the inventory says, and mended as it says") {
  const test::Folder folder;
  const std::string edge = folder.write("edge of all.cfg", test::text_of(story("edge-after.cfg")));
  const std::string other = folder.write("other.cfg", test::text_of(story("edge-before.cfg")));
  const std::string inventory =
      folder.write("aclmend.yaml",
                   "version: 1\nmail: { hosts: [203.0.113.25] }\ndevices:\n"
                   "  - { name: edge, file: \"edge of all.cfg\", ingress: outside }\n"
                   "  - { name: other, file: other.cfg }\n");
  const auto answer = audited({edge, "--inventory", inventory}, 1);
  REQUIRE(answer["devices"].size() == 1);
  CHECK(answer["devices"][0]["name"] == "edge");
  CHECK(answer["inferred"].empty());  // the inventory says where the internet comes in

  const Ran mend = test::aclmend({"fix", edge, "--inventory", inventory});
  CHECK(mend.status == 0);
  CHECK(mend.out.find("aclmend audit '" + edge + "' --apply 'edge of all.fix.txt' --inventory " +
                      inventory) != std::string::npos);
  const Ran both = test::aclmend({"fix", edge, other, "--inventory", inventory});
  CHECK(both.status == 2);
  CHECK(both.err.find("2 devices of the inventory") != std::string::npos);
  const Ran stranger = test::aclmend({"audit", story("edge-after.cfg"), "--inventory", inventory});
  CHECK(stranger.status == 2);
  CHECK(stranger.err.find("edge-after.cfg: no device of " + inventory + " has this file") !=
        std::string::npos);
}
