// The client against a real TLS server on loopback that is not made of what the client is made of. Deadlines
// that are the subject are short; all others are long enough for the slowest machine.
#include "net/http.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>

#include "tests/support/folder.h"
#include "tests/support/test.h"
#include "tests/support/tls_server.h"

namespace aclmend::net {
namespace {

using namespace std::chrono_literals;
using test::answer;
using test::answer_head;
using test::Certificate;
using test::ConnectProxy;
using test::Reply;
using test::Request;
using test::TlsServer;
using test::Trouble;
using Ending = test::Reply::Ending;
using Kind = HttpFailure::Kind;

const std::string host = "mail.example.com";

struct Home {
  Certificate authority = test::make_authority("Test Authority");
  Certificate good =
      test::make_certificate({.name = host, .alternatives = {host, "127.0.0.1", "::1"}}, authority);
  test::Folder folder;
  std::string ca_file = folder.write("ca.pem", authority.pem);
};

const Home& home() {
  static const Home made;
  return made;
}

HttpOptions trusting() {
  HttpOptions options;
  options.ca_file = home().ca_file;
  options.look_up = [](const std::string&) { return std::vector<std::string>{"127.0.0.1"}; };
  return options;
}

// A server with the good certificate that says the same to everybody.
TlsServer saying(const Reply& reply) {
  return TlsServer({.certificate = home().good}, [reply](const Request&) { return reply; });
}

HttpAnswer answer_of(const TlsServer& server, const HttpOptions& options = trusting()) {
  const auto got = get(server.url(host), options);
  INFO((got ? "" : got.error().message));
  REQUIRE(got.has_value());
  return *got;
}

HttpFailure failure_of(const std::string& url, const HttpOptions& options = trusting()) {
  const auto got = get(url, options);
  REQUIRE_FALSE(got.has_value());
  UNSCOPED_INFO(got.error().message);
  return got.error();
}
HttpFailure failure_of(const TlsServer& server, const HttpOptions& options = trusting()) {
  return failure_of(server.url(host), options);
}

bool says(const HttpFailure& failure, std::string_view words) {
  UNSCOPED_INFO(failure.message);
  return failure.message.find(words) != std::string::npos;
}

HttpFailure failure_with(const Certificate& certificate) {
  const TlsServer server({.certificate = certificate},
                         [](const Request&) { return Reply{answer(200, {}, "no")}; });
  const HttpFailure failure = failure_of(server);
  CHECK(server.requests().empty());  // nothing was asked of it
  return failure;
}

}  // namespace

TEST_CASE("a GET asks politely and gives what came", "[net][http]") {
  const auto server =
      saying({answer(200, {"Content-Type: application/json; charset=utf-8"}, R"({"latest":"1"})")});
  const auto got = get(server.url(host, "/version?a=b#part"), trusting());
  REQUIRE(got);
  CHECK(got->status == 200);
  CHECK(got->reason == "OK");
  CHECK(got->content_type == "application/json; charset=utf-8");
  CHECK(got->body == R"({"latest":"1"})");
  CHECK_FALSE(got->retry_after);
  REQUIRE(server.requests().size() == 1);
  const Request request = server.requests()[0];
  CHECK(request.method == "GET");
  CHECK(request.target == "/version?a=b");
  CHECK(request.server_name == host);
  CHECK(request.header("Host") == host + ":" + std::to_string(server.port()));
  CHECK(request.header("User-Agent").starts_with("aclmend/"));
  CHECK(request.header("Accept-Encoding") == "gzip, identity");
  CHECK(request.header("Connection") == "close");
}

TEST_CASE("every status is an answer, with what it says", "[net][http]") {
  for (const int status : {201, 204, 304, 400, 401, 403, 404, 410, 418, 429, 500, 502, 503, 504, 599}) {
    const bool has_body = status != 204 && status != 304;
    const HttpAnswer got = answer_of(saying({answer(status, {}, has_body ? "why" : "")}));
    CHECK(got.status == status);
    CHECK(got.body == (has_body ? "why" : ""));
  }
}

TEST_CASE("Retry-After is counted from the answer's own Date", "[net][http]") {
  CHECK(answer_of(saying({answer(429, {"Retry-After: 120"}, "")})).retry_after == 120s);
  CHECK(answer_of(
            saying({answer(
                503, {"Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: Sun, 06 Nov 1994 08:50:07 GMT"},
                "")}))
            .retry_after == 30s);
  CHECK(answer_of(saying({answer(503, {"Retry-After: Sun, 06 Nov 1994 08:50:07 GMT"}, "")})).retry_after ==
        0s);
  CHECK_FALSE(answer_of(saying({answer(503, {"Retry-After: soon"}, "")})).retry_after);
}

TEST_CASE("what is wrong with an error's body does not hide the status", "[net][http]") {
  CHECK(answer_of(saying({answer_head(503, {"Content-Length: 100"}) + "half", Ending::reset})).status == 503);
  CHECK(answer_of(saying({answer_head(403, {"Content-Length: 100"}) + "half", Ending::cut})).body == "half");
  CHECK(answer_of(saying({answer(429, {"Content-Encoding: br"}, "\x01\x02")})).body == "");
  CHECK(answer_of(saying({answer(500, {"Content-Encoding: gzip"}, test::gzipped("why"))})).body == "why");
  CHECK(answer_of(saying({answer(500, {}, std::string(200'000, 'x'))})).body.size() == 65536);
  CHECK(answer_of(saying({answer_head(500, {"Content-Length: 99999999999999"}), Ending::endless,
                          std::string(4096, 'x')}))
            .body.size() == 65536);
  HttpOptions hasty = trusting();
  hasty.idle = 500ms;
  CHECK(answer_of(saying({answer_head(429, {"Content-Length: 9"}) + "slow", Ending::silent}), hasty).body ==
        "slow");
}

TEST_CASE("a body is whole by length, by chunks, or by TLS's own end", "[net][http]") {
  std::string large;
  for (int i = 0; large.size() < 300'000; ++i) large += std::to_string(i) + " ";
  CHECK(answer_of(saying({answer(200, {}, large)})).body == large);
  CHECK(answer_of(saying({answer_head(200, {"Transfer-Encoding: chunked"}) + test::chunked(large, 999)}))
            .body == large);
  CHECK(answer_of(saying({answer_head(200, {}) + large})).body == large);
  CHECK(answer_of(saying({answer(200, {}, large) + "and more", Ending::reset})).body == large);
  CHECK(answer_of(saying({"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n" +
                          answer(200, {}, "x")}))
            .body == "x");
}

TEST_CASE("a body that was cut is a failure", "[net][http]") {
  const std::string half = answer_head(200, {"Content-Length: 10"}) + "12345";
  for (const Ending ending : {Ending::proper, Ending::cut, Ending::reset}) {
    const HttpFailure failure = failure_of(saying({half, ending}));
    CHECK(failure.kind == Kind::truncated);
    CHECK(failure.worth_retrying);
  }
  CHECK(says(failure_of(saying({half, Ending::cut})), "the answer stopped after 5 of 10 bytes of its body"));
  const std::string chunks = answer_head(200, {"Transfer-Encoding: chunked"}) + "5\r\n12345\r\n";
  for (const Ending ending : {Ending::proper, Ending::cut, Ending::reset})
    CHECK(failure_of(saying({chunks, ending})).kind == Kind::truncated);
  // Without a length, only the TLS good-bye tells that nobody cut the line.
  CHECK(failure_of(saying({answer_head(200, {}) + "12345", Ending::cut})).kind == Kind::truncated);
  CHECK(failure_of(saying({answer_head(200, {}) + "12345", Ending::reset})).kind == Kind::truncated);
  for (const Ending ending : {Ending::proper, Ending::cut, Ending::reset}) {
    CHECK(failure_of(saying({"", ending})).kind == Kind::truncated);
    CHECK(failure_of(saying({"HTTP/1.1 200 OK\r\nConte", ending})).kind == Kind::truncated);
  }
  const TlsServer plain({}, [](const Request&) { return Reply{answer_head(200, {}) + "12345"}; });
  CHECK(failure_of(plain.url("127.0.0.1")).kind == Kind::protocol);
}

TEST_CASE("gzip is unpacked, whole or not at all", "[net][http][gzip]") {
  const std::string text(100'000, 'a'), packed = test::gzipped(text);
  const auto with = [](const std::string& body) {
    return saying({answer(200, {"Content-Encoding: gzip"}, body)});
  };
  CHECK(answer_of(with(packed)).body == text);
  CHECK(answer_of(with(packed + test::gzipped("b"))).body == text + "b");
  CHECK(answer_of(saying({answer(200, {"Content-Encoding: identity"}, "x")})).body == "x");
  CHECK(failure_of(with(packed.substr(0, packed.size() - 1))).kind == Kind::truncated);
  CHECK(failure_of(with(packed.substr(0, packed.size() / 2))).kind == Kind::truncated);
  CHECK(failure_of(with("no gzip at all")).kind == Kind::truncated);
  CHECK(failure_of(with(packed + "rubbish")).kind == Kind::truncated);
  std::string wrong_sum = packed;
  wrong_sum[wrong_sum.size() - 6] ^= 1;
  CHECK(failure_of(with(wrong_sum)).kind == Kind::truncated);
  HttpOptions narrow = trusting();
  narrow.largest_body = 99'999;
  const HttpFailure bomb = failure_of(with(packed), narrow);
  CHECK(bomb.kind == Kind::too_large);
  CHECK(says(bomb, "the answer unpacks to more than 99,999 bytes"));
  narrow.largest_body = 100'000;
  CHECK(answer_of(with(packed), narrow).body == text);
}

TEST_CASE("codings that were not asked for are refused", "[net][http][gzip]") {
  for (const char* coding : {"br", "deflate", "gzip, gzip", "gzip, br", "\x1b[31m", "zstd"})
    CHECK(failure_of(saying({answer(200, {std::string("Content-Encoding: ") + coding}, "x")})).kind ==
          Kind::protocol);
  CHECK(says(failure_of(saying({answer(200, {"Content-Encoding: br"}, "x")})),
             "the content coding is 'br', where gzip or identity was asked for"));
  CHECK(failure_of(saying({answer_head(200, {"Transfer-Encoding: gzip, chunked"}) + test::chunked("x")}))
            .kind == Kind::protocol);
  CHECK(failure_of(saying({answer(206, {}, "x")})).kind == Kind::protocol);
}

TEST_CASE("headers and bodies are bounded", "[net][http]") {
  HttpOptions narrow = trusting();
  narrow.largest_body = 1000;
  narrow.largest_header = 2000;
  const auto refused = [&](const Reply& reply) {
    return failure_of(saying(reply), narrow).kind == Kind::too_large;
  };
  CHECK(refused({answer(200, {}, std::string(1001, 'x'))}));
  CHECK(refused({answer_head(200, {"Content-Length: 99999999999999"}), Ending::silent}));
  CHECK(refused({answer_head(200, {"Transfer-Encoding: chunked"}), Ending::endless, "5\r\n12345\r\n"}));
  CHECK(refused({answer_head(200, {}), Ending::endless, "12345"}));
  CHECK(refused({answer_head(200, {"Transfer-Encoding: chunked"}) + "5;", Ending::endless, "x"}));
  CHECK(refused({"HTTP/1.1 200 OK\r\n", Ending::endless, "A: b\r\n"}));
  CHECK(refused({"HTTP/1.1 200 OK\r\nA: ", Ending::endless, "b"}));
  CHECK(refused({"HTTP/1.1 200 ", Ending::endless, "b"}));
  CHECK(answer_of(saying({answer(200, {}, std::string(1000, 'x'))}), narrow).body.size() == 1000);
}

TEST_CASE("hostile headers are refused, or printable", "[net][http]") {
  for (const char* bytes :
       {"HTTP/1.1 200 \x1b[31mOK\r\n\r\n", "HTTP/1.1 200 OK\r\nA: \x1b[31m\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: x\nB: y\r\n\r\n", "HTTP/1.1 99 OK\r\n\r\n", "HTTP/1.1 1000 OK\r\n\r\n",
        "220 mail.example.com ESMTP\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n"})
    CHECK(failure_of(saying({bytes})).kind == Kind::protocol);
  CHECK(answer_of(saying({answer(200, {"Content-Type: a\xe2\x80\xae/b"}, "x")})).content_type ==
        "a\\xe2\\x80\\xae/b");
  CHECK(failure_of(saying({"", Ending::endless, "HTTP/1.1 100 Continue\r\n\r\n"})).kind == Kind::protocol);
}

TEST_CASE("each step has its deadline and says which it was", "[net][http][deadline]") {
  const auto late = [](const HttpFailure& failure, std::string_view words) {
    CHECK(failure.kind == Kind::timed_out);
    CHECK(failure.worth_retrying);
    return says(failure, words);
  };
  HttpOptions hasty = trusting();
  SECTION("the name service") {
    struct Gate {
      std::mutex mutex;
      std::condition_variable opened;
      bool is_open = false, is_left = false;
    };
    const auto gate = std::make_shared<Gate>();
    hasty.resolve = 100ms;
    hasty.look_up = [gate](const std::string&) {
      std::unique_lock lock(gate->mutex);
      gate->opened.wait(lock, [&] { return gate->is_open; });
      gate->is_left = true;
      gate->opened.notify_all();
      return std::vector<std::string>{"127.0.0.1"};
    };
    CHECK(late(failure_of("https://mail.example.com/", hasty),
               "no answer from the name service within 100 ms"));
    std::unique_lock lock(gate->mutex);
    gate->is_open = true;
    gate->opened.notify_all();
    gate->opened.wait(lock, [&] { return gate->is_left; });
  }
  SECTION("the connection") {
    // A listener that accepts nobody: once its queue is full the kernel answers no SYN any more.
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof place;
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&place), size) == 0);
    REQUIRE(::listen(listener, 0) == 0);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&place), &size);
    std::vector<int> waiting;
    for (int i = 0; i < 4; ++i) {
      waiting.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
      ::connect(waiting.back(), reinterpret_cast<sockaddr*>(&place), size);
    }
    hasty.connect = 150ms;
    const std::string url = "https://mail.example.com:" + std::to_string(ntohs(place.sin_port)) + "/";
    CHECK(late(failure_of(url, hasty), "did not answer within 150 ms (127.0.0.1: no answer)"));
    for (const int fd : waiting) ::close(fd);
    ::close(listener);
  }
  SECTION("the handshake") {
    const TlsServer server({.certificate = home().good, .trouble = Trouble::silent}, {});
    hasty.handshake = 150ms;
    CHECK(late(failure_of(server, hasty),
               "accepted the connection, but the TLS handshake was not done within 150 ms"));
  }
  SECTION("the answer's beginning, and its header") {
    hasty.idle = 500ms;
    CHECK(late(failure_of(saying({"", Ending::silent}), hasty), "no answer to the request within 500 ms"));
    CHECK(late(failure_of(saying({"HTTP/1.1 200 OK\r\nA:", Ending::silent}), hasty),
               "the header of the answer did not end within 500 ms"));
    CHECK(late(failure_of(saying({"HTTP/1.1 200 OK\r\n", Ending::dripping, "A"}), hasty),
               "the header of the answer did not end within 500 ms"));
  }
  SECTION("the body") {
    hasty.idle = 500ms;
    CHECK(late(failure_of(saying({answer_head(200, {"Content-Length: 9"}) + "12345", Ending::silent}), hasty),
               "the answer stopped after 5 of 9 bytes of its body within 500 ms"));
  }
  SECTION("the whole, where each part is quick enough") {
    hasty.whole = 200ms;
    CHECK(late(failure_of(saying({answer_head(200, {}), Ending::dripping, "x"}), hasty),
               "within 200 ms, the limit of the whole request"));
  }
  SECTION("a proxy") {
    const ConnectProxy proxy({.is_silent_after = true});
    hasty.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
    hasty.handshake = 150ms;
    CHECK(late(
        failure_of("https://mail.example.com/", hasty),
        "the proxy 127.0.0.1:" + std::to_string(proxy.port()) + ": no answer to the request within 150 ms"));
  }
}

TEST_CASE("a certificate that is not to be trusted is refused in words", "[net][http][certificate]") {
  const auto& authority = home().authority;
  const auto refused = [](const HttpFailure& failure, std::string_view words) {
    CHECK(failure.kind == Kind::certificate);
    CHECK_FALSE(failure.worth_retrying);
    return says(failure, words);
  };
  using namespace std::chrono;
  CHECK(refused(failure_with(make_certificate({.name = host, .until = sys_days(2024y / 3 / 9)}, authority)),
                "its certificate expired on 2024-03-09"));
  CHECK(refused(failure_with(make_certificate({.name = host, .from = sys_days(2098y / 3 / 9)}, authority)),
                "its certificate is valid only from 2098-03-09"));
  CHECK(
      refused(failure_with(make_certificate(
                  {.name = host, .alternatives = {"a.example.com", "192.0.2.1", "2001:db8::1"}}, authority)),
              "its certificate is for 'a.example.com', 192.0.2.1, 2001:db8::1 and not for this name"));
  CHECK(refused(failure_with(make_certificate({.name = host, .alternatives = {"*.com"}}, authority)),
                "its certificate is for '*.com' and not for this name"));
  CHECK(refused(failure_with(test::make_self_signed({.name = host})),
                "its certificate is self-signed ('mail.example.com')"));
  const Certificate other = test::make_authority("Corporate Inspection");
  CHECK(refused(failure_with(make_certificate({.name = host}, other)),
                "its certificate is not trusted: its issuer 'Corporate Inspection' is not known here"));
  Certificate with_root = make_certificate({.name = host}, other);
  with_root.chain = other.pem;
  CHECK(refused(failure_with(with_root),
                "leads to the authority 'Corporate Inspection', which is not trusted here"));
  Certificate no_chain = make_certificate({.name = host}, test::make_intermediate("Between", authority));
  no_chain.chain.clear();
  CHECK(refused(failure_with(no_chain), "its issuer 'Between' is not known here"));
  CHECK(refused(failure_with(make_certificate({.name = host, .rsa_bits = 1024}, authority)),
                "has too weak a key"));
  CHECK(refused(failure_with(make_certificate({.name = "\x1b[31m", .alternatives = {"x.example"}}, other)),
                "'Corporate Inspection'"));
  CHECK(failure_with(make_certificate({.name = host}, other)).hint.find("--ca-file") != std::string::npos);
}

TEST_CASE("a chain, a wildcard and an address in the certificate are good", "[net][http][certificate]") {
  const auto& authority = home().authority;
  const auto works = [](const Certificate& certificate, const std::string& name) {
    const TlsServer server({.certificate = certificate},
                           [](const Request&) { return Reply{answer(200, {}, "x")}; });
    const auto got = get(server.url(name), trusting());
    UNSCOPED_INFO((got ? "" : got.error().message));
    return got.has_value();
  };
  CHECK(works(make_certificate({.name = host}, test::make_intermediate("Between", authority)), host));
  CHECK(works(make_certificate({.name = "x", .alternatives = {"*.example.com"}}, authority), host));
  CHECK(works(home().good, "127.0.0.1"));
  CHECK_FALSE(
      works(make_certificate({.name = "127.0.0.1", .alternatives = {"x.example"}}, authority), "127.0.0.1"));
  CHECK_FALSE(works(make_certificate({.name = host}, authority), "127.0.0.1"));
}

TEST_CASE("what answers, but not in TLS 1.2 or later, is told apart", "[net][http][tls]") {
  const auto with = [](Trouble trouble) {
    const TlsServer server({.certificate = home().good, .trouble = trouble}, {});
    const HttpFailure failure = failure_of(server);
    CHECK(failure.kind == Kind::tls);
    return failure;
  };
  CHECK(says(with(Trouble::tls_1_1_alone), "offers no TLS 1.2 or later"));
  CHECK(says(with(Trouble::garbage), "answers, but not in TLS"));
  CHECK(says(with(Trouble::closes), "closed the connection in the TLS handshake"));
  CHECK(says(with(Trouble::resets), "closed the connection in the TLS handshake"));
  const TlsServer plain({}, [](const Request&) { return Reply{answer(200, {}, "x")}; });
  CHECK(failure_of("https://mail.example.com:" + std::to_string(plain.port()) + "/").kind == Kind::tls);
}

TEST_CASE("names, addresses and who refuses", "[net][http][connect]") {
  HttpOptions options = trusting();
  const auto server = saying({answer(200, {}, "x")});
  SECTION("no address") {
    options.look_up = [](const std::string&) {
      return std::unexpected(std::string("Name or service not known"));
    };
    const HttpFailure failure = failure_of(server, options);
    CHECK(failure.kind == Kind::resolve);
    CHECK(failure.message == "mail.example.com: the name has no address: Name or service not known");
    options.look_up = [](const std::string&) { return std::vector<std::string>{"fe80::1%eth0"}; };
    CHECK(failure_of(server, options).kind == Kind::resolve);
  }
  SECTION("every address is tried") {
    options.look_up = [](const std::string&) {
      return std::vector<std::string>{"127.0.0.2", "127.0.0.3", "::1", "127.0.0.1"};
    };
    CHECK(answer_of(server, options).body == "x");
  }
  SECTION("nobody listens") {
    options.look_up = [](const std::string&) { return std::vector<std::string>{"127.0.0.2", "::1"}; };
    const HttpFailure failure = failure_of(server, options);
    CHECK(failure.kind == Kind::refused);
    CHECK(failure.worth_retrying);
    CHECK(says(failure, "refused the connection (127.0.0.2: refused; ::1: refused)"));
  }
  SECTION("the system's own resolver") {
    options.look_up = nullptr;
    const Certificate local = make_certificate({.name = "localhost"}, home().authority);
    const TlsServer named({.certificate = local}, [](const Request&) { return Reply{answer(200, {}, "x")}; });
    CHECK(get(named.url("localhost"), options).has_value());
  }
}

TEST_CASE("IPv6 loopback, with TLS and without", "[net][http][connect]") {
  const auto script = [](const Request&) { return Reply{answer(200, {}, "six")}; };
  const TlsServer server({.certificate = home().good, .is_v6 = true}, script);
  CHECK(get(server.url("[::1]"), trusting())->body == "six");
  CHECK(server.requests().at(0).header("Host") == "[::1]:" + std::to_string(server.port()));
  CHECK(server.requests().at(0).server_name == "");  // addresses are not asked for by name
  const TlsServer plain({.is_v6 = true}, script);
  CHECK(get(plain.url("[::1]"), trusting())->body == "six");
}

TEST_CASE("plain HTTP is for loopback alone", "[net][http][usage]") {
  const TlsServer plain({}, [](const Request&) { return Reply{answer(200, {}, "x")}; });
  CHECK(get(plain.url("127.0.0.1"), trusting())->body == "x");
  CHECK(get(plain.url("localhost"), trusting())->body == "x");
  for (const char* url : {"http://mail.example.com/", "http://192.0.2.1/", "http://[2001:db8::1]/"}) {
    const HttpFailure failure = failure_of(url);
    CHECK(failure.kind == Kind::usage);
    CHECK(says(failure, "plain http is taken for loopback addresses alone"));
  }
  HttpOptions elsewhere = trusting();
  elsewhere.look_up = [](const std::string&) { return std::vector<std::string>{"127.0.0.1", "192.0.2.1"}; };
  CHECK(failure_of(plain.url("localhost"), elsewhere).kind == Kind::usage);
  CHECK(plain.requests().size() == 2);
}

TEST_CASE("what cannot be begun is said before anything is sent", "[net][http][usage]") {
  const auto server = saying({answer(200, {}, "x")});
  HttpOptions options = trusting();
  options.ca_file = "/nonexistent/ca.pem";
  CHECK(failure_of(server, options).message == "/nonexistent/ca.pem: cannot be read");
  options.ca_file = home().folder.write("no.pem", "no certificate");
  CHECK(says(failure_of(server, options), "holds no certificate in PEM form"));
  options.ca_file.clear();  // the system's own, which do not vouch for us
  CHECK(failure_of(server, options).kind == Kind::certificate);
  options = trusting();
  options.proxy = "http://user:s3cret@";
  CHECK(failure_of(server, options).kind == Kind::usage);
  CHECK_FALSE(says(failure_of(server, options), "s3cret"));
  CHECK(failure_of("https://mail.example.com/a b", trusting()).kind == Kind::usage);
  CHECK(server.requests().empty());
}

TEST_CASE("through a proxy, TLS goes to the server itself", "[net][http][proxy]") {
  const auto server = saying({answer(200, {}, "x")});
  const std::string place = host + ":" + std::to_string(server.port());
  HttpOptions options = trusting();
  options.look_up = [](const std::string& name) -> std::expected<std::vector<std::string>, std::string> {
    if (name == "proxy.example") return std::vector<std::string>{"127.0.0.1"};
    return std::unexpected(std::string("only the proxy looks this up"));
  };
  const auto through = [&](const ConnectProxy& proxy, const std::string& user_info) {
    options.proxy = "http://" + user_info + "proxy.example:" + std::to_string(proxy.port());
    return options;
  };
  SECTION("without a password") {
    const ConnectProxy proxy({.to = server.port()});
    CHECK(answer_of(server, through(proxy, "")).body == "x");
    REQUIRE(proxy.requests().size() == 1);
    CHECK(proxy.requests()[0].method == "CONNECT");
    CHECK(proxy.requests()[0].target == place);
    CHECK(proxy.requests()[0].header("Host") == place);
    CHECK(proxy.requests()[0].header("Proxy-Authorization") == "");
    CHECK(server.requests()[0].header("Proxy-Authorization") == "");
  }
  SECTION("with one") {
    const ConnectProxy proxy({.to = server.port(), .authorization = "Basic dTphQGI6JQ=="});
    CHECK(answer_of(server, through(proxy, "u:a%40b%3a%25@")).body == "x");
    CHECK(server.requests()[0].header("Proxy-Authorization") == "");  // it is the proxy's alone
    const HttpFailure none = failure_of(server, through(proxy, ""));
    CHECK(none.kind == Kind::proxy);
    CHECK(says(none, "asks for a user and password (407 Whatever; it offers Negotiate, Basic)"));
    const HttpFailure wrong = failure_of(server, through(proxy, "u:s3cret@"));
    CHECK(says(wrong, "does not accept the user and password given"));
    CHECK((wrong.message + wrong.hint).find("s3cret") == std::string::npos);
    CHECK(server.requests().size() == 1);
  }
  SECTION("that offers what is not spoken here") {
    const ConnectProxy proxy({.says = answer(407, {"Proxy-Authenticate: NTLM"}, "")});
    CHECK(failure_of(server, through(proxy, "")).hint.starts_with("only Basic is spoken here"));
  }
  SECTION("that says no, nonsense, or too much") {
    const ConnectProxy closed({.says = answer(403, {}, "policy")});
    const HttpFailure failure = failure_of(server, through(closed, ""));
    CHECK(failure.kind == Kind::proxy);
    CHECK_FALSE(failure.worth_retrying);
    CHECK(says(failure, "does not connect to " + place + ": 403 Whatever"));
    const ConnectProxy busy({.says = answer(503, {}, "busy")});
    CHECK(failure_of(server, through(busy, "")).worth_retrying);
    const ConnectProxy nonsense({.says = "SSH-2.0-OpenSSH_9.2\r\n"});
    CHECK(failure_of(server, through(nonsense, "")).kind == Kind::protocol);
    const ConnectProxy eager({.says = "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"});
    CHECK(says(failure_of(server, through(eager, "")), "sent bytes of its own before the TLS handshake"));
    const ConnectProxy cut({.says = "HTTP/1.1 200 OK\r\n"});
    CHECK(failure_of(server, through(cut, "")).kind == Kind::truncated);
  }
  SECTION("that is not there") {
    options.proxy = "http://127.0.0.2:" + std::to_string(server.port());
    CHECK(failure_of(server, options).kind == Kind::refused);
    CHECK(says(failure_of(server, options), "the proxy 127.0.0.2:"));
  }
  SECTION("whose own certificate comes in the server's place") {
    const Certificate inspecting = make_certificate({.name = host}, test::make_authority("Inspection"));
    const TlsServer middle({.certificate = inspecting},
                           [](const Request&) { return Reply{answer(200, {}, "x")}; });
    const ConnectProxy proxy({.to = middle.port()});
    CHECK(failure_of(server, through(proxy, "")).kind == Kind::certificate);
  }
}

TEST_CASE("redirects stay on the host and in TLS, three at most", "[net][http][redirect]") {
  const auto leading = [](const std::string& first, int status = 302) {
    return TlsServer({.certificate = home().good}, [=](const Request& request) {
      if (request.target == "/end") return Reply{answer(200, {}, "end")};
      if (request.target == "/loop") return Reply{answer(301, {"Location: /loop"}, "")};
      if (request.target == "/two") return Reply{answer(307, {"Location: /three"}, "")};
      if (request.target == "/three") return Reply{answer(308, {"Location: /end"}, "")};
      return Reply{
          answer(status, first.empty() ? std::vector<std::string>{} : std::vector{"Location: " + first}, "")};
    });
  };
  for (const int status : {301, 302, 303, 307, 308}) CHECK(answer_of(leading("/end", status)).body == "end");
  CHECK(answer_of(leading("/two")).body == "end");
  CHECK(answer_of(leading("/end", 300)).status == 300);
  const auto refused = [&](const std::string& to, std::string_view words) {
    const auto server = leading(to);
    const HttpFailure failure = failure_of(server);
    CHECK(failure.kind == Kind::redirect);
    CHECK(server.requests().size() <= 4);
    return says(failure, words);
  };
  CHECK(refused("/loop", "more than 3 redirects"));
  CHECK(refused("https://evil.example/",
                "another host, evil.example and not mail.example.com, is not followed"));
  CHECK(refused("//evil.example/", "another host, evil.example"));
  CHECK(refused("https://mail.example.com.evil.example/", "another host"));
  CHECK(refused("http://mail.example.com/", "from https to http is not followed"));
  CHECK(refused("https://mail.example.com@evil.example/", "that is not followed"));
  CHECK(refused("end", "that is not followed"));
  CHECK(refused("", "no place is named"));
  CHECK(refused("/a b", "that is not followed"));
  // The same host by its whole URL; the address that a name stands for is another host.
  const auto server = leading("/end");
  const TlsServer whole({.certificate = home().good}, [&](const Request&) {
    return Reply{answer(302, {"Location: " + server.url(host, "/end")}, "")};
  });
  CHECK(answer_of(whole).body == "end");
  const TlsServer to_address({.certificate = home().good}, [&](const Request&) {
    return Reply{answer(302, {"Location: " + server.url("127.0.0.1", "/end")}, "")};
  });
  CHECK(failure_of(to_address).kind == Kind::redirect);
}

TEST_CASE("progress tells bytes as they come, and of how many", "[net][http]") {
  const std::string body(100'000, 'x');
  std::vector<std::uint64_t> seen;
  std::optional<std::uint64_t> of;
  HttpOptions options = trusting();
  options.progress = [&](std::uint64_t got, std::optional<std::uint64_t> total) {
    seen.push_back(got);
    of = total;
  };
  answer_of(saying({answer(200, {}, body)}), options);
  REQUIRE_FALSE(seen.empty());
  CHECK(std::ranges::is_sorted(seen));
  CHECK(seen.back() == body.size());
  CHECK(of == body.size());
}

}  // namespace aclmend::net
