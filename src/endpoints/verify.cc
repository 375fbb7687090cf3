#include "endpoints/verify.h"

#include <fmt/format.h>

#include <algorithm>

namespace aclmend::endpoints {
namespace {

std::string name_of(const Release& release) {
  return release.version.empty() ? release.as_of : release.version;
}

// ---- history

// A list that held no such row before: what it holds is new.
Difference from_nothing(Selected selected) {
  Difference difference;
  difference.added = std::move(selected.addresses);
  for (Row& row : selected.rows) {
    RowChange change;
    change.change = Change::added;
    change.id = row.id;
    change.added = addresses(row);
    change.after = std::move(row);
    difference.rows.push_back(std::move(change));
  }
  return difference;
}

Result<Selected> chosen(const Release& release, const std::optional<Selection>& selection) {
  if (selection) return select(release, *selection);
  return Selected{.rows = release.rows, .addresses = addresses(release.rows)};
}

// ---- verify

// The records between two versions, where documents that are held tell all of that time.
std::optional<std::vector<ChangeRecord>> records_between(std::span<const Changes> changes,
                                                         const std::string& from, const std::string& to) {
  std::vector<ChangeRecord> records;
  std::string reached = from;
  while (reached < to) {
    const Changes* furthest = nullptr;
    for (const Changes& one : changes)
      if (!one.from.empty() && one.from <= reached && one.to > reached &&
          (furthest == nullptr || one.to > furthest->to))
        furthest = &one;
    if (furthest == nullptr) return std::nullopt;
    for (const ChangeRecord& record : furthest->records)
      if (record.version > reached && record.version <= std::min(to, furthest->to)) records.push_back(record);
    reached = furthest->to;
  }
  return records;
}

Step rebuilt(const Release& before, const Release& after, std::span<const Changes> changes) {
  Step step;
  step.from = name_of(before);
  step.to = name_of(after);
  if (before.version.empty() || after.version.empty()) {
    step.note =
        fmt::format("{} has no version, so no changes lead {} it",
                    name_of(before.version.empty() ? before : after), before.version.empty() ? "from" : "to");
    return step;
  }
  auto records = records_between(changes, before.version, after.version);
  step.by = records ? Step::By::changes : Step::By::derived;
  if (!records) {
    step.note = "no changes held between them";
    records = derive(before, after);
  }
  auto applied = apply(before, *records, after.version);
  if (!applied) {
    step.by = Step::By::nothing;
    step.note = applied.error().message;
    return step;
  }
  step.records = records->size() - applied->not_applied.size();
  step.not_applied = std::move(applied->not_applied);
  step.differences = differences(applied->release, after);
  return step;
}

}  // namespace

std::string_view to_string(Step::By by) {
  switch (by) {
    case Step::By::changes: return "changes";
    case Step::By::derived: return "derived";
    case Step::By::nothing: return "nothing";
  }
  return "";
}

bool Verification::agrees() const {
  return std::ranges::all_of(
      steps, [](const Step& step) { return step.not_applied.empty() && step.differences.empty(); });
}

std::vector<ReleaseChange> release_changes(std::span<const Kept> releases,
                                           const std::optional<Selection>& selection) {
  std::vector<ReleaseChange> all;
  const Release* before = nullptr;
  for (const Kept& kept : releases) {
    ReleaseChange one;
    one.version = kept.release.version;
    one.as_of = kept.release.as_of;
    one.first_seen = kept.first_seen;
    auto selected = chosen(kept.release, selection);
    if (!selected) {
      one.not_compared = selected.error().message;
    } else if (before == nullptr) {
      one.is_first = true;
      one.difference = from_nothing(std::move(*selected));
      before = &kept.release;
    } else {
      auto difference = diff(*before, kept.release, selection);
      if (difference) one.difference = std::move(*difference);
      else one.not_compared = difference.error().message;
      before = &kept.release;
    }
    all.push_back(std::move(one));
  }
  return all;
}

Verification verify(std::span<const Kept> releases, std::span<const Changes> changes) {
  Verification result;
  result.releases = releases.size();
  if (!releases.empty()) result.instance = releases.front().release.instance;
  for (std::size_t i = 1; i < releases.size(); ++i)
    result.steps.push_back(rebuilt(releases[i - 1].release, releases[i].release, changes));
  return result;
}

}  // namespace aclmend::endpoints
