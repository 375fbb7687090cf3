// What is to be said of the list itself, whatever the device.
#include <fmt/format.h>

#include "audit/question.h"

namespace aclmend::audit {

std::optional<Finding> unchecked_list(const endpoints::Release& release, const std::string& checked,
                                      std::chrono::days max_age, Time today) {
  const auto day = parse_date(checked);
  if (day && *day + max_age >= today) return std::nullopt;
  const CodeText& code = text_of(Code::list_not_checked);
  Finding finding;
  finding.code = code.code;
  finding.severity = *code.severity;
  finding.id = fingerprint({code.id, endpoints::to_string(release.instance)});
  finding.title =
      day ? fmt::format("the list was last checked on {}, more than {} days ago", checked, max_age.count())
          : "nobody knows when the list was last checked";
  finding.explanation =
      fmt::format("{}; the inventory wants it checked every {} days", title(release), max_age.count());
  finding.hint = code.remedy;
  return finding;
}

}  // namespace aclmend::audit
