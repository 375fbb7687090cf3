// What every document of the JSON contract carries beside its own keys.
#pragma once
#include <string>
#include <vector>

#include "base/diagnostic.h"

namespace aclmend::report {

struct InputFile {
  std::string file;  // as given, never absolute unless it was given so
  std::string sha256;
  std::string vendor;  // empty: not a firewall's export (JSON null)
  LineCounts lines;
};

struct Remark {  // a Diagnostic with its place worked out
  Severity severity = Severity::error;
  std::string file;
  std::uint32_t line = 0;  // 0: about the whole file
  std::uint32_t column = 0;
  std::string message;
  Effect effect = Effect::none;
};

struct Frame {
  std::vector<InputFile> inputs;
  std::vector<Remark> diagnostics;
  std::vector<std::string> inferred;
  std::vector<std::string> assumed;
  int exit = 0;
};

}  // namespace aclmend::report
