// Any bytes, packed or not, in UTF-16 or not: lines are numbered one after another and never longer than the
// limit; a reading by pieces sees the same line ends.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/lines.h"

using namespace aclmend;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  constexpr std::uint64_t most = 1 << 26;  // what a small packed text may unpack to, here
  Lines lines = Lines::over("fuzz", text);
  std::uint64_t last = 0;
  while (const auto line = lines.next()) {
    if (line->number <= last || line->text.size() > Lines::longest) __builtin_trap();
    if (line->text.find('\n') != std::string_view::npos) __builtin_trap();
    last = line->number;
    if (lines.bytes() > most) return 0;
  }
  Lines pieces = Lines::over("fuzz", text);
  while (const auto piece = pieces.next_through("ab"))
    if (piece->text.empty() || piece->text.size() > Lines::longest + 2) __builtin_trap();
  if (lines.trouble() != pieces.trouble() || lines.bytes() != pieces.bytes()) __builtin_trap();
  return 0;
}
