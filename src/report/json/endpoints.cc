// endpoints-show, endpoints-diff, endpoints-covers and endpoints-export (docs/schema/). Ports are texts as
// the service writes them.
#include "report/endpoints.h"

#include "report/json/document.h"
#include "report/json/release.h"

namespace aclmend::report::json {
namespace {

using namespace endpoints;

Json ports(const PortSet& set) {
  if (set.empty()) return nullptr;
  std::string text;
  for (const auto& [first, last] : set.intervals()) {
    if (!text.empty()) text += ',';
    text += std::to_string(first);
    if (last != first) text += '-' + std::to_string(last);
  }
  return text;
}

Json to_json(const Row& row) {
  return {{"id", row.id},
          {"service_area", row.service_area},
          {"tcp_ports", ports(row.tcp_ports)},
          {"udp_ports", ports(row.udp_ports)},
          {"ips", to_strings(row.ips)},
          {"urls", row.urls}};
}

Json to_json(const std::optional<Row>& row) { return row ? to_json(*row) : Json(nullptr); }

Json to_json(const std::optional<When>& when) { return when ? Json(to_string(*when)) : Json(nullptr); }

Json to_json(const RowChange& change) {
  return {{"id", change.id},
          {"was_id", change.was_id ? Json(*change.was_id) : Json(nullptr)},
          {"change", to_string(change.change)},
          {"added", prefixes(change.added)},
          {"removed", prefixes(change.removed)},
          {"before", to_json(change.before)},
          {"after", to_json(change.after)}};
}

Json to_json(const PurposeChange& change) {
  return {{"service_area", change.service_area},
          {"service", change.service},
          {"change", to_string(change.change)},
          {"added", prefixes(change.added)},
          {"removed", prefixes(change.removed)},
          {"was_ids", change.was_ids},
          {"ids", change.ids}};
}

Json to_json(const Listing& listing) {
  return {{"instance", to_string(listing.instance)}, {"id", listing.id},
          {"service_area", listing.service_area},    {"ports", listing.service},
          {"prefix", to_string(listing.prefix)},     {"since", to_json(listing.since)},
          {"until", to_json(listing.until)}};
}

Json to_json(const Release& release) { return release_json(release); }

Json to_json(const Asked& asked) {
  return {{"prefix", to_string(asked.prefix)},
          {"covered", prefixes(asked.covered)},
          {"missing", prefixes(asked.missing)},
          {"rows", asked.rows}};
}

template <class T>
Json list(const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(to_json(value));
  return array;
}

Json row_of_list(const Row& row) {
  return {{"id", row.id},
          {"service_area", row.service_area},
          {"tcp_ports", ports(row.tcp_ports)},
          {"udp_ports", ports(row.udp_ports)},
          {"category", row.category.empty() ? Json(nullptr) : Json(row.category)},
          {"required", row.required ? Json(*row.required) : Json(nullptr)},
          {"prefixes", prefixes(addresses(row))}};
}

}  // namespace

std::string endpoints_show(const EndpointsShow& report) {
  Json body = release_json(report.release);
  body["flow"] = text_or_null(report.flow);
  body["prefixes"] = prefixes(report.prefixes);
  body["rows"] = list(report.rows);
  body["remarks"] = report.release.remarks;
  return document("endpoints-show", body, report.frame);
}

std::string endpoints_diff(const EndpointsDiff& report) {
  const Json body = {{"before", release_json(report.before)},
                     {"after", release_json(report.after)},
                     {"flow", text_or_null(report.flow)},
                     {"added", prefixes(report.difference.added)},
                     {"removed", prefixes(report.difference.removed)},
                     {"rows", list(report.difference.rows)},
                     {"purposes", list(report.difference.purposes)}};
  return document("endpoints-diff", body, report.frame);
}

std::string endpoints_covers(const EndpointsCovers& report) {
  const Json body = {{"endpoints", list(report.releases)},
                     {"covered", report.coverage.covered},
                     {"asked", list(report.coverage.asked)},
                     {"rows", list(report.coverage.rows)},
                     {"notes", report.coverage.notes}};
  return document("endpoints-covers", body, report.frame);
}

std::string endpoints_export(const EndpointsExport& report) {
  const List& all = report.list;
  const auto count = [](const AddressSet& set) { return set.prefixes().size(); };
  Json body = release_json(all.release);
  body["flow"] = text_or_null(all.flow);
  body["selection"] = all.asked;
  body["direction"] = nullptr;
  body["name"] = all.named.name;
  body["families"] = to_string(all.families);
  body["counts"] = {{"ipv4", count({all.named.addresses.v4, {}})},
                    {"ipv6", count({{}, all.named.addresses.v6})}};
  body["prefixes"] = prefixes(all.named.addresses);
  body["rows"] = Json::array();
  for (const Row& row : all.rows) body["rows"].push_back(row_of_list(row));
  body["remarks"] = all.release.remarks;
  return document("endpoints-export", body, report.frame);
}

}  // namespace aclmend::report::json
