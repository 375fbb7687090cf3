// Options that several commands share: declared here once, so that a name means the same everywhere.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/published.h"
#include "cli/run.h"
#include "intake/result.h"
#include "model/question.h"

namespace CLI {
class App;
}

namespace aclmend::cli {

// Configurations, and how to read them: CONFIG… --vendor --context --local --set-file --apply.
struct DeviceOptions {
  std::vector<std::string> files;
  std::string vendor;
  std::string context;
  std::vector<std::string> local;
  std::vector<std::string> sets;
  std::vector<std::string> scripts;
};
// many: none means the inventory's; of_any_kind: evidence and inventories too, each recognised by its
// content.
enum class Files : std::uint8_t { of_one_device, of_many_devices, of_any_kind };
void declare(CLI::App& app, DeviceOptions& options, Files files);
// --apply, for commands that ask about a device as it is or will be.
void declare_apply(CLI::App& app, DeviceOptions& options);
Result<intake::Request> request_of(const DeviceOptions& options);

// What the asker knows of the way: --ingress --egress --direction --application --assume.
struct WayOptions {
  std::string ingress;
  std::string egress;
  std::string direction;
  std::string application;
  std::vector<std::string> assume;
};
void declare(CLI::App& app, WayOptions& options);

struct Way {
  model::Context context;
  std::vector<std::string> assumed;  // "time-range OFFICE=on", as reports print them
};
// Fails for an interface, zone or condition that this firewall does not know; the Error names the choices.
Result<Way> way_of(const WayOptions& options, const model::Policy& policy);

// What to look for: --to (--mail-host) --flow --instance --endpoints --store --as-of --offline --inventory
// --strict.
struct FlowOptions {
  std::vector<std::string> to;
  std::vector<std::string> flows;
  std::string instance;
  std::string endpoints;
  StoreOptions store;
  std::string inventory;
  bool strict = false;
};
void declare(CLI::App& app, FlowOptions& options);

void declare_rules(CLI::App& app, std::vector<std::string>& folders);  // --rules

// Where the answer goes: --format -o --report --exit-zero.
struct OutputOptions {
  std::string format = "text";
  std::string file;
  std::vector<std::string> reports;  // FORMAT=FILE
  bool exit_zero = false;
};
struct Format {
  std::string_view name;
  std::function<std::string()> render;
};
void declare(CLI::App& app, OutputOptions& options, std::string_view formats);
// Writes the answer and the further reports; gives back the exit status, 2 where one could not be written.
int emit(Streams& streams, const OutputOptions& options, std::span<const Format> formats, int status);
// The status after --exit-zero, for documents that hold it.
int exit_status(const OutputOptions& options, int status);

// "error", "warning", "note"; none for "never".
Result<std::optional<Severity>> fail_on(std::string_view word);

// A name was given that is none of the choices: "no KIND 'x'; there are a and b (did you mean a?)".
Error no_such(std::string_view kind, std::string_view name, std::span<const std::string_view> choices);

}  // namespace aclmend::cli
