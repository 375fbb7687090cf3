#include "difference/walk.h"

#include <algorithm>

#include "difference/boxes.h"

namespace aclmend::difference {
namespace {

using namespace model;

constexpr int deepest_nesting = 1000;         // of places that go on in one another; more is not proved
constexpr std::size_t most_levels = 100'000;  // ways into lists that call one another
constexpr std::uint64_t cost_of_a_place =
    100;  // in steps: each is remembered, and memory is dearer than time

const ConditionIds no_conditions;

struct Members {  // how the packets lie in a partly known set
  Part possible = Part::all;
  Part certain = Part::all;
  const ConditionIds* conditions = nullptr;
};

template <class Point>
Part part_of_term(const FlipSet<Point>& side, AddressTerm term) {
  constexpr bool is_v4 = sizeof(Point) == sizeof(V4);
  switch (term.kind) {
    case AddressTerm::Kind::any: return Part::all;
    case AddressTerm::Kind::any4: return is_v4 ? Part::all : Part::none;
    case AddressTerm::Kind::any6: return is_v4 ? Part::none : Part::all;
    case AddressTerm::Kind::v4:
      if constexpr (is_v4) return part_of(side, term.value, term.value | ~netmask(term.length));
      else return Part::none;
    case AddressTerm::Kind::group: return Part::none;  // asked by members()
  }
  return Part::none;
}

Part part_of_family(const AddressSet& side, const AddressSet& set, bool is_v4) {
  return is_v4 ? part_of(side.v4, set.v4) : part_of(side.v6, set.v6);
}

Members members(const Policy& policy, const AddressSet& side, AddressTerm term, bool is_v4) {
  if (term.kind != AddressTerm::Kind::group) {
    const Part part = is_v4 ? part_of_term(side.v4, term) : part_of_term(side.v6, term);
    return {part, part, nullptr};
  }
  const Partly<AddressSet>& set = policy.groups[term.value].addresses;
  Members result;
  result.possible = part_of_family(side, set.possible, is_v4);
  if (result.possible == Part::none) return {Part::none, Part::none, nullptr};
  result.certain = set.is_open() ? part_of_family(side, set.certain, is_v4) : result.possible;
  result.conditions = &set.conditions;
  return result;
}

// How a box of services lies to the packets: the first side that cuts them, if any.
struct ServiceFit {
  Part part = Part::all;
  Part protocol = Part::all, source = Part::all, destination = Part::all;
};

ServiceFit service_fit(const Box& box, const PortSet& port, const ServiceBox& service) {
  ServiceFit fit;
  fit.protocol = part_of(box.protocol, service.protocol);
  if (fit.protocol != Part::none) fit.destination = part_of(port, service.destination);
  if (fit.protocol != Part::none && fit.destination != Part::none)
    fit.source = part_of(box.source_port, service.source);
  fit.part = std::min({fit.protocol, fit.source, fit.destination});
  return fit;
}

ServiceFit service_fit(const Box& box, const PortSet& port, const ServiceTerm& term) {
  ServiceFit fit;
  fit.protocol = part_of(box.protocol, term.protocol, term.protocol);
  if (fit.protocol != Part::none)
    fit.destination = part_of(port, term.destination.first, term.destination.last);
  if (fit.protocol != Part::none && fit.destination != Part::none)
    fit.source = part_of(box.source_port, term.source.first, term.source.last);
  fit.part = std::min({fit.protocol, fit.source, fit.destination});
  return fit;
}

// How the packets lie in the union of the boxes, and the box that cuts them where one does.
std::pair<Part, const ServiceBox*> services_part(const Box& box, const PortSet& port, const ServiceSet& set) {
  const ServiceBox* cutting = nullptr;
  for (const ServiceBox& service : set) switch (service_fit(box, port, service).part) {
      case Part::none: break;
      case Part::all: return {Part::all, nullptr};
      case Part::some:
        if (cutting == nullptr) cutting = &service;
        break;
    }
  return {cutting == nullptr ? Part::none : Part::some, cutting};
}

}  // namespace

template <class Side_>
Halves Walk::halves_at(Side_ Box::* side, const Side_& set) const {
  Halves halves{*box_, *box_};
  halves.inside.*side = box_->*side & set;
  halves.outside.*side = box_->*side - set;
  return halves;
}

Walk::ContextId Walk::inside(ContextId context, Dimension dimension, const std::string* known) {
  if (context_index_.empty()) context_index_.emplace(contexts_[as_asked].known, as_asked);
  Context within = model::inside(contexts_[context], dimension, known);
  const auto [found, is_new] =
      context_index_.try_emplace(within.known, static_cast<ContextId>(contexts_.size()));
  if (is_new) contexts_.push_back(std::move(within));
  return found->second;
}

const Walk::Standing& Walk::standing(std::uint32_t qualifier, ContextId context) {
  const auto [found, is_new] = standing_.try_emplace({context, qualifier});
  if (is_new && qualifier != 0) {
    const QualifierFit fit = standing_fit(contexts_[context], policy_.qualifiers[qualifier]);
    found->second = {fit.fit, comparison_.conditions(side_, fit.conditions)};
    // An open dimension is a condition; "from dmz" and "from lab" hang on it in different ways.
    for (std::size_t i = 0; i < policy_.qualifiers[qualifier].context.size(); ++i)
      if (std::ranges::binary_search(fit.conditions,
                                     condition_of(policy_.qualifiers[qualifier].context[i].dimension)))
        found->second.conditions.push_back(comparison_.numbers(side_).terms[qualifier][i]);
    std::ranges::sort(found->second.conditions);
    const auto again = std::ranges::unique(found->second.conditions);
    found->second.conditions.erase(again.begin(), again.end());
  }
  return found->second;
}

Walk::HereId Walk::here_of(View view, State state) {
  const auto found = here_index_.find({view, state});
  if (found != here_index_.end()) return found->second;
  Here here{view, state, box_->destination, box_->destination_port};
  const View back = [&] {  // looks back from what is seen to the wire
    View v;
    v.address = view.address;
    v.address_shift = V6{0} - view.address_shift;
    v.port = view.port;
    v.port_shift = static_cast<std::uint16_t>(0 - view.port_shift);
    return v;
  }();
  if (view.address == Translation::Change::one_of) here.destination = AddressSet(view.to);
  else if (view.address == Translation::Change::shift)
    here.destination = back.wire_destinations(box_->destination);
  if (view.port == Translation::Change::one_of) here.port = PortSet(view.to_port, view.to_port);
  else if (view.port == Translation::Change::shift) here.port = back.wire_ports(box_->destination_port);
  heres_.push_back(std::move(here));
  return here_index_[{view, state}] = static_cast<HereId>(heres_.size() - 1);
}

// Whether a translation has changed the packets, and what they were on the wire.
Walk::WireFit Walk::wire_fit(const Qualifier& qualifier, const Here& here) {
  using Translated = StateMatch::Translated;
  const WireFit no{Fit::no, {}, {}};
  WireFit result;
  const auto hangs_on = [&](const ConditionIds& conditions) {
    Signatures::Conditions both;
    std::ranges::set_union(result.conditions, comparison_.conditions(side_, conditions),
                           std::back_inserter(both));
    result.conditions = std::move(both);
    result.fit = Fit::possible;
  };
  const auto cut_at = [&](auto side, const auto& set) {
    if (!result.halves) result.halves = halves_at(side, set);
  };
  if (const Translated asked = qualifier.state.translated; asked != Translated::either) {
    const PortSet kept_ports = here.view.kept_ports();
    const Part port = part_of(box_->destination_port, kept_ports);
    if (here.view.is_own()) {  // whoever keeps the port may keep the address
      if (port == Part::none && asked == Translated::no) return no;
      if (port == Part::some) cut_at(&Box::destination_port, kept_ports);
      if (port == Part::all) hangs_on({pool_condition});
    } else {
      const AddressSet kept = here.view.kept_destinations();
      const Part address = part_of_family(box_->destination, kept, is_v4_);
      const Part same = std::min(port, address);  // none, some, all
      if (same == (asked == Translated::yes ? Part::all : Part::none)) return no;
      if (same == Part::some && address == Part::some) cut_at(&Box::destination, kept);
      else if (same == Part::some) cut_at(&Box::destination_port, kept_ports);
    }
  }
  if (qualifier.wire) {
    const WireMatch& wire = *qualifier.wire;
    const Members destination = members(policy_, box_->destination, wire.destination, is_v4_);
    const Part port = part_of(box_->destination_port, wire.ports);
    if (destination.possible == Part::none || port == Part::none) return no;
    const auto sets = addresses_of(policy_, wire.destination);
    if (destination.possible == Part::some) cut_at(&Box::destination, sets->possible);
    if (port == Part::some) cut_at(&Box::destination_port, wire.ports);
    if (destination.certain == Part::some) cut_at(&Box::destination, sets->certain);
    if (destination.certain == Part::none) hangs_on(sets->conditions);
  }
  return result;
}

// What does not concern the packets is found out before anything is cut.
Walk::RuleFit Walk::fit(const Rule& rule, const Here& here, ContextId context) {
  const RuleFit no{Fit::no, {}};
  WireFit wire;
  if (rule.qualifier != 0) {
    const Qualifier& qualifier = policy_.qualifiers[rule.qualifier];
    if (!qualifier.state.matches(here.state) || standing(rule.qualifier, context).fit == Fit::no) return no;
    wire = wire_fit(qualifier, here);
    if (wire.fit == Fit::no) return no;
  }
  Members destination;
  if (here.view.is_own()) {
    const SetFit own = own_fit(policy_, rule.destination, is_v4_ ? Family::ipv4 : Family::ipv6);
    if (own.fit == Fit::no) return no;
    destination = {Part::all, own.fit == Fit::certain ? Part::all : Part::none,
                   own.conditions == nullptr ? &no_conditions : own.conditions};
  } else {
    destination = members(policy_, here.destination, rule.destination, is_v4_);
  }
  if (destination.possible == Part::none) return no;
  const ServiceSet* certain_services = nullptr;
  Part services = Part::all;
  const ServiceBox* cutting = nullptr;
  ServiceBox literal;
  bool is_service_open = false;
  if (rule.service.kind == ServiceTerm::Kind::literal) {
    services = service_fit(*box_, here.port, rule.service).part;
    if (services == Part::some) {
      literal = {ProtocolSet(rule.service.protocol, rule.service.protocol),
                 PortSet(rule.service.source.first, rule.service.source.last),
                 PortSet(rule.service.destination.first, rule.service.destination.last)};
      cutting = &literal;
    }
  } else if (rule.service.kind == ServiceTerm::Kind::group) {
    const Partly<ServiceSet>& set = policy_.service_groups[rule.service.group_id].services;
    if (!budget_.spend(set.possible.size())) return no;
    std::tie(services, cutting) = services_part(*box_, here.port, set.possible);
    is_service_open = set.is_open();
    certain_services = &set.certain;
  }
  if (services == Part::none) return no;
  const Members source = members(policy_, box_->source, rule.source, is_v4_);
  if (source.possible == Part::none) return no;

  const auto cut_addresses = [&](AddressTerm term, const AddressSet Partly<AddressSet>::* part,
                                 AddressSet Box::* side) {
    const AddressSet set = (*addresses_of(policy_, term)).*part;
    cut(side, side == &Box::destination ? here.view.wire_destinations(set) : set);
    return no;
  };
  const auto cut_services = [&](const ServiceBox& service) {
    const ServiceFit how = service_fit(*box_, here.port, service);
    if (how.protocol == Part::some) cut(&Box::protocol, service.protocol);
    else if (how.destination == Part::some)
      cut(&Box::destination_port, here.view.wire_ports(service.destination));
    else cut(&Box::source_port, service.source);
    return no;
  };
  if (wire.halves) {
    halves_ = std::move(wire.halves);
    return no;
  }
  if (destination.possible == Part::some)
    return cut_addresses(rule.destination, &Partly<AddressSet>::possible, &Box::destination);
  if (services == Part::some) return cut_services(*cutting);
  if (source.possible == Part::some)
    return cut_addresses(rule.source, &Partly<AddressSet>::possible, &Box::source);

  // All of them possibly match: what keeps it from being certain?
  RuleFit result;
  const auto hangs_on = [&](const Signatures::Conditions& conditions) {
    Signatures::Conditions both;
    std::ranges::set_union(result.conditions, conditions, std::back_inserter(both));
    result.conditions = std::move(both);
    result.fit = Fit::possible;
  };
  if (destination.certain == Part::some)
    return cut_addresses(rule.destination, &Partly<AddressSet>::certain, &Box::destination);
  if (source.certain == Part::some)
    return cut_addresses(rule.source, &Partly<AddressSet>::certain, &Box::source);
  if (is_service_open) {
    const auto [part, at] = services_part(*box_, here.port, *certain_services);
    if (part == Part::some) return cut_services(*at);
    if (part == Part::none)
      hangs_on(
          comparison_.conditions(side_, policy_.service_groups[rule.service.group_id].services.conditions));
  }
  if (destination.certain == Part::none) hangs_on(comparison_.conditions(side_, *destination.conditions));
  if (source.certain == Part::none) hangs_on(comparison_.conditions(side_, *source.conditions));
  if (here.view.is_own() && destination.certain == Part::none) hangs_on(builtin(pool_condition));
  if (wire.fit == Fit::possible) hangs_on(wire.conditions);
  if (rule.qualifier != 0 && standing(rule.qualifier, context).fit == Fit::possible)
    hangs_on(standing(rule.qualifier, context).conditions);
  return result;
}

// ---- lists --------------------------------------------------------------------------------------------

namespace {

enum class Fate : std::uint8_t { through, denied, goes_on };  // of packets that an unknown target takes

std::uint32_t tag(Fate fate) { return static_cast<std::uint32_t>(fate); }

std::uint32_t tag(Signatures& signatures, const std::string& name) {
  return signatures.tag({name.begin(), name.end()});
}

void append(std::vector<std::uint32_t>& words, V6 number) {
  for (int i = 0; i < 4; ++i, number >>= 32) words.push_back(static_cast<std::uint32_t>(number));
}

std::uint32_t tag(Signatures& signatures, const View& view) {
  std::vector<std::uint32_t> words{static_cast<std::uint32_t>(view.address),
                                   static_cast<std::uint32_t>(view.to.family),
                                   static_cast<std::uint32_t>(view.port), view.to_port, view.port_shift};
  append(words, view.to.number);
  append(words, view.address_shift);
  return signatures.tag(words);
}

}  // namespace

Walk::Result Walk::choice(const Signatures::Conditions& conditions,
                          const std::vector<Alternative>& alternatives, std::uint32_t about) {
  std::vector<Signatures::Alternative> ids;
  for (const Alternative& one : alternatives) ids.push_back({one.tag, one.result.signature});
  Result result = alternatives.front().result;
  result.signature = signatures_.choice(conditions, std::move(ids), about);
  return result;
}

// Nothing is known of what comes after: that two policies say this of a packet proves nothing.
Walk::Result Walk::too_complex(Decider by, std::uint32_t about) {
  is_vague_ = true;
  return choice(
      builtin(complexity_condition),
      {{tag(Fate::through), leaf(Signatures::permit, by)}, {tag(Fate::denied), leaf(Signatures::deny, by)}},
      about);
}

Walk::Result Walk::translate(const Rule& rule, RuleRef ref, LevelId level, HereId here) {
  const Decider by{ref, std::nullopt};
  const Translation& translation = policy_.translations[rule.target];
  const auto views = translated_views(heres_[here].view, translation);
  if (!views || !can_take(translation, is_v4_ ? Family::ipv4 : Family::ipv6))
    return too_complex(by, comparison_.numbers(side_).translation[rule.target] + 1);
  const State state = heres_[here].state;
  const TodoId todo = levels_[level].todo;
  std::vector<Alternative> moved;
  for (const View& view : *views) {
    if (!budget_.spend(1)) return {};
    Result result = go_on(todo, here_of(view, state));
    if (gave_up()) return {};
    if (result.is_inherited && names_permit(level)) result.by = by, result.is_inherited = false;
    moved.push_back({tag(signatures_, view), result});
  }
  return choice(builtin(pool_condition), moved);
}

// What becomes of packets that the rule takes; `next` is where those go on that it lets go on.
Walk::Result Walk::take(const Rule& rule, RuleRef ref, LevelId level, std::uint32_t next, HereId here) {
  const Decider by{ref, std::nullopt};
  const auto accepted = [&] {
    Result result = go_on(levels_[level].todo, here);
    if (result.is_inherited && names_permit(level)) result.by = by, result.is_inherited = false;
    return result;
  };
  const auto on_target = [&] { return comparison_.conditions(side_, {rule.target}); };
  switch (rule.action) {
    case Action::permit: return leaf(Signatures::permit, by);
    case Action::deny: return leaf(Signatures::deny, by);
    case Action::accept: return accepted();
    case Action::pass: return list(level, ref.list, next, here);
    case Action::change_state: {
      const State state = policy_.state_changes[rule.target].applied_to(heres_[here].state);
      return list(level, ref.list, next, here_of(heres_[here].view, state));
    }
    case Action::translate: return translate(rule, ref, level, here);
    case Action::program_decides: {
      const Result through = accepted();
      if (gave_up()) return {};
      return choice(on_target(),
                    {{tag(Fate::through), through}, {tag(Fate::denied), leaf(Signatures::deny, by)}});
    }
    case Action::unknown: {
      const Result through = accepted();
      if (gave_up()) return {};
      const Result rest = list(level, ref.list, next, here);
      if (gave_up()) return {};
      return choice(on_target(), {{tag(Fate::goes_on), rest},
                                  {tag(Fate::through), through},
                                  {tag(Fate::denied), leaf(Signatures::deny, by)}});
    }
    case Action::jump: {
      Level called = levels_[level];
      called.caller = level;
      called.list = ref.list;
      called.index = next;
      ++called.depth;
      return list(level_of(called), rule.target, 0, here);
    }
    case Action::go_to: {  // its end is the end of this list
      Level called = levels_[level];
      ++called.depth;
      return list(level_of(called), rule.target, 0, here);
    }
    case Action::return_to_caller: return end_of_list(level, here);
  }
  return {};
}

Walk::Result Walk::list(LevelId level, ListId list, std::uint32_t index, HereId here) {
  const auto key = std::tuple(level, list, index, here);
  if (const auto known = walked_.find(key); known != walked_.end()) return known->second;
  if (levels_[level].depth > deepest_call) return walked_[key] = too_complex({}, 0);
  if (nesting_ >= deepest_nesting || levels_.size() > most_levels) budget_.is_spent = true;
  if (!budget_.spend(cost_of_a_place)) return {};
  ++nesting_;
  const Result result = walk(level, list, index, here);
  --nesting_;
  if (gave_up()) return {};
  return walked_[key] = result;
}

Walk::Result Walk::walk(LevelId level, ListId list, std::uint32_t index, HereId here) {
  const auto begin = std::ranges::lower_bound(*candidates_, RuleRef{list, index});
  std::vector<Signatures::Question> asked;
  std::optional<Result> rest;
  for (auto at = begin; at != candidates_->end() && at->list == list; ++at) {
    if (!budget_.spend(1)) return {};
    const Rule& rule = policy_.rule(*at);
    RuleFit how = fit(rule, heres_[here], levels_[level].context);
    if (gave_up()) return {};
    if (how.fit == Fit::no || rule.action == Action::pass) continue;
    const std::uint32_t next = at->index + 1;
    if (how.fit == Fit::certain && rule.action == Action::change_state) {
      here = here_of(heres_[here].view, policy_.state_changes[rule.target].applied_to(heres_[here].state));
      continue;
    }
    const Result taken = take(rule, *at, level, next, here);
    if (gave_up()) return {};
    if (how.fit == Fit::certain) {
      rest = taken;
      break;
    }
    asked.push_back({std::move(how.conditions), taken.signature});
  }
  if (!rest) rest = end_of_list(level, here);
  if (gave_up()) return {};
  rest->signature = signatures_.questions(asked, rest->signature);
  return *rest;
}

Walk::Result Walk::end_of_list(LevelId level, HereId here) {
  const Level at = levels_[level];
  if (at.caller) return list(*at.caller, at.list, at.index, here);
  Level next = at;
  ++next.stage_list;
  next.depth = 0;
  return stage_list(next, here);
}

// ---- the way ------------------------------------------------------------------------------------------

Walk::Result Walk::stage_list(const Level& level, HereId here) {
  const Stage& stage = std::get<Stage>(policy_.nodes[level.stage]);
  if (level.stage_list < stage.lists.size())
    return list(level_of(level), stage.lists[level.stage_list], 0, here);
  const Decider by{std::nullopt, level.stage};
  const auto accepted = [&](bool is_said) {
    Result result = go_on(level.todo, here);
    if (result.is_inherited && is_said && stage.names_permit) result.by = by, result.is_inherited = false;
    return result;
  };
  switch (stage.otherwise) {
    case Stage::Default::accept: return accepted(!stage.implicit.empty());
    case Stage::Default::deny: return leaf(Signatures::deny, by);
    case Stage::Default::unknown: {
      const Result through = accepted(true);
      if (gave_up()) return {};
      return choice(comparison_.conditions(side_, stage.conditions),
                    {{tag(Fate::through), through}, {tag(Fate::denied), leaf(Signatures::deny, by)}});
    }
  }
  return {};
}

Walk::Result Walk::enter_named(NodeId node, const Branch& branch, const std::string& name,
                               const Entered& at) {
  const auto named = std::ranges::find(branch.cases, name, &Branch::Case::name);
  if (named == branch.cases.end() && !branch.otherwise) return leaf(Signatures::deny, {std::nullopt, node});
  const ContextId context = inside(at.context, branch.dimension, &name);
  return enter(named == branch.cases.end() ? *branch.otherwise : named->node, {at.todo, context, at.here});
}

Walk::Result Walk::enter_by_destination(NodeId node, const Branch& branch, const Entered& at) {
  const auto into = [&](const Branch::Case& one) {
    return enter(one.node, {at.todo, inside(at.context, branch.dimension, &one.name), at.here});
  };
  for (const Branch::Case& one : branch.cases) {
    if (heres_[at.here].view.is_own()) break;
    if (!budget_.spend(1)) return {};
    switch (part_of_family(heres_[at.here].destination, one.destinations, is_v4_)) {
      case Part::none: break;
      case Part::some:
        cut(&Box::destination, heres_[at.here].view.wire_destinations(one.destinations));
        return {};
      case Part::all: return into(one);
    }
  }
  if (branch.cases.size() == 1) return into(branch.cases.front());
  if (branch.cases.empty() && branch.otherwise)
    return enter(*branch.otherwise, {at.todo, inside(at.context, branch.dimension, nullptr), at.here});
  const Decider by{std::nullopt, node};
  const Signatures::Conditions conditions = builtin(condition_of(branch.dimension));
  if (branch.cases.empty())
    return choice(conditions, {{tag(Fate::through), leaf(Signatures::permit, by)},
                               {tag(Fate::denied), leaf(Signatures::deny, by)}});
  std::vector<Alternative> alternatives;
  for (const Branch::Case& one : branch.cases) {
    alternatives.push_back({tag(signatures_, one.name), into(one)});
    if (gave_up()) return {};
  }
  return choice(conditions, alternatives);
}

Walk::Result Walk::enter(NodeId node, const Branch& branch, const Entered& at) {
  const auto by_context = [&] {
    const auto& known = contexts_[at.context].known;
    const auto name = known.find(branch.dimension);
    if (name == known.end()) return enter_by_destination(node, branch, at);
    return enter_named(node, branch, std::string(name->second), at);
  };
  switch (branch.by) {
    case Branch::By::context: return by_context();
    case Branch::By::destination: return enter_by_destination(node, branch, at);
    case Branch::By::routed: {
      const View& view = heres_[at.here].view;
      if (view.is_own()) return enter_named(node, branch, branch.own_case, at);
      const AddressSet kept = view.kept_destinations();
      switch (part_of_family(box_->destination, kept, is_v4_)) {
        case Part::all: return by_context();
        case Part::none: return enter_by_destination(node, branch, at);
        case Part::some: cut(&Box::destination, kept); return {};
      }
    }
  }
  return {};
}

Walk::Result Walk::enter(NodeId node, const Entered& at) {
  if (const auto* serial = std::get_if<Serial>(&policy_.nodes[node])) {
    if (serial->nodes.empty()) return go_on(at.todo, at.here);
    const TodoId after = serial->nodes.size() == 1 ? at.todo : todo_of({node, 1, at.todo, at.context});
    return enter(serial->nodes.front(), {after, at.context, at.here});
  }
  if (const auto* branch = std::get_if<Branch>(&policy_.nodes[node])) return enter(node, *branch, at);
  Level level;
  level.stage = node;
  level.todo = at.todo;
  level.context = at.context;
  return stage_list(level, at.here);
}

// Accepted so far: what comes next, or permitted.
Walk::Result Walk::go_on(TodoId todo, HereId here) {
  if (todo == 0) return {Signatures::permit, {}, true};
  if (const auto known = gone_on_.find({todo, here}); known != gone_on_.end()) return known->second;
  const Todo at = todos_[todo];
  const auto& nodes = std::get<Serial>(policy_.nodes[at.serial]).nodes;
  const TodoId after =
      at.next + 1 == nodes.size() ? at.then : todo_of({at.serial, at.next + 1, at.then, at.context});
  const Result result = enter(nodes[at.next], {after, at.context, here});
  if (gave_up()) return {};
  return gone_on_[{todo, here}] = result;
}

std::variant<CellAnswer, Halves> Walk::answer(const Box& box, const Candidates& candidates) {
  box_ = &box;
  is_v4_ = !box.source.v4.empty();
  candidates_ = &candidates;
  halves_.reset();
  heres_.clear();
  here_index_.clear();
  todos_.assign(1, Todo{});  // 0: nothing left to do
  todo_index_.clear();
  levels_.clear();
  level_index_.clear();
  walked_.clear();
  gone_on_.clear();
  nesting_ = 0;
  is_vague_ = false;
  const Result result = enter(policy_.root, {0, as_asked, here_of(View{}, State{})});
  if (halves_) return std::move(*halves_);
  return CellAnswer{result.signature, result.by, is_vague_};
}

}  // namespace aclmend::difference
