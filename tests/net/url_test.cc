#include "net/url.h"

#include "tests/support/test.h"

namespace aclmend::net {
namespace {

std::string shown(std::string_view text) {
  const auto url = parse_url(text);
  return url ? origin(*url) + " " + authority(*url) + " " + url->target : "no: " + url.error();
}

}  // namespace

TEST_CASE("a URL is scheme, host, port and what is asked for", "[net][url]") {
  CHECK(shown("https://endpoints.office.com/version?a=b") ==
        "https://endpoints.office.com endpoints.office.com:443 /version?a=b");
  CHECK(shown("HTTPS://Endpoints.Office.COM.:8443") ==
        "https://endpoints.office.com:8443 endpoints.office.com:8443 /");
  CHECK(shown("https://mirror.example?x#part") == "https://mirror.example mirror.example:443 /?x");
  CHECK(shown("http://127.0.0.1:80/") == "http://127.0.0.1 127.0.0.1:80 /");
  CHECK(shown("https://[2001:DB8:0::1]:443/a") == "https://[2001:db8::1] [2001:db8::1]:443 /a");
  CHECK(parse_url("https://[::1]/")->host == "::1");
  CHECK(parse_url("https://192.0.2.1/")->address == parse_address("192.0.2.1"));
  CHECK_FALSE(parse_url("https://mirror.example/")->address);
}

TEST_CASE("what is not plain in a URL is refused with words", "[net][url]") {
  CHECK(shown("endpoints.office.com") ==
        "no: expected a URL that begins with https://, found 'endpoints.office.com'");
  CHECK(shown("ftp://a.example/") ==
        "no: expected a URL that begins with https://, found 'ftp://a.example/'");
  CHECK(shown("https://user:secret@a.example/") == "no: a name and password in the URL are not taken");
  CHECK(shown("https://a.example\\@b.example/") != "");
  CHECK(shown("https://a.example:0/") == "no: expected a port from 1 to 65535, found '0'");
  CHECK(shown("https://a.example:65536/") == "no: expected a port from 1 to 65535, found '65536'");
  CHECK(shown("https://a.example:/") == "no: expected a port from 1 to 65535, found ''");
  CHECK(shown("https://[::1/") == "no: expected ']' after the IPv6 address");
  CHECK(shown("https://[127.0.0.1]/") == "no: expected an IPv6 address in the brackets, found '127.0.0.1'");
  CHECK(shown("https://127.1/") == "no: '127.1' is neither a host name nor an address like 192.0.2.1");
  CHECK(shown("https://2130706433/") ==
        "no: '2130706433' is neither a host name nor an address like 192.0.2.1");
  CHECK(shown("https://0x7f.0x1/") == "no: '0x7f.0x1' is neither a host name nor an address like 192.0.2.1");
  CHECK_FALSE(parse_url("https:///path"));
  CHECK_FALSE(parse_url("https://-a.example/"));
  CHECK_FALSE(parse_url("https://a..example/"));
  CHECK_FALSE(parse_url("https://" + std::string(64, 'a') + ".example/"));
  CHECK_FALSE(parse_url("https://a.example/" + std::string(9000, 'x')));
}

TEST_CASE("nothing that could end a line of a request is in a URL", "[net][url]") {
  CHECK(shown("https://a.example/x\r\nHost: b.example") ==
        "no: 'https://a.example/x\\x0d\\x0aHost: b.example' has a blank, a control character or a letter "
        "beyond "
        "ASCII in place 20");
  rc::prop("every byte outside 0x21 to 0x7E is refused, wherever it stands", [](unsigned char odd,
                                                                                std::size_t at) {
    RC_PRE(odd <= ' ' || odd > '~');
    std::string text = "https://a.example/path?query";
    text.insert(text.begin() + static_cast<std::ptrdiff_t>(at % (text.size() + 1)), static_cast<char>(odd));
    RC_ASSERT_FALSE(parse_url(text).has_value());
  });
}

}  // namespace aclmend::net
