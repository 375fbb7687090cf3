// Which release of Microsoft's list is in force: from the command line, the inventory, and what the store
// holds. The store of this user is read only where it is there. Asking the service makes one, be it by
// `endpoints fetch` or `--endpoints service`, and so do `endpoints import` and `probe --remember`.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "cli/run.h"
#include "endpoints/changes.h"
#include "endpoints/distrust.h"
#include "endpoints/fetch.h"
#include "endpoints/result.h"
#include "inventory/result.h"
#include "store/store.h"

namespace CLI {
class App;
}

namespace aclmend::cli {

// --store --as-of --offline
struct StoreOptions {
  std::string store;
  std::string as_of;
  bool offline = false;
};
void declare_store(CLI::App& app, std::string& store);  // --store alone
void declare(CLI::App& app, StoreOptions& options);

// --store, or where a user's own is.
Result<store::Store> open_store(const std::string& option, store::Mode mode);

// A list that the store holds, read; `checked` is the day of the last answer that found it in force.
Result<endpoints::Release> release_of(const store::Store& store, const store::Held& held);
// The newest that the store holds of an instance; none: it holds none.
Result<std::optional<endpoints::Release>> newest_held(const store::Store& store,
                                                      endpoints::Instance instance);
// Every answer of /changes that is held, read.
Result<std::vector<endpoints::Changes>> changes_held(const store::Store& store, endpoints::Instance instance);

struct ListWanted {
  std::string
      which;  // FILE, VERSION, DATE, "embedded", "store", "service"; empty: the newest that is at hand
  std::optional<endpoints::Instance> instance;
  StoreOptions store;
};

struct ListInForce {
  endpoints::Release release;
  std::vector<endpoints::ChangeRecord> announced;  // what is known of its instance's changes
  std::string today;                               // YYYY-MM-DD, or the day of --as-of
  std::string checked;               // when it was last looked whether it is the newest; or empty
  std::vector<std::string> remarks;  // that it is not the one that was asked for, and why

  // What of these rows is in use from a later day on only.
  std::vector<endpoints::Coming> coming(const endpoints::Selection& selection) const;
};

// A version is looked up in the store first, then in the history that is compiled in. Without a word it is
// the newest in the store, unless what is compiled in is newer.
Result<ListInForce> list_in_force(const ListWanted& wanted);
// The same without what is known of its changes, for those who only look at the list.
Result<endpoints::Release> release_at_hand(const ListWanted& wanted);

// ---- asking the service

struct ServiceOptions {
  std::string base_url;
  std::string ca_file;
  std::string proxy;
  unsigned tries = 3;
  unsigned timeout = 60;  // seconds for each answer
  bool new_request_id = false;
};

// HTTPS_PROXY and NO_PROXY, as they stand in the environment.
std::string environment_proxy(const std::string& url);

// Told while an answer comes; none: nobody watches.
using Progress = std::function<void(std::uint64_t got, std::optional<std::uint64_t> total)>;

// The client of the service over the network. The request id is this store's own, made when it is first
// needed.
Result<endpoints::Client> client_of(const ServiceOptions& options, store::Store& store, Progress progress);

// The rows that the shipped flows live on.
std::vector<endpoints::Watched> watched_rows();

struct Refreshed {
  endpoints::Fetch fetch;
  endpoints::Release held;           // the newest before, whose changes were asked for
  endpoints::Release in_force;       // what it was measured against
  std::vector<std::string> remarks;  // of the fetch and of the keeping
};

// Asks the service for an instance and keeps what came: the release with the changes, or that it was refused
// or failed. The store holds all that it held, whatever happens.
struct RefreshWanted {
  endpoints::Instance instance = endpoints::Instance::worldwide;
  bool even_unchanged = false;
  bool accept_shrink = false;
};
Result<Refreshed> refresh(store::Store& store, const endpoints::Client& client, const RefreshWanted& wanted,
                          Time now);

// The service wants to be asked once an hour at most: when it was, if that is less than an hour ago.
Result<std::optional<Time>> asked_just_now(const store::Store& store, endpoints::Instance instance, Time now);

}  // namespace aclmend::cli
