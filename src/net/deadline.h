// When a step has to be over: its own limit, or that of the whole request where it comes first.
#pragma once
#include <algorithm>
#include <chrono>
#include <string>

namespace aclmend::net {

struct Deadline {
  std::chrono::steady_clock::time_point end;
  std::chrono::milliseconds limit{};
  bool is_of_whole = false;

  static Deadline in(std::chrono::milliseconds limit) {
    return {std::chrono::steady_clock::now() + limit, limit};
  }
  // Of a step inside this one.
  Deadline step(std::chrono::milliseconds step_limit) const {
    const Deadline own = in(step_limit);
    return own.end < end ? own : Deadline{end, limit, true};
  }
};

// "within 10 s", "within 60 s, the limit of the whole request"
std::string to_string(Deadline deadline);

}  // namespace aclmend::net
