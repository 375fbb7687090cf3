#include "vendors/iptables/set_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "vendors/iptables/set_region.h"

namespace aclmend::iptables {
namespace {

using model::Condition;
using model::ConditionKind;
using model::ContextTerm;
using model::Dimension;
using model::MarkTest;
using model::ServiceBox;

// Certain and open boxes, all disjoint.
struct Answer {
  std::vector<MatchBox> certain, open;
  std::vector<Condition> conditions;
  std::size_t size() const { return certain.size() + open.size(); }
};

MatchBox every_packet(Family family) {
  return {AddressSet::all(family),
          AddressSet::all(family),
          ServiceBox{ProtocolSet::all(), PortSet::all(), PortSet::all()},
          {},
          {}};
}

Answer everything_possible(Family family, ConditionKind kind, std::string name, Span where) {
  return {{}, {every_packet(family)}, {{kind, std::move(name), where}}};
}

// Each once, and not more than a reader can use.
std::vector<Condition> the_first(std::vector<Condition> conditions) {
  constexpr std::size_t most = 32;
  std::vector<Condition> kept;
  std::set<std::string> known;
  std::size_t more = 0;
  for (Condition& one : conditions) {
    if (!known.insert(to_string(one)).second) continue;
    if (kept.size() < most) kept.push_back(std::move(one));
    else ++more;
  }
  if (more > 0)
    kept.back() = {ConditionKind::too_complex, fmt::format("{} more conditions of ipsets", more + 1),
                   kept.back().where};
  return kept;
}

MatchBoxes boxes_from(Answer answer) {
  MatchBoxes boxes;
  boxes.certain = std::move(answer.certain);
  boxes.possible = boxes.certain;
  std::ranges::move(answer.open, std::back_inserter(boxes.possible));
  if (boxes.possible.size() > boxes.certain.size())
    boxes.conditions = the_first(std::move(answer.conditions));
  return boxes;
}

// ---- boxes of products --------------------------------------------------------------------------------

bool is_empty(const MatchBox& box) {
  return box.source.empty() || box.destination.empty() || box.service.protocol.empty() ||
         box.service.source.empty() || box.service.destination.empty();
}

ContextTerm opposite(ContextTerm term) {
  term.negated = !term.negated;
  return term;
}
MarkTest opposite(MarkTest test) {
  test.negated = !test.negated;
  return test;
}

template <class Test>
bool has(const std::vector<Test>& tests, const Test& test) {
  return std::ranges::find(tests, test) != tests.end();
}

// The part of a outside b, as disjoint boxes.
std::vector<MatchBox> pieces_outside(const MatchBox& a, const MatchBox& b) {
  std::vector<MatchBox> pieces;
  MatchBox rest = a;  // what is inside b in all places looked at so far
  const auto part = [&](auto& place, const auto& other) {
    MatchBox piece = rest;
    auto& outside = place(piece);
    outside = outside - other;
    if (!outside.empty()) pieces.push_back(std::move(piece));
    auto& inside = place(rest);
    inside = inside & other;
    return !inside.empty();
  };
  const auto source = [](MatchBox& box) -> AddressSet& { return box.source; };
  const auto destination = [](MatchBox& box) -> AddressSet& { return box.destination; };
  const auto protocol = [](MatchBox& box) -> ProtocolSet& { return box.service.protocol; };
  const auto source_port = [](MatchBox& box) -> PortSet& { return box.service.source; };
  const auto destination_port = [](MatchBox& box) -> PortSet& { return box.service.destination; };
  if (!part(source, b.source) || !part(destination, b.destination) || !part(protocol, b.service.protocol) ||
      !part(source_port, b.service.source) || !part(destination_port, b.service.destination))
    return {a};
  const auto tests = [&](auto list) {
    for (const auto& test : list(b)) {
      if (has(list(rest), test)) continue;
      if (has(list(rest), opposite(test))) return false;
      MatchBox piece = rest;
      list(piece).push_back(opposite(test));
      pieces.push_back(std::move(piece));
      list(rest).push_back(test);
    }
    return true;
  };
  const auto context = [](auto& box) -> auto& { return box.context; };
  const auto marks = [](auto& box) -> auto& { return box.marks; };
  if (!tests(context) || !tests(marks)) return {a};
  return pieces;
}

// How much the boxes of a mixed list may be cut up.
class Effort {
 public:
  bool spend(const MatchBox& box) {
    const std::size_t cost = 8 + box.source.v4.flips().size() + box.source.v6.flips().size() +
                             box.destination.v4.flips().size() + box.destination.v6.flips().size() +
                             box.service.source.flips().size() + box.service.destination.flips().size();
    left_ = left_ > cost ? left_ - cost : 0;
    return left_ > 0;
  }
  bool is_spent() const { return left_ == 0; }

 private:
  std::size_t left_ = 20'000'000;
};

// What of a box lies outside all the others; nothing where that is too much work.
std::optional<std::vector<MatchBox>> outside(const MatchBox& box, std::span<const MatchBox> others,
                                             Effort& effort) {
  std::vector<MatchBox> left{box};
  for (const MatchBox& other : others) {
    std::vector<MatchBox> next;
    for (const MatchBox& piece : left) {
      if (!effort.spend(piece) || !effort.spend(other)) return std::nullopt;
      std::ranges::move(pieces_outside(piece, other), std::back_inserter(next));
    }
    left = std::move(next);
    if (left.size() > most_boxes) return std::nullopt;
  }
  return left;
}

// Adds to disjoint boxes what of another list lies outside them. False: too much.
bool add_outside(std::vector<MatchBox>& boxes, const std::vector<MatchBox>& more, Effort& effort) {
  for (const MatchBox& box : more) {
    auto left = outside(box, boxes, effort);
    if (!left || boxes.size() + left->size() > most_boxes) return false;
    std::ranges::move(*left, std::back_inserter(boxes));
  }
  return true;
}

// ---- a set with flags ---------------------------------------------------------------------------------

// Which part of a packet each part of an element is compared with.
struct Sides {
  Flag first_address = Flag::src, second_address = Flag::src, port = Flag::src, interface = Flag::src;
};

Sides sides_of(SetType type, const std::vector<Flag>& flags) {
  Sides sides;
  bool is_first_address = true;
  const auto& parts = facts(type).parts;
  for (std::size_t i = 0; i < dimensions(type); ++i) {
    const bool is_address = parts[i] == Part::ip || parts[i] == Part::net;
    if (is_address) (is_first_address ? sides.first_address : sides.second_address) = flags[i];
    if (is_address) is_first_address = false;
    if (parts[i] == Part::port) sides.port = flags[i];
    if (parts[i] == Part::interface) sides.interface = flags[i];
  }
  return sides;
}

void add(std::vector<MatchBox>& to, MatchBox box) {
  if (!is_empty(box)) to.push_back(std::move(box));
}

PortSet one_port(int number) {
  return {static_cast<std::uint16_t>(number), static_cast<std::uint16_t>(number)};
}
ProtocolSet one_protocol(std::uint8_t number) { return {number, number}; }

std::vector<std::uint8_t> numbers_in(const ProtocolSet& set) {
  std::vector<std::uint8_t> numbers;
  for (int number = 0; number <= 255; ++number)
    if (set.contains(static_cast<std::uint8_t>(number))) numbers.push_back(static_cast<std::uint8_t>(number));
  return numbers;
}

// The union of many sets of one family, at the price of one sort.
AddressSet united(const std::vector<const AddressSet*>& sets, Family family) {
  if (sets.size() == 1) return *sets.front();
  const auto all = [&](auto of) {
    auto intervals = of(AddressSet{}).intervals();
    for (const AddressSet* set : sets) {
      const auto more = of(*set).intervals();
      intervals.insert(intervals.end(), more.begin(), more.end());
    }
    return intervals;
  };
  if (family == Family::ipv4)
    return {FlipSet<V4>::of(all([](const AddressSet& set) -> const FlipSet<V4>& { return set.v4; })), {}};
  return {{}, FlipSet<V6>::of(all([](const AddressSet& set) -> const FlipSet<V6>& { return set.v6; }))};
}

// One cell around them all, merely possible.
PairCell coarse(std::span<const Layer> layers, Family family) {
  std::vector<const AddressSet*> first, second;
  for (const Layer& layer : layers)
    for (const PairCell& cell : layer.cells) {
      first.push_back(&cell.first);
      second.push_back(&cell.possible);
    }
  return {united(first, family), {}, united(second, family)};
}

constexpr std::uint16_t mail_ports[] = {25, 465, 587};

// Layers that make more boxes than there is room for: those with the ports of mail keep their detail first,
// then other TCP; a layer of too many cells becomes one cell, what is left one layer a protocol. True where
// something lost its detail.
bool fit(std::vector<Layer>& layers, std::size_t room, Family family) {
  const auto size = [](const Layer& layer) { return layer.cells.size() + 1; };
  std::size_t total = 0;
  for (const Layer& layer : layers) total += size(layer);
  if (total <= room) return false;
  const auto rank = [](const Layer& layer) {
    if (layer.services.kind == Services::Kind::icmp) return 3;
    const bool is_tcp = layer.services.protocols.contains(protocol::tcp);
    for (const std::uint16_t port : mail_ports)
      if (is_tcp && layer.services.ports.contains(port)) return 0;
    return is_tcp ? 1 : 2;
  };
  std::ranges::stable_sort(layers, {}, rank);
  constexpr std::size_t for_the_rest = 2 * 256;
  std::size_t kept = 0, used = for_the_rest;
  for (; kept < layers.size() && rank(layers[kept]) != 3; ++kept) {
    Layer& layer = layers[kept];
    if (used + size(layer) > room) layer.cells = {coarse({&layer, 1}, family)};
    used += size(layer);
    if (used > room) break;
  }
  std::map<std::uint8_t, std::vector<Interval<std::uint16_t>>> left;
  for (std::size_t i = kept; i < layers.size(); ++i) {
    const Services& services = layers[i].services;
    const bool has_ports = services.kind == Services::Kind::ports;
    const auto ports = (has_ports ? services.ports : PortSet::all()).intervals();
    for (const std::uint8_t number : numbers_in(services.protocols))
      left[number].insert(left[number].end(), ports.begin(), ports.end());
  }
  const PairCell around = coarse(std::span(layers).subspan(kept), family);
  layers.resize(kept);
  for (auto& [number, intervals] : left) {
    const PortSet ports = PortSet::of(std::move(intervals));
    const auto kind = ports.is_all() ? Services::Kind::portless : Services::Kind::ports;
    layers.push_back({{kind, one_protocol(number), ports}, {around}});
  }
  return true;
}

// Puts together the boxes of one test.
class Assembly {
 public:
  Assembly(const IpSet& set, const SetTest& test)
      : set_(set), test_(test), sides_(sides_of(set.type, test.flags)), all_(every_packet(test.family)) {}
  Answer answer();

 private:
  static AddressSet& side(MatchBox& box, Flag flag) {
    return flag == Flag::src ? box.source : box.destination;
  }
  MatchBox with_addresses(const ServiceBox& service, const AddressSet& first, const AddressSet& second) const;
  ServiceBox service_box(const Services& services) const;
  std::vector<ServiceBox> other_services(const std::vector<Layer>& layers) const;
  PortSet& port_side(ServiceBox& box) const {
    return sides_.port == Flag::src ? box.source : box.destination;
  }
  void add_not_mentioned(Answer& answer, const ServiceBox& service, const AddressSet& mentioned) const;
  Answer of_layers(std::vector<Layer> layers);
  Answer of_keys(const std::vector<KeyCell>& cells);
  void key_boxes(std::vector<MatchBox>& to, const AddressSet& first, const std::vector<std::uint32_t>& keys,
                 bool negated) const;
  ContextTerm interfaces(const std::vector<std::uint32_t>& keys, bool negated) const;

  const IpSet& set_;
  const SetTest& test_;
  Sides sides_;
  MatchBox all_;
};

MatchBox Assembly::with_addresses(const ServiceBox& service, const AddressSet& first,
                                  const AddressSet& second) const {
  MatchBox box = all_;
  box.service = service;
  side(box, sides_.first_address) = first;
  AddressSet& other = side(box, sides_.second_address);
  other = other & second;
  return box;
}

ServiceBox Assembly::service_box(const Services& services) const {
  ServiceBox box = all_.service;
  box.protocol = services.protocols;
  if (services.kind == Services::Kind::ports) port_side(box) = services.ports;
  if (services.kind == Services::Kind::icmp) {  // the type, and the code
    const std::uint16_t both = services.ports.interval(0).first;
    box.source = one_port(both >> 8);
    box.destination = one_port(both & 255);
  }
  return box;
}

// What no layer mentions: other protocols, and of each its other ports.
std::vector<ServiceBox> Assembly::other_services(const std::vector<Layer>& layers) const {
  std::vector<ServiceBox> others;
  std::map<std::uint8_t, PortSet> ports;                 // by protocol
  std::map<std::uint8_t, std::map<int, PortSet>> codes;  // by protocol and type
  ProtocolSet mentioned;
  for (const Layer& layer : layers) {
    const Services& services = layer.services;
    mentioned |= services.protocols;
    for (const std::uint8_t protocol : numbers_in(services.protocols)) {
      if (services.kind == Services::Kind::ports) ports[protocol] |= services.ports;
      if (services.kind != Services::Kind::icmp) continue;
      const std::uint16_t both = services.ports.interval(0).first;
      codes[protocol][both >> 8] |= one_port(both & 255);
    }
  }
  ServiceBox box = all_.service;
  box.protocol = ~mentioned;
  others.push_back(box);
  for (const auto& [protocol, known] : ports) {
    box = all_.service;
    box.protocol = one_protocol(protocol);
    port_side(box) = ~known;
    others.push_back(box);
  }
  for (const auto& [protocol, types] : codes) {
    PortSet known;
    for (const auto& [type, of_type] : types) {
      known |= one_port(type);
      others.push_back({one_protocol(protocol), one_port(type), ~of_type});
    }
    others.push_back({one_protocol(protocol), ~known, PortSet::all()});
  }
  return others;
}

Answer Assembly::of_layers(std::vector<Layer> layers) {
  Answer answer;
  if (fit(layers, most_boxes / 2, test_.family))
    answer.conditions.push_back({ConditionKind::too_complex, fmt::format("ipset {}", set_.name), set_.span});
  const AddressSet all = AddressSet::all(test_.family);
  for (const Layer& layer : layers) {
    const ServiceBox service = service_box(layer.services);
    std::vector<const AddressSet*> mentioned;
    for (const PairCell& cell : layer.cells) {
      mentioned.push_back(&cell.first);
      add(answer.open, with_addresses(service, cell.first, cell.possible - cell.certain));
      add(answer.certain,
          with_addresses(service, cell.first, test_.negated ? all - cell.possible : cell.certain));
    }
    if (test_.negated) add_not_mentioned(answer, service, united(mentioned, test_.family));
  }
  if (!test_.negated) return answer;
  for (const ServiceBox& other : other_services(layers)) add(answer.certain, with_addresses(other, all, all));
  return answer;
}

// Addresses that no cell mentions, or that the two places of the packet do not share.
void Assembly::add_not_mentioned(Answer& answer, const ServiceBox& service,
                                 const AddressSet& mentioned) const {
  const AddressSet all = AddressSet::all(test_.family);
  add(answer.certain, with_addresses(service, all - mentioned, all));
}

ContextTerm Assembly::interfaces(const std::vector<std::uint32_t>& keys, bool negated) const {
  ContextTerm term{sides_.interface == Flag::src ? Dimension::ingress : Dimension::egress, {}, negated};
  for (const std::uint32_t key : keys)
    term.names.push_back(set_.names[key >> 1] + ((key & 1) != 0 ? "+" : ""));
  return term;
}

// One box a mark; negated, and for interfaces, one box for all of them.
void Assembly::key_boxes(std::vector<MatchBox>& to, const AddressSet& first,
                         const std::vector<std::uint32_t>& keys, bool negated) const {
  if (keys.empty() && !negated) return;
  MatchBox box = with_addresses(all_.service, first, AddressSet::all(test_.family));
  if (set_.type == SetType::hash_net_iface) {
    if (!keys.empty()) box.context = {interfaces(keys, negated)};
    return add(to, std::move(box));
  }
  const auto mark = [&](std::uint32_t key) {
    return MarkTest{MarkTest::Of::packet, set_.options.markmask, key, negated};
  };
  if (negated) {
    for (const std::uint32_t key : keys) box.marks.push_back(mark(key));
    return add(to, std::move(box));
  }
  for (const std::uint32_t key : keys) {
    box.marks = {mark(key)};
    add(to, box);
  }
}

Answer Assembly::of_keys(const std::vector<KeyCell>& cells) {
  constexpr std::size_t most_keys_of_a_cell = 1024;
  Answer answer;
  std::vector<const AddressSet*> firsts;
  std::size_t size = 0;
  bool is_too_much = false;
  for (const KeyCell& cell : cells) {
    firsts.push_back(&cell.first);
    size += set_.type == SetType::hash_ip_mark ? cell.possible.size() + 1 : 2;
    is_too_much = is_too_much || cell.possible.size() > most_keys_of_a_cell || size > most_boxes;
  }
  const AddressSet all = AddressSet::all(test_.family);
  const AddressSet mentioned = united(firsts, test_.family);
  if (test_.negated) add(answer.certain, with_addresses(all_.service, all - mentioned, all));
  if (is_too_much) {
    add(answer.open, with_addresses(all_.service, mentioned, all));
    answer.conditions = {{ConditionKind::too_complex, fmt::format("ipset {}", set_.name), set_.span}};
    return answer;
  }
  for (const KeyCell& cell : cells) {
    std::vector<std::uint32_t> open;
    std::ranges::set_difference(cell.possible, cell.certain, std::back_inserter(open));
    key_boxes(answer.certain, cell.first, test_.negated ? cell.possible : cell.certain, test_.negated);
    key_boxes(answer.open, cell.first, open, false);
  }
  return answer;
}

Answer Assembly::answer() {
  Region region = region_of(set_, test_.family, test_.return_nomatch);
  const bool has_keys = set_.type == SetType::hash_ip_mark || set_.type == SetType::hash_net_iface;
  Answer answer = has_keys ? of_keys(region.keys) : of_layers(std::move(region.layers));
  std::ranges::move(region.conditions, std::back_inserter(answer.conditions));
  return answer;
}

// ---- any set ------------------------------------------------------------------------------------------

bool is_of_one_address(SetType type) {
  return type == SetType::hash_ip || type == SetType::hash_net || type == SetType::bitmap_ip;
}

bool is_of_family(const IpSet& set, Family family) { return !set.family || *set.family == family; }

enum class Asked : std::uint8_t { by_a_rule, as_a_member };

std::optional<Answer> unknown_answer(const IpSet* set, const SetTest& test, Asked asked) {
  const std::string name = fmt::format("ipset {}", test.name);
  const Span where = set == nullptr ? Span{} : set->span;
  const auto open = [&](ConditionKind kind, std::string why, Span span) {
    return everything_possible(test.family, kind, std::move(why), span);
  };
  if (set == nullptr) return open(ConditionKind::external_list, name, where);
  if (set->doubt) return open(ConditionKind::not_understood, name, set->doubt->span);
  if (!set->has_members) return open(ConditionKind::external_list, name, where);
  // Neither does iptables load: this file and the rules are not of one moment.
  if (asked == Asked::by_a_rule && !is_of_family(*set, test.family))
    return open(ConditionKind::not_understood, fmt::format("{}, which is of the other family", name), where);
  if (asked == Asked::as_a_member && set->type == SetType::list_set)
    return open(ConditionKind::not_understood, fmt::format("{}, a list in a list", name), where);
  return std::nullopt;
}

Answer negated(Answer answer, const SetTest& test, Span where) {
  const MatchBox all = every_packet(test.family);
  std::vector<MatchBox> possible = answer.certain;
  possible.insert(possible.end(), answer.open.begin(), answer.open.end());
  Effort effort;
  auto rest = outside(all, possible, effort);
  if (!rest)
    return everything_possible(test.family, ConditionKind::too_complex, fmt::format("ipset {}", test.name),
                               where);
  answer.certain = std::move(*rest);
  return answer;
}

// A list matches where one of its members does; members of the other family, and those with more parts than
// there are flags, never do.
Answer list_answer(const IpSets& sets, const IpSet& list, const SetTest& test);

Answer answer_of(const IpSets& sets, const SetTest& test, Asked asked) {
  const IpSet* set = sets.named(test.name);
  if (auto unknown = unknown_answer(set, test, asked)) return std::move(*unknown);
  const bool never = test.flags.size() < dimensions(set->type) || !is_of_family(*set, test.family);
  if (never) return test.negated ? Answer{{every_packet(test.family)}, {}, {}} : Answer{};
  if (set->type == SetType::list_set) return list_answer(sets, *set, test);
  return Assembly(*set, test).answer();
}

Answer list_answer(const IpSets& sets, const IpSet& list, const SetTest& test) {
  Answer all;
  Effort effort;
  bool is_too_much = false;
  std::vector<MatchBox> possible;
  const auto add_member = [&](std::size_t i) {
    SetTest of_member = test;
    of_member.name = list.names[list.elements[i].detail];
    of_member.negated = false;
    Answer one = answer_of(sets, of_member, Asked::as_a_member);
    is_too_much = !add_outside(possible, one.certain, effort) || !add_outside(possible, one.open, effort);
    const bool stays = list.elements[i].timeout == 0;
    if (stays && !is_too_much) is_too_much = !add_outside(all.certain, one.certain, effort);
    std::ranges::move(one.conditions, std::back_inserter(all.conditions));
    if (!stays)
      all.conditions.push_back({ConditionKind::device_state,
                                fmt::format("{} in ipset {} for {} s", of_member.name, list.name,
                                            std::uint32_t{list.elements[i].timeout}),
                                list.span});
  };
  for (std::size_t i = 0; i < list.elements.size() && !is_too_much; ++i) add_member(i);
  // What is possible beyond the certain.
  std::vector<MatchBox> covered = all.certain;
  is_too_much = is_too_much || !add_outside(covered, possible, effort);
  if (is_too_much)
    return everything_possible(test.family, ConditionKind::too_complex, fmt::format("ipset {}", test.name),
                               list.span);
  all.open.assign(covered.begin() + static_cast<std::ptrdiff_t>(all.certain.size()), covered.end());
  return test.negated ? negated(std::move(all), test, list.span) : all;
}

// ---- one address --------------------------------------------------------------------------------------

// Null: the set, or a member of the list, asks about something else or is not known.
std::optional<SetAddresses> plain_addresses(const IpSets& sets, const IpSet* set, Family family,
                                            bool return_nomatch) {
  if (set == nullptr || !set->is_known()) return std::nullopt;
  if (is_of_one_address(set->type) && is_of_family(*set, family)) {
    Region region = region_of(*set, family, return_nomatch);
    SetAddresses addresses;
    std::vector<const AddressSet*> certain, possible;
    for (const Layer& layer : region.layers)
      for (const PairCell& cell : layer.cells) {
        if (!cell.certain.empty()) certain.push_back(&cell.first);
        possible.push_back(&cell.first);
      }
    addresses.certain = united(certain, family);
    addresses.possible = united(possible, family);
    addresses.conditions = std::move(region.conditions);
    return addresses;
  }
  if (set->type != SetType::list_set) return std::nullopt;
  SetAddresses all;
  std::vector<SetAddresses> members;
  for (const Element& element : set->elements) {
    const IpSet* member = sets.named(set->names[element.detail]);
    if (element.timeout != 0) return std::nullopt;
    if (member != nullptr && member->is_known() && !is_of_family(*member, family)) continue;
    auto one =
        plain_addresses(sets, member != nullptr && member->type == SetType::list_set ? nullptr : member,
                        family, return_nomatch);
    if (!one) return std::nullopt;
    members.push_back(std::move(*one));
  }
  std::vector<const AddressSet*> certain, possible;
  for (SetAddresses& one : members) {
    certain.push_back(&one.certain);
    possible.push_back(&one.possible);
    std::ranges::move(one.conditions, std::back_inserter(all.conditions));
  }
  all.certain = united(certain, family);
  all.possible = united(possible, family);
  return all;
}

}  // namespace

std::optional<std::vector<Flag>> parse_flags(std::string_view text) {
  constexpr std::size_t most_flags = 6;
  std::vector<Flag> flags;
  for (const std::string_view word : split(text, ',')) {
    if (word != "src" && word != "dst") return std::nullopt;
    flags.push_back(word == "src" ? Flag::src : Flag::dst);
  }
  return flags.size() <= most_flags ? std::optional(std::move(flags)) : std::nullopt;
}

SetMatches::Key SetMatches::key_of(const SetTest& test, std::size_t flags) {
  Key key{std::string(test.name), test.flags, test.negated, test.return_nomatch, test.family};
  key.flags.resize(std::min(flags, key.flags.size()));
  return key;
}

const SetAddresses* SetMatches::addresses(const SetTest& test) {
  if (test.flags.empty()) return nullptr;
  const auto [at, is_new] = addresses_.try_emplace(key_of(test, 0));
  if (!is_new) return at->second ? &*at->second : nullptr;
  std::optional<SetAddresses> found;
  if (test.negated) {
    SetTest positive = test;
    positive.negated = false;
    if (const SetAddresses* in_set = addresses(positive)) {
      const AddressSet all = AddressSet::all(test.family);
      found = {all - in_set->possible, all - in_set->certain, in_set->conditions};
    }
  } else {
    found = plain_addresses(sets_, sets_.named(test.name), test.family, test.return_nomatch);
    if (found && found->certain == found->possible) found->conditions.clear();
  }
  at->second = std::move(found);
  return at->second ? &*at->second : nullptr;
}

const MatchBoxes& SetMatches::boxes(const SetTest& test) {
  constexpr std::size_t most_parts = 3;
  const auto [at, is_new] = boxes_.try_emplace(key_of(test, most_parts));
  if (!is_new) return at->second;
  if (const SetAddresses* one = addresses(test)) {
    Answer answer;
    MatchBox box = every_packet(test.family);
    AddressSet& place = test.flags[0] == Flag::src ? box.source : box.destination;
    const auto add = [&](std::vector<MatchBox>& to, AddressSet set) {
      place = std::move(set);
      if (!place.empty()) to.push_back(box);
    };
    add(answer.certain, one->certain);
    add(answer.open, one->possible - one->certain);
    answer.conditions = one->conditions;
    at->second = boxes_from(std::move(answer));
  } else {
    at->second = boxes_from(answer_of(sets_, test, Asked::by_a_rule));
  }
  return at->second;
}

MatchBoxes boxes_of(const IpSets& sets, const SetTest& test) { return SetMatches(sets).boxes(test); }

}  // namespace aclmend::iptables
