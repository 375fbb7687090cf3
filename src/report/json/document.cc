#include "report/json/document.h"

#include <fmt/format.h>

namespace aclmend::report::json {
namespace {

Json to_json(const InputFile& input) {
  const LineCounts& n = input.lines;
  return {{"file", input.file},
          {"sha256", input.sha256},
          {"vendor", input.vendor.empty() ? Json(nullptr) : Json(input.vendor)},
          {"lines",
           {{"total", n.total},
            {"decides", n.decides},
            {"no_effect", n.no_effect},
            {"not_supported", n.not_supported},
            {"partly_understood", n.partly_understood},
            {"not_understood", n.not_understood}}}};
}

Json to_json(const Remark& remark) {
  return {{"severity", to_string(remark.severity)},
          {"file", remark.file},
          {"line", remark.line},
          {"column", remark.column},
          {"message", remark.message},
          {"effect", to_string(remark.effect)}};
}

template <class T>
Json list(const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(to_json(value));
  return array;
}

}  // namespace

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json prefixes(const AddressSet& set) { return to_strings(set.prefixes()); }

std::string document(std::string_view name, const Json& body, const Frame& frame) {
  Json all = {{"schema", fmt::format("aclmend/{}/1", name)}, {"tool", {{"version", ACLMEND_VERSION}}}};
  for (const auto& [key, value] : body.items()) all[key] = value;
  all["inputs"] = list(frame.inputs);
  all["diagnostics"] = list(frame.diagnostics);
  all["inferred"] = frame.inferred;
  all["assumed"] = frame.assumed;
  all["exit"] = frame.exit;
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace aclmend::report::json
