// From an ASA's words to nobody's dialect: what the parts of the conversion share. Each part fills its own
// corner of the policy; convert.cc calls them in order.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "vendors/cisco_asa/ace.h"
#include "vendors/cisco_asa/reader.h"

namespace aclmend::cisco_asa {

struct Lowering {
  const Configuration& from;
  Account& account;
  model::Policy& policy;
  std::vector<std::string> inferred;
  AddressSet several_ways = {};     // routed to more than one interface
  bool any_is_v4 = false;           // before 9.0
  bool maps_after_lists = false;    // before 8.3: lists hold mapped addresses
  Effect effect = Effect::unknown;  // of a doubt in what is lowered now: none in a list that nothing binds

  std::string_view text(std::uint16_t source) const { return account.sources[source]->text(); }
  Span span_of(std::string_view word, const Statement& place) const {
    return cisco_asa::span_of(word, place, text(place.source));
  }
};

// An address with a leading zero in an octet, a mask that does not fit its address.
void say_doubts(Lowering& lowering, std::string_view odd_octet, std::string_view unpaired,
                const Statement& place);

// ---- addresses ----------------------------------------------------------------------------------------

// Every object and group becomes a node, expanded once; what is asked for and not defined becomes one too.
class AddressBook {
 public:
  explicit AddressBook(Lowering& lowering);

  model::AddressTerm term(const AddressPlace& place, const Statement& user);
  // The addresses of a place, without making a node for it where it is a literal.
  model::Partly<AddressSet> set_of(const AddressPlace& place, const Statement& user);
  model::AddressTerm undefined(std::string_view what, const Statement& user);
  model::AddressTerm anonymous(const std::string& key, model::Partly<AddressSet> addresses, Span span);
  void add_user(model::AddressTerm term, model::User user) {
    if (term.kind == model::AddressTerm::Kind::group)
      lowering_.policy.groups[term.value].users.push_back(user);
  }
  // The ranges of a place in the order they are written: what a translation pairs element by element.
  // None: not all of it is certain, or it is more than anyone pairs.
  std::optional<std::vector<std::pair<Address, Address>>> in_order(const AddressPlace& place);
  // The addresses of an interface by its name.
  model::Partly<AddressSet> interface_addresses(std::string_view name, const Statement& user);

 private:
  struct Expansion;
  struct ParsedMember {
    AddressPlace place;
    Statement where;
    bool is_understood = true;
  };
  void expand_object(std::uint32_t index);
  void expand_group(std::uint32_t index, int depth);
  std::vector<ParsedMember> members_of(const Group& group);
  ParsedMember parse_member(const Member& member, std::string& scratch);
  bool order_into(const AddressPlace& place, std::vector<std::pair<Address, Address>>& out, int depth);

  enum class Progress : std::uint8_t { not_begun, open, done };
  Lowering& lowering_;
  std::vector<std::uint32_t> object_ids_, group_ids_;  // by index in the configuration
  std::vector<Progress> object_progress_, group_progress_;
  std::unordered_map<std::string, std::uint32_t> others_;  // anonymous and undefined
  std::size_t budget_;
  bool is_budget_spent_ = false;
};

// ---- services -----------------------------------------------------------------------------------------

class ServiceBook {
 public:
  explicit ServiceBook(Lowering& lowering) : lowering_(lowering) {}

  // The service of an entry: protocol, ports, ICMP type and code.
  model::ServiceTerm term(const Ace& ace, const Statement& user);
  void add_user(const model::ServiceTerm& term, model::User user) {
    if (term.kind == model::ServiceTerm::Kind::group)
      lowering_.policy.service_groups[term.group_id].users.push_back(user);
  }
  // The services of a service object (NAT names them); none: not defined.
  const model::Partly<model::ServiceSet>* of_object(std::string_view name, const Statement& user);

 private:
  using Services = model::Partly<model::ServiceSet>;
  using Ports = model::Partly<PortSet>;
  struct PortGroup {
    Ports ports;
    std::vector<std::pair<model::PortRange, Span>> literals;
    bool is_done = false;  // not yet: a group that is asked for while it is worked out contains itself
  };
  struct NamedServices {
    Services services;
    std::vector<model::ServiceMember> members;
    bool is_done = false;
  };
  std::uint32_t node(std::string name, model::GroupKind kind, Span span, Services services,
                     std::vector<model::ServiceMember> members);
  std::uint32_t named_node(std::string_view name, const Statement& user);
  Ports ports_of(const PortPlace& place, const Statement& user);
  const PortGroup& port_group(std::string_view name, const Statement& user, int depth);
  const NamedServices& service_group(const std::string& name, const Statement& user, int depth);
  Services member_services(Words words, const Statement& where, int depth,
                           std::vector<model::ServiceMember>* members);
  Services literal_services(Words words, const Statement& where, std::vector<model::ServiceMember>* members);
  model::ConditionIds undefined(std::string_view what, const Statement& user);

  Lowering& lowering_;
  std::unordered_map<std::string, std::uint32_t> by_key_;
  std::unordered_map<std::string, PortGroup> port_groups_;  // nodes: they stay where they are
  std::unordered_map<std::string, NamedServices> named_services_;
};

// ---- lists, translations, the way ---------------------------------------------------------------------

inline constexpr model::ListId no_list_id = 0xFFFFFFFF;

// One RuleList for each extended list, in the order of the configuration; `ids` by its index there.
struct LoweredLists {
  std::vector<model::ListId> ids;
};
LoweredLists lower_lists(Lowering& lowering, AddressBook& addresses, ServiceBook& services);

// What untranslates a packet that enters an interface, and where its real addresses are.
struct LoweredNat {
  std::unordered_map<std::string, model::ListId>
      lists;  // by ingress; "" serves those without rules of their own
  std::vector<std::pair<std::string, AddressSet>>
      behind;  // the interface a translation says addresses are on
};
LoweredNat lower_nat(Lowering& lowering, AddressBook& addresses, ServiceBook& services);

// Interfaces: their addresses and networks, and where routes send the rest.
void lower_interfaces(Lowering& lowering);

void lower_path(Lowering& lowering, AddressBook& addresses, const LoweredLists& lists, const LoweredNat& nat);

// The whole.
Device convert(const Configuration& configuration, Account& account, const ReadOptions& options);

}  // namespace aclmend::cisco_asa
