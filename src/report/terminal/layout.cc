#include "report/terminal/layout.h"

#include <fmt/format.h>

#include "base/text.h"

namespace aclmend::report::terminal {

std::string place(std::string_view file, std::uint32_t line) {
  return fmt::format("{}:{}", printable(file), line);
}

std::string with_place(std::string_view left, std::string_view right) {
  std::string text = printable(left);
  if (right.empty()) return text + "\n";
  const std::string where = printable(right);
  const std::size_t width = display_width(text);
  const std::size_t where_width = display_width(where);
  if (width + 2 + where_width > page_width && where_width < page_width)
    return fmt::format("{}\n{}{}\n", text, std::string(page_width - where_width, ' '), where);
  const std::size_t gap =
      width + 2 <= place_column && place_column + where_width <= page_width ? place_column - width : 2;
  return fmt::format("{}{}{}\n", text, std::string(gap, ' '), where);
}

std::string labelled(std::string_view label, std::string_view text) {
  constexpr std::size_t indent = 13;
  std::string out = fmt::format("  {:<{}}", label, indent - 2);
  std::size_t column = indent;
  const std::string clean = printable(text);  // splitting needs it to live
  for (const std::string_view word : split(clean, ' ')) {
    const std::size_t width = display_width(word);
    if (column > indent && column + 1 + width > page_width) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += width;
  }
  return out + "\n";
}

std::string shortened(std::string_view text, std::size_t columns) {
  std::string clean = printable(text);
  if (display_width(clean) <= columns) return clean;
  std::size_t kept = 0, at = 0;
  while (at < clean.size() && kept + 1 < columns) {
    ++at;
    while (at < clean.size() && (static_cast<unsigned char>(clean[at]) & 0xC0) == 0x80) ++at;
    ++kept;
  }
  return clean.substr(0, at) + "…";
}

}  // namespace aclmend::report::terminal
