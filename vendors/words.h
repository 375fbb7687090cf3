// The word cursor that line-oriented exports share: words stand between blanks and tabs, nothing else parts
// them. A NUL or another control byte is part of its word, so that it makes the word unknown instead of
// vanishing. No word is copied: offsets come from where it stands.
#pragma once
#include <string_view>

namespace aclmend {

class Words {
 public:
  explicit Words(std::string_view line) : at_(line.data()), end_(line.data() + line.size()) { find_word(); }

  bool at_end() const { return at_ == end_; }
  // The next word, "" at the end; at the end its place is the end of the line.
  std::string_view peek() const { return {at_, static_cast<std::size_t>(word_end_ - at_)}; }
  std::string_view next() {
    const std::string_view word = peek();
    at_ = word_end_;
    find_word();
    return word;
  }
  // Takes the word if it is the next one.
  bool accept(std::string_view word) {
    if (peek() != word) return false;
    next();
    return true;
  }
  // All that is left, without blanks at its end.
  std::string_view rest() const {
    const char* to = end_;
    while (to != at_ && is_blank(to[-1])) --to;
    return {at_, static_cast<std::size_t>(to - at_)};
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t'; }
  void find_word() {
    while (at_ != end_ && is_blank(*at_)) ++at_;
    word_end_ = at_;
    while (word_end_ != end_ && !is_blank(*word_end_)) ++word_end_;
  }

  const char* at_;
  const char* word_end_ = nullptr;
  const char* end_;
};

}  // namespace aclmend
