// What the options of each module come to (private to modules.cc and settle*.cc): each function puts it into
// the rule, or says what is wrong with it.
#pragma once
#include "vendors/iptables/modules.h"

namespace aclmend::iptables {

namespace ports {
enum : std::uint8_t { source, destination, either, flags, syn, other };
}
namespace conntrack {
enum : std::uint8_t {
  states,
  protocol,
  origin_source,
  origin_destination,
  reply_source,
  reply_destination,
  origin_source_port,
  origin_destination_port,
  reply_source_port,
  reply_destination_port,
  status,
  expire,
  direction
};
}
namespace sets {
enum : std::uint8_t { match, return_nomatch, counters, subcounters, packets, bytes, add, remove, map };
}
namespace address_type {
enum : std::uint8_t { source, destination, interface };
}
namespace recent {
enum : std::uint8_t { set, asked, seconds, reap, hitcount, rttl, name, rsource, rdest, mask };
}
namespace translation {
enum : std::uint8_t { to, random, persistent };
}
namespace marks {
enum : std::uint8_t {
  set_xmark,
  set_mark,
  or_mark,
  and_mark,
  xor_mark,
  save,
  restore,
  packet_mask,
  connection_mask,
  mask
};
}

using Settled = std::optional<Problem>;
// Matches (settle_match.cc).
Settled settle_nothing(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_ports(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_multiport(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_icmp(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_iprange(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_conntrack(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_mark_match(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_set(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_address_type(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_recent(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_open(Module& module, const RulePlace& place, Body& body, Operands& operands);
// Targets (settle_target.cc).
Settled settle_pass(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_dnat(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_redirect(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_netmap(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_source_nat(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_mark(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_untrack(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_reject(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_set_target(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_hmark(Module& module, const RulePlace& place, Body& body, Operands& operands);
Settled settle_program(Module& module, const RulePlace& place, Body& body, Operands& operands);

// Of matches that no export settles, what they hang on; none: nobody here has heard of the match.
std::optional<model::ConditionKind> open_kind_of(std::string_view module);

// "0x1/0xff": value and mask; none without a mask.
struct MarkValue {
  std::uint32_t value = 0;
  std::optional<std::uint32_t> mask;
};
std::optional<MarkValue> parse_mark(std::string_view text);

}  // namespace aclmend::iptables
