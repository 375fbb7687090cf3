#include "tests/oracle/iptables/plan.h"

#include <algorithm>

namespace aclmend::oracle {

std::vector<Address> Plan::own(Family family) const {
  std::vector<Address> all;
  for (const Port& port : ports)
    for (const Address address : port.addresses)
      if (address.family == family) all.push_back(address);
  return all;
}

bool Plan::is_own(Address address) const {
  return std::ranges::any_of(ports, [&](const Port& port) {
    return std::ranges::find(port.addresses, address) != port.addresses.end();
  });
}

std::string_view Plan::egress_to(Address address) const {
  std::string_view best;
  int length = -1;
  for (const Port& port : ports)
    for (const Prefix& route : port.routes) {
      if (!route.contains(address) || route.length <= length) continue;
      best = port.name;
      length = route.length;
    }
  return best;
}

const Plan& usual_plan() {
  static const Plan plan = [] {
    struct Row {
      std::string_view name;
      std::vector<std::string_view> addresses, routes;
    };
    const std::vector<Row> rows{
        {"eth0", {"203.0.113.1", "203.0.113.2", "2001:db8:0:1::1", "2001:db8:0:1::2"}, {"0.0.0.0/0", "::/0"}},
        {"eth1", {"10.1.0.1", "2001:db8:1::1"}, {"10.0.0.0/8", "2001:db8:1::/48"}},
        {"ppp0", {"198.51.100.1", "2001:db8:9::1"}, {"172.16.0.0/12", "2001:db8:9::/48"}},
        {"br-lan", {"192.168.1.1", "fd00::1"}, {"192.168.0.0/16", "fd00::/8"}},
        {"eth", {"192.0.2.1", "2001:db8:8::1"}, {"192.0.2.0/24", "2001:db8:8::/48"}},
    };
    Plan made;
    for (const Row& row : rows) {
      Port port{std::string(row.name), {}, {}};
      for (const std::string_view address : row.addresses) port.addresses.push_back(*parse_address(address));
      for (const std::string_view route : row.routes) port.routes.push_back(*parse_prefix(route));
      made.ports.push_back(std::move(port));
    }
    return made;
  }();
  return plan;
}

bool is_ordinary(const Packet& packet) {
  static const std::vector<Prefix> odd = [] {
    std::vector<Prefix> all;
    for (const std::string_view text :
         {"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32", "::/127",
          "::ffff:0:0/96", "fe80::/10", "ff00::/8"})
      all.push_back(*parse_prefix(text));
    return all;
  }();
  return std::ranges::none_of(odd, [&](const Prefix& prefix) {
    return prefix.contains(packet.source) || prefix.contains(packet.destination);
  });
}

}  // namespace aclmend::oracle
