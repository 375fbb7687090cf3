// The question `--- audit [to ADDRESS]… [flow ID]… [ingress NAME] [egress NAME] [context NAME] [assume
// "CONDITION"=on|off] [if-known]`: what each part of the required addresses gets, and the findings.
#include <fmt/format.h>

#include "inventory/flows.h"
#include "tests/support/case_audit.h"

namespace aclmend::test {
namespace {

std::string place(const audit::Line& line) {
  const std::string where = fmt::format("{}:{}", line.file, line.line);
  return line.rule.empty() ? where : fmt::format("{} ({})", line.rule, where);
}

std::string_view word(audit::Status status) {
  switch (status) {
    case audit::Status::pass: return "open";
    case audit::Status::fail: return "BLOCKED";
    case audit::Status::unknown: return "UNKNOWN";
    case audit::Status::not_applicable: return "not asked";
  }
  return "";
}

std::string text_of(const audit::Check& check) {
  std::string out = fmt::format("{} {}", audit::to_string(check.status), check.flow);
  if (check.destination)
    out +=
        fmt::format(" {}/{} to {}", protocol_name(check.protocol), check.port, to_string(*check.destination));
  if (check.translated_to) out += fmt::format(" = {}", to_string(*check.translated_to));
  if (check.status == audit::Status::not_applicable) out += ": " + check.reason;
  out += "\n";
  for (const audit::Stretch& stretch : check.stretches)
    out += fmt::format("  {} {}: {}\n", word(stretch.status), to_string(stretch.addresses),
                       stretch.by ? place(*stretch.by) : stretch.implicit);
  return out;
}

std::string text_of(const audit::Finding& finding) {
  std::string out =
      fmt::format("{} {} {}\n", to_string(finding.severity), audit::text_of(finding.code).id, finding.title);
  if (finding.blocked_by) out += fmt::format("  stopped by {}\n", place(*finding.blocked_by));
  else if (!finding.implicit.empty()) out += fmt::format("  stopped by: {}\n", finding.implicit);
  if (finding.anchor) out += fmt::format("  at {}\n", place(*finding.anchor));
  if (!finding.ranges.empty()) out += fmt::format("  {}\n", to_string(finding.ranges));
  if (finding.source_ports) out += fmt::format("  source ports {}\n", to_string(*finding.source_ports));
  if (!finding.explanation.empty()) out += fmt::format("  {}\n", finding.explanation);
  for (const audit::Line& line : finding.related)
    out += fmt::format("  see {}: {}\n", place(line), line.role);
  return out;
}

}  // namespace

Result<std::unique_ptr<CaseAudit>> case_audit(const CaseSubject& subject, std::string_view text) {
  auto asked = std::make_unique<CaseAudit>();
  audit::Question& question = asked->question;
  std::vector<std::string> assumptions, flows;
  std::string context;
  const std::vector<std::string> words = case_words(text);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& option = words[i];
    if (option == "if-known") {
      question.only_if_known = true;
      continue;
    }
    if (option == "settle-unknown") {
      asked->settles_unknown = true;
      continue;
    }
    if (i + 1 == words.size()) return fail(fmt::format("expected a value after '{}'", option));
    const std::string& value = words[++i];
    if (option == "to") {
      const auto address = parse_address(value);
      if (!address) return fail(fmt::format("expected an address, found '{}'", value));
      question.to.push_back(*address);
    } else if (option == "flow") {
      flows.push_back(value);
    } else if (option == "ingress") {
      question.context.known[model::Dimension::ingress] = value;
    } else if (option == "egress") {
      question.context.known[model::Dimension::egress] = value;
    } else if (option == "context") {
      context = value;
    } else if (option == "assume") {
      assumptions.push_back(value);
    } else {
      return fail(
          fmt::format("no such word '{}'; there are to, flow, ingress, egress, context, assume, "
                      "if-known, settle-unknown",
                      option));
    }
  }
  TRY(device, case_device(subject, context));
  asked->device = device;
  question.policy = &device->policy;
  for (const std::string& assumption : assumptions) {
    const std::size_t equals = assumption.rfind('=');
    TRY(condition, case_condition(device->policy, std::string_view(assumption).substr(0, equals)));
    question.context.assumed[condition] = assumption.ends_with("=on");
  }
  auto known = inventory::load_flows({});
  if (!known) return fail(known.error().front());
  asked->flows = std::move(*known);
  TRY(chosen, inventory::flows_asked(asked->flows, flows));
  asked->release = endpoints::newest(endpoints::Instance::worldwide);
  question.device = "config";
  question.flows = chosen;
  question.release = &asked->release;
  question.verify = [&subject, device](const Packet& packet, std::string_view ingress) {
    return subject.vendor.verify(*device, packet, ingress);
  };
  return asked;
}

Result<std::string> answer_audit(const CaseSubject& subject, std::string_view text) {
  TRY(asked, case_audit(subject, text));
  TRY(done, audit::audit(asked->question));
  if (!done.error.empty()) return "cannot tell: " + done.error + "\n";
  std::string out;
  for (const audit::Check& check : done.checks) out += text_of(check);
  for (const audit::Finding& finding : audit::merged(std::move(done.findings))) out += text_of(finding);
  for (const audit::Inference& inference : done.inferred)
    out += fmt::format("inferred {}{}\n", inference.what,
                       inference.shown_by ? fmt::format(" ({})", place(*inference.shown_by)) : "");
  return out;
}

}  // namespace aclmend::test
