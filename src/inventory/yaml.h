// YAML as a plain tree with places, and nothing more of it than people write by hand: no anchors, no aliases,
// no tags, one document. The only file that knows yaml-cpp is yaml.cc; its exceptions end there.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/source.h"
#include "inventory/result.h"

namespace aclmend::inventory::yaml {

inline constexpr std::size_t largest_text = std::size_t{4} << 20;
inline constexpr std::size_t deepest = 64;  // lists and maps inside one another

struct At {
  std::uint32_t line = 0;    // 1-based
  std::uint32_t column = 0;  // 1-based, in bytes
};

struct Value {
  enum class Kind : std::uint8_t { nothing, scalar, list, map };
  Kind kind = Kind::nothing;
  bool is_quoted = false;
  std::string text{};  // of a scalar, as it was written: 2025120100 and 2027-01-31 stay text
  At at{};
  std::string key{};  // where it stands in a map
  At key_at{};
  std::vector<Value> items{};  // of a list or map, in order
};

// Fails with everything that is wrong: not UTF-8, control characters, too large, too deep, not YAML, a key
// given twice, an anchor, an alias, a tag, a second document. An empty text is Kind::nothing.
Checked<Value> parse(const Source& source);

const Value* find(const Value& map, std::string_view key);

}  // namespace aclmend::inventory::yaml
