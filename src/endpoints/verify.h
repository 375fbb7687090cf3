// Releases in a row: what each changed against the one before it, and whether each can be rebuilt from it.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "endpoints/changes.h"

namespace aclmend::endpoints {

// Of one instance, oldest first.
struct Kept {
  Release release;
  std::string first_seen;  // UTC; empty: not known
};

// ---- history

struct ReleaseChange {
  std::string version;  // empty: not known, then `as_of` is
  std::string as_of;
  std::string first_seen;
  std::optional<Difference> difference;  // of the rows chosen, against the last release that holds such rows
  bool is_first = false;                 // there is none before it: everything it holds is "added"
  std::string not_compared;              // why there is no difference
};

// One a release, oldest first; without a selection all rows are compared. A release that holds no chosen row
// is not compared: it may be a part of a list.
std::vector<ReleaseChange> release_changes(std::span<const Kept> releases,
                                           const std::optional<Selection>& selection);

// ---- endpoints verify

struct Step {
  std::string from, to;  // versions, or dates where there is none
  enum class By : std::uint8_t { changes, derived, nothing };
  By by = By::nothing;
  std::size_t records = 0;  // carried out
  std::vector<NotApplied> not_applied;
  std::vector<RowDifference> differences;
  std::string note;  // "no changes held between them"; why it was not rebuilt
};
std::string_view to_string(Step::By by);

struct Verification {
  Instance instance = Instance::worldwide;
  std::size_t releases = 0;
  std::vector<Step> steps;
  bool agrees() const;  // no step has differences or records that could not be applied
};

// Rebuilds each release from the one before it and the changes held between them, and compares. Where none
// are held the changes are derived from the two, which tests this program and not the lists: it is said.
Verification verify(std::span<const Kept> releases, std::span<const Changes> changes);

}  // namespace aclmend::endpoints
