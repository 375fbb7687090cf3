#include "cli/published.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <random>
#include <thread>

#include "audit/question.h"
#include "base/text.h"
#include "endpoints/import.h"
#include "inventory/flows.h"
#include "net/http.h"

namespace aclmend::cli {
namespace {

using endpoints::Instance;
using endpoints::Release;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string instance_word(Instance instance) { return std::string(endpoints::to_string(instance)); }

// The day that a release is of, as far as it says: that of its version, else its date.
std::string day_of(const Release& release) {
  if (release.version.empty()) return release.as_of;
  return fmt::format("{}-{}-{}", release.version.substr(0, 4), release.version.substr(4, 2),
                     release.version.substr(6, 2));
}

Result<Release> newest_at_hand(const store::Store& store, Instance instance) {
  Release built_in = endpoints::newest(instance);
  TRY(held, newest_held(store, instance));
  return held && day_of(*held) >= day_of(built_in) ? std::move(*held) : std::move(built_in);
}

// A version or date that the store holds, else what endpoints:: knows of the word.
Result<Release> named_release(const store::Store& store, const std::string& word,
                              std::optional<Instance> instance) {
  TRY(held, store.release(instance_word(instance.value_or(Instance::worldwide)), word));
  if (held) return release_of(store, *held);
  return endpoints::open_release(word, instance);
}

Result<Release> from_store(const store::Store& store, Instance instance) {
  TRY(held, newest_held(store, instance));
  if (held) return std::move(*held);
  Error error{.message = fmt::format("{} holds no list of {}", store.path(), to_string(instance)),
              .file = {}};
  error.hint = fmt::format("aclmend endpoints fetch --instance {}", to_string(instance));
  return fail(std::move(error));
}

// The service is asked; where it does not answer well, what is held stays in force, and that is said.
Result<Release> from_service(const ListWanted& wanted, Instance instance, std::vector<std::string>& remarks) {
  if (wanted.store.offline)
    return fail(
        "the list is to come from the service, and --offline forbids the network: take "
        "--endpoints store");
  TRY(store, open_store(wanted.store.store, store::Mode::read_write));
  TRY(just_now, asked_just_now(store, instance, now()));
  if (!just_now) {
    TRY(client, client_of({}, store, {}));
    const auto refreshed = refresh(store, client, {.instance = instance}, now());
    TRY(held, newest_held(store, instance));
    if (!refreshed && !held) return fail(refreshed.error());
    if (!refreshed)
      remarks.push_back(fmt::format("the service could not be asked, the list held stays in force: {}",
                                    refreshed.error().message));
    else if (refreshed->fetch.outcome == endpoints::Fetched::refused)
      remarks.push_back(
          fmt::format("ACM051: the answer of the service was refused, the list held stays in "
                      "force: {}",
                      fmt::join(refreshed->fetch.reasons, "; ")));
  }
  return newest_at_hand(store, instance);
}

Result<Release> chosen_release(const ListWanted& wanted, std::vector<std::string>& remarks) {
  const Instance instance = wanted.instance.value_or(Instance::worldwide);
  if (wanted.which == "service") return from_service(wanted, instance, remarks);
  TRY(store, open_store(wanted.store.store, store::Mode::read_only));
  if (!wanted.store.store.empty() && !store.exists())
    return fail(fmt::format("there is no store at {}; aclmend endpoints fetch or import makes one",
                            wanted.store.store));
  if (wanted.which.empty()) return newest_at_hand(store, instance);
  if (wanted.which == "store") return from_store(store, instance);
  return named_release(store, wanted.which, wanted.instance);
}

std::expected<endpoints::Answer, endpoints::NoAnswer> sent(const std::string& url,
                                                           const net::HttpOptions& options) {
  auto answer = net::get(url, options);
  if (!answer)
    return std::unexpected(endpoints::NoAnswer{
        std::move(answer.error().message), std::move(answer.error().hint), answer.error().worth_retrying});
  return endpoints::Answer{answer->status, std::move(answer->reason), std::move(answer->content_type),
                           answer->retry_after, std::move(answer->body)};
}

std::string fresh_guid() {
  std::random_device device;
  std::array<std::uint8_t, 16> random;
  for (std::uint8_t& byte : random) byte = static_cast<std::uint8_t>(device());
  return endpoints::guid_of(random);
}

constexpr const char* request_id_setting = "client-request-id";

// The URL without its query: the request id is nobody's business.
std::string bare_url(const std::string& url) { return url.substr(0, url.find('?')); }

Result<bool> keep(store::Store& store, const endpoints::Fetch& fetch, Instance instance,
                  const std::string& held_version, Time now, std::vector<std::string>& remarks) {
  store::Held held;
  held.instance = instance_word(instance);
  held.version = fetch.latest;
  held.origin = "service";
  held.source = bare_url(fetch.url);
  held.first_seen = iso_time(now);
  held.completeness = endpoints::to_string(endpoints::Completeness::whole);
  held.body = fetch.body;
  TRY(put, store.put_release(held));
  if (put == store::Put::beside)
    remarks.push_back(
        fmt::format("{} was held with other rows; both are kept, this one is in force", fetch.latest));
  if (fetch.changes.empty()) return true;
  store::HeldChanges changes;
  changes.instance = held.instance;
  changes.from = held_version;
  changes.to = fetch.latest;
  changes.origin = "service";
  changes.source = bare_url(fetch.changes_url);
  changes.first_seen = held.first_seen;
  changes.body = fetch.changes;
  TRY(kept, store.put_changes(changes));
  (void)kept;
  return true;
}

// Do the changes that the service tells lead from the list held to the list that came?
void compare_with_changes(const endpoints::Fetch& fetch, const Release& held, Instance instance,
                          std::vector<std::string>& remarks) {
  const auto changes =
      endpoints::decode_changes(Source(bare_url(fetch.changes_url), fetch.changes), instance);
  if (!changes) return;
  const auto made = endpoints::apply(held, changes->records, fetch.latest);
  if (!made) return;
  const std::size_t differences = endpoints::differences(made->release, *fetch.release).size();
  if (!made->not_applied.empty() || differences > 0)
    remarks.push_back(
        fmt::format("the changes since {} do not lead to the list that came: {} records could "
                    "not be applied, {} rows differ (aclmend endpoints verify)",
                    held.version, made->not_applied.size(), differences));
}

std::string_view outcome_word(endpoints::Fetched outcome) {
  switch (outcome) {
    case endpoints::Fetched::unchanged: return "same";
    case endpoints::Fetched::fresh: return "new";
    case endpoints::Fetched::refused: return "refused";
  }
  return "";
}

}  // namespace

void declare_store(CLI::App& app, std::string& store) {
  app.add_option("--store", store, "the store (default: this user's own)")->type_name("FILE");
}

void declare(CLI::App& app, StoreOptions& options) {
  declare_store(app, options.store);
  app.add_option("--as-of", options.as_of,
                 "the day asked about: what comes into use later is not required yet")
      ->type_name("DATE");
  app.add_flag("--offline", options.offline, "never use the network");
}

Result<store::Store> open_store(const std::string& option, store::Mode mode) {
  if (!option.empty()) return store::Store::open(option, mode);
  TRY(path, store::default_path(variable));
  return store::Store::open(path, mode);
}

Result<Release> release_of(const store::Store& store, const store::Held& held) {
  TRY(instance, endpoints::instance_named(held.instance));
  const std::string name = fmt::format("{} ({} {})", store.path(), held.instance,
                                       held.version.empty() ? held.as_of : held.version);
  TRY(release, endpoints::decode_held(Source(name, held.body), instance, held.version, held.as_of));
  release.origin = endpoints::Origin::store;
  release.file.clear();
  release.sha256 = held.sha256;
  TRY(answered, store.last_answered(held.instance));
  const bool is_in_force = answered && answered->latest == held.version;
  // Taking in a saved file is no look at the service: then it is known of the day of the list alone.
  if (is_in_force) release.checked = answered->time.substr(0, 10);
  else release.checked = held.origin == "service" ? held.first_seen.substr(0, 10) : day_of(release);
  return release;
}

Result<std::optional<Release>> newest_held(const store::Store& store, Instance instance) {
  TRY(held, store.newest(instance_word(instance)));
  if (!held) return std::optional<Release>();
  TRY(release, release_of(store, *held));
  return std::optional(std::move(release));
}

Result<std::vector<endpoints::Changes>> changes_held(const store::Store& store, Instance instance) {
  TRY(held, store.changes(instance_word(instance)));
  std::vector<endpoints::Changes> all;
  for (const store::HeldChanges& one : held) {
    const std::string name =
        fmt::format("{} ({} changes {} to {})", store.path(), one.instance, one.from, one.to);
    TRY(changes, endpoints::decode_changes(Source(name, one.body), instance));
    changes.from = one.from;
    changes.to = one.to;
    all.push_back(std::move(changes));
  }
  return all;
}

std::vector<endpoints::Coming> ListInForce::coming(const endpoints::Selection& selection) const {
  if (announced.empty()) return {};
  return endpoints::not_yet(release, announced, today, selection).parts;
}

Result<Release> release_at_hand(const ListWanted& wanted) {
  std::vector<std::string> remarks;
  TRY(release, chosen_release(wanted, remarks));
  std::ranges::move(remarks, std::back_inserter(release.remarks));
  return release;
}

Result<ListInForce> list_in_force(const ListWanted& wanted) {
  ListInForce list;
  const auto as_of = wanted.store.as_of.empty() ? std::optional(now()) : parse_date(wanted.store.as_of);
  if (!as_of)
    return fail(
        fmt::format("expected a date such as 2026-01-31 after --as-of, found '{}'", wanted.store.as_of));
  list.today = iso_date(*as_of);
  TRY(release, chosen_release(wanted, list.remarks));
  list.release = std::move(release);
  TRY(store, open_store(wanted.store.store, store::Mode::read_only));
  TRY(answered, store.last_answered(instance_word(list.release.instance)));
  list.checked = std::max(list.release.checked, answered ? answered->time.substr(0, 10) : std::string());
  TRY(changes, changes_held(store, list.release.instance));
  for (endpoints::Changes& one : changes) std::ranges::move(one.records, std::back_inserter(list.announced));
  return list;
}

Result<endpoints::Client> client_of(const ServiceOptions& options, store::Store& store, Progress progress) {
  endpoints::Client client;
  if (!options.base_url.empty()) client.base = options.base_url;
  while (client.base.ends_with('/')) client.base.pop_back();
  if (options.new_request_id) {
    client.request_id = fresh_guid();
    TRY(is_set, store.set(request_id_setting, client.request_id));
    (void)is_set;
  } else {
    TRY(id, store.settle(request_id_setting, fresh_guid()));
    client.request_id = std::move(id);
  }
  client.tries = static_cast<int>(std::clamp(options.tries, 1U, 10U));
  client.wait = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); };
  client.chance = [] {
    std::random_device device;
    return std::uniform_real_distribution<double>(0, 1)(device);
  };
  client.transport = [options, progress](const std::string& url) {
    net::HttpOptions http;
    http.ca_file = options.ca_file;
    http.proxy = !options.proxy.empty() ? options.proxy : environment_proxy(url);
    http.whole = std::chrono::seconds(options.timeout);
    for (auto* step : {&http.resolve, &http.connect, &http.handshake, &http.idle})
      *step = std::min(*step, http.whole);
    http.progress = progress;
    return sent(url, http);
  };
  return client;
}

std::string environment_proxy(const std::string& url) {
  return net::proxy_for(url, [](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
}

std::vector<endpoints::Watched> watched_rows() {
  std::vector<endpoints::Watched> rows;
  const auto flows = inventory::load_flows({});
  if (!flows) return rows;
  for (const inventory::Flow& flow : *flows)
    if (auto selection = audit::selection_of(flow)) rows.push_back({flow.id, std::move(*selection)});
  return rows;
}

Result<Refreshed> refresh(store::Store& store, const endpoints::Client& client, const RefreshWanted& wanted,
                          Time now) {
  TRY(held, newest_held(store, wanted.instance));
  Refreshed done;
  done.held = held ? std::move(*held) : endpoints::newest(wanted.instance);
  TRY(in_force, newest_at_hand(store, wanted.instance));
  done.in_force = std::move(in_force);
  endpoints::Wanted asked;
  asked.instance = wanted.instance;
  asked.held = &done.held;
  asked.in_force = &done.in_force;
  asked.watched = watched_rows();
  asked.even_unchanged = wanted.even_unchanged;
  asked.accept_shrink = wanted.accept_shrink;
  store::Check check{.instance = instance_word(wanted.instance),
                     .time = iso_time(now),
                     .latest = {},
                     .outcome = "failed",
                     .detail = {}};
  auto fetch = endpoints::fetch(client, asked);
  if (!fetch) {
    check.detail = fetch.error().message;
    TRY(is_recorded, store.record_check(check));
    (void)is_recorded;
    return fail(std::move(fetch.error()));
  }
  done.fetch = std::move(*fetch);
  done.remarks = done.fetch.remarks;
  if (done.fetch.outcome == endpoints::Fetched::fresh) {
    TRY(is_kept, keep(store, done.fetch, wanted.instance, done.held.version, now, done.remarks));
    (void)is_kept;
    if (!done.fetch.changes.empty())
      compare_with_changes(done.fetch, done.held, wanted.instance, done.remarks);
  }
  check.latest = done.fetch.latest;
  check.outcome = outcome_word(done.fetch.outcome);
  check.detail = fmt::format("{}", fmt::join(done.fetch.reasons, "; "));
  TRY(is_recorded, store.record_check(check));
  (void)is_recorded;
  return done;
}

Result<std::optional<Time>> asked_just_now(const store::Store& store, Instance instance, Time now) {
  TRY(answered, store.last_answered(instance_word(instance)));
  if (!answered) return std::optional<Time>();
  const auto time = parse_iso_time(answered->time);
  return time && *time <= now && now - *time < std::chrono::hours(1) ? time : std::optional<Time>();
}

}  // namespace aclmend::cli
