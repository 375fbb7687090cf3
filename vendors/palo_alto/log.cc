// PAN-OS traffic logs: syslog CSV by position, the web interface's CSV export by its header, CEF, LEEF, and
// the JSON of the logging service (Palo Alto Networks: "Traffic Log Fields"). The action decides; the subtype
// only says when. An allowed session need not have been answered.
#include <algorithm>
#include <array>

#include "base/csv.h"
#include "base/text.h"
#include "vendors/log.h"

namespace aclmend::palo_alto {
namespace {

using namespace evidence;

// The words of one traffic line, whatever form it came in.
struct Traffic {
  std::string_view subtype, generated, received, source, destination, rule, application, from_zone, to_zone,
      session, repeat, source_port, destination_port, protocol, action, packets_received, end_reason;
};

bool is_any_of(std::string_view word, std::initializer_list<std::string_view> choices) {
  return std::ranges::find(choices, word) != choices.end();
}

// The interchangeable spellings: "reset-both", "Reset both".
struct Word {
  std::array<char, 24> bytes{};
  std::size_t size = 0;
  explicit Word(std::string_view text) : size(std::min(text.size(), bytes.size())) {
    std::transform(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size), bytes.begin(), [](char c) {
      return c == '-' ? ' ' : c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
  }
  std::string_view text() const { return {bytes.data(), size}; }
};

std::optional<Kind> kind_of(std::string_view action) {
  const Word word(action);
  if (word.text() == "allow") return Kind::allow;
  if (is_any_of(word.text(),
                {"deny", "drop", "drop icmp", "reset both", "reset client", "reset server", "block"}))
    return Kind::drop;
  return std::nullopt;
}

// Of an application that was recognised, the handshake had been let through.
bool is_before_application(std::string_view application) {
  return application.empty() || is_any_of(application, {"not-applicable", "incomplete", "unknown"});
}

std::optional<Moment> time_of(std::string_view text, std::int64_t newest) {
  for (const ScannedMoment& one : {scan_iso(text), scan_syslog(text, newest), scan_local(text)})
    if (one.length > 0) return one.moment;
  // CEF's rt can be milliseconds since 1970.
  const auto millis = parse_decimal<std::uint64_t>(text);
  if (millis && text.size() == 13) return Moment{static_cast<std::int64_t>(*millis) * 1000, 0};
  return std::nullopt;
}

LineRead read_traffic(const Traffic& traffic, std::int64_t newest) {
  LineRead read{.as = LineRead::As::record};
  Record& record = read.record;
  const auto kind = kind_of(traffic.action);
  if (!kind) return LineRead::damaged("expected an action: allow, deny, drop or reset");
  record.kind = *kind;
  record.src = log_address(traffic.source);
  record.dst = log_address(traffic.destination);
  if (!record.src && !record.dst && traffic.source.empty())
    return LineRead::damaged("expected a source address");
  record.sport = log_port(traffic.source_port);
  record.dport = log_port(traffic.destination_port);
  record.protocol = log_protocol(traffic.protocol);
  record.rule = traffic.rule;
  record.interface = traffic.from_zone;
  record.to_interface = traffic.to_zone;
  record.session = traffic.session;
  record.code = traffic.subtype;
  record.count = std::max<std::uint64_t>(parse_decimal<std::uint32_t>(traffic.repeat).value_or(1), 1);
  record.time = time_of(traffic.generated.empty() ? traffic.received : traffic.generated, newest);
  record.detail = traffic.end_reason;
  if (record.kind == Kind::drop) {
    record.dropper = Dropper::rules;
    record.is_new = is_before_application(traffic.application) ? New::yes : New::no;
    if (record.is_new == New::no)
      record.detail = "after the handshake: the rule names an application or a profile";
    return read;
  }
  record.is_new = New::yes;
  if (traffic.application == "incomplete" && traffic.packets_received == "0")
    record.detail = "nobody answered";
  return read;
}

// ---- CSV by position ------------------------------------------------------------------------------------

constexpr std::size_t most_fields = 60;  // of about 120; those behind are not asked for

// Where the fields begin: the second comma before ",TRAFFIC,", since the first field can be cut off.
std::optional<std::string_view> row_in(std::string_view line) {
  const std::size_t mark = line.find(",TRAFFIC,");
  if (mark == std::string_view::npos || mark == 0) return std::nullopt;
  const std::size_t serial = line.rfind(',', mark - 1);
  if (serial == std::string_view::npos) return std::nullopt;
  const std::size_t received = serial == 0 ? std::string_view::npos : line.rfind(',', serial - 1);
  return line.substr(received == std::string_view::npos ? 0 : received + 1);
}

// Field 2 of the guide is the first here.
Traffic by_position(const CsvRow& row) {
  const auto field = [&](std::size_t in_the_guide) { return row[in_the_guide - 2]; };
  std::string_view received = field(2);
  received.remove_prefix(std::min(received.find_first_of("0123456789"), received.size()));
  return {.subtype = field(5),
          .generated = field(7),
          .received = received,
          .source = field(8),
          .destination = field(9),
          .rule = field(12),
          .application = field(15),
          .from_zone = field(17),
          .to_zone = field(18),
          .session = field(23),
          .repeat = field(24),
          .source_port = field(25),
          .destination_port = field(26),
          .protocol = field(30),
          .action = field(31),
          .packets_received = field(46),
          .end_reason = field(47)};
}

// ---- CSV by header ----------------------------------------------------------------------------------------

struct Column {
  std::string_view Traffic::* to;
  std::initializer_list<std::string_view> names;  // in lower case
};
const std::array<Column, 17>& columns() {
  static const std::array<Column, 17> all{
      {{&Traffic::subtype, {"threat/content type", "subtype", "log_subtype"}},
       {&Traffic::generated, {"generate time", "generated time", "time_generated"}},
       {&Traffic::received, {"receive time", "time_received"}},
       {&Traffic::source, {"source address", "src", "source"}},
       {&Traffic::destination, {"destination address", "dst", "destination"}},
       {&Traffic::rule, {"rule"}},
       {&Traffic::application, {"application", "app"}},
       {&Traffic::from_zone, {"source zone", "from"}},
       {&Traffic::to_zone, {"destination zone", "to"}},
       {&Traffic::session, {"session id", "sessionid"}},
       {&Traffic::repeat, {"repeat count", "repeatcnt"}},
       {&Traffic::source_port, {"source port", "sport"}},
       {&Traffic::destination_port, {"destination port", "dport"}},
       {&Traffic::protocol, {"ip protocol", "protocol", "proto"}},
       {&Traffic::action, {"action"}},
       {&Traffic::packets_received, {"packets received", "pkts_received"}},
       {&Traffic::end_reason, {"session end reason", "session_end_reason"}}}};
  return all;
}

constexpr std::size_t most_columns = 256;

// For each column its place in the row, if the line is such a header.
using Places = std::array<std::size_t, 17>;
std::optional<Places> header_in(std::string_view line) {
  const std::string lowered = lower(line.substr(0, 8192));
  if (lowered.find("source address") == std::string::npos || lowered.find("rule") == std::string::npos ||
      lowered.find("action") == std::string::npos)
    return std::nullopt;
  CsvRow row;
  row.split(lowered, ',', most_columns);
  Places places;
  places.fill(most_columns);
  for (std::size_t i = 0; i < columns().size(); ++i)
    for (std::size_t at = 0; at < row.size(); ++at)
      if (is_any_of(trimmed(row[at]), columns()[i].names)) {
        places[i] = at;
        break;
      }
  return places[3] < most_columns && places[14] < most_columns ? std::optional(places) : std::nullopt;
}

// ---- key=value forms ------------------------------------------------------------------------------------

// The values of "key=value key=value": a value reaches to the blank (or tab) before the next key.
class Pairs {
 public:
  Pairs(std::string_view text, std::string_view between) : text_(text), between_(between) {}
  // "" where there is no such key.
  std::string_view operator[](std::string_view key) const {
    for (std::size_t at = text_.find(key); at != std::string_view::npos; at = text_.find(key, at + 1)) {
      const std::size_t behind = at + key.size();
      const bool begins =
          at == 0 || between_.find(text_[at - 1]) != std::string_view::npos || text_[at - 1] == '|';
      if (begins && behind < text_.size() && text_[behind] == '=') return value(text_.substr(behind + 1));
    }
    return {};
  }
  // Of the numbered custom fields (cs1, cs1Label) the one with this label.
  std::string_view labelled(std::string_view label) const {
    for (const std::string_view key : {"cs1", "cs2", "cs3", "cs4", "cs5", "cs6", "cn1", "cn2", "cn3"}) {
      const std::string label_key = std::string(key) + "Label";
      if ((*this)[label_key] == label) return (*this)[key];
    }
    return {};
  }

 private:
  static bool is_key(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  }
  std::string_view value(std::string_view rest) const {
    for (std::size_t at = rest.find('='); at != std::string_view::npos; at = rest.find('=', at + 1)) {
      if (at > 0 && rest[at - 1] == '\\') continue;
      std::size_t key = at;
      while (key > 0 && is_key(rest[key - 1])) --key;
      if (key < at && key > 0 && between_.find(rest[key - 1]) != std::string_view::npos)
        return trimmed(rest.substr(0, key - 1));
    }
    return trimmed(rest);
  }
  std::string_view text_, between_;
};

Traffic from_cef(std::string_view line, std::string_view subtype) {
  const Pairs pairs(line, " ");
  return {.subtype = subtype,
          .generated = pairs["rt"],
          .received = pairs["start"],
          .source = pairs["src"],
          .destination = pairs["dst"],
          .rule = pairs.labelled("Rule"),
          .application = pairs["app"],
          .from_zone = pairs.labelled("Source Zone").empty() ? pairs.labelled("From Zone")
                                                             : pairs.labelled("Source Zone"),
          .to_zone = pairs.labelled("Destination Zone").empty() ? pairs.labelled("To Zone")
                                                                : pairs.labelled("Destination Zone"),
          .session = pairs.labelled("SessionID"),
          .repeat = pairs["cnt"],
          .source_port = pairs["spt"],
          .destination_port = pairs["dpt"],
          .protocol = pairs["proto"],
          .action = pairs["act"],
          .packets_received = pairs["PanOSPacketsReceived"],
          .end_reason = pairs["reason"]};
}

Traffic from_leef(std::string_view line) {
  const Pairs pairs(line, "\t");
  return {.subtype = pairs["Subtype"],
          .generated = pairs["devTime"],
          .received = pairs["ReceiveTime"],
          .source = pairs["src"],
          .destination = pairs["dst"],
          .rule = pairs["RuleName"],
          .application = pairs["Application"],
          .from_zone = pairs["SourceZone"],
          .to_zone = pairs["DestinationZone"],
          .session = pairs["SessionID"],
          .repeat = pairs["RepeatCount"],
          .source_port = pairs["srcPort"],
          .destination_port = pairs["dstPort"],
          .protocol = pairs["proto"],
          .action = pairs["action"],
          .packets_received = {},
          .end_reason = pairs["SessionEndReason"]};
}

class Reader : public LogReader {
 public:
  explicit Reader(const LogContext& context) : newest_(context.newest) {}

  LineRead read(const TextLine& line) override {
    LineRead read = read_line(line.text);
    read.record.line = line.number;
    read.record.source = "panos";
    return read;
  }
  LineRead finish() override {
    const bool is_round = rows_ == 65'535 || rows_ == 65'536 || (rows_ >= 1000 && rows_ % 10'000 == 0);
    rows_ = 0;
    places_.reset();
    return is_round ? LineRead::hole("the export has a round number of rows: the row limit may have cut it")
                    : LineRead::foreign();
  }

 private:
  LineRead read_line(std::string_view line) {
    if (const auto row = row_in(line)) {
      if (places_) ++rows_;  // the web interface's export has the order of the syslog
      return read_positions(*row);
    }
    if (line.find("|Palo Alto Networks|") != std::string_view::npos) return read_events(line);
    if (line.starts_with('{')) return read_json(line);
    if (const auto places = header_in_line(line)) {
      places_ = places;
      rows_ = 0;
      return LineRead::silent();
    }
    return places_ ? read_row(line) : LineRead::foreign();
  }

  static std::optional<Places> header_in_line(std::string_view line) {
    const bool may_be =
        line.find("ource ") != std::string_view::npos && line.find("ction") != std::string_view::npos;
    return may_be ? header_in(line) : std::nullopt;
  }

  LineRead read_positions(std::string_view row) {
    // Some relays escape the quotes that CSV has.
    if (row.find("\\\"") != std::string_view::npos) {
      copy_.clear();
      for (std::size_t i = 0; i < row.size(); ++i)
        if (row[i] != '\\' || i + 1 == row.size() || row[i + 1] != '"') copy_ += row[i];
      row = copy_;
    }
    row_.split(row, ',', most_fields);
    if (row_.size() < 30) return LineRead::damaged("expected at least 31 fields in a TRAFFIC line");
    return read_traffic(by_position(row_), newest_);
  }

  LineRead read_row(std::string_view line) {
    if (!row_.split(line, ',', most_columns) || row_.size() < 10) return LineRead::foreign();
    Traffic traffic;
    for (std::size_t i = 0; i < columns().size(); ++i) traffic.*columns()[i].to = row_[(*places_)[i]];
    if (!log_address(traffic.source)) return LineRead::foreign();
    ++rows_;
    return read_traffic(traffic, newest_);
  }

  LineRead read_events(std::string_view line) {
    const std::size_t cef = line.find("CEF:"), leef = line.find("LEEF:");
    if (leef != std::string_view::npos && cef == std::string_view::npos)
      return line.find("TRAFFIC") == std::string_view::npos &&
                     line.find("Type=traffic") == std::string_view::npos
                 ? LineRead::silent()
                 : read_traffic(from_leef(line.substr(leef)), newest_);
    if (cef == std::string_view::npos) return LineRead::foreign();
    // CEF:0|Palo Alto Networks|PAN-OS|version|TRAFFIC|subtype|severity|pairs; some put them the other way
    // round.
    const auto parts = split(line.substr(cef, 512), '|');
    if (parts.size() < 7) return LineRead::damaged("expected seven '|' before the pairs of a CEF line");
    const bool is_traffic = parts[4] == "TRAFFIC" || parts[5] == "TRAFFIC";
    if (!is_traffic) return LineRead::silent();
    const std::string_view subtype = parts[4] == "TRAFFIC" ? parts[5] : parts[4];
    return read_traffic(from_cef(line.substr(cef), subtype), newest_);
  }

  LineRead read_json(std::string_view line) {
    if (line.find("\"SourceAddress\"") == std::string_view::npos ||
        line.find("\"SessionEndReason\"") == std::string_view::npos)
      return LineRead::foreign();
    for (std::string& text : json_) text.clear();
    constexpr std::array<std::string_view, 12> names{"SourceAddress", "DestinationAddress",
                                                     "SourcePort",    "DestinationPort",
                                                     "Protocol",      "Action",
                                                     "Rule",          "FromZone",
                                                     "ToZone",        "SessionEndReason",
                                                     "TimeGenerated", "Application"};
    const bool is_whole = each_json_member(line, [&](std::string_view path, std::string_view value) {
      const auto known = std::ranges::find(names, path);
      if (known != names.end()) json_[static_cast<std::size_t>(known - names.begin())].assign(value);
    });
    if (!is_whole) return LineRead::damaged("expected one whole JSON object in the line");
    Traffic traffic;
    traffic.source = json_[0];
    traffic.destination = json_[1];
    traffic.source_port = json_[2];
    traffic.destination_port = json_[3];
    traffic.protocol = json_[4];
    traffic.action = json_[5];
    traffic.rule = json_[6];
    traffic.from_zone = json_[7];
    traffic.to_zone = json_[8];
    traffic.end_reason = json_[9];
    traffic.generated = json_[10];
    traffic.application = json_[11];
    return read_traffic(traffic, newest_);
  }

  std::int64_t newest_;
  CsvRow row_;
  std::string copy_;
  std::array<std::string, 12> json_;
  std::optional<Places> places_;  // once a header was seen
  std::uint64_t rows_ = 0;
};

constexpr LogFormat formats[] = {
    {.id = "panos",
     .title = "PAN-OS traffic log",
     .vendor = "palo-alto",
     .reader = [](const LogContext& context) -> std::unique_ptr<LogReader> {
       return std::make_unique<Reader>(context);
     },
     .search = "( addr.src in RANGE ) and ( port.dst eq PORT ) and ( action neq allow )"},
};

}  // namespace

extern const std::span<const LogFormat> logs;
const std::span<const LogFormat> logs = formats;

}  // namespace aclmend::palo_alto
