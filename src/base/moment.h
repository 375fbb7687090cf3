// A moment as a log tells it: the reading of the clock that wrote it, and where that clock stands if the log
// says so. Most firewall logs name no zone, some no year.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aclmend {

struct Moment {
  std::int64_t micros = 0;             // since 1970-01-01T00:00:00 on that clock
  std::optional<std::int16_t> offset;  // minutes that it stands east of UTC; none: the log does not say
  bool operator==(const Moment&) const = default;
};

inline constexpr std::int64_t micros_a_second = 1'000'000, micros_a_day = 86'400 * micros_a_second;

// What UTC's clock shows then; of a clock whose place is not known, its own reading.
inline std::int64_t utc_micros(const Moment& moment) {
  return moment.micros - moment.offset.value_or(0) * 60 * micros_a_second;
}

// "2026-11-20T02:12:04Z", with as many decimals as there are; without the Z where the zone is not known.
// Another zone than UTC is turned into UTC.
std::string to_string(const Moment& moment);

// Days since 1970-01-01 in the Gregorian calendar; no check.
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day);

// A moment at the front of a text; length 0: there is none.
struct ScannedMoment {
  Moment moment;
  std::size_t length = 0;
};

// 2026-11-20T02:12:04.123Z, 2026/11/20 02:12:04, …+02:00 or +0200, also without seconds' decimals or zone.
ScannedMoment scan_iso(std::string_view text);

// Nov 20 02:12:04, Nov 20 2026 02:12:04.123, "Nov  3", and a known zone word behind it (UTC, GMT); other
// words are a human's choice and leave the zone unknown. Without a year it is the newest one that does not
// put the moment more than a day behind `newest` (RFC 3164 has no year).
ScannedMoment scan_syslog(std::string_view text, std::int64_t newest);

// 1/21/2025 3:45:12 AM as Microsoft's tools print it: month before day, unless the first is no month;
// 21.01.2025 15:45:12 is day before month.
ScannedMoment scan_local(std::string_view text);

// The last moment in the envelope of a syslog line, ISO or BSD; a device's own stands behind a relay's.
std::optional<Moment> find_moment(std::string_view envelope, std::int64_t newest);

// "UTC", "Z", "+02:00", "-0530": minutes east of UTC.
std::optional<std::int16_t> parse_offset(std::string_view text);

}  // namespace aclmend
