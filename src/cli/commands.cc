#include "cli/command.h"

namespace aclmend::cli {

extern const Command audit_command;
extern const Command cidr_command;
extern const Command diagnose_command;
extern const Command endpoints_command;
extern const Command evidence_command;
extern const Command fix_command;
extern const Command flows_command;
extern const Command inventory_command;
extern const Command probe_command;
extern const Command trace_command;
extern const Command explain_command;

std::span<const Command* const> commands() {
  static constexpr const Command* table[] = {
      &audit_command,     &trace_command, &fix_command,      &endpoints_command,
      &diagnose_command,  &probe_command, &evidence_command, &explain_command,
      &inventory_command, &flows_command, &cidr_command,
  };
  return table;
}

}  // namespace aclmend::cli
