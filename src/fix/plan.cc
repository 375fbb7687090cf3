#include "fix/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "audit/infer.h"
#include "base/text.h"
#include "model/match.h"

namespace aclmend::fix {
namespace {

using audit::Cause;
using audit::Code;
using audit::Obstacle;
using model::AddressTerm;
using model::GroupId;
using model::ListId;
using model::Policy;
using model::Rule;
using model::RuleRef;

constexpr std::size_t most_of_a_kind = 8;

bool calls(const Rule& rule) {
  return rule.enabled && (rule.action == model::Action::jump || rule.action == model::Action::go_to);
}

bool lets_through(const Rule& rule) {
  return rule.action == model::Action::accept || rule.action == model::Action::permit;
}

std::string name_of(const Policy& policy, RuleRef ref) { return printable(model::rule_name(policy, ref)); }

// ---- who feels an edit of a group ---------------------------------------------------------------------

// Its users, and those of the groups that hold it.
std::vector<model::User> all_users(const Policy& policy, GroupId group) {
  std::vector<model::User> users;
  std::set<GroupId> seen{group};
  std::vector<GroupId> to_do{group};
  while (!to_do.empty()) {
    const GroupId at = to_do.back();
    to_do.pop_back();
    for (const model::User& user : policy.groups[at].users) {
      if (user.kind != model::UserKind::group) users.push_back(user);
      else if (seen.insert(user.index).second) to_do.push_back(user.index);
    }
  }
  return users;
}

std::string_view word(model::UserKind kind) {
  switch (kind) {
    case model::UserKind::nat: return "NAT";
    case model::UserKind::crypto: return "a VPN";
    case model::UserKind::filter_rule:
    case model::UserKind::group:
    case model::UserKind::other: break;
  }
  return "something beside the filter";
}

struct Reach {  // of an edit of a group
  std::string refusal;
  std::optional<audit::Line> at;
  std::string because;
  std::size_t rules = 0;
};

std::optional<std::string> rule_at(const Policy& policy, ListId list, Span span) {
  const std::vector<Rule>& rules = policy.lists[list].rules;
  const auto found = std::ranges::find(rules, span, &Rule::span);
  if (found == rules.end()) return std::nullopt;
  return name_of(policy, {list, static_cast<std::uint32_t>(found - rules.begin())});
}

Reach reach_of(const Policy& policy, GroupId group) {
  Reach reach;
  const std::string name = printable(policy.groups[group].name);
  std::vector<std::string> rules;
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (const model::User& user : all_users(policy, group)) {
    if (user.kind != model::UserKind::filter_rule) {
      reach.refusal = fmt::format("{} is used by {} too", name, word(user.kind));
      reach.at = audit::line_at(policy, user.span);
      return reach;
    }
    if (!seen.emplace(user.span.source, user.span.begin).second) continue;
    ++reach.rules;
    if (rules.size() < most_of_a_kind)
      if (auto rule = rule_at(policy, user.index, user.span)) rules.push_back(std::move(*rule));
  }
  reach.because =
      fmt::format("{} is used by {}{}", name, fmt::join(rules, ", "),
                  reach.rules > rules.size() ? fmt::format(" and {} more", reach.rules - rules.size())
                                             : " and nowhere else");
  return reach;
}

// ---- the candidates -----------------------------------------------------------------------------------

class Planner {
 public:
  Planner(const Policy& policy, const Obstacle& obstacle, Unknown unknown)
      : policy_(policy), obstacle_(obstacle), unknown_(unknown) {}

  std::vector<Candidate> plan() {
    for (const Cause& cause : obstacle_.causes) {
      put_back(cause);
      reactivate(cause);
      move(cause);
      bind(cause);
    }
    if (obstacle_.is_inbound()) join_a_group();
    insert();
    return std::move(found_);
  }

 private:
  void put_back(const Cause& cause);
  void reactivate(const Cause& cause);
  void move(const Cause& cause);
  void bind(const Cause& cause);
  void join_a_group();
  void insert();
  void insert_into(ListId list, std::optional<std::uint32_t> before);
  std::optional<RuleRef> first_possible_deny() const;
  std::vector<GroupId> homes(GroupId group) const;
  void add_member(GroupId group, AddMembers members, ListId list);
  // The lists of the stage that stops the packets, in their order.
  std::vector<ListId> lists() const;
  // Those, and whatever they call: where a permit may stand that just misses the packets.
  std::vector<ListId> walked_lists() const;

  const Policy& policy_;
  const Obstacle& obstacle_;
  Unknown unknown_;
  std::vector<Candidate> found_;
};

std::vector<ListId> Planner::lists() const {
  std::vector<model::NodeId> stages;
  if (obstacle_.by.stage) stages = {*obstacle_.by.stage};
  else if (obstacle_.by.rule) stages = model::stages_of(policy_, obstacle_.by.rule->list);
  for (const model::NodeId node : stages) {
    const auto* stage = std::get_if<model::Stage>(&policy_.nodes[node]);
    if (stage == nullptr) continue;
    // Of several, the one that these packets come to.
    if (stages.size() == 1 ||
        !model::arrivals(policy_, obstacle_.context, obstacle_.packets(), {node}).empty())
      return stage->lists;
  }
  return {};
}

// Each once; a list that calls in circles too.
std::vector<ListId> with_called(const Policy& policy, std::vector<ListId> lists) {
  std::set<ListId> seen(lists.begin(), lists.end());
  for (std::size_t i = 0; i < lists.size(); ++i)
    for (const Rule& rule : policy.lists[lists[i]].rules)
      if (calls(rule) && seen.insert(rule.target).second) lists.push_back(rule.target);
  return lists;
}

std::vector<ListId> Planner::walked_lists() const {
  if (std::vector<ListId> own = lists(); !own.empty()) return with_called(policy_, std::move(own));
  if (!obstacle_.by.rule) return {};
  for (const model::Node& node : policy_.nodes) {
    const auto* stage = std::get_if<model::Stage>(&node);
    if (stage == nullptr) continue;
    std::vector<ListId> walked = with_called(policy_, stage->lists);
    if (std::ranges::find(walked, obstacle_.by.rule->list) != walked.end()) return walked;
  }
  return {};
}

void Planner::add_member(GroupId group, AddMembers members, ListId list) {
  Reach reach = reach_of(policy_, group);
  found_.push_back({.name = fmt::format("member into {}", printable(policy_.groups[group].name)),
                    .edit = std::move(members),
                    .list = list,
                    .refusal = std::move(reach.refusal),
                    .at = std::move(reach.at),
                    .because = std::move(reach.because)});
}

// Where a member belongs: among the groups within a group, the one that holds most of what is required by
// itself.
std::vector<GroupId> Planner::homes(GroupId group) const {
  struct Home {
    GroupId group;
    std::size_t members = 0;
  };
  std::vector<Home> homes;
  std::set<GroupId> seen{group};
  std::vector<GroupId> to_do{group};
  for (std::size_t i = 0; i < to_do.size(); ++i) {
    Home home{to_do[i]};
    for (const model::AddressMember& member : policy_.groups[to_do[i]].members) {
      const bool is_nested = member.term.kind == AddressTerm::Kind::group &&
                             policy_.groups[member.term.value].kind == model::GroupKind::group;
      if (is_nested && seen.insert(member.term.value).second) to_do.push_back(member.term.value);
      if (!is_nested && addresses_of(policy_, member.term)->possible.intersects(obstacle_.required))
        ++home.members;
    }
    homes.push_back(home);
  }
  std::ranges::stable_sort(homes, std::greater<>(), &Home::members);
  std::vector<GroupId> result;
  for (const Home& home : homes)
    if (result.size() < most_of_a_kind && (home.members > 0 || home.group == group))
      result.push_back(home.group);
  return result;
}

void Planner::put_back(const Cause& cause) {
  if (cause.code != Code::lost_member || !cause.group || cause.permits.empty()) return;
  for (const GroupId home : homes(*cause.group))
    add_member(home, {home, cause.members, {}}, cause.permits.front().list);
}

void Planner::reactivate(const Cause& cause) {
  if (cause.code != Code::permit_disabled) return;
  for (std::size_t i = 0; i < std::min(cause.permits.size(), most_of_a_kind); ++i)
    found_.push_back({.name = "reactivate " + name_of(policy_, cause.permits[i]),
                      .edit = Enable{cause.permits[i]},
                      .list = cause.permits[i].list});
}

void Planner::move(const Cause& cause) {
  if (cause.code != Code::permit_too_late || !obstacle_.by.rule) return;
  for (std::size_t i = 0; i < std::min(cause.permits.size(), most_of_a_kind); ++i)
    found_.push_back({.name = fmt::format("{} to before {}", name_of(policy_, cause.permits[i]),
                                          name_of(policy_, *obstacle_.by.rule)),
                      .edit = MoveBefore{cause.permits[i], obstacle_.by.rule->index},
                      .list = cause.permits[i].list});
}

void Planner::bind(const Cause& cause) {
  if (cause.code != Code::not_connected || obstacle_.ingress.empty()) return;
  std::set<ListId> lists;
  for (const RuleRef permit : cause.permits)
    if (lists.size() < most_of_a_kind && lists.insert(permit.list).second)
      found_.push_back({.name = fmt::format("{} bound to {}", printable(policy_.lists[permit.list].name),
                                            printable(obstacle_.ingress)),
                        .edit = BindList{permit.list, obstacle_.ingress},
                        .list = permit.list});
}

// A permit before the decider that fits in all but its sources, and takes these from a group of its own.
void Planner::join_a_group() {
  std::set<GroupId> seen;
  for (const ListId list : walked_lists()) {
    const std::vector<Rule>& rules = policy_.lists[list].rules;
    const bool decides_here = obstacle_.by.rule && obstacle_.by.rule->list == list;
    const std::size_t end = decides_here ? obstacle_.by.rule->index : rules.size();
    for (std::uint32_t i = 0; i < end && seen.size() < most_of_a_kind; ++i) {
      const Rule& rule = rules[i];
      if (rule.source.kind != AddressTerm::Kind::group || !rule.enabled || !lets_through(rule) ||
          model::is_elsewhere(rule, obstacle_.seen))
        continue;
      const model::AddressGroup& group = policy_.groups[rule.source.value];
      if (group.kind != model::GroupKind::group || !obstacle_.required.covers(group.addresses.possible))
        continue;
      if (address_fit(policy_, rule.destination, obstacle_.seen.destination).fit != model::Fit::certain ||
          service_fit(policy_, rule.service, obstacle_.seen).fit != model::Fit::certain)
        continue;
      if (seen.insert(rule.source.value).second)
        add_member(rule.source.value, {rule.source.value, {}, obstacle_.addresses}, list);
    }
  }
}

// ---- a rule of its own --------------------------------------------------------------------------------

std::string title_of(const Obstacle& obstacle) {
  std::string name;
  for (const char c : obstacle.flow->id) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += is_letter ? c : '-';
  }
  return name;
}

void Planner::insert_into(ListId list, std::optional<std::uint32_t> before) {
  InsertPermit edit;
  edit.list = list;
  edit.before = before;
  const AddressSet host(obstacle_.is_inbound() ? obstacle_.seen.destination : obstacle_.seen.source);
  edit.sources = obstacle_.is_inbound() ? obstacle_.addresses : host;
  edit.destinations = obstacle_.is_inbound() ? host : obstacle_.addresses;
  edit.protocol = obstacle_.slice.protocol;
  edit.port = obstacle_.seen.destination_port;
  edit.name = title_of(obstacle_);
  edit.remark = fmt::format("aclmend: {}", title_of(obstacle_));
  const std::string_view what = obstacle_.addresses.prefixes().size() > 1 ? "new group and rule" : "new rule";
  const std::string name = printable(policy_.lists[list].name);
  found_.push_back({.name = before ? fmt::format("{} before {}", what, name_of(policy_, {list, *before}))
                                   : fmt::format("{} at the end of {}", what, name),
                    .edit = std::move(edit),
                    .list = list});
}

// Of the rules that may deny before anything permits for sure.
std::optional<RuleRef> Planner::first_possible_deny() const {
  Packet packet = obstacle_.packet(*obstacle_.addresses.lowest());
  packet.source_port = obstacle_.source_ports.interval(0).first;
  for (const model::Hop& hop : decide(policy_, obstacle_.context, packet).path) {
    const model::Action action = policy_.rule(hop.rule).action;
    if (hop.outcome != model::Hop::Outcome::no_match &&
        (action == model::Action::deny || action == model::Action::unknown))
      return hop.rule;
  }
  return std::nullopt;
}

void Planner::insert() {
  std::optional<RuleRef> before = obstacle_.by.rule;
  if (unknown_ == Unknown::settled)
    if (const auto first = first_possible_deny()) before = first;
  if (before) insert_into(before->list, before->index);
  // At the end of what is walked before it, or where the default decides.
  for (const ListId list : lists()) {
    if (before && before->list == list) break;
    insert_into(list, std::nullopt);
  }
}

}  // namespace

std::vector<Candidate> candidates(const Policy& policy, const Obstacle& obstacle, Unknown unknown) {
  return Planner(policy, obstacle, unknown).plan();
}

}  // namespace aclmend::fix
