// Rule sets by chance, over everything that iptables can say about a first packet, and packets that look for
// their edges: the ends of each prefix, range and set element in the rules, and one beyond.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tests/oracle/iptables/dice.h"
#include "tests/oracle/iptables/stage.h"

namespace aclmend::oracle {

// What the rules may ask. Of decidable ones an answer is expected for every packet, of others "unknown" is
// fair.
enum class Taste : std::uint8_t { decidable, anything };

struct Invention {
  RuleSet rules;
  Taste taste = Taste::decidable;
  std::vector<Address> addresses;  // where something changes
  std::vector<std::uint16_t> ports;
};

Invention invent(std::uint64_t seed, Taste taste, Family family, Backend backend, const Plan& plan);
std::vector<Probe> probes_for(const Invention& invention, std::uint64_t seed, std::size_t count,
                              const Plan& plan);

}  // namespace aclmend::oracle
