#include "report/diagnose.h"

#include <fmt/format.h>

#include "report/json/document.h"

namespace aclmend::report::json {
namespace {

std::string joined(const std::vector<diagnose::Row>& rows) {
  std::string text;
  for (const diagnose::Row& row : rows) text += (text.empty() ? "" : "; ") + row.text;
  return text;
}

Json to_json(const diagnose::Step& step) {
  Json evidence = Json::array();
  for (const diagnose::Place& place : step.evidence)
    evidence.push_back({{"file", place.file},
                        {"line", place.line == 0 ? Json(nullptr) : Json(place.line)},
                        {"text", place.text.empty() ? Json(nullptr) : Json(place.text)}});
  return {{"id", step.id},
          {"status", diagnose::to_string(step.status)},
          {"summary", joined(step.rows)},
          {"evidence", std::move(evidence)},
          {"settle", step.settle.empty() ? Json(nullptr) : Json(step.settle)}};
}

Json to_json(const diagnose::Cause& cause) {
  return {{"cause", cause.cause},
          {"confidence", diagnose::to_string(cause.confidence)},
          {"supports", cause.supports},
          {"contradicts", cause.contradicts}};
}

std::string in_one_line(const diagnose::Action& action) {
  return fmt::format("{}: {}{}", action.purpose, action.command,
                     action.remark.empty() ? "" : fmt::format(" ({})", action.remark));
}

}  // namespace

std::string diagnose(const DiagnoseReport& report) {
  Json steps = Json::array(), causes = Json::array(), next = Json::array();
  for (const diagnose::Step& step : report.diagnosis.steps) steps.push_back(to_json(step));
  for (const diagnose::Cause& cause : report.diagnosis.causes) causes.push_back(to_json(cause));
  for (const diagnose::Action& action : report.diagnosis.next) next.push_back(in_one_line(action));
  return document("diagnose", {{"steps", steps}, {"causes", causes}, {"next", next}}, report.frame);
}

}  // namespace aclmend::report::json
