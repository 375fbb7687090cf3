// A prefix into a set: the command that adds it so that the set then holds all of it and nothing else
// besides, and the one that takes it out again; or the reason why this set cannot take it.
#pragma once
#include <expected>
#include <optional>
#include <string>

#include "sets/address_set.h"
#include "vendors/iptables/ipset.h"

namespace aclmend::iptables {

struct WantedService {
  std::uint8_t protocol = aclmend::protocol::tcp;
  std::uint16_t port = 0;
};

struct SetAddition {
  std::string element;  // "52.100.0.0/14,tcp:25"
  std::string command,
      rollback;  // "ipset add EOP 52.100.0.0/14 -exist", "ipset del EOP 52.100.0.0/14 -exist"
  std::optional<std::uint32_t> had;  // seconds that it would have stayed: it is there, and made to stay
};

// The service counts for sets with ports alone. The reason is a clause: "set 'EOP' is full: its maxelem is
// 65536".
std::expected<SetAddition, std::string> addition(const IpSet& set, const Prefix& prefix,
                                                 std::optional<WantedService> service);

// The name as a word of a shell's command line; none where it holds what no name should.
std::optional<std::string> quoted_for_shell(std::string_view name);

}  // namespace aclmend::iptables
