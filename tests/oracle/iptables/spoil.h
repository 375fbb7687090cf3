// Rule files with a mistake or an oddity in them: what the reader takes without a word must load, what it
// calls an error must not.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "tests/oracle/iptables/stage.h"

namespace aclmend::oracle {

// One table of a random rule set with one or two changes by chance.
RuleSet spoilt(std::uint64_t seed, Family family, const Plan& plan);

struct Loading {
  bool is_taken = false;      // by the kernel's tools: one of the two back ends
  bool is_refused = false;    // by one of the two
  bool is_silent = false;     // our reader has nothing to warn of
  bool is_error = false;      // our reader calls it an error
  std::string said, we_said;  // the first words of each
};
Result<Loading> loading(Stage& stage, const RuleSet& rules);

// What the two disagree about, as a scene; empty where they agree or where we mean to differ.
Result<std::string> load_complaint(Stage& stage, std::uint64_t seed, Family family);

}  // namespace aclmend::oracle
