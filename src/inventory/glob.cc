#include "inventory/glob.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "base/text.h"

namespace aclmend::inventory {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t deepest_folder = 64;
constexpr std::size_t most_entries = 1'000'000;  // looked at by one expansion
constexpr std::size_t most_files = 100'000;      // found by one expansion

bool crosses_folders(std::string_view part) { return part == "**"; }

// One name against one part of a pattern; the last star takes back as little as it must.
bool matches_name(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.')) return false;
  constexpr auto none = std::string_view::npos;
  std::size_t p = 0, n = 0, star = none, star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != none) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

// The parts of a pattern, and where in them one stands after some folders: several places at once, because
// '**' may take any number.
class Pattern {
 public:
  using Places = std::set<std::size_t>;

  explicit Pattern(std::string_view text) {
    for (const std::string_view part : split(text, '/'))
      if (!part.empty() && part != ".") parts_.push_back(part);
  }

  Places start() const { return with_skipped({0}); }
  bool empty() const { return parts_.empty(); }

  // Into a folder of this name. `may_cross` says whether '**' may take it.
  enum class Crossing { allowed, refused };
  Places into(const Places& places, std::string_view name, Crossing crossing) const {
    Places next;
    for (const std::size_t place : places) {
      if (place >= parts_.size()) continue;
      if (!crosses_folders(parts_[place])) {
        if (matches_name(parts_[place], name)) next.insert(place + 1);
      } else if (crossing == Crossing::allowed && matches_name("*", name)) {
        next.insert(place);
      }
    }
    return with_skipped(std::move(next));
  }

  bool ends_with(const Places& places, std::string_view name) const {
    return std::ranges::any_of(places, [&](std::size_t place) {
      return place + 1 == parts_.size() &&
             matches_name(crosses_folders(parts_[place]) ? "*" : parts_[place], name);
    });
  }

 private:
  Places with_skipped(Places places) const {
    for (std::size_t place = 0; place < parts_.size(); ++place)
      if (places.contains(place) && crosses_folders(parts_[place])) places.insert(place + 1);
    return places;
  }

  std::vector<std::string_view> parts_;
};

// The literal folders at the front of a pattern, and the rest.
struct Halves {
  std::string folder;
  std::string rest;
};

Halves halves(const std::string& pattern) {
  const std::size_t wild = pattern.find_first_of("*?");
  const std::size_t slash = pattern.rfind('/', wild);
  if (slash == std::string::npos) return {"", pattern};
  return {pattern.substr(0, std::max<std::size_t>(slash, 1)), pattern.substr(slash + 1)};
}

class Walk {
 public:
  explicit Walk(const Pattern& pattern) : pattern_(pattern) {}

  // `seen_as` is how the folder is called in what is found.
  void folder(const fs::path& opened, const fs::path& seen_as, const Pattern::Places& places,
              std::size_t depth) {
    if (places.empty() || is_full_) return;
    if (depth > deepest_folder)
      return problem(seen_as, fmt::format("more than {} folders deep", deepest_folder));
    std::error_code status;
    fs::directory_iterator entries(opened, status);
    for (; !status && entries != fs::directory_iterator(); entries.increment(status)) {
      if (++entries_ > most_entries) return stop(seen_as, most_entries, "names to look at");
      if (found_.files.size() == most_files) return stop(seen_as, most_files, "files");
      entry(*entries, seen_as, places, depth);
      if (is_full_) return;
    }
    if (status) problem(seen_as, fmt::format("cannot be read: {}", status.message()));
  }

  Expansion take() {
    std::ranges::sort(found_.files);
    std::ranges::sort(found_.problems);
    return std::move(found_);
  }

 private:
  void entry(const fs::directory_entry& entry, const fs::path& seen_as, const Pattern::Places& places,
             std::size_t depth) {
    const std::string name = entry.path().filename().string();
    std::error_code status;
    const bool is_link = entry.is_symlink(status);
    if (entry.is_directory(status)) {
      const auto crossing = is_link ? Pattern::Crossing::refused : Pattern::Crossing::allowed;
      folder(entry.path(), seen_as / name, pattern_.into(places, name, crossing), depth + 1);
    } else if (pattern_.ends_with(places, name) &&
               (entry.is_regular_file(status) || (is_link && !entry.exists(status)))) {
      found_.files.push_back((seen_as / name).string());
    }
  }

  void problem(const fs::path& folder, std::string message) {
    found_.problems.push_back(fmt::format("{}: {}", folder.empty() ? "." : folder.string(), message));
  }

  void stop(const fs::path& folder, std::size_t limit, std::string_view of_what) {
    is_full_ = true;
    problem(folder,
            fmt::format("more than {} {}: the rest was not looked at", with_thousands(limit), of_what));
  }

  const Pattern& pattern_;
  Expansion found_;
  std::size_t entries_ = 0;
  bool is_full_ = false;
};

}  // namespace

bool is_glob(std::string_view text) { return text.find_first_of("*?") != std::string_view::npos; }

std::optional<std::string> glob_problem(std::string_view pattern) {
  constexpr std::size_t most_parts = 100;
  const auto parts = split(pattern, '/');
  if (parts.size() > most_parts) return fmt::format("more than {} folders in one pattern", most_parts);
  const auto wild = std::ranges::find_if(parts, is_glob);
  if (std::find(wild, parts.end(), "..") != parts.end()) return "'..' cannot follow a wildcard";
  if (pattern.ends_with('/')) return "a pattern names files: end it with a file name or with '**'";
  return std::nullopt;
}

bool matches(std::string_view pattern, std::string_view path) {
  const Pattern wanted(pattern);
  Pattern::Places places = wanted.start();
  const auto parts = split(path, '/');
  for (std::size_t i = 0; i + 1 < parts.size(); ++i)
    if (!parts[i].empty() && parts[i] != ".")
      places = wanted.into(places, parts[i], Pattern::Crossing::allowed);
  return wanted.ends_with(places, parts.back());
}

Expansion expand(const std::string& folder, const std::string& pattern) {
  const auto [front, rest] = halves(pattern);
  const Pattern wanted(rest);
  Walk walk(wanted);
  const fs::path seen_as = fs::path(front).lexically_normal();
  const std::string opened = joined(folder, front);
  std::error_code status;
  if (fs::is_directory(opened.empty() ? "." : opened, status))
    walk.folder(opened.empty() ? "." : opened, seen_as == "." ? fs::path() : seen_as, wanted.start(), 0);
  return walk.take();
}

std::string joined(const std::string& folder, const std::string& path) {
  const std::string whole = (fs::path(folder) / path).lexically_normal().string();
  return whole == "." ? "" : whole;
}

}  // namespace aclmend::inventory
