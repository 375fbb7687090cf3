// Lines and columns out of byte offsets.
#include "base/source.h"
#include "tests/support/test.h"

namespace aclmend {
namespace {

TEST_CASE("lines are counted whatever their length and number", "[base]") {
  for (const std::size_t count :
       std::initializer_list<std::size_t>{0, 1, 63, 64, 65, 255, 16'319, 16'320, 16'321, 70'000, 200'000}) {
    for (const std::string& line : {std::string("\n"), std::string("ab\n")}) {
      std::string text;
      for (std::size_t i = 0; i < count; ++i) text += line;
      const Source ended("ended", text), open("open", text + "x");
      INFO(count << " lines of " << line.size() << " bytes");
      CHECK(ended.line_count() == count);
      CHECK(open.line_count() == count + 1);
      const Position last = open.position(static_cast<std::uint32_t>(text.size()));
      CHECK(last.line == count + 1);
      CHECK(last.column == 1);
    }
  }
}

}  // namespace
}  // namespace aclmend
