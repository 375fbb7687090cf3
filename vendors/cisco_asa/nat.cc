// Translations → what untranslates a packet that enters ("NAT" in the Firewall CLI guide). Only static rules
// take a new connection from outside to a real address, and `destination static` from the other side. The
// order, first match over all: twice NAT as it stands in the file, object NAT as the device sorts it, then
// after-auto.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "vendors/cisco_asa/lowering.h"
#include "vendors/cisco_asa/names.h"
#include "vendors/cisco_asa/order.h"

namespace aclmend::cisco_asa {
namespace {

using model::ConditionIds;
using model::ConditionKind;
using model::Translation;
using Partly = model::Partly<AddressSet>;
using Ranges = std::vector<std::pair<Address, Address>>;

constexpr std::size_t most_rules = 2 << 20;  // of all interfaces together
constexpr std::size_t most_policy_entries = 256;

// One direction of a rule: packets that enter `ingress` for `mapped` go to `real`.
struct Direction {
  std::string ingress;  // empty: any
  std::string egress;   // where the real addresses are; empty: any
  AddressPlace source;
  AddressPlace mapped;
  AddressPlace real;
  bool is_identity = false;
  std::optional<model::ServiceBox> service;  // as the packet comes in
  std::optional<std::uint16_t> real_port;    // first port of the real side
  ConditionIds conditions;
};

struct Named {  // a rule as the device counts it
  std::string name;
  Statement place;
};

struct Interfaces {
  std::string real, mapped;
};

std::string_view without_parentheses(std::string_view word) {
  if (word.starts_with('(')) word.remove_prefix(1);
  if (word.ends_with(')')) word.remove_suffix(1);
  return word;
}

// "(inside,outside)", also "(inside, outside)"; any is every interface.
std::optional<Interfaces> parse_interfaces(Words& words) {
  std::string pair(words.next());
  while (!pair.ends_with(')') && !words.at_end()) pair += words.next();
  const std::string_view inner = without_parentheses(pair);
  const std::size_t comma = inner.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  Interfaces its{std::string(inner.substr(0, comma)), std::string(inner.substr(comma + 1))};
  if (its.real == "any") its.real.clear();
  if (its.mapped == "any") its.mapped.clear();
  return its;
}

V6 count_of(const Ranges& ranges) {
  V6 count = 0;
  for (const auto& [first, last] : ranges) count += last.number - first.number + 1;
  return count;
}

class Translations {
 public:
  Translations(Lowering& lowering, AddressBook& addresses, ServiceBook& services)
      : lowering_(lowering), addresses_(addresses), services_(services) {}
  LoweredNat lower();

 private:
  struct Untranslation {
    std::string ingress;
    model::Rule rule;
  };
  // What a line says, before it is ordered.
  struct Parsed {
    std::vector<Direction> directions;
    Named named;
    bool is_after_auto = false;
    std::optional<std::uint32_t> position;      // `nat (a,b) 3 source …`
    std::tuple<V6, Address, std::string> rank;  // of object NAT
    bool is_static = true;
    bool is_inactive = false;
    std::string fault;
    Span fault_span;
    Interfaces interfaces;
  };

  Parsed parse_object(const Object& object);
  Parsed parse_twice(const NatRule& rule);
  Parsed parse_static(const NatRule& rule);
  void parse_policy_static(Parsed& out, Direction direction, std::string_view list_name,
                           const Statement& place);
  Words words_of(const Statement& place) {
    return Words(text_of(place, lowering_.text(place.source), scratch_));
  }
  AddressPlace operand(std::string_view word, std::string_view interface) const;
  static AddressPlace as_wide_as(const std::pair<Address, Address>& real, AddressPlace mapped);
  std::optional<std::uint16_t> port(std::string_view word, std::uint8_t protocol) const;
  void fault(Parsed& out, const Statement& place, std::string_view word, std::string message);
  void emit(const Parsed& parsed);
  void emit(const Parsed& parsed, const Direction& direction);
  void emit_fault(const Parsed& parsed);
  void emit_one(const Parsed& parsed, const Direction& direction, model::AddressTerm destination,
                const AddressSet& wire, Translation translation, ConditionIds conditions);
  model::AddressTerm range_term(Address first, Address last, const Statement& place);
  std::uint32_t qualifier(ConditionIds conditions);
  std::string keep(std::string_view word) const { return std::string(word); }

  Lowering& lowering_;
  AddressBook& addresses_;
  ServiceBook& services_;
  std::string scratch_;
  std::vector<Untranslation> out_;
  std::vector<std::pair<std::string, AddressSet>> behind_;
};

// ---- words --------------------------------------------------------------------------------------------

// The name of an object or a group, an address, `interface`, or `any`. Names come out of the configuration,
// so that they outlive the line.
AddressPlace Translations::operand(std::string_view word, std::string_view interface) const {
  AddressPlace place;
  if (word == "any") return place;
  if (word == "any4" || word == "any6") {
    place.kind = word == "any4" ? AddressPlace::Kind::any4 : AddressPlace::Kind::any6;
    return place;
  }
  if (word == "interface") {
    const auto port = std::ranges::find(lowering_.from.ports, interface, &Port::name);
    place.kind = AddressPlace::Kind::interface;
    if (port != lowering_.from.ports.end()) place.name = port->name;
    return place;
  }
  if (const auto entry = lowering_.from.names.find(word); entry != lowering_.from.names.end()) {
    place.kind = entry->second.is_group ? AddressPlace::Kind::group : AddressPlace::Kind::object;
    place.name = entry->first;
    return place;
  }
  const auto alias = lowering_.from.aliases.find(word);
  std::optional<Address> address = parse_address(word);
  if (const auto v4 = parse_v4_word(word)) address = Address::v4(v4->number);
  if (alias != lowering_.from.aliases.end()) address = alias->second.address;
  if (address && address->is_v4()) {
    place.kind = AddressPlace::Kind::v4;
    place.length = 32;
    place.first = place.last = address->as_v4();
    return place;
  }
  place.kind =
      address ? AddressPlace::Kind::v6 : AddressPlace::Kind::object;  // undefined: an object that is not here
  place.name = word;
  return place;
}

// "The netmask or range for the mapped network is the same as that of the real network" (NAT chapter): a
// mapped address that is written out stands for as many addresses as the object holds.
AddressPlace Translations::as_wide_as(const std::pair<Address, Address>& real, AddressPlace mapped) {
  const auto& [first, last] = real;
  if (!first.is_v4() || first == last) return mapped;
  const V4 more = last.as_v4() - first.as_v4();
  const auto prefixes = minimal_prefixes(first, last);
  if (prefixes.size() == 1) mapped.first &= netmask(prefixes.front().length);
  if (mapped.first > ~more) return mapped;
  mapped.kind = AddressPlace::Kind::range;
  mapped.last = mapped.first + more;
  return mapped;
}

std::optional<std::uint16_t> Translations::port(std::string_view word, std::uint8_t protocol) const {
  return port_number(word, protocol == protocol::tcp   ? PortTable::tcp
                           : protocol == protocol::udp ? PortTable::udp
                                                       : PortTable::both);
}

void Translations::fault(Parsed& out, const Statement& place, std::string_view word, std::string message) {
  if (!out.fault.empty()) return;
  out.fault_span = lowering_.span_of(word, place);
  out.fault = std::move(message);
}

// nat (real,mapped) static {A|OBJ|interface} [net-to-net] [dns] [service PROTO REALPORT MAPPEDPORT] …
Translations::Parsed Translations::parse_object(const Object& object) {
  Parsed out;
  const Statement& place = *object.nat;
  out.named = {fmt::format("nat of object {}", object.name), place};
  Words words = words_of(place);
  words.accept("nat");
  if (words.peek().starts_with('(')) {
    const auto interfaces = parse_interfaces(words);
    if (!interfaces) return fault(out, place, words.peek(), "expected (REAL,MAPPED) interfaces"), out;
    out.interfaces = *interfaces;
  }
  out.is_static = words.next() == "static";
  if (!out.is_static) return out;
  const std::string_view mapped = words.next();
  Direction in;
  in.ingress = out.interfaces.mapped;
  in.egress = out.interfaces.real;
  in.mapped = operand(mapped, out.interfaces.mapped);
  in.real.kind = AddressPlace::Kind::object;
  in.real.name = object.name;
  if (mapped == "interface") words.accept("ipv6");
  in.is_identity = in.mapped.kind == AddressPlace::Kind::object && in.mapped.name == object.name;
  while (!words.at_end()) {
    const std::string_view word = words.next();
    if (word == "net-to-net" || word == "dns" || word == "no-proxy-arp" || word == "route-lookup") continue;
    if (word != "service")
      return fault(out, place, word, fmt::format("'{}' is not known here", printable(word))), out;
    const std::string_view protocol_word = words.next(), real_word = words.next(), mapped_word = words.next();
    const auto protocol = ip_protocol(protocol_word);
    const auto real = protocol ? port(real_word, *protocol) : std::nullopt;
    const auto wire = protocol ? port(mapped_word, *protocol) : std::nullopt;
    if (!real || !wire)
      return fault(out, place, protocol ? real_word : protocol_word,
                   "expected 'service PROTOCOL REALPORT MAPPEDPORT'"),
             out;
    in.service = model::ServiceBox{{*protocol, *protocol}, PortSet::all(), {*wire, *wire}};
    in.real_port = *real;
  }
  const Partly real = addresses_.set_of(in.real, place);
  const auto ranges = addresses_.in_order(in.real);
  out.rank = {ranges ? count_of(*ranges) : ~V6{0}, real.possible.lowest().value_or(Address{}), object.name};
  if (ranges && ranges->size() == 1 && in.mapped.kind == AddressPlace::Kind::v4)
    in.mapped = as_wide_as(ranges->front(), in.mapped);
  out.directions.push_back(std::move(in));
  return out;
}

// nat (real,mapped) [after-auto] [N] source {static|dynamic} REAL MAPPED [destination static MAPPED REAL]
// [service A B] …
Translations::Parsed Translations::parse_twice(const NatRule& rule) {
  Parsed out;
  out.named.place = rule.place;
  Words words = words_of(rule.place);
  words.accept("nat");
  if (words.peek().starts_with('(')) {
    const auto interfaces = parse_interfaces(words);
    if (!interfaces) return fault(out, rule.place, words.peek(), "expected (REAL,MAPPED) interfaces"), out;
    out.interfaces = *interfaces;
  }
  out.is_after_auto = words.accept("after-auto");
  if (const auto number = parse_decimal<std::uint32_t>(words.peek())) out.position = *number, words.next();
  if (!words.accept("source"))
    return fault(out, rule.place, words.peek(),
                 fmt::format("expected source, found '{}'", printable(words.peek()))),
           out;
  const std::string_view how = words.next();
  const bool is_static = how == "static";
  if (!is_static && how != "dynamic") return fault(out, rule.place, how, "expected static or dynamic"), out;
  const std::string_view real_word = words.next();
  const AddressPlace real = operand(real_word, out.interfaces.real);
  AddressPlace mapped;
  bool is_identity = false;
  if (is_static) {
    const std::string_view mapped_word = words.next();
    mapped = operand(mapped_word, out.interfaces.mapped);
    is_identity = mapped_word == real_word;
    if (mapped_word == "interface") words.accept("ipv6");
  } else {  // pools and their options: sources only
    while (!words.at_end() && words.peek() != "destination" && words.peek() != "service" &&
           words.peek() != "unidirectional" && words.peek() != "inactive" && words.peek() != "description" &&
           words.peek() != "dns")
      words.next();
  }
  AddressPlace peer_mapped, peer_real;
  bool has_destination = false, is_peer_identity = false, is_unidirectional = false;
  const Partly* before = nullptr;
  (void)before;
  std::optional<model::ServiceBox> first, second;
  bool has_service = false, is_service_open = false;
  while (!words.at_end()) {
    const std::string_view word = words.next();
    if (word == "destination") {
      has_destination = true;
      if (!words.accept("static"))
        return fault(out, rule.place, words.peek(), "expected static after destination"), out;
      const std::string_view mapped_word = words.next();
      peer_mapped = operand(mapped_word, out.interfaces.real);
      if (mapped_word == "interface") words.accept("ipv6");
      const std::string_view peer_word = words.next();
      peer_real = operand(peer_word, out.interfaces.mapped);
      is_peer_identity = mapped_word == peer_word;
    } else if (word == "service") {
      has_service = true;
      const auto box = [&](std::string_view name) -> std::optional<model::ServiceBox> {
        if (name == "any") return model::ServiceBox{ProtocolSet::all(), PortSet::all(), PortSet::all()};
        const auto* services = services_.of_object(name, rule.place);
        if (services == nullptr || services->is_open() || services->certain.size() != 1) return std::nullopt;
        return services->certain.front();
      };
      first = box(words.next());
      second = box(words.next());
      is_service_open = !first || !second;
    } else if (word == "unidirectional") is_unidirectional = true;
    else if (word == "inactive") out.is_inactive = true;
    else if (word == "description") break;
    else if (word != "dns" && word != "no-proxy-arp" && word != "route-lookup" && word != "net-to-net")
      return fault(out, rule.place, word, fmt::format("'{}' is not known here", printable(word))), out;
  }
  ConditionIds open;
  if (is_service_open)
    open = {lowering_.policy.condition(ConditionKind::undefined,
                                       fmt::format("services of nat in line {}", rule.place.line),
                                       rule.place.span())};
  if (is_static && !is_unidirectional) {  // from the mapped side back
    Direction in;
    in.ingress = out.interfaces.mapped;
    in.egress = out.interfaces.real;
    if (has_destination) in.source = peer_real;
    in.mapped = mapped;
    in.real = real;
    in.is_identity = is_identity;
    in.conditions = open;
    if (has_service && !is_service_open) {
      in.service = model::ServiceBox{second->protocol, second->destination, second->source};
      if (!first->source.is_all() && !first->source.empty()) in.real_port = first->source.interval(0).first;
    }
    out.directions.push_back(std::move(in));
  }
  if (has_destination) {  // from the real side onwards
    Direction in;
    in.ingress = out.interfaces.real;
    in.egress = out.interfaces.mapped;
    in.source = real;
    in.mapped = peer_mapped;
    in.real = peer_real;
    in.is_identity = is_peer_identity;
    in.conditions = open;
    if (has_service && !is_service_open) {
      in.service = *first;
      if (!second->destination.is_all() && !second->destination.empty())
        in.real_port = second->destination.interval(0).first;
    }
    out.directions.push_back(std::move(in));
  }
  return out;
}

// static (real,mapped) [tcp|udp] {MAPPED|interface} [MAPPEDPORT] {REAL [REALPORT]|access-list A} [netmask M]
// …
Translations::Parsed Translations::parse_static(const NatRule& rule) {
  Parsed out;
  Words words = words_of(rule.place);
  words.accept("static");
  const auto interfaces = parse_interfaces(words);
  if (!interfaces) return fault(out, rule.place, words.peek(), "expected (REAL,MAPPED) interfaces"), out;
  out.interfaces = *interfaces;
  Direction in;
  in.ingress = interfaces->mapped;
  in.egress = interfaces->real;
  const bool is_tcp = words.accept("tcp");
  const bool has_ports = is_tcp || words.accept("udp");
  const std::uint8_t protocol = is_tcp ? protocol::tcp : protocol::udp;
  const std::string_view mapped_word = words.next();
  out.named = {fmt::format("static ({},{}) {}", interfaces->real.empty() ? "any" : interfaces->real,
                           interfaces->mapped.empty() ? "any" : interfaces->mapped, mapped_word),
               rule.place};
  in.mapped = operand(mapped_word, interfaces->mapped);
  std::optional<std::uint16_t> wire_port;
  if (has_ports) {
    const std::string_view word = words.next();
    wire_port = port(word, protocol);
    if (!wire_port)
      return fault(out, rule.place, word, fmt::format("expected a port, found '{}'", printable(word))), out;
    in.service = model::ServiceBox{{protocol, protocol}, PortSet::all(), {*wire_port, *wire_port}};
  }
  const std::string_view real_word = words.next();
  if (real_word == "access-list") {
    parse_policy_static(out, std::move(in), words.next(), rule.place);
    return out;
  }
  in.real = operand(real_word, interfaces->real);
  if (has_ports) {
    const std::string_view word = words.next();
    in.real_port = port(word, protocol);
    if (!in.real_port)
      return fault(out, rule.place, word, fmt::format("expected a port, found '{}'", printable(word))), out;
  }
  if (words.accept("netmask")) {
    const std::string_view word = words.next();
    const auto mask = parse_v4_word(word);
    const auto length = mask ? netmask_length(mask->number) : std::nullopt;
    if (!length)
      return fault(out, rule.place, word, fmt::format("expected a netmask, found '{}'", printable(word))),
             out;
    for (AddressPlace* place : {&in.mapped, &in.real})
      if (place->kind == AddressPlace::Kind::v4) {
        place->length = static_cast<std::uint8_t>(*length);
        place->first = place->last = place->first & mask->number;
      }
  }
  out.directions.push_back(std::move(in));
  return out;
}

// static (inside,outside) MAPPED access-list A: each entry of A gives a real source and the peers it holds
// for.
void Translations::parse_policy_static(Parsed& out, Direction direction, std::string_view list_name,
                                       const Statement& place) {
  const auto index = lowering_.from.list_index.find(list_name);
  if (index == lowering_.from.list_index.end())
    return fault(out, place, list_name,
                 fmt::format("access-list '{}' is not in this file", printable(list_name)));
  const AccessList& list = lowering_.from.lists[index->second];
  std::string scratch;
  for (const Entry& entry : list.entries) {
    if (entry.kind == EntryKind::remark) continue;
    if (out.directions.size() > most_policy_entries)
      return fault(out, place, list_name, "a policy translation with a longer list than this reader takes");
    Words words(text_of(entry.place, lowering_.text(entry.place.source), scratch));
    words.next();
    words.next();
    words.accept("extended");
    const Ace ace = parse_ace(words, lowering_.from);
    if (entry.kind != EntryKind::ace || !ace.fault.empty() || !ace.is_permit || entry.place.is_glued)
      return fault(
          out, place, list_name,
          fmt::format("an entry of access-list '{}' that a translation cannot hold", printable(list_name)));
    Direction its = direction;
    its.source = ace.destination;
    its.real = ace.source;
    if (ace.source_port.kind == PortPlace::Kind::range && its.service) its.real_port = ace.source_port.first;
    out.directions.push_back(std::move(its));
  }
}

// ---- rules --------------------------------------------------------------------------------------------

std::uint32_t Translations::qualifier(ConditionIds conditions) {
  if (conditions.empty()) return 0;
  std::vector<model::Qualifier>& all = lowering_.policy.qualifiers;
  model::Qualifier its;
  its.conditions = std::move(conditions);
  all.push_back(std::move(its));
  return static_cast<std::uint32_t>(all.size() - 1);
}

model::AddressTerm Translations::range_term(Address first, Address last, const Statement& place) {
  const auto prefixes = minimal_prefixes(first, last);
  if (prefixes.size() == 1 && first.is_v4())
    return model::AddressTerm::v4(first.as_v4(), prefixes.front().length);
  Partly set;
  set.certain = set.possible = AddressSet(first, last);
  return addresses_.anonymous(fmt::format("nat {} {}", to_string(first), to_string(last)), std::move(set),
                              place.span());
}

void Translations::emit_one(const Parsed& parsed, const Direction& direction, model::AddressTerm destination,
                            const AddressSet& wire, Translation translation, ConditionIds conditions) {
  model::Policy& policy = lowering_.policy;
  translation.span = parsed.named.place.span();
  conditions = model::united(conditions, direction.conditions);
  model::Published published;
  published.ingress = direction.ingress;
  published.wire = wire;
  published.span = translation.span;
  published.conditions =
      model::united(conditions, addresses_.set_of(direction.mapped, parsed.named.place).conditions);
  const bool is_for_some = direction.source.kind != AddressPlace::Kind::any ||
                           (direction.service && !direction.service->source.is_all());
  if (is_for_some)  // it holds for certain peers or source ports only
    published.conditions = model::united(
        published.conditions, {lowering_.policy.condition(ConditionKind::address_translation,
                                                          parsed.named.name, parsed.named.place.span())});
  Untranslation out;
  out.ingress = direction.ingress;
  model::Rule& rule = out.rule;
  rule.source = addresses_.term(direction.source, parsed.named.place);
  rule.destination = destination;
  if (direction.service) {
    const model::ServiceBox& box = *direction.service;
    published.protocol = box.protocol;
    published.wire_ports = box.destination;
    if (direction.real_port && !box.destination.empty()) {
      const std::uint16_t first = box.destination.interval(0).first;
      if (*direction.real_port != first) {
        translation.port = Translation::Change::shift;
        translation.port_shift = static_cast<std::uint16_t>(*direction.real_port - first);
      }
    }
    const bool is_simple = box.protocol.interval_count() == 1 &&
                           box.protocol.interval(0).first == box.protocol.interval(0).last &&
                           box.source.interval_count() == 1 && box.destination.interval_count() == 1;
    if (is_simple) {
      const auto source = box.source.interval(0), to = box.destination.interval(0);
      rule.service = model::ServiceTerm::of(box.protocol.interval(0).first, {source.first, source.last},
                                            {to.first, to.last});
    } else if (!(box.protocol.is_all() && box.source.is_all() && box.destination.is_all())) {
      model::ServiceGroup group;
      group.span = translation.span;
      group.services.certain = group.services.possible = {box};
      policy.service_groups.push_back(std::move(group));
      rule.service = model::ServiceTerm::group(static_cast<model::GroupId>(policy.service_groups.size() - 1));
    }
  }
  const model::User user{model::UserKind::nat, translation.span, 0};
  addresses_.add_user(rule.source, user);
  addresses_.add_user(rule.destination, user);
  rule.action = model::Action::translate;
  rule.span = translation.span;
  rule.number = static_cast<std::uint32_t>(out_.size() + 1);
  policy.names.push_back(parsed.named.name);
  rule.name = static_cast<std::uint32_t>(policy.names.size() - 1);
  rule.target = static_cast<std::uint32_t>(policy.translations.size());
  rule.qualifier = qualifier(std::move(conditions));
  const bool changes =
      translation.address != Translation::Change::none || translation.port != Translation::Change::none;
  published.translation = translation;
  policy.translations.push_back(std::move(translation));
  if (changes) policy.published.push_back(std::move(published));
  out_.push_back(std::move(out));
}

// Packets of any kind may be sent anywhere by it: unknown.
void Translations::emit_fault(const Parsed& parsed) {
  lowering_.account.not_understood(parsed.named.place, parsed.fault_span, parsed.fault);
  Parsed named = parsed;
  if (named.named.name.empty()) named.named.name = fmt::format("nat in line {}", parsed.named.place.line);
  Direction direction;
  direction.ingress = parsed.interfaces.mapped;
  Translation anywhere;
  anywhere.address = Translation::Change::one_of;
  anywhere.addresses = AddressSet::all();
  emit_one(named, direction, model::AddressTerm::any(), AddressSet::all(), std::move(anywhere),
           {lowering_.policy.condition(ConditionKind::not_understood, named.named.name,
                                       parsed.named.place.span())});
  lowering_.policy.published.pop_back();  // it publishes nothing that anyone could name
}

void Translations::emit(const Parsed& parsed, const Direction& direction) {
  const Statement& place = parsed.named.place;
  const Partly wire = addresses_.set_of(direction.mapped, place);
  const Partly real = addresses_.set_of(direction.real, place);
  const model::User user{model::UserKind::nat, place.span(), 0};
  if (direction.real.kind == AddressPlace::Kind::object || direction.real.kind == AddressPlace::Kind::group)
    addresses_.add_user(addresses_.term(direction.real, place), user);
  if (!direction.egress.empty() && !real.certain.is_all() && !real.is_open())
    behind_.emplace_back(direction.egress, real.certain);
  Translation translation;
  if (direction.is_identity || (wire.certain == real.certain && !wire.is_open() && !real.is_open()))
    return emit_one(parsed, direction, addresses_.term(direction.mapped, place), wire.possible, translation,
                    {});
  translation.address = Translation::Change::one_of;
  translation.addresses = real.possible;
  const auto reals = addresses_.in_order(direction.real);
  const auto wires = addresses_.in_order(direction.mapped);
  const bool is_one = reals && reals->size() == 1 && reals->front().first == reals->front().second;
  if (is_one || !reals || !wires) {
    ConditionIds conditions = real.conditions;
    return emit_one(parsed, direction, addresses_.term(direction.mapped, place), wire.possible,
                    std::move(translation), std::move(conditions));
  }
  if (count_of(*reals) != count_of(*wires)) {  // PAT of many, or a cycle: which one is not told by the words
    return emit_one(
        parsed, direction, addresses_.term(direction.mapped, place), wire.possible, std::move(translation),
        {lowering_.policy.condition(ConditionKind::address_translation, parsed.named.name, place.span())});
  }
  // Element by element, in the order they are written.
  std::size_t w = 0, r = 0;
  V6 done_w = 0, done_r = 0;
  while (w < wires->size() && r < reals->size()) {
    const auto& [wire_first, wire_last] = (*wires)[w];
    const auto& [real_first, real_last] = (*reals)[r];
    const V6 left_w = wire_last.number - wire_first.number + 1 - done_w;
    const V6 left_r = real_last.number - real_first.number + 1 - done_r;
    const V6 taken = std::min(left_w, left_r);
    const Address from{wire_first.family, wire_first.number + done_w};
    const Address to{real_first.family, real_first.number + done_r};
    const Address last{wire_first.family, from.number + taken - 1};
    Translation piece;
    if (from.family == to.family) {
      piece.address = Translation::Change::shift;
      piece.address_shift = to.number - from.number;
    } else {
      piece.address = Translation::Change::one_of;
      piece.addresses = AddressSet(to, Address{to.family, to.number + taken - 1});
    }
    emit_one(parsed, direction, range_term(from, last, place), AddressSet(from, last), std::move(piece), {});
    done_w += taken, done_r += taken;
    if (taken == left_w) ++w, done_w = 0;
    if (taken == left_r) ++r, done_r = 0;
  }
}

void Translations::emit(const Parsed& parsed) {
  if (!parsed.fault.empty()) return emit_fault(parsed);
  if (parsed.is_inactive || !parsed.is_static) return;
  for (const Direction& direction : parsed.directions) {
    if (out_.size() > most_rules) return;
    emit(parsed, direction);
  }
}

LoweredNat Translations::lower() {
  const Configuration& from = lowering_.from;
  std::vector<Parsed> objects, others;
  Order first, last;  // of `others`, in the order the device has them
  for (const Object& object : from.objects)
    if (object.nat) objects.push_back(parse_object(object));
  for (const NatRule& rule : from.nats) {
    Parsed parsed = rule.form == NatForm::old_static ? parse_static(rule) : parse_twice(rule);
    Order& section = parsed.is_after_auto ? last : first;
    const std::uint32_t at = parsed.position ? std::max(*parsed.position, 1U) - 1 : section.size();
    section.insert(at, static_cast<std::uint32_t>(others.size()));
    others.push_back(std::move(parsed));
  }
  std::ranges::stable_sort(objects, {},
                           [](const Parsed& one) { return std::tuple(!one.is_static, one.rank); });
  const auto emit_section = [&](const Order& section, std::string_view name) {
    std::uint32_t number = 0;
    section.each([&](std::uint32_t id) {
      ++number;
      if (others[id].named.name.empty()) others[id].named.name = fmt::format("{} {}", name, number);
      emit(others[id]);
    });
  };
  emit_section(first, "nat rule");
  for (const Parsed& parsed : objects) emit(parsed);
  emit_section(last, "nat after-auto rule");

  LoweredNat lowered;
  lowered.behind = std::move(behind_);
  if (out_.empty()) return lowered;
  std::vector<std::string> ingresses{""};
  for (const model::Interface& port : lowering_.policy.interfaces)
    if (std::ranges::find(out_, port.name, &Untranslation::ingress) != out_.end())
      ingresses.push_back(port.name);
  if (out_.size() * ingresses.size() > most_rules) {
    lowering_.account.say(Severity::error, from.header.span, "more translations than this reader takes",
                          Effect::whole_file);
    out_.resize(1);
    ingresses.resize(1);
    out_.front().ingress.clear();
    out_.front().rule.destination = model::AddressTerm::any();
    out_.front().rule.qualifier = qualifier({model::complexity_condition});
  }
  for (const std::string& ingress : ingresses) {
    model::RuleList list;
    list.name = ingress.empty() ? "nat" : "nat " + ingress;
    list.is_attached = true;
    for (const Untranslation& one : out_)
      if (one.ingress.empty() || one.ingress == ingress) list.rules.push_back(one.rule);
    if (list.rules.empty()) continue;
    list.span = list.rules.front().span;
    lowered.lists[ingress] = static_cast<model::ListId>(lowering_.policy.lists.size());
    lowering_.policy.lists.push_back(std::move(list));
  }
  return lowered;
}

}  // namespace

LoweredNat lower_nat(Lowering& lowering, AddressBook& addresses, ServiceBook& services) {
  return Translations(lowering, addresses, services).lower();
}

}  // namespace aclmend::cisco_asa
