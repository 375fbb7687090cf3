// Who else reaches the host on the port, which rules still name what left the list, what of it comes into use
// soon, and what stands in the way of the mail itself. None of these changes a verdict.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "audit/check.h"
#include "base/text.h"
#include "model/match.h"

namespace aclmend::audit {
namespace {

using model::AddressTerm;
using model::RuleRef;
using model::Verdict;

constexpr std::size_t most_related = 12;

Severity severity_of(inventory::Others others) {
  switch (others) {
    case inventory::Others::ignore:
    case inventory::Others::note: return Severity::note;
    case inventory::Others::warning: return Severity::warning;
    case inventory::Others::error: return Severity::error;
  }
  return Severity::note;
}

// Half of all addresses is "anyone": a list that leaves out some private networks is open to the internet.
bool is_anyone(const AddressSet& sources) {
  const AddressSet unicast6(*parse_prefix("2000::/3"));
  std::uint64_t v4 = 0;
  for (const auto& [first, last] : sources.v4.intervals()) v4 += std::uint64_t{last} - first + 1;
  return v4 > (std::uint64_t{1} << 31) || (!sources.v6.empty() && sources.covers(unicast6));
}

Finding others_finding(const Examined& examined, const Group& group, Code code, const AddressSet& ranges) {
  const Severity severity =
      code == Code::open_to_any ? *text_of(code).severity : severity_of(examined.flow->others);
  Finding finding = finding_about(examined, code, severity, "others", group.permit_by);
  finding.anchor = finding.blocked_by;
  finding.blocked_by.reset();
  if (finding.anchor) finding.anchor->role = "lets them in";
  finding.title = text_of(code).title;
  finding.ranges = ranges;
  const Packet witness = examined.packet(example_of(ranges));
  finding.witness = witness;
  if (examined.question->verify) finding.verify = examined.question->verify(witness, examined.ingress);
  return finding;
}

void append_others(const Examined& examined, const AddressSet& told_already, std::vector<Finding>& findings) {
  if (examined.flow->others == inventory::Others::ignore) return;
  AddressSet named;
  const Group* first_named = nullptr;
  std::vector<Line> lines;
  std::size_t more = 0;
  for (const Group& group : examined.others.groups) {
    if (group.verdict != Verdict::permit) continue;
    if (is_anyone(group.addresses | examined.required)) {
      Finding finding = others_finding(examined, group, Code::open_to_any, group.addresses);
      finding.explanation = fmt::format("{} lets everybody reach {} on {}",
                                        finding.anchor ? finding.anchor->rule : finding.implicit,
                                        to_string(examined.host.wire), finding.service);
      findings.push_back(std::move(finding));
      continue;
    }
    const AddressSet others = group.addresses - told_already;
    if (others.empty()) continue;
    if (first_named == nullptr) first_named = &group;
    named |= others;
    more += group.more_deciders;
    if (!group.permit_by.rule) continue;
    if (lines.size() < most_related)
      lines.push_back(line_of_rule(examined.policy(), *group.permit_by.rule, "lets them in"));
    else ++more;
  }
  if (first_named == nullptr) return;
  Finding finding = others_finding(examined, *first_named, Code::others_reach, named);
  finding.explanation =
      fmt::format("{} addresses besides the required ones get in", named.v4.empty() ? "some IPv6" : "some");
  if (more > 0) finding.explanation += fmt::format("; {} more lines let them in", more);
  finding.related = std::move(lines);
  findings.push_back(std::move(finding));
}

// Literals that a rule names, each with the line that writes it; a group's are found once.
class NamedLiterals {
 public:
  explicit NamedLiterals(const model::Policy& policy) : policy_(policy) {}

  struct Literal {
    AddressSet addresses;
    Span span;
  };
  std::vector<Literal> of(const model::Rule& rule) const {
    std::vector<Literal> found;
    std::set<model::GroupId> seen;
    collect(rule.source, rule.span, seen, found);
    return found;
  }

 private:
  static constexpr std::size_t most = 100'000;
  void collect(AddressTerm start, Span start_span, std::set<model::GroupId>& seen,
               std::vector<Literal>& found) const {
    std::vector<std::pair<AddressTerm, Span>> to_do{{start, start_span}};
    while (!to_do.empty() && found.size() < most) {
      const auto [term, span] = to_do.back();
      to_do.pop_back();
      if (term.kind == AddressTerm::Kind::v4) {
        found.push_back({AddressSet(prefix_of(Address::v4(term.value), term.length)), span});
      } else if (term.kind == AddressTerm::Kind::group) {
        const model::AddressGroup& group = policy_.groups[term.value];
        if (group.members.empty()) found.push_back({group.addresses.certain, span});
        else if (seen.insert(term.value).second)
          for (const model::AddressMember& member : group.members)
            to_do.emplace_back(member.term, member.span);
      }
    }
  }

  const model::Policy& policy_;
};

// Rules of the lists on the way that let this service through to the host, whatever their sources.
std::vector<RuleRef> permits_to_host(const Examined& examined) {
  constexpr std::size_t most = 1'000;
  const model::Policy& policy = examined.policy();
  std::vector<RuleRef> refs;
  std::set<model::ListId> lists;
  for (const Cut* cut : {&examined.cut, &examined.others})
    for (const Group& group : cut->groups)
      for (const model::Decider& by : {group.permit_by, group.deny_by}) {
        if (by.rule) lists.insert(by.rule->list);
        const auto* stage = by.stage ? std::get_if<model::Stage>(&policy.nodes[*by.stage]) : nullptr;
        if (stage != nullptr) lists.insert(stage->lists.begin(), stage->lists.end());
      }
  for (const model::ListId list : lists)
    for (std::uint32_t i = 0; i < policy.lists[list].rules.size() && refs.size() < most; ++i) {
      const model::Rule& rule = policy.lists[list].rules[i];
      const bool lets_through = rule.action == model::Action::accept || rule.action == model::Action::permit;
      const bool names_sources =
          rule.source.kind == AddressTerm::Kind::v4 || rule.source.kind == AddressTerm::Kind::group;
      if (!lets_through || !rule.enabled || !names_sources || is_elsewhere(rule, examined.seen)) continue;
      if (address_fit(policy, rule.destination, examined.seen.destination).fit == model::Fit::no) continue;
      if (service_fit(policy, rule.service, examined.seen).fit == model::Fit::no) continue;
      refs.push_back({list, i});
    }
  return refs;
}

struct StaleNames {
  AddressSet addresses;
  std::vector<Line> related;      // where they are named
  std::vector<std::string> when;  // "65.55.88.0/24 left the list in version 2019010700"
};

StaleNames stale_names(const Examined& examined, const std::vector<NamedLiterals::Literal>& literals,
                       const std::vector<endpoints::Former>& formers, const AddressSet& left,
                       const AddressSet& ever) {
  StaleNames names;
  for (const NamedLiterals::Literal& literal : literals) {
    // A wide network that happens to hold such a range names something else.
    if (!literal.addresses.intersects(left) || !ever.covers(literal.addresses)) continue;
    names.addresses |= literal.addresses & left;
    for (const endpoints::Former& former : formers) {
      const AddressSet gone = former.addresses & literal.addresses & left;
      if (gone.empty()) continue;
      const std::string left_when = fmt::format("left the list {}", endpoints::in_words(former.until));
      if (names.related.size() < most_related)
        names.related.push_back(line_at(examined.policy(), literal.span, {}, left_when));
      const std::string said = fmt::format("{} {}", to_string(gone), left_when);
      if (names.when.size() < most_related && std::ranges::find(names.when, said) == names.when.end())
        names.when.push_back(said);
    }
  }
  return names;
}

// Gives back the stale ranges it told of.
AddressSet append_stale(const Examined& examined, std::vector<Finding>& findings) {
  // The history is that of the SMTP rows: only a flow that asks for those can have stale ranges.
  if (selection_of(*examined.flow) != endpoints::smtp_selection() ||
      examined.flow->direction != inventory::Direction::inbound)
    return {};
  const std::vector<endpoints::Former> formers = endpoints::former_ranges(*examined.question->release);
  AddressSet left, ever = examined.required_everywhere;
  for (const endpoints::Former& former : formers) {
    left |= former.addresses;
    for (const Prefix& prefix : former.listed) ever |= AddressSet(prefix);
  }
  left -= examined.companions;
  if (left.empty()) return {};
  AddressSet told;
  const NamedLiterals literals(examined.policy());
  std::map<model::GroupId, StaleNames> of_groups;  // a group that many rules share is looked through once
  for (const RuleRef ref : permits_to_host(examined)) {
    const model::Rule& rule = examined.policy().rule(ref);
    const auto names = [&] { return stale_names(examined, literals.of(rule), formers, left, ever); };
    const bool is_group = rule.source.kind == AddressTerm::Kind::group;
    if (is_group && !of_groups.contains(rule.source.value)) of_groups.emplace(rule.source.value, names());
    const auto [stale, related, when] = is_group ? of_groups.at(rule.source.value) : names();
    if (stale.empty()) continue;
    told |= stale;
    Finding finding =
        finding_about(examined, Code::stale_range, *text_of(Code::stale_range).severity, "stale", {ref, {}});
    finding.anchor = finding.blocked_by;
    finding.blocked_by.reset();
    finding.title = fmt::format("{} still names what left Microsoft's list",
                                printable(rule_name(examined.policy(), ref)));
    finding.ranges = stale;
    finding.related = related;
    finding.explanation =
        fmt::format("{} still names {}", printable(rule_name(examined.policy(), ref)), fmt::join(when, "; "));
    findings.push_back(std::move(finding));
  }
  return told;
}

// What is published, comes into use on a day, and would not get through yet.
void append_coming(const Examined& examined, std::vector<Finding>& findings) {
  for (const auto& [date, version, addresses] : examined.coming) {
    const AddressSet closed = addresses & (examined.coming_cut.blocked | examined.coming_cut.unknown);
    if (closed.empty()) continue;
    const auto group = std::ranges::find_if(examined.coming_cut.groups, [&](const Group& one) {
      return one.verdict != Verdict::permit && one.addresses.intersects(closed);
    });
    Finding finding = finding_about(examined, Code::range_coming, *text_of(Code::range_coming).severity,
                                    "coming " + date, group->deny_by);
    finding.title = fmt::format("{} {} in use from {} on and not let in yet", to_string(closed),
                                closed.prefixes().size() == 1 ? "is" : "are", date);
    finding.ranges = closed;
    finding.witness = examined.packet(example_of(closed & group->addresses));
    finding.explanation = fmt::format("Microsoft has published {} in {}; mail comes from there from {} on",
                                      to_string(closed), version, date);
    finding.hint = fmt::format("aclmend fix --as-of {} writes the change", date);
    if (examined.question->verify)
      finding.verify = examined.question->verify(*finding.witness, examined.ingress);
    findings.push_back(std::move(finding));
  }
}

void append_notices(const Examined& examined, std::vector<Finding>& findings) {
  const auto append = [&](Code code, const model::Notice& notice) {
    const bool is_told =
        std::ranges::any_of(findings, [&](const Finding& other) { return other.code == code; });
    if (is_told && code == Code::smtp_inspected) return;  // one line is enough to look there
    Finding finding = finding_about(examined, code, Severity::note, "notice " + notice.text, {});
    finding.title = text_of(code).title;
    finding.explanation = printable(notice.text);
    finding.anchor = line_at(examined.policy(), notice.span);
    findings.push_back(std::move(finding));
  };
  for (const model::Notice& notice : examined.policy().notices) {
    if (notice.kind == model::NoticeKind::smtp_inspected && examined.flow->application == "smtp")
      append(Code::smtp_inspected, notice);
    if (notice.kind == model::NoticeKind::part_missing) append(Code::half_a_policy, notice);
  }
}

}  // namespace

std::vector<Finding> exposure_findings(const Examined& examined) {
  std::vector<Finding> findings;
  const AddressSet stale = append_stale(examined, findings);
  append_others(examined, stale, findings);
  append_coming(examined, findings);
  append_notices(examined, findings);
  return findings;
}

}  // namespace aclmend::audit
