#include "sets/named_list.h"

#include "tests/support/test.h"

namespace aclmend {
namespace {

std::string shown(const NamedList& list) {
  std::string text = list.name + "|" + list.description + "\n" + comments("#", list.heading);
  for (const Prefix& prefix : list.addresses.prefixes()) text += to_string(prefix) + "\n";
  return text;
}

constexpr ListFormat format{
    .id = "test", .longest_name = 8, .most_prefixes = 2, .beyond = "the rest is lost", .write = shown};

NamedList list_of(std::string name, std::initializer_list<std::string_view> prefixes) {
  NamedList list;
  list.name = std::move(name);
  for (const std::string_view text : prefixes) list.addresses |= AddressSet(parse_prefix(text).value());
  return list;
}

std::string refusal(const NamedList& list) {
  const auto text = written_as(format, list);
  return text ? "written" : text.error().message;
}

}  // namespace

TEST_CASE("an empty list is an error, never an empty text", "[lists]") {
  CHECK(refusal(list_of("EOP", {})) ==
        "the list would be empty, and an empty list where addresses are allowed allows nobody");
}

TEST_CASE("a name is letters, digits, '-' and '_', a letter first, as long as the format takes", "[lists]") {
  for (const char* good : {"E", "M365-EOP", "eop_2"})
    CHECK(refusal(list_of(good, {"192.0.2.0/24"})) == "written");
  for (const char* bad : {"", "-EOP", "2EOP", "E P", "E;P", "E\nP", "E.P", "E'P", "\xC3\x89OP"})
    CHECK(refusal(list_of(bad, {"192.0.2.0/24"})).starts_with("expected a name of letters"));
  CHECK(refusal(list_of("M365-EOP-", {"192.0.2.0/24"})) ==
        "test: a name of at most 8 characters, and 'M365-EOP-' has 9");
  ListFormat nameless = format;
  nameless.longest_name = 0;
  CHECK(written_as(nameless, list_of("any name; at all", {"192.0.2.0/24"})));
}

TEST_CASE("more prefixes than a format takes are an error that says what would become of them", "[lists]") {
  CHECK(refusal(list_of("EOP", {"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"})) ==
        "test: at most 2 prefixes, and these are 3; the rest is lost");
  CHECK(refusal(list_of("EOP", {"192.0.2.0/25", "192.0.2.128/25", "203.0.113.0/24"})) == "written");
}

TEST_CASE("no comment can become a command: one line, ASCII, not too long", "[lists]") {
  NamedList list = list_of("EOP", {"192.0.2.0/24"});
  list.heading = {"file a\nflush ruleset", "\xE2\x80\xAEtxt\x1b[2J", std::string(5000, 'x'), ""};
  list.description = "a\r\nreload";
  const std::string text = written_as(format, list).value();
  CHECK(text == "EOP|a\\x0d\\x0areload\n# file a\\x0aflush ruleset\n# \\xe2\\x80\\xaetxt\\x1b[2J\n# " +
                    std::string(longest_heading_line - 3, 'x') + "...\n#\n192.0.2.0/24\n");
}

}  // namespace aclmend
