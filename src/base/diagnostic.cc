#include "base/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace aclmend {

std::string to_string(const Error& error) {
  if (error.file.empty()) return error.message;
  if (error.line == 0) return fmt::format("{}: {}", error.file, error.message);
  if (error.column == 0) return fmt::format("{}:{}: {}", error.file, error.line, error.message);
  return fmt::format("{}:{}:{}: {}", error.file, error.line, error.column, error.message);
}

void Diagnostics::add(Severity severity, Span span, std::string message, Effect effect) {
  if (all_.size() >= limit) {
    ++not_kept_;
    return;
  }
  all_.push_back({severity, span, std::move(message), effect});
}

LineCounts Ledger::counts() const {
  LineCounts counts;
  counts.total = static_cast<std::uint32_t>(lines.size());
  for (const LineState state : lines) switch (state) {
      case LineState::decides: ++counts.decides; break;
      case LineState::no_effect: ++counts.no_effect; break;
      case LineState::not_supported: ++counts.not_supported; break;
      case LineState::partly_understood: ++counts.partly_understood; break;
      case LineState::not_understood: ++counts.not_understood; break;
    }
  return counts;
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::note: return "note";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
  }
  return "";
}

std::string_view to_string(Effect effect) {
  switch (effect) {
    case Effect::none: return "none";
    case Effect::unknown: return "unknown";
    case Effect::whole_file: return "whole-file";
  }
  return "";
}

std::string_view to_string(LineState state) {
  switch (state) {
    case LineState::decides: return "decides";
    case LineState::no_effect: return "no effect";
    case LineState::not_supported: return "not supported";
    case LineState::partly_understood: return "partly understood";
    case LineState::not_understood: return "not understood";
  }
  return "";
}

std::string render(const Diagnostic& diagnostic, std::span<const SourcePtr> sources) {
  constexpr std::size_t widest = 160;  // a hostile line can be 100 MB long: show the part around the column
  const Source& source = *sources[diagnostic.span.source];
  const Position at = source.position(diagnostic.span.begin);
  const std::string head = fmt::format("{}:{}:{}: {}: {}", printable(source.name()), at.line, at.column,
                                       to_string(diagnostic.severity), printable(diagnostic.message));
  // A remark without an effect on the answer may be about any line, and that may hold a secret.
  const bool is_remark = diagnostic.effect == Effect::none && diagnostic.severity != Severity::error;
  if (is_remark) return head;
  std::string_view line = source.line_at(diagnostic.span.begin);
  std::size_t column = at.column - 1;
  if (column > widest / 2) {
    const std::size_t cut = std::min(column - widest / 2, line.size());
    line.remove_prefix(cut);
    column -= cut;
  }
  line = line.substr(0, widest);
  const std::string before = printable(line.substr(0, std::min(column, line.size())));
  const std::size_t width = display_width(before);
  std::string_view consequence;
  switch (diagnostic.effect) {
    case Effect::none: break;
    case Effect::unknown: consequence = "\n  packets this line could decide are reported as unknown"; break;
    case Effect::whole_file: consequence = "\n  nothing in this file can be judged"; break;
  }
  return fmt::format("{}\n  {}\n  {}^{}", head, printable(line), std::string(width, ' '), consequence);
}

}  // namespace aclmend
