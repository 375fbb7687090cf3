#include "tests/oracle/iptables/frame.h"

#include <span>

namespace aclmend::oracle {
namespace {

constexpr std::uint32_t magic = 0xAC13E4D5;  // no version of IP begins with these four bits
constexpr std::size_t ethernet_size = 14, ipv4_size = 20, ipv6_size = 40;
constexpr std::uint16_t ethertype_ipv4 = 0x0800, ethertype_arp = 0x0806, ethertype_ipv6 = 0x86DD;

void put8(std::string& to, unsigned value) { to += static_cast<char>(value); }
void put16(std::string& to, unsigned value) {
  put8(to, value >> 8 & 0xFF);
  put8(to, value & 0xFF);
}
void put32(std::string& to, std::uint32_t value) {
  put16(to, value >> 16);
  put16(to, value & 0xFFFF);
}
void put(std::string& to, Mac mac) {
  for (const std::uint8_t byte : mac) put8(to, byte);
}
void put(std::string& to, Address address) {
  for (int bit = address_bits(address.family) - 32; bit >= 0; bit -= 32)
    put32(to, static_cast<std::uint32_t>(address.number >> bit));
}
void set16(std::string& in, std::size_t at, unsigned value) {
  in[at] = static_cast<char>(value >> 8);
  in[at + 1] = static_cast<char>(value & 0xFF);
}

unsigned get8(std::string_view from, std::size_t at) { return static_cast<unsigned char>(from[at]); }
std::uint16_t get16(std::string_view from, std::size_t at) {
  return static_cast<std::uint16_t>(get8(from, at) << 8 | get8(from, at + 1));
}
std::uint32_t get32(std::string_view from, std::size_t at) {
  return static_cast<std::uint32_t>(get16(from, at)) << 16 | get16(from, at + 2);
}
V6 get128(std::string_view from, std::size_t at) {
  V6 number = 0;
  for (std::size_t i = 0; i < 16; ++i) number = number << 8 | get8(from, at + i);
  return number;
}

std::uint16_t internet_checksum(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += get16(bytes, i);
  if (bytes.size() % 2 != 0) sum += get8(bytes, bytes.size() - 1) << 8;
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    crc ^= get8(bytes, i);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82F63B78 : 0);
  }
  return ~crc;
}

// Where a transport header of the protocol holds our eight bytes, and where its checksum is (0: none).
struct Layout {
  std::size_t stamp = 0;
  std::size_t checksum = 0;
};
Layout layout_of(std::uint8_t protocol) {
  switch (protocol) {
    case carried::tcp: return {20, 16};
    case carried::udp:
    case carried::udplite: return {8, 6};
    case carried::icmp:
    case carried::icmp6: return {8, 2};
    case carried::sctp: return {16, 8};
    case carried::dccp: return {20, 6};
    case carried::gre: return {4, 0};
    case carried::esp: return {8, 0};
    case carried::ah: return {24, 0};
  }
  return {0, 0};
}

std::string stamp_of(std::uint32_t number) {
  std::string bytes;
  put32(bytes, magic);
  put32(bytes, number);
  return bytes;
}

std::string ports_of(const Packet& packet) {
  std::string bytes;
  put16(bytes, packet.source_port);
  put16(bytes, packet.destination_port);
  return bytes;
}

// Without its checksum.
std::string transport_of(const Packet& packet, std::uint32_t number) {
  const std::string stamp = stamp_of(number);
  std::string bytes;
  switch (packet.protocol) {
    case carried::tcp:
      bytes = ports_of(packet);
      put32(bytes, number), put32(bytes, 0);      // sequence, acknowledgement
      put16(bytes, 0x5002), put16(bytes, 64240);  // twenty bytes, SYN; window
      put32(bytes, 0);                            // checksum, urgent
      return bytes + stamp;
    case carried::udp:
    case carried::udplite:
      bytes = ports_of(packet);
      put16(bytes, 16), put16(bytes, 0);  // length (UDP-Lite: what the checksum covers), checksum
      return bytes + stamp;
    case carried::icmp:
    case carried::icmp6:
      put8(bytes, packet.source_port), put8(bytes, packet.destination_port), put16(bytes, 0);
      put16(bytes, number & 0xFFFF), put16(bytes, 1);  // identifier, sequence
      return bytes + stamp + std::string(32, '\0');
    case carried::sctp:  // one INIT chunk: tag and window are our stamp
      bytes = ports_of(packet);
      put32(bytes, 0), put32(bytes, 0);  // no tag yet, checksum
      put16(bytes, 0x0100), put16(bytes, 20);
      bytes += stamp;
      put16(bytes, 1), put16(bytes, 1), put32(bytes, number);
      return bytes;
    case carried::dccp:
      bytes = ports_of(packet);
      put8(bytes, 5), put8(bytes, 0), put16(bytes, 0);  // five words; checksum of all
      put8(bytes, 1), put8(bytes, 0), put16(bytes, 0);  // REQUEST with a long sequence number
      put32(bytes, number), put32(bytes, 0x534D5450);   // sequence, service
      return bytes + stamp;
    case carried::gre: put16(bytes, 0), put16(bytes, 0x88B5); return bytes + stamp;
    case carried::esp: put32(bytes, 0x1000), put32(bytes, 1); return bytes + stamp + std::string(16, '\1');
    case carried::ah:
      put8(bytes, 59), put8(bytes, 4), put16(bytes, 0), put32(bytes, 0x1000), put32(bytes, 1);
      return bytes + std::string(12, '\1') + stamp;
  }
  return stamp + std::string(24, '\0');
}

std::string pseudo_header(const Packet& packet, std::size_t size) {
  std::string bytes;
  if (packet.protocol == carried::icmp) return bytes;
  put(bytes, packet.source);
  put(bytes, packet.destination);
  put32(bytes, static_cast<std::uint32_t>(size));
  put32(bytes, packet.protocol);
  return bytes;
}

void set_checksum(const Packet& packet, std::string& transport) {
  const std::size_t at = layout_of(packet.protocol).checksum;
  if (at == 0) return;
  if (packet.protocol == carried::sctp) {
    const std::uint32_t crc = crc32c(transport);
    for (std::size_t i = 0; i < 4; ++i) transport[at + i] = static_cast<char>(crc >> 8 * i & 0xFF);
    return;
  }
  const std::uint16_t sum = internet_checksum(pseudo_header(packet, transport.size()) + transport);
  const bool zero_is_none = packet.protocol == carried::udp || packet.protocol == carried::udplite;
  set16(transport, at, sum == 0 && zero_is_none ? 0xFFFFU : sum);
}

std::string ipv4_header(const Packet& packet, std::uint32_t number, std::size_t size) {
  constexpr unsigned dont_fragment = 0x4000, hops = 64;
  std::string bytes;
  put16(bytes, 0x4500), put16(bytes, static_cast<unsigned>(ipv4_size + size));
  put16(bytes, number & 0xFFFF), put16(bytes, dont_fragment);
  put8(bytes, hops), put8(bytes, packet.protocol), put16(bytes, 0);
  put(bytes, packet.source), put(bytes, packet.destination);
  set16(bytes, 10, internet_checksum(bytes));
  return bytes;
}

std::string ipv6_header(const Packet& packet, std::size_t size) {
  constexpr unsigned hops = 64;
  std::string bytes;
  put32(bytes, 0x60000000), put16(bytes, static_cast<unsigned>(size));
  put8(bytes, packet.protocol), put8(bytes, hops);
  put(bytes, packet.source), put(bytes, packet.destination);
  return bytes;
}

}  // namespace

bool has_ports(std::uint8_t protocol) {
  return protocol == carried::tcp || protocol == carried::udp || protocol == carried::sctp ||
         protocol == carried::dccp || protocol == carried::udplite;
}

bool is_icmp(std::uint8_t protocol) { return protocol == carried::icmp || protocol == carried::icmp6; }

std::string frame_of(const Packet& packet, std::uint32_t number, Mac to, Mac from) {
  std::string transport = transport_of(packet, number);
  set_checksum(packet, transport);
  std::string frame;
  put(frame, to), put(frame, from);
  put16(frame, packet.source.is_v4() ? ethertype_ipv4 : ethertype_ipv6);
  frame += packet.source.is_v4() ? ipv4_header(packet, number, transport.size())
                                 : ipv6_header(packet, transport.size());
  return frame + transport;
}

std::string arp_question(Mac from, V4 address) {
  std::string frame;
  put(frame, Mac{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}), put(frame, from), put16(frame, ethertype_arp);
  put16(frame, 1), put16(frame, ethertype_ipv4), put8(frame, 6), put8(frame, 4), put16(frame, 1);
  put(frame, from), put32(frame, 0);  // no sender's address: a probe
  put(frame, Mac{}), put32(frame, address);
  return frame;
}

bool is_arp_answer(std::string_view frame, Mac from) {
  constexpr std::size_t operation = 20, target = 32;
  if (frame.size() < ethernet_size + 28 || get16(frame, 12) != ethertype_arp || get16(frame, operation) != 2)
    return false;
  for (std::size_t i = 0; i < from.size(); ++i)
    if (get8(frame, target + i) != from[i]) return false;
  return true;
}

std::optional<Known> known_transport(std::uint8_t protocol, std::string_view transport) {
  const std::size_t at = layout_of(protocol).stamp;
  if (transport.size() < at + 8 || get32(transport, at) != magic) return std::nullopt;
  Known known{get32(transport, at + 4), {}};
  known.packet.protocol = protocol;
  if (has_ports(protocol)) {
    known.packet.source_port = get16(transport, 0);
    known.packet.destination_port = get16(transport, 2);
  } else if (is_icmp(protocol)) {
    known.packet.source_port = static_cast<std::uint16_t>(get8(transport, 0));
    known.packet.destination_port = static_cast<std::uint16_t>(get8(transport, 1));
  }
  return known;
}

std::optional<Known> known_ipv4(std::string_view datagram) {
  if (datagram.size() < ipv4_size || get8(datagram, 0) != 0x45) return std::nullopt;
  auto known = known_transport(static_cast<std::uint8_t>(get8(datagram, 9)), datagram.substr(ipv4_size));
  if (!known) return std::nullopt;
  known->packet.source = Address::v4(get32(datagram, 12));
  known->packet.destination = Address::v4(get32(datagram, 16));
  return known;
}

std::optional<Known> known_frame(std::string_view frame) {
  if (frame.size() < ethernet_size) return std::nullopt;
  const std::uint16_t type = get16(frame, 12);
  frame.remove_prefix(ethernet_size);
  if (type == ethertype_ipv4) return known_ipv4(frame);
  if (type != ethertype_ipv6 || frame.size() < ipv6_size) return std::nullopt;
  auto known = known_transport(static_cast<std::uint8_t>(get8(frame, 6)), frame.substr(ipv6_size));
  if (!known) return std::nullopt;
  known->packet.source = Address::v6(get128(frame, 8));
  known->packet.destination = Address::v6(get128(frame, 24));
  return known;
}

}  // namespace aclmend::oracle
