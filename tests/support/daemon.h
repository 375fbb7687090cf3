// Servers of others as tests run them: private instances in a temporary folder, on ports of their own, gone
// with the test.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace aclmend::test {

std::uint16_t free_port();  // of 127.0.0.1, a moment ago

bool is_installed(const std::string& program);  // in PATH or the system's folders, or a path

// What a program prints, by its words through a shell; "" where it fails to start.
struct Printed {
  int status = -1;
  std::string text;  // both streams
};
Printed printed_by(const std::string& command);

class Daemon {
 public:
  // Starts it (both streams go to a file) and waits until `is_ready`, at most ten seconds.
  Daemon(std::vector<std::string> words, const std::string& log, const std::function<bool()>& is_ready);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  bool is_up() const { return is_up_; }

 private:
  pid_t child_ = -1;
  bool is_up_ = false;
};

// Something on this port of 127.0.0.1 greets with "220".
bool greets(std::uint16_t port);

}  // namespace aclmend::test
