#include "net/http_date.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "base/text.h"

namespace aclmend::net {
namespace {

using std::chrono::sys_seconds;

std::vector<std::string_view> words(std::string_view text) {
  constexpr std::string_view between = " ,-";
  std::vector<std::string_view> out;
  while (out.size() < 8) {
    const std::size_t begin = text.find_first_not_of(between);
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(between), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return out;
}

std::optional<std::chrono::month> parse_month(std::string_view text) {
  constexpr std::array<std::string_view, 12> names = {"jan", "feb", "mar", "apr", "may", "jun",
                                                      "jul", "aug", "sep", "oct", "nov", "dec"};
  const auto found = std::ranges::find(names, lower(text));
  if (found == names.end()) return std::nullopt;
  return std::chrono::month(static_cast<unsigned>(found - names.begin() + 1));
}

std::optional<std::chrono::year> parse_year(std::string_view text) {
  const auto number = parse_decimal<std::uint16_t>(text);
  if (!number || (text.size() != 2 && text.size() != 4)) return std::nullopt;
  const int century = text.size() == 4 ? 0 : *number < 70 ? 2000 : 1900;
  return std::chrono::year(century + *number);
}

std::optional<std::chrono::seconds> parse_time(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 3) return std::nullopt;
  const auto hour = parse_decimal<std::uint8_t>(parts[0]), minute = parse_decimal<std::uint8_t>(parts[1]),
             second = parse_decimal<std::uint8_t>(parts[2]);
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

std::optional<sys_seconds> moment(std::string_view day, std::string_view month, std::string_view year,
                                  std::string_view time) {
  const auto d = parse_decimal<std::uint8_t>(day);
  const auto m = parse_month(month);
  const auto y = parse_year(year);
  const auto t = parse_time(time);
  if (!d || !m || !y || !t) return std::nullopt;
  const std::chrono::year_month_day date(*y, *m, std::chrono::day(*d));
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + *t;
}

}  // namespace

std::optional<sys_seconds> parse_http_date(std::string_view text) {
  const auto word = words(text);
  if (word.size() == 6 && word[5] == "GMT") return moment(word[1], word[2], word[3], word[4]);
  if (word.size() == 5) return moment(word[2], word[1], word[4], word[3]);  // as C's asctime() writes it
  return std::nullopt;
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, sys_seconds now) {
  text = trimmed(text);
  constexpr std::chrono::seconds none{0};
  if (!text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
    const auto seconds = parse_decimal<std::uint32_t>(text);
    return seconds ? std::min(std::chrono::seconds(*seconds), longest_retry_after) : longest_retry_after;
  }
  const auto date = parse_http_date(text);
  if (!date) return std::nullopt;
  return std::clamp(*date - now, none, longest_retry_after);
}

}  // namespace aclmend::net
