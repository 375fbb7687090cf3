#include "vendors/iptables/set_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "vendors/iptables/set_boxes.h"
#include "vendors/iptables/set_region.h"

namespace aclmend::iptables {
namespace {

using model::Condition;
using model::ConditionKind;

// Each once, and not more than a reader can use.
std::vector<Condition> the_first(std::vector<Condition> conditions) {
  constexpr std::size_t most = 32;
  std::vector<Condition> kept;
  std::set<std::string> known;
  std::size_t more = 0;
  for (Condition& one : conditions) {
    if (!known.insert(to_string(one)).second) continue;
    if (kept.size() < most) kept.push_back(std::move(one));
    else ++more;
  }
  if (more > 0)
    kept.back() = {ConditionKind::too_complex, fmt::format("{} more conditions of ipsets", more + 1),
                   kept.back().where};
  return kept;
}

MatchBoxes boxes_from(Answer answer) {
  MatchBoxes boxes;
  boxes.certain = std::move(answer.certain);
  boxes.possible = boxes.certain;
  std::ranges::move(answer.open, std::back_inserter(boxes.possible));
  if (boxes.possible.size() > boxes.certain.size())
    boxes.conditions = the_first(std::move(answer.conditions));
  return boxes;
}

bool is_of_one_address(SetType type) {
  return type == SetType::hash_ip || type == SetType::hash_net || type == SetType::bitmap_ip;
}

bool is_of_family(const IpSet& set, Family family) { return !set.family || *set.family == family; }

Answer too_complex(const SetTest& test) {
  return everything_possible(test.family, ConditionKind::too_complex, fmt::format("ipset {}", test.name), {});
}

std::optional<Answer> unknown_answer(const IpSet* set, const SetTest& test) {
  const std::string name = fmt::format("ipset {}", test.name);
  const Span where = set == nullptr ? Span{} : set->span;
  const auto open = [&](ConditionKind kind, std::string why, Span span) {
    return everything_possible(test.family, kind, std::move(why), span);
  };
  if (set == nullptr) return open(ConditionKind::external_list, name, where);
  if (set->doubt) return open(ConditionKind::not_understood, name, set->doubt->span);
  if (!set->has_members) return open(ConditionKind::external_list, name, where);
  // Neither does iptables load: this file and the rules are not of one moment.
  if (!is_of_family(*set, test.family))
    return open(ConditionKind::not_understood, fmt::format("{}, which is of the other family", name), where);
  return std::nullopt;
}

std::size_t size_of(const AddressSet& set) { return set.v4.flips().size() + set.v6.flips().size(); }

Answer negated(Answer answer, const SetTest& test) {
  std::vector<MatchBox> possible = answer.certain;
  possible.insert(possible.end(), answer.open.begin(), answer.open.end());
  Effort effort;
  auto rest = part_outside(every_packet(test.family), possible, effort);
  if (!rest) return too_complex(test);
  answer.certain = std::move(*rest);
  return answer;
}

}  // namespace

std::optional<std::vector<Flag>> parse_flags(std::string_view text) {
  constexpr std::size_t most_flags = 6;
  std::vector<Flag> flags;
  for (const std::string_view word : split(text, ',')) {
    if (word != "src" && word != "dst") return std::nullopt;
    flags.push_back(word == "src" ? Flag::src : Flag::dst);
  }
  return flags.size() <= most_flags ? std::optional(std::move(flags)) : std::nullopt;
}

SetMatches::Key SetMatches::key_of(const SetTest& test, std::size_t flags) {
  Key key{std::string(test.name), test.flags, test.negated, test.return_nomatch, test.family};
  key.flags.resize(std::min(flags, key.flags.size()));
  return key;
}

bool SetMatches::spend(std::size_t elements) {
  constexpr std::size_t least = 16;
  elements += least;
  left_ = left_ > elements ? left_ - elements : 0;
  return left_ > 0;
}

// ---- one address --------------------------------------------------------------------------------------

const SetAddresses* SetMatches::addresses(const SetTest& test) {
  if (test.flags.empty()) return nullptr;
  const auto [at, is_new] = addresses_.try_emplace(key_of(test, 0));
  if (is_new) at->second = work_out_addresses(test);
  return at->second ? &*at->second : nullptr;
}

std::optional<SetAddresses> SetMatches::work_out_addresses(const SetTest& test) {
  if (test.negated) {
    SetTest positive = test;
    positive.negated = false;
    const SetAddresses* in_set = addresses(positive);
    if (in_set == nullptr || !spend(size_of(in_set->possible))) return std::nullopt;
    const AddressSet all = AddressSet::all(test.family);
    return SetAddresses{all - in_set->possible, all - in_set->certain, in_set->conditions};
  }
  const IpSet* set = sets_.named(test.name);
  if (set == nullptr || !set->is_known() || !is_of_family(*set, test.family) || !spend(set->elements.size()))
    return std::nullopt;
  SetAddresses result;
  std::vector<const AddressSet*> certain, possible;
  Region region;
  if (is_of_one_address(set->type)) {
    region = region_of(*set, test.family, test.return_nomatch);
    for (const Layer& layer : region.layers)
      for (const PairCell& cell : layer.cells) {
        if (!cell.certain.empty()) certain.push_back(&cell.first);
        possible.push_back(&cell.first);
      }
    result.conditions = std::move(region.conditions);
  } else if (set->type == SetType::list_set) {
    for (const Element& element : set->elements) {
      SetTest of_member = test;
      of_member.name = set->names[element.detail];
      const IpSet* member = sets_.named(of_member.name);
      if (member != nullptr && member->is_known() && !is_of_family(*member, test.family)) continue;
      const bool may_be = member != nullptr && is_of_one_address(member->type) && element.timeout == 0;
      const SetAddresses* one = may_be ? addresses(of_member) : nullptr;
      if (one == nullptr || !spend(size_of(one->possible))) return std::nullopt;
      certain.push_back(&one->certain);
      possible.push_back(&one->possible);
      result.conditions.insert(result.conditions.end(), one->conditions.begin(), one->conditions.end());
    }
  } else {
    return std::nullopt;
  }
  result.certain = union_of(certain, test.family);
  result.possible = union_of(possible, test.family);
  if (result.certain == result.possible) result.conditions.clear();
  else result.conditions = the_first(std::move(result.conditions));
  return result;
}

// ---- any test -----------------------------------------------------------------------------------------

const MatchBoxes& SetMatches::boxes(const SetTest& test) {
  constexpr std::size_t most_parts = 3;
  const auto [at, is_new] = boxes_.try_emplace(key_of(test, most_parts));
  if (is_new) at->second = work_out(test);
  return at->second;
}

MatchBoxes SetMatches::work_out(const SetTest& test) {
  const IpSet* set = sets_.named(test.name);
  if (auto unknown = unknown_answer(set, test)) return boxes_from(std::move(*unknown));
  if (test.flags.size() < dimensions(set->type)) {
    Answer never;
    if (test.negated) never.certain = {every_packet(test.family)};
    return boxes_from(std::move(never));
  }
  if (const SetAddresses* one = addresses(test)) {
    Answer answer;
    MatchBox box = every_packet(test.family);
    AddressSet& place = test.flags[0] == Flag::src ? box.source : box.destination;
    place = one->certain;
    add_box(answer.certain, box);
    place = one->possible - one->certain;
    add_box(answer.open, box);
    answer.conditions = one->conditions;
    return boxes_from(std::move(answer));
  }
  if (set->type == SetType::list_set) return work_out_list(*set, test);
  if (!spend(set->elements.size())) return boxes_from(too_complex(test));
  return boxes_from(answer_of_set(*set, test));
}

// A list matches where one of its members does; members of the other family, and those with more parts than
// there are flags, never do.
MatchBoxes SetMatches::work_out_list(const IpSet& list, const SetTest& test) {
  Answer all;
  Effort effort;
  std::vector<MatchBox> possible;
  for (const Element& element : list.elements) {
    SetTest of_member = test;
    of_member.name = list.names[element.detail];
    of_member.negated = false;
    const IpSet* member = sets_.named(of_member.name);
    if (member != nullptr && member->is_known() && !is_of_family(*member, test.family)) continue;
    // ipset refuses a list in a list; a file that claims one is not understood.
    const bool is_odd = member != nullptr && member->type == SetType::list_set;
    const MatchBoxes refused =
        is_odd ? boxes_from(everything_possible(test.family, ConditionKind::not_understood,
                                                fmt::format("ipset {}", list.name), list.span))
               : MatchBoxes{};
    const MatchBoxes& one = is_odd ? refused : boxes(of_member);
    const bool stays = element.timeout == 0;
    if (!add_outside(possible, one.possible, effort) ||
        (stays && !add_outside(all.certain, one.certain, effort)))
      return boxes_from(too_complex(test));
    all.conditions.insert(all.conditions.end(), one.conditions.begin(), one.conditions.end());
    if (!stays)
      all.conditions.push_back(
          {ConditionKind::device_state,
           fmt::format("{} in ipset {} for {} s", of_member.name, list.name, std::uint32_t{element.timeout}),
           {element.begin, element.begin, element.source}});
  }
  std::vector<MatchBox> covered = all.certain;
  if (!add_outside(covered, possible, effort)) return boxes_from(too_complex(test));
  all.open.assign(covered.begin() + static_cast<std::ptrdiff_t>(all.certain.size()), covered.end());
  return boxes_from(test.negated ? negated(std::move(all), test) : std::move(all));
}

MatchBoxes boxes_of(const IpSets& sets, const SetTest& test) { return SetMatches(sets).boxes(test); }

}  // namespace aclmend::iptables
