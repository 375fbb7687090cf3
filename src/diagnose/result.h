// What a diagnosis hands out: eight steps from the error text to the cause, each ok, not ok, or not known
// with what would settle it; the causes that this leaves, ranked; and what to type next.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aclmend::diagnose {

struct Place {
  std::string file;
  std::uint64_t line = 0;  // 0: the file as a whole
  std::string text;        // the line itself, as it stands there
  bool operator==(const Place&) const = default;
};

enum class Status : std::uint8_t { ok, not_ok, not_known };
std::string_view to_string(Status status);  // "ok", "not-ok", "not-known"

// One statement, and what shows it: "edge.cfg:377", "from 10.9.0.4", "list 2025120100".
struct Row {
  std::string text;
  std::string shown_by;
};

struct Step {
  std::string_view id;     // "error-text", in the order of the story
  std::string_view title;  // "error text"
  Status status = Status::not_known;
  std::vector<Row> rows;  // at least one
  std::vector<Place> evidence;
  std::string settle;  // of a step that is not known: the command or path that would tell
};

enum class Confidence : std::uint8_t { possible, likely, certain };
std::string_view to_string(Confidence confidence);

struct Cause {
  std::string cause;  // "group EOP-NETS lost 2 members: EOP-52-100, EOP-104-47"
  Confidence confidence = Confidence::possible;
  std::string because;  // "the rules show it"
  std::vector<std::string> supports = {}, contradicts = {};
};

struct Action {
  std::string purpose;  // "to mend it"
  std::string command;  // as it is typed; or a path
  std::string remark;
};

struct Diagnosis {
  std::vector<std::string> plain;  // two sentences for somebody who knows nothing of firewalls
  std::vector<Step> steps;
  std::vector<Cause> causes;  // the likeliest first
  std::vector<Row> also;      // what else was noticed
  std::vector<Row> clocks;    // what is assumed of clocks
  std::vector<Action> next;
  bool has_unjudged = false;  // something that was given could not be read or judged
};

}  // namespace aclmend::diagnose
