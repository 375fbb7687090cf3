#include "model/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "model/match.h"

namespace aclmend::model {
namespace {

constexpr std::size_t most_cases = 64;
constexpr std::size_t most_checked_intervals = 64;
constexpr std::uint16_t usual_source_port = 40000;

PortSet source_ports_of(const PacketSet& packets) {
  PortSet ports;
  for (const Box& box : packets.boxes()) ports |= box.source_port;
  return ports;
}

std::uint16_t typical(const PortSet& ports) {
  return ports.contains(usual_source_port) ? usual_source_port : ports.interval(0).first;
}

// The source ports of the question by the verdict they get; parts that are empty are left out.
std::vector<PortAnswer> answers_by_port(const Policy& policy, const TraceQuestion& question) {
  const Packet& packet = question.packet;
  const Box region{AddressSet(packet.source), AddressSet(packet.destination),
                   ProtocolSet(packet.protocol, packet.protocol), *question.source_ports,
                   PortSet(packet.destination_port, packet.destination_port)};
  const Meaning answer = meaning(policy, question.context, PacketSet(region));
  std::vector<PortAnswer> parts;
  for (const auto& [packets, verdict] :
       {std::pair(answer.permitted(), Verdict::permit), std::pair(answer.denied(), Verdict::deny),
        std::pair(answer.unknown(), Verdict::unknown)})
    if (PortSet ports = source_ports_of(packets); !ports.empty())
      parts.push_back({std::move(ports), verdict});
  return parts;
}

// The ends of the intervals, decided one by one: the slow twin has to agree, but where one of the two gave
// up.
std::optional<Error> disagreement(const Policy& policy, const TraceQuestion& question,
                                  const PortAnswer& part) {
  std::vector<Packet> packets;
  for (std::size_t i = 0; i < std::min(part.ports.interval_count(), most_checked_intervals); ++i)
    for (const std::uint16_t port : {part.ports.interval(i).first, part.ports.interval(i).last}) {
      packets.push_back(question.packet);
      packets.back().source_port = port;
    }
  const std::vector<Decision> decisions = decide(policy, question.context, packets);
  for (std::size_t i = 0; i < packets.size(); ++i)
    if (part.verdict != Verdict::unknown && decisions[i].verdict != part.verdict && !gave_up(decisions[i]))
      return Error{.message = fmt::format(
                       "internal error: the two ways to the answer disagree (source port {}: "
                       "{} and {}); please report it",
                       packets[i].source_port, to_string(part.verdict), to_string(decisions[i].verdict)),
                   .file = {}};
  return std::nullopt;
}

void make_unknown(Decision& decision, ConditionId because) {
  decision.verdict = Verdict::unknown;
  decision.decider = {};
  decision.conditions.insert(decision.conditions.begin(), {because, std::nullopt});
}

std::vector<Fork> forks(const Policy& policy, const Context& context, const Trace& answer) {
  using enum Dimension;
  std::vector<Fork> result;
  if (context.chain) return result;  // a list alone: no way to fork
  for (const Dimension dimension : {ingress, egress, profile, direction}) {
    const std::vector<std::string> names = cases_of(policy, dimension);
    if (context.known.contains(dimension) || names.size() < 2) continue;
    const auto& open = answer.decision.conditions;
    Fork fork{dimension,
              answer.decision.verdict == Verdict::unknown &&
                  std::ranges::find(open, condition_of(dimension), &OpenCondition::condition) != open.end(),
              {}};
    for (std::size_t i = 0; i < std::min(names.size(), most_cases); ++i) {
      Context settled = context;
      settled.known[dimension] = names[i];
      fork.cases.push_back({names[i], decide(policy, settled, answer.packet)});
    }
    result.push_back(std::move(fork));
  }
  return result;
}

}  // namespace

std::vector<std::string> cases_of(const Policy& policy, Dimension dimension) {
  std::set<std::string> names;
  for (const Node& node : policy.nodes) {
    const auto* branch = std::get_if<Branch>(&node);
    const bool is_asked =
        branch != nullptr && branch->dimension == dimension && branch->by == Branch::By::context;
    if (!is_asked) continue;
    for (const Branch::Case& one : branch->cases)
      if (!one.name.empty()) names.insert(one.name);  // "none" is nothing one could name
  }
  return {names.begin(), names.end()};
}

bool takes_any_name(const Policy& policy, Dimension dimension) {
  return std::ranges::any_of(policy.nodes, [&](const Node& node) {
    const auto* branch = std::get_if<Branch>(&node);
    return branch != nullptr && branch->dimension == dimension && branch->otherwise.has_value();
  });
}

Result<Trace> trace(const Policy& policy, const TraceQuestion& question) {
  if (question.packet.source.family != question.packet.destination.family)
    return fail("source and destination are of different families: no such packet");
  Trace answer;
  answer.packet = question.packet;
  if (question.source_ports) {
    answer.ports = answers_by_port(policy, question);
    for (const PortAnswer& part : answer.ports)
      if (auto error = disagreement(policy, question, part)) return fail(std::move(*error));
    // What is open anyway says most about the way; else the most careful answer.
    answer.packet.source_port = typical(answer.ports.back().ports);
  }
  answer.decision = decide(policy, question.context, answer.packet);
  if (answer.ports.size() > 1) {
    answer.decision.verdict = Verdict::unknown;
    answer.decision.decider = {};
    answer.decision.conditions.insert(answer.decision.conditions.begin(),
                                      {source_port_condition, std::nullopt});
  }
  if (answer.ports.size() == 1 && answer.ports[0].verdict == Verdict::unknown &&
      answer.decision.verdict != Verdict::unknown) {  // of one port; what the others get was too complex
    make_unknown(answer.decision, complexity_condition);
  }
  answer.forks = forks(policy, question.context, answer);
  return answer;
}

}  // namespace aclmend::model
