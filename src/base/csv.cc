#include "base/csv.h"

#include <algorithm>

namespace aclmend {

bool CsvRow::split(std::string_view text, char between, std::size_t most) {
  fields_.clear();
  unquoted_.clear();
  unquoted_.reserve(text.size());  // what fields point to must not move
  while (fields_.size() < most) {
    if (!text.starts_with('"')) {
      const std::size_t end = std::min(text.find(between), text.size());
      fields_.push_back(text.substr(0, end));
      if (end == text.size()) return true;
      text.remove_prefix(end + 1);
      continue;
    }
    text.remove_prefix(1);
    std::size_t end = text.find('"');
    if (end == std::string_view::npos) return fields_.push_back(text), false;
    std::string_view field = text.substr(0, end);
    if (end + 1 < text.size() && text[end + 1] == '"') {
      const std::size_t begin = unquoted_.size();
      while (end + 1 < text.size() && text[end + 1] == '"') {
        unquoted_ += text.substr(0, end + 1);
        text.remove_prefix(end + 2);
        end = text.find('"');
        if (end == std::string_view::npos) {
          unquoted_ += text;
          return fields_.push_back(std::string_view(unquoted_).substr(begin)), false;
        }
      }
      unquoted_ += text.substr(0, end);
      field = std::string_view(unquoted_).substr(begin);
    }
    fields_.push_back(field);
    text.remove_prefix(end + 1);
    // What stands between the closing quote and the next separator is no part of the field.
    const std::size_t next = text.find(between);
    if (next == std::string_view::npos) return true;
    text.remove_prefix(next + 1);
  }
  return true;
}

}  // namespace aclmend
