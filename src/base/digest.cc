// The plain function and not EVP, which loads OpenSSL's configuration and providers first: more than a
// millisecond at the first digest of every run.
#define OPENSSL_API_COMPAT 10100  // the release whose functions are meant
#include "base/digest.h"

#include <openssl/sha.h>

#include <array>

namespace aclmend {

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, bytes.data(), bytes.size());
  SHA256_Final(digest.data(), &state);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) hex.append({digits[byte >> 4], digits[byte & 15]});
  return hex;
}

}  // namespace aclmend
