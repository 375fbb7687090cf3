#include "base/clock.h"

#include <fmt/format.h>

#include "base/text.h"

namespace aclmend {
namespace {

using namespace std::chrono;

struct Civil {
  year_month_day date;
  hh_mm_ss<seconds> time;
};

Civil civil(Time time) {
  const auto day = floor<days>(time);
  return {year_month_day(day), hh_mm_ss<seconds>(time - day)};
}

std::string date_text(const year_month_day& date) {
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

}  // namespace

Time now() { return floor<seconds>(system_clock::now()); }

std::string iso_date(Time time) { return date_text(civil(time).date); }

std::string iso_time(Time time) {
  const auto [date, clock] = civil(time);
  return fmt::format("{}T{:02}:{:02}:{:02}Z", date_text(date), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::optional<Time> parse_date(std::string_view text) {
  const bool has_dashes = text.size() == 10 && text[4] == '-' && text[7] == '-';
  if (!has_dashes && text.size() != 8) return std::nullopt;
  const auto y = parse_decimal<std::uint16_t>(text.substr(0, 4));
  const auto m = parse_decimal<std::uint16_t>(text.substr(has_dashes ? 5 : 4, 2));
  const auto d = parse_decimal<std::uint16_t>(text.substr(has_dashes ? 8 : 6, 2));
  if (!y || !m || !d) return std::nullopt;
  const year_month_day date{year(*y), month(*m), day(*d)};
  if (!date.ok()) return std::nullopt;
  return sys_days(date);
}

std::optional<Time> parse_iso_time(std::string_view text) {
  if (text.size() != 20 || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text[19] != 'Z')
    return std::nullopt;
  const auto date = parse_date(text.substr(0, 10));
  const auto h = parse_decimal<std::uint16_t>(text.substr(11, 2));
  const auto m = parse_decimal<std::uint16_t>(text.substr(14, 2));
  const auto s = parse_decimal<std::uint16_t>(text.substr(17, 2));
  if (!date || !h || !m || !s || *h > 23 || *m > 59 || *s > 59) return std::nullopt;
  return *date + hours(*h) + minutes(*m) + seconds(*s);
}

}  // namespace aclmend
