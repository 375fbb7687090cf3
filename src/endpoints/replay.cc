// A document of changes carried out on what is held, version by version.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/digest.h"
#include "endpoints/import.h"

namespace aclmend::endpoints {
namespace {

using Held = std::map<std::string, const Release*>;

Held by_version(std::span<const Release> releases, Instance instance) {
  Held all;
  for (const Release& release : releases)
    if (release.instance == instance && is_version(release.version) &&
        release.completeness == Completeness::whole)
      all[release.version] = &release;
  return all;
}

// The newest that is older than everything the document tells.
Result<const Release*> begin_with(const Held& held, const Changes& changes) {
  const std::string& first = changes.records.front().version;
  const auto after = held.lower_bound(first);
  if (after == held.begin())
    return fail(
        Error{.message = fmt::format("it begins with version {} of {}, and no release before that is held",
                                     first, to_string(changes.instance)),
              .file = changes.file,
              .line = 0,
              .column = 0,
              .hint = "import the list that the changes were asked for first"});
  const Release* base = std::prev(after)->second;
  if (!changes.from.empty() && base->version < changes.from)
    return fail(
        Error{.message = fmt::format("it tells what came after {}, and the newest release held before "
                                     "that is {}: what changed between them is not in it",
                                     changes.from, base->version),
              .file = changes.file,
              .line = 0,
              .column = 0,
              .hint = fmt::format("import the list of {} first", changes.from)});
  return base;
}

std::set<std::string> versions_to_reach(const Held& held, const Changes& changes, const std::string& base) {
  std::set<std::string> versions;
  for (const ChangeRecord& record : changes.records) versions.insert(record.version);
  const std::string last = std::max(changes.to, *versions.rbegin());
  for (const auto& [version, release] : held)
    if (version > base && version <= last) versions.insert(version);
  return versions;
}

}  // namespace

Result<std::vector<Made>> replay(std::span<const Release> held, const Changes& changes) {
  std::vector<Made> all;
  if (changes.records.empty()) return all;
  const Held known = by_version(held, changes.instance);
  TRY(base, begin_with(known, changes));
  Release current = *base;
  for (const std::string& version : versions_to_reach(known, changes, current.version)) {
    TRY(applied, apply(current, changes.records, version));
    Made made;
    made.before = current.version;
    made.not_applied = std::move(applied.not_applied);
    if (const auto same = known.find(version); same != known.end()) {
      made.is_held = true;
      made.differences = differences(applied.release, *same->second);
      made.release = *same->second;
    } else {
      made.release = std::move(applied.release);
      made.release.origin = Origin::file;
      made.release.file = changes.file;
      made.release.lines = changes.lines;
      made.release.sha256 = sha256_hex(encode(made.release));
      made.release.remarks = {fmt::format("made from {} by its changes", made.before)};
    }
    current = made.release;
    const bool relied_on = made.is_held || made.not_applied.empty();
    all.push_back(std::move(made));
    if (!relied_on) break;
  }
  return all;
}

}  // namespace aclmend::endpoints
