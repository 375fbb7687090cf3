#include "tests/oracle/iptables/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "tests/oracle/iptables/invent.h"

namespace aclmend::oracle {
namespace {

constexpr std::string_view v4_stock[] = {"198.18.0.0", "52.100.0.0",  "10.1.2.0",     "10.200.0.7",
                                         "172.16.5.5", "192.168.1.9", "203.0.113.77", "192.0.2.99"};
constexpr std::string_view v6_stock[] = {"2a01:111:f400::", "2001:db8:1::25", "2001:db8:9::9",
                                         "fd00::5",         "2600::1",        "2001:db8:8::77"};
constexpr std::uint16_t usual_ports[] = {25, 587, 465, 80, 1023, 1024, 2525, 65535};

}  // namespace

Words::Words(Dice& dice, Invention& made, const Plan& plan) : dice_(dice), made_(made), plan_(plan) {
  const auto take = [&](std::string_view text) { stock_.push_back(*parse_address(text)); };
  for (int i = 0; i < 4; ++i)
    take(is_v6() ? v6_stock[dice_.below(std::size(v6_stock))] : v4_stock[dice_.below(std::size(v4_stock))]);
  for (const Address address : plan.own(made.rules.family))
    if (dice_.one_in(2)) stock_.push_back(address);
  for (int i = 0; i < 3; ++i) port_stock_.push_back(usual_ports[dice_.below(std::size(usual_ports))]);
  port_stock_.push_back(static_cast<std::uint16_t>(dice_.any()));
}

bool Words::is_decidable() const { return made_.taste == Taste::decidable; }
bool Words::is_v6() const { return made_.rules.family == Family::ipv6; }

// ---- addresses and ports ------------------------------------------------------------------------------

Address Words::noted(Address address) {
  for (const V6 step : {V6{0}, V6{1}, ~V6{0}}) {
    Address near = address;
    near.number += step;
    if (near.is_v4()) near.number &= 0xFFFFFFFF;
    made_.addresses.push_back(near);
  }
  return address;
}

std::uint16_t Words::noted(std::uint16_t port) {
  for (const int step : {-1, 0, 1}) made_.ports.push_back(static_cast<std::uint16_t>(port + step));
  return port;
}

Address Words::host() {
  Address address = dice_.of(stock_);
  if (dice_.one_in(2)) address.number ^= dice_.below(8);
  return noted(address);
}

Address Words::own() { return noted(dice_.of(plan_.own(made_.rules.family))); }

Prefix Words::prefix(int shortest) {
  const int bits = address_bits(made_.rules.family);
  const int length =
      static_cast<int>(dice_.between(static_cast<std::size_t>(shortest), static_cast<std::size_t>(bits)));
  const Prefix made = prefix_of(dice_.of(stock_), dice_.one_in(3) ? bits : length);
  noted(made.first());
  noted(made.last());
  return made;
}

std::uint16_t Words::port() {
  return noted(dice_.one_in(4) ? static_cast<std::uint16_t>(dice_.any()) : dice_.of(port_stock_));
}

std::string Words::negation(std::size_t share) { return dice_.percent(share) ? "! " : ""; }

std::string Words::address_text() {
  const Prefix made = prefix(is_v6() ? 3 : 1);
  if (!is_v6() && dice_.one_in(5))
    return fmt::format("{}/{}", to_string(made.address), to_string(Address::v4(netmask(made.length))));
  if (!is_decidable() && dice_.one_in(10))
    return is_v6() ? fmt::format("{}/ffff:ffff::f", to_string(host()))
                   : fmt::format("{}/255.0.255.15", to_string(host()));
  return dice_.one_in(2) ? host_bare(made) : to_string(made);
}

std::string Words::range_text() {
  Address first = host(), last = first;
  last.number += dice_.below(dice_.one_in(2) ? 8 : 1 << 20);
  return fmt::format("{}-{}", to_string(first), to_string(noted(last)));
}

std::string Words::ports_text(char parted) {
  const std::uint16_t first = port(), second = port();
  if (dice_.percent(60)) return std::to_string(first);
  if (dice_.one_in(5)) return fmt::format("{}{}", parted, first);
  if (dice_.one_in(4)) return fmt::format("{}{}", first, parted);
  return fmt::format("{}{}{}", std::min(first, second), parted, std::max(first, second));
}

std::string Words::interface_text() {
  if (dice_.percent(25)) return dice_.of({"eth+", "ppp+", "br+", "et+", "ethx+"});
  if (dice_.one_in(8)) return dice_.of({"lo", "wan", "et", "eth10"});
  return dice_.of(plan_.ports).name;
}

std::string Words::addresses() {
  std::vector<std::string> parts;
  if (dice_.one_in(10)) {  // lists become several rules, and take no `!` anywhere
    parts.push_back(fmt::format("-s {},{}", address_text(), address_text()));
    if (dice_.one_in(2)) parts.push_back(fmt::format("-d {},{}", address_text(), address_text()));
  } else {
    if (dice_.percent(40))
      parts.push_back(fmt::format("{}{} {}", negation(25), dice_.of({"-s", "--source"}), address_text()));
    if (dice_.percent(35))
      parts.push_back(
          fmt::format("{}{} {}", negation(25), dice_.of({"-d", "--destination"}), address_text()));
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

std::string Words::interfaces(const Where& where) {
  std::string text;
  if (where.takes_in && dice_.percent(20)) text = fmt::format("{}-i {}", negation(30), interface_text());
  if (where.takes_out && dice_.percent(12))
    text += fmt::format("{}{}-o {}", text.empty() ? "" : " ", negation(30), interface_text());
  return text;
}

// ---- services -----------------------------------------------------------------------------------------

std::string Words::ports(std::string_view protocol) {
  std::string text;
  const bool with_module = dice_.one_in(2);
  if (with_module) text = fmt::format(" -m {}", protocol);
  std::string from = dice_.percent(30) ? ports_text(':') : "", to = dice_.percent(70) ? ports_text(':') : "";
  // iptables-nft 1.8.9 errs where both are single ports and negated, and where all ports are: those are no
  // questions of one answer.
  const auto is_all = [](std::string_view ports) {
    return ports == "0:" || ports == ":65535" || ports == "0:65535";
  };
  const bool not_from = dice_.percent(20) && !(is_decidable() && is_all(from));
  const bool not_to = dice_.percent(20) && !(is_decidable() && (is_all(to) || (not_from && !from.empty())));
  if (!from.empty()) text += fmt::format(" {}--sport {}", not_from ? "! " : "", from);
  if (!to.empty()) text += fmt::format(" {}--dport {}", not_to ? "! " : "", to);
  return text;
}

std::string Words::multiport() {
  std::vector<std::string> slots;
  for (std::size_t left = dice_.between(1, 6); left > 0; --left) {
    const std::uint16_t first = port(), second = port();
    slots.push_back(dice_.one_in(3) && first != second
                        ? fmt::format("{}:{}", std::min(first, second), std::max(first, second))
                        : std::to_string(first));
  }
  return fmt::format(" -m multiport {}{} {}", negation(25),
                     dice_.of({"--ports", "--dports", "--sports", "--dports"}), fmt::join(slots, ","));
}

std::string Words::tcp_flags() {
  if (dice_.one_in(3)) return fmt::format(" {}--syn", negation(30));
  return fmt::format(" {}--tcp-flags {} {}", negation(30),
                     dice_.of({"SYN,ACK,FIN,RST", "ALL", "SYN", "FIN,RST", "SYN,PSH,URG", "ACK"}),
                     dice_.of({"SYN", "NONE", "FIN,SYN", "SYN", "RST,ACK"}));
}

std::string Words::icmp() {
  if (is_v6())
    return dice_.of({"-p icmpv6", "-p ipv6-icmp -m icmp6 --icmpv6-type 128",
                     "-p icmpv6 --icmpv6-type echo-request", "-p icmpv6 ! --icmpv6-type 128/0",
                     "-p icmpv6 --icmpv6-type 1/3", "-p 58"});
  return dice_.of({"-p icmp", "-p icmp -m icmp --icmp-type 8", "-p icmp --icmp-type any",
                   "-p icmp --icmp-type 8/0", "-p icmp ! --icmp-type 8", "-p icmp --icmp-type 3/4",
                   "-p icmp ! --icmp-type 3", "-p 1", "-p icmp --icmp-type echo-request"});
}

std::string Words::service(RuleWords& words) {
  const std::size_t kind = dice_.below(100);
  if (kind < 30) return "";
  if (kind < 65) {
    words.service = Service::tcp;
    std::string text = "-p " + dice_.of({"tcp", "6", "TCP", "tcp"});
    if (dice_.percent(60)) text += ports("tcp");
    else if (dice_.percent(60)) text += multiport();
    if (dice_.percent(15)) text += tcp_flags();
    return text;
  }
  if (kind < 78) {
    words.service = Service::with_ports;
    return "-p " + dice_.of({"udp", "17"}) + (dice_.percent(70) ? ports("udp") : multiport());
  }
  if (kind < 86) return icmp();
  if (kind < 92) {
    words.service = Service::with_ports;
    return "-p sctp" + (dice_.one_in(2) ? ports("sctp") : multiport());
  }
  if (kind < 97) return "! -p " + dice_.of({"tcp", "udp", "gre", "99", "6"});
  return "-p " + dice_.of({"gre", "47", "esp", "99", "all", "0"});
}

// ---- states, marks, sets ------------------------------------------------------------------------------

std::string Words::conntrack(const Where& where, Service service) {
  const auto states = [&](const std::vector<std::string>& names) {
    std::set<std::string> list;
    for (std::size_t left = dice_.between(1, 3); left > 0; --left) list.insert(dice_.of(names));
    return fmt::format("{}", fmt::join(list, ","));
  };
  static const std::vector<std::string> old_names{"INVALID", "ESTABLISHED", "NEW",
                                                  "RELATED", "UNTRACKED",   "NEW"};
  static const std::vector<std::string> names{"INVALID",   "ESTABLISHED", "NEW",  "RELATED",
                                              "UNTRACKED", "DNAT",        "SNAT", "NEW"};
  if (dice_.percent(25)) return fmt::format("-m state {}--state {}", negation(25), states(old_names));
  std::string text = "-m conntrack";
  if (dice_.percent(65)) {
    text += fmt::format(" {}--ctstate {}", negation(25), states(names));
    if (dice_.percent(75)) return text;
  }
  const bool with_ports = service != Service::other;
  switch (dice_.below(9)) {
    case 0: return text + fmt::format(" {}--ctorigdst {}", negation(25), to_string(prefix(is_v6() ? 3 : 1)));
    case 1: return text + fmt::format(" {}--ctorigsrc {}", negation(25), to_string(prefix(is_v6() ? 3 : 1)));
    case 2:
      if (!with_ports) return text + " --ctproto 6";
      return text + fmt::format(" {}--ctorigdstport {}", negation(25), port());
    case 3:
      if (!with_ports) return text + " ! --ctproto 17";
      return text + fmt::format(" {}--ctorigsrcport {}", negation(25), port());
    case 4: return text + " --ctdir " + dice_.of({"ORIGINAL", "REPLY"});
    case 5: return text + fmt::format(" {}--ctproto {}", negation(25), dice_.of({"6", "tcp", "17", "132"}));
    case 6: return text + fmt::format(" {}--ctreplsrc {}", negation(25), to_string(prefix(is_v6() ? 3 : 1)));
    case 7:
      return text + fmt::format(" {}--ctstatus {}", negation(40),
                                dice_.of({"SEEN_REPLY", "ASSURED", "EXPECTED", "NONE", "CONFIRMED"}));
    default:
      if (where.is_raw || !with_ports) return text + " --ctdir ORIGINAL";
      return text +
             fmt::format(" {}--ctorigdst {} --ctorigdstport {}:{}", negation(25), to_string(host()), 20, 30);
  }
}

std::string Words::mark() {
  const std::string test = fmt::format("{}--mark {:#x}{}", negation(25), dice_.below(8),
                                       dice_.one_in(2) ? fmt::format("/{:#x}", dice_.below(8)) : "");
  return (dice_.percent(65) ? "-m mark " : "-m connmark ") + test;
}

std::string Words::set_port() {
  switch (dice_.below(8)) {
    case 0: return fmt::format("udp:{}", port());
    case 1: return fmt::format("sctp:{}", port());
    case 2: return is_v6() ? "icmpv6:128/0" : "icmp:8/0";
    case 3: {
      const std::uint16_t first = static_cast<std::uint16_t>(dice_.below(65000));
      return fmt::format("tcp:{}-{}", noted(first),
                         noted(static_cast<std::uint16_t>(first + dice_.below(5))));
    }
    case 4: return is_decidable() ? "tcp:25" : dice_.of({"gre:0", "99:0", "esp:0"});
    default: return fmt::format("tcp:{}", port());
  }
}

std::string Words::elements(const Set& set, std::string_view type) {
  const bool is_list = type == "list:set";
  std::string text;
  std::set<std::string> once;
  for (std::size_t left = dice_.below(is_list ? 4 : 7); left > 0; --left) {
    std::string element;
    if (is_list) {
      element = dice_.of(sets_).name;
    } else if (type == "bitmap:port") {
      element = std::to_string(port());
    } else if (type == "hash:ip" && !is_v6() && text.empty() && dice_.one_in(2)) {
      const Address first = host();  // the only element, or another might lie in it
      Address last = first;
      last.number += dice_.below(6);
      return fmt::format("add {} {}-{}\n", set.name, to_string(first), to_string(noted(last)));
    } else if (type == "bitmap:ip") {
      Address address = *parse_address("198.18.0.0");
      address.number += dice_.below(256);
      element = to_string(noted(address));
    } else {
      const bool by_prefix = type.starts_with("hash:net");
      element = by_prefix ? to_string(prefix(is_v6() ? 16 : 8)) : to_string(host());
      if (type.find(",port") != type.npos) element += "," + set_port();
      if (type.ends_with(",iface")) element += "," + dice_.of(plan_.ports).name;
      if (type.ends_with(",port,ip")) element += "," + to_string(host());
      if (type.ends_with(",port,net")) element += "," + to_string(prefix(is_v6() ? 16 : 8));
    }
    if (!once.insert(element).second) continue;
    text +=
        fmt::format("add {} {}{}\n", set.name, element, set.has_nomatch && dice_.one_in(3) ? " nomatch" : "");
  }
  return text;
}

std::string Words::sets() {
  struct Type {
    std::string_view name;
    std::size_t dimensions;
    bool has_nomatch;
  };
  static const std::vector<Type> types{{"hash:ip", 1, false},         {"hash:net", 1, true},
                                       {"hash:net", 1, true},         {"hash:ip,port", 2, false},
                                       {"hash:net,port", 2, true},    {"hash:ip,port,ip", 3, false},
                                       {"hash:ip,port,net", 3, true}, {"hash:net,iface", 2, true},
                                       {"bitmap:port", 1, false},     {"bitmap:ip", 1, false}};
  if (dice_.percent(45)) return "";
  std::string text;
  for (std::size_t left = dice_.between(1, 3); left > 0; --left) {
    const Type& type = dice_.of(types);
    if (type.name == "bitmap:ip" && is_v6()) continue;
    const Set set{fmt::format("{}{}", dice_.of({"EOP-", "f2b-", "allow.", "n_"}), sets_.size()),
                  type.dimensions, type.has_nomatch, type.name.ends_with("iface")};
    text += fmt::format("create {} {}", set.name, type.name);
    if (type.name == "bitmap:port") text += " range 0-65535";
    else if (type.name == "bitmap:ip") text += " range 198.18.0.0-198.18.0.255";
    else if (is_v6()) text += " family inet6";
    const bool is_cut = type.name == "hash:ip" && !is_v6() && dice_.one_in(4);
    if (is_cut) text += " netmask 24";
    text += dice_.one_in(5) ? " counters comment\n" : "\n";
    text += is_cut ? fmt::format("add {} {}\n", set.name, to_string(host())) : elements(set, type.name);
    sets_.push_back(set);
  }
  if (!sets_.empty() && dice_.one_in(4)) {
    const Set list{"all-of-them", dice_.between(1, 3), true, false};
    text += fmt::format("create {} list:set size 8\n", list.name);
    std::string members = elements({list.name, 1, false, false}, "list:set");
    text += members;
    sets_.push_back(list);
  }
  return text;
}

std::string Words::set_match() {
  const Set& set = dice_.of(sets_);
  std::size_t flags = set.dimensions;
  if (dice_.one_in(8)) flags = dice_.between(1, 3);
  std::vector<std::string> ends;
  for (std::size_t i = 0; i < flags; ++i) ends.push_back(dice_.of({"src", "dst"}));
  if (set.has_interface && dice_.percent(80)) ends.back() = "src";
  return fmt::format("-m set {}--match-set {} {}{}", negation(20), set.name, fmt::join(ends, ","),
                     dice_.one_in(12) ? " --return-nomatch" : "");
}

std::string Words::address_type() {
  if (is_decidable())
    return fmt::format("-m addrtype {}--{}-type LOCAL", negation(30), dice_.percent(85) ? "dst" : "src");
  return "-m addrtype " +
         dice_.of({"--dst-type UNICAST", "! --dst-type UNICAST", "--src-type UNICAST --dst-type LOCAL",
                   "--dst-type LOCAL,UNICAST", "--dst-type MULTICAST", "--src-type LOCAL",
                   "! --src-type UNICAST", "--dst-type UNREACHABLE"});
}

std::string Words::quoted() {
  return dice_.of({"\"-j ACCEPT\"", "\"it\\'s \\\"q\\\" \\\\ back\"", "'x'", "\"! -s 1.2.3.4\"",
                   "\"*filter\"", "\"COMMIT\"", "\"[0:0] -A INPUT -j DROP\"", "\"#1 -d 9.9.9.9\"", "plain",
                   "\"\"", "\"two  words\""});
}

std::string Words::open_match(const Where& where) {
  if (where.is_arrival && dice_.one_in(5))
    return dice_.of({"-m mac --mac-source 00:11:22:33:44:55", "-m mac ! --mac-source 00:11:22:33:44:55",
                     "-m policy --dir in --pol none", "-m policy --dir in --pol ipsec"});
  return dice_.of({"-m limit --limit 1000/second --limit-burst 9000",
                   "-m statistic --mode random --probability 0.5", "-m length --length 0:100",
                   "-m pkttype --pkt-type unicast", "-m physdev --physdev-in eth7",
                   "-m string --algo bm --string hello", "-m time --timestart 00:00 --timestop 23:59:59",
                   "-m u32 --u32 0x0&0xF=0x0", "-m quota --quota 100000", "-m helper --helper ftp",

                   "-m connlimit --connlimit-above 2", "-m recent --rcheck --name seen",
                   "-m recent --update --seconds 60 --name seen",
                   "-m hashlimit --hashlimit-upto 5/sec --hashlimit-name h", "-m conntrack --ctexpire 0:60",
                   "-m tos --tos 0x08", "-m dscp --dscp 0",
                   "-m connbytes --connbytes 0:9 --connbytes-dir both --connbytes-mode packets"});
}

std::string Words::passing_target() {
  switch (dice_.below(4)) {
    case 0: return "-j LOG";
    case 1:
      return "-j LOG --log-prefix " + dice_.of({"\"-j DROP \"", "x: ", "\"[UFW BLOCK] \"", "\"\\\"q \""});
    case 2: return "-j NFLOG --nflog-group 3 --nflog-prefix " + dice_.of({"\"a b\"", "\"COMMIT\""});
    default: return "-j NFLOG";
  }
}

std::string Words::extra(const Where& where, Service service) {
  const std::size_t kind = dice_.below(100);
  if (kind < 28) return conntrack(where, service);
  if (kind < 44) return mark();
  if (kind < 62 && !sets_.empty()) return set_match();
  if (kind < 72) return address_type();
  if (kind < 80)
    return fmt::format("-m iprange {}--{}-range {}", negation(25), dice_.of({"src", "dst"}), range_text());
  if (kind < 86) return fmt::format("-m recent {}--set --name seen", negation(25));
  if (kind < 93 || is_decidable()) return fmt::format("-m comment --comment {}", quoted());
  return open_match(where);
}

RuleWords Words::rule(const Where& where) {
  RuleWords words;
  const auto add = [&](std::string group) {
    if (!group.empty()) words.groups.push_back(std::move(group));
  };
  add(addresses());
  add(interfaces(where));
  if (!is_v6() && dice_.one_in(25)) add(negation(60) + "-f");
  add(service(words));
  if (dice_.percent(45)) add(extra(where, words.service));
  if (dice_.percent(15)) add(extra(where, words.service));
  if (!is_decidable() && dice_.percent(8)) add(open_match(where));
  return words;
}

}  // namespace aclmend::oracle
