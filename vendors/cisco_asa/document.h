// An ASA's configuration in its own words: what the commands of the file, taken one after another, left
// behind. Groups and lists keep the places of their lines, not their meaning: a definition may follow its
// use, and only the whole tells whether `object-group G` after a source is a port group. Commands can be
// applied to a copy at any time (read.h), as pasting them into the device would.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "vendors/cisco_asa/lines.h"
#include "vendors/vendor.h"

namespace aclmend::cisco_asa {

struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
};
template <class T>
using ByName = std::unordered_map<std::string, T, NameHash, std::equal_to<>>;

// ---- names, objects, groups ---------------------------------------------------------------------------

struct Alias {  // name 192.0.2.13 Machine01
  Address address;
  Span span;
};

enum class ObjectKind : std::uint8_t { network, service, network_service };

struct Object {
  std::string name;
  ObjectKind kind = ObjectKind::network;
  Span span;                       // of its header
  std::optional<Statement> value;  // host, subnet, range, fqdn, service: the last one counts
  std::optional<Statement> nat;    // an object has one
  bool is_defined = true;
};

enum class GroupType : std::uint8_t {
  network,
  service,  // untyped: protocols and ports
  tcp,
  udp,
  tcp_udp,
  protocol,
  icmp_type,
  user,
  security,
  network_service,
};

struct Member {
  Statement place;
  bool is_removal = false;  // `no network-object …`
};

struct Group {
  std::string name;
  GroupType type = GroupType::network;
  Span span;
  std::vector<Member> members;
  bool is_defined = true;
};

// Objects and groups share one name space.
struct NameEntry {
  bool is_group = false;
  std::uint32_t index = 0;
};

// ---- access lists -------------------------------------------------------------------------------------

enum class EntryKind : std::uint8_t {
  ace,  // extended, or PIX style
  remark,
  child,    // of `show access-list`: the device's own expansion of the entry before
  removal,  // no access-list …
  not_understood,
};

struct Entry {
  Statement place;  // the whole command
  EntryKind kind = EntryKind::ace;
};

enum class ListType : std::uint8_t { extended, standard, webtype, ethertype };

// Who else names the list: an edit of its groups would touch them.
struct ListUse {
  model::UserKind kind = model::UserKind::other;
  Span span;
};

struct AccessList {
  std::string name;
  ListType type = ListType::extended;
  bool is_ipv6 = false;        // `ipv6 access-list`
  bool has_commands = false;   // `line N` out of order or `no`: its entries are commands, not a listing
  bool is_shown = false;       // `show access-list`: numbered and expanded
  bool is_renumbered = false;  // commands were typed into what was shown: its entries count anew
  bool is_cut_off = false;     // the file ended inside it
  std::uint32_t count = 0;     // entries that have a number of their own
  std::uint32_t last_number = 0;
  std::vector<Entry> entries;
};

enum class BindingKind : std::uint8_t { in, out, global, control_plane };

struct Binding {
  std::string list;
  std::string interface;
  BindingKind kind = BindingKind::in;
  bool is_per_user = false;
  Statement place;
};

// ---- interfaces, routes, translations -----------------------------------------------------------------

struct PortAddress {  // ip address …, ipv6 address …
  Statement place;
  bool is_ipv6 = false;
};

struct Port {  // an interface
  std::string hardware;
  std::string name;  // nameif; empty: passes nothing
  std::optional<int> level;
  bool is_shutdown = false;
  bool is_management_only = false;
  bool has_dynamic_v4 = false;  // dhcp, pppoe
  bool has_dynamic_v6 = false;
  bool is_level_unknown = false;
  std::uint32_t bridge_group = 0;  // of a member, and of the BVI of that number; 0: none
  bool is_bvi = false;
  std::vector<PortAddress> addresses;
  Span span;
};

struct Route {
  Statement place;
  bool is_ipv6 = false;
};

enum class NatForm : std::uint8_t { twice, old_static };

struct NatRule {
  NatForm form = NatForm::twice;
  Statement place;
};

// ---- the whole ----------------------------------------------------------------------------------------

enum class Product : std::uint8_t { asa, pix, fwsm };
enum class Form : std::uint8_t { running, show_access_list, tech_support, part };

struct Header {
  Product product = Product::asa;
  std::string version;  // "9.16(4)", empty: no header
  int major = 0, minor = 0;
  Span span;
  std::string context;
  std::string hostname;
  std::string checksum;  // Cryptochecksum: of the running configuration, as it stands there
  std::string written;   // what follows ": Written by … at "
  Span written_span;     // of that line
  Form form = Form::part;
  bool is_saved = false;  // ": Saved": the device wrote it
  bool has_end = false;   // ": end" or Cryptochecksum
};

// `service resetinbound [interface NAME]`, or its `no`.
struct ResetInbound {
  std::string interface;  // empty: all
  bool is_on = true;
  Span span;
};

struct Configuration {
  Header header;
  ByName<Alias> aliases;
  ByName<NameEntry> names;
  std::vector<Object> objects;
  std::vector<Group> groups;
  std::vector<AccessList> lists;
  ByName<std::uint32_t> list_index;  // "ipv6 NAME" for IPv6 lists of old
  std::vector<std::pair<std::string, ListUse>> list_uses;
  std::vector<std::pair<std::string, Span>> group_uses;  // objects and groups named outside of the filter
  std::vector<Binding> bindings;
  std::vector<Port> ports;
  std::vector<Route> routes;
  std::vector<NatRule> nats;
  bool permits_equal_levels = false;  // same-security-traffic permit inter-interface
  bool permits_same_interface = false;
  bool has_nat_control = false;
  bool has_dynamic_routing = false;
  bool is_transparent = false;
  bool is_system_context = false;  // the system space of a multiple-context device
  bool is_cut_off = false;
  bool has_new_nat = false;             // 8.3 and later
  bool old_nat_lines = false;           // static, global, nat (inside) 1: before 8.3
  bool has_forward_references = false;  // names may be used before they exist
  bool has_unread_binding = false;      // an access-group line that is not understood
  Span nat_control;
  std::vector<Statement> established;  // permits that hang on earlier connections
  std::vector<Span> old_filters;       // conduit, outbound, apply: PIX 5 and 6
  std::vector<Span> ethertype_denies;
  std::vector<Span> smtp_inspections;
  std::vector<ResetInbound> resets;  // in the order of the file
  std::vector<model::Notice> notices;
};

struct AsaDocument : Document {
  std::vector<SourcePtr> sources;
  Configuration configuration;
};

const NameEntry* named(const Configuration& configuration, std::string_view name);
// The object or group is as if it had never been defined; what it was, or nothing where there was none.
std::optional<NameEntry> forget(Configuration& configuration, std::string_view name);

}  // namespace aclmend::cisco_asa
