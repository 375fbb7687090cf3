#include "audit/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "base/text.h"
#include "model/match.h"

namespace aclmend::audit {
namespace {

using model::Policy;
using model::Published;

bool enters_by(const Published& published, std::string_view ingress) {
  return published.ingress.empty() || ingress.empty() || published.ingress == ingress;
}

bool serves(const Published& published, const inventory::Flow& flow) {
  return published.protocol.contains(flow.protocol) && published.wire_ports.contains(flow.port);
}

// The wire address as the translation turns it; none where it may become several.
std::optional<Address> real_of(const Published& published, Address wire) {
  const auto views = model::translated_views({}, published.translation);
  if (!views || views->size() != 1 || !model::can_take(published.translation, wire.family))
    return std::nullopt;
  return views->front().destination_of(wire);
}

// The wire addresses that the translation turns into this real one.
AddressSet wires_of(const Published& published, Address real) {
  const auto views = model::translated_views({}, published.translation);
  if (!views) return {};
  AddressSet wires;
  for (const model::View& view : *views) wires |= view.wire_destinations(AddressSet(real)) & published.wire;
  return wires;
}

constexpr std::size_t most_choices = 8;  // addresses or names an error lists

std::optional<std::vector<Address>> few_members(const AddressSet& set, std::size_t limit) {
  std::vector<Address> members;
  const auto append = [&](Family family, const auto& flips) {
    for (const auto& [first, last] : flips.intervals()) {
      if (last - first >= limit) return false;
      for (auto number = first;; ++number) {
        if (members.size() == limit) return false;
        members.push_back({family, number});
        if (number == last) break;
      }
    }
    return true;
  };
  if (!append(Family::ipv4, set.v4) || !append(Family::ipv6, set.v6)) return std::nullopt;
  return members;
}

// A rule that is about this port and not about everything: what "published on TCP 25" means.
class PortNamers {
 public:
  PortNamers(const Policy& policy, const inventory::Flow& flow) : policy_(policy), flow_(flow) {}

  bool names_the_port(const model::ServiceTerm& term) {
    switch (term.kind) {
      case model::ServiceTerm::Kind::any: return false;
      case model::ServiceTerm::Kind::literal:
        return term.protocol == flow_.protocol && term.destination.first <= flow_.port &&
               flow_.port <= term.destination.last && term.destination.last - term.destination.first < narrow;
      case model::ServiceTerm::Kind::group: break;
    }
    const auto [known, is_new] = groups_.try_emplace(term.group_id, false);
    if (is_new)
      known->second = std::ranges::any_of(services_of(policy_, term)->possible,
                                          [&](const auto& box) { return is_about(box); });
    return known->second;
  }

 private:
  static constexpr int narrow = 64;
  bool is_about(const model::ServiceBox& box) const {
    int ports = 0;
    for (const auto& [first, last] : box.destination.intervals()) ports += last - first + 1;
    return box.protocol.contains(flow_.protocol) && box.destination.contains(flow_.port) && ports <= narrow;
  }

  const Policy& policy_;
  const inventory::Flow& flow_;
  std::map<model::GroupId, bool> groups_;
};

// Lists that packets entering here walk, or every list in use where the way in is not known by name.
std::vector<model::ListId> lists_in(const Policy& policy, std::string_view ingress) {
  std::vector<model::ListId> lists;
  const model::Interface* interface = policy.interface_named(ingress);
  for (model::ListId id = 0; id < policy.lists.size(); ++id) {
    if (!policy.lists[id].is_attached) continue;
    const bool is_of_another = interface != nullptr && policy.lists[id].name != interface->list_in &&
                               std::ranges::any_of(policy.interfaces, [&](const model::Interface& other) {
                                 return other.list_in == policy.lists[id].name;
                               });
    if (!is_of_another) lists.push_back(id);
  }
  return lists;
}

struct Candidates {
  std::vector<Host> hosts;
  void add(const Host& host) {
    if (hosts.size() > most_choices) return;
    if (std::ranges::none_of(hosts, [&](const Host& other) { return other.wire == host.wire; }))
      hosts.push_back(host);
  }
};

// How a host that rules name is addressed on the wire: itself, or whatever is translated to it.
void add_named(const Policy& policy, const inventory::Flow& flow, std::string_view ingress, Address named,
               Candidates& found) {
  bool is_real = false;
  for (const Published& published : policy.published) {
    if (!enters_by(published, ingress) || !serves(published, flow)) continue;
    if (const auto real = published.wire.contains(named) ? real_of(published, named) : std::nullopt) {
      found.add({named, real, published.span});
      is_real = true;
    }
    for (const Prefix& wire : wires_of(published, named).prefixes()) {
      if (wire.length != address_bits(wire.address.family)) continue;
      found.add({wire.address, named, published.span});
      is_real = true;
    }
  }
  if (!is_real) found.add({named, std::nullopt, std::nullopt});
}

void add_published_on_port(const Policy& policy, const inventory::Flow& flow, std::string_view ingress,
                           Candidates& found) {
  for (const Published& published : policy.published) {
    const bool names_port =
        !published.wire_ports.is_all() && serves(published, flow) && !published.protocol.is_all();
    if (!names_port || !enters_by(published, ingress)) continue;
    const auto wires = few_members(published.wire, most_choices);
    if (!wires) continue;
    for (const Address wire : *wires) found.add({wire, real_of(published, wire), published.span});
  }
}

void add_permitted_on_port(const Policy& policy, const inventory::Flow& flow, std::string_view ingress,
                           Candidates& found) {
  PortNamers namers(policy, flow);
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;  // destination terms that were looked at
  for (const model::ListId id : lists_in(policy, ingress))
    for (const model::Rule& rule : policy.lists[id].rules) {
      if (rule.action != model::Action::accept && rule.action != model::Action::permit) continue;
      if (rule.destination.kind != model::AddressTerm::Kind::v4 &&
          rule.destination.kind != model::AddressTerm::Kind::group)
        continue;
      if (rule.destination.kind == model::AddressTerm::Kind::v4 && rule.destination.length != 32) continue;
      if (found.hosts.size() > most_choices || !namers.names_the_port(rule.service)) continue;
      if (!seen.insert({static_cast<std::uint32_t>(rule.destination.kind), rule.destination.value}).second)
        continue;
      const auto named = few_members(model::addresses_of(policy, rule.destination)->certain, most_choices);
      if (!named) continue;
      for (const Address address : *named) add_named(policy, flow, ingress, address, found);
    }
}

std::string described(const Host& host) {
  if (!host.real) return to_string(host.wire);
  return fmt::format("{} = {} behind static NAT", to_string(host.wire), to_string(*host.real));
}

Result<Hosts> given_hosts(const Policy& policy, const inventory::Flow& flow,
                          const std::vector<Address>& given, std::string_view ingress) {
  Hosts result;
  for (const Address address : given) {
    Candidates found;
    for (const Published& published : policy.published)
      if (published.wire.contains(address) && enters_by(published, ingress) && serves(published, flow)) {
        found.add({address, real_of(published, address), published.span});
        break;  // the first translation decides
      }
    if (found.hosts.empty()) add_named(policy, flow, ingress, address, found);
    for (const Host& host : found.hosts) {
      if (host.wire != address)
        result.inferred.push_back(
            {fmt::format("{} is reached at {}", to_string(address), described(host)),
             host.translated_by ? std::optional(line_at(policy, *host.translated_by)) : std::nullopt,
             "--to"});
      if (std::ranges::none_of(result.hosts, [&](const Host& other) { return other.wire == host.wire; }))
        result.hosts.push_back(host);
    }
  }
  return result;
}

}  // namespace

bool is_published(const Policy& policy, Address real) {
  return std::ranges::any_of(policy.published,
                             [&](const Published& published) { return !wires_of(published, real).empty(); });
}

Line line_at(const Policy& policy, Span span, std::string rule, std::string role) {
  const Source& source = *policy.sources[span.source];
  return {std::move(rule), source.name(), source.position(span.begin).line,
          printable(trimmed(source.line_at(span.begin)).substr(0, 400)), std::move(role)};
}

Line line_of_rule(const Policy& policy, model::RuleRef rule, std::string role) {
  return line_at(policy, policy.rule(rule).span, rule_name(policy, rule), std::move(role));
}

Result<Hosts> mail_hosts(const Policy& policy, const inventory::Flow& flow, const std::vector<Address>& given,
                         std::string_view ingress) {
  if (!given.empty()) return given_hosts(policy, flow, given, ingress);
  Candidates found;
  add_published_on_port(policy, flow, ingress, found);
  add_permitted_on_port(policy, flow, ingress, found);
  const std::string service = fmt::format("{}/{}", protocol_name(flow.protocol), flow.port);
  if (found.hosts.empty())
    return fail(fmt::format(
        "which host takes the mail is not said: nothing here publishes {}; say it with --to ADDRESS",
        service));
  // A host of each family is one host with two addresses; more of one family is a choice that is not ours.
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    std::vector<std::string> choices;
    for (const Host& host : found.hosts)
      if (host.wire.family == family) choices.push_back(described(host));
    if (choices.size() < 2) continue;
    const bool has_more = choices.size() > most_choices;
    choices.resize(std::min(choices.size(), most_choices));
    return fail(fmt::format(
        "which host takes the mail is not clear: {} is published for {}{}; say which with --to ADDRESS",
        service, fmt::join(choices, ", "), has_more ? " and more" : ""));
  }
  Hosts result{std::move(found.hosts), {}};
  for (const Host& host : result.hosts)
    result.inferred.push_back(
        {"mail host " + described(host),
         host.translated_by ? std::optional(line_at(policy, *host.translated_by)) : std::nullopt, "--to"});
  return result;
}

Result<Entrance> entrance(const Policy& policy) {
  std::vector<const model::Interface*> candidates;
  for (const model::Interface& interface : policy.interfaces)
    if (interface.enabled && interface.has_default_route) candidates.push_back(&interface);
  if (candidates.empty()) {
    int least = std::numeric_limits<int>::max();
    for (const model::Interface& interface : policy.interfaces) {
      if (!interface.enabled || !interface.trust) continue;
      if (*interface.trust < least) candidates.clear(), least = *interface.trust;
      if (*interface.trust == least) candidates.push_back(&interface);
    }
  }
  if (candidates.empty()) return Entrance{};
  if (candidates.size() > 1) {
    std::vector<std::string> names;
    for (const model::Interface* interface : candidates) names.push_back(printable(interface->name));
    return fail(
        fmt::format("where the internet comes in is not clear: it may be {}; say which with --ingress NAME",
                    fmt::join(names, " or ")));
  }
  const model::Interface& interface = *candidates.front();
  std::string what = fmt::format("enters at \"{}\"", interface.name);
  if (interface.trust) what += fmt::format(", security level {}", *interface.trust);
  if (!interface.list_in.empty()) what += fmt::format(", list {}", interface.list_in);
  const Span shown_by = interface.list_in.empty() ? interface.span : interface.list_span;
  return Entrance{interface.name, Inference{std::move(what), line_at(policy, shown_by), "--ingress"}};
}

Result<Entrance> entrance_of(const Policy& policy, Address inside) {
  std::vector<const model::Interface*> candidates;
  for (const model::Interface& interface : policy.interfaces)
    if (interface.enabled && interface.connected.contains(inside)) candidates.push_back(&interface);
  if (candidates.size() == 1)
    return Entrance{candidates.front()->name,
                    Inference{fmt::format("{} enters at \"{}\"", to_string(inside), candidates.front()->name),
                              line_at(policy, candidates.front()->span), "--ingress"}};
  if (policy.interfaces.empty()) return Entrance{};
  return fail(fmt::format("at which interface {} enters is not clear; say it with --ingress NAME",
                          to_string(inside)));
}

bool knows(const Policy& policy, Address host) {
  for (const Published& published : policy.published)
    if (published.wire.contains(host) || !wires_of(published, host).empty()) return true;
  for (const model::Interface& interface : policy.interfaces) {
    if (!interface.enabled) continue;
    // Connected means its own network, not what a default route sends there.
    if (!interface.has_default_route && interface.connected.contains(host)) return true;
  }
  for (const model::RuleList& list : policy.lists) {
    if (!list.is_attached) continue;
    for (const model::Rule& rule : list.rules) {
      const bool is_named = rule.destination.kind == model::AddressTerm::Kind::v4 ||
                            rule.destination.kind == model::AddressTerm::Kind::group;
      if (is_named && rule.enabled && address_fit(policy, rule.destination, host).fit != model::Fit::no &&
          !addresses_of(policy, rule.destination)->possible.is_all())
        return true;
    }
  }
  return false;
}

}  // namespace aclmend::audit
