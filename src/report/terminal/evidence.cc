#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/evidence.h"
#include "report/terminal/layout.h"

namespace aclmend::report::terminal {
namespace {

using evidence::Kind;

constexpr std::size_t most_sources_shown = 10;

// "1,284 drop, 12 allow"
std::string by_kind(const evidence::KindCounts& counts) {
  std::string text;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", with_thousands(counts[i]),
                          to_string(static_cast<Kind>(i)));
  return text.empty() ? "none" : text;
}

std::string plural(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", with_thousands(count), count == 1 ? one : many);
}

void reasons(std::string& text, std::string_view label, const std::vector<evidence::ReasonCount>& counts) {
  for (const evidence::ReasonCount& one : counts)
    text += labelled(label, one.first_line > 0
                                ? fmt::format("{}: {} (first: line {})", plural(one.count, "line", "lines"),
                                              one.reason, one.first_line)
                                : fmt::format("{}: {}", plural(one.count, "line", "lines"), one.reason));
}

void times(std::string& text, const evidence::Reading& reading) {
  if (!reading.first) return;
  std::string said = fmt::format("{} to {}", to_string(*reading.first), to_string(*reading.last));
  if (reading.without_zone > 0)
    said += fmt::format("; {} of clocks that name no zone: --log-timezone says it",
                        plural(reading.without_zone, "record", "records"));
  if (reading.has_guessed_zone) said += " (the zone is the one of --log-timezone)";
  if (reading.without_time > 0)
    said += fmt::format("; {} without a time", plural(reading.without_time, "record", "records"));
  text += labelled("times", said);
}

void chosen(std::string& text, const EvidenceReport& report) {
  const evidence::Summary& summary = report.summary;
  if (!report.chosen.empty())
    text += labelled(
        "asked", fmt::format("{}: {} of {}", report.chosen, plural(summary.records(), "record", "records"),
                             with_thousands(report.reading.records())));
  if (summary.records() > 0 && !report.chosen.empty()) text += labelled("kinds", by_kind(summary.kinds()));
  if (summary.new_drops() > 0)
    text += labelled("drops",
                     fmt::format("{} of opening packets: {}", plural(summary.new_drops(), "line", "lines"),
                                 plural(summary.attempts(), "connection attempt", "connection attempts")));
  if (summary.distinct_sources() == 0) return;
  text += labelled("senders", fmt::format("{}{}", summary.is_full() ? "more than " : "",
                                          plural(summary.distinct_sources(), "address", "addresses")));
  for (const evidence::AddressCount& one : summary.top(most_sources_shown))
    text += fmt::format("             {:<39} {:>12} {}{}\n", to_string(one.address),
                        with_thousands(one.records), one.records == 1 ? "record" : "records",
                        one.drops > 0 ? fmt::format(", {} dropped", with_thousands(one.drops)) : "");
}

}  // namespace

std::string evidence(const EvidenceReport& report) {
  const evidence::Reading& reading = report.reading;
  std::string text = printable(reading.file);
  if (!reading.encoding.empty()) text += fmt::format("  ({})", reading.encoding);
  text += '\n';
  if (!reading.is_recognised()) text += labelled("is", "nothing that is read as evidence");
  for (const evidence::SourceCount& one : reading.sources)
    text += labelled("is", fmt::format("{}: {} ({})", one.title, plural(one.total(), "record", "records"),
                                       by_kind(one.records)));
  text += labelled("read", fmt::format("{}, {} bytes", plural(reading.lines, "line", "lines"),
                                       with_thousands(reading.bytes)));
  times(text, reading);
  reasons(text, "not read", reading.unread);
  reasons(text, "damaged", reading.damaged);
  for (const evidence::ReasonCount& one : reading.holes)
    text += labelled("holes", fmt::format("{} ({}, first: line {})", one.reason,
                                          plural(one.count, "line", "lines"), one.first_line));
  if (!reading.trouble.empty())
    text += labelled("ends", fmt::format("after line {}: {}", reading.lines, reading.trouble));
  chosen(text, report);
  return text;
}

}  // namespace aclmend::report::terminal
