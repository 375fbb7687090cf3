// The file as a whole: headers, blocks, modes, and which lines are commands at all.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "vendors/cisco_asa/ace.h"
#include "vendors/cisco_asa/reader.h"

namespace aclmend::cisco_asa {
namespace {

constexpr std::string_view block_rule = "------------------ ";
constexpr std::size_t head_size = 1 << 18;  // headings of show tech-support begin in the first part of it

// Commands that filter nothing, and those that open a mode whose lines filter nothing.
constexpr std::string_view inert[] = {"Cryptochecksum:",
                                      "aaa",
                                      "aaa-server",
                                      "access",
                                      "address-pool",
                                      "admin-context",
                                      "alert-interval",
                                      "allocate-interface",
                                      "anyconnect",
                                      "anyconnect-essentials",
                                      "application",
                                      "arp",
                                      "arp-inspection",
                                      "arp-table",
                                      "asdm",
                                      "asp",
                                      "attribute",
                                      "auth-prompt",
                                      "authentication",
                                      "banner",
                                      "bfd",
                                      "blocks",
                                      "boot",
                                      "bridge-group",
                                      "call-home",
                                      "capture",
                                      "cd",
                                      "certificate",
                                      "changeto",
                                      "checkheaps",
                                      "class",
                                      "class-map",
                                      "clear",
                                      "client-update",
                                      "clock",
                                      "cluster",
                                      "command-alias",
                                      "compression",
                                      "config-register",
                                      "config-url",
                                      "configure",
                                      "console",
                                      "context",
                                      "copy",
                                      "coredump",
                                      "crashinfo",
                                      "crypto",
                                      "csc",
                                      "ctl-file",
                                      "ctl-provider",
                                      "cts",
                                      "customization",
                                      "cxsc",
                                      "dap",
                                      "ddns",
                                      "debug",
                                      "default-group",
                                      "delete",
                                      "description",
                                      "device",
                                      "dhcp",
                                      "dhcp-client",
                                      "dhcpd",
                                      "dhcprelay",
                                      "dhcprelay-server",
                                      "disable",
                                      "dns",
                                      "dns-group",
                                      "dns-guard",
                                      "domain-name",
                                      "downgrade",
                                      "dynamic-access-policy-config",
                                      "dynamic-access-policy-record",
                                      "dynamic-filter",
                                      "dynamic-map",
                                      "eject",
                                      "enable",
                                      "encryption",
                                      "end",
                                      "erase",
                                      "event",
                                      "exit",
                                      "fabric",
                                      "failover",
                                      "file",
                                      "filter",
                                      "fips",
                                      "firewall",
                                      "fixup",
                                      "flow-export",
                                      "flow-offload",
                                      "flowcontrol",
                                      "format",
                                      "fragment",
                                      "ftp",
                                      "ftp-map",
                                      "gateway",
                                      "group",
                                      "group-delimiter",
                                      "group-policy",
                                      "gtp-map",
                                      "h225-map",
                                      "hash",
                                      "help",
                                      "hold-time",
                                      "hostname",
                                      "hpm",
                                      "hsi-group",
                                      "http",
                                      "http-map",
                                      "hw-module",
                                      "icmp",
                                      "icmp-object",
                                      "identity",
                                      "igmp",
                                      "imap4s",
                                      "import",
                                      "inspect",
                                      "interface-policy",
                                      "ip",
                                      "ipsec",
                                      "ipsec-udp",
                                      "ipv6",
                                      "isakmp",
                                      "jumbo-frame",
                                      "kerberos",
                                      "key",
                                      "kill",
                                      "l2tp",
                                      "lacp",
                                      "ldap",
                                      "license",
                                      "lifetime",
                                      "link-state",
                                      "lisp",
                                      "logging",
                                      "login",
                                      "logo",
                                      "logout",
                                      "mac",
                                      "mac-address",
                                      "mac-address-table",
                                      "mac-learn",
                                      "management",
                                      "management-access",
                                      "match",
                                      "media-termination",
                                      "memory",
                                      "mfib",
                                      "mgcp-map",
                                      "mode",
                                      "monitor-interface",
                                      "more",
                                      "mount",
                                      "mrib",
                                      "mroute",
                                      "mtu",
                                      "multicast-routing",
                                      "nac-policy",
                                      "names",
                                      "network",
                                      "nop",
                                      "ntp",
                                      "nve",
                                      "object-group-search",
                                      "object-network-search",
                                      "ospf",
                                      "pac",
                                      "packet-tracer",
                                      "page",
                                      "pager",
                                      "parameters",
                                      "passwd",
                                      "password",
                                      "password-policy",
                                      "password-storage",
                                      "perfmon",
                                      "phone-proxy",
                                      "pim",
                                      "ping",
                                      "pki",
                                      "police",
                                      "policy-list",
                                      "policy-map",
                                      "policy-route",
                                      "pop3s",
                                      "port-channel",
                                      "prefix-list",
                                      "prf",
                                      "priority-queue",
                                      "privilege",
                                      "profile",
                                      "prompt",
                                      "ptp",
                                      "pwd",
                                      "quit",
                                      "quota",
                                      "regex",
                                      "reload",
                                      "remote-access",
                                      "rename",
                                      "resource",
                                      "rest-api",
                                      "rip",
                                      "route-map",
                                      "route-target",
                                      "router",
                                      "router-id",
                                      "same-security",
                                      "saml",
                                      "scansafe",
                                      "sctp-map",
                                      "service",
                                      "service-interface",
                                      "service-module",
                                      "service-policy",
                                      "session",
                                      "set",
                                      "setup",
                                      "sfr",
                                      "shape",
                                      "show",
                                      "shun",
                                      "sip-map",
                                      "sla",
                                      "smart-tunnel",
                                      "smtp-server",
                                      "smtps",
                                      "snmp",
                                      "snmp-community",
                                      "snmp-map",
                                      "snmp-server",
                                      "split-dns",
                                      "ssh",
                                      "ssh-keys",
                                      "ssl",
                                      "sso-server",
                                      "sunrpc-server",
                                      "switch",
                                      "sysopt",
                                      "tcp-map",
                                      "tcp-options",
                                      "tcp-state-bypass",
                                      "tcpmss",
                                      "telnet",
                                      "template",
                                      "terminal",
                                      "terminal-type",
                                      "test",
                                      "tftp-server",
                                      "threat-detection",
                                      "time-range",
                                      "timeout",
                                      "tls-proxy",
                                      "token",
                                      "traceroute",
                                      "track",
                                      "tunnel-group",
                                      "tunnel-group-map",
                                      "umbrella-global",
                                      "undebug",
                                      "upgrade",
                                      "url-block",
                                      "url-cache",
                                      "url-list",
                                      "url-server",
                                      "user-alert",
                                      "user-identity",
                                      "user-message",
                                      "user-storage",
                                      "username",
                                      "verify",
                                      "virtual",
                                      "vlan",
                                      "vpdn",
                                      "vpn",
                                      "vpn-addr-assign",
                                      "vpn-idle-timeout",
                                      "vpn-load-balancing",
                                      "vpn-session-timeout",
                                      "vpn-sessiondb",
                                      "vpn-simultaneous-logins",
                                      "vpn-tunnel-protocol",
                                      "vpnclient",
                                      "vpnsetup",
                                      "wccp",
                                      "web",
                                      "webvpn",
                                      "who",
                                      "write",
                                      "xlate",
                                      "xml",
                                      "zone",
                                      "zonelabs-integrity"};

static_assert(std::ranges::is_sorted(inert));

// Keywords that filter: a line that nearly begins with one deserves more than a shrug.
constexpr std::string_view filtering[] = {
    "access-list", "access-group", "object",    "object-group", "nameif",         "nat",
    "static",      "name",         "interface", "conduit",      "security-level", "same-security-traffic"};

bool is_hexadecimal(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// PIX 6 names interfaces and gives them addresses outside of any mode: `nameif ethernet0 outside security0`,
// `ip address outside 192.0.2.1 255.255.255.0`.
bool is_pix6_interface(Words words) {
  const std::string_view keyword = words.next();
  if (keyword == "nameif") return !words.next().empty() && !words.at_end();
  if (keyword != "ip" || !words.accept("address")) return false;
  const std::string_view word = words.peek();
  return word != "dhcp" && word != "pppoe" && !words.next().empty() && !words.next().empty() &&
         words.peek().find('.') != std::string_view::npos;
}

}  // namespace

bool is_prompt(std::string_view word) {
  if (word.size() < 2 || (word.back() != '#' && word.back() != '>')) return false;
  return std::ranges::all_of(word.substr(0, word.size() - 1), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '/' || c == '(' || c == ')';
  });
}

bool is_inert(std::string_view keyword) { return std::ranges::binary_search(inert, keyword); }

void Reader::read(std::uint16_t source) {
  const Source& text = *account_.sources[source];
  Lines lines(text, source);
  mode_ = Mode::none;
  last_was_entry_ = false;
  const std::string_view head = text.text().substr(0, head_size);
  is_skipping_ = head.find("------------------ show running-config ------") != std::string_view::npos ||
                 head.find("------------------ show tech-support") != std::string_view::npos ||
                 head.find("------------------ show version ------") != std::string_view::npos;
  has_read_block_ = false;
  bool ends_at_pager = false;
  while (const auto line = refusal_.empty() ? lines.next() : std::nullopt) {
    if (line->is_pager_mark || !line->text.empty()) ends_at_pager = line->is_pager_mark;
    take_line(*line);
  }
  end_of_source(lines, ends_at_pager);
}

void Reader::end_of_source(const Lines& lines, bool ends_at_pager) {
  Header& header = now().header;
  const bool lost_its_end = header.is_saved && !header.version.empty() && !header.has_end;
  if (!ends_at_pager && !(lost_its_end && lines.ends_in_mid_line())) return;
  now().is_cut_off = true;
  if (last_was_entry_ && last_list_ != no_list) now().lists[last_list_].is_cut_off = true;
}

void Reader::take_line(const Line& line) {
  const std::string_view text = line.text;
  if (text.empty()) return;
  if (!is_skipping_ && text[0] == 'a' && text.starts_with("access-list ") && !line.is_too_long) {
    access_list(line, Words(text.substr(12)), "");
    return;
  }
  if (text[0] == '-' && block_heading(text)) return;
  if (is_skipping_) return;
  if (text[0] == '!') return;
  if (text[0] == ':' && line.indent == 0) return header_comment(text, line.place.span());
  if (version_header(line)) return;
  if (line.is_too_long) {
    not_understood(line, text.substr(0, 0),
                   fmt::format("a line of more than {} bytes is no command", longest_line));
    if (text.starts_with("access-list ")) access_list(line, Words(text.substr(12)), "");
    return;
  }
  const bool in_mode = mode_ != Mode::none;
  if (in_mode && (line.indent > 0 || line.is_indent_lost)) return child(line);
  global(line);
}

void Reader::header_comment(std::string_view text, Span span) {
  Header& header = now().header;
  Words words(text.substr(1));
  if (words.accept("Saved")) {
    if (!header.version.empty()) start_device();
    now().header.is_saved = true;
    if (now().header.form == Form::part) now().header.form = Form::running;
  } else if (words.accept("Written")) {
    if (!header.version.empty()) start_device();
    const std::string_view rest = words.rest();
    const std::size_t at = rest.find(" at ");
    now().header.written = at == std::string_view::npos ? "" : std::string(rest.substr(at + 4));
    now().header.written_span = span;
    if (now().header.form == Form::part) now().header.form = Form::running;
  } else if (words.accept("end")) {
    header.has_end = true;
    mode_ = Mode::none;
  }
}

// "------------------ show running-config ------------------": of show tech-support only the first is read.
bool Reader::block_heading(std::string_view text) {
  if (!text.starts_with(block_rule)) return false;
  const std::string_view title = text.substr(block_rule.size());
  if (!title.starts_with("show ") && !title.starts_with("export ") && !title.starts_with("dir ") &&
      !title.starts_with("console "))
    return is_skipping_;
  const bool is_running = title.starts_with("show running-config ---");
  is_skipping_ = !is_running || has_read_block_;
  if (is_running && !has_read_block_) {
    has_read_block_ = true;
    now().header.form = Form::tech_support;
  }
  mode_ = Mode::none;
  return true;
}

// "ASA Version 9.8(2)", "ASA Version 9.1(5)16 <context>", "PIX Version 7.2(1)", "FWSM Version 4.0(3)"
bool Reader::version_header(const Line& line) {
  const char first = line.text[0];
  if (first != 'A' && first != 'P' && first != 'F' && first != 'N' && first != 'C') return false;
  Words words(line.text);
  const std::string_view product = words.next();
  if (product == "NGFW" && words.accept("Version")) {
    refusal_ = "this is an export of Firepower Threat Defense, whose policy is not an ASA's";
    return true;
  }
  if (line.text.starts_with("Cisco Adaptive Security Appliance Software Version")) return true;
  if (product != "ASA" && product != "PIX" && product != "FWSM") return false;
  if (!words.accept("Version")) return false;
  const std::string_view version = words.next();
  if (version.empty() || version[0] < '0' || version[0] > '9') return false;
  if (!now().header.version.empty()) start_device();
  Header& header = now().header;
  header.product = product == "PIX" ? Product::pix : product == "FWSM" ? Product::fwsm : Product::asa;
  header.version = version;
  header.span = line.place.span();
  const std::size_t dot = version.find('.');
  header.major = parse_decimal<std::uint8_t>(version.substr(0, dot)).value_or(0);
  if (dot != std::string_view::npos) {
    const std::string_view rest = version.substr(dot + 1);
    header.minor =
        parse_decimal<std::uint8_t>(rest.substr(0, rest.find_first_not_of("0123456789"))).value_or(0);
  }
  // Before PIX 7 and FWSM 3 it was no command but the way things were: nothing passes without a translation.
  if ((header.product == Product::pix && header.major < 7) ||
      (header.product == Product::fwsm && header.major < 3)) {
    now().has_nat_control = true;
    now().nat_control = line.place.span();
  }
  std::string_view context = words.next();
  if (context == "<system>") now().is_system_context = true;
  if (context.starts_with('<') && context.ends_with('>')) context = context.substr(1, context.size() - 2);
  header.context = context == "context" || context == "system" ? "" : context;
  if (header.form == Form::part) header.form = Form::running;
  mode_ = Mode::none;
  return true;
}

void Reader::start_device() {
  devices_.emplace_back();
  mode_ = Mode::none;
  last_was_entry_ = false;
  last_list_ = no_list;
}

void Reader::child(const Line& line) {
  const Words words(line.text);
  switch (mode_) {
    case Mode::object:
      if (object_line(line, words)) return;
      break;
    case Mode::group:
      if (group_line(line, words)) return;
      break;
    case Mode::interface:
      if (interface_line(line, words)) return;
      break;
    case Mode::class_map:
    case Mode::other:
      note_list_use(line);
      if (Words ahead = words; ahead.accept("inspect")) notes(line, "inspect", ahead);
      break;
    case Mode::none: break;
  }
  // An indented line that no mode knows may still be a command: a list pasted with blanks before it.
  const std::string_view keyword = words.peek();
  const bool may_be_global = keyword == "access-list" || keyword == "access-group" || keyword == "object" ||
                             keyword == "object-group" || line.is_indent_lost;
  if (may_be_global) return global(line);
  if (mode_ != Mode::object && mode_ != Mode::group) return;
  not_understood(
      line, keyword,
      fmt::format("'{}' is nothing that this reader knows inside {} '{}'", printable(keyword),
                  mode_ == Mode::object ? "object" : "object-group",
                  printable(mode_ == Mode::object ? now().objects[open_].name : now().groups[open_].name)));
  if (mode_ == Mode::group) now().groups[open_].members.push_back({line.place, false});
  else now().objects[open_].value = line.place;
}

void Reader::global(const Line& line) {
  const Words words(line.text);
  // Hand-typed scripts leave the blanks before members away.
  if (mode_ == Mode::object && object_line(line, words)) return;
  if (mode_ == Mode::group && group_line(line, words)) return;
  if (mode_ == Mode::interface && !is_pix6_interface(words) && interface_line(line, words)) return;
  const std::string_view keyword = words.peek();
  // `time-range OFFICE` under an entry that fills the terminal's width is the end of that entry, not a
  // definition.
  if (keyword == "time-range" && joins_entry_before(line)) return;
  if (command(line, words)) return;
  if (is_prompt(keyword)) return without_prompt(line);
  if (std::ranges::binary_search(inert, keyword)) {
    mode_ = Mode::other;
    last_was_entry_ = false;
    note_list_use(line);
    return;
  }
  unknown_line(line);
}

void Reader::without_prompt(const Line& line) {
  Line typed = line;
  const std::size_t after = line.text.find_first_of(" \t");
  mode_ = mode_ == Mode::group || mode_ == Mode::object || mode_ == Mode::interface ? mode_ : Mode::none;
  if (after == std::string_view::npos) return;
  typed.text = line.text.substr(line.text.find_first_not_of(" \t", after));
  if (!typed.place.is_glued)
    typed.place.begin += static_cast<std::uint32_t>(typed.text.data() - line.text.data());
  typed.indent = 0;
  if (is_prompt(typed.text.substr(0, typed.text.find_first_of(" \t")))) return;
  take_line(typed);
}

// A terminal of 80 columns breaks long lines of a listing: the rest stands alone on the next line. Mail
// programs do the same at other widths; there the two lines must make sense together.
bool Reader::joins_entry_before(const Line& line) {
  constexpr std::size_t terminal = 79, shortest_wrapped = 60;
  if (!last_was_entry_ || last_list_ == no_list) return false;
  Entry& before = now().lists[last_list_].entries.back();
  if (before.place.source != line.place.source || before.place.line + 1 != line.place.line) return false;
  const Source& source = *account_.sources[line.place.source];
  const std::size_t width = source.line_at(before.place.begin).size();
  if (width < shortest_wrapped) return false;
  Statement joined = before.place;
  joined.end = line.place.end;
  joined.is_glued = true;
  if (width < terminal) {
    std::string scratch;
    std::string_view text = text_of(joined, source.text(), scratch);
    if (const std::size_t action = std::min(text.find(" permit "), text.find(" deny "));
        action != std::string_view::npos)
      text.remove_prefix(action);
    const Ace ace = parse_ace(Words(text), now());
    if (!ace.fault.empty() && ace.undefined_group.empty()) return false;
  }
  before.place = joined;
  account_.set(line.place, LineState::decides);
  last_was_entry_ = false;
  return true;
}

void Reader::unknown_line(const Line& line) {
  const std::string_view keyword = Words(line.text).peek();
  if (joins_entry_before(line)) return;
  last_was_entry_ = false;
  mode_ = Mode::other;
  if (line.indent > 0 && !line.is_indent_lost) return;  // a child of something that is none of ours
  if (last_list_ != no_list && now().lists[last_list_].is_shown && is_hexadecimal(keyword)) {
    refusal_ = "'show access-list NAME brief' holds only hash values: export 'show access-list NAME'";
    return;
  }
  account_.set(line.place, LineState::not_understood);
  if (account_.diagnostics.all().size() >= Diagnostics::limit)
    return account_.say(Severity::note, line.place.span(), {}, Effect::none);  // counted only
  if (const auto near = nearest(keyword, filtering))
    account_.say(Severity::warning, span_of(keyword, line),
                 fmt::format("'{}' is no command; did '{}' stand here?", printable(keyword), *near),
                 Effect::none);
  else
    account_.say(Severity::note, span_of(keyword, line),
                 fmt::format("'{}' is no command that this reader knows; taken as one that does not filter",
                             printable(keyword.substr(0, 60))),
                 Effect::none);
}

}  // namespace aclmend::cisco_asa
