// What a file may hold, as tables: one Shape for each kind of map, one Key a line, one Form for each kind of
// word. One function checks a tree against them; the published JSON Schemas are tested against the same
// tables. What a table cannot say (this key excludes that one) is checked where the map is read.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "inventory/result.h"
#include "inventory/yaml.h"

namespace aclmend::inventory {

// What one word must look like.
struct Form {
  std::string_view expected;  // completes "expected …"; unused where there are choices
  bool (*accepts)(const yaml::Value& word) = nullptr;
  std::span<const std::string_view> choices = {};  // not empty: one of these
};

enum class Need : std::uint8_t { required, optional };
enum class Holds : std::uint8_t {
  word,   // one
  words,  // a list of words, at least one; a single word stands for a list of itself
  steps,  // a list whose items are words or lists of words
  map,
  maps,  // a list of maps
};

struct Shape;
struct Key {
  std::string_view name;
  Need need = Need::optional;
  Holds holds = Holds::word;
  const Form* form = nullptr;    // of a word or words
  const Shape* shape = nullptr;  // of a map or maps
};

struct Shape {
  std::string_view what;  // "a device"
  std::span<const Key> keys;
};

// Everything in which a tree differs from its shape, in the order of the file; empty: nothing.
Errors check(const yaml::Value& value, const Shape& shape, const std::string& file);

// ---- forms that both files use ------------------------------------------------------------------------

namespace forms {
extern const Form text;     // one line without control characters, not empty
extern const Form prose;    // may have several lines
extern const Form boolean;  // true, false
extern const Form port;     // 1 to 65535
extern const Form name;     // lower-case letters, digits, hyphens
extern const Form code;     // ACM023
}  // namespace forms

// ---- reading a map that has been checked --------------------------------------------------------------

std::string text_of(const yaml::Value& map, std::string_view key);  // "" where it is not given
std::vector<std::string> texts_of(const yaml::Value& map, std::string_view key);
std::vector<std::string> texts_of(const yaml::Value& words);  // a word or a list of words
Place place_of(const yaml::Value& value, const std::string& file);
Error error_at(const yaml::Value& value, const std::string& file, std::string message);

}  // namespace aclmend::inventory
