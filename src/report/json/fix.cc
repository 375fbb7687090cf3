#include "report/fix.h"

#include <fmt/format.h>

#include "report/json/document.h"
#include "report/json/release.h"

namespace aclmend::report::json {
namespace {

using fix::ChangedPackets;
using fix::Status;
using model::Dimension;

Json place(const std::optional<audit::Line>& line) {
  return {{"rule", line ? Json(line->rule) : Json(nullptr)},
          {"file", line ? Json(line->file) : Json(nullptr)},
          {"line", line ? Json(line->line) : Json(nullptr)}};
}

Json protocols(const ProtocolSet& set) {
  if (set.interval_count() == 1 && set.interval(0).first == set.interval(0).last)
    return protocol_name(set.interval(0).first);
  std::string text;
  for (const auto& [first, last] : set.intervals())
    text +=
        fmt::format("{}{}{}", text.empty() ? "" : " ", first, first == last ? "" : fmt::format("-{}", last));
  return text;
}

// A key that is absent means any.
Json to_json(const ChangedPackets& changed) {
  const Box& box = changed.packets;
  Json json = Json::object();
  if (!box.source.is_all()) json["from"] = to_strings(box.source.prefixes());
  if (!box.destination.is_all()) json["to"] = to_strings(box.destination.prefixes());
  if (!box.protocol.is_all()) json["proto"] = protocols(box.protocol);
  if (!box.source_port.is_all()) json["source_ports"] = to_string(box.source_port);
  if (!box.destination_port.is_all()) json["ports"] = to_string(box.destination_port);
  for (const auto& [dimension, key] : {std::pair{Dimension::ingress, "ingress"},
                                       {Dimension::egress, "egress"},
                                       {Dimension::application, "application"}})
    if (const auto known = changed.context.find(dimension); known != changed.context.end())
      json[key] = known->second;
  json["before"] = place(changed.before);
  json["after"] = place(changed.after);
  return json;
}

Json boxes(const std::vector<ChangedPackets>& all) {
  Json list = Json::array();
  for (const ChangedPackets& one : all) list.push_back(to_json(one));
  return list;
}

Json commands(const fix::Mend& mend, const std::vector<std::string>& lines) {
  if (mend.status == Status::refused || !mend.error.empty()) return nullptr;
  return lines.empty() ? "" : fmt::format("{}\n", fmt::join(lines, "\n"));
}

}  // namespace

std::string fix(const FixReport& report) {
  const fix::Mend& mend = report.mend;
  const bool is_refused = mend.status == Status::refused || !mend.error.empty();
  Json tried = Json::array();
  for (const fix::Tried& one : mend.tried) {
    Json json = {{"edit", one.edit}, {"reason", one.reason}};
    json.update(place(one.at));
    tried.push_back(std::move(json));
  }
  const fix::Proof& proof = mend.proof;
  const Json body = {
      {"endpoints", release_json(report.release)},
      {"snippet", commands(mend, mend.snippet)},
      {"rollback", commands(mend, mend.rollback)},
      {"verify", mend.verify},
      {"tried", std::move(tried)},
      {"proof",
       {{"status", is_refused ? "refused" : "proved"},
        {"reason", text_or_null(mend.error.empty() ? mend.reason : mend.error)},
        {"newly_permitted", boxes(proof.newly_permitted)},
        {"newly_denied", boxes(proof.newly_denied)},
        {"newly_unknown", boxes(proof.newly_unknown)},
        {"beyond_required", boxes(proof.beyond_required)},
        {"second_count",
         {{"packets", proof.second_count.packets}, {"disagree", proof.second_count.disagree}}}}}};
  return document("fix", body, report.frame);
}

}  // namespace aclmend::report::json
