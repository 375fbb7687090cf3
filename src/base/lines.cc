#include "base/lines.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace aclmend {
namespace {

using Feed = std::function<Result<std::size_t>(std::span<char>)>;

std::string words_for(int error) { return std::generic_category().message(error); }

Feed from_descriptor(int fd) {
  const std::shared_ptr<int> owner(new int(fd), [](int* one) {
    if (*one > STDERR_FILENO) ::close(*one);
    delete one;
  });
  return [owner](std::span<char> room) -> Result<std::size_t> {
    while (true) {
      const ssize_t got = ::read(*owner, room.data(), room.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return fail(fmt::format("cannot be read: {}", words_for(errno)));
    }
  };
}

Feed from_text(std::string text) {
  return [text = std::make_shared<const std::string>(std::move(text)),
          at = std::size_t{0}](std::span<char> room) mutable -> Result<std::size_t> {
    const std::size_t count = std::min(room.size(), text->size() - at);
    std::memcpy(room.data(), text->data() + at, count);
    at += count;
    return count;
  };
}

// The first bytes of a feed, and the feed as if they had not been taken. `trouble` met on the way is told by
// the feed again when they are used up.
struct Opened {
  std::string start;
  Feed feed;
};
Opened opened(Feed feed, std::size_t wanted) {
  std::string start(wanted, '\0');
  std::size_t have = 0;
  std::optional<Error> trouble;
  while (have < wanted) {
    const auto got = feed({start.data() + have, wanted - have});
    if (!got) trouble = got.error();
    if (!got || *got == 0) break;
    have += *got;
  }
  start.resize(have);
  Feed whole = [start, trouble, feed,
                at = std::size_t{0}](std::span<char> room) mutable -> Result<std::size_t> {
    if (at == start.size()) return trouble ? Result<std::size_t>(fail(*trouble)) : feed(room);
    const std::size_t count = std::min(room.size(), start.size() - at);
    std::memcpy(room.data(), start.data() + at, count);
    at += count;
    return count;
  };
  return {std::move(start), std::move(whole)};
}

constexpr std::size_t packed_block = 128 << 10;

struct Packed {
  explicit Packed(Feed source) : feed(std::move(source)), bytes(std::make_unique<char[]>(packed_block)) {}
  // More of the packed bytes; false at their end.
  Result<bool> more() {
    TRY(got, feed({bytes.get(), packed_block}));
    begin = 0;
    end = got;
    return got != 0;
  }
  bool used_up() const { return begin == end; }

  Feed feed;
  std::unique_ptr<char[]> bytes;
  std::size_t begin = 0, end = 0;
};

struct Gunzip {
  explicit Gunzip(Feed feed) : packed(std::move(feed)) { is_ready = inflateInit2(&stream, 15 + 16) == Z_OK; }
  ~Gunzip() { inflateEnd(&stream); }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  Result<std::size_t> read(std::span<char> room) {
    if (!is_ready) return fail("gzip: no memory");
    if (is_damaged) return fail("gzip: damaged");
    while (true) {
      if (packed.used_up()) {
        TRY(is_more, packed.more());
        if (!is_more) return is_between ? Result<std::size_t>(0) : fail("gzip: cut off");
      }
      stream.next_in = reinterpret_cast<Bytef*>(packed.bytes.get() + packed.begin);
      stream.avail_in = static_cast<uInt>(packed.end - packed.begin);
      stream.next_out = reinterpret_cast<Bytef*>(room.data());
      stream.avail_out = static_cast<uInt>(room.size());
      const bool was_between = is_between;
      is_between = false;
      const int status = inflate(&stream, Z_NO_FLUSH);
      packed.begin = packed.end - stream.avail_in;
      const std::size_t made = room.size() - stream.avail_out;
      if (status == Z_STREAM_END) {  // a further member may follow
        is_between = true;
        if (inflateReset(&stream) != Z_OK) return fail("gzip: damaged");
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        // What follows the last member is padding to most programs; gzip itself ignores it.
        if (was_between) return std::size_t{0};
        is_damaged = true;
        if (made == 0) return fail("gzip: damaged");
        return made;  // told at the next call, after what could be unpacked
      }
      if (made > 0) return made;
    }
  }

  Packed packed;
  z_stream stream{};
  bool is_ready = false, is_damaged = false;
  bool is_between = false;  // at the end of a member
};

struct Unzstd {
  explicit Unzstd(Feed feed) : packed(std::move(feed)), stream(ZSTD_createDStream(), ZSTD_freeDStream) {
    // A frame may ask for a window up to this: a bound on memory, not on the file.
    if (stream) ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, 27);
  }

  Result<std::size_t> read(std::span<char> room) {
    if (!stream) return fail("zstd: no memory");
    ZSTD_outBuffer out{room.data(), room.size(), 0};
    while (true) {
      ZSTD_inBuffer in{packed.bytes.get(), packed.end, packed.begin};
      const std::size_t status = ZSTD_decompressStream(stream.get(), &out, &in);
      const bool took = in.pos != packed.begin;
      packed.begin = in.pos;
      if (ZSTD_isError(status) != 0) return fail("zstd: damaged");
      if (took || out.pos > 0 || status == 0) is_between = status == 0;
      if (out.pos > 0) return out.pos;
      if (took) continue;
      if (!packed.used_up()) return fail("zstd: damaged");
      TRY(is_more, packed.more());
      if (!is_more) return is_between ? Result<std::size_t>(0) : fail("zstd: cut off");
    }
  }

  Packed packed;
  std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream;
  bool is_between = false;
};

template <class Unpacker>
Feed unpacked(Feed packed) {
  return [unpacker = std::make_shared<Unpacker>(std::move(packed))](std::span<char> room) {
    return unpacker->read(room);
  };
}

enum class Order : std::uint8_t { little, big };

// UTF-16 to UTF-8. A half of a pair that stands alone becomes U+FFFD, as does a last odd byte.
struct FromUtf16 {
  FromUtf16(Feed source, Order which) : packed(std::move(source)), order(which) {}

  Result<std::size_t> read(std::span<char> room) {
    std::size_t made = 0;
    while (made + 8 <= room.size()) {  // two characters of at most four bytes at once
      const std::optional<unsigned char> first = byte();
      if (!first) break;
      const std::optional<unsigned char> second = byte();
      if (!second) {
        made += put(room.data() + made, 0xFFFD);
        break;
      }
      const unsigned a = *first, b = *second;
      const unsigned unit = order == Order::little ? a | b << 8 : b | a << 8;
      made += take(room.data() + made, unit);
    }
    if (made == 0 && trouble) return fail(*trouble);
    if (made == 0 && high != 0) made = put(room.data(), 0xFFFD), high = 0;
    return made;
  }

 private:
  std::optional<unsigned char> byte() {
    if (packed.used_up()) {
      if (is_done) return std::nullopt;
      const auto is_more = packed.more();
      if (!is_more) trouble = is_more.error();
      if (!is_more || !*is_more) {
        is_done = true;
        return std::nullopt;
      }
    }
    return static_cast<unsigned char>(packed.bytes[packed.begin++]);
  }
  std::size_t take(char* to, unsigned unit) {
    std::size_t made = 0;
    const bool is_high = unit >= 0xD800 && unit < 0xDC00, is_low = unit >= 0xDC00 && unit < 0xE000;
    if (high != 0 && is_low) {
      made = put(to, 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
      high = 0;
      return made;
    }
    if (high != 0) made = put(to, 0xFFFD);
    high = is_high ? unit : 0;
    if (is_high) return made;
    return made + put(to + made, is_low ? 0xFFFD : unit);
  }
  static std::size_t put(char* to, unsigned point) {
    const auto byte = [](unsigned value) { return static_cast<char>(value); };
    if (point < 0x80) return to[0] = byte(point), 1;
    if (point < 0x800) return to[0] = byte(0xC0 | point >> 6), to[1] = byte(0x80 | (point & 63)), 2;
    if (point < 0x10000)
      return to[0] = byte(0xE0 | point >> 12), to[1] = byte(0x80 | (point >> 6 & 63)),
             to[2] = byte(0x80 | (point & 63)), 3;
    return to[0] = byte(0xF0 | point >> 18), to[1] = byte(0x80 | (point >> 12 & 63)),
           to[2] = byte(0x80 | (point >> 6 & 63)), to[3] = byte(0x80 | (point & 63)), 4;
  }

  Packed packed;
  Order order;
  unsigned high = 0;  // the first half of a pair
  bool is_done = false;
  std::optional<Error> trouble;
};

Feed from_utf16(Feed feed, Order order) {
  return [state = std::make_shared<FromUtf16>(std::move(feed), order)](std::span<char> room) {
    return state->read(room);
  };
}

// Without a byte order mark: text in which every other byte is NUL.
std::optional<Order> utf16_order(std::string_view start) {
  if (start.starts_with("\xff\xfe")) return Order::little;
  if (start.starts_with("\xfe\xff")) return Order::big;
  if (start.size() < 8) return std::nullopt;
  bool is_little = true, is_big = true;
  for (std::size_t i = 0; i + 1 < start.size(); i += 2) {
    is_little &= start[i] != '\0' && start[i + 1] == '\0';
    is_big &= start[i] == '\0' && start[i + 1] != '\0';
  }
  if (is_little) return Order::little;
  return is_big ? std::optional(Order::big) : std::nullopt;
}

Feed without_first(Feed feed, std::size_t count) {
  return [feed = std::move(feed), count](std::span<char> room) mutable -> Result<std::size_t> {
    while (count > 0) {
      TRY(got, feed(room.first(std::min(count, room.size()))));
      if (got == 0) return std::size_t{0};
      count -= got;
    }
    return feed(room);
  };
}

}  // namespace

Lines::Lines(std::string name, Feed feed)
    : name_(std::move(name)), buffer_(std::make_unique_for_overwrite<char[]>(block)) {
  Opened packed = opened(std::move(feed), 4);
  if (packed.start.starts_with("\x1f\x8b")) {
    packed.feed = unpacked<Gunzip>(std::move(packed.feed));
    encoding_ = "gzip";
  } else if (packed.start.starts_with("\x28\xb5\x2f\xfd")) {
    packed.feed = unpacked<Unzstd>(std::move(packed.feed));
    encoding_ = "zstd";
  }
  Opened text = opened(std::move(packed.feed), 64);
  const auto order = utf16_order(text.start);
  const bool is_marked = text.start.starts_with("\xff\xfe") || text.start.starts_with("\xfe\xff");
  if (is_marked) text.feed = without_first(std::move(text.feed), 2);
  else if (text.start.starts_with("\xef\xbb\xbf")) text.feed = without_first(std::move(text.feed), 3);
  if (order) {
    text.feed = from_utf16(std::move(text.feed), *order);
    encoding_ += encoding_.empty() ? "UTF-16" : ", UTF-16";
  }
  feed_ = std::move(text.feed);
}

Result<Lines> Lines::open(const std::string& path) {
  const bool is_standard_input = path == "-";
  const auto about = [&](std::string message) {
    return fail(Error{.message = std::move(message), .file = path});
  };
  const int fd = is_standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return about(fmt::format("cannot be opened: {}", words_for(errno)));
  Feed feed = from_descriptor(fd);
  struct stat status{};
  if (::fstat(fd, &status) != 0) return about(fmt::format("cannot be read: {}", words_for(errno)));
  if (S_ISDIR(status.st_mode)) return about("is a directory, not a log");
  if (!is_standard_input && !S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
    return about("is neither a file nor a pipe");
  if (!is_standard_input && ::fcntl(fd, F_SETFL, 0) != 0)  // O_NONBLOCK was for the open alone
    return about(fmt::format("cannot be read: {}", words_for(errno)));
  Lines lines(is_standard_input ? "standard input" : path, std::move(feed));
  if (S_ISREG(status.st_mode))
    lines.modified_ = status.st_mtim.tv_sec * std::int64_t{1'000'000} + status.st_mtim.tv_nsec / 1000;
  return lines;
}

Lines Lines::over(std::string name, std::string text) {
  return {std::move(name), from_text(std::move(text))};
}

bool Lines::refill() {
  if (at_end_) return false;
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  const auto got = feed_({buffer_.get() + end_, block - end_});
  if (!got) trouble_ = got.error().message;
  if (!got || *got == 0) {
    at_end_ = true;
    return false;
  }
  end_ += *got;
  bytes_ += *got;
  return true;
}

std::string_view Lines::head() {
  while (end_ - begin_ < block / 2 && refill()) {
  }
  return {buffer_.get() + begin_, end_ - begin_};
}

std::optional<TextLine> Lines::next() {
  std::size_t looked_at = 0;
  while (true) {
    const char* from = buffer_.get() + begin_;
    const std::size_t have = end_ - begin_;
    const void* found = std::memchr(from + looked_at, '\n', have - looked_at);
    std::size_t length = found ? static_cast<std::size_t>(static_cast<const char*>(found) - from) : have;
    if (length > longest) {
      skip_overlong("\n");
      looked_at = 0;
      continue;
    }
    if (found != nullptr) {
      begin_ += length + 1;
      if (length > 0 && from[length - 1] == '\r') --length;
      return TextLine{{from, length}, ++number_};
    }
    looked_at = have;
    if (refill()) continue;
    if (end_ == begin_) return std::nullopt;
    from = buffer_.get() + begin_;
    begin_ = end_;
    return TextLine{{from, have}, ++number_};
  }
}

std::optional<TextLine> Lines::next_through(std::string_view ending) {
  while (true) {
    const std::string_view have(buffer_.get() + begin_, end_ - begin_);
    const std::size_t found = have.find(ending);
    if (found == std::string_view::npos ? have.size() > longest : found > longest) {
      skip_overlong(ending);
      continue;
    }
    if (found == std::string_view::npos && refill()) continue;
    const std::string_view now(buffer_.get() + begin_, end_ - begin_);
    if (now.empty()) return std::nullopt;
    const std::string_view text =
        now.substr(0, found == std::string_view::npos ? now.size() : found + ending.size());
    begin_ += text.size();
    is_within_line_ = !text.ends_with('\n');
    const std::size_t blank = std::min(text.find_first_not_of(" \t\r\n"), text.size());
    number_ += static_cast<std::uint64_t>(std::ranges::count(text.substr(0, blank), '\n'));
    const TextLine line{text.substr(blank), number_ + 1};
    number_ += static_cast<std::uint64_t>(std::ranges::count(line.text, '\n'));
    if (line.text.empty()) continue;
    return line;
  }
}

// Drops everything through the next ending; what is kept of a block is less than an ending.
void Lines::skip_overlong(std::string_view ending) {
  ++overlong_;
  while (true) {
    const std::string_view have(buffer_.get() + begin_, end_ - begin_);
    const std::size_t found = have.find(ending);
    const bool is_found = found != std::string_view::npos;
    const std::size_t drop =
        is_found ? found + ending.size() : have.size() - std::min(have.size(), ending.size() - 1);
    number_ += static_cast<std::uint64_t>(std::ranges::count(have.substr(0, drop), '\n'));
    begin_ += drop;
    if (is_found) return;
    if (!refill()) {
      if (begin_ != end_ || ending == "\n") ++number_;  // a last line without its end
      begin_ = end_;
      return;
    }
  }
}

}  // namespace aclmend
