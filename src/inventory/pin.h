// The pin of an inventory moved to another release: the one edit that aclmend makes in a file that people
// write.
#pragma once
#include <string>
#include <string_view>

#include "base/source.h"
#include "inventory/result.h"

namespace aclmend::inventory {

// The text with `endpoints: pin:` set to the version, everything else byte for byte as it was: a pin that
// stands there is replaced, else the key is put in. Refused: an inventory that cannot be read, or that says
// with `source` or `file` which list is in force.
Checked<std::string> repinned(const Source& source, std::string_view version);

}  // namespace aclmend::inventory
