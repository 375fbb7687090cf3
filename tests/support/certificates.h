// Certificates made when a test needs them: authorities, and what they sign, good or bad in every way a
// server's can be. Keys are P-256, made in a millisecond, unless RSA is asked for.
#pragma once
#include <chrono>
#include <string>
#include <vector>

namespace aclmend::test {

struct Certificate {
  std::string pem;    // its own certificate alone
  std::string key;    // PEM
  std::string chain;  // what a server sends behind its own: PEM, may be empty
};

struct CertificateWish {
  std::string name = "mail.example.com";    // common name
  std::vector<std::string> alternatives{};  // "mail.example.com", "127.0.0.1"; empty: the name alone
  std::chrono::sys_seconds from = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);
  std::chrono::sys_seconds until = std::chrono::sys_days(std::chrono::year(2099) / 1 / 1);
  bool is_authority = false;
  int rsa_bits = 0;  // 0: P-256
};

// An authority that signs itself.
Certificate make_authority(const std::string& name);

Certificate make_self_signed(const CertificateWish& wish);

// Signed by the issuer. Where that is no root (it has a chain itself), the chain holds it and what it has.
Certificate make_certificate(const CertificateWish& wish, const Certificate& issuer);

// An authority below another: what it signs has it in its chain.
Certificate make_intermediate(const std::string& name, const Certificate& issuer);

}  // namespace aclmend::test
