// aclmend.yaml: where it is, and what it says.
#pragma once
#include <optional>
#include <string>

#include "base/source.h"
#include "inventory/result.h"
#include "inventory/shape.h"

namespace aclmend::inventory {

inline constexpr std::string_view inventory_name = "aclmend.yaml";

// The path of the inventory that holds for this folder (its own or the nearest above): "aclmend.yaml",
// "../../aclmend.yaml". "" is the working directory.
std::optional<std::string> find_inventory(const std::string& folder);

// Everything that is wrong with the file by itself is an error; what the file names is not looked at.
Checked<Inventory> read_inventory(const Source& source);

// What an inventory may hold; the JSON Schema is tested against it.
const Shape& inventory_shape();

}  // namespace aclmend::inventory
