// The question that `--- audit …` and `--- fix …` put alike.
#pragma once
#include <memory>

#include "audit/question.h"
#include "tests/support/case_file.h"

namespace aclmend::test {

struct CaseAudit {
  audit::Question question;  // points into what stands below
  const Device* device = nullptr;
  std::vector<inventory::Flow> flows;
  endpoints::Release release;
  bool settles_unknown = false;
};
Result<std::unique_ptr<CaseAudit>> case_audit(const CaseSubject& subject, std::string_view text);

}  // namespace aclmend::test
