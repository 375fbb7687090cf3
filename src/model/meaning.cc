// The meaning of a policy inside a region: sets walked through the rules (semantics page, "A rule list").
//
// Packets keep the header they had on the wire all the way; a translation is a View through which the later
// rules look at them, so that a rule's sets are pulled back to the wire before they are intersected.
#include <algorithm>
#include <map>
#include <set>

#include "model/match.h"
#include "model/question.h"

namespace aclmend::model {
namespace {

// Packets that are at one place of the walk with the same view and state.
struct Stream {
  PacketSet packets;
  View view;
  State state;
  ConditionIds conditions;
  Decider accepted_by;
};
using Streams = std::vector<Stream>;

struct RuleSets {
  PacketSet certain;
  PacketSet possible;
  ConditionIds conditions;  // of the part that is possible only
};

Stream part(const Stream& stream, PacketSet packets, const ConditionIds& conditions) {
  Stream result = stream;
  result.packets = std::move(packets);
  result.conditions = united(result.conditions, conditions);
  return result;
}

// Adds packets to a place; those that are there already without further conditions gain nothing.
void add(Streams& streams, Stream stream) {
  if (stream.packets.empty()) return;
  for (Stream& other : streams) {
    if (other.view != stream.view || other.state != stream.state || other.accepted_by != stream.accepted_by)
      continue;
    if (other.conditions == stream.conditions) {
      other.packets |= stream.packets;
      return;
    }
    if (std::ranges::includes(stream.conditions, other.conditions)) stream.packets -= other.packets;
    if (stream.packets.empty()) return;
  }
  streams.push_back(std::move(stream));
}

// Reading a list is free the first time, for packets that carry no mark: what calls and marks add to that is
// counted, in looks at a rule and at the boxes it may cut.
constexpr std::uint64_t most_effort = 10'000'000;
constexpr std::uint64_t cost_of_a_call = 100, cost_of_a_look = 10;

class Walk {
 public:
  Walk(const Policy& policy, const Context& context, const std::vector<NodeId>& watched = {})
      : policy_(policy), context_(context), watched_(watched) {}
  Meaning of(const PacketSet& region);
  // None where some could not be followed.
  std::vector<Arrival> take_arrivals() { return gave_up_ ? std::vector<Arrival>{} : std::move(arrivals_); }

 private:
  // A stage, as it is walked: where its lists put what they accept, and what is known there of the way.
  struct Here {
    const Context& context;
    bool names_permit = true;
    Streams accepted{};
  };
  Streams through(NodeId node, const Context& context, Streams streams);
  Streams through(NodeId node, const Stage& stage, const Context& context, Streams streams);
  Streams through(NodeId node, const Branch& branch, const Context& context, const Streams& streams);
  Streams through(ListId list, Streams streams, Here& here, int depth);
  void take(const Rule& rule, RuleRef ref, const Stream& stream, const RuleSets& sets, Streams& staying,
            Streams& returned, Here& here, int depth);
  RuleSets sets_of(const Rule& rule, const Stream& stream, const Context& context) const;

  void out(const Stream& stream, bool is_permit, Decider by) {
    if (!stream.packets.empty())
      meaning_.outcomes.push_back({stream.packets, is_permit, by, stream.conditions});
  }
  void both(const Stream& stream, Decider by) {
    out(stream, true, by);
    out(stream, false, by);
  }
  void give_up(const Streams& streams) {
    gave_up_ = gave_up_ || !streams.empty();
    for (const Stream& stream : streams) both(part(stream, stream.packets, {complexity_condition}), {});
  }
  Streams without_crowd(Streams streams);

  const Policy& policy_;
  const Context& context_;
  const std::vector<NodeId> watched_;  // stages where the walk ends, told as arrivals
  std::vector<Arrival> arrivals_;
  Meaning meaning_;
  Effort effort_{most_effort};
  bool gave_up_ = false;
};

// `wire_destination` is as it was on the wire, services as they are seen.
PacketSet product(const AddressSet& source, AddressSet wire_destination, const ServiceSet& services,
                  const View& view, const PacketSet& within) {
  PacketSet result;
  Box box{source, std::move(wire_destination), {}, {}, {}};
  for (const ServiceBox& service : services) {
    box.protocol = service.protocol;
    box.source_port = service.source;
    box.destination_port = view.wire_ports(service.destination);
    result |= PacketSet(box) & within;
  }
  return result;
}

RuleSets Walk::sets_of(const Rule& rule, const Stream& stream, const Context& context) const {
  RuleSets sets;
  const Qualifier& qualifier = policy_.qualifiers[rule.qualifier];
  if (!qualifier.state.matches(stream.state)) return sets;
  const QualifierFit standing = standing_fit(context, qualifier);
  if (standing.fit == Fit::no) return sets;
  const auto destination = addresses_of(policy_, rule.destination);
  const auto source = addresses_of(policy_, rule.source);
  const auto services = services_of(policy_, rule.service);
  AddressSet possible = stream.view.possible_wire_destinations(destination->possible);
  AddressSet certain = stream.view.wire_destinations(destination->certain);
  const auto wire = wire_packets(policy_, qualifier, stream.view);
  const bool is_pool = stream.view.is_own() && possible != certain;
  const bool is_open = standing.fit == Fit::possible || source->is_open() || destination->is_open() ||
                       services->is_open() || is_pool || (wire && wire->is_open());
  sets.possible =
      product(source->possible, std::move(possible), services->possible, stream.view, stream.packets);
  if (wire) sets.possible &= wire->possible;
  if (sets.possible.empty()) return sets;
  if (!is_open) {
    sets.certain = sets.possible;
    return sets;
  }
  if (standing.fit == Fit::certain) {
    sets.certain =
        product(source->certain, std::move(certain), services->certain, stream.view, stream.packets);
    if (wire) sets.certain &= wire->certain;
  }
  sets.conditions = united(united(standing.conditions, source->conditions),
                           united(destination->conditions, services->conditions));
  if (is_pool) sets.conditions = united(sets.conditions, {pool_condition});
  if (wire) sets.conditions = united(sets.conditions, wire->conditions);
  return sets;
}

// More states at one place than anybody can follow: what carries them is unknown.
Streams Walk::without_crowd(Streams streams) {
  if (streams.size() <= most_at_a_place) return streams;
  std::set<std::pair<View, State>> different;
  for (const Stream& stream : streams) different.emplace(stream.view, stream.state);
  if (different.size() <= most_at_a_place) return streams;
  give_up(streams);
  return {};
}

Streams Walk::through(ListId list, Streams streams, Here& here, int depth) {
  Streams returned;
  if (depth > deepest_call || (depth > 0 && !effort_.spend(cost_of_a_call))) {
    give_up(streams);
    return returned;
  }
  const auto is_counted = [&](const Stream& stream) { return depth > 0 || stream.state != State{}; };
  const RuleList& rules = policy_.lists[list];
  for (std::uint32_t i = 0; i < rules.rules.size() && !streams.empty(); ++i) {
    const Rule& rule = rules.rules[i];
    if (!rule.enabled) continue;
    Streams staying;
    bool is_concerned = false;
    for (std::size_t s = 0; s < streams.size(); ++s) {
      RuleSets sets;
      if (!is_counted(streams[s]) || effort_.spend(cost_of_a_look + streams[s].packets.boxes().size())) {
        sets = sets_of(rule, streams[s], here.context);
        if (sets.possible.empty()) {
          if (is_concerned) add(staying, streams[s]);
          continue;
        }
      }
      if (!is_concerned) staying.assign(streams.begin(), streams.begin() + static_cast<std::ptrdiff_t>(s));
      is_concerned = true;
      if (sets.possible.empty()) give_up({streams[s]});
      else take(rule, {list, i}, streams[s], sets, staying, returned, here, depth);
    }
    if (is_concerned) streams = without_crowd(std::move(staying));
  }
  for (Stream& stream : returned) add(streams, std::move(stream));
  return streams;
}

void Walk::take(const Rule& rule, RuleRef ref, const Stream& stream, const RuleSets& sets, Streams& staying,
                Streams& returned, Here& here, int depth) {
  const Decider by{ref, std::nullopt};
  const Stream sure = part(stream, sets.certain, {});
  const Stream open = part(stream, sets.possible - sets.certain, sets.conditions);
  const auto accept = [&](Stream one) {
    if (here.names_permit) one.accepted_by = by;
    add(here.accepted, std::move(one));
  };
  const auto rest_stays = [&] { add(staying, part(stream, stream.packets - sets.certain, {})); };
  switch (rule.action) {
    case Action::permit:
    case Action::deny:
      for (const Stream& taken : {sure, open}) out(taken, rule.action == Action::permit, by);
      rest_stays();
      return;
    case Action::accept:
      for (const Stream& taken : {sure, open}) accept(taken);
      rest_stays();
      return;
    case Action::pass: add(staying, stream); return;
    case Action::change_state:
      add(staying, part(stream, stream.packets - sets.possible, {}));
      for (Stream changed : {sure, open}) {
        changed.state = policy_.state_changes[rule.target].applied_to(stream.state);
        add(staying, std::move(changed));
      }
      add(staying, open);  // unchanged, and it hangs on the same condition
      return;
    case Action::translate: {
      const auto views = translated_views(stream.view, policy_.translations[rule.target]);
      PacketSet takeable;
      for (const Family family : {Family::ipv4, Family::ipv6}) {
        Box box = Box::all();
        box.source = box.destination = AddressSet::all(family);
        if (views && can_take(policy_.translations[rule.target], family))
          takeable |= PacketSet(std::move(box));
      }
      for (const Stream& all : {sure, open}) {
        both(part(all, all.packets - takeable, {complexity_condition}), by);
        if (!views) continue;
        const Stream taken = part(all, all.packets & takeable, {});
        for (const View& view : *views) {
          Stream moved = views->size() > 1 ? part(taken, taken.packets, {pool_condition}) : taken;
          moved.view = view;
          accept(std::move(moved));
        }
      }
      rest_stays();
      return;
    }
    case Action::program_decides:
    case Action::unknown:
      for (const Stream& taken : {sure, open}) {
        const Stream possibly = part(taken, taken.packets, {rule.target});
        accept(possibly);
        out(possibly, false, by);
      }
      if (rule.action == Action::unknown) add(staying, stream);
      else rest_stays();
      return;
    case Action::jump: {
      rest_stays();
      Streams called;
      for (const Stream& taken : {sure, open}) add(called, taken);
      for (Stream& back : through(rule.target, std::move(called), here, depth + 1))
        add(staying, std::move(back));
      return;
    }
    case Action::go_to: {
      rest_stays();
      Streams called;
      for (const Stream& taken : {sure, open}) add(called, taken);
      for (Stream& back : through(rule.target, std::move(called), here, depth + 1))
        add(returned, std::move(back));
      return;
    }
    case Action::return_to_caller:
      rest_stays();
      for (const Stream& taken : {sure, open}) add(returned, taken);
      return;
  }
}

Streams Walk::through(NodeId node, const Stage& stage, const Context& context, Streams streams) {
  if (std::ranges::find(watched_, node) != watched_.end()) {
    for (Stream& stream : streams) arrivals_.push_back({std::move(stream.packets), stream.view});
    return {};
  }
  Here here{context, stage.names_permit};
  for (const ListId list : stage.lists) streams = through(list, std::move(streams), here, 0);
  const Decider by{std::nullopt, node};
  for (Stream& stream : streams) switch (stage.otherwise) {
      case Stage::Default::accept:
        if (stage.names_permit && !stage.implicit.empty()) stream.accepted_by = by;
        add(here.accepted, std::move(stream));
        break;
      case Stage::Default::deny: out(stream, false, by); break;
      case Stage::Default::unknown: {
        Stream open = part(stream, stream.packets, stage.conditions);
        out(open, false, by);
        if (stage.names_permit) open.accepted_by = by;
        add(here.accepted, std::move(open));
        break;
      }
    }
  return without_crowd(std::move(here.accepted));
}

Streams Walk::through(NodeId node, const Branch& branch, const Context& context, const Streams& streams) {
  const std::vector<Branch::Case>& cases = branch.cases;
  std::vector<Streams> entering(cases.size());
  std::map<std::optional<std::string>, Streams> otherwise;  // by the name that is known there
  const Decider by{std::nullopt, node};
  const auto by_name = [&](const Stream& stream, const std::string& name) {
    const auto named = std::ranges::find(cases, name, &Branch::Case::name);
    if (named != cases.end()) add(entering[static_cast<std::size_t>(named - cases.begin())], stream);
    else if (branch.otherwise) add(otherwise[name], stream);
    else out(stream, false, by);
  };
  const auto by_destination = [&](const Stream& stream) {
    PacketSet left = stream.packets;
    for (std::size_t i = 0; i < cases.size() && !stream.view.is_own(); ++i) {
      Box selected = Box::all();
      selected.destination = stream.view.wire_destinations(cases[i].destinations);
      const PacketSet here = left & PacketSet(std::move(selected));
      left -= here;
      add(entering[i], part(stream, here, {}));
    }
    const bool is_open = cases.size() > 1 || (cases.empty() && !branch.otherwise);
    const Stream rest =
        part(stream, left, is_open ? ConditionIds{condition_of(branch.dimension)} : ConditionIds{});
    for (Streams& one : entering) add(one, rest);
    if (cases.empty() && branch.otherwise) add(otherwise[std::nullopt], rest);
    else if (cases.empty()) both(rest, by);
  };
  const auto known = context.known.find(branch.dimension);
  const auto by_context = [&](const Stream& stream) {
    if (known != context.known.end()) by_name(stream, known->second);
    else by_destination(stream);
  };
  for (const Stream& stream : streams) switch (branch.by) {
      case Branch::By::context: by_context(stream); break;
      case Branch::By::destination: by_destination(stream); break;
      case Branch::By::routed: {
        if (stream.view.is_own()) {
          by_name(stream, branch.own_case);
          break;
        }
        Box kept = Box::all();
        kept.destination = stream.view.kept_destinations();
        const PacketSet as_on_wire = stream.packets & PacketSet(std::move(kept));
        by_context(part(stream, as_on_wire, {}));
        by_destination(part(stream, stream.packets - as_on_wire, {}));
        break;
      }
    }
  Streams accepted;
  const auto enter = [&](NodeId to, const std::string* name, Streams entered) {
    if (entered.empty()) return;
    for (Stream& passed : through(to, inside(context, branch.dimension, name), std::move(entered)))
      add(accepted, std::move(passed));
  };
  for (std::size_t i = 0; i < cases.size(); ++i) enter(cases[i].node, &cases[i].name, std::move(entering[i]));
  for (auto& [name, entered] : otherwise)
    enter(*branch.otherwise, name ? &*name : nullptr, std::move(entered));
  return accepted;
}

Streams Walk::through(NodeId node, const Context& context, Streams streams) {
  if (streams.empty()) return streams;
  const Node& here = policy_.nodes[node];
  if (const auto* stage = std::get_if<Stage>(&here))
    return through(node, *stage, context, std::move(streams));
  if (const auto* branch = std::get_if<Branch>(&here)) return through(node, *branch, context, streams);
  for (const NodeId next : std::get<Serial>(here).nodes) streams = through(next, context, std::move(streams));
  return streams;
}

Meaning Walk::of(const PacketSet& region) {
  Streams streams;
  add(streams, {region, {}, {}, {}, {}});
  Streams accepted;
  if (context_.chain) {
    Here here{context_};
    for (const Stream& left : through(*context_.chain, std::move(streams), here, 0)) {
      if (policy_.lists[*context_.chain].ends_in_deny) out(left, false, {});
      else both(part(left, left.packets, {caller_condition}), {});
    }
    accepted = std::move(here.accepted);
  } else {
    accepted = through(policy_.root, context_, std::move(streams));
  }
  for (const Stream& stream : accepted) out(stream, true, stream.accepted_by);
  return std::move(meaning_);
}

PacketSet united_outcomes(const Meaning& meaning, bool is_permit) {
  PacketSet result;
  for (const Outcome& outcome : meaning.outcomes)
    if (outcome.is_permit == is_permit) result |= outcome.packets;
  return result;
}

}  // namespace

PacketSet Meaning::permitted() const { return united_outcomes(*this, true) - united_outcomes(*this, false); }
PacketSet Meaning::denied() const { return united_outcomes(*this, false) - united_outcomes(*this, true); }
PacketSet Meaning::unknown() const { return united_outcomes(*this, true) & united_outcomes(*this, false); }

Meaning meaning(const Policy& policy, const Context& context, const PacketSet& region) {
  return Walk(policy, context).of(region);
}

std::vector<Arrival> arrivals(const Policy& policy, const Context& context, const PacketSet& region,
                              const std::vector<NodeId>& stages) {
  Walk walk(policy, context, stages);
  walk.of(region);
  return walk.take_arrivals();
}

std::vector<NodeId> stages_of(const Policy& policy, ListId list) {
  std::vector<bool> leads_there(policy.lists.size());
  leads_there[list] = true;
  for (bool grows = true; grows;) {
    grows = false;
    for (ListId one = 0; one < policy.lists.size(); ++one) {
      if (leads_there[one]) continue;
      leads_there[one] = std::ranges::any_of(policy.lists[one].rules, [&](const Rule& rule) {
        return (rule.action == Action::jump || rule.action == Action::go_to) && leads_there[rule.target];
      });
      grows = grows || leads_there[one];
    }
  }
  std::vector<NodeId> stages;
  for (NodeId node = 0; node < policy.nodes.size(); ++node)
    if (const auto* stage = std::get_if<Stage>(&policy.nodes[node]);
        stage != nullptr && std::ranges::any_of(stage->lists, [&](ListId one) { return leads_there[one]; }))
      stages.push_back(node);
  return stages;
}

}  // namespace aclmend::model
