#include "model/effect.h"

#include <tuple>

namespace aclmend::model {
namespace {

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

Fit fit_of_address(const Policy& policy, AddressTerm term, Address address) {
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

// What each further pass over a list costs beside its rules.
constexpr std::uint64_t cost_of_a_pass = 100;

bool is_call(Action action) { return action == Action::jump || action == Action::go_to; }

template <class Point>
Interval<Point> hull(const FlipSet<Point>& set) {
  if (set.empty()) return {1, 0};
  return {set.interval(0).first, set.interval(set.interval_count() - 1).last};
}

template <class Point>
Interval<Point> shared(Interval<Point> a, Interval<Point> b) {
  return {std::max(a.first, b.first), std::min(a.last, b.last)};
}

// Calls visit(first, last) for the part that each interval of the set has between two points.
template <class Point, class Visit>
void for_each_between(const FlipSet<Point>& set, Interval<Point> within, Visit visit) {
  const auto after = std::ranges::upper_bound(set.flips(), within.first);
  for (auto i = static_cast<std::size_t>(std::max<std::ptrdiff_t>(after - set.flips().begin() - 1, 0)) / 2;
       i < set.interval_count(); ++i) {
    if (set.interval(i).first > within.last) return;
    const Interval<Point> part = shared(set.interval(i), within);
    if (part.first <= part.last) visit(part.first, part.last);
  }
}

}  // namespace

// ---- the rules that are asked at all ------------------------------------------------------------------

Looks::Looks(const Policy& policy, const View& view, const Packet& header, std::set<std::uint16_t>& port_cuts)
    : policy_(policy),
      is_own_(view.is_own()),
      header_(header),
      port_cuts_(port_cuts),
      groups_(policy.groups.size()) {}

Fit Looks::destination_fit(AddressTerm term) {
  const auto ask = [&] {
    return is_own_ ? own_fit(policy_, term, header_.destination.family).fit
                   : fit_of_address(policy_, term, header_.destination);
  };
  if (term.kind != AddressTerm::Kind::group) return ask();
  std::uint8_t& known = groups_[term.value];
  if (known == 0) known = static_cast<std::uint8_t>(1 + static_cast<int>(ask()));
  return static_cast<Fit>(known - 1);
}

const std::vector<Looks::Look>& Looks::of(ListId list) {
  const auto [found, is_new] = looks_.try_emplace(list);
  if (!is_new) return found->second;
  const std::vector<Rule>& rules = policy_.lists[list].rules;
  for (Index i = 0; i < rules.size(); ++i) {
    const Rule& rule = rules[i];
    if (!rule.enabled) continue;
    const Fit destination = destination_fit(rule.destination);
    if (destination == Fit::no) continue;
    const Fit service = service_fit(policy_, rule.service, header_, port_cuts_);
    if (service != Fit::no) found->second.push_back({i, std::min(destination, service)});
  }
  return found->second;
}

// ---- who calls whom, with which sources ---------------------------------------------------------------

template <class Point>
bool Painter<Point>::plan(const std::vector<ListId>& lists, const Sources& sources) {
  struct Edge {
    ListId to;
    AddressTerm term;
  };
  std::unordered_map<ListId, std::vector<Edge>> edges;
  desk_.qualifiers.forget();
  // Whether some packet may take the call, whatever its state.
  const auto may_call = [&](const Rule& rule) {
    if (!is_call(rule.action)) return false;
    std::uint8_t& known = desk_.qualifiers[rule.qualifier];
    if (known == 0)
      known = static_cast<std::uint8_t>(
          1 + static_cast<int>(standing_fit(context_, policy_.qualifiers[rule.qualifier]).fit));
    return known - 1 != static_cast<int>(Fit::no);
  };
  const auto collect = [&](ListId list) {
    std::vector<Edge>& out = edges[list];
    for (const Looks::Look& look : looks_.of(list))
      if (const Rule& rule = policy_.lists[list].rules[look.rule]; may_call(rule))
        out.push_back({rule.target, rule.source});
  };
  // Callers before those whom they call.
  std::vector<ListId> order;
  enum class Progress : std::uint8_t { open, done };
  std::unordered_map<ListId, Progress> progress;
  struct Frame {
    ListId list;
    std::size_t edge = 0;
  };
  for (const ListId root : lists) {
    if (!progress.try_emplace(root, Progress::open).second) continue;
    collect(root);
    std::vector<Frame> stack{{root}};
    while (!stack.empty()) {
      Frame& top = stack.back();
      if (top.edge == edges[top.list].size()) {
        progress[top.list] = Progress::done;
        order.push_back(top.list);
        stack.pop_back();
        continue;
      }
      const ListId to = edges[top.list][top.edge++].to;
      const auto [found, is_new] = progress.try_emplace(to, Progress::open);
      if (!is_new && found->second == Progress::open) return false;  // a circle
      if (!is_new) continue;
      collect(to);
      stack.push_back({to});
    }
  }
  std::ranges::reverse(order);

  // More intervals than these are told by their ends: a call that may bring too many is no harm.
  constexpr std::size_t most_told = 64;
  const auto brought = [&](const Sources& from, AddressTerm term) {
    Sources of_term = Sources::all();
    if (term.kind == AddressTerm::Kind::group) {
      const Sources& set = family_of<Point>(policy_.groups[term.value].addresses.possible);
      const auto [first, last] = hull(set);
      of_term = set.interval_count() > most_told ? Sources(first, last) : set;
    } else {
      of_term = family_of<Point>(addresses_of(policy_, term)->possible);
    }
    if (from.interval_count() > most_told) return Sources(hull(from).first, hull(from).last) & of_term;
    return from & of_term;
  };
  std::unordered_map<ListId, int> depth;
  for (const ListId list : lists) called_[list].brought = sources.intervals();
  for (const ListId list : order) {
    Called& here = called_[list];
    here.sources = Sources::of(std::exchange(here.brought, {}));
    for (const Edge& edge : edges[list]) {
      int& below = depth[edge.to];
      below = std::max(below, depth[list] + 1);
      if (below > deepest_call) return false;
      for (const auto& interval : brought(here.sources, edge.term).intervals())
        called_[edge.to].brought.push_back(interval);
    }
  }
  return true;
}

// ---- the rules of a list for one state ----------------------------------------------------------------

// Whether nothing comes further than this rule.
template <class Point>
bool Painter<Point>::is_end(std::span<const ListId> lists, const Candidate& candidate) const {
  const AddressTerm source = policy_.lists[lists[candidate.list]].rules[candidate.rule].source;
  const bool takes_any = source.kind == AddressTerm::Kind::any ||
                         source.kind == (is_v4<Point> ? AddressTerm::Kind::any4 : AddressTerm::Kind::any6);
  return candidate.is_certain && takes_any && candidate.action != Action::unknown &&
         candidate.action != Action::jump;
}

template <class Point>
typename Painter<Point>::Candidates Painter<Point>::candidates(std::span<const ListId> lists, State state) {
  Candidates found;
  Position at = at_;
  at.state = state;
  if (const auto round = rounds_.find(state); round != rounds_.end()) desk_.qualifiers.resume(round->second);
  else rounds_.emplace(state, desk_.qualifiers.forget());
  for (Index l = 0; l < lists.size(); ++l) {
    const std::vector<Rule>& rules = policy_.lists[lists[l]].rules;
    for (const Looks::Look& look : looks_.of(lists[l])) {
      const Rule& rule = rules[look.rule];
      if (rule.action == Action::pass) continue;
      if (rule.action == Action::change_state &&
          policy_.state_changes[rule.target].applied_to(state) == state)
        continue;
      Fit fit = look.fit;
      if (rule.qualifier != 0) {
        std::uint8_t& known = desk_.qualifiers[rule.qualifier];
        if (known == 0)
          known = static_cast<std::uint8_t>(
              1 +
              static_cast<int>(qualifier_fit(policy_, context_, policy_.qualifiers[rule.qualifier], at).fit));
        fit = std::min(fit, static_cast<Fit>(known - 1));
      }
      if (fit == Fit::no) continue;
      found.push_back({l, look.rule, fit == Fit::certain, rule.action});
    }
  }
  return found;
}

// ---- a list, painted ----------------------------------------------------------------------------------

// The rules from one place on, for sources in one state.
template <class Point>
class Painter<Point>::Pass {
 public:
  Pass(Painter& painter, std::span<const ListId> lists, State state, Sources sources)
      : painter_(painter),
        policy_(painter.policy_),
        lists_(lists),
        state_(state),
        sources_(std::move(sources)),
        within_(hull(sources_)) {}

  // False: gave up. What goes on in another state is left waiting.
  bool run(std::span<const Candidate> candidates, Waiting& waiting, Layers& layers);

 private:
  using Closing = typename Canvas<Point>::Closing;
  struct Said {  // who is told, numbered when somebody wants to know
    Pass& pass;
    By by;
    Index index = nobody;
    operator Index() {
      if (index == nobody) {
        index = static_cast<Index>(pass.candidates_.size() + pass.said_.size());
        pass.said_.push_back(by);
      }
      return index;
    }
  };

  const Rule& rule_of(const Candidate& candidate) const {
    return policy_.lists[lists_[candidate.list]].rules[candidate.rule];
  }
  By by(Index index) const {
    if (index >= candidates_.size()) return said_[index - candidates_.size()];
    return By::rule({lists_[candidates_[index].list], candidates_[index].rule});
  }
  bool is_open(AddressTerm term) const {
    return term.kind == AddressTerm::Kind::group && policy_.groups[term.value].addresses.is_open();
  }
  template <class Visit>
  void each_interval(AddressTerm term, const AddressSet Partly<AddressSet>::* part, Visit visit) const;
  // Whether this call paints what an earlier one has painted already.
  bool is_repeated(const Rule& rule, bool is_certain, const Effect<Point>& effect);
  bool find_effects();
  std::vector<Point> cuts();
  void paint(Index c, const Rule& rule);
  void call(Index c, const Rule& rule, const Effect<Point>& effect);
  void keep(const Way& way, Point first, Point last, By by);
  void move_on(const Candidate& from, State to, Point first, Point last);
  void emit();
  bool spend(std::size_t count) { return painter_.effort_.spend(count); }

  Painter& painter_;
  const Policy& policy_;
  std::span<const ListId> lists_;
  State state_;
  Sources sources_;
  Interval<Point> within_;
  std::span<const Candidate> candidates_;
  std::unordered_map<ListId, const Effect<Point>*> effects_;
  using Call = std::tuple<ListId, AddressTerm::Kind, std::uint8_t, std::uint32_t, bool>;
  std::set<Call> calls_;
  Way accepting_;  // the one way to be let through that is painted; others are kept as they come
  std::optional<Canvas<Point>> canvas_;
  std::vector<By> said_;
  Waiting* waiting_ = nullptr;
  Layers* layers_ = nullptr;
};

// Cuts and paint go by the same intervals.
template <class Point>
template <class Visit>
void Painter<Point>::Pass::each_interval(AddressTerm term, const AddressSet Partly<AddressSet>::* part,
                                         Visit visit) const {
  const auto visit_shared = [&](Interval<Point> interval) {
    const auto [first, last] = shared(interval, within_);
    if (first <= last) visit(first, last);
  };
  switch (term.kind) {
    case AddressTerm::Kind::any: visit(within_.first, within_.last); return;
    case AddressTerm::Kind::any4:
      if (is_v4<Point>) visit(within_.first, within_.last);
      return;
    case AddressTerm::Kind::any6:
      if (!is_v4<Point>) visit(within_.first, within_.last);
      return;
    case AddressTerm::Kind::v4:
      if (is_v4<Point>)
        visit_shared(
            {static_cast<Point>(term.value), static_cast<Point>(term.value | ~netmask(term.length))});
      return;
    case AddressTerm::Kind::group: {
      const Sources& set = family_of<Point>(policy_.groups[term.value].addresses.*part);
      if (set.interval_count() > 4 * sources_.interval_count() && !sources_.is_all()) {
        const Sources few = set & sources_;
        for_each_between(few, within_, visit);
      } else {
        for_each_between(set, within_, visit);
      }
      return;
    }
  }
}

template <class Point>
bool Painter<Point>::Pass::is_repeated(const Rule& rule, bool is_certain, const Effect<Point>& effect) {
  std::size_t runs = effect.stays.interval_count();
  for (const auto& sheet : effect.sheets) runs += sheet.runs.size();
  constexpr std::size_t few = 8;  // as soon painted as looked up
  return runs > few &&
         !calls_.insert({rule.target, rule.source.kind, rule.source.length, rule.source.value, is_certain})
              .second;
}

template <class Point>
bool Painter<Point>::Pass::find_effects() {
  for (const Candidate& candidate : candidates_) {
    if (!is_call(candidate.action)) continue;
    const Effect<Point>*& effect = effects_[rule_of(candidate).target];
    if (effect == nullptr) effect = painter_.of(rule_of(candidate).target, state_);
    if (effect == nullptr) return false;
  }
  return true;
}

template <class Point>
std::vector<Point> Painter<Point>::Pass::cuts() {
  std::vector<Point> cuts;
  painter_.desk_.groups.forget();
  const auto append = [&](Point first, Point last) { append_cut(cuts, first, last); };
  for (const auto& [first, last] : sources_.intervals()) append(first, last);
  for (const Candidate& candidate : candidates_) {
    const Rule& rule = rule_of(candidate);
    const AddressTerm term = rule.source;
    if (is_call(candidate.action)) {
      const Effect<Point>& effect = *effects_[rule.target];
      if (is_repeated(rule, candidate.is_certain, effect)) continue;
      each_interval(term, &Partly<AddressSet>::possible, [&](Point first, Point last) {
        for (const auto& sheet : effect.sheets)
          spend(for_each_between(sheet.runs, first, last,
                                 [&](Point from, Point to, const Run<Point>&) { append(from, to); }));
      });
    }
    if (term.kind == AddressTerm::Kind::group &&
        std::exchange(painter_.desk_.groups[term.value], std::uint8_t{1}) != 0)
      continue;
    each_interval(term, &Partly<AddressSet>::possible, append);
    if (is_open(term)) each_interval(term, &Partly<AddressSet>::certain, append);
  }
  calls_.clear();
  sort_unique(cuts);
  return cuts;
}

template <class Point>
void Painter<Point>::Pass::keep(const Way& way, Point first, Point last, By by) {
  canvas_->open_between(first, last, [&](Point from, Point to) {
    spend(1);
    append_run((*layers_)[way], {from, to, by});
  });
}

template <class Point>
void Painter<Point>::Pass::move_on(const Candidate& from, State to, Point first, Point last) {
  std::vector<Interval<Point>>& moved = (*waiting_)[{{from.list, from.rule + 1}, to}];
  canvas_->open_between(first, last, [&](Point begin, Point end) {
    spend(1);
    moved.push_back({begin, end});
  });
}

template <class Point>
void Painter<Point>::Pass::call(Index c, const Rule& rule, const Effect<Point>& effect) {
  const Candidate& candidate = candidates_[c];
  const bool is_goto = candidate.action == Action::go_to;
  const Way back{Way::End::fallen_out, 0, state_};
  if (is_repeated(rule, candidate.is_certain, effect)) return;
  each_interval(rule.source, &Partly<AddressSet>::possible, [&](Point first, Point last) {
    for (const auto& sheet : effect.sheets) {
      if (sheet.way == back && !is_goto) continue;
      spend(for_each_between(sheet.runs, first, last, [&](Point from, Point to, const Run<Point>& run) {
        if (sheet.way.end == Way::End::denied) canvas_->may_deny(from, to, Said{*this, run.by});
        else if (sheet.way == accepting_) canvas_->may_accept(from, to, Said{*this, run.by});
        else if (sheet.way == back) canvas_->may_fall_out(from, to);
        else if (sheet.way.end == Way::End::fallen_out && !is_goto)
          move_on(candidate, sheet.way.state, from, to);
        else keep(sheet.way, from, to, run.by);
      }));
    }
  });
  if (!candidate.is_certain) return;
  each_interval(rule.source, &Partly<AddressSet>::certain, [&](Point first, Point last) {
    for (const auto& sheet : effect.sheets) {
      const bool denies = sheet.way.end == Way::End::denied;
      if (!denies && sheet.way != accepting_) continue;
      for_each_between(sheet.runs, first, last, [&](Point from, Point to, const Run<Point>& run) {
        if (run.closes)
          canvas_->close(from, to, denies ? Closing::denying : Closing::accepting, Said{*this, run.by});
      });
    }
    if (is_goto) canvas_->close(first, last, Closing::silent, nobody);
    else
      for_each_between(effect.stays, {first, last},
                       [&](Point from, Point to) { canvas_->close(from, to, Closing::silent, nobody); });
  });
}

template <class Point>
void Painter<Point>::Pass::paint(Index c, const Rule& rule) {
  // What a group has painted once it need not paint again.
  enum Bits : std::uint8_t { accepted = 1, denied = 2, fallen_out = 4, closed = 8 };
  const Candidate& candidate = candidates_[c];
  std::uint8_t own = 0;
  std::uint8_t& painted =
      rule.source.kind == AddressTerm::Kind::group ? painter_.desk_.groups[rule.source.value] : own;
  if ((painted & closed) != 0) return;
  const auto each_possible = [&](auto visit) {
    each_interval(rule.source, &Partly<AddressSet>::possible, visit);
  };
  const auto once = [&](Bits bit, auto visit) {
    if ((painted & bit) == 0) each_possible(visit);
    painted = static_cast<std::uint8_t>(painted | bit);
  };
  const auto may_accept = [&](const Way& way) {
    if (way == accepting_)
      once(accepted, [&](Point first, Point last) { canvas_->may_accept(first, last, c); });
    else each_possible([&](Point first, Point last) { keep(way, first, last, by(c)); });
  };
  const auto may_deny = [&] {
    once(denied, [&](Point first, Point last) { canvas_->may_deny(first, last, c); });
  };
  const Way accept{Way::End::accepted, 0, state_};
  Closing closing = Closing::silent;
  switch (rule.action) {
    case Action::permit:
    case Action::accept: {
      const Way way = rule.action == Action::accept ? accept : Way{Way::End::permitted};
      may_accept(way);
      if (way == accepting_) closing = Closing::accepting;
      break;
    }
    case Action::deny:
      may_deny();
      closing = Closing::denying;
      break;
    case Action::translate: may_accept({Way::End::translated, rule.target, state_}); break;
    case Action::program_decides:
    case Action::unknown:
      may_accept(accept);
      may_deny();
      if (rule.action == Action::unknown) return;
      break;
    case Action::return_to_caller:
      once(fallen_out, [&](Point first, Point last) { canvas_->may_fall_out(first, last); });
      break;
    case Action::change_state: {
      const State to = policy_.state_changes[rule.target].applied_to(state_);
      each_possible([&](Point first, Point last) { move_on(candidate, to, first, last); });
      break;
    }
    case Action::pass:
    case Action::jump:
    case Action::go_to: return;
  }
  if (!candidate.is_certain) return;
  each_interval(rule.source, &Partly<AddressSet>::certain,
                [&](Point first, Point last) { canvas_->close(first, last, closing, c); });
  if (!is_open(rule.source)) painted = static_cast<std::uint8_t>(painted | closed);
}

template <class Point>
void Painter<Point>::Pass::emit() {
  Runs<Point> denied, accepted, fallen_out;
  for (std::size_t piece = 0; piece < canvas_->size(); ++piece) {
    const Point first = canvas_->first(piece), last = canvas_->last(piece);
    const bool falls_out = canvas_->falls_out(piece);
    if (const Index index = canvas_->denied_by(piece); index != nobody)
      append_run(denied, {first, last, by(index), !falls_out && canvas_->is_denied(piece)});
    if (const Index index = canvas_->accepted_by(piece); index != nobody)
      append_run(accepted, {first, last, by(index), !falls_out && canvas_->is_accepted(piece)});
    if (falls_out) append_run(fallen_out, {first, last, {}});
  }
  const auto add = [&](const Way& way, Runs<Point> runs) {
    if (runs.empty()) return;
    Runs<Point>& all = (*layers_)[way];
    if (all.empty()) all = std::move(runs);
    else all.insert(all.end(), runs.begin(), runs.end());
  };
  add({Way::End::denied}, std::move(denied));
  add(accepting_, std::move(accepted));
  add({Way::End::fallen_out, 0, state_}, std::move(fallen_out));
}

template <class Point>
bool Painter<Point>::Pass::run(std::span<const Candidate> candidates, Waiting& waiting, Layers& layers) {
  candidates_ = candidates;
  waiting_ = &waiting;
  layers_ = &layers;
  if (!find_effects()) return false;
  const auto first_accepting = std::ranges::find_if(candidates_, [](const Candidate& one) {
    return one.action == Action::permit || one.action == Action::accept || is_call(one.action);
  });
  accepting_ = first_accepting != candidates_.end() && first_accepting->action == Action::permit
                   ? Way{Way::End::permitted}
                   : Way{Way::End::accepted, 0, state_};
  canvas_.emplace(cuts());
  // Between and behind the sources there is nothing to paint.
  const Sources others = ~sources_;
  for_each_between(others, {within_.first, last_point<Point>},
                   [&](Point first, Point last) { canvas_->close(first, last, Closing::silent, nobody); });
  painter_.desk_.groups.forget();
  for (Index c = 0; c < candidates_.size(); ++c) {
    if (painter_.effort_.left == 0) return false;
    const Rule& rule = rule_of(candidates_[c]);
    if (is_call(rule.action)) call(c, rule, *effects_[rule.target]);
    else paint(c, rule);
  }
  emit();
  return true;
}

template <class Point>
bool Painter<Point>::paint(std::span<const ListId> lists, State state, Sources sources, Layers& layers) {
  Waiting waiting;
  std::map<State, Candidates> known;
  waiting[{{0, 0}, state}] = sources.intervals();
  std::size_t passes = 0;
  while (!waiting.empty()) {
    auto next = waiting.extract(waiting.begin());
    const auto& [from, carried] = next.key();
    Sources here = Sources::of(std::move(next.mapped()));
    if (here.empty()) continue;
    const auto [found, is_new] = known.try_emplace(carried);
    if (is_new) found->second = candidates(lists, carried);
    const Candidates& all = found->second;
    const auto begin = std::ranges::lower_bound(
        all, from, {}, [](const Candidate& one) { return std::pair(one.list, one.rule); });
    auto end = std::find_if(begin, all.end(), [&](const Candidate& one) { return is_end(lists, one); });
    if (end != all.end()) ++end;
    const std::span<const Candidate> rest(begin, end);
    if (++passes > 1 && !effort_.spend(cost_of_a_pass + rest.size())) return false;
    if (!Pass(*this, lists, carried, std::move(here)).run(rest, waiting, layers)) return false;
  }
  // What one pass took for certain may go on in another.
  if (passes > 1)
    for (auto& [way, runs] : layers)
      for (Run<Point>& run : runs) run.closes = false;
  return effort_.left > 0;
}

template <class Point>
Effect<Point> Painter<Point>::finished(Layers layers, const Sources& sources, State state) {
  Effect<Point> effect;
  for (auto& [way, runs] : layers) effect.sheets.push_back({way, laid_out(std::move(runs))});
  const Runs<Point>* back = effect.by({Way::End::fallen_out, 0, state});
  effect.stays = back == nullptr ? sources : sources - sources_of(*back);
  return effect;
}

template <class Point>
const Effect<Point>* Painter<Point>::of(ListId list, State state) {
  Called& called = called_.at(list);
  std::unique_ptr<Effect<Point>>& effect = called.effects[state];
  if (effect == nullptr) {
    Layers layers;
    if (!paint(std::span(&list, 1), state, called.sources, layers)) return nullptr;
    effect = std::make_unique<Effect<Point>>(finished(std::move(layers), called.sources, state));
  }
  return effect.get();
}

template <class Point>
std::optional<Effect<Point>> Painter<Point>::of(const std::vector<ListId>& lists, FlipSet<Point> sources) {
  if (!plan(lists, sources)) return std::nullopt;
  // A return leads to the next list: those behind it are painted by themselves.
  const auto returns = [&](ListId list) {
    return std::ranges::any_of(looks_.of(list), [&](const Looks::Look& look) {
      const Action action = policy_.lists[list].rules[look.rule].action;
      return action == Action::return_to_caller || action == Action::go_to;
    });
  };
  Layers layers;
  std::map<State, Sources> coming{{at_.state, sources}};
  for (std::size_t begin = 0, end = 0; begin < lists.size(); begin = end) {
    for (end = begin + 1; end < lists.size() && !returns(lists[end - 1]);) ++end;
    std::map<State, Sources> next;
    for (auto& [state, brought] : coming) {
      Layers here;
      if (!paint(std::span(lists).subspan(begin, end - begin), state, std::move(brought), here))
        return std::nullopt;
      for (auto& [way, runs] : here) {
        if (way.end == Way::End::fallen_out) next[way.state] |= sources_of(runs);
        else layers[way].insert(layers[way].end(), runs.begin(), runs.end());
      }
    }
    coming = std::move(next);
  }
  for (const auto& [state, left] : coming)
    for (const auto& [first, last] : left.intervals())
      layers[{Way::End::fallen_out, 0, state}].push_back({first, last});
  return finished(std::move(layers), sources, at_.state);
}

template class Painter<V4>;
template class Painter<V6>;

}  // namespace aclmend::model
