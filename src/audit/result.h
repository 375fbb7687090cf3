// What an audit hands out: per device the checks (one a flow and mail host), and the findings, each a cause.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/codes.h"
#include "base/diagnostic.h"
#include "sets/packet_set.h"

namespace aclmend::audit {

// A line of an input, as reports quote it. `rule` is the vendor's own name for it, where it is a rule.
struct Line {
  std::string rule;
  std::string file;
  std::uint32_t line = 0;
  std::string text;
  std::string role;  // for related lines: what it has to do with the finding
};

enum class Status : std::uint8_t { pass, fail, unknown, not_applicable };
std::string_view to_string(Status status);

// A part of the required addresses with one answer by one line; for the table people read.
struct Stretch {
  AddressSet addresses;
  Status status = Status::pass;
  std::optional<Line> by;  // the deciding line
  std::string implicit;    // or the sentence of the default
};

struct Check {
  std::string flow;
  std::string flow_title;
  Severity severity = Severity::error;
  bool is_companion = false;  // asked along with another flow (relay pool): in no table
  std::optional<Address>
      destination;  // the mail host's, on the wire (outbound: its own); none: not known here
  std::optional<Address> translated_to;
  std::uint8_t protocol = protocol::tcp;
  std::uint16_t port = 25;
  std::string ingress;           // where it comes in, given or inferred; may be empty
  std::vector<std::string> via;  // rules that let the permitted part through
  Status status = Status::pass;
  std::string reason;  // why not applicable, or why unknown
  AddressSet required, permitted, blocked, unknown;
  std::vector<Stretch> stretches;  // in address order
};

struct Finding {
  std::string id;  // fingerprint: no ranges, no line number, no code
  Code code = Code::blocked_by_deny;
  Severity severity = Severity::error;
  std::string title;
  std::string device;
  std::vector<std::string> devices;
  std::string flow;  // empty: about no flow
  AddressSet ranges;
  AddressSet destination;
  AddressSet translated_to;
  std::string service;                  // "tcp/25"
  std::optional<PortSet> source_ports;  // where not all asked source ports are concerned
  std::optional<Line> blocked_by;
  std::string implicit;        // the default's sentence, where it decides
  std::optional<Line> anchor;  // where to put a mark, when no line decides
  std::vector<Line> related;
  std::optional<Packet> witness;
  std::string explanation;
  std::string hint;
  std::vector<std::string> verify;
};

// Something that was worked out, with the line that shows it and the option that says it instead.
struct Inference {
  std::string what;  // "mail host 203.0.113.25 = 10.1.1.25 behind static NAT"
  std::optional<Line> shown_by;
  std::string option;  // "--to"
};

struct SecondCount {
  std::size_t packets = 0;
  std::size_t disagree = 0;
};

struct DeviceAudit {
  std::string error;  // could not be judged: why; then there are no checks
  std::vector<Inference> inferred;
  std::vector<Check> checks;
  std::vector<Finding> findings;
  SecondCount second_count;
};

}  // namespace aclmend::audit
