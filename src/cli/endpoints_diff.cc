// aclmend endpoints diff: what changed between two lists.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/command.h"
#include "cli/endpoint_lists.h"
#include "report/endpoints.h"

namespace aclmend::cli {
namespace {

struct Options {
  ListOptions list;
  OutputOptions output;
  std::vector<std::string> words;  // the lists to compare
};

Result<report::EndpointsDiff> diff_report(const Options& options) {
  TRY(question, question_of(options.list, Rows::of_the_flow));
  if (question.literal)
    return fail(fmt::format("the flow {} names its ranges itself: no list changes them", question.flow));
  report::EndpointsDiff report;
  TRY(before, release_named(options.words[0], options.list));
  // A list that is not named is the newest at hand, of the same instance.
  ListOptions other = options.list;
  if (options.words.size() == 1) other.instance = endpoints::to_string(before.instance);
  TRY(after, release_named(options.words.size() > 1 ? options.words[1] : std::string(), other));
  if (before.instance != after.instance)
    return fail(fmt::format("{} and {} are lists of two instances", title(before), title(after)));
  TRY(difference, diff(before, after, question.selection));
  add_input(report.frame, before, options.list);
  add_input(report.frame, after, options.list);
  report.before = std::move(before);
  report.after = std::move(after);
  report.asked = question.words;
  report.flow = question.flow;
  report.difference = std::move(difference);
  return report;
}

int diff(const Options& options, Streams& streams) {
  const auto report = diff_report(options);
  if (!report) return not_judged(streams, report.error());
  const Format formats[] = {{"text", [&] { return report::terminal::endpoints_diff(*report); }},
                            {"json", [&] { return report::json::endpoints_diff(*report); }}};
  return emit(streams, options.output, formats, exit_answered);
}

}  // namespace

void add_diff(CLI::App& endpoints, const Chosen& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* app = endpoints.add_subcommand("diff", "what changed between two lists");
  declare(*app, options->list);
  declare(*app, options->output, "text or json");
  app->add_option("list", options->words,
                  "two lists, each a version or a file; one: against the newest at hand")
      ->required()
      ->expected(1, 2)
      ->type_name("FILE|VERSION");
  app->callback([=] { *chosen = [options](Streams& streams) { return diff(*options, streams); }; });
}

}  // namespace aclmend::cli
