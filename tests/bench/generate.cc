// The benchmarks' inputs, made of a seed: the same arguments always give the same bytes, on standard output.
//   aclmend_bench_generate prefixes COUNT SEED    a list of random IPv4 prefixes
//   aclmend_bench_generate asa RULES              an ordinary access list on a Cisco ASA
//   aclmend_bench_generate hostile RULES          every rule names a host of EOP, the mail host and port 25
//   aclmend_bench_generate group MEMBERS RULES    one object group, used by every rule
//   aclmend_bench_generate chain RULES            iptables: that many rules in one chain
//   aclmend_bench_generate chains COUNT           iptables: a node of Kubernetes with that many chains
//   aclmend_bench_generate asa-log LINES          what that ASA logs: denies, connections built and torn down
//   aclmend_bench_generate linux-log LINES        what LOG rules write into the kernel's log
//   aclmend_bench_generate receive-log LINES      an SmtpReceive protocol log of Exchange
// The ASA exports answer `aclmend audit FILE --to 203.0.113.25`: the mail host is 10.1.1.25 behind static
// NAT, and the list on interface outside permits Exchange Online Protection. The iptables exports answer the
// same: the mail host stands behind the firewall, or is a service of the cluster.
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

namespace {

// Text that leaves in large pieces.
class Output {
 public:
  Output() { text_.reserve(2 * piece); }
  ~Output() { flush(); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
    if (text_.size() >= piece) flush();
  }

 private:
  static constexpr std::size_t piece = 1 << 20;
  void flush() {
    if (std::fwrite(text_.data(), 1, text_.size(), stdout) != text_.size()) std::abort();
    text_.clear();
  }
  std::string text_;
};

// std::mt19937_64 is the same everywhere; the standard's distributions are not.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::uint32_t below(std::uint32_t limit) {
    return static_cast<std::uint32_t>((engine_() >> 32) * limit >> 32);
  }
  std::uint32_t word() { return static_cast<std::uint32_t>(engine_() >> 32); }

 private:
  std::mt19937_64 engine_;
};

std::string dotted(std::uint32_t v4) {
  return fmt::format("{}.{}.{}.{}", v4 >> 24, v4 >> 16 & 255, v4 >> 8 & 255, v4 & 255);
}

// What blocklists look like: 55 % /24, 15 % single hosts, the rest /16 to /31, in no order.
void prefixes(Output& out, std::uint32_t count, std::uint64_t seed) {
  Dice dice(seed);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t kind = dice.below(100);
    const std::uint32_t length = kind < 55 ? 24 : kind < 70 ? 32 : 16 + dice.below(16);
    const std::uint32_t network = dice.word() & ~std::uint32_t{0} << (32 - length);
    if (length == 32) out.line("{}", dotted(network));
    else out.line("{}/{}", dotted(network), length);
  }
}

// ---- Cisco ASA --------------------------------------------------------------------------------------------

constexpr std::string_view mail_host = "host 10.1.1.25";

struct Network {
  std::uint32_t address;
  int length;
};
constexpr std::array<Network, 4> eop = {
    {{0x285C0000, 15}, {0x286B0000, 16}, {0x34640000, 14}, {0x682F0000, 17}}};

std::uint32_t netmask(int length) { return ~std::uint32_t{0} << (32 - length); }

// Everything above the access list.
void asa_head(Output& out) {
  out.line(
      ": Saved\n\n: Hardware:   ASA5555\nASA Version 9.16(4)\n!\nhostname edge\n!\n"
      "interface GigabitEthernet0/0\n nameif outside\n security-level 0\n ip address 203.0.113.2 "
      "255.255.255.0\n!\n"
      "interface GigabitEthernet0/1\n nameif dmz\n security-level 50\n ip address 10.1.1.1 255.255.255.0\n!\n"
      "object network MAIL\n host 10.1.1.25\n"
      "object-group network EOP-NETS");
  for (const Network& net : eop)
    out.line(" network-object {} {}", dotted(net.address), dotted(netmask(net.length)));
}

// Everything below it. The list is OUTSIDE_IN.
void asa_tail(Output& out) {
  out.line(
      "access-list OUTSIDE_IN extended deny ip any any log\n"
      "!\n"
      "object network MAIL\n nat (dmz,outside) static 203.0.113.25\n"
      "access-group OUTSIDE_IN in interface outside\n"
      "route outside 0.0.0.0 0.0.0.0 203.0.113.1 1\n"
      "route dmz 10.0.0.0 255.0.0.0 10.1.1.254 1\n"
      "Cryptochecksum:0123456789abcdef0123456789abcdef\n"
      ": end");
}

// A server of the company: in 10/8, never the mail host's own network.
std::string server(Dice& dice) { return fmt::format("host {}", dotted(0x0A020000 + dice.below(0x00F00000))); }

std::string port(Dice& dice) {
  const std::uint32_t kind = dice.below(100);
  if (kind < 40) return "eq https";
  if (kind < 60) return "eq www";
  if (kind < 68) return "eq smtp";
  if (kind < 74) return "eq ssh";
  if (kind < 90) return fmt::format("eq {}", 1024 + dice.below(40000));
  const std::uint32_t first = 1024 + dice.below(40000);
  return fmt::format("range {} {}", first, first + 1 + dice.below(1000));
}

constexpr std::uint32_t groups = 200;

// What real lists are made of: any, /24s and hosts towards single servers; groups here and there; a remark a
// page.
std::string ordinary_rule(Dice& dice) {
  std::string source;
  const std::uint32_t kind = dice.below(100);
  if (kind < 28) source = "any";
  else if (kind < 50) source = fmt::format("{} 255.255.255.0", dotted(dice.word() & netmask(24)));
  else if (kind < 72) source = fmt::format("host {}", dotted(dice.word()));
  else if (kind < 85) source = fmt::format("object-group NETS-{}", dice.below(groups));
  else {
    const int length = 12 + static_cast<int>(dice.below(12));
    source = fmt::format("{} {}", dotted(dice.word() & netmask(length)), dotted(netmask(length)));
  }
  const std::string_view action = dice.below(100) < 8 ? "deny" : "permit";
  const std::string_view protocol = dice.below(100) < 90 ? "tcp" : "udp";
  std::string service = port(dice);
  if (protocol == "udp") service = fmt::format("eq {}", 1024 + dice.below(40000));
  else if (dice.below(100) < 5) service = "object-group WEB";
  return fmt::format("access-list OUTSIDE_IN extended {} {} {} {} {}", action, protocol, source, server(dice),
                     service);
}

void asa(Output& out, std::uint32_t rules) {
  Dice dice(rules);
  asa_head(out);
  for (std::uint32_t i = 0; i < groups; ++i) {
    out.line("object-group network NETS-{}", i);
    for (std::uint32_t members = 2 + dice.below(40); members > 0; --members) {
      if (dice.below(2) == 0) out.line(" network-object host {}", dotted(dice.word()));
      else out.line(" network-object {} 255.255.255.0", dotted(dice.word() & netmask(24)));
    }
  }
  out.line(
      "object-group service WEB tcp\n port-object eq www\n port-object eq https\n port-object range 8080 "
      "8090");
  for (std::uint32_t i = 0; i + 1 < rules; ++i) {
    if (i == rules / 2) {
      out.line("access-list OUTSIDE_IN extended permit tcp object-group EOP-NETS {} eq smtp", mail_host);
    } else if (dice.below(1000) < 5) {  // a partner that may send mail as well
      out.line("access-list OUTSIDE_IN extended permit tcp host {} {} eq smtp", dotted(dice.word()),
               mail_host);
    } else {
      if (dice.below(200) == 0)
        out.line("access-list OUTSIDE_IN remark change {}, asked for by the owner", i);
      out.line("{}", ordinary_rule(dice));
    }
  }
  asa_tail(out);
}

void hostile(Output& out, std::uint32_t rules) {
  asa_head(out);
  std::uint32_t hosts = 0;
  for (const Network& net : eop) hosts += 1U << (32 - net.length);
  for (std::uint32_t i = 0; i < rules; ++i) {
    // In an order without neighbours; beyond the last host all of them again, with the other action.
    auto nth = static_cast<std::uint32_t>(std::uint64_t{i} * 1000003 % hosts);
    std::size_t range = 0;
    while (nth >> (32 - eop[range].length) != 0) nth -= 1U << (32 - eop[range].length), ++range;
    const std::string_view action = (i + i / hosts) % 2 == 0 ? "permit" : "deny";
    out.line("access-list OUTSIDE_IN extended {} tcp host {} {} eq smtp", action,
             dotted(eop[range].address + nth), mail_host);
  }
  asa_tail(out);
}

void group(Output& out, std::uint32_t members, std::uint32_t rules) {
  Dice dice(rules);
  asa_head(out);
  out.line("object-group network BIG");
  for (std::uint32_t i = 0; i < members; ++i) out.line(" network-object host {}", dotted(0x34640000 + i * 2));
  for (std::uint32_t i = 0; i < rules; ++i) {
    const bool is_asked = i % 100 == 0;  // about the mail host's port 25, in many spellings
    if (is_asked)
      out.line("access-list OUTSIDE_IN extended permit tcp object-group BIG {} range {} {}", mail_host,
               1 + i / 100 % 24, 26 + i / 2400);
    else
      out.line("access-list OUTSIDE_IN extended permit tcp object-group BIG {} {}", server(dice), port(dice));
  }
  out.line("access-list OUTSIDE_IN extended permit tcp object-group EOP-NETS {} eq smtp", mail_host);
  asa_tail(out);
}

// ---- iptables ---------------------------------------------------------------------------------------------

void tables_head(Output& out, std::string_view table) {
  out.line("# Generated by iptables-save v1.8.9 on Sun Nov 22 06:25:01 2026\n*{}", table);
}

std::string prefix(const Network& net) { return fmt::format("{}/{}", dotted(net.address), net.length); }

// Of what ASA's rules are made of as well.
std::string ordinary_tables_rule(Dice& dice) {
  std::string rule = "-A FORWARD";
  const std::uint32_t kind = dice.below(100);
  if (kind >= 28 && kind < 55) rule += fmt::format(" -s {}/24", dotted(dice.word() & netmask(24)));
  else if (kind >= 55 && kind < 85) rule += fmt::format(" -s {}/32", dotted(dice.word()));
  else if (kind >= 85) {
    const int length = 12 + static_cast<int>(dice.below(12));
    rule += fmt::format(" -s {}", prefix({dice.word() & netmask(length), length}));
  }
  rule += fmt::format(" -d {}/32", dotted(0x0A020000 + dice.below(0x00F00000)));
  if (dice.below(100) < 10) rule += " -i eth0";
  const std::string_view protocol = dice.below(100) < 90 ? "tcp" : "udp";
  rule += fmt::format(" -p {}", protocol);
  const std::uint32_t service = dice.below(100);
  if (service < 10) {
    rule += " -m multiport --dports 80,443,8080:8090";
  } else if (service < 60) {
    rule += fmt::format(" -m {} --dport {}", protocol, service < 40 ? 443 : 80);
  } else {
    const std::uint32_t first = 1024 + dice.below(40000);
    rule += fmt::format(" -m {} --dport {}", protocol, first);
    if (service >= 90) rule += fmt::format(":{}", first + 1 + dice.below(1000));
  }
  if (dice.below(100) < 20) rule += " -m conntrack --ctstate NEW";
  if (dice.below(200) == 0)
    rule += fmt::format(" -m comment --comment \"asked for, change {}\"", dice.below(100000));
  rule += dice.below(100) < 8 ? " -j DROP" : " -j ACCEPT";
  return rule;
}

void chain(Output& out, std::uint32_t rules) {
  Dice dice(rules);
  tables_head(out, "filter");
  out.line(":INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]");
  out.line("-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT");
  for (std::uint32_t i = 1; i < rules; ++i) {
    const std::uint32_t after_middle = i - rules / 2;
    if (after_middle < eop.size())
      out.line("-A FORWARD -s {} -d 203.0.113.25/32 -p tcp -m tcp --dport 25 -j ACCEPT",
               prefix(eop[after_middle]));
    else out.line("{}", ordinary_tables_rule(dice));
  }
  out.line("COMMIT\n# Completed on Sun Nov 22 06:25:01 2026");
}

// kube-proxy's own spelling: a chain for a service, a chain for each of its endpoints, taken at random.
void chains(Output& out, std::uint32_t count) {
  constexpr std::uint32_t endpoints = 3;
  const std::uint32_t services = count / (endpoints + 1);
  const auto name = [](std::string_view kind, std::uint32_t service, std::uint32_t endpoint) {
    std::string text = fmt::format("KUBE-{}-", kind);
    std::uint64_t bits = (std::uint64_t{service} * endpoints + endpoint + 1) * 0x9E3779B97F4A7C15;
    for (int i = 0; i < 12; ++i, bits = bits << 5 | bits >> 59)
      text += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[bits >> 59];
    return text + "AAAA";
  };
  tables_head(out, "nat");
  out.line(
      ":PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
      ":KUBE-MARK-MASQ - [0:0]\n:KUBE-POSTROUTING - [0:0]\n:KUBE-SERVICES - [0:0]");
  for (std::uint32_t s = 0; s < services; ++s) {
    out.line(":{} - [0:0]", name("SVC", s, 0));
    for (std::uint32_t e = 0; e < endpoints; ++e) out.line(":{} - [0:0]", name("SEP", s, e));
  }
  out.line(
      "-A PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES\n"
      "-A POSTROUTING -m comment --comment \"kubernetes postrouting rules\" -j KUBE-POSTROUTING\n"
      "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\n"
      "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n"
      "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0\n"
      "-A KUBE-POSTROUTING -m comment --comment \"kubernetes service traffic requiring SNAT\" -j MASQUERADE "
      "--random-fully");
  for (std::uint32_t s = 0; s < services; ++s) {
    const bool is_mail = s == services / 2;
    const std::string about = fmt::format("-m comment --comment \"shop/service-{}:tcp", s);
    const std::string service = name("SVC", s, 0);
    const std::string address = is_mail ? "203.0.113.25" : dotted(0x0A600000 + s);
    const int port = is_mail ? 25 : 8080;
    out.line("-A KUBE-SERVICES -d {}/32 -p tcp {} cluster IP\" -m tcp --dport {} -j {}", address, about, port,
             service);
    for (std::uint32_t e = 0; e < endpoints; ++e) {
      const std::string endpoint = name("SEP", s, e), pod = dotted(0x0AF40000 + s * endpoints + e);
      const std::string chance =
          e + 1 == endpoints
              ? std::string()
              : fmt::format(" -m statistic --mode random --probability {:.11f}", 1.0 / (endpoints - e));
      out.line("-A {} {} -> {}:{}\"{} -j {}", service, about, pod, port, chance, endpoint);
      out.line("-A {} -s {}/32 {}\" -j KUBE-MARK-MASQ", endpoint, pod, about);
      out.line("-A {} -p tcp {}\" -m tcp -j DNAT --to-destination {}:{}", endpoint, about, pod, port);
    }
  }
  out.line("COMMIT");
  tables_head(out, "filter");
  out.line(
      ":INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:KUBE-FORWARD - [0:0]\n"
      "-A FORWARD -m comment --comment \"kubernetes forwarding rules\" -j KUBE-FORWARD\n"
      "-A FORWARD -d 10.244.0.0/14 -j ACCEPT\n"
      "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP\n"
      "-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding rules\" -m mark --mark 0x4000/0x4000 -j "
      "ACCEPT\n"
      "-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding conntrack rule\" -m conntrack --ctstate "
      "RELATED,ESTABLISHED -j ACCEPT\n"
      "COMMIT\n# Completed on Sun Nov 22 06:25:01 2026");
}

// ---- logs -------------------------------------------------------------------------------------------------

// A few thousand servers of Exchange Online come again and again, and now and then a stranger.
std::string some_sender(Dice& dice) {
  if (dice.below(20) == 0) return dotted(0xC6336400 + dice.below(256));
  const std::uint32_t server = dice.below(4096);
  return dotted(eop[server % eop.size()].address + server * 7);
}

// Ten lines a second from midnight on.
std::string clock_at(std::uint32_t line) {
  const std::uint32_t second = line / 10 % 86400;
  return fmt::format("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
}

void asa_log(Output& out, std::uint32_t lines) {
  Dice dice(1);
  for (std::uint32_t i = 0; i < lines; ++i) {
    const std::string sender = some_sender(dice),
                      head = fmt::format("Nov 20 2026 {} edge : %ASA-", clock_at(i));
    const std::uint32_t port = 1024 + dice.below(60000), kind = dice.below(100);
    if (kind < 40)
      out.line(
          "{}4-106023: Deny tcp src outside:{}/{} dst dmz:10.1.1.25/25 by access-group \"OUTSIDE_IN\" "
          "[0x8ed66b60, 0xf8852875]",
          head, sender, port);
    else if (kind < 65)
      out.line(
          "{}6-302013: Built inbound TCP connection {} for outside:{}/{} ({}/{}) to dmz:10.1.1.25/25 "
          "(203.0.113.25/25)",
          head, i, sender, port, sender, port);
    else if (kind < 90)
      out.line(
          "{}6-302014: Teardown TCP connection {} for outside:{}/{} to dmz:10.1.1.25/25 duration 0:00:02 "
          "bytes {} TCP FINs",
          head, i, sender, port, dice.below(100000));
    else
      out.line(
          "{}6-106015: Deny TCP (no connection) from {}/{} to 203.0.113.25/25 flags RST  on interface "
          "outside",
          head, sender, port);
  }
}

void linux_log(Output& out, std::uint32_t lines) {
  Dice dice(1);
  for (std::uint32_t i = 0; i < lines; ++i)
    out.line(
        "Nov 20 {} fw kernel: [{:>5}.{:06}] SMTP-IN-DROP IN=wan OUT=dmz "
        "MAC=52:54:00:12:34:56:52:54:00:65:43:21:08:00 "
        "SRC={} DST=203.0.113.25 LEN=60 TOS=0x00 PREC=0x00 TTL=58 ID={} DF PROTO=TCP SPT={} DPT=25 "
        "WINDOW=64240 "
        "RES=0x00 SYN URGP=0",
        clock_at(i), i / 10, i % 10, some_sender(dice), dice.below(65536), 1024 + dice.below(60000));
}

void receive_log(Output& out, std::uint32_t lines) {
  constexpr std::string_view session[] = {
      "+,,",
      ">,\"220 mail.contoso.com Microsoft ESMTP MAIL Service ready at Fri, 20 Nov 2026 02:10:02 +0000\",",
      "<,EHLO NAM10-MW2-obe.outbound.protection.outlook.com,",
      ">,250  mail.contoso.com Hello SIZE 37748736 PIPELINING DSN ENHANCEDSTATUSCODES STARTTLS "
      "X-ANONYMOUSTLS AUTH NTLM "
      "X-EXPS GSSAPI NTLM 8BITMIME BINARYMIME CHUNKING XRDST,",
      "<,STARTTLS,",
      ">,220 2.0.0 SMTP server ready,",
      "*,,\"TLS protocol SP_PROT_TLS1_2_SERVER negotiation succeeded using bulk encryption algorithm "
      "CALG_AES_256\"",
      "<,MAIL FROM:<jo@fabrikam.com> SIZE=4321,",
      ">,250 2.1.0 Sender OK,",
      "-,,Remote"};
  Dice dice(1);
  out.line(
      "#Software: Microsoft Exchange Server\n#Version: 15.0.0.0\n#Log-type: SMTP Receive Protocol Log\n"
      "#Date: 2026-11-20T00:00:00.000Z\n#Fields: date-time,connector-id,session-id,sequence-number,"
      "local-endpoint,remote-endpoint,event,data,context");
  std::string sender;
  std::uint32_t port = 0;
  for (std::uint32_t i = 0; i < lines; ++i) {
    const std::uint32_t step = i % std::size(session);
    if (step == 0) sender = some_sender(dice), port = 1024 + dice.below(60000);
    out.line("2026-11-20T{}.{:03}Z,MAIL01\\Default Frontend MAIL01,08DD{:012X},{},10.1.1.25:25,{}:{},{}",
             clock_at(i), i % 1000, i / std::size(session), step, sender, port, session[step]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const auto number = [&](int at) {
    return static_cast<std::uint32_t>(argc > at ? std::strtoul(argv[at], nullptr, 10) : 0);
  };
  Output out;
  if (what == "prefixes") return prefixes(out, number(2), number(3)), 0;
  if (what == "asa") return asa(out, number(2)), 0;
  if (what == "hostile") return hostile(out, number(2)), 0;
  if (what == "group") return group(out, number(2), number(3)), 0;
  if (what == "chain") return chain(out, number(2)), 0;
  if (what == "chains") return chains(out, number(2)), 0;
  if (what == "asa-log") return asa_log(out, number(2)), 0;
  if (what == "linux-log") return linux_log(out, number(2)), 0;
  if (what == "receive-log") return receive_log(out, number(2)), 0;
  fmt::print(stderr,
             "usage: aclmend_bench_generate prefixes COUNT SEED | asa RULES | hostile RULES | group MEMBERS "
             "RULES | chain RULES | chains COUNT | asa-log LINES | linux-log LINES | receive-log LINES\n");
  return 2;
}
