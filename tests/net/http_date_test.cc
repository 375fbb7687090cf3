#include "net/http_date.h"

#include "tests/support/test.h"

namespace aclmend::net {

using namespace std::chrono_literals;

TEST_CASE("the three spellings of an HTTP date are one moment", "[net][date]") {
  const std::chrono::sys_seconds moment = std::chrono::sys_days(1994y / 11 / 6) + 8h + 49min + 37s;
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == moment);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == moment);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994") == moment);
  CHECK(parse_http_date("Monday, 06-Nov-23 08:49:37 GMT") ==
        std::chrono::sys_days(2023y / 11 / 6) + 8h + 49min + 37s);
  for (const char* text :
       {"", "GMT", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 199 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Moo 1994 08:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT x y z"})
    CHECK_FALSE(parse_http_date(text));
}

TEST_CASE("Retry-After is seconds or a date, never below none, never endless", "[net][date]") {
  const std::chrono::sys_seconds now = std::chrono::sys_days(2026y / 10 / 1);
  CHECK(parse_retry_after("120", now) == 120s);
  CHECK(parse_retry_after(" 0 ", now) == 0s);
  CHECK(parse_retry_after("99999999999999999999", now) == longest_retry_after);
  CHECK(parse_retry_after("Thu, 01 Oct 2026 00:01:00 GMT", now) == 60s);
  CHECK(parse_retry_after("Wed, 30 Sep 2026 00:01:00 GMT", now) == 0s);
  CHECK(parse_retry_after("Thu, 01 Oct 9999 00:01:00 GMT", now) == longest_retry_after);
  CHECK_FALSE(parse_retry_after("", now));
  CHECK_FALSE(parse_retry_after("-5", now));
  CHECK_FALSE(parse_retry_after("soon", now));
}

}  // namespace aclmend::net
