// Hostile answers of /changes and /version: they are read or refused at a place in the file; what is read is
// carried out on a list record by record, wholly or not at all, and what comes of it is a list that is read
// again and can be derived.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "endpoints/import.h"

using namespace aclmend;

namespace {

const endpoints::Release& start() {
  static const endpoints::Release release = [] {
    endpoints::Release one = endpoints::newest(endpoints::Instance::worldwide);
    one.version = "2018063000";
    return one;
  }();
  return release;
}

void follow(const endpoints::Changes& changes) {
  const std::string& last = changes.records.back().version;
  if (last < start().version) return;
  const auto applied = endpoints::apply(start(), changes.records, last);
  if (!applied) __builtin_trap();
  if (!applied->release.rows.empty()) {
    const std::string text = endpoints::encode(applied->release);
    const auto again = endpoints::decode(Source("made", text), endpoints::Instance::worldwide);
    if (again && !endpoints::differences(*again, applied->release).empty()) __builtin_trap();
  }
  const auto records = endpoints::derive(start(), applied->release);
  const auto derived = endpoints::apply(start(), records, last);
  if (!derived || !derived->not_applied.empty()) __builtin_trap();
  if (!endpoints::differences(derived->release, applied->release).empty()) __builtin_trap();
  const auto later =
      endpoints::not_yet(applied->release, changes.records, "2020-01-01", endpoints::smtp_selection());
  for (const endpoints::Coming& part : later.parts)
    if (part.addresses.empty() || part.effective <= "2020-01-01") __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const Source source("Worldwide-2018063000.json",
                      std::string_view(reinterpret_cast<const char*>(bytes), size));
  static_cast<void>(endpoints::recognise(source, {}));
  const auto versions = endpoints::decode_versions(source);
  if (!versions && versions.error().line == 0) __builtin_trap();
  const auto changes = endpoints::decode_changes(source, endpoints::Instance::worldwide);
  if (!changes) {
    if (changes.error().line == 0 || changes.error().message.empty()) __builtin_trap();
  } else if (!changes->records.empty()) {
    follow(*changes);
  }
  return 0;
}
