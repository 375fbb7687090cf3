// What `trace` says of one packet, ready to be written.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/question.h"
#include "report/frame.h"

namespace aclmend::report {

struct RulePlace {
  std::string rule;  // "OUTSIDE_IN line 9"
  std::string file;
  std::uint32_t line = 0;
  std::string text;  // the line as it stands there
};

struct TraceReport {
  struct Condition {
    std::string kind;  // "time-range"
    std::string name;  // "OFFICE"
    std::string text;
    std::optional<RulePlace> rule;
  };
  struct Hop {
    RulePlace rule;
    std::string outcome;  // no match, possible, match
  };

  Frame frame;
  std::string summary;  // of the device
  std::string asked;    // "tcp 52.100.0.1 -> 203.0.113.25:25, source ports 1024-65535"
  model::Verdict verdict = model::Verdict::unknown;
  std::optional<RulePlace> decided_by;
  std::string implicit;  // empty: no default decided
  std::vector<Condition> conditions;
  std::string translated_to;  // empty: not translated
  std::vector<Hop> path;
  std::vector<std::string> verify;
};

namespace json {
std::string trace(const TraceReport& report);
}
namespace terminal {
std::string trace(const TraceReport& report);
}

}  // namespace aclmend::report
