// Case files: vendors/*/cases/*.case. A sentence about why the case matters, an input, questions, and under
// each question its answer. One behaviour a file, readable without this code:
//
//   # A member was removed from the group: 52.100.0.0/14 falls through to the deny.
//   --- config
//   access-list OUT extended deny ip any any
//   access-group OUT in interface outside
//   --- trace tcp 52.100.1.1 > 203.0.113.25:25 ingress outside
//   deny by OUT line 1 (config:1)
//
// UPDATE_CASES=1 writes the answers anew. A new kind of question is a line in case_blocks.cc.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "vendors/vendor.h"

namespace aclmend::test {

struct CaseBlock {
  std::string kind;        // "trace"
  std::string words;       // the rest of its line
  std::uint32_t line = 0;  // of the `---`
  std::string text;        // what stands below, each line with its LF
};

struct CaseFile {
  std::string name;  // as messages print it
  std::string head;  // everything above the first block
  std::vector<CaseBlock> blocks;
};

// Fails, with the line, where there is no comment at the head, no input, no question or an unknown kind.
Result<CaseFile> parse_case(std::string name, std::string_view text);

// What a question is put to: the inputs of the file, as its vendor read them.
struct CaseSubject {
  const Vendor& vendor;
  std::vector<SourcePtr> sources;
  Result<Reading> reading;
  std::size_t first_told = 0;  // the source that the ledgers begin with: of what was applied, its own
};

// The answer to one block, without its last LF. An Error is an ill-formed question.
struct CaseKind {
  std::string_view name;
  Result<std::string> (*answer)(const CaseSubject& subject, std::string_view words);
};
std::span<const CaseKind> case_kinds();

// What questions are made of: words ("…" keeps blanks together), a device by its scope, a condition by its
// name.
std::vector<std::string> case_words(std::string_view text);
Result<const Device*> case_device(const CaseSubject& subject, std::string_view scope);
Result<model::ConditionId> case_condition(const model::Policy& policy, std::string_view name);

Result<std::string> answer_audit(const CaseSubject& subject, std::string_view text);  // case_audit.cc
Result<std::string> answer_fix(const CaseSubject& subject, std::string_view text);    // case_fix.cc

struct CaseOutcome {
  std::vector<std::string> mismatches;  // "x.case:7: …" with the expected and the found lines
  std::string rewritten;                // the file with the answers found
};
CaseOutcome run_case(const CaseFile& file, const Vendor& vendor);

}  // namespace aclmend::test
