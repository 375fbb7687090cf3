// The rule sets → one device: each family its own half of the policy, and what is said beside the rules.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "vendors/iptables/lowering.h"

namespace aclmend::iptables {
namespace {

using model::Branch;
using model::ConditionKind;
using model::Dimension;
using model::NodeId;
using model::Stage;

std::string_view tool_of(Family family) {
  return family == Family::ipv4 ? "iptables-save" : "ip6tables-save";
}

std::string summary(const IptablesDocument& from) {
  std::string text = "iptables";
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const Half& half = from.half(family);
    if (half.is_there() && !half.tool.empty() && text == "iptables") {
      const std::size_t version = half.tool.find(" v");
      if (version != std::string::npos) text += " " + half.tool.substr(version + 2);
      if (half.backend == Half::Backend::nft) text += " (nf_tables)";
      if (half.backend == Half::Backend::legacy) text += " (legacy)";
      if (!half.written.empty()) text += ", written " + half.written;
    }
  }
  const bool has_v4 = from.v4.is_there(), has_v6 = from.v6.is_there();
  text += has_v4 && has_v6 ? ", IPv4 and IPv6" : has_v4 ? ", IPv4" : ", IPv6";
  return printable(text);
}

}  // namespace

Survey survey_of(const IptablesDocument& from, const Half& half) {
  Survey survey;
  survey.is_call.resize(from.bodies.size());
  std::vector<bool> seen(from.bodies.size());
  for (const Table table : all_tables) {
    const auto& chains = half[table];
    if (!chains) continue;
    std::vector<bool>& calls = survey.calls[static_cast<std::size_t>(table)];
    calls.reserve(chains->chains.size());
    for (const Chain& chain : chains->chains) {
      bool calls_others = false;
      for (const Rule& rule : chain.rules) {
        if (!seen[rule.body]) {
          seen[rule.body] = true;
          survey.bodies.push_back({rule.body, rule.span});
          survey.is_call[rule.body] = from.called_by(rule).has_value();
        }
        calls_others |= survey.is_call[rule.body];
      }
      calls.push_back(calls_others);
    }
  }
  return survey;
}

namespace {

// ---- calls --------------------------------------------------------------------------------------------

// How packets get to a chain.
enum class Reach : std::uint8_t { none, from_prerouting, from_other_hooks };

// Chains that call each other in a circle, where a packet can get there: the kernel refuses to load them.
class Calls {
 public:
  Calls(const Lowering& lowering, Table table, const Chains& chains)
      : lowering_(lowering),
        table_(table),
        chains_(chains),
        reached_(chains.chains.size()),
        is_open_(chains.chains.size()) {}

  // By chain; who can be reached from PREROUTING is, whatever else leads there.
  std::vector<Reach> walk() {
    for (const Hook hook : all_hooks)
      if (const auto chain = chains_.index_of(to_string(hook)); chain && has_hook(table_, hook))
        visit(*chain, hook == Hook::prerouting ? Reach::from_prerouting : Reach::from_other_hooks);
    return std::move(reached_);
  }

 private:
  struct Frame {
    std::uint32_t chain;
    std::size_t rule = 0;
  };

  void open(std::uint32_t chain, Reach reach) {
    reached_[chain] = reach;
    if (!lowering_.survey.calls_others(table_, chain)) return;
    is_open_[chain] = true;
    stack_.push_back({chain});
  }

  void visit(std::uint32_t root, Reach reach) {
    if (reached_[root] == Reach::none) open(root, reach);
    while (!stack_.empty()) {
      Frame& top = stack_.back();
      const std::vector<Rule>& rules = chains_.chains[top.chain].rules;
      if (top.rule == rules.size()) {
        is_open_[top.chain] = false;
        stack_.pop_back();
        continue;
      }
      const Rule& rule = rules[top.rule++];
      if (!lowering_.survey.is_call[rule.body]) continue;
      const std::uint32_t called = rule.argument;
      if (is_open_[called])
        lowering_.account.say(
            Severity::error, rule.span,
            fmt::format("{} calls {}, which leads back to it: the kernel refuses such a circle",
                        printable(chains_.chains[top.chain].name), printable(chains_.chains[called].name)),
            Effect::unknown);
      if (reached_[called] == Reach::none) open(called, reach);
    }
  }

  const Lowering& lowering_;
  Table table_;
  const Chains& chains_;
  std::vector<Reach> reached_;
  std::vector<bool> is_open_;  // on the way from the root
  std::vector<Frame> stack_;
};

// ---- what leads to a host -----------------------------------------------------------------------------

bool names_no_port(const model::ServiceTerm& service) {
  using Kind = model::ServiceTerm::Kind;
  return service.kind == Kind::any ||
         (service.kind == Kind::literal && service.destination == model::PortRange{});
}

void publish(Lowering& lowering, const LoweredLists& lists, std::span<const Reach> reached) {
  const Chains& nat = *lowering.half()[Table::nat];
  constexpr std::size_t most_published = 100'000;
  model::Policy& policy = lowering.policy;
  const AddressSet own = lowering.from.local & AddressSet::all(lowering.family);
  for (std::uint32_t i = 0; i < nat.chains.size(); ++i) {
    if (reached[i] != Reach::from_prerouting) continue;
    const bool is_called = !hook_named(nat.chains[i].name);
    for (const model::Rule& rule : policy.lists[lists.of(Table::nat, i)].rules) {
      if (rule.action != model::Action::translate || policy.published.size() >= most_published) continue;
      const model::Translation& translation = policy.translations[rule.target];
      if (translation.address == model::Translation::Change::own) continue;
      // In a called chain such a rule is about what its callers chose (kube-proxy's endpoints).
      const bool is_for_all = rule.destination.kind == model::AddressTerm::Kind::any;
      if (is_called && is_for_all && names_no_port(rule.service)) continue;
      const auto destination = addresses_of(policy, rule.destination);
      const auto services = services_of(policy, rule.service);
      for (const model::ServiceBox& box : services->possible) {
        model::Published one;
        one.wire = destination->possible & AddressSet::all(lowering.family);
        // "To an address of this machine" is all that docker's rules say.
        if (!own.empty() && one.wire == AddressSet::all(lowering.family)) one.wire = own;
        one.translation = translation;
        one.protocol = box.protocol;
        one.wire_ports = box.destination;
        one.conditions = policy.qualifiers[rule.qualifier].conditions;
        one.span = rule.span;
        policy.published.push_back(std::move(one));
      }
    }
  }
}

// ---- a half -------------------------------------------------------------------------------------------

NodeId lower_half(Lowering& lowering) {
  model::Policy& policy = lowering.policy;
  const Half& half = lowering.half();
  if (!half.is_there()) {
    Stage stage;
    stage.name = fmt::format("the {} rules", family_word(lowering.family));
    stage.otherwise = Stage::Default::unknown;
    stage.conditions = {policy.condition(
        ConditionKind::not_in_export,
        fmt::format("the {} rules ({})", family_word(lowering.family), tool_of(lowering.family)), {})};
    stage.implicit = fmt::format("the {} rules are not in this export", family_word(lowering.family));
    policy.nodes.push_back(std::move(stage));
    return static_cast<NodeId>(policy.nodes.size() - 1);
  }
  lowering.survey = survey_of(lowering.from, half);
  bool has_any_mark = false;
  for (const Survey::Use& use : lowering.survey.bodies) {
    const Body& body = lowering.from.bodies[use.body];
    if (const auto* pass = std::get_if<Pass>(&body.target)) {
      has_any_mark |= pass->sets_any_mark;
      if (!pass->changes_set.empty()) lowering.filled_sets.insert(pass->changes_set);
    }
    for (const Match& match : body.matches)
      lowering.marks_are_asked |=
          std::holds_alternative<MarkMatch>(match) || std::holds_alternative<SetMatch>(match);
  }
  lowering.marks_are_known = half[Table::mangle].has_value() && !has_any_mark;
  AddressBook addresses(lowering);
  const LoweredLists lists = lower_lists(lowering, addresses);
  for (const Table table : all_tables)
    if (const auto& chains = half[table]) {
      const std::vector<Reach> reached = Calls(lowering, table, *chains).walk();
      for (std::uint32_t i = 0; i < reached.size(); ++i)
        policy.lists[lists.of(table, i)].is_attached = reached[i] != Reach::none;
      if (table == Table::nat) publish(lowering, lists, reached);
    }
  return lower_path(lowering, lists);
}

// Where the internet comes in: by the interface whose outgoing packets get this machine's address, else by
// the one that translations to hosts behind it name, else by the only one that rules name at all.
void infer_entrance(Lowering& lowering) {
  // Bridges of containers and ends of tunnels lead inwards.
  const auto leads_inwards = [](std::string_view name) {
    static constexpr std::string_view begins[] = {"docker", "br-", "virbr", "veth", "cni", "flannel", "cali",
                                                  "lxc",    "lxd", "tun",   "tap",  "wg",  "podman"};
    return name == "lo" ||
           std::ranges::any_of(begins, [&](std::string_view one) { return name.starts_with(one); });
  };
  struct Named {
    std::map<std::string, Span> spans;
  };
  const auto add = [&](Named& to, const Body& body, Dimension dimension, Span span) {
    for (const Match& match : body.matches)
      if (const auto* one = std::get_if<InterfaceMatch>(&match);
          one != nullptr && one->dimension == dimension && !one->name.ends_with('+') &&
          !leads_inwards(one->name) && !one->negated)
        to.spans.emplace(one->name, span);
  };
  Named masqueraded, translated, named;
  for (const Survey::Use& use : lowering.survey.bodies) {
    const Body& body = lowering.from.bodies[use.body];
    const auto* accept = std::get_if<Accept>(&body.target);
    if (accept != nullptr && accept->translates_source) add(masqueraded, body, Dimension::egress, use.span);
    if (std::holds_alternative<Translate>(body.target)) add(translated, body, Dimension::ingress, use.span);
    add(named, body, Dimension::ingress, use.span);
  }
  for (const Named* one : {&masqueraded, &translated, &named}) {
    if (one->spans.empty()) continue;
    const bool is_known = std::ranges::any_of(
        lowering.policy.interfaces,
        [&](const model::Interface& interface) { return interface.name == one->spans.begin()->first; });
    if (one->spans.size() > 1 || is_known) return;
    model::Interface interface;
    interface.name = one->spans.begin()->first;
    interface.has_default_route = true;
    interface.span = one->spans.begin()->second;
    lowering.policy.interfaces.push_back(std::move(interface));
    return;
  }
}

void say_what_is_missing(Lowering& lowering) {
  const Half& half = lowering.half();
  if (!half.is_there()) return;
  std::vector<std::string_view> missing;
  // An empty security table is rarely printed, and rarely there.
  for (const Table table : {Table::raw, Table::mangle, Table::nat, Table::filter})
    if (!half[table]) missing.push_back(to_string(table));
  if (half.is_listing || !half[Table::filter]) {
    const auto there = std::ranges::find_if(half.tables, [](const auto& table) { return table.has_value(); });
    lowering.policy.notices.push_back(
        {model::NoticeKind::part_missing, (*there)->span,
         half.is_listing ? "iptables -S prints one table of several: iptables-save prints all"
                         : "the filter table is not in this export"});
  }
  if (missing.empty()) return;
  std::string words;
  for (std::size_t i = 0; i < missing.size(); ++i)
    words += fmt::format("{}{}", i == 0 ? "" : i + 1 == missing.size() ? " or " : ", ", missing[i]);
  lowering.assumed.push_back({fmt::format("no {} table for", words), "in the export: assumed empty"});
}

}  // namespace

Device convert(std::shared_ptr<IptablesDocument> document, Account& account) {
  const IptablesDocument& from = *document;
  document->list_places.clear();
  document->set_groups.clear();
  Device device;
  model::Policy& policy = device.policy;
  policy.sources.assign(account.sources.begin(), account.sources.end());
  Branch families;
  families.dimension = Dimension::family;
  families.by = Branch::By::destination;
  device.inferred = from.inferred;
  std::map<Assumption, std::vector<std::string_view>> assumed;
  bool translates = false;
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    Lowering lowering{from, account, policy, family};
    const NodeId half = lower_half(lowering);
    infer_entrance(lowering);
    std::ranges::copy(lowering.places, std::back_inserter(document->list_places));
    document->set_groups.merge(lowering.set_groups);
    families.cases.push_back({std::string(family_word(family)), AddressSet::all(family), half});
    say_what_is_missing(lowering);
    for (const Assumption& one : lowering.assumed) assumed[one].push_back(family_word(family));
  }
  for (const auto& [one, names] : assumed)
    device.inferred.push_back(fmt::format("{} {} {}", one.begin, fmt::join(names, " and "), one.end));
  for (const model::Translation& one : policy.translations)
    translates |=
        one.address == model::Translation::Change::one_of || one.address == model::Translation::Change::shift;
  if (translates && from.local.empty())
    device.inferred.push_back(
        "addresses that the nat table leads to are taken for other machines' (--local ADDRESS says which are "
        "this one's)");
  policy.nodes.push_back(std::move(families));
  policy.root = static_cast<NodeId>(policy.nodes.size() - 1);
  device.summary = summary(from);
  device.not_examined = {"routing, forwarding and rp_filter settings", "nftables, ebtables and XDP programs",
                         "fail2ban's and other programs' later changes"};
  device.document = document;
  return device;
}

}  // namespace aclmend::iptables
