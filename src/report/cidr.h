// What the `cidr` commands answer, ready to be written.
#pragma once
#include <optional>
#include <string>

#include "report/frame.h"
#include "sets/address_set.h"

namespace aclmend::report {

struct CidrReport {
  Frame frame;
  std::string operation;  // union, intersect, subtract, covers, within, count
  AddressSet set;         // union, intersect, subtract, count
  AddressSet asked;       // covers, within
  AddressSet missing;     // covers: what the list does not hold of it
  std::string lines;      // within: the lines found, each ended by LF
};

namespace json {
std::string cidr(const CidrReport& report);
}
// The text form is for scripts: prefixes or lines and nothing else.
namespace terminal {
std::string cidr(const CidrReport& report);
}

}  // namespace aclmend::report
