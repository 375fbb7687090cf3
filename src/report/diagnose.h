// What `diagnose` says, ready to be written.
#pragma once
#include <string>

#include "diagnose/result.h"
#include "report/frame.h"

namespace aclmend::report {

struct DiagnoseReport {
  Frame frame;
  diagnose::Diagnosis diagnosis;
};

namespace json {
std::string diagnose(const DiagnoseReport& report);
}
namespace terminal {
std::string diagnose(const DiagnoseReport& report);
}

}  // namespace aclmend::report
