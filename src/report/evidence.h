// What `evidence` says of a file: each record as a line of JSON, or a summary for people.
#pragma once
#include <string>
#include <string_view>

#include "evidence/result.h"

namespace aclmend::report {

struct EvidenceReport {
  evidence::Reading reading;
  evidence::Summary summary;  // of the records that were asked for
  std::string chosen;         // "from 52.100.0.0/14, port 25"; empty: all
};

namespace json {
// One line of `evidence --format jsonl` with its LF, added to `out`: a large log makes millions of them.
void append_record(std::string& out, std::string_view file, const evidence::Record& record);
}  // namespace json
namespace terminal {
std::string evidence(const EvidenceReport& report);
}

}  // namespace aclmend::report
