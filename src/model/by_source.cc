// One destination and service, all its sources at once: what an audit asks.
//
// The source addresses are cut at every point where a rule of the slice begins or ends; each piece is painted
// by the first rule that possibly permits it and the first that possibly denies it, and closed by the first
// that certainly takes it. Union-find skips painted pieces, so a hostile list of a million hosts costs one
// sort; a group that many rules share is painted once. Lists that call others or change state go through
// `meaning`.
#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <unordered_set>

#include "model/canvas.h"
#include "model/match.h"
#include "model/question.h"

namespace aclmend::model {
namespace {

// The sources of one family with who took them; runs are ascending and disjoint.
template <class Point>
struct Run {
  Point first;
  Point last;
  Decider by;
};
template <class Point>
using Runs = std::vector<Run<Point>>;

struct Layer {  // both families
  Runs<V4> v4;
  Runs<V6> v6;
  bool empty() const { return v4.empty() && v6.empty(); }
  template <class Point>
  Runs<Point>& of() {
    if constexpr (sizeof(Point) == sizeof(V4)) return v4;
    else return v6;
  }
  template <class Point>
  const Runs<Point>& of() const {
    return const_cast<Layer*>(this)->of<Point>();
  }
};

template <class Point>
const FlipSet<Point>& family_of(const AddressSet& set) {
  if constexpr (sizeof(Point) == sizeof(V4)) return set.v4;
  else return set.v6;
}

// Sources on their way: everything but the source address is one point.
struct Stream {
  Layer sources;
  View view;
};

// Who possibly permits and who possibly denies: layers may overlap, the first that holds a source speaks for
// it.
struct Answer {
  std::vector<Layer> permitted, denied;
};

// A rule that destination and service let through to the question of sources.
struct Candidate {
  Index rule;       // in the list
  Index list;       // position in the stage
  bool is_certain;  // but for the source
  Action action;    // the rule's: asked a piece at a time, in no order
};

// ---- the walk -----------------------------------------------------------------------------------------

class Walk {
 public:
  // Walks with one source port; where rules of the slice cut the asked source ports is added to `port_cuts`.
  Walk(const Policy& policy, const Context& context, const Slice& slice, std::uint16_t source_port,
       std::set<std::uint16_t>& port_cuts)
      : policy_(policy), context_(context), slice_(slice), source_port_(source_port), port_cuts_(port_cuts) {}

  // None when a list on the way is not a plain one.
  std::optional<Answer> through_all(Layer sources);

 private:
  std::vector<Stream> through(NodeId node, const Context& context, std::vector<Stream> streams);
  std::vector<Stream> through(NodeId node, const Stage& stage, const Context& context, const Stream& stream);
  std::vector<Stream> through(NodeId node, const Branch& branch, const Context& context,
                              const Stream& stream);
  std::vector<Candidate> candidates(const Stage& stage, const Context& context, const View& view);
  template <class Point>
  void paint(NodeId node, const Stage& stage, const std::vector<Candidate>& candidates, const Stream& stream,
             std::vector<Stream>& accepted, Layer& denied);
  template <class Point>
  std::vector<Point> cuts_of(const std::vector<Candidate>& candidates, const Stage& stage,
                             const Runs<Point>& runs) const;
  const Rule& rule_of(const Stage& stage, const Candidate& candidate) const {
    return policy_.lists[stage.lists[candidate.list]].rules[candidate.rule];
  }
  Stream& stream_for(std::vector<Stream>& accepted, const View& view);
  void deny(Layer layer) {
    if (!layer.empty()) denied_.push_back(std::move(layer));
  }

  const Policy& policy_;
  const Context& context_;
  const Slice& slice_;
  std::uint16_t source_port_;
  std::set<std::uint16_t>& port_cuts_;
  std::vector<Layer> permitted_, denied_;
  bool is_plain_ = true;
};

bool inside(PortRange range, std::uint16_t port) { return port >= range.first && port <= range.last; }

// Fit of protocol and destination port; `ports` takes the points where the rule cuts the source ports.
Fit service_fit(const Policy& policy, const ServiceTerm& term, const Packet& header,
                std::set<std::uint16_t>& ports) {
  const auto cut = [&](std::uint16_t first, std::uint16_t last) {
    if (first != 0) ports.insert(first);
    if (last != 65535) ports.insert(static_cast<std::uint16_t>(last + 1));
  };
  if (term.kind == ServiceTerm::Kind::any) return Fit::certain;
  if (term.kind == ServiceTerm::Kind::literal) {
    if (term.protocol != header.protocol || !inside(term.destination, header.destination_port))
      return Fit::no;
    cut(term.source.first, term.source.last);
    return inside(term.source, header.source_port) ? Fit::certain : Fit::no;
  }
  const auto& services = policy.service_groups[term.group_id].services;
  const auto holds = [&](const ServiceSet& set) {
    bool found = false;
    for (const ServiceBox& box : set) {
      if (!box.protocol.contains(header.protocol) || !box.destination.contains(header.destination_port))
        continue;
      for (const auto& [first, last] : box.source.intervals()) cut(first, last);
      found = found || box.source.contains(header.source_port);
    }
    return found;
  };
  const bool is_possible = holds(services.possible);
  return holds(services.certain) ? Fit::certain : is_possible ? Fit::possible : Fit::no;
}

Fit destination_fit(const Policy& policy, AddressTerm term, Address address) {
  switch (term.kind) {
    case AddressTerm::Kind::any: return Fit::certain;
    case AddressTerm::Kind::any4: return address.is_v4() ? Fit::certain : Fit::no;
    case AddressTerm::Kind::any6: return address.is_v4() ? Fit::no : Fit::certain;
    case AddressTerm::Kind::v4:
      return address.is_v4() && (address.as_v4() & netmask(term.length)) == term.value ? Fit::certain
                                                                                       : Fit::no;
    case AddressTerm::Kind::group: {
      const auto& set = policy.groups[term.value].addresses;
      return set.certain.contains(address)    ? Fit::certain
             : set.possible.contains(address) ? Fit::possible
                                              : Fit::no;
    }
  }
  return Fit::no;
}

bool is_plain(Action action) {
  switch (action) {
    case Action::permit:
    case Action::deny:
    case Action::accept:
    case Action::pass:
    case Action::translate: return true;
    case Action::change_state:
    case Action::program_decides:
    case Action::unknown:
    case Action::jump:
    case Action::go_to:
    case Action::return_to_caller: return false;
  }
  return false;
}

// Group answers are the same for every rule that names the group: asked once a group.
class DestinationMemory {
 public:
  DestinationMemory(const Policy& policy, const View& view, Address wire)
      : policy_(policy), address_(view.destination_of(wire)), is_own_(view.is_own()) {
    known_.resize(policy.groups.size(), unknown);
  }
  Fit fit(AddressTerm term) {
    if (term.kind != AddressTerm::Kind::group) return ask(term);
    std::uint8_t& known = known_[term.value];
    if (known == unknown) known = static_cast<std::uint8_t>(ask(term));
    return static_cast<Fit>(known);
  }

 private:
  Fit ask(AddressTerm term) const {
    return is_own_ ? own_fit(policy_, term, address_.family).fit : destination_fit(policy_, term, address_);
  }
  static constexpr std::uint8_t unknown = 255;
  const Policy& policy_;
  Address address_;
  bool is_own_;
  std::vector<std::uint8_t> known_;
};

std::vector<Candidate> Walk::candidates(const Stage& stage, const Context& context, const View& view) {
  std::vector<Candidate> found;
  bool has_permit = false, has_accept = false;
  Packet header;
  header.destination = view.destination_of(slice_.destination);
  header.protocol = slice_.protocol;
  header.source_port = source_port_;
  header.destination_port = view.port_of(slice_.destination_port);
  const Position position{{}, view, slice_.destination, slice_.destination_port};
  DestinationMemory destinations(policy_, view, slice_.destination);
  for (Index l = 0; l < stage.lists.size(); ++l) {
    const std::vector<Rule>& rules = policy_.lists[stage.lists[l]].rules;
    for (Index i = 0; i < rules.size(); ++i) {
      const Rule& rule = rules[i];
      if (!rule.enabled) continue;
      const Fit destination = destinations.fit(rule.destination);
      if (destination == Fit::no) continue;
      const Fit service = service_fit(policy_, rule.service, header, port_cuts_);
      if (service == Fit::no) continue;
      const Fit qualifier =
          rule.qualifier == 0
              ? Fit::certain
              : qualifier_fit(policy_, context, policy_.qualifiers[rule.qualifier], position).fit;
      if (qualifier == Fit::no) continue;
      const bool is_certain = std::min({service, destination, qualifier}) == Fit::certain;
      const bool is_group = rule.source.kind == AddressTerm::Kind::group;
      const bool is_open = !is_certain || (is_group && policy_.groups[rule.source.value].addresses.is_open());
      // One who possibly translates hides the next, which leads elsewhere; so does an accept before a permit.
      if (!is_plain(rule.action) || (rule.action == Action::translate && is_open)) is_plain_ = false;
      (rule.action == Action::permit ? has_permit : has_accept) |=
          rule.action != Action::deny && rule.action != Action::pass;
      found.push_back({i, l, is_certain, rule.action});
    }
  }
  if (has_permit && (has_accept || stage.otherwise != Stage::Default::deny)) is_plain_ = false;
  return found;
}

template <class Point>
void append_cut(std::vector<Point>& cuts, Point first, Point last) {
  cuts.push_back(first);
  if (last != last_point<Point>) cuts.push_back(static_cast<Point>(last + 1));
}

// Calls visit(first, last) for each interval of the term's set in this family.
template <class Point, class Visit>
void for_each_interval(const Policy& policy, AddressTerm term, const AddressSet Partly<AddressSet>::* part,
                       Visit visit) {
  constexpr bool is_v4 = sizeof(Point) == sizeof(V4);
  switch (term.kind) {
    case AddressTerm::Kind::any: visit(Point{0}, last_point<Point>); return;
    case AddressTerm::Kind::any4:
      if (is_v4) visit(Point{0}, last_point<Point>);
      return;
    case AddressTerm::Kind::any6:
      if (!is_v4) visit(Point{0}, last_point<Point>);
      return;
    case AddressTerm::Kind::v4:
      if (is_v4)
        visit(static_cast<Point>(term.value), static_cast<Point>(term.value | ~netmask(term.length)));
      return;
    case AddressTerm::Kind::group: {
      const FlipSet<Point>& set = family_of<Point>(policy.groups[term.value].addresses.*part);
      for (std::size_t i = 0; i < set.interval_count(); ++i)
        visit(set.interval(i).first, set.interval(i).last);
      return;
    }
  }
}

template <class Point>
std::vector<Point> Walk::cuts_of(const std::vector<Candidate>& candidates, const Stage& stage,
                                 const Runs<Point>& runs) const {
  std::vector<Point> cuts;
  for (const Run<Point>& run : runs) append_cut(cuts, run.first, run.last);
  std::unordered_set<Index> seen_groups;
  for (const Candidate& candidate : candidates) {
    const AddressTerm term = rule_of(stage, candidate).source;
    if (term.kind == AddressTerm::Kind::group && !seen_groups.insert(term.value).second) continue;
    const auto append = [&](Point first, Point last) { append_cut(cuts, first, last); };
    for_each_interval<Point>(policy_, term, &Partly<AddressSet>::possible, append);
    if (term.kind == AddressTerm::Kind::group && policy_.groups[term.value].addresses.is_open())
      for_each_interval<Point>(policy_, term, &Partly<AddressSet>::certain, append);
  }
  sort_unique(cuts);
  return cuts;
}

Stream& Walk::stream_for(std::vector<Stream>& accepted, const View& view) {
  const auto found = std::ranges::find(accepted, view, &Stream::view);
  if (found != accepted.end()) return *found;
  accepted.push_back({{}, view});
  return accepted.back();
}

template <class Point>
void append_run(Runs<Point>& runs, Point first, Point last, Decider by) {
  if (!runs.empty() && runs.back().by == by && runs.back().last != last_point<Point> &&
      static_cast<Point>(runs.back().last + 1) == first)
    runs.back().last = last;
  else runs.push_back({first, last, by});
}

template <class Point>
void Walk::paint(NodeId node, const Stage& stage, const std::vector<Candidate>& candidates,
                 const Stream& stream, std::vector<Stream>& accepted, Layer& denied) {
  const Runs<Point>& runs = stream.sources.of<Point>();
  if (runs.empty()) return;
  Canvas<Point> canvas(cuts_of<Point>(candidates, stage, runs));
  // What a group has painted once it need not paint again: bit 0 accept, 1 deny, 2 closed.
  std::vector<std::uint8_t> painted(policy_.groups.size(), 0);
  for (Index c = 0; c < candidates.size(); ++c) {
    const Rule& rule = rule_of(stage, candidates[c]);
    if (rule.action == Action::pass) continue;
    const bool accepts = rule.action != Action::deny;
    const bool is_group = rule.source.kind == AddressTerm::Kind::group;
    const std::uint8_t paint_bit = accepts ? 1 : 2;
    if (!is_group || (painted[rule.source.value] & (paint_bit | 4)) == 0) {
      for_each_interval<Point>(policy_, rule.source, &Partly<AddressSet>::possible,
                               [&](Point first, Point last) {
                                 if (accepts) canvas.may_accept(first, last, c);
                                 else canvas.may_deny(first, last, c);
                               });
    }
    const bool closes_all =
        candidates[c].is_certain && (!is_group || !policy_.groups[rule.source.value].addresses.is_open());
    if (candidates[c].is_certain && (!is_group || (painted[rule.source.value] & 4) == 0))
      for_each_interval<Point>(policy_, rule.source, &Partly<AddressSet>::certain,
                               [&](Point first, Point last) { canvas.close(first, last, c); });
    if (is_group)
      painted[rule.source.value] =
          static_cast<std::uint8_t>(painted[rule.source.value] | paint_bit | (closes_all ? 4 : 0));
  }

  const Decider by_default{std::nullopt, node};
  const auto decider = [&](Index candidate) {
    return Decider{RuleRef{stage.lists[candidates[candidate].list], candidates[candidate].rule},
                   std::nullopt};
  };
  const auto accept = [&](Point first, Point last, Decider by, const View& view) {
    append_run(stream_for(accepted, view).sources.of<Point>(), first, last, by);
  };
  Index piece = 0;
  for (const Run<Point>& run : runs) {
    for (piece = canvas.begin_of(run.first); piece < canvas.size() && canvas.first(piece) <= run.last;
         ++piece) {
      const Point first = canvas.first(piece);
      const Point last = canvas.last(piece);
      // Of several that possibly take it, the one that certainly does is told: a rule, or else the default.
      const Index closer = canvas.closed_by(piece);
      const bool is_closed = closer != nobody;
      const bool closer_denies = is_closed && candidates[closer].action == Action::deny;
      if (!is_closed && stage.otherwise != Stage::Default::deny) {
        const bool is_said =
            stage.names_permit && (stage.otherwise == Stage::Default::unknown || !stage.implicit.empty());
        accept(first, last, is_said ? by_default : run.by, stream.view);
      } else if (const Index by = is_closed && !closer_denies ? closer : canvas.accepted_by(piece);
                 by != nobody) {
        const Decider said = stage.names_permit ? decider(by) : run.by;
        if (candidates[by].action == Action::permit) {
          append_run(permitted_.back().of<Point>(), first, last, decider(by));
        } else if (candidates[by].action == Action::translate) {
          const Rule& rule = rule_of(stage, candidates[by]);
          const auto views = translated_views(stream.view, policy_.translations[rule.target]);
          if (!views || !can_take(policy_.translations[rule.target], slice_.destination.family))
            is_plain_ = false;
          else
            for (const View& view : *views) accept(first, last, said, view);
        } else {
          accept(first, last, said, stream.view);
        }
      }
      if (!is_closed && stage.otherwise != Stage::Default::accept)
        append_run(denied.of<Point>(), first, last, by_default);
      else if (const Index by = closer_denies ? closer : canvas.denied_by(piece); by != nobody)
        append_run(denied.of<Point>(), first, last, decider(by));
    }
  }
}

std::vector<Stream> Walk::through(NodeId node, const Stage& stage, const Context& context,
                                  const Stream& stream) {
  const std::vector<Candidate> found = candidates(stage, context, stream.view);
  std::vector<Stream> accepted;
  if (!is_plain_) return accepted;
  Layer denied;
  permitted_.emplace_back();
  paint<V4>(node, stage, found, stream, accepted, denied);
  paint<V6>(node, stage, found, stream, accepted, denied);
  if (permitted_.back().empty()) permitted_.pop_back();
  deny(std::move(denied));
  return accepted;
}

std::vector<Stream> Walk::through(NodeId node, const Branch& branch, const Context& context,
                                  const Stream& stream) {
  std::vector<Stream> accepted;
  const Entries into = entries(branch, context, stream.view, slice_.destination);
  if (into.is_denied) {
    Layer layer = stream.sources;
    for (auto& run : layer.v4) run.by = {std::nullopt, node};
    for (auto& run : layer.v6) run.by = {std::nullopt, node};
    deny(std::move(layer));
  } else if (into.ways.empty()) {
    permitted_.push_back(stream.sources);
    deny(stream.sources);
  }
  for (const Entry& way : into.ways) {
    const NodeId to = way.index < branch.cases.size() ? branch.cases[way.index].node : *branch.otherwise;
    for (Stream& through_it :
         through(to, inside(context, branch.dimension, way.known), std::vector<Stream>{stream}))
      accepted.push_back(std::move(through_it));
  }
  return accepted;
}

std::vector<Stream> Walk::through(NodeId node, const Context& context, std::vector<Stream> streams) {
  const Node& here = policy_.nodes[node];
  if (const auto* serial = std::get_if<Serial>(&here)) {
    for (const NodeId next : serial->nodes) streams = through(next, context, std::move(streams));
    return streams;
  }
  std::vector<Stream> accepted;
  for (const Stream& stream : streams) {
    if (stream.sources.empty() || !is_plain_) continue;
    const auto* stage = std::get_if<Stage>(&here);
    for (Stream& one : stage != nullptr ? through(node, *stage, context, stream)
                                        : through(node, std::get<Branch>(here), context, stream))
      accepted.push_back(std::move(one));
  }
  return accepted;
}

std::optional<Answer> Walk::through_all(Layer sources) {
  for (Stream& stream : through(policy_.root, context_, std::vector<Stream>{{std::move(sources), {}}}))
    permitted_.push_back(std::move(stream.sources));
  if (!is_plain_) return std::nullopt;
  return Answer{std::move(permitted_), std::move(denied_)};
}

// ---- putting the layers together ----------------------------------------------------------------------

// A run of sources with what possibly permits and what possibly denies them.
template <class Point>
struct Verdicts {
  Point first;
  Point last;
  Decider permit_by, deny_by;
  bool may_permit = false, may_deny = false;
  bool continues_in(const Verdicts& next) const {
    return static_cast<Point>(last + 1) == next.first && permit_by == next.permit_by &&
           deny_by == next.deny_by && may_permit == next.may_permit && may_deny == next.may_deny;
  }
  Verdict verdict() const {
    return may_permit && may_deny ? Verdict::unknown : may_permit ? Verdict::permit : Verdict::deny;
  }
};

template <class Point>
std::vector<Verdicts<Point>> joined(const Answer& answer) {
  std::vector<Point> cuts;
  for (const auto* layers : {&answer.permitted, &answer.denied})
    for (const Layer& layer : *layers)
      for (const Run<Point>& run : layer.of<Point>()) append_cut(cuts, run.first, run.last);
  sort_unique(cuts);
  // The first layer that holds the point; each layer's position moves along with the sweep.
  std::vector<std::size_t> at_permitted(answer.permitted.size(), 0), at_denied(answer.denied.size(), 0);
  const auto find = [](const std::vector<Layer>& layers, std::vector<std::size_t>& at, Point point) {
    const Run<Point>* found = nullptr;
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const Runs<Point>& runs = layers[l].template of<Point>();
      while (at[l] < runs.size() && runs[at[l]].last < point) ++at[l];
      if (found == nullptr && at[l] < runs.size() && runs[at[l]].first <= point) found = &runs[at[l]];
    }
    return found;
  };
  std::vector<Verdicts<Point>> out;
  out.reserve(cuts.size());
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const Run<Point>* permit = find(answer.permitted, at_permitted, cuts[i]);
    const Run<Point>* deny = find(answer.denied, at_denied, cuts[i]);
    if (permit == nullptr && deny == nullptr) continue;  // between the sources asked about
    const Point last = i + 1 == cuts.size() ? last_point<Point> : static_cast<Point>(cuts[i + 1] - 1);
    Verdicts<Point> piece{cuts[i], last, {}, {}, permit != nullptr, deny != nullptr};
    if (permit != nullptr) piece.permit_by = permit->by;
    if (deny != nullptr) piece.deny_by = deny->by;
    if (!out.empty() && out.back().continues_in(piece)) out.back().last = last;
    else out.push_back(piece);
  }
  return out;
}

// What one set of source ports, all alike, gets.
struct PortClass {
  PortSet ports;
  Answer answer;
};

// Several port classes laid over each other, each source with the worst of its verdicts.
template <class Point>
void append_ranges(std::vector<SourceRange>& out, const std::vector<PortClass>& classes) {
  constexpr Family family = sizeof(Point) == sizeof(V4) ? Family::ipv4 : Family::ipv6;
  std::vector<std::vector<Verdicts<Point>>> verdicts;
  std::vector<Point> cuts;
  for (const PortClass& one : classes) {
    verdicts.push_back(joined<Point>(one.answer));
    if (classes.size() > 1)
      for (const auto& piece : verdicts.back()) append_cut(cuts, piece.first, piece.last);
  }
  const auto range = [&](Point first, Point last, const Verdicts<Point>& of, Verdict verdict,
                         PortSet denied_ports) {
    out.push_back(
        {{family, first}, {family, last}, verdict, of.permit_by, of.deny_by, std::move(denied_ports)});
  };
  if (classes.size() == 1) {
    out.reserve(out.size() + verdicts[0].size());
    for (const auto& piece : verdicts[0]) range(piece.first, piece.last, piece, piece.verdict(), {});
    return;
  }
  sort_unique(cuts);
  std::vector<std::size_t> at(classes.size(), 0);
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const Verdicts<Point>* worst = nullptr;
    PortSet denied;
    bool all_denied = true;
    const auto rank = [](Verdict verdict) {
      return verdict == Verdict::deny ? 2 : verdict == Verdict::unknown ? 1 : 0;
    };
    for (std::size_t c = 0; c < classes.size(); ++c) {
      while (at[c] < verdicts[c].size() && verdicts[c][at[c]].last < cuts[i]) ++at[c];
      if (at[c] == verdicts[c].size() || verdicts[c][at[c]].first > cuts[i]) continue;
      const Verdicts<Point>& here = verdicts[c][at[c]];
      if (worst == nullptr || rank(here.verdict()) > rank(worst->verdict())) worst = &here;
      if (here.verdict() == Verdict::deny) denied |= classes[c].ports;
      else all_denied = false;
    }
    if (worst == nullptr) continue;
    const Point last = i + 1 == cuts.size() ? last_point<Point> : static_cast<Point>(cuts[i + 1] - 1);
    range(cuts[i], last, *worst, worst->verdict(), all_denied ? PortSet{} : denied);
  }
}

Layer layer_of(const AddressSet& sources, Decider by) {
  Layer layer;
  for (const auto& [first, last] : sources.v4.intervals()) layer.v4.push_back({first, last, by});
  for (const auto& [first, last] : sources.v6.intervals()) layer.v6.push_back({first, last, by});
  return layer;
}

// The ports of `asked` between neighbouring cuts.
std::vector<PortSet> port_classes(const PortSet& asked, const std::set<std::uint16_t>& cuts) {
  std::vector<PortSet> classes;
  std::uint32_t first = 0;
  const auto append = [&](std::uint32_t last) {
    PortSet ports = asked & PortSet(static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last));
    if (!ports.empty()) classes.push_back(std::move(ports));
    first = last + 1;
  };
  for (const std::uint16_t cut : cuts) append(cut - 1U);
  append(65535);
  return classes;
}

// Hostile source ports: every class is a walk of its own, so there is a limit, and beyond it all is unknown.
constexpr std::size_t most_classes = 256;

std::optional<std::vector<PortClass>> plain_answers(const Policy& policy, const Context& context,
                                                    const Slice& slice, const AddressSet& sources) {
  std::set<std::uint16_t> cuts;
  std::map<std::uint16_t, Answer> by_port;  // of the lowest port of a class
  while (true) {
    const std::vector<PortSet> classes = port_classes(slice.source_ports, cuts);
    if (classes.size() > most_classes) {
      const Layer all = layer_of(sources, {});
      return std::vector<PortClass>{{slice.source_ports, {{all}, {all}}}};
    }
    const auto to_do = std::ranges::find_if(
        classes, [&](const PortSet& ports) { return !by_port.contains(ports.interval(0).first); });
    if (to_do == classes.end()) {
      std::vector<PortClass> done;
      for (const PortSet& ports : classes)
        done.push_back({ports, std::move(by_port.at(ports.interval(0).first))});
      return done;
    }
    const std::uint16_t port = to_do->interval(0).first;
    auto answer = Walk(policy, context, slice, port, cuts).through_all(layer_of(sources, {}));
    if (!answer) return std::nullopt;
    by_port.emplace(port, std::move(*answer));
  }
}

// The same out of the general walk, for lists that call others or change what packets carry. The answers are
// told by source or by destination address, whichever side of the region is the wide one.
std::vector<PortClass> general_answers(const Policy& policy, const Context& context, const Box& region,
                                       AddressSet Box::* side) {
  const Meaning all = meaning(policy, context, PacketSet(region));
  std::set<std::uint16_t> cuts;
  for (const Outcome& outcome : all.outcomes)
    for (const Box& box : outcome.packets.boxes())
      for (const std::uint16_t flip : box.source_port.flips())
        if (flip != 0) cuts.insert(flip);
  std::vector<PortClass> classes;
  for (PortSet& ports : port_classes(region.source_port, cuts)) {
    Answer answer;
    for (const Outcome& outcome : all.outcomes)
      for (const Box& box : outcome.packets.boxes())
        if (box.source_port.contains(ports.interval(0).first))
          (outcome.is_permit ? answer.permitted : answer.denied)
              .push_back(layer_of(box.*side, outcome.decider));
    classes.push_back({std::move(ports), std::move(answer)});
  }
  return classes;
}

std::vector<SourceRange> ranges_of(const std::vector<PortClass>& classes) {
  std::vector<SourceRange> ranges;
  append_ranges<V4>(ranges, classes);
  append_ranges<V6>(ranges, classes);
  return ranges;
}

// A packet has one family: that of the single address at its other end.
AddressSet of_family(const AddressSet& set, Family family) { return set & AddressSet::all(family); }

}  // namespace

std::vector<SourceRange> by_source(const Policy& policy, const Context& context, const Slice& slice,
                                   const AddressSet& sources) {
  const AddressSet asked = of_family(sources, slice.destination.family);
  if (!context.chain)
    if (const auto classes = plain_answers(policy, context, slice, asked)) return ranges_of(*classes);
  const Box region{asked, AddressSet(slice.destination), ProtocolSet(slice.protocol, slice.protocol),
                   slice.source_ports, PortSet(slice.destination_port, slice.destination_port)};
  return ranges_of(general_answers(policy, context, region, &Box::source));
}

std::vector<SourceRange> by_destination(const Policy& policy, const Context& context, Address source,
                                        const Slice& slice, const AddressSet& destinations) {
  const Box region{AddressSet(source), of_family(destinations, source.family),
                   ProtocolSet(slice.protocol, slice.protocol), slice.source_ports,
                   PortSet(slice.destination_port, slice.destination_port)};
  return ranges_of(general_answers(policy, context, region, &Box::destination));
}

}  // namespace aclmend::model
