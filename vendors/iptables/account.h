// What is said about the lines of a reading, and what became of each.
#pragma once
#include <span>
#include <string>
#include <utility>

#include "base/diagnostic.h"
#include "vendors/iptables/lines.h"

namespace aclmend::iptables {

struct Account {
  explicit Account(std::span<const SourcePtr> inputs) : sources(inputs) {
    for (const SourcePtr& source : inputs)
      ledgers.push_back({std::vector(source->line_count(), LineState::no_effect)});
  }
  void set(const Line& line, LineState state) {
    std::vector<LineState>& lines = ledgers[line.span.source].lines;
    if (line.number - 1 < lines.size()) lines[line.number - 1] = state;
  }
  void say(Severity severity, Span span, std::string message, Effect effect) {
    if (span.source < first_told) return;
    diagnostics.add(severity, span, std::move(message), effect);
  }
  // A line that filters and is not understood.
  void not_understood(const Line& line, Span where, std::string message) {
    set(line, LineState::not_understood);
    say(Severity::error, where, std::move(message), Effect::unknown);
  }

  std::span<const SourcePtr> sources;
  std::uint16_t first_told = 0;  // what is said of the sources before was told when they were read
  Diagnostics diagnostics;
  std::vector<Ledger> ledgers;
};

}  // namespace aclmend::iptables
