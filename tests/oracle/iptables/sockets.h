// The sockets of the stage.
#pragma once
#include <optional>

#include "tests/oracle/iptables/frame.h"
#include "tests/oracle/iptables/namespace.h"

namespace aclmend::oracle {

// With a long queue. It belongs to the namespace that this thread is in.
Result<Descriptor> socket_of(int domain, int type, int protocol);

// Gets a copy of what is delivered to this host, behind all hooks; bound to a protocol, as raw sockets are.
struct Listener {
  Family family = Family::ipv4;
  std::uint8_t protocol = 0;
  Descriptor socket;
};

Result<Listener> listener(Family family, std::uint8_t protocol);

struct Heard {
  bool any = false;  // something was there, ours or not
  std::optional<Known> known;
};
Heard next_of(const Listener& listener);  // does not wait

// A socket to the connection table of the namespace that this thread is in.
Result<Descriptor> connection_table();
// Deletes all its entries and waits for the kernel's word that they are gone.
Result<void> forget_connections(const Descriptor& table);

}  // namespace aclmend::oracle
