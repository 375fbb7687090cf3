// aclmend endpoints show: the ranges of a list.
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
};

Result<report::EndpointsShow> show_report(const Options& options) {
  TRY(question, question_of(options.list, Rows::of_the_flow));
  TRY(release, release_of(options.list));
  report::EndpointsShow report;
  report.asked = question.words;
  report.flow = question.flow;
  if (question.literal) {
    report.prefixes = *question.literal;
  } else if (question.selection) {
    TRY(selected, select(release, *question.selection));
    report.prefixes = std::move(selected.addresses);
    report.rows = std::move(selected.rows);
  } else if (release.completeness == endpoints::Completeness::smtp_rows) {
    return fail(
        fmt::format("{}: there are other rows, which are not known; leave out --all", title(release)));
  } else {
    report.prefixes = endpoints::addresses(release.rows);
    report.rows = release.rows;
  }
  report.listings = listings(release, report.rows);
  add_input(report.frame, release, options.list);
  report.release = std::move(release);
  return report;
}

int show(const Options& options, Streams& streams) {
  const auto report = show_report(options);
  if (!report) return not_judged(streams, report.error());
  const Format formats[] = {{"text", [&] { return report::terminal::endpoints_show(*report); }},
                            {"json", [&] { return report::json::endpoints_show(*report); }}};
  return emit(streams, options.output, formats, exit_answered);
}

}  // namespace

void add_show(CLI::App& endpoints, const Chosen& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* app = endpoints.add_subcommand("show", "the ranges of a list");
  declare(*app, options->list);
  declare(*app, options->output, "text or json");
  declare_endpoints(*app, options->list);
  app->callback([=] { *chosen = [options](Streams& streams) { return show(*options, streams); }; });
}

}  // namespace aclmend::cli
