#include "cli/command.h"

namespace aclmend::cli {

std::span<const Command* const> commands() {
  static constexpr std::span<const Command* const> table;
  return table;
}

}  // namespace aclmend::cli
