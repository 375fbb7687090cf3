// What Linux's LOG target, nft's `log`, and ulogd2 write (netfilter: nf_log_syslog.c; ulogd2:
// ulogd_output_LOGEMU, ulogd_output_JSON). The line has no verdict: only its prefix, which a person chose,
// hints at one. So the kind is marked as a hint, and `other` where the prefix says nothing.
#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.h"
#include "vendors/log.h"

namespace aclmend::iptables {
namespace {

using namespace evidence;

bool is_in(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

// In upper case, as prefixes are compared; a kernel's prefix has at most 127 characters.
struct Upper {
  std::array<char, 128> bytes{};
  std::size_t size = 0;
  explicit Upper(std::string_view text) : size(std::min(text.size(), bytes.size())) {
    std::transform(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size), bytes.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  }
  std::string_view text() const { return {bytes.data(), size}; }
};

// [UFW AUDIT] is about packets of any fate.
Kind kind_hinted_by(std::string_view prefix) {
  const Upper upper(prefix);
  const std::string_view text = upper.text();
  if (is_in(text, "AUDIT")) return Kind::other;
  for (const std::string_view word : {"DROP", "DENY", "DENIED", "REJECT", "BLOCK", "-D]", "DPT-"})
    if (is_in(text, word)) return Kind::drop;
  for (const std::string_view word : {"ACCEPT", "ALLOW", "PERMIT", "-A]"})
    if (is_in(text, word)) return Kind::allow;
  return Kind::other;
}

void put_prefix(Record& record, std::string_view prefix) {
  record.rule = trimmed(prefix);
  record.kind = record.rule.empty() ? Kind::other : kind_hinted_by(record.rule);
  record.is_hint = record.kind != Kind::other;
  if (record.kind == Kind::drop) record.dropper = Dropper::rules;
}

// "  kernel: [ 307.757925] PREFIX" → PREFIX. `[wan-lan-default-D]` is a prefix, `[ 307.757925]` the uptime.
std::string_view prefix_in(std::string_view envelope) {
  constexpr std::string_view kernel = "kernel: ";
  if (const std::size_t at = envelope.rfind(kernel); at != std::string_view::npos)
    envelope.remove_prefix(at + kernel.size());
  else if (const std::size_t host = envelope.find(' ', 16);  // ulogd: "Nov  3 02:15:41 fw PREFIX"
           envelope.size() > 16 && envelope[3] == ' ' && envelope[9] == ':' && host != std::string_view::npos)
    envelope.remove_prefix(host + 1);
  while (envelope.starts_with(' ')) envelope.remove_prefix(1);
  if (envelope.starts_with('[')) {
    const std::size_t closes = envelope.find(']');
    if (closes != std::string_view::npos &&
        envelope.substr(1, closes - 1).find_first_not_of(" 0123456789.") == std::string_view::npos)
      envelope.remove_prefix(closes + 1);
  }
  return envelope;
}

struct Flags {
  bool syn = false, ack = false, rst = false, fin = false;
  // None of them: the line was cut before them.
  New opening() const {
    if (!syn && !ack && !rst && !fin) return New::unknown;
    return syn && !ack && !rst && !fin ? New::yes : New::no;
  }
};

// The tokens after the prefix, position-free: KEY=value and bare flags. Of keys that stand twice (LEN, ID)
// the first counts; what stands in brackets is the packet that an ICMP error quotes.
struct Tokens {
  std::string_view in, out, source, destination, protocol, source_port, destination_port, sequence;
  Flags flags;
};

Tokens tokens_of(std::string_view text) {
  Tokens found;
  const auto first = [](std::string_view& to, std::string_view value) {
    if (to.data() == nullptr) to = value;
  };
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view token = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (token.empty()) continue;
    if (token[0] == '[') break;
    switch (token.size() < 3 ? '\0' : token[0]) {
      case 'I':
        if (token.starts_with("IN=")) first(found.in, token.substr(3));
        break;
      case 'O':
        if (token.starts_with("OUT=")) first(found.out, token.substr(4));
        break;
      case 'S':
        if (token.starts_with("SRC=")) first(found.source, token.substr(4));
        else if (token.starts_with("SPT=")) first(found.source_port, token.substr(4));
        else if (token.starts_with("SEQ=")) first(found.sequence, token.substr(4));
        else if (token == "SYN") found.flags.syn = true;
        break;
      case 'D':
        if (token.starts_with("DST=")) first(found.destination, token.substr(4));
        else if (token.starts_with("DPT=")) first(found.destination_port, token.substr(4));
        break;
      case 'P':
        if (token.starts_with("PROTO=")) first(found.protocol, token.substr(6));
        break;
      case 'A':
        if (token == "ACK") found.flags.ack = true;  // ACK=0 is a number
        break;
      case 'R':
        if (token == "RST") found.flags.rst = true;
        break;
      case 'F':
        if (token == "FIN") found.flags.fin = true;
        break;
      default: break;
    }
  }
  return found;
}

LineRead read_packet(std::string_view text, std::size_t at) {
  const Tokens tokens = tokens_of(text.substr(at));
  LineRead read{.as = LineRead::As::record};
  Record& record = read.record;
  record.src = log_address(tokens.source);
  record.dst = log_address(tokens.destination);
  if (!record.src) return LineRead::damaged("expected an address after SRC=");
  if (!record.dst) return LineRead::damaged("expected an address after DST=");
  record.protocol = log_protocol(tokens.protocol);
  record.sport = log_port(tokens.source_port);
  record.dport = log_port(tokens.destination_port);
  record.sequence = parse_decimal<std::uint32_t>(tokens.sequence);
  record.interface = tokens.in;
  record.to_interface = tokens.out;
  record.is_new = record.protocol == protocol::tcp ? tokens.flags.opening() : New::unknown;
  put_prefix(record, prefix_in(text.substr(0, at)));
  return read;
}

// Where the packet's tokens begin: "IN=" may touch the prefix, " SRC=" stands behind it.
std::optional<std::size_t> packet_in(std::string_view text) {
  const std::size_t source = text.find(" SRC=");
  if (source == std::string_view::npos) return std::nullopt;
  const std::size_t in = text.substr(0, source + 1).find("IN=");
  if (in == std::string_view::npos || !is_in(text.substr(in, source + 1 - in), " OUT=")) return std::nullopt;
  return in;
}

class Reader : public LogReader {
 public:
  explicit Reader(const LogContext& context) : clock_(context.newest) {}

  LineRead read(const TextLine& line) override {
    LineRead read = line.text.starts_with('{') ? read_json(line.text) : read_text(line.text);
    read.record.line = line.number;
    read.record.source = "iptables";
    return read;
  }

 private:
  LineRead read_text(std::string_view text) {
    const auto at = packet_in(text);
    if (!at) return hole(text);
    LineRead read = read_packet(text, *at);
    if (read.as == LineRead::As::record) read.record.time = clock_.at(envelope(text.substr(0, *at)));
    return read;
  }

  // Without what changes from line to line and holds no date: the uptime.
  static std::string_view envelope(std::string_view before) {
    const std::size_t kernel = before.find("kernel:");
    return kernel == std::string_view::npos ? before : before.substr(0, kernel);
  }

  static LineRead hole(std::string_view text) {
    if (is_in(text, "callbacks suppressed"))
      return LineRead::hole("the kernel's rate limit: log lines are missing");
    if (is_in(text, "Suppressed ") && is_in(text, " messages from "))
      return LineRead::hole("the journal's rate limit: log lines are missing");
    if (is_in(text, "begin to drop messages due to rate-limiting") ||
        is_in(text, "messages lost due to rate-limiting"))
      return LineRead::hole("the relay's rate limit: log lines are missing");
    return LineRead::foreign();
  }

  // ulogd2's JSON output, or `journalctl -o json` with the kernel's line inside.
  LineRead read_json(std::string_view text) {
    if (!is_in(text, "\"oob.prefix\"") && !is_in(text, "\"src_ip\"") && !is_in(text, "\"MESSAGE\""))
      return LineRead::foreign();
    json_ = {};
    bytes_.clear();
    const bool is_whole = each_json_member(text, [this](auto path, auto value) { take(path, value); });
    if (json_.message.empty()) json_.message = bytes_;
    const bool is_of_ulogd = !json_.source.empty();
    const auto at = packet_in(json_.message);
    if (!is_whole)
      return is_of_ulogd || at ? LineRead::damaged("expected one whole JSON object in the line")
                               : LineRead::foreign();
    return is_of_ulogd ? read_ulogd() : at ? read_journal(*at) : hole(json_.message);
  }

  void take(std::string_view path, std::string_view value) {
    const auto keep = [&](std::string& to) { to.assign(value); };
    if (path == "MESSAGE") {
      // Where it is no UTF-8, the journal writes its bytes as numbers.
      const auto byte = parse_decimal<std::uint8_t>(value);
      if (byte && value.size() <= 3) bytes_ += static_cast<char>(*byte);
      else keep(json_.message);
    } else if (path == "__REALTIME_TIMESTAMP") json_.micros = parse_decimal<std::uint64_t>(value);
    else if (path == "oob.prefix") keep(json_.prefix);
    else if (path == "oob.in") keep(json_.in);
    else if (path == "oob.out") keep(json_.out);
    else if (path == "src_ip") keep(json_.source);
    else if (path == "dest_ip") keep(json_.destination);
    else if (path == "src_port") json_.sport = parse_decimal<std::uint16_t>(value);
    else if (path == "dest_port") json_.dport = parse_decimal<std::uint16_t>(value);
    else if (path == "ip.protocol") json_.protocol = parse_decimal<std::uint8_t>(value);
    else if (path == "tcp.syn") json_.flags.syn = value == "1" || value == "true", json_.has_flags = true;
    else if (path == "tcp.ack") json_.flags.ack = value == "1" || value == "true";
    else if (path == "tcp.rst") json_.flags.rst = value == "1" || value == "true";
    else if (path == "tcp.fin") json_.flags.fin = value == "1" || value == "true";
    else if (path == "tcp.seq") json_.sequence = parse_decimal<std::uint32_t>(value);
    else if (path == "oob.time.sec") json_.seconds = parse_decimal<std::uint64_t>(value);
    else if (path == "oob.time.usec") json_.micro_part = parse_decimal<std::uint32_t>(value);
    else if (path == "timestamp") keep(json_.timestamp);
  }

  LineRead read_ulogd() {
    LineRead read{.as = LineRead::As::record};
    Record& record = read.record;
    record.src = log_address(json_.source);
    record.dst = log_address(json_.destination);
    if (!record.src || !record.dst) return LineRead::damaged("expected addresses in src_ip and dest_ip");
    record.sport = json_.sport;
    record.dport = json_.dport;
    record.protocol = json_.protocol;
    record.sequence = json_.sequence;
    record.interface = json_.in;
    record.to_interface = json_.out;
    record.is_new = json_.has_flags ? json_.flags.opening() : New::unknown;
    // "action" is the label of the logging stack, not what happened to the packet.
    put_prefix(record, json_.prefix);
    if (json_.seconds && *json_.seconds < latest_second)
      record.time = Moment{static_cast<std::int64_t>(*json_.seconds) * micros_a_second +
                               json_.micro_part.value_or(0) % 1'000'000,
                           0};
    else if (const ScannedMoment stamp = scan_iso(json_.timestamp); stamp.length > 0)
      record.time = stamp.moment;
    return read;
  }

  LineRead read_journal(std::size_t at) {
    LineRead read = read_packet(json_.message, at);
    if (json_.micros && *json_.micros < latest_second * micros_a_second)
      read.record.time = Moment{static_cast<std::int64_t>(*json_.micros), 0};
    return read;
  }

  static constexpr std::uint64_t latest_second = 253'402'300'800;  // the year 10000
  struct Json {
    std::string message, prefix, in, out, source, destination, timestamp;
    std::optional<std::uint16_t> sport, dport;
    std::optional<std::uint8_t> protocol;
    std::optional<std::uint32_t> sequence, micro_part;
    std::optional<std::uint64_t> seconds, micros;
    Flags flags;
    bool has_flags = false;
  };

  EnvelopeClock clock_;
  Json json_;
  std::string bytes_;
};

constexpr LogFormat formats[] = {
    {.id = "iptables",
     .title = "Linux firewall log (iptables, nftables, ulogd)",
     .vendor = "iptables",
     .reader = [](const LogContext& context) -> std::unique_ptr<LogReader> {
       return std::make_unique<Reader>(context);
     },
     .search = "journalctl -k --grep 'DPT=PORT '"},
};

}  // namespace

extern const std::span<const LogFormat> logs;
const std::span<const LogFormat> logs = formats;

}  // namespace aclmend::iptables
