#include "vendors/cisco_asa/meaning.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "vendors/cisco_asa/names.h"

namespace aclmend::cisco_asa {
namespace {

enum class AddressForm : std::uint8_t {
  all,
  all4,
  all6,
  v4,
  masked,
  range,
  v6,
  range6,
  object,
  group,
  other
};

// Numbers out of the parts of an entry; what cannot be known makes it doubtful.
struct Numbers {
  const Configuration& configuration;
  Era era;
  ListFamily family;
  bool is_doubtful = false;

  std::uint64_t doubt() {
    is_doubtful = true;
    return 0;
  }
  std::uint64_t index_of(std::string_view name, bool is_group) {
    const NameEntry* known = named(configuration, name);
    if (known == nullptr || known->is_group != is_group) return doubt();
    return known->index;
  }
  void write(const AddressPlace& place, std::uint64_t* to);
  void write_v6(std::string_view first, std::string_view last, std::uint64_t* to);
  std::uint64_t port(const PortPlace& place);
};

std::uint64_t headed(AddressForm form, int length = 0) {
  return std::uint64_t{static_cast<std::uint8_t>(form)} << 8 | static_cast<std::uint64_t>(length);
}

void Numbers::write_v6(std::string_view first, std::string_view last, std::uint64_t* to) {
  const auto prefix_named = [&](std::string_view word) -> std::optional<Prefix> {
    if (const auto prefix = parse_prefix(word)) return prefix;
    const auto alias = configuration.aliases.find(word);
    if (alias == configuration.aliases.end()) return std::nullopt;
    return host_prefix(alias->second.address);
  };
  const auto from = prefix_named(first), until = prefix_named(last);
  if (!from || !until) return void(doubt());
  const bool is_range = first != last;
  if (!is_range && from->length == 0) {
    to[0] = headed(AddressForm::all6);
    return;
  }
  to[0] = headed(is_range ? AddressForm::range6 : AddressForm::v6, from->length);
  to[1] = static_cast<std::uint64_t>(from->address.number >> 64);
  to[2] = static_cast<std::uint64_t>(from->address.number);
  if (!is_range) return;
  to[3] = static_cast<std::uint64_t>(until->address.number >> 64);
  to[4] = static_cast<std::uint64_t>(until->address.number);
}

void Numbers::write(const AddressPlace& place, std::uint64_t* to) {
  using enum AddressPlace::Kind;
  const bool is_v6_list = family == ListFamily::ipv6;
  switch (place.kind) {
    case any:
      to[0] = headed(is_v6_list ? AddressForm::all6 : era.any_is_v4 ? AddressForm::all4 : AddressForm::all);
      return;
    case any4: to[0] = headed(is_v6_list ? AddressForm::all6 : AddressForm::all4); return;
    case any6: to[0] = headed(AddressForm::all6); return;
    case v4:
      to[0] = place.length == 0 ? headed(AddressForm::all4) : headed(AddressForm::v4, place.length);
      to[1] = place.length == 0 ? 0 : place.first;
      return;
    case range:
      to[0] = place.first == place.last ? headed(AddressForm::v4, 32) : headed(AddressForm::range);
      to[1] = place.first;
      to[2] = place.first == place.last ? 0 : place.last;
      return;
    case masked:
      to[0] = headed(AddressForm::masked);
      to[1] = place.first;
      to[2] = place.last;
      return;
    case v6: return write_v6(place.name, place.name, to);
    case range6: return write_v6(place.name, place.name2, to);
    case object:
    case network_service:
      to[0] = headed(AddressForm::object);
      to[1] = index_of(place.name, place.kind == network_service);
      return;
    case group:
      to[0] = headed(AddressForm::group);
      to[1] = index_of(place.name, true);
      return;
    case interface:
    case unpaired:
    case fqdn:
    case unknown_alias: to[0] = doubt(); return;
  }
}

std::uint64_t Numbers::port(const PortPlace& place) {
  using enum PortPlace::Kind;
  const std::uint64_t kind = static_cast<std::uint64_t>(place.kind) << 60;
  switch (place.kind) {
    case any:
    case range: return std::uint64_t{place.first} << 16 | place.last;
    case neq: return kind | place.first;
    case group: return kind | index_of(place.name, true);
    case unknown_name: return doubt();
  }
  return 0;
}

bool same_words(std::string_view a, std::string_view b) {
  Words left(a), right(b);
  while (!left.at_end() && left.peek() == right.peek()) left.next(), right.next();
  return left.at_end() && right.at_end();
}

std::uint64_t mixed(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL;
  return hash ^ (hash >> 29);
}

std::uint64_t hash_of_text(std::string_view text) { return std::hash<std::string_view>()(text); }

}  // namespace

Era era_of(const Configuration& configuration) {
  const Header& header = configuration.header;
  const auto is_before = [&](int major, int minor) {
    return header.major < major || (header.major == major && header.minor < minor);
  };
  if (!header.version.empty()) {
    const bool is_old_product = header.product != Product::asa;
    return {true, is_old_product || is_before(9, 0), is_old_product || is_before(8, 3)};
  }
  const bool is_old = configuration.old_nat_lines && !configuration.has_new_nat;
  return {is_old, is_old, is_old};
}

Meaning meaning_of(const Ace& ace, std::string_view text, const Configuration& configuration,
                   ListFamily family) {
  Meaning meaning;
  meaning.text = text;
  Numbers numbers{configuration, era_of(configuration), family};
  std::array<std::uint64_t, 14>& to = meaning.numbers;
  to[0] = std::uint64_t{ace.is_permit} << 16 | static_cast<std::uint64_t>(ace.protocol) << 8 | ace.number;
  if (ace.protocol == Ace::Protocol::object || ace.protocol == Ace::Protocol::group)
    to[1] = numbers.index_of(ace.protocol_name, ace.protocol == Ace::Protocol::group);
  numbers.write(ace.source, &to[2]);
  numbers.write(ace.destination, &to[7]);
  to[12] = numbers.port(ace.source_port);
  to[13] = numbers.port(ace.destination_port);
  meaning.user = ace.user;
  meaning.source_tag = ace.source_tag;
  meaning.destination_tag = ace.destination_tag;
  meaning.is_doubtful = numbers.is_doubtful || !ace.fault.empty() || ace.reach != Ace::Reach::all;
  return meaning;
}

std::uint64_t hash_of(const Meaning& meaning) {
  std::uint64_t hash = meaning.is_doubtful ? 2 : 1;
  if (meaning.is_doubtful) {
    for (Words words(meaning.text); !words.at_end();) hash = mixed(hash, hash_of_text(words.next()));
    return hash;
  }
  for (const std::uint64_t number : meaning.numbers) hash = mixed(hash, number);
  if (!meaning.user.empty()) hash = mixed(hash, hash_of_text(meaning.user));
  return hash;
}

bool same(const Meaning& a, const Meaning& b) {
  if (a.is_doubtful != b.is_doubtful) return false;
  if (a.is_doubtful) return same_words(a.text, b.text);
  return a.numbers == b.numbers && a.user == b.user && a.source_tag == b.source_tag &&
         a.destination_tag == b.destination_tag;
}

bool same_tail(const Ace& a, const Ace& b) {
  const auto level = [](const Ace& ace) { return log_level(ace.log_level).value_or(6); };
  const auto seconds = [](const Ace& ace) {
    return ace.log_interval.empty() ? std::string_view("300") : ace.log_interval;
  };
  if (a.is_inactive != b.is_inactive || a.time_range != b.time_range || a.log != b.log) return false;
  return a.log != Ace::Log::on || (level(a) == level(b) && seconds(a) == seconds(b));
}

std::string member_key(GroupType type, std::string_view text, const Configuration& configuration) {
  Words words(text);
  const std::string_view keyword = words.next();
  if (words.at_end()) return {};
  if (keyword == "group-object") {
    const std::string_view name = words.next();
    return words.at_end() ? fmt::format("group-object {}", name) : "";
  }
  if (type == GroupType::network) {
    const AddressResult parsed = parse_address_place(words, configuration);
    if (!parsed.fault.empty() || !parsed.unpaired.empty() || !words.at_end()) return {};
    Numbers numbers{configuration, {}, ListFamily::of_the_version};
    std::array<std::uint64_t, 5> its{};
    numbers.write(parsed.place, its.data());
    if (numbers.is_doubtful)  // a name that is not defined here: the same words are the same
      return fmt::format("{} {}", static_cast<int>(parsed.place.kind), parsed.place.name);
    return fmt::format("{:x} {:x} {:x} {:x} {:x}", its[0], its[1], its[2], its[3], its[4]);
  }
  std::string key(keyword);
  if (type == GroupType::icmp_type)
    if (const auto number = icmp_type(words.peek(), IcmpTable::icmp))
      return fmt::format("{} {}", key, *number);
  while (!words.at_end()) {
    const std::string_view word = words.next();
    if (word == "destination") continue;  // before 8.3 it went without saying
    const auto port = port_number(word, PortTable::both);
    const auto protocol = ip_protocol(word);
    const bool is_protocol = protocol && key.find(' ') == std::string::npos && keyword != "port-object";
    key += is_protocol ? fmt::format(" {}", *protocol)
           : port      ? fmt::format(" {}", *port)
                       : fmt::format(" {}", word);
  }
  return key;
}

MeaningTable::MeaningTable(std::size_t most)
    : slots_(std::bit_ceil(most * 2 + 2)), mask_(slots_.size() - 1) {}

}  // namespace aclmend::cisco_asa
