// Rules and packets as text, in the form of a vendor's case file: what a mismatch is printed as, and what the
// stage plays when it is asked to by hand.
//
//   # Why this is asked. (legacy) in the head: the old back end's tools load it.
//   --- config
//   *filter
//   -A INPUT -p tcp --dport 25 -j DROP
//   COMMIT
//   --- config
//   create net hash:net
//   --- trace tcp 192.0.2.9:40000 > 203.0.113.1:25 ingress eth0
//   deny
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "tests/oracle/iptables/stage.h"

namespace aclmend::oracle {

struct Scene {
  std::string head;
  RuleSet rules;
  std::vector<Probe> probes;
};

Result<Scene> scene_of(std::string_view text);
std::string to_text(const Probe& probe);  // "tcp 192.0.2.9:40000 > 203.0.113.1:25 ingress eth0"
std::string to_text(const Sight& sight);  // "deny", "permit, to 10.1.0.5:2525 by eth1"
// The scene with an answer under each packet.
std::string to_text(const Scene& scene, const std::vector<std::string>& answers);

}  // namespace aclmend::oracle
