// Text lists of addresses, as people keep them for scripts and blocklists come: one entry a line, an address,
// a prefix ("40.92.0.0/15") or a range ("192.0.2.5-192.0.2.9"), both families mixed; "#" begins a comment,
// empty lines are nothing. Read in one pass over the text; a list of a million entries is the common case.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/source.h"
#include "sets/address_set.h"

namespace aclmend {

// What "10.0.0.1/8" is, with bits set beyond its length: more often a slip than a way to write 10.0.0.0/8.
enum class HostBits : std::uint8_t { refused, cleared };

struct PrefixList {
  AddressSet addresses;
  std::uint32_t entries = 0;  // lines that name addresses
};

// Fails at the first line that is not understood, with its place and what was expected.
Result<PrefixList> read_prefix_list(const Source& list, HostBits host_bits);

// Calls on_prefix for each entry in its order, as often as it stands there, a range as its fewest prefixes.
// Returns how many entries there are; fails as read_prefix_list does, at the first line not understood.
Result<std::uint32_t> each_prefix(const Source& list, HostBits host_bits,
                                  const std::function<void(const Prefix&)>& on_prefix);

// One entry outside a file (an argument): what a line of a list may hold, without a comment.
Result<AddressSet> read_entry(std::string_view text, HostBits host_bits);

struct FoundLines {
  std::string text;           // each line ended by LF
  std::uint32_t entries = 0;  // lines that name addresses, found or not
};

// The lines of a list whose addresses all lie in the set, unchanged and in their order.
Result<FoundLines> lines_within(const AddressSet& set, const Source& list, HostBits host_bits);

// The fewest prefixes, one a line, IPv4 before IPv6, ascending; single hosts without a length.
std::string to_list(const AddressSet& set);

// How many addresses, as a decimal number: all of IPv6 is one more than 128 bits can tell.
std::string address_count(const FlipSet<V6>& set);
std::string address_count(const FlipSet<V4>& set);

}  // namespace aclmend
