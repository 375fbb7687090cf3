// Which edits could remove an obstacle, in the order in which they are tried: what comes nearest to the cause
// first (semantics page, "Difference and proof").
#pragma once
#include <string>
#include <vector>

#include "audit/obstacle.h"
#include "fix/question.h"

namespace aclmend::fix {

struct Candidate {
  std::string name;  // "member into EOP-NETS"
  Edit edit;
  model::ListId list = 0;              // through which the packets are to get
  std::string refusal = {};            // it is not even tried: why
  std::optional<audit::Line> at = {};  // what the refusal is about
  std::string because = {};  // who else would feel it: "EOP-NETS is used by OUT line 4 and nowhere else"
};

std::vector<Candidate> candidates(const model::Policy& policy, const audit::Obstacle& obstacle,
                                  Unknown unknown);

}  // namespace aclmend::fix
