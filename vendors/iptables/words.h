// The words of one line, as the two programs cut it that load such files. iptables-restore: only `"` quotes,
// the closing quote ends the word (`"a"b` is two words), `\` escapes inside quotes and is ordinary outside.
// ipset restore: `"` switches quoting on and off within a word, `\` is always ordinary, CR is a blank, a word
// that is empty in the end is none. `'` and `#` are ordinary for both. (Measured: iptables 1.8.9,
// ipset 7.17.)
//
// Below it, what words say: numbers, ports, protocols, ICMP types, addresses with masks.
#pragma once
#include <cstdint>
#include <deque>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/policy.h"
#include "sets/address.h"

namespace aclmend::iptables {

enum class Grammar : std::uint8_t { restore, ipset };

struct Word {
  std::string_view text;  // a part of the line, unless quotes or escapes had to be taken out of its middle
  std::uint32_t begin = 0, end = 0;  // in the line, quotes included
  bool is_quoted = false;
};

// What is wrong about a place of a line, or of a word.
struct Fault {
  std::uint32_t begin = 0, end = 0;
  std::string message;
};

// Both programs fail beyond (ipset at other numbers, none of them higher).
inline constexpr std::size_t most_words = 255, longest_word = 1023;

class Splitter {
 public:
  // Words that are no part of their line are kept in the arena.
  Splitter(Grammar grammar, std::deque<std::string>& arena) : grammar_(grammar), arena_(&arena) {}

  // The list is valid until the next call. Fails at a NUL, an open quote, a word or list that is too long.
  std::expected<std::span<const Word>, Fault> split(std::string_view line);

 private:
  struct Scanned {
    std::size_t end = 0;  // behind the word
    std::string_view text;
    bool is_quoted = false, is_closed = true;
  };
  bool is_blank(char c) const {
    return c == ' ' || c == '\t' || c == '\n' || (c == '\r' && grammar_ == Grammar::ipset);
  }
  Scanned scan(std::string_view line, std::size_t begin);

  Grammar grammar_;
  std::deque<std::string>* arena_;
  std::vector<Word> words_;
  std::string scratch_;
};

// "25", "0x19", "031" (octal!): what strtoul takes with base 0, without sign and blanks, up to 32 bits.
std::optional<std::uint32_t> parse_number(std::string_view text);
// A number, or a name of /etc/services that means the same for TCP and UDP ("smtp", "submission").
std::optional<std::uint16_t> parse_port(std::string_view text);
// "25", "24:26", ":1023", "1024:". The message says what was expected.
std::expected<model::PortRange, std::string> parse_port_range(std::string_view text);
// A number, or a name of /etc/protocols in any case ("tcp", "IPv6-ICMP"); "all" and "ip" are 0.
std::optional<std::uint8_t> parse_protocol(std::string_view text);
// The name ipset prints and reads (Debian's /etc/protocols); none: the number has no name there.
std::optional<std::string_view> protocol_word(std::uint8_t number);
// TCP, UDP, SCTP, DCCP, UDP-Lite: `-m multiport` and `-m set` look for ports there alone.
bool has_ports(std::uint8_t protocol);

// A mask of any form: { x : x & mask == number }; no bits of `number` lie outside the mask.
struct MaskedAddress {
  Address address;
  V6 mask = 0;                           // of IPv4 the low 32 bits
  std::optional<Prefix> prefix() const;  // where the mask is contiguous from the left
  bool contains(Address other) const {
    return other.family == address.family && (other.number & mask) == address.number;
  }
};

// "203.0.113.25", "2001:db8::1". What inet_aton or a resolver would make of other spellings ("10.1",
// "010.0.0.1", host names) is not guessed: the message says which it is.
std::expected<Address, std::string> parse_plain_address(std::string_view text);
// The same with "/len" or "/mask" (also one with holes); host bits are cleared.
std::expected<MaskedAddress, std::string> parse_masked_address(std::string_view text);

}  // namespace aclmend::iptables
