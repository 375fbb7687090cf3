// Network namespaces without a name, and programs that run inside them.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace aclmend::oracle {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();
  int operator*() const { return number_; }
  bool is_open() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

std::string reason(std::string_view what);  // with the words for errno

Result<Descriptor> own_namespace();
Result<Descriptor> new_namespace(const Descriptor& home);

// This thread, and what it starts, stands in another namespace for a while.
class Inside {
 public:
  Inside(const Descriptor& there, const Descriptor& home);
  ~Inside();
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  const Descriptor& home_;
};

struct Ran {
  int status = 0;
  std::string out, err;
};

// Runs a program by its words, without a shell, and waits for its end.
Result<Ran> ran(const std::vector<std::string>& words, std::string_view in);
// Writes a file below /proc/sys/net of the namespace that this thread is in.
Result<void> write_setting(std::string_view name, std::string_view value);

}  // namespace aclmend::oracle
