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

#include "vendors/iptables/operands.h"
#include "vendors/iptables/rule.h"

namespace aclmend::iptables {

class Skeleton {
 public:
  // Behind "-A CHAIN ". False: nothing is said about such a text.
  bool scan(std::string_view rule, const RulePlace& place);

  // With a mark for each operand; the next scan changes it.
  const std::string& text() const { return text_; }
  const Taken& taken() const { return taken_; }
  bool has_ports() const { return has(Operand::ports); }
  bool has_chain() const { return has(Operand::chain); }
  bool has_goal() const { return has(Operand::goal) || has(Operand::goal_with_port); }
  // The operand that a byte of the text stands for.
  static std::optional<Operand> operand_marked(char c) {
    const int number = c - 1;
    if (number < 0 || number >= static_cast<int>(operand_count)) return std::nullopt;
    return static_cast<Operand>(number);
  }
  // Whether other lines may have this skeleton: quotes hide what is an option and what is not.
  bool is_for_many() const { return is_for_many_; }

  // The scanned rule, where every rule of this skeleton comes to the same but for its operands.
  std::optional<ParsedRule> learn(std::string_view rule, const RulePlace& place,
                                  std::deque<std::string>& arena) const;

 private:
  struct Hole {
    Operand kind = Operand::comment;
    std::size_t begin = 0, end = 0;
  };
  void forget();
  bool has(Operand kind) const { return has_[static_cast<std::size_t>(kind)]; }
  // The rule's operands where its places hold some, else those of the skeleton.
  Operands with_own(Operands fixed) const;
  bool agrees_with(const ParsedRule& parsed) const;
  std::string with_others(std::string_view rule, const RulePlace& place) const;

  std::string text_;
  std::array<Hole, operand_count + 1> holes_;  // several comments may stand in a rule
  std::size_t hole_count_ = 0;
  std::array<bool, operand_count> has_{};
  Taken taken_;
  bool is_for_many_ = true;
};

}  // namespace aclmend::iptables
