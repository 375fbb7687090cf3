#include "tests/oracle/iptables/namespace.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

extern char** environ;

namespace aclmend::oracle {
namespace {

Result<Descriptor> paper(std::string_view text) {
  Descriptor file(::memfd_create("aclmend", MFD_CLOEXEC));
  if (!file.is_open()) return fail(reason("no memory file"));
  while (!text.empty()) {
    const ssize_t written = ::write(*file, text.data(), text.size());
    if (written <= 0) return fail(reason("a memory file takes no text"));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  ::lseek(*file, 0, SEEK_SET);
  return file;
}

std::string all_of(const Descriptor& file) {
  std::string text;
  char part[4096];
  ::lseek(*file, 0, SEEK_SET);
  while (true) {
    const ssize_t got = ::read(*file, part, sizeof part);
    if (got <= 0) return text;
    text.append(part, static_cast<std::size_t>(got));
  }
}

}  // namespace

std::string reason(std::string_view what) { return fmt::format("{}: {}", what, std::strerror(errno)); }

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Inside::Inside(const Descriptor& there, const Descriptor& home) : home_(home) {
  ::setns(*there, CLONE_NEWNET);
}
Inside::~Inside() { ::setns(*home_, CLONE_NEWNET); }

Result<Descriptor> own_namespace() {
  Descriptor own(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!own.is_open()) return fail(reason("no network namespaces"));
  return own;
}

Result<Descriptor> new_namespace(const Descriptor& home) {
  if (::unshare(CLONE_NEWNET) != 0) return fail(reason("no new network namespace"));
  auto made = own_namespace();
  if (::setns(*home, CLONE_NEWNET) != 0) return fail(reason("no way back from a network namespace"));
  return made;
}

Result<Ran> ran(const std::vector<std::string>& words, std::string_view in) {
  TRY(from, paper(in));
  TRY(out, paper({}));
  TRY(err, paper({}));
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, *from, 0);
  ::posix_spawn_file_actions_adddup2(&actions, *out, 1);
  ::posix_spawn_file_actions_adddup2(&actions, *err, 2);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail(fmt::format("{} cannot be started: {}", words.front(), std::strerror(error)));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return Ran{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), all_of(out), all_of(err)};
}

Result<void> write_setting(std::string_view name, std::string_view value) {
  const std::string path = fmt::format("/proc/sys/net/{}", name);
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.is_open() || ::write(*file, value.data(), value.size()) < 0) return fail(reason(path));
  return {};
}

}  // namespace aclmend::oracle
