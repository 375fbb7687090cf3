#include "base/lines.h"

#include <cstdlib>

#include "base/file.h"
#include "tests/support/folder.h"
#include "tests/support/test.h"

using namespace aclmend;

namespace {

std::vector<std::string> all(Lines lines) {
  std::vector<std::string> texts;
  while (const auto line = lines.next()) {
    texts.emplace_back(line->text);
    CHECK(line->number == lines.lines());
  }
  return texts;
}
std::vector<std::string> all(const std::string& text) { return all(Lines::over("text", text)); }

using Texts = std::vector<std::string>;

// UTF-16 of ASCII.
std::string utf16(std::string_view text, bool is_little) {
  std::string out;
  for (const char c : text) is_little ? (out += c) += '\0' : (out += '\0') += c;
  return out;
}

std::string packed(const test::Folder& folder, const std::string& program, const std::string& text) {
  const std::string file = folder.write("plain", text);
  const std::string command = program + " -c '" + file + "' > '" + folder.path() + "/packed'";
  REQUIRE(std::system(command.c_str()) == 0);
  return folder.path() + "/packed";
}

}  // namespace

TEST_CASE("lines end at LF, CRLF or the end", "[lines]") {
  CHECK(all("").empty());
  CHECK(all("a\n\nb\r\nc") == Texts{"a", "", "b", "c"});
  CHECK(all("\n") == Texts{""});
  CHECK(all(std::string("a\0b\n", 4)) == Texts{std::string("a\0b", 3)});
  CHECK(all("\xEF\xBB\xBF"
            "a\n") == Texts{"a"});
}

TEST_CASE("lines of any text are those of a slow twin", "[lines]") {
  rc::prop("split", [](const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts) text += part + "\n";
    if (text.starts_with("\x1f\x8b") || text.starts_with("\x28\xb5") || text.starts_with("\xff\xfe") ||
        text.starts_with("\xfe\xff") || text.starts_with("\xef\xbb\xbf") ||
        text.find('\0') != std::string::npos)
      return;
    Texts expected;
    std::string line;
    for (const char c : text) {
      if (c != '\n') {
        line += c;
        continue;
      }
      if (line.ends_with('\r')) line.pop_back();
      expected.push_back(std::exchange(line, {}));
    }
    RC_ASSERT(all(text) == expected);
  });
}

TEST_CASE("a line longer than the limit is counted and skipped, its neighbours are read", "[lines]") {
  for (const std::size_t size :
       {Lines::longest, Lines::longest + 1, std::size_t{300'000}, std::size_t{3'000'000}}) {
    Lines lines = Lines::over("text", "before\n" + std::string(size, 'x') + "\nafter\n");
    CHECK(lines.next()->text == "before");
    if (size == Lines::longest) CHECK(lines.next()->text.size() == size);
    const auto after = lines.next();
    REQUIRE(after);
    CHECK(after->text == "after");
    CHECK(after->number == 3);
    CHECK(lines.overlong() == (size == Lines::longest ? 0U : 1U));
    CHECK_FALSE(lines.next());
  }
  Lines unended = Lines::over("text", "a\n" + std::string(1'000'000, 'x'));
  CHECK(unended.next()->text == "a");
  CHECK_FALSE(unended.next());
  CHECK(unended.overlong() == 1);
  CHECK(unended.lines() == 2);
}

TEST_CASE("UTF-16 is read in both orders, with its mark or without, and cut in the middle", "[lines]") {
  const std::string text = "Date,Event\r\nsecond line\n";
  for (const bool is_little : {true, false}) {
    const std::string mark = is_little ? "\xff\xfe" : "\xfe\xff";
    Lines marked = Lines::over("text", mark + utf16(text, is_little));
    CHECK(marked.encoding() == "UTF-16");
    CHECK(all(std::move(marked)) == Texts{"Date,Event", "second line"});
    CHECK(all(utf16(text, is_little)) == Texts{"Date,Event", "second line"});
  }
  CHECK(all(std::string("\xff\xfe"
                        "a\0\x3d\xd8\x00\xde\n\0",
                        10)) == Texts{"a\xF0\x9F\x98\x80"});  // a pair
  CHECK(all(std::string("\xff\xfe"
                        "a\0\x3d\xd8"
                        "b\0",
                        8)) == Texts{"a\xEF\xBF\xBD"
                                     "b"});  // half of one
  CHECK(all(std::string("\xff\xfe"
                        "a\0\x3d\xd8",
                        6)) == Texts{"a\xEF\xBF\xBD"});
  CHECK(all(std::string("\xff\xfe"
                        "a\0b",
                        5)) == Texts{"a\xEF\xBF\xBD"});
}

TEST_CASE("gzip and zstd are unpacked as they are read, and told where they are cut off", "[lines]") {
  const test::Folder folder;
  std::string text;
  for (int i = 0; i < 60'000; ++i) text += "line " + std::to_string(i * 7919 % 60'013) + "\n";
  for (const char* program : {"gzip", "zstd -q"}) {
    INFO(program);
    const std::string path = packed(folder, program, text);
    {
      auto lines = Lines::open(path);
      REQUIRE(lines);
      CHECK(lines->modified());
      std::uint64_t count = 0;
      while (lines->next()) ++count;
      CHECK(count == 60'000);
      CHECK(lines->bytes() == text.size());
      CHECK(lines->trouble().empty());
    }
    const auto size = std::filesystem::file_size(path);
    std::filesystem::resize_file(path, size / 2);
    auto cut = Lines::open(path);
    REQUIRE(cut);
    std::uint64_t count = 0;
    while (cut->next()) ++count;
    CHECK(count > 1000);
    CHECK(count < 60'000);
    CHECK(cut->trouble().ends_with("cut off"));
  }
}

TEST_CASE("several packed members are one text, and damage is told after what could be read", "[lines]") {
  const test::Folder folder;
  for (const char* program : {"gzip", "zstd -q"}) {
    INFO(program);
    std::ifstream first(packed(folder, program, "one\n"), std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(first)), {});
    CHECK(all(bytes + bytes) == Texts{"one", "one"});
    Lines damaged = Lines::over("text", bytes + bytes.substr(0, 12) + std::string(40, 'x'));
    CHECK(damaged.next()->text == "one");
    while (damaged.next()) {
    }
    CHECK_FALSE(damaged.trouble().empty());
  }
}

TEST_CASE("pieces end at a word, wherever lines do", "[lines]") {
  Lines lines = Lines::over("text", "\n<E>a</E><E>\nb</E>\n\n  <E>c</E>\nrest");
  const auto piece = [&] { return lines.next_through("</E>"); };
  auto one = piece();
  CHECK((one && one->text == "<E>a</E>" && one->number == 2));
  one = piece();
  CHECK((one && one->text == "<E>\nb</E>" && one->number == 2));
  one = piece();
  CHECK((one && one->text == "<E>c</E>" && one->number == 5));
  one = piece();
  CHECK((one && one->text == "rest" && one->number == 6));
  CHECK(lines.lines() == 6);
  CHECK_FALSE(piece());

  Lines long_ones = Lines::over("text", "<E>" + std::string(500'000, 'x') + "</E><E>b</E>");
  CHECK(long_ones.next_through("</E>")->text == "<E>b</E>");
  CHECK(long_ones.overlong() == 1);
}

TEST_CASE("the head is looked at without being taken", "[lines]") {
  Lines lines = Lines::over("text", "first\nsecond\n");
  CHECK(lines.head() == "first\nsecond\n");
  CHECK(lines.next()->text == "first");
}

TEST_CASE("what is no file or pipe is refused with words", "[lines]") {
  CHECK(Lines::open("/nonexistent/x").error().message.starts_with("cannot be opened"));
  CHECK(Lines::open("/").error().message == "is a directory, not a log");
  CHECK(Lines::open("/dev/null").error().message == "is neither a file nor a pipe");
}
