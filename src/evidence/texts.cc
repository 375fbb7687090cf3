// Error texts as people paste them: whole, cut off, or wrapped at any place, among other words. The Data of a
// message trace's details (XML of MEP elements) counts as such a text.
#include <algorithm>

#include "base/text.h"
#include "evidence/readers.h"
#include "evidence/result.h"
#include "evidence/vocabulary.h"

namespace aclmend::evidence {
namespace {

constexpr std::size_t longest_text = 16 << 10, most_lines = 64;

bool has(std::string_view text, std::string_view words) { return text.find(words) != std::string_view::npos; }

bool begins_text(std::string_view line) {
  return has(line, "LED=") || has(line, "<MEP ") || parse_deferral(line).has_value();
}

bool is_balanced(std::string_view text) {
  const auto count = [&](char c) { return std::ranges::count(text, c); };
  return count('[') <= count(']') && count('{') <= count('}');
}

bool looks_continued(std::string_view line) {
  if (line.empty()) return false;
  const char first = line[0];
  return first == '[' || first == '{' || first == ']' || first == '}' || (first >= 'a' && first <= 'z') ||
         has(line, "OutboundProxy") || has(line, "Message=") || has(line, "ocket error code");
}

// Does a line that could begin a text belong to the one that is open? A text can be cut off for good; a
// status at the front of a line is that of the open text where it has none, and the inner one where a message
// was just opened.
bool is_inner(std::string_view open, std::string_view line) {
  if (has(line, "LED=") || is_balanced(open)) return false;
  const auto so_far = parse_deferral(open);
  if (!so_far || so_far->status.empty()) return true;
  return open.ends_with('=') || open.ends_with('[') || has(line.substr(0, 12), "[Message=");
}

// A text wrapped in the middle of a word is whole only when its lines are put together without a blank: what
// the one reading lacks, the other may have.
Deferral merged(Deferral spaced, const std::optional<Deferral>& tight) {
  if (!tight) return spaced;
  const auto fill = [](auto& to, const auto& from) {
    if (to == std::remove_cvref_t<decltype(to)>{}) to = from;
  };
  if (word_named(spaced.status) == nullptr && word_named(tight->status) != nullptr) {
    spaced.status = tight->status;
    spaced.reply = tight->reply;
    spaced.text = tight->text;
  }
  if (spaced.status == tight->status) fill(spaced.reply, tight->reply);
  fill(spaced.message, tight->message);
  fill(spaced.inner, tight->inner);
  constexpr std::uint32_t first_socket_error = 10'000;  // less may be the beginning of one
  if (spaced.socket_error < first_socket_error && tight->socket_error >= first_socket_error)
    spaced.socket_error = tight->socket_error;
  fill(spaced.socket_error, tight->socket_error);
  for (const auto word : {&Deferral::host, &Deferral::smtp_security})  // no blank is ever in one
    if ((spaced.*word).empty() || has(spaced.*word, " ")) spaced.*word = (*tight).*word;
  fill(spaced.sender, tight->sender);
  if (!spaced.address) spaced.address = tight->address;
  if (spaced.address == tight->address) fill(spaced.port, tight->port);
  if (!spaced.when) spaced.when = tight->when;
  if (!spaced.last_retry) spaced.last_retry = tight->last_retry;
  spaced.is_expired |= tight->is_expired;
  return spaced;
}

// <MEP Name="ClientIP" String="52.100.140.7"/>
std::string_view mep_value(std::string_view text, std::string_view name) {
  const std::string wanted = "Name=\"" + std::string(name) + "\"";
  const std::size_t at = text.find(wanted);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + wanted.size());
  const std::size_t opens = rest.find("=\"");
  if (opens == std::string_view::npos || rest.find('>') < opens) return {};
  const std::size_t closes = rest.find('"', opens + 2);
  return rest.substr(opens + 2, closes == std::string_view::npos ? closes : closes - opens - 2);
}

class Reader : public LogReader {
 public:
  LineRead read(const TextLine& line) override {
    const std::string_view text = trimmed(line.text);
    const bool begins = !text.empty() && begins_text(text);
    const bool goes_on = begins ? is_inner(spaced_, text) : !is_balanced(spaced_) || looks_continued(text);
    if (lines_ > 0 && !text.empty() && lines_ < most_lines && goes_on) return add(text), LineRead::silent();
    if (!begins) return LineRead::foreign();
    LineRead before = finish();
    begin_ = line.number;
    add(text);
    return before.as == LineRead::As::foreign ? LineRead::silent() : before;
  }

  LineRead finish() override {
    if (lines_ == 0) return LineRead::foreign();
    held_spaced_.swap(spaced_);
    held_tight_.swap(tight_);
    spaced_.clear();
    tight_.clear();
    lines_ = 0;
    auto spaced = parse_deferral(held_spaced_);
    const auto tight = parse_deferral(held_tight_);
    const bool is_mep = has(held_spaced_, "<MEP ");
    if (!spaced && !tight && !is_mep) return LineRead::damaged("expected an SMTP status in the text");
    deferral_ = merged(spaced ? *spaced : tight.value_or(Deferral{}), tight);
    LineRead read{.as = LineRead::As::record};
    if (spaced || tight) read.record = record_of(deferral_);
    if (is_mep) {
      read.record.source = "message-trace";
      read.record.src_name = mep_value(held_spaced_, "ClientIP");
      if (!read.record.dst)
        read.record.dst = log_address(mep_value(held_spaced_, "OutboundProxyTargetIPAddress"));
    }
    read.record.line = begin_;
    return read;
  }

 private:
  void add(std::string_view text) {
    if (spaced_.size() + text.size() > longest_text)
      text = text.substr(0, longest_text - std::min(longest_text, spaced_.size()));
    if (!spaced_.empty()) spaced_ += ' ';
    spaced_ += text;
    tight_ += text;
    ++lines_;
  }

  std::string spaced_, tight_, held_spaced_, held_tight_;
  std::size_t lines_ = 0;
  std::uint64_t begin_ = 0;
  Deferral deferral_;
};

}  // namespace

std::unique_ptr<LogReader> text_reader(const LogContext&) { return std::make_unique<Reader>(); }

}  // namespace aclmend::evidence
