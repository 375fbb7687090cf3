// aclmend inventory check / show / schema: aclmend.yaml, the devices it names and how each will be asked.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>

#include "base/embedded.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/located.h"
#include "cli/options.h"
#include "inventory/flows.h"
#include "inventory/plan.h"
#include "inventory/read.h"
#include "report/inventory.h"
#include "vendors/vendor.h"

namespace aclmend::cli {
namespace {

struct Options {
  std::string file;
  OutputOptions output;
};

struct Answer {
  report::InventoryReport report;
  std::vector<SourcePtr> sources;  // to show the lines of

  void remark(Severity severity, const inventory::Place& place, std::string message) {
    report.frame.diagnostics.push_back(remark_of(inventory::Remark{severity, place, std::move(message)}));
  }
};

Result<Answer> answer_of(const Options& options) {
  std::string path = options.file;
  if (path.empty()) {
    const auto found = inventory::find_inventory("");
    if (!found)
      return fail(fmt::format("there is no {} here or in a folder above (--inventory FILE)",
                              inventory::inventory_name));
    path = *found;
  }
  TRY(source, read_file(path));
  Answer answer;
  answer.sources.push_back(source);
  answer.report.file = source->name();
  answer.report.frame.inputs.push_back(input_of(*source));
  auto read = inventory::read_inventory(*source);
  if (!read) {
    for (const Error& error : read.error()) answer.report.frame.diagnostics.push_back(remark_of(error));
    return answer;
  }
  answer.report.plan = inventory::plan(*read);
  for (const inventory::Remark& remark : answer.report.plan.remarks)
    answer.report.frame.diagnostics.push_back(remark_of(remark));
  answer.report.inventory = *std::move(read);
  return answer;
}

// ---- what `check` looks at beside: the things that the inventory names

void check_file(Answer& answer, const inventory::Place& place, const std::string& file) {
  std::error_code status;
  const auto kind = std::filesystem::status(file, status).type();
  if (kind == std::filesystem::file_type::not_found)
    answer.remark(Severity::error, place, fmt::format("the file '{}' is not there", file));
  else if (kind == std::filesystem::file_type::directory)
    answer.remark(Severity::error, place, fmt::format("'{}' is a folder, not a file", file));
  else if (kind == std::filesystem::file_type::none)
    answer.remark(Severity::error, place,
                  fmt::format("the file '{}' cannot be looked at: {}", file, status.message()));
}

void check_vendor(Answer& answer, const inventory::PlannedDevice& device) {
  std::vector<std::string_view> ids;
  for (const Vendor* vendor : all_vendors()) ids.push_back(vendor->id);
  const std::string& vendor = device.question.vendor;
  if (!vendor.empty() && std::ranges::find(ids, vendor) == ids.end())
    answer.remark(Severity::error, device.place, no_such("vendor", vendor, ids).message);
}

void check_flows(Answer& answer) {
  const inventory::Inventory& inventory = *answer.report.inventory;
  std::vector<std::string> folders;
  if (!inventory.rules.empty()) folders.push_back(inventory.rules);
  const auto flows = inventory::load_flows(folders);
  if (!flows) {
    for (const Error& error : flows.error()) answer.report.frame.diagnostics.push_back(remark_of(error));
    return;
  }
  const auto check = [&](const std::vector<std::string>& ids, const inventory::Place& place) {
    if (const auto asked = inventory::flows_asked(*flows, ids); !asked)
      answer.remark(Severity::error, place, asked.error().message);
  };
  for (const inventory::DeviceEntry& entry : inventory.devices) check(entry.question.flows, entry.place);
  for (const inventory::PathEntry& path : inventory.paths) check(path.flows, path.place);
}

void check_what_is_named(Answer& answer) {
  for (const inventory::PlannedDevice& device : answer.report.plan.devices) {
    for (const std::string& file : device.files) check_file(answer, device.place, file);
    for (const inventory::PlannedSet& set : device.sets) check_file(answer, set.place, set.path);
    check_vendor(answer, device);
  }
  const inventory::Inventory& inventory = *answer.report.inventory;
  if (!inventory.endpoints.file.empty())
    check_file(answer, inventory.endpoints.place, inventory.endpoints.file);
  check_flows(answer);
  std::ranges::stable_sort(answer.report.frame.diagnostics, {}, [&](const report::Remark& remark) {
    return std::tuple(remark.file != answer.report.file, remark.file, remark.line, remark.column);
  });
}

int finish(Answer& answer, const Options& options, Streams& streams, std::span<const Format> formats) {
  if (options.output.format == "text")
    streams.err << rendered(answer.report.frame.diagnostics, answer.sources);
  return emit(streams, options.output, formats, answer.report.frame.exit);
}

void set_exit(report::InventoryReport& report) {
  const bool is_usable = std::ranges::find(report.frame.diagnostics, Severity::error,
                                           &report::Remark::severity) == report.frame.diagnostics.end();
  report.frame.exit = is_usable ? exit_answered : exit_not_judged;
}

int check(const Options& options, Streams& streams) {
  auto answer = answer_of(options);
  if (!answer) return not_judged(streams, answer.error());
  if (answer->report.inventory) check_what_is_named(*answer);
  set_exit(answer->report);
  const Format formats[] = {{"text", [&] { return report::terminal::inventory_check(answer->report); }},
                            {"json", [&] { return report::json::inventory_check(answer->report); }}};
  return finish(*answer, options, streams, formats);
}

int show(const Options& options, Streams& streams) {
  auto answer = answer_of(options);
  if (!answer) return not_judged(streams, answer.error());
  set_exit(answer->report);
  const Format formats[] = {{"text", [&] { return report::terminal::inventory_show(answer->report); }},
                            {"json", [&] { return report::json::inventory_show(answer->report); }}};
  return finish(*answer, options, streams, formats);
}

int schema(const Options& options, Streams& streams) {
  const std::string text(embedded_schemas().front().text);
  if (options.output.file.empty() || options.output.file == "-") {
    streams.out << text;
    return exit_answered;
  }
  const auto written = write_file(options.output.file, text);
  return written ? exit_answered : not_judged(streams, written.error());
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
    command->callback([chosen, run] { chosen->run = run; });
    return command;
  };
  const auto add_with_file = [&](const char* name, const char* summary, Run run) {
    CLI::App* command = add(name, summary, run);
    command
        ->add_option("file,--inventory", chosen->options.file,
                     "the inventory (else aclmend.yaml here or in a folder above)")
        ->type_name("FILE");
    declare(*command, chosen->options.output, "text or json");
  };
  add_with_file("check", "can it be used, and is there what it names? exit 0 yes, 2 no", check);
  add_with_file("show", "the devices, their files, and how each will be asked", show);
  add("schema", "the JSON Schema of aclmend.yaml, for editors", schema)
      ->add_option("-o,--output", chosen->options.output.file, "write it to a file")
      ->type_name("FILE");
  app.require_subcommand(1);
  return [chosen](Streams& streams) { return chosen->run(chosen->options, streams); };
}

}  // namespace

extern const Command inventory_command;
const Command inventory_command{
    .name = "inventory",
    .group = "Set up",
    .summary = "aclmend.yaml: check, show, schema",
    .examples =
        "Which devices does the inventory name, and is it sound?\n\n"
        "  aclmend inventory check                         aclmend.yaml here or in a folder above\n"
        "  aclmend inventory show fleet/aclmend.yaml       each device, its files, how it is asked\n"
        "  aclmend inventory schema -o aclmend.schema.json for the editor\n",
    .define = define,
};

}  // namespace aclmend::cli
