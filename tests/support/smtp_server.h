// A mail server that says what a test wants it to say: each connection walks a script. Plain POSIX sockets
// and OpenSSL, a thread a connection; nothing of src/net.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace aclmend::test {

// Certificate and key, PEM; the chain behind the server's own certificate.
struct Identity {
  std::string chain;
  std::string key;
};

// How the server behaves. Without a change: a good server with STARTTLS.
struct Script {
  std::string greeting = "220 mail.lab.test ESMTP\r\n";
  std::string ehlo = "250-mail.lab.test\r\n250-SIZE 36700160\r\n250-STARTTLS\r\n250 8BITMIME\r\n";
  std::string ehlo_in_tls = "250-mail.lab.test\r\n250-SIZE 36700160\r\n250 8BITMIME\r\n";
  std::string starttls = "220 go ahead\r\n";
  std::string instead_of_tls{};  // sent where the handshake should begin
  std::string rcpt = "250 2.1.5 ok\r\n";
  Identity identity{};  // none: no TLS
  int newest_tls = 0;   // 0x0302: TLS 1.1
  enum class Fault : std::uint8_t {
    none,
    silent,             // accepts, says nothing
    closes,             // at once
    resets,             // at once, with an RST
    never_ends,         // repeats the greeting for ever
    drips,              // the greeting, a byte at a time, for ever
    closes_in_tls,      // after the handshake
    fails_every_other,  // closes every other connection at once
  } fault = Fault::none;
};

class SmtpServer {
 public:
  explicit SmtpServer(Script script, const std::string& address = "127.0.0.1", std::uint16_t port = 0);
  ~SmtpServer();
  SmtpServer(const SmtpServer&) = delete;
  SmtpServer& operator=(const SmtpServer&) = delete;

  bool is_listening() const { return listener_ >= 0; }
  std::uint16_t port() const { return port_; }
  std::vector<std::string> heard() const;  // the commands, of all connections
  std::size_t connections() const { return connections_; }

 private:
  void accept();
  void talk(int socket, std::size_t number);

  Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> is_over_ = false;
  std::atomic<std::size_t> connections_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> heard_;
  std::vector<std::jthread> talks_;
  std::jthread acceptor_;
};

// A port of 127.0.0.1 where nobody listens.
std::uint16_t closed_port();

}  // namespace aclmend::test
