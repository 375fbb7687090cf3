// aclmend endpoints export: a selection as a list to load.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/command.h"
#include "cli/endpoint_lists.h"
#include "endpoints/lists.h"
#include "report/endpoints.h"
#include "vendors/vendor.h"

namespace aclmend::cli {
namespace {

struct Options {
  ListOptions list;
  OutputOptions output;
  std::string name;
  std::string families = "both";
  bool bare = false;
};

std::vector<const ListFormat*> list_formats() {
  std::vector<const ListFormat*> formats;
  for (const ListFormat& format : endpoints::list_formats()) formats.push_back(&format);
  for (const Vendor* vendor : all_vendors())
    if (vendor->list != nullptr) formats.push_back(vendor->list);
  return formats;
}

bool is_wanted(const OutputOptions& output, std::string_view format) {
  return output.format == format || std::ranges::any_of(output.reports, [&](const std::string& one) {
           return one.starts_with(fmt::format("{}=", format));
         });
}

Result<report::EndpointsExport> export_report(const Options& options) {
  TRY(question, question_of(options.list, Rows::of_the_flow));
  TRY(families, endpoints::families_named(options.families));
  TRY(release, release_of(options.list));
  const endpoints::ListRequest request{.selection = question.selection,
                                       .literal = question.literal,
                                       .words = question.words,
                                       .flow = question.flow,
                                       .name = options.name,
                                       .families = families};
  TRY(list, endpoints::list_of(release, request));
  if (options.bare) list.named.heading.clear();
  report::EndpointsExport report;
  add_input(report.frame, release, options.list);
  report.list = std::move(list);
  return report;
}

int export_list(const Options& options, Streams& streams) {
  const auto report = export_report(options);
  if (!report) return not_judged(streams, report.error());
  OutputOptions output = options.output;
  if (output.format == "text") output.format = "plain";
  std::vector<Format> formats = {{"csv", [&] { return endpoints::csv(report->list); }},
                                 {"json", [&] { return report::json::endpoints_export(*report); }}};
  for (const ListFormat* format : list_formats()) {
    if (!is_wanted(output, format->id)) {
      formats.push_back({format->id, [] { return std::string(); }});
      continue;
    }
    const auto text = written_as(*format, report->list.named);
    if (!text) return not_judged(streams, text.error());
    formats.push_back({format->id, [text = *text] { return text; }});
  }
  return emit(streams, output, formats, exit_answered);
}

std::string export_formats() {
  std::vector<std::string_view> ids = {"csv", "json"};
  for (const ListFormat* format : list_formats()) ids.push_back(format->id);
  return fmt::format("{}; text is plain", fmt::join(ids, ", "));
}

}  // namespace

void add_export(CLI::App& endpoints, const Chosen& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* app = endpoints.add_subcommand("export", "the ranges as a list to load");
  declare(*app, options->list);
  declare(*app, options->output, export_formats());
  declare_endpoints(*app, options->list);
  app->add_option("--name", options->name, "what the list is called where a format names it")
      ->type_name("NAME");
  app->add_option("--families", options->families, "ipv4, ipv6 or both")->type_name("WORD");
  app->add_flag("--bare", options->bare, "without the comments at its head");
  app->callback([=] { *chosen = [options](Streams& streams) { return export_list(*options, streams); }; });
}

}  // namespace aclmend::cli
