#include "difference/region.h"

#include <algorithm>

#include "difference/align.h"
#include "difference/boxes.h"
#include "model/match.h"

namespace aclmend::difference {
namespace {

using namespace model;
using Change = Translation::Change;

constexpr std::size_t most_images = 200'000;
constexpr std::size_t most_compositions = 20'000'000;
constexpr std::size_t most_region_boxes = 2048;
constexpr std::size_t most_moved_boxes = 200'000, most_disjoint_boxes = 20'000;

AddressSet shifted(const AddressSet& set, V6 by) {
  View back;  // looks back from where the set is to where it will be
  back.address = Change::shift;
  back.address_shift = V6{0} - by;
  return back.wire_destinations(set);
}
PortSet shifted(const PortSet& set, std::uint16_t by) {
  View back;
  back.port = Change::shift;
  back.port_shift = static_cast<std::uint16_t>(0 - by);
  return back.wire_ports(set);
}

// An own address may be any of its family.
AddressSet families_of(const AddressSet& set) {
  AddressSet families;
  if (!set.v4.empty()) families |= AddressSet::all(Family::ipv4);
  if (!set.v6.empty()) families |= AddressSet::all(Family::ipv6);
  return families;
}

AddressSet seen_destinations(const Translation& move, const AddressSet& wire) {
  switch (move.address) {
    case Change::none: return wire;
    case Change::shift: return shifted(wire, move.address_shift);
    case Change::one_of: return move.addresses;
    case Change::own: return families_of(wire);
  }
  return wire;
}
PortSet seen_ports(const Translation& move, const PortSet& wire) {
  switch (move.port) {
    case Change::none: return wire;
    case Change::shift: return shifted(wire, move.port_shift);
    case Change::one_of: return move.ports;
    case Change::own: break;
  }
  return wire;
}

// The wire packets of the image that may look like members of the box.
Box pulled_back(const Image& image, const Box& seen) {
  Box wire = image.wire;
  wire.source &= seen.source;
  wire.protocol &= seen.protocol;
  wire.source_port &= seen.source_port;
  switch (image.move.address) {
    case Change::none: wire.destination &= seen.destination; break;
    case Change::shift:
      wire.destination &= shifted(seen.destination, V6{0} - image.move.address_shift);
      break;
    case Change::one_of:
      if (!meets(image.move.addresses, seen.destination)) wire.destination = {};
      break;
    case Change::own: wire.destination &= families_of(seen.destination); break;
  }
  switch (image.move.port) {
    case Change::none: wire.destination_port &= seen.destination_port; break;
    case Change::shift:
      wire.destination_port &=
          shifted(seen.destination_port, static_cast<std::uint16_t>(0 - image.move.port_shift));
      break;
    case Change::one_of:
      if (!meets(image.move.ports, seen.destination_port)) wire.destination_port = {};
      break;
    case Change::own: break;
  }
  return wire;
}

bool may_look_like(const Image& image, const Box& seen) {
  return meets(image.destination, seen.destination) && meets(image.port, seen.destination_port) &&
         meets(image.wire.protocol, seen.protocol) && meets(image.wire.source, seen.source) &&
         meets(image.wire.source_port, seen.source_port);
}

Image image_of(Box wire, Translation move) {
  AddressSet destination = seen_destinations(move, wire.destination);
  PortSet port = seen_ports(move, wire.destination_port);
  return {std::move(wire), std::move(move), std::move(destination), std::move(port)};
}

Translation composed(const Translation& first, const Translation& next) {
  Translation both = first;
  if (next.address == Change::one_of) {
    both.address = Change::one_of;
    both.addresses = next.addresses;
  } else if (next.address == Change::own) {
    both.address = Change::own;
    both.address_shift = 0;
    both.addresses = {};
  } else if (next.address == Change::shift && first.address != Change::own) {
    if (first.address == Change::one_of) both.addresses = shifted(first.addresses, next.address_shift);
    else both.address = Change::shift, both.address_shift = first.address_shift + next.address_shift;
  }
  if (next.port == Change::one_of) {
    both.port = Change::one_of;
    both.ports = next.ports;
  } else if (next.port == Change::shift) {
    if (first.port == Change::one_of) both.ports = shifted(first.ports, next.port_shift);
    else
      both.port = Change::shift,
      both.port_shift = static_cast<std::uint16_t>(first.port_shift + next.port_shift);
  }
  return both;
}

bool may_apply(const Policy& policy, const Context& context, const Rule& rule) {
  return rule.qualifier == 0 || standing_fit(context, policy.qualifiers[rule.qualifier]).fit != Fit::no;
}

// The packets a rule possibly matches, as it sees them.
std::vector<Box> boxes_of(const Policy& policy, const Rule& rule) {
  const auto source = addresses_of(policy, rule.source);
  const auto destination = addresses_of(policy, rule.destination);
  const auto services = services_of(policy, rule.service);
  std::vector<Box> boxes;
  for (const ServiceBox& service : services->possible) {
    Box box{source->possible, destination->possible, service.protocol, service.source, service.destination};
    if (!box.empty()) boxes.push_back(std::move(box));
  }
  return boxes;
}

// A serial of serials is one serial; a lone node is a serial of one.
std::vector<NodeId> flat(const Policy& policy, NodeId node) {
  const auto* serial = std::get_if<Serial>(&policy.nodes[node]);
  if (serial == nullptr) return {node};
  std::vector<NodeId> nodes;
  for (const NodeId inner : serial->nodes) std::ranges::copy(flat(policy, inner), std::back_inserter(nodes));
  return nodes;
}

const Branch::Case* case_named(const Branch& branch, const std::string& name) {
  const auto found = std::ranges::find(branch.cases, name, &Branch::Case::name);
  return found == branch.cases.end() ? nullptr : &*found;
}

std::optional<NodeId> way_named(const Branch& branch, const std::string& name) {
  const Branch::Case* named = case_named(branch, name);
  return named == nullptr ? branch.otherwise : std::optional(named->node);
}

// The ways that packets may take from a branch.
std::vector<NodeId> ways_of(const Branch& branch, const Context& context) {
  std::vector<NodeId> ways;
  const auto known = context.known.find(branch.dimension);
  if (branch.by == Branch::By::context && known != context.known.end()) {
    if (const auto way = way_named(branch, known->second)) ways.push_back(*way);
    return ways;
  }
  for (const Branch::Case& one : branch.cases) ways.push_back(one.node);
  if (branch.otherwise) ways.push_back(*branch.otherwise);
  return ways;
}

}  // namespace

void Seen::add(const Box& wire, const Images& images) {
  source |= wire.source;
  destination |= wire.destination;
  protocol |= wire.protocol;
  source_port |= wire.source_port;
  destination_port |= wire.destination_port;
  if (!images) {
    destination = AddressSet::all();
    destination_port = PortSet::all();
    return;
  }
  for (const Image& image : *images) add(wire, image);
}

void Seen::add(const Box& wire, const Image& image) {
  if (!meets(image.wire, wire)) return;
  destination |= seen_destinations(image.move, image.wire.destination & wire.destination);
  destination_port |= seen_ports(image.move, image.wire.destination_port & wire.destination_port);
}

Regions::Regions(Comparison& comparison) : comparison_(comparison) {
  for (const Side side : both_sides) summaries_[side].resize(comparison.policy(side).lists.size());
}

const Regions::Summary& Regions::summary(Side side, ListId list) {
  std::optional<Summary>& known = summaries_[side][list];
  if (known) return *known;
  known.emplace();
  const std::vector<Rule>& rules = comparison_.policy(side).lists[list].rules;
  for (std::uint32_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = rules[i];
    if (rule.action == Action::translate && rule.enabled) known->translating.push_back(i);
    if ((rule.action == Action::jump || rule.action == Action::go_to) && rule.enabled)
      known->calls.push_back(rule.target);
  }
  std::ranges::sort(known->calls);
  known->calls.erase(std::unique(known->calls.begin(), known->calls.end()), known->calls.end());
  return *known;
}

std::vector<ListId> Regions::reachable_lists(Side side, const std::vector<ListId>& from) {
  std::vector<ListId> lists;
  std::set<ListId> seen;
  for (const ListId list : from)
    if (seen.insert(list).second) lists.push_back(list);
  for (std::size_t i = 0; i < lists.size(); ++i)
    for (const ListId called : summary(side, lists[i]).calls)
      if (seen.insert(called).second) lists.push_back(called);
  return lists;
}

// ---- translations -------------------------------------------------------------------------------------

// The images that `node` makes of untranslated packets and of those before it.
Images Regions::moved(Side side, const Context& context, NodeId node, const std::vector<Image>& before) {
  const Policy& policy = comparison_.policy(side);
  std::vector<Image> made;
  if (std::holds_alternative<Serial>(policy.nodes[node])) {
    std::vector<Image> so_far = before;
    for (const NodeId next : flat(policy, node)) {
      const Images here = moved(side, context, next, so_far);
      if (!here || so_far.size() + here->size() > most_images) return std::nullopt;
      so_far.insert(so_far.end(), here->begin(), here->end());
      made.insert(made.end(), here->begin(), here->end());
    }
    return made;
  }
  if (const auto* branch = std::get_if<Branch>(&policy.nodes[node])) {
    for (const NodeId way : ways_of(*branch, context)) {
      const Images here = moved(side, context, way, before);
      if (!here || made.size() + here->size() > most_images) return std::nullopt;
      made.insert(made.end(), here->begin(), here->end());
    }
    return made;
  }
  std::size_t compositions = 0;
  for (const ListId list : reachable_lists(side, std::get<Stage>(policy.nodes[node]).lists))
    for (const std::uint32_t index : summary(side, list).translating) {
      const Rule& rule = policy.lists[list].rules[index];
      if (!may_apply(policy, context, rule)) continue;
      const Translation& translation = policy.translations[rule.target];
      compositions += before.size() + 1;
      if (compositions > most_compositions) return std::nullopt;
      for (Box& box : boxes_of(policy, rule)) {
        for (const Image& earlier : before)
          if (may_look_like(earlier, box))
            if (Box wire = pulled_back(earlier, box); !wire.empty())
              made.push_back(image_of(std::move(wire), composed(earlier.move, translation)));
        made.push_back(image_of(std::move(box), translation));
      }
      if (made.size() > most_images) return std::nullopt;
    }
  return made;
}

Images Regions::images(Side side, const Context& context) {
  return moved(side, comparison_.known_everywhere(context), comparison_.policy(side).root, {});
}

// ---- what has no partner ------------------------------------------------------------------------------

void Regions::touch(Collected& to, Side side, const Rule& rule) {
  if (!takes_part(rule) || !may_apply(comparison_.policy(side), to.contexts[side], rule)) return;
  std::ranges::move(boxes_of(comparison_.policy(side), rule), std::back_inserter(to.seen));
}

void Regions::touch_list(Collected& to, Side side, ListPart part) {
  const std::vector<Rule>& rules = comparison_.policy(side).lists[part.list].rules;
  for (std::size_t i = 0; i < std::min<std::size_t>(rules.size(), part.end); ++i) touch(to, side, rules[i]);
}

namespace {

// Where the rules at the end of a list begin that do what the stage's default does anyway: whatever they
// match, and whatever that hangs on, they are as good as absent. A written "deny ip any any" before the
// implicit one.
std::uint32_t idle_from(const std::vector<Rule>& rules, Stage::Default otherwise) {
  auto end = static_cast<std::uint32_t>(rules.size());
  if (otherwise == Stage::Default::unknown) return end;
  const Action idle = otherwise == Stage::Default::deny ? Action::deny : Action::accept;
  while (end > 0 && (!takes_part(rules[end - 1]) || rules[end - 1].action == idle)) --end;
  return end;
}

}  // namespace

Regions::ListPart Regions::part(Side side, const Stage& stage, std::size_t index) const {
  const ListId list = stage.lists[index];
  if (index + 1 < stage.lists.size()) return {list};
  return {list, idle_from(comparison_.policy(side).lists[list].rules, stage.otherwise)};
}

namespace {

// Where membership differs, certain or possible, or what it hangs on does.
template <class Set>
Set changed_members(const Partly<Set>& before, const Partly<Set>& after, bool same_conditions) {
  Set changed = (before.possible - after.possible) | (after.possible - before.possible);
  changed |= (before.certain - after.certain) | (after.certain - before.certain);
  if (!same_conditions) changed |= (before.possible - before.certain) | (after.possible - after.certain);
  return changed;
}

PacketSet as_packets(const ServiceSet& services) {
  PacketSet result;
  for (const ServiceBox& service : services)
    result |= PacketSet(Box{AddressSet(Address::v4(0)), AddressSet(Address::v4(0)), service.protocol,
                            service.source, service.destination});
  return result;
}

}  // namespace

const AddressSet& Regions::changed_addresses(AddressTerm before, AddressTerm after) {
  const auto known = changed_.find({before.value, after.value});
  if (known != changed_.end()) return known->second;
  const Partly<AddressSet>& one = comparison_.policy(Side::before).groups[before.value].addresses;
  const Partly<AddressSet>& two = comparison_.policy(Side::after).groups[after.value].addresses;
  const bool same_conditions = comparison_.conditions(Side::before, one.conditions) ==
                               comparison_.conditions(Side::after, two.conditions);
  return changed_.emplace(std::pair(before.value, after.value), changed_members(one, two, same_conditions))
      .first->second;
}

void Regions::touch_groups(Collected& to, const Rule& before, const Rule& after) {
  const Policy &one = comparison_.policy(Side::before), &two = comparison_.policy(Side::after);
  if (!may_apply(one, to.contexts.before, before) && !may_apply(two, to.contexts.after, after)) return;
  constexpr std::size_t most_boxes = 64;
  const bool is_group = before.service.kind == ServiceTerm::Kind::group;
  const auto services_b = services_of(one, before.service), services_a = services_of(two, after.service);
  const bool is_small = services_b->possible.size() + services_a->possible.size() <= most_boxes;
  ServiceSet services = services_b->possible;
  if (is_group) services.insert(services.end(), services_a->possible.begin(), services_a->possible.end());
  const auto possible = [&](AddressTerm b, AddressTerm a) {
    AddressSet set = addresses_of(one, b)->possible;
    if (b.kind == AddressTerm::Kind::group && comparison_.numbers(Side::before).group_content[b.value] !=
                                                  comparison_.numbers(Side::after).group_content[a.value])
      set |= addresses_of(two, a)->possible;
    return set;
  };
  const auto add = [&](const AddressSet& source, const AddressSet& destination, const ServiceSet& of) {
    for (const ServiceBox& service : of) {
      Box box{source, destination, service.protocol, service.source, service.destination};
      if (!box.empty()) to.seen.push_back(std::move(box));
    }
  };
  const AddressSet sources = possible(before.source, after.source);
  const AddressSet destinations = possible(before.destination, after.destination);
  const auto is_changed = [&](AddressTerm b, AddressTerm a) {
    return b.kind == AddressTerm::Kind::group && comparison_.numbers(Side::before).group_content[b.value] !=
                                                     comparison_.numbers(Side::after).group_content[a.value];
  };
  if (is_changed(before.source, after.source))
    add(changed_addresses(before.source, after.source), destinations, services);
  if (is_changed(before.destination, after.destination))
    add(sources, changed_addresses(before.destination, after.destination), services);
  if (is_group && comparison_.numbers(Side::before).service_group_content[before.service.group_id] !=
                      comparison_.numbers(Side::after).service_group_content[after.service.group_id]) {
    if (!is_small) return add(sources, destinations, services);
    const bool same_conditions = comparison_.conditions(Side::before, services_b->conditions) ==
                                 comparison_.conditions(Side::after, services_a->conditions);
    const Partly<PacketSet> b{as_packets(services_b->certain), as_packets(services_b->possible), {}};
    const Partly<PacketSet> a{as_packets(services_a->certain), as_packets(services_a->possible), {}};
    ServiceSet changed;
    const PacketSet members = changed_members(b, a, same_conditions);
    for (const Box& box : members.boxes())
      changed.push_back({box.protocol, box.source_port, box.destination_port});
    add(sources, destinations, changed);
  }
}

void Regions::compare_lists(Collected& to, ListPart before, ListPart after) {
  std::vector<std::pair<ListPart, ListPart>> left{{before, after}};
  while (!left.empty()) {
    const auto [b, a] = left.back();
    left.pop_back();
    if (!to.visited.emplace(b, a).second) continue;
    const ListDifference& lists = comparison_.lists(b.list, a.list);
    const auto& old_rules = comparison_.policy(Side::before).lists[b.list].rules;
    const auto& new_rules = comparison_.policy(Side::after).lists[a.list].rules;
    for (const std::uint32_t i : lists.before)
      if (i < b.end) touch(to, Side::before, old_rules[i]);
    for (const std::uint32_t i : lists.after)
      if (i < a.end) touch(to, Side::after, new_rules[i]);
    for (const auto& [i, j] : lists.regrouped)
      if (i < b.end || j < a.end) touch_groups(to, old_rules[i], new_rules[j]);
    for (const auto& [i, j] : lists.calls) left.push_back({{i}, {j}});
  }
}

// ---- the way ------------------------------------------------------------------------------------------

void Regions::compare_stages(Collected& to, const Stage& before, const Stage& after) {
  if (before.otherwise != after.otherwise || (before.otherwise == Stage::Default::unknown &&
                                              comparison_.conditions(Side::before, before.conditions) !=
                                                  comparison_.conditions(Side::after, after.conditions))) {
    to.is_everything = true;
    to.is_same_way = false;
  }
  Sides<std::vector<std::uint32_t>> names;
  for (const Side side : both_sides)
    for (const ListId list : (side == Side::before ? before : after).lists)
      names[side].push_back(comparison_.numbers(side).list[list]);
  if (names.before != names.after) to.is_same_way = false;
  std::size_t b = 0, a = 0;
  const auto until = [&](std::size_t end_b, std::size_t end_a) {
    const bool renamed = end_b - b == end_a - a;
    for (; b < end_b && renamed; ++b, ++a)
      compare_lists(to, part(Side::before, before, b), part(Side::after, after, a));
    for (; b < end_b; ++b) touch_list(to, Side::before, part(Side::before, before, b));
    for (; a < end_a; ++a) touch_list(to, Side::after, part(Side::after, after, a));
  };
  for (const auto& [x, y] : aligned(names.before, names.after)) {
    until(x, y);
    compare_lists(to, part(Side::before, before, b++), part(Side::after, after, a++));
  }
  until(before.lists.size(), after.lists.size());
}

void Regions::compare_branches(Collected& to, const Branch& before, const Branch& after) {
  if (before.dimension != after.dimension || before.by != after.by || before.own_case != after.own_case ||
      before.otherwise.has_value() != after.otherwise.has_value()) {
    to.is_everything = true;
    to.is_same_way = false;
    return;
  }
  if (const auto known = to.contexts.before.known.find(before.dimension);
      before.by == Branch::By::context && known != to.contexts.before.known.end()) {
    const auto one = way_named(before, known->second), two = way_named(after, known->second);
    if (one.has_value() != two.has_value()) to.is_everything = true, to.is_same_way = false;
    else if (one) compare(to, *one, *two);
    return;
  }
  const bool is_entered_anew = to.entered.insert(before.dimension).second;
  if (before.otherwise) compare(to, *before.otherwise, *after.otherwise);
  const auto names_twice = [](const Branch& branch) {
    std::set<std::string_view> names;
    return std::ranges::any_of(branch.cases,
                               [&](const Branch::Case& one) { return !names.insert(one.name).second; });
  };
  if (names_twice(before) || names_twice(after)) to.is_everything = true, to.is_same_way = false;
  // Open: packets whose destination selects another case now; and, where the cases themselves are others,
  // those that none selects.
  AddressSet moved, selected_before, selected_after;
  bool same_cases = before.cases.size() == after.cases.size();
  for (const Branch::Case& one : before.cases) {
    selected_before |= one.destinations;
    const Branch::Case* two = case_named(after, one.name);
    if (two == nullptr) {
      same_cases = false;
      moved |= one.destinations;
      continue;
    }
    moved |= (one.destinations - two->destinations) | (two->destinations - one.destinations);
    compare(to, one.node, two->node);
  }
  for (const Branch::Case& two : after.cases) {
    selected_after |= two.destinations;
    if (case_named(before, two.name) == nullptr) {
      same_cases = false;
      moved |= two.destinations;
    }
  }
  // A name may lead packets elsewhere, too: that of the context, or of a case they are in.
  if (!same_cases && (before.by != Branch::By::context || before.otherwise || !is_entered_anew ||
                      to.may_be_known.contains(before.dimension)))
    to.is_everything = true;
  if (!same_cases) moved |= ~(selected_before & selected_after);
  if (!same_cases || !moved.empty()) to.is_same_way = false;
  if (is_entered_anew) to.entered.erase(before.dimension);
  Box box = Box::all();
  box.destination = std::move(moved);
  if (!box.empty()) to.seen.push_back(std::move(box));
}

// A stage that only one side has: what falls through it goes on as if it were not there, else all is new.
void Regions::alone(Collected& to, Side side, NodeId node) {
  to.is_same_way = false;
  const auto* stage = std::get_if<Stage>(&comparison_.policy(side).nodes[node]);
  if (stage == nullptr || stage->otherwise != Stage::Default::accept) {
    to.is_everything = true;
    return;
  }
  for (std::size_t i = 0; i < stage->lists.size(); ++i) touch_list(to, side, part(side, *stage, i));
}

void Regions::compare(Collected& to, NodeId before, NodeId after) {
  const Policy &one = comparison_.policy(Side::before), &two = comparison_.policy(Side::after);
  const std::vector<NodeId> old_nodes = flat(one, before), new_nodes = flat(two, after);
  const auto alike = [&](NodeId b, NodeId a) {
    const auto* old_stage = std::get_if<Stage>(&one.nodes[b]);
    const auto* new_stage = std::get_if<Stage>(&two.nodes[a]);
    if (old_stage != nullptr && new_stage != nullptr) return old_stage->name == new_stage->name;
    return old_stage == nullptr && new_stage == nullptr &&
           std::get<Branch>(one.nodes[b]).dimension == std::get<Branch>(two.nodes[a]).dimension;
  };
  const auto pair = [&](NodeId b, NodeId a) {
    const auto* old_stage = std::get_if<Stage>(&one.nodes[b]);
    const auto* new_stage = std::get_if<Stage>(&two.nodes[a]);
    if (old_stage != nullptr && new_stage != nullptr) return compare_stages(to, *old_stage, *new_stage);
    if (old_stage == nullptr && new_stage == nullptr)
      return compare_branches(to, std::get<Branch>(one.nodes[b]), std::get<Branch>(two.nodes[a]));
    to.is_everything = true;
    to.is_same_way = false;
  };
  std::size_t head = 0, tail = 0;
  const std::size_t shorter = std::min(old_nodes.size(), new_nodes.size());
  if (old_nodes.size() == new_nodes.size()) {
    head = shorter;
  } else {
    while (head < shorter && alike(old_nodes[head], new_nodes[head])) ++head;
    while (tail < shorter - head &&
           alike(old_nodes[old_nodes.size() - tail - 1], new_nodes[new_nodes.size() - tail - 1]))
      ++tail;
  }
  for (std::size_t i = 0; i < head; ++i) pair(old_nodes[i], new_nodes[i]);
  for (std::size_t i = head; i < old_nodes.size() - tail; ++i) alone(to, Side::before, old_nodes[i]);
  for (std::size_t i = head; i < new_nodes.size() - tail; ++i) alone(to, Side::after, new_nodes[i]);
  for (std::size_t i = tail; i-- > 0;)
    pair(old_nodes[old_nodes.size() - i - 1], new_nodes[new_nodes.size() - i - 1]);
}

ContextRegion Regions::region(const Sides<Context>& contexts, const Sides<Images>& images) {
  Sides<Context> everywhere;
  for (const Side side : both_sides) everywhere[side] = comparison_.known_everywhere(contexts[side]);
  Collected to{.contexts = everywhere};
  for (const auto& [dimension, name] : contexts.before.known) to.may_be_known.insert(dimension);
  compare(to, comparison_.policy(Side::before).root, comparison_.policy(Side::after).root);
  if (to.is_everything) return {{Box::all()}, to.is_same_way};
  if (to.seen.empty()) return {{}, to.is_same_way};
  if (!images.before || !images.after) return {{Box::all()}, to.is_same_way};
  std::vector<Box> wire = joined_roughly(std::move(to.seen), most_region_boxes);
  for (std::size_t i = 0, seen = wire.size(); i < seen; ++i)
    for (const Side side : both_sides)
      for (const Image& image : *images[side])
        if (may_look_like(image, wire[i]))
          if (Box box = pulled_back(image, wire[i]); !box.empty()) {
            if (wire.size() >= most_moved_boxes) return {{Box::all()}, to.is_same_way};
            wire.push_back(std::move(box));
          }
  auto boxes = disjoint(joined_roughly(std::move(wire), most_region_boxes), most_disjoint_boxes);
  if (!boxes) boxes = {Box::all()};
  return {std::move(*boxes), to.is_same_way};
}

}  // namespace aclmend::difference
