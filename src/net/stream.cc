#include "net/stream.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace aclmend::net {
namespace {

using Kind = Failure::Kind;
using std::chrono::steady_clock;

constexpr std::size_t largest_read = 16 * 1024;
constexpr std::size_t largest_chain = 20;

std::unexpected<Failure> failed(Kind kind, std::string text, std::optional<Icmp> icmp = {}) {
  return std::unexpected(Failure{kind, std::move(text), icmp});
}

// ---- addresses as the kernel takes them

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const Endpoint& endpoint) {
  SocketAddress out;
  if (endpoint.address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    v4.sin_addr.s_addr = htonl(endpoint.address.as_v4());
    std::memcpy(&out.storage, &v4, sizeof v4);
    out.length = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    for (std::size_t i = 0; i < 16; ++i)
      v6.sin6_addr.s6_addr[i] = static_cast<std::uint8_t>(endpoint.address.number >> (8 * (15 - i)));
    std::memcpy(&out.storage, &v6, sizeof v6);
    out.length = sizeof v6;
  }
  return out;
}

std::optional<Address> address_of(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &storage, sizeof v4);
    return Address::v4(ntohl(v4.sin_addr.s_addr));
  }
  if (storage.ss_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6;
  std::memcpy(&v6, &storage, sizeof v6);
  V6 number = 0;
  for (const std::uint8_t byte : v6.sin6_addr.s6_addr) number = number << 8 | byte;
  return Address::v6(number);
}

// ---- waiting

int milliseconds_until(Until until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 1 << 30));
}

// True: ready before the deadline. An error on the socket counts as ready: the next call tells it.
bool is_ready(int socket, short events, Until until) {
  while (true) {
    pollfd one{socket, events, 0};
    const int ready = ::poll(&one, 1, milliseconds_until(until));
    if (ready > 0) return true;
    if (ready == 0 && steady_clock::now() >= until) return false;
    if (ready < 0 && errno != EINTR) return false;
  }
}

// ---- reasons

// Linux's man pages ip(7) and ipv6(7): with IP_RECVERR the error queue holds the ICMP message and its sender.
std::optional<Icmp> icmp_on(int socket) {
  char control[512];
  sockaddr_storage peer{};
  msghdr message{};
  message.msg_name = &peer;
  message.msg_namelen = sizeof peer;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (::recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return std::nullopt;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    const bool is_error = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                          (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);
    if (!is_error || part->cmsg_len < CMSG_LEN(sizeof(sock_extended_err))) continue;
    sock_extended_err error;
    std::memcpy(&error, CMSG_DATA(part), sizeof error);
    if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6) continue;
    sockaddr_storage sender{};
    const std::size_t at = CMSG_LEN(sizeof error);
    std::memcpy(&sender, CMSG_DATA(part) + sizeof error, std::min(part->cmsg_len - at, sizeof sender));
    if (const auto from = address_of(sender)) return Icmp{*from, error.ee_type, error.ee_code};
  }
  return std::nullopt;
}

std::string words_of(int error) { return std::strerror(error); }

// What a connect that failed with `error` means. `at_once`: before a packet could have come back.
std::unexpected<Failure> connect_failure(int error, std::optional<Icmp> icmp, bool at_once) {
  switch (error) {
    case ECONNREFUSED:
      return failed(Kind::refused,
                    icmp ? "refused by an ICMP message, as a firewall sends it"
                         : "refused (RST): no listener there, or a firewall or balancer that rejects",
                    icmp);
    case ETIMEDOUT: return failed(Kind::timed_out, "no answer", icmp);
    case ECONNRESET: return failed(Kind::reset, "connected, and reset at once", icmp);
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EACCES:
    case EPERM:
      if (icmp) return failed(Kind::unreachable, "unreachable: a box on the way says so", icmp);
      if (at_once)
        return failed(Kind::local, fmt::format("not sent: {} on this machine itself (route or own filter)",
                                               words_of(error)));
      return failed(Kind::unreachable, fmt::format("unreachable: {}", words_of(error)));
    case EADDRNOTAVAIL: return failed(Kind::local, "not sent: this machine has no such own address");
    default: return failed(Kind::local, fmt::format("not sent: {}", words_of(error)));
  }
}

std::unexpected<Failure> talk_failure(int error, int socket) {
  if (error == ECONNRESET || error == EPIPE)
    return failed(Kind::reset, "the connection was reset", icmp_on(socket));
  if (error == ETIMEDOUT) return failed(Kind::timed_out, "the other side fell silent", icmp_on(socket));
  return failed(Kind::unreachable, fmt::format("the connection broke: {}", words_of(error)), icmp_on(socket));
}

std::string_view icmp_name(const Icmp& icmp) {
  if (icmp.from.is_v4() && icmp.type == ICMP_DEST_UNREACH) switch (icmp.code) {
      case 0: return "net-unreachable";
      case 1: return "host-unreachable";
      case 2: return "protocol-unreachable";
      case 3: return "port-unreachable";
      case 9: return "net-prohibited";
      case 10: return "host-prohibited";
      case 13: return "admin-prohibited";
      default: return "unreachable";
    }
  if (!icmp.from.is_v4() && icmp.type == 1) switch (icmp.code) {
      case 0: return "no-route";
      case 1: return "admin-prohibited";
      case 3: return "address-unreachable";
      case 4: return "port-unreachable";
      case 5: return "policy-failed";
      case 6: return "route-rejected";
      default: return "unreachable";
    }
  return "message";
}

// ---- TLS, as a filter between the socket's bytes and ours

struct FreeSsl {
  void operator()(SSL* ssl) const { ::SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
};

std::string tls_reason() {
  const unsigned long error = ::ERR_peek_error();
  ::ERR_clear_error();
  if (error == 0) return "no reason given";
  const char* reason = ::ERR_reason_error_string(error);
  return reason != nullptr ? reason : fmt::format("OpenSSL error {}", error);
}

}  // namespace

std::string to_string(const Endpoint& endpoint) {
  return endpoint.address.is_v4() ? fmt::format("{}:{}", to_string(endpoint.address), endpoint.port)
                                  : fmt::format("[{}]:{}", to_string(endpoint.address), endpoint.port);
}

std::string to_string(const Icmp& icmp) {
  return fmt::format("ICMP{} {} ({}/{}) from {}", icmp.from.is_v4() ? "" : "v6", icmp_name(icmp), icmp.type,
                     icmp.code, to_string(icmp.from));
}

struct Stream::State {
  int socket = -1;
  Address local;
  std::unique_ptr<SSL_CTX, FreeSsl> context;
  std::unique_ptr<SSL, FreeSsl> ssl;  // reads from `in`, writes to `out`, both owned by it
  BIO* in = nullptr;
  BIO* out = nullptr;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (socket >= 0) ::close(socket);
  }

  Outcome<std::size_t> send_raw(std::string_view bytes, Until until) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t count =
          ::send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count >= 0) sent += static_cast<std::size_t>(count);
      else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (!is_ready(socket, POLLOUT, until)) return failed(Kind::timed_out, "the other side takes nothing");
      } else if (errno != EINTR) return talk_failure(errno, socket);
    }
    return sent;
  }

  Outcome<std::string> receive_raw(Until until) {
    std::string bytes(largest_read, '\0');
    while (true) {
      const ssize_t count = ::recv(socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (count >= 0) {
        bytes.resize(static_cast<std::size_t>(count));
        return bytes;
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (!is_ready(socket, POLLIN, until)) return failed(Kind::timed_out, "no answer");
      } else if (errno != EINTR) {
        return talk_failure(errno, socket);
      }
    }
  }

  Outcome<std::size_t> flush_tls(Until until) {
    char* bytes = nullptr;
    const long count = BIO_get_mem_data(out, &bytes);
    if (count <= 0) return std::size_t{0};
    const auto sent = send_raw({bytes, static_cast<std::size_t>(count)}, until);
    (void)BIO_reset(out);
    return sent;
  }

  // Feeds TLS with what comes next. False: the other side has ended.
  Outcome<bool> feed_tls(Until until) {
    const auto bytes = receive_raw(until);
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->empty()) return false;
    ::BIO_write(in, bytes->data(), static_cast<int>(bytes->size()));
    return true;
  }

  Outcome<std::size_t> send_tls(std::string_view bytes, Until until) {
    ::ERR_clear_error();
    if (::SSL_write(ssl.get(), bytes.data(), static_cast<int>(bytes.size())) <= 0)
      return failed(Kind::tls, fmt::format("TLS takes nothing more: {}", tls_reason()));
    if (const auto sent = flush_tls(until); !sent) return sent;
    return bytes.size();
  }

  Outcome<std::string> receive_tls(Until until) {
    std::string bytes(largest_read, '\0');
    while (true) {
      ::ERR_clear_error();
      const int count = ::SSL_read(ssl.get(), bytes.data(), static_cast<int>(bytes.size()));
      if (count > 0) {
        bytes.resize(static_cast<std::size_t>(count));
        return bytes;
      }
      const int error = ::SSL_get_error(ssl.get(), count);
      if (error == SSL_ERROR_ZERO_RETURN) return std::string();
      if (error != SSL_ERROR_WANT_READ)
        return failed(Kind::tls, fmt::format("TLS broke off: {}", tls_reason()));
      if (const auto sent = flush_tls(until); !sent) return std::unexpected(sent.error());
      const auto fed = feed_tls(until);
      if (!fed) return std::unexpected(fed.error());
      if (!*fed) return std::string();  // without close_notify: usual among mail servers
    }
  }

  Outcome<std::size_t> shake_hands(Until until) {
    while (true) {
      ::ERR_clear_error();
      const int done = ::SSL_connect(ssl.get());
      const int error = ::SSL_get_error(ssl.get(), done);
      const std::string reason = done == 1 || error == SSL_ERROR_WANT_READ ? "" : tls_reason();
      const auto sent = flush_tls(until);  // an alert of ours, too
      if (done == 1) return sent;
      if (error != SSL_ERROR_WANT_READ)
        return failed(Kind::tls, fmt::format("no TLS 1.2 or 1.3 came about: {}", reason));
      if (!sent) return sent;
      const auto fed = feed_tls(until);
      if (!fed) return std::unexpected(fed.error());
      if (!*fed) return failed(Kind::closed, "the other side closed in the middle of the handshake");
    }
  }

  TlsFacts facts() const {
    TlsFacts facts;
    facts.version = ::SSL_get_version(ssl.get());
    facts.cipher = ::SSL_get_cipher_name(ssl.get());
    if (EVP_PKEY* key = nullptr; SSL_get_peer_tmp_key(ssl.get(), &key) == 1) {
      char name[80] = "";
      std::size_t length = 0;
      if (::EVP_PKEY_get_group_name(key, name, sizeof name, &length) == 1) facts.key_exchange = name;
      else if (const char* kind = ::EVP_PKEY_get0_type_name(key)) facts.key_exchange = kind;
      ::EVP_PKEY_free(key);
    }
    const STACK_OF(X509)* chain = ::SSL_get_peer_cert_chain(ssl.get());
    for (int i = 0; i < sk_X509_num(chain) && facts.chain.size() < largest_chain; ++i) {
      unsigned char* der = nullptr;
      const int length = ::i2d_X509(sk_X509_value(chain, i), &der);
      if (length <= 0) continue;
      facts.chain.emplace_back(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
      ::OPENSSL_free(der);
    }
    return facts;
  }
};

Stream::Stream(std::unique_ptr<State> state) : state_(std::move(state)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

Stream::Outcome<Stream> Stream::connect(const Endpoint& to, std::optional<Address> from, Until until) {
  auto state = std::make_unique<State>();
  const int family = to.address.is_v4() ? AF_INET : AF_INET6;
  const auto start = steady_clock::now();
  if (from && from->family != to.address.family)
    return failed(Kind::local, fmt::format("not sent: {} is of the other family", to_string(*from)));
  state->socket = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (state->socket < 0)
    return failed(Kind::local, fmt::format("no socket on this machine: {}", words_of(errno)));
  const int on = 1;
  ::setsockopt(state->socket, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
               family == AF_INET ? IP_RECVERR : IPV6_RECVERR, &on, sizeof on);
  ::setsockopt(state->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (from) {
    SocketAddress own = socket_address({*from, 0});
    if (::bind(state->socket, own.raw(), own.length) != 0) return connect_failure(errno, {}, true);
  }
  SocketAddress peer = socket_address(to);
  int error = 0;
  if (::connect(state->socket, peer.raw(), peer.length) != 0) error = errno;
  if (error == EINPROGRESS) {
    if (!is_ready(state->socket, POLLOUT, until)) return failed(Kind::timed_out, "no answer");
    socklen_t length = sizeof error;
    ::getsockopt(state->socket, SOL_SOCKET, SO_ERROR, &error, &length);
  }
  if (error != 0)
    return connect_failure(error, icmp_on(state->socket),
                           steady_clock::now() - start < std::chrono::milliseconds(2));
  sockaddr_storage own{};
  socklen_t length = sizeof own;
  ::getsockname(state->socket, reinterpret_cast<sockaddr*>(&own), &length);
  state->local = address_of(own).value_or(Address{});
  return Stream(std::move(state));
}

Address Stream::local() const { return state_->local; }

unsigned Stream::repeated_packets() const {
  tcp_info facts{};
  socklen_t length = sizeof facts;
  const bool is_told = ::getsockopt(state_->socket, IPPROTO_TCP, TCP_INFO, &facts, &length) == 0;
  return is_told ? facts.tcpi_total_retrans : 0;
}

Stream::Outcome<std::size_t> Stream::send(std::string_view bytes, Until until) {
  if (bytes.empty()) return std::size_t{0};
  return state_->ssl ? state_->send_tls(bytes, until) : state_->send_raw(bytes, until);
}

Stream::Outcome<std::string> Stream::receive(Until until) {
  return state_->ssl ? state_->receive_tls(until) : state_->receive_raw(until);
}

Stream::Outcome<TlsFacts> Stream::start_tls(const std::string& server_name, Until until) {
  State& state = *state_;
  ::ERR_clear_error();
  state.context.reset(::SSL_CTX_new(::TLS_client_method()));
  if (!state.context) return failed(Kind::local, fmt::format("no TLS on this machine: {}", tls_reason()));
  ::SSL_CTX_set_verify(state.context.get(), SSL_VERIFY_NONE, nullptr);
  ::SSL_CTX_set_min_proto_version(state.context.get(), TLS1_2_VERSION);
  ::SSL_CTX_set_security_level(state.context.get(), 0);  // weak keys are to be told, not refused
  ::SSL_CTX_set_max_cert_list(state.context.get(), 100 * 1024);
  state.ssl.reset(::SSL_new(state.context.get()));
  if (!state.ssl) return failed(Kind::local, fmt::format("no TLS on this machine: {}", tls_reason()));
  state.in = ::BIO_new(::BIO_s_mem());
  state.out = ::BIO_new(::BIO_s_mem());
  ::BIO_set_mem_eof_return(state.in, -1);
  ::SSL_set_bio(state.ssl.get(), state.in, state.out);
  if (!server_name.empty())
    ::SSL_ctrl(state.ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(server_name.c_str()));
  if (const auto done = state.shake_hands(until); !done) return std::unexpected(done.error());
  return state.facts();
}

void Stream::close() {
  if (state_->ssl && SSL_is_init_finished(state_->ssl.get())) {
    ::SSL_shutdown(state_->ssl.get());
    (void)state_->flush_tls(steady_clock::now());
  }
  ::shutdown(state_->socket, SHUT_WR);
}

}  // namespace aclmend::net
