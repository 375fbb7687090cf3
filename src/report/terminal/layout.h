// Terminal text is laid out for about 100 columns: what is said on the left, the place that shows it on the
// right. Everything that comes from a file goes through printable() here.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aclmend::report::terminal {

inline constexpr std::size_t page_width = 100;
inline constexpr std::size_t place_column = 74;

// "edge.cfg:377"
std::string place(std::string_view file, std::uint32_t line);

// `left`, blanks, `right` at the place column; `right` on a line of its own where it would not
// fit.
std::string with_place(std::string_view left, std::string_view right);

// "  asked      text", wrapped at blanks, the further lines under the text.
std::string labelled(std::string_view label, std::string_view text);

// Not more columns than that; a cut text ends in "…".
std::string shortened(std::string_view text, std::size_t columns);

}  // namespace aclmend::report::terminal
