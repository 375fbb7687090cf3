#include "report/cidr.h"

#include "base/text.h"
#include "report/json/document.h"
#include "sets/prefix_list.h"

namespace aclmend::report::json {
namespace {

// Counts are text: most of what IPv6 can count is beyond what JSON readers keep exactly.
template <class Point>
Json counts(const FlipSet<Point>& set, const AddressSet& alone) {
  return {{"addresses", address_count(set)}, {"prefixes", alone.prefixes().size()}};
}

Json lines_of(std::string_view text) {
  Json lines = Json::array();
  if (text.empty()) return lines;
  text.remove_suffix(1);
  for (const std::string_view line : split(text, '\n'))
    lines.push_back(line.substr(0, line.size() - (line.ends_with('\r') ? 1 : 0)));
  return lines;
}

}  // namespace

std::string cidr(const CidrReport& report) {
  const auto prefixes = [](const AddressSet& set) { return to_strings(set.prefixes()); };
  Json body = {{"operation", report.operation}};
  if (report.operation == "covers") {
    body["covered"] = report.missing.empty();
    body["asked"] = prefixes(report.asked);
    body["missing"] = prefixes(report.missing);
  } else if (report.operation == "within") {
    body["asked"] = prefixes(report.asked);
    body["lines"] = lines_of(report.lines);
  } else if (report.operation == "count") {
    body["ipv4"] = counts(report.set.v4, {report.set.v4, {}});
    body["ipv6"] = counts(report.set.v6, {{}, report.set.v6});
  } else {
    body["prefixes"] = prefixes(report.set);
  }
  return document("cidr", body, report.frame);
}

}  // namespace aclmend::report::json
