#include "inventory/glob.h"

#include <filesystem>
#include <fstream>

#include "tests/support/folder.h"
#include "tests/support/test.h"

using namespace aclmend;
using namespace aclmend::inventory;

namespace {

// The obvious twin: what a pattern of '*', '?' and '**' over parts means, by trying everything.
bool slow_name(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*')
    return slow_name(pattern.substr(1), name) || (!name.empty() && slow_name(pattern, name.substr(1)));
  return !name.empty() && (pattern[0] == '?' || pattern[0] == name[0]) &&
         slow_name(pattern.substr(1), name.substr(1));
}

using Parts = std::vector<std::string>;

bool slow(const Parts& pattern, const Parts& path, std::size_t p, std::size_t n) {
  if (p == pattern.size()) return n == path.size();
  if (n == path.size()) return false;
  if (pattern[p] != "**") return slow_name(pattern[p], path[n]) && slow(pattern, path, p + 1, n + 1);
  if (p + 1 == pattern.size()) return true;  // at the end: everything below
  return slow(pattern, path, p + 1, n) || slow(pattern, path, p, n + 1);
}

std::string joined_parts(const Parts& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : "/") + part;
  return text;
}

}  // namespace

TEST_CASE("wildcards match within one name, two stars across folders", "[inventory][glob]") {
  CHECK(matches("configs/*.cfg", "configs/edge.cfg"));
  CHECK_FALSE(matches("configs/*.cfg", "configs/fra/edge.cfg"));
  CHECK(matches("configs/**/*.cfg", "configs/edge.cfg"));
  CHECK(matches("configs/**/*.cfg", "configs/fra/old/edge.cfg"));
  CHECK(matches("configs/switches/**", "configs/switches/a/b.txt"));
  CHECK_FALSE(matches("configs/switches/**", "configs/switches"));
  CHECK(matches("edge-?.cfg", "edge-a.cfg"));
  CHECK_FALSE(matches("edge-?.cfg", "edge-ab.cfg"));
  CHECK(matches("backup[1].xml", "backup[1].xml"));
  CHECK_FALSE(matches("backup[1].xml", "backup1.xml"));
  CHECK_FALSE(matches("**/*.cfg", ".git/x.cfg"));
  CHECK_FALSE(matches("*.cfg", ".cfg"));
  CHECK(matches(".config/*.cfg", ".config/x.cfg"));
}

TEST_CASE("matching agrees with trying everything", "[inventory][glob]") {
  const Parts names = {"a", "b", "ab", "aab", "ba"};
  const Parts wild = {"**", "*", "a", "a*", "?b", "*b", "*a*b", "b?", "**", "ab"};
  int matched = 0, missed = 0;
  rc::prop("fast and slow", [&] {
    const auto path =
        *rc::gen::resize(5, rc::gen::nonEmpty(rc::gen::container<Parts>(rc::gen::elementOf(names))));
    const auto pattern =
        *rc::gen::resize(5, rc::gen::nonEmpty(rc::gen::container<Parts>(rc::gen::elementOf(wild))));
    const bool expected = slow(pattern, path, 0, 0);
    ++(expected ? matched : missed);
    RC_ASSERT(matches(joined_parts(pattern), joined_parts(path)) == expected);
  });
  CHECK(matched >= 5);  // of 100: the property looks at both answers
  CHECK(missed >= 5);
}

TEST_CASE("a pattern full of stars is decided quickly", "[inventory][glob]") {
  std::string pattern, path;
  for (int i = 0; i < 50; ++i) pattern += "**/a*a*a*a*/";
  for (int i = 0; i < 50; ++i) path += "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab/";
  CHECK_FALSE(matches(pattern + "x", path + "y"));
}

TEST_CASE("a glob finds files below its folder, sorted, without hidden ones", "[inventory][glob]") {
  test::Folder folder;
  for (const char* file : {"configs/b.cfg", "configs/a.cfg", "configs/fra/c.cfg", "configs/fra/deep/er/d.cfg",
                           "configs/readme.txt", "configs/.hidden/e.cfg", ".f.cfg"})
    folder.write(file, "x");
  const auto found = [&](const std::string& pattern) { return expand(folder.path(), pattern).files; };
  using Files = std::vector<std::string>;
  CHECK(found("configs/**/*.cfg") ==
        Files{"configs/a.cfg", "configs/b.cfg", "configs/fra/c.cfg", "configs/fra/deep/er/d.cfg"});
  CHECK(found("configs/*.cfg") == Files{"configs/a.cfg", "configs/b.cfg"});
  CHECK(found("./configs/./*.cfg") == Files{"configs/a.cfg", "configs/b.cfg"});
  CHECK(found("*/fra/**") == Files{"configs/fra/c.cfg", "configs/fra/deep/er/d.cfg"});
  CHECK(found("**/d.cfg") == Files{"configs/fra/deep/er/d.cfg"});
  CHECK(found("configs/fra/../*.cfg") == Files{"configs/a.cfg", "configs/b.cfg"});
  CHECK(found("nowhere/*.cfg").empty());
  CHECK(found("*.cfg").empty());
  const std::string absolute = folder.path() + "/configs/*.txt";
  CHECK(expand("elsewhere", absolute).files == Files{folder.path() + "/configs/readme.txt"});
}

TEST_CASE("links that run in a circle end, links that lead nowhere are kept", "[inventory][glob]") {
  test::Folder folder;
  folder.write("configs/a.cfg", "x");
  std::filesystem::create_directory_symlink(".", folder.path() + "/configs/again");
  std::filesystem::create_symlink("gone", folder.path() + "/configs/lost.cfg");
  const auto all = expand(folder.path(), "configs/**/*.cfg");
  CHECK(all.files == std::vector<std::string>{"configs/a.cfg", "configs/lost.cfg"});
  CHECK(all.problems.empty());
  CHECK(expand(folder.path(), "configs/again/a.cfg*").files ==
        std::vector<std::string>{"configs/again/a.cfg"});
}

TEST_CASE("folders beyond the depth that is walked are told, not passed over", "[inventory][glob]") {
  test::Folder folder;
  std::string deep;
  for (int i = 0; i < 70; ++i) deep += "d/";
  folder.write(deep + "x.cfg", "x");
  const auto found = expand(folder.path(), "**/*.cfg");
  CHECK(found.files.empty());
  REQUIRE(found.problems.size() == 1);
  CHECK(found.problems[0].find("more than 64 folders deep") != std::string::npos);
}

TEST_CASE("patterns that cannot mean anything are refused", "[inventory][glob]") {
  CHECK(glob_problem("a/*/../b").value() == "'..' cannot follow a wildcard");
  CHECK(glob_problem("configs/*/").has_value());
  CHECK_FALSE(glob_problem("../configs/**/*.cfg").has_value());
}
