#include "vendors/iptables/ipset_write.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "vendors/iptables/words.h"

namespace aclmend::iptables {
namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

std::string shown(const IpSet& set) { return fmt::format("set '{}'", printable(set.name)); }

bool has_hosts(SetType type) {
  return type == SetType::hash_ip || type == SetType::bitmap_ip || type == SetType::hash_ip_port;
}
bool has_port(SetType type) { return type == SetType::hash_ip_port || type == SetType::hash_net_port; }

// Why a set of this kind takes no such prefix at all; empty where it may.
std::string unfit(const IpSet& set, const Prefix& prefix, std::optional<WantedService> service) {
  if (set.doubt) return fmt::format("{} is not known: {}", shown(set), set.doubt->why);
  if (!set.has_members) return fmt::format("what {} holds is not in this export", shown(set));
  if (set.type == SetType::list_set)
    return fmt::format("{} is a list of sets: a member must take it", shown(set));
  if (set.type != SetType::hash_net && set.type != SetType::hash_net_port && !has_hosts(set.type))
    return fmt::format("an element of {} ({}) is more than an address and a port", shown(set),
                       facts(set.type).name);
  if (set.family != prefix.address.family)
    return fmt::format("{} holds {} addresses", shown(set), set.family == Family::ipv4 ? "IPv4" : "IPv6");
  if (has_port(set.type) && (!service || !has_ports_in_sets(service->protocol)))
    return fmt::format("{} holds pairs of address and port", shown(set));
  if (prefix.length == 0) return fmt::format("{} takes no /0", shown(set));
  return "";
}

// The wanted one as far as it can stand in an element.
struct Wanted {
  Prefix prefix;
  std::uint32_t detail = 0;
  std::string text;
};

std::expected<SetAddition, std::string> written(const IpSet& set, const Wanted& wanted,
                                                std::optional<std::uint32_t> had) {
  const auto name = quoted_for_shell(set.name);
  if (!name)
    return std::unexpected(fmt::format("the name of {} cannot be written into a command", shown(set)));
  const bool would_go_away = set.options.timeout.value_or(0) != 0 || had;
  SetAddition addition{wanted.text, {}, {}, had};
  addition.command =
      fmt::format("ipset add {} {}{} -exist", *name, wanted.text, would_go_away ? " timeout 0" : "");
  addition.rollback = had ? fmt::format("ipset add {} {} timeout {} -exist", *name, wanted.text, *had)
                          : fmt::format("ipset del {} {} -exist", *name, wanted.text);
  return addition;
}

std::expected<SetAddition, std::string> into_networks(const IpSet& set, const Wanted& wanted) {
  std::optional<std::uint32_t> had;
  bool is_there = false;
  for (std::size_t i = 0; i < set.elements.size(); ++i) {
    const Element& element = set.elements[i];
    const Prefix prefix = set.first_prefix(element);
    if (element.detail != wanted.detail || prefix.length < wanted.prefix.length ||
        !wanted.prefix.contains(prefix.address))
      continue;
    if (element.nomatch || element.doubtful)
      return std::unexpected(
          fmt::format("{} says that {} is not in it (nomatch)", shown(set), element_text(set, i)));
    if (prefix != wanted.prefix) continue;
    if (element.timeout == 0)
      return std::unexpected(fmt::format("{} is in {} already", wanted.text, shown(set)));
    is_there = true;
    had = std::uint32_t{element.timeout};
  }
  if (!is_there && set.elements.size() >= set.options.maxelem)
    return std::unexpected(fmt::format("{} is full: its maxelem is {}", shown(set), set.options.maxelem));
  return written(set, wanted, had);
}

// ipset makes hosts of it, and the rollback would take out those that were there before.
std::expected<SetAddition, std::string> into_hosts(const IpSet& set, const Wanted& wanted) {
  const Prefix& prefix = wanted.prefix;
  const int bits = address_bits(prefix.address.family);
  const int kept = set.options.netmask.value_or(bits);
  const int spread = kept - prefix.length;
  if (spread < 0)
    return std::unexpected(fmt::format("{} cuts addresses to /{}: more than {} would be in it", shown(set),
                                       kept, to_string(prefix)));
  if (prefix.address.number == 0 && set.type != SetType::bitmap_ip)
    return std::unexpected(fmt::format("{} cannot hold an address of zeros alone", shown(set)));
  if (spread > 0 && bits == 128)
    return std::unexpected(fmt::format("{} takes single IPv6 addresses alone", shown(set)));
  constexpr int most_spread = 31;
  const std::uint64_t hosts = std::uint64_t{1} << std::min(spread, most_spread);
  if (set.type == SetType::bitmap_ip &&
      (prefix.first().as_v4() < set.options.first || prefix.last().as_v4() > set.options.last))
    return std::unexpected(fmt::format("{} is outside the range of {}", to_string(prefix), shown(set)));
  const std::uint64_t room =
      set.type == SetType::bitmap_ip
          ? hosts
          : set.options.maxelem - std::min<std::uint64_t>(set.options.maxelem, set.elements.size());
  std::uint64_t there = 0;
  std::optional<std::uint32_t> had;
  for (const Element& element : set.elements) {
    if (element.detail != wanted.detail || !prefix.contains(set.first(element))) continue;
    ++there;
    if (element.timeout != 0) had = std::uint32_t{element.timeout};
  }
  if (there == hosts && !had)
    return std::unexpected(fmt::format("{} is in {} already", wanted.text, shown(set)));
  if (there > 0 && hosts > 1)
    return std::unexpected(
        fmt::format("{} of the {} addresses of {} are in {}: a rollback would take them out", there,
                    with_thousands(hosts), to_string(prefix), shown(set)));
  if (there == 0 && hosts > room)
    return std::unexpected(fmt::format("{} has room for {} more elements (maxelem {}), and {} would be {}",
                                       shown(set), with_thousands(room), with_thousands(set.options.maxelem),
                                       to_string(prefix), with_thousands(hosts)));
  return written(set, wanted, had);
}

}  // namespace

std::optional<std::string> quoted_for_shell(std::string_view name) {
  const auto holds_only = [&](std::string_view marks) {
    return std::ranges::all_of(name, [&](char c) {
      return letters.find(c) != std::string_view::npos || marks.find(c) != std::string_view::npos;
    });
  };
  if (name.empty() || name[0] == '-') return std::nullopt;
  if (holds_only("_.:+@-")) return std::string(name);
  if (holds_only("_.:+@%~!-")) return fmt::format("'{}'", name);
  return std::nullopt;
}

std::expected<SetAddition, std::string> addition(const IpSet& set, const Prefix& prefix,
                                                 std::optional<WantedService> service) {
  if (std::string why = unfit(set, prefix, service); !why.empty()) return std::unexpected(std::move(why));
  Wanted wanted{prefix, 0, host_bare(prefix)};
  if (has_port(set.type)) {
    wanted.detail = std::uint32_t{service->protocol} << 16 | service->port;
    wanted.text += fmt::format(",{}:{}", *protocol_word(service->protocol), service->port);
  }
  return has_hosts(set.type) ? into_hosts(set, wanted) : into_networks(set, wanted);
}

}  // namespace aclmend::iptables
