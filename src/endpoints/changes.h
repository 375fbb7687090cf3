// What changed between releases, as the service's /changes tells it ("Office 365 IP Address and URL web
// service"), and what can be done with it: the next release made from one that is held, and which published
// ranges are not in effect yet. Only what a row of ours knows is followed: notes and expressRoute are not.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "endpoints/result.h"

namespace aclmend::endpoints {

enum class Disposition : std::uint8_t { add, change, remove };  // of a whole row
std::string_view to_string(Disposition disposition);

// The terms of a row that a record states; the others are not stated.
struct Terms {
  std::optional<std::string> service_area;
  std::optional<std::string> category;
  std::optional<bool> required;
  std::optional<PortSet> tcp_ports, udp_ports;
  bool operator==(const Terms&) const = default;
};

struct ChangeRecord {
  std::uint32_t id = 0;
  std::uint32_t row = 0;  // endpointSetId
  Disposition disposition = Disposition::change;
  std::string version;  // which introduced it; ten digits
  Terms previous, current;
  std::string effective;  // YYYY-MM-DD, from when additions are used; empty: not stated
  std::vector<Prefix> added_ips, removed_ips;
  std::vector<std::string> added_urls, removed_urls;
  std::uint32_t line = 0;  // in its file; 0: none
  bool operator==(const ChangeRecord&) const = default;
};

// "row 10, record 500 of 2020012800"
std::string title(const ChangeRecord& record);

struct Changes {
  Instance instance = Instance::worldwide;
  std::string from, to;               // complete for the versions after `from` up to `to`; empty: not known
  std::vector<ChangeRecord> records;  // by version, then as they stand in the file
  std::string file;
  std::uint32_t lines = 0;
  std::string sha256;
  std::vector<std::string> remarks;  // what was met that is not known here, and was not needed
};

// An answer of /changes as JSON; an empty list is one. Names file, line, column.
Result<Changes> decode_changes(const Source& source, Instance instance);

// ---- the next release

struct NotApplied {
  ChangeRecord record;
  std::string reason;  // "40.92.0.0/15 is to be added to row 10 and stands in it already"
};

// A release made from another: rows by id, ranges and names sorted.
struct Applied {
  Release release;
  std::vector<NotApplied> not_applied;  // empty: every record found what it said to be there
};

// The records after the release's version up to `version`, each carried out wholly or not at all. An Error:
// nothing can be applied to this release (no version, only its SMTP rows are known).
Result<Applied> apply(const Release& release, std::span<const ChangeRecord> records,
                      std::string_view version);

// What the service would have said: applied to `before` it gives `after`.
std::vector<ChangeRecord> derive(const Release& before, const Release& after);

// How a row of the one differs from the same row of the other; order and double names do not count.
struct RowDifference {
  std::uint32_t row = 0;
  std::string what;  // "ips: 40.92.0.0/15 is missing" — in the first, which the second has
};
std::vector<RowDifference> differences(const Release& made, const Release& held);

// ---- published, but not yet in effect

// Additions that are used later than a day. A range that was in force before in another cut, under another id
// or without a date is in effect.
struct Coming {
  std::string effective;  // YYYY-MM-DD
  std::string version;    // that published it
  AddressSet addresses;
};

struct NotYet {
  AddressSet addresses;
  std::vector<Coming> parts;  // disjoint, by date
};

// Of the addresses that the selection chooses in the release, those which are not in effect on the day
// (YYYY-MM-DD), as far as the records tell.
NotYet not_yet(const Release& release, std::span<const ChangeRecord> records, std::string_view day,
               const Selection& selection);

// ---- /version

struct Latest {
  Instance instance = Instance::worldwide;
  std::string latest;                 // ten digits
  std::vector<std::string> versions;  // newest first; empty: not asked for (AllVersions)
};

struct Versions {
  std::vector<Latest> all;
  std::vector<std::string> remarks;  // instances that are not known here
};

// An answer of /version as JSON, of one instance or of all.
Result<Versions> decode_versions(const Source& source);

// Ten digits that begin with a date; "2018063000".
bool is_version(std::string_view text);

}  // namespace aclmend::endpoints
