// aclmend endpoints covers: are these addresses published, where, since when?
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/endpoint_lists.h"
#include "report/endpoints.h"
#include "sets/prefix_list.h"

namespace aclmend::cli {
namespace {

struct Options {
  ListOptions list;
  OutputOptions output;
  std::vector<std::string> words;  // addresses
  std::vector<std::string> files;
  std::string host_bits = "refuse";
};

// Every instance's newest list, unless one list or one instance is named.
Result<std::vector<endpoints::Release>> releases_of(const ListOptions& options) {
  if (!options.endpoints.empty() || !options.instance.empty()) {
    TRY(release, release_of(options));
    return std::vector{std::move(release)};
  }
  std::vector<endpoints::Release> all;
  for (const endpoints::Instance instance : endpoints::instances()) {
    TRY(release, release_at_hand({.which = {}, .instance = instance, .store = options.store}));
    all.push_back(std::move(release));
  }
  return all;
}

// What is asked for, each once, in the order in which it first stands there.
class AskedFor {
 public:
  explicit AskedFor(HostBits host_bits) : host_bits_(host_bits) {}

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
Result<AskedFor> asked_for(const Options& options) {
  AskedFor asking(options.host_bits == "clear" ? HostBits::cleared : HostBits::refused);
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
  TRY(asking, asked_for(options));
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

}  // namespace

void add_covers(CLI::App& endpoints, const Chosen& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* app = endpoints.add_subcommand("covers", "is it published, where, since when? exit 0 yes, 1 no");
  declare(*app, options->list);
  declare(*app, options->output, "text or json");
  declare_endpoints(*app, options->list);
  app->add_option("ip", options->words, "addresses, prefixes, ranges; '-': a list of them")->type_name("IP");
  app->add_option("--file", options->files, "a list, one a line, '#' begins a comment (repeatable)")
      ->type_name("LIST")
      ->allow_extra_args(false);
  app->add_option("--host-bits", options->host_bits,
                  "what 10.0.0.1/8 is: an error (refuse), or 10.0.0.0/8 (clear)")
      ->check(CLI::IsMember({"refuse", "clear"}))
      ->type_name("WORD");
  app->callback([=] { *chosen = [options](Streams& streams) { return covers(*options, streams); }; });
}

}  // namespace aclmend::cli
