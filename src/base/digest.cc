// The plain function and not EVP, which loads OpenSSL's configuration and providers first: more than a
// millisecond at the first digest of every run.
#define OPENSSL_API_COMPAT 10100  // the release whose functions are meant
#include "base/digest.h"

#include <openssl/sha.h>

#include <array>
#include <utility>

namespace aclmend {

std::string sha256_hex(std::string_view bytes) {
  return sha256_hex([&] { return std::exchange(bytes, {}); });
}

std::string sha256_hex(const std::function<std::string_view()>& next_piece) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256_CTX state;
  SHA256_Init(&state);
  for (std::string_view piece = next_piece(); !piece.empty(); piece = next_piece())
    SHA256_Update(&state, piece.data(), piece.size());
  SHA256_Final(digest.data(), &state);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) hex.append({digits[byte >> 4], digits[byte & 15]});
  return hex;
}

}  // namespace aclmend
