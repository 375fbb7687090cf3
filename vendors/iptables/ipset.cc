#include "vendors/iptables/ipset.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "vendors/iptables/words.h"

namespace aclmend::iptables {
namespace {

constexpr TypeFacts types[] = {
    {"bitmap:ip", "ipmap", {Part::ip}, false},
    {"bitmap:ip,mac", "macipmap", {Part::ip, Part::mac}, false},
    {"bitmap:port", "portmap", {Part::port}, false},
    {"hash:ip", "iphash", {Part::ip}},
    {"hash:mac", "", {Part::mac}, false},
    {"hash:ip,mac", "", {Part::ip, Part::mac}},
    {"hash:net", "nethash", {Part::net}, true, true},
    {"hash:net,net", "", {Part::net, Part::net}, true, true},
    {"hash:ip,port", "ipporthash", {Part::ip, Part::port}},
    {"hash:net,port", "", {Part::net, Part::port}, true, true},
    {"hash:ip,port,ip", "ipportiphash", {Part::ip, Part::port, Part::ip}},
    {"hash:ip,port,net", "ipportnethash", {Part::ip, Part::port, Part::net}, true, true},
    {"hash:ip,mark", "", {Part::ip, Part::mark}},
    {"hash:net,port,net", "", {Part::net, Part::port, Part::net}, true, true},
    {"hash:net,iface", "", {Part::net, Part::interface}, true, true},
    {"list:set", "setlist", {Part::set}, false},
    {"", "", {}, false},
};
static_assert(std::size(types) == static_cast<std::size_t>(SetType::unknown) + 1);

// The finalizer of MurmurHash3.
std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ value >> 33) * 0xFF51AFD7ED558CCD;
  value = (value ^ value >> 33) * 0xC4CEB9FE1A85EC53;
  return value ^ value >> 33;
}

std::uint64_t kind_of(const Element& element) {
  return std::uint64_t{element.detail} << 32 | std::uint64_t{element.length} << 16 |
         std::uint64_t{element.second_length} << 8 | std::uint64_t{element.physdev} << 1 | element.wildcard;
}

}  // namespace

const TypeFacts& facts(SetType type) { return types[static_cast<std::size_t>(type)]; }

std::size_t dimensions(SetType type) {
  const auto& parts = facts(type).parts;
  return static_cast<std::size_t>(std::ranges::find(parts, Part::none) - parts.begin());
}

std::optional<SetType> set_type_named(std::string_view name) {
  if (name.empty()) return std::nullopt;
  for (std::size_t i = 0; i < static_cast<std::size_t>(SetType::unknown); ++i)
    if (types[i].name == name || types[i].old_name == name) return static_cast<SetType>(i);
  return std::nullopt;
}

bool has_ports_in_sets(std::uint8_t number) {
  constexpr std::uint8_t udplite = 136;
  return number == protocol::tcp || number == protocol::udp || number == protocol::sctp || number == udplite;
}

// ---- elements -----------------------------------------------------------------------------------------

std::uint64_t Elements::hash(const Element& element, V6 second) const {
  std::uint64_t value = mixed(element.high + seed_) ^ mixed(element.low - seed_) * 3 ^ kind_of(element);
  if (second != 0)
    value ^= mixed(static_cast<std::uint64_t>(second >> 64) + 1) * 5 +
             mixed(static_cast<std::uint64_t>(second)) * 7;
  return mixed(value + seed_);
}

bool Elements::equal(std::size_t i, const Element& element, V6 other_second) const {
  const Element& here = list_[i];
  return here.high == element.high && here.low == element.low && kind_of(here) == kind_of(element) &&
         second(i) == other_second;
}

// Where the element's slot is, or the free one where it would go.
Elements::Found Elements::slot_of(std::uint64_t hash, const Element& element, V6 second) const {
  const std::size_t last = slots_.size() - 1;
  const auto mark = static_cast<std::uint32_t>(hash >> 32);
  for (std::size_t steps = 0;; ++steps) {
    const std::size_t at = (hash + steps) & last;
    const Slot& slot = slots_[at];
    if (slot.index == free || (slot.hash == mark && equal(slot.index, element, second))) return {at, steps};
  }
}

namespace {
constexpr std::size_t crowded = 512;  // steps; chance makes far fewer in a half-empty index
}

// Slots of a large index are cache misses all: they are fetched a batch ahead. False: one place is crowded.
bool Elements::fill_index(std::vector<EqualPair>& pairs, std::size_t most_steps) {
  constexpr std::size_t batch = 16, fewest_slots = 16;
  slots_.assign(std::bit_ceil(std::max(fewest_slots, 2 * list_.size())), {});
  std::array<std::uint64_t, batch> hashes{};
  for (std::size_t from = 0; from < list_.size(); from += batch) {
    const std::size_t count = std::min(batch, list_.size() - from);
    for (std::size_t i = 0; i < count; ++i) {
      hashes[i] = hash(list_[from + i], second(from + i));
      __builtin_prefetch(&slots_[hashes[i] & (slots_.size() - 1)]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const auto [at, steps] = slot_of(hashes[i], list_[from + i], second(from + i));
      if (steps > most_steps) return false;
      const auto index = static_cast<std::uint32_t>(from + i);
      if (slots_[at].index == free) slots_[at] = {static_cast<std::uint32_t>(hashes[i] >> 32), index};
      else pairs.push_back({slots_[at].index, index});
    }
  }
  return true;
}

std::vector<Elements::EqualPair> Elements::make_index() {
  constexpr int tries = 16;
  std::vector<EqualPair> pairs;
  for (int i = 0; !fill_index(pairs, i < tries ? crowded : list_.size()); ++i) {
    pairs.clear();
    seed_ = mixed(seed_ + 1);
  }
  return pairs;
}

void Elements::append(const Element& element, V6 second) {
  if (second != 0 || !seconds_.empty()) {
    seconds_.resize(list_.size());
    seconds_.push_back(second);
  }
  list_.push_back(element);
  if (slots_.empty()) return;
  const std::uint64_t value = hash(element, second);
  const auto [at, steps] = slot_of(value, element, second);
  if (2 * list_.size() > slots_.size() || steps > crowded) {
    make_index();
    return;
  }
  if (slots_[at].index == free)
    slots_[at] = {static_cast<std::uint32_t>(value >> 32), static_cast<std::uint32_t>(list_.size() - 1)};
}

std::optional<std::size_t> Elements::find(const Element& element, V6 second) {
  if (slots_.empty()) make_index();
  const Slot& slot = slots_[slot_of(hash(element, second), element, second).slot];
  return slot.index == free ? std::nullopt : std::optional<std::size_t>(slot.index);
}

// Frees a slot and moves those behind it up that would no longer be found.
void Elements::forget_slot(std::size_t slot) {
  const std::size_t last = slots_.size() - 1;
  slots_[slot] = {};
  for (std::size_t at = (slot + 1) & last; slots_[at].index != free; at = (at + 1) & last) {
    const std::size_t index = slots_[at].index;
    const std::size_t home = hash(list_[index], second(index)) & last;
    if (((at - home) & last) < ((at - slot) & last)) continue;
    slots_[slot] = slots_[at];
    slots_[at] = {};
    slot = at;
  }
}

void Elements::erase(std::size_t i) {
  const std::size_t last = list_.size() - 1;
  if (!slots_.empty()) {
    forget_slot(slot_of(hash(list_[i], second(i)), list_[i], second(i)).slot);
    if (i != last)
      slots_[slot_of(hash(list_[last], second(last)), list_[last], second(last)).slot].index =
          static_cast<std::uint32_t>(i);
  }
  list_[i] = list_[last];
  list_.pop_back();
  if (seconds_.empty()) return;
  seconds_[i] = seconds_[last];
  seconds_.pop_back();
}

void Elements::clear() {
  list_.clear();
  seconds_.clear();
  slots_ = std::vector<Slot>();
}

std::vector<Elements::EqualPair> Elements::equal_pairs() { return make_index(); }

void Elements::erase_later(std::span<const EqualPair> pairs) {
  slots_ = std::vector<Slot>();
  if (pairs.empty()) return;
  auto next = pairs.begin();
  std::size_t to = next->later;
  for (std::size_t from = to; from < list_.size(); ++from) {
    if (next != pairs.end() && next->later == from) {
      ++next;
      continue;
    }
    list_[to] = list_[from];
    if (!seconds_.empty()) seconds_[to] = seconds_[from];
    ++to;
  }
  list_.resize(to);
  if (!seconds_.empty()) seconds_.resize(to);
}

void Elements::shrink() {
  slots_ = std::vector<Slot>();
  list_.shrink_to_fit();
  seconds_.shrink_to_fit();
}

// ---- a set --------------------------------------------------------------------------------------------

Address IpSet::first(const Element& element) const {
  if (family == Family::ipv6) return Address::v6(V6{element.high} << 64 | element.low);
  return Address::v4(static_cast<V4>(element.low));
}

Address IpSet::second(std::size_t i) const {
  if (family == Family::ipv6) return Address::v6(elements.second(i));
  return {Family::ipv4, elements[i].high};
}

Prefix IpSet::first_prefix(const Element& element) const { return {first(element), element.length}; }
Prefix IpSet::second_prefix(std::size_t i) const { return {second(i), elements[i].second_length}; }

std::uint32_t IpSet::name_id(std::string_view text) {
  const auto [at, is_new] =
      name_ids_.try_emplace(std::string(text), static_cast<std::uint32_t>(names.size()));
  if (is_new) names.emplace_back(text);
  return at->second;
}

std::optional<std::uint32_t> IpSet::known_name(std::string_view text) const {
  const auto found = name_ids_.find(std::string(text));
  return found == name_ids_.end() ? std::nullopt : std::optional(found->second);
}

namespace {

std::string mac_text(std::uint64_t mac) {
  std::string text;
  for (int shift = 40; shift >= 0; shift -= 8)
    text += fmt::format("{:02X}{}", mac >> shift & 255, shift > 0 ? ":" : "");
  return text;
}

std::string port_text(const Element& element, SetType type) {
  if (type == SetType::bitmap_port) return std::to_string(element.port());
  const std::uint8_t number = element.protocol();
  const auto name = protocol_word(number);
  const std::string protocol = name ? std::string(*name) : std::to_string(number);
  if (number == protocol::icmp || number == protocol::icmp6)
    return fmt::format("{}:{}/{}", protocol, element.port() >> 8, element.port() & 255);
  return fmt::format("{}:{}", protocol, element.port());
}

}  // namespace

std::string element_text(const IpSet& set, std::size_t i) {
  const Element& element = set.elements[i];
  std::string text;
  bool is_first_address = true;
  for (const Part part : facts(set.type).parts) {
    if (part == Part::none) break;
    if (part == Part::mac && set.type == SetType::bitmap_ip_mac) break;
    if (!text.empty()) text += ',';
    switch (part) {
      case Part::none: break;
      case Part::ip:
      case Part::net:
        text += host_bare(is_first_address ? set.first_prefix(element) : set.second_prefix(i));
        is_first_address = false;
        break;
      case Part::port: text += port_text(element, set.type); break;
      case Part::mac:
        text += mac_text(set.type == SetType::hash_mac ? element.low
                                                       : static_cast<std::uint64_t>(set.second(i).number));
        break;
      case Part::mark: text += fmt::format("0x{:08x}", element.detail); break;
      case Part::interface: text += (element.physdev ? "physdev:" : "") + set.names[element.detail]; break;
      case Part::set: text += set.names[element.detail]; break;
    }
  }
  return text;
}

// ---- all of them --------------------------------------------------------------------------------------

const IpSet* IpSets::named(std::string_view name) const {
  const auto found = index_.find(std::string(name));
  return found == index_.end() ? nullptr : &sets[found->second];
}

IpSet* IpSets::named(std::string_view name) {
  const auto found = index_.find(std::string(name));
  return found == index_.end() ? nullptr : &sets[found->second];
}

IpSet& IpSets::add(IpSet set) {
  index_[set.name] = sets.size();
  return sets.emplace_back(std::move(set));
}

void IpSets::remove(std::string_view name) {
  const auto found = index_.find(std::string(name));
  if (found == index_.end()) return;
  const std::size_t at = found->second;
  index_.erase(found);
  if (at + 1 != sets.size()) {
    sets[at] = std::move(sets.back());
    index_[sets[at].name] = at;
  }
  sets.pop_back();
}

void IpSets::rename(std::string_view from, std::string_view to) {
  const auto found = index_.find(std::string(from));
  if (found == index_.end()) return;
  const std::size_t at = found->second;
  index_.erase(found);
  sets[at].name = to;
  index_[sets[at].name] = at;
}

void IpSets::swap(std::string_view a, std::string_view b) {
  IpSet *one = named(a), *other = named(b);
  if (one == nullptr || other == nullptr || one == other) return;
  std::swap(*one, *other);
  std::swap(one->name, other->name);
  std::swap(one->is_used, other->is_used);  // rules and lists refer to the name
  std::swap(one->lists, other->lists);
}

void IpSets::count_lists() {
  for (IpSet& set : sets) set.lists = 0;
  for (const IpSet& list : sets) {
    if (list.type != SetType::list_set) continue;
    for (const Element& element : list.elements)
      if (IpSet* member = named(list.names[element.detail])) ++member->lists;
  }
}

}  // namespace aclmend::iptables
