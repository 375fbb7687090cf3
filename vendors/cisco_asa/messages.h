// What a syslog message of an ASA says, by its number; the text begins behind the tag.
#pragma once
#include <cstdint>
#include <string_view>

#include "vendors/log.h"

namespace aclmend::cisco_asa {

// A record without line, source, code and time; `damaged` where a number's known form is not there. A number
// that is about no packet is a record of kind other.
evidence::LineRead read_message(std::uint32_t id, std::string_view text, const evidence::LogContext& context);

}  // namespace aclmend::cisco_asa
