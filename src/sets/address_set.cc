#include "sets/address_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "base/text.h"

namespace aclmend {
namespace {

template <class Point>
void append_prefixes(std::vector<Prefix>& out, const FlipSet<Point>& set, Family family) {
  for (std::size_t i = 0; i < set.interval_count(); ++i) {
    const auto [first, last] = set.interval(i);
    each_minimal_prefix(first, last,
                        [&](Point network, int length) { out.push_back({{family, network}, length}); });
  }
}

struct ProtocolName {
  std::string_view name;
  std::uint8_t number;
};
constexpr std::array<ProtocolName, 9> protocol_names{{{"icmp", 1},
                                                      {"igmp", 2},
                                                      {"tcp", 6},
                                                      {"udp", 17},
                                                      {"gre", 47},
                                                      {"esp", 50},
                                                      {"ah", 51},
                                                      {"icmp6", 58},
                                                      {"sctp", 132}}};

}  // namespace

AddressSet::AddressSet(Address first, Address last) {
  assert(first.family == last.family);
  if (first.is_v4()) v4 = FlipSet<V4>(first.as_v4(), last.as_v4());
  else v6 = FlipSet<V6>(first.number, last.number);
}

AddressSet AddressSet::all(Family family) {
  return family == Family::ipv4 ? AddressSet{FlipSet<V4>::all(), {}} : AddressSet{{}, FlipSet<V6>::all()};
}

AddressSet AddressSet::of(std::span<const Prefix> prefixes) {
  std::vector<Interval<V4>> four;
  std::vector<Interval<V6>> six;
  for (const Prefix& prefix : prefixes) {
    if (prefix.address.is_v4()) four.push_back({prefix.first().as_v4(), prefix.last().as_v4()});
    else six.push_back({prefix.first().number, prefix.last().number});
  }
  return {FlipSet<V4>::of(std::move(four)), FlipSet<V6>::of(std::move(six))};
}

bool AddressSet::contains(Address address) const {
  return address.is_v4() ? v4.contains(address.as_v4()) : v6.contains(address.number);
}

std::optional<Address> AddressSet::lowest() const {
  if (!v4.empty()) return Address::v4(v4.interval(0).first);
  if (!v6.empty()) return Address::v6(v6.interval(0).first);
  return std::nullopt;
}

std::vector<Prefix> AddressSet::prefixes() const {
  std::vector<Prefix> out;
  append_prefixes(out, v4, Family::ipv4);
  append_prefixes(out, v6, Family::ipv6);
  return out;
}

std::vector<Prefix> minimal_prefixes(Address first, Address last) {
  return AddressSet(first, last).prefixes();
}

std::vector<std::string> to_strings(std::span<const Prefix> prefixes) {
  std::vector<std::string> out;
  out.reserve(prefixes.size());
  for (const Prefix& prefix : prefixes) out.push_back(to_string(prefix));
  return out;
}

std::string to_string(const AddressSet& set) {
  if (set.empty()) return "nothing";
  return fmt::format("{}", fmt::join(to_strings(set.prefixes()), " "));
}

std::string to_string(const PortSet& set) {
  std::string out;
  for (const auto& [first, last] : set.intervals()) {
    if (!out.empty()) out += ' ';
    out += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
  }
  return out.empty() ? "nothing" : out;
}

std::string protocol_name(std::uint8_t number) {
  const auto known = std::ranges::find(protocol_names, number, &ProtocolName::number);
  return known == protocol_names.end() ? fmt::format("{}", number) : std::string(known->name);
}

std::optional<std::uint8_t> protocol_number(std::string_view name) {
  const std::string lowered = lower(name);
  const auto known = std::ranges::find(protocol_names, lowered, &ProtocolName::name);
  return known == protocol_names.end() ? parse_decimal<std::uint8_t>(name) : std::optional(known->number);
}

}  // namespace aclmend
