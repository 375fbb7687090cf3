#include "net/url.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace aclmend::net {
namespace {

constexpr std::size_t longest_url = 8192;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alphanumeric(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string shown(std::string_view text) {
  constexpr std::size_t longest = 80;
  return text.size() <= longest ? printable(text) : printable(text.substr(0, longest)) + "…";
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
}

// A last label of digits alone, or "0x…", is what resolvers take for an address in some older spelling.
bool looks_like_a_number(std::string_view label) {
  return std::ranges::all_of(label, is_digit) || label.starts_with("0x") || label.starts_with("0X");
}

std::expected<std::string, std::string> parse_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty()) return std::unexpected("expected a host name");
  const auto labels = split(text, '.');
  if (text.size() > 253 || !std::ranges::all_of(labels, is_label))
    return std::unexpected(fmt::format(
        "'{}' is no host name (letters, digits, '-', '_' and '.'; other letters as xn--…)", shown(text)));
  if (looks_like_a_number(labels.back()))
    return std::unexpected(
        fmt::format("'{}' is neither a host name nor an address like 192.0.2.1", shown(text)));
  return lower(text);
}

std::expected<std::uint16_t, std::string> parse_port(std::string_view text) {
  const auto port = parse_decimal<std::uint16_t>(text);
  if (!port || *port == 0)
    return std::unexpected(fmt::format("expected a port from 1 to 65535, found '{}'", shown(text)));
  return *port;
}

std::uint16_t usual_port(bool is_tls) { return is_tls ? 443 : 80; }

std::string bracketed(const Url& url) {
  return url.address && !url.address->is_v4() ? "[" + url.host + "]" : url.host;
}

}  // namespace

bool is_loopback(Address address) {
  return address.is_v4() ? address.as_v4() >> 24 == 127 : address.number == 1;
}

std::expected<HostAndPort, std::string> parse_authority(std::string_view text) {
  HostAndPort out;
  std::string_view host = text, port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t closes = text.find(']');
    if (closes == std::string_view::npos) return std::unexpected("expected ']' after the IPv6 address");
    host = text.substr(1, closes - 1);
    out.address = parse_address(host);
    if (!out.address || out.address->is_v4())
      return std::unexpected(
          fmt::format("expected an IPv6 address in the brackets, found '{}'", shown(host)));
    text.remove_prefix(closes + 1);
    has_port = text.starts_with(':');
    if (!has_port && !text.empty()) return std::unexpected("expected ':' and a port after ']'");
    if (has_port) port = text.substr(1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    has_port = true;
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (!out.address) out.address = parse_address(host);
  if (out.address) {
    out.host = to_string(*out.address);
  } else {
    auto name = parse_name(host);
    if (!name) return std::unexpected(std::move(name).error());
    out.host = std::move(*name);
  }
  if (has_port) {
    const auto number = parse_port(port);
    if (!number) return std::unexpected(number.error());
    out.port = *number;
  }
  return out;
}

std::expected<Url, std::string> parse_url(std::string_view text) {
  if (text.size() > longest_url) return std::unexpected(fmt::format("longer than {} bytes", longest_url));
  const auto odd = std::ranges::find_if(text, [](char c) { return c <= ' ' || c > '~'; });
  if (odd != text.end())
    return std::unexpected(
        fmt::format("'{}' has a blank, a control character or a letter beyond ASCII in place {}", shown(text),
                    odd - text.begin() + 1));
  const std::size_t scheme_end = text.find("://");
  const std::string scheme = scheme_end == std::string_view::npos ? "" : lower(text.substr(0, scheme_end));
  if (scheme != "https" && scheme != "http")
    return std::unexpected(fmt::format("expected a URL that begins with https://, found '{}'", shown(text)));
  Url url;
  url.is_tls = scheme == "https";
  text.remove_prefix(scheme_end + 3);
  text = text.substr(0, text.find('#'));  // the fragment is not sent
  const std::size_t host_end = std::min(text.find_first_of("/?\\"), text.size());
  const std::string_view host = text.substr(0, host_end);
  if (host.find('@') != std::string_view::npos)
    return std::unexpected("a name and password in the URL are not taken");
  auto place = parse_authority(host);
  if (!place) return std::unexpected(std::move(place).error());
  url.host = std::move(place->host);
  url.address = place->address;
  url.port = place->port.value_or(usual_port(url.is_tls));
  text.remove_prefix(host_end);
  if (text.starts_with('\\')) return std::unexpected("expected '/' after the host, found '\\'");
  url.target = text.starts_with('/') ? std::string(text) : "/" + std::string(text);
  return url;
}

std::string authority(const Url& url) { return fmt::format("{}:{}", bracketed(url), url.port); }

std::string origin(const Url& url) {
  const std::string host = url.port == usual_port(url.is_tls) ? bracketed(url) : authority(url);
  return (url.is_tls ? "https://" : "http://") + host;
}

}  // namespace aclmend::net
