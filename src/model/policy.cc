#include "model/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "model/question.h"

namespace aclmend::model {

std::string_view to_string(ConditionKind kind) {
  switch (kind) {
    case ConditionKind::time_range: return "time-range";
    case ConditionKind::fqdn: return "fqdn";
    case ConditionKind::user: return "user";
    case ConditionKind::security_group: return "security-group";
    case ConditionKind::external_list: return "external list";
    case ConditionKind::dynamic_address: return "dynamic address";
    case ConditionKind::undefined: return "undefined";
    case ConditionKind::not_understood: return "not understood";
    case ConditionKind::not_in_export: return "not in this export";
    case ConditionKind::application: return "application";
    case ConditionKind::device_state: return "device state";
    case ConditionKind::rate_limit: return "rate limit";
    case ConditionKind::mark: return "mark";
    case ConditionKind::program: return "program";
    case ConditionKind::source_port: return "source port";
    case ConditionKind::ingress: return "ingress";
    case ConditionKind::egress: return "egress";
    case ConditionKind::profile: return "profile";
    case ConditionKind::direction: return "direction";
    case ConditionKind::address_translation: return "address translation";
    case ConditionKind::returns_to_caller: return "returns to its caller";
    case ConditionKind::too_complex: return "too complex";
  }
  return "";
}

std::string to_string(const Condition& condition) {
  if (condition.name.empty()) return std::string(to_string(condition.kind));
  return fmt::format("{} {}", to_string(condition.kind), condition.name);
}

std::vector<Condition> builtin_conditions() {
  std::vector<Condition> conditions;  // in the order of the constants in policy.h
  using enum ConditionKind;
  for (const ConditionKind kind : {ingress, egress, application, program, profile, direction,
                                   returns_to_caller, too_complex, source_port, address_translation})
    conditions.push_back({kind, "", {}});
  return conditions;
}

ConditionId Policy::condition(ConditionKind kind, std::string_view name, Span where) {
  std::string key = fmt::format("{}\t{}", static_cast<int>(kind), name);
  const auto [found, is_new] =
      condition_ids_.try_emplace(std::move(key), static_cast<ConditionId>(conditions.size()));
  if (is_new) conditions.push_back({kind, std::string(name), where});
  return found->second;
}

const Interface* Policy::interface_named(std::string_view name) const {
  const auto found = std::ranges::find(interfaces, name, &Interface::name);
  return found == interfaces.end() ? nullptr : &*found;
}

bool StateMatch::matches(State state) const {
  switch (tracking) {
    case Tracking::any: break;
    case Tracking::fresh:
      if (state.untracked) return false;
      break;
    case Tracking::untracked:
      if (!state.untracked) return false;
      break;
    case Tracking::never: return false;
  }
  return std::ranges::all_of(marks, [&](const MarkTest& test) {
    const std::uint32_t mark = test.of == MarkTest::Of::packet ? state.mark : state.connmark;
    return ((mark & test.mask) == test.value) != test.negated;
  });
}

State StateChange::applied_to(State state) const {
  return {state.untracked || make_untracked,
          (state.mark & ~mark_clear) ^ mark_toggle ^ (state.connmark & mark_from_connmark),
          (state.connmark & ~connmark_clear) ^ connmark_toggle ^ (state.mark & connmark_from_mark)};
}

std::string rule_name(const Policy& policy, RuleRef ref) {
  const RuleList& list = policy.lists[ref.list];
  const Rule& rule = list.rules[ref.index];
  if (rule.name != 0) return policy.names[rule.name];
  return fmt::format("{} {} {}", list.name, list.numbering, rule.number);
}

std::string_view rule_text(const Policy& policy, RuleRef ref) {
  const Span span = policy.rule(ref).span;
  return trimmed(policy.sources[span.source]->text(span));
}

std::uint32_t line_of(const Policy& policy, Span span) {
  return policy.sources[span.source]->position(span.begin).line;
}

const std::string& file_of(const Policy& policy, Span span) { return policy.sources[span.source]->name(); }

ConditionIds united(const ConditionIds& a, const ConditionIds& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  ConditionIds result;
  std::ranges::set_union(a, b, std::back_inserter(result));
  return result;
}

Borrowed<Partly<AddressSet>> addresses_of(const Policy& policy, AddressTerm term) {
  using Sets = Partly<AddressSet>;
  static const Sets all{AddressSet::all(), AddressSet::all(), {}};
  static const Sets all4{AddressSet::all(Family::ipv4), AddressSet::all(Family::ipv4), {}};
  static const Sets all6{AddressSet::all(Family::ipv6), AddressSet::all(Family::ipv6), {}};
  switch (term.kind) {
    case AddressTerm::Kind::any: return Borrowed(&all);
    case AddressTerm::Kind::any4: return Borrowed(&all4);
    case AddressTerm::Kind::any6: return Borrowed(&all6);
    case AddressTerm::Kind::v4: {
      const AddressSet set(prefix_of(Address::v4(term.value), term.length));
      return Borrowed(Sets{set, set, {}});
    }
    case AddressTerm::Kind::group: return Borrowed(&policy.groups[term.value].addresses);
  }
  return Borrowed(Sets{});
}

Borrowed<Partly<ServiceSet>> services_of(const Policy& policy, const ServiceTerm& term) {
  using Sets = Partly<ServiceSet>;
  static const ServiceBox every{ProtocolSet::all(), PortSet::all(), PortSet::all()};
  static const Sets all{{every}, {every}, {}};
  switch (term.kind) {
    case ServiceTerm::Kind::any: return Borrowed(&all);
    case ServiceTerm::Kind::literal: {
      const ServiceBox box{ProtocolSet(term.protocol, term.protocol),
                           PortSet(term.source.first, term.source.last),
                           PortSet(term.destination.first, term.destination.last)};
      return Borrowed(Sets{{box}, {box}, {}});
    }
    case ServiceTerm::Kind::group: return Borrowed(&policy.service_groups[term.group_id].services);
  }
  return Borrowed(Sets{});
}

std::string implicit_of(const Policy& policy, const Decider& by) {
  if (by.rule || !by.stage) return {};
  const Node& node = policy.nodes[*by.stage];
  if (const auto* stage = std::get_if<Stage>(&node)) return stage->implicit;
  if (const auto* branch = std::get_if<Branch>(&node)) return branch->other;
  return {};
}

}  // namespace aclmend::model
