// From what intake read to the part that every report carries.
#pragma once
#include "intake/result.h"
#include "report/frame.h"

namespace aclmend::cli {

// Adds the files, with digest and line counts, and the diagnostics with their places worked out.
void add_reading(report::Frame& frame, const intake::Intake& intake);

// The diagnostics as people read them: the line, a caret, what was done about it. At most `most`, those that
// cost an answer first; the rest is counted.
std::string diagnostics_text(const intake::Intake& intake, std::size_t most = 10);

}  // namespace aclmend::cli
