// One TCP connection with TLS on top where it is asked for: each operation is waited for, and is over by its
// deadline. After a failure the wire is of no use any more. Asio stands behind it, and nowhere else.
#pragma once
#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/deadline.h"
#include "net/http.h"
#include "net/url.h"
#include "sets/address.h"

namespace aclmend::net {

class Wire {
 public:
  Wire();
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // The first address that accepts; each of those still to try gets its share of the time. `peer` is for
  // words.
  std::optional<HttpFailure> connect(std::span<const Address> addresses, std::uint16_t port,
                                     const std::string& peer, Deadline deadline);

  // Verified for the URL's host.
  std::optional<HttpFailure> start_tls(const Url& url, const std::string& ca_file, Deadline deadline);

  struct Fault {
    enum class Kind : std::uint8_t {
      timed_out,
      cut,
      failed
    };  // cut: the other side is gone without a good-bye
    Kind kind;
    std::string words;
  };
  std::optional<Fault> write(std::string_view bytes, Deadline deadline);
  std::expected<std::size_t, Fault> read_some(std::span<char> into, Deadline deadline);  // 0: properly ended

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

// Fails where a CA file cannot be used, before anything is sent.
std::optional<HttpFailure> check_ca_file(const std::string& ca_file);

}  // namespace aclmend::net
