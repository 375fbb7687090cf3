#include "cli/located.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace aclmend::cli {
namespace {

// The offset of a line and column, as far as the text has them.
std::uint32_t offset_of(const Source& source, std::uint32_t line, std::uint32_t column) {
  const std::string_view text = source.text();
  std::size_t at = 0;
  for (std::uint32_t number = 1; number < line; ++number) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  const std::size_t end = std::min(text.find('\n', at), text.size());
  return static_cast<std::uint32_t>(std::min(at + std::max(column, 1U) - 1, end));
}

std::string rendered(const report::Remark& remark, std::span<const SourcePtr> sources) {
  const auto source =
      std::ranges::find(sources, remark.file, [](const SourcePtr& one) { return one->name(); });
  if (source != sources.end() && remark.line > 0) {
    const std::uint32_t begin = offset_of(**source, remark.line, remark.column);
    // Effect::none: the sentences about packets are for firewall lines.
    const Diagnostic diagnostic{remark.severity, {begin, begin, 0}, remark.message, Effect::none};
    return render(diagnostic, std::span(&*source, 1));
  }
  const std::string where = remark.file.empty() ? ""
                            : remark.line == 0  ? remark.file + ": "
                            : remark.column == 0
                                ? fmt::format("{}:{}: ", remark.file, remark.line)
                                : fmt::format("{}:{}:{}: ", remark.file, remark.line, remark.column);
  return printable(fmt::format("{}{}: {}", where, to_string(remark.severity), remark.message));
}

}  // namespace

report::Remark remark_of(const Error& error) {
  return {Severity::error, error.file, error.line, error.column, error.message, Effect::whole_file};
}

report::Remark remark_of(const inventory::Remark& remark) {
  return {remark.severity,   remark.place.file,
          remark.place.line, remark.place.column,
          remark.message,    remark.severity == Severity::error ? Effect::unknown : Effect::none};
}

report::InputFile input_of(const Source& source) {
  LineCounts lines;
  lines.total = lines.decides = source.line_count();
  return {source.name(), source.sha256(), {}, lines};
}

std::string rendered(std::span<const report::Remark> remarks, std::span<const SourcePtr> sources) {
  std::string text;
  for (const report::Remark& remark : remarks) text += rendered(remark, sources) + "\n";
  return text;
}

}  // namespace aclmend::cli
