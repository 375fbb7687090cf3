// The way of a packet ("Access Rules" in the Firewall CLI guide): list of the interface it enters, then the
// global list, then the implicit deny; without either, security levels; then the outbound list of the
// interface it leaves. Since 8.3 the lists hold real addresses, so translation comes first; before, mapped
// ones, and it comes second.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "vendors/cisco_asa/lowering.h"
#include "vendors/cisco_asa/names.h"

namespace aclmend::cisco_asa {
namespace {

using model::Branch;
using model::ConditionKind;
using model::NodeId;
using model::Serial;
using model::Stage;

constexpr std::size_t most_interfaces = 512;  // each knows its way to each other

struct Attached {  // the lists at one place
  std::vector<model::ListId> lists;
  std::string names;
  Span anchor;
  bool is_there = false;
};

class Way {
 public:
  Way(Lowering& lowering, AddressBook& addresses, const LoweredLists& lists, const LoweredNat& nat)
      : lowering_(lowering), addresses_(addresses), lists_(lists), nat_(nat) {}
  void build();

 private:
  NodeId add(model::Node node) {
    lowering_.policy.nodes.push_back(std::move(node));
    return static_cast<NodeId>(lowering_.policy.nodes.size() - 1);
  }
  bool knows_bindings() const;
  void attach();
  model::ListId absent_list(const Binding& binding);
  model::ListId legacy_ipv6_list();
  model::ListId established_list();
  NodeId ingress_case(const model::Interface& in);
  NodeId untranslation(const model::Interface& in);
  NodeId inbound(const model::Interface& in);
  NodeId egress(const model::Interface& in);
  NodeId levels(const model::Interface& in);
  Stage level_verdict(const model::Interface& in, const model::Interface& out);
  std::optional<std::string> equal_level_deny(const model::Interface& in, const model::Interface& out) const;
  NodeId same_interface(const model::Interface& in);
  void select_destinations();
  bool has_bridged_list(const model::Interface& port,
                        const std::map<std::string, Attached, std::less<>>& lists) const;
  NodeId bridged(const model::Interface& port);
  NodeId unknown_stage(ConditionKind kind, std::string_view name, std::string_view sentence);

  Lowering& lowering_;
  AddressBook& addresses_;
  const LoweredLists& lists_;
  const LoweredNat& nat_;
  std::map<std::string, Attached, std::less<>> in_, out_;
  Attached global_;
  std::unordered_map<std::string, model::ListId> absent_;
  std::optional<model::ListId> legacy_ipv6_, established_;
  std::map<std::string, AddressSet, std::less<>> behind_;  // by interface: what it alone leads to
  bool all_v4_is_behind_ = false;
  std::vector<const model::Interface*> through_;  // interfaces that pass traffic
};

// ---- lists --------------------------------------------------------------------------------------------

// Without a header, and without a line that binds a list, the file is a part: nobody knows what is bound.
bool Way::knows_bindings() const {
  const Configuration& from = lowering_.from;
  if (!from.bindings.empty()) return true;
  return !from.header.version.empty() && from.header.form != Form::show_access_list && !from.is_cut_off;
}

model::ListId Way::absent_list(const Binding& binding) {
  const auto [found, is_new] =
      absent_.try_emplace(binding.list, static_cast<model::ListId>(lowering_.policy.lists.size()));
  if (!is_new) return found->second;
  model::RuleList list;
  list.name = binding.list;
  list.span = binding.place.span();
  list.is_attached = true;
  list.ends_in_deny = true;
  model::Rule rule;
  rule.action = model::Action::unknown;
  rule.number = 1;
  rule.span = binding.place.span();
  rule.target =
      lowering_.policy.condition(ConditionKind::undefined, "access-list " + binding.list, rule.span);
  list.rules.push_back(rule);
  lowering_.policy.lists.push_back(std::move(list));
  const bool is_known = lowering_.from.list_index.contains(binding.list);
  lowering_.account.say(Severity::error, binding.place.span(),
                        fmt::format("access-list '{}' {}", printable(binding.list),
                                    is_known ? "is of a kind that cannot filter here, or has no entries"
                                             : "is not in this file"),
                        Effect::unknown);
  return found->second;
}

// Before 9.0 an IPv4 list says nothing of IPv6, which has lists of its own.
model::ListId Way::legacy_ipv6_list() {
  if (legacy_ipv6_) return *legacy_ipv6_;
  model::RuleList list;
  list.name = "ipv6 access-list";
  list.is_attached = true;
  model::Rule rule;
  rule.source = rule.destination = model::AddressTerm::any6();
  rule.action = model::Action::unknown;
  rule.number = 1;
  rule.span = lowering_.from.header.span;
  rule.target = lowering_.policy.condition(ConditionKind::not_in_export, "IPv6 access lists", rule.span);
  list.rules.push_back(rule);
  legacy_ipv6_ = static_cast<model::ListId>(lowering_.policy.lists.size());
  lowering_.policy.lists.push_back(std::move(list));
  return *legacy_ipv6_;
}

// `established PROTO DPORT …` lets in what belongs to an earlier connection: a deny of its protocol is no
// longer certain.
model::ListId Way::established_list() {
  if (established_) return *established_;
  model::RuleList list;
  list.name = "established";
  list.is_attached = true;
  list.span = lowering_.from.established.front().span();
  std::string scratch;
  for (const Statement& place : lowering_.from.established) {
    Words words(text_of(place, lowering_.text(place.source), scratch));
    words.next();
    model::Rule rule;
    const auto number = ip_protocol(words.next());
    rule.service = number ? model::ServiceTerm::of(*number) : model::ServiceTerm::any();
    rule.action = model::Action::accept;
    rule.number = static_cast<std::uint32_t>(list.rules.size() + 1);
    rule.span = place.span();
    rule.qualifier = static_cast<std::uint32_t>(lowering_.policy.qualifiers.size());
    model::Qualifier qualifier;
    qualifier.conditions = {
        lowering_.policy.condition(ConditionKind::device_state, "established", place.span())};
    lowering_.policy.qualifiers.push_back(std::move(qualifier));
    list.rules.push_back(rule);
  }
  established_ = static_cast<model::ListId>(lowering_.policy.lists.size());
  lowering_.policy.lists.push_back(std::move(list));
  return *established_;
}

void Way::attach() {
  const Configuration& from = lowering_.from;
  struct Bound {
    const Binding* v4 = nullptr;
    const Binding* v6 = nullptr;  // before 9.0: an `ipv6 access-list`
  };
  std::map<std::pair<BindingKind, std::string>, Bound> bound;
  for (const Binding& binding : from.bindings) {
    if (binding.kind == BindingKind::control_plane) continue;
    const bool is_v6 =
        !from.list_index.contains(binding.list) && from.list_index.contains("ipv6 " + binding.list);
    Bound& its = bound[{binding.kind, binding.interface}];
    (is_v6 ? its.v6 : its.v4) = &binding;  // a later command replaces the earlier
    if (binding.is_per_user)
      lowering_.policy.notices.push_back(
          {model::NoticeKind::not_modelled, binding.place.span(),
           "per-user-override: lists of authenticated users come before this one"});
  }
  for (const auto& [place, its] : bound) {
    Attached at;
    at.is_there = true;
    for (const Binding* binding : {its.v4, its.v6}) {
      if (binding == nullptr) continue;
      at.anchor = binding->place.span();
      at.names = binding->list;
      const auto index = from.list_index.find(binding == its.v6 ? "ipv6 " + binding->list : binding->list);
      const model::ListId id = index == from.list_index.end() ? no_list_id : lists_.ids[index->second];
      at.lists.push_back(id == no_list_id ? absent_list(*binding) : id);
    }
    if (lowering_.any_is_v4 && its.v6 == nullptr) at.lists.push_back(legacy_ipv6_list());
    if (place.first == BindingKind::global) global_ = std::move(at);
    else (place.first == BindingKind::in ? in_ : out_)[place.second] = std::move(at);
  }
}

// ---- stages -------------------------------------------------------------------------------------------

NodeId Way::unknown_stage(ConditionKind kind, std::string_view name, std::string_view sentence) {
  Stage stage;
  stage.otherwise = Stage::Default::unknown;
  stage.conditions = {lowering_.policy.condition(kind, name, lowering_.from.header.span)};
  stage.implicit = sentence;
  return add(std::move(stage));
}

NodeId Way::untranslation(const model::Interface& in) {
  Stage stage;
  stage.name = fmt::format("translation of what enters {}", in.name);
  stage.otherwise = Stage::Default::accept;
  auto list = nat_.lists.find(in.name);
  if (list == nat_.lists.end()) list = nat_.lists.find("");
  if (list != nat_.lists.end()) stage.lists.push_back(list->second);
  stage.anchor = in.span;
  if (lowering_.from.has_nat_control) {
    stage.otherwise = Stage::Default::unknown;
    stage.conditions = {lowering_.policy.condition(ConditionKind::address_translation, "nat-control",
                                                   lowering_.from.nat_control)};
    stage.implicit = "nat-control: what no translation holds may be dropped";
    stage.anchor = lowering_.from.nat_control;
  }
  return add(std::move(stage));
}

// A bridge group of a routed firewall has lists at two places, its members and its BVI, and no route tells by
// which member packets go: a list at the one may decide about what goes by the name of the other.
bool Way::has_bridged_list(const model::Interface& port,
                           const std::map<std::string, Attached, std::less<>>& lists) const {
  if (lowering_.from.is_transparent) return false;  // there members are asked by their own names
  const std::vector<Port>& ports = lowering_.from.ports;
  const auto its = std::ranges::find(ports, port.name, &Port::name);
  if (its == ports.end() || its->bridge_group == 0) return false;
  return std::ranges::any_of(ports, [&](const Port& other) {
    return other.bridge_group == its->bridge_group && other.is_bvi != its->is_bvi && !other.name.empty() &&
           lists.contains(other.name);
  });
}

NodeId Way::bridged(const model::Interface& port) {
  return unknown_stage(ConditionKind::device_state, fmt::format("bridge group of {}", port.name),
                       "a list of another interface of the bridge group may decide");
}

NodeId Way::inbound(const model::Interface& in) {
  if (has_bridged_list(in, in_)) return bridged(in);
  const auto its = in_.find(in.name);
  const bool has_own = its != in_.end();
  if (!has_own && !global_.is_there) return levels(in);
  Stage stage;
  stage.name = fmt::format("inbound lists of {}", in.name);
  stage.otherwise = Stage::Default::deny;
  if (!lowering_.from.established.empty()) stage.lists.push_back(established_list());
  if (has_own) stage.lists.insert(stage.lists.end(), its->second.lists.begin(), its->second.lists.end());
  for (const model::ListId list : global_.lists)
    if (std::ranges::find(stage.lists, list) == stage.lists.end()) stage.lists.push_back(list);
  stage.anchor = global_.is_there ? global_.anchor : its->second.anchor;
  stage.implicit =
      fmt::format("the implicit deny at the end of {}", global_.is_there ? global_.names : its->second.names);
  if (lowering_.from.has_unread_binding) {
    stage.otherwise = Stage::Default::unknown;
    stage.conditions = {
        lowering_.policy.condition(ConditionKind::not_understood, "access-group", stage.anchor)};
  }
  return add(std::move(stage));
}

// Equal levels, and the way back out of the same interface, need same-security-traffic whatever the lists
// say.
std::optional<std::string> Way::equal_level_deny(const model::Interface& in,
                                                 const model::Interface& out) const {
  if (in.name == out.name) {
    if (lowering_.from.permits_same_interface) return std::nullopt;
    return fmt::format("\"{}\" to itself needs same-security-traffic permit intra-interface", in.name);
  }
  if (!in.trust || !out.trust || *in.trust != *out.trust || lowering_.from.permits_equal_levels)
    return std::nullopt;
  return fmt::format(
      "\"{}\" to \"{}\": equal security levels ({}) need same-security-traffic permit inter-interface",
      in.name, out.name, *in.trust);
}

Stage Way::level_verdict(const model::Interface& in, const model::Interface& out) {
  Stage stage;
  stage.name = fmt::format("security levels from {} to {}", in.name, out.name);
  stage.anchor = in.span;
  if (!in.trust || !out.trust) {
    const std::string& name = in.trust ? out.name : in.name;
    stage.otherwise = Stage::Default::unknown;
    stage.conditions = {lowering_.policy.condition(ConditionKind::not_in_export,
                                                   fmt::format("security level of {}", name), in.span)};
    stage.implicit = fmt::format("no list on \"{}\", and a security level is not in this export", in.name);
    return stage;
  }
  if (const auto deny = equal_level_deny(in, out)) {
    stage.implicit = *deny;
    return stage;
  }
  if (!lowering_.from.established.empty()) stage.lists.push_back(established_list());
  const bool permits = in.name == out.name || *in.trust >= *out.trust;
  stage.otherwise = permits ? Stage::Default::accept : Stage::Default::deny;
  stage.implicit = fmt::format("no list on \"{}\": security level {} to {} is {}", in.name, *in.trust,
                               *out.trust, permits ? "permitted" : "denied");
  return stage;
}

NodeId Way::levels(const model::Interface& in) {
  if (!knows_bindings() || lowering_.from.has_unread_binding)
    return unknown_stage(ConditionKind::not_in_export, "access-group",
                         "which list is bound here is not in this export");
  Branch branch;
  branch.dimension = model::Dimension::egress;
  branch.other = "no enabled interface of that name";
  for (const model::Interface* out : through_) {
    const bool is_itself = out->name == in.name;
    if (is_itself && !lowering_.from.permits_same_interface && !all_v4_is_behind_)
      continue;  // same_interface()
    branch.cases.push_back({out->name, behind_[out->name], add(level_verdict(in, *out))});
  }
  if (branch.cases.empty()) return 0;
  return add(std::move(branch));
}

// Where not every destination has a known way, the way back out is no alternative that anyone means; but what
// is known to lie behind the interface itself does not pass.
NodeId Way::same_interface(const model::Interface& in) {
  const auto its = behind_.find(in.name);
  if (lowering_.from.permits_same_interface || all_v4_is_behind_ || its == behind_.end() ||
      its->second.empty())
    return 0;
  model::Partly<AddressSet> there;
  there.certain = there.possible = its->second;
  model::RuleList list;
  list.name = "same-security-traffic";
  list.span = in.span;
  list.is_attached = true;
  model::Rule rule;
  rule.destination = addresses_.anonymous("behind " + in.name, std::move(there), in.span);
  rule.action = model::Action::deny;
  rule.number = 1;
  rule.span = in.span;
  lowering_.policy.names.push_back(*equal_level_deny(in, in));
  rule.name = static_cast<std::uint32_t>(lowering_.policy.names.size() - 1);
  list.rules.push_back(rule);
  Stage stage;
  stage.name = fmt::format("from {} to itself", in.name);
  stage.lists.push_back(static_cast<model::ListId>(lowering_.policy.lists.size()));
  stage.otherwise = Stage::Default::accept;
  stage.anchor = in.span;
  lowering_.policy.lists.push_back(std::move(list));
  return add(std::move(stage));
}

NodeId Way::egress(const model::Interface& in) {
  Branch branch;
  branch.dimension = model::Dimension::egress;
  branch.other = "no enabled interface of that name";
  bool differs = false;
  const bool has_own_list = in_.contains(in.name) || global_.is_there;
  for (const model::Interface* out : through_) {
    const bool is_itself = out->name == in.name;
    if (is_itself && !lowering_.from.permits_same_interface && !all_v4_is_behind_) continue;
    NodeId node = 0;
    const auto deny = has_own_list ? equal_level_deny(in, *out) : std::nullopt;
    if (has_bridged_list(*out, out_)) {
      node = bridged(*out);
    } else if (deny) {
      Stage stage;
      stage.name = fmt::format("from {} to {}", in.name, out->name);
      stage.implicit = *deny;
      stage.anchor = out->span;
      node = add(std::move(stage));
    } else if (const auto its = out_.find(out->name); its != out_.end()) {
      Stage stage;
      stage.name = fmt::format("outbound list of {}", out->name);
      stage.lists = its->second.lists;
      stage.anchor = its->second.anchor;
      stage.implicit = fmt::format("the implicit deny at the end of {}", its->second.names);
      node = add(std::move(stage));
    }
    differs |= node != 0;
    branch.cases.push_back({out->name, behind_[out->name], node});
  }
  if (!differs) return 0;
  return add(std::move(branch));
}

NodeId Way::ingress_case(const model::Interface& in) {
  Serial serial;
  const NodeId translation = untranslation(in);
  const NodeId lists = inbound(in);
  if (lowering_.maps_after_lists) serial.nodes = {lists, translation};
  else serial.nodes = {translation, lists};
  if (const NodeId node = same_interface(in)) serial.nodes.push_back(node);
  if (const NodeId node = egress(in)) serial.nodes.push_back(node);
  return add(std::move(serial));
}

// ---- destinations -------------------------------------------------------------------------------------

// Which interface a real address lies behind: what a translation says, then its own networks and static
// routes by longest prefix, then the default route. What two of them claim is nobody's.
void Way::select_destinations() {
  if (lowering_.from.is_transparent) return;  // a bridge goes by MAC addresses; its routes are its own
  AddressSet taken;
  std::map<std::string, AddressSet, std::less<>> claims;
  for (const auto& [name, set] : nat_.behind) claims[name] |= set;
  AddressSet once, twice;
  const auto tally = [&](const AddressSet& set) {
    twice |= once & set;
    once |= set;
  };
  for (const model::Interface* port : through_)
    if (const auto its = claims.find(port->name); its != claims.end()) tally(its->second - port->connected);
  AddressSet routed;
  for (const model::Interface* port : through_) routed |= port->connected;
  for (const model::Interface* port : through_) {
    AddressSet its = port->connected;
    // A translation's word counts where no network or route says otherwise.
    if (const auto claim = claims.find(port->name); claim != claims.end()) {
      its |= (claim->second - twice) - (routed - port->connected);
    }
    behind_[port->name] = its - taken;
    taken |= its;
  }
  // A dynamic routing protocol may know better than the default route.
  if (lowering_.from.has_dynamic_routing) return;
  const model::Interface* default_way = nullptr;
  for (const model::Interface* port : through_) {
    if (!port->has_default_route) continue;
    if (default_way != nullptr) return;  // two: either
    default_way = port;
  }
  if (default_way == nullptr) return;
  AddressSet& rest = behind_[default_way->name];
  rest |= AddressSet::all(Family::ipv4) - taken;
  rest -= lowering_.several_ways;
  all_v4_is_behind_ = twice.v4.empty() && lowering_.several_ways.v4.empty();
  rest -= twice;
}

void Way::build() {
  const Configuration& from = lowering_.from;
  model::Policy& policy = lowering_.policy;
  attach();
  for (const model::Interface& port : policy.interfaces) {
    if (port.enabled && through_.size() < most_interfaces) through_.push_back(&port);
  }
  for (model::Interface& port : policy.interfaces)
    if (const auto its = in_.find(port.name); its != in_.end()) {
      port.list_in = its->second.names;
      port.list_span = its->second.anchor;
    } else if (global_.is_there) {
      port.list_in = global_.names;
      port.list_span = global_.anchor;
    }
  if (!from.old_filters.empty()) {
    policy.root = unknown_stage(ConditionKind::not_understood, "conduit or outbound",
                                "filters of PIX 5 and 6 decide here");
    return;
  }
  const bool has_too_many =
      std::ranges::count_if(policy.interfaces, &model::Interface::enabled) > std::ssize(through_);
  if (has_too_many) {
    lowering_.account.say(
        Severity::error, from.header.span,
        fmt::format("more than {} interfaces; the way between them is not worked out", most_interfaces),
        Effect::whole_file);
    policy.root =
        unknown_stage(ConditionKind::too_complex, "interfaces", "more interfaces than this reader takes");
    return;
  }
  if (through_.empty()) {
    const bool is_part = from.ports.empty();
    if (is_part) {
      policy.root = unknown_stage(ConditionKind::not_in_export, "access-group",
                                  "no list is bound to an interface in this export");
    } else {
      Stage stage;
      stage.implicit = "no enabled interface has a name";
      policy.root = add(std::move(stage));
    }
    return;
  }
  select_destinations();
  Branch ingress;
  ingress.dimension = model::Dimension::ingress;
  ingress.other = "no enabled interface of that name";
  for (const model::Interface* port : through_) {
    const NodeId node = ingress_case(*port);
    ingress.cases.push_back({port->name, {}, node});
  }
  policy.root = add(std::move(ingress));
}

}  // namespace

// ---- interfaces ---------------------------------------------------------------------------------------

void lower_interfaces(Lowering& lowering) {
  const Configuration& from = lowering.from;
  model::Policy& policy = lowering.policy;
  const bool is_part = from.ports.empty();
  std::string scratch;
  for (const Port& port : from.ports) {
    if (policy.interfaces.size() > 2 * most_interfaces) break;  // build() refuses so many
    if (port.name.empty() || policy.interface_named(port.name) != nullptr) continue;
    model::Interface its;
    its.name = port.name;
    its.span = port.span;
    its.enabled = !port.is_shutdown && !port.is_management_only;
    if (port.level) its.trust = *port.level;
    else if (!port.is_level_unknown) its.trust = port.name == "inside" ? 100 : 0;
    for (const PortAddress& one : port.addresses) {
      Words words(text_of(one.place, lowering.text(one.place.source), scratch));
      words.next();  // ip, ipv6
      words.next();  // address
      std::string_view word = words.next();
      if (word == port.name) word = words.next();  // PIX 6: ip address outside 192.0.2.1 …
      const auto alias = from.aliases.find(word);
      const auto complain = [&](std::string_view at) {
        lowering.account.not_understood(
            one.place, lowering.span_of(at, one.place),
            fmt::format("expected an address and a netmask, found '{}'", printable(at)));
      };
      if (one.is_ipv6) {
        const std::size_t slash = word.find('/');
        const auto address = parse_address(word.substr(0, slash));
        const auto length = slash == std::string_view::npos
                                ? std::nullopt
                                : parse_decimal<std::uint8_t>(word.substr(slash + 1));
        if (!address || (length && *length > 128)) {
          complain(word);
          continue;
        }
        if (words.peek() != "link-local") its.addresses.push_back(*address);
        if (length) its.connected |= AddressSet(prefix_of(*address, *length));
        continue;
      }
      std::optional<V4> address;
      if (const auto literal = parse_v4_word(word)) address = literal->number;
      else if (alias != from.aliases.end() && alias->second.address.is_v4())
        address = alias->second.address.as_v4();
      const std::string_view mask_word = words.next();
      const auto mask = parse_v4_word(mask_word);
      const auto length = mask ? netmask_length(mask->number) : std::nullopt;
      if (!address || !length) {
        complain(address ? mask_word : word);
        continue;
      }
      its.addresses.push_back(Address::v4(*address));
      its.connected |= AddressSet(prefix_of(Address::v4(*address), *length));
    }
    policy.interfaces.push_back(std::move(its));
  }
  if (is_part)  // a part without `interface`: the bindings at least name them
    for (const Binding& binding : from.bindings)
      if (!binding.interface.empty() && binding.kind != BindingKind::control_plane &&
          policy.interface_named(binding.interface) == nullptr) {
        model::Interface its;
        its.name = binding.interface;
        its.span = binding.place.span();
        policy.interfaces.push_back(std::move(its));
      }

  // Routes, longest first: each takes what the networks and longer routes left.
  struct Way {
    Prefix prefix;
    model::Interface* to;
  };
  std::vector<Way> ways;
  for (const Route& route : from.routes) {
    Words words(text_of(route.place, lowering.text(route.place.source), scratch));
    words.accept("ipv6");
    words.next();  // route
    const std::string_view name = words.next();
    const auto to = std::ranges::find(policy.interfaces, name, &model::Interface::name);
    std::optional<Prefix> prefix;
    const std::string_view word = words.next();
    if (route.is_ipv6) {
      prefix = parse_prefix(word);
    } else {
      const std::string_view mask_word = words.next();
      const auto alias = from.aliases.find(word);
      std::optional<V4> network;
      if (word == "0") network = 0;
      else if (const auto literal = parse_v4_word(word)) network = literal->number;
      else if (alias != from.aliases.end() && alias->second.address.is_v4())
        network = alias->second.address.as_v4();
      const auto mask = mask_word == "0" ? std::optional<V4Word>(V4Word{}) : parse_v4_word(mask_word);
      const auto length = mask ? netmask_length(mask->number) : std::nullopt;
      if (network && length) prefix = prefix_of(Address::v4(*network), *length);
    }
    if (!prefix) {
      lowering.account.say(Severity::warning, route.place.span(),
                           "a route that is not understood: the way out is not known", Effect::unknown);
      lowering.account.set(route.place, LineState::not_understood);
      continue;
    }
    if (to == policy.interfaces.end()) continue;
    if (prefix->length == 0) to->has_default_route |= prefix->address.is_v4();
    else ways.push_back({*prefix, &*to});
  }
  std::ranges::stable_sort(ways, std::greater<>(), [](const Way& way) { return way.prefix.length; });
  AddressSet taken;
  for (const model::Interface& port : policy.interfaces) taken |= port.connected;
  for (std::size_t i = 0; i < ways.size();) {  // all of one length at once
    std::size_t end = i;
    std::map<model::Interface*, std::vector<Prefix>> of_length;
    while (end < ways.size() && ways[end].prefix.length == ways[i].prefix.length) {
      of_length[ways[end].to].push_back(ways[end].prefix);
      ++end;
    }
    AddressSet now, twice;
    for (const auto& [port, prefixes] : of_length) {
      const AddressSet set = AddressSet::of(prefixes);
      twice |= now & set;
      now |= set;
    }
    // Two interfaces with the same route (a floating one, or load sharing): either may be the way.
    for (const auto& [port, prefixes] : of_length)
      port->connected |= AddressSet::of(prefixes) - taken - twice;
    lowering.several_ways |= twice - taken;
    taken |= now;
    i = end;
  }
}

void lower_path(Lowering& lowering, AddressBook& addresses, const LoweredLists& lists,
                const LoweredNat& nat) {
  Way(lowering, addresses, lists, nat).build();
}

}  // namespace aclmend::cisco_asa
