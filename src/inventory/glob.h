// File names with wildcards: '*' is any text and '?' any character within one name, '**' any number of
// folders (and, at the end, every file below). Nothing else is special: brackets are themselves. A name that
// begins with a dot is matched only by a pattern that says the dot.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aclmend::inventory {

bool is_glob(std::string_view text);

// Why a pattern cannot be used, if so.
std::optional<std::string> glob_problem(std::string_view pattern);

bool matches(std::string_view pattern, std::string_view path);

struct Expansion {
  std::vector<std::string> files;     // as seen from the folder, in the order of their bytes
  std::vector<std::string> problems;  // folders that could not be read, limits that were met
};

// The regular files (and links that lead nowhere) below a folder that match. '**' does not follow links to
// folders, so that a loop of links ends; what is named in the pattern may be one.
Expansion expand(const std::string& folder, const std::string& pattern);

// A path as it opens from the working directory, when it was written relative to a folder ("": that one).
std::string joined(const std::string& folder, const std::string& path);

}  // namespace aclmend::inventory
