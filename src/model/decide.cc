// The slow twin: packets walked one by one through the rules, as a person would with a finger on the listing.
//
// A packet may be at several places at once, because what is merely possible leaves both ways open: each such
// place is a Particle. Semantics page, "A rule list", row by row. Many packets share one walk (a particle
// knows whose it is), and for each rule the question "do destination and service fit?" is asked once a kind
// of packet.
#include <algorithm>
#include <cassert>
#include <tuple>

#include "model/match.h"
#include "model/question.h"

namespace aclmend::model {
namespace {

struct Particle {
  std::uint32_t packet = 0;  // index of the packet asked about
  std::uint32_t kind = 0;    // particles of one kind have the same header but for the source address
  Packet now;                // as translated so far
  View view;
  State state;
  ConditionIds conditions;
  Decider accepted_by;
};
using Particles = std::vector<Particle>;

// A rule's answer for one particle.
struct RuleFit {
  Fit fit = Fit::certain;
  ConditionIds conditions;
  void also(SetFit part) {
    fit = std::min(fit, part.fit);
    if (part.fit == Fit::possible && part.conditions != nullptr)
      conditions = united(conditions, *part.conditions);
  }
};

// A hostile list can hold a condition a line: what is listed is bounded, what is decided is not touched by
// it.
constexpr std::size_t most_conditions = 64;
constexpr std::size_t longest_path = 1000;

Particle with(const Particle& particle, const ConditionIds& conditions) {
  Particle copy = particle;
  copy.conditions = united(copy.conditions, conditions);
  if (copy.conditions.size() > most_conditions) copy.conditions.resize(most_conditions);
  return copy;
}

bool same_place(const Particle& a, const Particle& b) {
  return a.packet == b.packet && a.now == b.now && a.state == b.state;
}

// A packet that gets to a place by two ways is there once: without conditions if one of the ways has none.
void add_once(Particles& particles, Particle particle) {
  const auto same =
      std::ranges::find_if(particles, [&](const Particle& other) { return same_place(other, particle); });
  if (same == particles.end()) particles.push_back(std::move(particle));
  else if (same->conditions.empty()) return;
  else if (particle.conditions.empty()) *same = std::move(particle);
  else *same = with(*same, particle.conditions);
}

class Walk {
 public:
  Walk(const Policy& policy, const Context& context, std::span<const Packet> packets)
      : policy_(policy),
        context_(context),
        packets_(packets),
        decisions_(packets.size()),
        permits_(packets.size()),
        denies_(packets.size()) {}

  std::vector<Decision> answer();

 private:
  Particles through(NodeId node, Particles particles);
  Particles through(NodeId node, const Stage& stage, Particles particles);
  Particles through(NodeId node, const Branch& branch, Particles particles);
  // What falls out of the end of the list; what a rule accepted is added to `accepted`.
  Particles through(ListId list, Particles particles, Particles& accepted, int depth);
  void take(const Rule& rule, RuleRef ref, const Particle& particle, const RuleFit& fit, Particles& staying,
            Particles& returned, Particles& accepted, int depth);

  RuleFit fit(const Rule& rule, const Particle& particle) const;
  void permit(const Particle& particle) { add_once(permits_[particle.packet], particle); }
  void deny(Particle particle, Decider by) {
    particle.accepted_by = by;
    add_once(denies_[particle.packet], std::move(particle));
  }
  void both(Particle particle, Decider by) {
    particle.accepted_by = by;
    permit(particle);
    deny(std::move(particle), by);
  }
  std::vector<std::size_t> regroup(Particles& particles);
  Decision verdict(std::size_t packet);

  const Policy& policy_;
  const Context& context_;
  std::span<const Packet> packets_;
  std::vector<Decision> decisions_;          // their paths, and the rule that first showed each condition
  std::vector<Particles> permits_, denies_;  // by packet; `accepted_by` is who took it
};

// Sorts particles by kind; gives back where each kind ends.
std::vector<std::size_t> Walk::regroup(Particles& particles) {
  const auto header = [](const Particle& p) {
    return std::tuple(p.now.destination, p.now.protocol, p.now.source_port, p.now.destination_port,
                      p.now.source.family, p.state);
  };
  std::map<decltype(header(Particle{})), std::uint32_t> kinds;
  for (Particle& particle : particles)
    particle.kind =
        kinds.try_emplace(header(particle), static_cast<std::uint32_t>(kinds.size())).first->second;
  std::ranges::stable_sort(particles, {}, &Particle::kind);
  std::vector<std::size_t> ends;
  for (std::size_t p = 0; p < particles.size(); ++p)
    if (p + 1 == particles.size() || particles[p].kind != particles[p + 1].kind) ends.push_back(p + 1);
  return ends;
}

// What most rules of a long list are not about, seen at a glance.
class Glance {
 public:
  explicit Glance(const Particles& particles) {
    for (const Particle& particle : particles) {
      Packet packet = particle.now;
      packet.source = {};
      packet.source_port = 0;
      if (asked_.empty() || asked_.back() != packet) asked_.push_back(packet);  // nearly always one
      if (particle.now.source.is_v4()) v4_sources_.push_back(particle.now.source.as_v4());
    }
    std::ranges::sort(v4_sources_);
  }
  // True: the rule is certainly about none of the particles. It may be false all the same.
  bool passes_by(const Rule& rule) const {
    if (std::ranges::all_of(asked_, [&](const Packet& packet) { return is_elsewhere(rule, packet); }))
      return true;
    if (rule.source.kind != AddressTerm::Kind::v4) return false;
    const auto source = std::ranges::lower_bound(v4_sources_, rule.source.value);
    return source == v4_sources_.end() || (*source & netmask(rule.source.length)) != rule.source.value;
  }

 private:
  std::vector<Packet> asked_;  // without source and source port
  std::vector<V4> v4_sources_;
};

RuleFit Walk::fit(const Rule& rule, const Particle& particle) const {
  RuleFit result;
  result.also(address_fit(policy_, rule.destination, particle.now.destination));
  if (result.fit == Fit::no) return result;
  result.also(service_fit(policy_, rule.service, particle.now));
  if (result.fit == Fit::no) return result;
  const QualifierFit qualifier = qualifier_fit(policy_, context_, rule, particle.state);
  result.also({qualifier.fit, &qualifier.conditions});
  return result;
}

Particles Walk::through(ListId list, Particles particles, Particles& accepted, int depth) {
  Particles returned;
  if (depth > deepest_call) {
    for (const Particle& particle : particles) both(with(particle, {complexity_condition}), {});
    return returned;
  }
  std::vector<std::size_t> kind_ends = regroup(particles);
  Glance glance(particles);
  const RuleList& rules = policy_.lists[list];
  for (std::uint32_t i = 0; i < rules.rules.size() && !particles.empty(); ++i) {
    const Rule& rule = rules.rules[i];
    if (!rule.enabled || glance.passes_by(rule)) continue;
    bool is_concerned = false;
    Particles staying;
    std::size_t begin = 0;
    for (const std::size_t end : kind_ends) {
      const RuleFit of_kind = fit(rule, particles[begin]);
      for (std::size_t p = begin; p < end && (of_kind.fit != Fit::no || is_concerned); ++p) {
        const Particle& particle = particles[p];
        const SetFit source =
            of_kind.fit == Fit::no ? SetFit{Fit::no} : address_fit(policy_, rule.source, particle.now.source);
        if (source.fit == Fit::no) {
          if (is_concerned) staying.push_back(particle);
          continue;
        }
        if (!is_concerned) {  // the first that this rule concerns: those before it stay
          staying.assign(particles.begin(), particles.begin() + static_cast<std::ptrdiff_t>(p));
          is_concerned = true;
        }
        RuleFit here = of_kind;
        here.also(source);
        take(rule, {list, i}, particle, here, staying, returned, accepted, depth);
      }
      begin = end;
    }
    if (!is_concerned) continue;
    particles = std::move(staying);
    kind_ends = regroup(particles);
    glance = Glance(particles);
  }
  for (Particle& particle : returned) add_once(particles, std::move(particle));
  return particles;
}

void Walk::take(const Rule& rule, RuleRef ref, const Particle& particle, const RuleFit& fit,
                Particles& staying, Particles& returned, Particles& accepted, int depth) {
  Decision& seen = decisions_[particle.packet];
  if (seen.path.size() < longest_path)
    seen.path.push_back({ref, fit.fit == Fit::certain ? Hop::Outcome::match : Hop::Outcome::possible});
  for (const ConditionId condition : fit.conditions)
    if (seen.conditions.size() < most_conditions &&
        std::ranges::find(seen.conditions, condition, &OpenCondition::condition) == seen.conditions.end())
      seen.conditions.push_back({condition, ref});
  const Particle taken = with(particle, fit.conditions);
  const Decider by{ref, std::nullopt};
  const auto accept = [&](Particle one) {
    one.accepted_by = by;
    add_once(accepted, std::move(one));
  };
  const bool may_pass = fit.fit == Fit::possible;
  switch (rule.action) {
    case Action::permit: {
      Particle permitted = taken;
      permitted.accepted_by = by;
      permit(permitted);
      break;
    }
    case Action::deny: deny(taken, by); break;
    case Action::accept: accept(taken); break;
    case Action::pass: staying.push_back(particle); return;
    case Action::change_state: {
      Particle changed = taken;
      changed.state = policy_.state_changes[rule.target].applied_to(particle.state);
      add_once(staying, changed);
      if (may_pass) add_once(staying, taken);  // unchanged, and it hangs on the same condition
      return;
    }
    case Action::translate: {
      const auto views = translated_views(particle.view, policy_.translations[rule.target]);
      if (!views || !can_take(policy_.translations[rule.target], particle.now.source.family))
        both(with(taken, {complexity_condition}), by);
      else
        for (const View& view : *views) {
          Particle moved = views->size() > 1 ? with(taken, {pool_condition}) : taken;
          const Packet& wire = packets_[particle.packet];
          moved.view = view;
          moved.now.destination = view.destination_of(wire.destination);
          moved.now.destination_port = view.port_of(wire.destination_port);
          accept(std::move(moved));
        }
      break;
    }
    case Action::program_decides: {
      const Particle open = with(taken, {rule.target});
      accept(open);
      deny(open, by);
      break;
    }
    case Action::unknown: {
      const Particle open = with(taken, {rule.target});
      accept(open);
      deny(open, by);
      staying.push_back(particle);
      return;
    }
    case Action::jump:
      if (may_pass) add_once(staying, particle);
      for (Particle& back : through(rule.target, {taken}, accepted, depth + 1))
        add_once(staying, std::move(back));
      return;
    case Action::go_to:
      for (Particle& back : through(rule.target, {taken}, accepted, depth + 1))
        add_once(returned, std::move(back));
      break;
    case Action::return_to_caller: add_once(returned, taken); break;
  }
  if (may_pass) staying.push_back(particle);
}

Particles Walk::through(NodeId node, const Stage& stage, Particles particles) {
  Particles accepted;
  for (const ListId list : stage.lists) particles = through(list, std::move(particles), accepted, 0);
  const Decider by{std::nullopt, node};
  for (Particle& particle : particles) switch (stage.otherwise) {
      case Stage::Default::accept:
        if (!stage.implicit.empty()) particle.accepted_by = by;
        add_once(accepted, std::move(particle));
        break;
      case Stage::Default::deny: deny(particle, by); break;
      case Stage::Default::unknown: {
        Particle open = with(particle, stage.conditions);
        deny(open, by);
        open.accepted_by = by;
        add_once(accepted, std::move(open));
        break;
      }
    }
  return accepted;
}

// Particles that take the same case walk it together.
Particles Walk::through(NodeId node, const Branch& branch, Particles particles) {
  const std::vector<Branch::Case>& cases = branch.cases;
  std::vector<Particles> entering(cases.size());
  const auto known = context_.known.find(branch.dimension);
  for (const Particle& particle : particles) {
    if (known != context_.known.end()) {
      const auto named = std::ranges::find(cases, known->second, &Branch::Case::name);
      if (named == cases.end()) deny(particle, {std::nullopt, node});
      else entering[static_cast<std::size_t>(named - cases.begin())].push_back(particle);
      continue;
    }
    const auto selected = std::ranges::find_if(
        cases, [&](const Branch::Case& one) { return one.destinations.contains(particle.now.destination); });
    if (selected != cases.end()) {
      entering[static_cast<std::size_t>(selected - cases.begin())].push_back(particle);
    } else if (cases.size() == 1) {
      entering.front().push_back(particle);
    } else {
      const Particle open = with(particle, {condition_of(branch.dimension)});
      if (cases.empty()) both(open, {std::nullopt, node});
      for (Particles& one : entering) one.push_back(open);
    }
  }
  Particles accepted;
  for (std::size_t i = 0; i < cases.size(); ++i)
    for (Particle& passed : through(cases[i].node, std::move(entering[i])))
      add_once(accepted, std::move(passed));
  return accepted;
}

Particles Walk::through(NodeId node, Particles particles) {
  if (particles.empty()) return particles;
  const Node& here = policy_.nodes[node];
  if (const auto* stage = std::get_if<Stage>(&here)) return through(node, *stage, std::move(particles));
  if (const auto* branch = std::get_if<Branch>(&here)) return through(node, *branch, std::move(particles));
  for (const NodeId next : std::get<Serial>(here).nodes) particles = through(next, std::move(particles));
  return particles;
}

std::vector<Decision> Walk::answer() {
  Particles particles;
  for (std::uint32_t i = 0; i < packets_.size(); ++i) {
    Particle particle;
    particle.packet = i;
    particle.now = packets_[i];
    particles.push_back(std::move(particle));
  }
  if (context_.chain) {
    Particles accepted;
    for (const Particle& left : through(*context_.chain, std::move(particles), accepted, 0)) {
      if (policy_.lists[*context_.chain].ends_in_deny) deny(left, {});
      else both(with(left, {caller_condition}), {});
    }
    for (const Particle& particle : accepted) permit(particle);
  } else {
    for (const Particle& particle : through(policy_.root, std::move(particles))) permit(particle);
  }
  std::vector<Decision> decisions;
  for (std::size_t i = 0; i < packets_.size(); ++i) decisions.push_back(verdict(i));
  return decisions;
}

Decision Walk::verdict(std::size_t packet) {
  const Particles& permits = permits_[packet];
  const Particles& denies = denies_[packet];
  assert(!permits.empty() || !denies.empty());
  Decision decision;
  if (!permits.empty() && !denies.empty()) decision.verdict = Verdict::unknown;
  else decision.verdict = permits.empty() ? Verdict::deny : Verdict::permit;
  const Particles& taken = permits.empty() ? denies : permits;
  const bool is_sure = decision.verdict != Verdict::unknown;
  if (is_sure) decision.decider = taken.front().accepted_by;
  if (taken.front().now != packets_[packet]) decision.translated = taken.front().now;

  ConditionIds open;
  for (const Particles* particles : {&permits, &denies})
    for (const Particle& particle : *particles) open = united(open, particle.conditions);
  const std::vector<OpenCondition>& shown_by = decisions_[packet].conditions;
  for (const ConditionId condition : open) {
    const auto shown = std::ranges::find(shown_by, condition, &OpenCondition::condition);
    decision.conditions.push_back({condition, shown == shown_by.end() ? std::nullopt : shown->rule});
  }
  decision.path = std::move(decisions_[packet].path);
  return decision;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::permit: return "permit";
    case Verdict::deny: return "deny";
    case Verdict::unknown: return "unknown";
  }
  return "";
}

std::vector<Decision> decide(const Policy& policy, const Context& context, std::span<const Packet> packets) {
  return Walk(policy, context, packets).answer();
}

Decision decide(const Policy& policy, const Context& context, const Packet& packet) {
  return std::move(decide(policy, context, std::span(&packet, 1)).front());
}

}  // namespace aclmend::model
