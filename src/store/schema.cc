#include "store/schema.h"

#include <array>

namespace aclmend::store {
namespace {

// `place` orders the releases of an instance: the version, or the date followed by '~', which stands after
// every version of its day.
constexpr std::string_view lists = R"sql(
CREATE TABLE releases (
  id INTEGER PRIMARY KEY,
  instance TEXT NOT NULL,
  place TEXT NOT NULL,
  version TEXT NOT NULL,
  as_of TEXT NOT NULL,
  origin TEXT NOT NULL,
  source TEXT NOT NULL,
  first_seen TEXT NOT NULL,
  completeness TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (instance, place, sha256)
) STRICT;
CREATE TRIGGER releases_are_not_changed BEFORE UPDATE ON releases
  BEGIN SELECT RAISE(ABORT, 'releases are append-only'); END;
CREATE TRIGGER releases_are_not_deleted BEFORE DELETE ON releases
  BEGIN SELECT RAISE(ABORT, 'releases are append-only'); END;

CREATE TABLE changes (
  id INTEGER PRIMARY KEY,
  instance TEXT NOT NULL,
  from_version TEXT NOT NULL,
  to_version TEXT NOT NULL,
  origin TEXT NOT NULL,
  source TEXT NOT NULL,
  first_seen TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  body BLOB NOT NULL,
  UNIQUE (instance, from_version, to_version, sha256)
) STRICT;
CREATE TRIGGER changes_are_not_changed BEFORE UPDATE ON changes
  BEGIN SELECT RAISE(ABORT, 'changes are append-only'); END;
CREATE TRIGGER changes_are_not_deleted BEFORE DELETE ON changes
  BEGIN SELECT RAISE(ABORT, 'changes are append-only'); END;

CREATE TABLE checks (
  id INTEGER PRIMARY KEY,
  instance TEXT NOT NULL,
  time TEXT NOT NULL,
  latest TEXT NOT NULL,
  outcome TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX checks_by_instance ON checks (instance, time);

CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
)sql";

constexpr std::string_view certificates = R"sql(
CREATE TABLE certificates (
  host TEXT NOT NULL,
  port INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  first_seen TEXT NOT NULL,
  last_seen TEXT NOT NULL,
  not_after TEXT NOT NULL,
  PRIMARY KEY (host, port, sha256)
) STRICT;
)sql";

constexpr std::array steps = {lists, certificates};

}  // namespace

std::span<const std::string_view> schema_steps() { return steps; }

}  // namespace aclmend::store
