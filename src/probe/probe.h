// The whole probe: names to addresses, every address visited at the same time, each judged. What reaches
// outside beside the connections themselves is passed in.
#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "net/certificate.h"
#include "net/stream.h"
#include "probe/findings.h"
#include "probe/result.h"
#include "probe/sts.h"
#include "probe/targets.h"
#include "probe/visit.h"

namespace aclmend::probe {

inline constexpr std::size_t most_at_once = 256;  // connections
inline constexpr std::size_t most_unasked = 128;  // addresses without --yes
inline constexpr std::chrono::seconds breath{1};  // between two connections to one address

struct Question {
  std::vector<std::string> words;  // domains, hosts, addresses
  Word kind = Word::domain;
  std::optional<Address> address;  // ask here, whatever DNS says; the word is the name
  std::uint16_t port = 25;
  std::string tls_domain;
  VisitOptions visit;
  int rounds = 1;
  std::chrono::milliseconds interval{5000};  // between rounds
  bool may_be_private = false;               // addresses that an MX record names
  bool may_be_many = false;
  std::chrono::sys_seconds now{};
};

struct Surroundings {
  Ask ask;
  std::vector<net::Endpoint> resolvers;  // whom `ask` asks
  net::Trust trust;
  std::function<void(std::chrono::milliseconds)> pause;
  Fetch fetch{};         // none: MTA-STS is not looked at
  LastSeen last_seen{};  // none: nothing is remembered
};

// An Error is a refusal to begin.
Result<Report> probe(const Question& question, const Surroundings& surroundings);

}  // namespace aclmend::probe
