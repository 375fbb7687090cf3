// A real HTTPS server for tests, on plain sockets and OpenSSL and so nothing of what the client is made of:
// it says whatever the script tells it to, well or badly. Nothing in it sleeps: a script that falls silent
// waits until the client leaves or the server is gone.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/certificates.h"

namespace aclmend::test {

struct Request {
  std::string method, target;
  std::vector<std::string> headers;  // "Host: mail.example.com"
  std::string server_name;           // as asked for in TLS (SNI)

  std::string header(const std::string& name) const;  // "" where it is not there
};

// What is said to a request, and how it ends.
struct Reply {
  enum class Ending : std::uint8_t {
    proper,    // TLS close_notify, then the connection's end
    cut,       // the connection's end without the good-bye
    reset,     // RST
    silent,    // stays open and says nothing more
    endless,   // the last part again and again
    dripping,  // a byte of the last part every 10 ms, again and again
  };
  std::string bytes;
  Ending ending = Ending::proper;
  std::string last_part{};
};

// "HTTP/1.1 200 OK", the headers, Content-Length and the body.
std::string answer(int status, const std::vector<std::string>& headers, const std::string& body);
// The same without a length; `body` follows as it is.
std::string answer_head(int status, const std::vector<std::string>& headers);
std::string chunked(const std::string& body, std::size_t chunk = 7);  // the chunks, the last one too
std::string gzipped(const std::string& text);

enum class Trouble : std::uint8_t {
  none,
  silent,         // accepts, and says nothing at all
  closes,         // accepts, and closes once the client has begun
  resets,         // the same with RST
  garbage,        // speaks, but not TLS
  tls_1_1_alone,  // no later version
};

class TlsServer {
 public:
  struct Options {
    Certificate certificate{};  // without one it speaks plain HTTP
    Trouble trouble = Trouble::none;
    bool is_v6 = false;
  };
  using Script = std::function<Reply(const Request&)>;

  TlsServer(const Options& options, Script script);  // on a free port of 127.0.0.1, or ::1
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  std::uint16_t port() const;
  std::string url(const std::string& host, const std::string& target = "/") const;  // https://host:port/…
  std::vector<Request> requests() const;                                            // so far
  std::size_t connections() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

// An HTTP proxy that connects, whatever is asked for, to one port of 127.0.0.1.
class ConnectProxy {
 public:
  struct Options {
    std::uint16_t to = 0;
    std::string authorization{};  // "Basic …" is required; empty: nothing is
    std::string says{};  // this instead of anything else; a part of it where it must stay silent after
    bool is_silent_after = false;
  };
  explicit ConnectProxy(const Options& options);
  ~ConnectProxy();
  ConnectProxy(const ConnectProxy&) = delete;
  ConnectProxy& operator=(const ConnectProxy&) = delete;

  std::uint16_t port() const;
  std::vector<Request> requests() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace aclmend::test
