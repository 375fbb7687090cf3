#include "vendors/cisco_asa/ace.h"

#include <fmt/format.h>

#include "base/text.h"
#include "vendors/cisco_asa/names.h"

namespace aclmend::cisco_asa {
namespace {

std::string shown(std::string_view word) {
  return word.empty() ? "the end of the line" : fmt::format("'{}'", printable(word.substr(0, 80)));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

AddressResult at_fault(std::string_view word, std::string fault) {
  AddressResult result;
  result.fault_word = word;
  result.fault = std::move(fault);
  return result;
}

// What a host's or a network's first word says: an address, an alias, or neither.
struct Named {
  std::optional<V4> v4;
  bool is_v6 = false;
  bool is_odd = false;
};
Named look_up(std::string_view word, const Configuration& configuration) {
  if (const auto v4 = parse_v4_word(word)) return {v4->number, false, v4->is_odd};
  if (word.find(':') != std::string_view::npos && parse_address(word)) return {std::nullopt, true, false};
  const auto alias = configuration.aliases.find(word);
  if (alias == configuration.aliases.end()) return {};
  if (alias->second.address.is_v4()) return {alias->second.address.as_v4(), false, false};
  return {std::nullopt, true, false};
}

bool is_address(std::string_view word) {
  return parse_v4_word(word) || (word.find(':') != std::string_view::npos && parse_address(word));
}

AddressPlace host(V4 number) { return {AddressPlace::Kind::v4, 32, number, number, {}, {}}; }
AddressPlace of_kind(AddressPlace::Kind kind, std::string_view name) { return {kind, 0, 0, 0, name, {}}; }

// An address with its netmask. Host bits below a mask are refused by the device: most of all a wildcard of
// IOS.
AddressResult with_mask(V4 number, std::string_view address_word, std::string_view mask_word) {
  const auto mask = parse_v4_word(mask_word);
  if (!mask)
    return at_fault(mask_word, fmt::format("expected a netmask after '{}', found {}", printable(address_word),
                                           shown(mask_word)));
  const auto contiguous = netmask_length(mask->number);
  if ((number & ~mask->number) != 0 && contiguous && *contiguous > 0) {
    AddressResult doubt;  // the network it names, if the device took it at all
    doubt.place = {AddressPlace::Kind::unpaired,
                   static_cast<std::uint8_t>(*contiguous),
                   number & mask->number,
                   0,
                   {},
                   {}};
    doubt.unpaired = mask_word;
    return doubt;
  }
  if ((number & ~mask->number) != 0)
    return at_fault(
        mask_word,
        fmt::format("address and mask do not pair: '{} {}'{}", printable(address_word), printable(mask_word),
                    (mask->number & 0x80000000U) == 0 ? " (is it a wildcard of IOS?)" : ""));
  AddressResult result;
  if (const auto length = netmask_length(mask->number))
    result.place = {AddressPlace::Kind::v4, static_cast<std::uint8_t>(*length), number, number, {}, {}};
  else result.place = {AddressPlace::Kind::masked, 0, number, mask->number, {}, {}};
  return result;
}

AddressResult parse_range(Words& words, const Configuration& configuration) {
  const std::string_view from = words.next();
  const std::string_view to = words.next();
  const Named first = look_up(from, configuration), last = look_up(to, configuration);
  AddressResult result;
  if (first.v4 && last.v4) {
    if (*first.v4 > *last.v4)
      return at_fault(
          to, fmt::format("the range ends before it begins: '{} {}'", printable(from), printable(to)));
    result.place = {AddressPlace::Kind::range, 0, *first.v4, *last.v4, {}, {}};
  } else if (first.is_v6 && last.is_v6) {
    result.place = {AddressPlace::Kind::range6, 0, 0, 0, from, to};
  } else {
    return at_fault(first.v4 || first.is_v6 ? to : from,
                    fmt::format("expected two addresses after range, found {} {}", shown(from), shown(to)));
  }
  return result;
}

AddressResult parse_host(Words& words, const Configuration& configuration) {
  const std::string_view word = words.next();
  AddressResult result;
  const Named named = look_up(word, configuration);
  if (named.is_odd) result.odd_octet = word;
  if (named.v4) result.place = host(*named.v4);
  else if (named.is_v6) result.place = of_kind(AddressPlace::Kind::v6, word);
  else if (word.empty() ||
           (is_digit(word[0]) && word.find_first_not_of("0123456789.") == std::string_view::npos))
    return at_fault(word, fmt::format("expected an address after host, found {}", shown(word)));
  else result.place = of_kind(AddressPlace::Kind::unknown_alias, word);
  // `host 192.0.2.1 (mx.example.org)`: what a resolver said at that moment.
  const std::string_view next = words.peek();
  if (next.size() > 2 && next.front() == '(' && next.back() == ')' && !next.starts_with("(hitcnt") &&
      next != "(inactive)") {
    words.next();
    result.place = of_kind(AddressPlace::Kind::fqdn, next.substr(1, next.size() - 2));
  }
  return result;
}

class Parser {
 public:
  Parser(Words words, const Configuration& configuration, Ace& ace)
      : words_(words), configuration_(configuration), ace_(ace) {}
  void parse();

 private:
  bool fail(std::string_view word, std::string message) {
    ace_.fault_word = word;
    ace_.fault = std::move(message);
    return false;
  }
  bool action();
  bool protocol();
  void user();
  std::string_view tag();
  bool address(AddressPlace& place);
  bool source_port();
  bool holds_its_ports(std::string_view name);
  bool service();
  bool port(PortPlace& place);
  bool icmp();
  bool tail();
  bool log();
  bool may_have_ports() const {
    if (ace_.protocol == Ace::Protocol::group) return has_ports_;
    return ace_.protocol == Ace::Protocol::number &&
           (ace_.number == 6 || ace_.number == 17 || ace_.number == 132);
  }
  bool is_icmp() const {
    return ace_.protocol == Ace::Protocol::number && (ace_.number == 1 || ace_.number == 58);
  }
  PortTable table() const {
    if (ace_.protocol != Ace::Protocol::number) return PortTable::both;
    return ace_.number == 6 ? PortTable::tcp : ace_.number == 17 ? PortTable::udp : PortTable::both;
  }

  Words words_;
  const Configuration& configuration_;
  bool has_ports_ = false;  // the protocol is a group that may be of protocols with ports
  Ace& ace_;
};

bool Parser::action() {
  const std::string_view word = words_.next();
  ace_.is_permit = word == "permit";
  if (!ace_.is_permit && word != "deny")
    return fail(word, fmt::format("expected permit or deny, found {}", shown(word)));
  ace_.reach = Ace::Reach::action;
  return true;
}

bool Parser::protocol() {
  const std::string_view word = words_.next();
  ace_.protocol = Ace::Protocol::number;
  if (word == "tcp") ace_.number = protocol::tcp;
  else if (word == "ip") ace_.protocol = Ace::Protocol::ip;
  else if (word == "udp") ace_.number = protocol::udp;
  else if (word == "object" || word == "object-group") {
    const std::string_view name = without_id(words_.next(), configuration_);
    if (name.empty()) return fail(name, fmt::format("expected a name after {}", word));
    ace_.protocol = word == "object" ? Ace::Protocol::object : Ace::Protocol::group;
    ace_.protocol_name = name;
    const NameEntry* known = named(configuration_, name);
    has_ports_ = ace_.protocol == Ace::Protocol::group &&
                 (known == nullptr ||
                  (known->is_group && configuration_.groups[known->index].type == GroupType::protocol));
  } else if (const auto number = ip_protocol(word)) ace_.number = *number;
  else return fail(word, fmt::format("expected a protocol, found {}", shown(word)));
  ace_.reach = Ace::Reach::protocol;
  return true;
}

void Parser::user() {
  const std::string_view word = words_.peek();
  if (word.empty() || (word[0] != 'u' && word[0] != 'o')) return;
  if (word == "user" || word == "user-group" || word == "object-group-user") {
    words_.next();
    ace_.user = words_.next();
    if (ace_.user.empty()) ace_.user = word;
  }
}

// security-group {name N|tag T}, object-group-security N
std::string_view Parser::tag() {
  const std::string_view word = words_.peek();
  if (word.empty() || (word[0] != 's' && word[0] != 'o')) return {};
  if (words_.accept("object-group-security")) return words_.next();
  if (!words_.accept("security-group")) return {};
  const std::string_view how = words_.next();
  const std::string_view what = words_.next();
  return what.empty() ? how : what;
}

bool Parser::address(AddressPlace& place) {
  AddressResult result = parse_address_place(words_, configuration_);
  place = result.place;
  if (!result.odd_octet.empty()) ace_.odd_octet = result.odd_octet;
  if (!result.unpaired.empty()) ace_.unpaired = result.unpaired;
  if (result.fault.empty()) return true;
  return fail(result.fault_word, std::move(result.fault));
}

bool Parser::source_port() {
  if (!may_have_ports()) return true;
  const std::string_view word = words_.peek();
  Words ahead = words_;
  ahead.next();
  if (word == "range" && is_address(ahead.peek())) return true;  // of `show access-list`: the destination
  if (word != "object-group") return port(ace_.source_port);
  const std::string_view name = without_id(ahead.next(), configuration_);
  const NameEntry* known = named(configuration_, name);
  if (known == nullptr) {
    ace_.undefined_group = name;
    return fail(
        name,
        fmt::format("object-group {} is not in this file: it may hold source ports or be the destination",
                    shown(name)));
  }
  if (!known->is_group) return true;
  const GroupType type = configuration_.groups[known->index].type;
  if (type != GroupType::tcp && type != GroupType::udp && type != GroupType::tcp_udp) return true;
  if (!holds_its_ports(name)) return false;
  words_ = ahead;
  ace_.source_port = {PortPlace::Kind::group, 0, 65535, name};
  return true;
}

bool Parser::port(PortPlace& place) {
  PortResult result = parse_port_place(words_, table());
  place = result.place;
  if (result.fault.empty()) return true;
  return fail(result.fault_word, std::move(result.fault));
}

bool Parser::service() {
  if (is_icmp()) return icmp();
  if (!may_have_ports()) return true;
  if (words_.peek() != "object-group") return port(ace_.destination_port);
  words_.next();
  ace_.destination_port = {PortPlace::Kind::group, 0, 65535, without_id(words_.next(), configuration_)};
  return holds_its_ports(ace_.destination_port.name);
}

// A group of another protocol's ports, or of ICMP types, cannot stand here: the device refuses the entry.
bool Parser::holds_its_ports(std::string_view name) {
  const NameEntry* known = named(configuration_, name);
  if (known == nullptr || !known->is_group) return true;  // undefined: convert says so
  const GroupType type = configuration_.groups[known->index].type;
  const bool is_number = ace_.protocol == Ace::Protocol::number;
  const bool fits = is_icmp()
                        ? type == GroupType::icmp_type
                        : type == GroupType::tcp_udp ||
                              (type == GroupType::tcp && (!is_number || ace_.number == protocol::tcp)) ||
                              (type == GroupType::udp && (!is_number || ace_.number == protocol::udp));
  if (fits) return true;
  return fail(name, fmt::format("object-group {} does not hold {} of this protocol", shown(name),
                                is_icmp() ? "types" : "ports"));
}

bool Parser::icmp() {
  const std::string_view word = words_.peek();
  if (word == "object-group") {
    words_.next();
    ace_.source_port = {PortPlace::Kind::group, 0, 65535, without_id(words_.next(), configuration_)};
    return holds_its_ports(ace_.source_port.name);
  }
  const IcmpTable types = ace_.number == protocol::icmp ? IcmpTable::icmp : IcmpTable::icmp6;
  const auto type = icmp_type(word, types);
  if (!type) return true;  // none, or a word of the tail
  words_.next();
  ace_.source_port = {PortPlace::Kind::range, *type, *type, {}};
  if (words_.peek().empty() || !is_digit(words_.peek()[0]) || words_.peek().starts_with("0x")) return true;
  const std::string_view code_word = words_.next();
  const auto code = parse_decimal<std::uint8_t>(code_word);
  if (!code)
    return fail(code_word, fmt::format("expected an ICMP code from 0 to 255, found {}", shown(code_word)));
  ace_.destination_port = {PortPlace::Kind::range, *code, *code, {}};
  return true;
}

// log [LEVEL] [interval SECONDS] | disable | default. It has no effect on what matches, so nonsense in it has
// none either.
bool Parser::log() {
  if (words_.accept("default")) return true;
  ace_.log = words_.accept("disable") ? Ace::Log::off : Ace::Log::on;
  if (ace_.log == Ace::Log::off) return true;
  if (log_level(words_.peek())) ace_.log_level = words_.next();
  if (words_.accept("interval")) ace_.log_interval = words_.next();
  return true;
}

bool Parser::tail() {
  bool is_after_log = false;
  while (!words_.at_end()) {
    const std::string_view word = words_.next();
    if (word == "log") {
      log();
      is_after_log = true;
      continue;
    }
    if (word == "inactive") ace_.is_inactive = true;
    else if (word == "time-range") {
      ace_.time_range = words_.next();
      if (ace_.time_range.empty()) return fail(word, "expected a name after time-range");
    } else if (word.starts_with("(hitcnt=") || word == "(inactive)" ||
               (word.starts_with("0x") && words_.at_end())) {
      // what `show access-list` says of the entry's state
    } else if (is_after_log) ace_.odd_log = word;
    else return fail(word, fmt::format("{} is not known here", shown(word)));
    is_after_log = false;
  }
  return true;
}

void Parser::parse() {
  if (!action() || !protocol()) return;
  user();
  ace_.source_tag = tag();
  if (!address(ace_.source)) return;
  ace_.reach = Ace::Reach::source;
  if (!source_port()) return;
  ace_.destination_tag = tag();
  if (!address(ace_.destination)) return;
  ace_.reach = Ace::Reach::destination;
  if (!service()) return;
  ace_.reach = Ace::Reach::all;
  tail();
}

}  // namespace

std::optional<V4Word> parse_v4_word(std::string_view word) {
  if (word.size() < 7 || word.size() > 15) return std::nullopt;
  V4Word result;
  int octets = 0, digits = 0;
  std::uint32_t octet = 0;
  bool leads_with_zero = false;
  for (const char c : word) {
    if (is_digit(c)) {
      if (digits == 0) leads_with_zero = c == '0';
      octet = octet * 10 + static_cast<std::uint32_t>(c - '0');
      if (++digits > 3) return std::nullopt;
    } else if (c == '.') {
      if (digits == 0 || octet > 255 || ++octets > 3) return std::nullopt;
      result.is_odd |= leads_with_zero && digits > 1;
      result.number = (result.number << 8) | octet;
      octet = 0;
      digits = 0;
    } else {
      return std::nullopt;
    }
  }
  if (octets != 3 || digits == 0 || octet > 255) return std::nullopt;
  result.is_odd |= leads_with_zero && digits > 1;
  result.number = (result.number << 8) | octet;
  return result;
}

std::string_view without_id(std::string_view name, const Configuration& configuration) {
  if (!name.ends_with(')') || named(configuration, name) != nullptr) return name;
  const std::size_t open = name.rfind('(');
  if (open == std::string_view::npos || open == 0) return name;
  const std::string_view digits = name.substr(open + 1, name.size() - open - 2);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return name;
  return name.substr(0, open);
}

AddressResult parse_network(Words& words, const Configuration& configuration) {
  const std::string_view word = words.next();
  AddressResult result;
  const Named named = look_up(word, configuration);
  if (named.is_v6 || word.find('/') != std::string_view::npos) {
    const auto prefix = parse_prefix(word);
    const bool is_alias = !prefix && named.is_v6;
    if (!is_alias && (!prefix || prefix->address.is_v4()))
      return at_fault(
          word, fmt::format("expected an address with a netmask or an IPv6 prefix, found {}", shown(word)));
    result.place = of_kind(AddressPlace::Kind::v6, word);
    return result;
  }
  if (named.v4) {
    result = with_mask(*named.v4, word, words.next());
    if (named.is_odd) result.odd_octet = word;
    return result;
  }
  if (word.empty() || is_digit(word[0]))
    return at_fault(word, fmt::format("expected an address, found {}", shown(word)));
  const std::string_view mask_word = words.peek();
  if (!parse_v4_word(mask_word))
    return at_fault(word, fmt::format("expected an address, found {}", shown(word)));
  words.next();
  result.place = of_kind(AddressPlace::Kind::unknown_alias, word);
  return result;
}

AddressResult parse_address_place(Words& words, const Configuration& configuration) {
  using enum AddressPlace::Kind;
  const std::string_view word = words.peek();
  AddressResult result;
  const auto with_name = [&](AddressPlace::Kind kind) {
    words.next();
    const std::string_view name = without_id(words.next(), configuration);
    if (name.empty()) return at_fault(name, fmt::format("expected a name after {}", word));
    AddressResult its;
    its.place = of_kind(kind, name);
    return its;
  };
  const auto taken = [&](AddressPlace::Kind kind) {
    words.next();
    result.place = of_kind(kind, {});
    return result;
  };
  switch (word.empty() ? '\0' : word[0]) {
    case 'a':
      if (word == "any" || word.starts_with("any(")) return taken(any);
      if (word == "any4") return taken(any4);
      if (word == "any6") return taken(any6);
      break;
    case 'h':
      if (word != "host") break;
      words.next();
      return parse_host(words, configuration);
    case 'o':
      if (word == "object-group") return with_name(group);
      if (word == "object") return with_name(object);
      if (word == "object-group-network-service") return with_name(network_service);
      break;
    case 'i':
      if (word == "interface") return with_name(interface);
      break;
    case 'r':
      if (word != "range") break;
      words.next();
      return parse_range(words, configuration);
    case 'f': {
      if (word != "fqdn") break;
      AddressResult its = with_name(fqdn);
      if (words.peek() == "(unresolved)" || words.peek() == "(resolved)") words.next();
      return its;
    }
    default: break;
  }
  return parse_network(words, configuration);
}

PortResult parse_port_place(Words& words, PortTable table) {
  PortResult result;
  const std::string_view op = words.peek();
  const bool is_range = op == "range";
  if (!is_range && op != "eq" && op != "neq" && op != "lt" && op != "gt") return result;
  words.next();
  const std::string_view word = words.next();
  const std::string_view last_word = is_range ? words.next() : word;
  const auto port = port_number(word, table), last = is_range ? port_number(last_word, table) : port;
  if (!port || !last) {
    const std::string_view bad = port ? last_word : word;
    if (bad.empty() || is_digit(bad[0])) {
      result.fault_word = bad;
      result.fault = fmt::format("expected a port from 0 to 65535 after {}, found {}", op, shown(bad));
    } else {
      result.place = {PortPlace::Kind::unknown_name, 0, 65535, bad};
    }
    return result;
  }
  const auto refuse = [&](std::string message) {
    result.fault_word = word;
    result.fault = std::move(message);
    return result;
  };
  if (op == "eq") result.place = {PortPlace::Kind::range, *port, *port, {}};
  else if (op == "neq") result.place = {PortPlace::Kind::neq, *port, *port, {}};
  else if (op == "lt") {
    if (*port == 0) return refuse("no port is less than 0");
    result.place = {PortPlace::Kind::range, 0, static_cast<std::uint16_t>(*port - 1), {}};
  } else if (op == "gt") {
    if (*port == 65535) return refuse("no port is greater than 65535");
    result.place = {PortPlace::Kind::range, static_cast<std::uint16_t>(*port + 1), 65535, {}};
  } else {
    if (*port > *last) return refuse("the range of ports ends before it begins");
    result.place = {PortPlace::Kind::range, *port, *last, {}};
  }
  return result;
}

Ace parse_ace(Words words, const Configuration& configuration) {
  Ace ace;
  Parser(words, configuration, ace).parse();
  return ace;
}

}  // namespace aclmend::cisco_asa
