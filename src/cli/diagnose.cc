// aclmend diagnose: the outage, from whatever evidence there is to its cause.
#include "diagnose/diagnose.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/gathering.h"
#include "report/diagnose.h"

namespace aclmend::cli {
namespace {

constexpr std::string_view standard_input = "standard input", trace_text = "--trace-text";

struct Options {
  AskOptions ask;
  OutputOptions output;
  std::string trace;
  std::vector<std::string> traces, receive_logs, drop_logs, configs;
  std::string host, zone;
  bool shows_unread = false, is_ticket = false, is_redacted = false;
};

// A pasted text, or a file that is piped in: whole, since it may be a configuration.
Result<std::string> all_of(std::istream& in) {
  constexpr std::size_t largest = std::size_t{64} << 20, piece = 1 << 16;
  std::string text;
  while (in && text.size() <= largest) {
    const std::size_t had = text.size();
    text.resize(had + piece);
    in.read(text.data() + had, piece);
    text.resize(had + static_cast<std::size_t>(in.gcount()));
  }
  if (text.size() <= largest) return text;
  return fail({.message = "more than 64 MiB on standard input", .file = {}, .hint = "name the file instead"});
}

Result<std::vector<OutageInput>> inputs_of(const Options& options, Streams& streams) {
  std::vector<OutageInput> inputs;
  const auto add = [&](const std::vector<std::string>& files, InputKind kind) {
    for (const std::string& file : files) inputs.push_back({file, kind, std::nullopt});
  };
  if (!options.trace.empty()) inputs.push_back({std::string(trace_text), InputKind::evidence, options.trace});
  add(options.traces, InputKind::evidence);
  add(options.ask.device.files, InputKind::unknown);
  add(options.receive_logs, InputKind::evidence);
  add(options.drop_logs, InputKind::evidence);
  add(options.configs, InputKind::configuration);
  if (inputs.empty() && options.ask.flow.inventory.empty()) {
    inputs.push_back({"-", InputKind::unknown, std::nullopt});
    if (streams.err_is_terminal)
      streams.err << "Paste the error text of the delayed message, then Enter and Ctrl-D.\n";
  }
  if (std::ranges::count(inputs, "-", &OutageInput::name) > 1)
    return fail("standard input ('-') can be read only once");
  for (OutageInput& input : inputs) {
    if (input.name != "-") continue;
    TRY(text, all_of(streams.in));
    input.name = standard_input;
    input.text = std::move(text);
  }
  return inputs;
}

// Recognised, without what cannot be opened; that was said.
std::vector<OutageInput> recognised(std::vector<OutageInput> inputs, Streams& streams, bool& has_unread) {
  std::vector<OutageInput> known;
  for (OutageInput& input : inputs) {
    const auto done = recognise(input);
    if (!done) {
      not_judged(streams, done.error());
      has_unread = true;
      continue;
    }
    known.push_back(std::move(input));
  }
  return known;
}

Error nothing_in(const OutageInput& input) {
  return {.message = "no error text, log or configuration is in it",
          .file = input.name,
          .line = 0,
          .column = 0,
          .hint = "paste the Detail of the delayed message: 450 4.4.316 Connection refused …"};
}

// What was pasted is an error text, or nothing: no hints on exports then.
bool is_hopeless(const std::vector<OutageInput>& inputs) {
  if (inputs.size() != 1 || !inputs.front().text || inputs.front().kind != InputKind::configuration)
    return false;
  const Source source(inputs.front().name, *inputs.front().text);
  return std::ranges::none_of(all_vendors(),
                              [&](const Vendor* vendor) { return vendor->recognise(source).confidence > 0; });
}

Result<std::optional<std::int16_t>> zone_of(const std::string& text) {
  if (text.empty()) return std::optional<std::int16_t>{};
  const auto offset = parse_offset(text);
  if (offset) return offset;
  return fail(fmt::format(
      "--log-timezone '{}': expected UTC, or hours and minutes east of it, such as +02:00", text));
}

int status_of(const diagnose::Diagnosis& diagnosis, bool has_unread) {
  if (has_unread || diagnosis.has_unjudged) return exit_not_judged;
  const bool is_not_ok = std::ranges::any_of(
      diagnosis.steps, [](const diagnose::Step& step) { return step.status == diagnose::Status::not_ok; });
  return is_not_ok ? exit_findings : exit_answered;
}

int run(const Options& options, Streams& streams) {
  const auto zone = zone_of(options.zone);
  if (!zone) return not_judged(streams, zone.error());
  if (options.is_ticket && options.output.format != "text")
    return not_judged(streams, {.message = "--ticket goes with --format text", .file = {}});
  auto given = inputs_of(options, streams);
  if (!given) return not_judged(streams, given.error());
  bool has_unread = false;
  const std::vector<OutageInput> inputs = recognised(std::move(*given), streams, has_unread);
  if (inputs.empty() && options.ask.flow.inventory.empty()) return exit_not_judged;
  if (is_hopeless(inputs)) return not_judged(streams, nothing_in(inputs.front()));
  GatherOptions gather{.ask = options.ask,
                       .host = options.host,
                       .zone = *zone,
                       .shows_unread = options.shows_unread,
                       .wants_digests = options.output.format != "text" || !options.output.reports.empty()};
  gather.ask.device.files.clear();
  auto found = gathered(inputs, gather, streams);
  if (!found) return not_judged(streams, found.error());
  streams.err << found->diagnostics;
  diagnose::Facts& facts = found->facts;
  if (options.ask.flow.store.offline) facts.probe_error = "not asked (--offline)";
  else probe_from_here(facts, facts.host);

  report::DiagnoseReport report{std::move(found->frame), diagnose::diagnose(facts)};
  const int status = status_of(report.diagnosis, has_unread || found->has_unread_input);
  report.frame.exit = exit_status(options.output, status);
  diagnose::Redaction redaction(facts);
  if (options.is_redacted) {
    report.diagnosis = redaction.diagnosis(std::move(report.diagnosis));
    for (std::string& text : report.frame.inferred) text = redaction.text(text);
  }
  const auto text = [&] {
    if (!options.is_ticket) return report::terminal::diagnose(report);
    return options.is_redacted ? redaction.text(diagnose::ticket(facts)) : diagnose::ticket(facts);
  };
  const Format formats[] = {{"text", text}, {"json", [&] { return report::json::diagnose(report); }}};
  return emit(streams, options.output, formats, status);
}

std::function<int(Streams&)> define(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  declare(app, options->ask, Files::of_any_kind);
  declare(app, options->output, "text or json");
  app.add_option("--trace-text", options->trace, "the error text itself")->type_name("TEXT");
  const auto files = [&](const char* name, std::vector<std::string>& to, const char* what) {
    app.add_option(name, to, what)->type_name("FILE")->allow_extra_args(false);
  };
  files("--trace-file", options->traces, "a file with error texts or a message trace (repeatable)");
  files("--receive-log", options->receive_logs, "a log of Exchange's receive connectors (repeatable)");
  files("--drop-log", options->drop_logs, "a firewall's log (repeatable)");
  files("--config", options->configs, "a firewall's configuration (repeatable)");
  app.add_option("--host", options->host,
                 "mail host to ask from here (else the one of the error text; --offline asks nobody)")
      ->type_name("NAME");
  app.add_option("--log-timezone", options->zone, "the zone of clocks that name none: UTC, +02:00")
      ->type_name("ZONE");
  app.add_flag("--ticket", options->is_ticket, "the page for the firewall team in place of the diagnosis");
  app.add_flag("--redact", options->is_redacted,
               "replace addresses and names that are not Microsoft's, equal ones by equal ones");
  app.add_flag("--show-unread", options->shows_unread, "print every line of evidence that was not read");
  return [options](Streams& streams) { return run(*options, streams); };
}

}  // namespace

extern const Command diagnose_command;
const Command diagnose_command{
    .name = "diagnose",
    .group = "Outage",
    .summary = "the outage: from whatever evidence there is to its cause",
    .examples =
        "Mail from Microsoft 365 is late. Where does it stop, and whom do I ask for what?\n\n"
        "  aclmend diagnose                               paste the error text, Enter, Ctrl-D\n"
        "  aclmend diagnose deferral.txt RECV*.LOG asa-syslog.txt edge.cfg\n"
        "  aclmend diagnose deferral.txt --ticket         the page for the firewall team\n"
        "  aclmend diagnose deferral.txt edge.cfg --offline --redact    to show to others\n\n"
        "Files are recognised by their content. Without --offline the mail host of the error text is looked\n"
        "up and asked from here; it says QUIT before any mail.\n",
    .define = define,
};

}  // namespace aclmend::cli
