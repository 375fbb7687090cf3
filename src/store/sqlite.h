// SQLite as this room uses it: a statement with bound values in, rows of texts out, its errors in words.
// Everything that SQLite's own header declares stays in sqlite.cc.
#pragma once
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "store/database.h"

namespace aclmend::store {

// A database and the name that errors call it by.
struct Connection {
  sqlite3* database = nullptr;
  const std::string& path;
};

enum class Access : std::uint8_t { read, write };
Result<Database> connect(const std::string& path, Access access, std::chrono::milliseconds patience);

struct Blob {
  std::string_view bytes;
};
using Value = std::variant<std::string_view, std::int64_t, Blob>;
using Cells = std::vector<std::string>;  // a number is its decimals, NULL is empty

// One statement, carried out whole. Values are bound, never written into the text.
Result<std::vector<Cells>> ask(const Connection& connection, std::string_view sql,
                               std::initializer_list<Value> values = {});

// Statements without values, one after the other.
Result<bool> run(const Connection& connection, const std::string& sql);

// Everything done until commit() happens wholly or, without it, not at all. Takes the right to write at once
// (BEGIN IMMEDIATE), so that two writers wait for each other at the beginning and never fail in the middle.
class Transaction {
 public:
  static Result<Transaction> begin(const Connection& connection);
  Result<bool> commit();

 private:
  struct RollBack {
    void operator()(sqlite3* database) const;
  };
  Transaction(const Connection& connection) : connection_(connection), open_(connection.database) {}

  Connection connection_;
  std::unique_ptr<sqlite3, RollBack> open_;
};

// An earlier writer was stopped in the middle, and undoing what it began takes the right to write.
bool needs_a_writer_first(sqlite3* database);

Error damaged(const std::string& path, std::string_view what);

}  // namespace aclmend::store
