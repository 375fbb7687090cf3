#include "report/trace.h"

#include "report/json/document.h"

namespace aclmend::report::json {
namespace {

Json to_json(const std::optional<RulePlace>& place) {
  if (!place) return nullptr;
  return {{"rule", place->rule}, {"file", place->file}, {"line", place->line}, {"text", place->text}};
}

Json to_json(const TraceReport::Condition& condition) {
  const auto& rule = condition.rule;
  return {{"kind", condition.kind},
          {"name", condition.name},
          {"text", condition.text},
          {"rule", rule ? Json(rule->rule) : Json(nullptr)},
          {"file", rule ? Json(rule->file) : Json(nullptr)},
          {"line", rule ? Json(rule->line) : Json(nullptr)}};
}

Json to_json(const TraceReport::Hop& hop) {
  return {
      {"rule", hop.rule.rule}, {"file", hop.rule.file}, {"line", hop.rule.line}, {"outcome", hop.outcome}};
}

template <class T>
Json list(const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(to_json(value));
  return array;
}

}  // namespace

std::string trace(const TraceReport& report) {
  const Json body = {{"verdict", model::to_string(report.verdict)},
                     {"decided_by", to_json(report.decided_by)},
                     {"implicit", text_or_null(report.implicit)},
                     {"conditions", list(report.conditions)},
                     {"translated_to", text_or_null(report.translated_to)},
                     {"path", list(report.path)},
                     {"verify", report.verify}};
  return document("trace", body, report.frame);
}

}  // namespace aclmend::report::json
