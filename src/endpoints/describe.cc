// The names of things, as reports and options spell them.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/text.h"
#include "endpoints/ports.h"
#include "endpoints/result.h"

namespace aclmend::endpoints {
namespace {

constexpr std::array all_instances = {Instance::worldwide, Instance::usgov_gcc_high, Instance::usgov_dod,
                                      Instance::china, Instance::germany};

std::string choices() {
  std::string text;
  for (const Instance instance : all_instances) {
    if (!text.empty()) text += instance == all_instances.back() ? " or " : ", ";
    text += to_string(instance);
  }
  return text;
}

}  // namespace

std::span<const Instance> instances() { return all_instances; }

std::string_view to_string(Instance instance) {
  switch (instance) {
    case Instance::worldwide: return "Worldwide";
    case Instance::usgov_gcc_high: return "USGovGCCHigh";
    case Instance::usgov_dod: return "USGovDoD";
    case Instance::china: return "China";
    case Instance::germany: return "Germany";
  }
  return "";
}

Result<Instance> instance_named(std::string_view text) {
  for (const Instance instance : all_instances)
    if (lower(to_string(instance)) == lower(text)) return instance;
  return fail(fmt::format("expected an instance, one of {}; found '{}'", choices(), text));
}

std::string_view to_string(Origin origin) {
  switch (origin) {
    case Origin::embedded: return "embedded";
    case Origin::file: return "file";
    case Origin::store: return "store";
    case Origin::service: return "service";
  }
  return "";
}

std::string_view to_string(Completeness completeness) {
  switch (completeness) {
    case Completeness::whole: return "whole";
    case Completeness::smtp_rows_newer: return "smtp-rows-newer";
    case Completeness::smtp_rows: return "smtp-rows";
  }
  return "";
}

std::string_view to_string(Change change) {
  switch (change) {
    case Change::added: return "added";
    case Change::removed: return "removed";
    case Change::moved: return "moved";
    case Change::renumbered: return "renumbered";
    case Change::widened: return "widened";
    case Change::narrowed: return "narrowed";
    case Change::replaced: return "replaced";
    case Change::ports: return "ports";
    case Change::urls: return "urls";
    case Change::terms: return "terms";
  }
  return "";
}

std::string title(const Release& release) {
  std::string text = fmt::format("Microsoft 365 {}", to_string(release.instance));
  if (!release.version.empty()) text += fmt::format(" {}", release.version);
  else if (!release.as_of.empty()) text += fmt::format(" as of {}", release.as_of);
  else text += ", of unknown date";
  switch (release.origin) {
    case Origin::embedded: text += ", built in"; break;
    case Origin::file: text += fmt::format(", file {}", release.file); break;
    case Origin::store: text += ", from the store"; break;
    case Origin::service: text += ", from the service"; break;
  }
  if (!release.checked.empty()) text += fmt::format(", last checked {}", release.checked);
  if (release.completeness == Completeness::smtp_rows) text += ", SMTP rows only";
  return text;
}

std::string service(const Row& row) {
  std::string text;
  if (!row.tcp_ports.empty()) text = fmt::format("tcp/{}", comma_list(row.tcp_ports));
  if (!row.udp_ports.empty())
    text += fmt::format("{}udp/{}", text.empty() ? "" : " ", comma_list(row.udp_ports));
  return text.empty() ? "any port" : text;
}

std::string to_string(const Selection& selection) {
  std::string text =
      selection.service_area.empty() ? std::string("rows") : fmt::format("{} rows", selection.service_area);
  std::string_view joint = " with ";
  if (selection.tcp_port) text += fmt::format("{}TCP {}", std::exchange(joint, " and "), *selection.tcp_port);
  if (selection.udp_port) text += fmt::format("{}UDP {}", std::exchange(joint, " and "), *selection.udp_port);
  if (selection.has_ips) text += fmt::format("{}addresses", joint);
  return text;
}

std::string to_string(const When& when) {
  return when.version.empty() ? fmt::format("{}/{}", when.after, when.by) : when.version;
}

std::string in_words(const When& when) {
  if (when.version.empty()) return fmt::format("between {} and {}", when.after, when.by);
  return fmt::format("in version {}{}", when.version, when.first_known ? " or before" : "");
}

}  // namespace aclmend::endpoints
