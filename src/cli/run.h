// The program as a function: arguments and streams in, exit status out.
#pragma once
#include <istream>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <vector>

namespace aclmend::cli {

struct Streams {
  std::istream& in;
  std::ostream& out;  // what was asked for
  std::ostream& err;  // everything else
  bool err_is_terminal = false;
  // Lives until the process ends: to take a hundred thousand lists apart takes as long as to make them.
  std::vector<std::shared_ptr<const void>> kept = {};
};

// 0 answered · 1 answered, with findings · 2 something could not be judged (product contract).
int run(std::span<const std::string> args, Streams& streams);

}  // namespace aclmend::cli
