// Three ways to one answer: `decide` (a packet at a time), `meaning` (sets) and `by_source` (painted sources)
// are held against each other on random policies, and `decide` against every possible world.
#include <map>
#include <random>

#include "model/match.h"
#include "model/question.h"
#include "tests/support/random_policy.h"
#include "tests/support/test.h"

namespace aclmend {
namespace {

using namespace model;

constexpr unsigned policies_a_test =
    20;  // each test meets every action; more only cost time under sanitizers

std::string place(unsigned seed, std::size_t context, const Packet& packet) {
  return "seed " + std::to_string(seed) + " context " + std::to_string(context) + " " +
         to_string(packet.source) + ":" + std::to_string(packet.source_port) + " > " +
         to_string(packet.destination) + ":" + std::to_string(packet.destination_port) + " protocol " +
         std::to_string(packet.protocol);
}

// One world: every open question has been settled. `choose` answers them; the same question about the same
// rule gets the same answer within a world.
class World {
 public:
  World(const Policy& policy, const Context& context, std::vector<int> choices)
      : policy_(policy), context_(context), choices_(std::move(choices)) {}

  enum class End : std::uint8_t { permit, deny, accept, falls_out };

  bool permits(const Packet& packet) {
    wire_ = now_ = packet;
    return walk(policy_.root);
  }
  // The next world after this one, in the order of a counter; empty when this was the last.
  std::optional<std::vector<int>> next() const {
    std::vector<int> choices = asked_;
    for (std::size_t i = choices.size(); i-- > 0;) {
      if (choices[i] + 1 < sizes_[i]) {
        ++choices[i];
        choices.resize(i + 1);
        return choices;
      }
    }
    return std::nullopt;
  }

 private:
  int choose(int count) {
    const std::size_t at = asked_.size();
    asked_.push_back(at < choices_.size() ? choices_[at] : 0);
    sizes_.push_back(count);
    return asked_.back();
  }
  // Members of partly known sets are asked once a rule, not once a set: rules are independent.
  bool matches(RuleRef ref) {
    const Rule& rule = policy_.rule(ref);
    const auto source = addresses_of(policy_, rule.source);
    const auto destination = addresses_of(policy_, rule.destination);
    const auto services = services_of(policy_, rule.service);
    const auto holds = [&](const ServiceSet& set) {
      for (const ServiceBox& box : set)
        if (box.protocol.contains(now_.protocol) && box.source.contains(now_.source_port) &&
            box.destination.contains(now_.destination_port))
          return true;
      return false;
    };
    const Qualifier& qualifier = policy_.qualifiers[rule.qualifier];
    if (!qualifier.state.matches(state_)) return false;
    const QualifierFit standing = standing_fit(context_, qualifier);
    // Of an address nobody knows, only a place that takes every address is sure.
    const AddressSet family = AddressSet::all(now_.source.family);
    const auto holds_destination = [&](const AddressSet& set, bool is_certain) {
      if (!is_own_) return set.contains(now_.destination);
      return is_certain ? (family - set).empty() : !(set & family).empty();
    };
    bool possible = standing.fit != Fit::no && source->possible.contains(now_.source) &&
                    holds_destination(destination->possible, false) && holds(services->possible);
    bool certain = standing.fit == Fit::certain && source->certain.contains(now_.source) &&
                   holds_destination(destination->certain, true) && holds(services->certain);
    const bool other_port = now_.destination_port != wire_.destination_port;
    const bool is_translated = other_port || now_.destination != wire_.destination;
    if (qualifier.state.translated != StateMatch::Translated::either) {
      if (is_own_ && !other_port) certain = false;
      else
        possible = possible && is_translated == (qualifier.state.translated == StateMatch::Translated::yes);
    }
    if (qualifier.wire) {
      const auto asked = addresses_of(policy_, qualifier.wire->destination);
      const bool fits_port = qualifier.wire->ports.contains(wire_.destination_port);
      possible = possible && fits_port && asked->possible.contains(wire_.destination);
      certain = certain && asked->certain.contains(wire_.destination);
    }
    if (!possible) return false;
    if (certain) return true;
    const auto key = std::pair(ref.list, ref.index);
    if (const auto known = coins_.find(key); known != coins_.end()) return known->second == 1;
    return (coins_[key] = choose(2)) == 1;
  }
  End walk(ListId list, int depth) {
    for (std::uint32_t i = 0; i < policy_.lists[list].rules.size(); ++i) {
      const Rule& rule = policy_.lists[list].rules[i];
      if (!rule.enabled || !matches({list, i})) continue;
      switch (rule.action) {
        case Action::permit: return End::permit;
        case Action::deny: return End::deny;
        case Action::accept: return End::accept;
        case Action::pass: break;
        case Action::change_state: state_ = policy_.state_changes[rule.target].applied_to(state_); break;
        case Action::translate: {
          const auto views = translated_views(view_, policy_.translations[rule.target]);
          if (!views || !can_take(policy_.translations[rule.target], now_.source.family))
            return choose(2) == 0 ? End::permit : End::deny;
          view_ = (*views)[static_cast<std::size_t>(choose(static_cast<int>(views->size())))];
          is_own_ = view_.is_own();
          now_.destination = view_.destination_of(wire_.destination);
          now_.destination_port = view_.port_of(wire_.destination_port);
          return End::accept;
        }
        case Action::program_decides: return choose(2) == 0 ? End::accept : End::deny;
        case Action::unknown: {
          const int what = choose(3);
          if (what < 2) return what == 0 ? End::accept : End::deny;
          break;
        }
        case Action::jump: {
          const End end = walk(rule.target, depth + 1);
          if (end != End::falls_out) return end;
          break;
        }
        case Action::go_to: return walk(rule.target, depth + 1);
        case Action::return_to_caller: return End::falls_out;
      }
    }
    return End::falls_out;
  }
  // Inside a case its dimension is known; behind the branch it is what it was.
  bool enter(const Branch& branch, NodeId node, const std::optional<std::string>& name) {
    const auto outer = context_.known;
    if (name) context_.known[branch.dimension] = *name;
    else context_.known.erase(branch.dimension);
    const bool result = walk(node);
    context_.known = outer;
    return result;
  }
  bool walk(const Branch& branch) {
    const bool is_moved = !is_own_ && now_.destination != wire_.destination;
    std::optional<std::string> name;
    if (branch.by == Branch::By::context || (branch.by == Branch::By::routed && !is_moved))
      if (const auto known = context_.known.find(branch.dimension); known != context_.known.end())
        name = known->second;
    if (branch.by == Branch::By::routed && is_own_) name = branch.own_case;
    if (name) {
      for (const auto& one : branch.cases)
        if (one.name == *name) return enter(branch, one.node, name);
      return branch.otherwise && enter(branch, *branch.otherwise, name);
    }
    for (const auto& one : branch.cases)
      if (!is_own_ && one.destinations.contains(now_.destination)) return enter(branch, one.node, one.name);
    if (branch.cases.empty()) return enter(branch, *branch.otherwise, std::nullopt);
    const auto& one = branch.cases[static_cast<std::size_t>(choose(static_cast<int>(branch.cases.size())))];
    return enter(branch, one.node, one.name);
  }
  bool walk(NodeId node) {
    if (const auto* serial = std::get_if<Serial>(&policy_.nodes[node])) {
      for (const NodeId next : serial->nodes) {
        if (!walk(next)) return false;
        if (is_permitted_) return true;
      }
      return true;
    }
    if (const auto* branch = std::get_if<Branch>(&policy_.nodes[node])) return walk(*branch);
    const auto& stage = std::get<Stage>(policy_.nodes[node]);
    for (const ListId list : stage.lists) switch (walk(list, 0)) {
        case End::permit: is_permitted_ = true; return true;
        case End::deny: return false;
        case End::accept: return true;
        case End::falls_out: break;
      }
    switch (stage.otherwise) {
      case Stage::Default::accept: return true;
      case Stage::Default::deny: return false;
      case Stage::Default::unknown: return choose(2) == 0;
    }
    return false;
  }

  const Policy& policy_;
  Context context_;
  std::vector<int> choices_, asked_, sizes_;
  std::map<std::pair<ListId, std::uint32_t>, int> coins_;
  Packet wire_, now_;
  View view_;
  State state_;
  bool is_own_ = false;  // its destination is an address that nobody knows
  bool is_permitted_ = false;
};

struct Worlds {
  bool some_permit = false, some_deny = false, all_walked = true;
};

Worlds all_worlds(const Policy& policy, const Context& context, const Packet& packet) {
  constexpr int most = 4096;
  Worlds seen;
  std::optional<std::vector<int>> choices = std::vector<int>{};
  for (int i = 0; choices; ++i) {
    if (i == most) {
      seen.all_walked = false;
      break;
    }
    World world(policy, context, *choices);
    (world.permits(packet) ? seen.some_permit : seen.some_deny) = true;
    choices = world.next();
  }
  return seen;
}

}  // namespace

TEST_CASE("decide and meaning agree on every packet of random policies") {
  const std::vector<Packet> packets = test::universe();
  for (const test::Shape shape : {test::Shape::flat, test::Shape::general})
    for (unsigned seed = 0; seed < policies_a_test; ++seed) {
      std::mt19937 random(seed);
      const auto [policy, contexts] = test::random_policy(random, shape);
      for (std::size_t c = 0; c < contexts.size(); ++c) {
        const Meaning all = meaning(policy, contexts[c], PacketSet::all());
        const PacketSet permitted = all.permitted(), denied = all.denied();
        const auto decisions = decide(policy, contexts[c], packets);
        for (std::size_t p = 0; p < packets.size(); ++p) {
          const Verdict expected = permitted.contains(packets[p]) ? Verdict::permit
                                   : denied.contains(packets[p])  ? Verdict::deny
                                                                  : Verdict::unknown;
          if (decisions[p].verdict != expected)
            FAIL(place(seed, c, packets[p])
                 << ": decide " << to_string(decisions[p].verdict) << ", meaning " << to_string(expected));
        }
      }
    }
}

TEST_CASE("every packet is in a permit or a deny set: a list with a default leaves nothing over") {
  for (unsigned seed = 0; seed < policies_a_test; ++seed) {
    std::mt19937 random(seed);
    const auto [policy, contexts] = test::random_policy(random, test::Shape::general);
    const Meaning all = meaning(policy, contexts[0], PacketSet::all());
    PacketSet left = PacketSet::all();
    for (const Outcome& outcome : all.outcomes) left -= outcome.packets;
    CHECK(left.empty());
    CHECK((all.permitted() & all.denied()).empty());
    CHECK((all.permitted() & all.unknown()).empty());
  }
}

TEST_CASE("by_source says of each source what decide says of its packets, the worst port counting") {
  const auto ports = test::universe_source_ports();
  for (const test::Shape shape : {test::Shape::flat, test::Shape::general})
    for (unsigned seed = 0; seed < policies_a_test; ++seed) {
      std::mt19937 random(seed);
      const auto [policy, contexts] = test::random_policy(random, shape);
      for (std::size_t c = 0; c < contexts.size(); ++c)
        for (const Address destination : test::universe_addresses()) {
          Slice slice{destination, protocol::tcp, 25, PortSet(1024, 65535)};
          const auto ranges = by_source(policy, contexts[c], slice, AddressSet::all());
          const SourceRange* before = nullptr;
          AddressSet seen;
          for (const SourceRange& range : ranges) {
            if (before != nullptr) CHECK(before->last < range.first);
            before = &range;
            seen |= AddressSet(range.first, range.last);
          }
          CHECK(seen == AddressSet::all(destination.family));
          for (const Address source : test::universe_addresses()) {
            if (source.family != destination.family) continue;
            std::vector<Packet> packets;
            for (const std::uint16_t port : ports) packets.push_back({source, destination, 6, port, 25});
            int worst = 0;
            PortSet denied;
            bool all_denied = true;
            const auto decisions = decide(policy, contexts[c], packets);
            for (std::size_t p = 0; p < packets.size(); ++p) {
              const Verdict verdict = decisions[p].verdict;
              worst = std::max(worst, verdict == Verdict::deny ? 2 : verdict == Verdict::unknown ? 1 : 0);
              if (verdict == Verdict::deny) denied |= PortSet(ports[p], ports[p]);
              else all_denied = false;
            }
            const auto range = std::ranges::find_if(
                ranges, [&](const SourceRange& one) { return one.first <= source && source <= one.last; });
            REQUIRE(range != ranges.end());
            const Verdict expected = worst == 2   ? Verdict::deny
                                     : worst == 1 ? Verdict::unknown
                                                  : Verdict::permit;
            if (range->verdict != expected)
              FAIL(place(seed, c, packets[0])
                   << " shape " << int(shape) << ": by_source " << to_string(range->verdict) << ", decide "
                   << to_string(expected));
            if (!all_denied)
              for (const std::uint16_t port : ports)
                CHECK(range->denied_ports.contains(port) == denied.contains(port));
          }
        }
    }
}

TEST_CASE("no answer is wrong in any possible world; on flat lists none is vaguer than need be") {
  std::size_t open = 0, walked = 0;
  for (const test::Shape shape : {test::Shape::flat, test::Shape::general})
    for (unsigned seed = 1000; seed < 1000 + policies_a_test; ++seed) {
      std::mt19937 random(seed);
      const auto [policy, contexts] = test::random_policy(random, shape);
      std::vector<Packet> packets;
      std::ranges::sample(test::universe(), std::back_inserter(packets), 40, random);
      for (std::size_t c = 0; c < contexts.size(); ++c) {
        const auto decisions = decide(policy, contexts[c], packets);
        for (std::size_t p = 0; p < packets.size(); ++p) {
          const Worlds worlds = all_worlds(policy, contexts[c], packets[p]);
          const Verdict verdict = decisions[p].verdict;
          const std::string where = place(seed, c, packets[p]);
          if (verdict == Verdict::permit && worlds.some_deny) FAIL(where << ": permit, but a world denies");
          if (verdict == Verdict::deny && worlds.some_permit) FAIL(where << ": deny, but a world permits");
          if (verdict != Verdict::unknown || !worlds.all_walked) continue;
          ++open;
          walked += worlds.some_permit && worlds.some_deny ? 1 : 0;
          if (shape == test::Shape::flat && !(worlds.some_permit && worlds.some_deny))
            FAIL(where << ": unknown, but every world agrees");
        }
      }
    }
  CHECK(open > 25);               // the generator does leave questions open
  CHECK(walked * 10 > open * 8);  // and vagueness is rare
}

}  // namespace aclmend
