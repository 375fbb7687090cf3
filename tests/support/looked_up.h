// A packet as a set test sees it, and whether it is in a box: one comparison a place.
#pragma once
#include <algorithm>
#include <string>

#include "vendors/iptables/set_match.h"

namespace aclmend::test {

struct LookedUp {
  Address source, destination;
  std::uint8_t protocol = 6;
  std::uint16_t source_port = 0, destination_port = 0;  // ICMP: type, code
  std::string ingress, egress;                          // "" where there is none
  std::uint32_t mark = 0;
};

inline bool holds(const model::ContextTerm& term, const LookedUp& packet) {
  const std::string& name = term.dimension == model::Dimension::ingress ? packet.ingress : packet.egress;
  const bool is_named = std::ranges::any_of(term.names, [&](const std::string& pattern) {
    if (name.empty()) return false;
    if (pattern.ends_with('+')) return name.starts_with(pattern.substr(0, pattern.size() - 1));
    return name == pattern;
  });
  return is_named != term.negated;
}

inline bool holds(const iptables::MatchBox& box, const LookedUp& packet) {
  return box.source.contains(packet.source) && box.destination.contains(packet.destination) &&
         box.service.protocol.contains(packet.protocol) && box.service.source.contains(packet.source_port) &&
         box.service.destination.contains(packet.destination_port) &&
         std::ranges::all_of(box.context, [&](const auto& term) { return holds(term, packet); }) &&
         std::ranges::all_of(box.marks, [&](const auto& test) {
           return ((packet.mark & test.mask) == test.value) != test.negated;
         });
}

}  // namespace aclmend::test
