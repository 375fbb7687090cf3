#include "net/wire.h"

#define BOOST_ASIO_NO_DEPRECATED
#include <fmt/format.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <vector>

#include "net/tls.h"

namespace aclmend::net {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Kind = HttpFailure::Kind;

asio::ip::address to_asio(Address address) {
  if (address.is_v4()) return asio::ip::address_v4(address.as_v4());
  asio::ip::address_v6::bytes_type bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<unsigned char>(address.number >> (120 - 8 * i));
  return asio::ip::address_v6(bytes);
}

HttpFailure ca_file_failure(const std::string& ca_file, std::string_view what) {
  return {.kind = Kind::usage,
          .message = fmt::format("{}: {}", ca_file, what),
          .hint = "--ca-file takes the authorities' certificates as PEM"};
}

bool is_cut(error_code error) {
  return error == asio::error::eof || error == asio::ssl::error::stream_truncated ||
         error == asio::error::connection_reset || error == asio::error::broken_pipe;
}

struct Attempt {
  Address address;
  error_code error;
};

std::string told(std::span<const Attempt> attempts) {
  std::vector<std::string> parts;
  for (const auto& [address, error] : attempts)
    parts.push_back(fmt::format("{}: {}", to_string(address),
                                error == asio::error::timed_out            ? "no answer"
                                : error == asio::error::connection_refused ? "refused"
                                                                           : error.message()));
  return fmt::format("{}", fmt::join(parts, "; "));
}

HttpFailure connect_failure(const std::string& peer, std::span<const Attempt> attempts, Deadline deadline) {
  const auto all = [&](error_code error) {
    return std::ranges::all_of(attempts, [&](const Attempt& attempt) { return attempt.error == error; });
  };
  HttpFailure failure{.kind = Kind::connect, .worth_retrying = true};
  if (all(asio::error::connection_refused)) {
    failure.kind = Kind::refused;
    failure.message = fmt::format("{} refused the connection ({})", peer, told(attempts));
    failure.hint = "nothing listens there, or a firewall on the way rejects";
  } else if (all(asio::error::timed_out)) {
    failure.kind = Kind::timed_out;
    failure.message = fmt::format("{} did not answer {} ({})", peer, to_string(deadline), told(attempts));
    failure.hint =
        "a firewall that drops gives no answer: let this machine through, or name a proxy by HTTPS_PROXY";
  } else {
    failure.message = fmt::format("{} cannot be reached ({})", peer, told(attempts));
  }
  return failure;
}

}  // namespace

struct Wire::Inside {
  struct Moved {
    error_code error;
    std::size_t count = 0;
  };
  using Tls = asio::ssl::stream<asio::ip::tcp::socket&>;

  asio::io_context io{1};
  asio::ip::tcp::socket socket{io};
  asio::ssl::context context{asio::ssl::context::tls_client};
  std::optional<Tls> tls;

  // Starts an operation and waits for its end; when its time is over, closing the socket ends it.
  template <class Start>
  Moved within(Deadline deadline, Start start) {
    std::optional<Moved> moved;
    start([&moved](error_code error, std::size_t count = 0) { moved = Moved{error, count}; });
    io.restart();
    io.run_until(deadline.end);
    if (moved) return *moved;
    error_code ignored;
    socket.close(ignored);
    io.restart();
    io.run();
    return {asio::error::timed_out};
  }
};

Wire::Wire() : inside_(std::make_unique<Inside>()) {}
Wire::~Wire() = default;

std::optional<HttpFailure> Wire::connect(std::span<const Address> addresses, std::uint16_t port,
                                         const std::string& peer, Deadline deadline) {
  auto& socket = inside_->socket;
  std::vector<Attempt> attempts;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto now = std::chrono::steady_clock::now();
    const auto left = std::max(deadline.end - now, std::chrono::steady_clock::duration::zero());
    const Deadline share{now + left / static_cast<std::int64_t>(addresses.size() - i)};
    const auto moved =
        inside_->within(share, [&](auto done) { socket.async_connect({to_asio(addresses[i]), port}, done); });
    if (!moved.error) return std::nullopt;
    error_code ignored;
    socket.close(ignored);
    attempts.push_back({addresses[i], moved.error});
  }
  return connect_failure(peer, attempts, deadline);
}

std::optional<HttpFailure> Wire::start_tls(const Url& url, const std::string& ca_file, Deadline deadline) {
  if (const auto wrong = make_strict(inside_->context.native_handle(), ca_file))
    return ca_file_failure(ca_file, *wrong);
  auto& tls = inside_->tls.emplace(inside_->socket, inside_->context);
  if (!expect_host(tls.native_handle(), url))
    return HttpFailure{.kind = Kind::tls, .message = authority(url) + ": its name cannot be verified"};
  tls.set_verify_mode(asio::ssl::verify_peer);
  std::optional<TlsFault> distrust;
  tls.set_verify_callback([&](bool is_fine, asio::ssl::verify_context& verification) {
    if (!is_fine && !distrust) distrust = certificate_fault(verification.native_handle(), url);
    return is_fine;
  });
  const auto moved = inside_->within(
      deadline, [&](auto done) { tls.async_handshake(asio::ssl::stream_base::client, done); });
  if (!moved.error) return std::nullopt;
  if (distrust)
    return HttpFailure{.kind = Kind::certificate, .message = distrust->message, .hint = distrust->hint};
  const std::string peer = authority(url);
  if (moved.error == asio::error::timed_out)
    return HttpFailure{
        .kind = Kind::timed_out,
        .message = fmt::format("{} accepted the connection, but the TLS handshake was not done {}", peer,
                               to_string(deadline)),
        .hint =
            "a firewall that inspects may hold the connection: ask its owner, or name a proxy by "
            "HTTPS_PROXY",
        .worth_retrying = true};
  if (is_cut(moved.error))
    return HttpFailure{.kind = Kind::tls,
                       .message = fmt::format("{} closed the connection in the TLS handshake", peer),
                       .hint = "a firewall that filters by server name does that",
                       .worth_retrying = true};
  if (moved.error.category() != asio::error::get_ssl_category())
    return HttpFailure{
        .kind = Kind::tls,
        .message = fmt::format("{}: the TLS handshake failed: {}", peer, moved.error.message()),
        .worth_retrying = true};
  const TlsFault fault = handshake_fault(static_cast<unsigned long>(moved.error.value()), peer);
  return HttpFailure{.kind = Kind::tls, .message = fault.message, .hint = fault.hint};
}

namespace {

Wire::Fault fault_of(error_code error) {
  if (error == asio::error::timed_out) return {Wire::Fault::Kind::timed_out, ""};
  if (is_cut(error))
    return {Wire::Fault::Kind::cut,
            error == asio::error::connection_reset ? "the connection was reset" : "the connection was cut"};
  return {Wire::Fault::Kind::failed, error.message()};
}

}  // namespace

std::optional<Wire::Fault> Wire::write(std::string_view bytes, Deadline deadline) {
  const auto buffer = asio::buffer(bytes);
  const auto moved = inside_->within(deadline, [&](auto done) {
    if (inside_->tls) asio::async_write(*inside_->tls, buffer, done);
    else asio::async_write(inside_->socket, buffer, done);
  });
  if (!moved.error) return std::nullopt;
  return fault_of(moved.error);
}

std::expected<std::size_t, Wire::Fault> Wire::read_some(std::span<char> into, Deadline deadline) {
  const auto buffer = asio::buffer(into.data(), into.size());
  const auto moved = inside_->within(deadline, [&](auto done) {
    if (inside_->tls) inside_->tls->async_read_some(buffer, done);
    else inside_->socket.async_read_some(buffer, done);
  });
  if (!moved.error) return moved.count;
  if (moved.error == asio::error::eof) return std::size_t{0};
  return std::unexpected(fault_of(moved.error));
}

std::optional<HttpFailure> check_ca_file(const std::string& ca_file) {
  if (ca_file.empty()) return std::nullopt;
  asio::ssl::context context(asio::ssl::context::tls_client);
  if (const auto wrong = make_strict(context.native_handle(), ca_file))
    return ca_file_failure(ca_file, *wrong);
  return std::nullopt;
}

}  // namespace aclmend::net
