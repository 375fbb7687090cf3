#include "inventory/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "base/text.h"
#include "inventory/glob.h"

namespace aclmend::inventory {
namespace {

bool came_by_glob(const DeviceEntry& entry) { return is_glob(entry.file); }

// The files of an entry that names them, as seen from the inventory.
std::vector<std::string> named_files(const DeviceEntry& entry) {
  std::vector<std::string> files;
  if (!entry.file.empty()) files.push_back(joined("", entry.file));
  for (const std::string& file : entry.files) files.push_back(joined("", file));
  return files;
}

// Two entries may name one export where each asks another part of it.
bool are_different_parts(const DeviceEntry& a, const DeviceEntry& b) {
  const auto differ = [](const std::string& x, const std::string& y) {
    return !x.empty() && !y.empty() && x != y;
  };
  return differ(a.question.vsys, b.question.vsys) ||
         differ(a.question.device_group, b.question.device_group) ||
         differ(a.question.context, b.question.context);
}

class Planner {
 public:
  explicit Planner(const Inventory& inventory) : inventory_(inventory) {}

  Plan make() {
    plan_.remarks = inventory_.remarks;
    for (const DeviceEntry& entry : inventory_.devices)
      if (!came_by_glob(entry)) claim(entry);
    for (const DeviceEntry& entry : inventory_.devices)
      came_by_glob(entry) ? add_glob(entry) : add_named(entry);
    attach();
    std::ranges::stable_sort(plan_.remarks, {}, [](const Remark& remark) {
      return std::pair(remark.place.line, remark.place.column);
    });
    return std::move(plan_);
  }

 private:
  void remark(Severity severity, const Place& place, std::string message) {
    plan_.remarks.push_back({severity, place, std::move(message)});
  }

  // A file belongs to the entries that name it; the globs leave it to them.
  void claim(const DeviceEntry& entry) {
    for (const std::string& file : named_files(entry)) {
      std::vector<const DeviceEntry*>& claims = claims_[file];
      const auto rival = std::ranges::find_if(
          claims, [&](const DeviceEntry* other) { return !are_different_parts(*other, entry); });
      if (rival == claims.end()) {
        claims.push_back(&entry);
        continue;
      }
      refused_.insert(&entry);
      remark(Severity::error, entry.place,
             *rival == &entry ? fmt::format("names '{}' twice", file)
                              : fmt::format("names '{}', which the device on line {} names too", file,
                                            (*rival)->place.line));
    }
  }

  const SkipEntry* skipped_by(const std::string& file) const {
    const auto found = std::ranges::find_if(inventory_.skip, [&](const SkipEntry& entry) {
      return std::ranges::any_of(entry.files,
                                 [&](const std::string& pattern) { return matches(pattern, file); });
    });
    return found == inventory_.skip.end() ? nullptr : &*found;
  }

  void add_named(const DeviceEntry& entry) {
    if (refused_.contains(&entry)) return;
    const std::vector<std::string> files = named_files(entry);
    for (const std::string& file : files)
      if (const SkipEntry* skip = skipped_by(file))
        remark(Severity::error, entry.place,
               fmt::format("names '{}', which line {} skips: it is asked", file, skip->place.line));
    add(entry, entry.name.empty() ? files.front() : entry.name, files);
  }

  void add_glob(const DeviceEntry& entry) {
    const Expansion found = expand(inventory_.folder, entry.file);
    for (const std::string& problem : found.problems) remark(Severity::error, entry.place, problem);
    if (found.files.empty())
      remark(Severity::error, entry.place, fmt::format("no file matches '{}'", entry.file));
    std::size_t taken = 0;
    std::string example;
    for (const std::string& file : found.files) {
      if (claims_.contains(file)) continue;  // the entry that names it holds
      if (const SkipEntry* skip = skipped_by(file)) {
        if (by_glob_.emplace(file, nullptr).second)
          plan_.skipped.push_back({joined(inventory_.folder, file), skip->reason, skip->place});
      } else if (by_glob_.emplace(file, &entry).second) {
        add(entry, file, {file});
      } else if (taken++ == 0) {
        example = file;
      }
    }
    if (taken > 0)
      remark(Severity::warning, entry.place,
             fmt::format("{} of its files came by line {} already, which holds for them: '{}'{}", taken,
                         by_glob_.at(example)->place.line, example, taken > 1 ? " and others" : ""));
  }

  void add(const DeviceEntry& entry, const std::string& name, const std::vector<std::string>& files) {
    if (!index_.emplace(name, plan_.devices.size()).second)
      return remark(Severity::error, entry.place, fmt::format("another device is named '{}' already", name));
    PlannedDevice device;
    device.name = name;
    for (const std::string& file : files) device.files.push_back(joined(inventory_.folder, file));
    device.came_by_glob = came_by_glob(entry);
    const bool is_named = !device.came_by_glob || !entry.question.flows.empty();
    device.asked = is_named ? Asked::always : Asked::if_it_knows_the_mail_host;
    device.each = entry.each;
    device.question = entry.question;
    if (device.question.to.empty()) device.question.to = inventory_.mail.hosts;
    device.place = entry.place;
    plan_.devices.push_back(std::move(device));
  }

  // "edge" is a device, "edge/ctx1" a part of its export.
  struct Part {
    PlannedDevice* device = nullptr;
    std::string scope;
  };
  Part part_named(const std::string& name) {
    for (std::size_t end = name.size(); end != std::string::npos && end > 0; end = name.rfind('/', end - 1)) {
      const auto found = index_.find(name.substr(0, end));
      if (found == index_.end()) continue;
      return {&plan_.devices[found->second], end == name.size() ? "" : name.substr(end + 1)};
    }
    return {};
  }

  void attach() {
    for (const SetEntry& set : inventory_.sets)
      if (const Part part = known_part(set.device, set.place); part.device != nullptr)
        part.device->sets.push_back({part.scope, set.name, set.file, set.place});
    for (const Assumption& assume : inventory_.assume)
      if (const Part part = known_part(assume.device, assume.place); part.device != nullptr)
        part.device->assumptions.push_back(
            {part.scope, assume.condition, assume.holds, assume.reason, assume.place});
    for (const PathEntry& path : inventory_.paths)
      for (const auto& alternatives : path.through)
        for (const std::string& name : alternatives)
          if (const Part part = known_part(name, path.place); part.device != nullptr)
            part.device->asked = Asked::always;
  }

  Part known_part(const std::string& name, const Place& place) {
    Part part = part_named(name);
    if (part.device == nullptr) {
      std::vector<std::string_view> names;
      for (const PlannedDevice& device : plan_.devices) names.push_back(device.name);
      const auto near = nearest(name, names);
      remark(Severity::error, place,
             fmt::format("there is no device '{}'{}", name,
                         near ? fmt::format(": did you mean '{}'?", *near) : std::string()));
    }
    return part;
  }

  const Inventory& inventory_;
  Plan plan_;
  std::unordered_map<std::string, std::vector<const DeviceEntry*>> claims_;  // by file
  std::set<const DeviceEntry*> refused_;
  std::unordered_map<std::string, const DeviceEntry*> by_glob_;  // by file; null: skipped
  std::unordered_map<std::string, std::size_t> index_;           // of plan_.devices, by name
};

}  // namespace

Plan plan(const Inventory& inventory) { return Planner(inventory).make(); }

}  // namespace aclmend::inventory
