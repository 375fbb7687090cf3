// Changing an ASA: edits → commands to paste, and commands → the device after them.
#pragma once
#include "vendors/cisco_asa/document.h"

namespace aclmend::cisco_asa {

// The device after scripts were typed into it (apply.cc).
Result<Reading> apply(const Device& device, std::span<const SourcePtr> scripts);

// The commands of an edit, and those that take it back (write.cc).
Result<Commands> write(const Device& device, const Edit& edit);

extern const Editing editing;

}  // namespace aclmend::cisco_asa
