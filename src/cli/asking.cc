#include "cli/asking.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "inventory/flows.h"
#include "inventory/read.h"

namespace aclmend::cli {
namespace {

using inventory::PlannedDevice;

Result<std::vector<inventory::Flow>> flows_of(const std::vector<std::string>& folders) {
  auto flows = inventory::load_flows(folders);
  if (!flows) return fail(flows.error().front());
  return std::move(*flows);
}

// The command line stands above the inventory.
Result<ListInForce> list_of(const FlowOptions& options, const inventory::Inventory* inventory) {
  ListWanted wanted{.which = options.endpoints, .instance = {}, .store = options.store};
  std::string instance = options.instance;
  if (inventory != nullptr) {
    using From = inventory::Endpoints::From;
    if (instance.empty()) instance = inventory->endpoints.instance;
    if (wanted.which.empty()) switch (inventory->endpoints.from) {
        case From::unsaid: break;
        case From::pin: wanted.which = inventory->endpoints.pin; break;
        case From::file: wanted.which = inventory->endpoints.file; break;
        case From::store: wanted.which = "store"; break;
        case From::service: wanted.which = options.store.offline ? "store" : "service"; break;
      }
  }
  if (!instance.empty()) {
    TRY(named, endpoints::instance_named(instance));
    wanted.instance = named;
  }
  return list_in_force(wanted);
}

Result<std::vector<Address>> addresses_of(const std::vector<std::string>& texts) {
  std::vector<Address> addresses;
  for (const std::string& text : texts) {
    const auto address = parse_address(text);
    if (!address) return fail(fmt::format("expected an address after --to, found '{}'", text));
    addresses.push_back(*address);
  }
  return addresses;
}

Result<inventory::Inventory> inventory_at(const std::string& path) {
  TRY(source, read_file(path));
  auto inventory = inventory::read_inventory(*source);
  if (!inventory) return fail(inventory.error().front());
  return std::move(*inventory);
}

// Those that have one of these files; each file is some device's.
std::optional<Error> keep_named(std::vector<PlannedDevice>& devices, std::span<const std::string> files,
                                const std::string& inventory) {
  const auto is_same = [](const std::string& a, const std::string& b) {
    std::error_code failed;
    return a == b || std::filesystem::equivalent(a, b, failed);
  };
  const auto has = [&](const PlannedDevice& device, const std::string& file) {
    return std::ranges::any_of(device.files, [&](const std::string& own) { return is_same(own, file); });
  };
  for (const std::string& file : files)
    if (std::ranges::none_of(devices, [&](const PlannedDevice& device) { return has(device, file); }))
      return Error{.message = fmt::format("no device of {} has this file", inventory), .file = file};
  std::erase_if(devices, [&](const PlannedDevice& device) {
    return std::ranges::none_of(files, [&](const std::string& file) { return has(device, file); });
  });
  return std::nullopt;
}

}  // namespace

std::string as_typed(const AskOptions& options) {
  std::string typed;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) typed += fmt::format(" {} {}", name, for_a_shell(value));
  };
  const auto add_each = [&](std::string_view name, const std::vector<std::string>& values) {
    for (const std::string& value : values) add(name, value);
  };
  add("--vendor", options.device.vendor);
  add("--context", options.device.context);
  add_each("--local", options.device.local);
  add_each("--set-file", options.device.sets);
  add_each("--to", options.flow.to);
  add("--ingress", options.way.ingress);
  add("--egress", options.way.egress);
  add("--direction", options.way.direction);
  add("--application", options.way.application);
  add_each("--assume", options.way.assume);
  add_each("--flow", options.flow.flows);
  add_each("--rules", options.rules);
  add("--instance", options.flow.instance);
  add("--endpoints", options.flow.endpoints);
  add("--store", options.flow.store.store);
  add("--as-of", options.flow.store.as_of);
  add("--inventory", options.flow.inventory);
  if (options.flow.strict) typed += " --strict";
  return typed;
}

void declare(CLI::App& app, AskOptions& options, Files files) {
  declare(app, options.device, files);
  declare(app, options.way);
  declare(app, options.flow);
  declare_rules(app, options.rules);
}

Result<Asking> asking_of(const AskOptions& options, NoDevice no_device) {
  Asking asking;
  std::vector<std::string> folders = options.rules;
  std::optional<inventory::Inventory> inventory;
  const bool wants_devices = no_device == NoDevice::looks_for_inventory || !options.device.files.empty() ||
                             !options.flow.inventory.empty();
  if (!wants_devices) {
    // the flows and the list alone
  } else if (options.device.files.empty() || !options.flow.inventory.empty()) {
    const auto path = options.flow.inventory.empty() ? inventory::find_inventory(".")
                                                     : std::optional(options.flow.inventory);
    if (!path)
      return fail("name a configuration, or write an aclmend.yaml: none was found from here upwards");
    TRY(read, inventory_at(*path));
    inventory = std::move(read);
    inventory::Plan plan = inventory::plan(*inventory);
    asking.devices = std::move(plan.devices);
    asking.remarks = std::move(plan.remarks);
    if (!options.device.files.empty())
      if (auto error = keep_named(asking.devices, options.device.files, *path))
        return fail(std::move(*error));
    asking.from_inventory = true;
    if (!inventory->rules.empty()) folders.push_back(inventory->rules);
  } else {
    for (const std::string& path : options.device.files) {
      PlannedDevice& device = asking.devices.emplace_back();
      device.name = path;
      device.files = {path};
    }
  }
  TRY(flows, flows_of(folders));
  asking.flows = std::move(flows);
  TRY(list, list_of(options.flow, inventory ? &*inventory : nullptr));
  asking.list = std::move(list);
  if (inventory) asking.max_age = inventory->endpoints.max_age;
  for (const std::string& remark : asking.list.remarks)
    asking.remarks.push_back(
        {Severity::warning, inventory ? inventory->endpoints.place : inventory::Place{}, remark});
  TRY(to, addresses_of(options.flow.to));
  for (PlannedDevice& device : asking.devices) {  // the command line stands above the inventory
    if (!to.empty()) device.question.to = to;
    if (!options.flow.flows.empty()) device.question.flows = options.flow.flows;
    if (!options.device.vendor.empty()) device.question.vendor = options.device.vendor;
    if (!options.device.context.empty()) device.question.context = options.device.context;
    if (!options.way.ingress.empty()) device.question.ingress = options.way.ingress;
    if (!options.way.egress.empty()) device.question.egress = options.way.egress;
    if (!options.way.direction.empty()) device.question.direction = options.way.direction;
    TRY(flows_known, inventory::flows_asked(asking.flows, device.question.flows));
    (void)flows_known;
  }
  return asking;
}
Result<Asked> question_for(const Asking& asking, const AskOptions& options,
                           const inventory::PlannedDevice& planned, const Subject& subject) {
  WayOptions way_options = options.way;
  way_options.ingress = planned.question.ingress;
  way_options.egress = planned.question.egress;
  way_options.direction = planned.question.direction;
  for (const inventory::PlannedAssumption& assumption : planned.assumptions)
    if (assumption.scope.empty() || assumption.scope == subject.device.scope)
      way_options.assume.push_back(
          fmt::format("{}={}", assumption.condition, assumption.holds ? "on" : "off"));
  TRY(way, way_of(way_options, subject.device.policy));
  TRY(flows, inventory::flows_asked(asking.flows, planned.question.flows));
  Asked asked;
  asked.assumed = std::move(way.assumed);
  audit::Question& question = asked.question;
  question.device = subject.name;
  question.policy = &subject.device.policy;
  question.context = std::move(way.context);
  question.to = planned.question.to;
  question.flows = std::move(flows);
  question.release = &asking.list.release;
  question.coming = [list = &asking.list](const endpoints::Selection& selection) {
    return list->coming(selection);
  };
  question.inferring = options.flow.strict ? audit::Inferring::refused : audit::Inferring::allowed;
  question.only_if_known = planned.asked == inventory::Asked::if_it_knows_the_mail_host;
  question.verify = [vendor = &subject.vendor, device = &subject.device](const Packet& packet,
                                                                         std::string_view ingress) {
    return vendor->verify(*device, packet, ingress);
  };
  return asked;
}

}  // namespace aclmend::cli
