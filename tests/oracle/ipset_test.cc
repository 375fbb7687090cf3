// A second opinion on ipsets: the kernel's own, asked with `ipset test` in a network namespace of the test's
// own. It needs root, ipset and the namespaces; where they are not to be had the test says so.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>

#include "tests/support/folder.h"
#include "tests/support/looked_up.h"
#include "tests/support/test.h"
#include "vendors/iptables/ipset_command.h"
#include "vendors/iptables/ipset_read.h"
#include "vendors/iptables/set_match.h"

namespace aclmend::iptables {
namespace {

using test::LookedUp;

std::string printed_by(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string text;
  char part[4096];
  while (const std::size_t got = std::fread(part, 1, sizeof part, pipe.get())) text.append(part, got);
  return text;
}

// A network namespace that goes away with the test.
class Namespace {
 public:
  Namespace() : name_(fmt::format("aclmend-{}", ::getpid())) {
    printed_by(fmt::format("ip netns add {} 2>&1", name_));
    const std::string made = inside("ipset create probe hash:ip && ipset destroy probe && echo good");
    is_good_ = made.find("good") != std::string::npos;
  }
  ~Namespace() { printed_by(fmt::format("ip netns del {} 2>&1", name_)); }
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;

  // What the shell's commands print there, errors too.
  std::string inside(const std::string& commands) const {
    return printed_by(fmt::format("ip netns exec {} sh -c '{}' 2>&1", name_, commands));
  }
  bool is_good() const {
    if (!is_good_) WARN("no ipset in a network namespace of our own: the kernel's opinion was not asked");
    return is_good_;
  }

 private:
  std::string name_;
  bool is_good_ = false;
};

using Dice = std::mt19937_64;
std::size_t roll(Dice& dice, std::size_t sides) { return dice() % sides; }

constexpr const char* interfaces[] = {"eth0", "eth1", "eth", "wan0"};
constexpr const char* services[] = {"tcp:25",    "tcp:26", "udp:25", "sctp:25",
                                    "udplite:9", "gre:0",  "dccp:0", "icmp:8/0"};

// Addresses that crowd around one place, so that networks nest and meet.
Address address_of(Dice& dice, Family family) {
  if (family == Family::ipv4) return Address::v4(0x0A000000 | static_cast<V4>(roll(dice, 64) + 1));
  return Address::v6((V6{0x20010DB8} << 96) | static_cast<V6>(roll(dice, 64) + 1));
}

struct Part1 {
  std::string text;            // as in an `add`
  std::vector<Address> edges;  // addresses worth a test
};
Part1 network(Dice& dice, Family family, bool takes_all) {
  const int full = address_bits(family);
  const int length = takes_all && roll(dice, 8) == 0 ? 0 : full - static_cast<int>(roll(dice, 7));
  const Prefix prefix = prefix_of(address_of(dice, family), length);
  Part1 part{to_string(prefix), {prefix.first(), prefix.last()}};
  if (length == 0) return part;
  part.edges.push_back({family, prefix.first().number - 1});
  part.edges.push_back({family, prefix.last().number + 1});
  return part;
}

struct Asked {
  std::string element;
  LookedUp packet;
};

// A set file, and elements to ask for with the packets that they stand for.
struct Trial {
  std::string file;
  std::vector<Asked> asked;
  std::vector<Flag> flags;
};

Trial trial(Dice& dice, SetType type, Family family, const std::string& options) {
  Trial made;
  made.file = fmt::format("create s {}{}{}\n", facts(type).name,
                          !facts(type).has_family  ? ""
                          : family == Family::ipv4 ? " family inet"
                                                   : " family inet6",
                          options);
  std::vector<Address> firsts, seconds;
  const auto service_of = [&] {
    std::string service = services[roll(dice, std::size(services))];
    if (family == Family::ipv6 && service.starts_with("icmp")) service = "ipv6-icmp:128/0";
    return service;
  };
  const auto& parts = facts(type).parts;
  for (auto left = 2 + roll(dice, 14); left > 0; --left) {
    std::string element;
    bool is_first = true;
    for (const Part part : parts) {
      if (part == Part::none) break;
      if (!element.empty()) element += ',';
      switch (part) {
        case Part::ip:
        case Part::net: {
          const bool is_net = part == Part::net;
          const Address host = address_of(dice, family);
          const Part1 one = is_net ? network(dice, family, type == SetType::hash_net_iface)
                                   : Part1{to_string(host), {host, {family, host.number + 1}}};
          element += one.text;
          auto& edges = is_first ? firsts : seconds;
          edges.insert(edges.end(), one.edges.begin(), one.edges.end());
          is_first = false;
          break;
        }
        case Part::port:
          element += type == SetType::bitmap_port ? std::to_string(roll(dice, 40)) : service_of();
          break;
        case Part::interface: element += interfaces[roll(dice, std::size(interfaces))]; break;
        default: break;
      }
    }
    made.file += "add s " + element;
    if (facts(type).has_nomatch && roll(dice, 3) == 0) made.file += " nomatch";
    made.file += "\n";
  }
  for (const Part part : parts) {
    if (part == Part::none) break;
    const bool is_first = made.flags.empty() && part != Part::port;
    made.flags.push_back(is_first || part == Part::interface ? Flag::src : Flag::dst);
  }
  const auto edge = [&](const std::vector<Address>& edges) {
    return edges.empty() || roll(dice, 5) == 0 ? address_of(dice, family) : edges[roll(dice, edges.size())];
  };
  for (int i = 0; i < 60; ++i) {
    Asked asked;
    LookedUp& packet = asked.packet;
    packet = {edge(firsts), edge(seconds), 6, 40000, 25, "", "", 0};
    if (packet.source.number == 0 || packet.source.family != family) continue;
    bool is_first = true;
    for (const Part part : parts) {
      if (part == Part::none) break;
      if (!asked.element.empty()) asked.element += ',';
      switch (part) {
        case Part::ip:
        case Part::net:
          asked.element += to_string(is_first ? packet.source : packet.destination);
          is_first = false;
          break;
        case Part::port: {
          if (type == SetType::bitmap_port) {
            packet.destination_port = static_cast<std::uint16_t>(roll(dice, 41));
            asked.element += std::to_string(packet.destination_port);
            break;
          }
          const std::string service = service_of();
          asked.element += service;
          const std::size_t colon = service.find(':');
          packet.protocol = *parse_protocol(service.substr(0, colon));
          const std::string port = service.substr(colon + 1);
          if (const std::size_t slash = port.find('/'); slash != std::string::npos) {
            packet.source_port = static_cast<std::uint16_t>(std::stoi(port.substr(0, slash)));
            packet.destination_port = static_cast<std::uint16_t>(std::stoi(port.substr(slash + 1)));
          } else {
            packet.destination_port = static_cast<std::uint16_t>(std::stoi(port));
          }
          break;
        }
        case Part::interface:
          packet.ingress = interfaces[roll(dice, std::size(interfaces))];
          asked.element += packet.ingress;
          break;
        default: break;
      }
    }
    made.asked.push_back(std::move(asked));
  }
  return made;
}

std::vector<std::string> held(const IpSet& set) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < set.elements.size(); ++i)
    all.push_back(element_text(set, i) + (set.elements[i].nomatch ? " nomatch" : "") +
                  (set.elements[i].wildcard ? " wildcard" : ""));
  std::ranges::sort(all);
  return all;
}

IpsetReading read(std::string_view text) {
  const Source source("s.ipset", text);
  auto reading = read_ipsets(source, 0);
  REQUIRE(reading.has_value());
  return std::move(*reading);
}

// What the kernel prints for each: "Warning: X is in set s.", "X is NOT in set s.".
std::vector<bool> answers(const std::string& printed) {
  std::vector<bool> all;
  for (std::size_t at = printed.find(" set s."); at != std::string::npos;
       at = printed.find(" set s.", at + 1))
    all.push_back(printed.substr(0, at).ends_with(" is in"));
  return all;
}

std::vector<std::string> split_at(std::string_view text, std::string_view mark) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(mark);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + mark.size());
  }
}

struct Kind {
  SetType type;
  std::string options = {};
};

}  // namespace

TEST_CASE("the kernel holds, saves and finds in a set what we do", "[oracle][ipset]") {
  const Namespace kernel;
  if (!kernel.is_good()) return;
  const test::Folder folder;
  const Kind kinds[] = {{SetType::hash_ip},
                        {SetType::hash_ip, " netmask 29"},
                        {SetType::hash_net},
                        {SetType::hash_net, " comment counters"},
                        {SetType::hash_ip_port},
                        {SetType::hash_net_port},
                        {SetType::hash_ip_port_ip},
                        {SetType::hash_ip_port_net},
                        {SetType::hash_net_iface},
                        {SetType::hash_net_net},
                        {SetType::hash_net_port_net},
                        {SetType::bitmap_ip, " range 10.0.0.0/24"},
                        {SetType::bitmap_ip, " range 10.0.0.0/24 netmask 30"},
                        {SetType::bitmap_port, " range 0-40"}};
  for (const Kind& kind : kinds)
    for (const Family family : {Family::ipv4, Family::ipv6}) {
      const bool is_v4_only = kind.type == SetType::bitmap_ip || kind.type == SetType::bitmap_port ||
                              kind.options.find("netmask") != std::string::npos;
      if (is_v4_only && family == Family::ipv6) continue;
      if (kernel.inside(fmt::format("ipset create t {}{} && ipset destroy t", facts(kind.type).name,
                                    kind.options)) != "") {
        WARN("this kernel has no " << facts(kind.type).name << ": not asked about it");
        break;
      }
      for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        Dice dice(seed);
        const Trial made = trial(dice, kind.type, family, kind.options);
        const std::string file = folder.write("sets", made.file);
        std::string questions;
        for (const Asked& one : made.asked) questions += "test s " + one.element + "\n";
        const std::string tests = folder.write("tests", questions);
        INFO("seed " << seed << "\n" << made.file);
        const auto printed =
            split_at(kernel.inside(fmt::format("ipset -q destroy s; ipset -! restore < {}; echo ===; ipset "
                                               "save s; echo ===; ipset list s; echo ===; "
                                               "ipset - < {}",
                                               file, tests)),
                     "===\n");
        REQUIRE(printed.size() == 4);
        REQUIRE(printed[0] == "");
        const IpsetReading theirs = read(printed[1]), listed = read(printed[2]);
        CHECK(theirs.diagnostics.all().empty());
        CHECK(listed.diagnostics.all().empty());
        // With -! the last of equal elements wins.
        std::string text = made.file;
        for (std::size_t at = text.find("\nadd"); at != std::string::npos; at = text.find("\nadd", at + 1))
          text.insert(text.find('\n', at + 1), " -exist");
        const IpsetReading ours = read(text);
        REQUIRE(ours.diagnostics.all().empty());
        CHECK(held(*ours.sets.named("s")) == held(*theirs.sets.named("s")));
        CHECK(held(*ours.sets.named("s")) == held(*listed.sets.named("s")));

        const std::vector<bool> kernels = answers(printed[3]);
        REQUIRE(kernels.size() == made.asked.size());
        const MatchBoxes boxes = boxes_of(ours.sets, {"s", made.flags, false, false, family});
        std::size_t vague = 0;
        for (std::size_t i = 0; i < kernels.size(); ++i) {
          const auto is_in = [&](const MatchBox& box) { return test::holds(box, made.asked[i].packet); };
          const bool certain = std::ranges::any_of(boxes.certain, is_in);
          const bool possible = std::ranges::any_of(boxes.possible, is_in);
          INFO(made.asked[i].element);
          CHECK((kernels[i] ? possible : !certain));
          vague += certain != possible;
        }
        const bool may_be_vague =
            kind.type == SetType::hash_net_net || kind.type == SetType::hash_net_port_net;
        CHECK((vague == 0 || may_be_vague));
      }
    }
}

TEST_CASE("commands are refused by the kernel where we refuse them", "[oracle][ipset]") {
  const Namespace kernel;
  if (!kernel.is_good()) return;
  constexpr std::string_view scripts[] = {
      "create s hash:net\nadd s 10.0.0.0/8\nadd s 10.0.0.0/8",
      "create s hash:net\nadd s 10.0.0.0/8\nadd s 10.0.0.0/8 nomatch -exist\nadd s 10.0.0.0/8 nomatch",
      "create s hash:net maxelem 1\nadd s 10.0.0.0/8\nadd s 11.0.0.0/8",
      "create s hash:net maxelem 1\nadd s 10.0.0.0/8\nadd s 10.0.0.0/8 -exist",
      "create s hash:net\ndel s 10.0.0.0/8",
      "create s hash:net\ndel s 10.0.0.0/8 -exist",
      "create s hash:net\nadd s 10.0.0.0/8\ndel s 10.0.0.0/8 nomatch",
      "create s hash:net\ncreate s hash:net",
      "create s hash:net\ncreate s hash:net -exist",
      "create s hash:net\ncreate s hash:ip -exist",
      "create s hash:net\nadd s 2001:db8::/32",
      "create s hash:net\nadd s 0.0.0.0/0",
      "create s hash:net,iface\nadd s 0.0.0.0/0,eth0",
      "create s hash:ip\nadd s 0.0.0.0",
      "create s hash:ip,port\nadd s 0.0.0.0,tcp:25",
      "create s hash:ip,port,ip\nadd s 0.0.0.0,tcp:25,0.0.0.0",
      "create s hash:ip\nadd s 1.2.3.4 timeout 5",
      "create s hash:ip\nadd s 1.2.3.4 nomatch",
      "create s bitmap:ip range 10.0.0.0/24\nadd s 10.0.1.0",
      "create s bitmap:ip range 10.0.0.0/8",
      "create s bitmap:port",
      "create s hash:net\ncreate l list:set\nadd l s\nadd l s",
      "create s hash:net\ncreate l list:set\nadd l s\ndestroy s",
      "create s hash:net\ncreate l list:set\nadd l s\nrename s t",
      "create s hash:net\ncreate l list:set\nadd l s\nflush l\ndestroy s",
      "create l list:set\nadd l nosuch",
      "create l list:set\ncreate k list:set\nadd l k",
      "create s hash:net\ncreate t hash:net\nswap s t",
      "create s hash:net\ncreate t hash:ip\nswap s t",
      "create s hash:ip\ncreate t bitmap:ip range 10.0.0.0/24\nswap s t",
      "create s hash:net\ncreate t hash:net family inet6\nswap s t",
      "create s hash:ip,port,ip\ncreate t hash:ip,port,net\nswap s t",
      "create s hash:net\nrename s t\nadd t 10.0.0.0/8",
      "create s hash:net\ncreate t hash:net\nrename s t",
      "create s hash:net\ndestroy s\nadd s 10.0.0.0/8",
      "flush nosuch",
      "create s hash:net\nadd s 10.0.0.0/8\nflush s\nadd s 10.0.0.0/8",
      "create s hash:net,iface\nadd s 10.0.0.0/8,v wildcard\nadd s 10.0.0.0/8,v1",
      "create s hash:net,iface\nadd s 10.0.0.0/8,v1\nadd s 10.0.0.0/8,v wildcard",
      "create s hash:net,iface\nadd s 10.0.0.0/8,v wildcard\nadd s 10.0.0.0/8,v1 wildcard",
      "create s hash:net,iface\nadd s 10.0.0.0/8,v wildcard\nadd s 10.0.0.0/8,v1 nomatch -exist",
      "create s hash:net,iface\nadd s 10.0.0.0/8,v wildcard\ndel s 10.0.0.0/8,v77",
      "create s hash:net,iface\nadd s 10.0.0.0/8,v wildcard\ndel s 10.0.0.0/8,v wildcard",
      "create s hash:ip\nadd s 1.2.3.0/30\nadd s 1.2.3.0/29",
  };
  for (const std::string_view script : scripts) {
    INFO(script);
    kernel.inside("ipset flush; ipset destroy");
    IpSets sets;
    std::string_view rest = script;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      const std::string line(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      std::deque<std::string> arena;
      Splitter splitter(Grammar::ipset, arena);
      const auto done = execute(sets, *splitter.split(line), {});
      const std::string printed = kernel.inside("ipset " + line);
      INFO(line << "\n" << printed << (done ? "" : done.error().message));
      CHECK(done.has_value() == printed.empty());
    }
    // And what is there afterwards is the same.
    const IpsetReading theirs = read(kernel.inside("ipset save"));
    CHECK(theirs.sets.sets.size() == sets.sets.size());
    for (const IpSet& set : sets.sets) {
      const IpSet* other = theirs.sets.named(set.name);
      REQUIRE(other != nullptr);
      CHECK(held(set) == held(*other));
    }
  }
}

}  // namespace aclmend::iptables
