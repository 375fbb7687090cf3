// Windows Firewall: the text log (pfirewall.log) here, the events of the Windows Filtering Platform in
// event.cc. The text log is in local time and names neither rule nor interface.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "vendors/log.h"
#include "vendors/windows_firewall/event.h"
#include "vendors/words.h"

namespace aclmend::windows_firewall {
namespace {

using namespace evidence;

// The fields that are asked for, in the order of the places below.
enum Field : std::uint8_t {
  date,
  time,
  action,
  protocol,
  source,
  destination,
  source_port,
  destination_port,
  flags,
  sequence,
  info,
  path,
  field_count
};
constexpr std::array<std::string_view, field_count> names{"date",     "time",   "action",   "protocol",
                                                          "src-ip",   "dst-ip", "src-port", "dst-port",
                                                          "tcpflags", "tcpsyn", "info",     "path"};
constexpr std::string_view usual_fields =
    "date time action protocol src-ip dst-ip src-port dst-port size tcpflags tcpsyn tcpack tcpwin icmptype "
    "icmpcode info path";

constexpr std::size_t most_fields = 32, least_fields = 8;  // lines are cut off; eight tell who and where to
using Values = std::array<std::string_view, field_count>;
using Places = std::array<std::uint8_t, most_fields>;  // of each column its field, or field_count

Places places_of(std::string_view header) {
  Places places;
  places.fill(field_count);
  Words words(header);
  for (std::uint8_t& place : places) {
    if (words.at_end()) break;
    place = static_cast<std::uint8_t>(std::ranges::find(names, words.next()) - names.begin());
  }
  return places;
}

std::string_view value(std::string_view text) { return text == "-" ? std::string_view{} : text; }

class Reader : public LogReader {
 public:
  LineRead read(const TextLine& line) override {
    LineRead read = line.text.starts_with('#') ? header(line.text) : event(line.text);
    read.record.line = line.number;
    read.record.source = "windows-firewall";
    return read;
  }

 private:
  LineRead header(std::string_view text) {
    constexpr std::string_view fields = "#Fields:";
    if (text.starts_with(fields)) {
      if (text.find(" src-ip") == std::string_view::npos || text.find(" action") == std::string_view::npos)
        return LineRead::foreign();
      places_ = places_of(text.substr(fields.size()));
      return LineRead::silent();
    }
    const bool is_its = text.starts_with("#Software: Microsoft Windows Firewall") ||
                        text.starts_with("#Software: Microsoft Internet Connection Firewall") ||
                        text.starts_with("#Time Format:") || text.starts_with("#Version: 1.");
    return is_its ? LineRead::silent() : LineRead::foreign();
  }

  // "2026-11-20 02:12:04 DROP TCP …"
  LineRead event(std::string_view text) {
    if (text.size() < 24 || text[4] != '-' || text[7] != '-' || text[10] != ' ' || text[13] != ':' ||
        text[16] != ':' || text[19] != ' ' || text[20] < 'A' || text[20] > 'Z')
      return LineRead::foreign();
    Values values{};
    std::size_t count = 0;
    Words words(text);
    while (!words.at_end() && count < most_fields) {
      const std::string_view word = words.next();
      const std::uint8_t field = places_[count++];
      if (field < field_count) values[field] = word;
    }
    return record_of(values, text, count);
  }

  static LineRead record_of(const Values& values, std::string_view text, std::size_t count) {
    LineRead read{.as = LineRead::As::record};
    Record& record = read.record;
    const std::string_view verdict = values[action];
    if (verdict == "DROP") record.kind = Kind::drop;
    else if (verdict == "ALLOW" || verdict == "OPEN" || verdict == "OPEN-INBOUND") record.kind = Kind::allow;
    else if (verdict == "CLOSE") record.kind = Kind::other;
    else if (verdict == "INFO-EVENTS-LOST")
      return LineRead::hole("INFO-EVENTS-LOST: Windows could not write all events");
    else return LineRead::foreign();
    if (count < least_fields) return LineRead::damaged("expected at least eight fields");
    const ScannedMoment stamp = scan_iso(text);
    record.time = stamp.length > 0 ? std::optional(stamp.moment) : std::nullopt;
    record.src = log_address(values[source]);
    record.dst = log_address(values[destination]);
    if (!record.src || !record.dst) return LineRead::damaged("expected addresses in src-ip and dst-ip");
    record.protocol = log_protocol(values[protocol]);
    const bool has_ports = record.protocol != protocol::icmp && record.protocol != protocol::icmp6;
    if (has_ports) record.sport = log_port(value(values[source_port]));
    if (has_ports) record.dport = log_port(value(values[destination_port]));
    record.sequence = parse_decimal<std::uint32_t>(value(values[sequence]));
    if (record.sequence == 0U) record.sequence.reset();
    record.code = verdict;
    record.detail = value(values[path]);
    record.dropper = record.kind == Kind::drop ? Dropper::rules : Dropper::none;
    const std::string_view set = value(values[flags]);
    if (verdict.starts_with("OPEN")) record.is_new = New::yes;
    else if (verdict == "CLOSE") record.is_new = New::no;
    else if (record.protocol == protocol::tcp && !set.empty())
      record.is_new = set == "S" ? New::yes : New::no;
    return read;
  }

  Places places_ = places_of(usual_fields);  // after a rotation the file can begin without a header
};

constexpr LogFormat formats[] = {
    {.id = "windows-firewall",
     .title = "Windows Firewall log (pfirewall.log)",
     .vendor = "windows-firewall",
     .reader = [](const LogContext&) -> std::unique_ptr<LogReader> { return std::make_unique<Reader>(); },
     .search = R"(Select-String ' DROP TCP \S+ \S+ \d+ PORT ' C:\Windows\System32\LogFiles\Firewall\*.log)"},
    {.id = "windows-event",
     .title = "Windows Security events 5152, 5156, 5157",
     .vendor = "windows-firewall",
     .reader = event_reader,
     .gathers = true,
     .begins = begins_with_events,
     .ends_with = "</Event>"},
};

}  // namespace

extern const std::span<const LogFormat> logs;
const std::span<const LogFormat> logs = formats;

}  // namespace aclmend::windows_firewall
