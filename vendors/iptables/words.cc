#include "vendors/iptables/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/text.h"

namespace aclmend::iptables {
namespace {

struct Named {
  std::string_view name;
  std::uint16_t number;
};

// Sorted. IANA's names and the aliases that Debian and Red Hat add to /etc/services.
constexpr Named services[] = {
    {"bgp", 179},
    {"bootpc", 68},
    {"bootps", 67},
    {"chargen", 19},
    {"daytime", 13},
    {"dhcpv6-client", 546},
    {"dhcpv6-server", 547},
    {"discard", 9},
    {"domain", 53},
    {"domain-s", 853},
    {"echo", 7},
    {"epmap", 135},
    {"finger", 79},
    {"ftp", 21},
    {"ftp-data", 20},
    {"ftps", 990},
    {"git", 9418},
    {"gopher", 70},
    {"http", 80},
    {"http-alt", 8080},
    {"https", 443},
    {"imap", 143},
    {"imap2", 143},
    {"imaps", 993},
    {"ipp", 631},
    {"ipsec-nat-t", 4500},
    {"irc", 194},
    {"isakmp", 500},
    {"kerberos", 88},
    {"kpasswd", 464},
    {"l2tp", 1701},
    {"ldap", 389},
    {"ldaps", 636},
    {"mail", 25},
    {"mdns", 5353},
    {"microsoft-ds", 445},
    {"ms-sql-s", 1433},
    {"ms-wbt-server", 3389},
    {"mysql", 3306},
    {"netbios-dgm", 138},
    {"netbios-ns", 137},
    {"netbios-ssn", 139},
    {"nfs", 2049},
    {"nntp", 119},
    {"nntps", 563},
    {"ntp", 123},
    {"openvpn", 1194},
    {"pop-3", 110},
    {"pop3", 110},
    {"pop3s", 995},
    {"postgres", 5432},
    {"postgresql", 5432},
    {"printer", 515},
    {"rsync", 873},
    {"sieve", 4190},
    {"sip", 5060},
    {"sip-tls", 5061},
    {"smtp", 25},
    {"smtps", 465},
    {"snmp", 161},
    {"snmp-trap", 162},
    {"snmptrap", 162},
    {"socks", 1080},
    {"ssh", 22},
    {"ssmtp", 465},
    {"submission", 587},
    {"submissions", 465},
    {"sunrpc", 111},
    {"tacacs", 49},
    {"telnet", 23},
    {"telnets", 992},
    {"tftp", 69},
    {"time", 37},
    {"urd", 465},
    {"whois", 43},
    {"www", 80},
    {"xmpp-client", 5222},
    {"xmpp-server", 5269},
    {"zabbix-agent", 10050},
    {"zabbix-trapper", 10051},
};
static_assert(std::ranges::is_sorted(services, {}, &Named::name));

// In small letters; of several names for a number the first is the one that ipset prints.
constexpr Named protocols[] = {
    {"hopopt", 0},    {"ip", 0},          {"all", 0},        {"icmp", 1},         {"igmp", 2},
    {"ggp", 3},       {"ipencap", 4},     {"ip-encap", 4},   {"st", 5},           {"tcp", 6},
    {"egp", 8},       {"igp", 9},         {"pup", 12},       {"udp", 17},         {"hmp", 20},
    {"xns-idp", 22},  {"rdp", 27},        {"iso-tp4", 29},   {"dccp", 33},        {"xtp", 36},
    {"ddp", 37},      {"idpr-cmtp", 38},  {"ipv6", 41},      {"ipv6-route", 43},  {"ipv6-frag", 44},
    {"idrp", 45},     {"rsvp", 46},       {"gre", 47},       {"esp", 50},         {"ipsec-esp", 50},
    {"ah", 51},       {"ipsec-ah", 51},   {"skip", 57},      {"ipv6-icmp", 58},   {"icmpv6", 58},
    {"icmp6", 58},    {"ipv6-nonxt", 59}, {"ipv6-opts", 60}, {"rspf", 73},        {"vmtp", 81},
    {"eigrp", 88},    {"ospf", 89},       {"ospfigp", 89},   {"ax.25", 93},       {"ipip", 94},
    {"etherip", 97},  {"encap", 98},      {"pim", 103},      {"ipcomp", 108},     {"vrrp", 112},
    {"l2tp", 115},    {"isis", 124},      {"sctp", 132},     {"fc", 133},         {"mobility-header", 135},
    {"ipv6-mh", 135}, {"mh", 135},        {"udplite", 136},  {"mpls-in-ip", 137}, {"manet", 138},
    {"hip", 139},     {"shim6", 140},     {"wesp", 141},     {"rohc", 142},       {"ethernet", 143},
};
static_assert(std::ranges::is_sorted(protocols, {}, &Named::number));

bool equal_in_small(std::string_view text, std::string_view small) {
  return std::ranges::equal(
      text, small, [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b); });
}

// What an address that is none of the usual form was probably meant to be.
std::string not_an_address(std::string_view text) {
  constexpr std::size_t longest_shown = 60;
  const std::string shown = printable(text.substr(0, longest_shown));
  const bool is_number_like = !text.empty() &&
                              text.find_first_not_of("0123456789.xXabcdefABCDEF") == std::string_view::npos &&
                              text[0] >= '0' && text[0] <= '9';
  if (text.empty()) return "expected an address, found nothing";
  if (text.find(':') != std::string_view::npos) return fmt::format("'{}' is no IPv6 address", shown);
  if (is_number_like)
    return fmt::format(
        "expected an address of four decimal numbers, found '{}': short and octal spellings "
        "mean something else than they seem to",
        shown);
  return fmt::format("expected an address, found '{}': a name means what the device's resolver says", shown);
}

}  // namespace

// The word that begins at a place that is not blank. A quote within it costs a copy only where the text
// does not stand in one piece between the quotes.
Splitter::Scanned Splitter::scan(std::string_view line, std::size_t begin) {
  Scanned word;
  std::size_t at = begin;
  while (at < line.size() && !is_blank(line[at]) && line[at] != '"') ++at;
  if (at == line.size() || line[at] != '"') {
    word.text = line.substr(begin, at - begin);
    word.end = at;
    return word;
  }
  word.is_quoted = true;
  // The usual case: `"…"` with nothing to take out.
  if (at == begin) {
    std::size_t close = at + 1;
    while (close < line.size() && line[close] != '"' && (line[close] != '\\' || grammar_ == Grammar::ipset))
      ++close;
    const bool ends_word =
        grammar_ == Grammar::restore || close + 1 >= line.size() || is_blank(line[close + 1]);
    if (close < line.size() && line[close] == '"' && ends_word) {
      word.text = line.substr(at + 1, close - at - 1);
      word.end = close + 1;
      return word;
    }
  }
  scratch_.assign(line.substr(begin, at - begin));
  bool is_open = false;
  for (; at < line.size(); ++at) {
    const char c = line[at];
    if (!is_open && is_blank(c)) break;
    if (c == '"') {
      is_open = !is_open;
      if (is_open || grammar_ == Grammar::ipset) continue;
      ++at;
      break;
    }
    if (c == '\\' && is_open && grammar_ == Grammar::restore) {
      if (++at == line.size()) break;
    }
    scratch_.push_back(line[at]);
  }
  word.end = std::min(at, line.size());
  word.is_closed = !is_open;
  if (word.is_closed && scratch_.size() <= longest_word) word.text = arena_->emplace_back(scratch_);
  else word.text = {line.data(), std::min(scratch_.size(), line.size())};  // only its length is asked for
  return word;
}

std::expected<std::span<const Word>, Fault> Splitter::split(std::string_view line) {
  words_.clear();
  if (const void* nul = line.empty() ? nullptr : std::memchr(line.data(), 0, line.size())) {
    const auto at = static_cast<std::uint32_t>(static_cast<const char*>(nul) - line.data());
    return std::unexpected(Fault{at, at + 1, "a NUL byte ends the line for the program that loads it"});
  }
  std::size_t at = 0;
  while (true) {
    while (at < line.size() && is_blank(line[at])) ++at;
    if (at == line.size()) return std::span<const Word>(words_);
    const auto begin = static_cast<std::uint32_t>(at);
    const Scanned scanned = scan(line, at);
    at = scanned.end;
    const auto end = static_cast<std::uint32_t>(at);
    if (!scanned.is_closed) {
      const auto quote = static_cast<std::uint32_t>(line.find('"', begin));
      return std::unexpected(Fault{quote, end, "expected a closing '\"' before the end of the line"});
    }
    if (scanned.text.size() > longest_word)
      return std::unexpected(
          Fault{begin, end, fmt::format("a word of more than {} bytes is refused", longest_word)});
    if (scanned.text.empty() && grammar_ == Grammar::ipset) continue;
    if (words_.size() == most_words)
      return std::unexpected(Fault{begin, static_cast<std::uint32_t>(line.size()),
                                   fmt::format("more than {} words in a line", most_words)});
    words_.push_back({scanned.text, begin, end, scanned.is_quoted});
  }
}

std::optional<std::uint32_t> parse_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) base = 16, text.remove_prefix(2);
  else if (text.size() > 1 && text[0] == '0') base = 8, text.remove_prefix(1);
  std::uint32_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (const auto number = parse_number(text))
    return *number <= 0xFFFF ? std::optional(static_cast<std::uint16_t>(*number)) : std::nullopt;
  const auto found = std::ranges::lower_bound(services, text, {}, &Named::name);
  if (found == std::end(services) || found->name != text) return std::nullopt;
  return found->number;
}

std::expected<model::PortRange, std::string> parse_port_range(std::string_view text) {
  const auto bound = [](std::string_view word, std::uint16_t otherwise) {
    return word.empty() ? std::optional(otherwise) : parse_port(word);
  };
  const std::size_t colon = text.find(':');
  const bool is_range = colon != std::string_view::npos;
  const std::string_view low = text.substr(0, colon), high = is_range ? text.substr(colon + 1) : low;
  const auto first = is_range ? bound(low, 0) : parse_port(low);
  const auto last = is_range ? bound(high, 65535) : first;
  if (!first || !last)
    return std::unexpected(fmt::format("expected a port (0 to 65535) or a service name, found '{}'",
                                       printable((first ? high : low).substr(0, 60))));
  if (*first > *last)
    return std::unexpected(fmt::format("a range of ports from {} down to {} is refused", *first, *last));
  return model::PortRange{*first, *last};
}

std::optional<std::uint8_t> parse_protocol(std::string_view text) {
  if (const auto number = parse_number(text))
    return *number <= 0xFF ? std::optional(static_cast<std::uint8_t>(*number)) : std::nullopt;
  for (const Named& one : protocols)
    if (equal_in_small(text, one.name)) return static_cast<std::uint8_t>(one.number);
  return std::nullopt;
}

std::optional<std::string_view> protocol_word(std::uint8_t number) {
  const auto found = std::ranges::lower_bound(protocols, number, {}, &Named::number);
  if (found == std::end(protocols) || found->number != number) return std::nullopt;
  return found->name;
}

bool has_ports(std::uint8_t protocol) {
  constexpr std::array<std::uint8_t, 5> with_ports{6, 17, 33, 132, 136};
  return std::ranges::find(with_ports, protocol) != with_ports.end();
}

std::optional<Prefix> MaskedAddress::prefix() const {
  const int bits = address_bits(address.family);
  const V6 holes = ~mask & (bits == 128 ? ~V6{0} : V6{0xFFFFFFFF});
  if ((holes & (holes + 1)) != 0) return std::nullopt;
  return Prefix{address, holes == 0 ? bits : bits - 1 - highest_bit(holes)};
}

std::expected<Address, std::string> parse_plain_address(std::string_view text) {
  if (const auto address = parse_address(text)) return *address;
  return std::unexpected(not_an_address(text));
}

std::expected<MaskedAddress, std::string> parse_masked_address(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_plain_address(text.substr(0, slash));
  if (!address) return std::unexpected(address.error());
  const int bits = address_bits(address->family);
  const V6 all = bits == 128 ? ~V6{0} : V6{0xFFFFFFFF};
  if (slash == std::string_view::npos) return MaskedAddress{*address, all};
  const std::string_view written = text.substr(slash + 1);
  const auto masked = [&](V6 mask) { return MaskedAddress{{address->family, address->number & mask}, mask}; };
  const bool has_leading_zero = written.size() > 1 && written[0] == '0';
  if (const auto length = parse_decimal<unsigned>(written);
      length && *length <= static_cast<unsigned>(bits) && !has_leading_zero)
    return masked(*length == 0 ? 0 : all & ~((V6{1} << (bits - static_cast<int>(*length))) - 1));
  if (const auto mask = parse_address(written); mask && mask->family == address->family)
    return masked(mask->number);
  return std::unexpected(fmt::format("expected a length from 0 to {} or an {} mask after '/', found '{}'",
                                     bits, bits == 32 ? "IPv4" : "IPv6", printable(written.substr(0, 60))));
}

}  // namespace aclmend::iptables
