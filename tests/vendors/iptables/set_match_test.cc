// The boxes of a set test against the kernel's lookup written out plainly: one packet, element by element, in
// each world that timeouts and doubts leave open.
#include "vendors/iptables/set_match.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "tests/support/looked_up.h"
#include "tests/support/test.h"
#include "vendors/iptables/ipset_read.h"

namespace aclmend::iptables {
namespace {

using model::Dimension;
using test::LookedUp;

IpSets sets_of(std::string_view text) {
  const Source source("s.ipset", text);
  auto reading = read_ipsets(source, 0);
  REQUIRE(reading.has_value());
  for (const Diagnostic& one : reading->diagnostics.all()) INFO(one.message);
  return std::move(reading->sets);
}

auto count(std::span<const MatchBox> boxes, const LookedUp& packet) {
  return std::ranges::count_if(boxes, [&](const MatchBox& box) { return holds(box, packet); });
}

// ---- the kernel's lookup ------------------------------------------------------------------------------

// Which of a set's elements are there, and which of those say no.
struct World {
  std::vector<bool> is_there, says_no;
};

std::uint16_t port_of(const LookedUp& packet, Flag flag) {
  switch (packet.protocol) {
    case 6:
    case 17:
    case 132:
    case 136: return flag == Flag::src ? packet.source_port : packet.destination_port;
    case 1:
    case 58: return static_cast<std::uint16_t>(packet.source_port << 8 | packet.destination_port);
    default: return 0;
  }
}

// 1: yes, -1: nomatch, 0: not found.
int looked_up(const IpSet& set, const World& world, const LookedUp& packet, const std::vector<Flag>& flags) {
  if (flags.size() < dimensions(set.type)) return 0;
  const auto& parts = facts(set.type).parts;
  struct Best {
    int first = -1, second = -1, verdict = 0;
    bool is_named = false;
  } best;
  for (std::size_t i = 0; i < set.elements.size(); ++i) {
    if (!world.is_there[i]) continue;
    const Element& element = set.elements[i];
    int first = -1, second = -1;
    bool fits = true, has_interface = true;
    for (std::size_t part = 0; part < dimensions(set.type); ++part) {
      const Address address = flags[part] == Flag::src ? packet.source : packet.destination;
      switch (parts[part]) {
        case Part::ip:
        case Part::net:
          if (first < 0) {
            const Prefix prefix = set.first_prefix(element);
            first = set.options.netmask.value_or(prefix.length);
            fits = fits && Prefix{prefix.address, first}.contains(address);
          } else {
            second = set.second_prefix(i).length;
            fits = fits && set.second_prefix(i).contains(address);
          }
          break;
        case Part::port:
          if (set.type == SetType::bitmap_port)
            fits = fits && (packet.protocol == 6 || packet.protocol == 17) &&
                   element.port() == port_of(packet, flags[part]);
          else
            fits = fits && element.protocol() == packet.protocol &&
                   element.port() == port_of(packet, flags[part]);
          break;
        case Part::mark: fits = fits && element.detail == (packet.mark & set.options.markmask); break;
        case Part::interface: {
          const std::string& name = flags[part] == Flag::src ? packet.ingress : packet.egress;
          const std::string& wanted = set.names[element.detail];
          has_interface = !name.empty() && (element.wildcard ? name.starts_with(wanted) : name == wanted);
          break;
        }
        default: break;
      }
    }
    if (!fits) continue;
    // Longest first network, then longest second; with interfaces, of the longest network any entry.
    const bool is_longer = first > best.first || (first == best.first && second > best.second);
    const bool is_same = first == best.first && second == best.second;
    if (!is_longer && !is_same) continue;
    if (is_longer) best = {first, second, 0, false};
    if (has_interface) best.verdict = world.says_no[i] ? -1 : 1;
  }
  return best.verdict;
}

bool matches(const IpSets& sets, const std::map<std::string, World>& worlds, const SetTest& test,
             const LookedUp& packet) {
  const IpSet& set = *sets.named(test.name);
  bool result = false;
  if (set.type == SetType::list_set) {
    for (std::size_t i = 0; i < set.elements.size(); ++i) {
      SetTest member = test;
      member.name = set.names[set.elements[i].detail];
      member.negated = false;
      result = result || (worlds.at(set.name).is_there[i] && matches(sets, worlds, member, packet));
    }
  } else if (!set.family || *set.family == test.family) {
    const int found = looked_up(set, worlds.at(set.name), packet, test.flags);
    const bool turned = test.return_nomatch && facts(set.type).has_nomatch;
    result = found == (turned ? -1 : 1);
  }
  return result != test.negated;
}

// In how many of the worlds that are possible.
struct Truth {
  bool always = true, ever = false;
};
Truth truth(const IpSets& sets, const SetTest& test, const LookedUp& packet) {
  struct Open {
    std::string set;
    std::size_t element;
    bool is_doubtful;
  };
  std::map<std::string, World> world;
  std::vector<Open> open;
  for (const IpSet& set : sets.sets) {
    World& one = world[set.name];
    for (std::size_t i = 0; i < set.elements.size(); ++i) {
      one.is_there.push_back(true);
      one.says_no.push_back(set.elements[i].nomatch);
      if (set.elements[i].timeout != 0) open.push_back({set.name, i, false});
      if (set.elements[i].doubtful) open.push_back({set.name, i, true});
    }
  }
  REQUIRE(open.size() <= 12);
  Truth truth;
  for (unsigned bits = 0; bits < 1U << open.size(); ++bits) {
    for (std::size_t i = 0; i < open.size(); ++i) {
      World& one = world[open[i].set];
      (open[i].is_doubtful ? one.says_no : one.is_there)[open[i].element] = (bits >> i & 1) != 0;
    }
    const bool yes = matches(sets, world, test, packet);
    truth.always = truth.always && yes;
    truth.ever = truth.ever || yes;
  }
  return truth;
}

// ---- random sets --------------------------------------------------------------------------------------

using Dice = std::mt19937_64;
std::size_t roll(Dice& dice, std::size_t sides) { return dice() % sides; }
template <class T, std::size_t N>
const T& one_of(Dice& dice, const T (&list)[N]) {
  return list[roll(dice, N)];
}

constexpr const char* interfaces[] = {"eth0", "eth1", "eth", "wan0"};
constexpr const char* services[] = {"tcp:25", "tcp:26", "udp:25",   "sctp:25",
                                    "gre:0",  "dccp:0", "icmp:8/0", "icmp:8/1"};

std::string host(Dice& dice, Family family) {
  const auto number = roll(dice, 8);
  return family == Family::ipv4 ? fmt::format("10.0.0.{}", number) : fmt::format("2001:db8::{:x}", number);
}
std::string network(Dice& dice, Family family, bool takes_all) {
  const int full = address_bits(family);
  const int length = takes_all && roll(dice, 8) == 0 ? 0 : full - static_cast<int>(roll(dice, 5));
  return fmt::format("{}/{}", host(dice, family), length);
}

std::string element_of(Dice& dice, SetType type, Family family) {
  std::string text;
  for (const Part part : facts(type).parts) {
    if (part == Part::none) break;
    if (!text.empty()) text += ',';
    switch (part) {
      case Part::ip: text += host(dice, family); break;
      case Part::net: text += network(dice, family, type == SetType::hash_net_iface); break;
      case Part::port: {
        std::string service = one_of(dice, services);
        if (type == SetType::bitmap_port) service = std::to_string(24 + roll(dice, 4));
        if (family == Family::ipv6 && service.starts_with("icmp")) service = "ipv6-icmp" + service.substr(4);
        text += service;
        break;
      }
      case Part::mark: text += std::to_string(roll(dice, 6)); break;
      case Part::interface: text += one_of(dice, interfaces); break;
      default: break;
    }
  }
  return text;
}

struct RandomSet {
  std::string text;
  bool has_nomatch = false, has_timeout = false;
};
RandomSet random_set(Dice& dice, const std::string& name, SetType type, Family family) {
  RandomSet made;
  const bool may_time = roll(dice, 2) == 0;
  made.text = fmt::format("create {} {}", name, facts(type).name);
  if (facts(type).has_family) made.text += family == Family::ipv4 ? " family inet" : " family inet6";
  if (type == SetType::bitmap_ip) made.text += " range 10.0.0.0-10.0.0.15";
  if (type == SetType::bitmap_port) made.text += " range 0-1024";
  if (type == SetType::hash_ip_mark) made.text += " markmask 0x3";
  if ((type == SetType::hash_ip || type == SetType::bitmap_ip) && roll(dice, 2) == 0)
    made.text += fmt::format(" netmask {}", address_bits(family) - 1 - static_cast<int>(roll(dice, 2)));
  if (may_time) made.text += " timeout 0";
  made.text += "\n";
  int open = 0;
  for (auto left = roll(dice, 9); left > 0; --left) {
    std::string element = element_of(dice, type, family);
    if (type == SetType::hash_ip || type == SetType::hash_ip_port) {  // zeros alone cannot be stored
      if (element.starts_with("::")) continue;
    }
    made.text += fmt::format("add {} {}", name, element);
    if (may_time && open < 3 && roll(dice, 3) == 0) {
      made.text += " timeout 60";
      made.has_timeout = true;
      ++open;
    }
    if (facts(type).has_nomatch && roll(dice, 3) == 0) {
      made.text += " nomatch";
      made.has_nomatch = true;
    }
    if (type == SetType::hash_net_iface && roll(dice, 5) == 0) made.text += " wildcard";
    made.text += " -exist\n";
  }
  return made;
}

LookedUp random_packet(Dice& dice, Family family) {
  constexpr std::uint8_t protocols[] = {6, 6, 17, 132, 47, 33, 1, 136, 200};
  constexpr std::uint16_t ports[] = {24, 25, 26, 27, 0, 8, 1};
  LookedUp packet;
  packet.source = *parse_address(host(dice, family));
  packet.destination = *parse_address(host(dice, family));
  packet.protocol = one_of(dice, protocols);
  if (packet.protocol == 1 && family == Family::ipv6) packet.protocol = 58;
  packet.source_port = one_of(dice, ports);
  packet.destination_port = one_of(dice, ports);
  const bool is_icmp = packet.protocol == 1 || packet.protocol == 58;
  if (is_icmp && roll(dice, 2) == 0) packet.source_port = 8, packet.destination_port = dice() % 2;
  packet.ingress = roll(dice, 6) == 0 ? "" : one_of(dice, interfaces);
  packet.egress = roll(dice, 3) == 0 ? "" : one_of(dice, interfaces);
  packet.mark = static_cast<std::uint32_t>(roll(dice, 8));
  return packet;
}

std::vector<Flag> random_flags(Dice& dice, std::size_t most) {
  std::vector<Flag> flags(1 + roll(dice, most));
  for (Flag& flag : flags) flag = roll(dice, 2) == 0 ? Flag::src : Flag::dst;
  return flags;
}

std::string shown(const SetTest& test, const LookedUp& packet) {
  std::string flags;
  for (const Flag flag : test.flags) flags += flag == Flag::src ? "src," : "dst,";
  return fmt::format("{}--match-set {} {}{} | {}:{} > {}:{} proto {} in '{}' out '{}' mark {}",
                     test.negated ? "! " : "", test.name, flags,
                     test.return_nomatch ? " --return-nomatch" : "", to_string(packet.source),
                     packet.source_port, to_string(packet.destination), packet.destination_port,
                     packet.protocol, packet.ingress, packet.egress, packet.mark);
}

enum class Expected { exact, within };

// What the boxes say of the packet against what holds in all worlds, or in some.
void compare(const IpSets& sets, const MatchBoxes& boxes, const SetTest& test, const LookedUp& packet,
             Expected expected) {
  const auto certain = count(boxes.certain, packet), possible = count(boxes.possible, packet);
  if (certain > 1 || possible > 1) FAIL("boxes overlap: " << shown(test, packet));
  if (possible < certain) FAIL("certain but not possible: " << shown(test, packet));
  const Truth real = truth(sets, test, packet);
  if ((certain == 1 && !real.always) || (possible == 0 && real.ever)) FAIL("wrong: " << shown(test, packet));
  if (expected == Expected::exact && ((certain == 1) != real.always || (possible == 1) != real.ever))
    FAIL("vague: " << shown(test, packet));
}

constexpr SetType exact_types[] = {
    SetType::bitmap_ip,    SetType::bitmap_port,      SetType::hash_ip,
    SetType::hash_net,     SetType::hash_ip_port,     SetType::hash_net_port,
    SetType::hash_ip_mark, SetType::hash_ip_port_net, SetType::hash_ip_port_ip};
constexpr SetType other_types[] = {SetType::hash_net_net, SetType::hash_net_port_net,
                                   SetType::hash_net_iface};

}  // namespace

TEST_CASE("boxes take what the kernel's lookup takes, type by type", "[iptables][ipset][set-match]") {
  for (const SetType type : exact_types)
    for (const Family family : {Family::ipv4, Family::ipv6}) {
      if (type == SetType::bitmap_ip && family == Family::ipv6) continue;
      for (std::uint64_t seed = 1; seed <= 120; ++seed) {
        Dice dice(seed);
        const RandomSet made = random_set(dice, "s", type, family);
        INFO("seed " << seed << "\n" << made.text);
        const IpSets sets = sets_of(made.text);
        REQUIRE(sets.named("s")->is_known());
        const auto flags = random_flags(dice, 3);
        for (const bool negated : {false, true}) {
          const SetTest test{"s", flags, negated, roll(dice, 3) == 0, family};
          const MatchBoxes boxes = boxes_of(sets, test);
          CHECK(boxes.conditions.empty() == boxes.open().empty());
          for (int i = 0; i < 60; ++i)
            compare(sets, boxes, test, random_packet(dice, family), Expected::exact);
        }
      }
    }
}

TEST_CASE("pairs of networks and interfaces are never wrong, and exact without exceptions",
          "[iptables][ipset][set-match]") {
  for (const SetType type : other_types)
    for (const Family family : {Family::ipv4, Family::ipv6})
      for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Dice dice(seed);
        const RandomSet made = random_set(dice, "s", type, family);
        INFO("seed " << seed << "\n" << made.text);
        const IpSets sets = sets_of(made.text);
        REQUIRE(sets.named("s")->is_known());
        const auto flags = random_flags(dice, 3);
        const bool is_plain = !made.has_nomatch && !(made.has_timeout && type == SetType::hash_net_iface);
        for (const bool negated : {false, true}) {
          const SetTest test{"s", flags, negated, !is_plain && roll(dice, 3) == 0, family};
          const MatchBoxes boxes = boxes_of(sets, test);
          for (int i = 0; i < 60; ++i)
            compare(sets, boxes, test, random_packet(dice, family),
                    is_plain ? Expected::exact : Expected::within);
        }
      }
}

TEST_CASE("a list takes what any of its members takes", "[iptables][ipset][set-match]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Dice dice(seed);
    const Family family = roll(dice, 2) == 0 ? Family::ipv4 : Family::ipv6;
    std::string text, list = "create l list:set\n";
    const bool mixed = roll(dice, 2) == 0;
    for (int i = 0; i < 3; ++i) {
      SetType type = mixed                ? one_of(dice, exact_types)
                     : roll(dice, 2) == 0 ? SetType::hash_ip
                                          : SetType::hash_net;
      const Family of_set = type == SetType::bitmap_ip ? Family::ipv4
                            : roll(dice, 5) == 0 ? (family == Family::ipv4 ? Family::ipv6 : Family::ipv4)
                                                 : family;
      const std::string name = fmt::format("m{}", i);
      text += random_set(dice, name, type, of_set).text;
      list += fmt::format("add l {}\n", name);
    }
    INFO("seed " << seed << "\n" << text);
    const IpSets sets = sets_of(text + list);
    const auto flags = random_flags(dice, 3);
    for (const bool negated : {false, true}) {
      const SetTest test{"l", flags, negated, roll(dice, 3) == 0, family};
      const MatchBoxes boxes = boxes_of(sets, test);
      for (int i = 0; i < 60; ++i) compare(sets, boxes, test, random_packet(dice, family), Expected::exact);
    }
  }
}

// ---- by hand ------------------------------------------------------------------------------------------

namespace {

std::string shown(const std::vector<MatchBox>& boxes) {
  std::string text;
  for (const MatchBox& box : boxes) {
    if (!text.empty()) text += " | ";
    text += to_string(
        Box{box.source, box.destination, box.service.protocol, box.service.source, box.service.destination});
    for (const auto& term : box.context)
      text += fmt::format(" {}{}({})", term.negated ? "!" : "",
                          term.dimension == Dimension::ingress ? "in" : "out", fmt::join(term.names, ","));
    for (const auto& mark : box.marks)
      text += fmt::format(" {}mark {:#x}/{:#x}", mark.negated ? "!" : "", mark.value, mark.mask);
  }
  return text;
}

std::vector<std::string> shown(const std::vector<model::Condition>& conditions) {
  std::vector<std::string> texts;
  for (const model::Condition& one : conditions) texts.push_back(to_string(one));
  return texts;
}

using Texts = std::vector<std::string>;
const std::vector<Flag> src{Flag::src}, src_dst{Flag::src, Flag::dst};

}  // namespace

TEST_CASE("the longest network decides, and nomatch turns it around", "[iptables][ipset][set-match]") {
  const IpSets sets =
      sets_of("create s hash:net\nadd s 52.100.0.0/14\nadd s 52.100.1.0/24 nomatch\nadd s 52.100.1.1\n");
  const auto source = [&](SetTest test) { return to_string(boxes_of(sets, test).certain.at(0).source); };
  CHECK(boxes_of(sets, {"s", src}).open().empty());
  const AddressSet set = boxes_of(sets, {"s", src}).certain.at(0).source;
  CHECK(set.contains(*parse_address("52.100.0.1")));
  CHECK(set.contains(*parse_address("52.100.1.1")));
  CHECK_FALSE(set.contains(*parse_address("52.100.1.2")));
  CHECK(boxes_of(sets, {"s", src, true}).certain.at(0).source == AddressSet::all(Family::ipv4) - set);
  const AddressSet turned = boxes_of(sets, {"s", src, false, true}).certain.at(0).source;
  CHECK(turned == AddressSet(*parse_prefix("52.100.1.0/24")) - AddressSet(*parse_address("52.100.1.1")));
  CHECK(source({"s", {Flag::src, Flag::dst, Flag::dst}}) == to_string(set));  // too many flags
}

TEST_CASE("boxes by hand", "[iptables][ipset][set-match]") {
  const IpSets sets = sets_of(
      "create port hash:ip,port\nadd port 10.0.0.1,tcp:25\nadd port 10.0.0.2,tcp:25\nadd port "
      "10.0.0.1,gre:0\n"
      "create ports bitmap:port range 0-1024\nadd ports 25\nadd ports 587\n"
      "create iface hash:net,iface\nadd iface 10.0.0.0/8,eth0\nadd iface 10.0.0.0/8,wan wildcard\n"
      "add iface 10.1.0.0/16,eth9\n"
      "create mark hash:ip,mark markmask 0xff\nadd mark 10.0.0.1,1\nadd mark 10.0.0.1,2\n"
      "create triple hash:ip,port,ip\nadd triple 10.0.0.1,tcp:25,10.0.0.1\nadd triple "
      "10.0.0.1,tcp:25,10.0.0.9\n");
  const auto certain = [&](SetTest test) {
    const MatchBoxes boxes = boxes_of(sets, test);
    CHECK(boxes.open().empty());
    return shown(boxes.certain);
  };
  CHECK(certain({"port", src_dst}) ==
        "10.0.0.1/32 10.0.0.2/32 -> 0.0.0.0/0 tcp/25 | 10.0.0.1/32 -> 0.0.0.0/0 gre");
  CHECK(certain({"port", {Flag::dst, Flag::src}}).find("-> 10.0.0.1/32 10.0.0.2/32") != std::string::npos);
  CHECK(certain({"port", src}) == "");
  CHECK(certain({"port", src, true}) == "0.0.0.0/0 -> 0.0.0.0/0 any protocol");
  CHECK(boxes_of(sets, {"port", src_dst, true}).certain.size() == 4);
  CHECK(certain({"ports", src}).find("25") != std::string::npos);
  CHECK(certain({"triple", {Flag::src, Flag::dst, Flag::src}}) == "10.0.0.1/32 -> 0.0.0.0/0 tcp/25");
  const MatchBoxes iface = boxes_of(sets, {"iface", {Flag::src, Flag::src}});
  REQUIRE(iface.certain.size() == 2);
  CHECK(iface.certain[0].context.at(0).names == Texts{"eth0", "wan+"});
  CHECK_FALSE(iface.certain[0].source.contains(*parse_address("10.1.0.1")));
  CHECK(iface.certain[1].context.at(0).names == Texts{"eth9"});
  CHECK(boxes_of(sets, {"mark", src_dst}).certain.size() == 2);
  const MatchBoxes unmarked = boxes_of(sets, {"mark", src_dst, true});
  REQUIRE(unmarked.certain.size() == 2);
  CHECK(unmarked.certain[1].marks ==
        std::vector<model::MarkTest>{{model::MarkTest::Of::packet, 0xff, 1, true},
                                     {model::MarkTest::Of::packet, 0xff, 2, true}});
}

TEST_CASE("what hangs on something is possible, and says on what", "[iptables][ipset][set-match]") {
  const IpSets sets = sets_of(
      "create ban hash:ip timeout 600\nadd ban 52.100.1.1 timeout 3599\nadd ban 10.0.0.1 timeout 0\n"
      "create macs bitmap:ip,mac range 10.0.0.0/24\nadd macs 10.0.0.7\n"
      "create mac hash:mac\nadd mac 01:02:03:04:05:06\n"
      "create empty hash:mac\n"
      "create broken hash:ip\nadd broken mail.example.com\n"
      "create six hash:net family inet6\nadd six 2001:db8::/32\n"
      "create pairs hash:net,net\nadd pairs 10.0.0.0/8,10.0.0.0/8\nadd pairs 10.1.0.0/16,10.1.0.0/16 "
      "nomatch\n"
      "create list list:set\nadd list ban\nadd list gone\n"
      "create twice hash:net\nadd twice 10.0.0.0/8\nadd twice 10.0.0.0/8 nomatch\n");
  const auto asked = [&](std::string_view name, bool negated = false) {
    return boxes_of(sets, {name, src_dst, negated});
  };
  const MatchBoxes ban = asked("ban");
  CHECK(shown(ban.certain) == "10.0.0.1/32 -> 0.0.0.0/0 any protocol");
  CHECK(to_string(ban.open()[0].source) == "52.100.1.1/32");
  CHECK(shown(ban.conditions) == Texts{"device state 52.100.1.1 in ipset ban for 3599 s"});
  CHECK(to_string(asked("ban", true).open()[0].source) == "52.100.1.1/32");

  CHECK(asked("macs").certain.empty());
  CHECK(to_string(asked("macs").open()[0].source) == "10.0.0.7/32");
  CHECK(shown(asked("macs").conditions) == Texts{"device state MAC addresses in ipset macs"});
  CHECK(shown(boxes_of(sets, {"mac", src}).possible) == "0.0.0.0/0 -> 0.0.0.0/0 any protocol");
  CHECK(boxes_of(sets, {"empty", src}).possible.empty());

  for (const bool negated : {false, true}) {
    const MatchBoxes unknown = asked("nosuch", negated);
    CHECK(unknown.certain.empty());
    CHECK(shown(unknown.possible) == "0.0.0.0/0 -> 0.0.0.0/0 any protocol");
    CHECK(shown(unknown.conditions) == Texts{"external list ipset nosuch"});
    CHECK(shown(asked("broken", negated).conditions) == Texts{"not understood ipset broken"});
    CHECK(asked("broken", negated).certain.empty());
    CHECK(shown(asked("six", negated).conditions) ==
          Texts{"not understood ipset six, which is of the other family"});
    CHECK(shown(asked("list", negated).conditions) ==
          Texts{"device state 52.100.1.1 in ipset ban for 3599 s", "external list ipset gone"});
  }
  CHECK(shown(asked("list").certain) == "10.0.0.1/32 -> 0.0.0.0/0 any protocol");
  CHECK(asked("list", true).certain.empty());
  CHECK(shown(asked("pairs").conditions) ==
        Texts{"too complex pairs of networks in ipset pairs that overlap a nomatch"});
  CHECK(shown(asked("twice").conditions) == Texts{"not understood 10.0.0.0/8 stands twice in ipset twice"});
  CHECK(asked("twice").certain.empty());

  std::string many = "create f2b hash:ip timeout 600\n";
  for (int i = 1; i < 100; ++i) many += fmt::format("add f2b 10.0.0.{} timeout {}\n", i, i);
  const auto conditions = boxes_of(sets_of(many), {"f2b", src}).conditions;
  CHECK(conditions.size() == 9);
  CHECK(to_string(conditions.back()) == "device state 91 more elements with a timeout in ipset f2b");
}

TEST_CASE("a test of one address is one set, worked out once", "[iptables][ipset][set-match]") {
  const IpSets sets = sets_of(
      "create s hash:net\nadd s 10.0.0.0/8\ncreate t hash:ip\nadd t 11.0.0.1\ncreate l list:set\nadd l "
      "s\nadd l t\n"
      "create p hash:ip,port\nadd p 10.0.0.1,tcp:25\n");
  SetMatches matches(sets);
  const SetAddresses* one = matches.addresses({"s", src});
  REQUIRE(one != nullptr);
  CHECK(one == matches.addresses({"s", {Flag::dst}}));
  CHECK(to_string(one->certain) == "10.0.0.0/8");
  CHECK(to_string(matches.addresses({"l", src})->certain) == "10.0.0.0/8 11.0.0.1/32");
  CHECK(matches.addresses({"l", src, true})->certain ==
        AddressSet::all(Family::ipv4) - matches.addresses({"l", src})->certain);
  CHECK(matches.addresses({"p", src_dst}) == nullptr);
  CHECK(matches.addresses({"nosuch", src}) == nullptr);
  CHECK(&matches.boxes({"s", src}) == &matches.boxes({"s", src}));
  CHECK(matches.boxes({"s", {Flag::dst}}).certain.at(0).source.is_all() == false);
  CHECK(to_string(matches.boxes({"s", {Flag::dst}}).certain.at(0).destination) == "10.0.0.0/8");
}

TEST_CASE("sets of a hundred thousand different pairs keep mail's port exact",
          "[iptables][ipset][set-match]") {
  std::string text = "create s hash:ip,port maxelem 200000\nadd s 52.100.0.1,tcp:25\n";
  for (int i = 0; i < 20000; ++i)
    text += fmt::format("add s 10.{}.{}.1,tcp:{}\n", i / 256, i % 256, 1000 + i);
  const IpSets sets = sets_of(text);
  for (const bool negated : {false, true}) {
    const MatchBoxes boxes = boxes_of(sets, {"s", src_dst, negated});
    CHECK(boxes.possible.size() <= most_boxes);
    CHECK(shown(boxes.conditions) == Texts{"too complex ipset s"});
    LookedUp packet{*parse_address("52.100.0.1"), *parse_address("10.9.9.9"), 6, 40000, 25, "", "", 0};
    CHECK(count(boxes.certain, packet) == (negated ? 0 : 1));
    CHECK(count(boxes.open(), packet) == 0);
    packet.source = *parse_address("52.100.0.2");
    CHECK(count(boxes.certain, packet) == (negated ? 1 : 0));
    packet = {*parse_address("10.0.5.1"), *parse_address("10.9.9.9"), 6, 40000, 1005, "", "", 0};
    if (!negated) CHECK(count(boxes.possible, packet) == 1);
  }
}

}  // namespace aclmend::iptables
