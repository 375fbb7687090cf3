#include "inventory/yaml.h"

#include "tests/support/test.h"

using namespace aclmend;
using namespace aclmend::inventory;

namespace {

std::string parsed(const std::string& text) {
  const auto value = yaml::parse(Source("f.yaml", text));
  if (value) return "ok";
  std::string all;
  for (const Error& error : value.error()) all += (all.empty() ? "" : "\n") + to_string(error);
  return all;
}

std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("a YAML text becomes a tree with places", "[inventory][yaml]") {
  const auto value = yaml::parse(Source("f.yaml", "a: 1\nb:\n  - x\n  - \"y z\"\nc:\n"));
  REQUIRE(value.has_value());
  REQUIRE(value->items.size() == 3);
  const yaml::Value& list = *yaml::find(*value, "b");
  REQUIRE(list.items.size() == 2);
  CHECK(list.items[1].text == "y z");
  CHECK(list.items[1].is_quoted);
  CHECK(list.items[1].at.line == 4);
  CHECK(list.items[1].at.column == 5);
  CHECK(yaml::find(*value, "a")->key_at.line == 1);
  CHECK(yaml::find(*value, "c")->kind == yaml::Value::Kind::nothing);
  CHECK(yaml::find(*value, "d") == nullptr);
}

TEST_CASE("words that YAML would turn into numbers or dates stay as they were written", "[inventory][yaml]") {
  const auto value = yaml::parse(Source("f.yaml", "a: 0123\nb: 2027-01-31\nc: 1e3\nd: no\n"));
  REQUIRE(value.has_value());
  CHECK(yaml::find(*value, "a")->text == "0123");
  CHECK(yaml::find(*value, "b")->text == "2027-01-31");
  CHECK(yaml::find(*value, "c")->text == "1e3");
  CHECK(yaml::find(*value, "d")->text == "no");
}

TEST_CASE("what nobody writes by hand is refused", "[inventory][yaml]") {
  CHECK(parsed("a: 1\nb: 2\na: 3\n") == "f.yaml:3:1: the key 'a' stands here twice");
  CHECK(parsed("a: &x 1\nb: *x\n").find("anchors (&) and aliases (*) are not allowed") != std::string::npos);
  CHECK(parsed("a: !!binary abc\n").find("tags (!) are not allowed here") != std::string::npos);
  CHECK(parsed("? [a, b]\n: c\n").find("expected a key, found a list or map") != std::string::npos);
  CHECK(parsed("a: 1\n---\nb: 2\n") == "f.yaml: something follows after the end of the YAML document");
  CHECK(parsed("a: 1\n...\n") == "ok");
  CHECK(parsed("---\na: 1\n# the end\n") == "ok");
  CHECK(parsed("a: [1, 2\n") == "f.yaml:2:1: not valid YAML: end of sequence flow not found");
}

TEST_CASE("a quotation without an end does not swallow the keys that follow", "[inventory][yaml]") {
  const std::string unclosed = "a quotation begins here and has no end";
  CHECK(parsed("a: \"x\nb: 1\n") == "f.yaml:1:4: " + unclosed);
  CHECK(parsed("a: 'x''\nb: 1\n").find(unclosed) != std::string::npos);
  CHECK(parsed("a: \"x\\\"\nb: 1\n").find(unclosed) != std::string::npos);
  CHECK(parsed("\xEF\xBB\xBF"
               "a: ü\nb: ['x''y', \"a\\\"b\", \"\"]\n") == "ok");
  CHECK(parsed("a: |\n  it's \"one\n") == "ok");
  CHECK(parsed("a: ! \"x\n").find("tags (!)") != std::string::npos);
}

TEST_CASE("bytes that are no text never reach the parser", "[inventory][yaml]") {
  // yaml-cpp takes the byte 4 for the end of the file: what follows would be skipped in silence.
  CHECK(parsed("a: 1\n\x04 b: 2\n") == "f.yaml:2:1: a control character cannot stand here");
  CHECK(parsed(std::string("a: \0b", 5)) == "f.yaml:1:4: a control character cannot stand here");
  CHECK(parsed("a: \xff\n") == "f.yaml: is not UTF-8 text");
}

TEST_CASE("hostile YAML costs little", "[inventory][yaml]") {
  CHECK(parsed(repeated("[", 65) + repeated("]", 65)).find("more than 64 levels inside one another") !=
        std::string::npos);
  CHECK(parsed(repeated("[", 64) + repeated("]", 64)) == "ok");
  CHECK(parsed(repeated("- ", 100'000)).find("more than 64 levels") != std::string::npos);
  CHECK(parsed(repeated("[", 900'000)) != "ok");
  CHECK(parsed(repeated("{a: ", 200'000)) != "ok");
  CHECK(parsed(repeated("[", 4'000'000)) == "f.yaml: more than 1,000,000 marks of punctuation");
  CHECK(parsed(std::string((4 << 20) + 1, ' ')) == "f.yaml: larger than 4 MiB");
  // The laughs of a billion: nine aliases of nine aliases.
  CHECK(parsed("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n") != "ok");
}
