#include "base/text.h"
#include "tests/support/test.h"

namespace aclmend {

TEST_CASE("a mistyped word finds the nearest choice", "[base]") {
  const std::vector<std::string_view> words = {"mail", "devices", "ingress", "egress"};
  CHECK(nearest("mial", words) == "mail");  // two letters that changed places are one mistake
  CHECK(nearest("ingres", words) == "ingress");
  CHECK(nearest("devcies", words) == "devices");
  CHECK(nearest("device", words) == "devices");
  CHECK_FALSE(nearest("liam", words).has_value());
  CHECK_FALSE(nearest("mxyl", words).has_value());
  CHECK_FALSE(nearest(std::string(100, 'a'), words).has_value());
  CHECK_FALSE(nearest("", words).has_value());
}

}  // namespace aclmend
