// From what a file of the user's earned (Error, inventory::Remark) to the remarks of a report, and to text
// with the line and a caret.
#pragma once
#include <span>
#include <string>

#include "base/error.h"
#include "base/source.h"
#include "inventory/result.h"
#include "report/frame.h"

namespace aclmend::cli {

report::Remark remark_of(const Error& error);
report::Remark remark_of(const inventory::Remark& remark);

// A file of the user's among the inputs of a report: each of its lines counts.
report::InputFile input_of(const Source& source);

// Each remark as people read it; the line is shown where its file is one of the sources.
std::string rendered(std::span<const report::Remark> remarks, std::span<const SourcePtr> sources);

}  // namespace aclmend::cli
