// Files, at the rim: read whole (plain, gzip, zstd), written atomically with tight modes.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/source.h"

namespace aclmend {

inline constexpr std::size_t largest_file = std::size_t{1} << 30;  // 1 GiB, after decompression too

// Reads a regular file or a pipe ("-" is standard input). gzip and zstd are recognised by their first bytes.
// Fails for a directory, a device, a missing or unreadable file, a broken archive, more than `largest_file`.
Result<SourcePtr> read_file(const std::string& path);

// The digest of a regular file's bytes as they lie there, in constant memory.
Result<std::string> file_sha256(const std::string& path);

// Unpacks gzip (RFC 1952), one member or several one behind the other; never more than `largest` bytes are
// kept. What is cut off, or goes on with something else, is damaged.
enum class GzipFault : std::uint8_t { damaged, too_large };
std::expected<std::string, GzipFault> gunzip(std::string_view packed, std::size_t largest);

// Replaces the file in one step (temporary file beside it, fsync, rename): mode 0600, or for a file that is
// somebody else's to read too, the mode that it had.
enum class Permissions : std::uint8_t { tight, as_they_were };
Result<bool> write_file(const std::string& path, std::string_view text,
                        Permissions permissions = Permissions::tight);

// Makes an empty file where none is there yet, mode 0600; one that is there is left as it is.
Result<bool> make_file(const std::string& path);

// Makes the folder, and those above it, where they are not there yet; mode 0700.
Result<bool> make_folder(const std::string& path);

}  // namespace aclmend
