// A text of any size, line by line, in constant memory: plain, gzip or zstd; UTF-8 or UTF-16, by its first
// bytes. Logs are cut where somebody cut them: a missing end is told and never an error.
#pragma once
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace aclmend {

struct TextLine {
  std::string_view text;     // without its line end; good until the next call
  std::uint64_t number = 0;  // 1-based; of a piece of several lines, the first one's
};

class Lines {
 public:
  static constexpr std::size_t longest = 64 << 10;  // a longer line is counted and skipped

  // A file or a pipe; "-" is standard input. Fails for a directory, a device, what cannot be opened or read.
  static Result<Lines> open(const std::string& path);
  // A text that is at hand, such as one that was pasted; packed or UTF-16 as a file may be.
  static Lines over(std::string name, std::string text);

  // What stands at the beginning, at most one block; nothing is taken.
  std::string_view head();
  std::optional<TextLine> next();
  // The text through the next `ending`, in place of a line: for XML, whose elements need no line end.
  std::optional<TextLine> next_through(std::string_view ending);

  const std::string& name() const { return name_; }
  std::optional<std::int64_t> modified() const { return modified_; }  // of a file: micros since 1970, UTC
  std::uint64_t bytes() const { return bytes_; }                      // unpacked, so far
  std::uint64_t lines() const { return number_ + (is_within_line_ ? 1 : 0); }  // begun, so far
  std::uint64_t overlong() const { return overlong_; }
  std::string_view encoding() const { return encoding_; }  // "", "gzip", "zstd", "UTF-16", "gzip, UTF-16"
  // Why what follows could not be read: "gzip: cut off"; empty: the end is the end.
  const std::string& trouble() const { return trouble_; }

 private:
  // Fills the room, returns how much; 0 is the end.
  using Feed = std::function<Result<std::size_t>(std::span<char>)>;
  Lines(std::string name, Feed feed);
  bool refill();  // false: nothing more
  void skip_overlong(std::string_view ending);

  static constexpr std::size_t block = 256 << 10;
  std::string name_;
  Feed feed_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::uint64_t number_ = 0, bytes_ = 0, overlong_ = 0;
  bool at_end_ = false, is_within_line_ = false;  // within: the last piece ended before its line did
  std::optional<std::int64_t> modified_;
  std::string encoding_, trouble_;
};

}  // namespace aclmend
