#include "net/proxy.h"

#include <map>

#include "net/http.h"
#include "tests/support/test.h"

namespace aclmend::net {
namespace {

using Environment = std::map<std::string, std::string>;

std::string proxy_in(const Environment& environment,
                     std::string_view url = "https://endpoints.office.com/version") {
  return proxy_for(url, [&](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  });
}

// Whether no_proxy exempts the URL.
bool exempts(const std::string& no_proxy, std::string_view url) {
  return proxy_in({{"https_proxy", "http://proxy.example:3128"}, {"no_proxy", no_proxy}}, url).empty();
}

std::string parsed(std::string_view text) {
  const auto proxy = parse_proxy(text);
  return proxy ? shown(*proxy) + " " + proxy->authorization : "no: " + proxy.error();
}

}  // namespace

TEST_CASE("the environment names the proxy, small letters first", "[net][proxy]") {
  CHECK(proxy_in({}) == "");
  CHECK(proxy_in({{"HTTPS_PROXY", "http://p.example:3128"}}) == "http://p.example:3128");
  CHECK(proxy_in({{"HTTPS_PROXY", "http://p.example"}, {"https_proxy", "http://q.example"}}) ==
        "http://q.example");
  CHECK(proxy_in({{"HTTPS_PROXY", "http://p.example"}, {"https_proxy", ""}}) == "");
  CHECK(proxy_in({{"HTTP_PROXY", "http://p.example"}}) == "");
  CHECK(proxy_in({{"HTTPS_PROXY", "http://p.example"}, {"NO_PROXY", "office.com"}}) == "");
  CHECK(proxy_in({{"HTTPS_PROXY", "http://p.example"}}, "http://127.0.0.1/") == "");
  CHECK(proxy_in({{"HTTPS_PROXY", "http://p.example"}}, "https://localhost:8443/") == "");
  CHECK(proxy_in({{"HTTPS_PROXY", "http://p.example"}}, "https://[::1]/") == "");
}

TEST_CASE("no_proxy takes names, suffixes, addresses, prefixes and ports", "[net][proxy]") {
  const std::string url = "https://endpoints.office.com/";
  for (const char* entry :
       {"*", "office.com", ".office.com", "*.office.com", "endpoints.office.com", "OFFICE.com",
        "a.example, office.com", "a.example office.com", "endpoints.office.com:443", "office.com."})
    CHECK(exempts(entry, url));
  for (const char* entry : {"", "fice.com", "points.office.com", "endpoints.office.com:444", "com.office",
                            "x.endpoints.office.com", ",", "office.com:", "*office.com", "192.0.2.0/24"})
    CHECK_FALSE(exempts(entry, url));
  CHECK(exempts("192.0.2.0/24", "https://192.0.2.77/"));
  CHECK(exempts("192.0.2.1/24", "https://192.0.2.77/"));  // bits beyond the length
  CHECK(exempts("192.0.2.77", "https://192.0.2.77/"));
  CHECK(exempts("192.0.2.77:8443", "https://192.0.2.77:8443/"));
  CHECK_FALSE(exempts("192.0.2.77:8443", "https://192.0.2.77/"));
  CHECK_FALSE(exempts("192.0.2.0/33", "https://192.0.2.77/"));
  CHECK_FALSE(exempts("2.77", "https://192.0.2.77/"));  // an address has no suffixes
  CHECK(exempts("2001:db8::/32", "https://[2001:db8::5]/"));
  CHECK(exempts("[2001:db8::5]:8443", "https://[2001:db8::5]:8443/"));
  CHECK(exempts("2001:db8::5", "https://[2001:db8::5]/"));
}

TEST_CASE("a proxy's URL gives place and credentials", "[net][proxy]") {
  CHECK(parsed("http://proxy.example:3128") == "proxy.example:3128 ");
  CHECK(parsed("proxy.example:3128/") == "proxy.example:3128 ");
  CHECK(parsed("http://[2001:db8::1]:8080") == "[2001:db8::1]:8080 ");
  CHECK(parsed("http://proxy.example") == "proxy.example:80 ");
  // RFC 7617's own example, and its password with every letter that has to be escaped in a URL
  CHECK(parsed("http://Aladdin:open%20sesame@p.example:1") ==
        "p.example:1 Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  CHECK(parsed("http://u:a%40b%3a%25@p.example:1") == "p.example:1 Basic dTphQGI6JQ==");
  CHECK(parsed("http://u:a@b@p.example:1") == "p.example:1 Basic dTphQGI=");  // people forget to
  CHECK(parsed("http://u@p.example:1") == "p.example:1 Basic dTo=");
}

TEST_CASE("what is wrong with a proxy's URL is told without its secrets", "[net][proxy]") {
  const std::string form = "no: expected http://host:port or http://user:password@host:port";
  CHECK(parsed("https://p.example:1") == form + "; proxies that are reached by TLS are not supported");
  CHECK(parsed("socks5h://u:s3cret@p.example:1") ==
        form + "; proxies that are reached by SOCKS are not supported");
  for (const char* text :
       {"", "http://", "u:s3cret://p.example", "http://u:s3cret", "http://u:s3cret@p.example:x",
        "http://u:s3cret@p.example:1/s3cret", "http://u:s3cret%@p.example:1",
        "http://u:s3cret%zz@p.example:1", "http://u:s3cret%0d%0a@p.example:1",
        "http://u%3as3cret:x@p.example:1", "http://u:s3cret@p.example\r\nX: y"}) {
    INFO(text);
    CHECK_FALSE(parse_proxy(text));
    CHECK(parsed(text).find("s3cret") == std::string::npos);
  }
}

}  // namespace aclmend::net
