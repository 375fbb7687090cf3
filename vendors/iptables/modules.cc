#include "vendors/iptables/modules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "vendors/iptables/settle.h"

namespace aclmend::iptables {
namespace {

constexpr bool negatable = true;

// ---- matches ------------------------------------------------------------------------------------------

constexpr ModuleOption port_options[] = {{"source-port", ports::source, 1, negatable},
                                         {"sport", ports::source, 1, negatable},
                                         {"destination-port", ports::destination, 1, negatable},
                                         {"dport", ports::destination, 1, negatable},
                                         // of tcp
                                         {"tcp-flags", ports::flags, 2, negatable},
                                         {"syn", ports::syn, 0, negatable},
                                         {"tcp-option", ports::other, 1, negatable}};
constexpr std::span udp_options = std::span(port_options).first(4);
constexpr ModuleOption sctp_options[] = {{"source-port", ports::source, 1, negatable},
                                         {"sport", ports::source, 1, negatable},
                                         {"destination-port", ports::destination, 1, negatable},
                                         {"dport", ports::destination, 1, negatable},
                                         {"chunk-types", ports::other, 2, negatable}};
constexpr ModuleOption dccp_options[] = {{"source-port", ports::source, 1, negatable},
                                         {"sport", ports::source, 1, negatable},
                                         {"destination-port", ports::destination, 1, negatable},
                                         {"dport", ports::destination, 1, negatable},
                                         {"dccp-types", ports::other, 1, negatable},
                                         {"dccp-option", ports::flags, 1, negatable}};
constexpr ModuleOption multiport_options[] = {{"source-ports", ports::source, 1, negatable},
                                              {"sports", ports::source, 1, negatable},
                                              {"source-port", ports::source, 1, negatable},
                                              {"sport", ports::source, 1, negatable},
                                              {"destination-ports", ports::destination, 1, negatable},
                                              {"dports", ports::destination, 1, negatable},
                                              {"destination-port", ports::destination, 1, negatable},
                                              {"dport", ports::destination, 1, negatable},
                                              {"ports", ports::either, 1, negatable},
                                              {"port", ports::either, 1, negatable}};
constexpr ModuleOption icmp_options[] = {{"icmp-type", 0, 1, negatable}};
constexpr ModuleOption icmp6_options[] = {{"icmpv6-type", 0, 1, negatable}};
constexpr ModuleOption iprange_options[] = {{"src-range", 0, 1, negatable}, {"dst-range", 1, 1, negatable}};
constexpr ModuleOption state_options[] = {{"state", conntrack::states, 1, negatable}};
constexpr ModuleOption conntrack_options[] = {
    {"ctstate", conntrack::states, 1, negatable},
    {"ctproto", conntrack::protocol, 1, negatable},
    {"ctorigsrc", conntrack::origin_source, 1, negatable},
    {"ctorigdst", conntrack::origin_destination, 1, negatable},
    {"ctreplsrc", conntrack::reply_source, 1, negatable},
    {"ctrepldst", conntrack::reply_destination, 1, negatable},
    {"ctorigsrcport", conntrack::origin_source_port, 1, negatable},
    {"ctorigdstport", conntrack::origin_destination_port, 1, negatable},
    {"ctreplsrcport", conntrack::reply_source_port, 1, negatable},
    {"ctrepldstport", conntrack::reply_destination_port, 1, negatable},
    {"ctstatus", conntrack::status, 1, negatable},
    {"ctexpire", conntrack::expire, 1, negatable},
    {"ctdir", conntrack::direction, 1, false}};
constexpr ModuleOption mark_options[] = {{"mark", 0, 1, negatable}};
constexpr ModuleOption set_options[] = {{"match-set", sets::match, 2, negatable},
                                        {"set", sets::match, 2, negatable},
                                        {"return-nomatch", sets::return_nomatch, 0, false},
                                        {"update-counters", sets::counters, 0, negatable},
                                        {"update-subcounters", sets::subcounters, 0, negatable},
                                        {"packets-eq", sets::packets, 1, negatable},
                                        {"packets-lt", sets::packets, 1, false},
                                        {"packets-gt", sets::packets, 1, false},
                                        {"bytes-eq", sets::bytes, 1, negatable},
                                        {"bytes-lt", sets::bytes, 1, false},
                                        {"bytes-gt", sets::bytes, 1, false}};
constexpr ModuleOption addrtype_options[] = {{"src-type", address_type::source, 1, negatable},
                                             {"dst-type", address_type::destination, 1, negatable},
                                             {"limit-iface-in", address_type::interface, 0, false},
                                             {"limit-iface-out", address_type::interface, 0, false}};
constexpr ModuleOption comment_options[] = {{"comment", 0, 1, false}};
constexpr ModuleOption recent_options[] = {
    {"set", recent::set, 0, negatable},       {"rcheck", recent::asked, 0, negatable},
    {"update", recent::asked, 0, negatable},  {"remove", recent::asked, 0, negatable},
    {"seconds", recent::seconds, 1, false},   {"reap", recent::reap, 0, false},
    {"hitcount", recent::hitcount, 1, false}, {"rttl", recent::rttl, 0, false},
    {"name", recent::name, 1, false},         {"rsource", recent::rsource, 0, false},
    {"rdest", recent::rdest, 0, false},       {"mask", recent::mask, 1, false}};
constexpr ModuleOption nfacct_options[] = {{"nfacct-name", 0, 1, false}};

constexpr ModuleKind match_kinds[] = {
    {"tcp", port_options, settle_ports},
    {"udp", udp_options, settle_ports},
    {"udplite", udp_options, settle_ports},
    {"sctp", sctp_options, settle_ports},
    {"dccp", dccp_options, settle_ports},
    {"multiport", multiport_options, settle_multiport},
    {"icmp", icmp_options, settle_icmp},
    {"icmp6", icmp6_options, settle_icmp},
    {"iprange", iprange_options, settle_iprange},
    {"state", state_options, settle_conntrack},
    {"conntrack", conntrack_options, settle_conntrack},
    {"mark", mark_options, settle_mark_match},
    {"connmark", mark_options, settle_mark_match},
    {"set", set_options, settle_set},
    {"addrtype", addrtype_options, settle_address_type},
    {"comment", comment_options, settle_nothing},
    {"recent", recent_options, settle_recent},
    {"nfacct", nfacct_options, settle_nothing},
};

// ---- targets ------------------------------------------------------------------------------------------

constexpr ModuleOption dnat_options[] = {{"to-destination", translation::to, 1, false},
                                         {"random", translation::random, 0, false},
                                         {"persistent", translation::persistent, 0, false}};
constexpr ModuleOption redirect_options[] = {{"to-ports", translation::to, 1, false},
                                             {"random", translation::random, 0, false}};
constexpr ModuleOption netmap_options[] = {{"to", translation::to, 1, false}};
constexpr ModuleOption mark_target_options[] = {{"set-xmark", marks::set_xmark, 1, false},
                                                {"set-mark", marks::set_mark, 1, false},
                                                {"or-mark", marks::or_mark, 1, false},
                                                {"and-mark", marks::and_mark, 1, false},
                                                {"xor-mark", marks::xor_mark, 1, false},
                                                // of CONNMARK
                                                {"save-mark", marks::save, 0, false},
                                                {"restore-mark", marks::restore, 0, false},
                                                {"nfmask", marks::packet_mask, 1, false},
                                                {"ctmask", marks::connection_mask, 1, false},
                                                {"mask", marks::mask, 1, false}};
constexpr ModuleOption ct_options[] = {{"notrack", 0, 0, false}};
constexpr ModuleOption reject_options[] = {{"reject-with", 0, 1, false}};
constexpr ModuleOption set_target_options[] = {
    {"add-set", sets::add, 2, false}, {"del-set", sets::remove, 2, false}, {"map-set", sets::map, 2, false}};

constexpr bool swallows = true;
constexpr ModuleKind target_kinds[] = {
    {"DNAT", dnat_options, settle_dnat},
    {"REDIRECT", redirect_options, settle_redirect},
    {"NETMAP", netmap_options, settle_netmap},
    {"SNAT", {}, settle_source_nat, swallows},
    {"MASQUERADE", {}, settle_source_nat, swallows},
    {"SAME", {}, settle_source_nat, swallows},
    {"MARK", std::span(mark_target_options).first(5), settle_mark},
    {"CONNMARK", mark_target_options, settle_mark},
    {"NOTRACK", {}, settle_untrack},
    {"CT", ct_options, settle_untrack, swallows},
    {"REJECT", reject_options, settle_reject},
    {"SET", set_target_options, settle_set_target, swallows},
    {"HMARK", {}, settle_hmark, swallows},
    {"NFQUEUE", {}, settle_program, swallows},
    {"SYNPROXY", {}, settle_program, swallows},
    {"TARPIT", {}, settle_program, swallows},
    {"DELUDE", {}, settle_program, swallows},
    {"CHAOS", {}, settle_program, swallows},
    {"STEAL", {}, settle_program, swallows},
    {"ECHO", {}, settle_program, swallows},
    {"TPROXY", {}, settle_program, swallows},
    // These go on with the next rule.
    {"LOG", {}, settle_pass, swallows},
    {"NFLOG", {}, settle_pass, swallows},
    {"ULOG", {}, settle_pass, swallows},
    {"TRACE", {}, settle_pass, swallows},
    {"AUDIT", {}, settle_pass, swallows},
    {"TEE", {}, settle_pass, swallows},
    {"CONNSECMARK", {}, settle_pass, swallows},
    {"SECMARK", {}, settle_pass, swallows},
    {"CLASSIFY", {}, settle_pass, swallows},
    {"DSCP", {}, settle_pass, swallows},
    {"TOS", {}, settle_pass, swallows},
    {"TTL", {}, settle_pass, swallows},
    {"HL", {}, settle_pass, swallows},
    {"TCPMSS", {}, settle_pass, swallows},
    {"TCPOPTSTRIP", {}, settle_pass, swallows},
    {"CHECKSUM", {}, settle_pass, swallows},
    {"ECN", {}, settle_pass, swallows},
    {"RATEEST", {}, settle_pass, swallows},
    {"IDLETIMER", {}, settle_pass, swallows},
    {"LED", {}, settle_pass, swallows},
    {"ACCOUNT", {}, settle_pass, swallows},
};
constexpr ModuleKind open_match{"", {}, settle_open, swallows};
constexpr ModuleKind no_target{"", {}, settle_nothing, swallows};

}  // namespace

const Given* Module::find(std::uint8_t id) const {
  const auto found = std::ranges::find(given, id, [](const Given& one) { return one.option->id; });
  return found == given.end() ? nullptr : &*found;
}

bool Module::is_known() const { return kind != &open_match || open_kind_of(name).has_value(); }

std::string Module::canonical() const {
  if (!spelled.empty()) return fmt::format("{} {}", name, spelled);
  std::vector<std::string> texts;
  for (const Given& one : given) {
    // Aliases share an id: the first name of the kind stands for all.
    const auto first = std::ranges::find(kind->options, one.option->id, &ModuleOption::id);
    texts.push_back(
        fmt::format("{}--{} {};", one.negated ? "! " : "", first->name, fmt::join(one.values, " ")));
  }
  std::ranges::sort(texts);
  return fmt::format("{} {}{}", name, fmt::join(texts, ""), swallowed);
}

Module match_module(std::string_view name) {
  if (name == "icmpv6") name = "icmp6";
  const auto found = std::ranges::find(match_kinds, name, &ModuleKind::name);
  Module module;
  module.name = std::string(name);
  module.kind = found == std::end(match_kinds) ? &open_match : &*found;
  return module;
}

std::optional<Module> target_module(std::string_view name) {
  const auto found = std::ranges::find(target_kinds, name, &ModuleKind::name);
  if (found == std::end(target_kinds)) return std::nullopt;
  Module module;
  module.name = std::string(name);
  module.kind = &*found;
  return module;
}

Module unknown_target(std::string_view name) {
  Module module;
  module.name = std::string(name);
  module.kind = &no_target;
  return module;
}

std::string_view module_of_protocol(std::uint8_t number) {
  switch (number) {
    case protocol::tcp: return "tcp";
    case protocol::udp: return "udp";
    case 136: return "udplite";
    case protocol::sctp: return "sctp";
    case 33: return "dccp";
    case protocol::icmp: return "icmp";
    case protocol::icmp6: return "icmp6";
    default: return "";
  }
}

}  // namespace aclmend::iptables
