// Where the firewall of the stage stands: its interfaces, addresses and routes. Behind every interface is one
// neighbour that takes all packets.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "sets/packet_set.h"

namespace aclmend::oracle {

// An interface of the firewall, its own addresses (the first of a family is the primary one) and what is
// routed there.
struct Port {
  std::string name;
  std::vector<Address> addresses;
  std::vector<Prefix> routes;
};
struct Plan {
  std::vector<Port> ports;

  std::vector<Address> own(Family family) const;
  bool is_own(Address address) const;
  // The interface towards an address that is not the firewall's own; empty where no route leads.
  std::string_view egress_to(Address address) const;
};
// Five interfaces whose names are prefixes of each other and not, all of both families' addresses routed.
const Plan& usual_plan();
// Whether the kernel delivers or forwards such packets at all: no martians, no multicast, no broadcast.
bool is_ordinary(const Packet& packet);

}  // namespace aclmend::oracle
