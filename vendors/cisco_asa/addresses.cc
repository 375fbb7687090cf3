// Objects and groups of addresses → shared nodes. A group is expanded once, however many entries name it. It
// is certain on its literal members and merely possible on the rest.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "vendors/cisco_asa/lowering.h"

namespace aclmend::cisco_asa {
namespace {

using model::AddressTerm;
using model::ConditionKind;
using model::GroupKind;
using Partly = model::Partly<AddressSet>;

constexpr int deepest_nesting = 256;             // deeper than any device is configured
constexpr std::size_t most_intervals = 8 << 20;  // of all groups together: nesting can square them
constexpr std::size_t most_ordered = 1 << 16;    // ranges that a translation may pair
constexpr int most_holes = 16;                   // zero bits above the last run of a netmask: 2^n intervals

AddressSet v4_set(V4 first, V4 last) { return {FlipSet<V4>(first, last), {}}; }
AddressSet v4_prefix(V4 network, int length) { return v4_set(network, network | ~netmask(length)); }
Partly certainly(AddressSet set) {
  Partly result;
  result.certain = set;
  result.possible = std::move(set);
  return result;
}

void append_ranges(const AddressSet& set, std::vector<std::pair<Address, Address>>& out) {
  for (const auto& [first, last] : set.v4.intervals())
    out.emplace_back(Address::v4(first), Address::v4(last));
  for (const auto& [first, last] : set.v6.intervals())
    out.emplace_back(Address::v6(first), Address::v6(last));
}

// A netmask with holes: every address whose bits under the mask are the network's. None: too many pieces.
std::optional<AddressSet> masked_set(V4 network, V4 mask, std::size_t most_pieces) {
  const V4 free_bits = ~mask;
  int low = 0;
  while (low < 32 && (free_bits >> low & 1U) != 0) ++low;
  const V4 low_bits = low == 32 ? ~V4{0} : (V4{1} << low) - 1;
  const V4 holes = free_bits & ~low_bits;
  if (std::popcount(holes) > most_holes || (std::size_t{1} << std::popcount(holes)) > most_pieces)
    return std::nullopt;
  std::vector<Interval<V4>> pieces;
  V4 part = 0;
  do {  // every subset of the holes
    pieces.push_back({network | part, network | part | low_bits});
    part = (part - holes) & holes;
  } while (part != 0);
  return AddressSet(FlipSet<V4>::of(std::move(pieces)), {});
}

}  // namespace

void say_doubts(Lowering& lowering, std::string_view odd_octet, std::string_view unpaired,
                const Statement& place) {
  if (!odd_octet.empty())
    lowering.account.say(Severity::warning, lowering.span_of(odd_octet, place),
                         "an octet with a leading zero, read as decimal", Effect::none);
  if (unpaired.empty()) return;
  lowering.account.set(place, LineState::partly_understood);
  lowering.account.say(Severity::warning, lowering.span_of(unpaired, place),
                       "address and mask do not pair: the device may have refused this", lowering.effect);
}

// What a group has gathered so far.
struct AddressBook::Expansion {
  std::vector<Interval<V4>> certain4, possible4;
  std::vector<Interval<V6>> certain6, possible6;
  model::ConditionIds conditions;

  void add(const Partly& part) {
    append(certain4, part.certain.v4);
    append(certain6, part.certain.v6);
    append(possible4, part.possible.v4);
    append(possible6, part.possible.v6);
    if (!part.conditions.empty()) conditions = model::united(conditions, part.conditions);
  }
  Partly result() && {
    Partly its;
    its.certain = {FlipSet<V4>::of(std::move(certain4)), FlipSet<V6>::of(std::move(certain6))};
    its.possible = {FlipSet<V4>::of(std::move(possible4)), FlipSet<V6>::of(std::move(possible6))};
    its.conditions = std::move(conditions);
    return its;
  }

 private:
  template <class Point>
  static void append(std::vector<Interval<Point>>& to, const FlipSet<Point>& set) {
    for (std::size_t i = 0; i < set.interval_count(); ++i) to.push_back(set.interval(i));
  }
};

AddressBook::AddressBook(Lowering& lowering) : lowering_(lowering), budget_(most_intervals) {
  const Configuration& from = lowering.from;
  std::vector<model::AddressGroup>& groups = lowering.policy.groups;
  const auto add = [&](const std::string& name, GroupKind kind, Span span) {
    groups.push_back({name, kind, span, {}, {}, {}});
    return static_cast<std::uint32_t>(groups.size() - 1);
  };
  constexpr std::uint32_t none = 0xFFFFFFFF;
  for (const Object& object : from.objects)
    object_ids_.push_back(object.is_defined && object.kind == ObjectKind::network
                              ? add(object.name, GroupKind::object, object.span)
                              : none);
  for (const Group& group : from.groups)
    group_ids_.push_back(group.is_defined && group.type == GroupType::network
                             ? add(group.name, GroupKind::group, group.span)
                             : none);
  object_progress_.resize(from.objects.size());
  group_progress_.resize(from.groups.size());
  for (std::uint32_t i = 0; i < from.objects.size(); ++i)
    if (object_ids_[i] != none) expand_object(i);
  for (std::uint32_t i = 0; i < from.groups.size(); ++i)
    if (group_ids_[i] != none) expand_group(i, 0);
  for (const auto& [name, span] : from.group_uses) {
    const NameEntry* known = named(from, name);
    if (known == nullptr) continue;
    const std::uint32_t id = known->is_group ? group_ids_[known->index] : object_ids_[known->index];
    if (id != none) groups[id].users.push_back({model::UserKind::other, span, 0});
  }
}

void AddressBook::expand_object(std::uint32_t index) {
  if (object_progress_[index] == Progress::done) return;
  object_progress_[index] = Progress::done;
  const Object& object = lowering_.from.objects[index];
  model::AddressGroup& node = lowering_.policy.groups[object_ids_[index]];
  const auto open = [&](ConditionKind kind, Span where) {
    node.addresses.possible = AddressSet::all();
    node.addresses.conditions = {lowering_.policy.condition(kind, "object " + object.name, where)};
  };
  if (!object.value) return open(ConditionKind::undefined, object.span);
  std::string scratch;
  const Statement& value = *object.value;
  const std::string_view text = text_of(value, lowering_.text(value.source), scratch);
  Words words(text);
  AddressResult parsed;
  if (words.accept("subnet")) {
    parsed = parse_network(words, lowering_.from);
  } else if (words.accept("fqdn")) {
    Family family = Family::ipv4;
    const bool has_family = words.peek() == "v4" || words.peek() == "v6";
    if (has_family && words.next() == "v6") family = Family::ipv6;
    parsed.place.kind = AddressPlace::Kind::fqdn;
    const std::string_view name = words.next();
    node.addresses.possible = has_family ? AddressSet::all(family) : AddressSet::all();
    node.addresses.conditions = {lowering_.policy.condition(ConditionKind::fqdn, name, value.span())};
    node.members.push_back({AddressTerm::group(object_ids_[index]), value.span()});
    node.members.clear();
    if (!name.empty() && words.at_end()) return;
    parsed.fault = "expected 'fqdn [v4|v6] NAME'";
    parsed.fault_word = words.peek();
  } else {
    parsed = parse_address_place(words, lowering_.from);  // host, range
  }
  if (parsed.fault.empty() && !words.at_end()) {
    parsed.fault = fmt::format("'{}' is not known here", printable(words.peek()));
    parsed.fault_word = words.peek();
  }
  if (!parsed.fault.empty()) {
    lowering_.account.not_understood(value, lowering_.span_of(parsed.fault_word, value),
                                     std::move(parsed.fault));
    return open(ConditionKind::not_understood, value.span());
  }
  say_doubts(lowering_, parsed.odd_octet, parsed.unpaired, value);
  Partly its = set_of(parsed.place, value);
  AddressTerm literal = term(parsed.place, value);
  model::AddressGroup& same = lowering_.policy.groups[object_ids_[index]];
  same.addresses = std::move(its);
  same.members.push_back({literal, value.span()});
}

AddressBook::ParsedMember AddressBook::parse_member(const Member& member, std::string& scratch) {
  constexpr std::string_view keyword = "network-object";
  const std::string_view text = text_of(member.place, lowering_.text(member.place.source), scratch);
  ParsedMember result;
  result.where = member.place;
  if (text.starts_with(keyword))
    if (const auto plain = plain_address(text.substr(keyword.size()), lowering_.from)) {
      result.place = *plain;
      return result;
    }
  Words words(text);
  words.accept("no");
  AddressResult parsed;
  if (words.accept("group-object")) {
    parsed.place.kind = AddressPlace::Kind::group;
    parsed.place.name = words.next();
    if (parsed.place.name.empty()) parsed.fault = "expected a group's name";
  } else if (words.accept("network-object")) {
    parsed = parse_address_place(words, lowering_.from);
  } else {
    result.is_understood = false;  // the reader said so
    return result;
  }
  if (parsed.fault.empty() && !words.at_end()) {
    parsed.fault = fmt::format("'{}' is not known here", printable(words.peek()));
    parsed.fault_word = words.peek();
  }
  if (!parsed.fault.empty()) {
    if (parsed.fault_word.empty()) parsed.fault_word = text;
    lowering_.account.not_understood(member.place, lowering_.span_of(parsed.fault_word, member.place),
                                     std::move(parsed.fault));
    result.is_understood = false;
  }
  say_doubts(lowering_, parsed.odd_octet, parsed.unpaired, member.place);
  result.place = parsed.place;
  return result;
}

// The members that are left after `no …` took some away; texts are compared by meaning.
std::vector<AddressBook::ParsedMember> AddressBook::members_of(const Group& group) {
  const auto key = [](const AddressPlace& place) {
    return fmt::format("{} {} {} {} {}", static_cast<int>(place.kind), place.length, place.first, place.last,
                       place.name);
  };
  std::vector<ParsedMember> members;
  const bool has_removals = std::ranges::any_of(group.members, &Member::is_removal);
  std::unordered_map<std::string, std::size_t> at;
  std::vector<bool> is_gone;
  std::string scratch;
  members.reserve(group.members.size());
  for (const Member& member : group.members) {
    ParsedMember parsed = parse_member(member, scratch);
    const bool lives_in_scratch = member.place.is_glued;
    if (lives_in_scratch && !parsed.place.name.empty()) {  // the name must outlive the next line
      const NameEntry* known = named(lowering_.from, parsed.place.name);
      if (known != nullptr)
        parsed.place.name = known->is_group ? std::string_view(lowering_.from.groups[known->index].name)
                                            : std::string_view(lowering_.from.objects[known->index].name);
      else if (const auto prefix = parse_prefix(parsed.place.name); !prefix) parsed.is_understood = false;
      else parsed.is_understood = false;
    }
    if (!has_removals) {
      members.push_back(parsed);
      continue;
    }
    const std::string its = key(parsed.place);
    const auto found = at.find(its);
    if (member.is_removal) {
      if (found == at.end() || is_gone[found->second]) {
        if (parsed.is_understood)
          lowering_.account.say(Severity::warning, member.place.span(), "there is no such member to remove",
                                Effect::none);
        continue;
      }
      is_gone[found->second] = true;
      continue;
    }
    at[its] = members.size();
    members.push_back(parsed);
    is_gone.push_back(false);
  }
  if (has_removals) {
    std::vector<ParsedMember> left;
    for (std::size_t i = 0; i < members.size(); ++i)
      if (!is_gone[i]) left.push_back(members[i]);
    return left;
  }
  return members;
}

void AddressBook::expand_group(std::uint32_t index, int depth) {
  if (group_progress_[index] == Progress::done) return;
  const Group& group = lowering_.from.groups[index];
  const std::uint32_t id = group_ids_[index];
  const auto everything = [&](ConditionKind kind, std::string_view name, Span where) {
    Partly open;
    open.possible = AddressSet::all();
    open.conditions = {lowering_.policy.condition(kind, name, where)};
    return open;
  };
  if (depth > deepest_nesting) {
    group_progress_[index] = Progress::done;
    lowering_.account.say(Severity::error, group.span,
                          fmt::format("groups are nested more than {} deep", deepest_nesting),
                          Effect::unknown);
    lowering_.policy.groups[id].addresses =
        everything(ConditionKind::too_complex, "object-group " + group.name, group.span);
    return;
  }
  group_progress_[index] = Progress::open;
  const std::vector<ParsedMember> members = members_of(group);
  Expansion gathered;
  std::vector<model::AddressMember> terms;
  terms.reserve(members.size());
  std::size_t cost = 0;
  for (const ParsedMember& member : members) {
    const Span span = member.where.span();
    if (!member.is_understood) {
      gathered.add(everything(ConditionKind::not_understood,
                              fmt::format("a member of object-group {}", group.name), span));
      terms.push_back({AddressTerm::any(), span});
      terms.back().term = undefined(
          fmt::format("member of object-group {} that is not understood", group.name), member.where);
      continue;
    }
    if (member.place.kind == AddressPlace::Kind::v4) {  // nearly all of them
      const V4 last = member.place.first | ~netmask(member.place.length);
      gathered.certain4.push_back({member.place.first, last});
      gathered.possible4.push_back({member.place.first, last});
      terms.push_back({AddressTerm::v4(member.place.first, member.place.length), span});
      ++cost;
      continue;
    }
    if (member.place.kind == AddressPlace::Kind::group) {
      const NameEntry* inner = named(lowering_.from, member.place.name);
      if (inner != nullptr && inner->is_group && group_ids_[inner->index] != 0xFFFFFFFF) {
        if (group_progress_[inner->index] == Progress::open) {
          lowering_.account.not_understood(
              member.where, span, fmt::format("object-group '{}' contains itself", printable(group.name)));
          gathered.add(everything(ConditionKind::not_understood, "object-group " + group.name, span));
          terms.push_back({AddressTerm::group(group_ids_[inner->index]), span});
          continue;
        }
        expand_group(inner->index, depth + 1);
      }
    }
    const AddressTerm its = term(member.place, member.where);
    if (its.kind == AddressTerm::Kind::group) {
      model::AddressGroup& node = lowering_.policy.groups[its.value];
      node.users.push_back({model::UserKind::group, span, id});
      cost += node.addresses.possible.v4.interval_count() + node.addresses.possible.v6.interval_count() +
              node.addresses.conditions.size();
      if (cost > budget_) break;
      gathered.add(node.addresses);
    } else {
      gathered.add(set_of(member.place, member.where));
    }
    terms.push_back({its, span});
  }
  group_progress_[index] = Progress::done;
  model::AddressGroup& node = lowering_.policy.groups[id];
  node.members = std::move(terms);
  if (cost > budget_) {
    if (!std::exchange(is_budget_spent_, true))
      lowering_.account.say(Severity::error, group.span,
                            "the groups are nested so that they hold too many members", Effect::unknown);
    node.addresses = everything(ConditionKind::too_complex, "object-group " + group.name, group.span);
    return;
  }
  budget_ -= cost;
  if (members.empty()) {  // a device has no empty group in use: its member lines are not in this file
    node.addresses = everything(ConditionKind::undefined,
                                fmt::format("members of object-group {}", group.name), group.span);
    return;
  }
  node.addresses = std::move(gathered).result();
}

// ---- places -------------------------------------------------------------------------------------------

AddressTerm AddressBook::anonymous(const std::string& key, Partly addresses, Span span) {
  const auto [found, is_new] =
      others_.try_emplace(key, static_cast<std::uint32_t>(lowering_.policy.groups.size()));
  if (is_new)
    lowering_.policy.groups.push_back({"", GroupKind::anonymous, span, {}, std::move(addresses), {}});
  return AddressTerm::group(found->second);
}

AddressTerm AddressBook::undefined(std::string_view what, const Statement& user) {
  constexpr std::size_t most = 1 << 17;  // names that are not defined: no device has so many
  if (others_.size() > most) {
    Partly open;
    open.possible = AddressSet::all();
    open.conditions = {model::complexity_condition};
    return anonymous("all that is not defined", std::move(open), user.span());
  }
  const auto [found, is_new] = others_.try_emplace(
      fmt::format("undefined {}", what), static_cast<std::uint32_t>(lowering_.policy.groups.size()));
  if (is_new) {
    Partly open;
    open.possible = AddressSet::all();
    open.conditions = {lowering_.policy.condition(ConditionKind::undefined, what, user.span())};
    lowering_.policy.groups.push_back(
        {std::string(what), GroupKind::undefined, user.span(), {}, std::move(open), {}});
    lowering_.account.say(Severity::warning, user.span(),
                          fmt::format("{} is not defined in this file", printable(what)), Effect::unknown);
  }
  return AddressTerm::group(found->second);
}

AddressTerm AddressBook::term(const AddressPlace& place, const Statement& user) {
  using enum AddressPlace::Kind;
  switch (place.kind) {
    case any: return lowering_.any_is_v4 ? AddressTerm::any4() : AddressTerm::any();
    case any4: return AddressTerm::any4();
    case any6: return AddressTerm::any6();
    case v4: return place.length == 0 ? AddressTerm::any4() : AddressTerm::v4(place.first, place.length);
    case object:
    case group: {
      const NameEntry* known = named(lowering_.from, place.name);
      const std::vector<std::uint32_t>& ids = place.kind == group ? group_ids_ : object_ids_;
      const bool fits = known != nullptr && known->is_group == (place.kind == group);
      if (fits && ids[known->index] != 0xFFFFFFFF) {
        if (place.kind == object) expand_object(known->index);
        return AddressTerm::group(ids[known->index]);
      }
      return undefined(fmt::format("{} {}", place.kind == group ? "object-group" : "object", place.name),
                       user);
    }
    case unknown_alias: return undefined(fmt::format("name {}", place.name), user);
    case unpaired:
    case masked:
    case range:
    case v6:
    case range6:
    case interface:
    case fqdn:
    case network_service: break;
  }
  const std::string key = fmt::format("{} {} {} {} {} {}", static_cast<int>(place.kind), place.length,
                                      place.first, place.last, place.name, place.name2);
  if (const auto found = others_.find(key); found != others_.end()) return AddressTerm::group(found->second);
  return anonymous(key, set_of(place, user), user.span());
}

Partly AddressBook::set_of(const AddressPlace& place, const Statement& user) {
  using enum AddressPlace::Kind;
  const auto possibly = [&](AddressSet set, ConditionKind kind, std::string_view name) {
    Partly open;
    open.possible = std::move(set);
    open.conditions = {lowering_.policy.condition(kind, name, user.span())};
    return open;
  };
  const auto address_named = [&](std::string_view word) -> std::optional<Prefix> {
    if (const auto prefix = parse_prefix(word)) return prefix;
    const auto alias = lowering_.from.aliases.find(word);
    if (alias == lowering_.from.aliases.end()) return std::nullopt;
    return host_prefix(alias->second.address);
  };
  switch (place.kind) {
    case any: return certainly(lowering_.any_is_v4 ? AddressSet::all(Family::ipv4) : AddressSet::all());
    case any4: return certainly(AddressSet::all(Family::ipv4));
    case any6: return certainly(AddressSet::all(Family::ipv6));
    case v4: return certainly(v4_prefix(place.first, place.length));
    case unpaired:
      return possibly(
          v4_prefix(place.first, place.length), ConditionKind::not_understood,
          fmt::format("{} with host bits set", to_string(prefix_of(Address::v4(place.first), place.length))));
    case range: return certainly(v4_set(place.first, place.last));
    case masked:
      if (auto set = masked_set(place.first, place.last, budget_)) {
        budget_ -= set->v4.interval_count();
        return certainly(std::move(*set));
      }
      lowering_.account.say(Severity::error, user.span(),
                            "a netmask with more holes than this reader works out", lowering_.effect);
      return possibly(AddressSet::all(Family::ipv4), ConditionKind::too_complex, "netmask with holes");
    case v6:
      if (const auto prefix = address_named(place.name)) return certainly(AddressSet(*prefix));
      return possibly(AddressSet::all(), ConditionKind::undefined, fmt::format("name {}", place.name));
    case range6: {
      const auto first = address_named(place.name), last = address_named(place.name2);
      if (first && last && first->first() <= last->last())
        return certainly(AddressSet(first->first(), last->last()));
      return possibly(AddressSet::all(Family::ipv6), ConditionKind::not_understood,
                      fmt::format("range {}", place.name));
    }
    case fqdn: return possibly(AddressSet::all(), ConditionKind::fqdn, place.name);
    case network_service:
      return possibly(AddressSet::all(), ConditionKind::external_list,
                      fmt::format("network-service {}", place.name));
    case interface: return interface_addresses(place.name, user);
    case object:
    case group:
    case unknown_alias: return lowering_.policy.groups[term(place, user).value].addresses;
  }
  return {};
}

Partly AddressBook::interface_addresses(std::string_view name, const Statement& user) {
  const auto port = std::ranges::find(lowering_.from.ports, name, &Port::name);
  Partly its;
  const auto open = [&](AddressSet set, ConditionKind kind) {
    its.possible |= set;
    its.conditions = model::united(
        its.conditions, {lowering_.policy.condition(kind, fmt::format("interface {}", name), user.span())});
  };
  if (port == lowering_.from.ports.end()) {
    open(AddressSet::all(), ConditionKind::undefined);
    return its;
  }
  if (const model::Interface* known = lowering_.policy.interface_named(name))
    for (const Address address : known->addresses) its.certain |= AddressSet(address);
  its.possible = its.certain;
  if (port->has_dynamic_v4) open(AddressSet::all(Family::ipv4), ConditionKind::dynamic_address);
  if (port->has_dynamic_v6) open(AddressSet::all(Family::ipv6), ConditionKind::dynamic_address);
  if (its.possible.empty()) open(AddressSet::all(), ConditionKind::undefined);
  return its;
}

// ---- element by element -------------------------------------------------------------------------------

bool AddressBook::order_into(const AddressPlace& place, std::vector<std::pair<Address, Address>>& out,
                             int depth) {
  using enum AddressPlace::Kind;
  if (depth > deepest_nesting || out.size() > most_ordered) return false;
  if (place.kind == group) {
    const NameEntry* known = named(lowering_.from, place.name);
    if (known == nullptr || !known->is_group || group_ids_[known->index] == 0xFFFFFFFF) return false;
    if (lowering_.policy.groups[group_ids_[known->index]].addresses.is_open()) return false;
    for (const model::AddressMember& member : lowering_.policy.groups[group_ids_[known->index]].members) {
      if (out.size() > most_ordered) return false;
      if (member.term.kind == AddressTerm::Kind::group &&
          lowering_.policy.groups[member.term.value].kind == GroupKind::group) {
        AddressPlace inner;
        inner.kind = group;
        inner.name = lowering_.policy.groups[member.term.value].name;
        if (!order_into(inner, out, depth + 1)) return false;
        continue;
      }
      const auto set = model::addresses_of(lowering_.policy, member.term);
      append_ranges(set->certain, out);
    }
    return true;
  }
  const Partly set = set_of(place, {});
  if (set.is_open()) return false;
  if (set.certain.v4.interval_count() > most_ordered) return false;
  append_ranges(set.certain, out);
  return true;
}

std::optional<std::vector<std::pair<Address, Address>>> AddressBook::in_order(const AddressPlace& place) {
  std::vector<std::pair<Address, Address>> out;
  if (!order_into(place, out, 0)) return std::nullopt;
  return out;
}

}  // namespace aclmend::cisco_asa
