// One destination and service, all its sources at once: what an audit asks.
//
// The source addresses are cut at every point where a rule of the slice begins or ends; each piece is painted
// by the first rule that possibly permits it and the first that possibly denies it, and closed by the first
// that certainly takes it. Union-find skips painted pieces, so a hostile list of a million hosts costs one
// sort; a group that many rules share is painted once, and so is a list that many rules call (effect.h).
// What cannot be painted (calls in a circle, pools without bounds) goes through `meaning`.
#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "model/effect.h"
#include "model/question.h"

namespace aclmend::model {
namespace {

// Sources on their way: everything but the source address is one point.
template <class Point>
struct Stream {
  Runs<Point> sources;  // with who let them through last
  View view;
  State state;
};

// Who possibly permits and who possibly denies.
template <class Point>
struct Answer {
  Runs<Point> permitted, denied;
};

// ---- the walk -----------------------------------------------------------------------------------------

template <class Point>
class Walk {
 public:
  // Walks with one source port; where rules of the slice cut the asked source ports is added to `port_cuts`.
  Walk(const Policy& policy, const Context& context, const Slice& slice, std::uint16_t source_port,
       std::set<std::uint16_t>& port_cuts, Effort& effort)
      : policy_(policy),
        context_(context),
        slice_(slice),
        source_port_(source_port),
        port_cuts_(port_cuts),
        effort_(effort),
        desk_(policy) {}

  // None when it cannot be painted.
  std::optional<Answer<Point>> through_all(const FlipSet<Point>& sources);

 private:
  using Streams = std::vector<Stream<Point>>;
  Streams through(NodeId node, const Context& context, Streams streams);
  Streams through(NodeId node, const Stage& stage, const Context& context, const Stream<Point>& stream);
  Streams through(NodeId node, const Branch& branch, const Context& context, const Stream<Point>& stream);
  void through_chain(const Stream<Point>& stream);
  std::optional<Effect<Point>> effect(const std::vector<ListId>& lists, const Context& context,
                                      const Stream<Point>& stream);
  Looks& looks_behind(const View& view);

  const Policy& policy_;
  const Context& context_;
  const Slice& slice_;
  std::uint16_t source_port_;
  std::set<std::uint16_t>& port_cuts_;
  Effort& effort_;
  Desk desk_;
  std::map<View, Looks> looks_;
  Collected<Point> permitted_, denied_;
  bool is_painted_ = true;
};

template <class Point>
Looks& Walk<Point>::looks_behind(const View& view) {
  if (const auto found = looks_.find(view); found != looks_.end()) return found->second;
  Packet header;
  header.destination = view.destination_of(slice_.destination);
  header.protocol = slice_.protocol;
  header.source_port = source_port_;
  header.destination_port = view.port_of(slice_.destination_port);
  return looks_.try_emplace(view, policy_, view, header, port_cuts_).first->second;
}

// Streams that came by several ways and are alike now: one.
template <class Point>
class Gathered {
 public:
  void add(const View& view, const State& state, const Runs<Point>& runs) {
    if (!runs.empty()) streams_[{view, state}].add(runs);
  }
  std::vector<Stream<Point>> take() {
    std::vector<Stream<Point>> streams;
    for (auto& [key, runs] : streams_) streams.push_back({runs.take(), key.first, key.second});
    return streams;
  }

 private:
  std::map<std::pair<View, State>, Collected<Point>> streams_;
};

template <class Point>
Runs<Point> with(Runs<Point> runs, By by) {
  for (Run<Point>& run : runs) run.by = by;
  return runs;
}

// The runs, each said by who speaks for its sources in the other ones.
template <class Point>
Runs<Point> said_by(const Runs<Point>& runs, const Runs<Point>& others) {
  Runs<Point> said;
  for (const Run<Point>& run : runs)
    for_each_between(others, run.first, run.last, [&](Point first, Point last, const Run<Point>& other) {
      append_run(said, {first, last, other.by});
    });
  return said;
}

template <class Point>
std::optional<Effect<Point>> Walk<Point>::effect(const std::vector<ListId>& lists, const Context& context,
                                                 const Stream<Point>& stream) {
  const Position at{stream.state, stream.view, slice_.destination, slice_.destination_port};
  auto effect = Painter<Point>(policy_, context, at, looks_behind(stream.view), desk_, effort_)
                    .of(lists, sources_of(stream.sources));
  if (!effect) is_painted_ = false;
  return effect;
}

template <class Point>
std::vector<Stream<Point>> Walk<Point>::through(NodeId node, const Stage& stage, const Context& context,
                                                const Stream<Point>& stream) {
  const auto effect = this->effect(stage.lists, context, stream);
  if (!effect) return {};
  Gathered<Point> accepted;
  const By by_default = By::stage(node);
  const auto said = [&](const Runs<Point>& runs, bool names) {
    return names ? runs : said_by(runs, stream.sources);
  };
  // Of several that possibly take it, the one that certainly does is told: a rule, or else the default.
  for (const auto& [way, runs] : effect->sheets) {
    if (way.end != Way::End::fallen_out) continue;
    if (stage.otherwise != Stage::Default::deny) {
      const bool is_said =
          stage.names_permit && (stage.otherwise == Stage::Default::unknown || !stage.implicit.empty());
      accepted.add(stream.view, way.state, said(with(runs, by_default), is_said));
    }
    if (stage.otherwise != Stage::Default::accept) denied_.add(with(runs, by_default));
  }
  for (const auto& [way, runs] : effect->sheets) switch (way.end) {
      case Way::End::denied: denied_.add(runs); break;
      case Way::End::permitted: permitted_.add(runs); break;
      case Way::End::accepted: accepted.add(stream.view, way.state, said(runs, stage.names_permit)); break;
      case Way::End::translated: {
        const Translation& translation = policy_.translations[way.translation];
        const auto views = translated_views(stream.view, translation);
        if (!views || !can_take(translation, slice_.destination.family)) {
          is_painted_ = false;
          break;
        }
        for (const View& view : *views) accepted.add(view, way.state, said(runs, stage.names_permit));
        break;
      }
      case Way::End::fallen_out: break;
    }
  return accepted.take();
}

template <class Point>
std::vector<Stream<Point>> Walk<Point>::through(NodeId node, const Branch& branch, const Context& context,
                                                const Stream<Point>& stream) {
  const Entries into = entries(branch, context, stream.view, slice_.destination);
  if (into.is_denied) {
    denied_.add(with(stream.sources, By::stage(node)));
  } else if (into.ways.empty()) {
    permitted_.add(stream.sources);
    denied_.add(stream.sources);
  }
  Gathered<Point> accepted;
  for (const Entry& way : into.ways) {
    const NodeId to = way.index < branch.cases.size() ? branch.cases[way.index].node : *branch.otherwise;
    for (const Stream<Point>& passed :
         through(to, inside(context, branch.dimension, way.known), Streams{stream}))
      accepted.add(passed.view, passed.state, passed.sources);
  }
  return accepted.take();
}

template <class Point>
std::vector<Stream<Point>> Walk<Point>::through(NodeId node, const Context& context, Streams streams) {
  const Node& here = policy_.nodes[node];
  if (const auto* serial = std::get_if<Serial>(&here)) {
    for (const NodeId next : serial->nodes) streams = through(next, context, std::move(streams));
    return streams;
  }
  Gathered<Point> accepted;
  for (const Stream<Point>& stream : streams) {
    if (!is_painted_) return {};
    const auto* stage = std::get_if<Stage>(&here);
    for (const Stream<Point>& one : stage != nullptr ? through(node, *stage, context, stream)
                                                     : through(node, std::get<Branch>(here), context, stream))
      accepted.add(one.view, one.state, one.sources);
  }
  return accepted.take();
}

// One list asked alone.
template <class Point>
void Walk<Point>::through_chain(const Stream<Point>& stream) {
  const auto effect = this->effect({*context_.chain}, context_, stream);
  if (!effect) return;
  for (const auto& [way, runs] : effect->sheets) {
    const bool is_denied = way.end == Way::End::denied;
    const bool falls_out = way.end == Way::End::fallen_out;
    if (is_denied || falls_out) denied_.add(runs);
    if (!is_denied && !(falls_out && policy_.lists[*context_.chain].ends_in_deny)) permitted_.add(runs);
    if (way.end == Way::End::translated) {
      const Translation& translation = policy_.translations[way.translation];
      if (!translated_views(stream.view, translation) || !can_take(translation, slice_.destination.family))
        is_painted_ = false;
    }
  }
}

template <class Point>
std::optional<Answer<Point>> Walk<Point>::through_all(const FlipSet<Point>& sources) {
  Runs<Point> all;
  for (const auto& [first, last] : sources.intervals()) all.push_back({first, last});
  const Stream<Point> asked{std::move(all), {}, {}};
  if (asked.sources.empty()) return Answer<Point>{};
  if (context_.chain) through_chain(asked);
  else
    for (const Stream<Point>& stream : through(policy_.root, context_, {asked}))
      permitted_.add(stream.sources);
  if (!is_painted_) return std::nullopt;
  return Answer<Point>{permitted_.take(), denied_.take()};
}

// ---- putting the answers together ---------------------------------------------------------------------

// A run of sources with what possibly permits and what possibly denies them.
template <class Point>
struct Verdicts {
  Point first;
  Point last;
  By permit_by, deny_by;
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
std::vector<Verdicts<Point>> joined(const Answer<Point>& answer) {
  std::vector<Point> cuts;
  for (const auto* runs : {&answer.permitted, &answer.denied})
    for (const Run<Point>& run : *runs) append_cut(cuts, run.first, run.last);
  sort_unique(cuts);
  std::vector<Verdicts<Point>> out;
  out.reserve(cuts.size());
  auto permit = answer.permitted.begin(), deny = answer.denied.begin();
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const auto holds = [&](const Runs<Point>& runs, auto& at) {
      while (at != runs.end() && at->last < cuts[i]) ++at;
      return at != runs.end() && at->first <= cuts[i];
    };
    Verdicts<Point> piece{cuts[i], last_point<Point>, {}, {}};
    if (i + 1 < cuts.size()) piece.last = static_cast<Point>(cuts[i + 1] - 1);
    piece.may_permit = holds(answer.permitted, permit);
    piece.may_deny = holds(answer.denied, deny);
    if (!piece.may_permit && !piece.may_deny) continue;  // between the sources asked about
    if (piece.may_permit) piece.permit_by = permit->by;
    if (piece.may_deny) piece.deny_by = deny->by;
    if (!out.empty() && out.back().continues_in(piece)) out.back().last = piece.last;
    else out.push_back(piece);
  }
  return out;
}

// What one set of source ports, all alike, gets.
template <class Point>
struct PortClass {
  PortSet ports;
  Answer<Point> answer;
};
template <class Point>
using PortClasses = std::vector<PortClass<Point>>;

// Several port classes laid over each other, each source with the worst of its verdicts.
template <class Point>
std::vector<SourceRange> ranges_of(const PortClasses<Point>& classes) {
  constexpr Family family = sizeof(Point) == sizeof(V4) ? Family::ipv4 : Family::ipv6;
  std::vector<SourceRange> out;
  std::vector<std::vector<Verdicts<Point>>> verdicts;
  std::vector<Point> cuts;
  for (const PortClass<Point>& one : classes) {
    verdicts.push_back(joined(one.answer));
    if (classes.size() > 1)
      for (const auto& piece : verdicts.back()) append_cut(cuts, piece.first, piece.last);
  }
  const auto range = [&](Point first, Point last, const Verdicts<Point>& of, Verdict verdict,
                         PortSet denied_ports) {
    out.push_back({{family, first},
                   {family, last},
                   verdict,
                   of.permit_by.decider(),
                   of.deny_by.decider(),
                   std::move(denied_ports)});
  };
  if (classes.size() == 1) {
    out.reserve(verdicts[0].size());
    for (const auto& piece : verdicts[0]) range(piece.first, piece.last, piece, piece.verdict(), {});
    return out;
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
  return out;
}

template <class Point>
Runs<Point> runs_of(const FlipSet<Point>& sources, By by) {
  Runs<Point> runs;
  for (const auto& [first, last] : sources.intervals()) runs.push_back({first, last, by});
  return runs;
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

// Painting a list once a way into it is what has to be; what calls and states add to that is bounded.
constexpr std::uint64_t most_effort = 10'000'000, effort_of_a_rule = 256;

Effort effort_for(const Policy& policy) {
  std::uint64_t rules = 0;
  for (const RuleList& list : policy.lists) rules += list.rules.size();
  return {most_effort + effort_of_a_rule * rules};
}

template <class Point>
std::optional<PortClasses<Point>> painted_answers(const Policy& policy, const Context& context,
                                                  const Slice& slice, const FlipSet<Point>& sources) {
  Effort effort = effort_for(policy);
  std::set<std::uint16_t> cuts;
  std::map<std::uint16_t, Answer<Point>> by_port;  // of the lowest port of a class
  while (true) {
    const std::vector<PortSet> classes = port_classes(slice.source_ports, cuts);
    if (classes.size() > most_classes) {
      const Runs<Point> all = runs_of(sources, {});
      return PortClasses<Point>{{slice.source_ports, {all, all}}};
    }
    const auto to_do = std::ranges::find_if(
        classes, [&](const PortSet& ports) { return !by_port.contains(ports.interval(0).first); });
    if (to_do == classes.end()) {
      PortClasses<Point> done;
      for (const PortSet& ports : classes)
        done.push_back({ports, std::move(by_port.at(ports.interval(0).first))});
      return done;
    }
    const std::uint16_t port = to_do->interval(0).first;
    auto answer = Walk<Point>(policy, context, slice, port, cuts, effort).through_all(sources);
    if (!answer) return std::nullopt;
    by_port.emplace(port, std::move(*answer));
  }
}

By by_of(const Decider& decider) {
  if (decider.rule) return By::rule(*decider.rule);
  if (decider.stage) return By::stage(*decider.stage);
  return {};
}

// The same out of the general walk. The answers are told by source or by destination address, whichever side
// of the region is the wide one.
template <class Point>
PortClasses<Point> general_answers(const Policy& policy, const Context& context, const Box& region,
                                   AddressSet Box::* side) {
  const Meaning all = meaning(policy, context, PacketSet(region));
  std::set<std::uint16_t> cuts;
  for (const Outcome& outcome : all.outcomes)
    for (const Box& box : outcome.packets.boxes())
      for (const std::uint16_t flip : box.source_port.flips())
        if (flip != 0) cuts.insert(flip);
  PortClasses<Point> classes;
  for (PortSet& ports : port_classes(region.source_port, cuts)) {
    Collected<Point> permitted, denied;
    for (const Outcome& outcome : all.outcomes)
      for (const Box& box : outcome.packets.boxes())
        if (box.source_port.contains(ports.interval(0).first))
          (outcome.is_permit ? permitted : denied)
              .add(runs_of(family_of<Point>(box.*side), by_of(outcome.decider)));
    classes.push_back({std::move(ports), {permitted.take(), denied.take()}});
  }
  return classes;
}

template <class Point>
std::vector<SourceRange> by_source_of(const Policy& policy, const Context& context, const Slice& slice,
                                      const AddressSet& sources) {
  if (const auto classes = painted_answers(policy, context, slice, family_of<Point>(sources)))
    return ranges_of(*classes);
  const Box region{sources & AddressSet::all(slice.destination.family), AddressSet(slice.destination),
                   ProtocolSet(slice.protocol, slice.protocol), slice.source_ports,
                   PortSet(slice.destination_port, slice.destination_port)};
  return ranges_of(general_answers<Point>(policy, context, region, &Box::source));
}

}  // namespace

// A packet has one family: that of the single address at its other end.
std::vector<SourceRange> by_source(const Policy& policy, const Context& context, const Slice& slice,
                                   const AddressSet& sources) {
  return slice.destination.is_v4() ? by_source_of<V4>(policy, context, slice, sources)
                                   : by_source_of<V6>(policy, context, slice, sources);
}

std::vector<SourceRange> by_destination(const Policy& policy, const Context& context, Address source,
                                        const Slice& slice, const AddressSet& destinations) {
  const Box region{AddressSet(source), destinations & AddressSet::all(source.family),
                   ProtocolSet(slice.protocol, slice.protocol), slice.source_ports,
                   PortSet(slice.destination_port, slice.destination_port)};
  return source.is_v4() ? ranges_of(general_answers<V4>(policy, context, region, &Box::destination))
                        : ranges_of(general_answers<V6>(policy, context, region, &Box::destination));
}

}  // namespace aclmend::model
