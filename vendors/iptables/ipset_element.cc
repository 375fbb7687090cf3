#include "vendors/iptables/ipset_element.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace aclmend::iptables {
namespace {

using Addresses = WrittenElement::Addresses;

// ICMP names as ipset prints them; where a number has two, the first is printed.
struct IcmpName {
  std::string_view name;
  std::uint8_t type, code;
};
constexpr IcmpName icmp_names[] = {
    {"echo-reply", 0, 0},
    {"pong", 0, 0},
    {"network-unreachable", 3, 0},
    {"host-unreachable", 3, 1},
    {"protocol-unreachable", 3, 2},
    {"port-unreachable", 3, 3},
    {"fragmentation-needed", 3, 4},
    {"source-route-failed", 3, 5},
    {"network-unknown", 3, 6},
    {"host-unknown", 3, 7},
    {"network-prohibited", 3, 9},
    {"host-prohibited", 3, 10},
    {"TOS-network-unreachable", 3, 11},
    {"TOS-host-unreachable", 3, 12},
    {"communication-prohibited", 3, 13},
    {"host-precedence-violation", 3, 14},
    {"precedence-cutoff", 3, 15},
    {"source-quench", 4, 0},
    {"network-redirect", 5, 0},
    {"host-redirect", 5, 1},
    {"TOS-network-redirect", 5, 2},
    {"TOS-host-redirect", 5, 3},
    {"echo-request", 8, 0},
    {"ping", 8, 0},
    {"router-advertisement", 9, 0},
    {"router-solicitation", 10, 0},
    {"ttl-zero-during-transit", 11, 0},
    {"ttl-zero-during-reassembly", 11, 1},
    {"ip-header-bad", 12, 0},
    {"required-option-missing", 12, 1},
    {"timestamp-request", 13, 0},
    {"timestamp-reply", 14, 0},
    {"address-mask-request", 17, 0},
    {"address-mask-reply", 18, 0},
};
constexpr IcmpName icmp6_names[] = {
    {"no-route", 1, 0},
    {"communication-prohibited", 1, 1},
    {"address-unreachable", 1, 3},
    {"port-unreachable", 1, 4},
    {"packet-too-big", 2, 0},
    {"ttl-zero-during-transit", 3, 0},
    {"ttl-zero-during-reassembly", 3, 1},
    {"bad-header", 4, 0},
    {"unknown-header-type", 4, 1},
    {"unknown-option", 4, 2},
    {"echo-request", 128, 0},
    {"ping", 128, 0},
    {"echo-reply", 129, 0},
    {"pong", 129, 0},
    {"router-solicitation", 133, 0},
    {"router-advertisement", 134, 0},
    {"neighbour-solicitation", 135, 0},
    {"neighbour-advertisement", 136, 0},
    {"redirect", 137, 0},
};

constexpr std::size_t longest_interface = 15, longest_comment = 255;

// "[ftp-data]" → "ftp-data": brackets keep '-' and ',' from parting.
std::string_view without_brackets(std::string_view text) {
  const bool has_both = text.size() > 2 && text.front() == '[' && text.back() == ']';
  return has_both ? text.substr(1, text.size() - 2) : text;
}

// The place of a sign outside brackets, where something stands on both sides of it.
std::size_t parting(std::string_view text, char sign) {
  bool is_inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') is_inside = true;
    else if (text[i] == ']') is_inside = false;
    else if (text[i] == sign && !is_inside && i > 0 && i + 1 < text.size()) return i;
  }
  return std::string_view::npos;
}

std::string shown(std::string_view text) { return printable(text.substr(0, 60)); }

class Parser {
 public:
  Parser(const IpSet& set, const Word& word) : set_(set), word_(word) {}
  std::expected<WrittenElement, SetFault> element();
  std::expected<void, SetFault> options(std::span<const Word> words, WrittenElement& written);

 private:
  // Which spellings of an address a place takes.
  enum class Spelling : std::uint8_t { plain, hosts, networks };
  // A part of the element's word, as a word of its own for messages.
  Word place(std::string_view part) const {
    if (word_.is_quoted || part.data() < word_.text.data() ||
        part.data() + part.size() > word_.text.data() + word_.text.size())
      return word_;
    const auto begin = word_.begin + static_cast<std::uint32_t>(part.data() - word_.text.data());
    return {part, begin, begin + static_cast<std::uint32_t>(part.size()), false};
  }
  int bits() const { return set_.family == Family::ipv6 ? 128 : 32; }
  std::string_view type() const { return facts(set_.type).name; }

  std::expected<Address, SetFault> address(std::string_view text);
  std::expected<Addresses, SetFault> addresses(std::string_view text, Spelling spelling);
  std::expected<Addresses, SetFault> network(std::string_view text, std::size_t slash, Spelling spelling);
  std::expected<Addresses, SetFault> range(std::string_view text, std::size_t dash, Spelling spelling);
  std::expected<void, SetFault> cut_to_netmask(std::string_view text, Addresses& range);
  std::expected<void, SetFault> port(std::string_view text, WrittenElement& written);
  std::expected<std::uint16_t, SetFault> icmp_type(std::string_view text, std::uint8_t protocol);
  std::expected<std::uint16_t, SetFault> one_port(std::string_view text, std::uint8_t protocol);
  std::expected<std::uint64_t, SetFault> mac(std::string_view text);
  std::expected<void, SetFault> interface(std::string_view text, WrittenElement& written);
  std::expected<void, SetFault> in_range(std::string_view text, V6 first, V6 last);

  const IpSet& set_;
  Word word_;
};

std::expected<Address, SetFault> Parser::address(std::string_view text) {
  const std::string_view bare = without_brackets(text);
  const auto found = parse_plain_address(bare);
  if (!found) return not_understood(place(text), found.error());
  if (found->family != *set_.family)
    return refused(place(text),
                   fmt::format("expected an {} address for set '{}', found '{}'",
                               bits() == 32 ? "IPv4" : "IPv6", printable(set_.name), shown(bare)));
  return *found;
}

std::expected<Addresses, SetFault> Parser::network(std::string_view text, std::size_t slash,
                                                   Spelling spelling) {
  auto start = address(text.substr(0, slash));
  if (!start) return std::unexpected(start.error());
  const std::string_view written = text.substr(slash + 1);
  const auto length = parse_decimal<unsigned>(written);
  if (!length || *length > static_cast<unsigned>(bits()) || (written.size() > 1 && written[0] == '0'))
    return not_understood(place(written), fmt::format("expected a length from 0 to {} after '/', found '{}'",
                                                      bits(), shown(written)));
  const Prefix prefix = prefix_of(*start, static_cast<int>(*length));
  const bool is_host = prefix.length == bits();
  if (is_host) return Addresses{.length = bits(), .first = start->number, .last = start->number};
  const bool takes_ranges = spelling == Spelling::networks || (spelling == Spelling::hosts && bits() == 32);
  if (!takes_ranges)
    return refused(place(text), fmt::format("expected a single address, found '{}'", shown(text)));
  if (spelling == Spelling::hosts)
    return Addresses{Addresses::Kind::hosts, bits(), prefix.first().number, prefix.last().number};
  if (prefix.length == 0 && set_.type != SetType::hash_net_iface)
    return refused(place(text), fmt::format("{} takes no /0: two networks of /1 in its place", type()));
  return Addresses{.length = prefix.length, .first = prefix.address.number, .last = prefix.address.number};
}

std::expected<Addresses, SetFault> Parser::range(std::string_view text, std::size_t dash, Spelling spelling) {
  const auto one = address(text.substr(0, dash));
  if (!one) return std::unexpected(one.error());
  const auto other = address(text.substr(dash + 1));
  if (!other) return std::unexpected(other.error());
  if (spelling == Spelling::plain || bits() == 128)
    return refused(place(text), fmt::format("expected a single address, found the range '{}'", shown(text)));
  const auto [first, last] = std::minmax(one->number, other->number);  // in any order
  if (spelling == Spelling::hosts) return Addresses{Addresses::Kind::hosts, bits(), first, last};
  if (last - first == 0xFFFFFFFF) return refused(place(text), "a range of all addresses is refused");
  return Addresses{Addresses::Kind::networks, bits(), first, last};
}

std::expected<Addresses, SetFault> Parser::addresses(std::string_view text, Spelling spelling) {
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos)
    return network(text, slash, spelling);
  if (const std::size_t dash = parting(text, '-'); dash != std::string_view::npos)
    return range(text, dash, spelling);
  const auto host = address(text);
  if (!host) return std::unexpected(host.error());
  return Addresses{.length = bits(), .first = host->number, .last = host->number};
}

// A set with a netmask holds one address for each network; one of zeros alone is none that it can hold.
std::expected<void, SetFault> Parser::cut_to_netmask(std::string_view text, Addresses& range) {
  if (set_.options.netmask) {
    const int kept = *set_.options.netmask;
    range.step = kept == 0 ? 0 : V6{1} << (bits() - kept);
    const V6 mask = ~(range.step - 1);
    if (range.kind != Addresses::Kind::prefix && set_.type == SetType::hash_ip_port)
      return not_understood(place(text), "what a range means in a hash:ip,port with a netmask is not known");
    range.first &= mask;
    range.last &= mask;
  }
  const bool has_zero =
      range.first == 0 && (set_.type == SetType::hash_ip || set_.type == SetType::hash_ip_port);
  if (has_zero) return refused(place(text), "an address of zeros alone cannot be stored in this set");
  return {};
}

std::expected<void, SetFault> Parser::in_range(std::string_view text, V6 first, V6 last) {
  if (first >= set_.options.first && last <= set_.options.last) return {};
  return refused(place(text),
                 fmt::format("'{}' is outside the range of set '{}'", shown(text), printable(set_.name)));
}

std::expected<std::uint16_t, SetFault> Parser::icmp_type(std::string_view text, std::uint8_t protocol) {
  const bool is_v4 = protocol == protocol::icmp;
  if ((set_.family == Family::ipv4) != is_v4)
    return refused(place(text), fmt::format("{} in a set of {} addresses is refused",
                                            is_v4 ? "ICMP" : "ICMPv6", is_v4 ? "IPv6" : "IPv4"));
  const auto names = is_v4 ? std::span<const IcmpName>(icmp_names) : std::span<const IcmpName>(icmp6_names);
  const auto named = std::ranges::find(names, text, &IcmpName::name);
  if (named != names.end()) return static_cast<std::uint16_t>(named->type << 8 | named->code);
  const std::size_t slash = text.find('/');
  const auto type = parse_number(text.substr(0, slash));
  const auto code = slash == std::string_view::npos ? std::nullopt : parse_number(text.substr(slash + 1));
  if (!type || !code || *type > 255 || *code > 255)
    return not_understood(
        place(text),
        fmt::format("expected an ICMP type and code ('8/0') or a name, found '{}'", shown(text)));
  return static_cast<std::uint16_t>(*type << 8 | *code);
}

std::expected<std::uint16_t, SetFault> Parser::one_port(std::string_view text, std::uint8_t protocol) {
  const std::string_view bare = without_brackets(text);
  const bool is_name = !bare.empty() && (bare[0] < '0' || bare[0] > '9');
  const auto number = parse_port(bare);
  if (number && (!is_name || protocol == protocol::tcp)) return *number;
  return not_understood(place(text),
                        fmt::format("expected a port from 0 to 65535{}, found '{}'",
                                    protocol == protocol::tcp ? " or a service name" : "", shown(bare)));
}

std::expected<void, SetFault> Parser::port(std::string_view text, WrittenElement& written) {
  std::uint8_t number = protocol::tcp;
  std::string_view rest = text;
  const bool is_bitmap = set_.type == SetType::bitmap_port;
  if (const std::size_t colon = parting(text, ':'); colon != std::string_view::npos) {
    const auto named = parse_protocol(text.substr(0, colon));
    if (!named)
      return not_understood(place(text.substr(0, colon)),
                            fmt::format("expected a protocol, found '{}'", shown(text.substr(0, colon))));
    if (*named == 0) return refused(place(text), "a protocol number of 0 is refused");
    number = *named;
    rest = text.substr(colon + 1);
  }
  if (is_bitmap && number != protocol::tcp && number != protocol::udp)
    return refused(place(text), "only tcp and udp are known to bitmap:port");
  written.has_port = true;
  written.element.detail = is_bitmap ? 0 : static_cast<std::uint32_t>(number) << 16;
  if (number == protocol::icmp || number == protocol::icmp6) {
    const auto type = icmp_type(rest, number);
    if (!type) return std::unexpected(type.error());
    written.first_port = written.last_port = *type;
    return {};
  }
  if (!has_ports_in_sets(number)) {
    if (rest != "0")
      return refused(place(rest),
                     fmt::format("expected '0' after this protocol, which has no ports for ipset, "
                                 "found '{}'",
                                 shown(rest)));
    return {};
  }
  const std::size_t dash = parting(rest, '-');
  const auto first = one_port(rest.substr(0, dash), number);
  if (!first) return std::unexpected(first.error());
  const auto last = dash == std::string_view::npos ? first : one_port(rest.substr(dash + 1), number);
  if (!last) return std::unexpected(last.error());
  std::tie(written.first_port, written.last_port) = std::minmax(*first, *last);
  return is_bitmap ? in_range(text, written.first_port, written.last_port) : std::expected<void, SetFault>{};
}

std::expected<std::uint64_t, SetFault> Parser::mac(std::string_view text) {
  std::uint64_t number = 0;
  const auto groups = split(text, ':');
  bool is_good = groups.size() == 6;
  for (const std::string_view group : groups) {
    unsigned value = 0;
    const auto [end, status] = std::from_chars(group.data(), group.data() + group.size(), value, 16);
    is_good = is_good && !group.empty() && group.size() <= 2 && status == std::errc{} &&
              end == group.data() + group.size();
    number = number << 8 | value;
  }
  if (is_good) return number;
  return not_understood(place(text), fmt::format("expected a MAC address, found '{}'", shown(text)));
}

std::expected<void, SetFault> Parser::interface(std::string_view text, WrittenElement& written) {
  constexpr std::string_view port_of_bridge = "physdev:";
  if (text.starts_with(port_of_bridge)) {
    written.element.physdev = true;
    text.remove_prefix(port_of_bridge.size());
  }
  written.name = without_brackets(text);
  written.has_name = true;
  if (written.name.empty() || written.name.size() > longest_interface)
    return refused(place(text), fmt::format("expected an interface of 1 to {} characters, found '{}'",
                                            longest_interface, shown(text)));
  return {};
}

std::expected<WrittenElement, SetFault> Parser::element() {
  WrittenElement written;
  const auto& parts = facts(set_.type).parts;
  std::string_view rest = word_.text;
  bool is_first_address = true;
  for (std::size_t i = 0; i < parts.size() && parts[i] != Part::none; ++i) {
    const bool is_last = i + 1 == parts.size() || parts[i + 1] == Part::none;
    const std::size_t comma = parting(rest, ',');
    const bool may_end = set_.type == SetType::bitmap_ip_mac && i == 0;
    if (!is_last && comma == std::string_view::npos && !may_end)
      return refused(word_, fmt::format("expected {} parts with ',' between them for {}, found '{}'",
                                        dimensions(set_.type), type(), shown(word_.text)));
    if (is_last && comma != std::string_view::npos && parts[i] != Part::set)
      return refused(word_, fmt::format("expected {} part{} for {}, found '{}'", dimensions(set_.type),
                                        dimensions(set_.type) == 1 ? "" : "s", type(), shown(word_.text)));
    const std::string_view part = is_last ? rest : rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    switch (parts[i]) {
      case Part::none: break;
      case Part::ip:
      case Part::net: {
        const bool is_bound =
            set_.type == SetType::hash_ip_mac || set_.type == SetType::bitmap_ip_mac || !is_first_address;
        const auto spelling = parts[i] == Part::net ? Spelling::networks
                              : is_bound            ? Spelling::plain
                                                    : Spelling::hosts;
        auto range = addresses(part, spelling);
        if (!range) return std::unexpected(range.error());
        if (is_first_address) {
          if (auto cut = cut_to_netmask(part, *range); !cut) return std::unexpected(cut.error());
          const bool is_bitmap = set_.type == SetType::bitmap_ip || set_.type == SetType::bitmap_ip_mac;
          if (is_bitmap)
            if (auto inside = in_range(part, range->first, range->last); !inside)
              return std::unexpected(inside.error());
        }
        (is_first_address ? written.first : written.second) = *range;
        is_first_address = false;
        break;
      }
      case Part::port:
        if (auto read = port(part, written); !read) return std::unexpected(read.error());
        break;
      case Part::mac: {
        if (part.empty()) break;
        const auto number = mac(part);
        if (!number) return std::unexpected(number.error());
        written.element.has_mac = true;
        if (set_.type == SetType::hash_mac) written.first.first = written.first.last = *number;
        if (set_.type == SetType::hash_ip_mac) written.second.first = written.second.last = *number;
        break;
      }
      case Part::mark: {
        const auto mark = parse_number(part);
        if (!mark)
          return not_understood(place(part),
                                fmt::format("expected a mark of 32 bits, found '{}'", shown(part)));
        written.element.detail = *mark & set_.options.markmask;
        break;
      }
      case Part::interface:
        if (auto read = interface(part, written); !read) return std::unexpected(read.error());
        break;
      case Part::set:
        written.name = part;
        written.has_name = true;
        if (part.empty() || part.size() > longest_set_name)
          return refused(word_, fmt::format("expected the name of a set, found '{}'", shown(part)));
        break;
    }
  }
  return written;
}

std::expected<void, SetFault> Parser::options(std::span<const Word> words, WrittenElement& written) {
  const SetOptions& known = set_.options;
  const auto needs = [](const Word& word, bool is_known) -> std::expected<void, SetFault> {
    if (is_known) return {};
    return refused(word,
                   fmt::format("'{}' cannot be used: the set was created without it", shown(word.text)));
  };
  bool has_timeout = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const Word& word = words[i];
    const std::string_view option = word.text;
    if (is_exist_flag(option)) {
      written.element.exist = true;
      continue;
    }
    if (option == "nomatch" && facts(set_.type).has_nomatch) {
      written.element.nomatch = true;
      continue;
    }
    if (option == "wildcard" && set_.type == SetType::hash_net_iface) {
      written.element.wildcard = true;
      continue;
    }
    const bool is_counter = option == "packets" || option == "bytes";
    const bool is_skb = option == "skbmark" || option == "skbprio" || option == "skbqueue";
    const bool is_order = (option == "before" || option == "after") && set_.type == SetType::list_set;
    if (option != "timeout" && option != "comment" && !is_counter && !is_skb && !is_order)
      return not_understood(word, fmt::format("'{}' is no option that this reader knows for an element of {}",
                                              shown(option), type()));
    if (i + 1 == words.size())
      return refused(word, fmt::format("expected a value after '{}'", shown(option)));
    const Word& value = words[++i];
    if (option == "timeout") {
      if (auto good = needs(word, known.timeout.has_value()); !good) return good;
      const auto seconds = parse_number(value.text);
      if (!seconds || *seconds > Element::longest_timeout)
        return refused(value, fmt::format("expected seconds from 0 to {} after 'timeout', found '{}'",
                                          Element::longest_timeout, shown(value.text)));
      written.element.timeout = *seconds & 0xFFFFFF;
      has_timeout = true;
    } else if (option == "comment") {
      if (auto good = needs(word, known.comment); !good) return good;
      if (value.text.size() > longest_comment)
        return refused(value, fmt::format("a comment of more than {} bytes is refused", longest_comment));
    } else if (is_counter) {
      if (auto good = needs(word, known.counters); !good) return good;
      if (!parse_decimal<std::uint64_t>(value.text))
        return refused(value,
                       fmt::format("expected a number after '{}', found '{}'", option, shown(value.text)));
    } else if (is_skb) {
      if (auto good = needs(word, known.skbinfo); !good) return good;
    }
  }
  if (!has_timeout) written.element.timeout = known.timeout.value_or(0) & 0xFFFFFF;
  return {};
}

}  // namespace

std::expected<WrittenElement, SetFault> parse_element(const IpSet& set, std::span<const Word> words) {
  Parser parser(set, words[0]);
  auto written = parser.element();
  if (!written) return written;
  if (auto read = parser.options(words.subspan(1), *written); !read) return std::unexpected(read.error());
  return written;
}

std::uint64_t count(const IpSet& set, const WrittenElement& written) {
  const auto of = [&](const Addresses& range) -> std::uint64_t {
    switch (range.kind) {
      case Addresses::Kind::prefix: return 1;
      case Addresses::Kind::hosts:
        return static_cast<std::uint64_t>((range.last - range.first) / range.step) + 1;
      case Addresses::Kind::networks: break;
    }
    const int bits = set.family == Family::ipv6 ? 128 : 32;
    return minimal_prefixes(
               bits == 128 ? Address::v6(range.first) : Address::v4(static_cast<V4>(range.first)),
               bits == 128 ? Address::v6(range.last) : Address::v4(static_cast<V4>(range.last)))
        .size();
  };
  const std::uint64_t ports = 1U + written.last_port - written.first_port;
  return of(written.first) * ports * of(written.second);  // at most 2^32 hosts, 2^16 ports, 62 networks
}

}  // namespace aclmend::iptables
