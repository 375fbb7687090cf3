// The program itself, as a process: what only a real argv, real pipes and real files show. ACLMEND_PROGRAM in
// the environment chooses another build of it.
#include <sys/wait.h>

#include <cstdlib>
#include <memory>

#include "tests/support/folder.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

using namespace aclmend;

namespace {

struct Ended {
  int status = 0;
  std::string out;  // and what the command line adds to it
};

// A line of sh, in which `aclmend` is the program and $CONFIG a configuration.
Ended sh(const std::string& line) {
  const std::string config = (test::root() / "tests/cli/edge.cfg").string();
  const std::string command =
      "CONFIG='" + config + "'; aclmend() { '" + test::program() + "' \"$@\"; }; " + line;
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Ended ended;
  char part[4096];
  while (const std::size_t got = std::fread(part, 1, sizeof part, pipe)) ended.out.append(part, got);
  const int status = ::pclose(pipe);
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ended;
}

const std::string question = " --from 40.92.1.1 --to 203.0.113.25 --port 25 --ingress outside ";

}  // namespace

TEST_CASE("the program tells its version and its commands", "[e2e]") {
  CHECK(sh("aclmend --version").out == "aclmend 1.0\n");
  const Ended help = sh("aclmend --help");
  CHECK(help.status == 0);
  CHECK(help.out.find("\nFind\n") != std::string::npos);
  CHECK(sh("aclmend 2>/dev/null").status == 2);
  CHECK(sh("aclmend tarce 2>&1").out == "aclmend: there is no command 'tarce'; did you mean 'trace'?\n");
}

TEST_CASE("every command's help begins with examples", "[e2e]") {
  const Ended commands = sh("aclmend --help | sed -n 's/^  \\([a-z]*\\)  .*/\\1/p'");
  std::istringstream names(commands.out);
  int seen = 0;
  for (std::string name; std::getline(names, name); ++seen) {
    const Ended help = sh("aclmend " + name + " --help");
    CHECK(help.status == 0);
    const std::size_t example = help.out.find("  aclmend " + name), options = help.out.find("Options:");
    CHECK(example != std::string::npos);
    CHECK(example < options);
  }
  CHECK(seen >= 2);
}

TEST_CASE("answers go to stdout, complaints to stderr", "[e2e]") {
  const Ended answered = sh("aclmend trace \"$CONFIG\"" + question + "2>/dev/null");
  CHECK(answered.status == 0);
  CHECK(answered.out.find("PERMIT   by OUT line 2") != std::string::npos);
  const Ended refused = sh("aclmend trace /nowhere.cfg" + question + "2>/dev/null");
  CHECK(refused.status == 2);
  CHECK(refused.out.empty());
  CHECK(sh("aclmend trace \"$CONFIG\"" + question + "--expect deny 2>/dev/null").status == 1);
}

TEST_CASE("a configuration comes through a pipe or packed, and is told by its own digest", "[e2e]") {
  const std::string plain = sh("aclmend trace \"$CONFIG\"" + question).out;
  const auto answer = [](std::string text) { return text.substr(text.find("\nPERMIT")); };
  CHECK(answer(plain).find("edge.cfg:17") != std::string::npos);
  const Ended piped = sh("aclmend trace -" + question + "< \"$CONFIG\"");
  CHECK(piped.status == 0);
  CHECK(piped.out.find("standard input:17") != std::string::npos);
  const test::Folder folder;
  const std::string packed = folder.path() + "/edge.cfg.gz";
  const Ended unpacked = sh("gzip -c \"$CONFIG\" > '" + packed + "' && aclmend trace '" + packed + "'" +
                            question + "--format json && sha256sum '" + packed + "'");
  CHECK(unpacked.status == 0);
  const std::size_t at = unpacked.out.rfind("}\n") + 2;
  CHECK(unpacked.out.substr(0, at).find(unpacked.out.substr(at, 64)) != std::string::npos);
}

TEST_CASE("an answer that cannot be written is not a success", "[e2e]") {
  CHECK(sh("aclmend trace \"$CONFIG\"" + question + "2>/dev/null >/dev/full").status == 2);
}
