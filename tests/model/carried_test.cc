// What packets carry beside their header, one behaviour a test: marks, translations that are tested for,
// addresses that nobody knows, ways that settle a dimension. Each verdict is asked of decide, meaning and
// by_source.
#include <algorithm>

#include "model/match.h"
#include "model/trace.h"
#include "tests/support/test.h"

namespace aclmend::model {
namespace {

constexpr V4 client = 0xC0000207, host = 0xCB007119, inner = 0x0A010119;
const ServiceTerm smtp = ServiceTerm::of(protocol::tcp, {}, {25, 25});

AddressTerm one(V4 address) { return AddressTerm::v4(address, 32); }
Packet packet() { return {Address::v4(client), Address::v4(host), protocol::tcp, 40000, 25}; }

struct Asked {
  AddressTerm destination{};
  Qualifier qualifier{};
  ServiceTerm service{};
};

class Made {
 public:
  Rule rule(Action action, const Asked& asked = {}, std::uint32_t target = 0) {
    Rule made;
    made.action = action;
    made.destination = asked.destination;
    made.service = asked.service;
    made.target = target;
    policy.qualifiers.push_back(asked.qualifier);
    made.qualifier = static_cast<std::uint32_t>(policy.qualifiers.size() - 1);
    return made;
  }
  Rule change(const StateChange& change) {
    policy.state_changes.push_back(change);
    return rule(Action::change_state, {}, static_cast<std::uint32_t>(policy.state_changes.size() - 1));
  }
  Rule translate(const Translation& translation) {
    policy.translations.push_back(translation);
    return rule(Action::translate, {}, static_cast<std::uint32_t>(policy.translations.size() - 1));
  }
  ListId list(std::vector<Rule> rules) {
    policy.lists.push_back({});
    policy.lists.back().rules = std::move(rules);
    return static_cast<ListId>(policy.lists.size() - 1);
  }
  NodeId add(Node node) {
    policy.nodes.push_back(std::move(node));
    return policy.root = static_cast<NodeId>(policy.nodes.size() - 1);
  }
  NodeId stage(std::vector<Rule> rules, Stage::Default otherwise = Stage::Default::deny) {
    Stage stage;
    stage.lists = {list(std::move(rules))};
    stage.otherwise = otherwise;
    return add(std::move(stage));
  }
  NodeId passing(std::vector<Rule> rules) { return stage(std::move(rules), Stage::Default::accept); }
  Rule accept_in(Dimension dimension, const char* name) {
    return rule(Action::accept, {.qualifier = {.context = {{dimension, {name}, false}}}});
  }

  // What all ways to the answer say. Where a packet is too much to be followed, another way may know more.
  Verdict verdict(const Context& context = {}) const {
    const Packet asked = packet();
    const Decision decision = decide(policy, context, asked);
    const Verdict slow = decision.verdict;
    if (gave_up(decision)) return slow;
    const Meaning all = meaning(policy, context, PacketSet::all());
    CHECK((all.permitted().contains(asked)) == (slow == Verdict::permit));
    CHECK((all.denied().contains(asked)) == (slow == Verdict::deny));
    CHECK(painted(context) == slow);
    return slow;
  }
  Verdict painted(const Context& context = {}) const {
    Slice slice;
    slice.destination = packet().destination;
    const auto ranges = by_source(policy, context, slice, AddressSet(packet().source));
    REQUIRE(ranges.size() == 1);
    return ranges[0].verdict;
  }
  std::vector<ConditionId> open(const Context& context = {}) const {
    std::vector<ConditionId> ids;
    for (const OpenCondition& condition : decide(policy, context, packet()).conditions)
      ids.push_back(condition.condition);
    return ids;
  }

  Policy policy;
};

Qualifier marked(std::uint32_t value, MarkTest::Of of = MarkTest::Of::packet) {
  return {.state = {.marks = {{of, 0xFF, value, false}}}};
}
Qualifier is_translated(StateMatch::Translated asked) { return {.state = {.translated = asked}}; }
Qualifier maybe() { return {.conditions = {program_condition}}; }

Translation to(V4 address) {
  Translation translation;
  translation.address = Translation::Change::one_of;
  translation.addresses = AddressSet(Address::v4(address));
  return translation;
}
Translation to_own(std::optional<std::uint16_t> port = std::nullopt) {
  Translation translation;
  translation.address = Translation::Change::own;
  if (port) {
    translation.port = Translation::Change::one_of;
    translation.ports = PortSet(*port, *port);
  }
  return translation;
}

Context known(Dimension dimension, const char* name) {
  Context context;
  context.known[dimension] = name;
  return context;
}

using Translated = StateMatch::Translated;

}  // namespace

TEST_CASE("a mark is saved to the connection and restored from it", "[model][carried]") {
  Made made;
  made.stage({
      made.change({.mark_clear = 0xFF, .mark_toggle = 5}),
      made.change({.connmark_clear = 0xFF, .connmark_from_mark = 0xFF}),  // save
      made.change({.mark_clear = 0xFF, .mark_toggle = 9}),
      made.rule(Action::deny, {.qualifier = marked(5)}),
      made.rule(Action::deny, {.qualifier = marked(9, MarkTest::Of::connection)}),
      made.change({.mark_clear = 0xFF, .mark_from_connmark = 0xFF}),  // restore
      made.rule(Action::accept, {.qualifier = marked(5)}),
  });
  CHECK(made.verdict() == Verdict::permit);
}

TEST_CASE("a change of both marks takes the old values of both", "[model][carried]") {
  Made made;
  made.stage({
      made.change({.mark_toggle = 1}),
      made.change({.mark_clear = 0xFF,
                   .mark_from_connmark = 0xFF,
                   .connmark_clear = 0xFF,
                   .connmark_from_mark = 0xFF}),  // they change places
      made.rule(Action::accept,
                {.qualifier = {.state = {.marks = {{MarkTest::Of::packet, 0xFF, 0, false},
                                                   {MarkTest::Of::connection, 0xFF, 1, false}}}}}),
  });
  CHECK(made.verdict() == Verdict::permit);
}

TEST_CASE("a translation to the very same address and port is none", "[model][carried]") {
  for (const bool moves : {true, false}) {
    Made made;
    const NodeId nat = made.passing({made.translate(to(moves ? inner : host))});
    const NodeId filter =
        made.stage({made.rule(Action::accept, {.qualifier = is_translated(Translated::yes)})});
    made.add(Serial{{nat, filter}});
    CHECK(made.verdict() == (moves ? Verdict::permit : Verdict::deny));
    made.policy.qualifiers.back() = is_translated(Translated::no);
    CHECK(made.verdict() == (moves ? Verdict::deny : Verdict::permit));
  }
  Made made;  // the port alone
  Translation port;
  port.port = Translation::Change::shift;
  port.port_shift = 1;
  const NodeId nat = made.passing({made.translate(port)});
  const NodeId filter =
      made.stage({made.rule(Action::accept, {.qualifier = is_translated(Translated::yes)})});
  made.add(Serial{{nat, filter}});
  CHECK(made.verdict() == Verdict::permit);
}

TEST_CASE("a rule may ask what the packet was on the wire", "[model][carried]") {
  Made made;
  const NodeId nat = made.passing({made.translate(to(inner))});
  const NodeId filter =
      made.stage({made.rule(Action::deny, {.qualifier = {.wire = WireMatch{one(host), PortSet(26, 26)}}}),
                  made.rule(Action::deny, {.qualifier = {.wire = WireMatch{one(inner)}}}),
                  made.rule(Action::accept, {one(inner), {.wire = WireMatch{one(host), PortSet(25, 25)}}})});
  made.add(Serial{{nat, filter}});
  CHECK(made.verdict() == Verdict::permit);
}

TEST_CASE("an address of the device itself matches a destination at most possibly", "[model][carried]") {
  Made made;
  const NodeId nat = made.passing({made.translate(to_own())});
  made.stage({made.rule(Action::accept, {one(host)})});
  const NodeId filter = made.policy.root;
  made.add(Serial{{nat, filter}});
  CHECK(made.verdict() == Verdict::unknown);
  CHECK(made.open() == std::vector<ConditionId>{pool_condition});
  Rule& rule = made.policy.lists.back().rules[0];
  rule.destination = one(inner);  // any address may be its own
  CHECK(made.verdict() == Verdict::unknown);
  rule.destination = AddressTerm::any4();
  CHECK(made.verdict() == Verdict::permit);
  rule.destination = AddressTerm::any6();
  CHECK(made.verdict() == Verdict::deny);
  // Everything but one host: a set that is negated.
  AddressGroup group;
  group.addresses.certain = group.addresses.possible = AddressSet::all() - AddressSet(Address::v4(inner));
  made.policy.groups.push_back(group);
  rule.destination = AddressTerm::group(0);
  CHECK(made.verdict() == Verdict::unknown);
  CHECK_FALSE(decide(made.policy, {}, packet()).translated);  // to what, nobody can say
}

TEST_CASE("an address of the device itself may be the one that was asked for; another port is another",
          "[model][carried]") {
  for (const std::uint16_t port : {std::uint16_t{25}, std::uint16_t{2525}})
    for (const Translated asked : {Translated::yes, Translated::no}) {
      Made made;
      const NodeId nat = made.passing({made.translate(to_own(port))});
      const NodeId filter = made.stage({made.rule(Action::accept, {.qualifier = is_translated(asked)})});
      made.add(Serial{{nat, filter}});
      const Verdict sure = asked == Translated::yes ? Verdict::permit : Verdict::deny;
      CHECK(made.verdict() == (port == 25 ? Verdict::unknown : sure));
    }
}

TEST_CASE("what a table lets on keeps the decider it came with where its names permit nothing",
          "[model][carried]") {
  Made made;
  const NodeId filter = made.stage({made.rule(Action::accept)});
  const NodeId mangle = made.passing({made.rule(Action::accept)});
  made.add(Serial{{filter, mangle}});
  CHECK(decide(made.policy, {}, packet()).decider.rule == RuleRef{1, 0});
  std::get<Stage>(made.policy.nodes[mangle]).names_permit = false;
  CHECK(decide(made.policy, {}, packet()).decider.rule == RuleRef{0, 0});
  Slice slice;
  slice.destination = packet().destination;
  CHECK(by_source(made.policy, {}, slice, AddressSet(packet().source))[0].permit_by.rule == RuleRef{0, 0});
}

TEST_CASE("alternatives that all accept by rules of their own give permit", "[model][carried]") {
  Made made;
  const NodeId filter =
      made.stage({made.accept_in(Dimension::ingress, "eth0"), made.accept_in(Dimension::ingress, "eth1")});
  made.add(Branch{.cases = {{"eth0", {}, filter}, {"eth1", {}, filter}}});
  CHECK(made.verdict() == Verdict::permit);
  CHECK(made.verdict(known(Dimension::ingress, "eth1")) == Verdict::permit);
  CHECK(made.verdict(known(Dimension::ingress, "eth2")) == Verdict::deny);  // no such interface
  made.policy.lists[0].rules.pop_back();
  CHECK(made.verdict() == Verdict::unknown);
  CHECK(made.open() == std::vector<ConditionId>{ingress_condition});
}

TEST_CASE("a branch inside a case of its own dimension follows it; behind it nothing is known",
          "[model][carried]") {
  Made made;
  const NodeId yes = made.passing({}), no = made.stage({});
  const NodeId nested = made.add(Branch{.cases = {{"eth0", {}, yes}, {"eth1", {}, no}}});
  const NodeId around = made.add(Branch{.cases = {{"eth0", {}, nested}}});
  CHECK(made.verdict() == Verdict::permit);
  const NodeId after = made.stage({made.accept_in(Dimension::ingress, "eth0")});
  made.add(Serial{{around, after}});
  CHECK(made.verdict() == Verdict::unknown);
}

TEST_CASE("a name that no case has takes the way of all others, and is known there", "[model][carried]") {
  Made made;
  const NodeId others = made.stage({made.accept_in(Dimension::ingress, "ppp+")});
  const NodeId no = made.stage({});
  made.add(Branch{.cases = {{"eth0", {}, no}}, .otherwise = others});
  CHECK(made.verdict(known(Dimension::ingress, "eth0")) == Verdict::deny);
  CHECK(made.verdict(known(Dimension::ingress, "ppp3")) == Verdict::permit);
  CHECK(made.verdict(known(Dimension::ingress, "tun0")) == Verdict::deny);
  CHECK(made.verdict() == Verdict::deny);  // it is no alternative where no name is given
  CHECK(cases_of(made.policy, Dimension::ingress) == std::vector<std::string>{"eth0"});
  CHECK(takes_any_name(made.policy, Dimension::ingress));
  CHECK_FALSE(takes_any_name(made.policy, Dimension::egress));
}

TEST_CASE("where the destination selects, the context does not", "[model][carried]") {
  Made made;
  const NodeId yes = made.passing({}), no = made.stage({});
  Branch branch{.dimension = Dimension::egress,
                .cases = {{"dmz", AddressSet(Address::v4(host)), yes}, {"lan", {}, no}},
                .by = Branch::By::destination};
  made.add(branch);
  CHECK(made.verdict(known(Dimension::egress, "lan")) == Verdict::permit);
  std::get<Branch>(made.policy.nodes.back()).cases[0].destinations = AddressSet(Address::v4(inner));
  CHECK(made.verdict(known(Dimension::egress, "dmz")) == Verdict::unknown);  // any of them
  CHECK(made.open(known(Dimension::egress, "dmz")) == std::vector<ConditionId>{egress_condition});
}

TEST_CASE("what a translation moved goes by its destination, the rest by the context", "[model][carried]") {
  const auto made = [](const Translation& translation) {
    Made way;
    const NodeId nat = way.passing({way.translate(translation)});
    const NodeId in = way.stage({}), forward = way.passing({});
    way.add(Branch{.dimension = Dimension::direction,
                   .cases = {{"in", {}, in}, {"forward", AddressSet(Address::v4(inner)), forward}},
                   .by = Branch::By::routed,
                   .own_case = "in"});
    way.add(Serial{{nat, way.policy.root}});
    return way;
  };
  const Context in = known(Dimension::direction, "in"), forward = known(Dimension::direction, "forward");
  CHECK(made(to(inner)).verdict(in) == Verdict::permit);
  CHECK(made(to(inner)).verdict() == Verdict::permit);
  CHECK(made(to(host)).verdict(in) == Verdict::deny);
  CHECK(made(to(host)).verdict(forward) == Verdict::permit);
  CHECK(made(to(host)).verdict() == Verdict::unknown);
  CHECK(made(to_own()).verdict(forward) == Verdict::deny);
  CHECK(made(to(host + 1)).verdict(in) == Verdict::unknown);  // nobody knows which way
}

TEST_CASE("a packet without an egress leaves by none of any name", "[model][carried]") {
  for (const bool negated : {false, true}) {
    Made made;
    const NodeId filter = made.stage(
        {made.rule(Action::accept, {.qualifier = {.context = {{Dimension::egress, {"dmz"}, negated}}}})});
    made.add(Branch{.dimension = Dimension::egress, .cases = {{"", {}, filter}}});
    CHECK(made.verdict() == (negated ? Verdict::permit : Verdict::deny));
    CHECK(cases_of(made.policy, Dimension::egress).empty());
  }
}

// ---- what multiplies ----------------------------------------------------------------------------------

namespace {

// Each of `depth` lists calls the next `width` times; the last accepts what carries a mark, which nothing
// does.
Made calls(int depth, int width) {
  Made made;
  made.stage({});
  for (int i = 0; i < depth; ++i) {
    const auto next = static_cast<std::uint32_t>(made.policy.lists.size());
    for (int k = 0; k < width; ++k)
      made.policy.lists.back().rules.push_back(made.rule(Action::jump, {.service = smtp}, next));
    made.list({});
  }
  made.policy.lists.back().rules.push_back(made.rule(Action::accept, {.qualifier = marked(1)}));
  return made;
}

// Any of 32 bits may be toggled: four thousand million states.
Made toggles(int count) {
  Made made;
  std::vector<Rule> rules;
  for (int bit = 0; bit < count; ++bit) {
    rules.push_back(made.change({.mark_toggle = 1U << bit}));
    made.policy.qualifiers.push_back(maybe());
    rules.back().qualifier = static_cast<std::uint32_t>(made.policy.qualifiers.size() - 1);
  }
  rules.push_back(made.rule(Action::accept, {.qualifier = marked(0xAB)}));
  made.stage(std::move(rules));
  return made;
}

bool is_too_complex(const Made& made) { return gave_up(decide(made.policy, {}, packet())); }

}  // namespace

TEST_CASE("calls of calls are followed as far as they can be, and then unknown", "[model][carried]") {
  CHECK(calls(3, 10).verdict() == Verdict::deny);
  CHECK(is_too_complex(calls(12, 40)));
  CHECK(calls(12, 40).painted() == Verdict::deny);  // a list is painted once, whoever calls it
  // Whom the calls do not concern is not concerned by their number.
  Made made = calls(12, 40);
  made.policy.lists[0].rules.insert(made.policy.lists[0].rules.begin(),
                                    made.rule(Action::accept, {one(host)}));
  CHECK(made.verdict() == Verdict::permit);
  const auto answer = trace(calls(12, 40).policy, {packet(), PortSet(1024, 65535), {}});
  REQUIRE(answer);  // and is no disagreement of the two ways
  CHECK(answer->decision.verdict == Verdict::unknown);
}

TEST_CASE("states that multiply are followed as far as they can be, and then unknown", "[model][carried]") {
  CHECK(toggles(3).verdict() == Verdict::deny);
  CHECK(toggles(8).verdict() == Verdict::unknown);
  CHECK_FALSE(is_too_complex(toggles(8)));
  CHECK(is_too_complex(toggles(32)));
  CHECK(toggles(32).painted() == Verdict::unknown);
}

}  // namespace aclmend::model
