// The question `--- fix …`, with the words of `--- audit` and `settle-unknown`: the commands, their rollback,
// and what the proof found; or why there is none.
#include <fmt/format.h>

#include "fix/question.h"
#include "tests/support/case_audit.h"

namespace aclmend::test {
namespace {

std::string lines_of(std::string_view title, const std::vector<std::string>& lines) {
  std::string out = lines.empty() ? "" : fmt::format("{}\n", title);
  for (const std::string& line : lines) out += fmt::format("  {}\n", line);
  return out;
}

std::string boxes_of(std::string_view title, const std::vector<fix::ChangedPackets>& boxes) {
  std::string out;
  for (const fix::ChangedPackets& one : boxes) {
    out += fmt::format("{} {}", title, to_string(one.packets));
    for (const auto& [dimension, name] : one.context) out += fmt::format(" at {}", name);
    out += "\n";
  }
  return out;
}

}  // namespace

Result<std::string> answer_fix(const CaseSubject& subject, std::string_view text) {
  TRY(asked, case_audit(subject, text));
  fix::Question question;
  for (const auto& [id, holds] : asked->question.context.assumed)
    question.assumed.push_back({asked->device->policy.conditions[id], holds});
  question.audit = asked->question;
  question.device = asked->device;
  question.vendor = &subject.vendor;
  question.unknown = asked->settles_unknown ? fix::Unknown::settled : fix::Unknown::left_alone;
  TRY(mend, fix::mend(question));
  std::string out;
  if (!mend.error.empty()) return "cannot tell: " + mend.error + "\n";
  switch (mend.status) {
    case fix::Status::nothing_to_do: out = "nothing to do\n"; break;
    case fix::Status::proved: out = fmt::format("mends {}\n", fmt::join(mend.codes, ", ")); break;
    case fix::Status::refused: out = fmt::format("refused: {}\n", mend.reason); break;
  }
  out += lines_of("snippet", mend.snippet) + lines_of("rollback", mend.rollback);
  out += boxes_of("opens", mend.proof.newly_permitted);
  out += boxes_of("beyond", mend.proof.beyond_required);
  for (const fix::Tried& tried : mend.tried)
    out += fmt::format("tried {}: {}{}\n", tried.edit, tried.reason,
                       tried.at ? fmt::format(" ({}:{})", tried.at->file, tried.at->line) : "");
  for (const std::string& because : mend.because) out += because + "\n";
  for (const std::string& note : mend.notes) out += "note " + note + "\n";
  for (const std::string& condition : mend.to_go_on) out += "to go on " + condition + "\n";
  if (!mend.still_unknown.empty()) out += fmt::format("still unknown {}\n", to_string(mend.still_unknown));
  return out;
}

}  // namespace aclmend::test
