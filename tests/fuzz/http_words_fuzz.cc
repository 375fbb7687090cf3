// What is read by hand around HTTP: URLs, proxies and no_proxy, dates and Retry-After.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"
#include "net/http_date.h"
#include "net/proxy.h"
#include "net/url.h"

namespace {

bool is_plain(std::string_view text) {
  for (const char c : text)
    if (c <= ' ' || c > '~') return false;
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace aclmend::net;
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  if (const auto url = parse_url(text)) {
    if (!is_plain(url->target) || !is_plain(authority(*url)) || !url->target.starts_with('/'))
      __builtin_trap();
    const auto again = parse_url(origin(*url) + url->target);
    if (!again || again->host != url->host || again->port != url->port || again->target != url->target)
      __builtin_trap();
  }
  if (const auto proxy = parse_proxy(text))
    if (!is_plain(shown(*proxy)) ||
        (!proxy->authorization.empty() && !is_plain(proxy->authorization.substr(6))))
      __builtin_trap();
  const std::size_t line = text.find('\n');
  proxy_for(text.substr(0, line), [&](const std::string& name) -> std::optional<std::string> {
    if (name == "https_proxy") return "http://proxy.example";
    if (line == std::string::npos) return std::nullopt;
    return text.substr(line + 1);
  });
  const auto wait = parse_retry_after(text, std::chrono::sys_days(std::chrono::year(2026) / 1 / 1));
  if (wait && (wait->count() < 0 || *wait > longest_retry_after)) __builtin_trap();
  return 0;
}
