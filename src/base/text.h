// Small things about text that more than one room needs.
#pragma once
#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aclmend {

// Safe to send to a terminal: control characters and invalid UTF-8 become \xNN, bidirectional overrides too.
// Tabs become one blank. Everything else is kept.
std::string printable(std::string_view text);

// A word as a shell takes it.
std::string for_a_shell(std::string_view word);

// Columns a printable UTF-8 text takes on a terminal, one a code point.
std::size_t display_width(std::string_view text);

bool is_valid_utf8(std::string_view text);

std::string_view trimmed(std::string_view text);                      // without blanks, tabs, CR at both ends
std::vector<std::string_view> split(std::string_view text, char at);  // "a,,b" → a, "", b
std::string lower(std::string_view text);                             // ASCII only

// All of the text is one decimal number that fits T; no sign, no blanks. "" is none.
template <std::unsigned_integral T>
std::optional<T> parse_decimal(std::string_view text) {
  T value{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value, 10);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The choice nearest to a mistyped word (edit distance, at most a third of its length), if any.
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> choices);

// "8,412"
std::string with_thousands(std::uint64_t number);

}  // namespace aclmend
