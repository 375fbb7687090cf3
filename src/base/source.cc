#include "base/source.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <limits>
#include <numeric>

#include "base/digest.h"

namespace aclmend {
namespace {

constexpr std::size_t block_size = 1 << 16;

// In rows of bytes whose counts are kept in bytes, so that the compiler counts a whole row at once; a byte
// holds 255.
std::uint32_t count_newlines(std::string_view text) {
  constexpr std::size_t row_size = 64, most_rows = 255;
  std::uint32_t count = 0;
  while (text.size() >= row_size) {
    std::array<std::uint8_t, row_size> counts{};
    const std::size_t rows = std::min(text.size() / row_size, most_rows);
    for (const char* row = text.data(); row != text.data() + rows * row_size; row += row_size)
      for (std::size_t i = 0; i < row_size; ++i)
        counts[i] = static_cast<std::uint8_t>(counts[i] + (row[i] == '\n' ? 1 : 0));
    count = std::accumulate(counts.begin(), counts.end(), count);
    text.remove_prefix(rows * row_size);
  }
  return count + static_cast<std::uint32_t>(std::ranges::count(text, '\n'));
}

std::unique_ptr<const char[]> copy_of(std::string_view text) {
  auto bytes = std::make_unique_for_overwrite<char[]>(text.size());
  std::memcpy(bytes.get(), text.data(), text.size());
  return bytes;
}

}  // namespace

Source::Source(std::string name, std::string_view text)
    : Source(std::move(name), copy_of(text), text.size()) {}

Source::Source(std::string name, std::unique_ptr<const char[]> bytes, std::size_t size,
               std::string packed_sha256)
    : name_(std::move(name)),
      bytes_(std::move(bytes)),
      size_(size),
      packed_sha256_(std::move(packed_sha256)) {
  assert(size <= std::numeric_limits<std::uint32_t>::max());
  index_lines();
}

void Source::index_lines() {
  const std::string_view all = text();
  lines_before_block_.reserve(all.size() / block_size + 1);
  std::uint32_t lines = 0;
  for (std::size_t at = 0; at < all.size(); at += block_size) {
    lines_before_block_.push_back(lines);
    lines += count_newlines(all.substr(at, block_size));
  }
  line_count_ = lines + (!all.empty() && all.back() != '\n' ? 1 : 0);
}

std::string Source::sha256() const { return packed_sha256_.empty() ? sha256_hex(text()) : packed_sha256_; }

std::string_view Source::line_at(std::uint32_t offset) const {
  const std::string_view all = text();
  if (all.empty()) return all;
  const std::size_t at = std::min<std::size_t>(offset, all.size());
  const std::size_t before = at == 0 ? std::string_view::npos : all.rfind('\n', at - 1);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  const std::size_t end = std::min(all.find('\n', at), all.size());
  std::string_view line = all.substr(begin, end - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Position Source::position(std::uint32_t offset) const {
  const std::string_view all = text();
  if (all.empty()) return {1, 1};
  const std::size_t at = std::min<std::size_t>(offset, all.size());
  const std::size_t block = std::min(at / block_size, lines_before_block_.size() - 1);
  const std::size_t block_begin = block * block_size;
  const std::uint32_t line =
      lines_before_block_[block] + count_newlines(all.substr(block_begin, at - block_begin)) + 1;
  const std::size_t before = at == 0 ? std::string_view::npos : all.rfind('\n', at - 1);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  return {line, static_cast<std::uint32_t>(at - begin + 1)};
}

}  // namespace aclmend
