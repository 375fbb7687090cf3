// One flow to one mail host on one device: the cut of the required addresses, and who took each part.
// (Private to the folder: audit.cc makes it, findings.cc and exposure.cc read it.)
#pragma once
#include <map>
#include <string>
#include <vector>

#include "audit/infer.h"
#include "audit/obstacle.h"
#include "audit/question.h"

namespace aclmend::audit {

// Addresses with one verdict by one decider (permit: who permits; deny: who denies; unknown: both).
struct Group {
  model::Verdict verdict = model::Verdict::unknown;
  model::Decider permit_by, deny_by;
  AddressSet addresses;
  PortSet denied_ports;           // of the asked source ports, where not all are denied
  std::size_t more_deciders = 0;  // lines of a hostile list that are told together
};

struct Cut {
  AddressSet permitted, blocked, unknown;
  std::vector<Group> groups;  // in the order of their first address
};

// What was asked, and everything a finding about it needs.
struct Examined {
  const Question* question = nullptr;
  const inventory::Flow* flow = nullptr;
  Host host;
  model::Context context;  // with the ingress that was given or inferred
  std::string ingress;
  model::Slice slice;              // inbound: to the host
  AddressSet required;             // of the host's family
  AddressSet required_everywhere;  // of both
  AddressSet companions;           // what the other flows asked here require of the port, and what is coming
  std::vector<endpoints::Coming> coming;  // of the host's family: published, in use from a day on
  Cut coming_cut;                         // of all of these
  Packet seen;                            // a required packet as the last filter sees it
  Cut cut;                                // of the required addresses
  Cut others;                             // of everybody else (inbound flows)
  bool other_family_is_open = false;

  const model::Policy& policy() const { return *question->policy; }
  // The packet of a required address on the wire, from a usual source port.
  Packet packet(Address peer) const;
};

// Cuts the ranges of one answer by the addresses asked about.
Cut cut_of(const std::vector<model::SourceRange>& ranges, const AddressSet& asked);

// What is blocked or unknown, in the order of the first address, with the causes of what is blocked.
std::vector<Obstacle> obstacles_of(const Examined& examined);
// The findings about them.
std::vector<Finding> required_findings(const Examined& examined, const std::vector<Obstacle>& obstacles);
// Who else gets through, stale ranges in the rules that let them, SMTP inspection on the way.
std::vector<Finding> exposure_findings(const Examined& examined);

// A finding about a check with the fields that all share; `about` keeps findings of one line apart.
Finding finding_about(const Examined& examined, Code code, Severity severity, std::string_view about,
                      const model::Decider& by);

// The share of the required addresses of its first family: "60 % of the sending IPv4 addresses".
std::string share_of(const AddressSet& part, const AddressSet& whole, std::string_view whose);

}  // namespace aclmend::audit
