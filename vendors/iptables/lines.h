// A file's text, line by line.
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/source.h"

namespace aclmend::iptables {

// What stands behind so many bytes of a line is another one for iptables-restore.
inline constexpr std::size_t restore_cuts_at = 10'239;

// One line of a source, without its line end.
struct Line {
  std::string_view text;
  Span span;
  std::uint32_t number = 0;  // from 1
};

// Lines of a source, without CR and LF.
class Lines {
 public:
  Lines(std::string_view text, std::uint16_t source) : text_(text), source_(source) {}
  std::optional<Line> next();
  bool has_carriage_returns() const { return has_carriage_returns_; }
  std::size_t left() const { return text_.size() - std::min(at_, text_.size()); }  // in bytes
  // The lines that begin in a part of the next bytes, numbered from 1. Where it ends another part may begin.
  Lines part(std::size_t from, std::size_t to) const;

 private:
  std::string_view text_;
  std::uint16_t source_;
  std::size_t at_ = 0;
  std::uint32_t number_ = 0;
  bool has_carriage_returns_ = false;
};

}  // namespace aclmend::iptables
