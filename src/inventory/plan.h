// From an inventory to its devices: which files each is read from, what is known of it, whether it is asked.
#pragma once
#include "inventory/result.h"

namespace aclmend::inventory {

// Looks up the globs in the file system; reads no file. What is wrong stands in the remarks (severity error:
// a glob without a file, a file that two entries name, a device that nobody knows), and the rest of the plan
// holds all the same.
Plan plan(const Inventory& inventory);

}  // namespace aclmend::inventory
