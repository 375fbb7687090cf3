// Protocols and ports → shared nodes. The same group of ports means another set under tcp than under udp, and
// another before the destination than behind it: a node for each use.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "vendors/cisco_asa/lowering.h"
#include "vendors/cisco_asa/names.h"

namespace aclmend::cisco_asa {
namespace {

using model::ConditionKind;
using model::GroupKind;
using model::PortRange;
using model::ServiceBox;
using model::ServiceMember;
using model::ServiceTerm;
using Services = model::Partly<model::ServiceSet>;
using Ports = model::Partly<PortSet>;

constexpr int deepest_nesting = 64;
constexpr std::size_t most_boxes = 1 << 12;  // of one group: boxes are walked one by one

ProtocolSet one(std::uint8_t number) { return {number, number}; }
Ports certainly(PortSet set) {
  Ports its;
  its.certain = set;
  its.possible = std::move(set);
  return its;
}

Services boxes(const ProtocolSet& protocols, const Ports& source, const Ports& destination) {
  Services its;
  if (!source.certain.empty() && !destination.certain.empty())
    its.certain.push_back({protocols, source.certain, destination.certain});
  if (!source.possible.empty() && !destination.possible.empty())
    its.possible.push_back({protocols, source.possible, destination.possible});
  its.conditions = model::united(source.conditions, destination.conditions);
  return its;
}

// Boxes that differ in one place alone are one box: a group of 2,000 ports is a single box.
void add_box(model::ServiceSet& set, const ServiceBox& box) {
  for (ServiceBox& known : set) {
    if (known.protocol == box.protocol && known.source == box.source)
      return void(known.destination |= box.destination);
    if (known.source == box.source && known.destination == box.destination)
      return void(known.protocol |= box.protocol);
    if (known.protocol == box.protocol && known.destination == box.destination)
      return void(known.source |= box.source);
  }
  set.push_back(box);
}

void add(Services& to, const Services& part) {
  for (const ServiceBox& box : part.certain) add_box(to.certain, box);
  for (const ServiceBox& box : part.possible) add_box(to.possible, box);
  to.conditions = model::united(to.conditions, part.conditions);
}

void add(Ports& to, const Ports& part) {
  to.certain |= part.certain;
  to.possible |= part.possible;
  to.conditions = model::united(to.conditions, part.conditions);
}

std::string key_of(const PortPlace& place) {
  return fmt::format("{}:{}:{}:{}", static_cast<int>(place.kind), place.first, place.last, place.name);
}

// The members that `no …` did not take out again. Texts are compared with their port names as numbers.
std::vector<const Member*> members_left(const Group& group, const Lowering& lowering) {
  std::vector<const Member*> left;
  const bool has_removals = std::ranges::any_of(group.members, &Member::is_removal);
  std::unordered_map<std::string, std::size_t> at;
  std::string scratch;
  for (const Member& member : group.members) {
    if (!has_removals) {
      left.push_back(&member);
      continue;
    }
    Words words(text_of(member.place, lowering.text(member.place.source), scratch));
    words.accept("no");
    std::string key;
    while (!words.at_end()) {
      const std::string_view word = words.next();
      const auto port = port_number(word, PortTable::both);
      key += port ? std::to_string(*port) : std::string(word);
      key += ' ';
    }
    if (!member.is_removal) {
      at[key] = left.size();
      left.push_back(&member);
    } else if (const auto found = at.find(key); found != at.end()) {
      left[found->second] = nullptr;
      at.erase(found);
    }
  }
  std::erase(left, nullptr);
  return left;
}

Services everything(model::ConditionIds conditions) {
  Services open;
  open.possible = {{ProtocolSet::all(), PortSet::all(), PortSet::all()}};
  open.conditions = std::move(conditions);
  return open;
}

bool is_literal(const PortPlace& place) {
  return place.kind == PortPlace::Kind::any || place.kind == PortPlace::Kind::range;
}

}  // namespace

model::ConditionIds ServiceBook::undefined(std::string_view what, const Statement& user) {
  const std::size_t before = lowering_.policy.conditions.size();
  const model::ConditionId id = lowering_.policy.condition(ConditionKind::undefined, what, user.span());
  if (lowering_.policy.conditions.size() > before)
    lowering_.account.say(Severity::warning, user.span(),
                          fmt::format("{} is not defined in this file", printable(what)), Effect::unknown);
  return {id};
}

std::uint32_t ServiceBook::node(std::string name, GroupKind kind, Span span, Services services,
                                std::vector<ServiceMember> members) {
  model::ServiceGroup group;
  group.name = std::move(name);
  group.kind = kind;
  group.span = span;
  group.services = std::move(services);
  group.members = std::move(members);
  lowering_.policy.service_groups.push_back(std::move(group));
  return static_cast<std::uint32_t>(lowering_.policy.service_groups.size() - 1);
}

// ---- ports --------------------------------------------------------------------------------------------

Ports ServiceBook::ports_of(const PortPlace& place, const Statement& user) {
  switch (place.kind) {
    case PortPlace::Kind::any: return certainly(PortSet::all());
    case PortPlace::Kind::range: return certainly({place.first, place.last});
    case PortPlace::Kind::neq: return certainly(~PortSet(place.first, place.first));
    case PortPlace::Kind::group: return port_group(place.name, user, 0).ports;
    case PortPlace::Kind::unknown_name: break;
  }
  Ports open;
  open.possible = PortSet::all();
  open.conditions = {lowering_.policy.condition(ConditionKind::not_understood,
                                                fmt::format("port name {}", place.name), user.span())};
  lowering_.account.set(user, LineState::partly_understood);
  lowering_.account.say(Severity::error, lowering_.span_of(place.name, user),
                        fmt::format("'{}' is no port that the device names", printable(place.name)),
                        lowering_.effect);
  return open;
}

// The numbers in a group of ports or ICMP types, worked out once.
const ServiceBook::PortGroup& ServiceBook::port_group(std::string_view name, const Statement& user,
                                                      int depth) {
  const auto everything = [&](model::ConditionIds conditions) {
    Ports open;
    open.possible = PortSet::all();
    open.conditions = std::move(conditions);
    return open;
  };
  const NameEntry* known = named(lowering_.from, name);
  const std::string key(name);
  const auto found = port_groups_.find(key);
  if (found != port_groups_.end() && found->second.is_done) return found->second;
  const bool is_circle = found != port_groups_.end();
  PortGroup& its = port_groups_[key];  // stays where it is while others are added
  const auto complain = [&](const Statement& where, Span word, std::string message) {
    lowering_.account.not_understood(where, word, std::move(message));
    add(its.ports, everything({lowering_.policy.condition(
                       ConditionKind::not_understood, fmt::format("object-group {}", name), where.span())}));
  };
  const auto done = [&]() -> const PortGroup& {
    its.is_done = true;
    return its;
  };
  if (is_circle) {
    complain(user, user.span(), fmt::format("object-group '{}' contains itself", printable(name)));
    return done();
  }
  if (known == nullptr || !known->is_group) {
    its.ports = everything(undefined(fmt::format("object-group {}", name), user));
    return done();
  }
  const Group& group = lowering_.from.groups[known->index];
  const bool is_icmp = group.type == GroupType::icmp_type;
  const bool fits = is_icmp || group.type == GroupType::tcp || group.type == GroupType::udp ||
                    group.type == GroupType::tcp_udp;
  if (!fits || depth > deepest_nesting) {
    complain(user, user.span(),
             fits ? "groups are nested too deep, or in a circle"
                  : fmt::format("object-group '{}' holds neither ports nor ICMP types", printable(name)));
    return done();
  }
  if (group.members.empty()) {
    its.ports = everything(undefined(fmt::format("members of object-group {}", name), user));
    return done();
  }
  const PortTable table = group.type == GroupType::tcp   ? PortTable::tcp
                          : group.type == GroupType::udp ? PortTable::udp
                                                         : PortTable::both;
  std::vector<Interval<std::uint16_t>> numbers;
  std::string scratch;
  for (const Member* member : members_left(group, lowering_)) {
    const Statement& where = member->place;
    Words words(text_of(where, lowering_.text(where.source), scratch));
    if (words.accept("group-object")) {
      const std::string inner(words.next());
      add(its.ports, port_group(inner, where, depth + 1).ports);
      continue;
    }
    PortResult parsed;
    if (words.accept("icmp-object")) {
      const std::string_view word = words.next();
      auto type = icmp_type(word, IcmpTable::icmp);
      if (!type) type = icmp_type(word, IcmpTable::icmp6);
      if (type) parsed.place = {PortPlace::Kind::range, *type, *type, {}};
      else parsed.place = {PortPlace::Kind::unknown_name, 0, 65535, word};
    } else if (words.accept("port-object")) {
      parsed = parse_port_place(words, table);
      if (parsed.fault.empty() && parsed.place.kind == PortPlace::Kind::any)
        parsed.fault = "expected eq or range", parsed.fault_word = words.peek();
    } else {  // the reader said so
      add(its.ports,
          everything({lowering_.policy.condition(ConditionKind::not_understood,
                                                 fmt::format("object-group {}", name), where.span())}));
      continue;
    }
    if (parsed.fault.empty() && !words.at_end())
      parsed.fault = fmt::format("'{}' is not known here", printable(words.peek())),
      parsed.fault_word = words.peek();
    if (!parsed.fault.empty()) {
      complain(where, lowering_.span_of(parsed.fault_word, where), std::move(parsed.fault));
    } else if (parsed.place.kind == PortPlace::Kind::unknown_name) {
      complain(where, lowering_.span_of(parsed.place.name, where),
               fmt::format("'{}' is no name that the device has here", printable(parsed.place.name)));
    } else if (parsed.place.kind == PortPlace::Kind::neq) {
      add(its.ports, ports_of(parsed.place, where));
    } else {
      numbers.push_back({parsed.place.first, parsed.place.last});
      its.literals.emplace_back(PortRange{parsed.place.first, parsed.place.last}, where.span());
    }
  }
  add(its.ports, certainly(PortSet::of(std::move(numbers))));
  return done();
}

// ---- services -----------------------------------------------------------------------------------------

// "tcp destination eq 80", "icmp echo 0", "tcp-udp eq domain": what a service object or service-object holds.
Services ServiceBook::literal_services(Words words, const Statement& where,
                                       std::vector<ServiceMember>* members) {
  const std::string_view word = words.next();
  std::optional<std::uint8_t> number = ip_protocol(word);
  const bool is_both = word == "tcp-udp";
  const auto complain = [&](std::string_view at, std::string message) {
    lowering_.account.not_understood(where, lowering_.span_of(at, where), std::move(message));
    Services open;
    open.possible = {
        {number && !is_both ? one(*number) : ProtocolSet::all(), PortSet::all(), PortSet::all()}};
    open.conditions = {lowering_.policy.condition(
        ConditionKind::not_understood, fmt::format("a service in line {}", where.line), where.span())};
    return open;
  };
  ProtocolSet protocols = number    ? one(*number)
                          : is_both ? one(protocol::tcp) | one(protocol::udp)
                                    : ProtocolSet::all();
  if (!number && !is_both && word != "ip")
    return complain(word, fmt::format("expected a protocol, found '{}'", printable(word)));
  Ports source = certainly(PortSet::all()), destination = certainly(PortSet::all());
  PortPlace source_place, destination_place;
  const bool is_icmp = number && (*number == protocol::icmp || *number == protocol::icmp6);
  if (is_icmp && !words.at_end()) {
    const std::string_view type_word = words.next();
    const auto type = icmp_type(type_word, *number == protocol::icmp ? IcmpTable::icmp : IcmpTable::icmp6);
    if (!type)
      return complain(type_word, fmt::format("expected an ICMP type, found '{}'", printable(type_word)));
    source_place = {PortPlace::Kind::range, *type, *type, {}};
    if (!words.at_end()) {
      const std::string_view code_word = words.next();
      const auto code = parse_decimal<std::uint8_t>(code_word);
      if (!code)
        return complain(code_word, fmt::format("expected an ICMP code, found '{}'", printable(code_word)));
      destination_place = {PortPlace::Kind::range, *code, *code, {}};
    }
  } else {
    const PortTable table = !number                    ? PortTable::both
                            : *number == protocol::tcp ? PortTable::tcp
                            : *number == protocol::udp ? PortTable::udp
                                                       : PortTable::both;
    const auto port = [&](PortPlace& place) -> std::optional<Services> {
      PortResult parsed = parse_port_place(words, table);
      if (parsed.fault.empty() && parsed.place.kind == PortPlace::Kind::any)
        parsed.fault = "expected eq, neq, lt, gt or range", parsed.fault_word = words.peek();
      if (!parsed.fault.empty()) return complain(parsed.fault_word, std::move(parsed.fault));
      place = parsed.place;
      return std::nullopt;
    };
    if (words.accept("source"))
      if (auto fault = port(source_place)) return *fault;
    const bool says_destination = words.accept("destination");
    if (says_destination || !words.at_end())  // without the word: the form of 8.0 to 8.2
      if (auto fault = port(destination_place)) return *fault;
  }
  if (!words.at_end())
    return complain(words.peek(), fmt::format("'{}' is not known here", printable(words.peek())));
  if (members != nullptr && number && is_literal(source_place) && is_literal(destination_place))
    members->push_back({ServiceTerm::of(*number, {source_place.first, source_place.last},
                                        {destination_place.first, destination_place.last}),
                        where.span()});
  return boxes(protocols, ports_of(source_place, where), ports_of(destination_place, where));
}

Services ServiceBook::member_services(Words words, const Statement& where, int depth,
                                      std::vector<ServiceMember>* members) {
  const auto nested = [&](std::string_view name) {
    return service_group(std::string(name), where, depth + 1).services;
  };
  if (words.accept("group-object")) return nested(words.next());
  if (words.accept("protocol-object")) {
    if (words.peek() == "ip")
      return boxes(ProtocolSet::all(), certainly(PortSet::all()), certainly(PortSet::all()));
    return literal_services(words, where, members);
  }
  if (words.accept("service-object")) {
    if (words.accept("object")) return nested(words.next());
    return literal_services(words, where, members);
  }
  return everything({lowering_.policy.condition(  // the reader said so
      ConditionKind::not_understood, fmt::format("a service in line {}", where.line), where.span())});
}

// What a service object, a protocol group or an untyped service group holds; a typed group where one is
// nested.
const ServiceBook::NamedServices& ServiceBook::service_group(const std::string& name, const Statement& user,
                                                             int depth) {
  const auto found = named_services_.find(name);
  const bool is_circle = found != named_services_.end();
  if (is_circle && found->second.is_done) return found->second;
  NamedServices& its = named_services_[name];  // stays where it is while others are added
  const auto done = [&](Services services) -> const NamedServices& {
    add(its.services, services);
    its.is_done = true;
    return its;
  };
  const auto not_understood = [&](std::string message) {
    lowering_.account.not_understood(user, user.span(), std::move(message));
    return everything({lowering_.policy.condition(ConditionKind::not_understood,
                                                  fmt::format("service {}", name), user.span())});
  };
  if (is_circle)
    return done(not_understood(fmt::format("object-group '{}' contains itself", printable(name))));
  const NameEntry* known = named(lowering_.from, name);
  if (known == nullptr) return done(everything(undefined(fmt::format("service {}", name), user)));
  std::string scratch;
  if (!known->is_group) {
    const Object& object = lowering_.from.objects[known->index];
    if (object.kind != ObjectKind::service || !object.value)
      return done(everything(undefined(fmt::format("object service {}", name), user)));
    Words words(text_of(*object.value, lowering_.text(object.value->source), scratch));
    words.next();  // service
    return done(literal_services(words, *object.value, &its.members));
  }
  const Group& group = lowering_.from.groups[known->index];
  if (depth > deepest_nesting) return done(not_understood("groups are nested too deep, or in a circle"));
  if (group.type == GroupType::tcp || group.type == GroupType::udp || group.type == GroupType::tcp_udp) {
    const ProtocolSet tcp = one(protocol::tcp), udp = one(protocol::udp);
    return done(boxes(group.type == GroupType::tcp   ? tcp
                      : group.type == GroupType::udp ? udp
                                                     : tcp | udp,
                      certainly(PortSet::all()), port_group(name, user, depth).ports));
  }
  if (group.type != GroupType::service && group.type != GroupType::protocol)
    return done(not_understood(fmt::format("object-group '{}' holds no services", printable(name))));
  if (group.members.empty())
    return done(everything(undefined(fmt::format("members of object-group {}", name), user)));
  Services all;
  for (const Member* member : members_left(group, lowering_)) {
    if (all.possible.size() > most_boxes)
      return done(not_understood(fmt::format("object-group '{}' holds too much", printable(name))));
    const Words words(text_of(member->place, lowering_.text(member->place.source), scratch));
    add(all, member_services(words, member->place, depth, &its.members));
  }
  return done(std::move(all));
}

std::uint32_t ServiceBook::named_node(std::string_view name, const Statement& user) {
  const std::string key = fmt::format("named {}", name);
  if (const auto found = by_key_.find(key); found != by_key_.end()) return found->second;
  const NamedServices& its = service_group(std::string(name), user, 0);
  const NameEntry* known = named(lowering_.from, name);
  GroupKind kind = GroupKind::undefined;
  Span span = user.span();
  if (known != nullptr) {
    kind = known->is_group ? GroupKind::group : GroupKind::object;
    span = known->is_group ? lowering_.from.groups[known->index].span
                           : lowering_.from.objects[known->index].span;
  }
  const std::uint32_t id = node(std::string(name), kind, span, its.services, its.members);
  by_key_[key] = id;
  return id;
}

const Services* ServiceBook::of_object(std::string_view name, const Statement& user) {
  const NameEntry* known = named(lowering_.from, name);
  if (known == nullptr || known->is_group) return nullptr;
  return &lowering_.policy.service_groups[named_node(name, user)].services;
}

ServiceTerm ServiceBook::term(const Ace& ace, const Statement& user) {
  const bool has_literal_ports = is_literal(ace.source_port) && is_literal(ace.destination_port);
  if (ace.protocol == Ace::Protocol::ip) return ServiceTerm::any();
  if (ace.protocol == Ace::Protocol::number && has_literal_ports)
    return ServiceTerm::of(ace.number, {ace.source_port.first, ace.source_port.last},
                           {ace.destination_port.first, ace.destination_port.last});
  const bool has_ports =
      ace.source_port.kind != PortPlace::Kind::any || ace.destination_port.kind != PortPlace::Kind::any;
  if (ace.protocol != Ace::Protocol::number && !has_ports)
    return ServiceTerm::group(named_node(ace.protocol_name, user));

  const std::string key =
      fmt::format("{} {} {} {} {}", static_cast<int>(ace.protocol), ace.number, ace.protocol_name,
                  key_of(ace.source_port), key_of(ace.destination_port));
  if (const auto found = by_key_.find(key); found != by_key_.end()) return ServiceTerm::group(found->second);
  ProtocolSet protocols = one(ace.number);
  model::ConditionIds conditions;
  bool is_protocol_open = false;
  if (ace.protocol != Ace::Protocol::number) {  // a group of protocols, with ports
    const Services& its = lowering_.policy.service_groups[named_node(ace.protocol_name, user)].services;
    protocols = {};
    for (const ServiceBox& box : its.possible) protocols |= box.protocol;
    conditions = its.conditions;
    is_protocol_open = its.is_open();
  }
  std::vector<ServiceMember> members;
  const bool is_one_group =
      ace.protocol == Ace::Protocol::number &&
      (ace.source_port.kind == PortPlace::Kind::group) !=
          (ace.destination_port.kind == PortPlace::Kind::group) &&
      (ace.source_port.kind == PortPlace::Kind::any || ace.destination_port.kind == PortPlace::Kind::any);
  const bool is_icmp = ace.number == protocol::icmp || ace.number == protocol::icmp6;
  const PortPlace& its_group =
      ace.source_port.kind == PortPlace::Kind::group ? ace.source_port : ace.destination_port;
  const bool is_plain = is_one_group && (is_icmp || ace.destination_port.kind == PortPlace::Kind::group);
  Ports source = ports_of(ace.source_port, user);
  Ports destination = ports_of(ace.destination_port, user);
  if (is_plain)
    for (const auto& [range, span] : port_group(its_group.name, user, 0).literals)
      members.push_back(
          {is_icmp ? ServiceTerm::of(ace.number, range) : ServiceTerm::of(ace.number, {}, range), span});
  Services services = boxes(protocols, source, destination);
  if (is_protocol_open) services.certain.clear();
  services.conditions = model::united(services.conditions, conditions);
  const NameEntry* known = is_plain ? named(lowering_.from, its_group.name) : nullptr;
  const std::uint32_t id =
      known != nullptr && known->is_group
          ? node(std::string(its_group.name), GroupKind::group, lowering_.from.groups[known->index].span,
                 std::move(services), std::move(members))
          : node("", GroupKind::anonymous, user.span(), std::move(services), {});
  by_key_[key] = id;
  return ServiceTerm::group(id);
}

}  // namespace aclmend::cisco_asa
