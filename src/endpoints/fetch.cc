#include "endpoints/fetch.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"
#include "endpoints/changes.h"

namespace aclmend::endpoints {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view rate_hint =
    "the service counts by address and by request id: wait an hour, or take another id with --new-request-id";

bool may_pass(int status) { return status == 408 || status == 429 || status >= 500; }

// The beginning of an error's body: what the service has to say about it.
std::string quoted(std::string_view body) {
  constexpr std::size_t most = 300;
  const std::string_view text = trimmed(body);
  if (text.empty()) return {};
  return fmt::format(": {}{}", printable(text.substr(0, most)), text.size() > most ? "…" : "");
}

Error status_error(const Answer& answer, std::string_view url) {
  Error error{.message = fmt::format("{} answered {} {}{}", url, answer.status, printable(answer.reason),
                                     quoted(answer.body)),
              .file = {}};
  if (answer.status == 429) error.hint = rate_hint;
  if (answer.status == 400) error.hint = "the service takes a GUID as ClientRequestId: try --new-request-id";
  return error;
}

// How long until the next try: what the service asks for, else twice as long as before, spread at random so
// that many installations do not come back at once. None: it asks for longer than we wait.
std::optional<milliseconds> pause(const Client& client, int tries_done, const std::optional<seconds>& asked) {
  if (asked && *asked > client.longest_wait) return std::nullopt;
  const milliseconds full = client.first_wait * (1LL << std::min(tries_done - 1, 16));
  const auto spread = std::chrono::duration_cast<milliseconds>(full * (0.5 + client.chance() / 2));
  return std::max(milliseconds(asked.value_or(seconds(0))),
                  std::min(spread, milliseconds(client.longest_wait)));
}

Result<std::string> ask(const Client& client, const std::string& url) {
  for (int tries_done = 1;; ++tries_done) {
    const auto answer = client.transport(url);
    if (answer && answer->status == 200) return answer->body;
    const bool is_worth_it = answer ? may_pass(answer->status) : answer.error().may_pass;
    const auto asked = answer ? answer->retry_after : std::nullopt;
    const auto next =
        is_worth_it && tries_done < client.tries ? pause(client, tries_done, asked) : std::nullopt;
    if (next) {
      client.wait(*next);
      continue;
    }
    Error error = answer ? status_error(*answer, url)
                         : Error{.message = answer.error().message, .file = {}, .hint = answer.error().hint};
    if (asked && is_worth_it) error.message += fmt::format("; it asks to wait {} s", asked->count());
    if (tries_done > 1) error.message += fmt::format(" (tried {} times)", tries_done);
    return fail(std::move(error));
  }
}

std::string url_of(const Client& client, std::string_view path) {
  return fmt::format("{}{}?ClientRequestId={}", client.base, path, client.request_id);
}

Result<std::string> latest_version(const Client& client, Instance instance) {
  const std::string url = url_of(client, fmt::format("/version/{}", to_string(instance)));
  TRY(body, ask(client, url));
  TRY(versions, decode_versions(Source(url, body)));
  for (const Latest& one : versions.all)
    if (one.instance == instance) return one.latest;
  return fail(fmt::format("{} says nothing of {}", url, to_string(instance)));
}

// The changes are told beside the list and it does not hang on them: what goes wrong here is a remark.
void ask_for_changes(const Client& client, const Wanted& wanted, Fetch& fetch) {
  const std::string& since = wanted.held == nullptr ? std::string() : wanted.held->version;
  if (since.empty() || since >= fetch.latest) return;
  fetch.changes_url = url_of(client, fmt::format("/changes/{}/{}", to_string(wanted.instance), since));
  auto body = ask(client, fetch.changes_url);
  if (!body) {
    fetch.remarks.push_back(
        fmt::format("the changes since {} did not come: {}", since, body.error().message));
    return;
  }
  const auto changes = decode_changes(Source(fetch.changes_url, *body), wanted.instance);
  if (changes) fetch.changes = std::move(*body);
  else
    fetch.remarks.push_back(
        fmt::format("the changes since {} cannot be read: {}", since, to_string(changes.error())));
}

Result<Release> list_of(const Client& client, const Wanted& wanted, Fetch& fetch) {
  fetch.url = url_of(client, fmt::format("/endpoints/{}", to_string(wanted.instance)));
  TRY(body, ask(client, fetch.url));
  fetch.body = std::move(body);
  if (trimmed(fetch.body) == "[]") {  // it has been seen; what it would do to a firewall, `distrust` says
    Release empty;
    empty.instance = wanted.instance;
    empty.origin = Origin::service;
    return empty;
  }
  TRY(release, decode(Source(fetch.url, fetch.body), wanted.instance));
  release.origin = Origin::service;
  release.file.clear();
  return release;
}

}  // namespace

std::string guid_of(const std::array<std::uint8_t, 16>& random) {
  std::array<std::uint8_t, 16> bytes = random;
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0fU) | 0x40U);  // version 4
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3fU) | 0x80U);  // variant 1
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    text += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
  return text;
}

Result<Fetch> fetch(const Client& client, const Wanted& wanted) {
  Fetch fetch;
  TRY(latest, latest_version(client, wanted.instance));
  fetch.latest = std::move(latest);
  const std::string held = wanted.held == nullptr ? std::string() : wanted.held->version;
  if (fetch.latest == held && !wanted.even_unchanged) return fetch;
  if (fetch.latest < held)
    fetch.remarks.push_back(
        fmt::format("the service names {}, which is older than {}, the version held", fetch.latest, held));
  // An answer of /endpoints does not say which version it is: when the version moved meanwhile, it is asked
  // for once more.
  for (int round = 0; round < 2; ++round) {
    TRY(release, list_of(client, wanted, fetch));
    TRY(still, latest_version(client, wanted.instance));
    release.version = still;
    fetch.release = std::move(release);
    const bool is_settled = still == fetch.latest;
    fetch.latest = std::move(still);
    if (is_settled) break;
  }
  ask_for_changes(client, wanted, fetch);
  fetch.outcome = Fetched::fresh;
  const Release* in_force = wanted.in_force != nullptr ? wanted.in_force : wanted.held;
  if (in_force != nullptr && !wanted.accept_shrink)
    fetch.reasons = distrust(*in_force, *fetch.release, wanted.watched);
  if (fetch.release->rows.empty()) fetch.reasons = {"the list is empty"};
  if (!fetch.reasons.empty()) fetch.outcome = Fetched::refused;
  return fetch;
}

}  // namespace aclmend::endpoints
