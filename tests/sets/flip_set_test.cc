#include "sets/flip_set.h"

#include "tests/support/test.h"

namespace aclmend {

TEST_CASE("an interval that ends at the last point has no second flip") {
  const FlipSet<std::uint8_t> top(200, 255);
  CHECK(top.flips() == std::vector<std::uint8_t>{200});
  CHECK(top.contains(255));
  CHECK((~top).contains(199));
  CHECK_FALSE((~top).contains(200));
}

}  // namespace aclmend
