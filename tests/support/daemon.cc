#include "tests/support/daemon.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "tests/support/smtp_server.h"

namespace aclmend::test {
namespace {

using std::chrono::steady_clock;

bool is_gone(pid_t child) { return waitpid(child, nullptr, WNOHANG) == child; }

}  // namespace

std::uint16_t free_port() { return closed_port(); }

Printed printed_by(const std::string& command) {
  Printed printed;
  FILE* pipe = popen(("{ " + command + "\n} 2>&1").c_str(), "r");
  if (pipe == nullptr) return printed;
  char part[4096];
  while (const std::size_t got = std::fread(part, 1, sizeof part, pipe)) printed.text.append(part, got);
  const int status = pclose(pipe);
  printed.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return printed;
}

bool is_installed(const std::string& program) {
  return printed_by("PATH=$PATH:/usr/sbin:/sbin command -v '" + program + "'").status == 0;
}

Daemon::Daemon(std::vector<std::string> words, const std::string& log,
               const std::function<bool()>& is_ready) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  child_ = fork();
  if (child_ == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int file = open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0644);
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, 0);
    dup2(file, 1);
    dup2(file, 2);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  const auto end = steady_clock::now() + std::chrono::seconds(10);
  while (steady_clock::now() < end && !is_gone(child_)) {
    if ((is_up_ = is_ready())) return;
    poll(nullptr, 0, 20);  // nothing tells when it is up
  }
}

Daemon::~Daemon() {
  kill(-child_, SIGTERM);
  const auto end = steady_clock::now() + std::chrono::seconds(3);
  while (steady_clock::now() < end) {
    if (is_gone(child_)) break;
    poll(nullptr, 0, 10);
  }
  kill(-child_, SIGKILL);  // what is left of its group
  is_gone(child_);
}

bool greets(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  char said[4] = "";
  pollfd one{socket, POLLIN, 0};
  const bool is_greeted = connect(socket, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 &&
                          poll(&one, 1, 5000) > 0 && recv(socket, said, 3, 0) == 3 &&
                          std::strcmp(said, "220") == 0;
  close(socket);
  return is_greeted;
}

}  // namespace aclmend::test
