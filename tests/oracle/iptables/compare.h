// Packet by packet: what the kernel did with it, and what we say.
#pragma once
#include <string>
#include <vector>

#include "tests/oracle/iptables/invent.h"
#include "tests/oracle/iptables/lacks.h"
#include "tests/oracle/iptables/opinion.h"

namespace aclmend::oracle {

struct Tally {
  std::size_t rule_sets = 0, packets = 0, permitted = 0, denied = 0, translated = 0, unknown = 0,
              hung_on_egress = 0;
  std::vector<std::string> complaints;  // scenes, shrunk as far as they still differ

  void operator+=(const Tally& other);
};

struct Hunt {
  std::uint64_t seed = 0;
  Taste taste = Taste::decidable;
  Family family = Family::ipv4;
  Backend backend = Backend::nft;
  bool as_saved = false;  // our reader gets what iptables-save and ipset save print
  Told told = Told::all;
  std::size_t packets = 100;
};
std::string to_text(const Hunt& hunt);

// Fails where the stage fails or the kernel refuses the rules: those are ours to mend, not the reader's.
Result<Tally> hunt(Stage& stage, const Lacks& lacks, const Hunt& hunt);

}  // namespace aclmend::oracle
