// Small random policies with everything the model knows: open conditions, partly known groups, calls, state,
// translations, several stages, alternatives. Addresses and ports come from a universe small enough to be
// walked packet by packet.
#pragma once
#include <random>
#include <vector>

#include "model/question.h"

namespace aclmend::test {

enum class Shape : std::uint8_t {
  flat,     // lists of accept and deny, as an ASA has them
  general,  // calls, returns, marks, unknown targets, translations anywhere
};

struct RandomPolicy {
  model::Policy policy;
  std::vector<model::Context> contexts;  // that make sense to ask
};

RandomPolicy random_policy(std::mt19937& random, Shape shape);

// Every packet of the universe (some hundreds).
std::vector<Packet> universe();
std::vector<Address> universe_addresses();
std::vector<std::uint16_t> universe_source_ports();

}  // namespace aclmend::test
