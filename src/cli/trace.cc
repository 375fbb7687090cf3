// aclmend trace: one packet, its verdict, the line that decides, and the way to it.
#include "model/trace.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/frame.h"
#include "cli/options.h"
#include "report/trace.h"

namespace aclmend::cli {
namespace {

using model::Policy;
using report::TraceReport;

struct Options {
  DeviceOptions device;
  WayOptions way;
  OutputOptions output;
  std::string from, to, proto = "tcp", chain, expect;
  std::optional<std::uint16_t> port, source_port;
  std::optional<std::uint8_t> icmp_type, icmp_code;
};

Result<Address> address_of(std::string_view option, std::string_view text) {
  const auto address = parse_address(text);
  if (!address) return fail(fmt::format("expected one address after {}, found '{}'", option, text));
  return *address;
}

// What is filled in for ports or ICMP words that were not given, and what is said about it.
struct Asked {
  model::TraceQuestion question;
  std::string text;
  std::vector<std::string> inferred;
};

bool has_ports(std::uint8_t number) {
  return number == protocol::tcp || number == protocol::udp || number == protocol::sctp;
}

bool is_icmp(std::uint8_t number) { return number == protocol::icmp || number == protocol::icmp6; }

std::optional<Error> misplaced_option(const Options& options, std::uint8_t number) {
  const auto error = [&](std::string_view message) {
    return Error{.message = fmt::format(fmt::runtime(message), options.proto), .file = {}};
  };
  if (has_ports(number) && !options.port) return error("{} needs a destination port: --port");
  if (!has_ports(number) && (options.port || options.source_port)) return error("{} has no ports");
  if (!is_icmp(number) && (options.icmp_type || options.icmp_code))
    return error("{} has no ICMP type or code");
  if (options.icmp_code && !options.icmp_type) return error("an ICMP code needs its type: --icmp-type");
  return std::nullopt;
}

Result<Asked> asked_of(const Options& options) {
  TRY(from, address_of("--from", options.from));
  TRY(to, address_of("--to", options.to));
  const auto number = protocol_number(options.proto);
  if (!number)
    return fail(fmt::format(
        "no protocol '{}'; there are tcp, udp, icmp, icmp6, sctp, gre, esp, ah and numbers", options.proto));
  if (auto error = misplaced_option(options, *number)) return fail(std::move(*error));
  Asked asked;
  Packet& packet = asked.question.packet;
  packet = {from, to, *number, options.source_port.value_or(0), options.port.value_or(0)};
  const std::string way = fmt::format("{} {} -> ", protocol_name(*number), to_string(from));
  const std::string host = to_string(to);
  if (has_ports(*number)) {
    asked.text =
        fmt::format(fmt::runtime(to.is_v4() ? "{}{}:{}, " : "{}[{}]:{}, "), way, host, *options.port);
    if (options.source_port) asked.text += fmt::format("from source port {}", *options.source_port);
    else asked.text += "from every source port 1024-65535";
    if (!options.source_port) asked.question.source_ports = PortSet(1024, 65535);
  } else if (is_icmp(*number)) {
    const std::uint8_t echo_request = *number == protocol::icmp ? 8 : 128;
    packet.source_port = options.icmp_type.value_or(echo_request);
    packet.destination_port = options.icmp_code.value_or(0);
    asked.text = fmt::format("{}{}, type {} code {}", way, host, packet.source_port, packet.destination_port);
    if (!options.icmp_type) asked.inferred.push_back("an echo request is meant (--icmp-type)");
  } else {
    asked.text = way + host;
  }
  return asked;
}

report::RulePlace place_of(const Policy& policy, model::RuleRef ref) {
  const Span span = policy.rule(ref).span;
  return {model::rule_name(policy, ref), model::file_of(policy, span), model::line_of(policy, span),
          std::string(model::rule_text(policy, ref))};
}

// "deny by OUT line 2", "permit: no list on the way"
std::string in_short(const Policy& policy, const model::Decision& decision);

std::string in_short(const Policy& policy, const model::Decision& decision) {
  const std::string_view verdict = model::to_string(decision.verdict);
  if (decision.decider.rule)
    return fmt::format("{} by {}", verdict, model::rule_name(policy, *decision.decider.rule));
  const std::string implicit = model::implicit_of(policy, decision.decider);
  return implicit.empty() ? std::string(verdict) : fmt::format("{}: {}", verdict, implicit);
}

std::string_view word(model::Dimension dimension) {
  switch (dimension) {
    case model::Dimension::ingress: return "ingress";
    case model::Dimension::egress: return "egress";
    case model::Dimension::application: return "application";
    case model::Dimension::program: return "program";
    case model::Dimension::profile: return "profile";
    case model::Dimension::direction: return "direction";
    case model::Dimension::family: return "family";
  }
  return "";
}

bool says_the_same(const model::Fork& fork, model::Verdict verdict) {
  return std::ranges::all_of(fork.cases, [&](const auto& one) { return one.decision.verdict == verdict; });
}

std::string names_of(const model::Fork& fork) {
  std::string names;
  for (const model::Fork::Case& one : fork.cases) names += (names.empty() ? "" : ", ") + one.name;
  return names;
}

// A fork that is not open was either settled by the packet itself, or leads to the same answer everywhere.
void add_fork(TraceReport& out, const Policy& policy, const model::Fork& fork, model::Verdict verdict) {
  const std::string_view name = word(fork.dimension);
  if (!fork.is_open && says_the_same(fork, verdict)) {
    out.frame.inferred.push_back(
        fmt::format("{} not given: the same answer for each of {} (--{})", name, names_of(fork), name));
  } else if (!fork.is_open) {
    out.frame.inferred.push_back(fmt::format("{} not given: taken from the destination (--{})", name, name));
  } else {
    for (const model::Fork::Case& one : fork.cases) {
      const auto& rule = one.decision.decider.rule;
      out.conditions.push_back({std::string(name), one.name, in_short(policy, one.decision),
                                rule ? std::optional(place_of(policy, *rule)) : std::nullopt});
    }
  }
}

std::string port_text(const std::vector<model::PortAnswer>& ports) {
  std::string text;
  for (const model::PortAnswer& part : ports)
    text += fmt::format("{}{} from {}", text.empty() ? "" : "; ", model::to_string(part.verdict),
                        to_string(part.ports));
  return text;
}

std::string line_text(const Policy& policy, Span span) {
  if (span.begin == span.end) return {};
  return std::string(policy.sources[span.source]->line_at(span.begin));
}

void add_conditions(TraceReport& out, const Policy& policy, const model::Trace& answer) {
  for (const model::Fork& fork : answer.forks) add_fork(out, policy, fork, answer.decision.verdict);
  const auto is_told = [&](model::ConditionKind kind) {
    return std::ranges::any_of(answer.forks, [&](const model::Fork& fork) {
      return fork.is_open && word(fork.dimension) == model::to_string(kind);
    });
  };
  if (answer.decision.verdict != model::Verdict::unknown) return;  // what hung on them came out the same
  for (const model::OpenCondition& open : answer.decision.conditions) {
    const model::Condition& condition = policy.conditions[open.condition];
    if (is_told(condition.kind)) continue;  // case by case, above
    TraceReport::Condition one{std::string(model::to_string(condition.kind)), condition.name, {}, {}};
    if (open.rule) one.rule = place_of(policy, *open.rule);
    if (condition.kind == model::ConditionKind::source_port) one.text = port_text(answer.ports);
    else one.text = one.rule ? one.rule->text : line_text(policy, condition.where);
    out.conditions.push_back(std::move(one));
  }
}

std::string_view word(model::Hop::Outcome outcome) {
  switch (outcome) {
    case model::Hop::Outcome::no_match: return "no match";
    case model::Hop::Outcome::possible: return "possible";
    case model::Hop::Outcome::match: return "match";
  }
  return "";
}

std::string socket_text(Address address, std::uint16_t port) {
  return address.is_v4() ? fmt::format("{}:{}", to_string(address), port)
                         : fmt::format("[{}]:{}", to_string(address), port);
}

// Commands for the ingress that was given, else for each (four at most) that the way may begin with.
std::vector<std::string> verify_commands(const intake::Intake& intake, const Device& device,
                                         const model::TraceQuestion& question, const Packet& packet) {
  constexpr std::size_t most = 4;
  if (question.context.chain) return {};  // the device answers for the whole way only
  std::vector<std::string> ingresses;
  const auto known = question.context.known.find(model::Dimension::ingress);
  if (known != question.context.known.end()) ingresses.push_back(known->second);
  else ingresses = model::cases_of(device.policy, model::Dimension::ingress);
  if (ingresses.empty()) ingresses.emplace_back();
  if (ingresses.size() > most) ingresses.resize(most);
  std::vector<std::string> commands;
  for (const std::string& ingress : ingresses)
    for (std::string& command : intake.vendor->verify(device, packet, ingress))
      if (std::ranges::find(commands, command) == commands.end()) commands.push_back(std::move(command));
  return commands;
}

std::optional<Error> choose_chain(model::Context& context, const Policy& policy, const std::string& chain) {
  if (chain.empty()) return std::nullopt;
  const auto found = std::ranges::find(policy.lists, chain, &model::RuleList::name);
  if (found == policy.lists.end()) {
    std::vector<std::string_view> names;
    for (const model::RuleList& list : policy.lists)
      if (std::ranges::find(names, list.name) == names.end()) names.push_back(list.name);
    return no_such("list", chain, names);
  }
  context.chain = static_cast<model::ListId>(found - policy.lists.begin());
  return std::nullopt;
}

Result<TraceReport> report_of(const Options& options, const intake::Intake& intake) {
  TRY(asked, asked_of(options));
  TRY(device, intake::device_in(intake, options.device.context));
  const Policy& policy = device->policy;
  TRY(way, way_of(options.way, policy));
  asked.question.context = std::move(way.context);
  if (auto error = choose_chain(asked.question.context, policy, options.chain))
    return fail(std::move(*error));
  TRY(answer, model::trace(policy, asked.question));

  TraceReport out;
  add_reading(out.frame, intake, Digests::wanted);
  out.frame.inferred = std::move(asked.inferred);
  out.frame.inferred.insert(out.frame.inferred.end(), device->inferred.begin(), device->inferred.end());
  out.frame.assumed = std::move(way.assumed);
  for (std::size_t i = intake.sources.size() - intake.scripts; i < intake.sources.size(); ++i)
    out.frame.assumed.push_back(fmt::format("{} was typed in", printable(intake.sources[i]->name())));
  out.summary = device->summary;
  out.asked = std::move(asked.text);
  if (!options.way.ingress.empty()) out.asked += fmt::format(", enters at {}", options.way.ingress);
  if (!options.chain.empty()) out.asked += fmt::format(", list {} alone", options.chain);
  out.verdict = answer.decision.verdict;
  if (answer.decision.decider.rule) out.decided_by = place_of(policy, *answer.decision.decider.rule);
  if (out.verdict != model::Verdict::unknown)
    out.implicit = model::implicit_of(policy, answer.decision.decider);
  add_conditions(out, policy, answer);
  if (const auto& moved = answer.decision.translated)
    out.translated_to = has_ports(moved->protocol) ? socket_text(moved->destination, moved->destination_port)
                                                   : to_string(moved->destination);
  for (const model::Hop& hop : answer.decision.path)
    out.path.push_back({place_of(policy, hop.rule), std::string(word(hop.outcome))});
  out.verify = verify_commands(intake, *device, asked.question, answer.packet);
  return out;
}

int run(const Options& options, Streams& streams) {
  const auto request = request_of(options.device);
  if (!request) return not_judged(streams, request.error());
  const auto intake = intake::read_device(*request);
  if (!intake) return not_judged(streams, intake.error());
  auto report = report_of(options, *intake);
  if (!report) return not_judged(streams, report.error());
  const bool is_as_expected = options.expect.empty() || options.expect == model::to_string(report->verdict);
  const int status = intake::has_script_errors(*intake)
                         ? exit_not_judged
                         : exit_status(options.output, is_as_expected ? exit_answered : exit_findings);
  report->frame.exit = status;
  if (options.output.format == "text") streams.err << diagnostics_text(*intake);
  if (!is_as_expected)
    streams.err << fmt::format("aclmend trace: expected {}, found {}\n", options.expect,
                               model::to_string(report->verdict));
  const Format formats[] = {{"text", [&] { return report::terminal::trace(*report); }},
                            {"json", [&] { return report::json::trace(*report); }}};
  return emit(streams, options.output, formats, status);
}

std::function<int(Streams&)> define(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  declare(app, options->device, Files::of_one_device);
  declare_apply(app, options->device);
  app.add_option("--from", options->from, "source address")->required()->type_name("ADDRESS");
  app.add_option("--to", options->to, "destination address, as it is on the wire")
      ->required()
      ->type_name("ADDRESS");
  app.add_option("--port", options->port, "destination port")->type_name("N");
  app.add_option("--source-port", options->source_port, "source port (else every one from 1024 to 65535)")
      ->type_name("N");
  app.add_option("--proto", options->proto,
                 "tcp (the default), udp, icmp, icmp6, sctp, gre, esp, ah or a number")
      ->type_name("NAME");
  app.add_option("--icmp-type", options->icmp_type, "ICMP type (else an echo request)")->type_name("N");
  app.add_option("--icmp-code", options->icmp_code, "ICMP code")->type_name("N");
  app.add_option("--chain", options->chain, "ask one list alone")->type_name("NAME");
  declare(app, options->way);
  app.add_option("--expect", options->expect, "exit 1 where the answer is another")
      ->check(CLI::IsMember({"permit", "deny", "unknown"}))
      ->type_name("permit|deny|unknown");
  declare(app, options->output, "text or json");
  return [options](Streams& streams) { return run(*options, streams); };
}

}  // namespace

extern const Command trace_command;
const Command trace_command{
    .name = "trace",
    .group = "Find",
    .summary = "one packet: verdict, deciding line, the way to it",
    .examples =
        "Would this packet get through, and which line says so?\n\n"
        "  aclmend trace edge.cfg --from 52.100.0.1 --to 203.0.113.25 --port 25\n"
        "  aclmend trace edge.cfg --from 52.100.0.1 --to 203.0.113.25 --port 25 --ingress outside \\\n"
        "    --expect permit                 a test: exit status 1 where the answer is another\n"
        "  aclmend trace edge.cfg --from 192.0.2.7 --to 203.0.113.25 --proto icmp\n",
    .define = define,
};

}  // namespace aclmend::cli
