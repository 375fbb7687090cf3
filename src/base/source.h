// A file read whole. Readers keep Spans (byte offsets) into it; line and column are worked out when a
// report needs them. A Source never moves or changes, so string_views into it live as long as it does.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aclmend {

// A half-open range of bytes in one of the sources of a reading (`source` is the index there).
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint16_t source = 0;
  bool operator==(const Span&) const = default;
};

struct Position {
  std::uint32_t line = 0;    // 1-based, lines end at LF
  std::uint32_t column = 0;  // 1-based, in bytes
};

class Source {
 public:
  // `name` is what reports print: the path as it was given, never made absolute.
  Source(std::string name, std::string_view text);
  // `packed_sha256` is the digest of the file on disk where that is not the text itself (gzip, zstd).
  Source(std::string name, std::unique_ptr<const char[]> bytes, std::size_t size,
         std::string packed_sha256 = {});
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  const std::string& name() const { return name_; }
  std::string_view text() const { return {bytes_.get(), size_}; }
  std::string_view text(Span span) const { return text().substr(span.begin, span.end - span.begin); }
  // The whole line around an offset, without its line end (LF or CRLF).
  std::string_view line_at(std::uint32_t offset) const;
  Position position(std::uint32_t offset) const;
  std::string sha256() const;  // of the file's bytes, as sha256sum prints it; computed at each call
  std::uint32_t line_count() const { return line_count_; }  // a last line without LF counts

 private:
  void index_lines();

  std::string name_;
  std::unique_ptr<const char[]> bytes_;
  std::size_t size_;
  std::string packed_sha256_;
  std::uint32_t line_count_ = 0;
  std::vector<std::uint32_t> lines_before_block_;  // LFs before each block of the text
};

using SourcePtr = std::shared_ptr<const Source>;

}  // namespace aclmend
