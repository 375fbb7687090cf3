#include "tests/support/random_policy.h"

#include <fmt/format.h>

namespace aclmend::test {
namespace {

using namespace model;

constexpr V4 base4 = 0x0A000000;  // 10.0.0.0
constexpr int hosts4 = 6;
const V6 base6 = V6{0x20010DB8} << 96;
constexpr int hosts6 = 2;

class Maker {
 public:
  Maker(std::mt19937& random, Shape shape) : random_(random), shape_(shape) {}

  RandomPolicy make() {
    Policy& policy = made_.policy;
    policy.sources.push_back(std::make_shared<const Source>("random", std::string_view{"x\n"}));
    for (int i = 0; i < 3; ++i) policy.condition(ConditionKind::time_range, fmt::format("T{}", i), {});
    for (int i = 0; i < 3; ++i) policy.groups.push_back(address_group());
    for (int i = 0; i < 2; ++i) policy.service_groups.push_back(service_group());
    for (int i = 0; i < 4; ++i) policy.qualifiers.push_back(qualifier());
    policy.state_changes = {
        {.make_untracked = true},
        {.mark_clear = 0xFF, .mark_toggle = 1},
        {.mark_toggle = 2},
        {.connmark_clear = 3, .connmark_from_mark = 3},                        // save
        {.mark_clear = 3, .mark_from_connmark = 3},                            // restore
        {.mark_toggle = 1, .mark_from_connmark = 2, .connmark_from_mark = 1},  // both at once
    };
    for (int i = 0; i < 3; ++i) policy.translations.push_back(translation());
    const int list_count = shape_ == Shape::flat ? 3 : 6;
    for (int i = 0; i < list_count; ++i) policy.lists.push_back(list(static_cast<ListId>(i), list_count));
    policy.lists.push_back(translating_list());
    policy.root = way();
    made_.contexts = {Context{}};
    for (const char* ingress : {"outside", "nowhere"}) {
      Context context;
      context.known[Dimension::ingress] = ingress;
      made_.contexts.push_back(context);
    }
    made_.contexts.push_back(made_.contexts[1]);
    made_.contexts.back().known[Dimension::egress] = "inside";
    made_.contexts.back().assumed[caller_condition + 4] = true;
    if (shape_ == Shape::general) {
      Context context = made_.contexts[1];
      context.known[Dimension::egress] = once_in(2) ? "dmz0" : "";
      context.known[Dimension::direction] = once_in(2) ? "in" : "forward";
      made_.contexts.push_back(context);
    }
    return std::move(made_);
  }

 private:
  int below(int count) { return std::uniform_int_distribution<int>(0, count - 1)(random_); }
  bool once_in(int count) { return below(count) == 0; }

  Interval<V4> interval4() {
    const auto first = static_cast<V4>(below(hosts4));
    return {base4 + first, base4 + first + static_cast<V4>(below(hosts4 - static_cast<int>(first)))};
  }
  AddressSet addresses() {
    AddressSet set;
    for (int i = below(3); i >= 0; --i) {
      const auto [first, last] = interval4();
      set |= AddressSet(Address::v4(first), Address::v4(last));
    }
    if (once_in(3)) set |= AddressSet(Address::v6(base6 + static_cast<V6>(below(hosts6))));
    if (once_in(8)) set = ~set;
    return set;
  }
  ConditionId any_condition() { return static_cast<ConditionId>(10 + below(3)); }

  AddressGroup address_group() {
    AddressGroup group;
    group.addresses.certain = addresses();
    group.addresses.possible = group.addresses.certain;
    if (once_in(2)) {
      group.addresses.possible |= addresses();
      group.addresses.conditions = {any_condition()};
    }
    return group;
  }
  ServiceBox service_box() {
    const auto port = static_cast<std::uint16_t>(25 + below(2));
    ServiceBox box{ProtocolSet(6, 6), PortSet::all(),
                   PortSet(port, static_cast<std::uint16_t>(port + below(2)))};
    if (once_in(4)) box.source = PortSet(2000, 2999);
    if (once_in(5)) box.protocol = ProtocolSet::all();
    return box;
  }
  ServiceGroup service_group() {
    ServiceGroup group;
    group.services.certain = {service_box()};
    group.services.possible = group.services.certain;
    group.services.possible.push_back(service_box());
    group.services.conditions = {any_condition()};
    return group;
  }
  Qualifier qualifier() {
    Qualifier qualifier;
    if (once_in(2)) qualifier.conditions = {any_condition()};
    if (once_in(4)) qualifier.context = {{Dimension::ingress, {once_in(2) ? "outside" : "dmz"}, once_in(3)}};
    if (shape_ == Shape::flat) return qualifier;
    if (once_in(5)) {
      const char* names[] = {"inside", "dmz+", "+", ""};
      qualifier.context.push_back({Dimension::egress, {names[below(4)]}, once_in(3)});
    }
    if (once_in(8)) qualifier.context.push_back({Dimension::direction, {"in"}, once_in(2)});
    if (once_in(4)) qualifier.state.tracking = static_cast<StateMatch::Tracking>(below(4));
    for (int i = once_in(3) ? 1 + below(2) : 0; i > 0; --i)
      qualifier.state.marks.push_back({once_in(3) ? MarkTest::Of::connection : MarkTest::Of::packet, 3,
                                       static_cast<std::uint32_t>(below(4)), once_in(3)});
    if (once_in(5)) qualifier.state.translated = static_cast<StateMatch::Translated>(1 + below(2));
    if (once_in(5)) qualifier.wire = {address_term(), once_in(2) ? PortSet::all() : PortSet(25, 25)};
    return qualifier;
  }
  Translation translation() {
    Translation to;
    if (once_in(3)) {
      to.address = Translation::Change::shift;
      to.address_shift = static_cast<V6>(below(3));
    } else if (shape_ == Shape::general && once_in(3)) {
      to.address = Translation::Change::own;
    } else {
      to.address = Translation::Change::one_of;
      const auto [first, last] = interval4();
      to.addresses = AddressSet(Address::v4(first), Address::v4(once_in(2) ? first : last));
    }
    if (shape_ == Shape::general && once_in(6)) {
      to.port = Translation::Change::shift;
      to.port_shift = static_cast<std::uint16_t>(below(2));
    } else if (once_in(3)) {
      to.port = Translation::Change::one_of;
      to.ports = PortSet(25, static_cast<std::uint16_t>(25 + below(2)));
    }
    return to;
  }

  AddressTerm address_term() {
    switch (below(7)) {
      case 0:
      case 1: return AddressTerm::any();
      case 2: return AddressTerm::any4();
      case 3: return AddressTerm::group(static_cast<GroupId>(below(3)));
      case 4: return AddressTerm::v4(base4 + static_cast<V4>(2 * below(hosts4 / 2)), 31);
      default: return AddressTerm::v4(base4 + static_cast<V4>(below(hosts4)), 32);
    }
  }
  ServiceTerm service_term() {
    switch (below(6)) {
      case 0: return ServiceTerm::group(static_cast<GroupId>(below(2)));
      case 1:
      case 2: return ServiceTerm::of(6, once_in(3) ? PortRange{1500, 2500} : PortRange{}, {25, 25});
      case 3: return ServiceTerm::of(17);
      default: return ServiceTerm::any();
    }
  }
  Rule rule() {
    Rule rule;
    rule.source = address_term();
    rule.destination = address_term();
    rule.service = service_term();
    rule.qualifier = once_in(3) ? static_cast<std::uint32_t>(1 + below(4)) : 0;
    rule.enabled = !once_in(10);
    return rule;
  }
  RuleList list(ListId id, int list_count) {
    RuleList list;
    list.name = fmt::format("L{}", id);
    list.ends_in_deny = once_in(2);
    for (int i = 1 + below(5); i > 0; --i) {
      Rule made = rule();
      made.action = once_in(2) ? Action::accept : Action::deny;
      const auto later_list = [&] {
        return id + 1 + static_cast<ListId>(below(list_count - static_cast<int>(id) - 1));
      };
      if (shape_ == Shape::general) switch (below(14)) {
          case 0: made.action = Action::permit; break;
          case 1: made.action = Action::pass; break;
          case 2:
            made.action = Action::change_state;
            made.target = static_cast<std::uint32_t>(below(6));
            break;
          case 3:
            made.action = Action::unknown;
            made.target = any_condition();
            break;
          case 4:
            made.action = Action::program_decides;
            made.target = any_condition();
            break;
          case 5: made.action = Action::return_to_caller; break;
          case 6:
          case 7:
            if (static_cast<int>(id) + 1 >= list_count) break;
            made.action = Action::jump;
            made.target = later_list();
            break;
          case 8:
            if (static_cast<int>(id) + 1 >= list_count) break;
            made.action = Action::go_to;
            made.target = later_list();
            break;
          case 9:
            made.action = Action::translate;
            made.target = static_cast<std::uint32_t>(below(3));
            break;
          default: break;
        }
      list.rules.push_back(made);
    }
    return list;
  }
  RuleList translating_list() {
    RuleList list;
    list.name = "NAT";
    for (int i = below(3); i > 0; --i) {
      Rule made = rule();
      made.action = Action::translate;
      made.target = static_cast<std::uint32_t>(below(3));
      list.rules.push_back(made);
    }
    return list;
  }

  NodeId add(Node node) {
    made_.policy.nodes.push_back(std::move(node));
    return static_cast<NodeId>(made_.policy.nodes.size() - 1);
  }
  NodeId stage(std::vector<ListId> lists, Stage::Default otherwise) {
    Stage stage;
    stage.lists = std::move(lists);
    stage.otherwise = otherwise;
    if (once_in(2)) stage.implicit = "the default";
    if (otherwise == Stage::Default::unknown) stage.conditions = {any_condition()};
    if (shape_ == Shape::general) stage.names_permit = !once_in(3);
    return add(stage);
  }
  Stage::Default any_default() { return static_cast<Stage::Default>(below(3)); }
  AddressSet low() { return AddressSet(Address::v4(base4), Address::v4(base4 + 2)); }
  AddressSet high() { return AddressSet(Address::v4(base4 + 3), Address::v4(base4 + 4)); }
  NodeId egress() {
    Branch branch;
    branch.dimension = Dimension::egress;
    branch.other = "no such interface";
    branch.cases.push_back({"inside", low(), stage({2}, any_default())});
    branch.cases.push_back({"other", {}, add(Serial{})});
    if (shape_ == Shape::flat) return add(branch);
    if (once_in(2)) branch.cases[1].node = stage({3}, any_default());
    if (once_in(4)) branch.cases.pop_back();
    if (once_in(6)) branch.cases.clear();
    if (branch.cases.empty() || once_in(3)) branch.otherwise = stage({2}, any_default());
    branch.by = static_cast<Branch::By>(below(3));
    branch.own_case = once_in(2) ? "inside" : "";
    return add(branch);
  }
  // A way through a translation: to the device itself, or through it.
  NodeId direction() {
    Branch branch;
    branch.dimension = Dimension::direction;
    branch.by = static_cast<Branch::By>(below(3));
    branch.own_case = "in";
    Branch none;
    none.dimension = Dimension::egress;
    none.by = once_in(2) ? Branch::By::destination : Branch::By::context;
    none.cases.push_back({"", {}, stage({0, 3}, any_default())});
    branch.cases.push_back({"in", once_in(2) ? high() : AddressSet{}, add(none)});
    branch.cases.push_back({"forward", once_in(2) ? low() : AddressSet{}, egress()});
    return add(branch);
  }
  NodeId again(NodeId node) {  // a branch inside its own case follows it
    Branch branch;
    branch.dimension = Dimension::ingress;
    branch.cases.push_back({"outside", {}, node});
    branch.cases.push_back({"dmz", {}, stage({1}, any_default())});
    if (once_in(2)) branch.otherwise = stage({3}, any_default());
    return add(branch);
  }
  NodeId way() {
    const auto translating = static_cast<ListId>(made_.policy.lists.size() - 1);
    const auto through = [&] {
      const NodeId nat = stage({translating}, Stage::Default::accept);
      const NodeId in = once_in(2) ? stage({0, 1}, any_default()) : stage({0}, any_default());
      if (shape_ == Shape::flat) return add(Serial{{nat, in, egress()}});
      const NodeId end = once_in(2) ? direction() : egress();
      return add(Serial{{nat, once_in(2) ? again(in) : in, end}});
    };
    Branch branch;
    branch.dimension = Dimension::ingress;
    branch.other = "no such interface";
    for (const char* name : {"outside", "dmz"}) branch.cases.push_back({name, {}, through()});
    if (shape_ == Shape::general && once_in(3)) branch.otherwise = through();
    return add(branch);
  }

  std::mt19937& random_;
  Shape shape_;
  RandomPolicy made_;
};

}  // namespace

RandomPolicy random_policy(std::mt19937& random, Shape shape) { return Maker(random, shape).make(); }

std::vector<Address> universe_addresses() {
  std::vector<Address> all;
  for (int i = 0; i < hosts4 + 1; ++i) all.push_back(Address::v4(base4 + static_cast<V4>(i)));
  for (int i = 0; i < hosts6; ++i) all.push_back(Address::v6(base6 + static_cast<V6>(i)));
  return all;
}

std::vector<std::uint16_t> universe_source_ports() { return {1024, 1500, 2000, 2501, 3000}; }

std::vector<Packet> universe() {
  std::vector<Packet> packets;
  for (const Address source : universe_addresses())
    for (const Address destination : universe_addresses())
      if (source.family == destination.family)
        for (const std::uint8_t protocol : {std::uint8_t{6}, std::uint8_t{17}})
          for (const std::uint16_t source_port : universe_source_ports())
            for (const std::uint16_t port : {std::uint16_t{25}, std::uint16_t{26}, std::uint16_t{80}})
              packets.push_back({source, destination, protocol, source_port, port});
  return packets;
}

}  // namespace aclmend::test
