#include "inventory/flows.h"

#include <fstream>
#include <sstream>

#include "tests/support/test.h"

using namespace aclmend;
using namespace aclmend::inventory;

namespace {

const std::string partner = R"(id: partner-inbound-smtp
title: Our partner's relay reaches the mail server
severity: warning
flow: { direction: inbound, source: [198.51.100.0/28, 2001:db8::/48], destination: mail-hosts, protocol: tcp, port: 25 }
why: Agreed with the partner.
)";

Checked<Flow> read(const std::string& text) { return read_flow(Source("my.yaml", text)); }

// Every error of a text, one a line.
std::string errors_of(const std::string& text) {
  const auto flow = read(text);
  if (flow) return "none";
  std::string all;
  for (const Error& error : flow.error()) all += to_string(error) + "\n";
  return all;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), by);
}

SourcePtr source(const std::string& name, const std::string& text) {
  return std::make_shared<const Source>(name, text);
}

std::vector<std::string> ids(const std::vector<const Flow*>& flows) {
  std::vector<std::string> names;
  for (const Flow* flow : flows) names.push_back(flow->id);
  return names;
}

}  // namespace

TEST_CASE("the shipped flows are those the product names, each in the file of its id", "[inventory][flows]") {
  const auto flows = load_flows({});
  REQUIRE(flows.has_value());
  std::vector<std::string> names;
  for (const Flow& flow : *flows) {
    names.push_back(flow.id);
    CHECK(flow.origin == Origin::shipped);
    CHECK(flow.place.file == "rules/" + flow.id + ".yaml");
    CHECK(flow.why.size() > 100);
  }
  CHECK(names == std::vector<std::string>{"eop-inbound-smtp", "eop-outbound-smtp", "hybrid-inbound-https",
                                          "hybrid-outbound-https", "relay-pool"});
}

TEST_CASE("the default flow asks for the Exchange rows with TCP 25 and addresses", "[inventory][flows]") {
  const auto flows = load_flows({});
  REQUIRE(flows.has_value());
  const Flow* flow = find_flow(*flows, default_flow);
  REQUIRE(flow != nullptr);
  CHECK(flow->severity == Severity::error);
  REQUIRE(flow->select.has_value());
  CHECK(flow->select->service_area == "Exchange");
  CHECK(flow->select->tcp_port == 25);
  CHECK(flow->select->udp_port == std::nullopt);
  CHECK(flow->select->has_ips);
  CHECK(flow->direction == Direction::inbound);
  CHECK(flow->source.kind == End::Kind::selected);
  CHECK(flow->destination.kind == End::Kind::mail_hosts);
  CHECK(flow->protocol == protocol::tcp);
  CHECK(flow->port == 25);
  CHECK(flow->application == "smtp");
  CHECK(flow->others == Others::note);
}

TEST_CASE("the relay pool is a note with its own code, asked with the default flow", "[inventory][flows]") {
  const auto flows = load_flows({});
  REQUIRE(flows.has_value());
  const Flow* pool = find_flow(*flows, "relay-pool");
  REQUIRE(pool != nullptr);
  CHECK(pool->severity == Severity::note);
  CHECK(pool->code == "ACM023");
  CHECK_FALSE(pool->select.has_value());
  CHECK(to_string(pool->source.addresses) == "40.95.0.0/16");

  const auto by_default = flows_asked(*flows, {});
  REQUIRE(by_default.has_value());
  CHECK(ids(*by_default) == std::vector<std::string>{"eop-inbound-smtp", "relay-pool"});
  const std::vector<std::string> outbound = {"eop-outbound-smtp"};
  CHECK(ids(flows_asked(*flows, outbound).value()) == outbound);
  const std::vector<std::string> alone = {"relay-pool"};
  CHECK(ids(flows_asked(*flows, alone).value()) == alone);
}

TEST_CASE("a flow that is not there is refused with the nearest one", "[inventory][flows]") {
  const auto flows = load_flows({});
  REQUIRE(flows.has_value());
  const std::vector<std::string> mistyped = {"eop-inbuond-smtp"};
  CHECK(flows_asked(*flows, mistyped).error().message ==
        "there is no flow 'eop-inbuond-smtp': did you mean 'eop-inbound-smtp'?");
  const std::vector<std::string> strange = {"xyz"};
  CHECK(flows_asked(*flows, strange).error().message ==
        "there is no flow 'xyz': the flows are eop-inbound-smtp, eop-outbound-smtp, hybrid-inbound-https, "
        "hybrid-outbound-https, relay-pool");
}

TEST_CASE("literal prefixes stand in place of what is selected", "[inventory][flows]") {
  const auto flow = read(partner);
  REQUIRE(flow.has_value());
  CHECK(flow->source.kind == End::Kind::literal);
  CHECK(to_string(flow->source.addresses) == "198.51.100.0/28 2001:db8::/48");
  CHECK(flow->severity == Severity::warning);
  CHECK(flow->others == Others::ignore);
  CHECK(flow->application.empty());
  CHECK(flow->why == "Agreed with the partner.");
}

TEST_CASE("an unknown key of a flow names the nearest, with its place", "[inventory][flows]") {
  CHECK(errors_of(replaced(partner, "severity", "severty")) ==
        "my.yaml:1:1: a flow needs the key 'severity'\n"
        "my.yaml:3:1: unknown key 'severty' in a flow: did you mean 'severity'?\n");
  CHECK(errors_of(replaced(partner, "port: 25", "prt: 25")) ==
        "my.yaml:4:7: 'flow' needs the key 'port'\n"
        "my.yaml:4:111: unknown key 'prt' in 'flow': did you mean 'port'?\n");
}

TEST_CASE("every error of a flow is told at once, in the order of its lines", "[inventory][flows]") {
  CHECK(
      errors_of("id: Two Words\ntitle: [a]\nseverity: fatal\nflow: { direction: inwards, source: nowhere, "
                "destination: mail-hosts, protocol: tcp, port: 70000 }\n") ==
      "my.yaml:1:1: a flow needs the key 'why'\n"
      "my.yaml:1:5: expected a name of lower-case letters, digits and hyphens for 'id', found 'Two Words'\n"
      "my.yaml:2:8: expected a text of one line for 'title', found a list\n"
      "my.yaml:3:11: expected one of error, warning, note for 'severity', found 'fatal'\n"
      "my.yaml:4:20: expected one of inbound, outbound for 'direction', found 'inwards'\n"
      "my.yaml:4:37: expected 'selected', 'mail-hosts' or a prefix such as 40.95.0.0/16 for 'source', found "
      "'nowhere'\n"
      "my.yaml:4:92: expected a port from 1 to 65535 for 'port', found '70000'\n");
}

TEST_CASE("a prefix with bits beyond its length is refused", "[inventory][flows]") {
  CHECK(errors_of(replaced(partner, "198.51.100.0/28", "198.51.100.1/28"))
            .starts_with("my.yaml:4:38: expected 'selected', 'mail-hosts' or a prefix"));
}

TEST_CASE("the ends of a flow fit its direction and its selection", "[inventory][flows]") {
  const std::string ends = "source: [198.51.100.0/28, 2001:db8::/48], destination: mail-hosts";
  CHECK(errors_of(replaced(partner, ends, "source: mail-hosts, destination: 198.51.100.0/28")) ==
        "my.yaml:4:62: the destination of an inbound flow is 'mail-hosts'\n"
        "my.yaml:4:37: the source of an inbound flow is 'selected' or prefixes\n");
  CHECK(errors_of(replaced(partner, ends, "source: selected, destination: mail-hosts")) ==
        "my.yaml:4:7: 'selected' needs the key 'select', which says what is selected\n");
  CHECK(errors_of(partner + "select: { tcp-port: 25, has: ips }\n") ==
        "my.yaml:6:9: nothing in 'flow' is 'selected': this selection would have no effect\n");
  CHECK(errors_of(replaced(partner, "[198.51.100.0/28, 2001:db8::/48]", "[selected, 2001:db8::/48]")) ==
        "my.yaml:4:37: 'selected' stands alone, not in a list\n");
  const std::string outbound = replaced(
      replaced(partner, ends, "source: mail-hosts, destination: 198.51.100.0/28"), "inbound,", "outbound,");
  CHECK(errors_of(outbound) == "none");
  CHECK(errors_of(outbound + "others: note\n") ==
        "my.yaml:6:9: 'others' asks who else reaches the mail host: an outbound flow has none\n");
}

TEST_CASE("a flow's id is unique, and a copy of a shipped file is that flow", "[inventory][flows]") {
  const std::vector<SourcePtr> twice = {source("a.yaml", partner), source("b.yaml", partner + "\n")};
  const auto refused = load_flow_files(twice);
  REQUIRE_FALSE(refused.has_value());
  CHECK(to_string(refused.error().at(0)) ==
        "b.yaml:1:1: the id 'partner-inbound-smtp' is that of a.yaml too");

  std::ifstream file(test::root() / "rules/relay-pool.yaml");
  std::stringstream shipped;
  shipped << file.rdbuf();
  const std::vector<SourcePtr> copy = {source("mine/relay-pool.yaml", shipped.str())};
  CHECK(load_flow_files(copy).value().size() == 5);
  const std::vector<SourcePtr> changed = {source("mine/relay-pool.yaml", shipped.str() + "\n")};
  const auto clash = load_flow_files(changed);
  REQUIRE_FALSE(clash.has_value());
  CHECK(clash.error().at(0).message == "the id 'relay-pool' is that of a shipped flow");
}

TEST_CASE("what goes with a flow must go with one that is there", "[inventory][flows]") {
  const std::vector<SourcePtr> lost = {source("a.yaml", partner + "with: no-such-flow\n")};
  const auto refused = load_flow_files(lost);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().at(0).message == "'with' names the flow 'no-such-flow', which is not there");
  const std::vector<SourcePtr> company = {source("a.yaml", partner + "with: relay-pool\n")};
  const auto flows = load_flow_files(company);
  REQUIRE(flows.has_value());
  CHECK(ids(flows_asked(*flows, {}).value()) ==
        std::vector<std::string>{"eop-inbound-smtp", "relay-pool", "partner-inbound-smtp"});
}
