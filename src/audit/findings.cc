// Findings about what is required: what one line stops is one finding, whatever its causes.
#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "audit/causes.h"
#include "audit/check.h"
#include "base/digest.h"
#include "base/text.h"
#include "model/match.h"

namespace aclmend::audit {
namespace {

using model::ConditionKind;
using model::Verdict;

// The cause search reads every rule once a finding: on a hostile list with many findings it is left out.
constexpr std::size_t most_rules_searched = 5'000'000;

std::string service_of(const model::Slice& slice) {
  return fmt::format("{}/{}", protocol_name(slice.protocol), slice.destination_port);
}

long double size_of(const AddressSet& set, Family family) {
  long double size = 0;
  if (family == Family::ipv4)
    for (const auto& [first, last] : set.v4.intervals()) size += static_cast<long double>(last - first) + 1;
  else
    for (const auto& [first, last] : set.v6.intervals()) size += static_cast<long double>(last - first) + 1;
  return size;
}

std::string_view whose(const inventory::Flow& flow) {
  return flow.direction == inventory::Direction::inbound ? "sending" : "receiving";
}

std::size_t rule_count(const model::Policy& policy) {
  std::size_t count = 0;
  for (const model::RuleList& list : policy.lists) count += list.rules.size();
  return count;
}

Code code_of(ConditionKind kind) {
  switch (kind) {
    case ConditionKind::not_understood:
    case ConditionKind::too_complex: return Code::line_not_understood;
    case ConditionKind::undefined:
    case ConditionKind::not_in_export: return Code::half_a_policy;
    case ConditionKind::external_list: return Code::list_content_missing;
    case ConditionKind::time_range:
    case ConditionKind::fqdn:
    case ConditionKind::user:
    case ConditionKind::security_group:
    case ConditionKind::dynamic_address:
    case ConditionKind::application:
    case ConditionKind::device_state:
    case ConditionKind::rate_limit:
    case ConditionKind::mark:
    case ConditionKind::program:
    case ConditionKind::source_port:
    case ConditionKind::ingress:
    case ConditionKind::egress:
    case ConditionKind::profile:
    case ConditionKind::direction:
    case ConditionKind::address_translation:
    case ConditionKind::returns_to_caller: return Code::hangs_on_condition;
  }
  return Code::hangs_on_condition;
}

void set_witness(Finding& finding, const Examined& examined, const Group& group) {
  Packet witness = examined.packet(example_of(group.addresses));
  if (!group.denied_ports.empty()) {
    finding.source_ports = group.denied_ports;
    if (!group.denied_ports.contains(witness.source_port))
      witness.source_port = group.denied_ports.interval(0).first;
  }
  finding.witness = witness;
  if (examined.question->verify) finding.verify = examined.question->verify(witness, examined.ingress);
}

// A packet as the stage sees it that decides about it.
Packet seen_by(const Examined& examined, const Packet& packet, const model::Decider& by) {
  const model::Policy& policy = examined.policy();
  std::vector<model::NodeId> stages;
  if (by.rule) stages = model::stages_of(policy, by.rule->list);
  if (by.stage) stages = {*by.stage};
  const PacketSet region(Box{AddressSet(packet.source), AddressSet(packet.destination),
                             ProtocolSet(packet.protocol, packet.protocol),
                             PortSet(packet.source_port, packet.source_port),
                             PortSet(packet.destination_port, packet.destination_port)});
  const auto arrivals = model::arrivals(policy, examined.context, region, stages);
  if (arrivals.empty()) return packet;
  Packet seen = packet;
  seen.destination = arrivals.front().view.destination_of(packet.destination);
  seen.destination_port = arrivals.front().view.port_of(packet.destination_port);
  return seen;
}

std::vector<Cause> causes_for(const Examined& examined, const Group& group, const Packet& seen) {
  Blocked blocked;
  blocked.policy = &examined.policy();
  blocked.context = &examined.context;
  blocked.seen = seen;
  blocked.wire = examined.host.wire;
  blocked.by = group.deny_by;
  blocked.sources = group.addresses;
  blocked.is_outbound = examined.flow->direction == inventory::Direction::outbound;
  blocked.required = examined.required_everywhere;
  blocked.permitted = examined.cut.permitted;
  for (const Group& other : examined.cut.groups)
    if (other.verdict == Verdict::permit && other.permit_by.rule)
      blocked.permitted_by.push_back(*other.permit_by.rule);
  blocked.other_family_is_open = examined.other_family_is_open;
  return causes_of(blocked);
}

Finding blocked_finding(const Examined& examined, const Group& group, std::vector<Cause> causes) {
  // A flow with a code of its own is told by that, whatever the causes.
  const CodeText* instead = code_named(examined.flow->code);
  if (instead != nullptr) causes.clear();
  if (causes.empty()) {
    const Code code = group.deny_by.rule ? Code::blocked_by_deny : Code::blocked_by_default;
    const std::string title(text_of(code).title);
    causes.push_back({.code = code, .ranges = group.addresses, .headline = title, .sentence = title});
  }
  const Cause& nearest = causes.front();
  Finding finding = finding_about(examined, instead != nullptr ? instead->code : nearest.code,
                                  examined.flow->severity, "required", group.deny_by);
  finding.ranges = group.addresses;
  const std::string share = share_of(group.addresses, examined.required, whose(*examined.flow));
  finding.title = instead != nullptr ? std::string(instead->title)
                                     : fmt::format("{}: {} blocked", nearest.headline, share);
  for (const Cause& cause : causes) {
    if (!finding.explanation.empty()) finding.explanation += "; ";
    if (causes.size() > 1) finding.explanation += to_string(cause.ranges) + ": ";
    finding.explanation += cause.sentence;
    finding.related.insert(finding.related.end(), cause.related.begin(), cause.related.end());
  }
  if (group.more_deciders > 0)
    finding.explanation += fmt::format("; {} more lines stop parts of it", group.more_deciders);
  set_witness(finding, examined, group);
  return finding;
}

Finding unknown_finding(const Examined& examined, const Group& group) {
  const model::Policy& policy = examined.policy();
  const model::Decision decision =
      decide(policy, examined.context, examined.packet(*group.addresses.lowest()));
  const auto is_kind = [&](Code code) {
    return std::ranges::find_if(decision.conditions, [&](const model::OpenCondition& open) {
      return code_of(policy.conditions[open.condition].kind) == code;
    });
  };
  // What the reader could not read is told before what only time or users can tell.
  Code code = Code::hangs_on_condition;
  auto told = decision.conditions.begin();
  for (const Code one :
       {Code::line_not_understood, Code::half_a_policy, Code::list_content_missing, Code::hangs_on_condition})
    if (const auto found = is_kind(one); found != decision.conditions.end()) {
      code = one;
      told = found;
      break;
    }
  model::Decider by = group.deny_by;
  if (told != decision.conditions.end() && told->rule) by = {told->rule, std::nullopt};
  Finding finding = finding_about(examined, code, examined.flow->severity, "required", by);
  finding.ranges = group.addresses;
  std::vector<std::string> conditions;
  for (const model::OpenCondition& open : decision.conditions) {
    const model::Condition& condition = policy.conditions[open.condition];
    conditions.push_back(printable(to_string(condition)));
    if (open.rule) finding.related.push_back(line_of_rule(policy, *open.rule, conditions.back()));
  }
  const std::string on = fmt::format("{}", fmt::join(conditions, ", "));
  finding.explanation =
      on.empty() ? "the answer hangs on more than this configuration says" : "the answer hangs on " + on;
  finding.title = fmt::format("{} cannot be shown to pass: it hangs on {}",
                              share_of(group.addresses, examined.required, whose(*examined.flow)),
                              conditions.empty() ? "more than is in this file" : conditions.front());
  set_witness(finding, examined, group);
  finding.source_ports.reset();
  return finding;
}

}  // namespace

std::string share_of(const AddressSet& part, const AddressSet& whole, std::string_view whose) {
  const Family family = part.v4.empty() ? Family::ipv6 : Family::ipv4;
  const long double share = size_of(part, family) / std::max<long double>(size_of(whole, family), 1);
  const std::string_view name = family == Family::ipv4 ? "IPv4" : "IPv6";
  if (share >= 1) return fmt::format("all {} {} addresses", whose, name);
  const auto percent = static_cast<int>(share * 100 + 0.5L);
  if (percent == 0) return fmt::format("less than 1 % of the {} {} addresses", whose, name);
  return fmt::format("{} % of the {} {} addresses", std::min(percent, 99), whose, name);
}

std::string fingerprint(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text.append(part).append("\n");
  return sha256_hex(text).substr(0, 16);
}

Packet packet_of(const inventory::Flow& flow, const model::Slice& slice, const PortSet& source_ports,
                 Address peer) {
  constexpr std::uint16_t usual = 40'000;
  const bool is_inbound = flow.direction == inventory::Direction::inbound;
  const Address host = slice.destination;
  return {is_inbound ? peer : host, is_inbound ? host : peer, slice.protocol,
          source_ports.contains(usual) ? usual : source_ports.interval(0).first, slice.destination_port};
}

Packet Examined::packet(Address peer) const { return packet_of(*flow, slice, slice.source_ports, peer); }

Packet Obstacle::packet(Address peer) const { return packet_of(*flow, slice, source_ports, peer); }

Address example_of(const AddressSet& set) {
  const Address lowest = *set.lowest();
  const Address next{lowest.family, lowest.number + 1};
  return set.contains(next) ? next : lowest;
}

Finding finding_about(const Examined& examined, Code code, Severity severity, std::string_view about,
                      const model::Decider& by) {
  Finding finding;
  finding.code = code;
  finding.severity = severity;
  finding.device = examined.question->device;
  finding.devices = {finding.device};
  finding.flow = examined.flow->id;
  finding.service = service_of(examined.slice);
  if (examined.flow->direction == inventory::Direction::inbound) {
    finding.destination = AddressSet(examined.host.wire);
    if (examined.seen.destination != examined.host.wire)
      finding.translated_to = AddressSet(examined.seen.destination);
  }
  finding.hint = text_of(code).remedy;
  const model::Policy& policy = examined.policy();
  if (by.rule) finding.blocked_by = line_of_rule(policy, *by.rule);
  finding.implicit = printable(model::implicit_of(policy, by));
  if (by.stage) {
    const auto* stage = std::get_if<model::Stage>(&policy.nodes[*by.stage]);
    if (stage != nullptr && stage->anchor.end != 0) finding.anchor = line_at(policy, stage->anchor);
  }
  const std::string text = finding.blocked_by ? finding.blocked_by->text : finding.implicit;
  finding.id = fingerprint(
      {finding.device, finding.flow, to_string(examined.host.wire), finding.service, about, text});
  return finding;
}

PacketSet Obstacle::packets() const {
  const AddressSet host(slice.destination);
  return PacketSet(Box{is_inbound() ? addresses : host, is_inbound() ? host : addresses,
                       ProtocolSet(slice.protocol, slice.protocol), source_ports,
                       PortSet(slice.destination_port, slice.destination_port)});
}

std::vector<Obstacle> obstacles_of(const Examined& examined) {
  std::vector<Obstacle> obstacles;
  std::size_t searched = 0;
  const std::size_t rules = rule_count(examined.policy());
  for (const Group& group : examined.cut.groups) {
    if (group.verdict == Verdict::permit) continue;
    Obstacle obstacle;
    obstacle.flow = examined.flow;
    obstacle.context = examined.context;
    obstacle.ingress = examined.ingress;
    obstacle.slice = examined.slice;
    obstacle.required = examined.required_everywhere;
    obstacle.verdict = group.verdict;
    obstacle.by = group.deny_by;
    obstacle.addresses = group.addresses;
    obstacle.source_ports = group.denied_ports.empty() ? examined.slice.source_ports : group.denied_ports;
    Packet packet = examined.packet(*group.addresses.lowest());
    packet.source_port = obstacle.source_ports.interval(0).first;
    obstacle.seen = seen_by(examined, packet, group.deny_by);
    searched += rules;
    const bool is_searched = obstacles.empty() || searched <= most_rules_searched;
    if (is_searched && group.verdict == Verdict::deny)
      obstacle.causes = causes_for(examined, group, obstacle.seen);
    obstacles.push_back(std::move(obstacle));
  }
  return obstacles;
}

std::vector<Finding> required_findings(const Examined& examined, const std::vector<Obstacle>& obstacles) {
  std::vector<Finding> findings;
  auto obstacle = obstacles.begin();
  for (const Group& group : examined.cut.groups) {
    if (group.verdict == Verdict::permit) continue;
    findings.push_back(group.verdict == Verdict::deny ? blocked_finding(examined, group, obstacle->causes)
                                                      : unknown_finding(examined, group));
    ++obstacle;
  }
  // Unknown parts that hang on the same line are one finding.
  for (auto one = findings.begin(); one != findings.end(); ++one)
    for (auto other = std::next(one); other != findings.end();) {
      if (other->id != one->id || other->code != one->code) {
        ++other;
        continue;
      }
      one->ranges |= other->ranges;
      other = findings.erase(other);
    }
  return findings;
}

}  // namespace aclmend::audit
