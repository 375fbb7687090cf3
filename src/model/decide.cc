// The slow twin: packets walked one by one through the rules, as a person would with a finger on the listing.
//
// A packet may be at several places at once, because what is merely possible leaves both ways open: each such
// place is a Particle. Semantics page, "A rule list", row by row. Many packets share one walk (a particle
// knows whose it is), and for each rule the question "do destination and service fit?" is asked once a kind
// of packet.
#include <algorithm>
#include <cassert>
#include <tuple>
#include <unordered_map>

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

// Reading a list is free the first time, for each packet that comes to it once: what calls, marks and pools
// add to that is counted, in looks at a rule.
constexpr std::uint64_t most_effort = 10'000'000;
constexpr std::uint64_t cost_of_a_call = 500, cost_of_a_particle = 10, cost_of_taking = 100;

Particle with(const Particle& particle, const ConditionIds& conditions) {
  Particle copy = particle;
  copy.conditions = united(copy.conditions, conditions);
  if (copy.conditions.size() > most_conditions) copy.conditions.resize(most_conditions);
  return copy;
}

bool same_place(const Particle& a, const Particle& b) {
  return a.packet == b.packet && a.now == b.now && a.state == b.state && a.view.is_own() == b.view.is_own();
}

std::size_t hash_of_place(const Particle& particle) {
  std::size_t hash = particle.packet;
  for (const std::uint64_t part :
       {static_cast<std::uint64_t>(particle.now.destination.number),
        static_cast<std::uint64_t>(particle.now.destination.number >> 64),
        std::uint64_t{particle.state.mark} << 32 | particle.state.connmark,
        std::uint64_t{particle.now.destination_port} << 1 | (particle.state.untracked ? 1 : 0)})
    hash = (hash ^ part) * 0x9E3779B97F4A7C15ULL;
  return hash ^ hash >> 32;
}

// Particles at one place of the walk. A packet that gets there by two ways is there once: without conditions
// if one of the ways has none.
class Place {
 public:
  Place() = default;
  explicit Place(Particles distinct) : all_(std::move(distinct)) {}
  void add(Particle particle);
  void add_new(Particle particle) { all_.push_back(std::move(particle)); }  // known not to be there
  Particles take() { return std::move(all_); }
  const Particles& all() const { return all_; }

 private:
  Particle* same_as(const Particle& particle);

  static constexpr std::size_t few = 16;  // are looked through one by one
  Particles all_;
  std::unordered_multimap<std::size_t, std::size_t> index_;  // of the first `indexed_`
  std::size_t indexed_ = 0;
};

Particle* Place::same_as(const Particle& particle) {
  if (all_.size() <= few) {
    const auto same =
        std::ranges::find_if(all_, [&](const Particle& other) { return same_place(other, particle); });
    return same == all_.end() ? nullptr : &*same;
  }
  for (; indexed_ < all_.size(); ++indexed_) index_.emplace(hash_of_place(all_[indexed_]), indexed_);
  const auto [begin, end] = index_.equal_range(hash_of_place(particle));
  const auto same = std::find_if(
      begin, end, [&](const auto& indexed) { return same_place(all_[indexed.second], particle); });
  return same == end ? nullptr : &all_[same->second];
}

void Place::add(Particle particle) {
  Particle* same = same_as(particle);
  if (same == nullptr) all_.push_back(std::move(particle));
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
  // A stage, as it is walked: where its lists put what they accept, and what is known there of the way.
  struct Here {
    const Context& context;
    bool names_permit = true;
    Place accepted{};
  };
  Particles through(NodeId node, const Context& context, Particles particles);
  Particles through(NodeId node, const Stage& stage, const Context& context, Particles particles);
  Particles through(NodeId node, const Branch& branch, const Context& context, Particles particles);
  // What falls out of the end of the list; what a rule accepted is added to what the stage accepted.
  Particles through(ListId list, Particles particles, Here& here, int depth);
  struct Taking {  // where a rule's particles go
    Place staying, called;
    Place& returned;
    Here& here;
    bool is_counted = false;  // as effort
  };
  void take(const Rule& rule, RuleRef ref, const Particle& particle, const RuleFit& fit, Taking& to);

  RuleFit fit(const Rule& rule, const Particle& particle, const Context& context) const;
  void permit(const Particle& particle) { permits_[particle.packet].add(particle); }
  void deny(Particle particle, Decider by) {
    particle.accepted_by = by;
    denies_[particle.packet].add(std::move(particle));
  }
  void both(Particle particle, Decider by) {
    particle.accepted_by = by;
    permit(particle);
    deny(std::move(particle), by);
  }
  void give_up(const Particles& particles) {
    for (const Particle& particle : particles) both(with(particle, {complexity_condition}), {});
  }
  void give_up_crowds(Particles& particles);
  std::vector<std::size_t> regroup(Particles& particles);
  Decision verdict(std::size_t packet);

  const Policy& policy_;
  const Context& context_;
  std::span<const Packet> packets_;
  std::vector<Decision> decisions_;      // their paths, and the rule that first showed each condition
  std::vector<Place> permits_, denies_;  // by packet; `accepted_by` is who took it
  Effort effort_{most_effort};
};

// Sorts particles by kind; gives back where each kind ends.
std::vector<std::size_t> Walk::regroup(Particles& particles) {
  const auto header = [this](const Particle& p) {
    const Packet& wire = packets_[p.packet];
    return std::tuple(p.now.destination, p.now.protocol, p.now.source_port, p.now.destination_port,
                      p.now.source.family, p.state, p.view.is_own(), wire.destination, wire.destination_port);
  };
  std::map<decltype(header(particles.front())), std::uint32_t> kinds;
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
      Asked asked{packet, particle.view.is_own()};
      if (asked_.empty() || asked_.back() != asked) asked_.push_back(asked);  // nearly always one
      if (particle.now.source.is_v4()) v4_sources_.push_back(particle.now.source.as_v4());
    }
    std::ranges::sort(v4_sources_);
  }
  // True: the rule is certainly about none of the particles. It may be false all the same.
  bool passes_by(const Rule& rule) const {
    if (std::ranges::all_of(asked_, [&](const Asked& asked) {
          return asked.is_own ? is_about_another_service(rule, asked.packet)
                              : is_elsewhere(rule, asked.packet);
        }))
      return true;
    if (rule.source.kind != AddressTerm::Kind::v4) return false;
    const auto source = std::ranges::lower_bound(v4_sources_, rule.source.value);
    return source == v4_sources_.end() || (*source & netmask(rule.source.length)) != rule.source.value;
  }
  std::size_t size() const { return asked_.size(); }

 private:
  struct Asked {
    Packet packet;  // without source and source port
    bool is_own = false;
    bool operator==(const Asked&) const = default;
  };
  std::vector<Asked> asked_;
  std::vector<V4> v4_sources_;
};

RuleFit Walk::fit(const Rule& rule, const Particle& particle, const Context& context) const {
  RuleFit result;
  if (particle.view.is_own()) {
    const SetFit own = own_fit(policy_, rule.destination, particle.now.source.family);
    result.also(own);
    if (own.fit == Fit::possible) result.conditions = united(result.conditions, {pool_condition});
  } else {
    result.also(address_fit(policy_, rule.destination, particle.now.destination));
  }
  if (result.fit == Fit::no) return result;
  result.also(service_fit(policy_, rule.service, particle.now));
  if (result.fit == Fit::no || rule.qualifier == 0) return result;
  const Packet& wire = packets_[particle.packet];
  const QualifierFit qualifier =
      qualifier_fit(policy_, context, policy_.qualifiers[rule.qualifier],
                    {particle.state, particle.view, wire.destination, wire.destination_port});
  result.also({qualifier.fit, &qualifier.conditions});
  return result;
}

// Packets that stand at one place in more states than anybody can follow are unknown.
void Walk::give_up_crowds(Particles& particles) {
  if (particles.size() <= most_at_a_place) return;
  std::vector<std::size_t> counts(packets_.size(), 0);
  for (const Particle& particle : particles) ++counts[particle.packet];
  const auto [begin, end] = std::ranges::stable_partition(
      particles, [&](const Particle& particle) { return counts[particle.packet] <= most_at_a_place; });
  give_up(Particles(begin, end));
  particles.erase(begin, end);
}

Particles Walk::through(ListId list, Particles particles, Here& here, int depth) {
  Place returned;
  if (depth > deepest_call || (depth > 0 && !effort_.spend(cost_of_a_call))) {
    give_up(particles);
    return {};
  }
  std::vector<std::size_t> kind_ends = regroup(particles);
  Glance glance(particles);
  const std::size_t free = depth > 0 ? 0 : packets_.size();
  const auto beyond_free = [&](std::size_t count) { return count > free ? count - free : 0; };
  const RuleList& rules = policy_.lists[list];
  for (std::uint32_t i = 0; i < rules.rules.size() && !particles.empty(); ++i) {
    const Rule& rule = rules.rules[i];
    if (!rule.enabled) continue;
    const bool is_passed_by = glance.passes_by(rule);
    const std::size_t cost =
        is_passed_by ? beyond_free(glance.size()) : cost_of_a_particle * beyond_free(particles.size());
    if (cost > 0 && !effort_.spend(cost)) {
      give_up(particles);
      particles.clear();
      break;
    }
    if (is_passed_by) continue;
    bool is_concerned = false;
    Taking to{{}, {}, returned, here, cost > 0};
    std::size_t begin = 0;
    for (const std::size_t end : kind_ends) {
      const RuleFit of_kind = fit(rule, particles[begin], here.context);
      for (std::size_t p = begin; p < end && (of_kind.fit != Fit::no || is_concerned); ++p) {
        const Particle& particle = particles[p];
        const SetFit source =
            of_kind.fit == Fit::no ? SetFit{Fit::no} : address_fit(policy_, rule.source, particle.now.source);
        if (source.fit == Fit::no) {
          if (is_concerned) to.staying.add(particle);
          continue;
        }
        if (!is_concerned) {  // the first that this rule concerns: those before it stay
          to.staying = Place({particles.begin(), particles.begin() + static_cast<std::ptrdiff_t>(p)});
          is_concerned = true;
        }
        RuleFit of_particle = of_kind;
        of_particle.also(source);
        take(rule, {list, i}, particle, of_particle, to);
      }
      begin = end;
    }
    if (!is_concerned) continue;
    if (!to.called.all().empty()) {
      Place& back = rule.action == Action::jump ? to.staying : returned;
      for (Particle& one : through(rule.target, to.called.take(), here, depth + 1)) back.add(std::move(one));
    }
    particles = to.staying.take();
    give_up_crowds(particles);
    kind_ends = regroup(particles);
    glance = Glance(particles);
  }
  Place out(std::move(particles));
  for (Particle& particle : returned.take()) out.add(std::move(particle));
  return out.take();
}

void Walk::take(const Rule& rule, RuleRef ref, const Particle& particle, const RuleFit& fit, Taking& to) {
  if (to.is_counted) effort_.spend(cost_of_taking);
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
    if (to.here.names_permit) one.accepted_by = by;
    to.here.accepted.add(std::move(one));
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
    case Action::pass: to.staying.add(particle); return;
    case Action::change_state: {
      Particle changed = taken;
      changed.state = policy_.state_changes[rule.target].applied_to(particle.state);
      to.staying.add(changed);
      if (may_pass) to.staying.add(taken);  // unchanged, and it hangs on the same condition
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
      to.staying.add(particle);
      return;
    }
    case Action::jump:
      if (may_pass) to.staying.add(particle);
      to.called.add(taken);
      return;
    case Action::go_to: to.called.add(taken); break;
    case Action::return_to_caller: to.returned.add(taken); break;
  }
  if (may_pass) to.staying.add(particle);
}

Particles Walk::through(NodeId node, const Stage& stage, const Context& context, Particles particles) {
  Here here{context, stage.names_permit};
  for (const ListId list : stage.lists) particles = through(list, std::move(particles), here, 0);
  const Decider by{std::nullopt, node};
  for (Particle& particle : particles) switch (stage.otherwise) {
      case Stage::Default::accept:
        if (stage.names_permit && !stage.implicit.empty()) particle.accepted_by = by;
        here.accepted.add(std::move(particle));
        break;
      case Stage::Default::deny: deny(particle, by); break;
      case Stage::Default::unknown: {
        Particle open = with(particle, stage.conditions);
        deny(open, by);
        if (stage.names_permit) open.accepted_by = by;
        here.accepted.add(std::move(open));
        break;
      }
    }
  Particles accepted = here.accepted.take();
  give_up_crowds(accepted);
  return accepted;
}

// Particles that take the same case walk it together.
Particles Walk::through(NodeId node, const Branch& branch, const Context& context, Particles particles) {
  std::vector<Particles> entering(branch.cases.size());
  std::map<std::optional<std::string>, Particles> otherwise;  // by the name that is known there
  for (const Particle& particle : particles) {
    const Entries into = entries(branch, context, particle.view, packets_[particle.packet].destination);
    if (into.is_denied) {
      deny(particle, {std::nullopt, node});
      continue;
    }
    const Particle entered =
        into.ways.size() == 1 ? particle : with(particle, {condition_of(branch.dimension)});
    if (into.ways.empty()) both(entered, {std::nullopt, node});
    for (const Entry& way : into.ways)
      if (way.index < entering.size()) entering[way.index].push_back(entered);
      else otherwise[way.known == nullptr ? std::nullopt : std::optional(*way.known)].push_back(entered);
  }
  Place accepted;
  const auto enter = [&](NodeId to, const std::string* known, Particles entered) {
    const Context within = inside(context, branch.dimension, known);
    for (Particle& passed : through(to, within, std::move(entered))) accepted.add(std::move(passed));
  };
  for (std::size_t i = 0; i < entering.size(); ++i)
    if (!entering[i].empty()) enter(branch.cases[i].node, &branch.cases[i].name, std::move(entering[i]));
  for (auto& [known, entered] : otherwise)
    enter(*branch.otherwise, known ? &*known : nullptr, std::move(entered));
  return accepted.take();
}

Particles Walk::through(NodeId node, const Context& context, Particles particles) {
  if (particles.empty()) return particles;
  const Node& here = policy_.nodes[node];
  if (const auto* stage = std::get_if<Stage>(&here))
    return through(node, *stage, context, std::move(particles));
  if (const auto* branch = std::get_if<Branch>(&here))
    return through(node, *branch, context, std::move(particles));
  for (const NodeId next : std::get<Serial>(here).nodes)
    particles = through(next, context, std::move(particles));
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
    Here here{context_};
    for (const Particle& left : through(*context_.chain, std::move(particles), here, 0)) {
      if (policy_.lists[*context_.chain].ends_in_deny) deny(left, {});
      else both(with(left, {caller_condition}), {});
    }
    for (const Particle& particle : here.accepted.all()) permit(particle);
  } else {
    for (const Particle& particle : through(policy_.root, context_, std::move(particles))) permit(particle);
  }
  std::vector<Decision> decisions;
  for (std::size_t i = 0; i < packets_.size(); ++i) decisions.push_back(verdict(i));
  return decisions;
}

Decision Walk::verdict(std::size_t packet) {
  const Particles& permits = permits_[packet].all();
  const Particles& denies = denies_[packet].all();
  assert(!permits.empty() || !denies.empty());
  Decision decision;
  if (!permits.empty() && !denies.empty()) decision.verdict = Verdict::unknown;
  else decision.verdict = permits.empty() ? Verdict::deny : Verdict::permit;
  const Particles& taken = permits.empty() ? denies : permits;
  const bool is_sure = decision.verdict != Verdict::unknown;
  if (is_sure) decision.decider = taken.front().accepted_by;
  // An own address is one that nobody knows; and only where all ways lead to one place it is that.
  const auto is_there = [&](const Particle& one) {
    return one.now == taken.front().now && !one.view.is_own() &&
           std::ranges::find(one.conditions, pool_condition) == one.conditions.end();
  };
  if (taken.front().now != packets_[packet] && std::ranges::all_of(taken, is_there))
    decision.translated = taken.front().now;

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

bool gave_up(const Decision& decision) {
  return decision.verdict == Verdict::unknown &&
         std::ranges::find(decision.conditions, complexity_condition, &OpenCondition::condition) !=
             decision.conditions.end();
}

std::vector<Decision> decide(const Policy& policy, const Context& context, std::span<const Packet> packets) {
  return Walk(policy, context, packets).answer();
}

Decision decide(const Policy& policy, const Context& context, const Packet& packet) {
  return std::move(decide(policy, context, std::span(&packet, 1)).front());
}

}  // namespace aclmend::model
