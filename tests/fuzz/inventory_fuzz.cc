// A hostile aclmend.yaml: it is read or refused with places inside the file, and what is read can be planned.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "inventory/glob.h"
#include "inventory/plan.h"
#include "inventory/read.h"

using namespace aclmend;

namespace {

// A plan looks into the file system: not where fuzzing would walk through it.
bool has_globs(const inventory::Inventory& read) {
  for (const inventory::DeviceEntry& entry : read.devices)
    if (inventory::is_glob(entry.file)) return true;
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const Source source("fuzz/aclmend.yaml", std::string_view(reinterpret_cast<const char*>(bytes), size));
  const auto read = inventory::read_inventory(source);
  if (!read) {
    if (read.error().empty()) __builtin_trap();
    for (const Error& error : read.error())
      if (error.message.empty() || error.line > source.line_count() + 1) __builtin_trap();
    return 0;
  }
  if (read->devices.empty()) __builtin_trap();
  if (has_globs(*read)) return 0;
  const inventory::Plan plan = inventory::plan(*read);
  for (const inventory::PlannedDevice& device : plan.devices)
    if (device.name.empty() || device.files.empty()) __builtin_trap();
  return 0;
}
