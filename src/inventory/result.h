// What the user writes: the required flows (rules/*.yaml) and the inventory (aclmend.yaml), as plain structs
// with the places they stand at; and the plan, which says device by device what is to be read and asked.
#pragma once
#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/error.h"
#include "sets/address_set.h"

namespace aclmend::inventory {

// A file is read to its end: all that is wrong with it is said at once, in the order of its lines.
using Errors = std::vector<Error>;
template <class T>
using Checked = std::expected<T, Errors>;

struct Place {
  std::string file;  // as given; empty: nobody wrote it
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

// Something to be said about the inventory that does not keep it from being used.
struct Remark {
  Severity severity = Severity::note;  // error: something could not be judged, exit 2
  Place place;
  std::string message;
};

// ---- required flows -----------------------------------------------------------------------------------

enum class Direction : std::uint8_t { inbound, outbound };  // seen from the mail host
enum class Others : std::uint8_t { ignore, note, warning, error };
enum class Origin : std::uint8_t { shipped, file };

// Which rows of the endpoint list a flow is about: by what they are, never by id. What is not given does not
// matter.
struct Selection {
  std::string service_area;               // "Exchange"
  std::optional<std::uint16_t> tcp_port;  // the row's TCP ports hold it
  std::optional<std::uint16_t> udp_port;
  bool has_ips = false;  // the row names addresses, not only URLs
};

// One end of a flow.
struct End {
  enum class Kind : std::uint8_t { selected, mail_hosts, literal };
  Kind kind = Kind::selected;
  AddressSet addresses;  // literal: the prefixes that the file names
};

struct Flow {
  std::string id;
  std::string title;
  Severity severity = Severity::error;
  std::optional<Selection> select;  // present exactly where an end is `selected`
  Direction direction = Direction::inbound;
  End source;       // inbound: selected or literal; outbound: the mail hosts
  End destination;  // inbound: the mail hosts; outbound: selected or literal
  std::uint8_t protocol = protocol::tcp;
  std::uint16_t port = 0;
  std::string application;  // what the connection really carries ("smtp"); empty: not one known thing
  Others others = Others::ignore;
  std::string why;
  std::string
      code;  // a finding code in place of the causes' own when the flow is blocked; empty: the causes'
  std::string with;  // asked whenever that flow is asked; empty: only where it is named
  Origin origin = Origin::file;
  Place place;
};

inline constexpr std::string_view default_flow = "eop-inbound-smtp";

// ---- aclmend.yaml -------------------------------------------------------------------------------------

struct Endpoints {
  enum class From : std::uint8_t { unsaid, pin, store, service, file };
  std::string instance = "Worldwide";
  From from = From::unsaid;
  std::string pin;   // "2025120100", or "2025-12-01" where a release has no version
  std::string file;  // a path that opens from here
  std::optional<std::chrono::days> max_age;
  Place place;
};

struct Mail {  // as the internet sees it
  std::string name;
  std::vector<Address> hosts;
  Place place;
};

enum class Each : std::uint8_t { none, device_group, vsys, context };

// What is known of a device beforehand; the same words as the options of `audit`. Empty: not said.
struct Question {
  std::vector<Address> to;  // mail hosts as this device sees them; empty: the inventory's own
  std::string ingress;
  std::string egress;
  std::string direction;  // in, out, forward
  std::vector<Address> local;
  std::string vendor;
  std::string vsys;
  std::string device_group;
  std::string context;
  std::string profile;
  std::string program;
  std::vector<std::string> flows;  // empty: the default flow
};

struct DeviceEntry {
  std::string name;                // empty: named for its file
  std::string file;                // as written, a path or a glob; or
  std::vector<std::string> files;  // parts of one device
  Each each = Each::none;
  Question question;
  Place place;
};

struct SkipEntry {
  std::vector<std::string> files;  // globs
  std::string reason;
  Place place;
};

struct SetEntry {
  std::string device;
  std::string name;  // empty: the file names its sets itself (ipset save)
  std::string file;
  Place place;
};

struct Assumption {
  std::string device;
  std::string condition;  // "time-range OFFICE"
  bool holds = false;
  std::string reason;
  Place place;
};

struct PathEntry {
  std::string name;
  std::vector<std::vector<std::string>> through;  // in order; alternatives within
  std::vector<std::string> flows;
  Place place;
};

struct Inventory {
  std::string path;    // as given: "aclmend.yaml", "../aclmend.yaml"
  std::string folder;  // what its paths are relative to; "" is the working directory
  Endpoints endpoints;
  Mail mail;
  std::string rules;  // a folder of flows that opens from here; empty: the shipped ones alone
  std::vector<DeviceEntry> devices;
  std::vector<SkipEntry> skip;
  std::vector<SetEntry> sets;
  std::vector<Assumption> assume;
  std::vector<PathEntry> paths;
  std::vector<Remark> remarks;  // what stands in the file and is not acted on
};

// ---- the plan -----------------------------------------------------------------------------------------

struct PlannedSet {
  std::string scope;  // of which part of the export (a context); empty: of all
  std::string name;   // empty: the file names its sets itself
  std::string path;   // opens from here
  Place place;
};

struct PlannedAssumption {
  std::string scope;
  std::string condition;
  bool holds = false;
  std::string reason;
  Place place;
};

enum class Asked : std::uint8_t { always, if_it_knows_the_mail_host };

struct PlannedDevice {
  std::string name;                // unique; where the entry has none, the file as seen from the inventory
  std::vector<std::string> files;  // they open from here
  bool came_by_glob = false;
  Asked asked = Asked::always;
  Each each = Each::none;  // each part of the export is a device of its own, named "name/part"
  Question question;       // `to` is filled from the inventory's mail hosts where the entry has none
  std::vector<PlannedSet> sets;
  std::vector<PlannedAssumption> assumptions;
  Place place;  // its entry
};

struct SkippedFile {
  std::string file;
  std::string reason;
  Place place;
};

struct Plan {
  std::vector<PlannedDevice> devices;  // in the order of the entries, a glob's in the order of their paths
  std::vector<SkippedFile> skipped;
  std::vector<Remark> remarks;  // the inventory's own, then those of the files it names; errors mean exit 2
};

std::string_view to_string(Direction direction);
std::string_view to_string(Others others);
std::string_view to_string(Each each);

}  // namespace aclmend::inventory
