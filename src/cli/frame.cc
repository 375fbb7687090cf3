#include "cli/frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace aclmend::cli {
namespace {

report::Remark remark_of(const Diagnostic& diagnostic, std::span<const SourcePtr> sources) {
  const Source& source = *sources[diagnostic.span.source];
  const Position at = source.position(diagnostic.span.begin);
  return {diagnostic.severity, source.name(), at.line, at.column, diagnostic.message, diagnostic.effect};
}

}  // namespace

void add_reading(report::Frame& frame, const intake::Intake& intake, Digests digests) {
  const Reading& reading = intake.reading;
  for (std::size_t i = 0; i < intake.sources.size(); ++i)
    frame.inputs.push_back({intake.sources[i]->name(),
                            digests == Digests::wanted ? intake.sources[i]->sha256() : "",
                            std::string(intake.vendor->id),
                            i < reading.ledgers.size() ? reading.ledgers[i].counts() : LineCounts{}});
  for (const Diagnostic& one : reading.diagnostics.all())
    frame.diagnostics.push_back(remark_of(one, intake.sources));
  if (const std::size_t more = reading.diagnostics.not_kept(); more > 0)
    frame.diagnostics.push_back({Severity::warning, intake.sources.front()->name(), 0, 0,
                                 fmt::format("{} more diagnostics are not listed", more), Effect::unknown});
}

std::string diagnostics_text(const intake::Intake& intake, std::size_t most) {
  const Diagnostics& diagnostics = intake.reading.diagnostics;
  std::vector<const Diagnostic*> sorted;
  for (const Diagnostic& one : diagnostics.all()) sorted.push_back(&one);
  const auto rank = [&](const Diagnostic& one) {  // what was typed comes first: it was meant for this run
    const bool is_typed = one.span.source + intake.scripts >= intake.sources.size();
    return std::tuple(is_typed, is_typed ? Effect::none : one.effect,
                      is_typed ? Severity::note : one.severity);
  };
  std::ranges::stable_sort(sorted,
                           [&](const Diagnostic* a, const Diagnostic* b) { return rank(*a) > rank(*b); });
  std::string text;
  for (std::size_t i = 0; i < std::min(sorted.size(), most); ++i)
    text += render(*sorted[i], intake.sources) + "\n";
  const std::size_t more = sorted.size() - std::min(sorted.size(), most) + diagnostics.not_kept();
  if (more > 0) text += fmt::format("and {} more diagnostics (--format json lists them)\n", more);
  return text;
}

}  // namespace aclmend::cli
