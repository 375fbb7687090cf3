// What a line of a log says: the record that every reader of logs gives, and the contract of a vendor's
// reader. A folder in vendors/ that has a log.cc defines `const std::span<const LogFormat> logs` in its own
// namespace; CMake collects them. A folder may have a log reader and nothing else.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/lines.h"
#include "base/moment.h"
#include "sets/address.h"
#include "sets/address_set.h"

namespace aclmend::evidence {

// What happened, as far as the line itself says so.
enum class Kind : std::uint8_t { drop, allow, connect, defer, fail, other };
// Is it about the opening of a connection? Late packets of an old one say nothing of the rules.
enum class New : std::uint8_t { yes, no, unknown };
// What in the device dropped it, where the line tells.
enum class Dropper : std::uint8_t { none, rules, translation, routing, inspection, other };

std::string_view to_string(Kind kind);        // "drop", …
std::string_view to_string(New is_new);       // "yes", "no", "unknown"
std::string_view to_string(Dropper dropper);  // "", "rules", …

// What a mail server's protocol log says of TLS.
enum class Tls : std::uint8_t {
  none,
  offered,         // 250-STARTTLS stands in the answer to EHLO
  not_offered,     // it does not: in a first EHLO that is a missing certificate or an inspection on the way
  started,         // the client said STARTTLS
  certificate,     // this server sends its certificate; `detail` has subject and dates
  negotiated,      // the handshake succeeded
  failed,          // it did not
  no_certificate,  // the peer showed none, or none that was valid
};
std::string_view to_string(Tls tls);

// The error text of a message trace, a queue or a non-delivery report. Everything is as it stands there, and
// empty where it does not: such texts are cut off anywhere.
struct Deferral {
  std::string_view reply;          // "450"
  std::string_view status;         // "4.4.316"
  std::string_view text;           // "Connection refused", behind them
  std::string_view message;        // [Message=…] or {MSG=…}
  std::string_view inner;          // a second status, in the message: "5.7.3"
  std::uint32_t socket_error = 0;  // 10061; of a word like ConnectionRefused its number; 0: none
  std::optional<Address>
      address;             // LastAttemptedIP, else {IP=}, else OutboundProxyTargetIP: the mail host as
  std::uint16_t port = 0;  // the sender sees it, never the sender
  std::string_view host;   // LastAttemptedServerName, else {FQDN=}, else OutboundProxyTargetHostName
  std::string_view smtp_security;    // "-2;-2"
  std::string_view sender;           // the EOP server that wrote the error
  std::optional<Moment> when;        // its time, UTC
  std::optional<Moment> last_retry;  // {LRT=…}, no zone
  bool is_expired = false;           // given up: the message was returned
};

// One event. The texts point into the line or the reader: they are good until the next line is read.
struct Record {
  std::uint64_t line = 0;   // 1-based, where it begins
  std::string_view source;  // "asa", "panos", "smtp-receive", …: the format's id, never empty
  Kind kind = Kind::other;
  New is_new = New::unknown;
  std::optional<Moment> time;
  // Who opened the connection and to whom, as the device saw the packet; the destination may be the public or
  // the translated address.
  std::optional<Address> src, dst;
  std::optional<std::uint16_t> sport, dport;
  std::optional<std::uint8_t> protocol;
  std::string_view rule;       // list, rule or log prefix, as the device calls it
  std::string_view interface;  // where it came in: interface, zone, receive connector
  std::string_view code;       // the vendor's message number, event, or the SMTP status

  // Beyond the columns of `evidence --format jsonl`:
  std::uint64_t count = 1;                // packets or messages that the line stands for
  Dropper dropper = Dropper::none;        // of a drop
  bool is_hint = false;                   // the kind stands in words that a person chose (a log prefix)
  std::string_view src_name, dst_name;    // where the device prints a name in place of the address
  std::optional<std::uint32_t> sequence;  // TCP's, of the opening packet
  std::string_view to_interface;          // where it would go out
  std::string_view session;               // of a protocol log or a firewall's session
  Tls tls = Tls::none;
  std::string_view detail;             // the line's own words on why
  const Deferral* deferral = nullptr;  // of kinds defer and fail
  std::string_view text;               // the line itself; nothing of an event of several lines
};

// What the reading is given from outside.
struct LogContext {
  // The newest moment that a line can have (the file's last change, or now), in micros since 1970: settles
  // the year of lines without one.
  std::int64_t newest = 0;
  AddressSet local;  // addresses that stand on the near side: the mail host's
  // The address behind a name that the device prints (`name 10.1.1.1 exp_srv` of its configuration).
  std::function<std::optional<Address>(std::string_view name)> address_of = {};
};

// What a reader makes of a line.
struct LineRead {
  enum class As : std::uint8_t {
    foreign,  // bears no mark of this format
    record,
    silent,   // of this format, and no event: a header, the middle of an event of several lines
    damaged,  // bears the mark and cannot be read: `reason` says what was expected
    hole,     // says that lines are missing, or that logging was switched: `reason` says which
  };
  As as = As::foreign;
  std::string_view reason = {};  // a constant
  Record record = {};

  static LineRead foreign() { return {}; }
  static LineRead silent() { return {.as = As::silent}; }
  static LineRead damaged(std::string_view reason) { return {.as = As::damaged, .reason = reason}; }
  static LineRead hole(std::string_view reason) { return {.as = As::hole, .reason = reason}; }
};

// The state of reading one file: column orders, the line before.
class LogReader {
 public:
  virtual ~LogReader() = default;
  virtual LineRead read(const TextLine& line) = 0;
  // An event that the end of the text, or a line of another format, has ended; asked until it is foreign.
  virtual LineRead finish() { return {}; }
};

struct LogFormat {
  std::string_view id;      // "asa": the record's source
  std::string_view title;   // "Cisco ASA or FTD syslog"
  std::string_view vendor;  // the id of the vendor whose devices write it; empty: no firewall
  std::unique_ptr<LogReader> (*reader)(const LogContext& context);
  // Puts events together from several lines: its finish() is asked where a line is none of its own. Such a
  // reader is asked after all others, since it may take any line for a continuation.
  bool gathers = false;
  // Set where the format is no sequence of lines: does a text begin so, and what does an event end with.
  bool (*begins)(std::string_view head) = nullptr;
  std::string_view ends_with = {};
  // What finds its denied packets where the log is kept: PORT and RANGE stand for what is looked for.
  std::string_view search = {};
};

// The vendors' formats, folder by folder.
std::span<const std::span<const LogFormat>> vendor_logs();

// ---- what readers share ---------------------------------------------------------------------------------

// An address in any spelling; IPv4 inside IPv6 (::ffff:192.0.2.1) is IPv4, as a rule about it would be.
std::optional<Address> log_address(std::string_view text);
// 25, "smtp", "https": the names that firewalls print.
std::optional<std::uint16_t> log_port(std::string_view text);
std::optional<std::uint8_t> log_protocol(std::string_view text);  // "TCP", "ICMPv6", "58"
// "203.0.113.25:25", "[2001:db8::1]:25", or the address alone.
struct LogEndpoint {
  std::optional<Address> address;
  std::optional<std::uint16_t> port;
};
LogEndpoint log_endpoint(std::string_view text);

// The time in the envelope of syslog lines: the same envelope as the line before needs no second look.
class EnvelopeClock {
 public:
  explicit EnvelopeClock(std::int64_t newest) : newest_(newest) {}
  std::optional<Moment> at(std::string_view envelope);

 private:
  std::int64_t newest_;
  std::string last_;
  std::optional<Moment> time_;
};

// One JSON object of a line, walked once: calls `member` for each text, number and literal with the path of
// names that leads to it ("winlog.event_data.SourceAddress"). Texts are given without their escapes where
// they have none, else unescaped into a buffer that lives until the next call. False: no such object.
bool each_json_member(std::string_view line,
                      const std::function<void(std::string_view path, std::string_view value)>& member);

}  // namespace aclmend::evidence
