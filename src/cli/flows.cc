// aclmend flows list / show / check: the required flows in force, and whether a file is one.
#include "inventory/flows.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "audit/codes.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/located.h"
#include "cli/options.h"
#include "report/flows.h"

namespace aclmend::cli {
namespace {

struct Options {
  std::vector<std::string> rules;
  std::vector<std::string> words;  // ids to show, files to check
  OutputOptions output;
};

// A folder that cannot be used leaves nothing to list: its errors alone are the answer.
int refused(Streams& streams, const inventory::Errors& errors) {
  for (const Error& error : errors) not_judged(streams, error);
  return exit_not_judged;
}

int list(const Options& options, Streams& streams) {
  auto flows = inventory::load_flows(options.rules);
  if (!flows) return refused(streams, flows.error());
  const report::FlowsReport report{{}, *std::move(flows)};
  const Format formats[] = {{"text", [&] { return report::terminal::flows_list(report); }},
                            {"json", [&] { return report::json::flows_list(report); }}};
  return emit(streams, options.output, formats, exit_answered);
}

int show(const Options& options, Streams& streams) {
  const auto flows = inventory::load_flows(options.rules);
  if (!flows) return refused(streams, flows.error());
  const auto found = inventory::flows_asked(*flows, options.words);  // for its error alone
  if (!found) return not_judged(streams, found.error());
  report::FlowsReport report;
  for (const std::string& id : options.words) report.flows.push_back(*inventory::find_flow(*flows, id));
  const Format formats[] = {{"text", [&] { return report::terminal::flows_show(report); }},
                            {"json", [&] { return report::json::flows_show(report); }}};
  return emit(streams, options.output, formats, exit_answered);
}

struct Checked {
  report::FlowsCheck report;
  std::vector<SourcePtr> sources;
};

Checked checked_files(std::span<const std::string> files) {
  Checked checked;
  report::FlowsCheck& report = checked.report;
  for (const std::string& file : files) {
    const auto source = read_file(file);
    if (source) {
      checked.sources.push_back(*source);
      report.frame.inputs.push_back(input_of(**source));
    } else {
      report.frame.diagnostics.push_back(remark_of(source.error()));
    }
    report.files.push_back({source ? (*source)->name() : file, {}});
  }
  if (const auto flows = inventory::load_flow_files(checked.sources); !flows)
    for (const Error& error : flows.error()) report.frame.diagnostics.push_back(remark_of(error));
  for (const SourcePtr& source : checked.sources) {
    const auto is_its = [&](const auto& one) { return one.file == source->name(); };
    if (std::ranges::any_of(report.frame.diagnostics, is_its)) continue;
    const auto flow = inventory::read_flow(*source);
    if (!flow) continue;  // its errors stand in the diagnostics
    if (!flow->code.empty() && audit::code_named(flow->code) == nullptr)
      report.frame.diagnostics.push_back(remark_of(
          inventory::Remark{Severity::error, flow->place,
                            fmt::format("there is no finding code {} (aclmend explain)", flow->code)}));
    else std::ranges::find_if(report.files, is_its)->id = flow->id;
  }
  return checked;
}

// Without files: what is in force.
Checked checked_flows(const std::vector<std::string>& folders) {
  Checked checked;
  report::FlowsCheck& report = checked.report;
  const auto flows = inventory::load_flows(folders);
  if (flows)
    for (const inventory::Flow& flow : *flows) report.files.push_back({flow.place.file, flow.id});
  else
    for (const Error& error : flows.error()) report.frame.diagnostics.push_back(remark_of(error));
  return checked;
}

int check(const Options& options, Streams& streams) {
  Checked checked = options.words.empty() ? checked_flows(options.rules) : checked_files(options.words);
  report::FlowsCheck& report = checked.report;
  report.frame.exit = report.frame.diagnostics.empty() ? exit_answered : exit_not_judged;
  if (options.output.format == "text") streams.err << rendered(report.frame.diagnostics, checked.sources);
  const Format formats[] = {{"text", [&] { return report::terminal::flows_check(report); }},
                            {"json", [&] { return report::json::flows_check(report); }}};
  return emit(streams, options.output, formats, report.frame.exit);
}

std::function<int(Streams&)> define(CLI::App& app) {
  using Run = int (*)(const Options&, Streams&);
  struct Chosen {
    Options options;
    Run run = nullptr;
  };
  const auto chosen = std::make_shared<Chosen>();
  const auto add = [&](const char* name, const char* summary, Run run) {
    CLI::App* command = app.add_subcommand(name, summary);
    declare_rules(*command, chosen->options.rules);
    declare(*command, chosen->options.output, "text or json");
    command->callback([chosen, run] { chosen->run = run; });
    return command;
  };
  add("list", "the flows in force: those shipped, and those of --rules", list);
  add("show", "one flow whole, with the reasoning and its documents", show)
      ->add_option("id", chosen->options.words, "flows to show")
      ->required()
      ->type_name("ID");
  add("check", "can these files be used as flows? exit 0 yes, 2 no", check)
      ->add_option("file", chosen->options.words,
                   "flow files, beside those shipped (none: all that are in force)")
      ->excludes("--rules")
      ->type_name("FILE");
  app.require_subcommand(1);
  return [chosen](Streams& streams) { return chosen->run(chosen->options, streams); };
}

}  // namespace

extern const Command flows_command;
const Command flows_command{
    .name = "flows",
    .group = "Set up",
    .summary = "the required flows: list, show, check",
    .examples =
        "Which traffic must get through, and why?\n\n"
        "  aclmend flows list                              what is asked, and when\n"
        "  aclmend flows show eop-inbound-smtp             the reasoning, with its documents\n"
        "  aclmend flows list --rules our-flows            with those of a folder of your own\n"
        "  aclmend flows check our-flows/*.yaml            exit status 0: usable, 2: not\n",
    .define = define,
};

}  // namespace aclmend::cli
