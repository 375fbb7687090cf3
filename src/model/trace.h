// One packet as people ask for it: without a source port, perhaps without an interface. Every source port
// from 1024 to 65535 is asked then, and what the context leaves open is shown alternative by alternative.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/question.h"

namespace aclmend::model {

struct TraceQuestion {
  Packet packet;  // its source port only counts where no set is given
  std::optional<PortSet> source_ports;
  Context context;
};

struct PortAnswer {
  PortSet ports;
  Verdict verdict = Verdict::unknown;
};

// A dimension of the context that was not given and among whose cases the way forks.
struct Fork {
  struct Case {
    std::string name;
    Decision decision;  // as if the asker had given this name
  };
  Dimension dimension = Dimension::ingress;
  bool is_open = false;  // the answer hangs on it
  std::vector<Case> cases;
};

struct Trace {
  Packet packet;  // stands for all that were asked; what the decision's path and decider belong to
  Decision decision;
  std::vector<PortAnswer> ports;  // two or more where the verdict hangs on the source port
  std::vector<Fork> forks;
};

// Fails where source and destination are of different families, and where `meaning` and `decide` disagree,
// which is our error.
Result<Trace> trace(const Policy& policy, const TraceQuestion& question);

// The names among which the way of this firewall forks, sorted; empty: it does not fork there.
std::vector<std::string> cases_of(const Policy& policy, Dimension dimension);
// Whether other names are welcome too: some branch has a way for those that none of its cases has.
bool takes_any_name(const Policy& policy, Dimension dimension);

}  // namespace aclmend::model
