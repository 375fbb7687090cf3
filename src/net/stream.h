// One TCP connection with deadlines, and why it failed where it did: refused, silent, unreachable, cut, and
// by which box (an ICMP message names its sender, a reset does not). It can be upgraded to TLS once; the
// peer's certificates are taken as they were sent and judged elsewhere (certificate.h).
#pragma once
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sets/address.h"

namespace aclmend::net {

using Until = std::chrono::steady_clock::time_point;  // when a step has to be over

struct Endpoint {
  Address address;
  std::uint16_t port = 0;
};
std::string to_string(const Endpoint& endpoint);  // "192.0.2.1:25", "[2001:db8::1]:25"

// The ICMP or ICMPv6 message that ended a connection, and who sent it.
struct Icmp {
  Address from;
  std::uint8_t type = 0;
  std::uint8_t code = 0;
};
std::string to_string(const Icmp& icmp);  // "ICMP admin-prohibited (3/13) from 198.51.100.1"

struct Failure {
  enum class Kind : std::uint8_t {
    refused,      // something answered with a refusal, at once
    timed_out,    // silence
    unreachable,  // a router or firewall said so, or the address is not there
    reset,        // cut while open
    closed,       // ended in order, too early
    tls,          // what was said is no TLS that we take
    local,        // this machine: no route, no such own address, its own filter
  };
  Kind kind = Kind::local;
  std::string text;  // one clause
  std::optional<Icmp> icmp{};
};

struct TlsFacts {
  std::string version;             // "TLSv1.3"
  std::string cipher;              // "TLS_AES_256_GCM_SHA384"
  std::string key_exchange;        // "X25519"; empty: not known
  std::vector<std::string> chain;  // the certificates as sent, DER, the server's own first
};

class Stream {
 public:
  template <class T>
  using Outcome = std::expected<T, Failure>;

  // `from`: the own address to speak from; none: the one that the routes choose.
  static Outcome<Stream> connect(const Endpoint& to, std::optional<Address> from, Until until);

  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();

  Address local() const;
  unsigned repeated_packets() const;  // TCP segments sent again so far: a sign of loss on the way

  Outcome<std::size_t> send(std::string_view bytes, Until until);  // all of them
  Outcome<std::string> receive(Until until);                       // what has come; "" at the end

  // TLS 1.2 or 1.3 with this server name (empty: none). Verifies nothing: weak keys and wrong certificates
  // are to be seen and told.
  Outcome<TlsFacts> start_tls(const std::string& server_name, Until until);

  void close();  // with TLS's own goodbye, where it is up; waits for nothing

 private:
  struct State;
  explicit Stream(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace aclmend::net
