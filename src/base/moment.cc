#include "base/moment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace aclmend {
namespace {

// A cursor over fixed forms; every step says whether it could be taken.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}
  std::size_t at() const { return at_; }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  std::string_view rest() const { return text_.substr(std::min(at_, text_.size())); }
  void skip(std::size_t count) { at_ += count; }
  void skip_blanks() {
    while (peek() == ' ') ++at_;
  }

  bool one_of(std::string_view choices) {
    if (at_ >= text_.size() || choices.find(text_[at_]) == std::string_view::npos) return false;
    ++at_;
    return true;
  }
  // From `least` to `most` digits, all that stand there; none where another digit follows.
  std::optional<unsigned> number(std::size_t least, std::size_t most) {
    unsigned value = 0;
    std::size_t digits = 0;
    while (digits < most && is_digit(peek())) value = value * 10 + digit(), ++digits;
    return digits >= least && !is_digit(peek()) ? std::optional(value) : std::nullopt;
  }
  // ".123", ",123": in millionths; further digits are dropped.
  unsigned decimals() {
    if ((peek() != '.' && peek() != ',') || at_ + 1 >= text_.size() || !is_digit(text_[at_ + 1])) return 0;
    ++at_;
    unsigned value = 0, places = 0;
    for (; is_digit(peek()); ++places) {
      const unsigned next = digit();
      if (places < 6) value = value * 10 + next;
    }
    for (; places < 6; ++places) value *= 10;
    return value;
  }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  unsigned digit() { return static_cast<unsigned>(text_[at_++] - '0'); }

  std::string_view text_;
  std::size_t at_ = 0;
};

constexpr std::array<unsigned, 12> longest_month{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

bool is_leap(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

bool is_date(std::int64_t year, unsigned month, unsigned day) {
  return year >= 1970 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
         day <= longest_month[month - 1] && (month != 2 || day < 29 || is_leap(year));
}

std::int64_t midnight(std::int64_t year, unsigned month, unsigned day) {
  return days_from_civil(year, month, day) * micros_a_day;
}

// hh:mm:ss[.ffffff]; second 60 is a leap second.
std::optional<std::int64_t> scan_clock(Scan& scan, std::size_t least_hour_digits) {
  const auto hour = scan.number(least_hour_digits, 2);
  if (!hour || *hour > 23 || !scan.one_of(":")) return std::nullopt;
  const auto minute = scan.number(2, 2);
  if (!minute || *minute > 59) return std::nullopt;
  unsigned second = 0;
  if (scan.one_of(":")) {
    const auto seconds = scan.number(2, 2);
    if (!seconds || *seconds > 60) return std::nullopt;
    second = *seconds;
  }
  const std::int64_t whole = (*hour * 60 + *minute) * std::int64_t{60} + second;
  return whole * micros_a_second + scan.decimals();
}

std::optional<std::int16_t> scan_offset(Scan& scan) {
  if (scan.one_of("Zz")) return std::int16_t{0};
  const char sign = scan.peek();
  if (sign != '+' && sign != '-') return std::nullopt;
  Scan ahead = scan;
  ahead.skip(1);
  std::optional<unsigned> hours, minutes;
  if (const std::string_view rest = ahead.rest(); rest.size() > 2 && rest[2] == ':') {
    hours = ahead.number(2, 2);
    ahead.skip(1);
    minutes = ahead.number(2, 2);
  } else if (const auto both = ahead.number(4, 4)) {
    hours = *both / 100;
    minutes = *both % 100;
  }
  if (!hours || !minutes || *hours > 14 || *minutes > 59) return std::nullopt;
  scan = ahead;
  const int east = static_cast<int>(*hours * 60 + *minutes);
  return static_cast<std::int16_t>(sign == '-' ? -east : east);
}

unsigned month_named(std::string_view text) {
  constexpr std::string_view names = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() < 3) return 0;
  for (unsigned month = 0; month < 12; ++month)
    if (text.substr(0, 3) == names.substr(std::size_t{3} * month, 3)) return month + 1;
  return 0;
}

std::int64_t year_of(std::int64_t micros) {
  const std::int64_t days = micros / micros_a_day;
  auto year = 1970 + days / 366;
  while (days_from_civil(year + 1, 1, 1) <= days) ++year;
  return year;
}

// "UTC", "GMT", "Z" as a word of its own.
bool take_known_zone(Scan& scan) {
  for (const std::string_view name : {" UTC", " GMT", " Z"}) {
    const std::string_view rest = scan.rest();
    if (!rest.starts_with(name)) continue;
    const char after = rest.size() > name.size() ? rest[name.size()] : ' ';
    if (after != ' ' && after != ':') continue;
    scan.skip(name.size());
    return true;
  }
  return false;
}

}  // namespace

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year =
      (153 * (static_cast<std::int64_t>(month) + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

std::string to_string(const Moment& moment) {
  const std::int64_t micros = utc_micros(moment);
  std::int64_t days = micros / micros_a_day, within = micros % micros_a_day;
  if (within < 0) within += micros_a_day, --days;
  const std::int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
  const std::int64_t of_era = z - era * 146097;
  const std::int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
  const std::int64_t shifted = (5 * of_year + 2) / 153;
  const std::int64_t day = of_year - (153 * shifted + 2) / 5 + 1;
  const std::int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
  const std::int64_t year = years + era * 400 + (month <= 2);
  const std::int64_t second = within / micros_a_second, fraction = within % micros_a_second;
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", year, month, day, second / 3600,
                                 second / 60 % 60, second % 60);
  if (fraction != 0) {
    std::string decimals = fmt::format(".{:06}", fraction);
    decimals.erase(decimals.find_last_not_of('0') + 1);
    text += decimals;
  }
  return moment.offset ? text + 'Z' : text;
}

ScannedMoment scan_iso(std::string_view text) {
  Scan scan(text);
  const auto year = scan.number(4, 4);
  const char between = scan.peek();
  if (!year || !scan.one_of("-/")) return {};
  const auto month = scan.number(2, 2);
  if (!month || !scan.one_of({&between, 1})) return {};
  const auto day = scan.number(2, 2);
  if (!day || !is_date(*year, *month, *day) || !scan.one_of("Tt ")) return {};
  const auto clock = scan_clock(scan, 2);
  if (!clock) return {};
  const auto offset = scan_offset(scan);
  return {{midnight(*year, *month, *day) + *clock, offset}, scan.at()};
}

ScannedMoment scan_syslog(std::string_view text, std::int64_t newest) {
  const unsigned month = month_named(text);
  if (month == 0) return {};
  Scan scan(text);
  scan.skip(3);
  if (!scan.one_of(" ")) return {};
  scan.skip_blanks();
  const auto day = scan.number(1, 2);
  if (!day || !scan.one_of(" ")) return {};
  Scan with_year = scan;
  const auto year = with_year.number(4, 4);
  if (year && with_year.one_of(" ")) scan = with_year;
  const auto clock = scan_clock(scan, 1);
  if (!clock) return {};
  std::optional<std::int16_t> offset;
  if (take_known_zone(scan)) offset = 0;
  if (year) {
    if (!is_date(*year, month, *day)) return {};
    return {{midnight(*year, month, *day) + *clock, offset}, scan.at()};
  }
  for (std::int64_t guess = year_of(newest) + 1, oldest = guess - 9; guess > oldest; --guess) {
    if (!is_date(guess, month, *day)) continue;  // 29 February
    const std::int64_t micros = midnight(guess, month, *day) + *clock;
    if (micros <= newest + micros_a_day) return {{micros, offset}, scan.at()};
  }
  return {};
}

ScannedMoment scan_local(std::string_view text) {
  Scan scan(text);
  const auto first = scan.number(1, 2);
  const bool is_dotted = scan.peek() == '.';
  if (!first || !scan.one_of("/.-")) return {};
  const auto second = scan.number(1, 2);
  if (!second || !scan.one_of("/.-")) return {};
  auto year = scan.number(2, 4);
  if (!year) return {};
  if (*year < 100) *year += 2000;
  const bool day_first = is_dotted || *first > 12;
  const unsigned month = day_first ? *second : *first, day = day_first ? *first : *second;
  if (!is_date(*year, month, day)) return {};
  scan.one_of(",");
  if (!scan.one_of(" T")) return {};
  scan.skip_blanks();
  auto clock = scan_clock(scan, 1);
  if (!clock) return {};
  const std::string_view rest = scan.rest();
  if (rest.size() >= 3 && rest[0] == ' ' && (rest[2] == 'M' || rest[2] == 'm')) {
    constexpr std::int64_t noon = micros_a_day / 2;
    const char half = rest[1];
    const bool in_first_hour = *clock >= noon && *clock < noon + 3600 * micros_a_second;
    if (half == 'A' || half == 'a') *clock -= in_first_hour ? noon : 0;
    else if (half == 'P' || half == 'p') *clock += in_first_hour || *clock > noon ? 0 : noon;
    else return {};
    scan.skip(3);
  }
  return {{midnight(*year, month, day) + *clock, std::nullopt}, scan.at()};
}

std::optional<Moment> find_moment(std::string_view envelope, std::int64_t newest) {
  std::optional<Moment> found;
  for (std::size_t at = 0; at + 15 <= envelope.size();) {
    const char c = envelope[at];
    const bool may_begin = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'S');
    const std::string_view rest = envelope.substr(at);
    const ScannedMoment here = !may_begin ? ScannedMoment{}
                               : c >= 'A' ? scan_syslog(rest, newest)
                                          : scan_iso(rest);
    if (here.length > 0) found = here.moment;
    at += std::max<std::size_t>(here.length, 1);
  }
  return found;
}

std::optional<std::int16_t> parse_offset(std::string_view text) {
  if (text == "UTC" || text == "utc" || text == "GMT") return std::int16_t{0};
  Scan scan(text);
  const auto offset = scan_offset(scan);
  return offset && scan.at() == text.size() ? offset : std::nullopt;
}

}  // namespace aclmend
