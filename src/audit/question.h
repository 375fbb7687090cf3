// What is asked of one device: the flows, the mail host, the way. What is not given is inferred and said.
#pragma once
#include <chrono>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/result.h"
#include "base/clock.h"
#include "base/error.h"
#include "endpoints/changes.h"
#include "endpoints/result.h"
#include "inventory/result.h"
#include "model/question.h"

namespace aclmend::audit {

enum class Inferring : std::uint8_t { allowed, refused };  // --strict refuses

// What of these rows is published, and in use from a later day on only; none: nothing is known of that.
using ComingOf = std::function<std::vector<endpoints::Coming>(const endpoints::Selection&)>;

struct Question {
  std::string device;  // its name, part of every fingerprint
  const model::Policy* policy = nullptr;
  model::Context context;   // ingress, egress, assumptions, as far as given
  std::vector<Address> to;  // mail hosts; empty: inferred
  std::vector<const inventory::Flow*> flows;
  const endpoints::Release* release = nullptr;
  ComingOf coming;
  Inferring inferring = Inferring::allowed;
  bool only_if_known = false;  // came by a glob: not asked unless it knows the mail host
  // The device's own commands for a packet on the wire.
  std::function<std::vector<std::string>(const Packet&, std::string_view ingress)> verify;
};

// Fails only where our two ways of counting disagree: then nothing that was worked out may be printed.
Result<DeviceAudit> audit(const Question& question);

// The rows that a flow is about; none for literal prefixes.
std::optional<endpoints::Selection> selection_of(const inventory::Flow& flow);

// What a flow requires of this release: the sources (inbound) or destinations (outbound), before the cut to
// the mail host's families.
Result<AddressSet> required_addresses(const inventory::Flow& flow, const endpoints::Release& release);
// The same by the day: what is in use, and what will be.
struct Required {
  AddressSet now;
  std::vector<endpoints::Coming> coming;
};
Result<Required> required_of(const inventory::Flow& flow, const endpoints::Release& release,
                             const ComingOf& coming);

// ACM050: the list was last checked longer ago than `max_age`, or nobody knows when. `checked` is a date or
// empty.
std::optional<Finding> unchecked_list(const endpoints::Release& release, const std::string& checked,
                                      std::chrono::days max_age, Time today);

// The id of a finding: a digest of what names it, which holds no ranges, no line number and no code.
std::string fingerprint(std::initializer_list<std::string_view> parts);

// Findings of all devices: equal causes at a shared line become one, then severity, device, flow, line,
// ranges.
std::vector<Finding> merged(std::vector<Finding> findings);

}  // namespace aclmend::audit
