#include "vendors/cisco_asa/names.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace aclmend::cisco_asa {
namespace {

struct Named {
  std::string_view name;
  std::uint16_t number;
};

constexpr Named tcp_ports[] = {
    {"aol", 5190},
    {"bgp", 179},
    {"chargen", 19},
    {"cifs", 3020},
    {"citrix-ica", 1494},
    {"cmd", 514},
    {"connectedapps-plain", 15001},
    {"connectedapps-tls", 15002},
    {"ctiqbe", 2748},
    {"daytime", 13},
    {"discard", 9},
    {"domain", 53},
    {"drip", 3949},
    {"echo", 7},
    {"exec", 512},
    {"finger", 79},
    {"ftp", 21},
    {"ftp-data", 20},
    {"gopher", 70},
    {"h323", 1720},
    {"hostname", 101},
    {"http", 80},
    {"https", 443},
    {"ident", 113},
    {"imap4", 143},
    {"irc", 194},
    {"kerberos", 750},
    {"klogin", 543},
    {"kshell", 544},
    {"ldap", 389},
    {"ldaps", 636},
    {"login", 513},
    {"lotusnotes", 1352},
    {"lpd", 515},
    {"msrpc", 135},
    {"netbios-ssn", 139},
    {"nfs", 2049},
    {"nntp", 119},
    {"onep-plain", 15001},
    {"onep-tls", 15002},
    {"pcanywhere-data", 5631},
    {"pim-auto-rp", 496},
    {"pop2", 109},
    {"pop3", 110},
    {"pptp", 1723},
    {"rpc", 111},
    {"rsh", 514},
    {"rtsp", 554},
    {"sip", 5060},
    {"smtp", 25},
    {"sqlnet", 1521},
    {"ssh", 22},
    {"sunrpc", 111},
    {"tacacs", 49},
    {"tacacs-ds", 65},
    {"talk", 517},
    {"telnet", 23},
    {"time", 37},
    {"uucp", 540},
    {"whois", 43},
    {"www", 80},
};

constexpr Named udp_ports[] = {
    {"biff", 512},
    {"bootpc", 68},
    {"bootps", 67},
    {"cifs", 3020},
    {"discard", 9},
    {"dns", 53},
    {"dnsix", 195},
    {"domain", 53},
    {"echo", 7},
    {"http", 80},
    {"isakmp", 500},
    {"kerberos", 750},
    {"mobile-ip", 434},
    {"nameserver", 42},
    {"netbios-dgm", 138},
    {"netbios-ns", 137},
    {"netbios-ss", 139},
    {"nfs", 2049},
    {"non500-isakmp", 4500},
    {"ntp", 123},
    {"pcanywhere-status", 5632},
    {"pim-auto-rp", 496},
    {"radius", 1645},
    {"radius-acct", 1646},
    {"rip", 520},
    {"ripng", 521},
    {"ripv6", 521},
    {"rpc", 111},
    {"secureid-udp", 5510},
    {"sip", 5060},
    {"snmp", 161},
    {"snmptrap", 162},
    {"sunrpc", 111},
    {"syslog", 514},
    {"tacacs", 49},
    {"tacacs-ds", 65},
    {"talk", 517},
    {"tftp", 69},
    {"time", 37},
    {"vxlan", 4789},
    {"who", 513},
    {"www", 80},
    {"xdmcp", 177},
};

constexpr Named protocols[] = {
    {"ah", 51},   {"ahp", 51},  {"eigrp", 88}, {"esp", 50},   {"gre", 47}, {"icmp", 1},  {"icmp6", 58},
    {"igmp", 2},  {"igrp", 9},  {"ipinip", 4}, {"ipsec", 50}, {"nos", 94}, {"ospf", 89}, {"pcp", 108},
    {"pim", 103}, {"pptp", 47}, {"sctp", 132}, {"snp", 109},  {"tcp", 6},  {"udp", 17},
};

constexpr Named icmp_types[] = {
    {"echo-reply", 0},           {"unreachable", 3},
    {"source-quench", 4},        {"redirect", 5},
    {"alternate-address", 6},    {"echo", 8},
    {"router-advertisement", 9}, {"router-solicitation", 10},
    {"time-exceeded", 11},       {"parameter-problem", 12},
    {"timestamp-request", 13},   {"timestamp-reply", 14},
    {"information-request", 15}, {"information-reply", 16},
    {"mask-request", 17},        {"mask-reply", 18},
    {"traceroute", 30},          {"conversion-error", 31},
    {"mobile-redirect", 32},
};

constexpr Named icmp6_types[] = {
    {"unreachable", 1},
    {"packet-too-big", 2},
    {"time-exceeded", 3},
    {"parameter-problem", 4},
    {"echo", 128},
    {"echo-reply", 129},
    {"membership-query", 130},
    {"membership-report", 131},
    {"membership-reduction", 132},
    {"router-solicitation", 133},
    {"router-advertisement", 134},
    {"neighbor-solicitation", 135},
    {"neighbor-advertisement", 136},
    {"neighbor-redirect", 137},
    {"router-renumbering", 138},
};

// Names looked up a million times a file: open addressing over the first bytes and the length.
class Table {
 public:
  template <std::size_t N>
  constexpr explicit Table(const Named (&names)[N]) {
    static_assert(N * 3 < slots);
    for (const Named& named : names) {
      std::size_t at = slot(named.name);
      while (!table_[at].name.empty()) at = (at + 1) % slots;
      table_[at] = named;
    }
  }
  std::optional<std::uint16_t> find(std::string_view name) const {
    if (name.empty()) return std::nullopt;
    for (std::size_t at = slot(name); !table_[at].name.empty(); at = (at + 1) % slots)
      if (table_[at].name == name) return table_[at].number;
    return std::nullopt;
  }

 private:
  static constexpr std::size_t slots = 256;
  static constexpr std::size_t slot(std::string_view name) {
    std::uint32_t hash = static_cast<std::uint32_t>(name.size());
    for (const char c : name.substr(0, 8)) hash = hash * 31 + static_cast<unsigned char>(c);
    return (hash ^ (hash >> 8)) % slots;
  }
  std::array<Named, slots> table_{};
};

constexpr Table tcp_table(tcp_ports), udp_table(udp_ports), protocol_table(protocols), icmp_table(icmp_types),
    icmp6_table(icmp6_types);

std::optional<std::uint8_t> as_byte(std::optional<std::uint16_t> number) {
  if (!number) return std::nullopt;
  return static_cast<std::uint8_t>(*number);
}

bool starts_with_digit(std::string_view word) { return !word.empty() && word[0] >= '0' && word[0] <= '9'; }

}  // namespace

std::optional<std::uint16_t> port_number(std::string_view word, PortTable table) {
  if (starts_with_digit(word)) return parse_decimal<std::uint16_t>(word);
  std::optional<std::uint16_t> found;
  if (table != PortTable::udp) found = tcp_table.find(word);
  if (!found && table != PortTable::tcp) found = udp_table.find(word);
  return found;
}

std::optional<std::uint8_t> ip_protocol(std::string_view word) {
  if (starts_with_digit(word)) return parse_decimal<std::uint8_t>(word);
  return as_byte(protocol_table.find(word));
}

std::optional<std::uint8_t> icmp_type(std::string_view word, IcmpTable table) {
  if (starts_with_digit(word)) return parse_decimal<std::uint8_t>(word);
  return as_byte((table == IcmpTable::icmp ? icmp_table : icmp6_table).find(word));
}

std::optional<std::uint8_t> log_level(std::string_view word) {
  constexpr std::string_view levels[] = {"emergencies", "alerts",        "critical",      "errors",
                                         "warnings",    "notifications", "informational", "debugging"};
  if (word.size() == 1 && word[0] >= '0' && word[0] <= '7') return static_cast<std::uint8_t>(word[0] - '0');
  const auto* found = std::ranges::find(levels, word);
  if (found == std::end(levels)) return std::nullopt;
  return static_cast<std::uint8_t>(found - std::begin(levels));
}

}  // namespace aclmend::cisco_asa
