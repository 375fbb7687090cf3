// What `endpoints fetch`, `import`, `history`, `verify` and `pin` say: the commands that live on the store.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "endpoints/result.h"
#include "endpoints/verify.h"
#include "report/frame.h"

namespace aclmend::report {

enum class FetchOutcome : std::uint8_t { unchanged, fresh, refused, failed, asked_just_now };
std::string_view to_string(FetchOutcome outcome);  // "new", "asked-just-now"

struct FetchedInstance {
  endpoints::Instance instance = endpoints::Instance::worldwide;
  FetchOutcome outcome = FetchOutcome::unchanged;
  std::string version;               // that is in force now; empty: none is held
  std::string was;                   // new: the one before
  std::string asked;                 // asked-just-now: when, UTC
  std::vector<std::string> reasons;  // refused, failed: why
  std::string hint;                  // what to do about it
  std::vector<std::string> remarks;
  std::optional<endpoints::Difference> difference;  // new: of the rows of `flow` against the one before
};

struct EndpointsFetch {
  Frame frame;
  std::string flow;
  std::vector<FetchedInstance> instances;
};

// What became of a file, or of a list that its changes made.
struct ImportedList {
  std::string file;
  endpoints::Instance instance = endpoints::Instance::worldwide;
  std::string kind;     // "list", "changes", "made" (by changes)
  std::string version;  // or a date; of changes the last version they tell of
  std::string outcome;  // "added", "there-already", "beside"
  std::string how;      // "instance from its folder, version from its name"
  std::vector<std::string> remarks;
};

struct EndpointsImport {
  Frame frame;
  std::vector<ImportedList> lists;
};

struct EndpointsHistory {
  Frame frame;
  endpoints::Instance instance = endpoints::Instance::worldwide;
  std::string asked;  // which rows
  std::string flow;
  std::vector<endpoints::ReleaseChange> releases;
};

struct EndpointsVerify {
  Frame frame;
  std::string store;
  std::vector<endpoints::Verification> instances;
  std::vector<std::string> damages;
};

namespace terminal {
std::string endpoints_fetch(const EndpointsFetch& report);
std::string endpoints_import(const EndpointsImport& report);
std::string endpoints_history(const EndpointsHistory& report);
std::string endpoints_verify(const EndpointsVerify& report);
}  // namespace terminal

namespace json {
std::string endpoints_fetch(const EndpointsFetch& report);
std::string endpoints_import(const EndpointsImport& report);
std::string endpoints_history(const EndpointsHistory& report);
std::string endpoints_verify(const EndpointsVerify& report);
}  // namespace json

}  // namespace aclmend::report
