// Where packets come to a stage, and as what: held against policies in which that stage denies everything, so
// that whoever comes there is denied there.
#include <algorithm>
#include <random>

#include "model/match.h"
#include "model/question.h"
#include "tests/support/random_policy.h"
#include "tests/support/test.h"

namespace aclmend {
namespace {

using namespace model;

// The same policy, where the stage denies all that comes to it and everything behind accepts.
Policy with_wall(Policy policy, NodeId wall) {
  auto& stage = std::get<Stage>(policy.nodes[wall]);
  stage.lists.clear();
  stage.otherwise = Stage::Default::deny;
  return policy;
}

TEST_CASE("packets arrive at a stage exactly where a wall there would stop them", "[model]") {
  std::mt19937 random(20261123);
  for (int i = 0; i < 60; ++i) {
    const test::RandomPolicy one = test::random_policy(random, test::Shape::general);
    for (NodeId node = 0; node < one.policy.nodes.size(); ++node) {
      if (!std::holds_alternative<Stage>(one.policy.nodes[node])) continue;
      const Policy walled = with_wall(one.policy, node);
      for (const Context& context : one.contexts) {
        if (context.chain) continue;
        PacketSet arrived;
        for (const Arrival& arrival : arrivals(one.policy, context, PacketSet::all(), {node}))
          arrived |= arrival.packets;
        PacketSet stopped;
        for (const Outcome& outcome : meaning(walled, context, PacketSet::all()).outcomes)
          if (!outcome.is_permit && outcome.decider.stage == node) stopped |= outcome.packets;
        CHECK(arrived.equals(stopped));
      }
    }
  }
}

TEST_CASE("a packet that certainly comes to a stage comes as the walk of one packet sees it", "[model]") {
  std::mt19937 random(4711);
  int compared = 0;
  for (int i = 0; i < 40; ++i) {
    const test::RandomPolicy one = test::random_policy(random, test::Shape::general);
    for (NodeId node = 0; node < one.policy.nodes.size(); ++node) {
      if (!std::holds_alternative<Stage>(one.policy.nodes[node])) continue;
      const Policy walled = with_wall(one.policy, node);
      for (const Context& context : one.contexts) {
        if (context.chain) continue;
        const auto all = arrivals(one.policy, context, PacketSet::all(), {node});
        std::vector<Packet> packets;
        std::ranges::sample(test::universe(), std::back_inserter(packets), 50, random);
        const std::vector<Decision> decisions = decide(walled, context, packets);
        for (std::size_t p = 0; p < packets.size(); ++p) {
          const Packet& packet = packets[p];
          const Decision& decision = decisions[p];
          if (decision.verdict != Verdict::deny || decision.decider.stage != node ||
              !decision.conditions.empty())
            continue;
          const Packet seen = decision.translated.value_or(packet);
          const bool is_among = std::ranges::any_of(all, [&](const Arrival& arrival) {
            if (!arrival.packets.contains(packet)) return false;
            if (arrival.view.is_own()) return !decision.translated;  // to where, nobody can say
            return arrival.view.destination_of(packet.destination) == seen.destination &&
                   arrival.view.port_of(packet.destination_port) == seen.destination_port;
          });
          CHECK(is_among);
          ++compared;
        }
      }
    }
  }
  CHECK(compared > 1000);
}

}  // namespace
}  // namespace aclmend
