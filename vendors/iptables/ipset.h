// ipsets in ipset's own words: what a set holds, element by element, as `ipset save` prints it. What packets
// that means is set_match's business.
//
// Sets of two million networks are met in the field, so an element is 32 bytes: its words are not kept, only
// the place where they stand. Second addresses of IPv6 stand beside (48 bytes then).
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/source.h"
#include "sets/address.h"

namespace aclmend::iptables {

enum class SetType : std::uint8_t {
  bitmap_ip,
  bitmap_ip_mac,
  bitmap_port,
  hash_ip,
  hash_mac,
  hash_ip_mac,
  hash_net,
  hash_net_net,
  hash_ip_port,
  hash_net_port,
  hash_ip_port_ip,
  hash_ip_port_net,
  hash_ip_mark,
  hash_net_port_net,
  hash_net_iface,
  list_set,
  unknown,
};

// What stands between the commas of an element; a packet is looked up with as many src/dst flags.
enum class Part : std::uint8_t { none, ip, net, port, mac, mark, interface, set };

struct TypeFacts {
  std::string_view name;
  std::string_view old_name;  // before ipset 6
  std::array<Part, 3> parts{};
  bool has_family = true;  // "family inet|inet6"; else both, or IPv4 alone (bitmaps of addresses)
  bool has_nomatch = false;
};
const TypeFacts& facts(SetType type);
std::size_t dimensions(SetType type);
std::optional<SetType> set_type_named(std::string_view name);
// TCP, UDP, SCTP, UDP-Lite. ICMP has its type and code in their place, every other protocol 0.
bool has_ports_in_sets(std::uint8_t protocol);

// One element, packed. Which fields count is the type's business; see IpSet's functions.
struct Element {
  static constexpr std::uint32_t longest_timeout = 2147483;  // seconds; fits 24 bits

  // First address: IPv6 in both, IPv4 in low. High is the second address of IPv4 then, or the MAC of
  // hash:ip,mac. hash:mac has it in low; bitmap:ip,mac has one an address, so it is no part of the element.
  std::uint64_t high = 0, low = 0;
  std::uint32_t begin = 0;   // where its line begins in the source
  std::uint32_t detail = 0;  // protocol << 16 | port (ICMP: type << 8 | code), a mark, or an index into names
  std::uint32_t timeout : 24 = 0;  // seconds left; 0: for ever
  bool nomatch : 1 = false;
  bool doubtful : 1 = false;  // stands twice and says both yes and no
  bool exist : 1 = false;     // was added with -exist: replaces an equal one before it
  bool physdev : 1 = false;   // the interface is a bridge's port
  bool wildcard : 1 = false;  // the interface's name is the beginning of names
  bool has_mac : 1 = false;   // bitmap:ip,mac: the first packet fills it in where it is missing
  std::uint8_t spare : 2 = 0;
  std::uint16_t source = 0;
  std::uint8_t length = 0, second_length = 0;  // of the prefixes; hosts have the full length

  std::uint8_t protocol() const { return static_cast<std::uint8_t>(detail >> 16); }
  std::uint16_t port() const { return static_cast<std::uint16_t>(detail); }
};
static_assert(sizeof(Element) == 32);

// The elements of a set in the order of the file, and an index that is made when somebody first looks for
// one. Equal are elements that ipset does not store side by side: nomatch and timeout do not tell them apart.
class Elements {
 public:
  std::size_t size() const { return list_.size(); }
  bool empty() const { return list_.empty(); }
  const Element& operator[](std::size_t i) const { return list_[i]; }
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }
  // The second address of an IPv6 element.
  V6 second(std::size_t i) const { return i < seconds_.size() ? seconds_[i] : 0; }

  void append(const Element& element, V6 second = 0);
  std::optional<std::size_t> find(const Element& element, V6 second = 0);
  void replace(std::size_t i, const Element& element) { list_[i] = element; }  // an equal one
  void erase(std::size_t i);                                                   // the last one takes its place
  void clear();

  struct EqualPair {
    std::uint32_t first = 0, later = 0;
  };
  // Where elements that were appended equal others before them, ascending by the later ones.
  std::vector<EqualPair> equal_pairs();
  void erase_later(std::span<const EqualPair> pairs);

  void shrink();  // no more memory than they need, and no index
  std::size_t bytes() const {
    return list_.capacity() * sizeof(Element) + seconds_.capacity() * sizeof(V6) +
           slots_.capacity() * sizeof(Slot);
  }

 private:
  struct Slot {  // open addressing
    std::uint32_t hash = 0, index = free;
  };
  static constexpr std::uint32_t free = ~std::uint32_t{0};
  std::uint64_t hash(const Element& element, V6 second) const;
  bool equal(std::size_t i, const Element& element, V6 second) const;
  struct Found {
    std::size_t slot = 0, steps = 0;
  };
  Found slot_of(std::uint64_t hash, const Element& element, V6 second) const;
  std::vector<EqualPair> make_index();
  bool fill_index(std::vector<EqualPair>& pairs, std::size_t most_steps);
  void forget_slot(std::size_t slot);

  std::vector<Element> list_;
  std::vector<V6> seconds_;  // empty where no element has one
  std::vector<Slot> slots_;  // empty: not made
  std::uint64_t seed_ = 0;   // another one where a hostile file's elements meet in one place
};

struct SetOptions {
  std::uint32_t maxelem = 65536;
  std::optional<std::uint32_t> timeout;  // the set knows timeouts; this is the default
  bool counters = false, comment = false, skbinfo = false, forceadd = false;
  std::optional<int> netmask;  // addresses are cut to this length before they are looked up
  std::uint32_t markmask = 0xFFFFFFFF;
  V4 first = 0, last = 0;  // of a bitmap: addresses or ports
};

struct IpSet {
  // Why nothing is known of what it holds.
  struct Doubt {
    std::string why;
    Span span;
    bool is_lasting = false;  // about the set itself: without elements it is no clearer
  };

  std::string name;
  std::string type_name;  // as written
  SetType type = SetType::unknown;
  std::optional<Family> family;  // none: both
  SetOptions options;
  bool has_members = true;  // `ipset list -t` prints none
  bool is_used = false;     // by a rule: cannot be destroyed or renamed
  std::uint32_t lists = 0;  // how many lists hold it: neither
  std::optional<Doubt> doubt;
  Elements elements;
  std::vector<std::string> names;  // interfaces, or the members of a list:set
  Span span;                       // the line that creates it

  bool is_known() const { return has_members && !doubt; }
  Address first(const Element& element) const;  // its network, where it is a prefix
  Address second(std::size_t i) const;
  Prefix first_prefix(const Element& element) const;
  Prefix second_prefix(std::size_t i) const;
  std::uint32_t name_id(std::string_view text);  // made on first use
  std::optional<std::uint32_t> known_name(std::string_view text) const;

 private:
  std::unordered_map<std::string, std::uint32_t> name_ids_;
};

// The word of the element as `ipset save` prints it: "10.0.0.0/8,tcp:25".
std::string element_text(const IpSet& set, std::size_t i);

inline constexpr std::size_t most_elements = 2'000'000;    // of a set
inline constexpr std::size_t most_members = 65'536;        // of a list:set
inline constexpr std::size_t most_sets = 65'534;           // as many as the kernel has
inline constexpr std::size_t most_altogether = 8'000'000;  // elements that commands may touch
inline constexpr std::size_t longest_set_name = 31;

struct IpSets {
  std::vector<IpSet> sets;
  std::size_t touched = 0;  // elements added and deleted ever, whatever became of them

  const IpSet* named(std::string_view name) const;
  IpSet* named(std::string_view name);
  IpSet& add(IpSet set);  // its name is new
  void remove(std::string_view name);
  void rename(std::string_view from, std::string_view to);
  void swap(std::string_view a, std::string_view b);  // the contents change their names
  void count_lists();                                 // IpSet::lists of all, after lists were read

 private:
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace aclmend::iptables
