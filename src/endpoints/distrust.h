// An answer of the service that would take addresses away from a required flow is held against the list in
// force before anybody acts on it: the list has been empty or short by mistake before (Worldwide 2018072800
// lost a network that 2018080200 put back), and a firewall that follows it closes the mail.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "endpoints/result.h"

namespace aclmend::endpoints {

// Rows that somebody relies on: those of a required flow.
struct Watched {
  std::string flow;
  Selection selection;
};

// More than this share of a family's addresses gone is no ordinary release.
inline constexpr double most_lost = 0.30;

// Why `fresh` should not replace `held`, a sentence for each flow: no rows left, a whole family gone, or more
// than `most_lost` of a family. Empty: nothing speaks against it. A flow whose rows `held` does not know is
// not judged.
std::vector<std::string> distrust(const Release& held, const Release& fresh,
                                  std::span<const Watched> watched);

}  // namespace aclmend::endpoints
