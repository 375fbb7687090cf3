#include "base/clock.h"

#include "tests/support/test.h"

using namespace aclmend;
using std::chrono::seconds;

TEST_CASE("times are written in UTC and read back", "[base][clock]") {
  CHECK(iso_time(Time(seconds(0))) == "1970-01-01T00:00:00Z");
  CHECK(iso_time(Time(seconds(1'772'323'199))) == "2026-02-28T23:59:59Z");
  CHECK(iso_date(Time(seconds(951'782'400))) == "2000-02-29");
  rc::prop("what iso_time writes, parse_iso_time reads", [] {
    const Time time(seconds(*rc::gen::inRange<std::int64_t>(0, 4'102'444'800)));
    RC_ASSERT(parse_iso_time(iso_time(time)) == time);
    RC_ASSERT(*parse_date(iso_date(time)) <= time);
    RC_ASSERT(*parse_date(iso_date(time)) + std::chrono::hours(24) > time);
  });
}

TEST_CASE("what is no date is none", "[base][clock]") {
  CHECK(parse_date("20260131") == parse_date("2026-01-31"));
  for (const char* text : {"", "2026-02-30", "2026-13-01", "2026-1-31", "26-01-31", "2026/01/31", "2026013",
                           "+0260131", "2026-01-311", "20260230"})
    CHECK_FALSE(parse_date(text));
  for (const char* text : {"2026-01-31", "2026-01-31T24:00:00Z", "2026-01-31T10:60:00Z",
                           "2026-01-31T10:00:00", "2026-01-31 10:00:00Z", "2026-01-31T10:00:0xZ"})
    CHECK_FALSE(parse_iso_time(text));
}
