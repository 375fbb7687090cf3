// SHA-256 (FIPS 180-4), the hash that reports name inputs and findings by.
#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace aclmend {

std::string sha256_hex(std::string_view bytes);  // 64 lower-case hexadecimal digits
// Of what comes in pieces; an empty one is the end.
std::string sha256_hex(const std::function<std::string_view()>& next_piece);

}  // namespace aclmend
