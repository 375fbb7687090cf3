// What `-m set --match-set NAME src,dst` takes, as boxes of packets: the kernel looks up the parts of a
// packet that the flags name, one flag for each part of the set's elements.
//
// The rules of the lookup (measured on kernel 6.18, or read in net/netfilter/ipset where a type was not at
// hand): of networks the longest that holds the address decides, also when it says nomatch; with ports, the
// longest among those with this protocol and port; with interfaces, the longest with any interface. TCP, UDP,
// SCTP and UDP-Lite have ports, ICMP its type and code, every other protocol is looked up with port 0;
// bitmap:port knows TCP and UDP alone. Fewer flags than parts: never. A list:set matches where one of its
// members does. --return-nomatch turns yes and no of the elements around, in types that know nomatch.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/policy.h"
#include "sets/address_set.h"
#include "vendors/iptables/ipset.h"

namespace aclmend::iptables {

// All fields must hold. Source and destination are of the rule's family.
struct MatchBox {
  AddressSet source, destination;
  model::ServiceBox service;
  std::vector<model::ContextTerm> context{};
  std::vector<model::MarkTest> marks{};
  bool operator==(const MatchBox&) const = default;
};

struct MatchBoxes {
  std::vector<MatchBox> certain;             // disjoint
  std::vector<MatchBox> possible;            // disjoint; begins with the certain ones
  std::vector<model::Condition> conditions;  // what the rest of them hangs on; empty where there is none

  std::span<const MatchBox> open() const { return std::span(possible).subspan(certain.size()); }
};

// Of a test that asks about one address and nothing else: what an address place of a rule can refer to.
struct SetAddresses {
  AddressSet certain, possible;
  std::vector<model::Condition> conditions;
};

enum class Flag : std::uint8_t { src, dst };
// "src,dst", up to six; nothing where iptables refuses them.
std::optional<std::vector<Flag>> parse_flags(std::string_view text);

struct SetTest {
  std::string_view name;
  std::vector<Flag> flags;
  bool negated = false;
  bool return_nomatch = false;
  Family family = Family::ipv4;  // of the rule
};

// More boxes than these are not made of one test: the rest becomes one that is merely possible.
inline constexpr std::size_t most_boxes = 4096;

// The answers for the sets of one policy, each worked out once.
class SetMatches {
 public:
  explicit SetMatches(const IpSets& sets) : sets_(sets) {}
  SetMatches(const SetMatches&) = delete;
  SetMatches& operator=(const SetMatches&) = delete;

  const MatchBoxes& boxes(const SetTest& test);
  // Null where the test asks about more, or less, than one address (which one says the first flag).
  const SetAddresses* addresses(const SetTest& test);

 private:
  struct Key {
    std::string name;
    std::vector<Flag> flags;
    bool negated = false, return_nomatch = false;
    Family family = Family::ipv4;
    auto operator<=>(const Key&) const = default;
  };
  static Key key_of(const SetTest& test, std::size_t flags);
  std::optional<SetAddresses> work_out_addresses(const SetTest& test);
  MatchBoxes work_out(const SetTest& test);
  MatchBoxes work_out_list(const IpSet& list, const SetTest& test);
  // Elements are looked at so often and no more: then everything is possible, too complex.
  bool spend(std::size_t elements);

  const IpSets& sets_;
  std::size_t left_ = 50'000'000;
  std::map<Key, MatchBoxes> boxes_;
  std::map<Key, std::optional<SetAddresses>> addresses_;  // without flags
};

MatchBoxes boxes_of(const IpSets& sets, const SetTest& test);

}  // namespace aclmend::iptables
