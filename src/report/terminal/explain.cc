#include "report/explain.h"

#include <fmt/format.h>

#include "report/terminal/layout.h"

namespace aclmend::report::terminal {
namespace {

std::string head(const Explanation& one) {
  std::string text = one.name;
  for (const std::string& name : one.also) text += fmt::format(" · {}", name);
  if (!one.severity.empty()) text += fmt::format("  ({})", one.severity);
  return text + "\n" + one.title + "\n";
}

}  // namespace

std::string explain(const ExplainReport& report) {
  std::string out;
  for (const Explanation& one : report.entries)
    out += fmt::format("{}{}\n{}{}", out.empty() ? "" : "\n", head(one), labelled("means", one.meaning),
                       labelled("do", one.remedy));
  return out;
}

}  // namespace aclmend::report::terminal
