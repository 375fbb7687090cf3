// From what intake read to the part that every report carries.
#pragma once
#include "intake/result.h"
#include "report/frame.h"

namespace aclmend::cli {

// Digests are for documents: text does not print them, and a large file takes as long to digest as to read.
enum class Digests : std::uint8_t { wanted, left_out };

// Adds the files, with digest and line counts, and the diagnostics with their places worked out.
void add_reading(report::Frame& frame, const intake::Intake& intake, Digests digests);

// The diagnostics as people read them: the line, a caret, what was done about it. At most `most`, those that
// cost an answer first; the rest is counted.
std::string diagnostics_text(const intake::Intake& intake, std::size_t most = 10);

}  // namespace aclmend::cli
