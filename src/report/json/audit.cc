#include "report/audit.h"

#include <fmt/format.h>

#include "report/json/document.h"
#include "report/json/release.h"

namespace aclmend::report::json {
namespace {

Json hosts(const AddressSet& set) {
  Json list = Json::array();
  for (const Prefix& prefix : set.prefixes()) list.push_back(to_string(prefix));
  return list;
}

Json to_json(const audit::Line& line) {
  return {{"rule", text_or_null(line.rule)}, {"file", line.file}, {"line", line.line}, {"text", line.text}};
}

Json related(const audit::Line& line) {
  return {{"file", line.file}, {"line", line.line}, {"text", line.text}, {"role", line.role}};
}

Json to_json(const audit::Check& check) {
  return {{"flow", check.flow},
          {"destination", check.destination ? Json(to_string(*check.destination)) : Json(nullptr)},
          {"translated_to", check.translated_to ? Json(to_string(*check.translated_to)) : Json(nullptr)},
          {"service", fmt::format("{}/{}", protocol_name(check.protocol), check.port)},
          {"via", check.via},
          {"status", audit::to_string(check.status)},
          {"reason", text_or_null(check.reason)},
          {"required", prefixes(check.required)},
          {"permitted", prefixes(check.permitted)},
          {"blocked", prefixes(check.blocked)},
          {"unknown", prefixes(check.unknown)}};
}

Json to_json(const AuditedDevice& device) {
  Json checks = Json::array();
  for (const audit::Check& check : device.audit.checks) checks.push_back(to_json(check));
  return {{"name", device.name},
          {"vendor", text_or_null(device.vendor)},
          {"file", device.file},
          {"scope", text_or_null(device.scope)},
          {"error", text_or_null(device.audit.error)},
          {"not_examined", device.not_examined},
          {"checks", std::move(checks)}};
}

Json to_json(const Packet& packet) {
  return {{"from", to_string(packet.source)},
          {"to", to_string(packet.destination)},
          {"proto", protocol_name(packet.protocol)},
          {"port", packet.destination_port}};
}

Json to_json(const audit::Finding& finding) {
  const audit::CodeText& code = audit::text_of(finding.code);
  const auto& anchor = finding.anchor ? finding.anchor : finding.blocked_by;
  Json lines = Json::array();
  for (const audit::Line& line : finding.related) lines.push_back(related(line));
  return {{"id", finding.id},
          {"code", code.id},
          {"slug", code.slug},
          {"title", finding.title},
          {"severity", to_string(finding.severity)},
          {"device", finding.device},
          {"devices", finding.devices},
          {"flow", text_or_null(finding.flow)},
          {"ranges", prefixes(finding.ranges)},
          {"destination", hosts(finding.destination)},
          {"translated_to", hosts(finding.translated_to)},
          {"service", text_or_null(finding.service)},
          {"source_ports", finding.source_ports ? Json(to_string(*finding.source_ports)) : Json(nullptr)},
          {"blocked_by", finding.blocked_by ? to_json(*finding.blocked_by) : Json(nullptr)},
          {"implicit", text_or_null(finding.implicit)},
          {"anchor", anchor ? Json{{"file", anchor->file}, {"line", anchor->line}} : Json(nullptr)},
          {"related", std::move(lines)},
          {"witness", finding.witness ? to_json(*finding.witness) : Json(nullptr)},
          {"explanation", finding.explanation},
          {"hint", finding.hint},
          {"verify", finding.verify},
          {"waived", nullptr}};
}

}  // namespace

std::string audit(const AuditReport& report) {
  Json devices = Json::array();
  for (const AuditedDevice& device : report.devices) devices.push_back(to_json(device));
  Json findings = Json::array();
  for (const audit::Finding& finding : report.findings) findings.push_back(to_json(finding));
  const Json body = {{"endpoints", release_json(report.release)},
                     {"devices", std::move(devices)},
                     {"findings", std::move(findings)},
                     {"summary",
                      {{"error", report.summary.error},
                       {"warning", report.summary.warning},
                       {"note", report.summary.note},
                       {"unreadable", report.summary.unreadable},
                       {"not_asked", report.summary.not_asked}}}};
  return document("audit", body, report.frame);
}

}  // namespace aclmend::report::json
