#include "difference/cells.h"

#include <algorithm>
#include <span>
#include <tuple>

#include "difference/boxes.h"
#include "difference/walk.h"

namespace aclmend::difference {
namespace {

using namespace model;

// What packets of a box look like to one policy, as sets: enough to tell which rules they may meet.
bool may_meet(AddressTerm term, const AddressSet& seen, const Policy& policy) {
  switch (term.kind) {
    case AddressTerm::Kind::any: return true;
    case AddressTerm::Kind::any4: return !seen.v4.empty();
    case AddressTerm::Kind::any6: return !seen.v6.empty();
    case AddressTerm::Kind::v4: return meets(seen.v4, term.value, term.value | ~netmask(term.length));
    case AddressTerm::Kind::group: return meets(policy.groups[term.value].addresses.possible, seen);
  }
  return true;
}

bool may_meet(const ServiceBox& service, const Seen& seen) {
  return meets(service.protocol, seen.protocol) && meets(service.destination, seen.destination_port) &&
         meets(service.source, seen.source_port);
}

bool may_meet(const ServiceTerm& term, const Seen& seen, const Policy& policy) {
  switch (term.kind) {
    case ServiceTerm::Kind::any: return true;
    case ServiceTerm::Kind::literal:
      return seen.protocol.contains(term.protocol) &&
             meets(seen.destination_port, term.destination.first, term.destination.last) &&
             meets(seen.source_port, term.source.first, term.source.last);
    case ServiceTerm::Kind::group:
      return std::ranges::any_of(policy.service_groups[term.group_id].services.possible,
                                 [&](const ServiceBox& box) { return may_meet(box, seen); });
  }
  return true;
}

bool may_meet(const Rule& rule, const Seen& seen, const Policy& policy) {
  return may_meet(rule.destination, seen.destination, policy) && may_meet(rule.service, seen, policy) &&
         may_meet(rule.source, seen.source, policy);
}

// The same question of a million rules: a group is asked once in each place.
class GroupMemory {
 public:
  GroupMemory(const Policy& policy, const Seen& seen)
      : policy_(policy),
        seen_(seen),
        source_(policy.groups.size()),
        destination_(policy.groups.size()),
        service_(policy.service_groups.size()) {}
  bool may_meet(const Rule& rule) {
    return address(rule.destination, seen_.destination, destination_) && service(rule.service) &&
           address(rule.source, seen_.source, source_);
  }

 private:
  using Known = std::vector<std::uint8_t>;  // 0 not asked, 1 no, 2 yes
  bool address(AddressTerm term, const AddressSet& seen, Known& known) {
    if (term.kind != AddressTerm::Kind::group) return difference::may_meet(term, seen, policy_);
    std::uint8_t& answer = known[term.value];
    if (answer == 0) answer = difference::may_meet(term, seen, policy_) ? 2 : 1;
    return answer == 2;
  }
  bool service(const ServiceTerm& term) {
    if (term.kind != ServiceTerm::Kind::group) return difference::may_meet(term, seen_, policy_);
    std::uint8_t& answer = service_[term.group_id];
    if (answer == 0) answer = difference::may_meet(term, seen_, policy_) ? 2 : 1;
    return answer == 2;
  }
  const Policy& policy_;
  const Seen& seen_;
  Known source_, destination_, service_;
};

// All that is seen certainly matches: the packets of the box go no further in this list.
bool covers(const AddressSet& set, const AddressSet& seen) {
  return (seen.v4.empty() || part_of(seen.v4, set.v4) == Part::all) &&
         (seen.v6.empty() || part_of(seen.v6, set.v6) == Part::all);
}
bool covers(AddressTerm term, const AddressSet& seen, const Policy& policy) {
  switch (term.kind) {
    case AddressTerm::Kind::any: return true;
    case AddressTerm::Kind::any4: return seen.v6.empty();
    case AddressTerm::Kind::any6: return seen.v4.empty();
    case AddressTerm::Kind::v4:
      return seen.v6.empty() && part_of(seen.v4, term.value, term.value | ~netmask(term.length)) == Part::all;
    case AddressTerm::Kind::group: return covers(policy.groups[term.value].addresses.certain, seen);
  }
  return false;
}
bool covers(const ServiceTerm& term, const Seen& seen, const Policy& policy) {
  switch (term.kind) {
    case ServiceTerm::Kind::any: return true;
    case ServiceTerm::Kind::literal:
      return part_of(seen.protocol, term.protocol, term.protocol) == Part::all &&
             part_of(seen.destination_port, term.destination.first, term.destination.last) == Part::all &&
             part_of(seen.source_port, term.source.first, term.source.last) == Part::all;
    case ServiceTerm::Kind::group:
      return std::ranges::any_of(policy.service_groups[term.group_id].services.certain,
                                 [&](const ServiceBox& box) {
                                   return part_of(seen.protocol, box.protocol) == Part::all &&
                                          part_of(seen.destination_port, box.destination) == Part::all &&
                                          part_of(seen.source_port, box.source) == Part::all;
                                 });
  }
  return false;
}

bool ends_list(Action action) {
  switch (action) {
    case Action::permit:
    case Action::deny:
    case Action::accept:
    case Action::translate:
    case Action::program_decides:
    case Action::go_to:
    case Action::return_to_caller: return true;
    case Action::pass:
    case Action::change_state:
    case Action::unknown:
    case Action::jump: return false;
  }
  return false;
}

struct Piece {
  Box box;
  Sides<Candidates> candidates;
  Sides<std::vector<const Image*>> images;  // that may move its packets
};

// Edges of rules inside a box, one side of it: where it could be halved.
struct Edges {
  std::vector<V4> source4, destination4;
  std::vector<V6> source6, destination6;
  std::vector<std::uint16_t> source_port, destination_port;
  std::vector<std::uint8_t> protocol;
};

template <class Point>
void add_edge(std::vector<Point>& edges, const FlipSet<Point>& side, Point point) {
  if (side.flips().empty() || point <= side.flips().front()) return;
  if (point > side.interval(side.interval_count() - 1).last) return;
  edges.push_back(point);
}
template <class Point>
void add_edges(std::vector<Point>& edges, const FlipSet<Point>& side, Point first, Point last) {
  add_edge(edges, side, first);
  if (last != last_point<Point>) add_edge(edges, side, static_cast<Point>(last + 1));
}
template <class Point>
void add_edges(std::vector<Point>& edges, const FlipSet<Point>& side, const FlipSet<Point>& set) {
  if (side.empty()) return;
  constexpr std::size_t most = 16;
  const auto begin = std::upper_bound(set.flips().begin(), set.flips().end(), side.flips().front());
  const auto end = std::upper_bound(begin, set.flips().end(), side.interval(side.interval_count() - 1).last);
  const auto count = static_cast<std::size_t>(end - begin);
  const std::size_t step = count / most + 1;
  for (std::size_t i = 0; i < count; i += step) edges.push_back(begin[static_cast<std::ptrdiff_t>(i)]);
}

template <class Point>
std::size_t distinct(std::vector<Point>& edges) {
  std::ranges::sort(edges);
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return edges.size();
}

class Cutter {
 public:
  Cutter(const Comparison& comparison, Signatures& signatures, const Scene& scene, Budget& budget)
      : comparison_(comparison),
        signatures_(signatures),
        scene_(scene),
        budget_(budget),
        walks_{Walk(comparison, Side::before, scene.contexts.before, signatures, budget),
               Walk(comparison, Side::after, scene.contexts.after, signatures, budget)} {}

  std::vector<Cell> cells(const Sides<Candidates>& candidates);

 private:
  // The rules that may meet the packets, and nothing else of them.
  Candidates meeting(Side side, const Seen& seen, const Candidates& from);
  // Without those that come after one which takes all packets.
  Candidates reached(Side side, const Seen& seen, const Candidates& from);
  std::vector<const Image*> moving(Side side, const Box& box, const std::vector<const Image*>& from);
  Seen seen(Side side, const Box& box, const std::vector<const Image*>& images) const;
  void together(std::span<Box> boxes, const Piece& from);
  bool same_rules(const Piece& piece) const;
  std::optional<Halves> halves(const Piece& piece) const;
  void process(Piece piece);
  void push(Box box, const Piece& from);

  const Comparison& comparison_;
  Signatures& signatures_;
  const Scene& scene_;
  Budget& budget_;
  Sides<Walk> walks_;
  std::vector<Piece> left_;
  std::vector<Cell> cells_;
};

Seen Cutter::seen(Side side, const Box& box, const std::vector<const Image*>& images) const {
  Seen seen{box.source, box.destination, box.protocol, box.source_port, box.destination_port};
  if (!scene_.images[side]) {
    seen.destination = AddressSet::all();
    seen.destination_port = PortSet::all();
  }
  for (const Image* image : images) seen.add(box, *image);
  return seen;
}

std::vector<const Image*> Cutter::moving(Side, const Box& box, const std::vector<const Image*>& from) {
  std::vector<const Image*> result;
  budget_.spend(from.size() / 4);
  for (const Image* image : from)
    if (meets(image->wire, box)) result.push_back(image);
  return result;
}

Candidates Cutter::meeting(Side side, const Seen& seen, const Candidates& from) {
  Candidates result;
  const Policy& policy = comparison_.policy(side);
  if (!budget_.spend(from.size() + 1)) return result;
  for (const RuleRef ref : from) {
    const Rule& rule = policy.rule(ref);
    if (may_meet(rule, seen, policy) && walks_[side].standing_everywhere(rule.qualifier).fit != Fit::no)
      result.push_back(ref);
  }
  return result;
}

Candidates Cutter::reached(Side side, const Seen& seen, const Candidates& from) {
  Candidates result;
  const Policy& policy = comparison_.policy(side);
  for (std::size_t i = 0; i < from.size(); ++i) {
    result.push_back(from[i]);
    const Rule& rule = policy.rule(from[i]);
    const bool is_sure =
        rule.qualifier == 0 ||
        (walks_[side].standing_everywhere(rule.qualifier).fit == Fit::certain &&
         policy.qualifiers[rule.qualifier].state == StateMatch{} && !policy.qualifiers[rule.qualifier].wire);
    if (is_sure && ends_list(rule.action) && covers(rule.source, seen.source, policy) &&
        covers(rule.destination, seen.destination, policy) && covers(rule.service, seen, policy))
      while (i + 1 < from.size() && from[i + 1].list == from[i].list) ++i;
  }
  return result;
}

void Cutter::push(Box box, const Piece& from) {
  if (box.empty()) return;
  Piece piece{std::move(box), {}, {}};
  for (const Side side : both_sides) {
    piece.images[side] = moving(side, piece.box, from.images[side]);
    const Seen packets = seen(side, piece.box, piece.images[side]);
    piece.candidates[side] = reached(side, packets, meeting(side, packets, from.candidates[side]));
  }
  if (!same_rules(piece)) left_.push_back(std::move(piece));
}

// The same rules in the same order, on the same way: nothing can differ.
bool Cutter::same_rules(const Piece& piece) const {
  if (!scene_.region.is_same_way || piece.candidates.before.size() != piece.candidates.after.size())
    return false;
  // Lists may stand in another order on the other side: a list's rules are compared with its namesake's.
  const auto sequence = [&](Side side) {
    std::vector<std::pair<std::uint32_t, RuleRef>> all;
    all.reserve(piece.candidates[side].size());
    for (const RuleRef ref : piece.candidates[side])
      all.emplace_back(comparison_.numbers(side).list[ref.list], ref);
    std::ranges::sort(all);
    return all;
  };
  return std::ranges::equal(sequence(Side::before), sequence(Side::after), [&](const auto& b, const auto& a) {
    return b.first == a.first &&
           comparison_.key(Side::before, comparison_.policy(Side::before).rule(b.second),
                           Groups::by_content) ==
               comparison_.key(Side::after, comparison_.policy(Side::after).rule(a.second),
                               Groups::by_content);
  });
}

// At the median of the rules' edges, in the side where most of them lie.
std::optional<Halves> Cutter::halves(const Piece& piece) const {
  constexpr std::size_t most_asked = 512;
  const Box& box = piece.box;
  Edges edges;
  const auto add_address = [&](const Policy& policy, AddressTerm term, const AddressSet& side, auto& v4,
                               auto& v6) {
    if (term.kind == AddressTerm::Kind::v4) {
      add_edges(v4, side.v4, term.value, term.value | ~netmask(term.length));
    } else if (term.kind == AddressTerm::Kind::group) {
      add_edges(v4, side.v4, policy.groups[term.value].addresses.possible.v4);
      add_edges(v6, side.v6, policy.groups[term.value].addresses.possible.v6);
    }
  };
  const auto add_service = [&](const ServiceBox& service) {
    add_edges(edges.protocol, box.protocol, service.protocol);
    add_edges(edges.source_port, box.source_port, service.source);
    add_edges(edges.destination_port, box.destination_port, service.destination);
  };
  for (const Side which : both_sides) {
    const Policy& policy = comparison_.policy(which);
    const Candidates& all = piece.candidates[which];
    const std::size_t step = all.size() / most_asked + 1;
    for (std::size_t i = 0; i < all.size(); i += step) {
      const Rule& rule = policy.rule(all[i]);
      add_address(policy, rule.source, box.source, edges.source4, edges.source6);
      add_address(policy, rule.destination, box.destination, edges.destination4, edges.destination6);
      if (rule.service.kind == ServiceTerm::Kind::literal) {
        const ServiceTerm& service = rule.service;
        add_edges(edges.protocol, box.protocol, service.protocol, service.protocol);
        add_edges(edges.source_port, box.source_port, service.source.first, service.source.last);
        add_edges(edges.destination_port, box.destination_port, service.destination.first,
                  service.destination.last);
      } else if (rule.service.kind == ServiceTerm::Kind::group) {
        const ServiceSet& set = policy.service_groups[rule.service.group_id].services.possible;
        for (std::size_t s = 0; s < std::min<std::size_t>(set.size(), 16); ++s) add_service(set[s]);
      }
    }
  }
  std::size_t best = 0;
  std::optional<Halves> result;
  const auto consider = [&](auto& points, const auto& below, const auto& apply) {
    const std::size_t count = distinct(points);
    if (count <= best) return;
    best = count;
    const auto at = points[count / 2];
    using Point = std::remove_cvref_t<decltype(at)>;
    const FlipSet<Point> lower(Point{0}, static_cast<Point>(at - 1));
    Halves halved{box, box};
    apply(halved.inside, below & lower);
    apply(halved.outside, below - lower);
    result = std::move(halved);
  };
  consider(edges.destination4, box.destination.v4,
           [](Box& b, FlipSet<V4> set) { b.destination.v4 = std::move(set); });
  consider(edges.destination6, box.destination.v6,
           [](Box& b, FlipSet<V6> set) { b.destination.v6 = std::move(set); });
  consider(edges.source4, box.source.v4, [](Box& b, FlipSet<V4> set) { b.source.v4 = std::move(set); });
  consider(edges.source6, box.source.v6, [](Box& b, FlipSet<V6> set) { b.source.v6 = std::move(set); });
  consider(edges.destination_port, box.destination_port,
           [](Box& b, PortSet set) { b.destination_port = std::move(set); });
  consider(edges.source_port, box.source_port, [](Box& b, PortSet set) { b.source_port = std::move(set); });
  consider(edges.protocol, box.protocol, [](Box& b, ProtocolSet set) { b.protocol = std::move(set); });
  return result;
}

void Cutter::process(Piece piece) {
  constexpr std::size_t few = 32;
  std::optional<Halves> cut;
  Sides<CellAnswer> answers;
  if (piece.candidates.before.size() + piece.candidates.after.size() > few) cut = halves(piece);
  for (const Side side : both_sides) {
    if (cut) break;
    auto answer = walks_[side].answer(piece.box, piece.candidates[side]);
    if (budget_.is_spent) return;
    if (auto* found = std::get_if<Halves>(&answer)) cut = std::move(*found);
    else answers[side] = std::get<CellAnswer>(answer);
  }
  if (cut) {
    push(std::move(cut->inside), piece);
    push(std::move(cut->outside), piece);
  } else if (answers.before.signature != answers.after.signature) {
    if (budget_.cells == 0) {
      budget_.is_spent = true;
      return;
    }
    --budget_.cells;
    cells_.push_back({std::move(piece.box), answers});
  } else if ((answers.before.is_vague || answers.after.is_vague) &&
             signatures_.verdict(answers.before.signature) == Verdict::unknown) {
    budget_.is_exact = false;
  }
}

// Many boxes: each half of them gets the rules that may meet one of its own, so that a rule is not asked once
// a box.
void Cutter::together(std::span<Box> boxes, const Piece& from) {
  if (budget_.is_spent) return;
  if (boxes.size() == 1) {
    push(std::move(boxes.front()), from);
    while (!left_.empty() && !budget_.is_spent) {
      Piece piece = std::move(left_.back());
      left_.pop_back();
      process(std::move(piece));
    }
    return;
  }
  Piece piece;
  for (const Side side : both_sides) {
    std::vector<const AddressSet*> sources, destinations;
    Box hull = boxes.front();
    for (const Box& box : boxes) {
      sources.push_back(&box.source);
      destinations.push_back(&box.destination);
      hull.protocol |= box.protocol;
      hull.source_port |= box.source_port;
      hull.destination_port |= box.destination_port;
    }
    hull.source = united(sources);
    hull.destination = united(destinations);
    piece.images[side] = moving(side, hull, from.images[side]);
    piece.candidates[side] = meeting(side, seen(side, hull, piece.images[side]), from.candidates[side]);
  }
  const std::size_t half = boxes.size() / 2;
  together(boxes.first(half), piece);
  together(boxes.subspan(half), piece);
}

std::vector<Cell> Cutter::cells(const Sides<Candidates>& candidates) {
  std::vector<Box> boxes;
  for (const Box& box : scene_.region.boxes) std::ranges::move(by_family(box), std::back_inserter(boxes));
  std::ranges::sort(boxes, [](const Box& a, const Box& b) {
    return std::tie(a.destination.v4.flips(), a.destination.v6.flips()) <
           std::tie(b.destination.v4.flips(), b.destination.v6.flips());
  });
  Piece all;
  all.candidates = candidates;
  for (const Side side : both_sides)
    if (scene_.images[side])
      for (const Image& image : *scene_.images[side]) all.images[side].push_back(&image);
  if (!boxes.empty()) together(boxes, all);
  return std::move(cells_);
}

}  // namespace

Sides<Candidates> candidates(const Comparison& comparison, const Sides<Seen>& seen) {
  Sides<Candidates> result;
  for (const Side side : both_sides) {
    const Policy& policy = comparison.policy(side);
    GroupMemory groups(policy, seen[side]);
    for (ListId l = 0; l < policy.lists.size(); ++l) {
      const std::vector<Rule>& rules = policy.lists[l].rules;
      for (std::uint32_t i = 0; i < rules.size(); ++i)
        if (takes_part(rules[i]) && groups.may_meet(rules[i])) result[side].push_back({l, i});
    }
  }
  return result;
}

std::vector<Cell> changed_cells(const Comparison& comparison, Signatures& signatures, const Scene& scene,
                                const Sides<Candidates>& candidates, Budget& budget) {
  return Cutter(comparison, signatures, scene, budget).cells(candidates);
}

CellAnswer answer_for(const Comparison& comparison, Signatures& signatures, Side side, const Context& context,
                      const Packet& packet) {
  Budget budget;
  const Box box{AddressSet(packet.source), AddressSet(packet.destination),
                ProtocolSet(packet.protocol, packet.protocol),
                PortSet(packet.source_port, packet.source_port),
                PortSet(packet.destination_port, packet.destination_port)};
  Candidates all;
  const Policy& policy = comparison.policy(side);
  for (ListId l = 0; l < policy.lists.size(); ++l)
    for (std::uint32_t i = 0; i < policy.lists[l].rules.size(); ++i)
      if (takes_part(policy.lists[l].rules[i])) all.push_back({l, i});
  const auto answer = Walk(comparison, side, context, signatures, budget).answer(box, all);
  const auto* found = std::get_if<CellAnswer>(&answer);
  return found == nullptr ? CellAnswer{} : *found;
}

}  // namespace aclmend::difference
