// What Microsoft 365 publishes: the rows of the "Office 365 IP Address and URL web service", one list an
// instance. A row is named by what it is (service area, ports, addresses), never by its id: the SMTP row of
// Exchange Online Protection is id 10 in Worldwide, 6 in the U.S. Government instances, and moved from 2 to
// 27 in China. The list says nothing of direction. Lists are compared as sets of addresses: 40.107.0.0/17
// becoming /16 is a widening, not a removal and an addition.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/source.h"
#include "sets/address_set.h"

namespace aclmend::endpoints {

enum class Instance : std::uint8_t { worldwide, usgov_gcc_high, usgov_dod, china, germany };

std::span<const Instance> instances();
std::string_view to_string(Instance instance);           // as the service spells it: "USGovGCCHigh"
Result<Instance> instance_named(std::string_view text);  // in any case; the error names the choices

struct Row {
  std::uint32_t id = 0;
  std::string service_area;  // Exchange, SharePoint, Skype, Common
  PortSet tcp_ports;
  PortSet udp_ports;
  std::vector<Prefix> ips;  // as published, in order, each once
  std::vector<std::string> urls;
  std::string category;          // Optimize, Allow, Default; empty: not stated
  std::optional<bool> required;  // none: not stated
  bool operator==(const Row&) const = default;
};

AddressSet addresses(const Row& row);
AddressSet addresses(std::span<const Row> rows);
std::string service(const Row& row);  // "tcp/25,143 udp/443", "any port" where none is stated

enum class Origin : std::uint8_t { embedded, file, store, service };

enum class Completeness : std::uint8_t {
  whole,            // every row, all of one date
  smtp_rows_newer,  // every row; all but the SMTP rows may be older
  smtp_rows,        // the SMTP rows alone, without names and categories
};

std::string_view to_string(Origin origin);              // "embedded"
std::string_view to_string(Completeness completeness);  // "smtp-rows"

// One state of an instance's list.
struct Release {
  Instance instance = Instance::worldwide;
  std::string version;  // ten digits, YYYYMMDDNN; empty: the source states none, and none is invented
  std::string as_of;    // YYYY-MM-DD; empty: not known
  std::string checked;  // the newest date on which its SMTP rows were seen to be in force; empty: not known
  Origin origin = Origin::embedded;
  std::string file;         // for Origin::file, as it was given
  std::uint32_t lines = 0;  // of that file
  std::string sha256;       // of the bytes it was read from
  Completeness completeness = Completeness::whole;
  std::vector<std::string> remarks;  // what a reader of the list should know
  std::vector<Row> rows;
};

// "Microsoft 365 Worldwide as of 2025-12-01, built in, last checked 2026-08-11"
std::string title(const Release& release);

// ---- where a release comes from

// The newest rows that are compiled in, and the SMTP rows of a version (all of its rows where they are
// known).
Release newest(Instance instance);
Result<Release> at_version(Instance instance, std::string_view version);

// An answer of /endpoints as JSON. Refused: what is another kind of answer, an empty list, anything that
// would make the list smaller than what is written (a wrong type, a prefix with host bits). Names file, line,
// column.
Result<Release> decode(const Source& source, Instance instance);

// `--endpoints`: a version (ten digits), the date of the list that is compiled in, "embedded", or a file.
// Without an instance it is Worldwide, of a file the likely one, which its remarks say.
Result<Release> open_release(const std::string& file_or_version, std::optional<Instance> instance);

// The instance whose SMTP rows, now or once, hold most prefixes of the list's; none where no prefix is known.
// For lists that do not say whose they are: a file.
std::optional<Instance> likely_instance(std::span<const Row> rows);

// ---- choosing rows

struct Selection {
  std::string service_area;  // empty: any
  std::optional<std::uint16_t> tcp_port;
  std::optional<std::uint16_t> udp_port;
  bool has_ips = false;
  bool operator==(const Selection&) const = default;
};

Selection smtp_selection();  // Exchange, TCP 25, with addresses
bool selects(const Selection& selection, const Row& row);
std::string to_string(const Selection& selection);  // "Exchange rows with TCP 25 and addresses"

struct Selected {
  std::vector<Row> rows;
  AddressSet addresses;
};

// Never empty: a list that holds no such row (cut to other service areas, only SMTP rows known) cannot
// answer, and saying "nothing is required" would be wrong. The error says which.
Result<Selected> select(const Release& release, const Selection& selection);

// ---- the history of the SMTP rows

// When something came or left. Sources after 2022 carry dates and no version: then it is the days between
// which.
struct When {
  std::string version;       // the first known version that shows it; empty: not known
  std::string after, by;     // dates, where the version is not known
  bool first_known = false;  // the version is the first one known: it may have been so before
  bool operator==(const When&) const = default;
};

std::string to_string(const When& when);  // "2019022800", "2025-03-20/2025-07-14" (an ISO 8601 interval)
std::string in_words(const When& when);   // "in version 2019022800", "between 2025-03-20 and 2025-07-14"

// A prefix in a row. For SMTP rows it is known since when, and for those that left, until when (the first
// version without it). Where a row's content moved to another id, the id is its newest and `since` goes on.
struct Listing {
  Instance instance = Instance::worldwide;
  std::uint32_t id = 0;
  std::string service_area;
  std::string service;  // "tcp/25,443"
  Prefix prefix;
  std::optional<When> since;
  std::optional<When> until;
  bool operator==(const Listing&) const = default;
};

// Every stay of a prefix in an SMTP row; one that left and came back has two.
std::vector<Listing> history(Instance instance);

// The prefixes of a release's rows; those of SMTP rows with what the history knows of them.
std::vector<Listing> listings(const Release& release, std::span<const Row> rows);

// What once stood in an SMTP row of the release's instance and is in none of its SMTP rows now, cut by when
// the addresses left for the last time: disjoint, oldest first. `listed` are the prefixes as they were
// published.
struct Former {
  AddressSet addresses;
  When until;
  std::vector<Prefix> listed;
};
std::vector<Former> former_ranges(const Release& in_force);

// Sends relayed and forwarded mail and is in no list ("Outbound delivery pools", Microsoft Learn).
AddressSet relay_pool();  // 40.95.0.0/16

// ---- is it published?

struct Asked {
  Prefix prefix;
  AddressSet covered;  // by one list: the one that covers most
  AddressSet missing;
  std::vector<std::uint32_t> rows;  // those of Coverage::rows that hold some of it, ascending
};

struct Coverage {
  bool covered = false;  // each prefix asked for stands wholly in the rows of one list
  std::vector<Asked> asked;
  std::vector<Listing> rows;  // those in force first, then the former SMTP rows
  std::vector<std::string> notes;
};

// Rows that the selection does not choose do not count; without one every row does. Made for very many
// addresses: each costs a few searches.
Coverage covers(std::span<const Prefix> asked, std::span<const Release> in_force,
                const std::optional<Selection>& selection);

// ---- what changed

enum class Change : std::uint8_t {
  added,
  removed,
  moved,       // now under another id: folded into another row, split off one, or changed besides
  renumbered,  // the same row under another id
  widened,     // addresses came, none left
  narrowed,    // addresses left, none came
  replaced,    // both
  ports,       // the addresses stayed
  urls,
  terms,  // service area, category or whether it is required
};
std::string_view to_string(Change change);

struct RowChange {
  Change change = Change::added;
  std::uint32_t id = 0;                 // in the newer list; of a removed row, in the older
  std::optional<std::uint32_t> was_id;  // where it differs
  AddressSet added;
  AddressSet removed;
  std::optional<Row> before;
  std::optional<Row> after;
};

// What changed for who permits a service, in whatever rows it stands: one service area, one protocol, ports
// that the same rows hold.
struct PurposeChange {
  std::string service_area;
  std::string service;            // "tcp/25", "tcp/80,443", "udp/3478-3481"
  Change change = Change::added;  // moved and renumbered: the addresses stayed
  AddressSet added;
  AddressSet removed;
  std::vector<std::uint32_t> was_ids, ids;  // of the rows that hold it, ascending
};

struct Difference {
  AddressSet added;  // over all rows chosen: what no row held before
  AddressSet removed;
  std::vector<RowChange> rows;          // by id
  std::vector<PurposeChange> purposes;  // of rows with addresses; by service area, protocol, port
};

// Compares coverage: ranges cut or joined otherwise are no change. Without a selection all rows are compared,
// which a release of which only SMTP rows are known cannot answer. Names and terms are compared where both
// state them.
Result<Difference> diff(const Release& before, const Release& after,
                        const std::optional<Selection>& selection);

}  // namespace aclmend::endpoints
