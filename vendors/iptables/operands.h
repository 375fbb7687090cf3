// The operands of a rule where they stand in its text: what follows `-s`, `--dport`, `-j`… in the spelling of
// iptables-save. Another spelling is none here; what then reads the rule in full takes it or refuses it.
#pragma once
#include <optional>
#include <string_view>

#include "vendors/iptables/modules.h"

namespace aclmend::iptables {

enum class Operand : std::uint8_t { source, destination, ports, comment, chain, goal, goal_with_port };
inline constexpr std::size_t operand_count = 7;

// What an option is followed by.
std::optional<Operand> operand_of(std::string_view option);

// Tabs among them: a line that has some is read in full, and no operand has any.
bool has_control_characters(std::string_view text);

struct PlainPrefix {
  model::AddressTerm prefix;
  std::size_t length = 0;  // of the text; 0: it begins with another kind of word
};
inline constexpr std::size_t longest_prefix_text = std::string_view("255.255.255.255/32 ").size();

// "192.0.2.0/24 " with nothing unusual about it, in a text that is as long as the longest of them: no digit
// asks whether the text ends.
inline PlainPrefix scan_usual_prefix(const char* const begin) {
  const auto digit = [](char c) { return static_cast<unsigned>(c) - '0'; };
  const char* at = begin;
  V4 number = 0;
  for (int octet = 0; octet < 4; ++octet) {
    if (octet > 0 && *at++ != '.') return {};
    unsigned value = digit(*at++);
    if (value > 9) return {};
    if (const unsigned second = digit(*at); second <= 9) {
      if (value == 0) return {};
      value = 10 * value + second;
      ++at;
      if (const unsigned third = digit(*at); third <= 9) value = 10 * value + third, ++at;
    }
    if (value > 255) return {};
    number = number << 8 | value;
  }
  if (*at++ != '/') return {};
  unsigned length = digit(*at++);
  if (length == 0 || length > 9) return {};
  if (const unsigned second = digit(*at); second <= 9) length = 10 * length + second, ++at;
  if (length > 32 || *at != ' ') return {};
  const int bits = static_cast<int>(length);
  return {model::AddressTerm::v4(number & netmask(bits), bits), static_cast<std::size_t>(at - begin)};
}

// The operands found in one rule.
struct Taken {
  // An address that stands in the rule.
  struct Place {
    model::AddressTerm prefix;        // any, unless it is a plain IPv4 prefix
    std::optional<AddressTest> test;  // everything else
    void clear() { prefix = {}, test.reset(); }
  };
  Place source, destination;
  Operands operands;
  // As if made anew, and faster: a rule has few of them.
  void clear() {
    source.clear(), destination.clear();
    operands.ports = {};
    operands.chain = 0;
    operands.goal.addresses.reset(), operands.goal.ports.reset();
    operands.goal.ports_are_shifted = false;
  }

  // How many bytes the text begins with are such an operand, which is kept. None: 0. A goal says whether it
  // has a port.
  struct Taking {
    std::size_t length = 0;
    Operand operand = Operand::comment;
  };
  Taking take(Operand operand, std::string_view text, bool negated, const RulePlace& place) {
    const bool is_usual = operand == Operand::source || operand == Operand::destination;
    if (is_usual && !negated && place.family == Family::ipv4 && text.size() >= longest_prefix_text)
      if (const PlainPrefix usual = scan_usual_prefix(text.data()); usual.length != 0) {
        (operand == Operand::source ? source : destination).prefix = usual.prefix;
        return {usual.length, operand};
      }
    return take_any(operand, text, negated, place);
  }

 private:
  Taking take_any(Operand operand, std::string_view text, bool negated, const RulePlace& place);
};

}  // namespace aclmend::iptables
