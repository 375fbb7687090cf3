// From iptables' words to nobody's dialect: what the parts of the conversion share.
#pragma once
#include <array>
#include <map>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "vendors/iptables/account.h"
#include "vendors/iptables/document.h"
#include "vendors/iptables/set_match.h"

namespace aclmend::iptables {

// A part of what a rule takes; the parts of a rule are disjoint. An address place of `any` leaves the rule's
// own.
struct RulePart {
  model::AddressTerm source, destination;
  model::ServiceTerm service;
  std::uint32_t qualifier = 0;
};

// What is assumed of a family's rules: "FORWARD has no" "rules: …", the family's name between them.
struct Assumption {
  std::string begin, end;
  auto operator<=>(const Assumption&) const = default;
};

// The bodies that rules of one half have, each with its first line, in the tables' order; and which chains
// call others. Worked out in one walk, so that nobody else asks a million rules what forty bodies say.
struct Survey {
  struct Use {
    std::uint32_t body = 0;
    Span span;
  };
  std::vector<Use> bodies;
  std::vector<bool> is_call;                               // by body
  std::array<std::vector<bool>, all_tables.size()> calls;  // by table and chain
  bool calls_others(Table table, std::uint32_t chain) const {
    return calls[static_cast<std::size_t>(table)][chain];
  }
};
Survey survey_of(const IptablesDocument& from, const Half& half);

struct Lowering {
  const IptablesDocument& from;
  Account& account;
  model::Policy& policy;
  Family family = Family::ipv4;            // of the half that is lowered now
  bool marks_are_known = true;             // the file holds what sets them
  bool marks_are_asked = false;            // some rule tests them
  std::set<std::string> filled_sets = {};  // by -j SET
  std::unordered_map<std::string, model::AddressTerm> set_terms = {};
  std::vector<Assumption> assumed = {};
  Survey survey = {};
  // What lists and groups are in the document.
  std::vector<ListPlace> places = {};
  std::unordered_map<model::GroupId, std::string> set_groups = {};

  const Half& half() const { return from.half(family); }
};

// Places of rules as terms of the policy, each set once.
class AddressBook {
 public:
  explicit AddressBook(Lowering& lowering) : lowering_(lowering) {}
  model::AddressTerm of(const AddressTest& test, Span span);
  // Of a rule: any, a prefix, or an index into the document's tests.
  model::AddressTerm of(model::AddressTerm place, Span span) {
    return place.kind == model::AddressTerm::Kind::group ? of_test(place.value, span) : place;
  }
  model::AddressTerm anonymous(model::Partly<AddressSet> addresses, Span span);
  model::AddressTerm both(model::AddressTerm a, model::AddressTerm b, Span span) {
    if (a.kind == model::AddressTerm::Kind::any || a == b) return b;
    return b.kind == model::AddressTerm::Kind::any ? a : shared(a, b, span);
  }
  // The group that stands for a named set.
  model::GroupId group(model::AddressGroup group);

 private:
  model::AddressTerm of_test(std::uint32_t index, Span span);
  model::AddressTerm shared(model::AddressTerm a, model::AddressTerm b, Span span);
  model::Partly<AddressSet> expanded(const AddressTest& test, Span span);

  Lowering& lowering_;
  std::unordered_map<std::uint32_t, model::AddressTerm> by_place_;
  std::map<std::array<std::uint64_t, 2>, model::AddressTerm> by_pair_;
  std::size_t intervals_ = 0;  // of masks with holes, so far
};

// What the bodies of one half's rules take (meaning.cc).
class Meanings {
 public:
  Meanings(Lowering& lowering, AddressBook& addresses)
      : lowering_(lowering),
        addresses_(addresses),
        sets_(lowering.from.sets),
        known_(lowering.from.bodies.size()) {}
  // Without the rule's addresses; `table` is the body's. Valid until the next call.
  std::span<const RulePart> of(const Rule& rule, Table table);

 private:
  class Worker;
  std::vector<RulePart> lowered(const Body& body, Table table, Span span);
  std::optional<model::ServiceTerm> narrowed(const model::ServiceTerm& service, model::PortRange ports,
                                             Span span);

  Lowering& lowering_;
  AddressBook& addresses_;
  SetMatches sets_;
  struct Known {
    std::vector<RulePart> parts;
    bool asks_port = false, is_worked_out = false;
  };
  std::vector<Known> known_;  // by body
  // Groups of services narrowed to ports; none: nothing is left of them.
  std::map<std::tuple<model::GroupId, std::uint16_t, std::uint16_t>, std::optional<model::ServiceTerm>>
      narrowed_;
  std::vector<RulePart> of_rule_;
  RulePart one_;
};

// One RuleList a chain (lists.cc); by table and chain.
struct LoweredLists {
  std::array<std::vector<model::ListId>, all_tables.size()> ids;
  model::ListId of(Table table, std::uint32_t chain) const {
    return ids[static_cast<std::size_t>(table)][chain];
  }
};
LoweredLists lower_lists(Lowering& lowering, AddressBook& addresses);

// The way of a family's packets through its tables (path.cc).
model::NodeId lower_path(Lowering& lowering, const LoweredLists& lists);

// The whole (convert.cc).
Device convert(std::shared_ptr<IptablesDocument> document, Account& account);

}  // namespace aclmend::iptables
