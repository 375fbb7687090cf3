// Message traces as CSV: the admin center's summary, enhanced and extended reports, and what Get-MessageTrace
// and Get-MessageTraceDetail export. Columns are known by their names; `,`, `;` or tab stands between them. A
// field can hold line ends.
#include <algorithm>
#include <array>

#include "base/csv.h"
#include "base/text.h"
#include "evidence/readers.h"
#include "evidence/result.h"

namespace aclmend::evidence {
namespace {

enum Field : std::uint8_t { when, from_ip, to_ip, event, status, detail, xml, message, field_count };

struct Column {
  Field field;
  std::initializer_list<std::string_view> names;  // letters and digits alone, in lower case; the first wins
};
// A list, so that the order of names is the order of preference.
const std::array<Column, field_count>& columns() {
  static const std::array<Column, field_count> all{{
      {when, {"origintimestamp", "origintimestamputc", "datetimeutc", "datetime", "received", "date"}},
      {from_ip, {"originalclientip", "clientip", "fromip"}},
      {to_ip, {"toip", "originalserverip", "serverip"}},
      {event, {"eventid", "event", "status"}},
      {status, {"recipientstatus"}},
      {detail, {"detail", "reason", "lasterror", "sourcecontext", "customdata"}},
      {xml, {"data", "customdata"}},
      {message, {"messagetraceid", "networkmessageid", "messageid"}},
  }};
  return all;
}

constexpr std::size_t most_columns = 128, longest_row = 64 << 10;

std::string bare(std::string_view name) {
  std::string out;
  for (const char c : name)
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
    else if (c >= 'A' && c <= 'Z') out += static_cast<char>(c + 32);
  return out;
}

struct Header {
  char between = ',';
  std::size_t columns = 0;
  std::array<std::size_t, field_count> places{};
  bool is_utc = false;
};

std::optional<Header> header_in(std::string_view line) {
  constexpr std::size_t longest = 8192;
  if (line.size() > longest) return std::nullopt;
  const std::string lowered = lower(line);
  const auto says = [&](std::string_view word) { return lowered.find(word) != std::string::npos; };
  const bool may_be = (says("sender") && says("recipient")) ||
                      (says("detail") && says("event") && says("date")) ||
                      (says("message") && says("recipient"));
  if (!may_be) return std::nullopt;
  Header header;
  std::size_t most = 0;
  for (const char c : {',', ';', '\t'})
    if (const auto count = static_cast<std::size_t>(std::ranges::count(line, c)); count > most) {
      most = count;
      header.between = c;
    }
  CsvRow row;
  if (most < 2 || !row.split(line, header.between, most_columns)) return std::nullopt;
  std::vector<std::string> names;
  for (const std::string_view field : row.fields()) names.push_back(bare(field));
  header.columns = names.size();
  header.places.fill(most_columns);
  std::size_t known = 0;
  for (const auto& [field, choices] : columns())
    for (const std::string_view choice : choices) {
      const auto found = std::ranges::find(names, choice);
      if (found == names.end()) continue;
      header.places[field] = static_cast<std::size_t>(found - names.begin());
      if (field == when) header.is_utc = choice.ends_with("utc") || choice.starts_with("origin");
      ++known;
      break;
    }
  const bool has_event = header.places[event] < most_columns || header.places[status] < most_columns;
  return known >= 2 && has_event ? std::optional(header) : std::nullopt;
}

// What became of the message, out of "Defer", "Pending", "addr##Receive, Fail", …
Kind kind_of(std::string_view words) {
  const std::string lowered = lower(words.substr(0, 512));
  const auto says = [&](std::string_view word) { return lowered.find(word) != std::string::npos; };
  if (says("fail") || says("undeliver")) return Kind::fail;
  if (says("defer") || says("pending") || says("delay")) return Kind::defer;
  return Kind::other;
}

std::optional<Moment> time_of(std::string_view text, bool is_utc) {
  ScannedMoment stamp = scan_iso(text);
  if (stamp.length == 0) stamp = scan_local(text);
  if (stamp.length == 0) return std::nullopt;
  if (is_utc && !stamp.moment.offset) stamp.moment.offset = 0;
  return stamp.moment;
}

// The first address of "52.100.140.7" or "52.100.140.7;10.0.0.1".
std::optional<Address> address_in(std::string_view text) {
  return log_address(trimmed(text.substr(0, text.find_first_of(";, "))));
}

class Reader : public LogReader {
 public:
  LineRead read(const TextLine& line) override {
    if (!pending_.empty()) return go_on(line);
    if (auto header = header_in_line(line.text)) {
      header_ = *header;
      return LineRead::silent();
    }
    if (!header_ || line.text.empty()) return LineRead::foreign();
    begin_ = line.number;
    if (row_.split(line.text, header_->between, most_columns)) return row(line.text);
    pending_.assign(line.text);
    return LineRead::silent();
  }

  // A quote that never closes: what was put together is one damaged row.
  LineRead finish() override {
    if (pending_.empty()) return LineRead::foreign();
    pending_.clear();
    LineRead read = LineRead::damaged("expected a closing '\"'");
    read.record.line = begin_;
    read.record.source = "message-trace";
    return read;
  }

 private:
  static std::optional<Header> header_in_line(std::string_view line) {
    const bool may_be = line.find("ecipient") != std::string_view::npos ||
                        line.find("etail") != std::string_view::npos ||
                        line.find("RECIPIENT") != std::string_view::npos;
    return may_be ? header_in(line) : std::nullopt;
  }

  LineRead go_on(const TextLine& line) {
    if (pending_.size() + line.text.size() > longest_row) return finish();
    pending_ += '\n';
    pending_ += line.text;
    if (!row_.split(pending_, header_->between, most_columns)) return LineRead::silent();
    held_.swap(pending_);
    pending_.clear();
    row_.split(held_, header_->between, most_columns);
    return row(held_);
  }

  std::string_view field(Field which) const { return row_[header_->places[which]]; }

  LineRead row(std::string_view text) {
    // Lines of something else behind a trace: as many columns, or it is none.
    if (row_.size() != header_->columns) return LineRead::foreign();
    LineRead read{.as = LineRead::As::record};
    Record& record = read.record;
    const auto parsed = parse_deferral(field(detail).empty() ? text : field(detail));
    if (parsed) {
      deferral_ = *parsed;
      record = record_of(deferral_);
    }
    record.line = begin_;
    record.source = "message-trace";
    const Kind said = std::max({kind_of(field(event)), kind_of(field(status))}, [](Kind a, Kind b) {
      const auto weight = [](Kind kind) { return kind == Kind::fail ? 2 : kind == Kind::defer ? 1 : 0; };
      return weight(a) < weight(b);
    });
    if (said != Kind::other) record.kind = said;
    if (const auto time = time_of(field(when), header_->is_utc)) record.time = time;
    record.src_name = trimmed(field(from_ip));
    if (!record.dst) record.dst = address_in(field(to_ip));
    record.session = field(message);
    if (record.detail.empty()) record.detail = field(event);
    return read;
  }

  std::optional<Header> header_;
  CsvRow row_;
  std::string pending_, held_;
  std::uint64_t begin_ = 0;
  Deferral deferral_;
};

}  // namespace

std::unique_ptr<LogReader> trace_reader(const LogContext&) { return std::make_unique<Reader>(); }

}  // namespace aclmend::evidence
