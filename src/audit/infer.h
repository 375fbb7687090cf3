// Who is the mail host, and where does the internet come in? Answered from the configuration, or refused with
// the choices.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "audit/result.h"
#include "base/error.h"
#include "inventory/result.h"
#include "model/question.h"

namespace aclmend::audit {

// A mail host as this device meets it.
struct Host {
  Address wire;                 // where packets to it are addressed (outbound flows: its own address)
  std::optional<Address> real;  // behind a translation
  std::optional<Span> translated_by;
};

struct Hosts {
  std::vector<Host> hosts;
  std::vector<Inference> inferred;
};

// Given addresses are looked up among the translations: a real address stands for each of its mapped ones.
// Without any, the host is what the configuration publishes on the flow's port. The Error names the choices.
Result<Hosts> mail_hosts(const model::Policy& policy, const inventory::Flow& flow,
                         const std::vector<Address>& given, std::string_view ingress);

struct Entrance {
  std::string interface;  // empty: this firewall has no named interfaces
  std::optional<Inference> inferred;
};
// Where untrusted traffic enters: the interface of the default route, else the least trusted one.
Result<Entrance> entrance(const model::Policy& policy);
// Where an inside address enters: the interface that is connected to it.
Result<Entrance> entrance_of(const model::Policy& policy, Address inside);

// Whether the device translates the address, has it connected, or names it in an enabled rule of a list in
// use.
bool knows(const model::Policy& policy, Address host);

// Whether some translation leads to it: it is the real side of a wire address.
bool is_published(const model::Policy& policy, Address real);

Line line_at(const model::Policy& policy, Span span, std::string rule = {}, std::string role = {});
Line line_of_rule(const model::Policy& policy, model::RuleRef rule, std::string role = {});

}  // namespace aclmend::audit
