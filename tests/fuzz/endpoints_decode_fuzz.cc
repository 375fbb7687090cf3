// A hostile endpoint list: it is read or refused at a place in the file, and what is read can be chosen from,
// compared with itself and described.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "endpoints/result.h"

using namespace aclmend;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto release = endpoints::decode(Source("list.json", text), endpoints::Instance::worldwide);
  if (!release) {
    if (release.error().line == 0 || release.error().message.empty()) __builtin_trap();
    return 0;
  }
  if (release->rows.empty()) __builtin_trap();
  for (const endpoints::Row& row : release->rows)
    if (!row.ips.empty() && endpoints::service(row) == "any port") __builtin_trap();
  const auto same = endpoints::diff(*release, *release, std::nullopt);
  if (!same || !same->added.empty() || !same->removed.empty() || !same->rows.empty()) __builtin_trap();
  return 0;
}
