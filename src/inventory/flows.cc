#include "inventory/flows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/embedded.h"
#include "base/file.h"
#include "base/text.h"

namespace aclmend::inventory {
namespace {

constexpr std::size_t most_files = 1000;  // of one folder of flows

bool is_shipped_text(std::string_view text) {
  return std::ranges::find(embedded_rules(), text, &EmbeddedFile::text) != embedded_rules().end();
}

// Flows as they come in, their ids unique.
struct Collection {
  std::vector<Flow> flows;
  Errors errors;

  void add(const Source& source, Origin origin) {
    auto flow = read_flow(source);
    if (!flow) {
      errors.insert(errors.end(), flow.error().begin(), flow.error().end());
      return;
    }
    flow->origin = origin;
    const Flow* same = find_flow(flows, flow->id);
    if (same == nullptr) flows.push_back(*std::move(flow));
    else if (same->origin == Origin::shipped)
      refuse(*flow, fmt::format("the id '{}' is that of a shipped flow", flow->id));
    else refuse(*flow, fmt::format("the id '{}' is that of {} too", flow->id, same->place.file));
  }

  void refuse(const Flow& flow, std::string message) {
    errors.push_back({.message = std::move(message),
                      .file = flow.place.file,
                      .line = flow.place.line,
                      .column = flow.place.column});
  }

  Checked<std::vector<Flow>> finished() {
    for (const Flow& flow : flows)
      if (!flow.with.empty() && find_flow(flows, flow.with) == nullptr)
        refuse(flow, fmt::format("'with' names the flow '{}', which is not there", flow.with));
    if (!errors.empty()) return std::unexpected(std::move(errors));
    return std::move(flows);
  }
};

Collection shipped() {
  Collection collection;
  for (const EmbeddedFile& file : embedded_rules())
    collection.add(Source(fmt::format("rules/{}", file.name), file.text), Origin::shipped);
  return collection;
}

// The paths of a folder's flow files, sorted.
Result<std::vector<std::string>> flow_files_in(const std::string& folder) {
  std::error_code status;
  std::filesystem::directory_iterator entries(folder, status);
  if (status) return fail({.message = fmt::format("cannot be read: {}", status.message()), .file = folder});
  std::vector<std::string> files;
  for (; !status && entries != std::filesystem::directory_iterator(); entries.increment(status)) {
    const std::filesystem::path& path = entries->path();
    if (path.extension() != ".yaml" && path.extension() != ".yml") continue;
    files.push_back(path.string());
    if (files.size() > most_files)
      return fail({.message = fmt::format("holds more than {} flow files", most_files), .file = folder});
  }
  if (status) return fail({.message = fmt::format("cannot be read: {}", status.message()), .file = folder});
  if (files.empty()) return fail({.message = "holds no flow file (*.yaml)", .file = folder});
  std::ranges::sort(files);
  return files;
}

void add_user_file(Collection& collection, const Source& source) {
  if (!is_shipped_text(source.text())) collection.add(source, Origin::file);
}

}  // namespace

Checked<std::vector<Flow>> load_flows(std::span<const std::string> folders) {
  Collection collection = shipped();
  for (const std::string& folder : folders) {
    const auto files = flow_files_in(folder);
    if (!files) {
      collection.errors.push_back(files.error());
      continue;
    }
    for (const std::string& file : *files) {
      const auto source = read_file(file);
      if (source) add_user_file(collection, **source);
      else collection.errors.push_back(source.error());
    }
  }
  return collection.finished();
}

Checked<std::vector<Flow>> load_flow_files(std::span<const SourcePtr> files) {
  Collection collection = shipped();
  for (const SourcePtr& file : files) add_user_file(collection, *file);
  return collection.finished();
}

const Flow* find_flow(std::span<const Flow> flows, std::string_view id) {
  const auto found = std::ranges::find(flows, id, &Flow::id);
  return found == flows.end() ? nullptr : &*found;
}

Result<std::vector<const Flow*>> flows_asked(std::span<const Flow> flows, std::span<const std::string> ids) {
  std::vector<std::string_view> asked(ids.begin(), ids.end());
  if (asked.empty()) asked.push_back(default_flow);
  for (const std::string_view id : asked) {
    if (find_flow(flows, id) != nullptr) continue;
    std::vector<std::string_view> known;
    for (const Flow& flow : flows) known.push_back(flow.id);
    const auto near = nearest(id, known);
    return fail(near ? fmt::format("there is no flow '{}': did you mean '{}'?", id, *near)
                     : fmt::format("there is no flow '{}': the flows are {}", id, fmt::join(known, ", ")));
  }
  const auto is_asked = [&](std::string_view id) { return std::ranges::find(asked, id) != asked.end(); };
  for (std::size_t before = 0; before != asked.size();) {  // what goes with a flow may have company itself
    before = asked.size();
    for (const Flow& flow : flows)
      if (!flow.with.empty() && is_asked(flow.with) && !is_asked(flow.id)) asked.push_back(flow.id);
  }
  std::vector<const Flow*> result;
  for (const Flow& flow : flows)
    if (is_asked(flow.id)) result.push_back(&flow);
  return result;
}

std::string_view to_string(Direction direction) {
  switch (direction) {
    case Direction::inbound: return "inbound";
    case Direction::outbound: return "outbound";
  }
  return "";
}

std::string_view to_string(Others others) {
  switch (others) {
    case Others::ignore: return "ignore";
    case Others::note: return "note";
    case Others::warning: return "warning";
    case Others::error: return "error";
  }
  return "";
}

}  // namespace aclmend::inventory
