#include "audit/codes.h"

#include <set>

#include "tests/support/test.h"

namespace aclmend::audit {

TEST_CASE("every code is found by its id in any case and by its slug, and is itself") {
  for (const CodeText& text : codes()) {
    CHECK(code_named(text.id) == &text);
    CHECK(code_named(text.slug) == &text);
    CHECK(&text_of(text.code) == &text);
    CHECK_FALSE(text.meaning.empty());
    CHECK_FALSE(text.remedy.empty());
  }
  REQUIRE(code_named("acm003") != nullptr);
  CHECK(code_named("acm003")->slug == "lost-member");
  CHECK(code_named("Lost-Member") == code_named("ACM003"));
  CHECK(code_named("ACM999") == nullptr);
}

TEST_CASE("ids and slugs are unique, ids ascend") {
  std::set<std::string_view> slugs;
  std::string_view before;
  for (const CodeText& text : codes()) {
    CHECK(text.id > before);
    before = text.id;
    CHECK(slugs.insert(text.slug).second);
  }
}

}  // namespace aclmend::audit
