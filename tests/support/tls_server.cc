#include "tests/support/tls_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "base/text.h"

namespace aclmend::test {
namespace {

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// A listening socket, a thread that accepts, a thread for each connection, and a bell that ends them all.
class Listener {
 public:
  Listener(bool is_v6, std::function<void(int fd)> serve)
      : serve_(std::move(serve)),
        socket_(::socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        bell_(::eventfd(0, EFD_CLOEXEC)) {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int bound = is_v6 ? ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&six), sizeof six)
                            : ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&four), sizeof four);
    if (bound != 0 || ::listen(socket_.get(), 64) != 0) throw std::runtime_error("cannot listen on loopback");
    socklen_t size = sizeof six;  // the port stands at the same place in both
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&six), &size);
    port_ = ntohs(six.sin6_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~Listener() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto rung = ::write(bell_.get(), &one, sizeof one);
    accepting_.join();
    for (std::thread& thread : serving_) thread.join();
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::uint16_t port() const { return port_; }

  // Until the socket can be read (or written), false when the end has come or the time is over.
  bool wait(int fd, short events, int ms = -1) const {
    std::array<pollfd, 2> polled = {{{fd, events, 0}, {bell_.get(), POLLIN, 0}}};
    return ::poll(polled.data(), polled.size(), ms) > 0 && polled[1].revents == 0;
  }
  // Until one of two can be read.
  bool wait_for_either(int a, int b, bool& is_a, bool& is_b) const {
    std::array<pollfd, 3> polled = {{{a, POLLIN, 0}, {b, POLLIN, 0}, {bell_.get(), POLLIN, 0}}};
    if (::poll(polled.data(), polled.size(), -1) <= 0 || polled[2].revents != 0) return false;
    is_a = polled[0].revents != 0;
    is_b = polled[1].revents != 0;
    return true;
  }

 private:
  void accept_all() {
    while (wait(socket_.get(), POLLIN)) {
      const int fd = ::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd < 0) continue;
      serving_.emplace_back([this, fd] {
        sigset_t pipes;  // a client that left is an error to write to, and no signal
        sigemptyset(&pipes);
        sigaddset(&pipes, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipes, nullptr);
        const Socket owner(fd);
        serve_(fd);
      });
    }
  }

  std::function<void(int)> serve_;
  Socket socket_, bell_;
  std::uint16_t port_ = 0;
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

void reset(int fd) {
  const linger hard{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

// A connection as its script sees it, with TLS or without.
class Line {
 public:
  Line(const Listener& listener, int fd, SSL* tls) : listener_(listener), fd_(fd), tls_(tls) {}

  bool accept() {
    return finished([&] { return SSL_accept(tls_); });
  }

  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t part = std::min<std::size_t>(bytes.size(), 16384);
      if (tls_ != nullptr) {
        if (!finished([&] { return SSL_write(tls_, bytes.data(), static_cast<int>(part)); })) return false;
        bytes.remove_prefix(part);
        continue;
      }
      const ssize_t put = ::send(fd_, bytes.data(), part, MSG_NOSIGNAL);
      if (put > 0) bytes.remove_prefix(static_cast<std::size_t>(put));
      else if (errno != EAGAIN || !listener_.wait(fd_, POLLOUT)) return false;
    }
    return true;
  }

  std::string read() {  // empty: the client left, or the end has come
    std::array<char, 4096> part;
    int got = 0;
    if (tls_ != nullptr) {
      if (!finished([&] { return got = SSL_read(tls_, part.data(), part.size()); })) return {};
    } else {
      if (!listener_.wait(fd_, POLLIN)) return {};
      got = static_cast<int>(::recv(fd_, part.data(), part.size(), 0));
    }
    return got > 0 ? std::string(part.data(), static_cast<std::size_t>(got)) : std::string();
  }

  std::string read_header() {
    std::string text;
    while (text.find("\r\n\r\n") == std::string::npos) {
      const std::string part = read();
      if (part.empty()) return {};
      text += part;
      if (text[0] < 'A' || text[0] > 'Z') return text;  // no HTTP: what a plain server sees of TLS
    }
    return text;
  }

  void wait_until_left() {
    while (!read().empty()) continue;
  }
  bool pause(int ms) {  // false: the client left, or the end has come
    std::array<char, 1> ignored;
    if (!listener_.wait(fd_, POLLIN, ms)) return true;
    return ::recv(fd_, ignored.data(), 1, MSG_PEEK) > 0;
  }

  void end(Reply::Ending ending) {
    if (ending == Reply::Ending::reset) {
      int unsent = 1;  // a reset throws away what did not arrive yet
      while (::ioctl(fd_, SIOCOUTQ, &unsent) == 0 && unsent > 0 && pause(1)) continue;
      reset(fd_);
    }
    if (tls_ != nullptr && ending == Reply::Ending::proper) SSL_shutdown(tls_);
    if (ending == Reply::Ending::proper || ending == Reply::Ending::cut) {
      ::shutdown(fd_, SHUT_WR);
      std::array<char, 4096> ignored;  // so that what was sent is not lost to a reset
      while (listener_.wait(fd_, POLLIN) && ::recv(fd_, ignored.data(), ignored.size(), 0) > 0) continue;
    }
  }

 private:
  template <class Operation>
  bool finished(Operation operation) {
    while (true) {
      const int result = operation();
      if (result > 0) return true;
      const int error = SSL_get_error(tls_, result);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return false;
      if (!listener_.wait(fd_, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) return false;
    }
  }

  const Listener& listener_;
  int fd_;
  SSL* tls_;
};

Request parse_request(const std::string& text) {
  Request request;
  const auto lines = split(std::string_view(text).substr(0, text.find("\r\n\r\n")), '\n');
  const auto words = split(trimmed(lines[0]), ' ');
  request.method = words[0];
  if (words.size() > 1) request.target = words[1];
  for (std::size_t i = 1; i < lines.size(); ++i) request.headers.emplace_back(trimmed(lines[i]));
  return request;
}

using Context = std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)>;

void use_certificate(SSL_CTX* context, const Certificate& certificate) {
  const auto open = [](const std::string& pem) {
    return std::unique_ptr<BIO, int (*)(BIO*)>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                               BIO_free);
  };
  const auto own = open(certificate.pem), key = open(certificate.key), chain = open(certificate.chain);
  X509* const x = PEM_read_bio_X509(own.get(), nullptr, nullptr, nullptr);
  EVP_PKEY* const k = PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr);
  if (SSL_CTX_use_certificate(context, x) != 1 || SSL_CTX_use_PrivateKey(context, k) != 1)
    throw std::runtime_error("the server's certificate cannot be used");
  X509_free(x);
  EVP_PKEY_free(k);
  while (X509* const link = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr))
    SSL_CTX_add0_chain_cert(context, link);
}

Context make_context(const TlsServer::Options& options) {
  Context context(nullptr, SSL_CTX_free);
  if (options.certificate.pem.empty()) return context;
  context.reset(SSL_CTX_new(TLS_server_method()));
  if (options.trouble == Trouble::tls_1_1_alone) {
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_1_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
  } else {
    SSL_CTX_set_security_level(context.get(), 1);  // weak certificates are the client's to refuse
  }
  use_certificate(context.get(), options.certificate);
  return context;
}

}  // namespace

std::string Request::header(const std::string& name) const {
  for (const std::string& line : headers)
    if (const std::size_t colon = line.find(':'); lower(line.substr(0, colon)) == lower(name))
      return std::string(trimmed(std::string_view(line).substr(colon + 1)));
  return {};
}

std::string answer_head(int status, const std::vector<std::string>& headers) {
  const char* const reason = status == 200 ? "OK" : status == 429 ? "Too Many Requests" : "Whatever";
  std::string text = fmt::format("HTTP/1.1 {} {}\r\n", status, reason);
  for (const std::string& header : headers) text += header + "\r\n";
  return text + "\r\n";
}

std::string answer(int status, const std::vector<std::string>& headers, const std::string& body) {
  auto all = headers;
  all.push_back(fmt::format("Content-Length: {}", body.size()));
  return answer_head(status, all) + body;
}

std::string chunked(const std::string& body, std::size_t chunk) {
  std::string out;
  for (std::size_t at = 0; at < body.size(); at += chunk) {
    const std::string part = body.substr(at, chunk);
    out += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
  }
  return out + "0\r\n\r\n";
}

std::string gzipped(const std::string& text) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("gzip");
  std::string out(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct TlsServer::Inside {
  Options options;
  Script script;
  Context context;
  mutable std::mutex mutex;
  std::vector<Request> requests;
  std::size_t connections = 0;
  Listener listener;  // last: its threads use what stands above

  Inside(const Options& wished, Script said)
      : options(wished),
        script(std::move(said)),
        context(make_context(options)),
        listener(options.is_v6, [this](int fd) { serve(fd); }) {}

  void serve(int fd) {
    {
      const std::lock_guard lock(mutex);
      ++connections;
    }
    Line plain(listener, fd, nullptr);
    switch (options.trouble) {
      case Trouble::silent: return plain.wait_until_left();
      case Trouble::closes: plain.read(); return;
      case Trouble::resets: plain.read(); return reset(fd);
      case Trouble::garbage:
        plain.read();
        plain.write("220 mail.example.com ESMTP\r\n");
        return plain.end(Reply::Ending::cut);
      case Trouble::none:
      case Trouble::tls_1_1_alone: break;
    }
    if (context == nullptr) return talk(plain, "");
    const std::unique_ptr<SSL, void (*)(SSL*)> tls(SSL_new(context.get()), SSL_free);
    SSL_set_fd(tls.get(), fd);
    Line line(listener, fd, tls.get());
    if (!line.accept()) return plain.end(Reply::Ending::cut);  // the alert arrives
    const char* const name = SSL_get_servername(tls.get(), TLSEXT_NAMETYPE_host_name);
    talk(line, name == nullptr ? "" : name);
  }

  void talk(Line& line, const std::string& server_name) {
    const std::string text = line.read_header();
    if (text.empty()) return;
    if (text.find("\r\n\r\n") == std::string::npos) {
      line.write(answer(400, {}, "no HTTP"));
      return line.end(Reply::Ending::cut);
    }
    Request request = parse_request(text);
    request.server_name = server_name;
    {
      const std::lock_guard lock(mutex);
      requests.push_back(request);
    }
    const Reply reply = script(request);
    if (!line.write(reply.bytes)) return;
    switch (reply.ending) {
      case Reply::Ending::silent: return line.wait_until_left();
      case Reply::Ending::endless:
        while (line.write(reply.last_part)) continue;
        return;
      case Reply::Ending::dripping:
        for (std::size_t at = 0; line.pause(10); at = (at + 1) % reply.last_part.size())
          if (!line.write(reply.last_part.substr(at, 1))) return;
        return;
      case Reply::Ending::proper:
      case Reply::Ending::cut:
      case Reply::Ending::reset: return line.end(reply.ending);
    }
  }
};

TlsServer::TlsServer(const Options& options, Script script)
    : inside_(std::make_unique<Inside>(options, std::move(script))) {}
TlsServer::~TlsServer() = default;

std::uint16_t TlsServer::port() const { return inside_->listener.port(); }
std::string TlsServer::url(const std::string& host, const std::string& target) const {
  return fmt::format("{}://{}:{}{}", inside_->context == nullptr ? "http" : "https", host, port(), target);
}
std::vector<Request> TlsServer::requests() const {
  const std::lock_guard lock(inside_->mutex);
  return inside_->requests;
}
std::size_t TlsServer::connections() const {
  const std::lock_guard lock(inside_->mutex);
  return inside_->connections;
}

struct ConnectProxy::Inside {
  Options options;
  mutable std::mutex mutex;
  std::vector<Request> requests;
  Listener listener;

  explicit Inside(const Options& wished) : options(wished), listener(false, [this](int fd) { serve(fd); }) {}

  void serve(int fd) {
    Line line(listener, fd, nullptr);
    const std::string text = line.read_header();
    if (text.empty()) return;
    const Request request = parse_request(text);
    {
      const std::lock_guard lock(mutex);
      requests.push_back(request);
    }
    if (!options.says.empty() || options.is_silent_after) {
      line.write(options.says);
      return options.is_silent_after ? line.wait_until_left() : line.end(Reply::Ending::cut);
    }
    if (!options.authorization.empty() && request.header("Proxy-Authorization") != options.authorization) {
      line.write(
          answer(407, {"Proxy-Authenticate: Negotiate", "Proxy-Authenticate: Basic realm=\"x\""}, "no"));
      return line.end(Reply::Ending::cut);
    }
    const Socket onward(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    four.sin_port = htons(options.to);
    if (::connect(onward.get(), reinterpret_cast<sockaddr*>(&four), sizeof four) != 0) {
      line.write(answer(502, {}, "nobody there"));
      return line.end(Reply::Ending::cut);
    }
    line.write("HTTP/1.1 200 Connection established\r\n\r\n");
    pump(fd, onward.get());
  }

  void pump(int client, int server) {
    ::fcntl(server, F_SETFL, O_NONBLOCK);
    Line to_client(listener, client, nullptr), to_server(listener, server, nullptr);
    bool is_client = false, is_server = false;
    while (listener.wait_for_either(client, server, is_client, is_server)) {
      if (is_client) {
        const std::string part = to_client.read();
        if (part.empty() || !to_server.write(part)) return;
      }
      if (is_server) {
        const std::string part = to_server.read();
        if (part.empty()) return;
        if (!to_client.write(part)) return;
      }
    }
  }
};

ConnectProxy::ConnectProxy(const Options& options) : inside_(std::make_unique<Inside>(options)) {}
ConnectProxy::~ConnectProxy() = default;
std::uint16_t ConnectProxy::port() const { return inside_->listener.port(); }
std::vector<Request> ConnectProxy::requests() const {
  const std::lock_guard lock(inside_->mutex);
  return inside_->requests;
}

}  // namespace aclmend::test
