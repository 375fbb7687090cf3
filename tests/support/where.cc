// Where things are: the only file that knows this folder's place, so that the objects of all others are the
// same in every folder.
#include <cstdlib>

#include "tests/support/test.h"

namespace aclmend::test {

std::filesystem::path root() { return ACLMEND_ROOT; }

std::string program() {
  const char* other = std::getenv("ACLMEND_PROGRAM");  // ./check asks the optimised program as well
  return other != nullptr ? other : ACLMEND_PROGRAM;
}

std::filesystem::path shared_data(const std::string& below) {
  const std::filesystem::path path = root() / ".." / "shared" / "data" / below;
  return std::filesystem::exists(path) ? path : std::filesystem::path{};
}

}  // namespace aclmend::test
