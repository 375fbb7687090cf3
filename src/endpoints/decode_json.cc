// nlohmann's event parser does not say where a value stands. It reads its input one byte at a time, so an
// iterator that notes how far it was moved gives the end of the token last read; a value begins at the first
// byte after the token before it that is neither blank nor punctuation between values.
#include "endpoints/decode_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace aclmend::endpoints {
namespace {

constexpr std::size_t most_values = 500'000;
constexpr std::size_t deepest = 32;

class NotingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  NotingIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  NotingIterator& operator++() {
    ++at_;
    if (reached_ != nullptr) *reached_ = at_;
    return *this;
  }
  NotingIterator operator++(int) {
    NotingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const NotingIterator& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** reached_;
};

class Builder : public nlohmann::json::json_sax_t {
 public:
  Builder(const Source& source, const char* const* reached) : source_(source), reached_(reached) {
    if (source.text().starts_with("\xEF\xBB\xBF")) last_ = 3;
  }

  bool null() override { return add(JsonValue::Kind::null) != nullptr; }
  bool boolean(bool value) override {
    JsonValue* made = add(JsonValue::Kind::boolean);
    if (made != nullptr) made->truth = value;
    return made != nullptr;
  }
  bool number_integer(number_integer_t) override {
    return add(JsonValue::Kind::other_number) != nullptr;  // negative: whole ones come as unsigned
  }
  bool number_unsigned(number_unsigned_t value) override {
    JsonValue* made = add(JsonValue::Kind::whole_number);
    if (made != nullptr) made->number = value;
    return made != nullptr;
  }
  bool number_float(number_float_t, const string_t&) override {
    return add(JsonValue::Kind::other_number) != nullptr;
  }
  bool string(string_t& value) override {
    JsonValue* made = add(JsonValue::Kind::text);
    if (made != nullptr) made->text = std::move(value);
    return made != nullptr;
  }
  bool binary(binary_t&) override { return refuse("binary data"); }
  bool start_object(std::size_t) override { return open(JsonValue::Kind::object); }
  bool start_array(std::size_t) override { return open(JsonValue::Kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& value) override {
    const std::uint32_t offset = token();
    auto& members = open_.back()->members;
    if (std::ranges::count(members, value, &JsonMember::key) != 0)
      return refuse_at(offset, fmt::format("the key '{}' stands twice in one object", value.substr(0, 60)));
    if (members.size() >= most_members) return refuse_at(offset, "too many keys in one object");
    members.push_back({.key = std::move(value), .value = {}});
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 5: syntax error while …": our place
    // instead.
    std::string_view words = error.what();
    for (const std::string_view mark : {"] ", "parse error", ": ", "syntax error "})
      if (const auto at = words.find(mark); at != std::string_view::npos && at < 60)
        words.remove_prefix(at + mark.size());
    const std::size_t size = source_.text().size();
    const std::size_t last_read = std::min(position == 0 ? 0 : position - 1, size);
    return refuse_at(static_cast<std::uint32_t>(last_read),
                     fmt::format("not JSON: {}", words.substr(0, 200)));
  }

  JsonValue take() { return std::move(root_); }
  const Error& error() const { return error_; }

 private:
  static constexpr std::size_t most_members = 256;

  // The offset of the token just read.
  std::uint32_t token() {
    const std::string_view text = source_.text();
    const std::size_t start = text.find_first_not_of(" \t\r\n,:]}", last_);
    last_ = static_cast<std::size_t>(*reached_ - text.data());
    return static_cast<std::uint32_t>(std::min(start, text.size()));
  }

  JsonValue* add(JsonValue::Kind kind) {
    const std::uint32_t offset = token();
    if (++count_ > most_values) {
      refuse_at(offset, fmt::format("more than {} values", most_values));
      return nullptr;
    }
    JsonValue* made = &root_;
    if (!open_.empty() && open_.back()->kind == JsonValue::Kind::object)
      made = &open_.back()->members.back().value;
    else if (!open_.empty()) made = &open_.back()->items.emplace_back();
    made->kind = kind;
    made->offset = offset;
    return made;
  }

  bool open(JsonValue::Kind kind) {
    JsonValue* made = add(kind);
    if (made == nullptr) return false;
    if (open_.size() == deepest)
      return refuse_at(made->offset, fmt::format("nested deeper than {}", deepest));
    open_.push_back(made);
    return true;
  }

  bool close() {
    token();
    open_.pop_back();
    return true;
  }

  bool refuse(std::string message) {
    return refuse_at(static_cast<std::uint32_t>(last_), std::move(message));
  }
  bool refuse_at(std::uint32_t offset, std::string message) {
    error_ = error_at(source_, offset, std::move(message));
    return false;
  }

  const Source& source_;
  const char* const* reached_;
  std::size_t last_ = 0;  // the end of the token before
  std::size_t count_ = 0;
  JsonValue root_;
  std::vector<JsonValue*> open_;
  Error error_;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view key) const {
  const auto found = std::ranges::find(members, key, &JsonMember::key);
  return found == members.end() ? nullptr : &found->value;
}

Error error_at(const Source& source, std::uint32_t offset, std::string message) {
  const Position place = source.position(offset);
  return {.message = std::move(message), .file = source.name(), .line = place.line, .column = place.column};
}

std::string_view to_string(JsonValue::Kind kind) {
  switch (kind) {
    case JsonValue::Kind::null: return "null";
    case JsonValue::Kind::boolean: return "true or false";
    case JsonValue::Kind::whole_number:
    case JsonValue::Kind::other_number: return "a number";
    case JsonValue::Kind::text: return "a text";
    case JsonValue::Kind::array: return "a list";
    case JsonValue::Kind::object: return "an object";
  }
  return "";
}

Result<JsonValue> parse_json(const Source& source) {
  const std::string_view text = source.text();
  const char* reached = text.data();
  Builder builder(source, &reached);
  if (!nlohmann::json::sax_parse(NotingIterator(text.data(), &reached),
                                 NotingIterator(text.data() + text.size(), nullptr), &builder))
    return fail(builder.error());
  return builder.take();
}

}  // namespace aclmend::endpoints
