// An open SQLite database as a value; what it is inside is known to sqlite.cc alone.
#pragma once
#include <memory>

struct sqlite3;

namespace aclmend::store {

struct Close {
  void operator()(sqlite3* database) const;
};
using Database = std::unique_ptr<sqlite3, Close>;

}  // namespace aclmend::store
