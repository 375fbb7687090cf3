// One GET over HTTPS, politely and suspiciously: certificates and host names are always verified (nothing
// turns that off), each step has its deadline, each size its bound, and an answer that was cut off is a
// failure and never an answer. Plain HTTP is for loopback alone: mirrors on this machine, and tests.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aclmend::net {

struct HttpOptions {
  std::string ca_file;  // PEM: trusted instead of the system's certificates; empty: the system's
  std::string proxy;    // "http://user:password@host:3128"; empty: none. See proxy_for
  // Blocked clients see a hang and no answer: every step ends.
  std::chrono::milliseconds resolve = std::chrono::seconds(10);
  std::chrono::milliseconds connect = std::chrono::seconds(10);    // to all addresses of a name together
  std::chrono::milliseconds handshake = std::chrono::seconds(10);  // TLS; and what a proxy takes to connect
  std::chrono::milliseconds idle = std::chrono::seconds(20);   // the header; each further part of the body
  std::chrono::milliseconds whole = std::chrono::seconds(60);  // everything, redirects too
  std::size_t largest_body = std::size_t{16} << 20;            // bytes, as sent and as unpacked
  std::size_t largest_header = std::size_t{64} << 10;          // bytes
  int most_redirects = 3;                                      // followed, on the same host alone
  std::function<void(std::uint64_t got, std::optional<std::uint64_t> total)> progress;  // of the body as sent
  // The addresses of a name, or why there are none; empty: the system's resolver. It may run on after
  // `resolve` is over, in a thread of its own: it must own what it uses.
  std::function<std::expected<std::vector<std::string>, std::string>(const std::string& host)> look_up;
};

// What came, with whatever status. A body of a 2xx is whole and unpacked. With any other status it is there
// to be told, at most 64 KiB, as far as it could be had: what is wrong with it does not hide the status.
struct HttpAnswer {
  int status = 0;
  std::string reason{}, content_type{};               // printable
  std::optional<std::chrono::seconds> retry_after{};  // a date is counted from the answer's own Date
  std::string body{};                                 // as it came: hostile until read
};

struct HttpFailure {
  enum class Kind : std::uint8_t {
    usage,        // the URL, the proxy's URL or the CA file
    resolve,      // the name has no address, or nobody told
    connect,      // unreachable, reset
    refused,      // every address refused
    timed_out,    // a step's deadline or the whole's
    tls,          // no TLS session, not for want of trust
    certificate,  // the server's certificate is not to be trusted
    proxy,        // the proxy said no
    protocol,     // not HTTP as it should be
    too_large,
    truncated,  // the answer began and did not end
    redirect,   // to somewhere that is not followed
  };
  Kind kind = Kind::protocol;
  std::string message{};        // printable, one sentence without a full stop; no credentials
  std::string hint{};           // what to do, where there is something
  bool worth_retrying = false;  // the same request may fare better in a while
};

std::expected<HttpAnswer, HttpFailure> get(std::string_view url, const HttpOptions& options);

// The proxy that the environment names for a URL: https_proxy (or HTTPS_PROXY), unless no_proxy (or NO_PROXY)
// exempts its host; empty: none. no_proxy lists names (with all below them; "*.x" and ".x" mean the same),
// addresses, prefixes, each with ":port" if only that is meant, or "*". Loopback and plain HTTP have no
// proxy.
std::string proxy_for(std::string_view url,
                      const std::function<std::optional<std::string>(const std::string& name)>& environment);

}  // namespace aclmend::net
