#include "base/csv.h"

#include "tests/support/test.h"

using namespace aclmend;

namespace {

std::vector<std::string> split(std::string_view text, char between = ',', std::size_t most = 100) {
  CsvRow row;
  const bool is_whole = row.split(text, between, most);
  std::vector<std::string> fields(row.fields().begin(), row.fields().end());
  if (!is_whole) fields.emplace_back("OPEN");
  return fields;
}
using Fields = std::vector<std::string>;

}  // namespace

TEST_CASE("fields stand between separators, in quotes where they hold one", "[csv]") {
  CHECK(split("a,b,,") == Fields{"a", "b", "", ""});
  CHECK(split("") == Fields{""});
  CHECK(split("\"a,b\",c") == Fields{"a,b", "c"});
  CHECK(split("\"a \"\"b\"\" c\",\"\"\"\",d") == Fields{"a \"b\" c", "\"", "d"});
  CHECK(split("a\"b,c") == Fields{"a\"b", "c"});
  CHECK(split("a;b", ';') == Fields{"a", "b"});
  CHECK(split("\"a", ',') == Fields{"a", "OPEN"});
  CHECK(split("x,\"a\"\"b", ',') == Fields{"x", "a\"b", "OPEN"});
  CHECK(split("a,b,c", ',', 2) == Fields{"a", "b"});
}

TEST_CASE("what was written as CSV is read back", "[csv]") {
  rc::prop("round trip", [](const std::vector<std::string>& fields) {
    RC_PRE(!fields.empty());
    std::string text;
    for (const std::string& field : fields) {
      text += text.empty() ? "\"" : ",\"";
      for (const char c : field) text += c == '"' ? std::string("\"\"") : std::string(1, c);
      text += '"';
    }
    RC_ASSERT(split(text, ',', fields.size() + 1) == fields);
  });
}
