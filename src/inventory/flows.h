// The required flows: those compiled in and those of a folder that the user names.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/source.h"
#include "inventory/result.h"
#include "inventory/shape.h"

namespace aclmend::inventory {

// One flow file. `with` is not looked up: the flow it names may stand in another file.
Checked<Flow> read_flow(const Source& source);

// The shipped flows, then those of each folder (its *.yaml and *.yml, in the order of their names); ids are
// unique, and what `with` names is there. A copy of a shipped file is that flow, not a second one. A folder
// without a flow file is an error.
Checked<std::vector<Flow>> load_flows(std::span<const std::string> folders);

// As load_flows, for files that are named one by one.
Checked<std::vector<Flow>> load_flow_files(std::span<const SourcePtr> files);

const Flow* find_flow(std::span<const Flow> flows, std::string_view id);

// The flows that are asked where these ids are given (none: the default flow), and those that go with them;
// in the order of `flows`. Fails for an id that is not there and names the nearest.
Result<std::vector<const Flow*>> flows_asked(std::span<const Flow> flows, std::span<const std::string> ids);

// What a flow file may hold; the JSON Schema is tested against it.
const Shape& flow_shape();

}  // namespace aclmend::inventory
