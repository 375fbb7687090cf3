#include "report/inventory.h"

#include "report/json/document.h"

namespace aclmend::report::json {
namespace {

using inventory::Asked;
using inventory::Each;
using inventory::Endpoints;

Json to_json(const std::vector<Address>& addresses) {
  Json list = Json::array();
  for (const Address address : addresses) list.push_back(to_string(address));
  return list;
}

Json to_json(const Endpoints& endpoints) {
  const auto source = [&]() -> Json {
    switch (endpoints.from) {
      case Endpoints::From::store: return "store";
      case Endpoints::From::service: return "service";
      case Endpoints::From::unsaid:
      case Endpoints::From::pin:
      case Endpoints::From::file: break;
    }
    return nullptr;
  };
  return {{"instance", endpoints.instance},
          {"pin", text_or_null(endpoints.pin)},
          {"source", source()},
          {"file", text_or_null(endpoints.file)},
          {"max_age_days", endpoints.max_age ? Json(endpoints.max_age->count()) : Json(nullptr)}};
}

Json to_json(const inventory::PlannedSet& set) {
  return {{"name", text_or_null(set.name)}, {"file", set.path}, {"scope", text_or_null(set.scope)}};
}

Json to_json(const inventory::PlannedAssumption& assumption) {
  return {{"condition", assumption.condition},
          {"holds", assumption.holds},
          {"reason", assumption.reason},
          {"scope", text_or_null(assumption.scope)}};
}

Json to_json(const inventory::PlannedDevice& device);
Json to_json(const inventory::SkippedFile& skipped);

template <class T>
Json list(const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(to_json(value));
  return array;
}

Json to_json(const inventory::PlannedDevice& device) {
  const inventory::Question& question = device.question;
  return {{"name", device.name},
          {"files", device.files},
          {"by_glob", device.came_by_glob},
          {"asked", device.asked == Asked::always ? "always" : "if-it-knows-the-mail-host"},
          {"each", device.each == Each::none ? Json(nullptr) : Json(to_string(device.each))},
          {"to", to_json(question.to)},
          {"ingress", text_or_null(question.ingress)},
          {"egress", text_or_null(question.egress)},
          {"direction", text_or_null(question.direction)},
          {"local", to_json(question.local)},
          {"vendor", text_or_null(question.vendor)},
          {"vsys", text_or_null(question.vsys)},
          {"device_group", text_or_null(question.device_group)},
          {"context", text_or_null(question.context)},
          {"profile", text_or_null(question.profile)},
          {"program", text_or_null(question.program)},
          {"flows", question.flows},
          {"sets", list(device.sets)},
          {"assumptions", list(device.assumptions)},
          {"line", device.place.line}};
}

Json to_json(const inventory::SkippedFile& skipped) {
  return {{"file", skipped.file}, {"reason", skipped.reason}, {"line", skipped.place.line}};
}

}  // namespace

std::string inventory_show(const InventoryReport& report) {
  const auto& inventory = report.inventory;
  const Json mail = inventory ? Json{{"name", text_or_null(inventory->mail.name)},
                                     {"hosts", to_json(inventory->mail.hosts)}}
                              : Json(nullptr);
  const Json body = {{"inventory", report.file},
                     {"endpoints", inventory ? to_json(inventory->endpoints) : Json(nullptr)},
                     {"mail", mail},
                     {"rules", inventory ? text_or_null(inventory->rules) : Json(nullptr)},
                     {"devices", list(report.plan.devices)},
                     {"skipped", list(report.plan.skipped)}};
  return document("inventory-show", body, report.frame);
}

std::string inventory_check(const InventoryReport& report) {
  std::size_t by_glob = 0;
  for (const inventory::PlannedDevice& device : report.plan.devices) by_glob += device.came_by_glob ? 1 : 0;
  const Json body = {{"inventory", report.file},
                     {"usable", report.frame.exit == 0},
                     {"devices", {{"named", report.plan.devices.size() - by_glob}, {"by_glob", by_glob}}},
                     {"skipped", report.plan.skipped.size()}};
  return document("inventory-check", body, report.frame);
}

}  // namespace aclmend::report::json
