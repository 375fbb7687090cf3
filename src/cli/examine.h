// One device after another through the audit: what `audit` does with a configuration, for every command that
// asks the same.
#pragma once
#include <vector>

#include "cli/asking.h"
#include "intake/result.h"
#include "report/audit.h"

namespace aclmend::cli {

// What to read for an entry of the inventory, or a file of the command line.
Result<intake::Request> request_for(const AskOptions& options, const inventory::PlannedDevice& planned);

// The devices of an export that are asked: the context that was named, or all. The Error names the choices.
Result<std::vector<const Device*>> devices_asked(const intake::Intake& intake,
                                                 const inventory::PlannedDevice& planned);

enum class OneOf : std::uint8_t {
  one,
  several
};  // of several in an export each is asked if it knows the host
struct Seat {
  const intake::Intake& intake;
  const Device& device;
  OneOf one_of = OneOf::one;
};
// Fails only where our two ways of counting disagree; what could not be judged stands in `audit.error`.
Result<report::AuditedDevice> examined(const Asking& asking, const AskOptions& options,
                                       const inventory::PlannedDevice& planned, const Seat& seat);

// A device that could not be read, and why.
report::AuditedDevice unreadable(const inventory::PlannedDevice& device, const Error& error);

}  // namespace aclmend::cli
