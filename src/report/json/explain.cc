#include "report/explain.h"

#include "report/json/document.h"

namespace aclmend::report::json {

std::string explain(const ExplainReport& report) {
  Json entries = Json::array();
  for (const Explanation& one : report.entries)
    entries.push_back({{"kind", one.kind},
                       {"name", one.name},
                       {"also", one.also},
                       {"title", one.title},
                       {"severity", one.severity.empty() ? Json(nullptr) : Json(one.severity)},
                       {"meaning", one.meaning},
                       {"remedy", one.remedy}});
  return document("explain", {{"entries", entries}}, report.frame);
}

}  // namespace aclmend::report::json
