// The words Source and Destination in these events are not reliable: of one inbound connection, Microsoft's
// own samples show 5157 with the local side as source and 5152 with the remote one. So an event is turned by
// what is known of the local addresses, else by the well-known port on one side, else not at all.
#include "vendors/windows_firewall/event.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace aclmend::windows_firewall {
namespace {

using namespace evidence;

enum Part : std::uint8_t {
  id,
  created,
  source,
  source_port,
  destination,
  destination_port,
  protocol_number,
  filter,
  origin,
  layer,
  direction,
  part_count
};
// As XML and the shippers of JSON name them.
constexpr std::array<std::string_view, part_count> names{
    "EventID",  "SystemTime", "SourceAddress", "SourcePort", "DestAddress", "DestPort",
    "Protocol", "FilterRTID", "FilterOrigin",  "LayerRTID",  "Direction"};
using Parts = std::array<std::string_view, part_count>;

constexpr std::uint16_t first_free_port = 1024;

// Is the first of the two sides the one that opened the connection? None: it cannot be told.
std::optional<bool> opened_by_first(const Record& record, const AddressSet& local,
                                    std::string_view direction) {
  const bool first_local = record.src && local.contains(*record.src);
  const bool second_local = record.dst && local.contains(*record.dst);
  const bool is_inbound = direction == "%%14592" || direction == "Inbound";
  const bool is_outbound = direction == "%%14593" || direction == "Outbound";
  if (first_local != second_local && is_inbound) return second_local;
  if (first_local != second_local && is_outbound) return first_local;
  if (!record.sport || !record.dport) return std::nullopt;
  const bool first_served = *record.sport < first_free_port, second_served = *record.dport < first_free_port;
  return first_served == second_served ? std::nullopt : std::optional(second_served);
}

// 5157's layers, and those of 5152 that stand beside it, are about the opening of connections.
bool is_opening_layer(std::string_view layer) {
  constexpr std::string_view layers[] = {"44", "46", "48", "50"};
  return std::ranges::find(layers, layer) != std::end(layers);
}

bool is_about_packets(std::string_view event_id) {
  return event_id == "5152" || event_id == "5156" || event_id == "5157";
}

LineRead read_event(const Parts& parts, const LogContext& context) {
  LineRead read{.as = LineRead::As::record};
  Record& record = read.record;
  record.code = parts[id];
  if (const ScannedMoment at = scan_iso(parts[created]); at.length > 0) {
    record.time = at.moment;
    record.time->offset = 0;  // SystemTime is UTC
  }
  if (parts[id] == "1102" || parts[id] == "1100" || parts[id] == "4719")
    return LineRead::hole("the Security log was cleared or stopped, or what is audited was changed");
  record.is_new = New::no;
  if (!is_about_packets(parts[id])) return read;
  record.kind = parts[id] == "5156" ? Kind::allow : Kind::drop;
  record.src = log_address(parts[source]);
  record.dst = log_address(parts[destination]);
  record.sport = log_port(parts[source_port]);
  record.dport = log_port(parts[destination_port]);
  record.protocol = log_protocol(parts[protocol_number]);
  if (!record.src || !record.dst)
    return LineRead::damaged("expected addresses in SourceAddress and DestAddress");
  const auto is_first = opened_by_first(record, context.local, parts[direction]);
  if (!is_first) {
    record.src = record.dst = std::nullopt;
    record.sport = record.dport = std::nullopt;
    record.detail = "who opened the connection cannot be told from the event";
  } else if (!*is_first) {
    std::swap(record.src, record.dst);
    std::swap(record.sport, record.dport);
  }
  const bool opens =
      record.protocol == protocol::tcp && (parts[id] != "5152" || is_opening_layer(parts[layer]));
  record.is_new = opens ? New::yes : New::unknown;
  record.rule = parts[origin].empty() ? parts[filter] : parts[origin];
  record.dropper = record.kind == Kind::drop ? Dropper::rules : Dropper::none;
  return read;
}

// ---- XML
// ----------------------------------------------------------------------------------------------------

// What stands between the end of a start tag and the next '<'.
std::string_view content_at(std::string_view xml, std::size_t in_tag) {
  const std::size_t closes = xml.find('>', in_tag);
  if (closes == std::string_view::npos || xml[closes - 1] == '/') return {};
  const std::size_t end = xml.find('<', closes);
  return trimmed(xml.substr(closes + 1, (end == std::string_view::npos ? xml.size() : end) - closes - 1));
}

// An attribute's value behind `name=`, in either quotes.
std::string_view attribute(std::string_view xml, std::string_view name, std::size_t from = 0) {
  const std::size_t at = xml.find(name, from);
  if (at == std::string_view::npos || at + name.size() + 1 >= xml.size() || xml[at + name.size()] != '=')
    return {};
  const char quote = xml[at + name.size() + 1];
  const std::size_t begin = at + name.size() + 2, end = xml.find(quote, begin);
  return end == std::string_view::npos || (quote != '"' && quote != '\'') ? std::string_view{}
                                                                          : xml.substr(begin, end - begin);
}

Parts parts_of_xml(std::string_view xml) {
  Parts parts{};
  if (const std::size_t at = xml.find("<EventID"); at != std::string_view::npos)
    parts[id] = content_at(xml, at);
  parts[created] = attribute(xml, "SystemTime");
  constexpr std::string_view data = "<Data Name=";
  constexpr std::size_t most = 64;
  std::size_t count = 0;
  for (std::size_t at = xml.find(data); at != std::string_view::npos && count < most;
       at = xml.find(data, at + 1), ++count) {
    const auto known = std::ranges::find(names, attribute(xml, "Name", at));
    if (known != names.end()) parts[static_cast<std::size_t>(known - names.begin())] = content_at(xml, at);
  }
  return parts;
}

// ---- the text form
// -------------------------------------------------------------------------------------------

// Labels as Windows in English has them; translated ones are not known.
struct Label {
  std::string_view text;
  Part part;
};
constexpr Label labels[] = {{"Source Address:", source},
                            {"Source Port:", source_port},
                            {"Destination Address:", destination},
                            {"Destination Port:", destination_port},
                            {"Protocol:", protocol_number},
                            {"Filter Run-Time ID:", filter},
                            {"Filter Origin:", origin},
                            {"Layer Run-Time ID:", layer},
                            {"Direction:", direction}};
constexpr std::string_view mark = "The Windows Filtering Platform has ";
constexpr std::string_view last_label = "Layer Run-Time ID:";

Parts parts_of_text(std::string_view text) {
  Parts parts{};
  for (const auto& [label, part] : labels) {
    const std::size_t at = text.find(label);
    if (at == std::string_view::npos) continue;
    std::string_view rest = text.substr(at + label.size());
    // Relays print tabs and line ends as #011, #015 and #012.
    while (!rest.empty() && (rest[0] == ' ' || rest[0] == '\t' || rest.starts_with("#0")))
      rest.remove_prefix(rest[0] == '#' ? std::min<std::size_t>(4, rest.size()) : 1);
    parts[part] = rest.substr(0, rest.find_first_of(" \t\r\n#"));
  }
  const std::string_view verb = text.substr(std::min(text.size(), text.find(mark) + mark.size()));
  parts[id] = verb.starts_with("blocked a packet")       ? "5152"
              : verb.starts_with("blocked a connection") ? "5157"
              : verb.starts_with("permitted a connection") || verb.starts_with("allowed a connection")
                  ? "5156"
                  : "";
  return parts;
}

class Reader : public LogReader {
 public:
  explicit Reader(const LogContext& context) : context_(context), clock_(context.newest) {}

  LineRead read(const TextLine& line) override {
    LineRead read = read_line(line);
    if (read.record.line == 0) read.record.line = line.number;
    read.record.source = "windows-event";
    return read;
  }
  LineRead finish() override {
    LineRead read = text_.empty() ? LineRead::foreign() : read_text();
    read.record.source = "windows-event";
    return read;
  }

 private:
  LineRead read_line(const TextLine& line) {
    if (!text_.empty()) return go_on(line);
    const std::string_view text = line.text;
    if (text.find("<Event") != std::string_view::npos || text.starts_with("</Events>")) return read_xml(text);
    if (text.starts_with('{') && text.find("EventID") != std::string_view::npos) return read_json(text);
    if (text.starts_with('{') && text.find("event_id") != std::string_view::npos) return read_json(text);
    if (text.find(mark) == std::string_view::npos) return LineRead::foreign();
    begin_ = line.number;
    return go_on(line);
  }

  LineRead read_xml(std::string_view xml) {
    if (xml.find("<EventID") == std::string_view::npos) return LineRead::silent();
    if (xml.find("</Event>") == std::string_view::npos) return LineRead::damaged("expected </Event>");
    return read_event(parts_of_xml(xml), context_);
  }

  LineRead read_json(std::string_view text) {
    for (std::string& part : json_) part.clear();
    const bool is_whole = each_json_member(text, [this](std::string_view path, std::string_view value) {
      const std::string_view name = path.substr(path.rfind('.') + 1);
      if (name == "event_id" || name == "EventId") json_[id].assign(value);
      else if (name == "@timestamp" || name == "EventTime") json_[created].assign(value);
      else if (const auto known = std::ranges::find(names, name); known != names.end())
        json_[static_cast<std::size_t>(known - names.begin())].assign(value);
    });
    if (!is_whole) return LineRead::damaged("expected one whole JSON object in the line");
    Parts parts;
    std::ranges::copy(json_, parts.begin());
    LineRead read = read_event(parts, context_);
    // EventTime is the shipper's local time unless it says otherwise.
    if (read.as == LineRead::As::record && read.record.time)
      read.record.time = scan_iso(parts[created]).moment;
    return read;
  }

  // The text form takes many lines; a relay squeezes them into one.
  LineRead go_on(const TextLine& line) {
    constexpr std::size_t longest = 8192;
    const std::size_t room = longest - std::min(longest, text_.size());
    text_ += line.text.substr(0, room);
    text_ += '\n';
    const std::size_t last = text_.find(last_label);
    if (last == std::string::npos && room > 0) return LineRead::silent();
    return read_text();
  }

  LineRead read_text() {
    held_.swap(text_);
    text_.clear();
    LineRead read = read_event(parts_of_text(held_), context_);
    read.record.line = begin_;
    if (read.as == LineRead::As::record)
      read.record.time = clock_.at(std::string_view(held_).substr(0, held_.find(mark)));
    return read;
  }

  const LogContext& context_;
  EnvelopeClock clock_;
  std::array<std::string, part_count> json_;
  std::string text_, held_;
  std::uint64_t begin_ = 0;
};

}  // namespace

bool begins_with_events(std::string_view head) {
  const std::size_t at = head.find_first_not_of(" \t\r\n");
  if (at == std::string_view::npos || head[at] != '<') return false;
  const std::string_view start = head.substr(at, 1024);
  return start.find("<Event ") != std::string_view::npos || start.find("<Event>") != std::string_view::npos ||
         start.find("<Events>") != std::string_view::npos;
}

std::unique_ptr<LogReader> event_reader(const LogContext& context) {
  return std::make_unique<Reader>(context);
}

}  // namespace aclmend::windows_firewall
