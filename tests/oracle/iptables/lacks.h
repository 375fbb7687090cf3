// What this kernel, or the tools on it, cannot do: modules that are not there. Rules that need one are left
// out of what is compared, and the tests say so.
#pragma once
#include <string>
#include <vector>

#include "tests/oracle/iptables/stage.h"

namespace aclmend::oracle {

struct Lacks {
  std::vector<Backend> backends;
  std::vector<std::string> modules;    // matches and targets: "-m mac", "-j NETMAP"
  std::vector<std::string> set_types;  // "hash:net,net"

  bool has(Backend backend) const;
};

// Each module is loaded once, alone.
Lacks lacks_of(Stage& stage);
// The sentence about them; empty where nothing is missing.
std::string to_text(const Lacks& lacks);
// The rules and sets without the lines that need what is missing.
RuleSet without(const Lacks& lacks, const RuleSet& rules);

}  // namespace aclmend::oracle
