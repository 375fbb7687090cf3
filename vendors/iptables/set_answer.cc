// One set and its flags: the region that its elements make, put on the sides of a packet.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "vendors/iptables/set_boxes.h"
#include "vendors/iptables/set_region.h"

namespace aclmend::iptables {
namespace {

using model::ConditionKind;
using model::ContextTerm;
using model::Dimension;
using model::MarkTest;
using model::ServiceBox;

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

// One cell around them all, merely possible.
PairCell coarse(std::span<const Layer> layers, Family family) {
  std::vector<const AddressSet*> first, second;
  for (const Layer& layer : layers)
    for (const PairCell& cell : layer.cells) {
      first.push_back(&cell.first);
      second.push_back(&cell.possible);
    }
  return {union_of(first, family), {}, union_of(second, family)};
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
      add_box(answer.open, with_addresses(service, cell.first, cell.possible - cell.certain));
      add_box(answer.certain,
              with_addresses(service, cell.first, test_.negated ? all - cell.possible : cell.certain));
    }
    if (test_.negated) add_not_mentioned(answer, service, union_of(mentioned, test_.family));
  }
  if (!test_.negated) return answer;
  for (const ServiceBox& other : other_services(layers))
    add_box(answer.certain, with_addresses(other, all, all));
  return answer;
}

// Addresses that no cell mentions, or that the two places of the packet do not share.
void Assembly::add_not_mentioned(Answer& answer, const ServiceBox& service,
                                 const AddressSet& mentioned) const {
  const AddressSet all = AddressSet::all(test_.family);
  add_box(answer.certain, with_addresses(service, all - mentioned, all));
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
    return add_box(to, std::move(box));
  }
  const auto mark = [&](std::uint32_t key) {
    return MarkTest{MarkTest::Of::packet, set_.options.markmask, key, negated};
  };
  if (negated) {
    for (const std::uint32_t key : keys) box.marks.push_back(mark(key));
    return add_box(to, std::move(box));
  }
  for (const std::uint32_t key : keys) {
    box.marks = {mark(key)};
    add_box(to, box);
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
  const AddressSet mentioned = union_of(firsts, test_.family);
  if (test_.negated) add_box(answer.certain, with_addresses(all_.service, all - mentioned, all));
  if (is_too_much) {
    add_box(answer.open, with_addresses(all_.service, mentioned, all));
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

}  // namespace

Answer answer_of_set(const IpSet& set, const SetTest& test) { return Assembly(set, test).answer(); }

}  // namespace aclmend::iptables
