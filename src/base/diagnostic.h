// What a reader says about a place in an input. The reader has already drawn the consequence (the line
// is "possible", the device unknown); `effect` says which, so that nobody has to guess.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/source.h"

namespace aclmend {

enum class Severity : std::uint8_t { note, warning, error };
enum class Effect : std::uint8_t { none, unknown, whole_file };  // what was done to the answer about it

struct Diagnostic {
  Severity severity = Severity::error;
  Span span;
  std::string message;
  Effect effect = Effect::none;
};

// Diagnostics of one reading. A hostile file can earn one per line: after `limit` they are counted only.
class Diagnostics {
 public:
  static constexpr std::size_t limit = 1000;
  void add(Severity severity, Span span, std::string message, Effect effect);
  const std::vector<Diagnostic>& all() const { return all_; }
  std::size_t not_kept() const { return not_kept_; }

 private:
  std::vector<Diagnostic> all_;
  std::size_t not_kept_ = 0;
};

// What became of each physical line of an input (`audit --ledger`).
enum class LineState : std::uint8_t { no_effect, decides, not_supported, partly_understood, not_understood };

struct LineCounts {
  std::uint32_t total = 0, decides = 0, no_effect = 0, not_supported = 0, partly_understood = 0,
                not_understood = 0;
};

// One state a line of one source; index = line - 1.
struct Ledger {
  std::vector<LineState> lines;
  LineCounts counts() const;
};

std::string_view to_string(Severity severity);
std::string_view to_string(Effect effect);
std::string_view to_string(LineState state);

// "edge.cfg:42:31: error: expected …", the line and a caret; control characters are shown, never sent.
std::string render(const Diagnostic& diagnostic, std::span<const SourcePtr> sources);

}  // namespace aclmend
