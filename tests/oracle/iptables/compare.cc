#include "tests/oracle/iptables/compare.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "tests/oracle/iptables/scene.h"

namespace aclmend::oracle {
namespace {

using model::Verdict;

std::string text_of(const Answer& answer) {
  std::string text(model::to_string(answer.verdict));
  if (answer.translated)
    text += fmt::format(", translated to {} port {}", to_string(answer.translated->destination),
                        answer.translated->destination_port);
  return text;
}

bool arrived(const Sight& sight) { return sight.where != Sight::Where::nowhere; }

bool is_moved(const Packet& a, const Packet& b) {
  return a.destination != b.destination || a.destination_port != b.destination_port;
}

// What is wrong with an answer, or nothing.
std::string_view fault_of(const Probe& probe, const Answer& answer, const Sight& sight, Taste taste) {
  if (answer.verdict == Verdict::permit && !arrived(sight)) return "the kernel drops it";
  if (answer.verdict == Verdict::deny && arrived(sight)) return "the kernel lets it through";
  if (answer.verdict == Verdict::unknown) return taste == Taste::decidable ? "it can be decided" : "";
  if (!arrived(sight)) return "";
  if (answer.translated && is_moved(*answer.translated, sight.packet))
    return "the kernel translates otherwise";
  if (!answer.translated && taste == Taste::decidable && is_moved(probe.packet, sight.packet))
    return "the kernel translates it";
  return "";
}

// The interfaces by which the packet may have left, as far as the stage knows.
std::vector<std::string> egresses_of(const Plan& plan, const Probe& probe, const Answer& answer,
                                     const Sight& sight, bool has_nat) {
  if (sight.where == Sight::Where::forwarded) return {sight.egress};
  const auto by = [&](Address to) {
    return std::vector{std::string(plan.is_own(to) ? "" : plan.egress_to(to))};
  };
  if (arrived(sight)) return {plan.ports.front().name};
  if (answer.translated) return by(answer.translated->destination);
  if (!has_nat) return by(probe.packet.destination);
  std::vector<std::string> all;
  for (const Port& port : plan.ports) all.push_back(port.name);
  return all;
}

// Where an answer without an egress is unknown, it is asked again with each that may be. One of them is the
// true one, so an answer without a fault clears the reader, and so does one that is unknown.
Answer settled(const Opinion& opinion, const Plan& plan, const Probe& probe, const Answer& answer,
               const Sight& sight, bool has_nat, Taste taste) {
  if (answer.verdict != Verdict::unknown || !opinion.asks_egress()) return answer;
  std::vector<Answer> answers;
  for (const std::string& egress : egresses_of(plan, probe, answer, sight, has_nat)) {
    if (egress.empty()) continue;
    answers.push_back(opinion.with_egress(probe, egress));
    answers.back().hangs_on_egress = true;
  }
  const auto is_decided = [&](const Answer& one) {
    return one.verdict != Verdict::unknown && fault_of(probe, one, sight, taste).empty();
  };
  if (const auto good = std::ranges::find_if(answers, is_decided); good != answers.end()) return *good;
  const auto open = std::ranges::find(answers, Verdict::unknown, &Answer::verdict);
  return open != answers.end() ? *open : answers.empty() ? answer : answers.front();
}

bool has_nat(const RuleSet& rules) {
  return rules.rules.find("-j DNAT") != std::string::npos ||
         rules.rules.find("-j NETMAP") != std::string::npos ||
         rules.rules.find("-j REDIRECT") != std::string::npos;
}

// One packet alone, after the rules were loaded anew.
struct Alone {
  std::string fault;
  std::string kernel, ours;
};
Result<Alone> alone(Stage& stage, const RuleSet& rules, const Probe& probe, const Hunt& hunt) {
  if (auto done = stage.load(rules); !done) return fail(done.error());
  TRY(sights, stage.send(std::span(&probe, 1)));
  RuleSet read = rules;
  if (hunt.as_saved) {
    TRY(saved, stage.saved());
    read.rules = saved.rules, read.sets = saved.sets;
  }
  const auto opinion = Opinion::read(read, stage.plan());
  if (!opinion) return Alone{"we do not read it: " + to_string(opinion.error()), to_text(sights.front()), ""};
  const Taste taste = hunt.told == Told::all ? hunt.taste : Taste::anything;
  const Answer first = opinion->of(std::span(&probe, 1), hunt.told).front();
  const Answer answer = settled(*opinion, stage.plan(), probe, first, sights.front(), has_nat(rules), taste);
  return Alone{std::string(fault_of(probe, answer, sights.front(), taste)), to_text(sights.front()),
               text_of(answer)};
}

// Takes away what is not needed for the same fault: lines of rules and sets, in halves, then one by one.
RuleSet shrunk(Stage& stage, RuleSet rules, const Probe& probe, const Hunt& hunt, const std::string& fault) {
  const auto still = [&](const RuleSet& less) {
    const auto result = alone(stage, less, probe, hunt);
    return result && result->fault == fault;
  };
  const auto shrink = [&](std::string RuleSet::* part) {
    const auto lines_of = [](std::string_view text) {
      std::vector<std::string> lines;
      for (const std::string_view line : split(text, '\n'))
        if (!line.empty()) lines.emplace_back(line);
      return lines;
    };
    std::vector<std::string> lines = lines_of(rules.*part);
    // The line that keeps conntrack in use stays: without it another question would be left.
    const auto is_frame = [](const std::string& line) {
      return line.starts_with('*') || line == "COMMIT" || line.starts_with("-A OUTPUT -m conntrack");
    };
    for (std::size_t size = std::max<std::size_t>(1, lines.size() / 2); size > 0; size /= 2)
      for (std::size_t at = lines.size(); at > 0;) {
        const std::size_t from = at > size ? at - size : 0;
        std::vector<std::string> less(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(from));
        for (std::size_t i = from; i < at; ++i)
          if (is_frame(lines[i])) less.push_back(lines[i]);
        less.insert(less.end(), lines.begin() + static_cast<std::ptrdiff_t>(at), lines.end());
        at = from;
        if (less.size() == lines.size()) continue;
        RuleSet candidate = rules;
        candidate.*part = less.empty() ? "" : fmt::format("{}\n", fmt::join(less, "\n"));
        if (!still(candidate)) continue;
        rules = candidate;
        lines = less;
        at = std::min(at, lines.size());
      }
  };
  shrink(&RuleSet::rules);
  if (!rules.sets.empty()) shrink(&RuleSet::sets);
  // Tables that hold nothing any more.
  for (const std::string_view name : {"raw", "mangle", "nat", "filter", "security"}) {
    RuleSet candidate = rules;
    const std::string empty = fmt::format("*{}\nCOMMIT\n", name);
    const std::size_t at = candidate.rules.find(empty);
    if (at == std::string::npos) continue;
    candidate.rules.erase(at, empty.size());
    if (still(candidate)) rules = candidate;
  }
  return rules;
}

std::string complaint(Stage& stage, const Hunt& hunt, const RuleSet& rules, const Probe& probe) {
  const auto whole = alone(stage, rules, probe, hunt);
  if (!whole) return fmt::format("{}: {}", to_text(hunt), to_string(whole.error()));
  if (whole->fault.empty())
    return fmt::format("{}: {}: among others it was at fault, alone it is not: the kernel {}, we {}\n",
                       to_text(hunt), to_text(probe), whole->kernel, whole->ours);
  const RuleSet less = shrunk(stage, rules, probe, hunt, whole->fault);
  const auto now = alone(stage, less, probe, hunt);
  Scene scene{fmt::format("# {}{}: we say {}, but {}.\n", to_text(hunt),
                          less.backend == Backend::legacy ? " (legacy)" : "", now ? now->ours : whole->ours,
                          whole->fault),
              less,
              {probe}};
  return to_text(scene, {now ? now->kernel : whole->kernel});
}

}  // namespace

void Tally::operator+=(const Tally& other) {
  rule_sets += other.rule_sets, packets += other.packets, permitted += other.permitted,
      denied += other.denied;
  translated += other.translated, unknown += other.unknown, hung_on_egress += other.hung_on_egress;
  complaints.insert(complaints.end(), other.complaints.begin(), other.complaints.end());
}

std::string to_text(const Hunt& hunt) {
  return fmt::format("seed {} {} {} {}{}{}", hunt.seed,
                     hunt.taste == Taste::decidable ? "decidable" : "anything",
                     hunt.family == Family::ipv4 ? "IPv4" : "IPv6", to_string(hunt.backend),
                     hunt.as_saved ? " saved" : "", hunt.told == Told::no_ingress ? " without ingress" : "");
}

Result<Tally> hunt(Stage& stage, const Lacks& lacks, const Hunt& hunt) {
  Invention made = invent(hunt.seed, hunt.taste, hunt.family, hunt.backend, stage.plan());
  made.rules = without(lacks, made.rules);
  const std::vector<Probe> probes = probes_for(made, hunt.seed, hunt.packets, stage.plan());
  if (auto done = stage.load(made.rules); !done) return fail(to_text(hunt) + ": " + to_string(done.error()));
  RuleSet read = made.rules;
  if (hunt.as_saved) {
    TRY(saved, stage.saved());
    read = saved;
  }
  TRY(sights, stage.send(probes));
  const auto opinion = Opinion::read(read, stage.plan());
  Tally tally;
  ++tally.rule_sets;
  if (!opinion) {
    tally.complaints.push_back(fmt::format("{}: not read: {}\n", to_text(hunt), to_string(opinion.error())));
    return tally;
  }
  const std::vector<Answer> answers = opinion->of(probes, hunt.told);
  const Taste taste = hunt.told == Told::all ? hunt.taste : Taste::anything;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    const Answer answer =
        settled(*opinion, stage.plan(), probes[i], answers[i], sights[i], has_nat(made.rules), taste);
    ++tally.packets;
    tally.permitted += answer.verdict == Verdict::permit;
    tally.denied += answer.verdict == Verdict::deny;
    tally.unknown += answer.verdict == Verdict::unknown;
    tally.hung_on_egress += answer.hangs_on_egress;
    tally.translated += answer.translated.has_value();
    if (fault_of(probes[i], answer, sights[i], taste).empty()) continue;
    constexpr std::size_t enough = 3;
    if (tally.complaints.size() < enough)
      tally.complaints.push_back(complaint(stage, hunt, made.rules, probes[i]));
  }
  return tally;
}

}  // namespace aclmend::oracle
