// From the files of an outage, each recognised by its content, to the facts that a diagnosis is made of.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/lines.h"
#include "cli/asking.h"
#include "diagnose/gather.h"
#include "report/frame.h"

namespace aclmend::cli {

enum class InputKind : std::uint8_t { unknown, evidence, configuration, inventory };

struct OutageInput {
  std::string name;  // as it was given; "standard input", "--trace-text"
  InputKind kind = InputKind::unknown;
  std::optional<std::string> text;  // where it is no file
};

struct GatherOptions {
  AskOptions ask;  // its `device.files` are left out
  std::string host;
  std::optional<std::int16_t> zone;
  bool shows_unread = false;
  bool wants_digests = false;
};

struct Gathered {
  diagnose::Facts facts;
  report::Frame frame;
  std::string diagnostics;        // of configurations, as people read them
  bool has_unread_input = false;  // something that was named could not be read or judged
};

// Sets the kind of those that do not have one yet. Fails for a file that cannot be opened.
Result<bool> recognise(OutageInput& input);

// Reads configurations first, then error texts, then logs: the packet of an error's minute is looked for in
// them. What cannot be read is said on `err` and leaves the rest standing. Fails for a usage error.
Result<Gathered> gathered(const std::vector<OutageInput>& inputs, const GatherOptions& options,
                          Streams& streams);

// Looks the mail host up and asks it, from here.
void probe_from_here(diagnose::Facts& facts, const std::string& host);

}  // namespace aclmend::cli
