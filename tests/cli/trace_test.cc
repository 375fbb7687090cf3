#include <nlohmann/json.hpp>

#include "tests/support/folder.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

using namespace aclmend;
using test::Ran;

namespace {

struct Asked {
  Ran ran;
  nlohmann::json answer;
};

class Edge {
 public:
  Ran text(std::vector<std::string> more) const { return test::aclmend(args(std::move(more))); }
  Asked json(std::vector<std::string> more) const {
    more.insert(more.end(), {"--format", "json"});
    Asked asked{text(std::move(more)), {}};
    INFO(asked.ran.err);
    REQUIRE_FALSE(asked.ran.out.empty());
    CHECK(test::schema_errors(asked.ran.out, "trace").empty());
    asked.answer = nlohmann::json::parse(asked.ran.out);
    CHECK(asked.answer["exit"] == asked.ran.status);
    return asked;
  }
  std::string path() const { return config_; }
  std::string beside(const std::string& name) const { return folder_.path() + "/" + name; }

 private:
  std::vector<std::string> args(std::vector<std::string> more) const {
    std::vector<std::string> all = {"trace", config_};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  test::Folder folder_;
  std::string config_ = folder_.write("edge.cfg", test::text_of(test::root() / "tests/cli/edge.cfg"));
};

std::vector<std::string> smtp_from(const std::string& source, std::vector<std::string> more = {}) {
  std::vector<std::string> all = {"--from", source, "--to", "203.0.113.25", "--port", "25"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

const std::vector<std::string> outside = {"--ingress", "outside"};

}  // namespace

TEST_CASE("trace names the line that permits, the translation and how to ask the device", "[trace]") {
  const Edge device;
  const Asked asked = device.json(smtp_from("40.92.1.1", outside));
  CHECK(asked.ran.status == 0);
  CHECK(asked.answer["verdict"] == "permit");
  CHECK(asked.answer["decided_by"] ==
        nlohmann::json(
            {{"rule", "OUT line 2"},
             {"file", device.path()},
             {"line", 17},
             {"text", "access-list OUT extended permit tcp object-group EOP host 10.1.1.25 eq smtp"}}));
  CHECK(asked.answer["implicit"].is_null());
  CHECK(asked.answer["translated_to"] == "10.1.1.25:25");
  CHECK(asked.answer["path"].back()["rule"] == "OUT line 2");
  CHECK(asked.answer["verify"][0] == "packet-tracer input outside tcp 40.92.1.1 40000 203.0.113.25 25");
  CHECK(asked.answer["inputs"][0]["vendor"] == "cisco-asa");
}

TEST_CASE("trace --expect makes an answer into a test", "[trace]") {
  const Edge device;
  CHECK(device.json(smtp_from("52.100.1.1", {"--ingress", "outside", "--expect", "deny"})).ran.status == 0);
  const Asked missed = device.json(smtp_from("52.100.1.1", {"--ingress", "outside", "--expect", "permit"}));
  CHECK(missed.ran.status == 1);
  CHECK(missed.ran.err == "aclmend trace: expected permit, found deny\n");
  const std::vector<std::string> pardoned = {"--ingress", "outside", "--expect", "unknown", "--exit-zero"};
  CHECK(device.json(smtp_from("52.100.1.1", pardoned)).ran.status == 0);
}

TEST_CASE("a time range leaves the answer open until it is assumed", "[trace]") {
  const Edge device;
  const Asked open = device.json(smtp_from("192.0.2.9", outside));
  CHECK(open.answer["verdict"] == "unknown");
  CHECK(open.answer["decided_by"].is_null());
  REQUIRE(open.answer["conditions"].size() == 1);
  CHECK(open.answer["conditions"][0]["kind"] == "time-range");
  CHECK(open.answer["conditions"][0]["name"] == "OFFICE");
  CHECK(open.answer["conditions"][0]["line"] == 16);
  const auto assuming = [&](const char* state) {
    return device.json(smtp_from("192.0.2.9", {"--ingress", "outside", "--assume", state})).answer;
  };
  CHECK(assuming("time-range OFFICE=on")["verdict"] == "permit");
  CHECK(assuming("time-range OFFICE=on")["assumed"] == nlohmann::json({"time-range OFFICE=on"}));
  CHECK(assuming("time-range OFFICE=off")["verdict"] == "deny");
  const Ran wrong = device.text(smtp_from("192.0.2.9", {"--assume", "time-range OFICE=on"}));
  CHECK(wrong.status == 2);
  CHECK(wrong.err.find("(did you mean time-range OFFICE?)") != std::string::npos);
  CHECK(device.text(smtp_from("192.0.2.9", {"--assume", "time-range OFFICE"})).status == 2);
}

TEST_CASE("a source port that is not given means all of them", "[trace]") {
  const Edge device;
  const Asked open = device.json(smtp_from("198.51.100.9", outside));
  CHECK(open.answer["verdict"] == "unknown");
  CHECK(open.answer["conditions"][0]["kind"] == "source port");
  CHECK(open.answer["conditions"][0]["text"] == "permit from 1024-4999; deny from 5000-65535");
  const auto from_port = [&](const char* port) {
    return device.json(smtp_from("198.51.100.9", {"--ingress", "outside", "--source-port", port}))
        .answer["verdict"];
  };
  CHECK(from_port("4999") == "permit");
  CHECK(from_port("5000") == "deny");
}

TEST_CASE("an ingress that is not given is asked for each interface", "[trace]") {
  const Edge device;
  const Asked same = device.json(smtp_from("40.92.1.1"));
  CHECK(same.answer["verdict"] == "permit");
  CHECK(same.answer["inferred"][0] ==
        "ingress not given: the same answer for each of inside, outside (--ingress)");
  CHECK(same.answer["verify"].size() == 2);
  const Asked open = device.json(smtp_from("52.100.1.1"));
  CHECK(open.answer["verdict"] == "unknown");
  REQUIRE(open.answer["conditions"].size() == 2);
  CHECK(open.answer["conditions"][0]["kind"] == "ingress");
  CHECK(open.answer["conditions"][0]["name"] == "inside");
  CHECK(open.answer["conditions"][1]["name"] == "outside");
  CHECK(open.answer["conditions"][1]["text"] == "deny by OUT line 4");
}

TEST_CASE("trace asks one list alone", "[trace]") {
  const Edge device;
  CHECK(device.json(smtp_from("40.92.1.1", {"--chain", "OUT"})).answer["verdict"] ==
        "deny");  // the wire address
  const Ran wrong = device.text(smtp_from("40.92.1.1", {"--chain", "OUTT"}));
  CHECK(wrong.status == 2);
  CHECK(
      wrong.err ==
      "aclmend: no list 'OUTT'; there are OUT, nat outside and same-security-traffic (did you mean OUT?)\n");
}

TEST_CASE("trace takes protocols without ports", "[trace]") {
  const Edge device;
  const std::vector<std::string> ends = {"--from",       "192.0.2.9", "--to",
                                         "203.0.113.25", "--ingress", "outside"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), ends.begin(), ends.end());
    return more;
  };
  const Asked ping = device.json(with({"--proto", "icmp"}));
  CHECK(ping.answer["verdict"] == "deny");
  CHECK(ping.answer["translated_to"] == "10.1.1.25");
  CHECK(device.json(with({"--proto", "gre"})).answer["verdict"] == "deny");
  CHECK(device.text(with({"--proto", "gre", "--port", "25"})).err == "aclmend: gre has no ports\n");
  CHECK(device.text(with({})).err == "aclmend: tcp needs a destination port: --port\n");
  CHECK(device.text(with({"--port", "25", "--icmp-type", "8"})).status == 2);
  CHECK(device.text(with({"--proto", "tpc", "--port", "25"})).status == 2);
}

TEST_CASE("trace refuses what it cannot ask", "[trace]") {
  const Edge device;
  const Ran nowhere = device.text(smtp_from("40.92.1.1", {"--ingress", "outsid"}));
  CHECK(nowhere.status == 2);
  CHECK(nowhere.out.empty());
  CHECK(nowhere.err ==
        "aclmend: no ingress 'outsid'; there are inside and outside (did you mean outside?)\n");
  CHECK(device.text(smtp_from("40.92.0.0/15")).err ==
        "aclmend: expected one address after --from, found '40.92.0.0/15'\n");
  CHECK(device.text(smtp_from("2001:db8::1")).status == 2);  // no packet has two families
  CHECK(device.text(smtp_from("40.92.1.1", {"--context", "admin"})).status == 2);
  CHECK(device.text(smtp_from("40.92.1.1", {"--format", "xml"})).err ==
        "aclmend: no format 'xml'; there are text and json\n");
  CHECK(test::aclmend(
            {"trace", device.beside("none.cfg"), "--from", "1.1.1.1", "--to", "1.1.1.2", "--port", "25"})
            .status == 2);
  CHECK(test::aclmend({"trace", device.path()}).status == 2);
}

TEST_CASE("trace writes files beside, the same bytes each time", "[trace]") {
  const Edge device;
  const std::string json_file = device.beside("out.json"), text_file = device.beside("out.txt");
  const Ran ran = device.text(
      smtp_from("40.92.1.1", {"--ingress", "outside", "-o", text_file, "--report", "json=" + json_file}));
  CHECK(ran.status == 0);
  CHECK(ran.out.empty());
  CHECK(test::text_of(text_file) == device.text(smtp_from("40.92.1.1", outside)).out);
  CHECK(test::text_of(json_file) == device.json(smtp_from("40.92.1.1", outside)).ran.out);
  CHECK(device.text(smtp_from("40.92.1.1", {"-o", device.beside("no/folder/x")})).status == 2);
  CHECK(device.text(smtp_from("40.92.1.1", {"--report", "json"})).status == 2);
}
