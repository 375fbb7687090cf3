// What stands behind `create NAME TYPE`, and behind `Header:` in a listing.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text.h"
#include "vendors/iptables/ipset_command.h"

namespace aclmend::iptables {
namespace {

std::string shown(std::string_view text) { return printable(text.substr(0, 60)); }

}  // namespace

IpSet empty_set(std::string_view name, std::string_view type, Span span) {
  IpSet set;
  set.name = name;
  set.type_name = type;
  set.span = span;
  set.type = set_type_named(type).value_or(SetType::unknown);
  if (set.type == SetType::unknown) {
    set.doubt = {fmt::format("'{}' is no type of set that this reader knows", shown(type)), span, true};
    return set;
  }
  set.type_name = facts(set.type).name;
  const bool is_bitmap_of_addresses = set.type == SetType::bitmap_ip || set.type == SetType::bitmap_ip_mac;
  if (facts(set.type).has_family || is_bitmap_of_addresses) set.family = Family::ipv4;
  return set;
}

namespace {

constexpr V4 largest_bitmap = 65536;

class CreateOptions {
 public:
  explicit CreateOptions(IpSet& set) : set_(set) {}
  std::expected<void, SetFault> read(std::span<const Word> words);

 private:
  using Done = std::expected<void, SetFault>;
  bool is_hash() const { return facts(set_.type).name.starts_with("hash:"); }
  bool is_bitmap() const { return facts(set_.type).name.starts_with("bitmap:"); }
  Done number(const Word& option, const Word& value, std::uint32_t& to);
  Done family(const Word& value);
  Done netmask(const Word& option, const Word& value);
  Done bitmask(const Word& value);
  Done range(const Word& value);
  Done port_range(const Word& value);
  // One with a value; none where this type knows no such option.
  std::optional<Done> option(const Word& word, const Word& value);

  IpSet& set_;
  bool has_range_ = false;
};

CreateOptions::Done CreateOptions::number(const Word& option, const Word& value, std::uint32_t& to) {
  const auto number = parse_number(value.text);
  if (!number)
    return refused(value, fmt::format("expected a number of 32 bits after '{}', found '{}'",
                                      shown(option.text), shown(value.text)));
  to = *number;
  return {};
}

CreateOptions::Done CreateOptions::family(const Word& value) {
  if (value.text == "inet" || value.text == "ipv4" || value.text == "-4") set_.family = Family::ipv4;
  else if (value.text == "inet6" || value.text == "ipv6" || value.text == "-6") set_.family = Family::ipv6;
  else
    return refused(value,
                   fmt::format("expected 'inet' or 'inet6' after 'family', found '{}'", shown(value.text)));
  return {};
}

CreateOptions::Done CreateOptions::netmask(const Word& option, const Word& value) {
  const auto length = parse_decimal<unsigned>(value.text);
  const unsigned longest = set_.family == Family::ipv6 ? 128 : 32;
  if (set_.type == SetType::hash_net_net)
    return not_understood(option, "a netmask in a hash:net,net is not known to this reader");
  if (!length || *length == 0 || *length > longest)
    return refused(value, fmt::format("expected a length from 1 to {} after 'netmask', found '{}'", longest,
                                      shown(value.text)));
  if (*length < longest) set_.options.netmask = static_cast<int>(*length);
  return {};
}

CreateOptions::Done CreateOptions::bitmask(const Word& value) {
  const auto mask = parse_plain_address(value.text);
  if (!mask || mask->family != *set_.family)
    return refused(value, fmt::format("expected a mask after 'bitmask', found '{}'", shown(value.text)));
  const V6 all = mask->is_v4() ? V6{0xFFFFFFFF} : ~V6{0};
  const auto prefix = MaskedAddress{*mask, mask->number}.prefix();
  if (set_.type == SetType::hash_net_net || !prefix || prefix->length == 0)
    return not_understood(value,
                          fmt::format("what set '{}' makes of the mask '{}' is not known to this reader",
                                      shown(set_.name), shown(value.text)));
  if (mask->number != all) set_.options.netmask = prefix->length;
  return {};
}

CreateOptions::Done CreateOptions::port_range(const Word& value) {
  const std::size_t dash = value.text.find('-');
  const auto first = parse_port(value.text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_port(value.text.substr(dash + 1));
  if (!first || !last)
    return refused(value,
                   fmt::format("expected a range of ports after 'range', found '{}'", shown(value.text)));
  std::tie(set_.options.first, set_.options.last) = std::minmax<V4>(*first, *last);
  return {};
}

CreateOptions::Done CreateOptions::range(const Word& value) {
  has_range_ = true;
  if (set_.type == SetType::bitmap_port) return port_range(value);
  const std::size_t dash = value.text.find('-');
  const auto first = parse_masked_address(value.text.substr(0, dash));
  const auto last =
      dash == std::string_view::npos ? first : parse_masked_address(value.text.substr(dash + 1));
  const auto is_v4 = [](const auto& address) {
    return address && address->address.is_v4() && address->prefix().has_value();
  };
  if (!is_v4(first) || !is_v4(last))
    return refused(value, fmt::format("expected a range of IPv4 addresses after 'range', found '{}'",
                                      shown(value.text)));
  const V4 a = first->prefix()->first().as_v4(), b = last->prefix()->last().as_v4();
  std::tie(set_.options.first, set_.options.last) = std::minmax(a, b);
  return {};
}

std::optional<CreateOptions::Done> CreateOptions::option(const Word& word, const Word& value) {
  const std::string_view name = word.text;
  SetOptions& options = set_.options;
  std::uint32_t ignored = 0;
  if (name == "timeout") {
    std::uint32_t seconds = 0;
    if (auto read = number(word, value, seconds); !read) return read;
    if (seconds > Element::longest_timeout)
      return refused(value, fmt::format("expected seconds from 0 to {} after 'timeout', found '{}'",
                                        Element::longest_timeout, shown(value.text)));
    options.timeout = seconds;
    return Done{};
  }
  if (is_hash()) {
    if (name == "family" && facts(set_.type).has_family) return family(value);
    if (name == "maxelem") return number(word, value, options.maxelem);
    if (name == "hashsize" || name == "bucketsize" || name == "initval" || name == "probes" ||
        name == "resize")
      return number(word, value, ignored);
    const bool takes_mask = set_.type == SetType::hash_ip || set_.type == SetType::hash_ip_port ||
                            set_.type == SetType::hash_net_net;
    if (name == "netmask" && takes_mask) return netmask(word, value);
    if (name == "bitmask" && takes_mask) return bitmask(value);
    if (name == "markmask" && set_.type == SetType::hash_ip_mark)
      return number(word, value, options.markmask);
  }
  if (is_bitmap() && name == "range") return range(value);
  if (name == "netmask" && set_.type == SetType::bitmap_ip) return netmask(word, value);
  if (name == "size" && set_.type == SetType::list_set) return number(word, value, ignored);
  return std::nullopt;
}

CreateOptions::Done CreateOptions::read(std::span<const Word> words) {
  if (set_.type == SetType::unknown) return {};
  SetOptions& options = set_.options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const Word& word = words[i];
    if (is_exist_flag(word.text)) continue;
    if (word.text == "counters") options.counters = true;
    else if (word.text == "comment") options.comment = true;
    else if (word.text == "skbinfo") options.skbinfo = true;
    else if (word.text == "forceadd" && is_hash()) options.forceadd = true;
    else if ((word.text == "-4" || word.text == "-6") && facts(set_.type).has_family)
      set_.family = word.text == "-4" ? Family::ipv4 : Family::ipv6;
    else {
      const Word& value = words[std::min(i + 1, words.size() - 1)];
      auto read = option(word, value);
      if (!read)
        return not_understood(word,
                              fmt::format("'{}' is no option that this reader knows for a set of type {}",
                                          shown(word.text), facts(set_.type).name));
      if (i + 1 == words.size())
        return refused(word, fmt::format("expected a value after '{}'", shown(word.text)));
      if (!*read) return *read;
      ++i;
    }
  }
  const Word& end = words.empty() ? Word{} : words.back();
  if (is_bitmap() && !has_range_) return refused(end, "a bitmap is refused without its 'range'");
  if (set_.type == SetType::bitmap_ip || set_.type == SetType::bitmap_ip_mac) {
    const V4 step = options.netmask ? V4{1} << (32 - *options.netmask) : 1;
    options.first &= ~(step - 1);
    options.last |= step - 1;
    if ((options.last - options.first) / step >= largest_bitmap)
      return refused(end, fmt::format("a bitmap of more than {} addresses is refused", largest_bitmap));
  }
  return {};
}

}  // namespace

std::expected<void, SetFault> parse_create_options(IpSet& set, std::span<const Word> words) {
  return CreateOptions(set).read(words);
}

}  // namespace aclmend::iptables
