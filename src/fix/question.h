// From what an audit found to the commands that mend it, proved before they are handed out (semantics page,
// "Difference and proof").
#pragma once
#include "audit/question.h"
#include "difference/difference.h"
#include "fix/result.h"
#include "vendors/vendor.h"

namespace aclmend::fix {

// Packets that a possible deny makes unknown: it may be wanted, so they stay as they are unless told else.
enum class Unknown : std::uint8_t { left_alone, settled };

struct Question {
  audit::Question audit;  // of the device as it is; its context holds no assumptions by number
  std::vector<difference::Assumption> assumed;
  const Device* device = nullptr;
  const Vendor* vendor = nullptr;
  Unknown unknown = Unknown::left_alone;
};

// Fails only where our two ways of counting disagree: then nothing that was worked out may be printed.
Result<Mend> mend(const Question& question);

}  // namespace aclmend::fix
