// What `audit` says of one device or a fleet, ready to be written.
#pragma once
#include <string>
#include <vector>

#include "audit/result.h"
#include "endpoints/result.h"
#include "report/frame.h"

namespace aclmend::report {

struct AuditedDevice {
  std::string name;    // "edge", "fw/tenant-a"
  std::string vendor;  // its id; empty where the file could not be read
  std::string file;
  std::string scope;
  std::string summary;  // "Cisco ASA 9.16(4), running configuration"
  std::vector<std::string> not_examined;
  std::vector<std::string> assumed;
  LineCounts lines;
  audit::DeviceAudit audit;
};

struct AuditReport {
  Frame frame;
  endpoints::Release release;  // its rows are not printed
  std::vector<AuditedDevice> devices;
  std::vector<audit::Finding> findings;  // merged and sorted
  std::string mend;                      // the command that mends what is blocked; empty: there is none
  struct {
    std::size_t error = 0, warning = 0, note = 0, unreadable = 0, not_asked = 0;
  } summary;
};

namespace json {
std::string audit(const AuditReport& report);
}
namespace terminal {
std::string audit(const AuditReport& report);
}

}  // namespace aclmend::report
