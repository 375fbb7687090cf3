// What `flows` says: the required flows in force, and whether files of flows can be used.
#pragma once
#include <string>
#include <vector>

#include "inventory/result.h"
#include "report/frame.h"

namespace aclmend::report {

struct FlowsReport {
  Frame frame;
  std::vector<inventory::Flow> flows;
};

struct FlowsCheck {
  struct File {
    std::string file;
    std::string id;  // empty: it cannot be used
  };
  Frame frame;
  std::vector<File> files;
};

namespace json {
std::string flows_list(const FlowsReport& report);
std::string flows_show(const FlowsReport& report);
std::string flows_check(const FlowsCheck& report);
}  // namespace json
namespace terminal {
std::string flows_list(const FlowsReport& report);
std::string flows_show(const FlowsReport& report);
std::string flows_check(const FlowsCheck& report);
}  // namespace terminal

}  // namespace aclmend::report
