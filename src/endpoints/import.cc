// Whose list a saved file is, and of when. What the file holds speaks first, its name second; where they
// contradict each other the user decides.
#include "endpoints/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/digest.h"
#include "base/text.h"

namespace aclmend::endpoints {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// The only one of its kind: two that contradict each other say nothing.
template <class T>
std::optional<T> only(const std::set<T>& found) {
  return found.size() == 1 ? std::optional(*found.begin()) : std::nullopt;
}

std::optional<Instance> instance_in(std::string_view text) {
  std::set<Instance> found;
  for (const std::string_view word : words_of(text))
    if (const auto instance = instance_named(word)) found.insert(*instance);
  return only(found);
}

std::string dashed(std::string_view digits) {
  return fmt::format("{}-{}-{}", digits.substr(0, 4), digits.substr(4, 2), digits.substr(6, 2));
}

bool is_day(std::string_view digits) { return digits.size() == 8 && is_version(fmt::format("{}00", digits)); }

// "2025-12-01" or "20251201".
std::set<std::string> days_in(std::string_view text) {
  std::set<std::string> found;
  const auto words = words_of(text);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (is_day(words[i])) found.insert(dashed(words[i]));
    if (i + 2 >= words.size() || words[i + 2].data() != words[i].data() + 8) continue;
    if (const std::string day = fmt::format("{}{}{}", words[i], words[i + 1], words[i + 2]);
        words[i].size() == 4 && words[i + 1].size() == 2 && is_day(day))
      found.insert(dashed(day));
  }
  return found;
}

std::string where_named(const Named& name) { return name.by_folder ? "its folder" : "its name"; }

Error unclear(const Source& source, std::string message) {
  return {.message = std::move(message), .file = source.name()};
}

struct Whose {
  Instance instance = Instance::worldwide;
  std::string from;
  std::string remark;  // empty: none
};

Result<Whose> whose(const Source& source, const Said& said, const Named& name,
                    std::optional<Instance> by_rows) {
  if (said.instance) {
    Whose one{.instance = *said.instance, .from = "--instance", .remark = {}};
    if (by_rows && *by_rows != *said.instance)
      one.remark = fmt::format("its SMTP rows are those of {}, not of {}", to_string(*by_rows),
                               to_string(*said.instance));
    return one;
  }
  if (by_rows && name.instance && *by_rows != *name.instance)
    return fail(
        unclear(source, fmt::format("{} says {}, and its SMTP rows are those of {}: say which it is "
                                    "(--instance)",
                                    where_named(name), to_string(*name.instance), to_string(*by_rows))));
  if (name.instance) return Whose{.instance = *name.instance, .from = where_named(name), .remark = {}};
  if (by_rows) return Whose{.instance = *by_rows, .from = "its SMTP rows", .remark = {}};
  return fail(unclear(source,
                      "neither its name, its folder nor its SMTP rows tell whose list it is: say so "
                      "(--instance)"));
}

Result<Imported> recognise_release(const Source& source, const Said& said) {
  TRY(release, decode(source, Instance::worldwide));
  const Named name = named(source.name());
  TRY(owner, whose(source, said, name, likely_instance(release.rows)));
  release.instance = owner.instance;
  if (!owner.remark.empty()) release.remarks.push_back(owner.remark);
  release.version = said.version.empty() ? name.version : said.version;
  if (!said.version.empty() && !name.version.empty() && said.version != name.version)
    release.remarks.push_back(fmt::format("its name says version {}", name.version));
  release.as_of = release.version.empty() ? name.date : dashed(release.version);
  if (release.as_of.empty())
    return fail(unclear(source,
                        "its name holds neither a version such as 2023073100 nor a date such as "
                        "2023-07-31: say which version it is (--version)"));
  std::set<std::string> areas;
  for (const Row& row : release.rows) areas.insert(row.service_area);
  if (areas.size() == 1)
    release.remarks.push_back(
        fmt::format("the list holds {} rows alone; was it cut to them?", *areas.begin()));
  const char* version_from = said.version.empty() ? "its name" : "--version";
  return Imported{
      .is = std::move(release), .instance_from = std::move(owner.from), .version_from = version_from};
}

Result<Imported> recognise_changes(const Source& source, const Said& said) {
  const Named name = named(source.name());
  TRY(owner, whose(source, said, name, std::nullopt));
  TRY(changes, decode_changes(source, owner.instance));
  if (changes.records.empty()) return fail(unclear(source, "an answer of /changes without a change"));
  changes.to = changes.records.back().version;
  // The version that was asked about, where the name tells it: an answer holds what is later.
  const std::string& from = said.version.empty() ? name.version : said.version;
  if (!from.empty() && from < changes.records.front().version) changes.from = from;
  return Imported{.is = std::move(changes), .instance_from = std::move(owner.from), .version_from = {}};
}

}  // namespace

Named named(std::string_view path) {
  const auto parts = split(path, '/');
  const std::string_view file = parts.back();
  const std::string_view folder = parts.size() > 1 ? parts[parts.size() - 2] : std::string_view();
  Named name;
  name.instance = instance_in(file);
  name.by_folder = !name.instance && instance_in(folder);
  if (name.by_folder) name.instance = instance_in(folder);
  std::set<std::string> versions;
  for (const std::string_view word : words_of(file))
    if (is_version(word)) versions.emplace(word);
  name.version = only(versions).value_or(std::string());
  if (versions.empty()) name.date = only(days_in(file)).value_or(std::string());
  return name;
}

Result<Imported> recognise(const Source& source, const Said& said) {
  if (!said.version.empty() && !is_version(said.version))
    return fail(fmt::format("expected a version of ten digits such as 2023073100, found '{}'", said.version));
  const bool tells_changes = source.text().find("\"endpointSetId\"") != std::string_view::npos;
  return tells_changes ? recognise_changes(source, said) : recognise_release(source, said);
}

Result<Release> decode_held(const Source& source, Instance instance, std::string_view version,
                            std::string_view as_of) {
  TRY(release, decode(source, instance));
  release.version = version;
  release.as_of = as_of;
  release.origin = Origin::store;
  return release;
}

}  // namespace aclmend::endpoints
