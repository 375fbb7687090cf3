// Authorities and certificates for mail.lab.test, made when the first test asks for them, and gone with the
// process. Keys are of the elliptic kind: quick to make.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "tests/support/smtp_server.h"

namespace aclmend::test {

struct LeafOptions {
  std::vector<std::string> names{"mail.lab.test"};
  std::chrono::hours begins{-24}, ends{90 * 24 + 12};  // from now
  int rsa_bits = 0;                                    // 0: EC P-256
  bool is_for_clients = false;                         // its extended key usage
};

class Lab {
 public:
  static const Lab& the();

  const std::string& root() const { return root_; }  // PEM, what the prober trusts

  Identity good() const { return leaf({}); }
  // Issued by the intermediate authority; the chain holds both.
  Identity leaf(const LeafOptions& options) const;
  Identity without_intermediate() const;
  Identity untrusted() const;  // of another root, which is sent along
  Identity self_signed() const;

 private:
  Lab();
  struct Authority;
  std::string root_, intermediate_, intermediate_key_, other_root_, other_key_;
};

}  // namespace aclmend::test
