// What means the same in two policies, whatever its index, its place in the file, or its number in the list.
//
// Conditions, qualifiers, translations, groups and lists of both sides get shared numbers; two rules mean the
// same when their terms have the same numbers. A named group is first compared by name: rules that name it
// stay partners, and only what the group gained or lost is a change. Disabled rules, and rules that only log,
// are as good as absent. (Private to difference.)
#pragma once
#include <array>
#include <map>
#include <set>
#include <vector>

#include "model/question.h"

namespace aclmend::difference {

enum class Side : std::uint8_t { before, after };
inline constexpr std::array both_sides{Side::before, Side::after};
inline Side other(Side side) { return side == Side::before ? Side::after : Side::before; }

template <class T>
struct Sides {
  T before, after;
  T& operator[](Side side) { return side == Side::before ? before : after; }
  const T& operator[](Side side) const { return side == Side::before ? before : after; }
};

// By the policy's own index: a number that both sides share.
struct Numbers {
  std::vector<std::uint32_t> condition, qualifier, state_change, translation, list;
  std::vector<std::vector<std::uint32_t>> terms;    // of a qualifier's context; as conditions are numbered
  std::vector<std::uint32_t> group, service_group;  // by name, where both sides have it
  std::vector<std::uint32_t> group_content, service_group_content;  // by what they hold
};

using RuleKey = std::array<std::uint32_t, 11>;
enum class Groups : std::uint8_t { by_name, by_content };

inline bool takes_part(const model::Rule& rule) { return rule.enabled && rule.action != model::Action::pass; }

struct ListDifference {
  std::vector<std::uint32_t> before, after;  // rules without a partner, ascending
  std::vector<std::pair<std::uint32_t, std::uint32_t>>
      regrouped;                                               // partners whose groups hold something else
  std::vector<std::pair<model::ListId, model::ListId>> calls;  // lists that partners jump to
};

class Comparison {
 public:
  Comparison(const model::Policy& before, const model::Policy& after);

  const model::Policy& policy(Side side) const { return *policies_[side]; }
  const Numbers& numbers(Side side) const { return numbers_[side]; }
  RuleKey key(Side side, const model::Rule& rule, Groups groups) const;
  std::vector<std::uint32_t> conditions(Side side, const model::ConditionIds& ids) const;  // ascending
  const model::Condition& condition(std::uint32_t number) const;
  std::string words(std::uint32_t number) const;  // "time-range OFFICE", "ingress in dmz or lab"
  const ListDifference& lists(model::ListId before, model::ListId after);
  // What is known on every way: without the dimensions that some branch settles by where a packet goes.
  model::Context known_everywhere(const model::Context& context) const;

 private:
  template <class Same, class Hash>
  void number(std::vector<std::uint32_t> Numbers::* member, Sides<std::size_t> sizes, Same same, Hash hash);
  template <class Group>
  void number_groups(std::vector<Group> model::Policy::* all, std::vector<std::uint32_t> Numbers::* by_name,
                     const std::vector<std::uint32_t> Numbers::* by_content);
  void number_lists();
  void number_terms();
  ListDifference compared(model::ListId before, model::ListId after) const;

  Sides<const model::Policy*> policies_;
  Sides<Numbers> numbers_;
  std::set<model::Dimension> settled_by_destination_;
  std::vector<std::pair<Side, model::ConditionId>> conditions_;  // by number
  std::map<std::uint32_t, std::string> term_words_;
  std::map<std::pair<model::ListId, model::ListId>, ListDifference> lists_;
};

}  // namespace aclmend::difference
