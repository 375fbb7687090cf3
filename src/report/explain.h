// What `explain` says of a word: a finding code, an SMTP status, a socket error.
#pragma once
#include <string>
#include <vector>

#include "report/frame.h"

namespace aclmend::report {

struct Explanation {
  std::string kind;               // finding, smtp-status, socket-error
  std::string name;               // "ACM003", "4.4.316"
  std::vector<std::string> also;  // other names of it: "lost-member", "5.4.316"
  std::string title;
  std::string severity;  // of a finding: error, warning, note, "of the flow"; else empty
  std::string meaning;
  std::string remedy;
};

struct ExplainReport {
  Frame frame;
  std::vector<Explanation> entries;
};

namespace json {
std::string explain(const ExplainReport& report);
}
namespace terminal {
std::string explain(const ExplainReport& report);
}

}  // namespace aclmend::report
