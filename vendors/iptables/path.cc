// The way of a first packet through the hooks (Linux, net/netfilter):
//
//   raw PREROUTING - conntrack - mangle PREROUTING - nat PREROUTING - routing
//     to the machine itself:  mangle INPUT - filter INPUT - security INPUT - nat INPUT
//     to another one:         mangle FORWARD - filter FORWARD - security FORWARD - mangle, nat POSTROUTING
//   sent by it:  raw OUTPUT - conntrack - mangle - nat - filter - security OUTPUT - mangle, nat POSTROUTING
//
// Each table on the way must let the packet through; the filter's word is the one that is told. Which
// addresses are the machine's own stands in no export: it is said (--local, --direction), or both ways are
// alternatives. So are the interfaces that rules name, where the question names none.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "vendors/iptables/lowering.h"
#include "vendors/iptables/meaning.h"

namespace aclmend::iptables {
namespace {

using model::Action;
using model::Branch;
using model::ConditionKind;
using model::Dimension;
using model::NodeId;
using model::Serial;
using model::Stage;

constexpr std::array before_routing{Table::raw, Table::mangle, Table::nat};
constexpr std::size_t most_alternatives = 32;  // of ways in and ways out together

// Names that stand for all there may be: each that a rule asks for, one for each beginning of names, and one
// that no rule asks for.
class Names {
 public:
  void add(const std::string& pattern) { patterns_.insert(pattern); }
  bool empty() const { return patterns_.empty(); }
  std::vector<std::string> alternatives(std::string_view without) const {
    std::vector<std::string> names;
    for (const std::string& pattern : patterns_) {
      if (pattern == without || pattern == "+") continue;
      names.push_back(pattern.ends_with('+') ? unasked(pattern.substr(0, pattern.size() - 1), pattern)
                                             : pattern);
    }
    names.push_back(unasked("", "another interface"));
    return names;
  }

 private:
  // A name that begins so and is asked for by nothing longer.
  std::string unasked(const std::string& begin, const std::string& wanted) const {
    std::string name = wanted;
    const auto is_asked_for = [&] {
      return std::ranges::any_of(patterns_, [&](const std::string& pattern) {
        const bool is_longer = pattern.size() > begin.size() + 1;
        return is_longer && (pattern == name || (pattern.ends_with('+') &&
                                                 name.starts_with(pattern.substr(0, pattern.size() - 1))));
      });
    };
    while (is_asked_for()) name = begin + "(" + name.substr(begin.size()) + ")";
    return name;
  }
  std::set<std::string> patterns_;
};

class Path {
 public:
  Path(Lowering& lowering, const LoweredLists& lists)
      : lowering_(lowering), lists_(lists), policy_(lowering.policy) {}
  NodeId lower();

 private:
  NodeId node(model::Node node) {
    policy_.nodes.push_back(std::move(node));
    return static_cast<NodeId>(policy_.nodes.size() - 1);
  }
  NodeId serial(std::vector<NodeId> nodes) { return node(Serial{std::move(nodes)}); }
  void append(std::vector<NodeId>& nodes, Table table, Hook hook);
  NodeId no_filter_table();
  // Inside, the dimension is this, whatever was said: a packet for the machine itself leaves by no interface.
  NodeId with(Dimension dimension, std::string name, NodeId inside);
  NodeId among(Dimension dimension, const Names& names, std::string_view without, NodeId inside);
  NodeId unknown(ConditionKind kind, std::string_view name, std::string sentence, Span where);
  NodeId prerouting();
  NodeId input();
  NodeId forward();
  NodeId output();
  NodeId routed(NodeId in, NodeId forward);
  std::optional<model::ListId> passed_by_nat();
  bool uses_conntrack() const;
  void collect_names();
  bool forwards() const;
  bool is_unread(Table table) const {
    const auto& chains = half()[table];
    return chains && !chains->is_known();
  }
  // Of a table that changes marks, addresses or tracking something is not known: whatever comes behind it may
  // meet another packet.
  bool routing_is_open() const {
    return std::ranges::any_of(before_routing, [&](Table table) { return is_unread(table); });
  }
  const Half& half() const { return lowering_.half(); }
  AddressSet family() const { return AddressSet::all(lowering_.family); }
  AddressSet local() const { return lowering_.from.local & family(); }

  Lowering& lowering_;
  const LoweredLists& lists_;
  model::Policy& policy_;
  Names ingresses_, egresses_;
  std::optional<std::optional<model::ListId>> passed_by_nat_;
};

NodeId Path::unknown(ConditionKind kind, std::string_view name, std::string sentence, Span where) {
  Stage stage;
  stage.name = std::string(name);
  stage.otherwise = Stage::Default::unknown;
  stage.conditions = {policy_.condition(kind, name, where)};
  stage.implicit = std::move(sentence);
  stage.anchor = where;
  stage.names_permit = false;
  return node(std::move(stage));
}

// nf_tables and xtables ask nat once a connection, and a connection is made only where something needs one.
bool Path::uses_conntrack() const {
  return std::ranges::any_of(lowering_.survey.bodies, [&](const Survey::Use& use) {
    const Body& body = lowering_.from.bodies[use.body];
    const bool matches = std::ranges::any_of(body.matches, [](const Match& match) {
      const auto* mark = std::get_if<MarkMatch>(&match);
      return std::holds_alternative<ConntrackMatch>(match) ||
             (mark != nullptr && mark->of == model::MarkTest::Of::connection);
    });
    const auto* mark = std::get_if<SetMark>(&body.target);
    return matches || std::holds_alternative<Translate>(body.target) ||
           (mark != nullptr && mark->needs_connection);
  });
}

// A list in front of each of nat's: packets without a connection do not ask that table.
std::optional<model::ListId> Path::passed_by_nat() {
  if (passed_by_nat_) return *passed_by_nat_;
  const Tracked services = tracked_services(lowering_.family);
  model::RuleList list;
  list.name = "without a connection";
  list.numbering = "rule";
  const Span where = half()[Table::nat]->span;
  const auto accept = [&](std::uint32_t qualifier, const model::ServiceSet& set) {
    model::Rule rule;
    rule.action = Action::accept;
    rule.qualifier = qualifier;
    if (!set.empty()) {
      model::ServiceGroup group;
      group.span = where;
      group.services = {set, set, {}};
      policy_.service_groups.push_back(std::move(group));
      rule.service =
          model::ServiceTerm::group(static_cast<model::GroupId>(policy_.service_groups.size() - 1));
    }
    rule.span = where;
    rule.number = static_cast<std::uint32_t>(list.rules.size() + 1);
    list.rules.push_back(rule);
  };
  model::Qualifier untracked;
  untracked.state.tracking = model::StateMatch::Tracking::untracked;
  policy_.qualifiers.push_back(untracked);
  accept(static_cast<std::uint32_t>(policy_.qualifiers.size() - 1), {});
  model::ServiceSet none = services.invalid;
  none.insert(none.end(), services.untracked.begin(), services.untracked.end());
  accept(0, none);
  model::Qualifier unsure;
  unsure.conditions = {
      policy_.condition(ConditionKind::device_state, "whether the kernel tracks UDP-Lite", where)};
  policy_.qualifiers.push_back(unsure);
  accept(static_cast<std::uint32_t>(policy_.qualifiers.size() - 1), services.unknown);
  list.span = where;
  list.is_attached = true;
  policy_.lists.push_back(std::move(list));
  passed_by_nat_ = static_cast<model::ListId>(policy_.lists.size() - 1);
  return *passed_by_nat_;
}

// A whole export without the table lets everything through there; a listing of one table is not whole.
NodeId Path::no_filter_table() {
  const auto there = std::ranges::find_if(half().tables, [](const auto& table) { return table.has_value(); });
  const Span where = (*there)->span;
  if (half().is_listing)
    return unknown(ConditionKind::not_in_export, "the filter table", "the filter table is not in this export",
                   where);
  Stage stage;
  stage.name = "no filter table";
  stage.implicit = "the missing filter table";
  stage.otherwise = Stage::Default::accept;
  stage.anchor = where;
  return node(std::move(stage));
}

void Path::append(std::vector<NodeId>& nodes, Table table, Hook hook) {
  const auto& chains = half()[table];
  if (!chains) {
    if (table == Table::filter) nodes.push_back(no_filter_table());
    return;
  }
  if (chains->rest_is_missing) {
    nodes.push_back(unknown(ConditionKind::not_in_export,
                            fmt::format("the rest of the table {}", to_string(table)),
                            fmt::format("the rest of the table {} is not in this export", to_string(table)),
                            *chains->rest_is_missing));
    return;
  }
  const auto found = chains->index_of(to_string(hook));
  if (!found) return;
  const Chain& chain = chains->chains[*found];
  const bool drops = chain.policy == ChainPolicy::drop;
  if (chains->unread) {  // it may have put anything in front of anything
    nodes.push_back(
        unknown(ConditionKind::not_understood, fmt::format("a line of the table {}", to_string(table)),
                fmt::format("a line of the table {} is not understood", to_string(table)), *chains->unread));
    return;
  }
  if (chain.rules.empty() && !drops && !chains->is_cut_off && table != Table::filter) return;
  Stage stage;
  const model::ListId list = lists_.of(table, *found);
  stage.name = policy_.lists[list].name;
  stage.lists = {list};
  stage.anchor = chain.span;
  stage.names_permit = table == Table::filter;
  const std::string sentence = fmt::format("the policy {} of {}", drops ? "DROP" : "ACCEPT", stage.name);
  if (drops || table == Table::filter) stage.implicit = sentence;
  stage.otherwise = drops ? Stage::Default::deny : Stage::Default::accept;
  if (table == Table::nat) {
    if (const auto passing = passed_by_nat()) stage.lists.insert(stage.lists.begin(), *passing);
    if (drops && !uses_conntrack()) {
      stage.otherwise = Stage::Default::unknown;
      stage.conditions = {policy_.condition(
          ConditionKind::device_state, "whether anything makes the kernel track connections", chain.span)};
    }
  }
  nodes.push_back(node(std::move(stage)));
}

NodeId Path::with(Dimension dimension, std::string name, NodeId inside) {
  Branch branch;
  branch.dimension = dimension;
  branch.by = Branch::By::destination;
  branch.cases = {{std::move(name), AddressSet::all(), inside}};
  return node(std::move(branch));
}

NodeId Path::among(Dimension dimension, const Names& names, std::string_view without, NodeId inside) {
  if (names.empty()) return inside;
  const std::vector<std::string> alternatives = names.alternatives(without);
  // With more, the rules that ask for an interface are open one by one: sound, and said less clearly.
  const std::size_t others = dimension == Dimension::egress ? ingresses_.alternatives("lo").size() : 1;
  if (alternatives.size() * others > most_alternatives) return inside;
  Branch branch;
  branch.dimension = dimension;
  for (const std::string& name : alternatives) branch.cases.push_back({name, {}, inside});
  branch.otherwise = inside;
  return node(std::move(branch));
}

NodeId Path::prerouting() {
  std::vector<NodeId> nodes;
  for (const Table table : before_routing) {
    append(nodes, table, Hook::prerouting);
    if (is_unread(table)) break;
  }
  return with(Dimension::egress, "", serial(std::move(nodes)));
}

NodeId Path::input() {
  std::vector<NodeId> nodes;
  for (const Table table : {Table::mangle, Table::filter, Table::security, Table::nat})
    append(nodes, table, Hook::input);
  return with(Dimension::egress, "", serial(std::move(nodes)));
}

NodeId Path::forward() {
  std::vector<NodeId> nodes;
  for (const Table table : {Table::mangle, Table::filter, Table::security})
    append(nodes, table, Hook::forward);
  for (const Table table : {Table::mangle, Table::nat}) append(nodes, table, Hook::postrouting);
  return among(Dimension::egress, egresses_, "lo", serial(std::move(nodes)));
}

// Where the destination lies once nat has had its word: as the asker said, unless it was changed.
NodeId Path::routed(NodeId in, NodeId forward) {
  Branch branch;
  branch.dimension = Dimension::direction;
  branch.by = Branch::By::routed;
  branch.own_case = "in";
  const AddressSet loopback = AddressSet(*parse_prefix("127.0.0.0/8")) | AddressSet(*parse_prefix("::1/128"));
  const AddressSet own = (local() | loopback) & family();
  branch.cases = {{"in", own, in}, {"forward", family() - own, forward}};
  return node(std::move(branch));
}

NodeId Path::output() {
  std::vector<NodeId> nodes;
  for (const Table table : before_routing) {
    append(nodes, table, Hook::output);
    if (is_unread(table)) break;
  }
  if (!routing_is_open())
    for (const Table table : {Table::filter, Table::security}) append(nodes, table, Hook::output);
  if (!routing_is_open())
    for (const Table table : {Table::mangle, Table::nat}) append(nodes, table, Hook::postrouting);
  const NodeId out =
      with(Dimension::ingress, "", among(Dimension::egress, egresses_, "lo", serial(std::move(nodes))));
  if (routing_is_open()) return out;
  // What nat sends back to the machine itself comes in again by the loopback; nat was asked already.
  std::vector<NodeId> again;
  for (const Table table : {Table::raw, Table::mangle}) append(again, table, Hook::prerouting);
  const NodeId back = with(Dimension::ingress, "lo",
                           serial({with(Dimension::egress, "", serial(std::move(again))), input()}));
  Branch branch;
  branch.dimension = Dimension::direction;
  branch.by = Branch::By::routed;
  branch.own_case = "in";
  const AddressSet loopback = AddressSet(*parse_prefix("127.0.0.0/8")) | AddressSet(*parse_prefix("::1/128"));
  const AddressSet own = (local() | loopback) & family();
  branch.cases = {{"in", own, back}, {"out", family() - own, serial({})}};
  return serial({out, node(std::move(branch))});
}

void Path::collect_names() {
  for (const Survey::Use& use : lowering_.survey.bodies)
    for (const Match& match : lowering_.from.bodies[use.body].matches)
      if (const auto* one = std::get_if<InterfaceMatch>(&match))
        (one->dimension == Dimension::ingress ? ingresses_ : egresses_).add(one->name);
  for (const model::Qualifier& qualifier : policy_.qualifiers)  // those that sets name
    for (const model::ContextTerm& term : qualifier.context)
      for (const std::string& name : term.names) {
        if (term.dimension == Dimension::ingress) ingresses_.add(name);
        if (term.dimension == Dimension::egress) egresses_.add(name);
      }
}

// Whether somebody wrote a rule for what goes through.
bool Path::forwards() const {
  return std::ranges::any_of(half().tables, [](const auto& table) {
    const Chain* chain = table ? table->named("FORWARD") : nullptr;
    return chain != nullptr && !chain->rules.empty();
  });
}

NodeId Path::lower() {
  collect_names();
  std::vector<NodeId> doubts;
  const Half& from = half();
  if (from.other_rules)
    doubts.push_back(unknown(ConditionKind::not_in_export, "the rules of the other back end",
                             "a second set of rules is active", *from.other_rules));
  if (from.unknown_table)
    doubts.push_back(unknown(ConditionKind::not_understood, "a table of an unknown name",
                             "a table of an unknown name", *from.unknown_table));
  if (from.stray)  // of whichever table: nothing else is certain then
    return unknown(ConditionKind::not_understood, "a rule outside of any table",
                   "a rule outside of any table", *from.stray);
  const NodeId in = input(), through = forward();
  // Mail from elsewhere never comes in by the loopback: it is no alternative, but it can be asked for.
  const NodeId arriving =
      among(Dimension::ingress, ingresses_, "lo",
            routing_is_open() ? prerouting() : serial({prerouting(), routed(in, through)}));
  const AddressSet own = local();
  Branch sent;
  sent.dimension = Dimension::direction;
  sent.cases = {{"forward", {}, arriving}, {"out", {}, output()}};
  Branch branch;
  branch.dimension = Dimension::direction;
  branch.cases = {{"in", own, arriving}};
  if (!own.empty()) {
    branch.cases.push_back({"forward", family() - own, arriving});
  } else if (forwards()) {
    branch.cases.push_back({"forward", {}, arriving});
  } else {
    lowering_.assumed.push_back(
        {"FORWARD has no", "rules: asked is the machine itself (--direction forward asks the other way)"});
  }
  branch.otherwise = node(std::move(sent));
  std::vector<NodeId> nodes = std::move(doubts);
  nodes.push_back(node(std::move(branch)));
  return serial(std::move(nodes));
}

}  // namespace

NodeId lower_path(Lowering& lowering, const LoweredLists& lists) { return Path(lowering, lists).lower(); }

}  // namespace aclmend::iptables
