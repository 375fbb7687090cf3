#include "difference/signature.h"

#include <algorithm>
#include <set>

#include "difference/boxes.h"

namespace aclmend::difference {

std::size_t Signatures::Hash::operator()(const std::vector<std::uint32_t>& words) const {
  std::size_t result = words.size();
  for (const std::uint32_t word : words) result = mixed(result, word);
  return result;
}

Signatures::Signatures() {
  nodes_.push_back({Kind::leaf, true, false, 0, {}, {}, {}});
  nodes_.push_back({Kind::leaf, false, true, 0, {}, {}, {}});
}

std::uint32_t Signatures::set_number(const Conditions& conditions) {
  const auto [found, is_new] = set_index_.try_emplace(conditions, static_cast<std::uint32_t>(sets_.size()));
  if (is_new) sets_.push_back(conditions);
  return found->second;
}

Signatures::Id Signatures::add(Node node) {
  std::vector<std::uint32_t> words{static_cast<std::uint32_t>(node.kind), node.about,
                                   static_cast<std::uint32_t>(node.conditions.size())};
  words.insert(words.end(), node.conditions.begin(), node.conditions.end());
  words.insert(words.end(), node.next.begin(), node.next.end());
  words.insert(words.end(), node.tags.begin(), node.tags.end());
  const auto [found, is_new] = node_index_.try_emplace(std::move(words), static_cast<Id>(nodes_.size()));
  if (is_new) {
    for (const Id next : node.next) {
      node.may_permit |= nodes_[next].may_permit;
      node.may_deny |= nodes_[next].may_deny;
    }
    nodes_.push_back(std::move(node));
  }
  return found->second;
}

// From the last question to the first. Neighbours with the same consequence are gathered into one question.
Signatures::Id Signatures::questions(const std::vector<Question>& asked, Id otherwise) {
  Id rest = otherwise;
  for (std::size_t i = asked.size(); i > 0;) {
    const Id then = asked[i - 1].then;
    std::vector<std::uint32_t> sets;
    for (; i > 0 && asked[i - 1].then == then; --i) sets.push_back(set_number(asked[i - 1].conditions));
    if (then == rest) continue;
    if (nodes_[rest].kind == Kind::question && nodes_[rest].next[0] == then) {
      sets.insert(sets.end(), nodes_[rest].conditions.begin(), nodes_[rest].conditions.end());
      rest = nodes_[rest].next[1];
    }
    std::ranges::sort(sets);
    sets.erase(std::unique(sets.begin(), sets.end()), sets.end());
    rest = add({Kind::question, false, false, 0, std::move(sets), {then, rest}, {}});
  }
  return rest;
}

Signatures::Id Signatures::choice(const Conditions& conditions, std::vector<Alternative> alternatives,
                                  std::uint32_t about) {
  std::ranges::sort(alternatives);
  alternatives.erase(std::unique(alternatives.begin(), alternatives.end()), alternatives.end());
  const Id first = alternatives.front().id;
  if (std::ranges::all_of(alternatives, [&](const Alternative& one) { return one.id == first; }))
    return first;
  Node node{Kind::choice, false, false, about, {set_number(conditions)}, {}, {}};
  for (const auto [tag, id] : alternatives) {
    node.tags.push_back(tag);
    node.next.push_back(id);
  }
  return add(std::move(node));
}

std::uint32_t Signatures::tag(const std::vector<std::uint32_t>& words) {
  return tag_index_.try_emplace(words, static_cast<std::uint32_t>(tag_index_.size())).first->second;
}

model::Verdict Signatures::verdict(Id id) const {
  const Node& node = nodes_[id];
  if (node.may_permit && node.may_deny) return model::Verdict::unknown;
  return node.may_permit ? model::Verdict::permit : model::Verdict::deny;
}

std::vector<std::uint32_t> Signatures::conditions(Id id, std::size_t most) const {
  std::set<std::uint32_t> found;
  std::set<Id> seen{id};
  std::vector<Id> left{id};
  while (!left.empty() && found.size() < most) {
    const Node& node = nodes_[left.back()];
    left.pop_back();
    for (const std::uint32_t set : node.conditions) found.insert(sets_[set].begin(), sets_[set].end());
    for (const Id next : node.next)
      if (seen.insert(next).second) left.push_back(next);
  }
  std::vector<std::uint32_t> all(found.begin(), found.end());
  if (all.size() > most) all.resize(most);
  return all;
}

}  // namespace aclmend::difference
