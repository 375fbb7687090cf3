// What Get-Queue prints in the Exchange Management Shell: as a list of properties, or as a table whose
// columns stand below their names. One queue is one record: deferred where its status is Retry.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "evidence/readers.h"
#include "evidence/result.h"

namespace aclmend::evidence {
namespace {

enum Field : std::uint8_t { identity, delivery, status, count, next_hop, last_error, retried, field_count };
constexpr std::array<std::string_view, field_count> names{
    "Identity", "DeliveryType", "Status", "MessageCount", "NextHopDomain", "LastError", "LastRetryTime"};

constexpr std::size_t longest_value = 16 << 10, most_columns = 32;

// "LastError        : [{LED=450 4.4.316 …": a property's name has no blank in it.
struct Property {
  std::string_view name, value;
};
std::optional<Property> property_in(std::string_view line) {
  const std::size_t colon = line.find(" : ");
  const std::size_t end = colon != std::string_view::npos ? colon
                          : line.ends_with(" :")          ? line.size() - 2
                                                          : line.size();
  if (end == line.size() || line.empty() || line[0] == ' ') return std::nullopt;
  const std::string_view name = trimmed(line.substr(0, end));
  if (name.empty() || name.find_first_of(" \t,;=\"") != std::string_view::npos || name.size() > 40)
    return std::nullopt;
  return Property{name, trimmed(line.substr(std::min(line.size(), end + 2)))};
}

class Reader : public LogReader {
 public:
  LineRead read(const TextLine& line) override {
    if (const auto header = header_in(line.text)) {
      LineRead before = finish();
      columns_ = *header;
      return before.as == LineRead::As::foreign ? LineRead::silent() : before;
    }
    if (!columns_.empty()) return table_row(line);
    return list_line(line);
  }

  LineRead finish() override {
    columns_.clear();
    return is_open_ ? close() : LineRead::foreign();
  }

 private:
  struct Column {
    std::uint8_t field = field_count;
    std::size_t begin = 0;
  };

  // "Identity  DeliveryType Status MessageCount … NextHopDomain"
  static std::optional<std::vector<Column>> header_in(std::string_view line) {
    if (!line.starts_with("Identity ") || line.find(" Status ") == std::string_view::npos ||
        line.find("MessageCount") == std::string_view::npos || line.find(" : ") != std::string_view::npos)
      return std::nullopt;
    std::vector<Column> found;
    for (std::size_t at = 0; at < line.size() && found.size() < most_columns;) {
      const std::size_t end = std::min(line.find(' ', at), line.size());
      const auto known = std::ranges::find(names, line.substr(at, end - at));
      found.push_back({static_cast<std::uint8_t>(known - names.begin()), at});
      at = std::min(line.find_first_not_of(' ', end), line.size());
    }
    return found;
  }

  // Values are cut off by their columns; one that is too long for its column runs on after a single blank.
  LineRead table_row(const TextLine& line) {
    const std::string_view text = trimmed(line.text);
    if (text.starts_with("---")) return LineRead::silent();
    if (text.find('\\') == std::string_view::npos) return columns_.clear(), LineRead::foreign();
    for (std::string& value : values_) value.clear();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::size_t begin = std::min(columns_[i].begin, line.text.size());
      const std::size_t end =
          i + 1 < columns_.size() ? std::min(columns_[i + 1].begin, line.text.size()) : line.text.size();
      if (columns_[i].field < field_count)
        values_[columns_[i].field] = trimmed(line.text.substr(begin, end - begin));
    }
    return record(values_, line.number);
  }

  LineRead list_line(const TextLine& line) {
    if (is_open_ && line.text.starts_with("   ") && !trimmed(line.text).empty()) {  // a wrapped value goes on
      if (last_ < field_count && values_[last_].size() < longest_value) values_[last_] += trimmed(line.text);
      return LineRead::silent();
    }
    const auto property = property_in(line.text);
    if (!property) return LineRead::foreign();
    const bool begins = property->name == "Identity" || property->name == "RunspaceId";
    if (!is_open_ &&
        !(begins && (property->name != "Identity" || property->value.find('\\') != std::string_view::npos)))
      return LineRead::foreign();
    LineRead before = LineRead::silent();
    if (begins && is_open_ && !values_[identity].empty()) before = close();
    if (!is_open_) {
      is_open_ = true;
      begin_ = line.number;
    }
    last_ = static_cast<std::uint8_t>(std::ranges::find(names, property->name) - names.begin());
    if (last_ < field_count) values_[last_] = property->value.substr(0, longest_value);
    return before.as == LineRead::As::foreign ? LineRead::silent() : before;
  }

  // The queue that is open is whole; the next may begin.
  LineRead close() {
    held_ = std::move(values_);
    for (std::string& value : values_) value.clear();
    is_open_ = false;
    return record(held_, begin_);
  }

  LineRead record(const std::array<std::string, field_count>& values, std::uint64_t begin) {
    if (values[identity].empty() || values[status].empty()) return LineRead::foreign();
    LineRead read{.as = LineRead::As::record};
    Record& record = read.record;
    if (const auto parsed = parse_deferral(values[last_error])) {
      deferral_ = *parsed;
      record = record_of(deferral_);
    }
    record.line = begin;
    record.source = "queue";
    const std::string status_word = lower(values[status]);
    record.kind = status_word == "retry" ? Kind::defer : Kind::other;
    record.dst_name = values[next_hop];
    record.session = values[identity];
    record.count = std::max<std::uint64_t>(parse_decimal<std::uint32_t>(values[count]).value_or(1), 1);
    if (record.detail.empty()) record.detail = values[last_error];
    if (const ScannedMoment stamp = scan_local(values[retried]); !record.time && stamp.length > 0)
      record.time = stamp.moment;
    return read;
  }

  std::vector<Column> columns_;  // of a table that has begun
  std::array<std::string, field_count> values_, held_;
  bool is_open_ = false;
  std::uint8_t last_ = field_count;
  std::uint64_t begin_ = 0;
  Deferral deferral_;
};

}  // namespace

std::unique_ptr<LogReader> queue_reader(const LogContext&) { return std::make_unique<Reader>(); }

}  // namespace aclmend::evidence
