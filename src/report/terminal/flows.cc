#include "report/flows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "report/terminal/layout.h"

namespace aclmend::report::terminal {
namespace {

std::string words_of(const inventory::End& end) {
  switch (end.kind) {
    case inventory::End::Kind::selected: return "selected ranges";
    case inventory::End::Kind::mail_hosts: return "mail hosts";
    case inventory::End::Kind::literal: break;
  }
  return to_string(end.addresses);
}

std::string packets_of(const inventory::Flow& flow) {
  const std::string application = flow.application.empty() ? "" : fmt::format(", {}", flow.application);
  return fmt::format("{} -> {}, {}/{}{}", words_of(flow.source), words_of(flow.destination),
                     protocol_name(flow.protocol), flow.port, application);
}

std::string words_of(const inventory::Selection& select) {
  std::string words = select.service_area.empty() ? "rows of any service area"
                                                  : fmt::format("rows of {}", select.service_area);
  if (select.tcp_port) words += fmt::format(" with TCP {}", *select.tcp_port);
  if (select.udp_port) words += fmt::format(" with UDP {}", *select.udp_port);
  return words + (select.has_ips ? " that name addresses" : "");
}

std::string asked(const inventory::Flow& flow) {
  if (flow.id == inventory::default_flow) return "by default";
  if (!flow.with.empty()) return fmt::format("with {}", flow.with);
  return "where it is named";
}

std::string from(const inventory::Flow& flow) {
  return flow.origin == inventory::Origin::shipped ? "shipped" : flow.place.file;
}

std::string paragraphs(const std::string& text) {
  std::string out, paragraph;
  const auto flush = [&] {
    if (!paragraph.empty()) out += labelled("", paragraph);
    paragraph.clear();
  };
  for (const std::string_view line : split(text, '\n')) {
    if (trimmed(line).empty()) {
      flush();
      out += "\n";
    } else {
      paragraph += fmt::format("{}{}", paragraph.empty() ? "" : " ", trimmed(line));
    }
  }
  flush();
  return out;
}

}  // namespace

std::string flows_list(const FlowsReport& report) {
  std::string out;
  for (const inventory::Flow& flow : report.flows) {
    out += with_place(fmt::format("{:<24} {:<8} {}", flow.id, to_string(flow.severity), asked(flow)),
                      from(flow));
    out += with_place("    " + flow.title, "");
  }
  return out;
}

std::string flows_show(const FlowsReport& report) {
  std::string out;
  for (const inventory::Flow& flow : report.flows) {
    out += with_place(flow.id, from(flow));
    out += labelled("title", flow.title);
    out += labelled("packets", fmt::format("{}: {}", to_string(flow.direction), packets_of(flow)));
    if (flow.select) out += labelled("selected", words_of(*flow.select));
    out += labelled("asked", asked(flow));
    out += labelled("severity", flow.code.empty()
                                    ? std::string(to_string(flow.severity))
                                    : fmt::format("{}, as {}", to_string(flow.severity), flow.code));
    out += labelled("others", to_string(flow.others));
    out += "\n" + paragraphs(flow.why);
  }
  return out;
}

std::string flows_check(const FlowsCheck& report) {
  std::string out;
  for (const FlowsCheck::File& file : report.files)
    out += with_place(file.file, file.id.empty() ? "cannot be used" : fmt::format("ok: {}", file.id));
  return out;
}

}  // namespace aclmend::report::terminal
