// The grammar of an access list entry ("Access Control Lists" in the Firewall CLI guide):
//
//   {permit|deny} PROTO [USER] [SGT] SRC [SPORT] [SGT] DST [DPORT | ICMP] [log …] [time-range T] [inactive]
//
// Words in, words out: names are not looked up, but for the one thing that only a definition decides: whether
// `object-group G` after the source holds ports or is the destination already.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "vendors/cisco_asa/document.h"
#include "vendors/words.h"

namespace aclmend::cisco_asa {

struct AddressPlace {
  enum class Kind : std::uint8_t {
    any,  // its families hang on the version
    any4,
    any6,
    v4,        // first/length
    unpaired,  // the same, but host bits were set below the mask: the device may have refused it
    masked,    // first with the bits of `last`: a netmask with holes
    range,     // first to last
    v6,        // `name` as it is written: an address or a prefix
    range6,    // `name` to `name2`
    object,
    group,
    interface,
    fqdn,
    network_service,
    unknown_alias,
  };
  Kind kind = Kind::any;
  std::uint8_t length = 0;
  V4 first = 0;
  V4 last = 0;
  std::string_view name;
  std::string_view name2;
  bool operator==(const AddressPlace&) const = default;
};

struct PortPlace {
  enum class Kind : std::uint8_t { any, range, neq, group, unknown_name };
  Kind kind = Kind::any;
  std::uint16_t first = 0;
  std::uint16_t last = 65535;
  std::string_view name;  // group, unknown_name
  bool operator==(const PortPlace&) const = default;
};

struct Ace {
  enum class Protocol : std::uint8_t { ip, number, object, group };
  // How far the words were understood; what stands behind is anything.
  enum class Reach : std::uint8_t { nothing, action, protocol, source, destination, all };

  enum class Log : std::uint8_t { by_default, on, off };

  bool is_permit = false;
  bool is_inactive = false;
  Log log = Log::by_default;
  Protocol protocol = Protocol::ip;
  std::uint8_t number = 0;
  Reach reach = Reach::nothing;
  std::string_view protocol_name;
  AddressPlace source, destination;
  PortPlace source_port, destination_port;  // ICMP: type and code
  std::string_view user, source_tag, destination_tag, time_range;
  std::string_view log_level, log_interval;  // as written; empty: the device's defaults
  std::string_view unpaired;                 // a mask that does not fit its address
  std::string_view odd_octet;                // an address with a leading zero in an octet
  std::string_view odd_log;                  // a log tail nobody knows: without effect on what matches
  std::string_view undefined_group;          // after the source: ports or destination, nobody can say
  std::string_view fault_word;
  std::string fault;  // what was expected; empty: all is understood
  bool operator==(const Ace&) const = default;
};

// `words` stand behind "access-list NAME [line N] [extended]".
Ace parse_ace(Words words, const Configuration& configuration);

// The same for an entry of the plainest kind, whose text stands behind "access-list NAME extended "; none: it
// is of another kind, or at fault.
std::optional<Ace> plain_ace(std::string_view words, const Configuration& configuration);
// An address alone, as members of groups hold it; the text begins with the blank before it.
std::optional<AddressPlace> plain_address(std::string_view words, const Configuration& configuration);

// SRC or DST alone, as objects, groups and NAT lines hold them too.
struct AddressResult {
  AddressPlace place;
  std::string fault;
  std::string_view fault_word;
  std::string_view odd_octet;
  std::string_view unpaired;
};
AddressResult parse_address_place(Words& words, const Configuration& configuration);
// `A MASK`, `ALIAS MASK`, `V6/len`, or a bare address or alias with neither (a host).
AddressResult parse_network(Words& words, const Configuration& configuration);
// `eq P`, `neq P`, `lt P`, `gt P`, `range A B`; no such operator: any, and no word is taken.
struct PortResult {
  PortPlace place;
  std::string fault;
  std::string_view fault_word;
};
enum class PortTable : std::uint8_t;
PortResult parse_port_place(Words& words, PortTable table);

// The name as it is defined: `show access-list` prints groups with an internal id, `EOP(298)`.
std::string_view without_id(std::string_view name, const Configuration& configuration);

// Decimal octets, leading zeros taken as such (sanitised files hold 09.194.230.62).
struct V4Word {
  V4 number = 0;
  bool is_odd = false;
};
std::optional<V4Word> parse_v4_word(std::string_view word);

}  // namespace aclmend::cisco_asa
