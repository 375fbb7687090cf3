// Cutting required addresses into permitted, blocked and unknown, and gathering what one line did.
#include <algorithm>
#include <array>
#include <unordered_map>

#include "audit/check.h"

namespace aclmend::audit {
namespace {

using model::SourceRange;
using model::Verdict;

// A hostile list has a deciding line for each address: these many are told apart, the rest together.
constexpr std::size_t most_groups = 200;

struct Gathering {
  Group group;
  std::vector<Interval<V4>> v4;
  std::vector<Interval<V6>> v6;
};

struct Key {
  Verdict verdict;
  model::Decider permit_by, deny_by;
  bool operator==(const Key&) const = default;
};
struct KeyHash {
  std::size_t operator()(const Key& key) const {
    std::size_t hash = static_cast<std::size_t>(key.verdict);
    for (const model::Decider* by : {&key.permit_by, &key.deny_by}) {
      hash =
          hash * 0x9E3779B97F4A7C15U + (by->rule ? std::size_t{by->rule->list} << 32 | by->rule->index : 0);
      hash = hash * 0x9E3779B97F4A7C15U + by->stage.value_or(0);
    }
    return hash ^ hash >> 32;
  }
};

Key key_of(const SourceRange& range) {
  switch (range.verdict) {
    case Verdict::permit: return {range.verdict, range.permit_by, {}};
    case Verdict::deny: return {range.verdict, {}, range.deny_by};
    case Verdict::unknown: break;
  }
  return {range.verdict, range.permit_by, range.deny_by};
}

class Gatherer {
 public:
  void add(const SourceRange& range, V6 first, V6 last) {
    Gathering& gathering = at(range);
    if (range.first.is_v4()) gathering.v4.push_back({static_cast<V4>(first), static_cast<V4>(last)});
    else gathering.v6.push_back({first, last});
    gathering.group.denied_ports |= range.denied_ports;
  }
  Cut cut() {
    Cut cut;
    for (const Verdict verdict : {Verdict::permit, Verdict::deny, Verdict::unknown}) {
      std::vector<Interval<V4>> v4;
      std::vector<Interval<V6>> v6;
      for (const Gathering& gathering : gatherings_) {
        if (gathering.group.verdict != verdict) continue;
        v4.insert(v4.end(), gathering.v4.begin(), gathering.v4.end());
        v6.insert(v6.end(), gathering.v6.begin(), gathering.v6.end());
      }
      AddressSet& part = verdict == Verdict::permit ? cut.permitted
                         : verdict == Verdict::deny ? cut.blocked
                                                    : cut.unknown;
      part = {FlipSet<V4>::of(std::move(v4)), FlipSet<V6>::of(std::move(v6))};
    }
    for (Gathering& gathering : gatherings_) {
      gathering.group.addresses = {FlipSet<V4>::of(std::move(gathering.v4)),
                                   FlipSet<V6>::of(std::move(gathering.v6))};
      cut.groups.push_back(std::move(gathering.group));
    }
    return cut;
  }

 private:
  Gathering& at(const SourceRange& range) {
    const Key key = key_of(range);
    if (last_ < gatherings_.size() && key == last_key_) return gatherings_[last_];
    auto found = index_.find(key);
    if (found == index_.end()) {
      const auto overflow = static_cast<std::size_t>(key.verdict);
      if (gatherings_.size() >= most_groups && overflow_[overflow] != 0) {
        Gathering& more = gatherings_[overflow_[overflow] - 1];
        ++more.group.more_deciders;
        return more;
      }
      gatherings_.push_back({{key.verdict, range.permit_by, range.deny_by, {}, {}, 0}, {}, {}});
      if (gatherings_.size() > most_groups) overflow_[overflow] = gatherings_.size();
      found = index_.emplace(key, gatherings_.size() - 1).first;
    }
    last_ = found->second;
    last_key_ = key;
    return gatherings_[last_];
  }

  std::vector<Gathering> gatherings_;
  std::unordered_map<Key, std::size_t, KeyHash> index_;
  std::array<std::size_t, 3> overflow_{};  // position + 1 of each verdict's last gathering
  std::size_t last_ = 0;
  Key last_key_{};
};

// Calls visit(range, first, last) for the parts of ascending ranges that lie in the set of the same family.
template <class Point, class Visit>
void visit_family(const std::vector<SourceRange>& ranges, const FlipSet<Point>& asked, Family family,
                  Visit visit) {
  const auto begin =
      std::ranges::find(ranges, family, [](const SourceRange& range) { return range.first.family; });
  std::size_t interval = 0;
  for (auto range = begin; range != ranges.end() && range->first.family == family; ++range) {
    while (interval < asked.interval_count() && asked.interval(interval).last < range->first.number)
      ++interval;
    for (std::size_t i = interval;
         i < asked.interval_count() && asked.interval(i).first <= range->last.number; ++i)
      visit(*range, std::max<V6>(asked.interval(i).first, range->first.number),
            std::min<V6>(asked.interval(i).last, range->last.number));
  }
}

}  // namespace

Cut cut_of(const std::vector<SourceRange>& ranges, const AddressSet& asked) {
  Gatherer gatherer;
  const auto visit = [&](const SourceRange& range, V6 first, V6 last) { gatherer.add(range, first, last); };
  visit_family(ranges, asked.v4, Family::ipv4, visit);
  visit_family(ranges, asked.v6, Family::ipv6, visit);
  return gatherer.cut();
}

}  // namespace aclmend::audit
