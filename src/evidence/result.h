// What an outage leaves behind, as records: logs of firewalls and of Exchange, message traces, error texts.
// One file at a time, in constant memory; nothing is kept but counts. What a log does not show proves nothing
// unless it could have shown it: `holes` says what is known of that.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/lines.h"
#include "base/moment.h"
#include "sets/address_set.h"
#include "vendors/log.h"

namespace aclmend::evidence {

struct Options {
  LogContext context;                // `newest` 0: the file's last change, or else `now`
  std::int64_t now = 0;              // micros since 1970, UTC
  std::optional<std::int16_t> zone;  // of the clocks that name none: minutes east of UTC
};

// A line that gave no record although it is not blank.
struct Unread {
  std::uint64_t line = 0;
  std::string_view source;  // empty: no format's mark
  std::string_view reason;  // a constant
  std::string_view text;
  bool is_damaged = false;  // bears a format's mark: worth a diagnostic
};

struct Handlers {
  std::function<void(const Record&)> record;
  std::function<void(const Unread&)> unread = {};
};

inline constexpr std::size_t kind_count = 6;
using KindCounts = std::array<std::uint64_t, kind_count>;

struct SourceCount {
  std::string_view source;  // "asa"
  std::string_view title;   // "Cisco ASA or FTD syslog"
  std::string_view vendor;  // empty: no firewall
  KindCounts records{};     // by Kind
  std::uint64_t total() const;
};

struct ReasonCount {
  std::string_view reason;
  std::uint64_t count = 0;
  std::uint64_t first_line = 0;
};

// What became of one file.
struct Reading {
  std::string file;
  std::string_view encoding;  // "", "gzip", "UTF-16", …
  std::uint64_t lines = 0, blank = 0, silent = 0, bytes = 0;
  std::vector<SourceCount> sources;   // in the order in which they were met
  std::vector<ReasonCount> unread;    // lines without any format's mark, overlong and binary ones
  std::vector<ReasonCount> damaged;   // lines with a mark that could not be read
  std::vector<ReasonCount> holes;     // what says that lines are missing
  std::optional<Moment> first, last;  // of the records; compared by their clocks' readings
  std::uint64_t without_time = 0;     // records
  std::uint64_t without_zone = 0;     // records whose clock names none, and Options::zone does not either
  bool has_guessed_zone = false;      // the zone of some is Options::zone
  std::string trouble;                // why the rest of the file could not be read; empty: it was

  bool is_recognised() const { return !sources.empty(); }
  std::uint64_t records() const;
};

// Reads a file, or what is at hand, to its end. Fails where it cannot be opened.
Result<Reading> read(const std::string& path, const Options& options, const Handlers& handlers);
Reading read(Lines& lines, const Options& options, const Handlers& handlers);

// Does a text begin like evidence, and not like a configuration or something else? At least one line of it
// is some format's, and at least half of them are.
bool is_evidence(std::string_view head);

// All formats that are read, in the order in which a line is offered to them.
std::vector<const LogFormat*> formats();

// An error text as a message trace, a queue or a report has it, cut off anywhere; none: no status in it. The
// parts point into the text.
std::optional<Deferral> parse_deferral(std::string_view text);

// Is this record a connection attempt of its own? A sender whose first packet is dropped sends it again after
// 1, 3, 7, 15 seconds: within two minutes that is one attempt. Constant memory: of many senders at once an
// old one may be forgotten, and its repetition counted.
class Attempts {
 public:
  Attempts();
  bool is_new(const Record& record);

 private:
  struct Entry {
    std::uint32_t key = 0, seconds = 0;  // beside its place a key has 32 bits more
  };
  std::vector<Entry> entries_;
};

// Who came how often.
struct AddressCount {
  Address address;
  std::uint64_t records = 0, attempts = 0, drops = 0;
};

// Counts over records, in bounded memory.
class Summary {
 public:
  void add(const Record& record);

  const KindCounts& kinds() const { return kinds_; }
  std::uint64_t records() const { return records_; }
  std::uint64_t packets() const { return packets_; }      // with the repetitions that lines tell
  std::uint64_t new_drops() const { return new_drops_; }  // drops of opening packets, or of unknown ones
  std::uint64_t attempts() const { return attempts_counted_; }  // of those, each connection once
  std::size_t distinct_sources() const { return senders_.size(); }
  bool is_full() const { return senders_.size() >= most_sources; }  // there may be more than that
  // The most frequent first; of equals the lower address.
  std::vector<AddressCount> top(std::size_t most) const;

 private:
  static constexpr std::size_t most_sources = 16'384;
  AddressCount* sender(const Address& address);  // null: there are too many

  KindCounts kinds_{};
  std::uint64_t records_ = 0, packets_ = 0, new_drops_ = 0, attempts_counted_ = 0;
  // Of each slot of an open hash table the upper half of the key and the place in `senders_` plus one. A
  // lookup of an address that is not there touches nothing else.
  std::vector<std::uint64_t> slots_;
  std::vector<AddressCount> senders_;
  Attempts attempts_;
};

}  // namespace aclmend::evidence
