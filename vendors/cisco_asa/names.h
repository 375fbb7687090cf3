// The names an ASA has for ports, protocols and ICMP types ("Addresses, Protocols, and Ports" in the General
// Operations guide). They are the device's own and not IANA's: cifs is 3020, kerberos 750, radius 1645; 587,
// 465 and 993 have no name.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace aclmend::cisco_asa {

enum class PortTable : std::uint8_t { tcp, udp, both };

// A number or a name. Where a protocol is neither tcp nor udp, or is both, a name may come from either table.
std::optional<std::uint16_t> port_number(std::string_view word, PortTable table);

// "tcp", "ahp", "47"; `ip` is not a protocol but all of them and is not found here.
std::optional<std::uint8_t> ip_protocol(std::string_view word);

enum class IcmpTable : std::uint8_t { icmp, icmp6 };
std::optional<std::uint8_t> icmp_type(std::string_view word, IcmpTable table);

// The levels of `log`, by name or number.
std::optional<std::uint8_t> log_level(std::string_view word);

}  // namespace aclmend::cisco_asa
