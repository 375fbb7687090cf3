#include "difference/difference.h"

#include <algorithm>
#include <set>

#include "difference/boxes.h"
#include "difference/cells.h"
#include "difference/compare.h"
#include "difference/region.h"
#include "difference/signature.h"

namespace aclmend::difference {
namespace {

using namespace model;

constexpr std::size_t most_contexts = 512;
constexpr std::array dimensions{Dimension::ingress, Dimension::egress,  Dimension::direction,
                                Dimension::profile, Dimension::program, Dimension::application};

using Values = std::map<Dimension, std::vector<std::string>>;  // of the dimensions that are told apart

Context context_of(const Policy& policy, const Known& known, const std::vector<Assumption>& assumed) {
  Context context;
  context.known = known;
  for (const Assumption& one : assumed)
    for (ConditionId id = 0; id < policy.conditions.size(); ++id)
      if (policy.conditions[id].kind == one.condition.kind &&
          policy.conditions[id].name == one.condition.name)
        context.assumed[id] = one.holds;
  return context;
}

// Of the dimensions that branch the way: the names of their cases. Where a destination selects the case, the
// dimension stays open: to name one would be to contradict the routes. Where a branch takes any name, rules
// behind it may ask for names that no case has.
struct BranchCases {
  std::map<Dimension, std::set<std::string>> names;
  std::set<Dimension> selected, take_any;
};
BranchCases branch_cases(const Comparison& comparison) {
  BranchCases found;
  std::set<Dimension> chosen_anew;
  for (const Side side : both_sides) {
    const Policy& policy = comparison.policy(side);
    std::vector<bool> seen(policy.nodes.size(), false);
    std::vector<NodeId> left{policy.root};
    while (!left.empty()) {
      const NodeId node = left.back();
      left.pop_back();
      if (seen[node]) continue;
      seen[node] = true;
      if (const auto* serial = std::get_if<Serial>(&policy.nodes[node]))
        left.insert(left.end(), serial->nodes.begin(), serial->nodes.end());
      const auto* branch = std::get_if<Branch>(&policy.nodes[node]);
      if (branch == nullptr) continue;
      for (const Branch::Case& one : branch->cases) {
        left.push_back(one.node);
        if (branch->by != Branch::By::context) continue;
        found.names[branch->dimension].insert(one.name);
        if (!one.destinations.empty()) found.selected.insert(branch->dimension);
      }
      if (branch->by != Branch::By::context) chosen_anew.insert(branch->dimension);
      if (!branch->otherwise) continue;
      left.push_back(*branch->otherwise);
      found.names[branch->dimension];
      found.take_any.insert(branch->dimension);
    }
  }
  // Where packets choose by their destination whatever is named, a name tells nothing, unless it is asked for
  // before that as well, and any name may be.
  for (const Dimension dimension : chosen_anew)
    if (!found.take_any.contains(dimension)) found.selected.insert(dimension);
  for (const Dimension dimension : found.selected) found.names.erase(dimension);
  return found;
}

std::vector<Known> contexts(const Known& known, const Values& values) {
  std::vector<Known> all{known};
  for (const auto& [dimension, names] : values) {
    std::vector<Known> next;
    for (const Known& context : all)
      for (const std::string& name : names) {
        next.push_back(context);
        next.back()[dimension] = name;
      }
    all = std::move(next);
  }
  return all;
}

class Differ {
 public:
  Differ(const Policy& before, const Policy& after, const Question& question)
      : question_(question),
        comparison_(before, after),
        regions_(comparison_),
        branches_(branch_cases(comparison_)) {
    for (const Dimension dimension : dimensions) {
      const auto names = branches_.names.find(dimension);
      if (names == branches_.names.end() || question.known.contains(dimension) ||
          branches_.take_any.contains(dimension))  // the rules behind it are asked for more names first
        continue;
      if (count(values_) * names->second.size() <= most_contexts)
        values_[dimension].assign(names->second.begin(), names->second.end());
    }
  }

  std::vector<Scene> scenes();
  Difference all();

 private:
  static std::size_t count(const Values& values) {
    std::size_t count = 1;
    for (const auto& [dimension, names] : values) count *= names.size();
    return count;
  }
  Sides<Candidates> candidates(const std::vector<Scene>& scenes);
  bool tell_apart(const Sides<Candidates>& candidates);
  void add(const Known& context, std::vector<Cell> cells);
  void join_contexts();
  Difference result();
  Answer answer(const CellAnswer& answer);

  // Changed boxes of one kind: what is the same in all of them.
  struct Class {
    Known context;
    Sides<CellAnswer> answers;
    bool operator<(const Class& other) const {
      const auto order = [](const Class& one) {
        return std::tie(one.context, one.answers.before.signature, one.answers.before.by,
                        one.answers.after.signature, one.answers.after.by);
      };
      return order(*this) < order(other);
    }
  };

  const Question& question_;
  Comparison comparison_;
  Regions regions_;
  BranchCases branches_;
  Values values_;
  Signatures signatures_;
  Budget budget_;
  std::map<Class, std::vector<Box>> boxes_;
};

// The contexts that have a region at all.
std::vector<Scene> Differ::scenes() {
  std::vector<Scene> scenes;
  for (const Known& known : contexts(question_.known, values_)) {
    Scene scene;
    for (const Side side : both_sides)
      scene.contexts[side] = context_of(comparison_.policy(side), known, question_.assumed);
    for (const Side side : both_sides) scene.images[side] = regions_.images(side, scene.contexts[side]);
    scene.region = regions_.region(scene.contexts, scene.images);
    if (question_.within) {
      std::vector<Box> inside;
      for (const Box& box : scene.region.boxes)
        for (const Box& asked : question_.within->boxes())
          if (meets(box, asked)) inside.push_back(box & asked);
      scene.region.boxes = std::move(inside);
    }
    if (!scene.region.boxes.empty()) scenes.push_back(std::move(scene));
  }
  return scenes;
}

Sides<Candidates> Differ::candidates(const std::vector<Scene>& scenes) {
  Sides<Seen> seen;
  for (const Scene& scene : scenes)
    for (const Side side : both_sides)
      for (const Box& box : scene.region.boxes) seen[side].add(box, scene.images[side]);
  return difference::candidates(comparison_, seen);
}

// Names that the rules at hand ask about, and one that stands for all others. True if there are any.
bool Differ::tell_apart(const Sides<Candidates>& candidates) {
  std::map<Dimension, std::set<std::string>> names;
  for (const Side side : both_sides) {
    const Policy& policy = comparison_.policy(side);
    std::vector<bool> seen(policy.qualifiers.size(), false);
    for (const RuleRef candidate : candidates[side]) {
      const std::uint32_t qualifier = policy.rule(candidate).qualifier;
      if (qualifier == 0 || seen[qualifier]) continue;
      seen[qualifier] = true;
      for (const ContextTerm& term : policy.qualifiers[qualifier].context)
        names[term.dimension].insert(term.names.begin(), term.names.end());
    }
  }
  bool is_more = false;
  for (const Dimension dimension : dimensions) {
    const bool takes_any = branches_.take_any.contains(dimension);
    if (question_.known.contains(dimension) || values_.contains(dimension) ||
        branches_.selected.contains(dimension) || (branches_.names.contains(dimension) && !takes_any))
      continue;
    std::set<std::string>& told = names[dimension];
    if (takes_any) told.insert(branches_.names.at(dimension).begin(), branches_.names.at(dimension).end());
    if (told.empty()) continue;
    if (count(values_) * (told.size() + 1) > most_contexts) {
      if (takes_any)
        budget_.is_exact = false;  // where no name is given, none but those of the cases is meant
      continue;
    }
    values_[dimension].assign(told.begin(), told.end());
    values_[dimension].emplace_back(any_other);
    is_more = true;
  }
  return is_more;
}

void Differ::add(const Known& context, std::vector<Cell> cells) {
  std::map<Class, std::vector<Box>> classes;
  for (Cell& cell : cells) {
    Class of{context, cell.answers};
    // Who decides an unknown is nobody: such boxes are one.
    for (const Side side : both_sides)
      if (signatures_.verdict(of.answers[side].signature) == Verdict::unknown) of.answers[side].by = {};
    classes[of].push_back(std::move(cell.packets));
  }
  for (auto& [of, boxes] : classes) boxes_[of] = joined(std::move(boxes));
}

// A box that is the same in all values of a dimension is said once, without it.
void Differ::join_contexts() {
  for (const auto& [dimension, names] : values_) {
    std::map<Class, std::map<std::string, std::vector<Box>>> by_rest;
    for (auto& [of, boxes] : boxes_) {
      const auto named = of.context.find(dimension);
      if (named == of.context.end()) continue;
      Class rest = of;
      rest.context.erase(dimension);
      std::ranges::sort(boxes, precedes);
      by_rest[rest][named->second] = boxes;
    }
    for (const auto& [rest, by_name] : by_rest) {
      if (by_name.size() != names.size()) continue;
      std::vector<Box> common = by_name.begin()->second;
      for (const auto& [name, boxes] : by_name) {
        std::vector<Box> both;
        std::ranges::set_intersection(common, boxes, std::back_inserter(both), precedes);
        common = std::move(both);
      }
      if (common.empty()) continue;
      for (const auto& [name, boxes] : by_name) {
        Class of = rest;
        of.context[dimension] = name;
        std::vector<Box> left;
        std::ranges::set_difference(boxes, common, std::back_inserter(left), precedes);
        boxes_[of] = std::move(left);
      }
      auto& joined_boxes = boxes_[rest];
      joined_boxes.insert(joined_boxes.end(), common.begin(), common.end());
    }
  }
}

Answer Differ::answer(const CellAnswer& answer) {
  Answer result;
  result.verdict = signatures_.verdict(answer.signature);
  result.by = answer.by;
  for (const std::uint32_t number : signatures_.conditions(answer.signature, 64))
    if (const Condition& condition = comparison_.condition(number);
        std::ranges::none_of(result.conditions, [&](const Condition& one) {
          return one.kind == condition.kind && one.name == condition.name;
        }))
      result.conditions.push_back(condition);
  return result;
}

Difference Differ::result() {
  Difference all;
  all.is_complete = !budget_.is_spent && budget_.is_exact;
  for (auto& [of, boxes] : boxes_) {
    if (boxes.empty()) continue;
    const Answer before = answer(of.answers.before), after = answer(of.answers.after);
    auto& list = after.verdict == Verdict::permit ? all.newly_permitted
                 : after.verdict == Verdict::deny ? all.newly_denied
                                                  : all.newly_unknown;
    for (Box& box : boxes) list.push_back({std::move(box), of.context, before, after});
  }
  for (auto* list : {&all.newly_permitted, &all.newly_denied, &all.newly_unknown}) {
    std::vector<std::pair<long double, std::size_t>> order;
    for (std::size_t i = 0; i < list->size(); ++i) order.emplace_back(packet_count((*list)[i].packets), i);
    std::ranges::stable_sort(order, [&](const auto& a, const auto& b) {
      if (a.first != b.first) return a.first > b.first;
      return precedes((*list)[a.second].packets, (*list)[b.second].packets);
    });
    if (order.size() > Difference::most_boxes) {
      all.not_kept += order.size() - Difference::most_boxes;
      order.resize(Difference::most_boxes);
    }
    std::vector<ChangedBox> sorted;
    sorted.reserve(order.size());
    for (const auto& [size, i] : order) sorted.push_back(std::move((*list)[i]));
    *list = std::move(sorted);
  }
  return all;
}

Difference Differ::all() {
  std::vector<Scene> all = scenes();
  if (!all.empty()) {
    Sides<Candidates> rules = candidates(all);
    if (tell_apart(rules)) {
      all = scenes();
      rules = candidates(all);
    }
    for (const Scene& scene : all) {
      add(scene.contexts.before.known, changed_cells(comparison_, signatures_, scene, rules, budget_));
      if (budget_.is_spent) break;
    }
  }
  join_contexts();
  return result();
}

}  // namespace

std::vector<Region> changed_regions(const Policy& before, const Policy& after, const Question& question) {
  std::vector<Region> regions;
  for (Scene& scene : Differ(before, after, question).scenes())
    regions.push_back({scene.contexts.before.known, std::move(scene.region.boxes)});
  return regions;
}

Difference what_differs(const Policy& before, const Policy& after, const Question& question) {
  return Differ(before, after, question).all();
}

PacketSet packets_of(const std::vector<ChangedBox>& boxes, const Known& context) {
  // A name that no box tells apart is one of the others.
  const auto is_told = [&](const auto& value) {
    return std::ranges::any_of(boxes, [&](const ChangedBox& one) {
      const auto told = one.context.find(value.first);
      return told != one.context.end() && told->second == value.second;
    });
  };
  std::vector<Box> in_context;
  for (const ChangedBox& one : boxes)
    if (std::ranges::all_of(one.context, [&](const auto& value) {
          const auto named = context.find(value.first);
          return named == context.end() || named->second == value.second ||
                 (value.second == any_other && !is_told(*named));
        }))
      in_context.push_back(one.packets);
  PacketSet result;
  for (const Box& box : joined(std::move(in_context))) result |= PacketSet(box);
  return result;
}

std::string signature(const Policy& policy, const Question& question, const Packet& packet) {
  const Comparison comparison(policy, policy);
  Signatures signatures;
  const Context context = context_of(policy, question.known, question.assumed);
  const CellAnswer answer = answer_for(comparison, signatures, Side::before, context, packet);
  return signatures.text(answer.signature, [&](std::uint32_t number) { return comparison.words(number); });
}

}  // namespace aclmend::difference
