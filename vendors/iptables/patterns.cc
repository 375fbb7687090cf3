#include "vendors/iptables/patterns.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "vendors/iptables/skeleton.h"

namespace aclmend::iptables {
namespace {

std::string_view last_word(std::string_view text) {
  const std::size_t blank = text.rfind(' ');
  return blank == text.npos ? text : text.substr(blank + 1);
}

std::size_t common(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

std::uint64_t eight_bytes(const char* from) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, from, sizeof bytes);
  return bytes;
}

}  // namespace

void Patterns::set_literal(std::uint32_t node, std::string literal) {
  std::array<char, sizeof(std::uint64_t)> end{}, mask{};
  const std::string_view tail =
      std::string_view(literal).substr(literal.size() - std::min(literal.size(), end.size()));
  tail.copy(end.data(), end.size());
  std::fill_n(mask.begin(), tail.size(), '\xFF');
  nodes_[node].end = eight_bytes(end.data());
  nodes_[node].end_mask = eight_bytes(mask.data());
  nodes_[node].end_at = literal.size() - tail.size();
  nodes_[node].literal = std::move(literal);
}

std::uint32_t Patterns::add_node(std::string literal) {
  const auto node = static_cast<std::uint32_t>(nodes_.size());
  nodes_.emplace_back();
  set_literal(node, std::move(literal));
  return node;
}

// The node at the end of a literal, made where there is none: no two that follow a node begin alike.
std::uint32_t Patterns::along(std::uint32_t node, std::string_view literal) {
  while (!literal.empty()) {
    const auto way = std::ranges::find(nodes_[node].ways, literal[0], &Way::first);
    if (way == nodes_[node].ways.end()) {
      const std::uint32_t end = add_node(std::string(literal));
      nodes_[node].ways.push_back({literal[0], end});
      return end;
    }
    const std::uint32_t next = way->node;
    const std::size_t shared = common(nodes_[next].literal, literal);
    if (shared < nodes_[next].literal.size()) {  // a fork within it
      const std::uint32_t fork = static_cast<std::uint32_t>(nodes_.size());
      way->node = fork;
      add_node(nodes_[next].literal.substr(0, shared));
      set_literal(next, nodes_[next].literal.substr(shared));
      nodes_[fork].ways = {{nodes_[next].literal[0], next}};
      node = fork;
    } else {
      node = next;
    }
    literal.remove_prefix(shared);
  }
  return node;
}

// The node behind an operand. What is looked for, and whether it is negated, the words before it say.
std::uint32_t Patterns::over(std::uint32_t node, std::string_view before, Operand operand) {
  const std::string_view words = before.substr(0, before.size() - 1);
  const std::string_view option = last_word(words);
  const std::string_view rest = words.substr(0, words.size() - option.size());
  nodes_[node].asks = true;
  nodes_[node].asked = operand_of(option).value_or(operand);
  nodes_[node].negated = !rest.empty() && last_word(rest.substr(0, rest.size() - 1)) == "!";
  std::uint32_t Node::* const behind =
      operand == Operand::goal_with_port ? &Node::behind_port : &Node::behind;
  if (nodes_[node].*behind == none) {
    const std::uint32_t added = add_node({});
    nodes_[node].*behind = added;
  }
  return nodes_[node].*behind;
}

void Patterns::add(std::string_view skeleton, std::uint32_t meaning) {
  constexpr std::size_t longest = 1024, most_nodes = 65536;
  if (skeleton.size() > longest || nodes_.size() > most_nodes) return;
  if (nodes_.empty()) add_node({});
  std::uint32_t node = 0;
  std::size_t literal = 0;
  for (std::size_t at = 0; at < skeleton.size(); ++at) {
    const auto operand = Skeleton::operand_marked(skeleton[at]);
    if (!operand) continue;
    node = over(along(node, skeleton.substr(literal, at - literal)), skeleton.substr(0, at), *operand);
    literal = at + 1;
  }
  nodes_[along(node, skeleton.substr(literal))].meaning = meaning;
}

std::uint32_t Patterns::find(std::string_view rule, const RulePlace& place, Taken& taken) const {
  taken.clear();
  if (nodes_.empty()) return none;
  const Node* node = nodes_.data();
  while (true) {
    if (node->asks) {
      const auto [length, operand] = taken.take(node->asked, rule, node->negated, place);
      if (length != 0) {
        const std::uint32_t behind = operand == Operand::goal_with_port ? node->behind_port : node->behind;
        if (behind == none) return none;
        rule.remove_prefix(length);
        node = &nodes_[behind];
        continue;
      }
    }
    if (rule.empty()) break;
    const auto way = std::ranges::find(node->ways, rule[0], &Way::first);
    if (way == node->ways.end()) return none;
    node = &nodes_[way->node];
    // Literals are short: a call of memcmp costs more than most of them.
    if (rule.size() < node->end_at + sizeof(std::uint64_t)) {
      if (!rule.starts_with(node->literal)) return none;
    } else {
      if (((eight_bytes(rule.data() + node->end_at) ^ node->end) & node->end_mask) != 0) return none;
      for (std::size_t at = 0; at < node->end_at; at += sizeof(std::uint64_t))
        if (eight_bytes(rule.data() + at) != eight_bytes(node->literal.data() + at)) return none;
    }
    rule.remove_prefix(node->literal.size());
  }
  return node->meaning;
}

}  // namespace aclmend::iptables
