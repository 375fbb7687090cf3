// aclmend evidence: logs, traces and error texts as plain records; what diagnose reads with.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>

#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "evidence/result.h"
#include "report/evidence.h"
#include "report/terminal/layout.h"
#include "sets/prefix_list.h"

namespace aclmend::cli {
namespace {

using evidence::Record;

struct Options {
  std::vector<std::string> files;
  std::string format = "text";
  bool shows_unread = false;
  std::string zone;
  std::vector<std::string> from, to;
  std::optional<std::uint16_t> port;
};

// What is asked for of the records.
struct Filter {
  AddressSet from, to;
  std::optional<std::uint16_t> port;

  bool takes(const Record& record) const {
    if (!from.empty() && !(record.src && from.contains(*record.src))) return false;
    if (!to.empty() && !(record.dst && to.contains(*record.dst))) return false;
    return !port || record.dport == port;
  }
};

Result<AddressSet> addresses(const std::vector<std::string>& words, std::string_view option) {
  AddressSet all;
  for (const std::string& word : words) {
    auto entry = read_entry(word, HostBits::refused);
    if (!entry) return fail(fmt::format("{} '{}': {}", option, word, entry.error().message));
    all |= *entry;
  }
  return all;
}

Result<Filter> filter_of(const Options& options) {
  TRY(from, addresses(options.from, "--from"));
  TRY(to, addresses(options.to, "--to"));
  return Filter{std::move(from), std::move(to), options.port};
}

std::string chosen_text(const Options& options) {
  std::string text;
  const auto add = [&](std::string_view name, std::string_view value) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, value);
  };
  for (const std::string& one : options.from) add("from", one);
  for (const std::string& one : options.to) add("to", one);
  if (options.port) add("port", fmt::format("{}", *options.port));
  return text;
}

Result<std::optional<std::int16_t>> zone_of(const std::string& text) {
  if (text.empty()) return std::optional<std::int16_t>{};
  const auto offset = parse_offset(text);
  if (offset) return offset;
  return fail(Error{
      .message = fmt::format("--log-timezone '{}': expected UTC, or hours and minutes east of it", text),
      .file = {},
      .hint = "such as +02:00 for Central European Summer Time, -05:00 for New York in winter"});
}

std::int64_t now() {
  using std::chrono::microseconds;
  return std::chrono::duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Lines that could not be read, on the side: damaged ones always, up to a number; the others where asked for.
class UnreadLines {
 public:
  UnreadLines(Streams& streams, std::string file, bool shows_all)
      : streams_(streams), file_(std::move(file)), shows_all_(shows_all) {}

  void add(const evidence::Unread& one) {
    constexpr std::size_t most = 10, columns = 200;
    if (!shows_all_ && (!one.is_damaged || ++damaged_ > most)) return;
    streams_.err << fmt::format("{}:{}: {}{}: {}\n", printable(file_), one.line,
                                one.source.empty() ? "" : fmt::format("{}: ", one.source), one.reason,
                                report::terminal::shortened(one.text, columns));
  }

 private:
  Streams& streams_;
  std::string file_;
  bool shows_all_;
  std::size_t damaged_ = 0;
};

// What is said beside records: what of the file is not in them.
void say_gaps(Streams& streams, const evidence::Reading& reading) {
  const auto say = [&](const evidence::ReasonCount& one, std::string_view what) {
    streams.err << fmt::format("{}: {} {}{}: {}\n", printable(reading.file), with_thousands(one.count),
                               one.count == 1 ? "line" : "lines", what, one.reason);
  };
  for (const evidence::ReasonCount& one : reading.unread) say(one, " not read");
  for (const evidence::ReasonCount& one : reading.damaged) say(one, " damaged");
  for (const evidence::ReasonCount& one : reading.holes) say(one, "");
  if (!reading.trouble.empty())
    streams.err << fmt::format("{}: ends after line {}: {}\n", printable(reading.file), reading.lines,
                               reading.trouble);
}

Error not_recognised(const evidence::Reading& reading) {
  return {
      .message = "is nothing that is read as evidence",
      .file = reading.file,
      .line = 0,
      .column = 0,
      .hint =
          "read are: error texts (450 4.4.316 …), message traces (CSV), Get-Queue, Exchange's SmtpReceive,\n"
          "SmtpSend, connectivity and tracking logs, and the logs of Cisco ASA, PAN-OS, Linux (iptables,\n"
          "nftables) and Windows firewalls; plain, gzip or zstd; --show-unread prints what was not read"};
}

class Run {
 public:
  Run(const Options& options, Filter filter, std::optional<std::int16_t> zone, Streams& streams)
      : options_(options), filter_(std::move(filter)), streams_(streams) {
    reading_options_.now = now();
    reading_options_.zone = zone;
    reading_options_.context.local = filter_.to;
  }

  int all() {
    int status = exit_answered;
    for (std::size_t i = 0; i < options_.files.size(); ++i) {
      if (options_.format == "text" && i > 0) streams_.out << '\n';
      if (one(options_.files[i]) != exit_answered) status = exit_not_judged;
    }
    return status;
  }

 private:
  int one(const std::string& path) {
    auto lines = Lines::open(path);
    if (!lines) return not_judged(streams_, lines.error());
    UnreadLines unread(streams_, lines->name(), options_.shows_unread);
    const bool is_text = options_.format == "text";
    report::EvidenceReport report;
    const evidence::Handlers handlers{.record =
                                          [&](const Record& record) {
                                            if (!filter_.takes(record)) return;
                                            if (is_text) report.summary.add(record);
                                            else write(lines->name(), record);
                                          },
                                      .unread = [&](const evidence::Unread& one) { unread.add(one); }};
    report.reading = evidence::read(*lines, reading_options_, handlers);
    report.chosen = chosen_text(options_);
    if (is_text) streams_.out << report::terminal::evidence(report);
    else flush(), say_gaps(streams_, report.reading);
    if (!report.reading.is_recognised()) return not_judged(streams_, not_recognised(report.reading));
    const bool is_cut_only = report.reading.trouble.empty() || report.reading.trouble.ends_with("cut off");
    return is_cut_only
               ? exit_answered
               : not_judged(streams_, {.message = report.reading.trouble, .file = report.reading.file});
  }

  void write(std::string_view file, const Record& record) {
    constexpr std::size_t piece = 1 << 16;
    report::json::append_record(out_, file, record);
    if (out_.size() >= piece) flush();
  }
  void flush() {
    streams_.out << out_;
    out_.clear();
  }

  const Options& options_;
  Filter filter_;
  Streams& streams_;
  evidence::Options reading_options_;
  std::string out_;
};

int run(const Options& options, Streams& streams) {
  auto filter = filter_of(options);
  if (!filter) return not_judged(streams, filter.error());
  const auto zone = zone_of(options.zone);
  if (!zone) return not_judged(streams, zone.error());
  if (std::ranges::count(options.files, "-") > 1)
    return not_judged(streams, {.message = "standard input ('-') can be read only once", .file = {}});
  return Run(options, std::move(*filter), *zone, streams).all();
}

std::function<int(Streams&)> define(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("FILE", options->files, "logs, traces, error texts; '-' is standard input")->required();
  app.add_option("--format", options->format, "text (a summary) or jsonl (a record a line; default text)")
      ->check(CLI::IsMember({"text", "jsonl"}))
      ->type_name("NAME");
  app.add_flag("--show-unread", options->shows_unread, "print every line that was not read, and why");
  app.add_option("--log-timezone", options->zone, "the zone of clocks that name none: UTC, +02:00")
      ->type_name("ZONE");
  app.add_option("--from", options->from, "only records from these addresses (repeatable)")
      ->type_name("PREFIX")
      ->allow_extra_args(false);
  app.add_option("--to,--mail-host", options->to,
                 "only records to these addresses, public or translated (repeatable)")
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  app.add_option("--port", options->port, "only records to this port")->type_name("N");
  return [options](Streams& streams) { return run(*options, streams); };
}

}  // namespace

extern const Command evidence_command;
const Command evidence_command{
    .name = "evidence",
    .group = "Outage",
    .summary = "logs, message traces and error texts as plain records",
    .examples =
        "What do these files say? Each is recognised by its content, line by line.\n\n"
        "  aclmend evidence RECV2026112002-1.LOG asa-syslog.gz     a summary of each\n"
        "  aclmend evidence fw.log --from 52.100.0.0/14 --port 25  of what Microsoft's servers tried\n"
        "  aclmend evidence fw.log --format jsonl | jq .src        a record a line\n"
        "  aclmend evidence - < pasted.txt                         an error text out of a message trace\n"
        "  aclmend evidence fw.log --show-unread                   the lines that were not understood\n\n"
        "A log that shows no drop does not prove that there was none: see its `holes`, and whether the\n"
        "rule logs at all.\n",
    .define = define,
};

}  // namespace aclmend::cli
