// What differs between two policies, against enumeration: every packet of a small universe is decided before
// and after random edits, and its signature built by the naive twin.
#include "difference/difference.h"

#include <random>

#include "tests/support/naive_signature.h"
#include "tests/support/random_policy.h"
#include "tests/support/test.h"

namespace aclmend {
namespace {

using namespace model;
using namespace difference;

constexpr unsigned policies_a_test = 40;
constexpr std::size_t every = 5;  // packet of the universe, another set for each policy

int below(std::mt19937& random, int count) {
  return std::uniform_int_distribution<int>(0, count - 1)(random);
}
template <class T>
T& any_of(std::mt19937& random, std::vector<T>& all) {
  return all[static_cast<std::size_t>(below(random, static_cast<int>(all.size())))];
}

// One edit of the kinds a change script makes. `donor` has rules and groups of the same shape.
std::string edit(std::mt19937& random, Policy& policy, const Policy& donor) {
  auto& list = any_of(random, policy.lists);
  const auto place = [&] {
    return list.rules.begin() + below(random, static_cast<int>(list.rules.size()) + 1);
  };
  switch (below(random, 17)) {
    case 0:
    case 1: {
      const auto& from = donor.lists[static_cast<std::size_t>(&list - policy.lists.data())].rules;
      if (from.empty()) return "nothing";
      list.rules.insert(place(),
                        from[static_cast<std::size_t>(below(random, static_cast<int>(from.size())))]);
      return "insert";
    }
    case 2:
      if (list.rules.empty()) return "nothing";
      list.rules.erase(list.rules.begin() + below(random, static_cast<int>(list.rules.size())));
      return "remove";
    case 3: {
      if (list.rules.empty()) return "nothing";
      const Rule moved = list.rules.front();
      list.rules.erase(list.rules.begin());
      list.rules.insert(place(), moved);
      return "move";
    }
    case 4:
      if (!list.rules.empty()) any_of(random, list.rules).enabled ^= true;
      return "enable or disable";
    case 5: {
      AddressGroup& group = any_of(random, policy.groups);
      const V4 host = 0x0A000000 + static_cast<V4>(below(random, 7));
      group.addresses.possible |= AddressSet(Address::v4(host));
      if (below(random, 2) == 0 || group.addresses.conditions.empty())
        group.addresses.certain |= AddressSet(Address::v4(host));
      return "member in";
    }
    case 6: {
      AddressGroup& group = any_of(random, policy.groups);
      const AddressSet host(Address::v4(0x0A000000 + static_cast<V4>(below(random, 7))));
      group.addresses.possible -= host;
      group.addresses.certain -= host;
      return "member out";
    }
    case 7: {
      ServiceGroup& group = any_of(random, policy.service_groups);
      group.services = donor.service_groups[static_cast<std::size_t>(below(random, 2))].services;
      return "service group";
    }
    case 8:
      any_of(random, policy.translations) = donor.translations[static_cast<std::size_t>(below(random, 3))];
      return "translation";
    case 9:
      any_of(random, policy.qualifiers) = donor.qualifiers[static_cast<std::size_t>(below(random, 5))];
      policy.qualifiers[0] = {};
      return "qualifier";
    case 10:
      for (Node& node : policy.nodes)
        if (auto* stage = std::get_if<Stage>(&node); stage != nullptr && stage->lists.size() > 1)
          std::swap(stage->lists[0], stage->lists[1]);
      return "swap lists";
    case 11: {
      auto* stage = std::get_if<Stage>(&any_of(random, policy.nodes));
      if (stage == nullptr || stage->otherwise == Stage::Default::unknown) return "nothing";
      stage->otherwise =
          stage->otherwise == Stage::Default::deny ? Stage::Default::accept : Stage::Default::deny;
      return "default";
    }
    case 12:
      for (Node& node : policy.nodes)
        if (auto* branch = std::get_if<Branch>(&node);
            branch != nullptr && branch->dimension == Dimension::egress && !branch->cases.empty())
          branch->cases[0].destinations = AddressSet(
              Address::v4(0x0A000000 + static_cast<V4>(below(random, 3))), Address::v4(0x0A000004));
      return "routes";
    case 13:
      any_of(random, policy.state_changes) = donor.state_changes[static_cast<std::size_t>(
          below(random, static_cast<int>(donor.state_changes.size())))];
      return "state change";
    case 14:
    case 15: {
      auto* branch = std::get_if<Branch>(&any_of(random, policy.nodes));
      if (branch == nullptr) return "nothing";
      switch (below(random, 4)) {
        case 0: branch->by = static_cast<Branch::By>(below(random, 3)); return "by";
        case 1: branch->own_case = branch->own_case == "inside" ? "" : "inside"; return "own case";
        case 2:
          if (!branch->cases.empty()) branch->otherwise = branch->cases[0].node;
          return "otherwise";
        default:
          if (branch->cases.size() > 1) branch->cases.pop_back();
          return "case gone";
      }
    }
    default:
      for (Node& node : policy.nodes)
        if (auto* serial = std::get_if<Serial>(&node); serial != nullptr && serial->nodes.size() > 1) {
          serial->nodes.erase(serial->nodes.begin() + below(random, 2));
          break;
        }
      return "stage gone";
  }
}

// The same policy, its conditions, groups and qualifiers in another order: nothing changes by that.
Policy renumbered(Policy policy) {
  Policy other = policy;
  const auto last_group = static_cast<GroupId>(policy.groups.size() - 1);
  std::ranges::reverse(other.groups);
  for (RuleList& list : other.lists)
    for (Rule& rule : list.rules) {
      for (AddressTerm* term : {&rule.source, &rule.destination})
        if (term->kind == AddressTerm::Kind::group) term->value = last_group - term->value;
      rule.number += 10;
    }
  for (Qualifier& qualifier : other.qualifiers)
    if (qualifier.wire && qualifier.wire->destination.kind == AddressTerm::Kind::group)
      qualifier.wire->destination.value = last_group - qualifier.wire->destination.value;
  return other;
}

struct Made {
  Policy before, after;
  std::string edits;
};

Made made(unsigned seed, test::Shape shape) {
  std::mt19937 random(seed);
  Policy before = test::random_policy(random, shape).policy;
  const Policy donor = test::random_policy(random, shape).policy;
  for (std::size_t i = 0; i < before.groups.size() && seed % 2 == 0; ++i)
    before.groups[i].name = "G" + std::to_string(i);
  Policy after = before;
  std::string edits;
  for (int i = 1 + below(random, 3); i > 0; --i) edits += edit(random, after, donor) + ", ";
  if (seed % 3 == 0) after = renumbered(after);
  return {std::move(before), std::move(after), std::move(edits)};
}

// Nothing on the way selects a case by itself: what is not given is asked name by name.
bool is_asked_by_name(const Policy& policy, Dimension dimension) {
  return std::ranges::none_of(policy.nodes, [&](const Node& node) {
    const auto* branch = std::get_if<Branch>(&node);
    return branch != nullptr && branch->dimension == dimension &&
           (branch->by != Branch::By::context ||
            std::ranges::any_of(branch->cases, [](const auto& one) { return !one.destinations.empty(); }));
  });
}

std::string place(unsigned seed, const Made& made, const Packet& packet) {
  return "seed " + std::to_string(seed) + " (" + made.edits + ") " + to_string(packet.source) + ":" +
         std::to_string(packet.source_port) + " > " + to_string(packet.destination) + ":" +
         std::to_string(packet.destination_port) + " protocol " + std::to_string(packet.protocol);
}

// In handfuls: in one walk, each packet's forks are looked up among those of all others.
std::vector<Decision> decided(const Policy& policy, const Context& context,
                              const std::vector<Packet>& packets) {
  constexpr std::size_t handful = 50;
  std::vector<Decision> all;
  for (std::size_t i = 0; i < packets.size(); i += handful)
    for (Decision& one :
         decide(policy, context, std::span(packets).subspan(i, std::min(handful, packets.size() - i))))
      all.push_back(std::move(one));
  return all;
}

const ChangedBox* box_of(const std::vector<ChangedBox>& boxes, const Packet& packet) {
  const ChangedBox* found = nullptr;
  for (const ChangedBox& one : boxes)
    if (one.packets.contains(packet)) {
      if (found != nullptr) FAIL("two boxes hold one packet");
      found = &one;
    }
  return found;
}

}  // namespace

namespace {

// A dimension that takes any name and is chosen anew by destinations is told apart by its names: a packet has
// one answer for each then (sound_test looks at those).
bool is_told_apart(const Policy& policy) {
  std::set<Dimension> any, anew;
  for (const Node& node : policy.nodes)
    if (const auto* branch = std::get_if<Branch>(&node)) {
      if (branch->otherwise) any.insert(branch->dimension);
      if (branch->by != Branch::By::context) anew.insert(branch->dimension);
    }
  return std::ranges::any_of(any, [&](Dimension one) { return anew.contains(one); });
}

}  // namespace

TEST_CASE("each packet of random policies stands in the box of its change, and in no other", "[difference]") {
  const std::vector<Packet> universe = test::universe();
  std::size_t changed = 0, unknown = 0, open = 0, incomplete = 0;
  for (const test::Shape shape : {test::Shape::flat, test::Shape::general})
    for (unsigned seed = 0; seed < 2 * policies_a_test; ++seed) {
      std::vector<Packet> packets;
      for (std::size_t i = seed % every; i < universe.size(); i += every) packets.push_back(universe[i]);
      const Made pair = made(seed, shape);
      Context context;
      context.known[Dimension::ingress] = seed % 4 == 3 ? "dmz" : "outside";
      for (const Dimension dimension : {Dimension::egress, Dimension::direction})
        if (seed % 5 == 4 ||
            (is_asked_by_name(pair.before, dimension) && is_asked_by_name(pair.after, dimension)))
          context.known[dimension] = dimension == Dimension::egress ? "inside" : "in";
      Question question;
      question.known = context.known;
      if (is_told_apart(pair.before) || is_told_apart(pair.after)) continue;
      const Difference all = what_differs(pair.before, pair.after, question);
      incomplete += !all.is_complete;  // an IPv4 pool that takes IPv6 packets cannot be followed
      const auto old = decided(pair.before, context, packets), now = decided(pair.after, context, packets);
      const auto regions = changed_regions(pair.before, pair.after, question);
      for (std::size_t p = 0; p < packets.size(); ++p) {
        const Packet& packet = packets[p];
        const std::string where = place(seed, pair, packet);
        const ChangedBox* permitted = box_of(all.newly_permitted, packet);
        const ChangedBox* denied = box_of(all.newly_denied, packet);
        const ChangedBox* vague = box_of(all.newly_unknown, packet);
        const ChangedBox* found = permitted != nullptr ? permitted : denied != nullptr ? denied : vague;
        const int held = (permitted != nullptr) + (denied != nullptr) + (vague != nullptr);
        const Verdict before = old[p].verdict, after = now[p].verdict;
        bool differs = before != after;
        if (!differs && before == Verdict::unknown) {
          const std::string one = test::naive_signature(pair.before, context, packet);
          const std::string two = test::naive_signature(pair.after, context, packet);
          if (one.empty() || two.empty()) continue;
          differs = one != two;
          ++open;
        }
        if (held != (differs ? 1 : 0))
          FAIL(where << ": " << to_string(before) << " -> " << to_string(after) << " held by " << held);
        if (!differs) continue;
        ++changed;
        if (after == Verdict::unknown) ++unknown;
        if ((after == Verdict::permit) != (permitted != nullptr) ||
            (after == Verdict::deny) != (denied != nullptr) || found->before.verdict != before ||
            found->after.verdict != after)
          FAIL(where << ": " << to_string(before) << " -> " << to_string(after) << " in the wrong list, as "
                     << to_string(found->before.verdict) << " -> " << to_string(found->after.verdict));
        if (old[p].conditions.empty() && found->before.by != old[p].decider)
          FAIL(where << ": another decider before");
        if (now[p].conditions.empty() && found->after.by != now[p].decider)
          FAIL(where << ": another decider after");
        if (found->after.verdict == Verdict::unknown) CHECK_FALSE(found->after.conditions.empty());
        if (std::ranges::none_of(regions, [&](const Region& region) {
              return std::ranges::any_of(region.boxes, [&](const Box& box) { return box.contains(packet); });
            }))
          FAIL(where << ": outside the regions");
      }
    }
  CHECK(changed > 1000);
  CHECK(unknown > 100);
  CHECK(open > 1000);
  CHECK(incomplete < policies_a_test);
}

TEST_CASE("signatures are those of the naive twin", "[difference]") {
  const std::vector<Packet> packets = test::universe();
  for (unsigned seed = 0; seed < policies_a_test; ++seed) {
    std::mt19937 random(seed);
    const auto [policy, contexts] = test::random_policy(random, test::Shape::general);
    Question question;
    question.known = contexts[1].known;
    std::map<std::string, std::string> naive_of, own_of;  // the same partition, whatever the words
    for (std::size_t p = seed; p < packets.size(); p += 41) {
      const std::string own = signature(policy, question, packets[p]);
      const std::string naive = test::naive_signature(policy, contexts[1], packets[p]);
      if (naive.empty()) continue;
      CHECK(naive_of.try_emplace(own, naive).first->second == naive);
      CHECK(own_of.try_emplace(naive, own).first->second == own);
    }
  }
}

TEST_CASE("a policy does not differ from itself, in whatever order its parts stand", "[difference]") {
  for (const test::Shape shape : {test::Shape::flat, test::Shape::general})
    for (unsigned seed = 0; seed < policies_a_test; ++seed) {
      const Policy policy = made(seed, shape).before;
      CHECK(what_differs(policy, policy, {}).empty());
      CHECK(changed_regions(policy, policy, {}).empty());
      CHECK(what_differs(policy, renumbered(policy), {}).empty());
      if (!policy.groups[0].name.empty()) CHECK(changed_regions(policy, renumbered(policy), {}).empty());
    }
}

TEST_CASE("the difference back is the mirror of the difference there", "[difference]") {
  for (const test::Shape shape : {test::Shape::flat, test::Shape::general})
    for (unsigned seed = 0; seed < policies_a_test; ++seed) {
      const Made pair = made(seed, shape);
      const Difference there = what_differs(pair.before, pair.after, {});
      const Difference back = what_differs(pair.after, pair.before, {});
      for (const char* ingress : {"outside", "dmz"}) {
        const Known known{{Dimension::ingress, ingress}};
        const auto of = [&](const Difference& all, Verdict before, Verdict after) {
          std::vector<ChangedBox> boxes;
          for (const auto* list : {&all.newly_permitted, &all.newly_denied, &all.newly_unknown})
            for (const ChangedBox& box : *list)
              if (box.before.verdict == before && box.after.verdict == after) boxes.push_back(box);
          return packets_of(boxes, known);
        };
        for (const Verdict one : {Verdict::permit, Verdict::deny, Verdict::unknown})
          for (const Verdict two : {Verdict::permit, Verdict::deny, Verdict::unknown})
            CHECK(of(there, one, two).equals(of(back, two, one)));
      }
    }
}

TEST_CASE("without a known ingress each is asked, and what is the same in all is said once", "[difference]") {
  for (unsigned seed = 0; seed < policies_a_test; ++seed) {
    const Made pair = made(seed, test::Shape::flat);
    if (!is_asked_by_name(pair.before, Dimension::ingress) ||
        !is_asked_by_name(pair.after, Dimension::ingress))
      continue;
    const Difference all = what_differs(pair.before, pair.after, {});
    for (const char* ingress : {"outside", "dmz"}) {
      Question question;
      question.known[Dimension::ingress] = ingress;
      const Difference one = what_differs(pair.before, pair.after, question);
      CHECK(packets_of(all.newly_permitted, question.known)
                .equals(packets_of(one.newly_permitted, question.known)));
      CHECK(
          packets_of(all.newly_denied, question.known).equals(packets_of(one.newly_denied, question.known)));
      CHECK(packets_of(all.newly_unknown, question.known)
                .equals(packets_of(one.newly_unknown, question.known)));
    }
  }
}

TEST_CASE("only what is asked for is compared", "[difference]") {
  for (unsigned seed = 0; seed < policies_a_test; ++seed) {
    const Made pair = made(seed, test::Shape::general);
    Question question;
    question.known[Dimension::ingress] = "outside";
    const Difference all = what_differs(pair.before, pair.after, question);
    Box half = Box::all();
    half.destination = AddressSet(Address::v4(0x0A000000), Address::v4(0x0A000003));
    question.within = PacketSet(half);
    const Difference part = what_differs(pair.before, pair.after, question);
    CHECK(packets_of(part.newly_denied, {}).equals(packets_of(all.newly_denied, {}) & PacketSet(half)));
    CHECK(packets_of(part.newly_permitted, {}).equals(packets_of(all.newly_permitted, {}) & PacketSet(half)));
  }
}

}  // namespace aclmend
