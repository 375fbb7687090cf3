#include "tests/oracle/iptables/invent.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "tests/oracle/iptables/frame.h"
#include "tests/oracle/iptables/words.h"

namespace aclmend::oracle {
namespace {

// ---- what stands where --------------------------------------------------------------------------------

enum class Table : std::uint8_t { raw, mangle, nat, filter, security };
enum class Hook : std::uint8_t { prerouting, input, forward, output, postrouting };

struct TableShape {
  Table table;
  std::string_view name;
  std::vector<Hook> hooks;
};
const std::vector<TableShape>& tables() {
  using enum Hook;
  static const std::vector<TableShape> all{
      {Table::raw, "raw", {prerouting, output}},
      {Table::mangle, "mangle", {prerouting, input, forward, output, postrouting}},
      {Table::nat, "nat", {prerouting, input, output, postrouting}},
      {Table::filter, "filter", {input, forward, output}},
      {Table::security, "security", {input, forward, output}},
  };
  return all;
}
std::string_view name_of(Hook hook) {
  switch (hook) {
    case Hook::prerouting: return "PREROUTING";
    case Hook::input: return "INPUT";
    case Hook::forward: return "FORWARD";
    case Hook::output: return "OUTPUT";
    case Hook::postrouting: return "POSTROUTING";
  }
  return "";
}

struct Chain {
  std::string name;
  std::vector<Hook> from;  // the hooks it is walked from
  bool is_built_in = false;
};

// ---- one rule set -------------------------------------------------------------------------------------

class Inventor {
 public:
  Inventor(std::uint64_t seed, Invention& made, const Plan& plan)
      : dice_(seed), words_(dice_, made, plan), made_(made) {}
  void run();

 private:
  bool is_decidable() const { return made_.taste == Taste::decidable; }
  void table(const TableShape& shape);
  std::vector<Chain> chains_of(const TableShape& shape);
  std::string rule(Table table, const Chain& chain, const std::vector<Chain>& callees);
  std::string target(Table table, const Chain& chain, const std::vector<Chain>& callees, Service service);
  std::string filter_end(Service service);
  std::string translation(Service service);
  std::string state_change(Table table);
  std::string mapped_network();
  std::string policy(Table table, Hook hook);

  Dice dice_;
  Words words_;
  Invention& made_;
};

void Inventor::run() {
  made_.rules.sets = words_.sets();
  std::vector<TableShape> shapes = tables();
  if (dice_.one_in(2)) std::reverse(shapes.begin(), shapes.end());
  for (const TableShape& shape : shapes)
    if (is_decidable() || shape.table == Table::filter || dice_.percent(70)) table(shape);
}

std::string Inventor::policy(Table table, Hook hook) {
  if (hook == Hook::output) return "ACCEPT";
  const std::size_t drops = table == Table::filter ? 50 : table == Table::nat ? 4 : 8;
  return dice_.percent(drops) ? "DROP" : "ACCEPT";
}

std::vector<Chain> Inventor::chains_of(const TableShape& shape) {
  std::vector<Chain> chains;
  for (const Hook hook : shape.hooks) chains.push_back({std::string(name_of(hook)), {hook}, true});
  static const std::vector<std::string> names{"f2b-postfix", "DOCKER-USER", "~log0", "%eth0_in",    "a:b",
                                              "IN_public",   "logdrop",     "#x",    "ACCEPT-mail", "net2fw"};
  const std::size_t first = dice_.below(names.size());
  const std::size_t count = dice_.below(shape.table == Table::filter ? 7 : 4);
  for (std::size_t i = 0; i < count; ++i) {
    Chain chain{names[(first + i) % names.size()], {}, false};
    // Who may call it decides what it may hold: nat's hooks take different targets.
    if (shape.table == Table::nat) {
      chain.from = {dice_.one_in(5) ? Hook::postrouting : Hook::prerouting};
    } else {
      for (const Hook hook : shape.hooks)
        if (hook != Hook::output && dice_.percent(60)) chain.from.push_back(hook);
      if (chain.from.empty()) chain.from = {shape.hooks.front()};
    }
    chains.push_back(std::move(chain));
  }
  return chains;
}

void Inventor::table(const TableShape& shape) {
  const std::vector<Chain> chains = chains_of(shape);
  std::string text = fmt::format("*{}\n", shape.name);
  for (const Chain& chain : chains)
    text += chain.is_built_in ? fmt::format(":{} {} [{}:0]\n", chain.name,
                                            policy(shape.table, chain.from.front()), dice_.below(99))
                              : fmt::format(":{} - [0:0]\n", chain.name);
  if (shape.table == Table::filter && (is_decidable() || dice_.one_in(2)))
    text += "-A OUTPUT -m conntrack --ctstate NEW\n";  // or the kernel would not ask the nat table
  for (std::size_t i = 0; i < chains.size(); ++i) {
    if (chains[i].from.front() == Hook::output) continue;
    std::vector<Chain> callees;  // only later ones: no loops
    for (std::size_t k = i + 1; k < chains.size(); ++k)
      if (!chains[k].is_built_in && std::ranges::includes(chains[k].from, chains[i].from))
        callees.push_back(chains[k]);
    const bool is_main = shape.table == Table::filter || !chains[i].is_built_in;
    const std::size_t most = is_main ? 8 : shape.table == Table::security ? 2 : 4;
    for (std::size_t rules = dice_.below(most + 1); rules > 0; --rules) {
      const bool first = dice_.one_in(12);
      text += fmt::format("{}{} {}{}\n", first ? "-I " : "-A ", chains[i].name,
                          first && dice_.one_in(2) ? "1 " : "", rule(shape.table, chains[i], callees));
    }
  }
  made_.rules.rules += text + "COMMIT\n";
}

std::string Inventor::mapped_network() {
  const Prefix from = words_.prefix(made_.rules.family == Family::ipv6 ? 64 : 16);
  const Prefix to = prefix_of(words_.host(), from.length);
  return fmt::format("-d {} -j NETMAP --to {}", to_string(from), to_string(to));
}

std::string Inventor::rule(Table table, const Chain& chain, const std::vector<Chain>& callees) {
  const auto is_from = [&](Hook hook) { return std::ranges::find(chain.from, hook) != chain.from.end(); };
  if (table == Table::nat && is_from(Hook::prerouting) && dice_.one_in(10)) return mapped_network();
  Where where;
  where.takes_in = !(chain.is_built_in && is_from(Hook::postrouting));
  where.takes_out = !(chain.is_built_in && (is_from(Hook::prerouting) || is_from(Hook::input)));
  where.is_raw = table == Table::raw;
  where.is_arrival = !is_from(Hook::postrouting);
  const RuleWords asked = words_.rule(where);
  std::vector<std::string> groups = asked.groups;
  const std::string to = target(table, chain, callees, asked.service);
  if (!to.empty()) {
    // A target that needs the protocol stands behind it.
    if (dice_.one_in(10) && to.find("--to") == to.npos && to.find("tcp-reset") == to.npos)
      groups.insert(groups.begin(), to);
    else groups.push_back(to);
  }
  return fmt::format("{}", fmt::join(groups, " "));
}

std::string Inventor::filter_end(Service service) {
  if (dice_.percent(55)) return "-j ACCEPT";
  if (dice_.one_in(2)) return "-j DROP";
  if (service == Service::tcp && dice_.one_in(2)) return "-j REJECT --reject-with tcp-reset";
  if (dice_.one_in(2)) return "-j REJECT";
  return made_.rules.family == Family::ipv4 ? "-j REJECT --reject-with icmp-host-prohibited"
                                            : "-j REJECT --reject-with icmp6-adm-prohibited";
}

std::string Inventor::translation(Service service) {
  const bool with_ports = service != Service::other;
  const bool is_v6 = made_.rules.family == Family::ipv6;
  const auto port = [&] { return words_.port(); };
  switch (dice_.below(is_decidable() ? 4 : 8)) {
    case 0: {
      const Address to = words_.host();
      if (!with_ports || dice_.one_in(2)) return fmt::format("-j DNAT --to-destination {}", to_string(to));
      return fmt::format("-j DNAT --to-destination {}:{}", is_v6 ? "[" + to_string(to) + "]" : to_string(to),
                         port());
    }
    case 1:
      if (with_ports) return fmt::format("-j DNAT --to-destination :{}", port());
      return "-j ACCEPT";
    case 2:  // one to one only where the rule asks for a network as long, see `mapped_network`
      return is_decidable() ? "-j ACCEPT"
                            : fmt::format("-j NETMAP --to {}", to_string(words_.prefix(is_v6 ? 64 : 20)));
    case 3: return fmt::format("-j DNAT --to-destination {}", to_string(words_.own()));
    case 4:
      return with_ports && dice_.one_in(2) ? fmt::format("-j REDIRECT --to-ports {}", port()) : "-j REDIRECT";
    case 5: {
      Address from = words_.host(), to = from;
      to.number += dice_.below(4);
      return fmt::format("-j DNAT --to-destination {}-{}{}", to_string(from), to_string(to),
                         dice_.one_in(2) ? " --persistent" : "");
    }
    case 6: {
      if (!with_ports) return "-j RETURN";
      const std::uint16_t first = static_cast<std::uint16_t>(dice_.between(1, 65000));
      return fmt::format("-j DNAT --to-destination :{}-{}", first, first + dice_.below(4));
    }
    default:
      if (!with_ports) return "-j REDIRECT";
      const std::uint16_t first = static_cast<std::uint16_t>(dice_.between(1, 65000));
      return fmt::format("-j REDIRECT --to-ports {}-{}", first, first + dice_.below(4));
  }
}

std::string Inventor::state_change(Table table) {
  const auto mark = [&] { return fmt::format("{:#x}", dice_.below(8)); };
  switch (dice_.below(table == Table::raw ? 7 : 6)) {
    case 0: return fmt::format("-j MARK --set-mark {}", mark());
    case 1: return fmt::format("-j MARK --set-xmark {}/{}", mark(), mark());
    case 2: return fmt::format("-j MARK {} {}", dice_.of({"--and-mark", "--or-mark", "--xor-mark"}), mark());
    case 3:
      return fmt::format("-j CONNMARK --set-xmark {}/{}", mark(), dice_.one_in(2) ? "0xffffffff" : mark());
    case 4:
      return "-j CONNMARK --save-mark" +
             (dice_.one_in(2) ? fmt::format(" --nfmask {} --ctmask {}", mark(), mark()) : std::string());
    case 5:
      return "-j CONNMARK --restore-mark" +
             (dice_.one_in(2) ? fmt::format(" --nfmask {} --ctmask {}", mark(), mark()) : std::string());
    default: return dice_.one_in(2) ? "-j NOTRACK" : "-j CT --notrack";
  }
}

std::string Inventor::target(Table table, const Chain& chain, const std::vector<Chain>& callees,
                             Service service) {
  const bool is_postrouting = chain.from.front() == Hook::postrouting;
  const std::size_t kind = dice_.below(100);
  if (!callees.empty() && (kind < 28 || (chain.is_built_in && dice_.one_in(4))))
    return fmt::format("-{} {}", dice_.percent(70) ? 'j' : 'g', dice_.of(callees).name);
  if (kind < 36) return "-j RETURN";
  if (kind < 40) return "";  // counts, and goes on
  if (kind < 46) return words_.passing_target();
  // Marks made in nat INPUT are seen by security INPUT or not, by the back end.
  const bool is_in_order =
      chain.from.front() != Hook::input || (table != Table::nat && table != Table::security);
  if (kind < 60 && (is_in_order || !is_decidable())) return state_change(table);
  if (!is_decidable() && kind < 62 && table != Table::nat)
    return dice_.one_in(2) ? "-j NFQUEUE --queue-num 7" : "-j NFQUEUE --queue-num 7 --queue-bypass";
  switch (table) {
    case Table::raw:
      if (kind < 75) return dice_.one_in(2) ? "-j NOTRACK" : "-j CT --notrack";
      if (!is_decidable() && kind < 78) return "-j CT --zone 3";
      return kind < 92 ? "-j ACCEPT" : "-j DROP";
    case Table::mangle: return kind < 88 ? "-j ACCEPT" : "-j DROP";
    case Table::security: return kind < 80 ? "-j ACCEPT" : "-j DROP";
    case Table::nat:
      if (chain.from.front() == Hook::prerouting) return kind < 70 ? "-j ACCEPT" : translation(service);
      if (is_postrouting && service == Service::tcp && kind < 75) return "-j MASQUERADE";
      return "-j ACCEPT";
    case Table::filter: return filter_end(service);
  }
  return "";
}

}  // namespace

Invention invent(std::uint64_t seed, Taste taste, Family family, Backend backend, const Plan& plan) {
  Invention made;
  made.taste = taste;
  made.rules.family = family;
  made.rules.backend = backend;
  Inventor(seed, made, plan).run();
  std::ranges::sort(made.addresses);
  made.addresses.erase(std::ranges::unique(made.addresses).begin(), made.addresses.end());
  std::ranges::sort(made.ports);
  made.ports.erase(std::ranges::unique(made.ports).begin(), made.ports.end());
  return made;
}

std::vector<Probe> probes_for(const Invention& invention, std::uint64_t seed, std::size_t count,
                              const Plan& plan) {
  Dice dice(seed);
  const Family family = invention.rules.family;
  const std::vector<Address> own = plan.own(family);
  const auto near = [&] {
    Address address = invention.addresses.empty() ? own.front() : dice.of(invention.addresses);
    if (dice.one_in(6)) address.number ^= dice.below(1U << 16);
    return address;
  };
  const auto port = [&]() -> std::uint16_t {
    return invention.ports.empty() || dice.one_in(5) ? static_cast<std::uint16_t>(dice.any())
                                                     : dice.of(invention.ports);
  };
  std::vector<Probe> probes;
  for (std::size_t tries = 0; probes.size() < count && tries < 50 * count; ++tries) {
    Packet packet{near(), dice.percent(45) ? dice.of(own) : near(), carried::tcp, 0, 0};
    const std::size_t kind = dice.below(100);
    if (kind >= 60) packet.protocol = carried::udp;
    if (kind >= 78) packet.protocol = family == Family::ipv4 ? carried::icmp : carried::icmp6;
    if (kind >= 88) packet.protocol = carried::sctp;
    if (kind >= 92) packet.protocol = carried::gre;
    if (kind >= 96) packet.protocol = carried::esp;
    if (kind >= 98) packet.protocol = 99;
    if (has_ports(packet.protocol)) {
      packet.source_port = dice.percent(60) ? static_cast<std::uint16_t>(dice.between(1024, 65535)) : port();
      packet.destination_port = port();
    } else if (is_icmp(packet.protocol)) {
      packet.source_port = family == Family::ipv4 ? 8 : 128;
      if (invention.taste == Taste::anything && dice.one_in(2))
        packet.source_port = static_cast<std::uint16_t>(dice.below(256));
      packet.destination_port = static_cast<std::uint16_t>(dice.one_in(3) ? dice.below(16) : 0);
    }
    if (!is_ordinary(packet) || packet.source == packet.destination || plan.is_own(packet.source)) continue;
    probes.push_back({packet, dice.of(plan.ports).name});
  }
  return probes;
}

}  // namespace aclmend::oracle
