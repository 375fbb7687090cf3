// How the file is used ("Atomic Commit In SQLite", "How To Corrupt An SQLite Database File"):
// - A rollback journal and not WAL. At rest the store is one file that can be copied, mailed and read from a
//   read-only place; WAL needs two more files and the right to make them even for reading, and does not work
//   on network drives. Writers are rare and short, so that readers wait for them costs nothing.
// - synchronous=FULL, SQLite's own default: what is committed has reached the disk.
// - The file may come from somebody else: its schema may call no function with side effects
//   (trusted_schema=OFF), statements cannot write its inner tables (defensive), texts and blobs are bounded.
#include "store/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <system_error>

namespace aclmend::store {
namespace {

constexpr int longest_value = 64 << 20;

std::string system_words(sqlite3* database) {
  const int error = database == nullptr ? 0 : sqlite3_system_errno(database);
  return error == 0 ? std::string() : ": " + std::generic_category().message(error);
}

Error error_of(sqlite3* database, const std::string& path) {
  const auto say = [&](std::string message, std::string hint) {
    return Error{
        .message = std::move(message), .file = path, .line = 0, .column = 0, .hint = std::move(hint)};
  };
  switch (sqlite3_errcode(database) & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return say("the store is in use: another process has been writing to it all the while",
                 "try again; if no aclmend is at work, `fuser` tells who has the file open");
    case SQLITE_FULL:
      return say("the disk is full; nothing was changed, and what the store held is still there",
                 "make room and try again");
    case SQLITE_IOERR:
      return say(
          fmt::format("the store cannot be read or written{}; nothing was changed", system_words(database)),
          "is the disk full, over its quota, or gone? what the store held is still there");
    case SQLITE_CORRUPT: return damaged(path, sqlite3_errmsg(database));
    case SQLITE_NOTADB:
      return say("is not a store of aclmend, or is damaged in its first bytes",
                 "it is left as it is; name another with --store, or move it away and fetch anew");
    case SQLITE_CANTOPEN: return say(fmt::format("the store cannot be opened{}", system_words(database)), {});
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return say("the store may not be written",
                 "who runs aclmend needs the right to write to the file and to its folder");
    case SQLITE_TOOBIG: return say("a value is too large for the store", {});
    default: return say(fmt::format("the store: {}", sqlite3_errmsg(database)), {});
  }
}

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

int bind(sqlite3_stmt* statement, int index, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value))
    return sqlite3_bind_int64(statement, index, *number);
  if (const auto* blob = std::get_if<Blob>(&value))
    return sqlite3_bind_blob64(statement, index, blob->bytes.data(), blob->bytes.size(), SQLITE_STATIC);
  const std::string_view text = std::get<std::string_view>(value);
  return sqlite3_bind_text64(statement, index, text.data() == nullptr ? "" : text.data(), text.size(),
                             SQLITE_STATIC, SQLITE_UTF8);
}

Cells cells_of(sqlite3_stmt* statement) {
  Cells cells;
  const int count = sqlite3_column_count(statement);
  cells.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, i));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, i));
    cells.emplace_back(bytes == nullptr ? std::string_view() : std::string_view(bytes, size));
  }
  return cells;
}

}  // namespace

Error damaged(const std::string& path, std::string_view what) {
  return {.message = fmt::format("the store is damaged: {}", what),
          .file = path,
          .line = 0,
          .column = 0,
          .hint =
              "it is left as it is; move it away and fetch anew (aclmend endpoints fetch)\n"
              "sqlite3 FILE .recover prints what can still be read of it"};
}

void Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Result<Database> connect(const std::string& path, Access access, std::chrono::milliseconds patience) {
  sqlite3* opened = nullptr;
  const int how = access == Access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  // ":memory:" is no file to SQLite; with a folder before it, it is one.
  const std::string file = path.starts_with(':') ? "./" + path : path;
  const int status =
      sqlite3_open_v2(file.c_str(), &opened, how | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database(opened);
  if (database == nullptr) return fail("no memory for the store");
  if (status != SQLITE_OK) return fail(error_of(opened, path));
  sqlite3_busy_timeout(opened, static_cast<int>(patience.count()));
  sqlite3_limit(opened, SQLITE_LIMIT_LENGTH, longest_value);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return database;
}

Result<std::vector<Cells>> ask(const Connection& connection, std::string_view sql,
                               std::initializer_list<Value> values) {
  sqlite3* const database = connection.database;
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &prepared, nullptr) != SQLITE_OK)
    return fail(error_of(database, connection.path));
  const Statement statement(prepared);
  int index = 0;
  for (const Value& value : values)
    if (bind(prepared, ++index, value) != SQLITE_OK) return fail(error_of(database, connection.path));
  std::vector<Cells> rows;
  while (true) {
    const int status = sqlite3_step(prepared) & 0xFF;
    if (status == SQLITE_DONE) return rows;
    if (status != SQLITE_ROW) return fail(error_of(database, connection.path));
    rows.push_back(cells_of(prepared));
  }
}

Result<bool> run(const Connection& connection, const std::string& sql) {
  if (sqlite3_exec(connection.database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return fail(error_of(connection.database, connection.path));
  return true;
}

void Transaction::RollBack::operator()(sqlite3* database) const {
  sqlite3_exec(database, "ROLLBACK", nullptr, nullptr, nullptr);
}

Result<Transaction> Transaction::begin(const Connection& connection) {
  if (auto begun = run(connection, "BEGIN IMMEDIATE"); !begun) return fail(begun.error());
  return Transaction(connection);
}

Result<bool> Transaction::commit() {
  TRY(done, run(connection_, "COMMIT"));
  static_cast<void>(open_.release());
  return done;
}

bool needs_a_writer_first(sqlite3* database) { return (sqlite3_errcode(database) & 0xFF) == SQLITE_READONLY; }

}  // namespace aclmend::store
