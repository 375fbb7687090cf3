#include "tests/support/smtp_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <optional>

namespace aclmend::test {
namespace {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <class T>
using Owned = std::unique_ptr<T, FreeSsl>;

Owned<SSL_CTX> context_of(const Script& script) {
  Owned<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_set_security_level(context.get(), 0);
  if (script.newest_tls != 0) {
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), script.newest_tls);
    SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
  }
  const Owned<BIO> chain(
      BIO_new_mem_buf(script.identity.chain.data(), static_cast<int>(script.identity.chain.size())));
  bool is_first = true;
  while (X509* one = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
    if (is_first) SSL_CTX_use_certificate(context.get(), one), X509_free(one);
    else SSL_CTX_add_extra_chain_cert(context.get(), one);  // takes it
    is_first = false;
  }
  ERR_clear_error();
  const Owned<BIO> pem(
      BIO_new_mem_buf(script.identity.key.data(), static_cast<int>(script.identity.key.size())));
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(pem.get(), nullptr, nullptr, nullptr));
  SSL_CTX_use_PrivateKey(context.get(), key.get());
  return context;
}

// One connection: bytes in plain text, or inside TLS after the handshake.
struct Connection {
  int socket;
  const std::atomic<bool>& is_over;
  Owned<SSL_CTX> context{};
  Owned<SSL> ssl{};
  std::string buffer{};

  bool is_readable() const {
    while (!is_over) {
      pollfd one{socket, POLLIN, 0};
      if (poll(&one, 1, 20) > 0) return true;
    }
    return false;
  }

  bool say(const std::string& text) {
    std::size_t sent = 0;
    while (sent < text.size() && !is_over) {
      if (ssl) return SSL_write(ssl.get(), text.data(), static_cast<int>(text.size())) > 0;
      pollfd one{socket, POLLOUT, 0};
      if (poll(&one, 1, 20) <= 0) continue;
      const ssize_t count = send(socket, text.data() + sent, text.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0) return false;
      sent += static_cast<std::size_t>(count);
    }
    return sent == text.size();
  }

  std::optional<std::string> line() {
    while (buffer.find('\n') == std::string::npos) {
      char part[1024];
      if (!(ssl && SSL_pending(ssl.get()) > 0) && !is_readable()) return std::nullopt;
      const long count = ssl ? SSL_read(ssl.get(), part, sizeof part) : recv(socket, part, sizeof part, 0);
      if (count <= 0) return std::nullopt;
      buffer.append(part, static_cast<std::size_t>(count));
    }
    std::string text = buffer.substr(0, buffer.find('\n'));
    buffer.erase(0, text.size() + 1);
    if (text.ends_with('\r')) text.pop_back();
    return text;
  }

  bool secure(const Script& script) {
    context = context_of(script);
    Owned<SSL> fresh(SSL_new(context.get()));
    SSL_set_fd(fresh.get(), socket);
    if (!is_readable() || SSL_accept(fresh.get()) != 1) return false;
    ssl = std::move(fresh);
    return true;
  }
};

void reset(int socket) {
  const linger now{1, 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

sockaddr_storage parsed(const std::string& address, std::uint16_t port, socklen_t& length) {
  sockaddr_storage storage{};
  if (address.find(':') == std::string::npos) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    inet_pton(AF_INET, address.c_str(), &v4.sin_addr);
    std::memcpy(&storage, &v4, sizeof v4);
    length = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr);
    std::memcpy(&storage, &v6, sizeof v6);
    length = sizeof v6;
  }
  return storage;
}

std::uint16_t port_of(int socket) {
  sockaddr_storage own{};
  socklen_t length = sizeof own;
  getsockname(socket, reinterpret_cast<sockaddr*>(&own), &length);
  sockaddr_in v4{};  // the port stands at the same place in both families
  std::memcpy(&v4, &own, sizeof v4);
  return ntohs(v4.sin_port);
}

int listener_on(const std::string& address, std::uint16_t port = 0) {
  socklen_t length = 0;
  sockaddr_storage storage = parsed(address, port, length);
  const int listener = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return -1;
  const int again = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &again, sizeof again);
  if (bind(listener, reinterpret_cast<sockaddr*>(&storage), length) == 0 && listen(listener, 256) == 0)
    return listener;
  close(listener);
  return -1;
}

}  // namespace

SmtpServer::SmtpServer(Script script, const std::string& address, std::uint16_t port)
    : script_(std::move(script)) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes with write()
  listener_ = listener_on(address, port);
  if (listener_ < 0) return;
  port_ = port_of(listener_);
  acceptor_ = std::jthread([this] { accept(); });
}

SmtpServer::~SmtpServer() {
  is_over_ = true;
  if (acceptor_.joinable()) acceptor_.join();
  talks_.clear();
  if (listener_ >= 0) close(listener_);
}

std::vector<std::string> SmtpServer::heard() const {
  const std::scoped_lock lock(mutex_);
  return heard_;
}

void SmtpServer::accept() {
  while (!is_over_) {
    pollfd one{listener_, POLLIN, 0};
    if (poll(&one, 1, 20) <= 0) continue;
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const std::size_t number = ++connections_;
    talks_.emplace_back([this, socket, number] {
      talk(socket, number);
      close(socket);
    });
  }
}

void SmtpServer::talk(int socket, std::size_t number) {
  using enum Script::Fault;
  Connection peer{socket, is_over_};
  const Script::Fault fault = script_.fault;
  if (fault == silent) {
    (void)peer.line();
    return;
  }
  if (fault == closes || (fault == fails_every_other && number % 2 == 0)) return;
  if (fault == resets) return reset(socket);
  while (fault == never_ends)
    if (!peer.say(script_.greeting)) return;
  while (fault == drips) {
    if (!peer.say("x")) return;
    pollfd one{socket, POLLIN, 0};
    if (poll(&one, 1, 10) > 0) return;
  }
  if (!peer.say(script_.greeting)) return;
  while (const auto line = peer.line()) {
    {
      const std::scoped_lock lock(mutex_);
      heard_.push_back(*line);
    }
    if (line->starts_with("EHLO")) peer.say(peer.ssl ? script_.ehlo_in_tls : script_.ehlo);
    else if (line->starts_with("HELO")) peer.say("250 mail.lab.test\r\n");
    else if (line->starts_with("MAIL") || line->starts_with("RSET")) peer.say("250 ok\r\n");
    else if (line->starts_with("RCPT")) peer.say(script_.rcpt);
    else if (*line == "QUIT") {
      peer.say("221 bye\r\n");
      return;
    } else if (*line == "STARTTLS") {
      peer.say(script_.starttls);
      if (!script_.starttls.starts_with("220")) continue;
      if (!script_.instead_of_tls.empty()) {
        peer.say(script_.instead_of_tls);
        (void)peer.line();
        return;
      }
      if (!peer.secure(script_) || fault == closes_in_tls) return;
    } else {
      peer.say("502 5.5.2 no\r\n");
    }
  }
}

std::uint16_t closed_port() {
  const int socket = listener_on("127.0.0.1");
  const std::uint16_t port = port_of(socket);
  close(socket);
  return port;
}

}  // namespace aclmend::test
