// One rule: the words behind "-A CHAIN" → what it asks and what it does.
//
// The parser follows iptables-restore 1.8.9 (man iptables-extensions): options in any order, long ones
// shortened while they stay unique, "!" before its option. It never drops a condition: a match that no export
// settles becomes an OpenMatch, and where a word cannot be read the rule takes whatever the rest of it
// allows, with a target that nobody knows.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "vendors/iptables/modules.h"
#include "vendors/iptables/words.h"

namespace aclmend::iptables {

struct Trouble {
  Severity severity = Severity::error;  // a warning leaves the rule as it was understood
  Span span;
  std::string message;
};

struct ParsedRule {
  std::vector<AddressTest> sources, destinations;  // none: any; each pair is a rule of the kernel
  Body body;
  Operands operands;
  bool is_for_other_family = false;  // -4, -6: skipped in silence by the other family's restore
  bool is_open = false;              // some match is none that we decide
  std::vector<Trouble> troubles;     // an error among them: not all of it could be read
  // The rule in one spelling, for -D and -C: equal texts are rules that the kernel holds for equal.
  std::string canonical;
  bool is_understood() const;
};

// `name` is the rule's own ("INPUT rule 4"), for the condition of what could not be read.
ParsedRule parse_rule(std::span<const Word> words, const RulePlace& place, std::string_view name, Span whole);

}  // namespace aclmend::iptables
