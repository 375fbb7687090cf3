// What `probe` says, ready to be written.
#pragma once
#include <string>
#include <vector>

#include "probe/result.h"
#include "report/frame.h"

namespace aclmend::report {

enum class Detail : std::uint8_t { usual, all };  // all: every step, and what was said

struct ProbeReport {
  Frame frame;
  probe::Report probe;
  Detail detail = Detail::usual;
};

// "asked from 10.9.0.4, names by the resolver 10.255.255.53:53", and what that is worth.
std::vector<std::string> vantage_addresses(const probe::Report& probe);
inline constexpr std::string_view vantage_statement =
    "This is the way from here. It proves nothing for the ranges that an ACL names: ask its export with "
    "`aclmend audit`.";

namespace json {
std::string probe(const ProbeReport& report);
}
namespace terminal {
std::string probe(const ProbeReport& report);
}
namespace nagios {
std::string probe(const ProbeReport& report);
}

}  // namespace aclmend::report
