// A command is one file in this folder that defines a `const Command`, and a line in commands.cc.
#pragma once
#include <functional>
#include <span>
#include <string_view>

#include "base/error.h"
#include "cli/run.h"

namespace CLI {
class App;
}

namespace aclmend::cli {

struct Command {
  std::string_view name;
  std::string_view group;     // Find · Mend · Review · Watch · Outage · Set up
  std::string_view summary;   // one line for `aclmend --help`
  std::string_view examples;  // the head of the command's own help
  // Declares options and arguments; what it returns runs once they are parsed, and gives the exit status.
  std::function<int(Streams&)> (*define)(CLI::App& app);
};

// All that are built, in the order of `--help`.
std::span<const Command* const> commands();

inline constexpr int exit_answered = 0, exit_findings = 1, exit_not_judged = 2;

// Says the error on `err` and returns exit status 2.
int not_judged(Streams& streams, const Error& error);

}  // namespace aclmend::cli
