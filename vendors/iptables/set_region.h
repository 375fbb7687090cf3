// What the elements of one set say about packets, before flags tell which part of a packet is meant (private
// to set_match). Everything here is a list of disjoint parts; what no part mentions is not in the set.
#pragma once
#include <string>
#include <vector>

#include "model/policy.h"
#include "sets/address_set.h"
#include "vendors/iptables/ipset.h"

namespace aclmend::iptables {

// First addresses whose second ones are certainly, or possibly, in the set.
struct PairCell {
  AddressSet first, certain, possible;
  bool operator==(const PairCell&) const = default;
};

// Protocols and ports on whichever side is asked.
struct Services {
  enum class Kind : std::uint8_t { any, ports, icmp, portless };
  Kind kind = Kind::any;
  ProtocolSet protocols = ProtocolSet::all();
  PortSet ports = PortSet::all();  // ports: those. icmp: one, type << 8 | code
  bool operator==(const Services&) const = default;
};

struct Layer {  // services of different layers share nothing
  Services services;
  std::vector<PairCell> cells;
};

// First addresses with the marks that go with them, or the interfaces: index into IpSet::names << 1, and one
// more where the name is only the beginning.
struct KeyCell {
  AddressSet first;
  std::vector<std::uint32_t> certain, possible;  // ascending; certain is within possible
};

struct Region {
  std::vector<Layer> layers;
  std::vector<KeyCell> keys;  // of hash:ip,mark and hash:net,iface; these have no layers
  std::vector<model::Condition> conditions;
};

// The set is known, and of the rule's family or of both. Types but list:set.
Region region_of(const IpSet& set, Family family, bool return_nomatch);

}  // namespace aclmend::iptables
