// aclmend endpoints history and verify: the releases in a row, and whether each follows from the one before.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>

#include "cli/command.h"
#include "cli/endpoint_lists.h"
#include "report/store.h"

namespace aclmend::cli {
namespace {

using endpoints::Instance;
using endpoints::Kept;

struct Options {
  ListOptions list;
  OutputOptions output;
};

Result<std::vector<Kept>> kept_of(const store::Store& store, Instance instance) {
  TRY(all, store.releases(endpoints::to_string(instance)));
  std::vector<Kept> kept;
  for (const store::Held& one : all) {
    TRY(held, store.release(one.instance, one.version.empty() ? one.as_of : one.version));
    TRY(release, release_of(store, *held));
    kept.push_back({std::move(release), one.first_seen});
  }
  return kept;
}

// What is compiled in: the SMTP rows of every version in which they changed, and the newest list.
Result<std::vector<Kept>> built_in(Instance instance) {
  std::set<std::string> versions;
  for (const endpoints::Listing& listing : endpoints::history(instance))
    for (const auto& when : {listing.since, listing.until})
      if (when && !when->version.empty()) versions.insert(when->version);
  std::vector<Kept> kept;
  for (const std::string& version : versions) {
    TRY(release, endpoints::at_version(instance, version));
    kept.push_back({std::move(release), {}});
  }
  kept.push_back({endpoints::newest(instance), {}});
  return kept;
}

Result<report::EndpointsHistory> history_report(const Options& options) {
  TRY(question, question_of(options.list, Rows::of_the_flow));
  if (question.literal)
    return fail(fmt::format("the flow {} names its ranges itself: no list changes them", question.flow));
  TRY(instance, instance_of(options.list.instance));
  report::EndpointsHistory report;
  report.instance = instance.value_or(Instance::worldwide);
  report.flow = question.flow;
  report.asked = question.words;
  TRY(store, open_store(options.list.store.store, store::Mode::read_only));
  TRY(kept, kept_of(store, report.instance));
  if (kept.empty()) {
    TRY(known, built_in(report.instance));
    kept = std::move(known);
    report.asked += ", as built in: the store holds no list of this instance";
  }
  report.releases = endpoints::release_changes(kept, question.selection);
  return report;
}

int run_history(const Options& options, Streams& streams) {
  const auto report = history_report(options);
  if (!report) return not_judged(streams, report.error());
  const Format formats[] = {{"text", [&] { return report::terminal::endpoints_history(*report); }},
                            {"json", [&] { return report::json::endpoints_history(*report); }}};
  return emit(streams, options.output, formats, exit_answered);
}

Result<report::EndpointsVerify> verify_report(const Options& options) {
  TRY(only, instance_of(options.list.instance));
  TRY(store, open_store(options.list.store.store, store::Mode::read_only));
  if (!store.exists())
    return fail(Error{
        .message = "there is no store to verify", .file = store.path(), .hint = "aclmend endpoints fetch"});
  report::EndpointsVerify report;
  report.store = store.path();
  TRY(damages, store.damages());
  report.damages = std::move(damages);
  if (!report.damages.empty()) return report;
  for (const Instance instance : endpoints::instances()) {
    if (only && *only != instance) continue;
    TRY(kept, kept_of(store, instance));
    if (kept.empty()) continue;
    TRY(changes, changes_held(store, instance));
    endpoints::Verification verification = endpoints::verify(kept, changes);
    verification.instance = instance;
    report.instances.push_back(std::move(verification));
  }
  return report;
}

int run_verify(const Options& options, Streams& streams) {
  auto report = verify_report(options);
  if (!report) return not_judged(streams, report.error());
  const bool agrees = std::ranges::all_of(report->instances, &endpoints::Verification::agrees);
  const int status = !report->damages.empty() ? exit_not_judged : agrees ? exit_answered : exit_findings;
  report->frame.exit = exit_status(options.output, status);
  const Format formats[] = {{"text", [&] { return report::terminal::endpoints_verify(*report); }},
                            {"json", [&] { return report::json::endpoints_verify(*report); }}};
  return emit(streams, options.output, formats, report->frame.exit);
}

}  // namespace

void add_history(CLI::App& endpoints, const Chosen& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* app = endpoints.add_subcommand("history", "every release held, and what it changed");
  declare(*app, options->list);
  declare(*app, options->output, "text or json");
  app->callback([=] { *chosen = [options](Streams& streams) { return run_history(*options, streams); }; });
}

void add_verify(CLI::App& endpoints, const Chosen& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* app = endpoints.add_subcommand("verify", "does each release held follow from the one before it?");
  app->add_option("--instance", options->list.instance, "this one alone")->type_name("NAME");
  declare_store(*app, options->list.store.store);
  declare(*app, options->output, "text or json");
  app->callback([=] { *chosen = [options](Streams& streams) { return run_verify(*options, streams); }; });
}

}  // namespace aclmend::cli
