// Chains → rule lists, one each. A rule of the kernel is one rule of the list for each disjoint part of what
// it takes, all with the kernel's number.
#include <fmt/format.h>

#include <algorithm>

#include "vendors/iptables/lowering.h"

namespace aclmend::iptables {
namespace {

using model::Action;
using model::AddressTerm;
using model::ConditionKind;
using model::Translation;

struct Deed {
  Action action = Action::pass;
  std::uint32_t target = 0;
  const Goal* netmap = nullptr;  // depends on the rule's destination
};

class Lists {
 public:
  Lists(Lowering& lowering, AddressBook& addresses)
      : lowering_(lowering),
        addresses_(addresses),
        meanings_(lowering, addresses),
        deeds_(lowering.from.bodies.size()) {}
  LoweredLists lower();

 private:
  void lower(Table table, const Chains& chains, LoweredLists& out);
  void lower(Table table, const Chain& chain, const Chains& chains, model::ListId id);
  Deed deed_of(const Rule& rule, Table table);
  Deed worked_out(const Rule& rule, Table table);
  std::uint32_t translation(Translation translation);
  std::uint32_t netmap(const Goal& goal, AddressTerm destination, Span span);
  std::uint32_t change(const model::StateChange& change);
  model::ConditionId condition(ConditionKind kind, std::string_view name, Span span) {
    return lowering_.policy.condition(kind, name, span);
  }
  // In nat OUTPUT the new address is the loopback's.
  bool redirects_own_packets() const {
    const auto& nat = lowering_.half()[Table::nat];
    const Chain* output = nat ? nat->named("OUTPUT") : nullptr;
    return output != nullptr && !output->rules.empty();
  }
  AddressSet numbers(V6 first, V6 last) const {
    return AddressSet(Address{lowering_.family, first}, Address{lowering_.family, last});
  }

  Lowering& lowering_;
  AddressBook& addresses_;
  Meanings meanings_;
  const LoweredLists* lists_ = nullptr;
  struct Known {
    enum class Whose : std::uint8_t { not_asked, body, rule };
    Whose whose = Whose::not_asked;
    Deed deed;
  };
  std::vector<Known> deeds_;  // by body
};

std::uint32_t Lists::translation(Translation translation) {
  lowering_.policy.translations.push_back(std::move(translation));
  return static_cast<std::uint32_t>(lowering_.policy.translations.size() - 1);
}

std::uint32_t Lists::change(const model::StateChange& change) {
  lowering_.policy.state_changes.push_back(change);
  return static_cast<std::uint32_t>(lowering_.policy.state_changes.size() - 1);
}

// The network part is replaced, the host part stays: a shift where all destinations are of one network.
std::uint32_t Lists::netmap(const Goal& goal, AddressTerm destination, Span span) {
  const auto [network, mask] = *goal.addresses;
  const V6 all = lowering_.family == Family::ipv4 ? V6{last_point<V4>} : last_point<V6>;
  Translation translation;
  translation.span = span;
  const AddressSet set =
      addresses_of(lowering_.policy, destination)->possible & AddressSet::all(lowering_.family);
  const auto ends = [&]() -> std::optional<std::pair<V6, V6>> {
    if (lowering_.family == Family::ipv4) {
      if (set.v4.empty()) return std::nullopt;
      return std::pair(V6{set.v4.interval(0).first}, V6{set.v4.interval(set.v4.interval_count() - 1).last});
    }
    if (set.v6.empty()) return std::nullopt;
    return std::pair(set.v6.interval(0).first, set.v6.interval(set.v6.interval_count() - 1).last);
  }();
  const bool has_holes = (~mask & all & ((~mask & all) + 1)) != 0;
  if (ends && !has_holes && (ends->first & mask) == (ends->second & mask)) {
    translation.address = Translation::Change::shift;
    translation.address_shift = (network - (ends->first & mask)) & all;
  } else {
    translation.address = Translation::Change::one_of;
    translation.addresses =
        has_holes ? AddressSet::all(lowering_.family) : numbers(network, network | (~mask & all));
  }
  return this->translation(std::move(translation));
}

Deed Lists::worked_out(const Rule& rule, Table table) {
  struct Visitor {
    Lists& lists;
    const Rule& rule;
    Table table;
    Span span;
    Deed operator()(const Pass&) const { return {Action::pass, 0, nullptr}; }
    Deed operator()(const Accept&) const { return {Action::accept, 0, nullptr}; }
    Deed operator()(const Drop&) const { return {Action::deny, 0, nullptr}; }
    Deed operator()(const Return&) const { return {Action::return_to_caller, 0, nullptr}; }
    Deed operator()(const Call& call) const {
      return {call.is_goto ? Action::go_to : Action::jump, lists.lists_->of(table, rule.argument), nullptr};
    }
    Deed operator()(const SetMark& mark) const {
      // In raw there is no connection to mark; where nobody asks, marks are nothing.
      if (!lists.lowering_.marks_are_asked || (mark.needs_connection && table == Table::raw))
        return {Action::pass, 0, nullptr};
      return {Action::change_state, lists.change(mark.change), nullptr};
    }
    Deed operator()(const Untrack&) const {
      model::StateChange change;
      change.make_untracked = true;
      return {Action::change_state, lists.change(change), nullptr};
    }
    Deed operator()(const Translate& target) const {
      const Goal& goal = lists.lowering_.from.goals[rule.argument];
      if (target.kind == Translate::Kind::netmap) return {Action::translate, 0, &goal};
      Translation translation;
      translation.span = span;
      if (target.kind == Translate::Kind::redirect) {
        // An address of the interface by which it came: one of those that were said to be the device's.
        const AddressSet own = lists.lowering_.from.local & AddressSet::all(lists.lowering_.family);
        if (own.empty() || lists.redirects_own_packets()) translation.address = Translation::Change::own;
        else translation.address = Translation::Change::one_of, translation.addresses = own;
      } else if (goal.addresses) {
        translation.address = Translation::Change::one_of;
        translation.addresses = lists.numbers(goal.addresses->first, goal.addresses->second);
      }
      if (goal.ports) {
        translation.port = Translation::Change::one_of;
        translation.ports = PortSet(goal.ports->first, goal.ports->last);
      }
      return {Action::translate, lists.translation(std::move(translation)), nullptr};
    }
    Deed operator()(const ProgramDecides& program) const {
      return {Action::program_decides, lists.condition(ConditionKind::program, program.name, span), nullptr};
    }
    Deed operator()(const UnknownTarget& target) const {
      return {Action::unknown, lists.condition(target.kind, target.name, span), nullptr};
    }
  };
  return std::visit(Visitor{*this, rule, table, rule.span}, lowering_.from.bodies[rule.body].target);
}

// Of a body once, unless it is about the rule's own argument.
Deed Lists::deed_of(const Rule& rule, Table table) {
  Known& known = deeds_[rule.body];
  if (known.whose == Known::Whose::body) return known.deed;
  if (known.whose == Known::Whose::not_asked) {
    const Target& target = lowering_.from.bodies[rule.body].target;
    const bool is_own = std::holds_alternative<Call>(target) || std::holds_alternative<Translate>(target);
    known.whose = is_own ? Known::Whose::rule : Known::Whose::body;
  }
  known.deed = worked_out(rule, table);
  return known.deed;
}

void Lists::lower(Table table, const Chain& chain, const Chains& chains, model::ListId id) {
  std::vector<model::Rule> rules;
  rules.reserve(chain.rules.size());
  for (std::uint32_t i = 0; i < chain.rules.size(); ++i) {
    const Rule& from = chain.rules[i];
    const std::span<const RulePart> parts = meanings_.of(from, table);
    const Deed deed = deed_of(from, table);
    const AddressTerm source = addresses_.of(from.source, from.span);
    const AddressTerm destination = addresses_.of(from.destination, from.span);
    for (const RulePart& part : parts) {
      model::Rule rule;
      rule.source = addresses_.both(source, part.source, from.span);
      rule.destination = addresses_.both(destination, part.destination, from.span);
      rule.service = part.service;
      rule.qualifier = part.qualifier;
      rule.action = deed.action;
      rule.target = deed.netmap == nullptr ? deed.target : netmap(*deed.netmap, rule.destination, from.span);
      rule.number = i + 1;
      rule.span = from.span;
      const auto list_user = model::User{model::UserKind::filter_rule, from.span, id};
      if (rule.source.kind == AddressTerm::Kind::group &&
          lowering_.policy.groups[rule.source.value].kind == model::GroupKind::group)
        lowering_.policy.groups[rule.source.value].users.push_back(list_user);
      rules.push_back(rule);
    }
  }
  if (chains.is_cut_off) {
    model::Rule rest;
    rest.action = Action::unknown;
    rest.target = condition(ConditionKind::not_in_export,
                            fmt::format("the end of the table {}", to_string(table)), chains.span);
    rest.number = static_cast<std::uint32_t>(chain.rules.size() + 1);
    rest.span = chain.rules.empty() ? chain.span : chain.rules.back().span;
    rules.push_back(rest);
  }
  lowering_.policy.lists[id].rules = std::move(rules);
}

void Lists::lower(Table table, const Chains& chains, LoweredLists& out) {
  for (std::uint32_t i = 0; i < chains.chains.size(); ++i)
    if (!chains.chains[i].is_removed) lower(table, chains.chains[i], chains, out.of(table, i));
}

LoweredLists Lists::lower() {
  LoweredLists lists;
  lists_ = &lists;
  const std::string_view prefix =
      lowering_.family == Family::ipv6 && lowering_.from.v4.is_there() ? "ip6 " : "";
  std::size_t count = lowering_.policy.lists.size();
  for (const auto& table : lowering_.half().tables) count += table ? table->chains.size() : 0;
  lowering_.policy.lists.reserve(count);
  for (const Table table : all_tables) {
    const auto& chains = lowering_.half()[table];
    if (!chains) continue;
    for (std::uint32_t i = 0; i < chains->chains.size(); ++i) {
      const Chain& chain = chains->chains[i];
      const auto id = static_cast<model::ListId>(lowering_.policy.lists.size());
      lowering_.places.push_back({id, lowering_.family, table, i});
      lists.ids[static_cast<std::size_t>(table)].push_back(id);
      model::RuleList list;
      list.name = list_name(table, chain.name, prefix);
      list.numbering = "rule";
      list.span = chain.span;
      const auto hook = hook_named(chain.name);
      const bool is_base = hook && has_hook(table, *hook);
      list.ends_in_deny = is_base && chain.policy == ChainPolicy::drop;
      lowering_.policy.lists.push_back(std::move(list));
    }
  }
  lowering_.policy.translations.reserve(lowering_.policy.translations.size() + lowering_.from.goals.size());
  for (const Table table : all_tables)
    if (const auto& chains = lowering_.half()[table]) lower(table, *chains, lists);
  return lists;
}

}  // namespace

LoweredLists lower_lists(Lowering& lowering, AddressBook& addresses) {
  return Lists(lowering, addresses).lower();
}

}  // namespace aclmend::iptables
