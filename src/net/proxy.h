// A proxy as people write it: "http://user:password@host:3128". Credentials are taken out here and shown
// nowhere.
#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "sets/address.h"

namespace aclmend::net {

struct Proxy {
  std::string host;
  std::optional<Address> address;  // where the host is one
  std::uint16_t port = 80;
  std::string authorization;  // "Basic …"; empty: none
};

// Fails with what is wrong, without the credentials.
std::expected<Proxy, std::string> parse_proxy(std::string_view text);

std::string shown(const Proxy& proxy);  // "host:3128"

}  // namespace aclmend::net
