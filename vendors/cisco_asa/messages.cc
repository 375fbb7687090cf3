#include "vendors/cisco_asa/messages.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace aclmend::cisco_asa {
namespace {

using namespace evidence;
using enum Kind;

// One side of a connection as a message prints it.
struct Side {
  std::string_view interface;
  std::string_view name;  // where no address is printed
  std::optional<Address> address;
  std::optional<std::uint16_t> port;
};

bool ends_side(char c) { return c == ' ' || c == '(' || c == ',' || c == ';'; }

// A cursor over a message. Nothing is copied.
class Text {
 public:
  Text(std::string_view text, const LogContext& context) : rest_(text), context_(context) {}

  std::string_view rest() const { return rest_; }
  bool take(std::string_view words) {
    if (!rest_.starts_with(words)) return false;
    rest_.remove_prefix(words.size());
    return true;
  }
  std::string_view word() {
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    blanks();
    return word;
  }
  void blanks() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }
  // What stands before `mark`; the cursor is behind it then.
  std::optional<std::string_view> through(std::string_view mark) {
    const std::size_t at = rest_.find(mark);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view before = rest_.substr(0, at);
    rest_.remove_prefix(at + mark.size());
    return before;
  }

  // "outside:52.100.0.1/40112", "52.100.0.1/40112", "outside/52.100.0.1(40112)", "outside:mailhost/25", and
  // behind them a user or group in brackets: "(LOCAL\jo doe)".
  std::optional<Side> side() {
    blanks();
    // Two to four times a line, so most of what a log costs: one loop over the word, and no second look at it
    // where it is "outside:52.100.0.1/40112".
    std::size_t end = 0, colon = 0, colons = 0, slash = 0;
    for (; end < rest_.size() && !ends_side(rest_[end]); ++end) {
      if (rest_[end] == ':') colon = end, ++colons;
      if (rest_[end] == '/') slash = end;
    }
    constexpr std::size_t longest = 512;  // an interface's name has at most 48 characters, a host's 63
    if (end > longest) return std::nullopt;
    const std::string_view word = rest_.substr(0, end);
    // Filled in place: to build it elsewhere and copy it takes longer than to read it.
    std::optional<Side> found(std::in_place);
    Side& side = *found;
    if (const V4AndPort plain = colons == 1 && slash > colon ? v4_and_port(word, colon, slash) : V4AndPort{};
        plain.is_read) {
      side.interface = word.substr(0, colon);
      side.address = Address::v4(plain.address);
      side.port = plain.port;
    } else {
      side = other_side(word);
      if (side.name.empty() && !side.address) return std::nullopt;
    }
    rest_.remove_prefix(end);
    while (rest_.starts_with('(')) {
      const std::string_view inside = brackets();
      if (!side.port) side.port = log_port(inside);
    }
    if (rest_.starts_with(',') || rest_.starts_with(';')) rest_.remove_prefix(1);
    blanks();
    return found;
  }

  // The translated side behind a blank: "(203.0.113.25/25)".
  void skip_brackets() {
    while (rest_.starts_with('(')) {
      brackets();
      blanks();
    }
  }

 private:
  // "(…)" with what is nested in it; an unclosed one ends with the text.
  std::string_view brackets() {
    std::size_t depth = 0, at = 0;
    for (; at < rest_.size(); ++at) {
      if (rest_[at] == '(') ++depth;
      if (rest_[at] == ')' && --depth == 0) break;
    }
    const std::string_view inside = rest_.substr(1, at - 1);
    rest_.remove_prefix(std::min(at + 1, rest_.size()));
    return inside;
  }

  // "52.100.0.1/40112" between a word's only colon and its end.
  struct V4AndPort {
    V4 address = 0;
    std::uint16_t port = 0;
    bool is_read = false;
  };
  static V4AndPort v4_and_port(std::string_view word, std::size_t colon, std::size_t slash) {
    const ScannedV4 v4 = scan_v4(word.substr(colon + 1));
    if (v4.length == 0 || colon + 1 + v4.length != slash || slash + 1 == word.size()) return {};
    unsigned port = 0;
    for (const char c : word.substr(slash + 1)) {
      if (c < '0' || c > '9') return {};
      port = 10 * port + static_cast<unsigned>(c - '0');
      if (port > 65'535) return {};
    }
    return {v4.number, static_cast<std::uint16_t>(port), true};
  }

  Side other_side(std::string_view word) const {
    Side side;
    const std::size_t slash = word.rfind('/');
    if (slash != std::string_view::npos) {
      side.port = log_port(word.substr(slash + 1));
      if (side.port) {
        word = word.substr(0, slash);
      } else if (slash + 1 < word.size() && word.find(':') >= slash) {  // IF/ADDRESS(PORT)
        side.interface = word.substr(0, slash);
        address_or_name(side, word.substr(slash + 1));
        return side;
      } else if (const auto v6 = log_address(word.substr(slash + 1))) {  // IF/2001:db8::1(PORT)
        side.interface = word.substr(0, slash);
        side.address = v6;
        return side;
      }
    }
    with_interface(side, word);
    return side;
  }

  // An interface's name can hold colons, an IPv6 address does: the last colon before an IPv4 address, the
  // first behind which an IPv6 address stands, else the last before a name.
  void with_interface(Side& side, std::string_view word) const {
    const std::size_t last = word.rfind(':');
    if (last == std::string_view::npos) return address_or_name(side, word);
    const ScannedV4 v4 = scan_v4(word.substr(last + 1));
    const bool ends_in_v4 = v4.length > 0 && last + 1 + v4.length == word.size();
    if (ends_in_v4 && (last == 0 || word[last - 1] != ':') && word.find("::") == std::string_view::npos) {
      side.interface = word.substr(0, last);
      side.address = Address::v4(v4.number);
      return;
    }
    if ((side.address = log_address(word))) return;
    for (std::size_t at = word.find(':'); at != std::string_view::npos; at = word.find(':', at + 1))
      if ((side.address = log_address(word.substr(at + 1)))) {
        side.interface = word.substr(0, at);
        return;
      }
    side.interface = word.substr(0, last);
    address_or_name(side, word.substr(last + 1));
  }

  void address_or_name(Side& side, std::string_view text) const {
    side.address = log_address(text);
    if (side.address || text.empty()) return;
    side.name = text;
    if (context_.address_of) side.address = context_.address_of(text);
  }

  std::string_view rest_;
  const LogContext& context_;
};

void put_source(Record& record, const Side& side) {
  record.src = side.address;
  record.src_name = side.name;
  record.sport = side.port;
  record.interface = side.interface;
}
void put_destination(Record& record, const Side& side) {
  record.dst = side.address;
  record.dst_name = side.name;
  record.dport = side.port;
  record.to_interface = side.interface;
}

LineRead record_of(Kind kind, New is_new, Dropper dropper = Dropper::none) {
  LineRead read{.as = LineRead::As::record};
  read.record.kind = kind;
  read.record.is_new = is_new;
  read.record.dropper = dropper;
  return read;
}
LineRead no_packet() { return record_of(other, New::no); }

// Such lines carry no flags: a stray packet without a connection looks like an opening one.
New opening(const Record& record) { return record.protocol == protocol::tcp ? New::yes : New::unknown; }

// The two hashes of the entry at the line's end; "0x0" is the implicit deny, or an entry without one.
std::string_view hashes(std::string_view rest) {
  const std::size_t opens = rest.rfind('[');
  const std::size_t closes = rest.rfind(']');
  if (opens == std::string_view::npos || closes == std::string_view::npos || closes < opens) return {};
  const std::string_view inside = rest.substr(opens + 1, closes - opens - 1);
  return inside.starts_with("0x") ? inside : std::string_view{};
}

// ICMP's type and code stand where ports would: "(type 8, code 0)".
bool skip_icmp(Text& text) {
  if (text.rest().starts_with("(type ")) return text.through(")").has_value();
  return true;
}

// 106023: Deny tcp src outside:A/P dst dmz:B/Q by access-group "OUTSIDE_IN" [0x8ed66b60, 0x0]
LineRead denied_by_list(Text text) {
  LineRead read = record_of(drop, New::unknown, Dropper::rules);
  Record& record = read.record;
  if (!text.take("Deny ")) return LineRead::damaged("expected 'Deny' after 106023");
  std::string_view protocol = text.word();
  if (protocol == "protocol") protocol = text.word();  // "Deny protocol 47 src …"
  record.protocol = log_protocol(protocol);
  if (!text.take("src ")) return LineRead::damaged("expected 'src' after the protocol");
  const auto from = text.side();
  if (!from || !text.take("dst ")) return LineRead::damaged("expected 'dst' after the source");
  const auto to = text.side();
  if (!to || !skip_icmp(text)) return LineRead::damaged("expected a destination");
  const bool is_list = text.take("by access-group \"") || text.through("by access-group \"");
  const auto name = text.through("\"");
  if (!is_list || !name) return LineRead::damaged("expected 'by access-group' and the list's name");
  put_source(record, *from);
  put_destination(record, *to);
  record.rule = *name;
  record.detail = hashes(text.rest());
  record.is_new = opening(record);
  return read;
}

// 106100, 106102, 106103: access-list ACL denied tcp outside/A(P) -> dmz/B(Q) hit-cnt 1 first hit [0x..,
// 0x..]
LineRead matched_list(Text text) {
  LineRead read = record_of(other, New::unknown);
  Record& record = read.record;
  if (!text.take("access-list ")) return LineRead::damaged("expected 'access-list'");
  record.rule = text.word();
  const std::string_view verdict = text.word();
  if (verdict == "denied") record.kind = drop, record.dropper = Dropper::rules;
  else if (verdict == "permitted" || verdict == "est-allowed") record.kind = allow;
  else return LineRead::damaged("expected permitted, denied or est-allowed after the list's name");
  record.protocol = log_protocol(text.word());
  if (text.take("for user ")) {
    // The user's name can be anything; the sides begin at the last word before the arrow.
    const std::size_t arrow = text.rest().rfind(" -> ");
    const std::size_t begin = arrow == std::string_view::npos ? arrow : text.rest().rfind(' ', arrow - 1);
    if (begin == std::string_view::npos) return LineRead::damaged("expected '->'");
    text.take(text.rest().substr(0, begin));
  }
  const auto from = text.side();
  if (!from || !text.take("-> ")) return LineRead::damaged("expected '->' after the source");
  const auto to = text.side();
  if (!to) return LineRead::damaged("expected a destination after '->'");
  put_source(record, *from);
  put_destination(record, *to);
  if (text.take("hit-cnt "))
    record.count = std::max<std::uint64_t>(parse_decimal<std::uint32_t>(text.word()).value_or(1), 1);
  record.detail = hashes(text.rest());
  // A permitted line can be about a late packet, which is dropped afterwards.
  record.is_new = record.kind == drop ? opening(record) : New::unknown;
  return read;
}

// 106001: Inbound TCP connection denied from A/P to B/Q flags SYN  on interface outside
LineRead denied_without_list(Text text) {
  LineRead read = record_of(drop, New::unknown, Dropper::rules);
  Record& record = read.record;
  if (!text.take("Inbound TCP connection denied from "))
    return LineRead::damaged("expected 'Inbound TCP connection denied from'");
  const auto from = text.side();
  if (!from || !text.take("to ")) return LineRead::damaged("expected 'to' after the source");
  const auto to = text.side();
  if (!to) return LineRead::damaged("expected a destination after 'to'");
  put_source(record, *from);
  put_destination(record, *to);
  record.protocol = protocol::tcp;
  if (text.take("flags ")) {
    const auto flags = text.through("on interface ");
    const std::string_view set = trimmed(flags ? *flags : text.rest());
    record.is_new = set == "SYN" ? New::yes : New::no;
    record.detail = set;
    if (flags) record.interface = text.word();
  }
  return read;
}

// "… from A[/P] to B[/Q] …" in one sentence, with or without an interface at its end.
LineRead from_to(Text text, Kind kind, Dropper dropper, std::optional<std::uint8_t> protocol, New is_new) {
  LineRead read = record_of(kind, is_new, dropper);
  if (!text.through("from ")) return LineRead::damaged("expected 'from'");
  if (text.take("(")) {  // 106016: from (A) to B
    const auto inside = text.through(")");
    const auto address = inside ? log_address(*inside) : std::nullopt;
    if (!address) return LineRead::damaged("expected an address after 'from'");
    read.record.src = address;
    text.blanks();
  } else {
    const auto from = text.side();
    if (!from) return LineRead::damaged("expected an address after 'from'");
    put_source(read.record, *from);
    text.skip_brackets();
  }
  if (!text.take("to ")) return LineRead::damaged("expected 'to' after the source");
  const auto to = text.side();
  if (!to) return LineRead::damaged("expected an address after 'to'");
  put_destination(read.record, *to);
  read.record.protocol = protocol;
  read.record.detail = trimmed(text.rest());
  if (text.through("on interface ")) read.record.interface = text.word();
  return read;
}

// "Deny inbound tcp src outside:A/P dst inside:B/Q", "… src A dst B …": 106010, 106014, 305005, 305006.
LineRead src_dst(Text text, Kind kind, Dropper dropper, std::optional<std::uint8_t> protocol) {
  LineRead read = record_of(kind, New::unknown, dropper);
  const auto before = text.through("src ");
  if (!before) return LineRead::damaged("expected 'src'");
  const auto from = text.side();
  if (!from || !text.take("dst ")) return LineRead::damaged("expected 'dst' after the source");
  const auto to = text.side();
  if (!to) return LineRead::damaged("expected a destination after 'dst'");
  put_source(read.record, *from);
  put_destination(read.record, *to);
  const std::string_view words = trimmed(*before);
  read.record.protocol = protocol ? protocol : log_protocol(words.substr(words.rfind(' ') + 1));
  if (read.record.protocol == protocol::icmp || read.record.protocol == protocol::icmp6)
    read.record.sport = read.record.dport = std::nullopt;
  read.record.is_new = opening(read.record);
  return read;
}

// 106002: tcp Connection denied by outbound list 1 src A P dest B Q (PIX)
LineRead denied_by_outbound(Text text) {
  LineRead read = record_of(drop, New::unknown, Dropper::rules);
  Record& record = read.record;
  record.protocol = log_protocol(text.word());
  const auto before = text.through("list ");
  record.rule = text.word();
  if (!before || !text.take("src ")) return LineRead::damaged("expected 'outbound list ID src'");
  record.src = log_address(text.word());
  if (!text.rest().starts_with("dest ")) record.sport = log_port(text.word());
  if (!record.src || !text.take("dest ")) return LineRead::damaged("expected 'dest' after the source");
  record.dst = log_address(text.word());
  record.dport = log_port(text.word());
  if (!record.dst) return LineRead::damaged("expected a destination after 'dest'");
  record.is_new = opening(record);
  return read;
}

// 710003: TCP access denied by ACL from A/P to outside:B/ssh: to the device itself
LineRead denied_to_box(Text text) {
  const std::string_view protocol = text.rest().substr(0, text.rest().find(' '));
  LineRead read = from_to(text, drop, Dropper::other, log_protocol(protocol), New::unknown);
  if (read.as != LineRead::As::record) return read;
  read.record.interface = read.record.to_interface;
  read.record.is_new = opening(read.record);
  read.record.detail = "to the device itself: no translation took the packet";
  return read;
}

// "Built inbound TCP connection 17" → "17"; ICMP has none.
std::string_view connection_number(std::string_view before) {
  const std::string_view word = before.substr(before.rfind(' ') + 1);
  return parse_decimal<std::uint64_t>(word) ? word : std::string_view{};
}

// 302013: Built inbound TCP connection 17 for outside:A/P (A/P) to dmz:B/Q (M/Q). Of an outbound one, the
// side after `for` is the destination.
LineRead built(Text text) {
  LineRead read = record_of(allow, New::yes);
  Record& record = read.record;
  if (!text.take("Built ")) return LineRead::damaged("expected 'Built'");
  std::string_view direction = text.word();
  if (direction == "Probe") direction = text.word();
  record.protocol = log_protocol(direction == "inbound" || direction == "outbound" ? text.word() : direction);
  const auto before = text.through(" for ");
  if (!before)
    return record.protocol == protocol::tcp || record.protocol == protocol::udp
               ? LineRead::damaged("expected 'for' after the connection's number")
               : no_packet();
  record.session = connection_number(*before);
  text.take("faddr ");
  const auto first = text.side();
  text.skip_brackets();
  if (text.take("gaddr ")) {
    const auto global = text.side();
    if (!first || !global) return LineRead::damaged("expected an address after 'gaddr'");
    put_source(record, *first);
    put_destination(record, *global);
    record.sport = record.dport = std::nullopt;
    return read;
  }
  if (!first || !text.take("to ")) return LineRead::damaged("expected 'to' after the first address");
  const auto second = text.side();
  if (!second) return LineRead::damaged("expected an address after 'to'");
  const bool is_outbound = direction == "outbound";
  put_source(record, is_outbound ? *second : *first);
  put_destination(record, is_outbound ? *first : *second);
  return read;
}

// 302014: Teardown TCP connection 17 for outside:A/P to dmz:B/Q duration 0:00:30 bytes 0 SYN Timeout
LineRead teardown(Text text) {
  LineRead read = record_of(other, New::no);
  Record& record = read.record;
  if (!text.take("Teardown ")) return LineRead::damaged("expected 'Teardown'");
  record.protocol = log_protocol(text.word());
  const auto before = text.through(" for ");
  if (!before) return no_packet();
  record.session = connection_number(*before);
  const auto first = text.side();
  if (!first || !text.take("to ")) return no_packet();
  const auto second = text.side();
  if (!second) return LineRead::damaged("expected an address after 'to'");
  // Which side opened it, only the line that built it says: the one with the lower port is the server.
  const bool is_turned = first->port.value_or(0) < 1024 && second->port.value_or(0) >= 1024;
  put_source(record, is_turned ? *second : *first);
  put_destination(record, is_turned ? *first : *second);
  if (text.through("bytes ")) record.detail = trimmed(text.rest());
  return read;
}

// 106015: Deny TCP (no connection) from A/P to B/Q flags RST  on interface inside: a late packet.
LineRead late_packet(Text text) {
  LineRead read = from_to(text, other, Dropper::none, protocol::tcp, New::no);
  if (read.as != LineRead::As::record) return read;
  std::string_view flags = read.record.detail;
  if (flags.starts_with("flags ")) flags.remove_prefix(6);
  read.record.detail = trimmed(flags.substr(0, flags.find(" on interface")));
  return read;
}

// ---- FTD's connection events ------------------------------------------------------------------------------

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

// Where the next ", Key: " begins; values may hold commas and colons of their own.
std::size_t next_pair(std::string_view text) {
  for (std::size_t at = text.find(", "); at != std::string_view::npos; at = text.find(", ", at + 2)) {
    std::size_t end = at + 2;
    while (end < text.size() && (is_letter(text[end]) || (text[end] >= '0' && text[end] <= '9'))) ++end;
    if (end > at + 2 && end + 1 < text.size() && text[end] == ':' && text[end + 1] == ' ') return at;
  }
  return text.size();
}

LineRead connection_event(std::uint32_t id, std::string_view text) {
  LineRead read = record_of(other, New::unknown);
  Record& record = read.record;
  std::string_view action, reason, sent, answered;
  constexpr std::size_t most_pairs = 256;
  for (std::size_t count = 0; !text.empty() && count < most_pairs; ++count) {
    const std::size_t end = next_pair(text), colon = text.find(": ");
    if (colon == std::string_view::npos || colon > end) break;
    const std::string_view key = text.substr(0, colon), value = text.substr(colon + 2, end - colon - 2);
    if (key == "AccessControlRuleAction") action = value;
    else if (key == "AccessControlRuleReason") reason = value;
    else if (key == "AccessControlRuleName") record.rule = value;
    else if (key == "SrcIP") record.src = log_address(value);
    else if (key == "DstIP") record.dst = log_address(value);
    else if (key == "SrcPort") record.sport = log_port(value);
    else if (key == "DstPort") record.dport = log_port(value);
    else if (key == "Protocol") record.protocol = log_protocol(value);
    else if (key == "IngressZone" || (key == "IngressInterface" && record.interface.empty()))
      record.interface = value;
    else if (key == "EgressZone" || (key == "EgressInterface" && record.to_interface.empty()))
      record.to_interface = value;
    else if (key == "InitiatorPackets") sent = value;
    else if (key == "ResponderPackets") answered = value;
    text.remove_prefix(std::min(end + 2, text.size()));
  }
  if (id == 430001) {
    record.kind = action.starts_with("Block") ? drop : other;
    record.dropper = record.kind == drop ? Dropper::inspection : Dropper::none;
    return read;
  }
  if (action.empty() || !record.src || !record.dst)
    return LineRead::damaged("expected AccessControlRuleAction, SrcIP and DstIP");
  const bool was_answered = parse_decimal<std::uint64_t>(answered).value_or(0) > 0;
  if (action.starts_with("Block")) {
    record.kind = drop;
    record.dropper = Dropper::rules;
    record.is_new = was_answered ? New::no : opening(record);
    record.detail = was_answered ? "after the handshake" : action;
  } else if (action == "Allow" || action == "Trust" || action == "Fastpath") {
    record.kind = allow;
    record.is_new = opening(record);
    // Only an event of the end (430003) has counted to the end.
    if (id == 430003 && answered == "0") record.detail = "nobody answered";
  }
  return read;
}

// 338xxx, 434002 and their like say in a word whether they dropped.
LineRead by_its_verb(Text text) {
  const std::string_view words = text.rest();
  const bool is_drop = words.find("dropped") != std::string_view::npos ||
                       words.find("Dropping") != std::string_view::npos ||
                       words.find("denied") != std::string_view::npos;
  LineRead read = from_to(text, is_drop ? drop : other, is_drop ? Dropper::inspection : Dropper::none,
                          std::nullopt, New::unknown);
  return read.as == LineRead::As::record
             ? read
             : record_of(is_drop ? drop : other, New::unknown, is_drop ? Dropper::inspection : Dropper::none);
}

// Mail that is cut after the handshake: no drop by rules, and a finding of its own.
LineRead inspected(Text text) {
  LineRead read = from_to(text, fail, Dropper::inspection, protocol::tcp, New::no);
  if (read.as != LineRead::As::record) read = record_of(fail, New::no, Dropper::inspection);
  read.record.detail = text.rest();
  return read;
}

// 111008, 111009, 111010: what an administrator typed.
LineRead command(std::string_view text) {
  if (text.find("no logging") != std::string_view::npos)
    return LineRead::hole("an administrator typed 'no logging …': lines may be missing from here on");
  LineRead read = no_packet();
  read.record.detail = text;
  return read;
}

}  // namespace

LineRead read_message(std::uint32_t id, std::string_view words, const LogContext& context) {
  const Text text(words, context);
  switch (id) {
    case 106023: return denied_by_list(text);
    case 106100:
    case 106102:
    case 106103: return matched_list(text);
    case 302013:
    case 302015:
    case 302020: return built(text);
    case 302014:
    case 302016: return teardown(text);
    case 106001: return denied_without_list(text);
    case 106015: return late_packet(text);
    case 106006:
    case 106007: return from_to(text, drop, Dropper::rules, protocol::udp, New::unknown);
    case 106010: return src_dst(text, drop, Dropper::rules, std::nullopt);
    case 106014: return src_dst(text, drop, Dropper::rules, protocol::icmp);
    case 106002: return denied_by_outbound(text);
    case 106016:
    case 106017:
    case 106020:
    case 106012: return from_to(text, drop, Dropper::other, std::nullopt, New::unknown);
    case 106021: {
      LineRead read = from_to(text, drop, Dropper::routing, std::nullopt, New::unknown);
      const Text behind_deny(words.substr(std::min<std::size_t>(words.size(), 5)), context);
      read.record.protocol = log_protocol(Text(behind_deny).word());
      return read;
    }
    case 305005:
    case 305006: return src_dst(text, drop, Dropper::translation, std::nullopt);
    case 106011:
    case 202010: {
      LineRead read = src_dst(text, drop, Dropper::translation, std::nullopt);
      return read.as == LineRead::As::record ? read : record_of(drop, New::unknown, Dropper::translation);
    }
    case 110002:
    case 110003: {
      LineRead read = from_to(text, drop, Dropper::routing, std::nullopt, New::unknown);
      return read.as == LineRead::As::record ? read : record_of(drop, New::unknown, Dropper::routing);
    }
    case 710003: return denied_to_box(text);
    case 313001:
    case 313008: {
      LineRead read = record_of(drop, New::unknown, Dropper::other);
      Text inside = text;
      if (inside.through("from ")) read.record.src = log_address(inside.word());
      if (inside.through("interface ")) read.record.interface = inside.word();
      read.record.protocol = id == 313001 ? protocol::icmp : protocol::icmp6;
      return read.record.src ? read : LineRead::damaged("expected 'from' and an address");
    }
    case 434002:
    case 434004: return by_its_verb(text);
    case 108004:
    case 507001:
    case 507003:
    case 508001:
    case 508002: return inspected(text);
    case 430001:
    case 430002:
    case 430003: return connection_event(id, words);
    case 106101: return LineRead::hole("106101: the limit of cached denies was reached, denies are missing");
    case 111008:
    case 111009:
    case 111010: return command(words);
    default: break;
  }
  if (id / 1000 == 338) return by_its_verb(text);
  return no_packet();
}

}  // namespace aclmend::cisco_asa
