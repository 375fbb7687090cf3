// A firewall in nobody's dialect. A vendor's converter fills a Policy; meaning, by_source and decide read it.
//
// Every match is three-valued: a set of packets that certainly match inside a set that possibly matches. What
// lies between hangs on a Condition (a time range, a name a resolver decides, an object that is not in the
// export). Names are interned; sets that many rules share stand once, in groups.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/source.h"
#include "sets/address_set.h"
#include "sets/packet_set.h"

namespace aclmend::model {

// ---- conditions ---------------------------------------------------------------------------------------

enum class ConditionKind : std::uint8_t {
  time_range,
  fqdn,
  user,
  security_group,
  external_list,
  dynamic_address,
  undefined,
  not_understood,
  not_in_export,
  application,
  device_state,
  rate_limit,
  mark,
  program,
  source_port,
  ingress,
  egress,
  profile,
  direction,
  address_translation,
  returns_to_caller,
  too_complex,
};

// Kind and name are its identity: "time-range OFFICE". `where` is a line that shows it.
struct Condition {
  ConditionKind kind = ConditionKind::not_understood;
  std::string name;
  Span where;
};
using ConditionId = std::uint32_t;
using ConditionIds = std::vector<ConditionId>;  // ascending, no duplicates

// Conditions that every policy has, because the question and not the export leaves them open.
inline constexpr ConditionId ingress_condition = 0, egress_condition = 1, application_condition = 2,
                             program_condition = 3, profile_condition = 4, direction_condition = 5,
                             caller_condition = 6, complexity_condition = 7, source_port_condition = 8,
                             pool_condition = 9;
std::vector<Condition> builtin_conditions();

std::string_view to_string(ConditionKind kind);
std::string to_string(const Condition& condition);  // "time-range OFFICE"

// A set known only in part: certain ⊆ possible, and what the difference hangs on.
template <class Set>
struct Partly {
  Set certain;
  Set possible;
  ConditionIds conditions;
  bool is_open() const { return !conditions.empty(); }
};

// ---- addresses and services ---------------------------------------------------------------------------

using GroupId = std::uint32_t;

// An address place of a rule, eight bytes: most are any, a host or an IPv4 network; the rest is a group.
struct AddressTerm {
  enum class Kind : std::uint8_t { any, any4, any6, v4, group };
  Kind kind = Kind::any;
  std::uint8_t length = 0;  // of the IPv4 prefix
  std::uint32_t value = 0;  // its network, or the GroupId
  static AddressTerm any() { return {}; }
  static AddressTerm any4() { return {Kind::any4, 0, 0}; }
  static AddressTerm any6() { return {Kind::any6, 0, 0}; }
  static AddressTerm v4(V4 network, int length) {
    return {Kind::v4, static_cast<std::uint8_t>(length), network};
  }
  static AddressTerm group(GroupId id) { return {Kind::group, 0, id}; }
  bool operator==(const AddressTerm&) const = default;
};

// Who refers to a group: what an edit of it would touch.
enum class UserKind : std::uint8_t { filter_rule, group, nat, crypto, other };
struct User {
  UserKind kind = UserKind::other;
  Span span;
  std::uint32_t index = 0;  // of the list for filter_rule, of the group for group
  bool operator==(const User&) const = default;
};

enum class GroupKind : std::uint8_t { object, group, anonymous, undefined };

struct AddressMember {
  AddressTerm term;  // a nested group or object is Kind::group
  Span span;
};

// A named object or group, or an anonymous set; expanded once, shared by all its users.
struct AddressGroup {
  std::string name;  // the vendor's own; empty for anonymous sets
  GroupKind kind = GroupKind::anonymous;
  Span span;  // where it is defined
  std::vector<AddressMember> members;
  Partly<AddressSet> addresses;
  std::vector<User> users;
};

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 65535;
  bool operator==(const PortRange&) const = default;
};

// The service place of a rule: any protocol, one protocol with port ranges, or a group.
struct ServiceTerm {
  enum class Kind : std::uint8_t { any, literal, group };
  Kind kind = Kind::any;
  std::uint8_t protocol = 0;
  PortRange source{};       // ICMP type
  PortRange destination{};  // ICMP code
  GroupId group_id = 0;
  static ServiceTerm any() { return {}; }
  static ServiceTerm of(std::uint8_t protocol, PortRange source = {}, PortRange destination = {}) {
    return {Kind::literal, protocol, source, destination, 0};
  }
  static ServiceTerm group(GroupId id) { return {Kind::group, 0, {}, {}, id}; }
  bool operator==(const ServiceTerm&) const = default;
};

struct ServiceBox {
  ProtocolSet protocol;
  PortSet source;
  PortSet destination;
  bool operator==(const ServiceBox&) const = default;
};
using ServiceSet = std::vector<ServiceBox>;  // their union; boxes may overlap

struct ServiceMember {
  ServiceTerm term;
  Span span;
};

struct ServiceGroup {
  std::string name;
  GroupKind kind = GroupKind::anonymous;
  Span span;
  std::vector<ServiceMember> members;
  Partly<ServiceSet> services;
  std::vector<User> users;
};

// ---- rules --------------------------------------------------------------------------------------------

// `family` parts a policy with a half for each address family; no rule asks for it.
enum class Dimension : std::uint8_t { ingress, egress, application, program, profile, direction, family };

struct ContextTerm {  // "in one of these zones"; negated: in none of them
  Dimension dimension = Dimension::ingress;
  std::vector<std::string> names;
  bool negated = false;
  bool operator==(const ContextTerm&) const = default;
};

// What a packet carries besides its header once rules have marked it. A first packet starts NEW and unmarked,
// and so does its connection.
struct State {
  bool untracked = false;
  std::uint32_t mark = 0;
  std::uint32_t connmark = 0;
  bool operator==(const State&) const = default;
  auto operator<=>(const State&) const = default;
};

// (mark & mask) == value, of the packet or of its connection.
struct MarkTest {
  enum class Of : std::uint8_t { packet, connection };
  Of of = Of::packet;
  std::uint32_t mask = 0;
  std::uint32_t value = 0;
  bool negated = false;
  bool operator==(const MarkTest&) const = default;
};

struct StateMatch {
  enum class Tracking : std::uint8_t {
    any,
    fresh,
    untracked,
    never
  };  // never: only ESTABLISHED, RELATED, INVALID
  Tracking tracking = Tracking::any;
  // Whether destination address or port differ from the wire's at this point of the walk: a translation to
  // the very same address and port is none.
  enum class Translated : std::uint8_t { either, yes, no };
  Translated translated = Translated::either;
  std::vector<MarkTest> marks{};  // all must hold
  bool operator==(const StateMatch&) const = default;
  bool matches(State state) const;  // but for `translated`, which hangs on the packet
};

// All right sides are the old values.
struct StateChange {
  bool make_untracked = false;
  // mark = (mark & ~mark_clear) ^ mark_toggle ^ (connmark & mark_from_connmark)
  std::uint32_t mark_clear = 0, mark_toggle = 0, mark_from_connmark = 0;
  // connmark = (connmark & ~connmark_clear) ^ connmark_toggle ^ (mark & connmark_from_mark)
  std::uint32_t connmark_clear = 0, connmark_toggle = 0, connmark_from_mark = 0;
  bool operator==(const StateChange&) const = default;
  State applied_to(State state) const;
};

// What a rule asks of the packet as it was on the wire, whatever it was translated to since.
struct WireMatch {
  AddressTerm destination;
  PortSet ports = PortSet::all();
  bool operator==(const WireMatch&) const = default;
};

// What few rules have: shared by all rules with the same words. Qualifier 0 is "nothing".
struct Qualifier {
  ConditionIds conditions{};  // the whole rule is merely possible
  std::vector<ContextTerm> context{};
  StateMatch state{};
  std::optional<WireMatch> wire{};
  bool operator==(const Qualifier&) const = default;
};

// A destination translation. Addresses are moved by a constant, chosen out of a set, or become an address of
// the device itself that the export does not name (`own`); ports are moved or chosen. Behind `own` a rule
// that asks about the destination address matches at most possibly, unless it takes the packet's whole
// family.
struct Translation {
  enum class Change : std::uint8_t { none, shift, one_of, own };  // own: of addresses alone
  Change address = Change::none;
  V6 address_shift = 0;  // added, modulo the family's size; an own address stays one
  AddressSet addresses;  // one_of: any member may be taken
  Change port = Change::none;
  std::uint16_t port_shift = 0;  // added, modulo 65536
  PortSet ports;
  Span span;
};

enum class Action : std::uint8_t {
  permit,  // let through, whatever comes later
  deny,
  accept,           // end of stage: this table or list lets it on
  pass,             // log, count
  change_state,     // target: state change
  translate,        // target: translation; ends the stage
  program_decides,  // NFQUEUE and the like
  unknown,          // a target nobody knows: may accept, deny, or go on
  jump,             // target: list
  go_to,            // target: list
  return_to_caller,
};

struct Rule {
  AddressTerm source;
  AddressTerm destination;
  ServiceTerm service;
  std::uint32_t qualifier = 0;
  std::uint32_t target = 0;
  std::uint32_t number = 0;  // in the vendor's own count (ASA: remarks count too)
  std::uint32_t name = 0;    // into Policy::names where rules have names of their own; 0: "LIST line NUMBER"
  Span span;
  Action action = Action::deny;
  bool enabled = true;  // inactive and disabled rules stand in the list and match nothing
};

using ListId = std::uint32_t;

struct RuleList {
  std::string name;
  std::vector<Rule> rules;
  std::string_view numbering = "line";  // "OUT line 4", "INPUT rule 4"
  Span span;                            // its first line
  bool is_attached = false;             // some stage walks it
  bool ends_in_deny = false;  // asked alone (--chain), its end denies; else it returns to its caller
};

// A rule by its place; what reports and findings refer to.
struct RuleRef {
  ListId list = 0;
  std::uint32_t index = 0;
  bool operator==(const RuleRef&) const = default;
  auto operator<=>(const RuleRef&) const = default;
};

// ---- the way a packet takes ---------------------------------------------------------------------------

using NodeId = std::uint32_t;

// Lists walked one after another; what none of them takes falls to the default.
struct Stage {
  enum class Default : std::uint8_t { accept, deny, unknown };
  std::string name;  // "inbound list of outside"
  std::vector<ListId> lists;
  Default otherwise = Default::deny;
  ConditionIds conditions;   // why the default is unknown
  std::string implicit;      // the sentence a report prints when the default decides
  Span anchor;               // the line that attaches the last list, or the interface
  bool names_permit = true;  // false: what it accepts keeps the decider it came with (a raw table's ACCEPT)
};

// All in order; a packet must be accepted by each. Empty: everything is permitted.
struct Serial {
  std::vector<NodeId> nodes;
};

// One of the cases. Inside a case its dimension is known, whichever way it was entered: rules that ask about
// it are decided there, and a branch of the same dimension follows. A case called "" is "none": what is for
// the host itself leaves by no interface.
struct Branch {
  struct Case {
    std::string name;
    AddressSet destinations;  // disjoint between cases; empty: none selected by destination
    NodeId node = 0;
  };
  enum class By : std::uint8_t {
    // The context names the case; else the destination (as translated so far) selects it where a case says
    // so;
    // packets that no case selects may take any: alternatives.
    context,
    // The destination (as translated so far) selects, whatever the context says; what no case holds may take
    // any.
    destination,
    // Packets whose destination address differs from the wire's choose as by `destination`, all others as by
    // `context`. A destination that is an address of the device itself takes the case called `own_case`.
    routed,
  };
  Dimension dimension = Dimension::ingress;
  std::vector<Case> cases{};
  std::string other{};  // the sentence when the context names no case: denied (no such interface)
  // Where packets go instead for which the context names no case; no alternative where the context is silent.
  std::optional<NodeId> otherwise{};
  By by = By::context;
  std::string own_case{};
};

using Node = std::variant<Serial, Branch, Stage>;

// ---- facts beside the rules ---------------------------------------------------------------------------

struct Interface {
  std::string name;
  std::vector<Address> addresses;
  AddressSet connected;      // its own networks, and what routes send there
  std::optional<int> trust;  // ASA security level: 0 is the internet
  bool enabled = true;
  bool has_default_route = false;
  std::string list_in;  // name of the list on the way in, empty for none
  Span span;
  Span list_span;  // the line that attaches it
};

// A static translation, for whoever asks which wire addresses lead to a host.
struct Published {
  std::string ingress;  // empty: any interface
  AddressSet wire;
  Translation translation;  // wire → real
  ProtocolSet protocol = ProtocolSet::all();
  PortSet wire_ports = PortSet::all();
  ConditionIds conditions;  // non-empty: may not apply
  Span span;
};

enum class NoticeKind : std::uint8_t { smtp_inspected, part_missing, not_modelled, permits_elsewhere };
struct Notice {  // said beside the verdict, never part of it
  NoticeKind kind = NoticeKind::not_modelled;
  Span span;
  std::string text;
};

struct Policy {
  std::vector<SourcePtr> sources;  // what the spans point into
  std::vector<std::string> names{""};
  std::vector<Condition> conditions = builtin_conditions();
  std::vector<Qualifier> qualifiers{Qualifier{}};
  std::vector<AddressGroup> groups;
  std::vector<ServiceGroup> service_groups;
  std::vector<RuleList> lists;
  std::vector<StateChange> state_changes;
  std::vector<Translation> translations;
  std::vector<Node> nodes{Serial{}};
  NodeId root = 0;
  std::vector<Interface> interfaces;
  std::vector<Published> published;
  std::vector<Notice> notices;

  // The id of this condition, made on first use.
  ConditionId condition(ConditionKind kind, std::string_view name, Span where);
  const Rule& rule(RuleRef ref) const { return lists[ref.list].rules[ref.index]; }
  const Interface* interface_named(std::string_view name) const;

 private:
  std::unordered_map<std::string, ConditionId> condition_ids_;
};

std::string rule_name(const Policy& policy, RuleRef ref);  // "OUT line 4"
std::string_view rule_text(const Policy& policy,
                           RuleRef ref);  // the line as it stands in the file, without blanks around
std::uint32_t line_of(const Policy& policy, Span span);  // 1-based, of its own file
const std::string& file_of(const Policy& policy, Span span);
ConditionIds united(const ConditionIds& a, const ConditionIds& b);

// A value, or a reference to one that the policy holds: a group of 64 k members is never copied.
template <class T>
class Borrowed {
 public:
  explicit Borrowed(T own) : own_(std::move(own)) {}
  explicit Borrowed(const T* shared) : shared_(shared) {}
  const T& operator*() const { return shared_ != nullptr ? *shared_ : *own_; }
  const T* operator->() const { return &**this; }

 private:
  std::optional<T> own_;
  const T* shared_ = nullptr;
};
Borrowed<Partly<AddressSet>> addresses_of(const Policy& policy, AddressTerm term);
Borrowed<Partly<ServiceSet>> services_of(const Policy& policy, const ServiceTerm& term);

}  // namespace aclmend::model
