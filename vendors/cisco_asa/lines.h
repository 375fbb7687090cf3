// Physical lines of a file or a terminal capture → logical lines. A capture is glued with things that are no
// configuration: carriage returns, ANSI escapes, backspaces, `<--- More --->` and the blanks that overwrite
// it. Line numbers stay those of the file, which ends its lines at LF.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/source.h"

namespace aclmend::cisco_asa {

// A line's place: enough to read it again. `is_glued`: its bytes need cleaning before they are words.
struct Statement {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t line = 0;  // 1-based, physical
  std::uint16_t source = 0;
  bool is_glued = false;
  Span span() const { return {begin, end, source}; }
};

struct Line {
  std::string_view text;  // cleaned, without the blanks before and after it
  Statement place;
  std::uint32_t indent = 0;     // blanks before it
  bool is_indent_lost = false;  // a pager mark stood before it
  bool is_pager_mark = false;   // nothing but the mark
  bool is_too_long = false;     // longer than any command: only its beginning is in `text`
};

inline constexpr std::size_t longest_line = 1 << 16;

class Lines {
 public:
  Lines(const Source& source, std::uint16_t index);
  std::optional<Line> next();
  bool ends_in_mid_line() const { return ends_in_mid_line_; }  // no LF at the end of the file

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t number_ = 0;
  std::uint16_t index_;
  bool has_cr_ = false;
  bool has_glue_ = false;
  bool ends_in_mid_line_ = false;
  bool starts_physical_line_ = true;
  std::string cleaned_;
};

// What a person saw: escapes and backspaces carried out, pager marks gone. A line that the terminal wrapped
// (its bytes hold an LF) is joined again: without a blank where the terminal's width ended it.
std::string cleaned(std::string_view bytes);

// The words of a statement: out of the source, or out of `scratch` where they had to be cleaned.
std::string_view text_of(const Statement& statement, std::string_view source, std::string& scratch);

// Where a word of `text_of`'s answer stands in the file.
Span span_of(std::string_view word, const Statement& statement, std::string_view source);

}  // namespace aclmend::cisco_asa
