#include "vendors/iptables/skeleton.h"

#include <fmt/format.h>

#include <algorithm>

#include "vendors/iptables/words.h"

namespace aclmend::iptables {
namespace {

constexpr std::size_t longest_comment = 250;

std::string_view first_word(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && text[end] != ' ') ++end;
  return text.substr(0, end);
}

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

// "25", "24:26".
std::optional<model::PortRange> scan_ports(std::string_view word) {
  constexpr std::uint32_t last_port = 65535;
  const Digits first = digits(word, last_port);
  if (first.length == 0) return std::nullopt;
  const auto low = static_cast<std::uint16_t>(first.number);
  if (first.length == word.size()) return model::PortRange{low, low};
  const std::string_view rest = word.substr(first.length + 1);
  const Digits last = digits(rest, last_port);
  if (word[first.length] != ':' || last.length == 0 || last.length != rest.size() ||
      last.number < first.number)
    return std::nullopt;
  return model::PortRange{low, static_cast<std::uint16_t>(last.number)};
}

// A quoted word in one piece, or a word without quotes; 0: another kind of word.
std::size_t scan_comment(std::string_view text) {
  if (!text.starts_with('"')) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    return word.empty() || word.size() > longest_comment || word == "!" || word.find('"') != word.npos ? 0
                                                                                                       : end;
  }
  std::size_t close = 1;
  while (close < text.size() && close < longest_comment && text[close] != '"' && text[close] != '\\') ++close;
  if (close == 1 || close == text.size() || text[close] != '"') return 0;
  return close + 1 == text.size() || text[close + 1] == ' ' ? close + 1 : 0;
}

bool has_control_characters(std::string_view text) {
  unsigned found = 0;
  for (const char c : text) found |= static_cast<unsigned char>(c) < ' ' ? 1U : 0U;
  return found != 0;
}

}  // namespace

std::optional<Skeleton::Kind> Skeleton::operand_of(std::string_view option) {
  if (option.size() < 2 || option[0] != '-') return std::nullopt;
  if (option.size() == 2) switch (option[1]) {
      case 's': return Kind::source;
      case 'd': return Kind::destination;
      case 'j':
      case 'g': return Kind::chain;
      default: return std::nullopt;
    }
  if (option == "--dport") return Kind::ports;
  if (option == "--comment") return Kind::comment;
  if (option == "--to-destination") return Kind::goal;
  return std::nullopt;
}

std::size_t Skeleton::take_address(Place& to, std::string_view word, bool negated, Family family) {
  constexpr std::uint32_t longest_prefix = 32;
  if (family == Family::ipv4 && !negated) {
    const ScannedV4 address = scan_v4(word);
    const std::string_view rest = word.substr(address.length);
    std::uint32_t length = longest_prefix;
    bool is_plain = address.length != 0;
    if (is_plain && !rest.empty()) {
      const Digits number = digits(rest.substr(1), longest_prefix);
      is_plain = rest[0] == '/' && number.length != 0 && number.length + 1 == rest.size();
      length = number.number;
    }
    if (is_plain && length == 0) return 0;
    if (is_plain) {
      const int bits = static_cast<int>(length);
      to.prefix = model::AddressTerm::v4(address.number & netmask(bits), bits);
      return word.size();
    }
  }
  const auto masked = parse_masked_address(word);
  if (!masked || masked->address.family != family || masked->mask == 0) return 0;
  to.test = AddressTest{AddressTest::Kind::masked, family, negated, masked->address.number, masked->mask};
  return word.size();
}

void Skeleton::forget() {
  hole_count_ = 0;
  has_ = {};
  source_ = {};
  destination_ = {};
}

std::size_t Skeleton::take(Kind& kind, std::string_view text, bool negated, const RulePlace& place) {
  if (kind == Kind::comment) return scan_comment(text);
  const std::string_view word = first_word(text);
  switch (kind) {
    case Kind::source: return take_address(source_, word, negated, place.family);
    case Kind::destination: return take_address(destination_, word, negated, place.family);
    case Kind::ports: {
      const auto ports = scan_ports(word);
      if (!ports || negated) return 0;
      operands_.ports = *ports;
      return word.size();
    }
    case Kind::chain: {
      if (word == "ACCEPT" || word == "DROP" || word == "RETURN") return 0;
      const auto chain = place.chains->index.find(word);
      if (chain == place.chains->index.end() || hook_named(word)) return 0;
      operands_.chain = chain->second;
      return word.size();
    }
    case Kind::goal: {
      if (place.family != Family::ipv4) return 0;
      const ScannedV4 address = scan_v4(word);
      if (address.length == 0) return 0;
      operands_.goal = {};
      operands_.goal.addresses = {address.number, address.number};
      const std::string_view rest = word.substr(address.length);
      if (rest.empty()) return word.size();
      const Digits port = digits(rest.substr(1), 65535);
      if (rest[0] != ':' || port.length == 0 || port.length + 1 != rest.size()) return 0;
      const auto number = static_cast<std::uint16_t>(port.number);
      operands_.goal.ports = model::PortRange{number, number};
      kind = Kind::goal_with_port;
      return word.size();
    }
    case Kind::comment:
    case Kind::goal_with_port: break;
  }
  return 0;
}

bool Skeleton::scan(std::string_view rule, const RulePlace& place) {
  text_.clear();
  forget();
  if (has_control_characters(rule)) return false;
  std::size_t literal = 0;  // where the text begins that is not copied yet
  bool negated = false;
  for (std::size_t at = 0; at < rule.size();) {
    const std::string_view word = first_word(rule.substr(at));
    at += word.size() + 1;
    auto kind = operand_of(word);
    const bool is_negated = std::exchange(negated, word == "!");
    if (!kind || at >= rule.size()) continue;
    const std::size_t length = take(*kind, rule.substr(at), is_negated, place);
    if (length == 0) continue;
    bool& has = has_[static_cast<std::size_t>(*kind)];
    if ((has && *kind != Kind::comment) || hole_count_ == holes_.size()) return false;
    has = true;
    holes_[hole_count_++] = {*kind, at, at + length};
    text_.append(rule, literal, at - literal);
    text_ += static_cast<char>(1 + static_cast<int>(*kind));
    literal = at + length;
    at = literal + 1;
  }
  if (literal < rule.size()) text_.append(rule, literal);
  // Quotes hide what is an option and what is not: such a text stands for itself.
  if (text_.find('"') != text_.npos) {
    text_ = rule;
    forget();
  }
  return true;
}

// ---- learning -----------------------------------------------------------------------------------------

Operands Skeleton::with_own(Operands fixed) const {
  if (has_ports()) fixed.ports = operands_.ports;
  if (has_chain()) fixed.chain = operands_.chain;
  if (has_goal()) fixed.goal = operands_.goal;
  return fixed;
}

bool Skeleton::agrees_with(const ParsedRule& parsed) const {
  const auto is = [](const std::vector<AddressTest>& tests, const Place& place) {
    const bool is_prefix = place.prefix.kind == model::AddressTerm::Kind::v4;
    if (!is_prefix && !place.test) return tests.empty();
    const AddressTest test = place.test.value_or(AddressTest{
        AddressTest::Kind::masked, Family::ipv4, false, place.prefix.value, netmask(place.prefix.length)});
    return tests.size() == 1 && tests.front() == test;
  };
  // Whatever is about one line alone is read in full each time.
  return parsed.troubles.empty() && !parsed.is_for_other_family && is(parsed.sources, source_) &&
         is(parsed.destinations, destination_) && with_own(parsed.operands) == parsed.operands &&
         (!has_ports() || parsed.body.asks_port);
}

// The same rule about something else in each of its places.
std::string Skeleton::with_others(std::string_view rule, const RulePlace& place) const {
  const bool is_v4 = place.family == Family::ipv4;
  const auto other_address = [&](std::string_view address) -> std::string_view {
    if (is_v4) return address.starts_with("198.51.100.7") ? "198.51.100.8/32" : "198.51.100.7/32";
    return address.starts_with("2001:db8::7") ? "2001:db8::8/128" : "2001:db8::7/128";
  };
  std::string other;
  std::size_t at = 0;
  for (const Hole& hole : std::span(holes_).first(hole_count_)) {
    other.append(rule, at, hole.begin - at);
    at = hole.end;
    switch (hole.kind) {
      case Kind::source:
      case Kind::destination: other += other_address(rule.substr(hole.begin)); break;
      case Kind::ports: other += operands_.ports.first == 1717 ? "2727:2828" : "1717"; break;
      case Kind::comment: other += "\"some other words\""; break;
      case Kind::goal: other += "198.51.100.9"; break;
      case Kind::goal_with_port: other += "198.51.100.9:1919"; break;
      case Kind::chain: {
        const auto& chains = place.chains->chains;
        const auto one = std::ranges::find_if(chains, [&](const Chain& chain) {
          return &chain != &chains[operands_.chain] && !chain.is_removed && !hook_named(chain.name);
        });
        other += one == chains.end() ? chains[operands_.chain].name : one->name;
        break;
      }
    }
  }
  return other.append(rule.substr(at));
}

std::optional<ParsedRule> Skeleton::learn(std::string_view rule, const RulePlace& place,
                                          std::deque<std::string>& arena) const {
  const auto parse = [&](std::string_view text) -> std::optional<ParsedRule> {
    Splitter splitter(Grammar::restore, arena);
    const auto words = splitter.split(text);
    if (!words) return std::nullopt;
    return parse_rule(*words, place, "", place.line);
  };
  auto parsed = parse(rule);
  if (!parsed || !agrees_with(*parsed)) return std::nullopt;
  if (hole_count_ == 0) return parsed;
  const std::string other_text = with_others(rule, place);
  Skeleton other;
  if (!other.scan(other_text, place) || other.text_ != text_) return std::nullopt;
  const auto other_parsed = parse(other_text);
  const bool is_same = other_parsed && other.agrees_with(*other_parsed) &&
                       other_parsed->body == parsed->body && other_parsed->is_open == parsed->is_open &&
                       other.with_own(parsed->operands) == other_parsed->operands;
  return is_same ? std::move(parsed) : std::nullopt;
}

}  // namespace aclmend::iptables
