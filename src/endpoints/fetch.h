// The client of Microsoft's endpoint web service, without a network: what is asked in which order, what is
// tried again and when, what is refused. The transport is passed in. ("Office 365 IP Address and URL web
// service", Microsoft Learn: ask /version at most once an hour, the list only when the version moved.)
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "endpoints/distrust.h"
#include "endpoints/result.h"

namespace aclmend::endpoints {

// What came back for a URL, and why nothing did.
struct Answer {
  int status = 0;
  std::string reason;
  std::string content_type;
  std::optional<std::chrono::seconds> retry_after;
  std::string body;
};
struct NoAnswer {
  std::string message;    // a sentence
  std::string hint;       // what to do about it
  bool may_pass = false;  // worth another try
};
using Transport = std::function<std::expected<Answer, NoAnswer>(const std::string& url)>;

struct Client {
  std::string base = "https://endpoints.office.com";
  std::string request_id;  // a GUID of this installation's own: the service counts by it
  Transport transport;
  std::function<void(std::chrono::milliseconds)> wait;  // between two tries
  std::function<double()> chance;                       // in [0, 1), for the jitter
  int tries = 3;
  std::chrono::milliseconds first_wait{1000};
  std::chrono::seconds longest_wait{60};  // a Retry-After beyond it ends the tries
};

// A version 4 GUID (RFC 9562) from 16 random bytes.
std::string guid_of(const std::array<std::uint8_t, 16>& random);

enum class Fetched : std::uint8_t { unchanged, fresh, refused };

struct Fetch {
  Fetched outcome = Fetched::unchanged;
  std::string latest;              // the version that the service names
  std::optional<Release> release;  // fresh and refused: what came
  std::string url;                 // where it came from
  std::string body;                // its bytes
  std::string changes;             // a /changes answer since the version held; empty: none was asked or came
  std::string changes_url;
  std::vector<std::string> remarks;  // what did not go as it should and does not matter to the list
  std::vector<std::string> reasons;  // refused: why
};

// Asks for the version, and where it is not the one held, for the list and the changes since. The version
// held may be empty (the list that is compiled in).
struct Wanted {
  Instance instance = Instance::worldwide;
  const Release* held = nullptr;
  // What an answer is measured against; null: the one held. They differ where only old lists were taken in:
  // an answer that is short today may be whole beside those.
  const Release* in_force = nullptr;
  std::vector<Watched> watched;
  bool even_unchanged = false;  // the list is asked for though the version did not move
  bool accept_shrink = false;
};
Result<Fetch> fetch(const Client& client, const Wanted& wanted);

}  // namespace aclmend::endpoints
