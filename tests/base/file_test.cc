// Large files are read by two threads; what arrives is the file.
#include "base/file.h"

#include "tests/support/folder.h"
#include "tests/support/test.h"

namespace aclmend {
namespace {

TEST_CASE("a large file arrives whole, whatever its size", "[file]") {
  const test::Folder folder;
  const std::string path = folder.path() + "/large.rules";
  for (const std::size_t size : {std::size_t{16} << 20, (std::size_t{16} << 20) - 1, 17'000'003UL}) {
    std::string text(size, ' ');
    std::uint32_t state = 1;
    for (char& c : text) c = static_cast<char>(' ' + (state = state * 1664525 + 1013904223, state >> 26));
    REQUIRE(write_file(path, text));
    const auto source = read_file(path);
    REQUIRE(source);
    CHECK((*source)->text() == text);
  }
}

}  // namespace
}  // namespace aclmend
