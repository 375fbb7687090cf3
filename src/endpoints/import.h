// Saved answers of the service taken in: whose they are and of which version, from what they hold, their name
// and the folder they lie in. A version is never invented, and what is not clear is refused with the option
// that would make it so. Nothing is kept in here: that is the caller's.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "endpoints/changes.h"

namespace aclmend::endpoints {

// What the user said about the files.
struct Said {
  std::optional<Instance> instance;
  std::string version;  // ten digits; empty: not said
};

// What a file is. Of a release: instance, version or date (as_of) are set.
struct Imported {
  std::variant<Release, Changes> is;
  std::string instance_from;  // "--instance", "its name", "its folder", "its SMTP rows"
  std::string version_from;   // "--version", "its name"; of changes empty
};

// `Worldwide-2023073100.json`, `worldwide/2018063000.json`, `usgovgcchigh-2025-12-01.json`.
Result<Imported> recognise(const Source& source, const Said& said);

// What a file's name says, of the instance also the folder that it lies in. Two that contradict each other
// say nothing.
struct Named {
  std::optional<Instance> instance;
  bool by_folder = false;
  std::string version, date;  // at most one of them
};
Named named(std::string_view path);

// A release that was made from the one before it by a document of changes.
struct Made {
  Release release;
  std::string before;                      // the version it was made from
  std::vector<NotApplied> not_applied;     // not empty: the release is not to be relied on
  bool is_held = false;                    // this version is held: the release is that one
  std::vector<RowDifference> differences;  // of the made one against the held
};

// Carries a document of changes out on what is held of its instance: from the newest release that is older
// than its first record, version by version. Where a version is held the two are compared, and the held one
// is taken further. Stops after the first release that is not to be relied on. An Error: no release to begin
// with.
Result<std::vector<Made>> replay(std::span<const Release> held, const Changes& changes);

// A release as the service writes it (JSON), in a form that is always the same.
std::string encode(const Release& release);

// A list from the store: version, date and origin are what the store says.
Result<Release> decode_held(const Source& source, Instance instance, std::string_view version,
                            std::string_view as_of);

}  // namespace aclmend::endpoints
