// Takes a folder of saved lists through everything that `endpoints import` and `history` do with them: read,
// recognised, put into a store of its own, read from it again, each compared with the one before it.
//   aclmend_bench_replay FOLDER STORE
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "endpoints/import.h"
#include "endpoints/verify.h"
#include "store/store.h"

using namespace aclmend;

namespace {

Result<std::vector<store::Held>> received(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::vector<store::Held> lists;
  for (const std::string& path : paths) {
    TRY(source, read_file(path));
    TRY(imported, endpoints::recognise(*source, {}));
    const auto& release = std::get<endpoints::Release>(imported.is);
    lists.push_back({.instance = std::string(to_string(release.instance)),
                     .version = release.version,
                     .as_of = release.as_of,
                     .origin = "file",
                     .source = path,
                     .first_seen = "2026-03-01T10:00:00Z",
                     .completeness = std::string(to_string(release.completeness)),
                     .sha256 = {},
                     .bytes = 0,
                     .body = std::string(source->text())});
  }
  return lists;
}

Result<std::vector<endpoints::Kept>> held(const store::Store& store, endpoints::Instance instance) {
  std::vector<endpoints::Kept> releases;
  const std::string name(to_string(instance));
  TRY(heads, store.releases(name));
  for (const store::Held& head : heads) {
    TRY(list, store.release(name, head.version));
    TRY(release,
        endpoints::decode_held(Source(list->source, list->body), instance, list->version, list->as_of));
    releases.push_back({.release = std::move(release), .first_seen = list->first_seen});
  }
  return releases;
}

Result<std::size_t> replay(const std::string& folder, const std::string& path) {
  TRY(store, store::Store::open(path, store::Mode::read_write));
  TRY(lists, received(folder));
  if (auto put = store.put_releases(lists); !put) return fail(put.error());
  std::size_t compared = 0;
  for (const endpoints::Instance instance : endpoints::instances()) {
    TRY(releases, held(store, instance));
    for (const auto& change : endpoints::release_changes(releases, std::nullopt))
      compared += change.difference ? 1U : 0U;
  }
  return compared;
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) return 2;
  const auto compared = replay(words[1], words[2]);
  if (!compared) fmt::print(stderr, "{}\n", to_string(compared.error()));
  else fmt::print("{}\n", *compared);
  return compared ? 0 : 2;
}
