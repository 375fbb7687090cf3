// The times of HTTP (RFC 9110 §5.6.7, §10.2.3): dates in their three spellings, and how long a Retry-After
// asks for.
#pragma once
#include <chrono>
#include <optional>
#include <string_view>

namespace aclmend::net {

// "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994". Years of two
// digits are 1970 to 2069.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);

// Seconds, or a date counted from `now`: never less than none, never more than longest_retry_after.
inline constexpr std::chrono::seconds longest_retry_after = std::chrono::days(365);
std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, std::chrono::sys_seconds now);

}  // namespace aclmend::net
