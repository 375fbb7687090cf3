// Ethernet frames that carry the first packet of a connection, and how one is known again after the firewall:
// behind its transport header each carries eight bytes, a magic word and the packet's number. Checksums are
// right, since the kernel's connection tracking takes a packet with a wrong one for INVALID.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sets/packet_set.h"

namespace aclmend::oracle {

using Mac = std::array<std::uint8_t, 6>;

// Protocols of which a frame can be built as a connection's first packet.
namespace carried {
inline constexpr std::uint8_t icmp = 1, tcp = 6, udp = 17, dccp = 33, gre = 47, esp = 50, ah = 51, icmp6 = 58,
                              sctp = 132, udplite = 136;
}
bool has_ports(std::uint8_t protocol);
bool is_icmp(std::uint8_t protocol);

// ICMP has its type in the packet's source port and its code in the destination port.
std::string frame_of(const Packet& packet, std::uint32_t number, Mac to, Mac from);

// An ARP request of an address detecting its duplicates ("is this address taken?"): it leaves no trace in the
// asked host, which answers to `from` whatever its IP rules say.
std::string arp_question(Mac from, V4 address);
// The address that was asked for, where the frame is the answer to `from`.
bool is_arp_answer(std::string_view frame, Mac from);

// A packet of ours.
struct Known {
  std::uint32_t number = 0;
  Packet packet;  // as it is now
};
std::optional<Known> known_frame(std::string_view frame);
std::optional<Known> known_ipv4(std::string_view datagram);
// What stands behind the IPv6 header; the addresses are the caller's to fill in.
std::optional<Known> known_transport(std::uint8_t protocol, std::string_view transport);

}  // namespace aclmend::oracle
