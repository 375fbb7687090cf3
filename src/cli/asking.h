// From the command line and the inventory to the questions that an audit takes: which devices, which flows,
// which release of the list. `audit` and `fix` ask alike.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "audit/question.h"
#include "cli/options.h"
#include "inventory/plan.h"

namespace aclmend::cli {

struct AskOptions {
  DeviceOptions device;
  WayOptions way;
  FlowOptions flow;
  std::vector<std::string> rules;  // folders
};
void declare(CLI::App& app, AskOptions& options, Files files);

// The options that decide the question, as they would be typed behind the configuration: " --to 10.1.1.25".
std::string as_typed(const AskOptions& options);

// What is asked of every device alike.
struct Asking {
  std::vector<inventory::PlannedDevice> devices;
  std::vector<inventory::Flow> flows;
  ListInForce list;
  std::optional<std::chrono::days> max_age;  // of the last look at the list
  std::vector<inventory::Remark> remarks;    // about the inventory
  bool from_inventory = false;
};
// Where no device is named: an aclmend.yaml is looked for from here upwards, or none is asked.
enum class NoDevice : std::uint8_t { looks_for_inventory, is_fine };
Result<Asking> asking_of(const AskOptions& options, NoDevice no_device = NoDevice::looks_for_inventory);

// A device that was read, and the name it has in reports.
struct Subject {
  const Vendor& vendor;
  const Device& device;
  std::string name;
};
struct Asked {
  audit::Question question;          // points into `asking` and the subject
  std::vector<std::string> assumed;  // "time-range OFFICE=on", as reports print them
};
// Fails for an interface, zone or condition that this firewall does not know.
Result<Asked> question_for(const Asking& asking, const AskOptions& options,
                           const inventory::PlannedDevice& planned, const Subject& subject);

}  // namespace aclmend::cli
