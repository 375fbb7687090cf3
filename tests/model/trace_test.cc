#include "model/trace.h"

#include <algorithm>

#include "tests/support/random_policy.h"
#include "tests/support/test.h"

namespace aclmend::model {
namespace {

constexpr V4 client = 0xC0000207, host = 0xCB007119;

Rule rule(Action action, ServiceTerm service) {
  Rule made;
  made.action = action;
  made.service = service;
  return made;
}

ListId add_list(Policy& policy, std::string name, std::vector<Rule> rules) {
  RuleList list;
  list.name = std::move(name);
  list.rules = std::move(rules);
  for (std::uint32_t i = 0; i < list.rules.size(); ++i) list.rules[i].number = i + 1;
  policy.lists.push_back(std::move(list));
  return static_cast<ListId>(policy.lists.size() - 1);
}

NodeId add_stage(Policy& policy, ListId list) {
  policy.nodes.push_back(Stage{"stage", {list}, Stage::Default::deny, {}, "nothing permits", {}});
  return static_cast<NodeId>(policy.nodes.size() - 1);
}

Policy with_list(std::vector<Rule> rules) {
  Policy policy;
  policy.root = add_stage(policy, add_list(policy, "OUT", std::move(rules)));
  return policy;
}

// Each ingress has its own list.
Policy with_ingresses(std::vector<std::pair<std::string, std::vector<Rule>>> lists) {
  Policy policy;
  Branch branch{Dimension::ingress, {}, "no such interface"};
  for (auto& [name, rules] : lists)
    branch.cases.push_back({name, {}, add_stage(policy, add_list(policy, name, std::move(rules)))});
  policy.nodes.push_back(std::move(branch));
  policy.root = static_cast<NodeId>(policy.nodes.size() - 1);
  return policy;
}

TraceQuestion smtp() {
  return {{Address::v4(client), Address::v4(host), protocol::tcp, 0, 25}, PortSet(1024, 65535), {}};
}

const ServiceTerm from_low_ports = ServiceTerm::of(protocol::tcp, {1024, 4999}, {25, 25});

}  // namespace

TEST_CASE("a verdict on which all asked source ports agree is the answer") {
  const Policy policy =
      with_list({rule(Action::permit, ServiceTerm::of(protocol::tcp, {1024, 65535}, {25, 25}))});
  const auto answer = trace(policy, smtp());
  REQUIRE(answer);
  CHECK(answer->decision.verdict == Verdict::permit);
  CHECK(answer->decision.decider.rule == RuleRef{0, 0});
  CHECK(answer->ports.size() == 1);
}

TEST_CASE("a verdict that hangs on the source port is unknown, with the ranges") {
  const Policy policy = with_list({rule(Action::permit, from_low_ports)});
  const auto answer = trace(policy, smtp());
  REQUIRE(answer);
  CHECK(answer->decision.verdict == Verdict::unknown);
  CHECK_FALSE(answer->decision.decider.rule);
  REQUIRE(answer->ports.size() == 2);
  CHECK(answer->ports[0].verdict == Verdict::permit);
  CHECK(answer->ports[0].ports == PortSet(1024, 4999));
  CHECK(answer->ports[1].verdict == Verdict::deny);
  CHECK(answer->ports[1].ports == PortSet(5000, 65535));
  REQUIRE_FALSE(answer->decision.conditions.empty());
  CHECK(answer->decision.conditions.front().condition == source_port_condition);
}

TEST_CASE("a source port that is given is the only one asked") {
  const Policy policy = with_list({rule(Action::permit, from_low_ports)});
  TraceQuestion question = smtp();
  question.source_ports.reset();
  question.packet.source_port = 5000;
  CHECK(trace(policy, question)->decision.verdict == Verdict::deny);
  question.packet.source_port = 4999;
  CHECK(trace(policy, question)->decision.verdict == Verdict::permit);
}

TEST_CASE("an ingress that is not given and does not matter forks without being open") {
  const auto permit = rule(Action::permit, ServiceTerm::any());
  const Policy policy = with_ingresses({{"dmz", {permit}}, {"outside", {permit}}});
  const auto answer = trace(policy, smtp());
  REQUIRE(answer);
  CHECK(answer->decision.verdict == Verdict::permit);
  REQUIRE(answer->forks.size() == 1);
  CHECK_FALSE(answer->forks[0].is_open);
  CHECK(answer->forks[0].cases.size() == 2);
}

TEST_CASE("an ingress that is not given and matters is unknown, case by case") {
  const Policy policy = with_ingresses({{"dmz", {rule(Action::permit, ServiceTerm::any())}},
                                        {"outside", {rule(Action::deny, ServiceTerm::any())}}});
  const auto answer = trace(policy, smtp());
  REQUIRE(answer);
  CHECK(answer->decision.verdict == Verdict::unknown);
  REQUIRE(answer->forks.size() == 1);
  CHECK(answer->forks[0].is_open);
  CHECK(answer->forks[0].cases[0].name == "dmz");
  CHECK(answer->forks[0].cases[0].decision.verdict == Verdict::permit);
  CHECK(answer->forks[0].cases[1].decision.verdict == Verdict::deny);
  TraceQuestion given = smtp();
  given.context.known[Dimension::ingress] = "outside";
  CHECK(trace(policy, given)->forks.empty());
  CHECK(trace(policy, given)->decision.verdict == Verdict::deny);
}

TEST_CASE("a list asked alone does not fork") {
  const Policy policy = with_ingresses({{"dmz", {rule(Action::permit, ServiceTerm::any())}},
                                        {"outside", {rule(Action::deny, ServiceTerm::any())}}});
  TraceQuestion question = smtp();
  question.context.chain = 1;
  const auto answer = trace(policy, question);
  REQUIRE(answer);
  CHECK(answer->decision.verdict == Verdict::deny);
  CHECK(answer->forks.empty());
}

TEST_CASE("on random policies the answer for all source ports is the one each of them gets") {
  rc::prop("trace agrees with decide port by port", [] {
    std::mt19937 random(*rc::gen::arbitrary<std::uint32_t>());
    const auto any_of = [](const auto& choices) { return *rc::gen::elementOf(choices); };
    const auto made = test::random_policy(random, *rc::gen::element(test::Shape::flat, test::Shape::general));
    TraceQuestion question = smtp();
    question.packet.source = any_of(test::universe_addresses());
    question.packet.destination = any_of(test::universe_addresses());
    question.context = any_of(made.contexts);
    if (question.packet.source.family != question.packet.destination.family) RC_DISCARD("no such packet");
    const auto answer = trace(made.policy, question);
    RC_ASSERT(answer.has_value());
    for (const int asked : {1024, 1999, 2000, 2500, 2999, 3000, 65535}) {
      Packet packet = question.packet;
      const auto port = static_cast<std::uint16_t>(asked);
      packet.source_port = port;
      const Verdict verdict = decide(made.policy, question.context, packet).verdict;
      if (answer->decision.verdict != Verdict::unknown) RC_ASSERT(verdict == answer->decision.verdict);
      const auto part =
          std::ranges::find_if(answer->ports, [&](const auto& one) { return one.ports.contains(port); });
      RC_ASSERT(part != answer->ports.end());
      RC_ASSERT(part->verdict == verdict);
    }
  });
}

}  // namespace aclmend::model
