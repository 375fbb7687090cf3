#include "vendors/iptables/lines.h"

namespace aclmend::iptables {

std::optional<Line> Lines::next() {
  if (at_ >= text_.size()) return std::nullopt;
  std::size_t end = text_.find('\n', at_);
  if (end == std::string_view::npos) end = text_.size();
  Line line;
  line.number = ++number_;
  std::size_t last = end;
  while (last > at_ && text_[last - 1] == '\r') --last, has_carriage_returns_ = true;
  line.text = text_.substr(at_, last - at_);
  line.span = {static_cast<std::uint32_t>(at_), static_cast<std::uint32_t>(last), source_};
  at_ = end + 1;
  return line;
}

Lines Lines::part(std::size_t from, std::size_t to) const {
  const auto begin_behind = [&](std::size_t bytes) {
    if (bytes == 0) return at_;
    const std::size_t end = bytes > left() ? std::string_view::npos : text_.find('\n', at_ + bytes - 1);
    return end == std::string_view::npos ? text_.size() : end + 1;
  };
  Lines lines(text_.substr(0, begin_behind(to)), source_);
  lines.at_ = begin_behind(from);
  return lines;
}

}  // namespace aclmend::iptables
