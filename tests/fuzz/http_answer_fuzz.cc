// Answers of a hostile HTTP server: whole or in pieces, the reader says the same, and keeps its bounds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/answer_reader.h"

namespace {

using aclmend::net::AnswerReader;

struct Read {
  bool has_failed = false, is_done = false;
  std::string body;
  bool operator==(const Read&) const = default;
};

Read read(std::string_view bytes, std::size_t part, AnswerReader::Body body) {
  constexpr std::size_t largest_header = 1024;
  AnswerReader reader(largest_header, body);
  Read out;
  for (std::size_t at = 0; at < bytes.size() && !out.has_failed && !reader.is_done(); at += part) {
    out.has_failed = reader.take(bytes.substr(at, part)).has_value();
    if (reader.body().size() > bytes.size()) __builtin_trap();
    if (!out.has_failed && !reader.is_done() && reader.behind().size() > largest_header) __builtin_trap();
  }
  if (!out.has_failed) out.has_failed = reader.end().has_value();
  if (!out.has_failed && !reader.is_done()) __builtin_trap();
  if (!out.has_failed && reader.head() == nullptr) __builtin_trap();
  if (!out.has_failed) out.body = reader.body();
  out.is_done = !out.has_failed;
  return out;
}

}  // namespace

// The first byte is the size of the pieces, and whether a body is wanted.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t part = std::max<std::size_t>(1, bytes[0] / 2U);
  const auto body = bytes[0] % 2 == 0 ? AnswerReader::Body::read : AnswerReader::Body::none;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  if (read(text, part, body) != read(text, 1, body)) __builtin_trap();
  return 0;
}
