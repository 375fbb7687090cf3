// The audit of one device: who is the host, where does the flow enter, what of the required gets through.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "audit/check.h"
#include "audit/question.h"
#include "base/text.h"
#include "model/trace.h"

namespace aclmend::audit {
namespace {

using inventory::Direction;
using inventory::Flow;
using model::Decision;
using model::SourceRange;
using model::Verdict;

constexpr std::size_t most_counted = 96;  // packets of the second count, per check

bool is_companion(const Flow& flow, const std::vector<const Flow*>& flows) {
  return std::ranges::any_of(flows,
                             [&](const Flow* other) { return !flow.with.empty() && other->id == flow.with; });
}

// The addresses that a flow names itself: the sources of an inbound one, the destinations of another.
const AddressSet& literal_peers(const Flow& flow) {
  return (flow.direction == Direction::inbound ? flow.source : flow.destination).addresses;
}

std::vector<SourceRange> ranges_of(const Examined& examined, const AddressSet& asked) {
  if (examined.flow->direction == Direction::inbound)
    return by_source(examined.policy(), examined.context, examined.slice, asked);
  return by_destination(examined.policy(), examined.context, examined.host.wire, examined.slice, asked);
}

// A condition that the asker should have settled: the answer differs among interfaces nobody named.
std::optional<std::string> open_alternative(const Examined& examined) {
  for (const Group& group : examined.cut.groups) {
    if (group.verdict != Verdict::unknown) continue;
    const Decision decision =
        decide(examined.policy(), examined.context, examined.packet(*group.addresses.lowest()));
    struct Choice {
      model::ConditionId condition;
      model::Dimension dimension;
      std::string_view what, option;
    };
    static constexpr Choice choices[] = {
        {model::direction_condition, model::Dimension::direction, "direction", "--direction WORD"},
        {model::ingress_condition, model::Dimension::ingress, "ingress interface", "--ingress NAME"},
        {model::egress_condition, model::Dimension::egress, "egress interface", "--egress NAME"}};
    for (const Choice& choice : choices) {
      if (std::ranges::find(decision.conditions, choice.condition, &model::OpenCondition::condition) ==
          decision.conditions.end())
        continue;
      constexpr std::size_t most_names = 12;
      std::vector<std::string> names;
      for (const std::string& name : model::cases_of(examined.policy(), choice.dimension))
        if (names.size() < most_names && (choice.dimension != model::Dimension::direction || name != "out"))
          names.push_back(printable(name));
      return fmt::format("the answer differs by {}{}; say which with {}", choice.what,
                         names.empty() ? "" : fmt::format(": it may be {}", fmt::join(names, " or ")),
                         choice.option);
    }
  }
  return std::nullopt;
}

// The first and last packets of what was claimed, spread over the groups, and the verdict each should get.
struct Claim {
  Packet packet;
  Verdict verdict = Verdict::unknown;
};

std::vector<Claim> boundary_claims(const Examined& examined) {
  std::vector<Claim> claims;
  const auto append = [&](const Group& group, Address address) {
    const PortSet& asked = examined.slice.source_ports;
    Packet packet = examined.packet(address);
    if (group.verdict == Verdict::deny && !group.denied_ports.empty()) {
      packet.source_port = group.denied_ports.interval(0).first;
    } else {
      packet.source_port = asked.interval(0).first;
      claims.push_back({packet, group.verdict});
      packet.source_port = asked.interval(asked.interval_count() - 1).last;
    }
    claims.push_back({packet, group.verdict});
  };
  std::vector<const Group*> groups;
  for (const Cut* cut : {&examined.cut, &examined.others})
    for (const Group& group : cut->groups)
      // The worst of several ports: which of them is unknown is not told apart here.
      if (group.verdict != Verdict::unknown) groups.push_back(&group);
  for (const Group* group : groups) {
    const std::vector<Prefix> prefixes = group->addresses.prefixes();
    const std::size_t room = std::max<std::size_t>(most_counted / (4 * groups.size()), 1);
    for (std::size_t i = 0; i < std::min(prefixes.size(), room); ++i) {
      const Prefix& prefix = prefixes[i * prefixes.size() / std::min(prefixes.size(), room)];
      append(*group, prefix.first());
      append(*group, prefix.last());
      if (claims.size() >= most_counted) return claims;
    }
  }
  return claims;
}

// The second count; its first packet is `first`, whose translation is handed back.
struct Counted {
  SecondCount count;
  Packet seen;
};

Result<Counted> second_count(const Examined& examined, const Packet& first) {
  const std::vector<Claim> claims = boundary_claims(examined);
  std::vector<Packet> packets{first};
  for (const Claim& claim : claims) packets.push_back(claim.packet);
  const std::vector<Decision> decisions = decide(examined.policy(), examined.context, packets);
  std::size_t counted = 0;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (gave_up(decisions[i + 1])) continue;
    ++counted;
    if (decisions[i + 1].verdict != claims[i].verdict)
      return fail(
          fmt::format("our two ways of counting disagree about {} -> {} port {}: {} and {}; this is an error "
                      "of aclmend, and nothing "
                      "it worked out for {} can be trusted",
                      to_string(claims[i].packet.source), to_string(claims[i].packet.destination),
                      claims[i].packet.destination_port, to_string(claims[i].verdict),
                      to_string(decisions[i + 1].verdict), examined.question->device));
  }
  return Counted{{counted, 0}, decisions.front().translated.value_or(first)};
}

Stretch stretch_of(const Examined& examined, const Group& group) {
  Stretch stretch;
  stretch.addresses = group.addresses;
  switch (group.verdict) {
    case Verdict::permit: stretch.status = Status::pass; break;
    case Verdict::deny: stretch.status = Status::fail; break;
    case Verdict::unknown: stretch.status = Status::unknown; break;
  }
  const model::Decider& by = group.verdict == Verdict::permit ? group.permit_by : group.deny_by;
  if (by.rule) stretch.by = line_of_rule(examined.policy(), *by.rule);
  stretch.implicit = printable(model::implicit_of(examined.policy(), by));
  return stretch;
}

Check check_of(const Examined& examined) {
  Check check;
  check.flow = examined.flow->id;
  check.flow_title = examined.flow->title;
  check.severity = examined.flow->severity;
  check.is_companion = is_companion(*examined.flow, examined.question->flows);
  check.destination = examined.host.wire;
  check.ingress = examined.ingress;
  if (examined.flow->direction == Direction::inbound && examined.seen.destination != examined.host.wire)
    check.translated_to = examined.seen.destination;
  check.protocol = examined.slice.protocol;
  check.port = examined.slice.destination_port;
  check.required = examined.required;
  check.permitted = examined.cut.permitted;
  check.blocked = examined.cut.blocked;
  check.unknown = examined.cut.unknown;
  check.status = !check.blocked.empty()   ? Status::fail
                 : !check.unknown.empty() ? Status::unknown
                                          : Status::pass;
  for (const Group& group : examined.cut.groups) {
    check.stretches.push_back(stretch_of(examined, group));
    if (group.verdict != Verdict::permit) continue;
    const Stretch& stretch = check.stretches.back();
    check.via.push_back(stretch.by ? stretch.by->rule : stretch.implicit);
  }
  if (check.status == Status::unknown) check.reason = "what the configuration does not settle could decide";
  return check;
}

Check not_applicable(const Question& question, const Flow& flow, const std::optional<Host>& host,
                     std::string reason) {
  Check check;
  check.is_companion = is_companion(flow, question.flows);
  check.flow = flow.id;
  check.flow_title = flow.title;
  check.severity = flow.severity;
  if (host) check.destination = host->wire;
  check.protocol = flow.protocol;
  check.port = flow.port;
  check.status = Status::not_applicable;
  check.reason = std::move(reason);
  return check;
}

class Audit {
 public:
  explicit Audit(const Question& question) : question_(question) {}

  Result<Examination> run() {
    if (question_.only_if_known && !is_known()) return Examination{std::move(result_), {}};
    for (const Flow* flow : question_.flows) {
      const auto done = examine(*flow);
      if (!done) return std::unexpected(done.error());
      if (!result_.error.empty()) {  // a device that could not be judged has no half of an answer
        result_.checks.clear();
        result_.findings.clear();
        obstacles_.clear();
        break;
      }
    }
    return Examination{std::move(result_), std::move(obstacles_)};
  }

 private:
  bool is_known();
  Result<bool> examine(const Flow& flow);
  Result<bool> examine(const Flow& flow, const Host& host, const std::string& ingress,
                       const Required& required, bool other_family_is_open);
  bool infer(const Inference& inference) {
    const bool is_said = std::ranges::any_of(result_.inferred,
                                             [&](const auto& other) { return other.what == inference.what; });
    if (!is_said) result_.inferred.push_back(inference);
    if (question_.inferring == Inferring::allowed) return true;
    result_.error =
        fmt::format("--strict: this had to be inferred: {} ({})", inference.what, inference.option);
    return false;
  }
  AddressSet asked_by_others(const Flow& flow) const;
  // The ranges for at least these addresses; flows that go together ask for the same packets.
  const std::vector<SourceRange>& answered(const Examined& examined, const AddressSet& asked);

  struct Answered {
    std::string key;
    AddressSet asked;
    std::vector<SourceRange> ranges;
  };

  const Question& question_;
  DeviceAudit result_;
  std::vector<Obstacle> obstacles_;
  Answered last_;
};

bool Audit::is_known() {
  if (question_.to.empty()) return true;  // who publishes the host is asked
  for (const Address host : question_.to)
    if (knows(*question_.policy, host)) return true;
  for (const Flow* flow : question_.flows)
    for (const Address host : question_.to)
      result_.checks.push_back(
          not_applicable(question_, *flow, Host{host, {}, {}}, "this device does not know the mail host"));
  return false;
}

// What the other flows that are asked here require of the same port: no strangers.
AddressSet Audit::asked_by_others(const Flow& flow) const {
  AddressSet asked;
  for (const Flow* other : question_.flows) {
    if (other == &flow || other->direction != flow.direction || other->port != flow.port ||
        other->protocol != flow.protocol)
      continue;
    if (const auto required = required_addresses(*other, *question_.release)) asked |= *required;
  }
  return asked;
}

const std::vector<SourceRange>& Audit::answered(const Examined& examined, const AddressSet& asked) {
  std::string key =
      fmt::format("{} {} {} {} {}", static_cast<int>(examined.flow->direction), examined.ingress,
                  to_string(examined.host.wire), examined.slice.protocol, examined.slice.destination_port);
  for (const auto& [dimension, name] : examined.context.known)
    key += fmt::format(" {}={}", static_cast<int>(dimension), name);
  if (key != last_.key || !last_.asked.covers(asked))
    last_ = {std::move(key), asked, ranges_of(examined, asked)};
  return last_.ranges;
}

Result<bool> Audit::examine(const Flow& flow) {
  const model::Policy& policy = *question_.policy;
  const auto given_ingress = question_.context.known.find(model::Dimension::ingress);
  std::string ingress = given_ingress == question_.context.known.end() ? "" : given_ingress->second;
  const bool is_inbound = flow.direction == Direction::inbound;
  if (ingress.empty() && is_inbound) {
    const auto found = entrance(policy);
    if (!found) {
      result_.error = found.error().message;
      return false;
    }
    ingress = found->interface;
    if (found->inferred && !infer(*found->inferred)) return false;
  }
  auto hosts = mail_hosts(policy, flow, question_.to, is_inbound ? ingress : "");
  if (!hosts && question_.only_if_known && question_.to.empty()) {
    result_.checks.push_back(
        not_applicable(question_, flow, std::nullopt, "this device publishes no mail host"));
    return false;
  }
  if (!hosts) {
    result_.error = hosts.error().message;
    return false;
  }
  for (const Inference& inference : hosts->inferred)
    if (!infer(inference)) return false;
  TRY(required, required_of(flow, *question_.release, question_.coming));
  bool v4_is_open = false;
  for (const Family family : {Family::ipv4, Family::ipv6})
    for (Host host : hosts->hosts) {
      if (host.wire.family != family) continue;
      std::string enters = ingress;
      if (!is_inbound) {
        if (host.real) host.wire = *host.real;
        if (enters.empty()) {
          const auto found = entrance_of(policy, host.wire);
          if (!found) {
            result_.error = found.error().message;
            return false;
          }
          enters = found->interface;
          if (found->inferred && !infer(*found->inferred)) return false;
        }
      }
      TRY(is_open, examine(flow, host, enters, required, v4_is_open && family == Family::ipv6));
      if (!result_.error.empty()) return false;
      if (family == Family::ipv4) v4_is_open = is_open;
    }
  return true;
}

// Gives back whether everything required of this host gets through.
Result<bool> Audit::examine(const Flow& flow, const Host& host, const std::string& ingress,
                            const Required& required, bool other_family_is_open) {
  Examined examined;
  examined.question = &question_;
  examined.flow = &flow;
  examined.host = host;
  examined.context = question_.context;
  examined.ingress = ingress;
  // What the machine takes itself it also sends itself.
  const auto direction = examined.context.known.find(model::Dimension::direction);
  if (flow.direction == Direction::outbound && direction != examined.context.known.end() &&
      direction->second == "in")
    direction->second = "out";
  if (flow.direction == Direction::outbound && direction == examined.context.known.end() &&
      !model::cases_of(examined.policy(), model::Dimension::direction).empty()) {
    result_.error =
        "whether the mail host is this machine or one behind it is not said: --direction out or --direction "
        "forward";
    return false;
  }
  if (!ingress.empty()) examined.context.known[model::Dimension::ingress] = ingress;
  if (!flow.application.empty())
    examined.context.known.try_emplace(model::Dimension::application, flow.application);
  examined.slice.destination = host.wire;
  examined.slice.protocol = flow.protocol;
  examined.slice.destination_port = flow.port;
  const AddressSet family = AddressSet::all(host.wire.family);
  examined.required_everywhere = required.now;
  examined.required = required.now & family;
  AddressSet coming;
  for (const endpoints::Coming& range : required.coming)
    if (const AddressSet part = range.addresses & family; !part.empty()) {
      examined.coming.push_back({range.effective, range.version, part});
      coming |= part;
    }
  examined.other_family_is_open = other_family_is_open;
  if (examined.required.empty()) {  // nothing is in use yet: what is coming is asked for now
    examined.required = std::exchange(coming, {});
    examined.coming.clear();
  }
  if (examined.required.empty()) {
    result_.checks.push_back(
        not_applicable(question_, flow, host, "the flow requires nothing of the mail host's address family"));
    return false;
  }
  const bool wants_others = flow.direction == Direction::inbound && flow.others != inventory::Others::ignore;
  const AddressSet asked = wants_others ? family : examined.required | coming;
  const std::vector<SourceRange>& ranges = answered(examined, asked);
  examined.cut = cut_of(ranges, examined.required);
  examined.coming_cut = cut_of(ranges, coming);
  examined.companions = asked_by_others(flow) | coming;
  if (wants_others) examined.others = cut_of(ranges, asked - examined.required - examined.companions);
  if (auto open = open_alternative(examined)) {
    result_.error = std::move(*open);
    return false;
  }
  TRY(counted, second_count(examined, examined.packet(*examined.required.lowest())));
  examined.seen = counted.seen;
  result_.second_count.packets += counted.count.packets;
  result_.checks.push_back(check_of(examined));
  std::vector<Obstacle> obstacles = obstacles_of(examined);
  std::ranges::move(required_findings(examined, obstacles), std::back_inserter(result_.findings));
  if (!result_.checks.back().is_companion) std::ranges::move(obstacles, std::back_inserter(obstacles_));
  if (!result_.checks.back().is_companion)
    std::ranges::move(exposure_findings(examined), std::back_inserter(result_.findings));
  return examined.cut.blocked.empty() && examined.cut.unknown.empty();
}

}  // namespace

std::string_view to_string(Status status) {
  switch (status) {
    case Status::pass: return "pass";
    case Status::fail: return "fail";
    case Status::unknown: return "unknown";
    case Status::not_applicable: return "not-applicable";
  }
  return "";
}

std::optional<endpoints::Selection> selection_of(const Flow& flow) {
  if (!flow.select) return std::nullopt;
  return endpoints::Selection{flow.select->service_area, flow.select->tcp_port, flow.select->udp_port,
                              flow.select->has_ips};
}

Result<AddressSet> required_addresses(const Flow& flow, const endpoints::Release& release) {
  const auto selection = selection_of(flow);
  if (!selection) return literal_peers(flow);
  TRY(selected, endpoints::select(release, *selection));
  return std::move(selected.addresses);
}

Result<Required> required_of(const Flow& flow, const endpoints::Release& release, const ComingOf& coming) {
  TRY(published, required_addresses(flow, release));
  Required required{std::move(published), {}};
  if (const auto selection = selection_of(flow); selection && coming) required.coming = coming(*selection);
  for (const endpoints::Coming& range : required.coming) required.now -= range.addresses;
  return required;
}

Result<Examination> examine(const Question& question) { return Audit(question).run(); }

Result<DeviceAudit> audit(const Question& question) {
  TRY(examination, examine(question));
  return std::move(examination.told);
}

std::vector<Finding> merged(std::vector<Finding> findings) {
  const auto place = [](const Finding& finding) {
    return finding.blocked_by ? finding.blocked_by : finding.anchor;
  };
  // One cause at a line that devices share is one finding.
  std::vector<Finding> out;
  std::map<std::string, std::size_t> seen;
  for (Finding& finding : findings) {
    const auto at = place(finding);
    if (!at) {
      out.push_back(std::move(finding));
      continue;
    }
    const std::string key =
        fmt::format("{}\n{}\n{}\n{}\n{}\n{}", text_of(finding.code).id, finding.flow, at->file, at->line,
                    to_string(finding.ranges), to_string(finding.destination));
    const auto [found, is_new] = seen.try_emplace(key, out.size());
    if (is_new) out.push_back(std::move(finding));
    else if (std::ranges::find(out[found->second].devices, finding.device) ==
             out[found->second].devices.end())
      out[found->second].devices.push_back(finding.device);
  }
  std::ranges::stable_sort(out, [&](const Finding& a, const Finding& b) {
    if (a.severity != b.severity) return a.severity > b.severity;
    if (a.device != b.device) return a.device < b.device;
    if (a.flow != b.flow) return a.flow < b.flow;
    const auto line_a = place(a), line_b = place(b);
    const std::uint32_t at_a = line_a ? line_a->line : 0, at_b = line_b ? line_b->line : 0;
    if (at_a != at_b) return at_a < at_b;
    return a.ranges.prefixes() < b.ranges.prefixes();
  });
  return out;
}

}  // namespace aclmend::audit
