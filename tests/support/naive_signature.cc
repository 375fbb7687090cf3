#include "tests/support/naive_signature.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "model/match.h"

namespace aclmend::test {
namespace {

using namespace model;

using Words = std::set<std::string>;

struct Tree {
  enum class Kind : std::uint8_t { permit, deny, question, choice } kind = Kind::permit;
  std::set<Words> asked;             // question: any of these takes it; choice: exactly one
  std::vector<Tree> branches;        // question: then, otherwise; choice: ascending by name
  std::vector<std::string> names{};  // choice: of each branch
  std::string text() const {
    if (kind == Kind::permit) return "P";
    if (kind == Kind::deny) return "D";
    std::string result = kind == Kind::question ? "Q[" : "C[";
    for (const Words& words : asked) {
      result += "(";
      for (const std::string& word : words) result += word + ",";
      result += ")";
    }
    for (std::size_t i = 0; i < branches.size(); ++i)
      result += (names.empty() ? "{" : names[i] + "{") + branches[i].text() + "}";
    return result + "]";
  }
  bool operator==(const Tree& other) const { return text() == other.text(); }
};

Tree question(const Words& words, const Tree& then, const Tree& otherwise) {
  if (then == otherwise) return then;
  if (otherwise.kind == Tree::Kind::question && otherwise.branches[0] == then) {
    Tree more = otherwise;
    more.asked.insert(words);
    return more;
  }
  return {Tree::Kind::question, {words}, {then, otherwise}, {}};
}

Tree choice(const Words& words, const std::map<std::string, Tree>& alternatives) {
  const Tree& first = alternatives.begin()->second;
  if (std::ranges::all_of(alternatives, [&](const auto& one) { return one.second == first; })) return first;
  Tree result{Tree::Kind::choice, {words}, {}, {}};
  for (const auto& [name, tree] : alternatives) {
    result.names.push_back(name);
    result.branches.push_back(tree);
  }
  return result;
}

struct At {
  Packet now;
  View view;
  State state;
  std::map<Dimension, std::string> known{};  // what the way has settled
};
using Next = std::function<Tree(const At&)>;

class Walk {
 public:
  Walk(const Policy& policy, const Context& context, const Packet& wire)
      : policy_(policy), context_(context), wire_(wire) {}
  Tree through(NodeId node, const At& at, const Next& accepted) {
    if (const auto* serial = std::get_if<Serial>(&policy_.nodes[node]))
      return through(*serial, 0, at, accepted);
    if (const auto* branch = std::get_if<Branch>(&policy_.nodes[node])) return through(*branch, at, accepted);
    return through(std::get<Stage>(policy_.nodes[node]), 0, at, accepted);
  }
  bool is_too_large() const { return steps_ > most; }

 private:
  static constexpr int most = 20000;

  Words words(const ConditionIds& ids) const {
    Words result;
    for (const ConditionId id : ids) result.insert(to_string(policy_.conditions[id]));
    return result;
  }
  static Words with(Words words, const Translation& to) {  // nobody knows where; but into what is known
    words.insert("shift " + std::to_string(static_cast<std::uint32_t>(to.address_shift)) + " pool " +
                 to_string(to.addresses) + " ports " + to_string(to.ports));
    return words;
  }
  Tree through(const Serial& serial, std::size_t i, const At& at, const Next& accepted) {
    if (i == serial.nodes.size()) return accepted(at);
    return through(serial.nodes[i], at,
                   [&, i](const At& next) { return through(serial, i + 1, next, accepted); });
  }
  Tree through(const Branch& branch, const At& at, const Next& accepted) {
    const auto enter = [&](NodeId node, const std::optional<std::string>& name) {
      At within = at;
      if (name) within.known[branch.dimension] = *name;
      else within.known.erase(branch.dimension);
      return through(node, within, [&](const At& next) {
        At behind = next;
        behind.known = at.known;
        return accepted(behind);
      });
    };
    const bool is_own = at.view.is_own();
    const bool goes_by_name =
        branch.by == Branch::By::context ||
        (branch.by == Branch::By::routed && !is_own && at.now.destination == wire_.destination);
    std::optional<std::string> name;
    if (goes_by_name && at.known.contains(branch.dimension)) name = at.known.at(branch.dimension);
    if (branch.by == Branch::By::routed && is_own) name = branch.own_case;
    if (name) {
      for (const auto& one : branch.cases)
        if (one.name == *name) return enter(one.node, name);
      if (branch.otherwise) return enter(*branch.otherwise, name);
      return {Tree::Kind::deny, {}, {}, {}};
    }
    for (const auto& one : branch.cases)
      if (!is_own && one.destinations.contains(at.now.destination)) return enter(one.node, one.name);
    if (branch.cases.size() == 1) return enter(branch.cases[0].node, branch.cases[0].name);
    if (branch.cases.empty()) return enter(*branch.otherwise, std::nullopt);
    std::map<std::string, Tree> each;
    for (const auto& one : branch.cases) each.emplace(one.name, enter(one.node, one.name));
    return choice(words({condition_of(branch.dimension)}), each);
  }
  Tree through(const Stage& stage, std::size_t list, const At& at, const Next& accepted) {
    if (list < stage.lists.size())
      return through(
          stage.lists[list], 0, at,
          [&, list](const At& next) { return through(stage, list + 1, next, accepted); }, accepted);
    const Tree deny{Tree::Kind::deny, {}, {}, {}};
    switch (stage.otherwise) {
      case Stage::Default::accept: return accepted(at);
      case Stage::Default::deny: return deny;
      case Stage::Default::unknown:
        return choice(words(stage.conditions), {{"accepted", accepted(at)}, {"denied", deny}});
    }
    return deny;
  }

  std::optional<Words> fit(const Rule& rule, const At& at) const {  // what it hangs on
    const Qualifier& asked = policy_.qualifiers[rule.qualifier];
    if (!asked.state.matches(at.state)) return std::nullopt;
    Context context = context_;
    context.known = at.known;
    const QualifierFit qualifier = standing_fit(context, asked);
    if (qualifier.fit == Fit::no) return std::nullopt;
    ConditionIds open = qualifier.conditions;
    const auto address = [&](AddressTerm term, Address of) {
      const auto set = addresses_of(policy_, term);
      if (!set->certain.contains(of)) open = united(open, set->conditions);
      return set->possible.contains(of);
    };
    const auto destination = [&] {
      if (!at.view.is_own()) return address(rule.destination, at.now.destination);
      const AddressSet family = AddressSet::all(at.now.source.family);
      const auto set = addresses_of(policy_, rule.destination);
      if (!(family - set->certain).empty()) open = united(open, united(set->conditions, {pool_condition}));
      return !(set->possible & family).empty();
    };
    const auto is_other_port = at.now.destination_port != wire_.destination_port;
    if (const auto translated = asked.state.translated; translated != StateMatch::Translated::either) {
      if (at.view.is_own() && !is_other_port) open = united(open, {pool_condition});
      else if ((is_other_port || at.now.destination != wire_.destination) !=
               (translated == StateMatch::Translated::yes))
        return std::nullopt;
    }
    if (asked.wire && (!asked.wire->ports.contains(wire_.destination_port) ||
                       !address(asked.wire->destination, wire_.destination)))
      return std::nullopt;
    const auto holds = [&](const ServiceSet& set) {
      for (const ServiceBox& box : set)
        if (box.protocol.contains(at.now.protocol) && box.source.contains(at.now.source_port) &&
            box.destination.contains(at.now.destination_port))
          return true;
      return false;
    };
    const auto services = services_of(policy_, rule.service);
    if (!address(rule.source, at.now.source) || !destination() || !holds(services->possible))
      return std::nullopt;
    if (!holds(services->certain)) open = united(open, services->conditions);
    Words result = words(open);
    for (const ContextTerm& term : policy_.qualifiers[rule.qualifier].context)
      if (!at.known.contains(term.dimension)) {
        std::string names = std::to_string(static_cast<int>(term.dimension)) + (term.negated ? " not" : " ");
        for (const std::string& name : term.names) names += name + ",";
        result.insert(names);
      }
    return result;
  }

  Tree through(ListId list, std::size_t i, const At& at, const Next& end, const Next& accepted) {
    const std::vector<Rule>& rules = policy_.lists[list].rules;
    if (i == rules.size() || ++steps_ > most) return end(at);
    const Rule& rule = rules[i];
    const auto open = rule.enabled ? fit(rule, at) : std::nullopt;
    const Next rest = [&, i](const At& next) { return through(list, i + 1, next, end, accepted); };
    if (!open) return rest(at);
    const Tree taken = take(rule, at, rest, end, accepted);
    return open->empty() ? taken : question(*open, taken, rest(at));
  }
  Tree take(const Rule& rule, const At& at, const Next& rest, const Next& end, const Next& accepted) {
    const Tree permit{Tree::Kind::permit, {}, {}, {}}, deny{Tree::Kind::deny, {}, {}, {}};
    switch (rule.action) {
      case Action::permit: return permit;
      case Action::deny: return deny;
      case Action::accept: return accepted(at);
      case Action::pass: return rest(at);
      case Action::change_state: {
        At changed = at;
        changed.state = policy_.state_changes[rule.target].applied_to(at.state);
        return rest(changed);
      }
      case Action::translate: {
        const auto views = translated_views(at.view, policy_.translations[rule.target]);
        if (!views || !can_take(policy_.translations[rule.target], at.now.source.family))
          return choice(with(words({complexity_condition}), policy_.translations[rule.target]),
                        {{"accepted", permit}, {"denied", deny}});
        std::map<std::string, Tree> each;
        for (const View& view : *views) {
          At moved = at;
          moved.view = view;
          moved.now.destination = view.destination_of(wire_.destination);
          moved.now.destination_port = view.port_of(wire_.destination_port);
          const auto number = [](auto n) { return std::to_string(static_cast<std::uint64_t>(n)); };
          each.emplace(to_string(view.to) + " " + number(view.address_shift) + " " + number(view.to_port) +
                           " " + number(view.port_shift) + " " + number(view.address) + number(view.port),
                       accepted(moved));
        }
        return choice(words({pool_condition}), each);
      }
      case Action::program_decides:
        return choice(words({rule.target}), {{"accepted", accepted(at)}, {"denied", deny}});
      case Action::unknown:
        return choice(words({rule.target}), {{"accepted", accepted(at)}, {"denied", deny}, {"on", rest(at)}});
      case Action::jump: return through(rule.target, 0, at, rest, accepted);
      case Action::go_to: return through(rule.target, 0, at, end, accepted);
      case Action::return_to_caller: return end(at);
    }
    return deny;
  }

  const Policy& policy_;
  const Context& context_;
  const Packet& wire_;
  int steps_ = 0;
};

}  // namespace

std::string naive_signature(const Policy& policy, const Context& context, const Packet& packet) {
  Walk walk(policy, context, packet);
  const Tree tree = walk.through(policy.root, {packet, {}, {}, context.known},
                                 [](const At&) { return Tree{Tree::Kind::permit, {}, {}, {}}; });
  return walk.is_too_large() ? "" : tree.text();
}

}  // namespace aclmend::test
