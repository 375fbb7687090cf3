#include "tests/oracle/iptables/stage.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <set>
#include <utility>

#include "tests/oracle/iptables/frame.h"
#include "tests/oracle/iptables/sockets.h"

namespace aclmend::oracle {
namespace {

Mac mac_of(std::size_t port, std::uint8_t end) {
  return {0x02, 0xAC, 0x1D, 0, end, static_cast<std::uint8_t>(port)};
}
std::string to_text(Mac mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4],
                     mac[5]);
}
constexpr std::uint8_t near_end = 1, far_end = 2, neighbour = 3, asker = 4;

std::string cables(const Plan& plan, const Descriptor& outside) {
  std::string commands = "link set lo up\n";
  for (std::size_t i = 0; i < plan.ports.size(); ++i)
    commands +=
        fmt::format("link add {} address {} type veth peer name far{} address {} netns /proc/{}/fd/{}\n",
                    plan.ports[i].name, to_text(mac_of(i, near_end)), i, to_text(mac_of(i, far_end)),
                    ::getpid(), *outside);
  return commands;
}

// What the end of the packets is asked from.
constexpr V4 asked_address = 0xA9FEFF01;  // 169.254.255.1

std::string addresses_and_routes(const Plan& plan) {
  std::string commands;
  for (std::size_t i = 0; i < plan.ports.size(); ++i) {
    const Port& port = plan.ports[i];
    const std::string v4 = fmt::format("169.254.{}.1", i), v6 = fmt::format("fe80::{:x}", i + 1);
    const std::string mac = to_text(mac_of(i, neighbour));
    commands += fmt::format("link set {} up\n", port.name);
    for (const std::string& gateway : {v4, v6})
      commands += fmt::format("neigh add {} lladdr {} dev {} nud permanent\n", gateway, mac, port.name);
    for (const Address address : port.addresses)
      commands += fmt::format("addr add {} dev {}{}\n", to_string(host_prefix(address)), port.name,
                              address.is_v4() ? "" : " nodad");
    if (i == 0)
      commands += fmt::format("addr add {}/32 dev {}\n", to_string(Address::v4(asked_address)), port.name);
    for (const Prefix& route : port.routes)
      commands += fmt::format("route add {} via {} dev {} onlink\n", to_string(route),
                              route.address.is_v4() ? v4 : v6, port.name);
  }
  return commands;
}

constexpr std::pair<std::string_view, std::string_view> settings[] = {
    {"ipv4/ip_forward", "1"},
    {"ipv4/conf/all/forwarding", "1"},
    {"ipv4/conf/all/rp_filter", "0"},
    {"ipv4/conf/default/rp_filter", "0"},
    {"ipv4/conf/all/accept_local", "1"},
    {"ipv4/conf/all/send_redirects", "0"},
    {"ipv4/conf/default/send_redirects", "0"},
    {"ipv4/conf/all/secure_redirects", "0"},
    {"ipv4/conf/all/accept_redirects", "0"},
    {"ipv4/icmp_echo_ignore_all", "1"},
    {"ipv6/icmp/echo_ignore_all", "1"},
    {"ipv6/conf/all/disable_ipv6", "0"},
    {"ipv6/conf/default/disable_ipv6", "0"},
    {"ipv6/conf/all/forwarding", "1"},
    {"ipv6/conf/default/forwarding", "1"},
    {"ipv6/conf/default/accept_dad", "0"},
    {"ipv6/conf/default/accept_ra", "0"},
    {"ipv6/conf/default/addr_gen_mode", "1"},
    {"ipv6/conf/default/router_solicitations", "0"},
};

// Everything between holds one processor, so that packets wait in one queue and keep their order.
class OneProcessor {
 public:
  OneProcessor() {
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(std::max(0, ::sched_getcpu())), &one);
    ::sched_setaffinity(0, sizeof one, &one);
  }
  ~OneProcessor() { ::sched_setaffinity(0, sizeof before_, &before_); }
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

 private:
  cpu_set_t before_{};
};

// Two connections of one batch must not be taken for each other, nor for an answer: neither end of one (host
// and port, or ICMP's number) may be an end of another.
class Ends {
 public:
  bool add(const Packet& packet) {
    const auto end = [&](Address address, std::uint16_t port) {
      return std::tuple(packet.protocol, address, port);
    };
    const bool with_ports = has_ports(packet.protocol);
    const auto from = end(packet.source, with_ports ? packet.source_port : std::uint16_t{0});
    const auto to = end(packet.destination, with_ports ? packet.destination_port : std::uint16_t{0});
    if (sources_.contains(from) || sources_.contains(to) || destinations_.contains(from)) return false;
    sources_.insert(from);
    destinations_.insert(to);
    return true;
  }

 private:
  using End = std::tuple<std::uint8_t, Address, std::uint16_t>;
  std::set<End> sources_, destinations_;
};

using Loaded = std::pair<Family, Backend>;
std::string tool(const Loaded& of, std::string_view verb) {
  return fmt::format("{}-{}{}", of.first == Family::ipv4 ? "iptables" : "ip6tables", to_string(of.second),
                     verb);
}

// The tables that the text does not name, without a rule.
std::string other_tables(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> tables[] = {
      {"raw", ":PREROUTING ACCEPT\n:OUTPUT ACCEPT\n"},
      {"mangle", ":PREROUTING ACCEPT\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n"},
      {"nat", ":PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n"},
      {"filter", ":INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n"},
      {"security", ":INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n"}};
  std::string others;
  for (const auto& [name, chains] : tables)
    if (!text.starts_with(fmt::format("*{}\n", name)) && text.find(fmt::format("\n*{}\n", name)) == text.npos)
      others += fmt::format("*{}\n{}COMMIT\n", name, chains);
  return others;
}

class KernelStage final : public Stage {
 public:
  explicit KernelStage(Plan plan) : plan_(std::move(plan)) {}
  Result<void> set_up();
  const Plan& plan() const override { return plan_; }
  Result<Ran> run(const std::vector<std::string>& words, std::string_view in) override;
  Result<void> load(const RuleSet& rules) override;
  Result<RuleSet> saved() override;
  Result<std::vector<Sight>> send(std::span<const Probe> probes) override;

 private:
  Result<void> make_settings();
  Result<void> open_the_wire();
  Result<void> wait_until_open();
  Result<void> destroy_sets();
  Result<void> must(const std::vector<std::string>& words, std::string_view in);
  Result<void> listen(std::span<const Probe> probes);
  Result<void> send_batch(std::span<const Probe> probes, std::vector<Sight>& sights);
  Result<void> note(const Known& known, Sight::Where where, std::string egress, std::uint32_t first,
                    std::span<Sight> sights);

  Plan plan_;
  Descriptor home_, firewall_, outside_;
  Descriptor wire_;         // sends and hears everything outside
  Descriptor connections_;  // netlink to the firewall's connection table
  std::vector<int> far_indices_;
  std::vector<Listener> listeners_;
  std::optional<Loaded> loaded_;
  bool has_sets_ = false;
  std::uint32_t next_number_ = 1;
};

Result<void> KernelStage::must(const std::vector<std::string>& words, std::string_view in) {
  TRY(done, run(words, in));
  if (done.status != 0) return fail(fmt::format("{} failed ({}): {}", words.front(), done.status, done.err));
  return {};
}

Result<Ran> KernelStage::run(const std::vector<std::string>& words, std::string_view in) {
  const Inside inside(firewall_, home_);
  return ran(words, in);
}

Result<void> KernelStage::make_settings() {
  const Inside inside(firewall_, home_);
  for (const auto& [name, value] : settings)
    if (auto done = write_setting(name, value); !done) return done;
  for (const Port& port : plan_.ports) {
    for (const std::string_view name : {"rp_filter", "send_redirects"})
      if (auto done = write_setting(fmt::format("ipv4/conf/{}/{}", port.name, name), "0"); !done) return done;
    if (auto done = write_setting(fmt::format("ipv6/conf/{}/addr_gen_mode", port.name), "1"); !done)
      return done;
  }
  return {};
}

Result<void> KernelStage::open_the_wire() {
  const Inside inside(outside_, home_);
  std::string up = "link set lo up\n";
  for (std::size_t i = 0; i < plan_.ports.size(); ++i) up += fmt::format("link set far{} up\n", i);
  TRY(done, ran({"ip", "-batch", "-"}, up));
  if (done.status != 0) return fail(fmt::format("ip failed: {}", done.err));
  TRY(wire, socket_of(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL)));
  wire_ = std::move(wire);
  const int on = 1;
  ::setsockopt(*wire_, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
  for (std::size_t i = 0; i < plan_.ports.size(); ++i)
    far_indices_.push_back(static_cast<int>(::if_nametoindex(fmt::format("far{}", i).c_str())));
  return {};
}

Result<void> KernelStage::set_up() {
  // The legacy tools lock one file for all namespaces, which only the machine's own root may open.
  ::setenv("XTABLES_LOCKFILE", "/dev/null", 0);
  TRY(home, own_namespace());
  home_ = std::move(home);
  TRY(outside, new_namespace(home_));
  outside_ = std::move(outside);
  TRY(firewall, new_namespace(home_));
  firewall_ = std::move(firewall);
  {
    const Inside inside(outside_, home_);
    if (auto done = write_setting("ipv6/conf/default/disable_ipv6", "1"); !done) return done;
  }
  if (auto done = must({"ip", "-batch", "-"}, cables(plan_, outside_)); !done) return done;
  if (auto done = make_settings(); !done) return done;
  {
    const Inside inside(firewall_, home_);
    TRY(connections, connection_table());
    connections_ = std::move(connections);
  }
  if (auto done = open_the_wire(); !done) return done;
  if (auto done = must({"ip", "-batch", "-"}, addresses_and_routes(plan_)); !done) return done;
  return wait_until_open();
}

// A cable that was just plugged in takes a moment before packets pass: every interface, address and route is
// tried until all work.
Result<void> KernelStage::wait_until_open() {
  std::vector<Probe> probes;
  for (const Port& port : plan_.ports)
    for (const Family family : {Family::ipv4, Family::ipv6}) {
      const Address from =
          family == Family::ipv4 ? *parse_address("198.18.255.254") : *parse_address("2001:2::fffe");
      const auto add = [&](Address to) {
        const Packet packet{from, to, carried::udp, static_cast<std::uint16_t>(1024 + probes.size()), 9};
        if (to.family == family && is_ordinary(packet)) probes.push_back({packet, port.name});
      };
      for (const Address address : port.addresses) add(address);
      for (const Prefix& route : port.routes) add({route.address.family, route.last().number - 1});
      add({family, family == Family::ipv4 ? V6{0x08080808} : parse_address("2001:2::53")->number});
    }
  std::erase_if(probes, [&](const Probe& probe) {
    const Address to = probe.packet.destination;
    return !plan_.is_own(to) && plan_.egress_to(to).empty();
  });
  constexpr auto patience = std::chrono::seconds(10);
  const auto end = std::chrono::steady_clock::now() + patience;
  while (true) {
    TRY(sights, send(probes));
    const auto lost = std::ranges::find(sights, Sight::Where::nowhere, &Sight::where);
    if (lost == sights.end()) return {};
    if (std::chrono::steady_clock::now() > end)
      return fail(
          fmt::format("no packet passes the empty firewall: to {} by {}",
                      to_string(probes[static_cast<std::size_t>(lost - sights.begin())].packet.destination),
                      probes[static_cast<std::size_t>(lost - sights.begin())].ingress));
    ::poll(nullptr, 0, 5);
  }
}

// The kernel lets go of rules and of lists of sets a moment after it said so.
Result<void> KernelStage::destroy_sets() {
  if (auto done = must({"ipset", "flush"}, {}); !done) return done;
  constexpr int patience_ms = 2, most_tries = 3000;
  for (int tries = 1;; ++tries) {
    auto done = must({"ipset", "destroy"}, {});
    if (done || tries == most_tries) return done;
    ::poll(nullptr, 0, patience_ms);
  }
}

Result<void> KernelStage::load(const RuleSet& rules) {
  const Loaded now{rules.family, rules.backend};
  // Sets cannot go while rules hold them, and the other family and back end keep theirs.
  if (has_sets_ || !rules.sets.empty() || (loaded_ && *loaded_ != now))
    if (loaded_)
      if (auto done = must({tool(*loaded_, "-restore")}, other_tables("")); !done) return done;
  if (std::exchange(has_sets_, false))
    if (auto done = destroy_sets(); !done) return done;
  if (!rules.sets.empty()) {
    has_sets_ = true;
    if (auto done = must({"ipset", "restore"}, rules.sets); !done) return done;
  }
  auto done = must({tool(now, "-restore")}, rules.rules + other_tables(rules.rules));
  // Of what is refused, some tables may have been taken; a back end that is not there takes nothing at all.
  if (done || must({tool(now, "-restore")}, other_tables(""))) loaded_ = now;
  return done;
}

Result<RuleSet> KernelStage::saved() {
  if (!loaded_) return fail("nothing is loaded");
  RuleSet rules{loaded_->first, loaded_->second, {}, {}};
  TRY(printed, run({tool(*loaded_, "-save")}, {}));
  if (printed.status != 0) return fail(printed.err);
  rules.rules = std::move(printed.out);  // what it says of the other back end is on the other stream
  TRY(sets, run({"ipset", "save"}, {}));
  if (sets.status != 0) return fail(sets.err);
  rules.sets = std::move(sets.out);
  return rules;
}

Result<void> KernelStage::listen(std::span<const Probe> probes) {
  const Inside inside(firewall_, home_);
  for (const Probe& probe : probes) {
    const auto fits = [&](const Listener& one) {
      return one.family == probe.packet.source.family && one.protocol == probe.packet.protocol;
    };
    if (std::ranges::any_of(listeners_, fits)) continue;
    TRY(made, listener(probe.packet.source.family, probe.packet.protocol));
    listeners_.push_back(std::move(made));
  }
  return {};
}

Result<std::vector<Sight>> KernelStage::send(std::span<const Probe> probes) {
  constexpr std::size_t largest_batch = 256;  // well below the queue's thousand
  if (auto done = listen(probes); !done) return fail(done.error());
  std::vector<Sight> sights;
  while (!probes.empty()) {
    Ends ends;
    std::size_t size = 0;
    while (size < probes.size() && size < largest_batch && ends.add(probes[size].packet)) ++size;
    if (auto done = forget_connections(connections_); !done) return fail(done.error());
    if (auto done = send_batch(probes.first(size), sights); !done) return fail(done.error());
    probes = probes.subspan(size);
  }
  return sights;
}

Result<void> KernelStage::note(const Known& known, Sight::Where where, std::string egress,
                               std::uint32_t first, std::span<Sight> sights) {
  if (known.number < first || known.number - first >= sights.size()) return {};
  Sight& sight = sights[known.number - first];
  if (sight.where != Sight::Where::nowhere) return fail("a packet arrived twice");
  sight = {where, known.packet, std::move(egress)};
  return {};
}

Result<void> KernelStage::send_batch(std::span<const Probe> probes, std::vector<Sight>& all) {
  const OneProcessor one_processor;
  const std::uint32_t first = next_number_;
  const std::size_t before = all.size();
  all.resize(before + probes.size());
  const std::span<Sight> sights = std::span(all).subspan(before);

  const auto put = [&](std::size_t port, const std::string& frame) -> Result<void> {
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = far_indices_[port];
    to.sll_halen = 6;
    if (::sendto(*wire_, frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) <
        0)
      return fail(reason("a frame is not taken"));
    return {};
  };
  for (const Probe& probe : probes) {
    const auto port = std::ranges::find(plan_.ports, probe.ingress, &Port::name);
    if (port == plan_.ports.end()) return fail(fmt::format("no interface {}", probe.ingress));
    const auto index = static_cast<std::size_t>(port - plan_.ports.begin());
    if (auto done = put(
            index, frame_of(probe.packet, next_number_++, mac_of(index, near_end), mac_of(index, neighbour)));
        !done)
      return done;
  }
  Mac from = mac_of(0, asker);
  const std::uint32_t number = next_number_++;
  from[3] = static_cast<std::uint8_t>(number >> 16), from[5] = static_cast<std::uint8_t>(number);
  from[4] = static_cast<std::uint8_t>(number >> 8);
  const auto ask = [&] { return put(0, arp_question(from, asked_address)); };
  if (auto done = ask(); !done) return done;

  // Asked again where no answer comes: the cable may be new.
  constexpr int patience_ms = 100, most_questions = 100;
  int questions = 1;
  for (bool is_answered = false; !is_answered;) {
    pollfd ready{*wire_, POLLIN, 0};
    if (::poll(&ready, 1, patience_ms) <= 0) {
      if (++questions > most_questions) return fail("the firewall does not answer behind the packets");
      if (auto done = ask(); !done) return done;
    }
    char bytes[2048];
    sockaddr_ll sender{};
    socklen_t size = sizeof sender;
    const ssize_t got =
        ::recvfrom(*wire_, bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&sender), &size);
    if (got < 0) continue;
    const std::string_view frame(bytes, static_cast<std::size_t>(got));
    is_answered = is_arp_answer(frame, from);
    const auto known = known_frame(frame);
    const auto far = std::ranges::find(far_indices_, sender.sll_ifindex);
    if (!known || far == far_indices_.end()) continue;
    const std::string egress(plan_.ports[static_cast<std::size_t>(far - far_indices_.begin())].name);
    if (auto done = note(*known, Sight::Where::forwarded, egress, first, sights); !done) return done;
  }
  for (const Listener& listener : listeners_)
    for (Heard heard = next_of(listener); heard.any; heard = next_of(listener))
      if (heard.known)
        if (auto done = note(*heard.known, Sight::Where::here, "", first, sights); !done) return done;
  return {};
}

}  // namespace

std::string_view to_string(Backend backend) { return backend == Backend::nft ? "nft" : "legacy"; }

Result<std::unique_ptr<Stage>> Stage::make(Plan plan) {
  auto stage = std::make_unique<KernelStage>(std::move(plan));
  if (auto done = stage->set_up(); !done) return fail(done.error());
  return stage;
}

}  // namespace aclmend::oracle
