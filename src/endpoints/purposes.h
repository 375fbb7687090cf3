// Two lists compared by what their addresses are for.
#pragma once
#include <span>
#include <vector>

#include "endpoints/result.h"

namespace aclmend::endpoints {

std::vector<PurposeChange> purpose_changes(std::span<const Row> before, std::span<const Row> after);

}  // namespace aclmend::endpoints
