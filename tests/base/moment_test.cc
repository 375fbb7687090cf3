#include "base/moment.h"

#include "tests/support/test.h"

using namespace aclmend;

namespace {

const std::int64_t now = scan_iso("2026-11-23T00:00:00Z").moment.micros;

std::string iso(std::string_view text) {
  const ScannedMoment scanned = scan_iso(text);
  return scanned.length == 0 ? "none"
                             : to_string(scanned.moment) + "|" + std::string(text.substr(scanned.length));
}
std::string syslog(std::string_view text, std::int64_t newest = now) {
  const ScannedMoment scanned = scan_syslog(text, newest);
  return scanned.length == 0 ? "none"
                             : to_string(scanned.moment) + "|" + std::string(text.substr(scanned.length));
}
std::string local(std::string_view text) {
  const ScannedMoment scanned = scan_local(text);
  return scanned.length == 0 ? "none" : to_string(scanned.moment);
}

}  // namespace

TEST_CASE("ISO times are read with their zone, and printed in UTC", "[moment]") {
  CHECK(iso("2026-11-20T02:12:04Z") == "2026-11-20T02:12:04Z|");
  CHECK(iso("2026-11-20T02:12:04.1230Z,x") == "2026-11-20T02:12:04.123Z|,x");
  CHECK(iso("2026-11-20 02:12:04 DROP") == "2026-11-20T02:12:04| DROP");
  CHECK(iso("2026/11/20 02:12:04") == "2026-11-20T02:12:04|");
  CHECK(iso("2026-11-20T00:12:04+02:00") == "2026-11-19T22:12:04Z|");
  CHECK(iso("2026-12-31T23:30:00-0130") == "2027-01-01T01:00:00Z|");
  CHECK(iso("2024-02-29T00:00:00Z") == "2024-02-29T00:00:00Z|");
  for (const char* wrong :
       {"", "2026", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-20T24:00:00Z",
        "2026-11-20T02:60:00Z", "20260-11-20T02:00:00Z", "2026-11-20X02:12:04Z"})
    CHECK(iso(wrong) == "none");
}

TEST_CASE("BSD times are read with or without a year", "[moment]") {
  CHECK(syslog("Nov 20 02:12:04 edge") == "2026-11-20T02:12:04| edge");
  CHECK(syslog("Nov  3 2025 02:12:04.5 UTC: x") == "2025-11-03T02:12:04.5Z|: x");
  CHECK(syslog("Nov 3 02:12:04 CEST x") == "2026-11-03T02:12:04| CEST x");
  CHECK(syslog("Nov 03 02:12:04") == "2026-11-03T02:12:04|");
  for (const char* wrong : {"Nob 20 02:12:04", "Nov 31 02:12:04", "Nov 20", "November 20 02:12:04", "Nov"})
    CHECK(syslog(wrong) == "none");
}

TEST_CASE("a missing year is the newest that is not more than a day ahead", "[moment]") {
  const std::int64_t january = scan_iso("2027-01-03T00:00:00Z").moment.micros;
  CHECK(syslog("Dec 31 23:59:59", january) == "2026-12-31T23:59:59|");
  CHECK(syslog("Jan  3 23:59:59", january) == "2027-01-03T23:59:59|");
  CHECK(syslog("Jan  4 00:00:01", january) == "2026-01-04T00:00:01|");
  CHECK(syslog("Feb 29 12:00:00", january) == "2024-02-29T12:00:00|");
}

TEST_CASE("Microsoft's times are month before day, unless that is no month", "[moment]") {
  CHECK(local("1/21/2025 3:45:12 AM") == "2025-01-21T03:45:12");
  CHECK(local("1/2/2025 12:45:12 AM") == "2025-01-02T00:45:12");
  CHECK(local("1/2/2025 12:45:12 PM") == "2025-01-02T12:45:12");
  CHECK(local("1/2/2025 3:45:12 PM") == "2025-01-02T15:45:12");
  CHECK(local("21/1/2025 15:45") == "2025-01-21T15:45:00");
  CHECK(local("02.01.2025 15:45:12") == "2025-01-02T15:45:12");
  CHECK(local("9/16/19 10:00") == "2019-09-16T10:00:00");
  CHECK(local("31/31/2025 1:00:00 AM") == "none");
}

TEST_CASE("the last time of an envelope is the device's own", "[moment]") {
  const auto found = [](std::string_view text) {
    const auto moment = find_moment(text, now);
    return moment ? to_string(*moment) : "none";
  };
  CHECK(found("<166>Jul 15 13:38:14 10.0.0.1 Nov 20 2026 02:12:04 UTC edge : ") == "2026-11-20T02:12:04Z");
  CHECK(found("2026-11-20T02:12:06+01:00 host ") == "2026-11-20T01:12:06Z");
  CHECK(found("LOCAL4.WARNING: fw-1 ") == "none");
}

TEST_CASE("what is printed is read back the same", "[moment]") {
  rc::prop("round trip", [] {
    const auto micros = *rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000'000);
    const Moment moment{micros, std::int16_t{0}};
    RC_ASSERT(scan_iso(to_string(moment)).moment == moment);
  });
}

TEST_CASE("offsets are hours and minutes, or UTC", "[moment]") {
  CHECK(parse_offset("UTC") == std::int16_t{0});
  CHECK(parse_offset("+02:00") == std::int16_t{120});
  CHECK(parse_offset("-0530") == std::int16_t{-330});
  for (const char* wrong : {"", "+2", "+15:00", "CEST", "+02:00x"}) CHECK_FALSE(parse_offset(wrong));
}
