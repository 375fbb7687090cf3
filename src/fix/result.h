// What a mend hands out: the snippet with its rollback and its proof, or the reason why there is none.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/result.h"
#include "model/policy.h"
#include "sets/packet_set.h"

namespace aclmend::fix {

// Packets that a change answers otherwise than before, with who answered and who answers.
struct ChangedPackets {
  Box packets;                                      // as they are on the wire
  std::map<model::Dimension, std::string> context;  // absent: the same for each
  std::optional<audit::Line> before, after;         // none: a default, or unknown
};

struct Proof {
  std::vector<ChangedPackets> newly_permitted, newly_denied, newly_unknown;
  std::vector<ChangedPackets> beyond_required;  // newly permitted, and nobody asked for it
  audit::SecondCount second_count;
};

// An edit that was thought of and does not do, and why.
struct Tried {
  std::string edit;    // "member into EOP-NETS"
  std::string reason;  // "would also open tcp/443 to 10.1.1.30"
  std::optional<audit::Line> at;
};

// What was missing of one flow to one host, and who stopped it.
struct Mended {
  std::string flow;
  AddressSet addresses;  // the sources; of an outbound flow the destinations
  bool is_inbound = true;
  Address destination;                   // on the wire; of an outbound flow the host it leaves from
  std::optional<Address> translated_to;  // as the filter sees it
  std::string service;                   // "tcp/25"
};

enum class Status : std::uint8_t {
  nothing_to_do,
  proved,
  refused,
};

struct Mend {
  std::string error;          // the device could not be judged: why; nothing else counts then
  audit::DeviceAudit before;  // as it is today
  Status status = Status::nothing_to_do;
  std::string reason;                          // of a refusal
  std::vector<std::string> snippet, rollback;  // whole sessions; empty when refused
  std::vector<std::string> verify, notes;
  std::vector<std::string> codes;  // of the findings that are mended: "ACM003"
  std::vector<Mended> missing;
  std::vector<std::string>
      because;  // why nothing beyond: "EOP-NETS is used by OUTSIDE_IN line 4 and nowhere else"
  std::vector<Tried> tried;
  std::vector<std::string> to_go_on;  // conditions that could be settled: "time-range OFFICE=off"
  Proof proof;
  AddressSet still_unknown;  // required addresses that hang on what is not known, after the mend
};

}  // namespace aclmend::fix
