// The commands over the store on a terminal. What comes from files and from the service passes printable().
#include "report/store.h"

#include <fmt/format.h>

#include "base/text.h"
#include "report/terminal/layout.h"

namespace aclmend::report {

std::string_view to_string(FetchOutcome outcome) {
  switch (outcome) {
    case FetchOutcome::unchanged: return "unchanged";
    case FetchOutcome::fresh: return "new";
    case FetchOutcome::refused: return "refused";
    case FetchOutcome::failed: return "failed";
    case FetchOutcome::asked_just_now: return "asked-just-now";
  }
  return "";
}

namespace terminal {
namespace {

using namespace endpoints;

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", with_thousands(count), count == 1 ? one : many);
}

// Each range on a line of its own, behind a sign.
std::string signed_ranges(const Difference& difference, std::string_view indent) {
  std::string text;
  for (const Prefix& prefix : difference.added.prefixes())
    text += fmt::format("{}+ {}\n", indent, to_string(prefix));
  for (const Prefix& prefix : difference.removed.prefixes())
    text += fmt::format("{}- {}\n", indent, to_string(prefix));
  return text;
}

// "row 27 (was 2) moved, row 9 narrowed"
std::string rows_in_words(const Difference& difference) {
  std::string text;
  for (const RowChange& change : difference.rows) {
    text += fmt::format("{}row {}", text.empty() ? "" : ", ", change.id);
    if (change.was_id) text += fmt::format(" (was {})", *change.was_id);
    text += fmt::format(" {}", to_string(change.change));
  }
  return text;
}

std::string first_line(const FetchedInstance& one) {
  switch (one.outcome) {
    case FetchOutcome::unchanged: return fmt::format("{} is still the newest", one.version);
    case FetchOutcome::fresh:
      return one.was.empty() ? fmt::format("{} is new here", one.version)
                             : fmt::format("{} is new, it was {}", one.version, one.was);
    case FetchOutcome::refused:
      return fmt::format("error ACM051: the answer was refused; {} stays in force",
                         one.version.empty() ? "the list built in" : one.version);
    case FetchOutcome::failed: return "error: the service gave no list";
    case FetchOutcome::asked_just_now:
      return fmt::format("{}; asked at {}, and the service wants to be asked once an hour at most (--force)",
                         one.version, one.asked);
  }
  return "";
}

std::string key_of(const std::string& version, const std::string& as_of) {
  return version.empty() ? as_of : version;
}

std::string step_text(const Step& step) {
  std::string text = fmt::format("  {} -> {}", step.from, step.to);
  if (!step.note.empty()) text += fmt::format("  {}", step.note);
  text += '\n';
  for (const NotApplied& one : step.not_applied)
    text += printable(fmt::format("    {}: {}", title(one.record), one.reason)) + "\n";
  for (const RowDifference& one : step.differences)
    text += printable(fmt::format("    row {}: {}", one.row, one.what)) + "\n";
  return text;
}

}  // namespace

std::string endpoints_fetch(const EndpointsFetch& report) {
  std::string text;
  for (const FetchedInstance& one : report.instances) {
    text += printable(fmt::format("{:<13} {}", to_string(one.instance), first_line(one))) + "\n";
    for (const std::string& reason : one.reasons) text += printable("  " + reason) + "\n";
    if (!one.hint.empty()) text += labelled("to do", one.hint);
    for (const std::string& remark : one.remarks) text += labelled("note", remark);
    if (!one.difference) continue;
    if (one.difference->added.empty() && one.difference->removed.empty())
      text += fmt::format("  no address of {} came or left\n", report.flow);
    text += signed_ranges(*one.difference, "  ");
  }
  return text;
}

std::string endpoints_import(const EndpointsImport& report) {
  std::string text;
  std::size_t added = 0;
  for (const ImportedList& one : report.lists) {
    added += one.outcome != "there-already" ? 1U : 0U;
    std::string line = fmt::format("{:<13} {:<10}  {:<13}  {}", to_string(one.instance), one.version,
                                   one.outcome, one.kind == "made" ? "made by " + one.file : one.file);
    text += printable(line) + "\n";
    for (const std::string& remark : one.remarks) text += labelled("note", remark);
  }
  return text + fmt::format("{} of {} taken into the store\n", added,
                            counted(report.lists.size(), "list", "lists and changes"));
}

std::string endpoints_history(const EndpointsHistory& report) {
  std::string text =
      printable(fmt::format("Microsoft 365 {}: {}", to_string(report.instance), report.asked)) + "\n";
  for (const ReleaseChange& one : report.releases) {
    text += fmt::format("\n{:<10}", key_of(one.version, one.as_of));
    if (!one.first_seen.empty()) text += fmt::format("  here since {}", one.first_seen);
    if (!one.not_compared.empty()) text += printable(fmt::format("  {}", one.not_compared));
    else if (one.is_first) text += "  the first one here";
    else if (one.difference->rows.empty()) text += "  no change";
    else text += printable("  " + rows_in_words(*one.difference));
    text += '\n';
    if (one.difference) text += signed_ranges(*one.difference, "  ");
  }
  return text;
}

std::string endpoints_verify(const EndpointsVerify& report) {
  std::string text;
  for (const std::string& damage : report.damages) text += printable("damaged: " + damage) + "\n";
  for (const Verification& one : report.instances) {
    std::size_t by_changes = 0;
    for (const Step& step : one.steps) by_changes += step.by == Step::By::changes ? 1U : 0U;
    text +=
        fmt::format("{:<13} {}: {}\n", to_string(one.instance), counted(one.releases, "release", "releases"),
                    one.agrees() ? "each follows from the one before it" : "these do not follow");
    text += fmt::format("  {} rebuilt by the changes of the service, {} by changes worked out here\n",
                        by_changes, one.steps.size() - by_changes);
    for (const Step& step : one.steps)
      if (!step.differences.empty() || !step.not_applied.empty()) text += step_text(step);
  }
  if (report.instances.empty()) text += printable(fmt::format("{} holds no release\n", report.store));
  return text;
}

}  // namespace terminal
}  // namespace aclmend::report
