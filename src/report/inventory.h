// What `inventory` says: the devices of an aclmend.yaml as they will be asked, or whether it can be used.
#pragma once
#include <optional>
#include <string>

#include "inventory/result.h"
#include "report/frame.h"

namespace aclmend::report {

struct InventoryReport {
  Frame frame;
  std::string file;
  std::optional<inventory::Inventory> inventory;  // none: it cannot be read
  inventory::Plan plan;
};

namespace json {
std::string inventory_show(const InventoryReport& report);
std::string inventory_check(const InventoryReport& report);
}  // namespace json
namespace terminal {
std::string inventory_show(const InventoryReport& report);
std::string inventory_check(const InventoryReport& report);
}  // namespace terminal

}  // namespace aclmend::report
