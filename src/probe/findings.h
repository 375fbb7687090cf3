// From what was seen to what is told: one cause, one finding, with all addresses it concerns.
#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "probe/result.h"

namespace aclmend::probe {

// What a host and port showed last time, on all its addresses; none: never seen.
using LastSeen = std::function<std::vector<Seen>(const std::string& host, std::uint16_t port)>;

inline constexpr std::chrono::days soon{30};  // a certificate that ends earlier is told

std::vector<Finding> findings(const std::vector<HostResult>& hosts, std::uint16_t port,
                              const LastSeen& last_seen, std::chrono::sys_seconds now);

// Every name and address that mail would use was judged. IPv6 does not count where this machine has no way to
// it and the host has IPv4: Exchange Online uses IPv6 only where the tenant asked for it.
bool is_judged(const std::vector<HostResult>& hosts);

}  // namespace aclmend::probe
