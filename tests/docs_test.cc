// The examples in the documentation are run. In every Markdown file a block
//
//   ```console
//   $ aclmend cidr count 203.0.113.0/24
//   256
//   $ echo $?
//   0
//   ```
//
// whose first line begins with `$ aclmend` is typed into a shell in the project's root; what the program
// prints (both streams, as on a terminal) must be what the block shows. A line of three dots stands for any
// lines.
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "tests/support/test.h"

using namespace aclmend;

namespace {

struct Example {
  std::string file;
  std::size_t line = 0;  // of the command
  std::string command;
  std::vector<std::string> expected;
};

std::string_view without_trailing_blanks(std::string_view line) {
  return line.substr(0, line.find_last_not_of(" \t\r") + 1);
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (const std::string_view line : split(text, '\n')) lines.emplace_back(without_trailing_blanks(line));
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::vector<Example> examples_in(const std::string& file, std::string_view text) {
  std::vector<Example> examples;
  bool is_open = false, is_run = false;
  std::size_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    if (!is_open) {
      is_open = line.starts_with("```console");
      is_run = false;
    } else if (line.starts_with("```")) {
      is_open = false;
    } else if (line.starts_with("$ ")) {
      is_run = is_run || line.starts_with("$ aclmend");
      if (is_run) examples.push_back({file, number, std::string(line.substr(2)), {}});
    } else if (is_run) {
      examples.back().expected.emplace_back(without_trailing_blanks(line));
    }
  }
  for (Example& example : examples)
    while (!example.expected.empty() && example.expected.back().empty()) example.expected.pop_back();
  return examples;
}

bool matches(std::span<const std::string> expected, std::span<const std::string> found) {
  if (expected.empty()) return found.empty();
  if (trimmed(expected[0]) != "...")
    return !found.empty() && expected[0] == found[0] && matches(expected.subspan(1), found.subspan(1));
  for (std::size_t skipped = 0; skipped <= found.size(); ++skipped)
    if (matches(expected.subspan(1), found.subspan(skipped))) return true;
  return false;
}

struct Ran {
  std::string output;  // both streams
  int status = -1;
};

Ran run(const std::string& command) {
  const std::string bin = std::filesystem::path(test::program()).parent_path().string();
  const std::string line = "cd '" + test::root().string() + "' && PATH='" + bin +
                           "':\"$PATH\" && export PATH && { " + command + "\n} 2>&1";
  Ran ran;
  FILE* pipe = popen(line.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char buffer[4096];
  for (std::size_t size; (size = fread(buffer, 1, sizeof buffer, pipe)) > 0;) ran.output.append(buffer, size);
  const int status = pclose(pipe);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

std::vector<std::filesystem::path> markdown_files() {
  std::vector<std::filesystem::path> files;
  for (const char* folder : {"docs", "src", "vendors", "fixtures", "rules"})
    if (std::filesystem::exists(test::root() / folder))
      for (const auto& entry : std::filesystem::recursive_directory_iterator(test::root() / folder))
        if (entry.path().extension() == ".md") files.push_back(entry.path());
  for (const char* name : {"README.md", "CONTRIBUTING.md"})
    if (std::filesystem::exists(test::root() / name)) files.push_back(test::root() / name);
  std::ranges::sort(files);
  return files;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("the examples in the documentation print what they show", "[e2e]") {
  std::size_t count = 0;
  for (const auto& path : markdown_files()) {
    const auto file = read_file(path.string());
    REQUIRE(file);
    int last_status = 0;
    for (const Example& example :
         examples_in(std::filesystem::relative(path, test::root()).string(), (*file)->text())) {
      ++count;
      const bool asks_status = example.command == "echo $?";
      Ran ran = asks_status ? Ran{std::to_string(last_status) + "\n", 0} : run(example.command);
      if (!asks_status) last_status = ran.status;
      const auto found = lines_of(ran.output);
      INFO(example.file << ":" << example.line << ": $ " << example.command << "\nshown:\n"
                        << joined(example.expected) << "printed:\n"
                        << joined(found));
      CHECK(matches(example.expected, found));
    }
  }
  CHECK(count > 0);
}

TEST_CASE("a documentation block is compared line by line, three dots skip lines") {
  const auto examples =
      examples_in("x.md", "```console\n$ aclmend a\none\n...\nfour\n\n$ echo $?\n0\n```\n$ aclmend b\n");
  REQUIRE(examples.size() == 2);
  CHECK(examples[0].expected == std::vector<std::string>{"one", "...", "four"});
  CHECK(examples[1].command == "echo $?");
  const std::vector<std::string> shown{"one", "...", "four"};
  CHECK(matches(shown, std::vector<std::string>{"one", "two", "three", "four"}));
  CHECK(matches(shown, std::vector<std::string>{"one", "four"}));
  CHECK_FALSE(matches(shown, std::vector<std::string>{"one", "two", "three"}));
  CHECK_FALSE(matches(shown, std::vector<std::string>{"one", "four", "five"}));
  CHECK_FALSE(matches(shown, std::vector<std::string>{"two", "four"}));
}

TEST_CASE("blocks that do not begin with the program are not run") {
  CHECK(examples_in("x.md", "```console\n$ ./demo\n...\n```\n```\n$ aclmend a\n```\n").empty());
}
