#include "vendors/iptables/set_region.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>

#include "base/text.h"
#include "vendors/iptables/set_sweep.h"

namespace aclmend::iptables {
namespace {

using model::Condition;
using model::ConditionKind;

// ---- one address --------------------------------------------------------------------------------------

// Certainly, possibly.
template <class Point>
struct Partly {
  FlipSet<Point> certain, possible;
  bool operator==(const Partly&) const = default;
};

struct Verdict {
  bool certain = false, possible = false;
};

class Elementwise {
 public:
  Elementwise(const IpSet& set, bool return_nomatch)
      : set_(set), is_turned_(return_nomatch && facts(set.type).has_nomatch) {}

  bool says_no(const Element& element) const { return element.nomatch != is_turned_; }
  static bool may_go(const Element& element) { return element.timeout != 0; }
  // What an element makes of the answer that holds around it. One that goes away leaves that answer.
  Verdict inside(Verdict outer, const Element& element) const {
    if (element.doubtful) return {false, true};
    const bool yes = !says_no(element);
    if (!may_go(element)) return {yes, yes};
    return {outer.certain && yes, outer.possible || yes};
  }

  const IpSet& set_;
  const bool is_turned_;
};

AddressSet as_set(FlipSet<V4> set) { return {std::move(set), {}}; }
AddressSet as_set(FlipSet<V6> set) { return {{}, std::move(set)}; }

template <class Point>
constexpr Family family_of = sizeof(Point) == 4 ? Family::ipv4 : Family::ipv6;

template <class Point>
class Builder {
 public:
  Builder(const IpSet& set, bool return_nomatch) : set_(set), rule_(set, return_nomatch) {}
  Region build();

 private:
  using Networks = std::vector<Network<Point>>;
  struct Group {
    std::uint32_t service = 0;
    std::vector<std::uint32_t> elements;
  };

  Point first(std::uint32_t i) const { return static_cast<Point>(set_.first(set_.elements[i]).number); }
  Point second(std::uint32_t i) const { return static_cast<Point>(set_.second(i).number); }
  int first_length(std::uint32_t i) const {
    if (set_.options.netmask) return *set_.options.netmask;
    return set_.elements[i].length;
  }
  bool has_services() const {
    const auto& parts = facts(set_.type).parts;
    return std::ranges::find(parts, Part::port) != parts.end();
  }
  Networks first_networks(const std::vector<std::uint32_t>& elements) const;
  Partly<Point> held(Networks networks) const;

  std::vector<Group> groups() const;
  std::vector<PairCell> cells(const std::vector<std::uint32_t>& elements);
  std::vector<PairCell> one_address(const std::vector<std::uint32_t>& elements) const;
  std::vector<PairCell> host_pairs(const std::vector<std::uint32_t>& elements);
  std::vector<PairCell> network_pairs(const std::vector<std::uint32_t>& elements);
  std::vector<KeyCell> marks() const;
  std::vector<KeyCell> interfaces();
  PairCell coarse(const std::vector<std::uint32_t>& elements) const;
  void open(ConditionKind kind, std::string text) {
    for (const Condition& known : conditions_)
      if (known.name == text) return;
    conditions_.push_back({kind, std::move(text), set_.span});
  }

  const IpSet& set_;
  Elementwise rule_;
  std::vector<Condition> conditions_;
  std::size_t effort_ = 0;
};

template <class Point>
typename Builder<Point>::Networks Builder<Point>::first_networks(
    const std::vector<std::uint32_t>& elements) const {
  Networks networks;
  networks.reserve(elements.size());
  for (const std::uint32_t i : elements) networks.push_back({first(i), first_length(i), i});
  return networks;
}

// Where the longest network decides. Without doubts and exceptions a union is all it takes.
template <class Point>
Partly<Point> Builder<Point>::held(Networks networks) const {
  const bool is_simple = std::ranges::all_of(networks, [&](const Network<Point>& one) {
    const Element& element = set_.elements[one.index];
    return !element.doubtful && !Elementwise::may_go(element) && !rule_.says_no(element);
  });
  std::vector<Interval<Point>> certain, possible;
  if (is_simple) {
    certain.reserve(networks.size());
    for (const auto& one : networks) certain.push_back({one.first, one.last()});
    auto set = FlipSet<Point>::of(std::move(certain));
    return {set, set};
  }
  sort_outer_first(networks);
  sweep(
      networks,
      [&](std::uint32_t outer, std::size_t from, std::size_t) -> std::uint32_t {
        const Verdict around{(outer & 1) != 0, (outer & 2) != 0};
        const Verdict verdict = rule_.inside(around, set_.elements[networks[from].index]);
        return (verdict.certain ? 1U : 0U) | (verdict.possible ? 2U : 0U);
      },
      [&](Point from, Point to, std::uint32_t state) {
        if ((state & 1) != 0) certain.push_back({from, to});
        if ((state & 2) != 0) possible.push_back({from, to});
      });
  return {FlipSet<Point>::of(std::move(certain)), FlipSet<Point>::of(std::move(possible))};
}

template <class Point>
std::vector<PairCell> Builder<Point>::one_address(const std::vector<std::uint32_t>& elements) const {
  auto [certain, possible] = held(first_networks(elements));
  const AddressSet all = AddressSet::all(family_of<Point>);
  std::vector<PairCell> cells;
  auto open = possible - certain;
  if (!certain.empty()) cells.push_back({as_set(std::move(certain)), all, all});
  if (!open.empty()) cells.push_back({as_set(std::move(open)), {}, all});
  return cells;
}

// ---- two addresses ------------------------------------------------------------------------------------

template <class Point>
std::size_t mixed(std::size_t hash, const FlipSet<Point>& set) {
  for (const Point point : set.flips()) {
    hash = hash * 0x9E3779B97F4A7C15 + static_cast<std::size_t>(point);
    if constexpr (sizeof(Point) > sizeof(std::size_t))
      hash = hash * 0x9E3779B97F4A7C15 + static_cast<std::size_t>(point >> 64);
    hash ^= hash >> 29;
  }
  return hash;
}
constexpr std::size_t most_alike = 16;  // of one hash; more are a hostile file's

// Stretches of first addresses with the same answer for the second.
template <class Point>
class CellBook {
 public:
  std::uint32_t state(Partly<Point> second) {
    const std::size_t hash = hash_of(second);
    std::size_t looked_at = 0;
    for (auto [at, end] = by_hash_.equal_range(hash); at != end && looked_at < most_alike; ++at, ++looked_at)
      if (seconds_[at->second] == second) return at->second;
    const auto id = static_cast<std::uint32_t>(seconds_.size());
    seconds_.push_back(std::move(second));
    firsts_.emplace_back();
    by_hash_.emplace(hash, id);
    return id;
  }
  void add(Point from, Point to, std::uint32_t state) { firsts_[state].push_back({from, to}); }
  std::vector<PairCell> take() {
    std::vector<PairCell> cells;
    for (std::size_t i = 0; i < seconds_.size(); ++i) {
      if (firsts_[i].empty() || seconds_[i].possible.empty()) continue;
      cells.push_back({as_set(FlipSet<Point>::of(std::move(firsts_[i]))), as_set(seconds_[i].certain),
                       as_set(seconds_[i].possible)});
    }
    return cells;
  }

 private:
  static std::size_t hash_of(const Partly<Point>& second) {
    return mixed(mixed(second.certain.flips().size(), second.certain), second.possible);
  }
  std::vector<Partly<Point>> seconds_;
  std::vector<std::vector<Interval<Point>>> firsts_;
  std::unordered_multimap<std::size_t, std::uint32_t> by_hash_;
};

// The first is a host: under each, the second is a set of its own.
template <class Point>
std::vector<PairCell> Builder<Point>::host_pairs(const std::vector<std::uint32_t>& elements) {
  std::vector<std::uint32_t> order = elements;
  std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return first(i); });
  CellBook<Point> book;
  for (std::size_t from = 0; from < order.size();) {
    const Point host = first(order[from]);
    Networks seconds;
    std::size_t to = from;
    for (; to < order.size() && first(order[to]) == host; ++to)
      seconds.push_back({second(order[to]), set_.elements[order[to]].second_length, order[to]});
    book.add(host, host, book.state(held(std::move(seconds))));
    from = to;
  }
  return book.take();
}

// Both are networks: of pairs that hold a packet the kernel takes the one with the longest first network,
// then the longest second. Where yes and no overlap that order is not relied upon: possible.
template <class Point>
std::vector<PairCell> Builder<Point>::network_pairs(const std::vector<std::uint32_t>& elements) {
  constexpr std::size_t most_effort = 50'000'000;
  struct Seconds {
    FlipSet<Point> yes, possible, no;
  };
  Networks networks = first_networks(elements);
  sort_outer_first(networks);
  std::vector<Seconds> states(1);
  CellBook<Point> book;
  std::vector<std::uint32_t> cell_of{0};
  bool is_too_much = false, has_overlap = false;
  sweep(
      networks,
      [&](std::uint32_t outer, std::size_t from, std::size_t to) -> std::uint32_t {
        std::vector<Interval<Point>> yes, possible, no;
        for (std::size_t i = from; i < to; ++i) {
          const std::uint32_t index = networks[i].index;
          const Element& element = set_.elements[index];
          const Network<Point> network{second(index), element.second_length, index};
          const Interval<Point> interval{network.first, network.last()};
          const bool says_no = rule_.says_no(element);
          if (element.doubtful || says_no) no.push_back(interval);
          if (element.doubtful || !says_no) possible.push_back(interval);
          if (!element.doubtful && !says_no && !Elementwise::may_go(element)) yes.push_back(interval);
        }
        const Seconds& around = states[outer];
        effort_ += around.yes.flips().size() + around.possible.flips().size() + around.no.flips().size() + 1;
        is_too_much = is_too_much || effort_ > most_effort;
        if (is_too_much) return nothing;
        Seconds inside{around.yes | FlipSet<Point>::of(std::move(yes)),
                       around.possible | FlipSet<Point>::of(std::move(possible)),
                       around.no | FlipSet<Point>::of(std::move(no))};
        has_overlap = has_overlap || inside.possible.intersects(inside.no);
        cell_of.push_back(book.state({inside.yes - inside.no, inside.possible}));
        states.push_back(std::move(inside));
        return static_cast<std::uint32_t>(states.size() - 1);
      },
      [&](Point from, Point to, std::uint32_t state) {
        if (state != nothing) book.add(from, to, cell_of[state]);
      });
  if (is_too_much) {
    open(ConditionKind::too_complex, fmt::format("ipset {}", set_.name));
    return {coarse(elements)};
  }
  if (has_overlap)
    open(ConditionKind::too_complex,
         fmt::format("pairs of networks in ipset {} that overlap a nomatch", set_.name));
  return book.take();
}

template <class Point>
PairCell Builder<Point>::coarse(const std::vector<std::uint32_t>& elements) const {
  std::vector<Interval<Point>> firsts, seconds;
  for (const std::uint32_t i : elements) {
    const Network<Point> a{first(i), first_length(i), i}, b{second(i), set_.elements[i].second_length, i};
    firsts.push_back({a.first, a.last()});
    seconds.push_back({b.first, b.last()});
  }
  return {as_set(FlipSet<Point>::of(std::move(firsts))), {}, as_set(FlipSet<Point>::of(std::move(seconds)))};
}

// ---- keys ---------------------------------------------------------------------------------------------

// Stretches of first addresses by what goes with them: certainly, possibly.
using Keys = std::vector<std::uint32_t>;
template <class Point>
using ByKeys = std::map<std::pair<Keys, Keys>, std::vector<Interval<Point>>>;

template <class Point>
std::vector<KeyCell> cells_of(ByKeys<Point> by_keys) {
  std::vector<KeyCell> cells;
  for (auto& [keys, firsts] : by_keys)
    if (!keys.second.empty())
      cells.push_back({as_set(FlipSet<Point>::of(std::move(firsts))), keys.first, keys.second});
  return cells;
}

void make_set(Keys& keys) {
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
}

template <class Point>
std::vector<KeyCell> Builder<Point>::marks() const {
  std::vector<std::uint32_t> order(set_.elements.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return first(i); });
  ByKeys<Point> by_keys;
  for (std::size_t from = 0, to = 0; from < order.size(); from = to) {
    const Point host = first(order[from]);
    Keys certain, possible;
    for (; to < order.size() && first(order[to]) == host; ++to) {
      const Element& element = set_.elements[order[to]];
      possible.push_back(element.detail);
      if (!Elementwise::may_go(element) && !element.doubtful) certain.push_back(element.detail);
    }
    make_set(certain);
    make_set(possible);
    by_keys[{certain, possible}].push_back({host, host});
  }
  return cells_of<Point>(std::move(by_keys));
}

std::uint32_t interface_key(const Element& element) { return element.detail << 1 | element.wildcard; }

// The longest network with any interface decides for all of them. Entries that may go away, bridge ports and
// beginnings of names leave what is around them possible.
template <class Point>
std::vector<KeyCell> Builder<Point>::interfaces() {
  constexpr std::size_t most_effort = 20'000'000;
  struct Names {
    Keys certain, possible;
  };
  std::vector<std::uint32_t> all(set_.elements.size());
  std::iota(all.begin(), all.end(), 0);
  Networks networks = first_networks(all);
  sort_outer_first(networks);
  std::vector<Names> states(1);
  ByKeys<Point> by_keys;
  bool is_too_much = false;
  sweep(
      networks,
      [&](std::uint32_t outer, std::size_t from, std::size_t to) -> std::uint32_t {
        Names inside;
        bool decides = false, has_no = false, has_wildcard = false;
        for (std::size_t i = from; i < to; ++i) {
          const Element& element = set_.elements[networks[i].index];
          const bool stays = !Elementwise::may_go(element) && !element.doubtful && !element.physdev;
          decides = decides || stays;
          has_no = has_no || rule_.says_no(element) || element.doubtful;
          has_wildcard = has_wildcard || element.wildcard;
          if (element.physdev)
            open(ConditionKind::device_state, fmt::format("bridge ports in ipset {}", set_.name));
          if (rule_.says_no(element) && !element.doubtful) continue;
          inside.possible.push_back(interface_key(element));
          const bool is_odd_name = !element.wildcard && set_.names[element.detail].ends_with('+');
          if (stays && !is_odd_name) inside.certain.push_back(interface_key(element));
        }
        const Names& around = states[outer];
        effort_ += around.possible.size() + (to - from);
        is_too_much = is_too_much || effort_ > most_effort;
        if (is_too_much) return nothing;
        if (has_wildcard && has_no) {  // which of two equal names stands first, nobody sees
          inside.certain.clear();
          open(ConditionKind::device_state, fmt::format("the order of names in ipset {}", set_.name));
        }
        if (!decides) {
          inside.certain.clear();
          inside.possible.insert(inside.possible.end(), around.possible.begin(), around.possible.end());
        }
        make_set(inside.certain);
        make_set(inside.possible);
        states.push_back(std::move(inside));
        return static_cast<std::uint32_t>(states.size() - 1);
      },
      [&](Point from, Point to, std::uint32_t state) {
        by_keys[{states[state].certain, states[state].possible}].push_back({from, to});
      });
  if (!is_too_much) return cells_of<Point>(std::move(by_keys));
  open(ConditionKind::too_complex, fmt::format("ipset {}", set_.name));
  KeyCell one;
  one.first = coarse(all).first;
  for (const Element& element : set_.elements) one.possible.push_back(interface_key(element));
  make_set(one.possible);
  return {one};
}

// ---- the whole ----------------------------------------------------------------------------------------

template <class Point>
std::vector<typename Builder<Point>::Group> Builder<Point>::groups() const {
  std::vector<std::uint32_t> order(set_.elements.size());
  std::iota(order.begin(), order.end(), 0);
  if (!has_services()) return {{0, std::move(order)}};
  std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return set_.elements[i].detail; });
  std::vector<Group> all;
  for (const std::uint32_t i : order) {
    const std::uint32_t service = set_.elements[i].detail;
    if (all.empty() || all.back().service != service) all.push_back({service, {}});
    all.back().elements.push_back(i);
  }
  return all;
}

Services services_of(std::uint32_t detail) {
  const auto number = static_cast<std::uint8_t>(detail >> 16);
  const auto port = static_cast<std::uint16_t>(detail);
  const ProtocolSet one(number, number);
  if (number == protocol::icmp || number == protocol::icmp6)
    return {Services::Kind::icmp, one, PortSet(port, port)};
  if (!has_ports_in_sets(number)) return {Services::Kind::portless, one, PortSet::all()};
  return {Services::Kind::ports, one, PortSet(port, port)};
}

template <class Point>
std::vector<PairCell> Builder<Point>::cells(const std::vector<std::uint32_t>& elements) {
  switch (set_.type) {
    case SetType::hash_ip_port_ip:
    case SetType::hash_ip_port_net: return host_pairs(elements);
    case SetType::hash_net_net:
    case SetType::hash_net_port_net: return network_pairs(elements);
    default: return one_address(elements);
  }
}

// Layers with the same addresses become one of several ports.
void join_layers(std::vector<Layer>& layers) {
  std::vector<Layer> joined;
  std::unordered_multimap<std::size_t, std::size_t> by_hash;
  const auto hash_of = [](const Layer& layer) {
    std::size_t hash = layer.cells.size() * 31 + static_cast<std::size_t>(layer.services.kind);
    for (const PairCell& cell : layer.cells)
      for (const AddressSet* set : {&cell.first, &cell.certain, &cell.possible})
        hash = mixed(mixed(hash * 31, set->v4), set->v6);
    return hash;
  };
  const auto takes_in = [](Layer& layer, const Layer& other) {
    if (layer.services.kind != other.services.kind || layer.cells != other.cells) return false;
    if (layer.services.protocols == other.services.protocols) layer.services.ports |= other.services.ports;
    else if (layer.services.ports == other.services.ports)
      layer.services.protocols |= other.services.protocols;
    else return false;
    return true;
  };
  for (Layer& layer : layers) {
    if (layer.services.kind == Services::Kind::icmp) {  // a type and its code are no range
      joined.push_back(std::move(layer));
      continue;
    }
    const std::size_t hash = hash_of(layer);
    std::size_t looked_at = 0;
    bool is_taken = false;
    for (auto [at, end] = by_hash.equal_range(hash); at != end && !is_taken && looked_at < most_alike;
         ++at, ++looked_at)
      is_taken = takes_in(joined[at->second], layer);
    if (is_taken) continue;
    by_hash.emplace(hash, joined.size());
    joined.push_back(std::move(layer));
  }
  layers = std::move(joined);
}

template <class Point>
Region Builder<Point>::build() {
  Region region;
  if (set_.type == SetType::hash_ip_mark) region.keys = marks();
  else if (set_.type == SetType::hash_net_iface) region.keys = interfaces();
  else
    for (const Group& group : groups()) {
      Layer layer{{}, cells(group.elements)};
      if (has_services()) layer.services = services_of(group.service);
      if (!layer.cells.empty()) region.layers.push_back(std::move(layer));
    }
  join_layers(region.layers);
  region.conditions = std::move(conditions_);
  return region;
}

// Ports alone: of both families.
Region port_region(const IpSet& set, Family family) {
  std::vector<Interval<std::uint16_t>> certain, possible;
  for (const Element& element : set.elements) {
    const Interval<std::uint16_t> port{element.port(), element.port()};
    possible.push_back(port);
    if (!Elementwise::may_go(element) && !element.doubtful) certain.push_back(port);
  }
  const AddressSet all = AddressSet::all(family);
  const PortSet sure = PortSet::of(std::move(certain)), open = PortSet::of(std::move(possible)) - sure;
  const ProtocolSet protocols =
      ProtocolSet(protocol::tcp, protocol::tcp) | ProtocolSet(protocol::udp, protocol::udp);
  Region region;
  if (!sure.empty()) region.layers.push_back({{Services::Kind::ports, protocols, sure}, {{all, all, all}}});
  if (!open.empty()) region.layers.push_back({{Services::Kind::ports, protocols, open}, {{all, {}, all}}});
  return region;
}

// MAC addresses are the last router's, and no part of the question: who is named is possible.
Region mac_region(const IpSet& set, Family family, Region region) {
  const AddressSet all = AddressSet::all(family);
  if (set.type == SetType::hash_mac && !set.elements.empty()) region.layers = {{{}, {{all, {}, all}}}};
  for (Layer& layer : region.layers)
    for (PairCell& cell : layer.cells) cell.certain = {};
  region.conditions.push_back(
      {ConditionKind::device_state, fmt::format("MAC addresses in ipset {}", set.name), set.span});
  return region;
}

// Elements that go away by themselves, or that say both yes and no: the first few by name.
void name_open_elements(const IpSet& set, std::vector<Condition>& conditions) {
  constexpr std::size_t most_named = 8;
  std::size_t named = 0, more = 0;
  for (std::size_t i = 0; i < set.elements.size(); ++i) {
    const Element& element = set.elements[i];
    if (element.timeout == 0 && !element.doubtful) continue;
    if (named == most_named) {
      ++more;
      continue;
    }
    ++named;
    const Span where{element.begin, element.begin, element.source};
    const std::string text = element_text(set, i);
    if (element.doubtful)
      conditions.push_back(
          {ConditionKind::not_understood, fmt::format("{} stands twice in ipset {}", text, set.name), where});
    else
      conditions.push_back(
          {ConditionKind::device_state,
           fmt::format("{} in ipset {} for {} s", text, set.name, std::uint32_t{element.timeout}), where});
  }
  if (more > 0)
    conditions.push_back({ConditionKind::device_state,
                          fmt::format("{} more elements with a timeout in ipset {}", more, set.name),
                          set.span});
}

}  // namespace

Region region_of(const IpSet& set, Family family, bool return_nomatch) {
  Region region;
  if (set.type == SetType::bitmap_port) region = port_region(set, family);
  else if (set.type == SetType::hash_mac) region = mac_region(set, family, {});
  else if (family == Family::ipv4) region = Builder<V4>(set, return_nomatch).build();
  else region = Builder<V6>(set, return_nomatch).build();
  if (set.type == SetType::bitmap_ip_mac || set.type == SetType::hash_ip_mac)
    region = mac_region(set, family, std::move(region));
  name_open_elements(set, region.conditions);
  return region;
}

}  // namespace aclmend::iptables
