// aclmend fix: the snippet that lets the missing packets through and nothing else, with its proof.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <future>
#include <memory>

#include "base/file.h"
#include "cli/asking.h"
#include "cli/command.h"
#include "cli/examine.h"
#include "cli/frame.h"
#include "fix/question.h"
#include "intake/result.h"
#include "report/fix.h"

namespace aclmend::cli {
namespace {

using report::FixReport;

struct Options {
  AskOptions ask;
  OutputOptions output;
  std::string into;
  bool rollback = false;
  bool settle_unknown = false;
};

// The one device that is meant, as it was asked for.
struct Meant {
  const inventory::PlannedDevice* planned = nullptr;
  intake::Intake intake;
  const Device* device = nullptr;
};

Result<Meant> meant_by(const Options& options, const Asking& asking) {
  Meant meant;
  if (asking.from_inventory && asking.devices.size() != 1)
    return fail(
        fmt::format("these files are of {} devices of the inventory: name one", asking.devices.size()));
  meant.planned = &asking.devices.front();  // of several files, which are one device, the first names it
  TRY(request,
      asking.from_inventory ? request_for(options.ask, *meant.planned) : request_of(options.ask.device));
  TRY(intake, intake::read_device(request));
  meant.intake = std::move(intake);
  TRY(device, intake::device_in(meant.intake, meant.planned->question.context));
  meant.device = device;
  return meant;
}

std::vector<difference::Assumption> assumptions_of(const model::Context& context,
                                                   const model::Policy& policy) {
  std::vector<difference::Assumption> assumptions;
  for (const auto& [id, holds] : context.assumed) assumptions.push_back({policy.conditions[id], holds});
  return assumptions;
}

std::string inferred_text(const audit::Inference& inference) {
  if (!inference.shown_by) return inference.what;
  return fmt::format("{} ({}:{})", inference.what, inference.shown_by->file, inference.shown_by->line);
}

int status_of(const fix::Mend& mend) {
  if (!mend.error.empty() || mend.status == fix::Status::refused) return exit_not_judged;
  return mend.still_unknown.empty() ? exit_answered : exit_findings;
}

Result<FixReport> report_of(const Options& options, const Asking& asking, const Meant& meant) {
  const Vendor& vendor = *meant.intake.vendor;
  TRY(asked, question_for(asking, options.ask, *meant.planned, {vendor, *meant.device, meant.planned->name}));
  fix::Question question;
  question.assumed = assumptions_of(asked.question.context, meant.device->policy);
  question.audit = std::move(asked.question);
  question.device = meant.device;
  question.vendor = &vendor;
  question.unknown = options.settle_unknown ? fix::Unknown::settled : fix::Unknown::left_alone;
  // A large file takes as long to digest as to read: that is done beside the search.
  auto frame = std::async(std::launch::async, [&] {
    report::Frame inputs;
    add_reading(inputs, meant.intake, Digests::wanted);
    return inputs;
  });
  auto mend = fix::mend(question);
  FixReport report;
  report.frame = frame.get();
  if (!mend) return std::unexpected(mend.error());
  for (const audit::Inference& inference : mend->before.inferred)
    report.frame.inferred.push_back(inferred_text(inference));
  for (const std::string& text : meant.device->inferred) report.frame.inferred.push_back(text);
  report.frame.assumed = std::move(asked.assumed);
  report.release = asking.list.release;
  const std::size_t files =
      asking.from_inventory ? meant.planned->files.size() : options.ask.device.files.size();
  for (std::size_t i = 0; i < files; ++i) report.files.push_back(meant.intake.sources[i]->name());
  if (meant.intake.reading.devices.size() > 1) report.scope = meant.device->scope;
  report.typed = as_typed(options.ask);
  report.settles_unknown = options.settle_unknown;
  report.vendor = vendor.id;
  if (vendor.editing != nullptr) {
    const Editing& editing = *vendor.editing;
    report.made_for = editing.made_for(*meant.device);
    report.dialect = {std::string(editing.comment), std::string(editing.save), std::string(editing.confirmed),
                      std::string(editing.effect)};
  }
  report.mend = std::move(*mend);
  if (vendor.editing != nullptr && vendor.editing->at_once != nullptr)
    report.at_once = vendor.editing->at_once(report.mend.snippet);
  return report;
}

// edge.fix.txt, edge.rollback.txt and edge.proof.json in the folder.
std::optional<Error> write_into(const std::string& folder, const FixReport& report, Streams& streams) {
  const std::string name = std::filesystem::path(report.files.front()).stem().string();
  if (auto made = make_folder(folder); !made) return made.error();
  const std::pair<std::string_view, std::string> files[] = {
      {"fix.txt", report::terminal::fix(report)},
      {"rollback.txt", report::terminal::rollback(report)},
      {"proof.json", report::json::fix(report)},
  };
  for (const auto& [kind, text] : files) {
    const std::string path = fmt::format("{}{}{}.{}", folder, folder.ends_with('/') ? "" : "/", name, kind);
    if (const auto written = write_file(path, text); !written) return written.error();
    streams.err << fmt::format("wrote {}\n", path);
  }
  return std::nullopt;
}

int run_fix(const Options& options, Streams& streams) {
  if (options.rollback && options.output.format != "text")
    return not_judged(streams, {.message = "--rollback goes with --format text", .file = {}});
  const auto asking = asking_of(options.ask);
  if (!asking) return not_judged(streams, asking.error());
  const auto meant = meant_by(options, *asking);
  if (!meant) return not_judged(streams, meant.error());
  auto report = report_of(options, *asking, *meant);
  if (!report) return not_judged(streams, report.error());
  const int status = status_of(report->mend);
  report->frame.exit = exit_status(options.output, status);
  if (options.output.format == "text") streams.err << diagnostics_text(meant->intake);
  if (status == exit_not_judged) streams.err << report::terminal::fix_refused(*report);
  if (!options.into.empty() && status != exit_not_judged) {
    if (const auto error = write_into(options.into, *report, streams)) return not_judged(streams, *error);
  }
  const bool is_for_people = options.output.format == "text" && options.output.reports.empty();
  if (status == exit_not_judged && is_for_people) return status;  // no file for a snippet that is none
  const bool is_written = !options.into.empty() && options.output.format == "text";
  const Format formats[] = {{"text",
                             [&] {
                               if (is_written) return std::string();
                               return options.rollback ? report::terminal::rollback(*report)
                                                       : report::terminal::fix(*report);
                             }},
                            {"json", [&] { return report::json::fix(*report); }}};
  return emit(streams, options.output, formats, status);
}

std::function<int(Streams&)> define(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  declare(app, options->ask, Files::of_one_device);
  app.add_flag("--rollback", options->rollback, "print the rollback alone, without marks");
  app.add_option("--into", options->into, "write snippet, rollback and proof as files into this folder")
      ->type_name("DIR");
  app.add_flag("--settle-unknown", options->settle_unknown,
               "put a permit before what may deny, where the answer is unknown");
  declare(app, options->output, "text or json");
  return [options](Streams& streams) { return run_fix(*options, streams); };
}

}  // namespace

extern const Command fix_command;
const Command fix_command{
    .name = "fix",
    .group = "Mend",
    .summary = "the corrected lines with their rollback, proved before they are printed",
    .examples =
        "examples:\n"
        "  aclmend fix edge.cfg                         the snippet; all else on stdout is a comment\n"
        "  aclmend fix edge.cfg --rollback              what takes it back, alone\n"
        "  aclmend fix edge.cfg --into mend/            snippet, rollback and proof as files\n"
        "  aclmend fix edge.cfg --assume 'time-range OFFICE=off'\n",
    .define = define,
};

}  // namespace aclmend::cli
