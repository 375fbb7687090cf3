#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <system_error>
#include <thread>

#include "base/digest.h"

namespace aclmend {
namespace {

std::string words_for(int error) { return std::generic_category().message(error); }

Error file_error(const std::string& path, std::string message) {
  return {.message = std::move(message), .file = path};
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ > STDERR_FILENO) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// A growing buffer whose bytes are never initialised first: a 100 MB configuration is touched once.
class Buffer {
 public:
  explicit Buffer(std::size_t capacity) { grow_to(capacity); }
  char* room() { return bytes_.get() + size_; }
  std::size_t room_size() const { return capacity_ - size_; }
  void add(std::size_t count) { size_ += count; }
  std::size_t size() const { return size_; }
  std::string_view text() const { return {bytes_.get(), size_}; }
  void grow() { grow_to(std::max<std::size_t>(capacity_ * 2, 1 << 16)); }
  std::unique_ptr<const char[]> take() { return std::move(bytes_); }

 private:
  void grow_to(std::size_t capacity) {
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ != 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

std::string too_large() { return fmt::format("larger than {} MiB", largest_file >> 20); }

// Whether so many bytes are there, from an offset on.
bool read_at(int fd, char* to, std::size_t size, std::size_t offset) {
  while (size > 0) {
    const ssize_t got = ::pread(fd, to, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
    offset += static_cast<std::size_t>(got);
  }
  return true;
}

// By two threads, half each: most of the time goes into memory that nobody used before. False: nothing is
// read, and reading goes on from the beginning.
bool read_halves(int fd, Buffer& buffer, std::size_t size) {
  constexpr std::size_t worth_it = std::size_t{16} << 20, page = 4096;
  if (size < worth_it || std::thread::hardware_concurrency() < 2) return false;
  const std::size_t half = size / 2 / page * page;
  bool is_there = false, is_rest_there = false;
  try {
    const std::jthread other([&] { is_rest_there = read_at(fd, buffer.room() + half, size - half, half); });
    is_there = read_at(fd, buffer.room(), half, 0);
  } catch (const std::system_error&) {
    return false;  // no thread to be had
  }
  if (!is_there || !is_rest_there || ::lseek(fd, static_cast<off_t>(size), SEEK_SET) < 0) return false;
  buffer.add(size);
  return true;
}

// Of a file that is `expected` long; else of whatever comes.
enum class Kind : std::uint8_t { file, stream };

Result<Buffer> read_all(int fd, const std::string& path, std::size_t expected, Kind kind) {
  Buffer buffer(expected + 1);  // one more, so that the end is seen without growing
  if (kind == Kind::file) read_halves(fd, buffer, expected);
  while (true) {
    if (buffer.room_size() == 0) buffer.grow();
    const ssize_t got = ::read(fd, buffer.room(), buffer.room_size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(file_error(path, fmt::format("cannot be read: {}", words_for(errno))));
    if (got == 0) return buffer;
    buffer.add(static_cast<std::size_t>(got));
    if (buffer.size() > largest_file) return fail(file_error(path, too_large()));
  }
}

std::expected<Buffer, GzipFault> inflated(std::string_view packed, std::size_t largest) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> closer(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  Buffer out(std::min(packed.size() * 4 + 1, largest));
  while (true) {
    if (out.room_size() == 0) out.grow();
    const std::size_t room = out.room_size();
    stream.next_out = reinterpret_cast<Bytef*>(out.room());
    stream.avail_out = static_cast<uInt>(room);
    const int status = inflate(&stream, Z_NO_FLUSH);
    out.add(room - stream.avail_out);
    if (out.size() > largest) return std::unexpected(GzipFault::too_large);
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) return out;
      if (inflateReset(&stream) != Z_OK) return std::unexpected(GzipFault::damaged);  // a next member follows
    } else if (status != Z_OK) {
      return std::unexpected(GzipFault::damaged);
    }
  }
}

Result<Buffer> unpacked_gzip(std::string_view packed, const std::string& path) {
  auto out = inflated(packed, largest_file);
  if (out) return std::move(*out);
  return fail(file_error(path, out.error() == GzipFault::too_large
                                   ? "gzip: unpacks to more than that: " + too_large()
                                   : "gzip: damaged or cut off"));
}

Result<Buffer> unzstd(std::string_view packed, const std::string& path) {
  const std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                             ZSTD_freeDStream);
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  Buffer out(std::min(packed.size() * 4 + 1, largest_file));
  std::size_t status = 1;
  while (in.pos < in.size || status != 0) {
    if (out.room_size() == 0) out.grow();
    ZSTD_outBuffer room{out.room(), out.room_size(), 0};
    const std::size_t consumed = in.pos;
    status = ZSTD_decompressStream(stream.get(), &room, &in);
    if (ZSTD_isError(status) != 0) return fail(file_error(path, "zstd: damaged"));
    out.add(room.pos);
    if (out.size() > largest_file)
      return fail(file_error(path, "zstd: unpacks to more than that: " + too_large()));
    if (in.pos == consumed && room.pos == 0) return fail(file_error(path, "zstd: cut off"));
  }
  return out;
}

}  // namespace

Result<SourcePtr> read_file(const std::string& path) {
  const bool standard_input = path == "-";
  const Descriptor fd(standard_input ? STDIN_FILENO
                                     : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return fail(file_error(path, fmt::format("cannot be opened: {}", words_for(errno))));
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0)
    return fail(file_error(path, fmt::format("cannot be read: {}", words_for(errno))));
  if (S_ISDIR(status.st_mode)) return fail(file_error(path, "is a directory, not an exported configuration"));
  if (!standard_input && !S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
    return fail(file_error(path, "is neither a file nor a pipe"));
  if (!standard_input && ::fcntl(fd.get(), F_SETFL, 0) != 0)  // O_NONBLOCK was for the open alone
    return fail(file_error(path, fmt::format("cannot be read: {}", words_for(errno))));
  const auto size = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
  if (size > largest_file) return fail(file_error(path, too_large()));
  const bool is_file = !standard_input && S_ISREG(status.st_mode);
  TRY(buffer, read_all(fd.get(), path, size, is_file ? Kind::file : Kind::stream));
  const std::string name = standard_input ? "standard input" : path;
  const bool is_gzip = buffer.text().starts_with("\x1f\x8b");
  const bool is_zstd = buffer.text().starts_with("\x28\xb5\x2f\xfd");
  std::string packed_sha256;
  if (is_gzip || is_zstd) {
    packed_sha256 = sha256_hex(buffer.text());
    TRY(unpacked, is_gzip ? unpacked_gzip(buffer.text(), path) : unzstd(buffer.text(), path));
    buffer = std::move(unpacked);
  }
  const std::size_t text_size = buffer.size();
  return std::make_shared<const Source>(name, buffer.take(), text_size, std::move(packed_sha256));
}

Result<std::string> file_sha256(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return fail(file_error(path, fmt::format("cannot be opened: {}", words_for(errno))));
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return fail(file_error(path, "is no file"));
  std::string piece(1 << 18, '\0');
  ssize_t got = 0;
  std::string digest = sha256_hex([&]() -> std::string_view {
    do got = ::read(fd.get(), piece.data(), piece.size());
    while (got < 0 && errno == EINTR);
    return got > 0 ? std::string_view(piece).substr(0, static_cast<std::size_t>(got)) : std::string_view();
  });
  if (got < 0) return fail(file_error(path, fmt::format("cannot be read: {}", words_for(errno))));
  return digest;
}

std::expected<std::string, GzipFault> gunzip(std::string_view packed, std::size_t largest) {
  if (packed.size() > largest_file) return std::unexpected(GzipFault::too_large);
  const auto out = inflated(packed, largest);
  if (!out) return std::unexpected(out.error());
  return std::string(out->text());
}

Result<bool> write_file(const std::string& path, std::string_view text, Permissions permissions) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
  if (fd.get() < 0) return fail(file_error(path, fmt::format("cannot be written: {}", words_for(errno))));
  const auto give_up = [&](int error) {
    ::unlink(temporary.c_str());
    return fail(file_error(path, fmt::format("cannot be written: {}", words_for(error))));
  };
  struct stat status{};
  if (permissions == Permissions::as_they_were && ::stat(path.c_str(), &status) == 0 &&
      ::fchmod(fd.get(), status.st_mode & 0777U) != 0)
    return give_up(errno);
  while (!text.empty()) {
    const ssize_t put = ::write(fd.get(), text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return give_up(errno);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fsync(fd.get()) != 0) return give_up(errno);
  if (::rename(temporary.c_str(), path.c_str()) != 0) return give_up(errno);
  return true;
}

Result<bool> make_file(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600));
  if (fd.get() < 0) return fail(file_error(path, fmt::format("cannot be made: {}", words_for(errno))));
  return true;
}

Result<bool> make_folder(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    if (::mkdir(path.substr(0, slash).c_str(), 0700) != 0 && errno != EEXIST)
      return fail(file_error(path, fmt::format("cannot be made: {}", words_for(errno))));
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(file_error(path, fmt::format("cannot be made: {}", words_for(errno))));
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
    return fail(file_error(path, "is no folder"));
  return true;
}

}  // namespace aclmend
