// What `fix` says: the snippet with its proof, or why there is none.
#pragma once
#include <string>
#include <vector>

#include "endpoints/result.h"
#include "fix/result.h"
#include "report/frame.h"

namespace aclmend::report {

// How this vendor's text is written.
struct Dialect {
  std::string comment;  // begins a line that is no command
  std::string save, confirmed, effect;
};

struct FixReport {
  Frame frame;
  endpoints::Release release;      // its rows are not printed
  std::vector<std::string> files;  // of the device, as given
  std::string scope;               // the context, where the file holds several firewalls
  std::string typed;               // the options that decided the question, for commands to type next
  bool settles_unknown = false;
  std::string vendor;
  // What identifies the running configuration, and the command that tells it: in pairs.
  std::vector<std::string> made_for;
  Dialect dialect;
  std::vector<std::string> at_once;  // the snippet as one step, where the vendor has such a thing
  fix::Mend mend;
};

namespace json {
std::string fix(const FixReport& report);
}
namespace terminal {
// The snippet; all else is a comment. Of a refusal: nothing.
std::string fix(const FixReport& report);
// Why it was refused, for stderr.
std::string fix_refused(const FixReport& report);
// The live commands alone.
std::string rollback(const FixReport& report);
}  // namespace terminal

}  // namespace aclmend::report
