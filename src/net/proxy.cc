#include "net/proxy.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "net/http.h"
#include "net/url.h"

namespace aclmend::net {
namespace {

std::string base64(std::string_view bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view part = bytes.substr(at, 3);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < part.size() ? static_cast<unsigned char>(part[i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) out += i <= part.size() ? letters[group >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    if (at + 2 >= text.size()) return std::nullopt;
    const auto high = hex_digit(text[at + 1]), low = hex_digit(text[at + 2]);
    if (!high || !low) return std::nullopt;
    out += static_cast<char>(*high << 4 | *low);
    at += 2;
  }
  return out;
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// RFC 7617: the name ends at the first colon, so it has none itself.
std::expected<std::string, std::string> basic(std::string_view user_info) {
  const std::size_t colon = std::min(user_info.find(':'), user_info.size());
  const auto user = percent_decoded(user_info.substr(0, colon));
  const auto password = percent_decoded(user_info.substr(std::min(colon + 1, user_info.size())));
  if (!user || !password)
    return std::unexpected(
        "its user or password has a '%' that no two hexadecimal digits follow (write %25)");
  if (has_control(*user) || has_control(*password) || user->find(':') != std::string::npos)
    return std::unexpected(
        "its user or password has a character that cannot be sent (a control character, or ':' "
        "in the user)");
  return "Basic " + base64(*user + ":" + *password);
}

// ---- no_proxy ----

// Addresses may be written with bits beyond the length: 10.0.0.1/8 is 10.0.0.0/8.
std::optional<Prefix> any_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  const int bits = address_bits(address->family);
  if (slash == std::string_view::npos) return prefix_of(*address, bits);
  const auto length = parse_decimal<std::uint8_t>(text.substr(slash + 1));
  if (!length || *length > bits) return std::nullopt;
  return prefix_of(*address, *length);
}

bool is_below(std::string_view host, std::string_view domain) {
  if (!host.ends_with(domain)) return false;
  return host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.';
}

bool exempts(std::string_view entry, const Url& url) {
  if (entry == "*") return true;
  if (const auto prefix = any_prefix(entry)) return url.address && prefix->contains(*url.address);
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  if (entry.starts_with('.')) entry.remove_prefix(1);
  const auto place = parse_authority(entry);
  if (!place || (place->port && *place->port != url.port)) return false;
  if (place->address || url.address) return place->address == url.address;
  return is_below(url.host, place->host);
}

bool is_exempt(std::string no_proxy, const Url& url) {
  std::ranges::replace_if(no_proxy, [](char c) { return c == ' ' || c == '\t'; }, ',');
  return std::ranges::any_of(split(no_proxy, ','),
                             [&](std::string_view entry) { return !entry.empty() && exempts(entry, url); });
}

}  // namespace

// What is wrong with the place is not quoted: a password that went astray may be part of it.
std::expected<Proxy, std::string> parse_proxy(std::string_view text) {
  constexpr std::string_view form = "expected http://host:port or http://user:password@host:port";
  if (const std::size_t scheme_end = text.find("://"); scheme_end != std::string_view::npos) {
    const std::string scheme = lower(text.substr(0, scheme_end));
    if (scheme == "https" || scheme.starts_with("socks"))
      return std::unexpected(fmt::format("{}; proxies that are reached by {} are not supported", form,
                                         scheme == "https" ? "TLS" : "SOCKS"));
    if (scheme != "http") return std::unexpected(std::string(form));
    text.remove_prefix(scheme_end + 3);
  }
  Proxy proxy;
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    auto authorization = basic(text.substr(0, at));
    if (!authorization) return std::unexpected(std::move(authorization).error());
    proxy.authorization = std::move(*authorization);
    text.remove_prefix(at + 1);
  }
  if (text.ends_with('/')) text.remove_suffix(1);
  auto place = parse_authority(text);
  if (!place) return std::unexpected(std::string(form));
  proxy.host = std::move(place->host);
  proxy.address = place->address;
  proxy.port = place->port.value_or(80);
  return proxy;
}

std::string shown(const Proxy& proxy) {
  const bool is_v6 = proxy.address && !proxy.address->is_v4();
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", proxy.host, is_v6 ? "]" : "", proxy.port);
}

std::string proxy_for(std::string_view url,
                      const std::function<std::optional<std::string>(const std::string&)>& environment) {
  const auto parsed = parse_url(url);
  if (!parsed || !parsed->is_tls) return {};
  if (parsed->host == "localhost" || (parsed->address && is_loopback(*parsed->address))) return {};
  const auto value = [&](const std::string& small, const std::string& capital) {
    const auto first = environment(small);
    return first ? *first : environment(capital).value_or("");
  };
  const std::string proxy(trimmed(value("https_proxy", "HTTPS_PROXY")));
  if (proxy.empty() || is_exempt(value("no_proxy", "NO_PROXY"), *parsed)) return {};
  return proxy;
}

}  // namespace aclmend::net
