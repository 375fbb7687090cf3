// A JSON text as a tree whose every value knows its place, for errors with line and column. Bounded: depth,
// number of values, and no key twice in an object. Numbers that are not whole and not negative keep only
// their kind.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/source.h"

namespace aclmend::endpoints {

struct JsonMember;

struct JsonValue {
  enum class Kind : std::uint8_t { null, boolean, whole_number, other_number, text, array, object };
  Kind kind = Kind::null;
  std::uint32_t offset = 0;  // of its first byte
  bool truth = false;
  std::uint64_t number = 0;
  std::string text;
  std::vector<JsonValue> items;
  std::vector<JsonMember> members;

  const JsonValue* find(std::string_view key) const;  // null: no such member
};

struct JsonMember {
  std::string key;
  JsonValue value;
};

Result<JsonValue> parse_json(const Source& source);
Error error_at(const Source& source, std::uint32_t offset, std::string message);
std::string_view to_string(JsonValue::Kind kind);  // "a text", "a list"

}  // namespace aclmend::endpoints
