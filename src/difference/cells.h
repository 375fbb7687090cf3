// A region cut into cells: boxes on which no rule tells two packets apart, so that a box can be walked like a
// packet.
//
// Where a rule, or a choice of the way, takes a part of a box only, the box is cut there and both halves
// start anew, each with the few rules that still meet it and without those that an earlier rule hides. Boxes
// that many rules meet are halved at the median of the rules' edges first. (Private to difference.)
#pragma once
#include <optional>

#include "difference/compare.h"
#include "difference/region.h"
#include "difference/signature.h"
#include "model/question.h"

namespace aclmend::difference {

// Steps that one difference may take; a hostile or tangled policy needs more, and then nothing is proved.
struct Budget {
  std::uint64_t steps = 300'000'000;
  std::size_t cells = 100'000;
  bool is_spent = false;
  bool is_exact = true;  // no packets were called equal of which nothing is known
  bool spend(std::uint64_t count) {
    if (steps < count) is_spent = true;
    steps = is_spent ? 0 : steps - count;
    return !is_spent;
  }
};

// Rules that may meet the region, in order.
using Candidates = std::vector<model::RuleRef>;

Sides<Candidates> candidates(const Comparison& comparison, const Sides<Seen>& seen);

struct CellAnswer {
  Signatures::Id signature = Signatures::deny;
  model::Decider by;
  bool is_vague = false;  // something on the way could not be followed
};
struct Cell {
  Box packets;
  Sides<CellAnswer> answers;
};

struct Scene {  // one context, and what was found out about it
  Sides<model::Context> contexts;
  Sides<Images> images;
  ContextRegion region;
};

// The cells of the scene's region whose signatures differ.
std::vector<Cell> changed_cells(const Comparison& comparison, Signatures& signatures, const Scene& scene,
                                const Sides<Candidates>& candidates, Budget& budget);

// The signature of one packet.
CellAnswer answer_for(const Comparison& comparison, Signatures& signatures, Side side,
                      const model::Context& context, const Packet& packet);

}  // namespace aclmend::difference
