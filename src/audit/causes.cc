#include "audit/causes.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "audit/infer.h"
#include "base/text.h"
#include "model/match.h"

namespace aclmend::audit {
namespace {

using model::Action;
using model::Fit;
using model::GroupId;
using model::Rule;
using model::RuleRef;

constexpr std::size_t most_related = 12;

// A permit that would, or nearly would, let some of the stopped sources through.
struct Near {
  RuleRef ref;
  const AddressSet* sources = nullptr;  // of the stopped ones; shared by all permits of a group
  bool fits_destination = false;
  bool fits_service = false;
  bool is_walked = false;  // stands in a list that these packets walk
};

bool lets_through(Action action) { return action == Action::accept || action == Action::permit; }

class Search {
 public:
  explicit Search(const Blocked& blocked)
      : blocked_(blocked), policy_(*blocked.policy), left_(blocked.sources) {
    if (blocked.is_outbound) return;
    find_walked_lists();
    find_near_permits();
  }

  std::vector<Cause> causes() {
    if (blocked_.is_outbound) return the_decider_itself(), std::move(found_);
    lost_members();
    permits_too_late();
    disabled_permits();
    permits_elsewhere();
    unconnected_lists();
    forgotten_ipv6();
    narrow_permits();
    the_decider_itself();
    return std::move(found_);
  }

 private:
  void find_walked_lists();
  void find_near_permits();
  const AddressSet* stopped_sources(model::AddressTerm term);
  void lost_members();
  void permits_too_late();
  void disabled_permits();
  void permits_elsewhere();
  void unconnected_lists();
  void forgotten_ipv6();
  void narrow_permits();
  void the_decider_itself();

  std::string name(RuleRef ref) const { return printable(rule_name(policy_, ref)); }
  bool is_about_required(const Rule& rule) const {
    const auto set = addresses_of(policy_, rule.source);
    return !set->possible.empty() && blocked_.required.covers(set->possible);
  }
  // One host, on a network that this firewall leads to, that no translation makes known outside.
  bool is_host_without_translation(RuleRef ref) const {
    const auto set = addresses_of(policy_, policy_.rule(ref).destination);
    const auto host = set->possible.lowest();
    if (!host || set->possible != AddressSet(*host) || is_published(policy_, *host)) return false;
    const auto leads_there = [&](const model::Interface& one, Address address) {
      return one.enabled && one.trust.value_or(0) > 0 && one.connected.contains(address);
    };
    return std::ranges::any_of(policy_.interfaces,
                               [&](const auto& one) { return leads_there(one, *host); }) &&
           std::ranges::none_of(policy_.interfaces,
                                [&](const auto& one) { return leads_there(one, blocked_.wire); });
  }
  bool is_after_decider(RuleRef ref) const {
    return blocked_.by.rule && ref.list == blocked_.by.rule->list && ref.index > blocked_.by.rule->index;
  }
  // Adds a cause for what it explains of the sources that no nearer cause explains.
  void add(Cause cause) {
    cause.ranges &= left_;
    if (cause.ranges.empty()) return;
    left_ -= cause.ranges;
    if (cause.headline.empty()) cause.headline = text_of(cause.code).title;
    found_.push_back(std::move(cause));
  }
  // One cause for all near permits of a kind, named in the order of the list.
  template <class Keep>
  void add_permits(Code code, std::string_view role, Keep keep);

  const Blocked& blocked_;
  const model::Policy& policy_;
  AddressSet left_;
  std::set<model::ListId> walked_;
  std::vector<Near> near_;
  AddressSet none_;
  std::deque<AddressSet> sources_;  // of near permits: they stay where they are
  std::map<GroupId, const AddressSet*> sources_of_group_;
  std::vector<Cause> found_;
};

// The lists of the stage that stopped them.
void Search::find_walked_lists() {
  for (std::uint32_t node = 0; node < policy_.nodes.size(); ++node) {
    const auto* stage = std::get_if<model::Stage>(&policy_.nodes[node]);
    if (stage == nullptr) continue;
    const bool is_it =
        blocked_.by.stage == node ||
        (blocked_.by.rule && std::ranges::find(stage->lists, blocked_.by.rule->list) != stage->lists.end());
    if (is_it) walked_.insert(stage->lists.begin(), stage->lists.end());
  }
  if (blocked_.by.rule) walked_.insert(blocked_.by.rule->list);
}

const AddressSet* Search::stopped_sources(model::AddressTerm term) {
  const bool is_group = term.kind == model::AddressTerm::Kind::group;
  if (is_group)
    if (const auto known = sources_of_group_.find(term.value); known != sources_of_group_.end())
      return known->second;
  AddressSet sources = shared(policy_, term, blocked_.sources);
  const AddressSet* stopped = sources.empty() ? &none_ : &sources_.emplace_back(std::move(sources));
  if (is_group) sources_of_group_[term.value] = stopped;
  return stopped;
}

void Search::find_near_permits() {
  constexpr std::size_t most_near = 10'000;
  for (model::ListId list = 0; list < policy_.lists.size(); ++list)
    for (std::uint32_t i = 0; i < policy_.lists[list].rules.size() && near_.size() < most_near; ++i) {
      const Rule& rule = policy_.lists[list].rules[i];
      if (!lets_through(rule.action)) continue;
      const bool fits_destination =
          address_fit(policy_, rule.destination, blocked_.seen.destination).fit != Fit::no;
      const bool fits_service = service_fit(policy_, rule.service, blocked_.seen).fit != Fit::no;
      if (!fits_destination && !fits_service) continue;
      const AddressSet* sources = stopped_sources(rule.source);
      const bool is_walked = walked_.contains(list);
      // A permit that fits but holds none of the stopped sources matters too: it may have lost them.
      if (sources->empty() && !(fits_destination && fits_service && is_walked)) continue;
      near_.push_back({{list, i}, sources, fits_destination, fits_service, is_walked});
    }
}

// All at once: a union at a time would copy the first set again for each of the others.
AddressSet united(const std::set<const AddressSet*>& sets) {
  std::vector<Interval<V4>> v4;
  std::vector<Interval<V6>> v6;
  for (const AddressSet* set : sets) {
    std::ranges::copy(set->v4.intervals(), std::back_inserter(v4));
    std::ranges::copy(set->v6.intervals(), std::back_inserter(v6));
  }
  return {FlipSet<V4>::of(std::move(v4)), FlipSet<V6>::of(std::move(v6))};
}

template <class Keep>
void Search::add_permits(Code code, std::string_view role, Keep keep) {
  Cause cause{.code = code};
  std::vector<std::string> names;
  std::set<const AddressSet*> sources;
  for (const Near& near : near_) {
    if (near.sources->empty() || !keep(near)) continue;
    sources.insert(near.sources);
    if (cause.related.size() >= most_related) continue;
    cause.related.push_back(line_of_rule(policy_, near.ref, std::string(role)));
    cause.permits.push_back(near.ref);
    names.push_back(name(near.ref));
  }
  cause.ranges = united(sources);
  cause.sentence = fmt::format("{} {}", fmt::join(names, ", "), role);
  add(std::move(cause));
}

// The closure of what a group holds, by group.
std::set<GroupId> members_of(const model::Policy& policy, GroupId group) {
  std::set<GroupId> seen{group};
  std::vector<GroupId> to_do{group};
  while (!to_do.empty()) {
    const GroupId at = to_do.back();
    to_do.pop_back();
    for (const model::AddressMember& member : policy.groups[at].members)
      if (member.term.kind == model::AddressTerm::Kind::group && seen.insert(member.term.value).second)
        to_do.push_back(member.term.value);
  }
  return seen;
}

void Search::lost_members() {
  // The group that holds most of what is required, named by a permit that these packets come past.
  const Near* permit = nullptr;
  GroupId group = 0;
  std::size_t most = 0;
  std::set<GroupId> seen;
  for (const Near& near : near_) {
    const Rule& rule = policy_.rule(near.ref);
    if (!near.is_walked || !near.fits_destination || !near.fits_service || !rule.enabled ||
        is_after_decider(near.ref))
      continue;
    if (rule.source.kind != model::AddressTerm::Kind::group || policy_.groups[rule.source.value].name.empty())
      continue;
    if (!seen.insert(rule.source.value).second) continue;
    const std::size_t held =
        (policy_.groups[rule.source.value].addresses.certain & blocked_.required).prefixes().size();
    if (held > most) permit = &near, group = rule.source.value, most = held;
  }
  if (permit == nullptr) return;
  const model::AddressGroup& lost_by = policy_.groups[group];
  const std::set<GroupId> members = members_of(policy_, group);
  const bool holds_objects = std::ranges::any_of(lost_by.members, [](const model::AddressMember& member) {
    return member.term.kind == model::AddressTerm::Kind::group;
  });
  Cause cause{.code = Code::lost_member, .permits = {permit->ref}, .group = group};
  cause.related = {
      line_of_rule(policy_, permit->ref, fmt::format("permits only what {} holds", printable(lost_by.name))),
      line_at(policy_, lost_by.span, {}, "the group")};
  std::vector<std::string> names;
  for (GroupId id = 0; id < policy_.groups.size(); ++id) {
    const model::AddressGroup& object = policy_.groups[id];
    const AddressSet& set = object.addresses.certain;
    if (object.name.empty() || object.kind == model::GroupKind::undefined || members.contains(id)) continue;
    if (set.empty() || !set.intersects(left_) || !blocked_.required.covers(set)) continue;
    const bool is_unused = object.users.empty();
    if (!is_unused && !(holds_objects && object.kind == model::GroupKind::object)) continue;
    cause.ranges |= set;
    cause.members.push_back(id);
    names.push_back(printable(object.name));
    if (cause.related.size() < most_related)
      cause.related.push_back(
          line_at(policy_, object.span, {}, is_unused ? "still defined, nothing uses it" : "still defined"));
  }
  if (names.empty()) return;
  cause.headline = fmt::format("group {} lost {} {}", printable(lost_by.name), names.size(),
                               names.size() == 1 ? "member" : "members");
  cause.sentence = fmt::format("{}: {}", cause.headline, fmt::join(names, ", "));
  add(std::move(cause));
}

void Search::permits_too_late() {
  add_permits(Code::permit_too_late, "permits them, but stands after the line that denies",
              [&](const Near& near) {
                return near.fits_destination && near.fits_service && policy_.rule(near.ref).enabled &&
                       is_after_decider(near.ref);
              });
}

void Search::disabled_permits() {
  add_permits(Code::permit_disabled, "would permit them, but is inactive", [&](const Near& near) {
    return near.is_walked && near.fits_destination && near.fits_service && !policy_.rule(near.ref).enabled;
  });
}

void Search::permits_elsewhere() {
  const auto is_enabled = [&](const Near& near) { return policy_.rule(near.ref).enabled; };
  if (blocked_.wire != blocked_.seen.destination)
    add_permits(Code::permit_elsewhere,
                fmt::format("names {}, the address on the wire; this list is asked for {}",
                            to_string(blocked_.wire), to_string(blocked_.seen.destination)),
                [&](const Near& near) {
                  return is_enabled(near) && near.is_walked && near.fits_service && !near.fits_destination &&
                         address_fit(policy_, policy_.rule(near.ref).destination, blocked_.wire).fit !=
                             Fit::no;
                });
  add_permits(Code::permit_elsewhere, "permits these sources, but for another port or protocol",
              [&](const Near& near) {
                return is_enabled(near) && near.is_walked && near.fits_destination && !near.fits_service &&
                       is_about_required(policy_.rule(near.ref));
              });
  const auto untranslated = [&](const Near& near) {
    return is_enabled(near) && near.is_walked && !near.fits_destination && near.fits_service &&
           is_about_required(policy_.rule(near.ref)) && is_host_without_translation(near.ref);
  };
  if (blocked_.wire == blocked_.seen.destination)
    add_permits(
        Code::not_connected,
        fmt::format("permits them to a host behind this firewall, but no translation leads from {} to it",
                    to_string(blocked_.wire)),
        untranslated);
  add_permits(Code::permit_elsewhere, "permits these sources, but to another address", [&](const Near& near) {
    return is_enabled(near) && near.is_walked && !near.fits_destination && near.fits_service &&
           is_about_required(policy_.rule(near.ref));
  });
  add_permits(Code::permit_elsewhere, "permits them, but in a list for another interface or direction",
              [&](const Near& near) {
                return is_enabled(near) && !near.is_walked && policy_.lists[near.ref.list].is_attached &&
                       near.fits_destination && near.fits_service &&
                       is_about_required(policy_.rule(near.ref));
              });
}

void Search::unconnected_lists() {
  add_permits(
      Code::not_connected, "permits them, but its list is bound to no interface", [&](const Near& near) {
        return policy_.rule(near.ref).enabled && !policy_.lists[near.ref.list].is_attached &&
               near.fits_destination && near.fits_service && is_about_required(policy_.rule(near.ref));
      });
}

void Search::forgotten_ipv6() {
  if (!blocked_.other_family_is_open) return;
  add({.code = Code::ipv6_forgotten,
       .ranges = AddressSet::all(Family::ipv6),
       .sentence = "every required IPv4 range gets through, IPv6 was forgotten"});
}

// The ranges; of a hostile list's hundred thousand pieces the first few.
std::string first_of(const AddressSet& set) {
  constexpr std::size_t most_told = 50;
  const std::vector<Prefix> prefixes = set.prefixes();
  if (prefixes.size() <= most_told) return to_string(set);
  return fmt::format("{} and {} more", fmt::join(to_strings(std::span(prefixes).first(most_told)), " "),
                     with_thousands(prefixes.size() - most_told));
}

// Published ranges of which a part gets through: the rule that lets it through is too narrow.
void Search::narrow_permits() {
  Cause cause{.code = Code::narrower_than_published};
  for (const Prefix& published : blocked_.required.prefixes()) {
    const AddressSet range(published);
    if (range.intersects(blocked_.permitted) && range.intersects(left_)) cause.ranges |= range;
  }
  const AddressSet open = cause.ranges & blocked_.permitted;
  std::vector<std::string> names;
  for (const RuleRef ref : blocked_.permitted_by) {
    if (!addresses_of(policy_, policy_.rule(ref).source)->possible.intersects(open)) continue;
    if (cause.related.size() >= most_related) break;
    cause.related.push_back(line_of_rule(policy_, ref, "permits only a part of it"));
    names.push_back(name(ref));
  }
  cause.sentence =
      fmt::format("{} permits {} only",
                  names.empty() ? "another rule" : fmt::format("{}", fmt::join(names, ", ")), first_of(open));
  add(std::move(cause));
}

void Search::the_decider_itself() {
  if (blocked_.by.rule) {
    add({.code = Code::blocked_by_deny,
         .ranges = left_,
         .sentence = fmt::format("{} denies them, and nothing permits them", name(*blocked_.by.rule))});
    return;
  }
  add({.code = Code::blocked_by_default,
       .ranges = left_,
       .sentence = "no line permits them, and the default denies"});
}

}  // namespace

std::vector<Cause> causes_of(const Blocked& blocked) { return Search(blocked).causes(); }

}  // namespace aclmend::audit
