// The commands over the store as a user meets them: a real HTTPS server plays Microsoft's service, and a
// store of its own stands in each test's folder.
#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>

#include "endpoints/import.h"
#include "tests/support/folder.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include "tests/support/tls_server.h"

using namespace aclmend;
using aclmend::test::Ran;
using Json = nlohmann::json;

namespace {

// The list built in, with other addresses in its SMTP row: what Microsoft's service answers.
std::string list_with(const std::vector<std::string>& smtp_ips) {
  endpoints::Release release = endpoints::newest(endpoints::Instance::worldwide);
  for (endpoints::Row& row : release.rows)
    if (selects(endpoints::smtp_selection(), row)) {
      row.ips.clear();
      for (const std::string& ip : smtp_ips) row.ips.push_back(*parse_prefix(ip));
    }
  return endpoints::encode(release);
}
const std::string today = list_with({"40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17",
                                     "2a01:111:f400::/48", "2a01:111:f403::/48"});
const std::string with_new = list_with({"40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17",
                                        "203.0.113.0/24", "2a01:111:f400::/48", "2a01:111:f403::/48"});
const std::string shrunken =
    list_with({"40.107.0.0/16", "104.47.0.0/17", "2a01:111:f400::/48", "2a01:111:f403::/48"});

std::string addition(const std::string& effective) {
  return R"([{"id":7,"endpointSetId":10,"disposition":"Change","version":"2026020200","impact":"AddedIp","add":{"effectiveDate":")" +
         effective + R"(","ips":["203.0.113.0/24"]}}])";
}

// Microsoft's service as far as it matters: a version, a list, the changes.
class Service {
 public:
  Service()
      : authority_(test::make_authority("Test Authority")),
        server_({.certificate = test::make_certificate({.name = "127.0.0.1", .alternatives = {"127.0.0.1"}},
                                                       authority_)},
                [this](const test::Request& request) { return answer(request); }),
        ca_file_(folder_.write("ca.pem", authority_.pem)) {}

  void publish(const std::string& version, const std::string& list, const std::string& changes = "[]") {
    const std::lock_guard lock(mutex_);
    version_ = version;
    list_ = list;
    changes_ = changes;
  }
  void fail_with(int status) {
    const std::lock_guard lock(mutex_);
    status_ = status;
  }

  Ran fetch(std::vector<std::string> more = {}) const {
    std::vector<std::string> args = {
        "endpoints", "fetch",  "--store", store(), "--base-url", server_.url("127.0.0.1", ""),
        "--ca-file", ca_file_, "--tries", "1"};
    args.insert(args.end(), more.begin(), more.end());
    return test::aclmend(args);
  }
  Ran run(std::vector<std::string> args) const {
    args.insert(args.end(), {"--store", store()});
    return test::aclmend(args);
  }
  std::string store() const { return folder_.path() + "/state/store.sqlite"; }
  const test::Folder& folder() const { return folder_; }
  std::vector<test::Request> requests() const { return server_.requests(); }

 private:
  test::Reply answer(const test::Request& request) {
    const std::lock_guard lock(mutex_);
    if (status_ != 200) return {.bytes = test::answer(status_, {"Retry-After: 3600"}, "go away")};
    const std::string body = request.target.starts_with("/version/")
                                 ? R"({"instance":"Worldwide","latest":")" + version_ + "\"}"
                             : request.target.starts_with("/endpoints/") ? list_
                                                                         : changes_;
    return {.bytes = test::answer(200, {"Content-Type: application/json"}, body)};
  }

  std::mutex mutex_;
  std::string version_ = "2026010200", list_ = today, changes_ = "[]";
  int status_ = 200;
  test::Certificate authority_;
  test::Folder folder_;
  test::TlsServer server_;
  std::string ca_file_;
};

Json json_of(const Ran& ran, const std::string& schema) {
  CHECK(test::schema_errors(ran.out, schema).empty());
  Json document = Json::parse(ran.out);
  CHECK(document["exit"] == ran.status);
  return document;
}

const std::string edge = R"(ASA Version 9.16(4)
interface GigabitEthernet0/0
 nameif outside
 security-level 0
 ip address 203.0.113.1 255.255.255.0
object network MAIL
 host 10.1.1.25
object-group network EOP
 network-object 40.92.0.0 255.254.0.0
 network-object 40.107.0.0 255.255.0.0
 network-object 52.100.0.0 255.252.0.0
 network-object 104.47.0.0 255.255.128.0
access-list OUT extended permit tcp object-group EOP host 10.1.1.25 eq smtp
access-list OUT extended deny ip any any
access-group OUT in interface outside
)";

}  // namespace

TEST_CASE("fetch keeps what is new, and does not ask again within the hour", "[cli][store][fetch]") {
  Service service;
  const Ran first = service.fetch();
  CHECK(first.status == 0);
  CHECK(first.err.empty());
  CHECK(first.out == "Worldwide     2026010200 is new here\n  no address of eop-inbound-smtp came or left\n");
  const std::size_t asked = service.requests().size();
  const Ran again = service.fetch();
  CHECK(again.status == 0);
  CHECK(again.out.find("the service wants to be asked once an hour at most (--force)") != std::string::npos);
  CHECK(service.requests().size() == asked);

  service.publish("2026020200", with_new, addition("20260310"));
  const Ran forced = service.fetch({"--force"});
  CHECK(forced.status == 0);
  CHECK(forced.out == "Worldwide     2026020200 is new, it was 2026010200\n  + 203.0.113.0/24\n");
}

TEST_CASE("each installation has a request id of its own and keeps it", "[cli][store][fetch]") {
  Service service, other;
  service.fetch();
  service.fetch({"--force"});
  other.fetch();
  const auto id = [](const test::Request& request) {
    return request.target.substr(request.target.find('=') + 1);
  };
  const auto requests = service.requests();
  REQUIRE(requests.size() >= 4);
  for (const test::Request& request : requests) CHECK(id(request) == id(requests.front()));
  CHECK(id(requests.front()).size() == 36);
  CHECK(id(other.requests().front()) != id(requests.front()));
  service.fetch({"--force", "--new-request-id"});
  CHECK(id(service.requests().back()) != id(requests.front()));
}

TEST_CASE("a shrunken answer is refused, and the last good list stays in force", "[cli][store][fetch]") {
  Service service;
  service.fetch();
  service.publish("2026020200", shrunken);
  const Ran refused = service.fetch({"--force", "--format", "json"});
  CHECK(refused.status == 2);
  const Json document = json_of(refused, "endpoints-fetch");
  CHECK(document["instances"][0]["outcome"] == "refused");
  CHECK(document["instances"][0]["code"] == "ACM051");
  CHECK(document["instances"][0]["version"] == "2026010200");
  CHECK(document["instances"][0]["reasons"][0] == "eop-inbound-smtp: 80 % of the IPv4 addresses are gone");
  CHECK(service.run({"endpoints", "show", "--endpoints", "store"}).out.find("52.100.0.0/14") !=
        std::string::npos);

  CHECK(service.fetch({"--force", "--accept-shrink"}).status == 0);
  CHECK(service.run({"endpoints", "show", "--endpoints", "store"}).out.find("52.100.0.0/14") ==
        std::string::npos);
}

TEST_CASE("an old list that was taken in does not make a shrunken answer look whole", "[cli][store][fetch]") {
  Service service;
  const std::string old = service.folder().write("Worldwide-2018063000.json", shrunken);
  REQUIRE(service.run({"endpoints", "import", old}).status == 0);
  service.publish("2026020200", shrunken);
  const Ran refused = service.fetch();
  CHECK(refused.status == 2);
  CHECK(refused.out.find("ACM051: the answer was refused; the list built in stays in force") !=
        std::string::npos);
  CHECK(refused.out.find("80 % of the IPv4 addresses are gone") != std::string::npos);
}

TEST_CASE("a service that does not answer costs nothing that is held", "[cli][store][fetch]") {
  Service service;
  service.fetch();
  service.fail_with(429);
  const Ran failed = service.fetch({"--force"});
  CHECK(failed.status == 2);
  CHECK(failed.out.find("answered 429") != std::string::npos);
  CHECK(failed.out.find("wait an hour") != std::string::npos);
  CHECK(service.run({"endpoints", "show", "--endpoints", "store"}).status == 0);
  const Json document = json_of(service.fetch({"--force", "--format", "json"}), "endpoints-fetch");
  CHECK(document["instances"][0]["outcome"] == "failed");
}

TEST_CASE("--offline never touches the network", "[cli][store][fetch]") {
  Service service;
  const Ran ran = service.fetch({"--offline"});
  CHECK(ran.status == 2);
  CHECK(ran.err.find("--offline forbids the network") != std::string::npos);
  CHECK(service.requests().empty());
}

TEST_CASE("an audit is asked against any release, and says what is coming", "[cli][store][audit]") {
  Service service;
  service.publish("2026010200", today);
  service.fetch();
  service.publish("2026020200", with_new, addition("20991231"));
  service.fetch({"--force"});
  const std::string config = service.folder().write("edge.cfg", edge);
  const auto audit = [&](std::vector<std::string> more) {
    std::vector<std::string> args = {"audit",    config, "--to", "10.1.1.25", "--flow", "eop-inbound-smtp",
                                     "--format", "json"};
    args.insert(args.end(), more.begin(), more.end());
    return service.run(args);
  };
  const auto codes = [](const Json& document) {
    std::vector<std::string> codes;
    for (const Json& finding : document["findings"]) codes.push_back(finding["code"]);
    return codes;
  };

  const Json now = json_of(audit({}), "audit");
  CHECK(now["endpoints"]["version"] == "2026020200");
  CHECK(now["endpoints"]["origin"] == "store");
  CHECK(now["exit"] == 0);
  CHECK(now["devices"][0]["checks"][0]["status"] == "pass");
  CHECK(std::ranges::count(codes(now), "ACM052") == 1);
  for (const Json& finding : now["findings"])
    if (finding["code"] == "ACM052") {
      CHECK(finding["severity"] == "warning");
      CHECK(finding["ranges"] == Json{"203.0.113.0/24"});
      CHECK(finding["title"] == "203.0.113.0/24 is in use from 2099-12-31 on and not let in yet");
    }

  const Json then = json_of(audit({"--as-of", "2099-12-31"}), "audit");
  CHECK(then["exit"] == 1);
  CHECK(then["devices"][0]["checks"][0]["blocked"] == Json{"203.0.113.0/24"});
  CHECK(std::ranges::count(codes(then), "ACM052") == 0);

  const Json before = json_of(audit({"--endpoints", "2026010200"}), "audit");
  CHECK(before["endpoints"]["version"] == "2026010200");
  CHECK(codes(before) == codes(json_of(audit({"--endpoints", "embedded"}), "audit")));

  const Ran mend = service.run({"fix", config, "--to", "10.1.1.25", "--as-of", "2099-12-31"});
  CHECK(mend.status == 0);
  CHECK(mend.out.find("network-object 203.0.113.0 255.255.255.0") != std::string::npos);
}

TEST_CASE("a range whose day has not come is not missed in a log", "[cli][store][diagnose]") {
  Service service;
  service.fetch();
  service.publish("2026020200", with_new, addition("20991231"));
  service.fetch({"--force"});
  const auto misses = [&](std::vector<std::string> more) {
    std::vector<std::string> args = {"diagnose", (test::root() / "fixtures/story/deferral.txt").string(),
                                     (test::root() / "fixtures/story/RECV2026112002-1.LOG").string(),
                                     "--format", "json"};
    args.insert(args.end(), more.begin(), more.end());
    return service.run(args).out.find("203.0.113.0/24") != std::string::npos;
  };
  CHECK_FALSE(misses({}));
  CHECK(misses({"--as-of", "2099-12-31"}));
}

TEST_CASE("what is let in before its day is no stranger", "[cli][store][audit]") {
  Service service;
  service.fetch();
  service.publish("2026020200", with_new, addition("20991231"));
  service.fetch({"--force"});
  std::string open = edge;
  open.insert(open.find("access-list"), " network-object 203.0.113.0 255.255.255.0\n");
  const std::string config = service.folder().write("open.cfg", open);
  const Ran ran = service.run({"audit", config, "--to", "10.1.1.25"});
  CHECK(ran.status == 0);
  CHECK(ran.out.find("ACM021") == std::string::npos);
  CHECK(ran.out.find("ACM052") == std::string::npos);
}

TEST_CASE("an inventory takes its list from the store, and says when nobody looked for long",
          "[cli][store][inventory]") {
  Service service;
  service.fetch();
  service.folder().write("edge.cfg", edge);
  const auto audit = [&](const std::string& endpoints, std::vector<std::string> more = {}) {
    const std::string inventory = service.folder().write(
        "aclmend.yaml", "version: 1\nendpoints: { " + endpoints +
                            " }\ndevices: [{ name: edge, file: edge.cfg, to: [10.1.1.25] }]\n");
    std::vector<std::string> args = {"audit", "--inventory", inventory, "--format", "json"};
    args.insert(args.end(), more.begin(), more.end());
    return json_of(service.run(args), "audit");
  };
  const auto has = [](const Json& document, const char* code) {
    return std::ranges::any_of(document["findings"], [&](const Json& one) { return one["code"] == code; });
  };
  const Json fresh = audit("source: store, max-age: 45d");
  CHECK(fresh["endpoints"]["version"] == "2026010200");
  CHECK_FALSE(has(fresh, "ACM050"));
  const Json old = audit("source: store, max-age: 45d", {"--as-of", "2099-01-01"});
  CHECK(has(old, "ACM050"));
  CHECK(old["exit"] == 0);  // a note
  CHECK(audit("pin: \"2018080200\"")["endpoints"]["version"] == "2018080200");
}

TEST_CASE("saved answers and folders of them come in; what cannot is told and the rest taken",
          "[cli][store][import]") {
  Service service;
  const test::Folder& folder = service.folder();
  folder.write("saved/Worldwide-2026010200.json", today);
  folder.write("saved/Worldwide-2026020200.json", with_new);
  folder.write("saved/notes.txt", "no list");
  const Ran taken = service.run({"endpoints", "import", folder.path() + "/saved", "--format", "json"});
  CHECK(taken.status == 0);
  CHECK(taken.err.empty());
  const Json document = json_of(taken, "endpoints-import");
  REQUIRE(document["lists"].size() == 2);
  CHECK(document["lists"][1]["version"] == "2026020200");
  CHECK(document["lists"][1]["outcome"] == "added");
  CHECK(json_of(service.run({"endpoints", "show", "--format", "json"}), "endpoints-show")["checked"] ==
        "2026-02-02");  // the list's own day: taking it in is no look at the service
  CHECK(json_of(service.run({"endpoints", "import", folder.path() + "/saved", "--format", "json"}),
                "endpoints-import")["lists"][0]["outcome"] == "there-already");

  folder.write("more/Worldwide-2026030200.json", "[{\"id\": 1,]");
  folder.write("more/Worldwide-2026040200.json", with_new);
  const Ran partly = service.run({"endpoints", "import", folder.path() + "/more"});
  CHECK(partly.status == 2);
  CHECK(partly.err.find("Worldwide-2026030200.json:1:") != std::string::npos);
  CHECK(service.run({"endpoints", "show", "--endpoints", "2026040200"}).status == 0);
}

TEST_CASE("changes that are imported make the next release, and verify follows them",
          "[cli][store][import]") {
  Service service;
  const test::Folder& folder = service.folder();
  const std::string list = folder.write("Worldwide-2026010200.json", today);
  const std::string changes = folder.write("Worldwide-changes.json", addition("20260310"));
  CHECK(service.run({"endpoints", "import", list}).status == 0);
  const Ran taken = service.run({"endpoints", "import", changes, "--instance", "Worldwide"});
  CHECK(taken.err.empty());
  CHECK(taken.status == 0);
  const Ran shown = service.run({"endpoints", "show", "--endpoints", "2026020200"});
  CHECK(shown.status == 0);
  CHECK(shown.out.find("203.0.113.0/24") != std::string::npos);
  const Json verified = json_of(service.run({"endpoints", "verify", "--format", "json"}), "endpoints-verify");
  CHECK(verified["exit"] == 0);
  CHECK(verified["instances"][0]["steps"][0]["by"] == "changes");

  const std::string wrong = folder.write("Worldwide-2026020200.json", today);
  CHECK(service.run({"endpoints", "import", wrong}).status ==
        0);  // other rows under the version: kept beside
  const Ran differs = service.run({"endpoints", "verify"});
  CHECK(differs.status == 1);
  CHECK(differs.out.find("203.0.113.0/24") != std::string::npos);
}

TEST_CASE("history tells every release held and what it changed", "[cli][store][history]") {
  Service service;
  service.fetch();
  service.publish("2026020200", with_new, addition("20260310"));
  service.fetch({"--force"});
  const Json document =
      json_of(service.run({"endpoints", "history", "--format", "json"}), "endpoints-history");
  REQUIRE(document["releases"].size() == 2);
  CHECK(document["releases"][0]["is_first"] == true);
  CHECK(document["releases"][0]["difference"]["added"].size() == 6);
  CHECK(document["releases"][1]["version"] == "2026020200");
  CHECK(document["releases"][1]["difference"]["added"] == Json{"203.0.113.0/24"});
  CHECK(document["releases"][1]["difference"]["rows"][0]["change"] == "widened");
  const Ran text = service.run({"endpoints", "history"});
  CHECK(text.out.find("row 10 widened\n  + 203.0.113.0/24\n") != std::string::npos);
}

TEST_CASE("without a store, history tells what is built in, and nothing makes a store",
          "[cli][store][history]") {
  const test::Folder folder;
  const std::string store = folder.path() + "/none/store.sqlite";
  const Ran shown = test::aclmend({"endpoints", "history"});
  CHECK(shown.status == 0);
  CHECK(shown.out.find("\n2019010700") != std::string::npos);
  CHECK(shown.out.find("  + 40.107.128.0/17\n") != std::string::npos);
  CHECK(test::aclmend({"audit", folder.write("edge.cfg", edge), "--to", "10.1.1.25", "--store", store})
            .status == 2);
  CHECK_FALSE(std::filesystem::exists(folder.path() + "/none"));
  CHECK(test::aclmend({"endpoints", "verify", "--store", store}).status == 2);
}

TEST_CASE("pin moves the inventory to a release that is known, and to no other", "[cli][store][pin]") {
  Service service;
  service.fetch();
  service.publish("2026020200", with_new, addition("20260310"));
  service.fetch({"--force"});
  const std::string inventory = service.folder().write(
      "aclmend.yaml",
      "version: 1\nendpoints: { pin: \"2026010200\" }   # ours\ndevices: [{ file: edge.cfg }]\n");
  const Ran dry = service.run({"endpoints", "pin", "--latest", "--dry-run", "--inventory", inventory});
  CHECK(dry.status == 0);
  CHECK(test::text_of(inventory).find("2026010200") != std::string::npos);
  const Ran moved = service.run({"endpoints", "pin", "--latest", "--inventory", inventory});
  CHECK(moved.status == 0);
  CHECK(moved.out.find("pin 2026010200 -> 2026020200\n") != std::string::npos);
  CHECK(moved.out.find("  + 203.0.113.0/24\n") != std::string::npos);
  CHECK(test::text_of(inventory) ==
        "version: 1\nendpoints: { pin: \"2026020200\" }   # ours\ndevices: [{ file: edge.cfg }]\n");
  const Ran unknown = service.run({"endpoints", "pin", "2030010100", "--inventory", inventory});
  CHECK(unknown.status == 2);
  CHECK(test::text_of(inventory).find("2026020200") != std::string::npos);
}
