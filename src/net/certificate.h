// Certificates as a server sends them: what they say, and everything that is wrong with them. Judged after
// the handshake, with the time passed in, so that all faults are told and not just the first.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sets/address.h"

namespace aclmend::net {

struct Certificate {
  std::string der;
  std::string subject,
      issuer;          // as Exchange's TlsCertificateName writes them: "CN=mail.contoso.com, O=Contoso"
  std::string serial;  // upper-case hexadecimal
  std::vector<std::string> names;  // DNS names and addresses it is for; the common name where it has none
  std::chrono::sys_seconds not_before{}, not_after{};
  std::string key;                     // "RSA 2048", "EC P-256"
  std::string signature;               // "RSA-SHA256"
  std::string sha1, sha256, sha512;    // of the whole, upper-case hexadecimal: the thumbprints
  std::string key_sha256, key_sha512;  // of the SubjectPublicKeyInfo
  std::string key_der;                 // the SubjectPublicKeyInfo itself
  bool is_self_signed = false;
};

Result<Certificate> read_certificate(std::string_view der);

// `<I>issuer<S>subject`, the value of TlsCertificateName on an Exchange connector.
std::string exchange_name(const Certificate& certificate);

// The certificate is for this host name (RFC 6125: one whole left-most label may be `*`) or literal address.
bool is_for(const Certificate& certificate, std::string_view name);

struct Fault {
  enum class Kind : std::uint8_t {
    expired,
    not_yet_valid,
    self_signed,     // the server's own certificate is its own issuer
    issuer_missing,  // the issuer is neither sent nor trusted here
    untrusted,       // the chain ends in a root that is not trusted here
    weak,            // key or signature
    wrong_purpose,   // not for servers
    other,
  };
  Kind kind = Kind::other;
  std::string text;  // one clause
  int depth = 0;     // 0: the server's own certificate
};

// The authorities that are believed: those of a PEM file, or the system's.
class Trust {
 public:
  static Result<Trust> of(const std::string& ca_file);  // "": the system's
  bool is_empty() const { return is_empty_; }           // the system has none: no chain can be judged

  // Faults of the chain as sent, the server's own certificate first. The name is asked by is_for.
  std::vector<Fault> faults(std::span<const Certificate> chain, std::chrono::sys_seconds now) const;

 private:
  std::shared_ptr<void> store_;
  bool is_empty_ = false;
};

}  // namespace aclmend::net
