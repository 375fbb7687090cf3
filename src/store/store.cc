// What is put and asked: each call one transaction or one statement.
#include "store/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/digest.h"
#include "base/text.h"
#include "store/sqlite.h"

namespace aclmend::store {
namespace {

constexpr std::size_t longest_text = 4096;
constexpr std::size_t longest_detail = 2000;

// `shape` with 0 for a digit; everything else stands for itself.
bool has_shape(std::string_view text, std::string_view shape) {
  return std::ranges::equal(text, shape, [](char found, char wanted) {
    return wanted == '0' ? found >= '0' && found <= '9' : found == wanted;
  });
}

bool is_time(std::string_view text) { return has_shape(text, "0000-00-00T00:00:00Z"); }
bool is_date(std::string_view text) { return has_shape(text, "0000-00-00"); }
bool is_version(std::string_view text) { return has_shape(text, "0000000000"); }

// See schema.cc.
std::string place_of(std::string_view version, std::string_view as_of) {
  if (!version.empty()) return std::string(version);
  return fmt::format("{}{}{}~", as_of.substr(0, 4), as_of.substr(5, 2), as_of.substr(8, 2));
}

std::string place_named(std::string_view version_or_date) {
  if (is_date(version_or_date)) return place_of({}, version_or_date);
  return std::string(version_or_date);
}

Result<bool> check_texts(std::string_view what, std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts)
    if (text.size() > longest_text || text.find('\0') != std::string_view::npos)
      return fail(fmt::format("{}: a text of more than {} bytes, or with a NUL in it", what, longest_text));
  return true;
}

Result<bool> check_body(std::string_view what, std::string_view body) {
  if (body.empty()) return fail(fmt::format("{}: the answer is empty", what));
  if (body.size() > largest_body)
    return fail(fmt::format("{}: the answer is larger than {} MiB", what, largest_body >> 20));
  return true;
}

Result<bool> check_time(std::string_view what, std::string_view time) {
  if (is_time(time)) return true;
  return fail(fmt::format("{}: expected a time such as 2026-03-01T10:00:00Z, found '{}'", what, time));
}

std::string name_of(const Held& release) {
  return fmt::format("{} {}", release.instance,
                     release.version.empty() ? "as of " + release.as_of : release.version);
}

Result<bool> check(const Held& release) {
  const std::string what = name_of(release);
  if (release.instance.empty()) return fail("a list without an instance is not kept");
  if (!release.version.empty() && !is_version(release.version))
    return fail(fmt::format("{}: expected a version of ten digits, found '{}'", what, release.version));
  if (!release.as_of.empty() && !is_date(release.as_of))
    return fail(fmt::format("{}: expected a date such as 2026-03-01, found '{}'", what, release.as_of));
  if (release.version.empty() && release.as_of.empty())
    return fail(fmt::format("a list of {} with neither version nor date is not kept", release.instance));
  if (auto timed = check_time(what, release.first_seen); !timed) return fail(timed.error());
  if (auto sized = check_body(what, release.body); !sized) return fail(sized.error());
  return check_texts(what, {release.instance, release.origin, release.source, release.completeness});
}

Result<bool> check(const HeldChanges& changes) {
  const std::string what = fmt::format("changes of {} from {}", changes.instance, changes.from);
  if (changes.instance.empty()) return fail("changes without an instance are not kept");
  for (const std::string& version : {changes.from, changes.to})
    if (!is_version(version))
      return fail(fmt::format("{}: expected a version of ten digits, found '{}'", what, version));
  if (auto timed = check_time(what, changes.first_seen); !timed) return fail(timed.error());
  if (auto sized = check_body(what, changes.body); !sized) return fail(sized.error());
  return check_texts(what, {changes.instance, changes.origin, changes.source});
}

// Of each version the body seen last.
constexpr std::string_view is_read =
    " AND NOT EXISTS (SELECT 1 FROM releases AS later WHERE later.instance = releases.instance"
    " AND later.place = releases.place"
    " AND (later.first_seen, later.id) > (releases.first_seen, releases.id))";

constexpr std::string_view select_releases =
    "SELECT instance, version, as_of, origin, source, first_seen, completeness, sha256, length(body), {}"
    " FROM releases WHERE instance = ?1{}";

enum class Bodies : std::uint8_t { without, with };

std::string releases_sql(Bodies bodies, std::string_view rest) {
  return fmt::format(select_releases, bodies == Bodies::with ? "body" : "''", rest);
}

Held held_of(Cells& cells) {
  return {.instance = std::move(cells[0]),
          .version = std::move(cells[1]),
          .as_of = std::move(cells[2]),
          .origin = std::move(cells[3]),
          .source = std::move(cells[4]),
          .first_seen = std::move(cells[5]),
          .completeness = std::move(cells[6]),
          .sha256 = std::move(cells[7]),
          .bytes = parse_decimal<std::uint64_t>(cells[8]).value_or(0),
          .body = std::move(cells[9])};
}

std::vector<Held> held_of(std::vector<Cells> rows) {
  std::vector<Held> all;
  for (Cells& cells : rows) all.push_back(held_of(cells));
  return all;
}

Result<std::optional<Held>> one_release(const Connection& connection, std::vector<Cells> rows) {
  if (rows.empty()) return std::optional<Held>();
  Held release = held_of(rows.front());
  if (sha256_hex(release.body) != release.sha256)
    return fail(damaged(connection.path, fmt::format("{} has not its hash any more", name_of(release))));
  return std::optional(std::move(release));
}

// One statement in a transaction of its own.
Result<bool> write(const Connection& connection, std::string_view sql, std::initializer_list<Value> values) {
  TRY(transaction, Transaction::begin(connection));
  if (auto done = ask(connection, sql, values); !done) return fail(done.error());
  return transaction.commit();
}

Result<Put> put(const Connection& connection, const Held& release) {
  const std::string place = place_of(release.version, release.as_of);
  const std::string sha256 = sha256_hex(release.body);
  TRY(there, ask(connection,
                 "SELECT count(*), coalesce(sum(sha256 = ?3), 0) FROM releases"
                 " WHERE instance = ?1 AND place = ?2",
                 {release.instance, place, sha256}));
  if (there.front()[1] != "0") return Put::there_already;
  if (auto put = ask(connection,
                     "INSERT INTO releases (instance, place, version, as_of, origin, source, first_seen,"
                     " completeness, sha256, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                     {release.instance, place, release.version, release.as_of, release.origin, release.source,
                      release.first_seen, release.completeness, sha256, Blob{release.body}});
      !put)
    return fail(put.error());
  return there.front()[0] == "0" ? Put::added : Put::beside;
}

constexpr std::string_view select_checks =
    "SELECT instance, time, latest, outcome, detail FROM checks WHERE instance = ?1";

Result<std::optional<Check>> one_check(Result<std::vector<Cells>> rows) {
  if (!rows) return fail(std::move(rows).error());
  if (rows->empty()) return std::optional<Check>();
  Cells& cells = rows->front();
  return std::optional(Check{.instance = std::move(cells[0]),
                             .time = std::move(cells[1]),
                             .latest = std::move(cells[2]),
                             .outcome = std::move(cells[3]),
                             .detail = std::move(cells[4])});
}

std::unexpected<Error> not_writable(const std::string& path) {
  return fail(Error{.message = "the store was opened to be read, and is not there", .file = path});
}

}  // namespace

Result<std::vector<Put>> Store::put_releases(std::span<const Held> releases) {
  if (!exists()) return not_writable(path_);
  for (const Held& release : releases) {
    if (auto sound = check(release); !sound) return fail(sound.error());
  }
  const Connection connection{database_.get(), path_};
  TRY(transaction, Transaction::begin(connection));
  std::vector<Put> results;
  for (const Held& release : releases) {
    TRY(result, put(connection, release));
    results.push_back(result);
  }
  if (auto committed = transaction.commit(); !committed) return fail(committed.error());
  return results;
}

Result<Put> Store::put_release(const Held& release) {
  TRY(results, put_releases(std::span(&release, 1)));
  return results.front();
}

Result<std::vector<std::string>> Store::instances() const {
  std::vector<std::string> names;
  if (!exists()) return names;
  TRY(rows, ask({database_.get(), path_}, "SELECT DISTINCT instance FROM releases ORDER BY instance"));
  for (Cells& cells : rows) names.push_back(std::move(cells.front()));
  return names;
}

Result<std::vector<Held>> Store::releases(std::string_view instance) const {
  if (!exists()) return std::vector<Held>();
  const std::string rest = fmt::format("{} ORDER BY place", is_read);
  TRY(rows, ask({database_.get(), path_}, releases_sql(Bodies::without, rest), {instance}));
  return held_of(std::move(rows));
}

Result<std::vector<Held>> Store::every_release(std::string_view instance) const {
  if (!exists()) return std::vector<Held>();
  constexpr std::string_view rest = " ORDER BY place, first_seen, id";
  TRY(rows, ask({database_.get(), path_}, releases_sql(Bodies::without, rest), {instance}));
  return held_of(std::move(rows));
}

Result<std::optional<Held>> Store::release(std::string_view instance, std::string_view version) const {
  if (!exists()) return std::optional<Held>();
  const Connection connection{database_.get(), path_};
  constexpr std::string_view rest = " AND place = ?2 ORDER BY first_seen DESC, id DESC LIMIT 1";
  TRY(rows, ask(connection, releases_sql(Bodies::with, rest), {instance, place_named(version)}));
  return one_release(connection, std::move(rows));
}

Result<std::optional<Held>> Store::newest(std::string_view instance) const {
  if (!exists()) return std::optional<Held>();
  const Connection connection{database_.get(), path_};
  constexpr std::string_view rest = " ORDER BY place DESC, first_seen DESC, id DESC LIMIT 1";
  TRY(rows, ask(connection, releases_sql(Bodies::with, rest), {instance}));
  return one_release(connection, std::move(rows));
}

Result<Put> Store::put_changes(const HeldChanges& changes) {
  if (!exists()) return not_writable(path_);
  if (auto sound = check(changes); !sound) return fail(sound.error());
  const Connection connection{database_.get(), path_};
  const std::string sha256 = sha256_hex(changes.body);
  TRY(transaction, Transaction::begin(connection));
  TRY(there, ask(connection,
                 "SELECT count(*), coalesce(sum(sha256 = ?4), 0) FROM changes"
                 " WHERE instance = ?1 AND from_version = ?2 AND to_version = ?3",
                 {changes.instance, changes.from, changes.to, sha256}));
  if (there.front()[1] != "0") return Put::there_already;
  if (auto put =
          ask(connection,
              "INSERT INTO changes (instance, from_version, to_version, origin, source, first_seen, sha256,"
              " body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
              {changes.instance, changes.from, changes.to, changes.origin, changes.source, changes.first_seen,
               sha256, Blob{changes.body}});
      !put)
    return fail(put.error());
  if (auto committed = transaction.commit(); !committed) return fail(committed.error());
  return there.front()[0] == "0" ? Put::added : Put::beside;
}

Result<std::vector<HeldChanges>> Store::changes(std::string_view instance) const {
  std::vector<HeldChanges> all;
  if (!exists()) return all;
  TRY(rows, ask({database_.get(), path_},
                "SELECT instance, from_version, to_version, origin, source, first_seen, sha256, body"
                " FROM changes WHERE instance = ?1 ORDER BY from_version, to_version, first_seen, id",
                {instance}));
  for (Cells& cells : rows) {
    if (sha256_hex(cells[7]) != cells[6])
      return fail(damaged(path_, fmt::format("the changes of {} from {} to {} have not their hash any more",
                                             cells[0], cells[1], cells[2])));
    all.push_back({.instance = std::move(cells[0]),
                   .from = std::move(cells[1]),
                   .to = std::move(cells[2]),
                   .origin = std::move(cells[3]),
                   .source = std::move(cells[4]),
                   .first_seen = std::move(cells[5]),
                   .sha256 = std::move(cells[6]),
                   .body = std::move(cells[7])});
  }
  return all;
}

// ---- questions to the service

Result<bool> Store::record_check(const Check& check) {
  if (!exists()) return not_writable(path_);
  if (auto timed = check_time("a check of " + check.instance, check.time); !timed) return fail(timed.error());
  if (auto sound = check_texts("a check", {check.instance, check.latest}); !sound) return fail(sound.error());
  constexpr std::array<std::string_view, 4> outcomes = {"same", "new", "refused", "failed"};
  if (std::ranges::count(outcomes, check.outcome) == 0)
    return fail(fmt::format("expected same, new, refused or failed, found '{}'", check.outcome));
  const Connection connection{database_.get(), path_};
  TRY(transaction, Transaction::begin(connection));
  const std::string_view detail = std::string_view(check.detail).substr(0, longest_detail);
  if (auto put =
          ask(connection,
              "INSERT INTO checks (instance, time, latest, outcome, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
              {check.instance, check.time, check.latest, check.outcome, detail});
      !put)
    return fail(put.error());
  if (auto cut = ask(
          connection,
          "DELETE FROM checks WHERE instance = ?1"
          " AND id NOT IN (SELECT id FROM checks WHERE instance = ?1 ORDER BY time DESC, id DESC LIMIT 100)"
          " AND id NOT IN (SELECT id FROM checks WHERE instance = ?1 AND outcome IN ('same', 'new')"
          "   ORDER BY time DESC, id DESC LIMIT 1)",
          {check.instance});
      !cut)
    return fail(cut.error());
  return transaction.commit();
}

Result<std::optional<Check>> Store::last_check(std::string_view instance) const {
  if (!exists()) return std::optional<Check>();
  return one_check(ask({database_.get(), path_},
                       fmt::format("{} ORDER BY time DESC, id DESC LIMIT 1", select_checks), {instance}));
}

Result<std::optional<Check>> Store::last_answered(std::string_view instance) const {
  if (!exists()) return std::optional<Check>();
  return one_check(
      ask({database_.get(), path_},
          fmt::format("{} AND outcome IN ('same', 'new') ORDER BY time DESC, id DESC LIMIT 1", select_checks),
          {instance}));
}

// ---- settings, certificates

Result<std::string> Store::settle(std::string_view name, std::string_view value) {
  if (!exists()) return not_writable(path_);
  if (auto sound = check_texts("a setting", {name, value}); !sound) return fail(sound.error());
  TRY(there, setting(name));
  if (there) return *there;
  if (auto written =
          write({database_.get(), path_},
                "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING", {name, value});
      !written)
    return fail(written.error());
  TRY(kept, setting(name));
  return kept.value_or(std::string(value));
}

Result<bool> Store::set(std::string_view name, std::string_view value) {
  if (!exists()) return not_writable(path_);
  if (auto sound = check_texts("a setting", {name, value}); !sound) return fail(sound.error());
  return write({database_.get(), path_},
               "INSERT INTO settings (name, value) VALUES (?1, ?2)"
               " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
               {name, value});
}

Result<std::optional<std::string>> Store::setting(std::string_view name) const {
  if (!exists()) return std::optional<std::string>();
  TRY(rows, ask({database_.get(), path_}, "SELECT value FROM settings WHERE name = ?1", {name}));
  if (rows.empty()) return std::optional<std::string>();
  return std::optional(std::move(rows.front().front()));
}

Result<bool> Store::saw_certificate(const Certificate& certificate) {
  if (!exists()) return not_writable(path_);
  for (const std::string& time : {certificate.first_seen, certificate.last_seen, certificate.not_after}) {
    if (auto timed = check_time("a certificate of " + certificate.host, time); !timed)
      return fail(timed.error());
  }
  if (auto sound = check_texts("a certificate", {certificate.host, certificate.sha256}); !sound)
    return fail(sound.error());
  const Connection connection{database_.get(), path_};
  const auto port = static_cast<std::int64_t>(certificate.port);
  TRY(transaction, Transaction::begin(connection));
  if (auto put = ask(connection,
                     "INSERT INTO certificates (host, port, sha256, first_seen, last_seen, not_after)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (host, port, sha256)"
                     " DO UPDATE SET last_seen = max(last_seen, excluded.last_seen)",
                     {certificate.host, port, certificate.sha256, certificate.first_seen,
                      certificate.last_seen, certificate.not_after});
      !put)
    return fail(put.error());
  if (auto cut = ask(
          connection,
          "DELETE FROM certificates WHERE host = ?1 AND port = ?2 AND rowid NOT IN (SELECT rowid FROM"
          " certificates WHERE host = ?1 AND port = ?2 ORDER BY last_seen DESC, first_seen DESC LIMIT 100)",
          {certificate.host, port});
      !cut)
    return fail(cut.error());
  return transaction.commit();
}

Result<std::vector<Certificate>> Store::certificates(std::string_view host, std::uint16_t port) const {
  std::vector<Certificate> all;
  if (!exists()) return all;
  TRY(rows, ask({database_.get(), path_},
                "SELECT host, sha256, first_seen, last_seen, not_after FROM certificates"
                " WHERE host = ?1 AND port = ?2 ORDER BY last_seen DESC, first_seen DESC, sha256",
                {host, static_cast<std::int64_t>(port)}));
  for (Cells& cells : rows)
    all.push_back({.host = std::move(cells[0]),
                   .port = port,
                   .sha256 = std::move(cells[1]),
                   .first_seen = std::move(cells[2]),
                   .last_seen = std::move(cells[3]),
                   .not_after = std::move(cells[4])});
  return all;
}

// ---- the whole file

Result<std::vector<std::string>> Store::damages() const {
  std::vector<std::string> found;
  if (!exists()) return found;
  const Connection connection{database_.get(), path_};
  TRY(complaints, ask(connection, "PRAGMA integrity_check(100)"));
  for (Cells& cells : complaints)
    if (cells.front() != "ok") found.push_back(std::move(cells.front()));
  for (const std::string_view table : {"releases", "changes"}) {
    TRY(ids, ask(connection, fmt::format("SELECT id FROM {} ORDER BY id", table)));
    for (const Cells& id : ids) {
      const std::string_view named =
          table == "releases" ? "iif(version = '', as_of, version)" : "from_version || ' to ' || to_version";
      TRY(rows, ask(connection,
                    fmt::format("SELECT instance, {}, sha256, body FROM {} WHERE id = ?1", named, table),
                    {std::string_view(id.front())}));
      if (!rows.empty() && sha256_hex(rows.front()[3]) != rows.front()[2])
        found.push_back(fmt::format("{} of {} {}: the bytes have not their hash any more", table,
                                    rows.front()[0], rows.front()[1]));
    }
  }
  return found;
}

}  // namespace aclmend::store
