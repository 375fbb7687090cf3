#include "report/cidr.h"

#include <fmt/format.h>

#include "sets/prefix_list.h"

namespace aclmend::report::terminal {

std::string cidr(const CidrReport& report) {
  if (report.operation == "within") return report.lines;
  if (report.operation == "covers") return to_list(report.missing);
  if (report.operation != "count") return to_list(report.set);
  const AddressSet v4(report.set.v4, {}), v6({}, report.set.v6);
  return fmt::format("ipv4 {} prefixes {} addresses\nipv6 {} prefixes {} addresses\n", v4.prefixes().size(),
                     address_count(v4.v4), v6.prefixes().size(), address_count(v6.v6));
}

}  // namespace aclmend::report::terminal
