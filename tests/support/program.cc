#include "tests/support/program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "cli/run.h"
#include "tests/support/folder.h"
#include "tests/support/test.h"

namespace aclmend::test {

namespace {

// While it lives, the process's standard input is this text: '-' reads it as any file.
class StandardInput {
 public:
  explicit StandardInput(const std::string& text) : file_(std::tmpfile()), before_(::dup(0)) {
    if (file_ == nullptr || before_ < 0) throw std::runtime_error("no standard input can be made");
    std::fwrite(text.data(), 1, text.size(), file_);
    std::rewind(file_);
    ::dup2(::fileno(file_), 0);
  }
  ~StandardInput() {
    ::dup2(before_, 0);
    ::close(before_);
    std::fclose(file_);
  }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;

 private:
  std::FILE* file_;
  int before_;
};

}  // namespace

Ran aclmend(const std::vector<std::string>& args, const std::string& in) {
  const StandardInput standard_input(in);
  std::istringstream input(in);
  std::ostringstream out, err;
  cli::Streams streams{input, out, err};
  const int status = cli::run(args, streams);
  return {status, out.str(), err.str()};
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot be read: " + path.string());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string schema_errors(std::string_view document, std::string_view name) {
  const Folder folder;
  const std::string file = folder.write("document.json", std::string(document));
  const auto schema = root() / "docs/schema" / fmt::format("{}.schema.json", name);
  const std::string command =
      fmt::format("python3 -W ignore -m jsonschema -i '{}' '{}' 2>&1", file, schema.string());
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), [](FILE*) { return 0; });
  if (pipe == nullptr) return "python3 could not be started";
  std::string said;
  char part[4096];
  while (const std::size_t got = std::fread(part, 1, sizeof part, pipe.get())) said.append(part, got);
  const int status = ::pclose(pipe.get());
  if (said.find("No module named") != std::string::npos || status == 127 << 8)
    return "the validator is missing: apt-get install python3-jsonschema";
  return status == 0 ? "" : said.empty() ? "the validator failed" : said;
}

}  // namespace aclmend::test
