#include "tests/oracle/iptables/lacks.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/text.h"

namespace aclmend::oracle {
namespace {

// A rule that needs one module; random rules name each of them so.
struct Sample {
  std::string_view table, rule, module;
};
constexpr Sample samples[] = {
    {"filter", "-A INPUT -m conntrack --ctstate NEW", "-m conntrack"},
    {"filter", "-A INPUT -p tcp -m multiport --dports 25,587", "-m multiport"},
    {"filter", "-A INPUT -m set --match-set s src", "-m set"},
    {"filter", "-A INPUT -m state --state NEW", "-m state"},
    {"filter", "-A INPUT -p sctp -m sctp --dport 25", "-p sctp"},
    {"filter", "-A INPUT -m iprange --src-range 192.0.2.1-192.0.2.2", "-m iprange"},
    {"filter", "-A INPUT -m mark --mark 1", "-m mark"},
    {"filter", "-A INPUT -m connmark --mark 1", "-m connmark"},
    {"filter", "-A INPUT -m addrtype --dst-type LOCAL", "-m addrtype"},
    {"filter", "-A INPUT -m recent --set", "-m recent"},
    {"filter", "-A INPUT -m comment --comment x", "-m comment"},
    {"filter", "-A INPUT -m limit", "-m limit"},
    {"filter", "-A INPUT -m mac --mac-source 00:00:00:00:00:01", "-m mac"},
    {"filter", "-A INPUT -m policy --dir in --pol none", "-m policy"},
    {"filter", "-A INPUT -m statistic --mode random --probability 0.5", "-m statistic"},
    {"filter", "-A INPUT -m length --length 0:100", "-m length"},
    {"filter", "-A INPUT -m pkttype --pkt-type unicast", "-m pkttype"},
    {"filter", "-A INPUT -m physdev --physdev-in x", "-m physdev"},
    {"filter", "-A INPUT -m string --algo bm --string x", "-m string"},
    {"filter", "-A INPUT -m time", "-m time"},
    {"filter", "-A INPUT -m u32 --u32 0=0", "-m u32"},
    {"filter", "-A INPUT -m quota --quota 1", "-m quota"},
    {"filter", "-A INPUT -m helper --helper ftp", "-m helper"},
    {"filter", "-A INPUT -m connlimit --connlimit-above 1", "-m connlimit"},
    {"filter", "-A INPUT -m hashlimit --hashlimit-upto 1/s --hashlimit-name x", "-m hashlimit"},
    {"filter", "-A INPUT -m tos --tos 0x08", "-m tos"},
    {"filter", "-A INPUT -m dscp --dscp 0", "-m dscp"},
    {"filter", "-A INPUT -m connbytes --connbytes 0:9 --connbytes-dir both --connbytes-mode packets",
     "-m connbytes"},
    {"filter", "-A INPUT -j REJECT", "-j REJECT"},
    {"filter", "-A INPUT -j LOG", "-j LOG"},
    {"filter", "-A INPUT -j NFLOG", "-j NFLOG"},
    {"filter", "-A INPUT -j NFQUEUE --queue-num 7", "-j NFQUEUE"},
    {"mangle", "-A INPUT -j MARK --set-mark 1", "-j MARK"},
    {"mangle", "-A INPUT -j CONNMARK --save-mark", "-j CONNMARK"},
    {"raw", "-A PREROUTING -j NOTRACK", "-j NOTRACK"},
    {"raw", "-A PREROUTING -j CT --notrack", "-j CT"},
    {"nat", "-A PREROUTING -j DNAT --to-destination 192.0.2.1", "-j DNAT"},
    {"nat", "-A PREROUTING -j REDIRECT", "-j REDIRECT"},
    {"nat", "-A PREROUTING -d 192.0.2.0/24 -j NETMAP --to 198.51.100.0/24", "-j NETMAP"},
    {"nat", "-A POSTROUTING -j MASQUERADE", "-j MASQUERADE"},
};
constexpr std::string_view set_samples[] = {"hash:ip",
                                            "hash:net",
                                            "hash:ip,port",
                                            "hash:net,port",
                                            "hash:ip,port,ip",
                                            "hash:ip,port,net",
                                            "hash:net,iface",
                                            "bitmap:port range 0-9",
                                            "bitmap:ip range 192.0.2.0/24",
                                            "list:set"};

bool has_word(std::string_view line, std::string_view word) {
  return fmt::format(" {} ", line).find(fmt::format(" {} ", word)) != std::string::npos;
}

std::string lines_but(const std::string& text, const std::function<bool(std::string_view)>& is_out) {
  std::string left;
  for (const std::string_view line : split(text, '\n'))
    if (!line.empty() && !is_out(line)) left += fmt::format("{}\n", line);
  return left;
}

}  // namespace

bool Lacks::has(Backend backend) const { return std::ranges::find(backends, backend) != backends.end(); }

Lacks lacks_of(Stage& stage) {
  Lacks lacks;
  for (const Backend backend : {Backend::nft, Backend::legacy})
    if (!stage.load({Family::ipv4, backend, "", ""})) lacks.backends.push_back(backend);
  const Backend backend = lacks.has(Backend::nft) ? Backend::legacy : Backend::nft;
  const std::string any_set = "create s hash:ip\n";
  for (const Sample& one : samples) {
    const bool asks_set = one.module == "-m set";
    const std::string rules = fmt::format("*{}\n{}\nCOMMIT\n", one.table, one.rule);
    if (!stage.load({Family::ipv4, backend, asks_set ? any_set : "", rules}))
      lacks.modules.emplace_back(one.module);
  }
  for (const std::string_view type : set_samples)
    if (!stage.load({Family::ipv4, backend, fmt::format("create s {}\n", type), ""}))
      lacks.set_types.emplace_back(type.substr(0, type.find(' ')));
  return lacks;
}

std::string to_text(const Lacks& lacks) {
  std::vector<std::string> all;
  for (const Backend backend : lacks.backends)
    all.push_back(fmt::format("the back end {}", to_string(backend)));
  all.insert(all.end(), lacks.modules.begin(), lacks.modules.end());
  all.insert(all.end(), lacks.set_types.begin(), lacks.set_types.end());
  return fmt::format("{}", fmt::join(all, "; "));
}

RuleSet without(const Lacks& lacks, const RuleSet& rules) {
  std::vector<std::string> sets;  // of a type that is missing
  for (const std::string_view line : split(rules.sets, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() > 2 && words[0] == "create" &&
        std::ranges::find(lacks.set_types, words[2]) != lacks.set_types.end())
      sets.emplace_back(words[1]);
  }
  const auto names_set = [&](std::string_view line) {
    return std::ranges::any_of(sets, [&](const std::string& set) { return has_word(line, set); });
  };
  const auto needs_module = [&](std::string_view line) {
    return std::ranges::any_of(lacks.modules, [&](const std::string& one) { return has_word(line, one); });
  };
  RuleSet left = rules;
  left.sets = lines_but(rules.sets, names_set);
  left.rules =
      lines_but(rules.rules, [&](std::string_view line) { return names_set(line) || needs_module(line); });
  return left;
}

}  // namespace aclmend::oracle
