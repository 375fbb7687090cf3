// `aclmend endpoints show / covers / export / diff`: what Microsoft 365 publishes, without a network.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "endpoints/result.h"
#include "inventory/flows.h"
#include "report/endpoints.h"
#include "sets/prefix_list.h"
#include "vendors/vendor.h"

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
  std::vector<std::string> files;  // covers
  std::string host_bits = "refuse";
  std::string name;  // export
  std::string families = "both";
  bool bare = false;
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

// What is asked for, each once, in the order in which it first stands there.
class Asking {
 public:
  explicit Asking(HostBits host_bits) : host_bits_(host_bits) {}

  std::optional<Error> add_word(const std::string& word) {
    const auto entry = read_entry(word, host_bits_);
    if (!entry) return Error{fmt::format("'{}': {}", word, entry.error().message), ""};
    for (const Prefix& prefix : entry->prefixes()) add(prefix);
    return too_many();
  }

  std::optional<Error> add_list(const std::string& file) {
    if (file == "-" && std::exchange(has_read_input_, true))
      return Error{"standard input ('-') can be read only once", ""};
    const auto source = read_file(file);
    if (!source) return source.error();
    const auto entries = each_prefix(**source, host_bits_, [this](const Prefix& prefix) { add(prefix); });
    if (!entries) return entries.error();
    const std::uint32_t lines = (*source)->line_count();
    inputs_.push_back({.file = (*source)->name(),
                       .sha256 = (*source)->sha256(),
                       .vendor = {},
                       .lines = {.total = lines, .decides = *entries, .no_effect = lines - *entries}});
    return too_many();
  }

  const std::vector<Prefix>& prefixes() const { return prefixes_; }
  const std::vector<report::InputFile>& inputs() const { return inputs_; }

 private:
  static constexpr std::size_t most = 100'000;

  void add(const Prefix& prefix) {
    if (prefixes_.size() <= most && seen_.insert(prefix).second) prefixes_.push_back(prefix);
  }
  std::optional<Error> too_many() const {
    if (prefixes_.size() <= most) return std::nullopt;
    return Error{
        fmt::format("more than {} different addresses at once; ask in parts, or as sets: aclmend cidr",
                    with_thousands(most)),
        ""};
  }

  HostBits host_bits_;
  bool has_read_input_ = false;
  std::set<Prefix> seen_;
  std::vector<Prefix> prefixes_;
  std::vector<report::InputFile> inputs_;
};

// Words are addresses, '-' is a list on standard input; files are lists.
Result<Asking> asking_of(const Options& options) {
  Asking asking(options.host_bits == "clear" ? HostBits::cleared : HostBits::refused);
  for (const std::string& word : options.words)
    if (auto error = word == "-" ? asking.add_list(word) : asking.add_word(word))
      return fail(std::move(*error));
  for (const std::string& file : options.files)
    if (auto error = asking.add_list(file)) return fail(std::move(*error));
  if (asking.prefixes().empty())
    return fail("nothing is asked: expected addresses, '-' (a list on standard input) or --file LIST");
  return asking;
}

Result<report::EndpointsCovers> covers_report(const Options& options) {
  TRY(asking, asking_of(options));
  TRY(question, question_of(options.list, Rows::all));
  if (question.literal)
    return fail(fmt::format("the flow {} names its ranges itself: no list holds them", question.flow));
  TRY(releases, releases_of(options.list));
  report::EndpointsCovers report;
  report.coverage = covers(asking.prefixes(), releases, question.selection);
  report.frame.inputs = asking.inputs();
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

// ---- export

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

std::string export_formats() {
  std::vector<std::string_view> ids = {"csv", "json"};
  for (const ListFormat* format : list_formats()) ids.push_back(format->id);
  return fmt::format("{}; text is plain", fmt::join(ids, ", "));
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
    declare(*command, chosen->options.output, run == export_list ? export_formats() : "text or json");
    command->callback([chosen, run] { chosen->run = run; });
    return command;
  };
  declare_endpoints(*add("show", "the ranges of a list", show), chosen->options.list);

  CLI::App* is_covered = add("covers", "is it published, where, since when? exit 0 yes, 1 no", covers);
  declare_endpoints(*is_covered, chosen->options.list);
  is_covered->add_option("ip", chosen->options.words, "addresses, prefixes, ranges; '-': a list of them")
      ->type_name("IP");
  is_covered
      ->add_option("--file", chosen->options.files, "a list, one a line, '#' begins a comment (repeatable)")
      ->type_name("LIST")
      ->allow_extra_args(false);
  is_covered
      ->add_option("--host-bits", chosen->options.host_bits,
                   "what 10.0.0.1/8 is: an error (refuse), or 10.0.0.0/8 (clear)")
      ->check(CLI::IsMember({"refuse", "clear"}))
      ->type_name("WORD");

  CLI::App* is_exported = add("export", "the ranges as a list to load", export_list);
  declare_endpoints(*is_exported, chosen->options.list);
  is_exported->add_option("--name", chosen->options.name, "what the list is called where a format names it")
      ->type_name("NAME");
  is_exported->add_option("--families", chosen->options.families, "ipv4, ipv6 or both")->type_name("WORD");
  is_exported->add_flag("--bare", chosen->options.bare, "without the comments at its head");

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
    .summary = "what Microsoft 365 publishes: show, covers, export, diff",
    .examples =
        "Which ranges does Microsoft 365 publish, is this address one of them, what changed?\n\n"
        "  aclmend endpoints show                          the ranges that send mail, built in\n"
        "  aclmend endpoints show --instance China --flow hybrid-inbound-https\n"
        "  aclmend endpoints covers 52.100.140.7           exit status 0: yes, 1: no\n"
        "  aclmend endpoints covers 40.92.0.0/14 --instance Worldwide --flow eop-inbound-smtp\n"
        "  aclmend endpoints covers --file seen.txt        many, a list with one a line; '-' is standard "
        "input\n"
        "  aclmend endpoints export --format ipset         a list to load: plain, csv, json, edl, nft, …\n"
        "  aclmend endpoints diff 2018072800 2019022800    what changed in the SMTP rows\n"
        "  aclmend endpoints diff saved.json --all         a saved answer against the list built in\n",
    .define = define,
};

}  // namespace aclmend::cli
