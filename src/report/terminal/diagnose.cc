// `diagnose` as people in an outage read it: two sentences first, then the eight steps, the cause, and what
// to type next. At most forty lines.
#include "report/diagnose.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "report/terminal/layout.h"

namespace aclmend::report::terminal {
namespace {

constexpr std::size_t text_column = 27, far_column = 83, label_width = 9, most_rows = 5;

std::string_view word(diagnose::Status status) {
  switch (status) {
    case diagnose::Status::ok: return "ok";
    case diagnose::Status::not_ok: return "not ok";
    case diagnose::Status::not_known: return "unknown";
  }
  return {};
}

// The place at one of two columns, as far to the left as the text lets it.
std::string line_with_place(std::string_view left, std::string_view right) {
  // A path or command without a blank is there to be copied.
  const bool is_whole =
      left.substr(std::min(left.size(), text_column + 3)).find(' ') == std::string_view::npos;
  std::string text = is_whole ? printable(left) : shortened(left, page_width);
  const std::string where = printable(right);
  if (where.empty()) return text + "\n";
  const std::size_t width = display_width(text), where_width = display_width(where);
  for (const std::size_t column : {place_column, far_column})
    if (width + 2 <= column && column + where_width <= page_width)
      return text + std::string(column - width, ' ') + where + "\n";
  if (width + 2 + where_width <= page_width) return text + "  " + where + "\n";
  const std::size_t room = page_width - std::min(page_width, where_width);
  return text + "\n" + std::string(room, ' ') + where + "\n";
}

// A title of two lines ("refused or" "silent") has its second one beside the second row.
struct Title {
  std::string_view first, second;
};
Title parted(std::string_view title) {
  constexpr std::size_t longest = 14;
  if (title.size() <= longest) return {title, {}};
  const std::size_t blank = title.rfind(' ');
  return {title.substr(0, blank), title.substr(blank + 1)};
}

// A text wrapped at blanks; no word is ever cut: it may be there to be copied.
std::string wrapped(std::string_view text, std::string_view first = {}, std::size_t indent = 0) {
  std::string out(first);
  std::size_t column = display_width(first);
  bool is_first = true;
  const std::string clean = printable(text);  // splitting needs it to live
  for (const std::string_view part : split(clean, ' ')) {
    const std::size_t width = display_width(part);
    if (!is_first && column + 1 + width > page_width) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!is_first) {
      out += ' ';
      ++column;
    }
    is_first = false;
    out += part;
    column += width;
  }
  return out + "\n";
}

// "-> " and what would settle the step; a word that is too long for the page stays whole.
std::vector<std::string> settle_lines(std::string_view settle) {
  const std::string text = wrapped(settle, std::string(text_column, ' ') + "-> ", text_column + 3);
  std::vector<std::string> lines;
  for (const std::string_view line : split(text, '\n'))
    if (line.size() > text_column) lines.emplace_back(line.substr(text_column));
  return lines;
}

std::string step_text(std::size_t number, const diagnose::Step& step) {
  const Title title = parted(step.title);
  std::string out;
  std::vector<diagnose::Row> rows = step.rows;
  if (rows.size() > most_rows) {
    const std::size_t more = rows.size() - most_rows + 1;
    rows.resize(most_rows - 1);
    rows.push_back({fmt::format("and {} more (--format json)", more), ""});
  }
  if (step.status == diagnose::Status::not_known && !step.settle.empty())
    for (std::string& line : settle_lines(step.settle)) rows.push_back({std::move(line), ""});
  if (!title.second.empty() && rows.size() == 1) rows.push_back({"", ""});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string head = i == 0   ? fmt::format(" {} {:<15}{:<9}", number, title.first, word(step.status))
                             : i == 1 ? fmt::format("   {:<{}}", title.second, text_column - 3)
                                      : std::string(text_column, ' ');
    std::string line = line_with_place(head + rows[i].text, rows[i].shown_by);
    while (line.ends_with(" \n")) line.erase(line.size() - 2, 1);
    out += line;
  }

  return out;
}

std::string labelled_rows(std::string_view label, const std::vector<diagnose::Row>& rows) {
  std::string out;
  for (std::size_t i = 0; i < rows.size(); ++i)
    out += line_with_place(fmt::format("{:<{}}{}", i == 0 ? label : "", label_width, rows[i].text),
                           rows[i].shown_by);
  return out;
}

std::string cause_text(const std::vector<diagnose::Cause>& causes) {
  std::vector<diagnose::Row> rows;
  for (const diagnose::Cause& cause : causes)
    rows.push_back(
        {cause.cause, fmt::format("{}: {}", diagnose::to_string(cause.confidence), cause.because)});
  if (rows.empty()) rows.push_back({"nothing that was given shows one", ""});
  return labelled_rows(causes.size() > 1 ? "Causes" : "Cause", rows);
}

std::string next_text(const std::vector<diagnose::Action>& actions) {
  constexpr std::size_t purpose_width = 24;
  std::string out;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    const diagnose::Action& action = actions[i];
    const std::string head =
        fmt::format("{:<6}{}  {:<{}}", i == 0 ? "Next" : "", i + 1, action.purpose + ":", purpose_width);
    const std::string command = printable(action.command);
    const std::string remark = action.remark.empty() ? "" : fmt::format("({})", printable(action.remark));
    const std::size_t width = display_width(head) + display_width(command);
    out += head + command;  // never cut: it is there to be copied
    if (!remark.empty()) {
      const std::size_t left = width + remark.size() < page_width ? page_width - width - remark.size() : 0;
      out += left >= 2 ? std::string(std::min<std::size_t>(left, 6), ' ')
                       : "\n" + std::string(display_width(head), ' ');
    }
    out += remark + "\n";
  }
  return out;
}

}  // namespace

std::string diagnose(const DiagnoseReport& report) {
  const diagnose::Diagnosis& diagnosis = report.diagnosis;
  std::string out;
  for (const std::string& sentence : diagnosis.plain) out += wrapped(sentence);
  out += "\n";
  for (std::size_t i = 0; i < diagnosis.steps.size(); ++i) out += step_text(i + 1, diagnosis.steps[i]);
  out += "\n" + cause_text(diagnosis.causes);
  if (!diagnosis.also.empty()) out += labelled_rows("Also", diagnosis.also);
  if (!diagnosis.clocks.empty()) out += labelled_rows("Clocks", diagnosis.clocks);
  if (!diagnosis.next.empty()) out += "\n" + next_text(diagnosis.next);
  return out;
}

}  // namespace aclmend::report::terminal
