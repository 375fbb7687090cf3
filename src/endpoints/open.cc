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

// "2025-12-01": how inventories pin a release without a version.
bool looks_like_a_date(std::string_view text) {
  if (text.size() != 10) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (i == 4 || i == 7 ? text[i] != '-' : text[i] < '0' || text[i] > '9') return false;
  return true;
}

Result<Release> open_date(const std::string& date, Instance instance) {
  Release release = newest(instance);
  if (release.as_of == date) return release;
  return fail(fmt::format("no list of {} as of {} is known here; the one built in is as of {}",
                          to_string(instance), date, release.as_of));
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
  const Instance wanted = instance.value_or(Instance::worldwide);
  if (file_or_version == "embedded") return newest(wanted);
  if (looks_like_a_version(file_or_version)) return at_version(wanted, file_or_version);
  if (looks_like_a_date(file_or_version)) return open_date(file_or_version, wanted);
  return open_file(file_or_version, instance);
}

}  // namespace aclmend::endpoints
