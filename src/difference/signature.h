// Signatures, each once: equal numbers are equal signatures, whichever policy they come from. What they are
// and what is dropped from them stands in difference.h. (Private to difference.)
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "model/question.h"

namespace aclmend::difference {

class Signatures {
 public:
  using Id = std::uint32_t;
  using Conditions = std::vector<std::uint32_t>;  // shared numbers, ascending
  static constexpr Id permit = 0, deny = 1;

  Signatures();
  struct Question {
    Conditions conditions;
    Id then = permit;
  };
  // The questions one after another, and what is left when none of them was answered with yes.
  Id questions(const std::vector<Question>& asked, Id otherwise);
  // One of the alternatives; nobody knows which. Each has a tag, so that two that change places are a change:
  // the device may well know. `about` tells apart what conditions alone do not.
  struct Alternative {
    std::uint32_t tag = 0;
    Id id = permit;
    auto operator<=>(const Alternative&) const = default;
  };
  Id choice(const Conditions& conditions, std::vector<Alternative> alternatives, std::uint32_t about = 0);
  // Equal words get equal tags: the name of a case, a member of a pool.
  std::uint32_t tag(const std::vector<std::uint32_t>& words);

  model::Verdict verdict(Id id) const;
  std::vector<std::uint32_t> conditions(Id id, std::size_t most) const;  // ascending
  std::size_t size() const { return nodes_.size(); }
  // In words, cut with "…" where it would be long; name(number) → "time-range OFFICE".
  template <class Name>
  std::string text(Id id, Name name) const {
    std::string text;
    append(text, id, name, 0);
    return text;
  }

 private:
  enum class Kind : std::uint8_t { leaf, question, choice };
  struct Node {
    Kind kind = Kind::leaf;
    bool may_permit = false, may_deny = false;
    std::uint32_t about = 0;
    std::vector<std::uint32_t> conditions;  // question: sets, any of which takes it; choice: one set
    std::vector<Id> next;                   // question: then, otherwise; choice: the alternatives
    std::vector<std::uint32_t> tags;        // choice: of each alternative
  };
  struct Hash {
    std::size_t operator()(const std::vector<std::uint32_t>& words) const;
  };
  using Index = std::unordered_map<std::vector<std::uint32_t>, std::uint32_t, Hash>;

  template <class Name>
  void append(std::string& text, Id id, Name name, int depth) const;
  Id add(Node node);
  std::uint32_t set_number(const Conditions& conditions);

  std::vector<Node> nodes_;
  std::vector<Conditions> sets_;
  Index node_index_, set_index_, tag_index_;
};

template <class Name>
void Signatures::append(std::string& text, Id id, Name name, int depth) const {
  constexpr std::size_t longest = 4000;
  constexpr int deepest = 100;
  const Node& node = nodes_[id];
  const auto words = [&](std::uint32_t set) {
    if (sets_[set].empty()) text += "always";
    for (const std::uint32_t number : sets_[set]) {
      if (number != sets_[set].front()) text += " + ";
      text += name(number);
    }
  };
  if (text.size() > longest || depth > deepest) {
    text += "…";
    return;
  }
  switch (node.kind) {
    case Kind::leaf: text += id == permit ? "permit" : "deny"; return;
    case Kind::question:
      for (const std::uint32_t set : node.conditions) {
        if (set != node.conditions.front()) text += " or ";
        words(set);
      }
      text += " ? ";
      append(text, node.next[0], name, depth + 1);
      text += " : ";
      append(text, node.next[1], name, depth + 1);
      return;
    case Kind::choice:
      words(node.conditions[0]);
      for (const Id next : node.next) {
        text += next == node.next.front() ? " {" : " | ";
        append(text, next, name, depth + 1);
      }
      text += "}";
      return;
  }
}

}  // namespace aclmend::difference
