#include "difference/compare.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <unordered_map>

#include "difference/align.h"
#include "difference/boxes.h"
#include "model/match.h"

namespace aclmend::difference {
namespace {

using namespace model;

std::size_t hash_of(const AddressSet& set) { return hash(set); }
std::size_t hash_of(const ServiceSet& set) {
  std::size_t result = set.size();
  for (const ServiceBox& box : set)
    result = mixed(mixed(mixed(result, hash(box.protocol)), hash(box.source)), hash(box.destination));
  return result;
}
const Partly<AddressSet>& content(const AddressGroup& group) { return group.addresses; }
const Partly<ServiceSet>& content(const ServiceGroup& group) { return group.services; }

std::vector<std::uint32_t> taking_part(const std::vector<Rule>& rules) {
  std::vector<std::uint32_t> indices;
  indices.reserve(rules.size());
  for (std::uint32_t i = 0; i < rules.size(); ++i)
    if (takes_part(rules[i])) indices.push_back(i);
  return indices;
}

// The nearest offsets from which two sequences of the given lengths go on alike for some steps. None when
// they are not near, or when both sides end before.
template <class Same>
std::optional<std::pair<std::size_t, std::size_t>> run_together(std::size_t before, std::size_t after,
                                                                Same same) {
  constexpr std::size_t furthest = 100, steps = 4;
  for (std::size_t distance = 1; distance <= furthest; ++distance)
    for (std::size_t x = 0; x <= distance; ++x) {
      const std::size_t y = distance - x;
      if (x + steps > before || y + steps > after) continue;
      std::size_t alike = 0;
      while (alike < steps && same(x + alike, y + alike)) ++alike;
      if (alike == steps) return std::pair(x, y);
    }
  return std::nullopt;
}

std::uint32_t packed(PortRange range) { return std::uint32_t{range.first} << 16 | range.last; }

}  // namespace

namespace {

// Equal heads and tails are numbered without a hash: two versions of one export differ in few places. `same`
// takes a position of either side.
struct Ends {
  std::size_t head = 0, tail = 0;
  std::uint32_t next = 0;  // number that is not taken yet
};
template <class Same>
Ends number_ends(std::vector<std::uint32_t>& before, std::vector<std::uint32_t>& after, Same same) {
  Ends ends;
  const std::size_t shorter = std::min(before.size(), after.size());
  for (; ends.head < shorter && same(ends.head, ends.head); ++ends.head)
    before[ends.head] = after[ends.head] = ends.next++;
  for (; ends.tail < shorter - ends.head; ++ends.tail) {
    const std::size_t b = before.size() - ends.tail - 1, a = after.size() - ends.tail - 1;
    if (!same(b, a)) break;
    before[b] = after[a] = ends.next++;
  }
  return ends;
}

}  // namespace

template <class Same, class Hash>
void Comparison::number(std::vector<std::uint32_t> Numbers::* member, Sides<std::size_t> sizes, Same same,
                        Hash hash) {
  auto& before = numbers_.before.*member;
  auto& after = numbers_.after.*member;
  before.resize(sizes.before);
  after.resize(sizes.after);
  auto [head, tail, next] = number_ends(
      before, after, [&](std::size_t b, std::size_t a) { return same(Side::before, b, Side::after, a); });
  struct Known {
    Side side;
    std::size_t index;
    std::uint32_t number;
  };
  std::unordered_map<std::size_t, std::vector<Known>> known;
  for (const Side side : both_sides)
    for (std::size_t i = head; i < sizes[side] - tail; ++i) {
      auto& alike = known[hash(side, i)];
      const auto found =
          std::ranges::find_if(alike, [&](const Known& one) { return same(one.side, one.index, side, i); });
      (numbers_[side].*member)[i] = found == alike.end() ? next : found->number;
      if (found == alike.end()) alike.push_back({side, i, next++});
    }
}

template <class Group>
void Comparison::number_groups(std::vector<Group> Policy::* all,
                               std::vector<std::uint32_t> Numbers::* by_name,
                               const std::vector<std::uint32_t> Numbers::* by_content) {
  const auto group = [&](Side side, std::size_t i) -> const Group& { return (policy(side).*all)[i]; };
  const auto same = [&](std::size_t b, std::size_t a) {
    const Group& one = group(Side::before, b);
    const Group& two = group(Side::after, a);
    if (one.name.empty() && two.name.empty())
      return (numbers_.before.*by_content)[b] == (numbers_.after.*by_content)[a];
    return one.name == two.name && one.kind == two.kind;
  };
  const Sides<std::size_t> sizes{(policies_.before->*all).size(), (policies_.after->*all).size()};
  auto& before = numbers_.before.*by_name;
  auto& after = numbers_.after.*by_name;
  before.resize(sizes.before);
  after.resize(sizes.after);
  auto [head, tail, next] = number_ends(before, after, same);

  // Between head and tail: by name where both sides have it, else (renamed, or without a name) by content.
  using Name = std::pair<std::string_view, GroupKind>;
  Sides<std::map<Name, std::uint32_t>> named;
  std::unordered_map<std::uint32_t, std::uint32_t> contents;
  for (const Side side : both_sides)
    for (std::size_t i = head; i < sizes[side] - tail; ++i)
      if (!group(side, i).name.empty())
        named[side].try_emplace(Name(group(side, i).name, group(side, i).kind), 0);
  for (auto& [name, number] : named.before)
    if (const auto found = named.after.find(name); found != named.after.end())
      number = found->second = ++next;
  const auto number_of = [&](Side side, std::size_t i) {
    if (!group(side, i).name.empty())
      if (const auto number = named[side].at(Name(group(side, i).name, group(side, i).kind)); number != 0)
        return number;
    return contents.try_emplace((numbers_[side].*by_content)[i], 0).first->second;
  };
  for (const Side side : both_sides)
    for (std::size_t i = head; i < sizes[side] - tail; ++i) {
      std::uint32_t number = number_of(side, i);
      if (number == 0) number = contents[(numbers_[side].*by_content)[i]] = ++next;
      (numbers_[side].*by_name)[i] = number;
    }
}

// By name; the second list of a name is another list than the first.
void Comparison::number_lists() {
  Sides<std::vector<std::uint32_t>> ordinals;
  for (const Side side : both_sides) {
    std::unordered_map<std::string_view, std::uint32_t> seen;
    for (const RuleList& list : policy(side).lists) ordinals[side].push_back(seen[list.name]++);
  }
  number(
      &Numbers::list, {policies_.before->lists.size(), policies_.after->lists.size()},
      [&](Side s, std::size_t i, Side t, std::size_t j) {
        return ordinals[s][i] == ordinals[t][j] && policy(s).lists[i].name == policy(t).lists[j].name;
      },
      [&](Side side, std::size_t i) { return std::hash<std::string_view>{}(policy(side).lists[i].name); });
}

// After the conditions: a term of an open dimension is one more condition, known by its names.
void Comparison::number_terms() {
  std::map<std::string, std::uint32_t> known;
  for (const Side side : both_sides)
    for (const Qualifier& qualifier : policy(side).qualifiers) {
      std::vector<std::uint32_t>& numbers = numbers_[side].terms.emplace_back();
      for (const ContextTerm& term : qualifier.context) {
        const ConditionId condition = condition_of(term.dimension);
        std::vector<std::string> names = term.names;
        std::ranges::sort(names);
        std::string words =
            to_string(policy(side).conditions[condition]) + (term.negated ? " not in" : " in");
        for (const std::string& name : names) words += (&name == &names.front() ? " " : " or ") + name;
        const auto [found, is_new] =
            known.try_emplace(std::move(words), static_cast<std::uint32_t>(conditions_.size()));
        if (is_new) {
          term_words_[found->second] = found->first;
          conditions_.emplace_back(side, condition);
        }
        numbers.push_back(found->second);
      }
    }
}

Comparison::Comparison(const Policy& before, const Policy& after) : policies_{&before, &after} {
  const auto sizes = [&](auto member) {
    return Sides<std::size_t>{(before.*member).size(), (after.*member).size()};
  };
  const auto condition_at = [&](Side side, std::size_t i) -> const Condition& {
    return policy(side).conditions[i];
  };
  number(
      &Numbers::condition, sizes(&Policy::conditions),
      [&](Side s, std::size_t i, Side t, std::size_t j) {
        return condition_at(s, i).kind == condition_at(t, j).kind &&
               condition_at(s, i).name == condition_at(t, j).name;
      },
      [&](Side side, std::size_t i) { return std::hash<std::string>{}(condition_at(side, i).name); });
  for (const Side side : both_sides)
    for (std::uint32_t i = 0; i < policy(side).conditions.size(); ++i) {
      const std::uint32_t number = numbers_[side].condition[i];
      if (number >= conditions_.size()) conditions_.resize(number + 1);
      conditions_[number] = {side, i};
    }
  number_terms();

  const auto number_content = [&](auto all, auto member) {
    const auto at = [this, all](Side side, std::size_t i) -> const auto& {
      return content((policy(side).*all)[i]);
    };
    number(
        member, sizes(all),
        [this, at](Side s, std::size_t i, Side t, std::size_t j) {
          return at(s, i).certain == at(t, j).certain && at(s, i).possible == at(t, j).possible &&
                 conditions(s, at(s, i).conditions) == conditions(t, at(t, j).conditions);
        },
        [at](Side side, std::size_t i) {
          return mixed(hash_of(at(side, i).certain), hash_of(at(side, i).possible));
        });
  };
  number_content(&Policy::groups, &Numbers::group_content);
  number_content(&Policy::service_groups, &Numbers::service_group_content);
  number_groups(&Policy::groups, &Numbers::group, &Numbers::group_content);
  number_groups(&Policy::service_groups, &Numbers::service_group, &Numbers::service_group_content);

  const auto qualifier = [&](Side side, std::size_t i) -> const Qualifier& {
    return policy(side).qualifiers[i];
  };
  const auto same_wire = [&](Side s, std::size_t i, Side t, std::size_t j) {
    const std::optional<WireMatch>&one = qualifier(s, i).wire, &two = qualifier(t, j).wire;
    if (!one || !two) return one.has_value() == two.has_value();
    const bool is_group = one->destination.kind == AddressTerm::Kind::group;
    if (one->ports != two->ports || is_group != (two->destination.kind == AddressTerm::Kind::group))
      return false;
    return is_group ? numbers_[s].group_content[one->destination.value] ==
                          numbers_[t].group_content[two->destination.value]
                    : one->destination == two->destination;
  };
  number(
      &Numbers::qualifier, sizes(&Policy::qualifiers),
      [&](Side s, std::size_t i, Side t, std::size_t j) {
        return qualifier(s, i).state == qualifier(t, j).state &&
               qualifier(s, i).context == qualifier(t, j).context &&
               conditions(s, qualifier(s, i).conditions) == conditions(t, qualifier(t, j).conditions) &&
               same_wire(s, i, t, j);
      },
      [&](Side side, std::size_t i) {
        std::size_t result = 0;
        for (const MarkTest& test : qualifier(side, i).state.marks) result = mixed(result, test.value);
        for (const std::uint32_t condition : conditions(side, qualifier(side, i).conditions))
          result = mixed(result, condition);
        for (const ContextTerm& term : qualifier(side, i).context)
          for (const std::string& name : term.names) result = mixed(result, std::hash<std::string>{}(name));
        return result;
      });

  const auto change = [&](Side side, std::size_t i) { return policy(side).state_changes[i]; };
  number(
      &Numbers::state_change, sizes(&Policy::state_changes),
      [&](Side s, std::size_t i, Side t, std::size_t j) { return change(s, i) == change(t, j); },
      [&](Side side, std::size_t i) {
        return mixed(change(side, i).mark_clear, change(side, i).mark_toggle);
      });

  const auto translation = [&](Side side, std::size_t i) -> const Translation& {
    return policy(side).translations[i];
  };
  number(
      &Numbers::translation, sizes(&Policy::translations),
      [&](Side s, std::size_t i, Side t, std::size_t j) {
        const Translation &one = translation(s, i), &two = translation(t, j);
        return one.address == two.address && one.address_shift == two.address_shift &&
               one.addresses == two.addresses && one.port == two.port && one.port_shift == two.port_shift &&
               one.ports == two.ports;
      },
      [&](Side side, std::size_t i) {
        const Translation& one = translation(side, i);
        return mixed(mixed(hash(one.addresses), hash(one.ports)),
                     mixed(static_cast<std::size_t>(one.address_shift), one.port_shift));
      });
  number_lists();
  for (const Side side : both_sides)
    for (const Node& node : policy(side).nodes)
      if (const auto* branch = std::get_if<Branch>(&node);
          branch != nullptr && branch->by != Branch::By::context)
        settled_by_destination_.insert(branch->dimension);
}

Context Comparison::known_everywhere(const Context& context) const {
  Context known = context;
  for (const Dimension dimension : settled_by_destination_) known.known.erase(dimension);
  return known;
}

std::vector<std::uint32_t> Comparison::conditions(Side side, const ConditionIds& ids) const {
  std::vector<std::uint32_t> numbers;
  for (const ConditionId id : ids) numbers.push_back(numbers_[side].condition[id]);
  std::ranges::sort(numbers);
  return numbers;
}

const Condition& Comparison::condition(std::uint32_t number) const {
  const auto [side, id] = conditions_[number];
  return policy(side).conditions[id];
}

std::string Comparison::words(std::uint32_t number) const {
  const auto term = term_words_.find(number);
  return term == term_words_.end() ? to_string(condition(number)) : term->second;
}

RuleKey Comparison::key(Side side, const Rule& rule, Groups groups) const {
  const Numbers& of = numbers_[side];
  const auto& group = groups == Groups::by_name ? of.group : of.group_content;
  const auto& services = groups == Groups::by_name ? of.service_group : of.service_group_content;
  const auto term = [&](AddressTerm t) {
    return t.kind == AddressTerm::Kind::group ? group[t.value] : t.value;
  };
  const auto head = [](AddressTerm t) {
    return std::uint32_t{t.length} << 8 | static_cast<std::uint32_t>(t.kind);
  };
  const auto target = [&]() -> std::uint32_t {
    switch (rule.action) {
      case Action::change_state: return of.state_change[rule.target];
      case Action::translate: return of.translation[rule.target];
      case Action::program_decides:
      case Action::unknown: return of.condition[rule.target];
      case Action::jump:
      case Action::go_to: return of.list[rule.target];
      case Action::permit:
      case Action::deny:
      case Action::accept:
      case Action::pass:
      case Action::return_to_caller: return 0;
    }
    return 0;
  };
  const ServiceTerm& service = rule.service;
  return {head(rule.source),
          term(rule.source),
          head(rule.destination),
          term(rule.destination),
          std::uint32_t{service.protocol} << 8 | static_cast<std::uint32_t>(service.kind),
          packed(service.source),
          packed(service.destination),
          service.kind == ServiceTerm::Kind::group ? services[service.group_id] : 0,
          of.qualifier[rule.qualifier],
          static_cast<std::uint32_t>(rule.action),
          target()};
}

const ListDifference& Comparison::lists(ListId before, ListId after) {
  const auto known = lists_.find({before, after});
  if (known != lists_.end()) return known->second;
  return lists_.emplace(std::pair(before, after), compared(before, after)).first->second;
}

ListDifference Comparison::compared(ListId before, ListId after) const {
  ListDifference result;
  const std::vector<Rule>& old_rules = policies_.before->lists[before].rules;
  const std::vector<Rule>& new_rules = policies_.after->lists[after].rules;
  const auto key_b = [&](const Rule& rule) { return key(Side::before, rule, Groups::by_name); };
  const auto key_a = [&](const Rule& rule) { return key(Side::after, rule, Groups::by_name); };
  const auto pair = [&](std::size_t b, std::size_t a) {
    const Rule &one = old_rules[b], &two = new_rules[a];
    const bool has_group = one.source.kind == AddressTerm::Kind::group ||
                           one.destination.kind == AddressTerm::Kind::group ||
                           one.service.kind == ServiceTerm::Kind::group;
    if (has_group && key(Side::before, one, Groups::by_content) != key(Side::after, two, Groups::by_content))
      result.regrouped.emplace_back(b, a);
    if (one.action == Action::jump || one.action == Action::go_to)
      result.calls.emplace_back(one.target, two.target);
  };
  const std::vector<std::uint32_t> live_b = taking_part(old_rules), live_a = taking_part(new_rules);
  const auto same = [&](std::size_t b, std::size_t a) {
    return key_b(old_rules[live_b[b]]) == key_a(new_rules[live_a[a]]);
  };
  std::size_t b = 0, a = 0, end_b = live_b.size(), end_a = live_a.size();
  const auto pair_equal = [&] {
    for (; b < end_b && a < end_a && same(b, a); ++b, ++a) pair(live_b[b], live_a[a]);
  };
  const auto alone_until = [&](std::size_t stop_b, std::size_t stop_a) {
    for (; b < stop_b; ++b) result.before.push_back(live_b[b]);
    for (; a < stop_a; ++a) result.after.push_back(live_a[a]);
  };
  pair_equal();
  std::size_t tail = 0;
  while (tail < std::min(end_b - b, end_a - a) && same(end_b - tail - 1, end_a - tail - 1)) ++tail;
  end_b -= tail;
  end_a -= tail;
  // A few changed lines in a long list: the two sides soon run together again, and no rule needs a hash.
  while (const auto again = run_together(end_b - b, end_a - a,
                                         [&](std::size_t x, std::size_t y) { return same(b + x, a + y); })) {
    alone_until(b + again->first, a + again->second);
    pair_equal();
  }

  struct Hash {
    std::size_t operator()(const RuleKey& key) const {
      std::size_t result = 0;
      for (const std::uint32_t part : key) result = mixed(result, part);
      return result;
    }
  };
  std::unordered_map<RuleKey, std::uint32_t, Hash> numbers;
  const auto numbered = [&](Side side, const std::vector<Rule>& rules, const std::vector<std::uint32_t>& live,
                            std::size_t begin, std::size_t end) {
    std::vector<std::uint32_t> all;
    for (std::size_t i = begin; i < end; ++i)
      all.push_back(numbers
                        .try_emplace(key(side, rules[live[i]], Groups::by_name),
                                     static_cast<std::uint32_t>(numbers.size()))
                        .first->second);
    return all;
  };
  const auto middle_b = numbered(Side::before, old_rules, live_b, b, end_b);
  const auto middle_a = numbered(Side::after, new_rules, live_a, a, end_a);
  const std::size_t begin_b = b, begin_a = a;
  for (const auto& [x, y] : aligned(middle_b, middle_a)) {
    alone_until(begin_b + x, begin_a + y);
    pair(live_b[b++], live_a[a++]);
  }
  alone_until(end_b, end_a);
  for (; b < live_b.size(); ++b, ++a) pair(live_b[b], live_a[a]);
  std::ranges::sort(result.calls);
  result.calls.erase(std::unique(result.calls.begin(), result.calls.end()), result.calls.end());
  return result;
}

}  // namespace aclmend::difference
