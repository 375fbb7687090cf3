#include "tests/support/edits.h"

#include <fmt/format.h>

#include <algorithm>

namespace aclmend::test {
namespace {

std::string form_of(const model::Policy& policy, const model::ServiceTerm& term) {
  const auto services = model::services_of(policy, term);
  std::string text;
  for (const model::ServiceSet* set : {&services->certain, &services->possible})
    for (const model::ServiceBox& box : *set)
      for (const auto& [first, last] : box.protocol.intervals())
        text += fmt::format("{}-{} {} {};", first, last, to_string(box.source), to_string(box.destination));
  return text;
}

std::string form_of(const model::Policy& policy, model::AddressTerm term) {
  const auto set = model::addresses_of(policy, term);
  std::string text;
  for (const AddressSet* part : {&set->certain, &set->possible})
    for (const Prefix& prefix : part->prefixes()) text += to_string(prefix) + " ";
  return text;
}

}  // namespace

std::string form_of(const model::Policy& policy) {
  std::vector<std::string> parts;
  for (const model::RuleList& list : policy.lists) {
    std::string text = fmt::format("list {} {}\n", list.name, list.is_attached);
    for (const model::Rule& rule : list.rules)
      text += fmt::format("  {} {} {} | {} | {} | {} | {}\n", rule.number, static_cast<int>(rule.action),
                          rule.enabled, form_of(policy, rule.source), form_of(policy, rule.destination),
                          form_of(policy, rule.service), policy.qualifiers[rule.qualifier].conditions.size());
    if (!list.rules.empty()) parts.push_back(std::move(text));
  }
  for (const model::AddressGroup& group : policy.groups)
    if (group.kind == model::GroupKind::group || group.kind == model::GroupKind::object) {
      std::string text = fmt::format("group {}: ", group.name);
      for (const Prefix& prefix : group.addresses.certain.prefixes()) text += to_string(prefix) + " ";
      parts.push_back(text + fmt::format("{}\n", group.addresses.conditions.size()));
    }
  for (const model::Interface& port : policy.interfaces)
    parts.push_back(fmt::format("interface {} {}\n", port.name, port.list_in));
  std::ranges::sort(parts);
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string errors_of(const Reading& reading) {
  std::string text;
  for (const Diagnostic& one : reading.diagnostics.all())
    if (one.severity == Severity::error) text += one.message + "\n";
  return text;
}

SourcePtr script(std::string name, const std::vector<std::string>& lines) {
  return std::make_shared<const Source>(std::move(name), text_of(lines));
}

std::vector<Edit> edits_of(const model::Policy& policy, std::mt19937& random) {
  std::vector<Edit> edits;
  const AddressSet net(*parse_prefix("198.51.100.0/24")), host(*parse_prefix("192.0.2.77"));
  const AddressSet nets = net | AddressSet(*parse_prefix("52.100.0.0/14"));
  const AddressSet v6(*parse_prefix("2a01:111:f400::/48")), mx6(*parse_prefix("2001:db8::77"));
  for (model::GroupId id = 0; id < policy.groups.size(); ++id) {
    edits.push_back(AddMembers{id, {}, nets | host});
    edits.push_back(AddMembers{id, {static_cast<model::GroupId>(random() % policy.groups.size())}, {}});
    edits.push_back(AddMembers{id, {}, v6});
  }
  for (model::ListId list = 0; list < policy.lists.size(); ++list) {
    const auto count = static_cast<std::uint32_t>(policy.lists[list].rules.size());
    for (std::uint32_t index = 0; index < std::min(count, 6U); ++index) {
      edits.push_back(Enable{{list, index}});
      edits.push_back(MoveBefore{{list, index}, static_cast<std::uint32_t>(random() % count)});
      edits.push_back(
          InsertPermit{list, index, nets, host, protocol::tcp, 25, "eop-inbound-smtp", "why? not"});
      edits.push_back(InsertPermit{list, index, host, net, protocol::udp, 53, "x", ""});
      edits.push_back(InsertPermit{list, index, v6 | nets, mx6 | host, protocol::tcp, 587, "x", "! six"});
    }
    edits.push_back(InsertPermit{list, std::nullopt, nets, host, protocol::tcp, 25, "at the end", "end"});
    for (const model::Interface& port : policy.interfaces) edits.push_back(BindList{list, port.name});
  }
  return edits;
}

}  // namespace aclmend::test
