// `aclmend cidr`: set algebra on text lists of addresses, as a filter for scripts.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "cli/command.h"
#include "cli/options.h"
#include "report/cidr.h"
#include "sets/prefix_list.h"

namespace aclmend::cli {
namespace {

struct Options {
  std::vector<std::string> words;  // FILE…, or what is asked and then one FILE
  std::string prefix;              // within
  std::string host_bits = "refuse";
  OutputOptions output;
  // Digests take longer than the lists: only where a report will name the files by them.
  bool names_inputs() const { return output.format == "json" || !output.reports.empty(); }
  HostBits how() const { return host_bits == "clear" ? HostBits::cleared : HostBits::refused; }
};

constexpr std::string_view standard_input = "-";

// One after another: of a file only its addresses stay.
Result<SourcePtr> read_one(std::span<const std::string> files, std::size_t i) {
  if (files[i] == standard_input && std::ranges::count(files.first(i), standard_input) > 0)
    return fail("standard input ('-') can be read only once");
  return read_file(files[i]);
}

report::InputFile input_of(const Source& source, std::uint32_t entries) {
  const std::uint32_t lines = source.line_count();
  return {
      source.name(), source.sha256(), {}, {.total = lines, .decides = entries, .no_effect = lines - entries}};
}

struct Lists {
  std::vector<AddressSet> sets;
  std::vector<report::InputFile> inputs;  // where a report names them
};

Result<Lists> read_lists(const Options& options, std::span<const std::string> files) {
  Lists lists;
  for (std::size_t i = 0; i < files.size(); ++i) {
    TRY(source, read_one(files, i));
    TRY(list, read_prefix_list(*source, options.how()));
    lists.sets.push_back(std::move(list.addresses));
    if (options.names_inputs()) lists.inputs.push_back(input_of(*source, list.entries));
  }
  return lists;
}

Result<AddressSet> read_words(const Options& options, std::span<const std::string> words) {
  AddressSet asked;
  for (const std::string& word : words) {
    auto entry = read_entry(word, options.how());
    if (!entry) return fail(fmt::format("'{}': {}", word, entry.error().message));
    asked |= *entry;
  }
  return asked;
}

using Combine = AddressSet (*)(const AddressSet&, const AddressSet&);

Result<report::CidrReport> combined(const Options& options, std::string_view operation, Combine combine) {
  TRY(lists, read_lists(options, options.words));
  report::CidrReport report;
  report.operation = operation;
  report.frame.inputs = std::move(lists.inputs);
  report.set = std::move(lists.sets.front());
  for (std::size_t i = 1; i < lists.sets.size(); ++i) report.set = combine(report.set, lists.sets[i]);
  return report;
}

AddressSet either(const AddressSet& a, const AddressSet& b) { return a | b; }
AddressSet both(const AddressSet& a, const AddressSet& b) { return a & b; }
AddressSet first_alone(const AddressSet& a, const AddressSet& b) { return a - b; }

Result<report::CidrReport> united(const Options& options) { return combined(options, "union", either); }
Result<report::CidrReport> intersected(const Options& options) {
  return combined(options, "intersect", both);
}
Result<report::CidrReport> subtracted(const Options& options) {
  return combined(options, "subtract", first_alone);
}
Result<report::CidrReport> counted(const Options& options) { return combined(options, "count", either); }

Result<report::CidrReport> covered(const Options& options) {
  const std::span words(options.words);
  TRY(asked, read_words(options, words.first(words.size() - 1)));
  TRY(lists, read_lists(options, words.last(1)));
  report::CidrReport report;
  report.operation = "covers";
  report.frame.inputs = std::move(lists.inputs);
  report.missing = asked - lists.sets.front();
  report.asked = std::move(asked);
  return report;
}

Result<report::CidrReport> found_within(const Options& options) {
  TRY(asked, read_words(options, {&options.prefix, 1}));
  report::CidrReport report;
  report.operation = "within";
  report.asked = std::move(asked);
  for (std::size_t i = 0; i < options.words.size(); ++i) {
    TRY(source, read_one(options.words, i));
    TRY(found, lines_within(report.asked, *source, options.how()));
    report.lines += found.text;
    if (options.names_inputs()) report.frame.inputs.push_back(input_of(*source, found.entries));
  }
  return report;
}

using Answer = Result<report::CidrReport> (*)(const Options&);

int answer(const Options& options, Answer how, Streams& streams) {
  auto report = how(options);
  if (!report) return not_judged(streams, report.error());
  const int status = report->missing.empty() ? exit_answered : exit_findings;
  report->frame.exit = exit_status(options.output, status);
  const Format formats[] = {{"text", [&] { return report::terminal::cidr(*report); }},
                            {"json", [&] { return report::json::cidr(*report); }}};
  return emit(streams, options.output, formats, status);
}

struct Operation {
  const char* name;
  const char* summary;
  Answer answer;
  enum class Words : std::uint8_t { files, two_files, asked_and_file, file_after_prefix } words;
};
constexpr Operation operations[] = {
    {"union", "the addresses in any of the lists", united, Operation::Words::files},
    {"intersect", "the addresses in all of the lists", intersected, Operation::Words::two_files},
    {"subtract", "the addresses of the first list that are in none of the others", subtracted,
     Operation::Words::two_files},
    {"covers", "exit 0 if the list holds all that is asked, else 1; prints what is missing", covered,
     Operation::Words::asked_and_file},
    {"within", "the lines of the lists that lie wholly in a prefix, unchanged", found_within,
     Operation::Words::file_after_prefix},
    {"count", "how many prefixes and addresses the lists hold together", counted, Operation::Words::files},
};

void declare(CLI::App& app, Options& options, Operation::Words words) {
  switch (words) {
    case Operation::Words::files:
      app.add_option("FILE", options.words, "lists; standard input when none is given, or as '-'");
      break;
    case Operation::Words::two_files:
      app.add_option("FILE", options.words, "two lists or more; '-' is standard input")
          ->required()
          ->expected(2, -1);
      break;
    case Operation::Words::asked_and_file:
      app.add_option("IP... FILE", options.words,
                     "addresses, prefixes or ranges, then the list ('-': standard input)")
          ->required()
          ->expected(2, -1);
      break;
    case Operation::Words::file_after_prefix:
      app.add_option("PREFIX", options.prefix, "an address, a prefix or a range")->required();
      app.add_option("FILE", options.words, "lists; standard input when none is given, or as '-'");
      break;
  }
  app.add_option("--host-bits", options.host_bits,
                 "what an entry like 10.0.0.1/8 is: an error (refuse), or 10.0.0.0/8 (clear)")
      ->check(CLI::IsMember({"refuse", "clear"}))
      ->type_name("WORD")
      ->capture_default_str();
  declare(app, options.output, "text or json");
}

std::function<int(Streams&)> define(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  const auto chosen = std::make_shared<Answer>();
  app.require_subcommand(1);
  for (const Operation& operation : operations) {
    CLI::App* inner = app.add_subcommand(operation.name, operation.summary);
    declare(*inner, *options, operation.words);
    inner->callback([chosen, &operation] { *chosen = operation.answer; });
  }
  return [options, chosen](Streams& streams) {
    if (options->words.empty()) options->words.emplace_back(standard_input);
    return answer(*options, *chosen, streams);
  };
}

}  // namespace

extern const Command cidr_command;
const Command cidr_command{
    .name = "cidr",
    .group = "Set up",
    .summary = "union, intersection, difference of address lists; what they cover and hold",
    .examples =
        "Set algebra on text lists, as a filter for scripts.\n\n"
        "  aclmend cidr union a.txt b.txt               all addresses, as the fewest prefixes\n"
        "  aclmend cidr intersect a.txt b.txt           those in both\n"
        "  aclmend cidr subtract allowed.txt left.txt   those of the first that the others do not hold\n"
        "  aclmend cidr covers 40.92.0.0/15 list.txt    exit 0: the list holds all of it; exit 1: not,\n"
        "                                               and what is missing is printed\n"
        "  aclmend cidr within 52.100.0.0/14 list.txt   the lines that lie in it, as they stand\n"
        "  aclmend cidr count list.txt                  prefixes and addresses of each family\n"
        "  curl -s https://example.org/list | aclmend cidr union\n\n"
        "A list has one entry a line: an address (192.0.2.1, 2001:db8::1), a prefix (192.0.2.0/24)\n"
        "or a range (192.0.2.5-192.0.2.9); '#' begins a comment, empty lines are nothing; gzip and\n"
        "zstd are unpacked. Printed are the fewest prefixes, IPv4 before IPv6, ascending, hosts\n"
        "without a length (--format json: always with one). A line that is not understood is an\n"
        "error with its place: exit 2, and nothing is printed. 10.0.0.1/8 is such a line, unless\n"
        "--host-bits clear.\n",
    .define = define,
};

}  // namespace aclmend::cli
