// Addresses and prefixes: whatever is read is printed in a form that reads back as the same value, and
// printing it again gives the same text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sets/address.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  if (const auto address = aclmend::parse_address(text)) {
    if (aclmend::parse_address(to_string(*address)) != address) __builtin_trap();
  }
  if (const auto prefix = aclmend::parse_prefix(text)) {
    if (aclmend::parse_prefix(to_string(*prefix)) != prefix) __builtin_trap();
    if (aclmend::parse_prefix(host_bare(*prefix)) != prefix) __builtin_trap();
    if (!prefix->contains(prefix->first()) || !prefix->contains(prefix->last())) __builtin_trap();
  }
  return 0;
}
