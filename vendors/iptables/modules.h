// The matches and targets that rules load: for each the options it has, and what they come to. A module that
// is not in the tables takes whatever stands behind it, and makes its rule possible.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vendors/iptables/document.h"

namespace aclmend::iptables {

// Where a rule stands: what decides which words are legal there.
struct RulePlace {
  Family family = Family::ipv4;
  Table table = Table::filter;
  const Chains* chains = nullptr;  // the table, for the names of its chains
  std::string_view chain;
  Span line;  // what the words' places are counted from
};

// What a rule asks of, or leads to, beside its body.
struct Operands {
  model::PortRange ports;
  std::uint32_t chain = 0;
  Goal goal;
  bool operator==(const Operands&) const = default;
};

struct ModuleOption {
  std::string_view name;
  std::uint8_t id = 0;  // aliases share it
  std::uint8_t values = 0;
  bool can_be_negated = false;
};

struct Problem {
  std::string_view word;  // of the rule; none: the module as a whole
  std::string message;
};

// An option as it stands in a rule.
struct Given {
  const ModuleOption* option = nullptr;
  bool negated = false;
  std::vector<std::string_view> values;
};

struct Module;
struct ModuleKind {
  std::string_view name;
  std::span<const ModuleOption> options;
  // What the options given come to, put into the rule.
  std::optional<Problem> (*settle)(Module& module, const RulePlace& place, Body& body, Operands& operands);
  bool swallows = false;  // takes options that are not listed
};

// One `-m` or `-j`, with what was given to it.
struct Module {
  std::string name;
  const ModuleKind* kind = nullptr;
  bool has_protocol_before = false;  // -p stands in front of it
  std::vector<Given> given;
  std::string swallowed;  // options that we know nothing of, as they stand
  std::string spelled;    // the same in one spelling, where settling it found one
  const Given* find(std::uint8_t id) const;
  bool is_known() const;  // what it is about, if not what it asks
  std::string canonical() const;
};

Module match_module(std::string_view name);
// None: no target by that name.
std::optional<Module> target_module(std::string_view name);
Module unknown_target(std::string_view name);
// The match that `-p` brings along by itself: "tcp". Empty: none.
std::string_view module_of_protocol(std::uint8_t protocol);

}  // namespace aclmend::iptables
