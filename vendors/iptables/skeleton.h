// The text of a rule with its operands taken out. A long table says the same words over and over about other
// addresses, ports and chains: what stood between them is read once, and every line of the same skeleton is
// that rule about its own operands.
//
// Finding the operands is only a guess (a comment may hold "-j X"). `learn` settles it: the line is read in
// full, and a second one with other operands in the same places; where both come to the same but for those,
// the skeleton stands for a body.
#pragma once
#include <array>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "vendors/iptables/rule.h"

namespace aclmend::iptables {

class Skeleton {
 public:
  // Behind "-A CHAIN ". False: nothing is said about such a text.
  bool scan(std::string_view rule, const RulePlace& place);

  // With a mark for each operand; the next scan changes it.
  const std::string& text() const { return text_; }
  // An address that stands in the rule.
  struct Place {
    model::AddressTerm prefix;        // any, unless it is a plain IPv4 prefix
    std::optional<AddressTest> test;  // everything else
  };
  const Place& source() const { return source_; }
  const Place& destination() const { return destination_; }
  bool has_ports() const { return has(Kind::ports); }
  bool has_chain() const { return has(Kind::chain); }
  bool has_goal() const { return has(Kind::goal) || has(Kind::goal_with_port); }
  const Operands& operands() const { return operands_; }  // those that it has

  // The scanned rule, where every rule of this skeleton comes to the same but for its operands.
  std::optional<ParsedRule> learn(std::string_view rule, const RulePlace& place,
                                  std::deque<std::string>& arena) const;

 private:
  enum class Kind : std::uint8_t { source, destination, ports, comment, chain, goal, goal_with_port };
  static constexpr std::size_t kinds = 7;
  struct Hole {
    Kind kind = Kind::comment;
    std::size_t begin = 0, end = 0;
  };
  static std::optional<Kind> operand_of(std::string_view option);
  // How many bytes of the text are such an operand, which is kept; 0: none.
  std::size_t take(Kind& kind, std::string_view text, bool negated, const RulePlace& place);
  std::size_t take_address(Place& to, std::string_view word, bool negated, Family family);
  void forget();
  bool has(Kind kind) const { return has_[static_cast<std::size_t>(kind)]; }
  // The rule's operands where its places hold some, else those of the skeleton.
  Operands with_own(Operands fixed) const;
  bool agrees_with(const ParsedRule& parsed) const;
  std::string with_others(std::string_view rule, const RulePlace& place) const;

  std::string text_;
  std::array<Hole, kinds + 1> holes_;  // several comments may stand in a rule
  std::size_t hole_count_ = 0;
  std::array<bool, kinds> has_{};
  Place source_, destination_;
  Operands operands_;
};

}  // namespace aclmend::iptables
