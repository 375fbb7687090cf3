// What a reviewer would say of an edit, one behaviour a test; and large policies against `decide`.
#include <random>

#include "tests/difference/device.h"
#include "tests/support/test.h"

namespace aclmend {
namespace {

using namespace model;
using namespace difference;

using test::any, test::Device, test::mail_device, test::net;

Decider rule(std::uint32_t index) { return {RuleRef{1, index}, std::nullopt}; }

}  // namespace

TEST_CASE("a member that left a group: its packets alone, on each wire address that leads to the host",
          "[difference]") {
  const Device before = mail_device();
  Device after = before;
  after.policy.groups[0].addresses.possible = after.policy.groups[0].addresses.certain = net("40.92.0.0/15");
  const Difference all = what_differs(before.policy, after.policy, {});
  CHECK(all.is_complete);
  CHECK(all.newly_permitted.empty());
  CHECK(all.newly_unknown.empty());
  REQUIRE(all.newly_denied.size() == 1);
  const ChangedBox& box = all.newly_denied[0];
  CHECK(box.packets == Box{net("52.100.0.0/14"), net("10.1.1.25/32") | net("203.0.113.25/32"),
                           ProtocolSet(6, 6), PortSet::all(), PortSet(25, 25)});
  CHECK(box.before.by == rule(0));
  CHECK(box.after.by == rule(2));
  CHECK(box.context.empty());  // there is one ingress: it is the same in all
  const auto regions = changed_regions(before.policy, after.policy, {});
  REQUIRE(regions.size() == 1);
  CHECK(regions[0].boxes == std::vector<Box>{box.packets});
}

TEST_CASE("logging, disabled lines, new numbers, a group's new name and order change nothing",
          "[difference]") {
  const Device before = mail_device();
  Device after = before;
  after.policy.groups[0].name = "M365";
  Rule off = after.rules()[0];
  off.enabled = false;
  off.action = Action::deny;
  Rule log = off;
  log.enabled = true;
  log.action = Action::pass;
  after.rules().insert(after.rules().begin(), {off, log});
  after.group("UNUSED", net("10.0.0.0/8"));
  std::ranges::swap(after.policy.groups[0], after.policy.groups[1]);
  for (Rule& one : after.rules())
    if (one.source.kind == AddressTerm::Kind::group) one.source.value = 1;
  for (Rule& one : after.rules()) one.number += 7;
  CHECK(changed_regions(before.policy, after.policy, {}).empty());
  CHECK(what_differs(before.policy, after.policy, {}).empty());
}

TEST_CASE("a changed translation is a change of the wire address", "[difference]") {
  const Device before = mail_device();
  Device after = before;
  after.policy.lists[0].rules[0].destination = Device::host("203.0.113.26");
  const Difference all = what_differs(before.policy, after.policy, {});
  const PacketSet gained = packets_of(all.newly_permitted, {}), lost = packets_of(all.newly_denied, {});
  const AddressSet eop = before.policy.groups[0].addresses.certain;
  const auto mail_to = [&](const char* to) {
    return PacketSet(Box{eop, net(to), ProtocolSet(6, 6), PortSet::all(), PortSet(25, 25)});
  };
  CHECK(gained.equals(mail_to("203.0.113.26/32")));
  CHECK(lost.equals(mail_to("203.0.113.25/32")));
}

TEST_CASE("a line that moves past others changes what they share, and nothing else", "[difference]") {
  Device before;
  before.add(Action::deny, Device::v4("40.92.0.0/16"), any);
  before.add(Action::accept, Device::v4("40.0.0.0/8"), Device::host("10.1.1.25"));
  before.add(Action::accept, Device::v4("50.0.0.0/8"), Device::host("10.1.1.25"));
  Device after = before;
  std::rotate(after.rules().begin(), after.rules().begin() + 1, after.rules().end());
  const Difference all = what_differs(before.policy, after.policy, {});
  CHECK(all.newly_denied.empty());
  CHECK(packets_of(all.newly_permitted, {})
            .equals(PacketSet(Box{net("40.92.0.0/16"), net("10.1.1.25/32") | net("203.0.113.25/32"),
                                  ProtocolSet(6, 6), PortSet::all(), PortSet(25, 25)})));
}

TEST_CASE("conditions are compared by kind and name, not by their number", "[difference]") {
  Device before = mail_device();
  before.rules()[0].qualifier = before.while_("OFFICE");
  Device after = mail_device();
  after.while_("NIGHT");
  after.rules()[0].qualifier = after.while_("OFFICE");
  CHECK(what_differs(before.policy, after.policy, {}).empty());
  CHECK(changed_regions(before.policy, after.policy, {}).empty());

  after.rules()[0].qualifier = 1;  // NIGHT
  const Difference all = what_differs(before.policy, after.policy, {});
  CHECK(all.newly_denied.empty());
  REQUIRE(all.newly_unknown.size() == 1);
  CHECK(all.newly_unknown[0].before.verdict == Verdict::unknown);
  CHECK(to_string(all.newly_unknown[0].before.conditions.at(0)) == "time-range OFFICE");
  CHECK(to_string(all.newly_unknown[0].after.conditions.at(0)) == "time-range NIGHT");

  Question assumed;
  assumed.assumed = {{Condition{ConditionKind::time_range, "OFFICE", {}}, false}};
  const Difference settled = what_differs(before.policy, after.policy, assumed);
  REQUIRE(settled.newly_unknown.size() == 1);
  CHECK(settled.newly_unknown[0].before.verdict == Verdict::deny);
}

TEST_CASE("a condition that cannot change the outcome is no difference", "[difference]") {
  Device before = mail_device();
  Device after = before;
  after.rules().insert(after.rules().begin(), after.rules()[0]);  // a possible permit before a certain one
  after.rules()[0].qualifier = after.while_("OFFICE");
  CHECK(what_differs(before.policy, after.policy, {}).empty());
  CHECK_FALSE(changed_regions(before.policy, after.policy, {}).empty());

  // Neighbours of one consequence may stand in any order.
  Device one = mail_device(), two = mail_device();
  for (Device* device : {&one, &two}) {
    const Rule permit = device->rules()[0];
    device->rules().insert(device->rules().begin(), permit);
    const std::uint32_t office = device->while_("OFFICE"), night = device->while_("NIGHT");
    device->rules()[0].qualifier = device == &one ? office : night;
    device->rules()[1].qualifier = device == &one ? night : office;
  }
  CHECK(what_differs(one.policy, two.policy, {}).empty());
  // Others may not.
  for (Device* device : {&one, &two})
    for (Rule& rule : device->rules())
      if (rule.qualifier == 2) rule.action = Action::deny;
  CHECK_FALSE(what_differs(one.policy, two.policy, {}).empty());
}

TEST_CASE("a written deny before the implicit one is idle, wherever its last lines stand", "[difference]") {
  Device before = mail_device();
  Device after = before;
  after.rules().pop_back();
  CHECK(changed_regions(before.policy, after.policy, {}).empty());
  after.add(Action::deny, Device::v4("52.0.0.0/8"), any).qualifier = after.while_("OFFICE");
  CHECK(changed_regions(before.policy, after.policy, {}).empty());
  CHECK(changed_regions(after.policy, before.policy, {}).empty());
  after.add(Action::accept, any, Device::host("10.1.1.80"), ServiceTerm::any());  // now they count
  const Difference all = what_differs(before.policy, after.policy, {});
  CHECK_FALSE(all.newly_permitted.empty());
  REQUIRE(all.newly_unknown.size() == 1);
  CHECK(all.newly_unknown[0].packets.source == net("52.0.0.0/8"));
  // A default that accepts makes it a deny of weight.
  std::get<Stage>(before.policy.nodes[2]).otherwise = Stage::Default::accept;
  Device open = before;
  open.rules().pop_back();
  CHECK_FALSE(what_differs(before.policy, open.policy, {}).newly_permitted.empty());
}

TEST_CASE("the members of an open group that became certain are newly permitted", "[difference]") {
  Device before;
  const ConditionIds open{before.policy.condition(ConditionKind::undefined, "EOP-NEW", {})};
  before.add(Action::accept, before.group("EOP", net("40.92.0.0/15"), net("52.100.0.0/14"), open),
             Device::host("10.1.1.25"));
  Device after = before;
  after.policy.groups[0].addresses.certain |= net("52.100.0.0/15");
  const Difference all = what_differs(before.policy, after.policy, {});
  CHECK(all.newly_unknown.empty());
  REQUIRE(all.newly_permitted.size() == 1);
  CHECK(all.newly_permitted[0].packets.source == net("52.100.0.0/15"));
  const Difference back = what_differs(after.policy, before.policy, {});
  REQUIRE(back.newly_unknown.size() == 1);
  CHECK(back.newly_unknown[0].packets == all.newly_permitted[0].packets);
}

TEST_CASE("zones and applications that rules name are told apart, and all others are one", "[difference]") {
  Device before;
  before.policy.root = 3;  // no branch on the ingress: the rules name it
  const auto zones = [&](Device& device, const char* from, const char* application) {
    Qualifier qualifier;
    qualifier.context = {{Dimension::ingress, {from}, false}};
    if (application != nullptr) qualifier.context.push_back({Dimension::application, {application}, false});
    return device.qualifier(std::move(qualifier));
  };
  before.add(Action::accept, any, any, ServiceTerm::of(6, {}, {443, 443})).qualifier =
      zones(before, "trust", nullptr);
  before.add(Action::deny, Device::v4("52.0.0.0/8"), any).qualifier = zones(before, "dmz", nullptr);
  Device after = before;
  after.add(Action::accept, Device::v4("52.100.0.0/14"), Device::host("10.1.1.25")).qualifier =
      zones(after, "untrust", "smtp");
  const Difference all = what_differs(before.policy, after.policy, {});
  CHECK(all.newly_unknown.empty());
  CHECK(all.newly_denied.empty());
  REQUIRE(all.newly_permitted.size() == 1);
  CHECK(all.newly_permitted[0].context ==
        Known{{Dimension::ingress, "untrust"}, {Dimension::application, "smtp"}});
  // All but one zone: the rest has a name of its own.
  after.policy.qualifiers.back().context[0].negated = true;
  const Difference others = what_differs(before.policy, after.policy, {});
  std::vector<std::string> ingresses;
  for (const ChangedBox& box : others.newly_permitted)
    ingresses.push_back(box.context.at(Dimension::ingress));
  CHECK(ingresses == std::vector<std::string>{any_other});  // dmz is denied before
}

TEST_CASE("a stage that goes away, another default, another route", "[difference]") {
  const Device before = mail_device();
  Device no_nat = before;
  std::get<Serial>(no_nat.policy.nodes[3]).nodes = {2};
  const Difference all = what_differs(before.policy, no_nat.policy, {});
  REQUIRE(all.newly_denied.size() == 1);
  CHECK(all.newly_denied[0].packets.destination == net("203.0.113.25/32"));

  Device open = before;
  open.rules().pop_back();
  std::get<Stage>(open.policy.nodes[2]).otherwise = Stage::Default::accept;
  const Difference opened = what_differs(before.policy, open.policy, {});
  CHECK(opened.newly_denied.empty());
  const PacketSet gained = packets_of(opened.newly_permitted, {});
  CHECK(gained.contains({Address::v4(1), Address::v4(2), 17, 3, 4}));
  CHECK(gained.contains({Address::v6(1), Address::v6(2), 17, 3, 4}));
  CHECK_FALSE(gained.contains({Address::v4(0x34640001), Address::v4(0x0A010119), 6, 3, 25}));

  Device gone = before;
  std::get<Branch>(gone.policy.nodes[4]).cases[0].name = "wan";
  const Difference renamed = what_differs(before.policy, gone.policy, {});
  REQUIRE_FALSE(renamed.newly_permitted.empty());
  CHECK(renamed.newly_permitted[0].context == Known{{Dimension::ingress, "wan"}});
  CHECK(renamed.newly_denied[0].context == Known{{Dimension::ingress, "outside"}});
}

TEST_CASE("more than ten thousand boxes are counted, and the largest kept", "[difference]") {
  Device before;
  constexpr std::uint32_t lines = 10050;
  for (std::uint32_t i = 0; i < lines; ++i)
    before.add(Action::accept, AddressTerm::v4(0x28000000 + 2 * i, 32), Device::host("10.1.1.80"));
  before.rules()[77].source = Device::v4("50.0.0.0/8");
  Device after = before;
  Rule deny;
  deny.action = Action::deny;
  after.rules().insert(after.rules().begin(), deny);
  const Difference all = what_differs(before.policy, after.policy, {});
  CHECK(all.is_complete);
  CHECK(all.newly_denied.size() == Difference::most_boxes);
  CHECK(all.not_kept == lines - Difference::most_boxes);
  CHECK(all.is_truncated());
  CHECK(all.newly_denied[0].before.by == rule(77));
}

TEST_CASE("lists that call themselves over and over end, and prove nothing", "[difference]") {
  Device before = mail_device();
  for (int i = 0; i < 4; ++i) {
    Rule again;
    again.action = Action::jump;
    again.target = 1;
    again.qualifier = before.while_(("T" + std::to_string(i)).c_str());
    before.rules().insert(before.rules().begin(), again);
  }
  Device after = before;
  after.policy.groups[0].addresses.certain = after.policy.groups[0].addresses.possible = net("40.92.0.0/15");
  const Difference all = what_differs(before.policy, after.policy, {});
  CHECK_FALSE(all.is_complete);
  CHECK_FALSE(all.empty());
}

TEST_CASE("large policies: random packets get the box that decide would give them", "[difference]") {
  for (unsigned seed = 0; seed < 6; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::uint32_t count) { return static_cast<std::uint32_t>(random() % count); };
    Device before;
    std::vector<AddressTerm> groups;
    for (int g = 0; g < 20; ++g) {
      AddressSet set;
      for (int i = 0; i < 10; ++i)
        set |= AddressSet(prefix_of(Address::v4(0x28000000 + (below(1 << 16) << 8)), 24));
      groups.push_back(before.group(("G" + std::to_string(g)).c_str(), set));
    }
    const std::uint32_t office = before.while_("OFFICE");
    const auto random_rule = [&] {
      Rule rule;
      rule.action = below(3) == 0 ? Action::deny : Action::accept;
      const int length = static_cast<int>(8 + below(25));
      rule.source = below(4) == 0 ? groups[below(20)]
                                  : AddressTerm::v4((0x28000000 + below(1 << 24)) & netmask(length), length);
      rule.destination = AddressTerm::v4(0x0A010000 + below(64), 32);
      if (below(8) == 0) rule.destination = AddressTerm::v4(0x0A010000 + (below(16) << 2), 30);
      if (below(40) == 0) rule.destination = any;
      const auto port = static_cast<std::uint16_t>(20 + below(10));
      rule.service = below(20) == 0 ? ServiceTerm::any()
                                    : ServiceTerm::of(6, below(9) == 0 ? PortRange{1024, 2047} : PortRange{},
                                                      {port, static_cast<std::uint16_t>(port + below(3))});
      if (below(30) == 0) rule.qualifier = office;
      return rule;
    };
    for (int i = 0; i < 1500; ++i) before.rules().push_back(random_rule());
    Device after = before;
    std::vector<Rule> touched;
    for (int i = 0; i < 8; ++i) {
      const std::uint32_t at = below(1400);
      touched.push_back(after.rules()[at]);
      switch (below(4)) {
        case 0: after.rules().erase(after.rules().begin() + at); break;
        case 1: after.rules().insert(after.rules().begin() + at, random_rule()); break;
        case 2: after.rules()[at] = random_rule(); break;
        default: std::swap(after.rules()[at], after.rules()[below(1400)]);
      }
      touched.push_back(after.rules()[at]);
    }
    if (seed % 2 == 0) {
      auto& addresses = after.policy.groups[3].addresses;
      addresses.certain = addresses.possible = addresses.certain | net("40.1.0.0/16");
    }
    if (seed == 5) {  // a broad line at the top of many
      Rule broad;
      broad.action = Action::deny;
      broad.service = ServiceTerm::of(6, {}, {24, 26});
      after.rules().insert(after.rules().begin() + 700, broad);
    }
    const Difference all = what_differs(before.policy, after.policy, {});
    REQUIRE(all.is_complete);
    REQUIRE_FALSE(all.is_truncated());
    std::vector<Packet> packets;
    for (int i = 0; i < 1500; ++i) {
      const Rule& near = touched[below(static_cast<std::uint32_t>(touched.size()))];
      const auto source = addresses_of(before.policy, near.source)->possible.v4;
      const auto [first, last] = source.interval(below(static_cast<std::uint32_t>(source.interval_count())));
      packets.push_back(
          {Address::v4(below(8) == 0 ? first + below(1 << 16) : first + below(last - first + 1U)),
           Address::v4(below(10) == 0 ? 0xCB007119 : 0x0A010000 + below(64)), 6,
           static_cast<std::uint16_t>(below(2) == 0 ? 1500 : 5000),
           static_cast<std::uint16_t>(20 + below(12))});
    }
    // The ends of every box, and what lies just beyond them.
    for (const auto* list : {&all.newly_permitted, &all.newly_denied, &all.newly_unknown})
      for (std::size_t i = 0; i < list->size() && packets.size() < 3000; ++i) {
        const Box& box = (*list)[i].packets;
        Packet packet = PacketSet(box).example();
        packets.push_back(packet);
        packet.source.number -= 1;
        packets.push_back(packet);
      }
    const auto old = decide(before.policy, {}, packets), now = decide(after.policy, {}, packets);
    std::size_t changed = 0;
    const auto held = [](const std::vector<ChangedBox>& boxes, const Packet& packet) {
      return std::ranges::any_of(boxes, [&](const ChangedBox& box) { return box.packets.contains(packet); });
    };
    for (std::size_t i = 0; i < packets.size(); ++i) {
      const Verdict one = old[i].verdict, two = now[i].verdict;
      changed += one != two;
      CHECK(held(all.newly_permitted, packets[i]) == (one != two && two == Verdict::permit));
      CHECK(held(all.newly_denied, packets[i]) == (one != two && two == Verdict::deny));
      if (one != two || one != Verdict::unknown)
        CHECK(held(all.newly_unknown, packets[i]) == (one != two && two == Verdict::unknown));
    }
    CHECK(changed > 10);
  }
}

}  // namespace aclmend
