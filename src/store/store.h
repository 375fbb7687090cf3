// What aclmend keeps between runs: one SQLite file with every release of Microsoft's lists that was ever
// fetched or imported, the changes between them, when the service was last asked, and a few small things.
// Releases and changes are append-only: the file itself refuses to change or delete one. Each call is one
// transaction; processes may share the file. There is no clock in here: times are handed in, as UTC
// "2026-03-01T10:00:00Z". Texts are kept as they are given; what they mean is the caller's.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/database.h"

namespace aclmend::store {

inline constexpr std::size_t largest_body = std::size_t{16} << 20;

// A list as it was received.
struct Held {
  std::string instance;
  std::string version;       // ten digits; empty: not known, then `as_of` is
  std::string as_of;         // YYYY-MM-DD; empty: not known
  std::string origin;        // service, file, changes
  std::string source;        // the file's name as it was given, or the URL
  std::string first_seen;    // UTC
  std::string completeness;  // "whole"
  std::string sha256;        // of the body; worked out when it is put
  std::uint64_t bytes = 0;   // of the body; likewise
  std::string body;          // empty where only what is known of a release was asked for
  bool operator==(const Held&) const = default;
};

// An answer of /changes: what happened after `from`, up to and including `to`.
struct HeldChanges {
  std::string instance;
  std::string from, to;  // versions
  std::string origin;    // service, file
  std::string source;
  std::string first_seen;
  std::string sha256;
  std::string body;
  bool operator==(const HeldChanges&) const = default;
};

// One question to the service.
struct Check {
  std::string instance;
  std::string time;     // UTC
  std::string latest;   // the version that the service named; empty: none
  std::string outcome;  // same, new, refused, failed
  std::string detail;
  bool operator==(const Check&) const = default;
};

// A certificate that a mail host showed.
struct Certificate {
  std::string host;
  std::uint16_t port = 0;
  std::string sha256;  // its thumbprint
  std::string first_seen, last_seen, not_after;
  bool operator==(const Certificate&) const = default;
};

enum class Mode : std::uint8_t {
  read_only,   // a file that is not there is an empty store, and none is made
  read_write,  // made where it is not there: file mode 0600, folder 0700
};

enum class Put : std::uint8_t {
  added,
  there_already,  // the same bytes of the same version: nothing was written
  beside,         // other bytes of this version are held too; both are kept, the one seen last is read
};

class Store {
 public:
  // Waits as long for other processes that write. A file of an older aclmend is upgraded; refused, and left
  // as it is: one of a newer aclmend, a damaged one, one that is no store.
  static Result<Store> open(const std::string& path, Mode mode,
                            std::chrono::milliseconds patience = std::chrono::seconds(10));

  const std::string& path() const { return path_; }
  bool exists() const { return database_ != nullptr; }

  // All or none, in one transaction. Refused: neither version nor date, a body that is empty or larger than
  // `largest_body`, a time of another form.
  Result<std::vector<Put>> put_releases(std::span<const Held> releases);
  Result<Put> put_release(const Held& release);

  Result<std::vector<std::string>> instances() const;  // of which releases are held, by name

  // Oldest first, without bodies. Each version once: of several bodies the one seen last.
  Result<std::vector<Held>> releases(std::string_view instance) const;
  // The same with all that was put, those of one version in the order in which they came.
  Result<std::vector<Held>> every_release(std::string_view instance) const;

  // With their bodies, whose hash is checked. `version`: a version or a date.
  Result<std::optional<Held>> release(std::string_view instance, std::string_view version) const;
  Result<std::optional<Held>> newest(std::string_view instance) const;

  Result<Put> put_changes(const HeldChanges& changes);
  // With their bodies, whose hash is checked, by `from` and `to`.
  Result<std::vector<HeldChanges>> changes(std::string_view instance) const;

  // The newest hundred of an instance are kept, and the last that was answered.
  Result<bool> record_check(const Check& check);
  Result<std::optional<Check>> last_check(std::string_view instance) const;     // whatever came of it
  Result<std::optional<Check>> last_answered(std::string_view instance) const;  // same or new

  // A setting once made stays: keeps `value` where there is none yet, and returns the one that is kept.
  Result<std::string> settle(std::string_view name, std::string_view value);
  Result<bool> set(std::string_view name, std::string_view value);
  Result<std::optional<std::string>> setting(std::string_view name) const;

  // Notes that the host showed it at `last_seen`; `first_seen` is the caller's only where it is new.
  Result<bool> saw_certificate(const Certificate& certificate);
  Result<std::vector<Certificate>> certificates(std::string_view host,
                                                std::uint16_t port) const;  // last seen first

  // Reads the whole file: what SQLite finds wrong with it, and the bodies that do not have their hash any
  // more. Empty: all is well.
  Result<std::vector<std::string>> damages() const;

 private:
  Store(std::string path, Database database);

  std::string path_;
  Database database_;
};

// Where the store is unless --store says otherwise: $STATE_DIRECTORY (systemd gives it to a unit),
// $XDG_STATE_HOME/aclmend, ~/.local/state/aclmend; the file is store.sqlite. `variable` looks a variable of
// the environment up, "" where it is not set.
Result<std::string> default_path(const std::function<std::string(const char*)>& variable);

}  // namespace aclmend::store
