// The worst answer is "nothing differs" where something does. Each case here hides a change in a place where
// a comparison by names, by verdicts or by sets of outcomes would miss it.
#include "tests/difference/device.h"
#include "tests/support/test.h"

namespace aclmend {
namespace {

using namespace model;
using namespace difference;
using test::any, test::Device, test::mail_device, test::net;

bool is_told(const Device& before, const Device& after, const Question& question = {}) {
  return !what_differs(before.policy, after.policy, question).empty() &&
         !what_differs(after.policy, before.policy, question).empty();
}

// A branch whose cases go to lists of their own: the first permits mail, the second does not.
Device two_ways(Dimension dimension, const char* permits, const char* denies) {
  Device device;
  device.add(Action::accept, any, any);
  device.policy.lists.push_back({});
  device.policy.lists.back().name = "NONE";
  Stage stage = std::get<Stage>(device.policy.nodes[2]);
  stage.lists = {2};
  device.policy.nodes.emplace_back(stage);  // 5
  Branch branch;
  branch.dimension = dimension;
  branch.cases = {{permits, {}, 2}, {denies, {}, 5}};
  device.policy.nodes.emplace_back(branch);
  device.policy.root = 6;
  return device;
}

}  // namespace

TEST_CASE("two interfaces that change their lists are a change, known or not", "[difference][sound]") {
  for (const Dimension dimension : {Dimension::ingress, Dimension::egress}) {
    const Device before = two_ways(dimension, "dmz", "lab");
    const Device after = two_ways(dimension, "lab", "dmz");
    CHECK(is_told(before, after));
    Question question;
    question.known[dimension] = "dmz";
    CHECK(what_differs(before.policy, after.policy, question).newly_denied.size() == 2);  // of both families
    CHECK(is_told(before, two_ways(dimension, "dmz", "other"), question) == false);       // dmz is as it was
    CHECK(is_told(before, two_ways(dimension, "dmz", "other")) == false);  // a list that lets nothing in
    CHECK(is_told(before, two_ways(dimension, "other", "lab")));           // a context on one side only
  }
  // A route selects one egress, so that the dimension stays open: the other two change places unseen by
  // whoever compares what may happen.
  const auto routed = [](const char* permits, const char* denies) {
    Device device = two_ways(Dimension::egress, permits, denies);
    std::get<Branch>(device.policy.nodes[6]).cases.push_back({"wan", net("192.0.2.0/24"), 5});
    return device;
  };
  CHECK(is_told(routed("dmz", "lab"), routed("lab", "dmz")));
  CHECK_FALSE(is_told(routed("dmz", "lab"), routed("dmz", "lab")));
}

TEST_CASE("zones that are too many to be told apart are compared by name still", "[difference][sound]") {
  const auto device = [](const char* zone) {
    Device made;
    made.policy.root = 3;
    for (int i = 0; i < 600; ++i) {  // more than are told apart
      Qualifier qualifier;
      qualifier.context = {{Dimension::ingress, {"zone" + std::to_string(i)}, false}};
      made.add(Action::accept, any, Device::host("10.1.1.80"), ServiceTerm::any()).qualifier =
          made.qualifier(std::move(qualifier));
    }
    Qualifier qualifier;
    qualifier.context = {{Dimension::ingress, {zone}, false}};
    made.add(Action::accept, any, any, ServiceTerm::any()).qualifier = made.qualifier(std::move(qualifier));
    return made;
  };
  const Difference all = what_differs(device("dmz").policy, device("lab").policy, {});
  CHECK_FALSE(all.newly_unknown.empty());
  REQUIRE_FALSE(all.newly_unknown.empty());
  CHECK(all.newly_unknown[0].before.conditions.size() == 1);  // the ingress, said once
  CHECK(what_differs(device("dmz").policy, device("dmz").policy, {}).empty());
  Question question;
  question.known[Dimension::ingress] = "lab";
  CHECK_FALSE(what_differs(device("dmz").policy, device("lab").policy, question).newly_permitted.empty());
}

TEST_CASE("a change behind a pool that cannot be followed proves nothing", "[difference][sound]") {
  Device before;
  before.policy.translations[0].addresses = net("10.1.0.0/16");
  before.add(Action::accept, any, Device::host("10.1.1.25"));
  Device after = before;
  after.rules()[0].destination = Device::host("10.1.1.26");
  Question wire;  // what is sent to the mapped address
  wire.within = PacketSet(
      Box{AddressSet::all(), net("203.0.113.25/32"), ProtocolSet::all(), PortSet::all(), PortSet::all()});
  const Difference all = what_differs(before.policy, after.policy, wire);
  CHECK_FALSE(all.is_complete);
  CHECK_FALSE(all.empty());
  // Where the same rules stand behind it, nothing needs to be followed.
  CHECK(what_differs(before.policy, before.policy, wire).empty());
  wire.within = PacketSet(
      Box{AddressSet::all(), net("10.1.1.26/32"), ProtocolSet(6, 6), PortSet::all(), PortSet(25, 25)});
  CHECK(what_differs(before.policy, after.policy, wire).is_complete);
}

TEST_CASE("members of a pool that change places are a change", "[difference][sound]") {
  Device before;
  before.policy.translations[0].addresses = net("10.1.1.24/31");
  before.add(Action::accept, any, Device::host("10.1.1.24"));
  Device after = before;
  after.rules()[0].destination = Device::host("10.1.1.25");
  Question wire;
  wire.within = PacketSet(
      Box{AddressSet::all(), net("203.0.113.25/32"), ProtocolSet::all(), PortSet::all(), PortSet::all()});
  CHECK(is_told(before, after, wire));
}

TEST_CASE("lists that call one another too deep prove nothing of what stands there", "[difference][sound]") {
  const auto device = [](Action last) {
    Device made;
    for (std::uint32_t i = 0; i < 80; ++i) {
      Rule call;
      call.action = Action::jump;
      call.target = static_cast<std::uint32_t>(made.policy.lists.size());
      made.policy.lists.back().rules.push_back(call);
      made.policy.lists.push_back({});
      made.policy.lists.back().name = "L" + std::to_string(i);
    }
    Rule rule;
    rule.action = last;
    made.policy.lists.back().rules.push_back(rule);
    return made;
  };
  CHECK(is_told(device(Action::accept), device(Action::deny)));
  CHECK(what_differs(device(Action::deny).policy, device(Action::deny).policy, {}).empty());
}

TEST_CASE("what a name stands for counts, not the name", "[difference][sound]") {
  const Device before = mail_device();
  SECTION("a group keeps its name and loses a member: also where only one of its users changed") {
    Device after = before;
    after.policy.groups[0].addresses.certain = after.policy.groups[0].addresses.possible =
        net("40.92.0.0/15");
    after.policy.groups[0].users.clear();
    CHECK(is_told(before, after));
  }
  SECTION("two groups swap their names") {
    Device one = before, two = before;
    for (Device* device : {&one, &two}) {
      const AddressTerm other = device->group("OTHER", net("198.51.100.0/24"));
      device->add(Action::accept, other, Device::host("10.1.1.26"));
      std::swap(device->rules()[2], device->rules()[3]);
    }
    std::swap(two.policy.groups[0].name, two.policy.groups[1].name);
    CHECK_FALSE(is_told(one, two));  // each rule still holds what it held
    std::swap(two.policy.groups[0].addresses, two.policy.groups[1].addresses);
    CHECK(is_told(one, two));
  }
  SECTION("a group that is not in the export any more is not an empty one") {
    Device after = before;
    AddressGroup& group = after.policy.groups[0];
    group.kind = GroupKind::undefined;
    group.addresses = {{}, AddressSet::all(), {after.policy.condition(ConditionKind::undefined, "EOP", {})}};
    const Difference all = what_differs(before.policy, after.policy, {});
    CHECK_FALSE(all.newly_unknown.empty());
    CHECK(all.newly_denied.empty());
    // And one undefined name is not another.
    Device renamed = after;
    renamed.policy.groups[0].name = "EOP2";
    renamed.policy.groups[0].addresses.conditions = {
        renamed.policy.condition(ConditionKind::undefined, "EOP2", {})};
    CHECK(is_told(after, renamed));
  }
  SECTION("a service group keeps its name") {
    Device one = before;
    ServiceGroup services;
    services.name = "MAIL";
    services.kind = GroupKind::group;
    services.services.certain = {{ProtocolSet(6, 6), PortSet::all(), PortSet(25, 25)}};
    services.services.possible = services.services.certain;
    one.policy.service_groups.push_back(services);
    one.rules()[0].service = ServiceTerm::group(0);
    CHECK_FALSE(is_told(before, one));
    Device two = one;
    two.policy.service_groups[0].services.certain[0].destination = PortSet(587, 587);
    two.policy.service_groups[0].services.possible = two.policy.service_groups[0].services.certain;
    CHECK(is_told(one, two));
    two = one;  // still possible, no longer certain
    two.policy.service_groups[0].services.certain.clear();
    two.policy.service_groups[0].services.conditions = {
        two.policy.condition(ConditionKind::not_understood, "port 25x", {})};
    CHECK(is_told(one, two));
  }
  SECTION("a list keeps its name and is called from elsewhere; its own rules changed") {
    Device one = before;
    one.policy.lists.push_back({});
    one.policy.lists.back().name = "SUB";
    Rule inner;
    inner.action = Action::accept;
    inner.destination = Device::host("10.1.1.90");
    one.policy.lists.back().rules = {inner};
    Rule call;
    call.action = Action::jump;
    call.target = 2;
    one.rules().insert(one.rules().begin(), call);
    Device two = one;
    two.policy.lists[2].rules[0].destination = Device::host("10.1.1.91");
    CHECK(is_told(one, two));
    two = one;
    two.policy.lists[2].rules[0].enabled = false;
    CHECK(is_told(one, two));
  }
}

TEST_CASE("translations in another order, another family, another mark", "[difference][sound]") {
  Device before = mail_device();
  before.policy.translations.push_back(before.policy.translations[0]);
  before.policy.translations[1].addresses = net("10.1.1.80/32");
  Rule second = before.policy.lists[0].rules[0];
  second.target = 1;
  before.policy.lists[0].rules.push_back(second);
  Device after = before;
  std::ranges::swap(after.policy.lists[0].rules[0], after.policy.lists[0].rules[1]);
  CHECK(is_told(before, after));

  Device any4 = before;  // IPv4 alone, or both families
  any4.rules()[2].source = AddressTerm::any4();
  any4.add(Action::accept, any, any, ServiceTerm::any());
  Device both = any4;
  both.rules()[2].source = any;
  const Difference all = what_differs(any4.policy, both.policy, {});
  REQUIRE_FALSE(all.newly_denied.empty());
  for (const ChangedBox& box : all.newly_denied) CHECK(box.packets.source.v4.empty());

  Device marked = mail_device();
  marked.policy.state_changes = {{.mark_toggle = 1}, {.mark_toggle = 2}};
  Rule mark;
  mark.action = Action::change_state;
  marked.rules().insert(marked.rules().begin(), mark);
  marked.rules()[1].qualifier = marked.qualifier({.state = {.marks = {{.mask = 3, .value = 1}}}});
  Device other = marked;
  other.rules()[0].target = 1;
  CHECK(is_told(marked, other));
  other = marked;
  other.policy.state_changes[0].mark_toggle = 2;
  CHECK(is_told(marked, other));
  other = marked;
  std::swap(other.rules()[0], other.rules()[1]);
  CHECK(is_told(marked, other));
}

}  // namespace aclmend
