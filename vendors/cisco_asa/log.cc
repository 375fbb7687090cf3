// Cisco ASA, PIX, FWSM and FTD syslog: the envelope and the tag. What the messages say stands in messages.cc.
// Everything before the tag is envelope: relays put headers there, and the device its time, zone and name in
// several forms (Cisco: "ASA Series Syslog Messages"; `logging timestamp`, `logging device-id`).
#include "vendors/log.h"

#include <cstring>

#include "base/text.h"
#include "vendors/cisco_asa/messages.h"

namespace aclmend::cisco_asa {
namespace {

using namespace evidence;

struct Tag {
  std::size_t begin = 0, end = 0;  // of the tag; the message's text begins at `end`
  std::uint32_t id = 0;
  std::string_view id_text;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "ASA-4-106023:", "ASA-session-5-106100:" at a place of the line; the colon can be missing.
std::optional<Tag> tag_at(std::string_view line, std::size_t at) {
  std::string_view rest = line.substr(at);
  constexpr std::string_view products[] = {"ASA-", "FTD-", "PIX-", "FWSM-", "NGIPS-"};
  std::size_t length = 0;
  for (const std::string_view product : products)
    if (rest.starts_with(product)) length = product.size();
  if (length == 0) return std::nullopt;
  if (length < rest.size() && !is_digit(rest[length])) {  // a class word
    const std::size_t dash = rest.find('-', length);
    if (dash == std::string_view::npos || dash - length > 32) return std::nullopt;
    length = dash + 1;
  }
  if (length + 8 > rest.size() || !is_digit(rest[length]) || rest[length + 1] != '-') return std::nullopt;
  length += 2;
  const std::string_view digits = rest.substr(length, 6);
  const auto id = parse_decimal<std::uint32_t>(digits);
  if (digits.size() != 6 || !id) return std::nullopt;
  length += 6;
  if (length < rest.size() && is_digit(rest[length])) return std::nullopt;
  Tag tag{at, at + length, *id, digits};
  if (tag.end < line.size() && line[tag.end] == ':') ++tag.end;
  while (tag.end < line.size() && line[tag.end] == ' ') ++tag.end;
  return tag;
}

std::optional<Tag> find_tag(std::string_view line) {
  const char* from = line.data();
  std::size_t left = line.size();
  while (const void* found = std::memchr(from, '%', left)) {
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - line.data());
    if (const auto tag = tag_at(line, at + 1)) {
      Tag with_sign = *tag;
      with_sign.begin = at;
      return with_sign;
    }
    from = line.data() + at + 1;
    left = line.size() - at - 1;
  }
  // Some tools lose the sign.
  for (const std::string_view product : {" ASA-", ":ASA-", " FTD-", " PIX-"})
    if (const std::size_t at = line.find(product); at != std::string_view::npos)
      if (const auto tag = tag_at(line, at + 1)) return tag;
  return line.starts_with("ASA-") || line.starts_with("FTD-") ? tag_at(line, 0) : std::nullopt;
}

// How many times the same message came, where a relay says so: "message repeated 2 times: [ …]" inside, and
// "(Message repeated 2 times)" at the end.
struct Repeated {
  std::string_view text;
  std::uint64_t times = 1;
};
Repeated without_repetition(std::string_view text) {
  constexpr std::string_view before = "message repeated ", after = "(Message repeated ";
  const auto times_in = [&](std::string_view rest) -> std::optional<std::uint64_t> {
    const auto times = parse_decimal<std::uint32_t>(rest.substr(0, rest.find(' ')));
    return times ? std::optional<std::uint64_t>(*times) : std::nullopt;
  };
  if (text.starts_with(before)) {
    const std::size_t opens = text.find('[');
    const auto times = times_in(text.substr(before.size()));
    if (opens == std::string_view::npos || !times) return {text};
    std::string_view inside = trimmed(text.substr(opens + 1));
    if (inside.ends_with(']')) inside.remove_suffix(1);
    return {trimmed(inside), *times};
  }
  if (text.ends_with(')'))
    if (const std::size_t at = text.rfind(after); at != std::string_view::npos)
      if (const auto times = times_in(text.substr(at + after.size())))
        return {trimmed(text.substr(0, at)), *times + 1};
  return {text};
}

class Reader : public LogReader {
 public:
  explicit Reader(const LogContext& context) : context_(context), clock_(context.newest) {}

  LineRead read(const TextLine& line) override {
    const auto tag = find_tag(line.text);
    if (!tag) return repetition(line);
    const Repeated text = without_repetition(line.text.substr(tag->end));
    LineRead read = read_message(tag->id, text.text, context_);
    is_last_a_record_ = read.as == LineRead::As::record;
    if (!is_last_a_record_) return read;
    read.record.line = line.number;
    read.record.source = "asa";
    read.record.code = tag->id_text;
    read.record.count *= text.times;
    read.record.time = clock_.at(line.text.substr(0, tag->begin));
    return read;
  }

 private:
  // "last message repeated 3 times" is about the line before; its words are gone by then, and a line of
  // another host may stand between: the number is told, not guessed.
  LineRead repetition(const TextLine& line) const {
    if (!is_last_a_record_ || line.text.find("last message repeated ") == std::string_view::npos)
      return LineRead::foreign();
    return LineRead::hole("'last message repeated N times': those lines are not counted");
  }

  const LogContext& context_;
  EnvelopeClock clock_;
  bool is_last_a_record_ = false;
};

constexpr LogFormat formats[] = {
    {.id = "asa",
     .title = "Cisco ASA or FTD syslog",
     .vendor = "cisco-asa",
     .reader = [](const LogContext& context) -> std::unique_ptr<LogReader> {
       return std::make_unique<Reader>(context);
     },
     .search = "show logging | include 106023|106100|106001"},
};

}  // namespace

extern const std::span<const LogFormat> logs;
const std::span<const LogFormat> logs = formats;

}  // namespace aclmend::cisco_asa
