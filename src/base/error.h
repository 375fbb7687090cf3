// "Could not do it": a usage error, an unreadable file, a failed network call. Never a finding about a
// firewall (that is a result) and never a remark on one line of an input (that is a Diagnostic).
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace aclmend {

struct Error {
  std::string message;       // one sentence, no trailing full stop
  std::string file;          // empty: not about a file
  std::uint32_t line = 0;    // 1-based; 0: not about a line
  std::uint32_t column = 0;  // 1-based, in bytes
  std::string hint{};        // what to do about it, where there is something; lines end at LF
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(std::string message) {
  return std::unexpected(Error{.message = std::move(message), .file = {}});
}
inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

// "edge.cfg:42:31: expected …", or the message alone.
std::string to_string(const Error& error);

}  // namespace aclmend

// `TRY(name, expression);` — name is the value of a Result, or the function returns its Error.
#define ACLMEND_TRY_JOIN2(a, b) a##b
#define ACLMEND_TRY_JOIN(a, b) ACLMEND_TRY_JOIN2(a, b)
#define TRY(name, ...)                                                                  \
  auto ACLMEND_TRY_JOIN(try_result_, __LINE__) = (__VA_ARGS__);                         \
  if (!ACLMEND_TRY_JOIN(try_result_, __LINE__))                                         \
    return std::unexpected(std::move(ACLMEND_TRY_JOIN(try_result_, __LINE__)).error()); \
  auto name = std::move(*ACLMEND_TRY_JOIN(try_result_, __LINE__))
