#include "report/flows.h"

#include "report/json/document.h"

namespace aclmend::report::json {
namespace {

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const inventory::End& end) {
  switch (end.kind) {
    case inventory::End::Kind::selected: return "selected";
    case inventory::End::Kind::mail_hosts: return "mail-hosts";
    case inventory::End::Kind::literal: break;
  }
  return to_strings(end.addresses.prefixes());
}

Json to_json(const std::optional<inventory::Selection>& select) {
  if (!select) return nullptr;
  return {{"service_area", text_or_null(select->service_area)},
          {"tcp_port", or_null(select->tcp_port)},
          {"udp_port", or_null(select->udp_port)},
          {"has_ips", select->has_ips}};
}

Json to_json(const inventory::Flow& flow) {
  const bool is_shipped = flow.origin == inventory::Origin::shipped;
  return {{"id", flow.id},
          {"title", flow.title},
          {"severity", to_string(flow.severity)},
          {"default", flow.id == inventory::default_flow},
          {"with", text_or_null(flow.with)},
          {"code", text_or_null(flow.code)},
          {"direction", to_string(flow.direction)},
          {"source", to_json(flow.source)},
          {"destination", to_json(flow.destination)},
          {"service", protocol_name(flow.protocol) + "/" + std::to_string(flow.port)},
          {"application", text_or_null(flow.application)},
          {"select", to_json(flow.select)},
          {"others", to_string(flow.others)},
          {"why", flow.why},
          {"origin", is_shipped ? "shipped" : "file"},
          {"file", is_shipped ? Json(nullptr) : Json(flow.place.file)}};
}

Json flows_of(const FlowsReport& report) {
  Json flows = Json::array();
  for (const inventory::Flow& flow : report.flows) flows.push_back(to_json(flow));
  return {{"flows", flows}};
}

}  // namespace

std::string flows_list(const FlowsReport& report) {
  return document("flows-list", flows_of(report), report.frame);
}

std::string flows_show(const FlowsReport& report) {
  return document("flows-show", flows_of(report), report.frame);
}

std::string flows_check(const FlowsCheck& report) {
  Json files = Json::array();
  for (const FlowsCheck::File& file : report.files)
    files.push_back({{"file", file.file}, {"usable", !file.id.empty()}, {"id", text_or_null(file.id)}});
  return document("flows-check", {{"files", files}}, report.frame);
}

}  // namespace aclmend::report::json
