// ipset's commands as lines of a script or of `ipset save`, carried out one after another: create, add, del,
// flush, destroy, rename, swap, with the refusals that ipset has for them. (Measured: ipset 7.17, kernel
// 6.18.)
#pragma once
#include <expected>
#include <span>

#include "vendors/iptables/ipset.h"
#include "vendors/iptables/ipset_element.h"
#include "vendors/iptables/words.h"

namespace aclmend::iptables {

struct LinePlace {
  std::uint16_t source = 0;
  std::uint32_t begin = 0;  // of the line in the source
  Span span_of(const Fault& fault) const { return {begin + fault.begin, begin + fault.end, source}; }
};

enum class Executed : std::uint8_t {
  nothing,  // a command that changes no set: COMMIT, list, test
  created,  // or was there already, with -exist
  element,  // added, deleted, or was as asked already, with -exist
  other,    // flush, destroy, rename, swap
  unknown,  // a set whose type or options this reader does not know came to be, or an element of one changed
};

// When a file is read, whether an element stands there already is looked up once at its end.
enum class Lookup : std::uint8_t { now, later };

// Whether it is refused for a set that a rule uses (IpSet::is_used, which the caller keeps): destroy, rename.
bool needs_unused(std::span<const Word> words);

// Carries the command out; "ipset" may stand before it. A refusal leaves the sets as they are, except that of
// a range the elements before the refused one have been added. What is not understood makes its set doubtful.
std::expected<Executed, SetFault> execute(IpSets& sets, std::span<const Word> words, LinePlace place,
                                          Lookup lookup = Lookup::now);

// The options behind `create NAME TYPE`, or on the line `Header:` of a listing, into the set.
std::expected<void, SetFault> parse_create_options(IpSet& set, std::span<const Word> words);
// An empty set of that name and type; of an unknown type a doubtful one.
IpSet empty_set(std::string_view name, std::string_view type, Span span);

// One element into the set, by the rules for `add`.
std::expected<void, SetFault> add_element(IpSets& sets, IpSet& set, std::span<const Word> words,
                                          LinePlace place, Lookup lookup);

}  // namespace aclmend::iptables
