// What our reader and model say about a probe, for the comparison with the kernel.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "intake/result.h"
#include "model/question.h"
#include "tests/oracle/iptables/stage.h"

namespace aclmend::oracle {

// What the asker says beside the packet.
enum class Told : std::uint8_t {
  all,        // the firewall's own addresses, the ingress; the egress where the answer hangs on it
  no_ingress  // own addresses alone
};

struct Answer {
  model::Verdict verdict = model::Verdict::unknown;
  std::optional<Packet> translated;
  bool hangs_on_egress = false;  // asked without an egress it was unknown
};

class Opinion {
 public:
  static Result<Opinion> read(const RuleSet& rules, const Plan& plan);

  std::vector<Answer> of(std::span<const Probe> probes, Told told) const;
  // The same question with the egress said.
  Answer with_egress(const Probe& probe, const std::string& egress) const;
  bool asks_egress() const { return asks_egress_; }
  const Diagnostics& diagnostics() const { return intake_.reading.diagnostics; }

 private:
  const model::Policy& policy() const { return intake_.reading.devices.front().policy; }

  intake::Intake intake_;
  bool asks_egress_ = false;
};

}  // namespace aclmend::oracle
