// `--endpoints`: which release a word of the command line names, and whose list a file is.
#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "endpoints/result.h"

namespace aclmend::endpoints {
namespace {

bool looks_like_a_version(std::string_view text) {
  return text.size() == 10 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::size_t known_prefixes(std::span<const Row> smtp_rows, Instance instance) {
  std::vector<Prefix> known;
  for (const Listing& listing : history(instance)) known.push_back(listing.prefix);
  std::ranges::sort(known);
  std::size_t count = 0;
  for (const Row& row : smtp_rows)
    for (const Prefix& prefix : row.ips) count += std::ranges::binary_search(known, prefix) ? 1U : 0U;
  return count;
}

Result<Release> open_file(const std::string& path, std::optional<Instance> instance) {
  TRY(source, read_file(path));
  TRY(release, decode(*source, instance.value_or(Instance::worldwide)));
  const auto likely = likely_instance(release.rows);
  if (!likely || *likely == release.instance) return release;
  if (instance) {
    release.remarks.push_back(
        fmt::format("its SMTP rows are those of {}, not of {}", to_string(*likely), to_string(*instance)));
  } else {
    release.instance = *likely;
    release.remarks.push_back(fmt::format("taken for {} by its SMTP rows (--instance)", to_string(*likely)));
  }
  return release;
}

}  // namespace

std::optional<Instance> likely_instance(std::span<const Row> rows) {
  std::vector<Row> smtp_rows;
  for (const Row& row : rows)
    if (selects(smtp_selection(), row)) smtp_rows.push_back(row);
  std::optional<Instance> best;
  std::size_t most = 0;
  for (const Instance instance : instances()) {
    const std::size_t count = known_prefixes(smtp_rows, instance);
    if (count > most) best = instance;
    most = std::max(most, count);
  }
  return best;
}

Result<Release> open_release(const std::string& file_or_version, std::optional<Instance> instance) {
  if (file_or_version == "embedded") return newest(instance.value_or(Instance::worldwide));
  if (looks_like_a_version(file_or_version))
    return at_version(instance.value_or(Instance::worldwide), file_or_version);
  return open_file(file_or_version, instance);
}

}  // namespace aclmend::endpoints
