// Rows of separated values as spreadsheets, PowerShell and firewalls write them (RFC 4180).
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace aclmend {

class CsvRow {
 public:
  // Quoted fields lose their quotes, and doubled quotes become one; of more than `most` fields the rest is
  // left out. False where a quote is open at the end: the row goes on in the next line, or is damaged.
  bool split(std::string_view text, char between, std::size_t most);

  // They point into the text or into this row, which the next split uses again.
  const std::vector<std::string_view>& fields() const { return fields_; }
  std::string_view operator[](std::size_t at) const {
    return at < fields_.size() ? fields_[at] : std::string_view{};
  }
  std::size_t size() const { return fields_.size(); }

 private:
  std::vector<std::string_view> fields_;
  std::string unquoted_;
};

}  // namespace aclmend
