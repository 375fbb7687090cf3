// A small device for tests of differences: one list, "OUT", on one interface, "outside", behind a static
// translation.
#pragma once
#include "difference/difference.h"

namespace aclmend::test {

using namespace model;
using namespace difference;

inline AddressSet net(const char* text) { return AddressSet(*parse_prefix(text)); }

// A device with one list on "outside" behind a static translation 203.0.113.25 -> 10.1.1.25.
class Device {
 public:
  Device() {
    policy.sources.push_back(std::make_shared<const Source>("edge.cfg", std::string_view{"x\n"}));
    Translation translation;
    translation.address = Translation::Change::one_of;
    translation.addresses = net("10.1.1.25/32");
    policy.translations.push_back(translation);
    Rule nat;
    nat.action = Action::translate;
    nat.destination = host("203.0.113.25");
    RuleList translations;
    translations.name = "nat";
    translations.rules.push_back(nat);
    RuleList in;
    in.name = "OUT";
    policy.lists = {translations, in};
    Stage stage;
    stage.name = "nat";
    stage.lists = {0};
    stage.otherwise = Stage::Default::accept;
    policy.nodes.emplace_back(stage);
    stage.name = "in";
    stage.lists = {1};
    stage.otherwise = Stage::Default::deny;
    policy.nodes.emplace_back(stage);
    policy.nodes.emplace_back(Serial{{1, 2}});
    Branch branch;
    branch.cases = {{"outside", {}, 3}};
    policy.nodes.emplace_back(branch);
    policy.root = 4;
  }
  static AddressTerm host(const char* text) { return AddressTerm::v4(*parse_v4(text), 32); }
  static AddressTerm v4(const char* text) {
    const Prefix prefix = *parse_prefix(text);
    return AddressTerm::v4(prefix.address.as_v4(), prefix.length);
  }
  AddressTerm group(const char* name, const AddressSet& certain, const AddressSet& open = {},
                    ConditionIds conditions = {}) {
    AddressGroup made;
    made.name = name;
    made.kind = GroupKind::group;
    made.addresses = {certain, certain | open, std::move(conditions)};
    policy.groups.push_back(made);
    return AddressTerm::group(static_cast<GroupId>(policy.groups.size() - 1));
  }
  Rule& add(Action action, AddressTerm source, AddressTerm destination, ServiceTerm service = smtp) {
    Rule rule;
    rule.action = action;
    rule.source = source;
    rule.destination = destination;
    rule.service = service;
    rule.number = static_cast<std::uint32_t>(rules().size() + 1);
    rules().push_back(rule);
    return rules().back();
  }
  std::vector<Rule>& rules() { return policy.lists[1].rules; }
  std::uint32_t qualifier(Qualifier qualifier) {
    policy.qualifiers.push_back(std::move(qualifier));
    return static_cast<std::uint32_t>(policy.qualifiers.size() - 1);
  }
  std::uint32_t while_(const char* time_range) {
    return qualifier({{policy.condition(ConditionKind::time_range, time_range, {})}, {}, {}});
  }
  static inline const ServiceTerm smtp = ServiceTerm::of(6, {}, {25, 25});
  Policy policy;
};

inline const AddressTerm any = AddressTerm::any();

inline Device mail_device() {
  Device device;
  const AddressTerm eop = device.group("EOP", net("40.92.0.0/15") | net("52.100.0.0/14"));
  device.add(Action::accept, eop, Device::host("10.1.1.25"));
  device.add(Action::accept, any, Device::host("10.1.1.80"), ServiceTerm::of(6, {}, {443, 443}));
  device.add(Action::deny, any, any, ServiceTerm::any());
  return device;
}

}  // namespace aclmend::test
