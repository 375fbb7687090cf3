// URLs as far as the client needs them: what is not plain is refused, so that nothing of an option, an
// environment or a server's redirect gets into a request unseen (no blanks, no control characters, no
// credentials).
#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "sets/address.h"

namespace aclmend::net {

struct Url {
  bool is_tls = true;
  std::string host;                // lower case; an IPv6 address without its brackets
  std::optional<Address> address;  // where the host is one
  std::uint16_t port = 443;
  std::string target = "/";  // path and query
};

// "https://host[:port][/path][?query]", or http. Fails with what is wrong, in printable words.
std::expected<Url, std::string> parse_url(std::string_view text);

struct HostAndPort {
  std::string host;
  std::optional<Address> address;
  std::optional<std::uint16_t> port;
};

// "host", "host:port", "192.0.2.1:80", "[2001:db8::1]:443".
std::expected<HostAndPort, std::string> parse_authority(std::string_view text);

bool is_loopback(Address address);  // 127.0.0.0/8, ::1

std::string authority(const Url& url);  // "host:443", "[2001:db8::1]:443"
std::string origin(const Url& url);     // "https://host", with the port where it is not the scheme's own

}  // namespace aclmend::net
