// Opening: what is no store of ours is refused and left as it is, what is older is brought up to date.
#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "base/file.h"
#include "base/text.h"
#include "store/schema.h"
#include "store/sqlite.h"
#include "store/store.h"

namespace aclmend::store {
namespace {

std::unexpected<Error> refuse(const std::string& path, std::string message, std::string hint = {}) {
  return fail(
      Error{.message = std::move(message), .file = path, .line = 0, .column = 0, .hint = std::move(hint)});
}

int newest_schema() { return static_cast<int>(schema_steps().size()); }

Result<std::int64_t> number(const Connection& connection, std::string_view sql) {
  TRY(rows, ask(connection, sql));
  const auto value =
      rows.empty() ? std::nullopt : parse_decimal<std::uint64_t>(rows.front().front());  // never negative
  return static_cast<std::int64_t>(value.value_or(0));
}

// How many steps of the schema the file has seen; 0: it is empty. An Error: it is not ours to use.
Result<int> schema_of(const Connection& connection) {
  TRY(version, number(connection, "PRAGMA user_version"));
  TRY(application, number(connection, "PRAGMA application_id"));
  if (application == 0 && version == 0) {
    TRY(things, number(connection, "SELECT count(*) FROM sqlite_schema"));
    if (things == 0) return 0;
  }
  if (application != application_id)
    return refuse(connection.path, "is an SQLite file of another program, not a store of aclmend",
                  "it is left as it is; name another with --store");
  if (version > newest_schema())
    return refuse(
        connection.path,
        fmt::format("the store was made by a newer aclmend (its form is {}, this one knows up to {})",
                    version, newest_schema()),
        "use the newer aclmend, or name another store with --store");
  if (version == 0) return fail(damaged(connection.path, "it does not say its form"));
  return static_cast<int>(version);
}

// All missing steps in one transaction. Asks again inside it: another process may have been faster.
Result<bool> bring_up_to_date(const Connection& connection) {
  TRY(transaction, Transaction::begin(connection));
  TRY(seen, schema_of(connection));
  if (seen == newest_schema()) return true;
  for (const std::string_view step : schema_steps().subspan(static_cast<std::size_t>(seen))) {
    if (auto done = run(connection, std::string(step)); !done) return fail(done.error());
  }
  if (auto marked = run(connection, fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                                application_id, newest_schema()));
      !marked)
    return fail(marked.error());
  return transaction.commit();
}

Result<Database> open_to_write(const std::string& path, std::chrono::milliseconds patience) {
  TRY(database, connect(path, Access::write, patience));
  const Connection connection{database.get(), path};
  TRY(seen, schema_of(connection));
  if (seen < newest_schema()) {
    if (auto current = bring_up_to_date(connection); !current) return fail(current.error());
  }
  return database;
}

// An older store, and one whose writer was stopped in the middle, are first opened by a writer.
Result<Database> open_to_read(const std::string& path, std::chrono::milliseconds patience) {
  TRY(database, connect(path, Access::read, patience));
  const auto seen = schema_of({database.get(), path});
  if (!seen && !needs_a_writer_first(database.get())) return fail(seen.error());
  if (seen && *seen == newest_schema()) return database;
  if (seen && *seen == 0) return Database();
  auto writer = open_to_write(path, patience);
  if (!writer) {
    writer.error().message =
        fmt::format("the store has to be {} before it can be read, and {}",
                    seen ? "upgraded" : "repaired after a writer that was stopped", writer.error().message);
    return writer;
  }
  writer->reset();
  return connect(path, Access::read, patience);
}

}  // namespace

Store::Store(std::string path, Database database) : path_(std::move(path)), database_(std::move(database)) {}

Result<Store> Store::open(const std::string& path, Mode mode, std::chrono::milliseconds patience) {
  if (path.empty()) return fail("the store has no name (--store)");
  std::error_code problem;
  const auto status = std::filesystem::status(path, problem);
  if (status.type() == std::filesystem::file_type::none)
    return refuse(path, fmt::format("the store cannot be looked at: {}", problem.message()));
  const bool is_there = status.type() != std::filesystem::file_type::not_found;
  if (is_there && status.type() != std::filesystem::file_type::regular)
    return refuse(path, "the store is to be a file, and this is none");
  if (mode == Mode::read_only) {
    if (!is_there) return Store(path, nullptr);
    TRY(database, open_to_read(path, patience));
    return Store(path, std::move(database));
  }
  if (!is_there) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    if (!folder.empty()) {
      if (auto made = make_folder(folder); !made) return fail(made.error());
    }
    if (auto begun = make_file(path); !begun) return fail(begun.error());
  }
  TRY(database, open_to_write(path, patience));
  return Store(path, std::move(database));
}

Result<std::string> default_path(const std::function<std::string(const char*)>& variable) {
  constexpr std::string_view file = "/store.sqlite";
  const std::string state = variable("STATE_DIRECTORY");
  if (!state.empty()) return fmt::format("{}{}", split(state, ':').front(), file);
  const std::string xdg = variable("XDG_STATE_HOME");  // not absolute: to be ignored (XDG Base Directory)
  if (xdg.starts_with('/')) return fmt::format("{}/aclmend{}", xdg, file);
  const std::string home = variable("HOME");
  if (home.starts_with('/')) return fmt::format("{}/.local/state/aclmend{}", home, file);
  return fail("where the store is cannot be told: neither XDG_STATE_HOME nor HOME is set; name it (--store)");
}

}  // namespace aclmend::store
