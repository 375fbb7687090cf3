// What the `endpoints` commands say, ready to be written.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "endpoints/lists.h"
#include "endpoints/result.h"
#include "report/frame.h"

namespace aclmend::report {

struct EndpointsShow {
  Frame frame;
  endpoints::Release release;
  std::string asked;  // "Exchange rows with TCP 25 and addresses"
  std::string flow;   // its id; empty: every row
  AddressSet prefixes;
  std::vector<endpoints::Row> rows;
  std::vector<endpoints::Listing> listings;  // of these rows, in their order
};

struct EndpointsDiff {
  Frame frame;
  endpoints::Release before;
  endpoints::Release after;
  std::string asked;
  std::string flow;
  endpoints::Difference difference;
};

struct EndpointsCovers {
  Frame frame;
  std::vector<endpoints::Release> releases;
  std::string asked;  // what counts: "any row", "Exchange rows with TCP 25 and addresses"
  endpoints::Coverage coverage;
};

struct EndpointsExport {
  Frame frame;
  endpoints::List list;
};

namespace json {
std::string endpoints_show(const EndpointsShow& report);
std::string endpoints_diff(const EndpointsDiff& report);
std::string endpoints_covers(const EndpointsCovers& report);
std::string endpoints_export(const EndpointsExport& report);
}  // namespace json

namespace terminal {
std::string endpoints_show(const EndpointsShow& report);
std::string endpoints_diff(const EndpointsDiff& report);
std::string endpoints_covers(const EndpointsCovers& report);
}  // namespace terminal

}  // namespace aclmend::report
