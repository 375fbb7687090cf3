// endpoints-fetch, endpoints-import, endpoints-history and endpoints-verify (docs/schema/).
#include "report/store.h"

#include "report/json/document.h"

namespace aclmend::report::json {
namespace {

using namespace endpoints;

Json to_json(const RowChange& change) {
  return {{"id", change.id},
          {"was_id", change.was_id ? Json(*change.was_id) : Json(nullptr)},
          {"change", to_string(change.change)},
          {"added", prefixes(change.added)},
          {"removed", prefixes(change.removed)}};
}

Json to_json(const std::optional<Difference>& difference) {
  if (!difference) return nullptr;
  Json rows = Json::array();
  for (const RowChange& change : difference->rows) rows.push_back(to_json(change));
  return {{"added", prefixes(difference->added)}, {"removed", prefixes(difference->removed)}, {"rows", rows}};
}

Json to_json(const FetchedInstance& one) {
  return {{"instance", to_string(one.instance)},
          {"outcome", to_string(one.outcome)},
          {"code", one.outcome == FetchOutcome::refused ? Json("ACM051") : Json(nullptr)},
          {"version", text_or_null(one.version)},
          {"was", text_or_null(one.was)},
          {"reasons", one.reasons},
          {"hint", text_or_null(one.hint)},
          {"remarks", one.remarks},
          {"difference", to_json(one.difference)}};
}

Json to_json(const ImportedList& one) {
  return {{"file", one.file},       {"instance", to_string(one.instance)},
          {"kind", one.kind},       {"version", text_or_null(one.version)},
          {"outcome", one.outcome}, {"how", text_or_null(one.how)},
          {"remarks", one.remarks}};
}

Json to_json(const ReleaseChange& one) {
  return {{"version", text_or_null(one.version)},       {"as_of", text_or_null(one.as_of)},
          {"first_seen", text_or_null(one.first_seen)}, {"is_first", one.is_first},
          {"difference", to_json(one.difference)},      {"not_compared", text_or_null(one.not_compared)}};
}

Json to_json(const NotApplied& one) {
  return {{"record", one.record.id},
          {"row", one.record.row},
          {"version", one.record.version},
          {"reason", one.reason}};
}

Json to_json(const RowDifference& one) { return {{"row", one.row}, {"what", one.what}}; }

Json to_json(const Step& step);
Json to_json(const Verification& one);

template <class T>
Json list(const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(to_json(value));
  return array;
}

Json to_json(const Step& step) {
  return {{"from", step.from},
          {"to", step.to},
          {"by", to_string(step.by)},
          {"records", step.records},
          {"not_applied", list(step.not_applied)},
          {"differences", list(step.differences)},
          {"note", text_or_null(step.note)}};
}

Json to_json(const Verification& one) {
  return {{"instance", to_string(one.instance)},
          {"releases", one.releases},
          {"agrees", one.agrees()},
          {"steps", list(one.steps)}};
}

}  // namespace

std::string endpoints_fetch(const EndpointsFetch& report) {
  return document("endpoints-fetch", {{"flow", report.flow}, {"instances", list(report.instances)}},
                  report.frame);
}

std::string endpoints_import(const EndpointsImport& report) {
  return document("endpoints-import", {{"lists", list(report.lists)}}, report.frame);
}

std::string endpoints_history(const EndpointsHistory& report) {
  return document("endpoints-history",
                  {{"instance", to_string(report.instance)},
                   {"flow", text_or_null(report.flow)},
                   {"releases", list(report.releases)}},
                  report.frame);
}

std::string endpoints_verify(const EndpointsVerify& report) {
  return document("endpoints-verify", {{"damages", report.damages}, {"instances", list(report.instances)}},
                  report.frame);
}

}  // namespace aclmend::report::json
