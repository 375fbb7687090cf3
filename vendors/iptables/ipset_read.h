#pragma once
namespace aclmend::iptables {
struct IpSets {};
}  // namespace aclmend::iptables
