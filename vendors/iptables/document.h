// The rule sets of a Linux firewall in iptables' own words: for each family the five tables, their chains,
// the rules of a chain in the kernel's order.
//
// Exports repeat themselves: most rules of a long table differ in their operands alone, which are addresses,
// a port, the chain that is called, where a translation leads. The rest is a Body, kept once for all rules
// that spell it alike. A source line with lists
// ("-s a,b -d c") is several rules of the kernel, all with that line's span.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/source.h"
#include "model/policy.h"
#include "sets/address_set.h"
#include "vendors/iptables/ipset_read.h"
#include "vendors/vendor.h"

namespace aclmend::iptables {

enum class Table : std::uint8_t { raw, mangle, nat, filter, security };
inline constexpr std::array all_tables{Table::raw, Table::mangle, Table::nat, Table::filter, Table::security};
enum class Hook : std::uint8_t { prerouting, input, forward, output, postrouting };
inline constexpr std::array all_hooks{Hook::prerouting, Hook::input, Hook::forward, Hook::output,
                                      Hook::postrouting};

std::string_view to_string(Table table);  // "filter"
std::string_view to_string(Hook hook);    // "INPUT", as the chain is called
std::optional<Table> table_named(std::string_view name);
std::optional<Hook> hook_named(std::string_view chain);
bool has_hook(Table table, Hook hook);

// ---- what a rule asks ---------------------------------------------------------------------------------

// {x : x & mask == number} or first…last, of one family.
struct AddressTest {
  enum class Kind : std::uint8_t { masked, range };
  Kind kind = Kind::masked;
  Family family = Family::ipv4;
  bool negated = false;
  V6 first = 0;   // masked: the number
  V6 second = 0;  // masked: the mask; range: the last address
  bool operator==(const AddressTest&) const = default;
};

enum class End : std::uint8_t { source, destination };

struct AddressMatch {  // -m iprange
  End end = End::source;
  AddressTest test;
  bool operator==(const AddressMatch&) const = default;
};
struct InterfaceMatch {
  model::Dimension dimension = model::Dimension::ingress;
  std::string name;  // a trailing '+' stands for any rest
  bool negated = false;
  bool operator==(const InterfaceMatch&) const = default;
};
struct PortMatch {  // tcp, udp, multiport…; the rule's protocol has ports
  enum class Which : std::uint8_t { source, destination, either };
  Which which = Which::destination;
  PortSet ports;
  bool negated = false;
  bool operator==(const PortMatch&) const = default;
};
struct IcmpMatch {
  std::uint8_t protocol = protocol::icmp;
  PortSet types, codes;
  bool negated = false;
  bool operator==(const IcmpMatch&) const = default;
};
struct Constant {  // decided for every first packet: --syn, -f, -m recent --set
  bool holds = true;
  bool operator==(const Constant&) const = default;
};
enum StateBit : std::uint8_t {
  state_invalid = 1,
  state_new = 2,
  state_untracked = 4,
  state_dnat = 8,
  state_other = 16,  // ESTABLISHED, RELATED, SNAT: no first packet has them
};
struct ConntrackMatch {
  std::optional<std::uint8_t> states;  // StateBits
  bool states_negated = false;
  // Tests of the connection; an untracked packet has none, and fails them, negated or not.
  bool asks_connection = false;
  bool never = false;                 // a test that no first packet passes: --ctdir REPLY
  std::vector<AddressMatch> seen;     // origsrc, repldst: the source; replsrc: the destination as translated
  std::vector<PortMatch> seen_ports;  // likewise
  std::optional<AddressTest> wire_destination;  // origdst
  PortSet wire_ports = PortSet::all();          // origdstport
  bool asks_wire_port = false;
  std::optional<ProtocolSet> protocols;
  bool operator==(const ConntrackMatch&) const = default;
};
struct MarkMatch {
  model::MarkTest::Of of = model::MarkTest::Of::packet;
  std::uint32_t value = 0, mask = 0xFFFFFFFF;
  bool negated = false;
  bool operator==(const MarkMatch&) const = default;
};
struct SetMatch {
  std::string set;
  std::string flags;  // "src,dst"
  bool negated = false;
  bool return_nomatch = false;
  bool operator==(const SetMatch&) const = default;
};
struct AddressTypeMatch {  // -m addrtype
  End end = End::destination;
  std::string types;  // "LOCAL,BROADCAST"
  bool negated = false;
  bool operator==(const AddressTypeMatch&) const = default;
};
struct OpenMatch {  // hangs on what no export settles
  model::ConditionKind kind = model::ConditionKind::device_state;
  std::string name;
  bool operator==(const OpenMatch&) const = default;
};
using Match = std::variant<AddressMatch, InterfaceMatch, PortMatch, IcmpMatch, Constant, ConntrackMatch,
                           MarkMatch, SetMatch, AddressTypeMatch, OpenMatch>;

// ---- what it does -------------------------------------------------------------------------------------

struct Pass {                  // no target, LOG, TCPMSS …: the next rule is asked
  std::string changes_set;     // SET
  bool sets_any_mark = false;  // HMARK: to what depends on the packet
  bool operator==(const Pass&) const = default;
};
struct Accept {
  bool translates_source = false;  // SNAT, MASQUERADE: behind the filter, it only ends its chain
  bool operator==(const Accept&) const = default;
};
struct Drop {
  bool refuses = false;  // REJECT: the sender is told
  bool operator==(const Drop&) const = default;
};
struct Return {
  bool operator==(const Return&) const = default;
};
struct Call {  // of the chain that is the rule's operand
  bool is_goto = false;
  bool operator==(const Call&) const = default;
};
struct SetMark {  // MARK, CONNMARK
  model::StateChange change;
  bool needs_connection = false;
  bool operator==(const SetMark&) const = default;
};
struct Untrack {
  bool operator==(const Untrack&) const = default;
};
struct Translate {  // to the rule's goal
  enum class Kind : std::uint8_t { dnat, redirect, netmap };
  Kind kind = Kind::dnat;
  bool operator==(const Translate&) const = default;
};
struct ProgramDecides {
  std::string name;  // "NFQUEUE 0"
  bool operator==(const ProgramDecides&) const = default;
};
struct UnknownTarget {
  model::ConditionKind kind = model::ConditionKind::not_understood;
  std::string name;
  bool operator==(const UnknownTarget&) const = default;
};
using Target = std::variant<Pass, Accept, Drop, Return, Call, SetMark, Untrack, Translate, ProgramDecides,
                            UnknownTarget>;

struct Protocol {
  std::uint8_t number = 0;
  bool negated = false;
  bool operator==(const Protocol&) const = default;
};

// A rule but for its operands.
struct Body {
  std::optional<Protocol> protocol;
  bool asks_port = false;  // for one of the rule's ports as destination
  std::vector<Match> matches;
  Target target = Pass{};
  bool operator==(const Body&) const = default;
};

// ---- what it asks it of -------------------------------------------------------------------------------

// Where a translation leads.
struct Goal {
  std::optional<std::pair<V6, V6>> addresses;  // dnat: first…last; netmap: network and mask
  std::optional<model::PortRange> ports;
  bool ports_are_shifted = false;  // dnat p-q/base: which one depends on the original port
  bool operator==(const Goal&) const = default;
};

struct Rule {
  Span span;
  model::AddressTerm source,
      destination;             // any, an IPv4 prefix, or (group) an index into Document::addresses
  std::uint32_t body = 0;      // into Document::bodies
  std::uint32_t argument = 0;  // of a Call the chain, by its index in the table; of a Translate an index into
                               // Document::goals
  model::PortRange ports;      // where the body asks
};

// ---- where it stands ----------------------------------------------------------------------------------

struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
};

// Names → their indices in a list that somebody else keeps: a hundred thousand chains are found without a
// second copy of their names. `name_of(index)` says what stands there.
class NameIndex {
 public:
  template <class NameOf>
  std::optional<std::uint32_t> find(std::string_view name, NameOf name_of) const {
    if (slots_.empty()) return std::nullopt;
    const std::uint32_t mark = mark_of(name);
    for (std::size_t at = mark & last(); slots_[at].index != free; at = (at + 1) & last())
      if (slots_[at].mark == mark && slots_[at].index != gone && name_of(slots_[at].index) == name)
        return slots_[at].index;
    return std::nullopt;
  }
  // A name that is not there yet.
  void add(std::string_view name, std::uint32_t index);
  void remove(std::string_view name, std::uint32_t index);

 private:
  static constexpr std::uint32_t free = ~std::uint32_t{0}, gone = free - 1;
  struct Slot {
    std::uint32_t mark = 0, index = free;
  };
  static std::uint32_t mark_of(std::string_view name) { return static_cast<std::uint32_t>(NameHash{}(name)); }
  std::size_t last() const { return slots_.size() - 1; }
  void put(Slot slot);

  std::vector<Slot> slots_;  // a power of two, at most half of them taken
  std::size_t taken_ = 0;
};

enum class ChainPolicy : std::uint8_t { accept, drop };

struct Chain {
  std::string name;
  Span span;  // the line that declares it, else the table's
  bool is_removed = false;
  ChainPolicy policy = ChainPolicy::accept;  // of a built-in chain
  std::vector<Rule> rules;
};

struct Chains {  // a table that is there
  Span span;     // "*filter"
  std::vector<Chain> chains;
  bool is_cut_off = false;              // no COMMIT: what follows in any chain is not known
  std::optional<Span> unread;           // a line that may have changed anything here
  std::optional<Span> rest_is_missing;  // these are some of the table's chains
  bool is_known() const { return !unread && !rest_is_missing; }

  std::optional<std::uint32_t> index_of(std::string_view name) const {
    return index_.find(name, [&](std::uint32_t index) -> std::string_view { return chains[index].name; });
  }
  const Chain* named(std::string_view name) const;
  Chain* named(std::string_view name);
  Chain& add(std::string_view name, Span where);  // one that is not there yet
  void remove(Chain& chain);                      // its place in the list stays
  void rename(Chain& chain, std::string_view name);

 private:
  NameIndex index_;  // of the chains that are not removed
};

struct Half {  // what one family's packets meet
  std::array<std::optional<Chains>, all_tables.size()> tables;
  std::string tool;     // "iptables-save v1.8.9"
  std::string written;  // "Fri Nov 20 02:11:45 2026"
  enum class Backend : std::uint8_t { not_said, nft, legacy };
  Backend backend = Backend::not_said;
  std::optional<Span> other_rules;    // a warning that tables of the other back end are active too
  bool is_listing = false;            // iptables -S: one table alone
  std::optional<Span> unknown_table;  // "*broute": nobody knows which packets it sees
  std::optional<Span> stray;          // a rule outside of any table
  bool is_there() const;
  std::optional<Chains>& operator[](Table table) { return tables[static_cast<std::size_t>(table)]; }
  const std::optional<Chains>& operator[](Table table) const {
    return tables[static_cast<std::size_t>(table)];
  }
};

// Which chain a list of the policy is.
struct ListPlace {
  model::ListId list = 0;
  Family family = Family::ipv4;
  Table table = Table::filter;
  std::uint32_t chain = 0;
};

struct IptablesDocument : Document {
  std::vector<SourcePtr> sources;
  Half v4, v6;
  std::deque<Body> bodies;  // shared by rules of one table
  std::vector<Goal> goals;
  std::vector<AddressTest> addresses;  // what is no plain IPv4 prefix
  IpSets sets;
  bool has_sets = false;  // some ipset file was given
  AddressSet local;       // the device's own addresses, as far as said
  std::vector<std::string> inferred;
  // Filled in by the conversion: what the policy's lists and groups are here.
  std::vector<ListPlace> list_places;                          // ascending
  std::unordered_map<model::GroupId, std::string> set_groups;  // names of sets

  Half& half(Family family) { return family == Family::ipv4 ? v4 : v6; }
  const Half& half(Family family) const { return family == Family::ipv4 ? v4 : v6; }

  // The chain of the same table that a rule calls, by its index.
  std::optional<std::uint32_t> called_by(const Rule& rule) const {
    return std::holds_alternative<Call>(bodies[rule.body].target) ? std::optional(rule.argument)
                                                                  : std::nullopt;
  }
};

inline std::string_view family_word(Family family) { return family == Family::ipv4 ? "IPv4" : "IPv6"; }

// "INPUT rule 4"; of another table than filter "nat PREROUTING rule 1".
std::string list_name(Table table, std::string_view chain, std::string_view prefix = {});

}  // namespace aclmend::iptables
