// Exchange's own logs: SmtpReceive, SmtpSend, connectivity, message tracking. Their header says the columns;
// a file that begins in the middle is taken to have the usual ones. Times are UTC. Sessions interleave.
#include <algorithm>
#include <array>

#include "base/csv.h"
#include "base/text.h"
#include "evidence/readers.h"
#include "evidence/result.h"

namespace aclmend::evidence {
namespace {

bool has(std::string_view text, std::string_view words) { return text.find(words) != std::string_view::npos; }

enum class Log : std::uint8_t { unknown, receive, send, connectivity, tracking };

enum Field : std::uint8_t {
  when,
  connector,
  session,
  sequence,
  local,
  remote,
  event,
  data,
  context,
  client_ip,
  server_ip,
  source_context,
  event_id,
  recipient_status,
  custom_data,
  destination,
  direction,
  description,
  field_count
};
constexpr std::array<std::string_view, field_count> names{
    "date-time",       "connector-id",   "session-id", "sequence-number",  "local-endpoint",
    "remote-endpoint", "event",          "data",       "context",          "client-ip",
    "server-ip",       "source-context", "event-id",   "recipient-status", "custom-data",
    "destination",     "direction",      "description"};
constexpr std::string_view protocol_fields =
    "date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context";

constexpr std::size_t most_columns = 64;
using Places = std::array<std::uint8_t, field_count>;  // of each field its column, or most_columns

Places places_of(std::string_view header) {
  Places places;
  places.fill(most_columns);
  std::uint8_t column = 0;
  for (const std::string_view word : split(header.substr(0, 4096), ',')) {
    if (column == most_columns) break;
    const std::string name = lower(trimmed(word));
    // The connectivity log calls it "session".
    const auto known = std::ranges::find(names, name == "session" ? "session-id" : std::string_view(name));
    if (known != names.end()) places[static_cast<std::size_t>(known - names.begin())] = column;
    ++column;
  }
  return places;
}

// Sessions that have begun TLS: their second answer to EHLO offers it no more. A few thousand are remembered.
class Started {
 public:
  void add(std::string_view session) { at(session) = hash(session); }
  bool contains(std::string_view session) { return at(session) == hash(session); }

 private:
  static std::uint64_t hash(std::string_view text) { return std::hash<std::string_view>{}(text) | 1; }
  std::uint64_t& at(std::string_view session) { return seen_[hash(session) % seen_.size()]; }
  std::array<std::uint64_t, 4096> seen_{};
};

// The last time stamp's day and its micros: within a day only the clock is read anew.
class Clock {
 public:
  std::optional<Moment> at(std::string_view text) {
    constexpr std::size_t date = 10;
    if (text.size() >= 24 && text.substr(0, date) == day_ && text[10] == 'T' && text[23] == 'Z') {
      const auto two = [&](std::size_t i) { return digit(text[i]) * 10 + digit(text[i + 1]); };
      const std::int64_t millis = digit(text[20]) * 100 + digit(text[21]) * 10 + digit(text[22]);
      const std::int64_t seconds = (two(11) * 60 + two(14)) * 60 + two(17);
      const bool is_clock =
          text[13] == ':' && text[16] == ':' && text[19] == '.' && two(11) < 24 && two(14) < 60;
      if (is_clock) return Moment{midnight_ + seconds * micros_a_second + millis * 1000, 0};
    }
    const ScannedMoment stamp = scan_iso(text);
    if (stamp.length == 0) return std::nullopt;
    Moment moment = stamp.moment;
    if (!moment.offset) moment.offset = 0;  // these logs are in UTC
    day_.assign(text.substr(0, date));
    midnight_ = moment.micros - moment.micros % micros_a_day;
    return moment;
  }

 private:
  static std::int64_t digit(char c) { return c - '0'; }
  std::string day_;
  std::int64_t midnight_ = 0;
};

// "… error code: 10060, Win32 …" → "10060"
std::string_view socket_error_in(std::string_view text) {
  constexpr std::string_view words = "error code";
  const std::size_t at = text.find(words);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + words.size());
  const std::size_t begin = rest.find_first_not_of(": ");
  if (begin == std::string_view::npos) return {};
  return rest.substr(begin, rest.substr(begin).find_first_not_of("0123456789"));
}

// "454 4.7.0 Temporary authentication failure" → "4.7.0"
std::string_view status_of_reply(std::string_view reply) {
  if (reply.size() < 9 || (reply[0] != '4' && reply[0] != '5') || (reply[3] != ' ' && reply[3] != '-'))
    return {};
  const std::string_view word = reply.substr(4, std::min(reply.find(' ', 4), reply.size()) - 4);
  const bool is_status = word.size() >= 5 && word[0] == reply[0] && word[1] == '.' &&
                         word.find_first_not_of("0123456789.") == std::string_view::npos;
  return is_status ? word : std::string_view{};
}

class Reader : public LogReader {
 public:
  LineRead read(const TextLine& line) override {
    LineRead read = line.text.starts_with('#') ? header(line.text) : event_line(line.text);
    read.record.line = line.number;
    if (read.record.source.empty()) read.record.source = source();
    return read;
  }

 private:
  std::string_view source() const {
    switch (log_) {
      case Log::receive: return "smtp-receive";
      case Log::send: return "smtp-send";
      case Log::connectivity: return "connectivity";
      case Log::tracking: return "message-tracking";
      case Log::unknown: break;
    }
    return "smtp-receive";
  }

  LineRead header(std::string_view text) {
    constexpr std::string_view fields = "#Fields:";
    if (text.starts_with(fields)) {
      const std::string lowered = lower(text.substr(0, 4096));
      if (!has(lowered, "date-time,") || (!has(lowered, "session") && !has(lowered, "event-id")))
        return LineRead::foreign();
      places_ = places_of(text.substr(fields.size()));
      if (log_ == Log::unknown && places_[event_id] < most_columns) log_ = Log::tracking;
      if (log_ == Log::unknown && places_[description] < most_columns) log_ = Log::connectivity;
      has_header_ = true;
      return LineRead::silent();
    }
    const std::string lowered = lower(text.substr(0, 128));
    if (lowered.starts_with("#log-type:")) {
      log_ = has(lowered, "smtp receive")       ? Log::receive
             : has(lowered, "smtp send")        ? Log::send
             : has(lowered, "connectivity")     ? Log::connectivity
             : has(lowered, "message tracking") ? Log::tracking
                                                : Log::unknown;
      has_header_ = false;
      return LineRead::silent();
    }
    return lowered.starts_with("#software: microsoft exchange") || lowered.starts_with("#date: 2") ||
                   lowered.starts_with("#version: 1") || lowered.starts_with("#version: 8")
               ? LineRead::silent()
               : LineRead::foreign();
  }

  // "2026-11-20T02:12:04.123Z,…"
  LineRead event_line(std::string_view text) {
    if (text.size() < 25 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':')
      return LineRead::foreign();
    const std::size_t comma = text.find(',');
    if (comma == std::string_view::npos || comma == 0 || comma > 30 || text[comma - 1] != 'Z')
      return LineRead::foreign();
    const bool is_whole = row_.split(text, ',', most_columns);
    if (!has_header_ && !guess()) return LineRead::foreign();
    LineRead read{.as = LineRead::As::record};
    read.record.time = clock_.at(row_[0]);
    if (!read.record.time) return LineRead::damaged("expected a time in the first field");
    switch (log_) {
      case Log::unknown:
      case Log::receive:
      case Log::send: return protocol(read);
      case Log::connectivity: return connectivity(read);
      case Log::tracking: return is_whole ? tracking(read) : LineRead::damaged("expected a closing '\"'");
    }
    return read;
  }

  // Without a header: a protocol log has an event of one character in its seventh field.
  bool guess() {
    if (row_.size() < 7 || row_[6].size() != 1 || !has("+-<>*", row_[6])) return false;
    if (log_ == Log::unknown) {
      const auto near = log_endpoint(row_[4]), far = log_endpoint(row_[5]);
      log_ = near.port != 25 && far.port == 25 ? Log::send : Log::receive;
    }
    return true;
  }

  std::string_view field(Field which) const { return row_[places_[which]]; }

  LineRead protocol(LineRead read) {
    Record& record = read.record;
    const std::string_view what = field(event);
    if (what.size() != 1 || !has("+-<>*", what))
      return LineRead::damaged("expected one of + - < > * as the event");
    const LogEndpoint near = log_endpoint(field(local)), far = log_endpoint(field(remote));
    const bool is_send = log_ == Log::send;
    if (!far.address && !field(remote).empty() && !is_send)
      return LineRead::damaged("expected an address as the remote endpoint");
    record.src = is_send ? near.address : far.address;
    record.sport = is_send ? near.port : far.port;
    record.dst = is_send ? far.address : near.address;
    record.dport = is_send ? far.port : near.port;
    record.protocol = protocol::tcp;
    record.interface = field(connector);
    record.session = field(session);
    record.is_new = New::no;
    switch (what[0]) {
      case '+':
        record.kind = Kind::connect;
        record.is_new = New::yes;
        break;
      case '<':
        if (field(data) == "STARTTLS") {
          record.tls = Tls::started;
          started_.add(record.session);
        } else if (is_send) {
          answer(record);
        }
        break;
      case '>':
        if (!is_send) answer(record);
        else if (field(data) == "STARTTLS") record.tls = Tls::started, started_.add(record.session);
        break;
      case '-': record.detail = field(context); break;
      default: information(record); break;
    }
    return read;
  }

  // What the server side says: the answer to EHLO, or an error.
  void answer(Record& record) {
    const std::string_view text = field(data);
    if (text.starts_with("250") && has(text, " SIZE") && (has(text, "PIPELINING") || has(text, "8BITMIME"))) {
      if (has(text, "STARTTLS")) record.tls = Tls::offered;
      else if (!started_.contains(record.session)) record.tls = Tls::not_offered;
      return;
    }
    record.code = status_of_reply(text);
    if (!record.code.empty()) record.detail = text;
  }

  void information(Record& record) {
    const std::string_view what = field(context), its = field(data);
    if (what.starts_with("Sending certificate") || what.starts_with("Certificate subject")) {
      record.tls = Tls::certificate;
      record.detail = trimmed(its);
    } else if (has(what, "negotiation succeeded")) {
      record.tls = Tls::negotiated;
    } else if (has(what, "NoRemoteCertificate") || has(what, "EmptyCertificate")) {
      record.tls = Tls::no_certificate;
    } else if (has(what, "TLS negotiation failed") || has(its, "TLS negotiation failed")) {
      record.tls = Tls::failed;
      record.kind = Kind::fail;
      record.detail = what.empty() ? its : what;
    } else if (has(what, "Failed to connect") || has(what, "error code")) {
      failed(record, what);
    }
  }

  void failed(Record& record, std::string_view text) {
    record.kind = Kind::fail;
    record.is_new = New::yes;
    record.detail = text;
    record.code = socket_error_in(text);
    if (auto parsed = parse_deferral(text)) {
      deferral_ = *parsed;
      record.deferral = &deferral_;
      record.code = deferral_.status;
      if (!record.dst) record.dst = deferral_.address;
    }
  }

  LineRead connectivity(LineRead read) {
    Record& record = read.record;
    record.session = field(session);
    record.interface = field(connector);
    record.dst_name = field(destination);
    record.dst = log_address(record.dst_name);
    if (record.dst) record.dst_name = {};
    record.is_new = New::unknown;
    record.protocol = protocol::tcp;
    record.detail = field(description);
    const std::string_view text = record.detail;
    // "Established connection to 203.0.113.25:25", "Failed connection to 203.0.113.25:25 (TimedOut:0000274C)"
    const std::size_t to = text.find("onnection to ");
    if (to != std::string_view::npos) {
      std::string_view word = text.substr(to + 13);
      word = word.substr(0, word.find_first_of(" ("));
      const LogEndpoint endpoint = log_endpoint(word);
      if (endpoint.address) record.dst = endpoint.address, record.dport = endpoint.port;
      if (text.starts_with("Established")) record.kind = Kind::connect, record.is_new = New::yes;
    }
    if (has(text, "Failed connection") || has(text, "Failed to connect")) {
      failed(record, text);
      record.deferral = nullptr;
      if (has(text, "Refused")) record.code = "10061";
      else if (has(text, "TimedOut")) record.code = "10060";
    }
    return read;
  }

  LineRead tracking(LineRead read) {
    Record& record = read.record;
    record.src = log_address(field(client_ip));
    record.dst = log_address(field(server_ip));
    record.interface = field(connector);
    const std::string_view what = field(event_id);
    if (what.empty()) return LineRead::damaged("expected an event-id");
    record.code = what;
    record.is_new = New::no;
    if (what == "DEFER") record.kind = Kind::defer;
    else if (what == "FAIL") record.kind = Kind::fail;
    else return read;
    for (const std::string_view text : {field(recipient_status), field(source_context), field(custom_data)})
      if (auto parsed = parse_deferral(text)) {
        deferral_ = *parsed;
        record.deferral = &deferral_;
        record.code = deferral_.status;
        record.detail = deferral_.message.empty() ? deferral_.text : deferral_.message;
        if (!record.dst) record.dst = deferral_.address;
        break;
      }
    return read;
  }

  Log log_ = Log::unknown;
  bool has_header_ = false;
  Places places_ = places_of(protocol_fields);
  CsvRow row_;
  Clock clock_;
  Started started_;
  Deferral deferral_;
};

}  // namespace

std::unique_ptr<LogReader> exchange_reader(const LogContext&) { return std::make_unique<Reader>(); }

}  // namespace aclmend::evidence
