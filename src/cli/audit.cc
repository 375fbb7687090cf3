// aclmend audit: required flows against configurations, one by one or as the inventory lists them.
//
// Devices are independent: each is read, asked and forgotten again on a thread of its own; results stand in
// the order in which the devices were named.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <memory>
#include <thread>

#include "base/text.h"
#include "cli/asking.h"
#include "cli/command.h"
#include "cli/examine.h"
#include "cli/frame.h"
#include "cli/options.h"
#include "report/audit.h"

namespace aclmend::cli {
namespace {

using inventory::PlannedDevice;
using report::AuditedDevice;
using report::AuditReport;

struct Options {
  AskOptions ask;
  OutputOptions output;
  std::string fail_on = "error";
  bool ledger = false;
  bool timing = false;
};

// One file or entry of the inventory after the audit: one device, or one a context.
struct Answer {
  std::vector<AuditedDevice> devices;
  report::Frame frame;      // its inputs and diagnostics
  std::string diagnostics;  // as people read them
  std::string ledger;
  std::vector<audit::Finding> findings;
  std::optional<Error> failure;  // nothing else is printed then
  bool has_script_errors = false;
  std::shared_ptr<const intake::Intake> read;  // of the only device; of several none is kept
  double read_seconds = 0, analysis_seconds = 0;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// ---- asking one device --------------------------------------------------------------------------------

audit::Finding unreadable_finding(const AuditedDevice& device) {
  const audit::CodeText& code = audit::text_of(audit::Code::device_unreadable);
  audit::Finding finding;
  finding.code = code.code;
  finding.severity = Severity::error;
  finding.title = code.title;
  finding.device = device.name;
  finding.devices = {device.name};
  finding.id = audit::fingerprint({device.name, code.id});
  finding.explanation = device.audit.error;
  finding.hint = code.remedy;
  return finding;
}

// What the ledger shows of a line: all of it where it is about the filter, the first word where nobody knows
// it, nothing of the rest, which may hold passwords and keys. What a filter line's fault is, its diagnostic
// shows.
std::string_view quoted(std::string_view line, LineState state) {
  constexpr std::size_t longest = 200;
  switch (state) {
    case LineState::no_effect: return {};
    case LineState::not_understood: return line.substr(0, std::min(line.find_first_of(" \t"), longest));
    case LineState::decides:
    case LineState::not_supported:
    case LineState::partly_understood: return line.substr(0, longest);
  }
  return {};
}

std::string ledger_text(const intake::Intake& intake) {
  std::string out;
  for (std::size_t s = 0; s < intake.reading.ledgers.size(); ++s) {
    const Source& source = *intake.sources[s];
    std::size_t begin = 0;
    const std::vector<LineState>& states = intake.reading.ledgers[s].lines;
    for (std::size_t line = 0; line < states.size(); ++line) {
      const std::size_t end = std::min(source.text().find('\n', begin), source.text().size());
      const std::string_view text = trimmed(source.text().substr(begin, end - begin));
      out += fmt::format("{}:{}: {:<18}{}\n", printable(source.name()), line + 1, to_string(states[line]),
                         printable(quoted(text, states[line])));
      begin = end + 1;
    }
  }
  return out;
}

bool wants_document(const OutputOptions& output) {
  return output.format != "text" || !output.reports.empty();
}

Answer asked(const Asking& asking, const Options& options, const PlannedDevice& planned) {
  Answer answer;
  const auto start = std::chrono::steady_clock::now();
  const auto request = request_for(options.ask, planned);
  if (!request) {
    answer.failure = request.error();
    return answer;
  }
  auto intake = intake::read_device(*request);
  answer.read_seconds = seconds_since(start);
  if (!intake && !request->scripts.empty()) {
    answer.failure = intake.error();
    return answer;
  }
  if (!intake) {
    answer.devices.push_back(unreadable(planned, intake.error()));
    return answer;
  }
  answer.has_script_errors = intake::has_script_errors(*intake);
  const auto analysis = std::chrono::steady_clock::now();
  const auto chosen = devices_asked(*intake, planned);
  if (!chosen) {
    answer.devices.push_back(unreadable(planned, chosen.error()));
    return answer;
  }
  for (const Device* device : *chosen) {
    auto audited = examined(asking, options.ask, planned,
                            {*intake, *device, chosen->size() > 1 ? OneOf::several : OneOf::one});
    if (!audited) {
      answer.failure = audited.error();
      return answer;
    }
    std::ranges::copy(audited->audit.findings, std::back_inserter(answer.findings));
    answer.devices.push_back(std::move(*audited));
  }
  answer.analysis_seconds = seconds_since(analysis);
  add_reading(answer.frame, *intake, wants_document(options.output) ? Digests::wanted : Digests::left_out);
  answer.diagnostics = diagnostics_text(*intake);
  if (options.ledger) answer.ledger = ledger_text(*intake);
  if (asking.devices.size() == 1) answer.read = std::make_shared<const intake::Intake>(std::move(*intake));
  return answer;
}

std::vector<Answer> ask_all(const Asking& asking, const Options& options) {
  std::vector<Answer> answers(asking.devices.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < answers.size(); i = next++)
      answers[i] = asked(asking, options, asking.devices[i]);
  };
  std::vector<std::jthread> helpers;
  const std::size_t threads =
      std::min<std::size_t>(answers.size(), std::max(std::thread::hardware_concurrency(), 1U));
  for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(work);
  work();
  return answers;
}

// ---- the report ---------------------------------------------------------------------------------------

std::string inferred_text(const AuditedDevice& device, const audit::Inference& inference, bool is_fleet) {
  std::string text = is_fleet ? device.name + ": " + inference.what : inference.what;
  if (inference.shown_by) text += fmt::format(" ({}:{})", inference.shown_by->file, inference.shown_by->line);
  return text;
}

AuditReport report_of(const Asking& asking, std::vector<Answer>& answers) {
  AuditReport report;
  report.release = asking.list.release;
  std::vector<audit::Finding> findings;
  for (Answer& answer : answers) {
    std::ranges::move(answer.frame.inputs, std::back_inserter(report.frame.inputs));
    std::ranges::move(answer.frame.diagnostics, std::back_inserter(report.frame.diagnostics));
    std::ranges::move(answer.findings, std::back_inserter(findings));
    std::ranges::move(answer.devices, std::back_inserter(report.devices));
  }
  for (const inventory::Remark& remark : asking.remarks)
    report.frame.diagnostics.push_back({remark.severity, remark.place.file, remark.place.line,
                                        remark.place.column, remark.message, Effect::none});
  for (const AuditedDevice& device : report.devices) {
    for (const audit::Inference& inference : device.audit.inferred)
      report.frame.inferred.push_back(inferred_text(device, inference, report.devices.size() > 1));
    for (const std::string& assumed : device.assumed)
      report.frame.assumed.push_back(report.devices.size() > 1 ? device.name + ": " + assumed : assumed);
    if (!device.audit.error.empty()) {
      findings.push_back(unreadable_finding(device));
      ++report.summary.unreadable;
    }
    const bool is_asked = std::ranges::any_of(device.audit.checks, [](const audit::Check& check) {
      return check.status != audit::Status::not_applicable;
    });
    if (device.audit.error.empty() && !is_asked) ++report.summary.not_asked;
  }
  if (asking.max_age)
    if (auto finding = audit::unchecked_list(asking.list.release, asking.list.checked, *asking.max_age,
                                             parse_date(asking.list.today).value()))
      findings.push_back(std::move(*finding));
  report.findings = audit::merged(std::move(findings));
  for (const audit::Finding& finding : report.findings) switch (finding.severity) {
      case Severity::error: ++report.summary.error; break;
      case Severity::warning: ++report.summary.warning; break;
      case Severity::note: ++report.summary.note; break;
    }
  return report;
}

int status_of(const AuditReport& report, const Asking& asking, std::span<const Answer> answers,
              std::optional<Severity> fail_on) {
  const auto is_error = [](const inventory::Remark& remark) { return remark.severity == Severity::error; };
  if (report.summary.unreadable > 0 || std::ranges::any_of(asking.remarks, is_error) ||
      std::ranges::any_of(answers, &Answer::has_script_errors))
    return exit_not_judged;
  const bool fails = fail_on && std::ranges::any_of(report.findings, [&](const audit::Finding& finding) {
                       return finding.severity >= *fail_on;
                     });
  return fails ? exit_findings : exit_answered;
}

void say_aside(Streams& streams, const Asking& asking, const std::vector<Answer>& answers,
               const Options& options) {
  double read = 0, analysis = 0;
  for (const inventory::Remark& remark : asking.remarks)
    streams.err << fmt::format("{}:{}:{}: {}: {}\n", printable(remark.place.file), remark.place.line,
                               remark.place.column, to_string(remark.severity), printable(remark.message));
  for (const Answer& answer : answers) {
    streams.err << answer.diagnostics;
    streams.out << answer.ledger;
    read += answer.read_seconds;
    analysis += answer.analysis_seconds;
  }
  if (options.timing) streams.err << fmt::format("read {:.4f} s\nanalysis {:.4f} s\n", read, analysis);
}

// What people type next, where one export as it is has something to mend.
std::string mend_command(const AuditReport& report, const Options& options) {
  const AskOptions& ask = options.ask;
  if (report.devices.size() != 1 || ask.device.files.size() != 1 || !ask.device.scripts.empty()) return {};
  const AuditedDevice& device = report.devices.front();
  const bool is_blocked = std::ranges::any_of(device.audit.checks, [](const audit::Check& check) {
    return !check.is_companion && check.status == audit::Status::fail;
  });
  if (!is_blocked) return {};
  return "aclmend fix " + for_a_shell(device.file) + as_typed(ask);
}

int run_audit(const Options& options, Streams& streams) {
  const auto severity = fail_on(options.fail_on);
  if (!severity) return not_judged(streams, severity.error());
  if (options.ledger && options.output.format != "text")
    return not_judged(streams, {.message = "--ledger goes with --format text", .file = {}});
  if (!options.ask.device.scripts.empty() && options.ask.device.files.size() != 1)
    return not_judged(streams,
                      {.message = "--apply goes with one configuration on the command line", .file = {}});
  const auto asking = asking_of(options.ask);
  if (!asking) return not_judged(streams, asking.error());
  std::vector<Answer> answers = ask_all(*asking, options);
  for (const Answer& answer : answers) {
    if (answer.failure) return not_judged(streams, *answer.failure);
    streams.kept.push_back(answer.read);
  }
  say_aside(streams, *asking, answers, options);
  AuditReport report = report_of(*asking, answers);
  report.mend = mend_command(report, options);
  const int status = status_of(report, *asking, answers, *severity);
  report.frame.exit = exit_status(options.output, status);
  const Format formats[] = {{"text", [&] { return report::terminal::audit(report); }},
                            {"json", [&] { return report::json::audit(report); }}};
  return emit(streams, options.output, formats, status);
}

std::function<int(Streams&)> define(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  declare(app, options->ask, Files::of_many_devices);
  declare_apply(app, options->ask.device);
  declare(app, options->output, "text or json");
  app.add_option("--fail-on", options->fail_on,
                 "findings from this severity on make exit 1: error, warning, note, never")
      ->type_name("SEVERITY");
  app.add_flag("--ledger", options->ledger, "print what became of every line of the input");
  app.add_flag("--timing", options->timing, "say on stderr how long reading and analysis took");
  return [options](Streams& streams) { return run_audit(*options, streams); };
}

}  // namespace

extern const Command audit_command;
const Command audit_command{
    .name = "audit",
    .group = "Find",
    .summary = "checks configurations against the required flows; names blocking lines",
    .examples =
        "examples:\n"
        "  aclmend audit edge.cfg                         one exported configuration\n"
        "  aclmend audit edge.cfg --to 203.0.113.25       the mail host, where it cannot be inferred\n"
        "  aclmend audit edge.cfg --apply change.txt      as it would be after these commands\n"
        "  aclmend audit                                  all devices of aclmend.yaml\n"
        "  aclmend audit edge.cfg --format json -o edge.json\n",
    .define = define,
};

}  // namespace aclmend::cli
