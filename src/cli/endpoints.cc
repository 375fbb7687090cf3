// `aclmend endpoints show / covers / diff`: what Microsoft 365 publishes, without a network.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "endpoints/result.h"
#include "inventory/flows.h"
#include "report/endpoints.h"

namespace aclmend::cli {
namespace {

enum class Rows : std::uint8_t { of_the_flow, all };

// Which list: --instance --endpoints; which rows of it: --flow --rules --all.
struct ListOptions {
  std::string instance;
  std::string endpoints;
  std::string flow;
  std::vector<std::string> rules;
  bool all = false;
};

struct Options {
  ListOptions list;
  OutputOptions output;
  std::vector<std::string> words;  // what stands without an option: addresses, or the lists to compare
};

// What is asked for, as reports say it.
struct Question {
  std::optional<endpoints::Selection> selection;  // none: all rows, or the flow's own ranges
  std::optional<AddressSet> literal;
  std::string flow;
  std::string words;
};

Result<std::optional<endpoints::Instance>> instance_of(const ListOptions& options) {
  if (options.instance.empty()) return std::optional<endpoints::Instance>();
  TRY(instance, endpoints::instance_named(options.instance));
  return std::optional(instance);
}

Result<endpoints::Release> release_of(const ListOptions& options) {
  TRY(instance, instance_of(options));
  return endpoints::open_release(options.endpoints.empty() ? "embedded" : options.endpoints, instance);
}

endpoints::Selection selection_of(const inventory::Selection& select) {
  return {.service_area = select.service_area,
          .tcp_port = select.tcp_port,
          .udp_port = select.udp_port,
          .has_ips = select.has_ips};
}

Result<Question> question_of(const ListOptions& options, Rows unsaid) {
  if (options.all && !options.flow.empty()) return fail("--all and --flow exclude each other");
  if (options.all || (unsaid == Rows::all && options.flow.empty()))
    return Question{.selection = {}, .literal = {}, .flow = {}, .words = "every row"};
  const auto flows = inventory::load_flows(options.rules);
  if (!flows) return fail(flows.error().front());
  const std::string id = options.flow.empty() ? std::string(inventory::default_flow) : options.flow;
  TRY(asked, inventory::flows_asked(*flows, std::span(&id, 1)));
  const inventory::Flow& flow = **std::ranges::find_if(asked, [&](const auto* one) { return one->id == id; });
  if (!flow.select) {
    const inventory::End& end =
        flow.source.kind == inventory::End::Kind::literal ? flow.source : flow.destination;
    return Question{.selection = {},
                    .literal = end.addresses,
                    .flow = id,
                    .words = "the ranges that the flow itself names"};
  }
  const endpoints::Selection selection = selection_of(*flow.select);
  return Question{.selection = selection, .literal = {}, .flow = id, .words = to_string(selection)};
}

// A list is taken whole or refused, so each line of a file counts.
void add_input(report::Frame& frame, const endpoints::Release& release, const ListOptions& options) {
  if (release.origin != endpoints::Origin::file) return;
  LineCounts lines;
  lines.total = lines.decides = release.lines;
  frame.inputs.push_back({.file = release.file, .sha256 = release.sha256, .vendor = {}, .lines = lines});
  if (options.instance.empty())
    frame.inferred.push_back(
        fmt::format("{} is taken for a list of {} (--instance)", release.file, to_string(release.instance)));
}

// ---- show

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

// ---- diff

Result<report::EndpointsDiff> diff_report(const Options& options) {
  TRY(question, question_of(options.list, Rows::of_the_flow));
  if (question.literal)
    return fail(fmt::format("the flow {} names its ranges itself: no list changes them", question.flow));
  TRY(instance, instance_of(options.list));
  report::EndpointsDiff report;
  TRY(before, endpoints::open_release(options.words[0], instance));
  // A list that is not named is the one built in, of the same instance.
  TRY(after, options.words.size() > 1 ? endpoints::open_release(options.words[1], instance)
                                      : endpoints::newest(before.instance));
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

// ---- covers

// Every instance's newest list, unless one list or one instance is named.
Result<std::vector<endpoints::Release>> releases_of(const ListOptions& options) {
  if (!options.endpoints.empty() || !options.instance.empty()) {
    TRY(release, release_of(options));
    return std::vector{std::move(release)};
  }
  std::vector<endpoints::Release> all;
  for (const endpoints::Instance instance : endpoints::instances())
    all.push_back(endpoints::newest(instance));
  return all;
}

Result<std::vector<Prefix>> prefixes_of(std::span<const std::string> words) {
  std::vector<Prefix> all;
  for (const std::string& word : words) {
    const auto prefix = parse_prefix(word);
    if (!prefix)
      return fail(fmt::format("expected an address or a prefix such as 40.92.0.0/15, found '{}'", word));
    all.push_back(*prefix);
  }
  return all;
}

Result<report::EndpointsCovers> covers_report(const Options& options) {
  TRY(prefixes, prefixes_of(options.words));
  TRY(question, question_of(options.list, Rows::all));
  if (question.literal)
    return fail(fmt::format("the flow {} names its ranges itself: no list holds them", question.flow));
  TRY(releases, releases_of(options.list));
  report::EndpointsCovers report;
  report.coverage = covers(prefixes, releases, question.selection);
  report.asked = question.words;
  report.frame.exit = report.coverage.covered ? exit_answered : exit_findings;
  for (const endpoints::Release& release : releases) add_input(report.frame, release, options.list);
  report.releases = std::move(releases);
  return report;
}

int covers(const Options& options, Streams& streams) {
  auto report = covers_report(options);
  if (!report) return not_judged(streams, report.error());
  const int status = exit_status(options.output, report->frame.exit);
  report->frame.exit = status;
  const Format formats[] = {{"text", [&] { return report::terminal::endpoints_covers(*report); }},
                            {"json", [&] { return report::json::endpoints_covers(*report); }}};
  return emit(streams, options.output, formats, status);
}

// ---- the command line

void declare(CLI::App& app, ListOptions& options) {
  app.add_option("--flow", options.flow, "choose the rows of this required flow")->type_name("ID");
  app.add_flag("--all", options.all, "every row");
  app.add_option("--instance", options.instance, "Worldwide, USGovGCCHigh, USGovDoD, China or Germany")
      ->type_name("NAME");
  app.add_option("--rules", options.rules, "a folder of further flows (repeatable)")
      ->type_name("DIR")
      ->allow_extra_args(false);
}

void declare_endpoints(CLI::App& app, ListOptions& options) {
  app.add_option("--endpoints", options.endpoints, "a list: a version, or a file in Microsoft's format")
      ->type_name("FILE|VERSION");
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
    declare(*command, chosen->options.list);
    declare(*command, chosen->options.output, "text or json");
    command->callback([chosen, run] { chosen->run = run; });
    return command;
  };
  declare_endpoints(*add("show", "the ranges of a list", show), chosen->options.list);

  CLI::App* is_covered = add("covers", "is it published, where, since when? exit 0 yes, 1 no", covers);
  declare_endpoints(*is_covered, chosen->options.list);
  is_covered->add_option("ip", chosen->options.words, "addresses or prefixes")->required()->type_name("IP");

  add("diff", "what changed between two lists", diff)
      ->add_option("list", chosen->options.words,
                   "two lists, each a version or a file; one: against the list built in")
      ->required()
      ->expected(1, 2)
      ->type_name("FILE|VERSION");
  app.require_subcommand(1);
  return [chosen](Streams& streams) { return chosen->run(chosen->options, streams); };
}

}  // namespace

extern const Command endpoints_command;
const Command endpoints_command{
    .name = "endpoints",
    .group = "Watch",
    .summary = "what Microsoft 365 publishes: show, covers, diff",
    .examples =
        "Which ranges does Microsoft 365 publish, is this address one of them, what changed?\n\n"
        "  aclmend endpoints show                          the ranges that send mail, built in\n"
        "  aclmend endpoints show --instance China --flow hybrid-inbound-https\n"
        "  aclmend endpoints covers 52.100.140.7           exit status 0: yes, 1: no\n"
        "  aclmend endpoints covers 40.92.0.0/14 --instance Worldwide --flow eop-inbound-smtp\n"
        "  aclmend endpoints diff 2018072800 2019022800    what changed in the SMTP rows\n"
        "  aclmend endpoints diff saved.json --all         a saved answer against the list built in\n",
    .define = define,
};

}  // namespace aclmend::cli
