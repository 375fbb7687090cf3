#include "report/trace.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/terminal/layout.h"

namespace aclmend::report::terminal {
namespace {

constexpr std::size_t most_hops = 20, most_conditions = 12;

std::string_view word(model::Verdict verdict) {
  switch (verdict) {
    case model::Verdict::permit: return "PERMIT";
    case model::Verdict::deny: return "DENY";
    case model::Verdict::unknown: return "UNKNOWN";
  }
  return "";
}

std::string head(const TraceReport& report) {
  const std::string file = report.frame.inputs.empty() ? "" : report.frame.inputs.front().file;
  std::string out =
      fmt::format("{}   {}\n", shortened(file, page_width), shortened(report.summary, page_width));
  out += labelled("asked", report.asked);
  for (const std::string& text : report.frame.inferred) out += labelled("inferred", text);
  for (const std::string& text : report.frame.assumed) out += labelled("assumed", text);
  if (!report.translated_to.empty()) out += labelled("translated", "to " + report.translated_to);
  return out;
}

std::string quoted(const RulePlace& rule) {
  return fmt::format("           {}\n", shortened(rule.text, page_width - 11));
}

std::string answer(const TraceReport& report) {
  const std::string_view verdict = word(report.verdict);
  if (report.decided_by)
    return with_place(fmt::format("{:<9}by {}", verdict, report.decided_by->rule),
                      place(report.decided_by->file, report.decided_by->line)) +
           quoted(*report.decided_by);
  if (!report.implicit.empty()) return with_place(fmt::format("{:<9}{}", verdict, report.implicit), "");
  std::string out = fmt::format("{}  the export does not settle it; the answer hangs on\n", verdict);
  for (std::size_t i = 0; i < std::min(report.conditions.size(), most_conditions); ++i) {
    const TraceReport::Condition& one = report.conditions[i];
    const std::string name = one.name.empty() ? one.kind : fmt::format("{} {}", one.kind, one.name);
    if (one.rule)
      out += with_place(fmt::format("  {}: {}", name, one.rule->rule), place(one.rule->file, one.rule->line));
    else out += with_place("  " + name, "");
    if (!one.text.empty()) out += fmt::format("           {}\n", shortened(one.text, page_width - 11));
  }
  if (report.conditions.size() > most_conditions)
    out +=
        fmt::format("  and {} more (--format json lists all)\n", report.conditions.size() - most_conditions);
  return out;
}

std::string way(const TraceReport& report) {
  std::string out;
  const std::size_t first = report.path.size() > most_hops ? report.path.size() - most_hops : 0;
  if (first > 0) out += fmt::format("  way      {} more rules, then (--format json lists all)\n", first);
  for (std::size_t i = first; i < report.path.size(); ++i) {
    const TraceReport::Hop& hop = report.path[i];
    out += with_place(fmt::format("  {:<9}{:<9} {}", i == 0 ? "way" : "", hop.outcome, hop.rule.rule),
                      place(hop.rule.file, hop.rule.line));
  }
  return out;
}

std::string next(const TraceReport& report) {
  if (report.verify.empty()) return "";
  std::string out = "\nask the firewall itself:\n";
  for (const std::string& command : report.verify) out += with_place("  " + command, "");
  return out;
}

}  // namespace

std::string trace(const TraceReport& report) {
  return head(report) + "\n" + answer(report) + way(report) + next(report);
}

}  // namespace aclmend::report::terminal
