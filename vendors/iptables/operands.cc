#include "vendors/iptables/operands.h"

#include "vendors/iptables/words.h"

namespace aclmend::iptables {

bool has_control_characters(std::string_view text) {
  unsigned char found = 0;
  for (const char c : text) found |= static_cast<unsigned char>(c) < ' ' ? 1 : 0;
  return found != 0;
}

namespace {

constexpr std::size_t longest_comment = 250;

bool ends_at(std::string_view text, std::size_t at) { return at == text.size() || text[at] == ' '; }

std::string_view first_word(std::string_view text) { return text.substr(0, text.find(' ')); }

// The beginning of a text that is a number without sign and leading zeros.
struct Digits {
  std::uint32_t number = 0;
  std::size_t length = 0;  // 0: none
};
Digits digits(std::string_view text, std::uint32_t most) {
  Digits found;
  while (found.length < text.size() && text[found.length] >= '0' && text[found.length] <= '9') {
    found.number = 10 * found.number + static_cast<std::uint32_t>(text[found.length++] - '0');
    if (found.number > most || (found.length > 1 && text[0] == '0')) return {};
  }
  return found;
}

// "192.0.2.0/24", "192.0.2.1". Not "/0", which asks for nothing.
PlainPrefix scan_prefix(std::string_view text) {
  constexpr std::uint32_t longest_prefix = 32;
  const ScannedV4 address = scan_v4(text);
  if (address.length == 0) return {};
  std::size_t end = address.length;
  std::uint32_t length = longest_prefix;
  if (end < text.size() && text[end] == '/') {
    const Digits number = digits(text.substr(end + 1), longest_prefix);
    length = number.number;
    end += 1 + number.length;
  }
  if (length == 0 || !ends_at(text, end)) return {};
  const int bits = static_cast<int>(length);
  return {model::AddressTerm::v4(address.number & netmask(bits), bits), end};
}

std::size_t take_address(Taken::Place& to, std::string_view text, bool negated, Family family) {
  if (family == Family::ipv4 && !negated) {
    const PlainPrefix plain = scan_prefix(text);
    if (plain.length != 0) {
      to.prefix = plain.prefix;
      return plain.length;
    }
  }
  const std::string_view word = first_word(text);
  const auto masked = parse_masked_address(word);
  if (!masked || masked->address.family != family || masked->mask == 0) return 0;
  to.test = AddressTest{AddressTest::Kind::masked, family, negated, masked->address.number, masked->mask};
  return word.size();
}

struct Ports {
  model::PortRange ports;
  std::size_t length = 0;  // of the text; 0: another kind of word
};

// "25", "24:26".
Ports scan_ports(std::string_view text) {
  constexpr std::uint32_t last_port = 65535;
  const Digits first = digits(text, last_port);
  if (first.length == 0) return {};
  const auto low = static_cast<std::uint16_t>(first.number);
  if (ends_at(text, first.length)) return {{low, low}, first.length};
  const Digits last = digits(text.substr(first.length + 1), last_port);
  const std::size_t end = first.length + 1 + last.length;
  if (text[first.length] != ':' || last.length == 0 || !ends_at(text, end) || last.number < first.number)
    return {};
  return {{low, static_cast<std::uint16_t>(last.number)}, end};
}

// A quoted word in one piece, or a word without quotes; 0: another kind of word.
std::size_t scan_comment(std::string_view text) {
  const bool is_quoted = text.starts_with('"');
  const std::string_view near = text.substr(is_quoted ? 1 : 0, longest_comment);
  const std::string_view inside = near.substr(0, near.find(is_quoted ? '"' : ' '));
  const std::size_t end = inside.size() + (is_quoted ? 2 : 0);
  if (inside.empty() || end > text.size() || !ends_at(text, end) || has_control_characters(inside)) return 0;
  if (!is_quoted) return inside != "!" && inside.find('"') == inside.npos ? end : 0;
  return text[end - 1] == '"' && inside.find('\\') == inside.npos ? end : 0;
}

}  // namespace

std::optional<Operand> operand_of(std::string_view option) {
  if (option.size() < 2 || option[0] != '-') return std::nullopt;
  if (option.size() == 2) switch (option[1]) {
      case 's': return Operand::source;
      case 'd': return Operand::destination;
      case 'j':
      case 'g': return Operand::chain;
      default: return std::nullopt;
    }
  if (option == "--dport") return Operand::ports;
  if (option == "--comment") return Operand::comment;
  if (option == "--to-destination") return Operand::goal;
  return std::nullopt;
}

Taken::Taking Taken::take_any(Operand operand, std::string_view text, bool negated, const RulePlace& place) {
  switch (operand) {
    case Operand::source: return {take_address(source, text, negated, place.family), operand};
    case Operand::destination: return {take_address(destination, text, negated, place.family), operand};
    case Operand::comment: return {scan_comment(text), operand};
    case Operand::ports: {
      const Ports found = scan_ports(text);
      if (found.length == 0 || negated) return {};
      operands.ports = found.ports;
      return {found.length, operand};
    }
    case Operand::chain: {
      const std::string_view word = first_word(text);
      if (word == "ACCEPT" || word == "DROP" || word == "RETURN") return {};
      const auto chain = place.chains->index_of(word);
      if (!chain || hook_named(word) || has_control_characters(word)) return {};
      operands.chain = *chain;
      return {word.size(), operand};
    }
    case Operand::goal:
    case Operand::goal_with_port: {
      if (place.family != Family::ipv4) return {};
      const ScannedV4 address = scan_v4(text);
      if (address.length == 0) return {};
      const bool has_port = !ends_at(text, address.length);
      const Digits port =
          has_port && text[address.length] == ':' ? digits(text.substr(address.length + 1), 65535) : Digits{};
      const std::size_t end = address.length + (has_port ? 1 + port.length : 0);
      if (has_port && (port.length == 0 || !ends_at(text, end))) return {};
      operands.goal = {};
      operands.goal.addresses = {address.number, address.number};
      if (!has_port) return {end, Operand::goal};
      const auto number = static_cast<std::uint16_t>(port.number);
      operands.goal.ports = model::PortRange{number, number};
      return {end, Operand::goal_with_port};
    }
  }
  return {};
}

}  // namespace aclmend::iptables
