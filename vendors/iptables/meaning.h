// What conntrack makes of first packets (private to the conversion).
#pragma once
#include "model/policy.h"

namespace aclmend::iptables {

// Of packets that raw left to it.
struct Tracked {
  model::ServiceSet fresh;      // NEW
  model::ServiceSet invalid;    // no connection: ICMP that answers something
  model::ServiceSet untracked;  // no connection: neighbour discovery
  model::ServiceSet unknown;    // depends on the kernel
};
Tracked tracked_services(Family family);

}  // namespace aclmend::iptables
