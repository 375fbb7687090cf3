#include "inventory/read.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include "base/text.h"
#include "inventory/glob.h"

namespace aclmend::inventory {
namespace {

// A checked tree becomes an Inventory; what goes together wrongly becomes errors.
class Reader {
 public:
  explicit Reader(const Source& source) : file_(source.name()) {
    inventory_.path = file_;
    inventory_.folder = std::filesystem::path(file_).parent_path().string();
  }

  Checked<Inventory> read(const yaml::Value& root) {
    if (const auto* value = yaml::find(root, "endpoints")) endpoints(*value);
    if (const auto* value = yaml::find(root, "mail")) mail(*value);
    if (const auto* value = yaml::find(root, "rules")) inventory_.rules = from_here(value->text);
    devices(*yaml::find(root, "devices"));
    for (const yaml::Value& entry : items(root, "skip")) skip(entry);
    for (const yaml::Value& entry : items(root, "sets"))
      inventory_.sets.push_back({.device = text_of(entry, "device"),
                                 .name = text_of(entry, "name"),
                                 .file = from_here(text_of(entry, "file")),
                                 .place = place_of(entry, file_)});
    for (const yaml::Value& entry : items(root, "assume"))
      inventory_.assume.push_back({.device = text_of(entry, "device"),
                                   .condition = text_of(entry, "condition"),
                                   .holds = text_of(entry, "holds") == "true",
                                   .reason = text_of(entry, "reason"),
                                   .place = place_of(entry, file_)});
    for (const yaml::Value& entry : items(root, "paths")) path(entry);
    say_what_is_not_built(root);
    if (!errors_.empty()) return std::unexpected(std::move(errors_));
    return std::move(inventory_);
  }

 private:
  static std::span<const yaml::Value> items(const yaml::Value& map, std::string_view key) {
    const yaml::Value* value = yaml::find(map, key);
    return value == nullptr ? std::span<const yaml::Value>{} : std::span<const yaml::Value>(value->items);
  }

  std::string from_here(const std::string& path) const { return joined(inventory_.folder, path); }

  void refuse(const yaml::Value& value, std::string message) {
    errors_.push_back(error_at(value, file_, std::move(message)));
  }

  void remark(Severity severity, const yaml::Value& value, std::string message) {
    inventory_.remarks.push_back({severity, place_of(value, file_), std::move(message)});
  }

  static std::vector<Address> addresses(const yaml::Value& map, std::string_view key) {
    std::vector<Address> result;
    for (const std::string& text : texts_of(map, key))
      if (const auto address = parse_address(text)) result.push_back(*address);
    return result;
  }

  void endpoints(const yaml::Value& map) {
    Endpoints& endpoints = inventory_.endpoints;
    endpoints.place = place_of(map, file_);
    if (const auto* instance = yaml::find(map, "instance")) endpoints.instance = instance->text;
    const auto* pin = yaml::find(map, "pin");
    const auto* source = yaml::find(map, "source");
    const auto* file = yaml::find(map, "file");
    if ((pin != nullptr) + (source != nullptr) + (file != nullptr) > 1)
      refuse(map, "'pin', 'source' and 'file' each say which list is in force: give one of them");
    if (pin != nullptr) {
      endpoints.from = Endpoints::From::pin;
      endpoints.pin = pin->text;
    } else if (source != nullptr) {
      endpoints.from = source->text == "store" ? Endpoints::From::store : Endpoints::From::service;
    } else if (file != nullptr) {
      endpoints.from = Endpoints::From::file;
      endpoints.file = from_here(file->text);
    }
    if (const auto* age = yaml::find(map, "max-age"))
      endpoints.max_age = std::chrono::days(
          parse_decimal<std::uint32_t>(std::string_view(age->text).substr(0, age->text.size() - 1))
              .value_or(0));
  }

  void mail(const yaml::Value& map) {
    inventory_.mail = {text_of(map, "name"), addresses(map, "hosts"), place_of(map, file_)};
    if (map.items.empty()) refuse(map, "'mail' needs 'hosts' or 'name'");
  }

  void devices(const yaml::Value& list) {
    if (list.items.empty()) refuse(list, "the list of 'devices' is empty");
    std::map<std::string, std::uint32_t> lines;  // of names
    for (const yaml::Value& entry : list.items) {
      device(entry);
      const std::string& name = inventory_.devices.back().name;
      const auto [known, is_new] = lines.emplace(name, entry.at.line);
      if (!name.empty() && !is_new)
        refuse(*yaml::find(entry, "name"),
               fmt::format("the name '{}' is that of the device on line {} too", name, known->second));
    }
  }

  void device(const yaml::Value& entry) {
    const std::string each = text_of(entry, "each");
    DeviceEntry device;
    device.name = text_of(entry, "name");
    device.file = text_of(entry, "file");
    device.files = texts_of(entry, "files");
    device.each = each == "vsys"           ? Each::vsys
                  : each == "context"      ? Each::context
                  : each == "device-group" ? Each::device_group
                                           : Each::none;
    device.question = question(entry);
    device.place = place_of(entry, file_);
    contradictions(entry, device);
    inventory_.devices.push_back(std::move(device));
  }

  static Question question(const yaml::Value& entry) {
    return {.to = addresses(entry, "to"),
            .ingress = text_of(entry, "ingress"),
            .egress = text_of(entry, "egress"),
            .direction = text_of(entry, "direction"),
            .local = addresses(entry, "local"),
            .vendor = text_of(entry, "vendor"),
            .vsys = text_of(entry, "vsys"),
            .device_group = text_of(entry, "device-group"),
            .context = text_of(entry, "context"),
            .profile = text_of(entry, "profile"),
            .program = text_of(entry, "program"),
            .flows = texts_of(entry, "flows")};
  }

  void contradictions(const yaml::Value& entry, const DeviceEntry& device) {
    const yaml::Value* files = yaml::find(entry, "files");
    if (device.file.empty() && files == nullptr) refuse(entry, "a device needs 'file' or 'files'");
    if (!device.file.empty() && files != nullptr)
      refuse(*files, "'file' and 'files' cannot stand together: 'files' are the parts of one device");
    if (std::ranges::any_of(device.files, is_glob))
      refuse(*files, "'files' are the parts of one device and hold no wildcards: a glob stands in 'file'");
    if (is_glob(device.file) && !device.name.empty())
      refuse(*yaml::find(entry, "name"), "a name is for one device, and each file of a glob is one");
    if (is_glob(device.file))
      if (const auto problem = glob_problem(device.file)) refuse(*yaml::find(entry, "file"), *problem);
    if (const yaml::Value* each = yaml::find(entry, "each"); each != nullptr)
      if (yaml::find(entry, each->text) != nullptr)
        refuse(*each, fmt::format("'each: {0}' asks every {0}, '{0}' names one", each->text));
  }

  void skip(const yaml::Value& entry) {
    inventory_.skip.push_back({texts_of(entry, "files"), text_of(entry, "reason"), place_of(entry, file_)});
    for (const std::string& pattern : inventory_.skip.back().files)
      if (const auto problem = glob_problem(pattern)) refuse(*yaml::find(entry, "files"), *problem);
  }

  void path(const yaml::Value& entry) {
    PathEntry path{text_of(entry, "name"), {}, texts_of(entry, "flows"), place_of(entry, file_)};
    for (const yaml::Value& step : items(entry, "through")) path.through.push_back(texts_of(step));
    remark(Severity::error, entry,
           fmt::format("paths are not built yet: '{}' is not judged, its devices are asked one by one",
                       path.name));
    inventory_.paths.push_back(std::move(path));
  }

  // What a user relies on and this version does not do must be heard of.
  void say_what_is_not_built(const yaml::Value& root) {
    if (const auto* waivers = yaml::find(root, "waivers"); waivers != nullptr && !waivers->items.empty())
      remark(Severity::warning, *waivers, "waivers are not built yet: findings are reported unwaived");
    if (const auto* notify = yaml::find(root, "notify"))
      remark(Severity::note, *notify, "notifying is not built yet: no mail is sent");
  }

  const std::string& file_;
  Inventory inventory_;
  Errors errors_;
};

}  // namespace

std::optional<std::string> find_inventory(const std::string& folder) {
  std::error_code status;
  std::filesystem::path at = std::filesystem::weakly_canonical(folder.empty() ? "." : folder, status);
  if (status) return std::nullopt;
  std::filesystem::path path = std::filesystem::path(folder);
  while (true) {
    if (std::filesystem::is_regular_file(at / inventory_name, status))
      return (path / inventory_name).string();
    if (at == at.root_path()) return std::nullopt;
    at = at.parent_path();
    path /= "..";
  }
}

Checked<Inventory> read_inventory(const Source& source) {
  auto root = yaml::parse(source);
  if (!root) return std::unexpected(std::move(root).error());
  if (Errors errors = check(*root, inventory_shape(), source.name()); !errors.empty())
    return std::unexpected(std::move(errors));
  return Reader(source).read(*root);
}

std::string_view to_string(Each each) {
  switch (each) {
    case Each::none: return "none";
    case Each::device_group: return "device-group";
    case Each::vsys: return "vsys";
    case Each::context: return "context";
  }
  return "";
}

}  // namespace aclmend::inventory
