#include "vendors/cisco_asa/lines.h"

#include <algorithm>
#include <cstring>

namespace aclmend::cisco_asa {
namespace {

constexpr std::string_view pager = "<--- More --->";
constexpr std::size_t terminal_width = 79;  // a line at least so long was ended by the terminal, not by words
constexpr char escape = '\x1b';

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::size_t blanks_before(std::string_view text) {
  const auto first = std::ranges::find_if_not(text, is_blank);
  return static_cast<std::size_t>(first - text.begin());
}

std::string_view without_blanks_after(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// The offset behind an escape sequence that begins at `at`: ESC [ parameters letter, or ESC and one letter.
std::size_t behind_escape(std::string_view bytes, std::size_t at) {
  std::size_t to = at + 1;
  if (to >= bytes.size()) return bytes.size();
  if (bytes[to] != '[') return to + 1;
  for (++to; to < bytes.size(); ++to)
    if (bytes[to] >= '@' && bytes[to] <= '~') return to + 1;
  return bytes.size();
}

bool contains(std::string_view text, char c) {
  return !text.empty() && std::memchr(text.data(), c, text.size()) != nullptr;
}

}  // namespace

std::string cleaned(std::string_view bytes) {
  std::string text;
  std::size_t line_begin = 0;  // of the physical line, in `bytes`
  for (std::size_t at = 0; at < bytes.size();) {
    const char c = bytes[at];
    if (c == escape) {
      at = behind_escape(bytes, at);
    } else if (bytes.substr(at).starts_with(pager)) {
      at += pager.size();
    } else if (c == '\b') {
      if (!text.empty()) text.pop_back();
      ++at;
    } else if (c == '\n') {
      if (at - line_begin < terminal_width) text += ' ';
      line_begin = ++at;
    } else if (c == '\r') {
      ++line_begin, ++at;
    } else {
      text += c;
      ++at;
    }
  }
  return text;
}

std::string_view text_of(const Statement& statement, std::string_view source, std::string& scratch) {
  const std::string_view bytes = source.substr(statement.begin, statement.end - statement.begin);
  if (!statement.is_glued) return bytes;
  scratch = cleaned(bytes.substr(0, longest_line));
  std::string_view text = without_blanks_after(scratch);
  return text.substr(blanks_before(text));
}

Span span_of(std::string_view word, const Statement& statement, std::string_view source) {
  const char* from = source.data() + statement.begin;
  const char* to = source.data() + statement.end;
  if (statement.is_glued || std::less<>()(word.data(), from) || std::less<>()(to, word.data()))
    return statement.span();
  const auto begin = static_cast<std::uint32_t>(word.data() - source.data());
  return {begin, begin + static_cast<std::uint32_t>(word.size()), statement.source};
}

Lines::Lines(const Source& source, std::uint16_t index) : text_(source.text()), index_(index) {
  has_cr_ = contains(text_, '\r');
  has_glue_ = contains(text_, escape) || contains(text_, '\b');
  ends_in_mid_line_ = !text_.empty() && text_.back() != '\n';
  if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
}

std::optional<Line> Lines::next() {
  if (at_ >= text_.size()) return std::nullopt;
  const std::size_t begin = at_;
  const char* start = text_.data() + begin;
  const auto* newline = static_cast<const char*>(std::memchr(start, '\n', text_.size() - begin));
  std::size_t end = newline == nullptr ? text_.size() : static_cast<std::size_t>(newline - text_.data());
  number_ += starts_physical_line_ ? 1 : 0;
  starts_physical_line_ = true;
  at_ = end + 1;
  if (has_cr_) {  // CR ends a line as well; CR LF is one end
    if (const auto* cr = static_cast<const char*>(std::memchr(start, '\r', end - begin))) {
      const auto cr_at = static_cast<std::size_t>(cr - text_.data());
      starts_physical_line_ = cr_at + 1 >= end;
      if (!starts_physical_line_) at_ = cr_at + 1;
      end = cr_at;
    }
  }
  Line line;
  line.is_too_long = end - begin > longest_line;
  const std::size_t read_to = line.is_too_long ? begin + longest_line : end;
  std::string_view text = text_.substr(begin, read_to - begin);
  if (has_glue_ && (contains(text, escape) || contains(text, '\b'))) {
    cleaned_ = cleaned(text);
    text = cleaned_;
    line.place.is_glued = true;
  }
  line.indent = static_cast<std::uint32_t>(blanks_before(text));
  text.remove_prefix(line.indent);
  while (text.starts_with('<') && text.starts_with(pager)) {
    text.remove_prefix(pager.size());
    text.remove_prefix(blanks_before(text));
    line.is_indent_lost = true;
  }
  line.text = without_blanks_after(text);
  line.is_pager_mark = line.is_indent_lost && line.text.empty();
  line.place.source = index_;
  line.place.line = number_;
  line.place.begin = line.place.is_glued ? static_cast<std::uint32_t>(begin)
                                         : static_cast<std::uint32_t>(line.text.data() - text_.data());
  line.place.end = line.place.is_glued ? static_cast<std::uint32_t>(end)
                                       : static_cast<std::uint32_t>(line.place.begin + line.text.size());
  return line;
}

}  // namespace aclmend::cisco_asa
