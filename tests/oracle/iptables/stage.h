// A firewall in the running kernel: a network namespace with interfaces, addresses and routes, and a second
// one around it that holds the other ends of its cables, where packets are sent and arrive. Both are nameless
// and belong to this process alone: when it ends, in whichever way, they are gone, and no packet can leave
// them.
//
// Nothing is put into the path under test. What came to the host itself is read from raw sockets, which get
// their copy behind the last hook; what was sent on is read from the far ends of the cables. An ARP question
// behind the packets says that all of them are through: filters of IP do not see it, and it waits in the same
// queue.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sets/packet_set.h"
#include "tests/oracle/iptables/namespace.h"
#include "tests/oracle/iptables/plan.h"

namespace aclmend::oracle {

enum class Backend : std::uint8_t { nft, legacy };
std::string_view to_string(Backend backend);

struct RuleSet {
  Family family = Family::ipv4;
  Backend backend = Backend::nft;
  std::string sets;   // for `ipset restore`
  std::string rules;  // for `iptables-restore`
};

struct Probe {
  Packet packet;
  std::string ingress;
  bool operator==(const Probe&) const = default;
};

// What became of a packet.
struct Sight {
  enum class Where : std::uint8_t { nowhere, here, forwarded };
  Where where = Where::nowhere;
  Packet packet;       // as it arrived
  std::string egress;  // forwarded
};

class Stage {
 public:
  // Fails, with the reason, where this process may not make namespaces or a tool is missing.
  static Result<std::unique_ptr<Stage>> make(Plan plan = usual_plan());
  virtual ~Stage() = default;

  // A program inside the firewall, by its words and without a shell.
  virtual Result<Ran> run(const std::vector<std::string>& words, std::string_view in = {}) = 0;
  // Puts rules and sets in place of all there are; fails with what the tools said.
  virtual Result<void> load(const RuleSet& rules) = 0;
  // What the tools print of all that is loaded now.
  virtual Result<RuleSet> saved() = 0;
  virtual const Plan& plan() const = 0;
  // Each packet as the first of its connection, in this order.
  virtual Result<std::vector<Sight>> send(std::span<const Probe> probes) = 0;
};

}  // namespace aclmend::oracle
