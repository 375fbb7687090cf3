// The grammar of one element with its options, as it follows `add NAME` or stands under `Members:`. What
// ipset would expand (a range of hosts, networks or ports) is kept as a range here and expanded by each().
#pragma once
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "sets/address_set.h"
#include "vendors/iptables/ipset.h"
#include "vendors/iptables/words.h"

namespace aclmend::iptables {

struct SetFault : Fault {
  // refused: ipset says no, and the set is as before. not_understood: ipset may know what it means.
  enum class Kind : std::uint8_t { refused, not_understood };
  Kind kind = Kind::refused;
};
inline std::unexpected<SetFault> refused(const Word& at, std::string message) {
  return std::unexpected(SetFault{{at.begin, at.end, std::move(message)}, SetFault::Kind::refused});
}
inline std::unexpected<SetFault> not_understood(const Word& at, std::string message) {
  return std::unexpected(SetFault{{at.begin, at.end, std::move(message)}, SetFault::Kind::not_understood});
}

// -exist and -! in any place of a command.
inline bool is_exist_flag(std::string_view word) {
  return word == "-exist" || word == "--exist" || word == "-!";
}

struct WrittenElement {
  struct Addresses {
    enum class Kind : std::uint8_t { prefix, hosts, networks };
    Kind kind = Kind::prefix;
    int length = 0;          // of the prefix
    V6 first = 0, last = 0;  // prefix: first alone. hosts: each a `step` from the one before
    V6 step = 1;             // networks: the fewest prefixes that make up the range
  };
  Element element;  // what all have in common: flags, timeout, protocol or mark
  Addresses first, second;
  std::uint16_t first_port = 0, last_port = 0;
  bool has_port = false;
  std::string_view name;  // interface or set
  bool has_name = false;
};

// words[0] is the element, then its options; the set says type, family and which options it knows.
std::expected<WrittenElement, SetFault> parse_element(const IpSet& set, std::span<const Word> words);

// How many elements ipset would make of it.
std::uint64_t count(const IpSet& set, const WrittenElement& written);

// Calls emit(element, second) for each element that ipset would make of it, until emit gives false.
template <class Emit>
void each(const IpSet& set, const WrittenElement& written, Emit emit) {
  const bool is_v6 = set.family == Family::ipv6;
  const int bits = is_v6 ? 128 : 32;
  const auto each_address = [&](const WrittenElement::Addresses& range, auto&& found) {
    using Kind = WrittenElement::Addresses::Kind;
    switch (range.kind) {
      case Kind::prefix: return found(range.first, range.length);
      case Kind::hosts:
        for (V6 at = range.first;; at += range.step) {
          if (!found(at, bits)) return false;
          if (range.last - at < range.step) return true;
        }
      case Kind::networks: {
        bool goes_on = true;
        each_minimal_prefix(range.first, range.last, [&](V6 network, int length) {
          goes_on = goes_on && found(network, length - (128 - bits));
        });
        return goes_on;
      }
    }
    return true;
  };
  each_address(written.first, [&](V6 first, int length) {
    Element element = written.element;
    element.low = static_cast<std::uint64_t>(first);
    if (is_v6) element.high = static_cast<std::uint64_t>(first >> 64);
    element.length = static_cast<std::uint8_t>(length);
    for (unsigned port = written.first_port; port <= written.last_port; ++port) {
      if (written.has_port) element.detail = (written.element.detail & 0xFF0000) | port;
      const bool goes_on = each_address(written.second, [&](V6 second, int second_length) {
        Element one = element;
        one.second_length = static_cast<std::uint8_t>(second_length);
        if (!is_v6) one.high = static_cast<std::uint64_t>(second);
        return emit(one, is_v6 ? second : V6{0});
      });
      if (!goes_on) return false;
    }
    return true;
  });
}

}  // namespace aclmend::iptables
