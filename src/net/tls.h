// What the client asks of TLS, and OpenSSL's troubles in words. OpenSSL's own types stand here as names
// alone.
#pragma once
#include <optional>
#include <string>

#include "net/url.h"

struct ssl_ctx_st;
struct ssl_st;
struct x509_store_ctx_st;

namespace aclmend::net {

// TLS 1.2 at least; trusts the certificates of the file, or the system's where it is empty. What is wrong
// with the file, if anything.
std::optional<std::string> make_strict(ssl_ctx_st* context, const std::string& ca_file);

// Asks for this host (SNI) and accepts a certificate for no other. False: that could not be set, so no
// handshake.
[[nodiscard]] bool expect_host(ssl_st* session, const Url& url);

struct TlsFault {
  std::string message;
  std::string hint;
};

// Why the certificate that is being verified is refused; to be called where OpenSSL asks, while it stands.
TlsFault certificate_fault(x509_store_ctx_st* verification, const Url& url);

// What an error code of OpenSSL in a handshake with `peer` means.
TlsFault handshake_fault(unsigned long code, const std::string& peer);

}  // namespace aclmend::net
