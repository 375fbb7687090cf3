// The clock, at the rim: whoever needs the time takes it as an argument; only the command line asks here.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace aclmend {

using Time = std::chrono::sys_seconds;

Time now();

std::string iso_time(Time time);                       // "2026-11-29T20:31:00Z"
std::string iso_date(Time time);                       // "2026-11-29"
std::optional<Time> parse_iso_time(std::string_view);  // the form of iso_time, no other
// "2026-11-29", or "20261129" as the endpoint service writes dates: the beginning of that day.
std::optional<Time> parse_date(std::string_view text);

}  // namespace aclmend
