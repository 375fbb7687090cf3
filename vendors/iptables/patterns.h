// The skeletons that were learnt, as one tree of what may stand next: a line is compared with all of them at
// once, byte by byte, and its operands are taken on the way. Whatever the tree finds, `Skeleton::scan` would
// have found as well; what it does not find is scanned.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vendors/iptables/operands.h"

namespace aclmend::iptables {

class Patterns {
 public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  // Of a skeleton that is for many. Texts beyond a length or number that no export reaches are left out.
  void add(std::string_view skeleton, std::uint32_t meaning);
  // What was added with the skeleton of the rule, whose operands are in `taken` then; or `none`.
  std::uint32_t find(std::string_view rule, const RulePlace& place, Taken& taken) const;
  bool empty() const { return nodes_.empty(); }
  void clear() { nodes_.clear(); }

 private:
  struct Way {
    char first = 0;  // of the node's literal; no two ways of a node begin alike
    std::uint32_t node = 0;
  };
  struct Node {
    std::string literal;  // what leads here, behind the node before
    // Its last eight bytes, or all of them: where they begin in it, and which of the bytes count.
    std::uint64_t end = 0, end_mask = 0;
    std::size_t end_at = 0;
    std::vector<Way> ways;  // on from here
    // An operand is looked for here before any literal.
    bool asks = false, negated = false;
    Operand asked = Operand::comment;
    std::uint32_t behind = none,
                  behind_port = none;  // the node behind the operand; behind a goal with a port
    std::uint32_t meaning = none;      // where the rule may end here
  };
  std::uint32_t add_node(std::string literal);
  void set_literal(std::uint32_t node, std::string literal);
  std::uint32_t along(std::uint32_t node, std::string_view literal);
  std::uint32_t over(std::uint32_t node, std::string_view before, Operand operand);

  std::vector<Node> nodes_;
};

}  // namespace aclmend::iptables
