#include "inventory/shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace aclmend::inventory {
namespace {

constexpr std::size_t most_errors = 100;  // of one file; a hostile one can earn millions

// What was found, short enough for one line of a message.
std::string shown(const yaml::Value& value) {
  switch (value.kind) {
    case yaml::Value::Kind::nothing: return "nothing";
    case yaml::Value::Kind::list: return "a list";
    case yaml::Value::Kind::map: return "a map of keys";
    case yaml::Value::Kind::scalar: break;
  }
  constexpr std::size_t longest = 60;
  if (value.text.empty()) return "an empty text";
  if (value.text.size() <= longest) return fmt::format("'{}'", value.text);
  return fmt::format("'{}…'", value.text.substr(0, longest));
}

class Check {
 public:
  explicit Check(const std::string& file) : file_(file) {}

  void map(const yaml::Value& value, const Shape& shape) {
    if (value.kind != yaml::Value::Kind::map)
      return expected(value, fmt::format("{} with its keys", shape.what));
    for (const yaml::Value& item : value.items) {
      const auto key = std::ranges::find(shape.keys, item.key, &Key::name);
      if (key == shape.keys.end()) unknown_key(item, shape);
      else of_key(item, *key);
    }
    for (const Key& key : shape.keys)
      if (key.need == Need::required && yaml::find(value, key.name) == nullptr)
        add(value, fmt::format("{} needs the key '{}'", shape.what, key.name));
  }

  Errors take() {
    std::ranges::stable_sort(errors_, [](const Error& a, const Error& b) {
      return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
    if (not_kept_ > 0)
      errors_.push_back({.message = fmt::format("{} more errors are not shown", not_kept_), .file = file_});
    return std::move(errors_);
  }

 private:
  void of_key(const yaml::Value& value, const Key& key) {
    switch (key.holds) {
      case Holds::word: return word(value, *key.form);
      case Holds::words: return words(value, *key.form);
      case Holds::steps: return steps(value, *key.form);
      case Holds::map: return map(value, *key.shape);
      case Holds::maps: return maps(value, *key.shape);
    }
  }

  void word(const yaml::Value& value, const Form& form) {
    if (!form.choices.empty()) return choice(value, form);
    if (value.kind != yaml::Value::Kind::scalar || !form.accepts(value))
      expected(value, std::string(form.expected));
  }

  void choice(const yaml::Value& value, const Form& form) {
    if (value.kind == yaml::Value::Kind::scalar &&
        std::ranges::find(form.choices, value.text) != form.choices.end())
      return;
    expected(value, form.choices.size() == 1 ? fmt::format("'{}'", form.choices.front())
                                             : fmt::format("one of {}", fmt::join(form.choices, ", ")));
  }

  void words(const yaml::Value& value, const Form& form) {
    if (value.kind != yaml::Value::Kind::list) return word(value, form);
    if (value.items.empty()) add(value, fmt::format("the list of '{}' is empty", value.key));
    for (const yaml::Value& item : value.items) word(item, form);
  }

  void steps(const yaml::Value& value, const Form& form) {
    if (value.kind != yaml::Value::Kind::list) return expected(value, "a list");
    if (value.items.empty()) add(value, fmt::format("the list of '{}' is empty", value.key));
    for (const yaml::Value& item : value.items) words(item, form);
  }

  void maps(const yaml::Value& value, const Shape& shape) {
    if (value.kind != yaml::Value::Kind::list)
      return expected(value, fmt::format("a list, each item {}", shape.what));
    for (const yaml::Value& item : value.items) map(item, shape);
  }

  void unknown_key(const yaml::Value& item, const Shape& shape) {
    std::vector<std::string_view> names;
    for (const Key& key : shape.keys) names.push_back(key.name);
    yaml::Value key;
    key.kind = yaml::Value::Kind::scalar;
    key.text = item.key;
    const auto near = nearest(item.key, names);
    const std::string choices = near ? fmt::format("did you mean '{}'?", *near)
                                     : fmt::format("its keys are {}", fmt::join(names, ", "));
    add_at(item.key_at, fmt::format("unknown key {} in {}: {}", shown(key), shape.what, choices));
  }

  void expected(const yaml::Value& value, const std::string& what) {
    const std::string of = value.key.empty() ? "" : fmt::format(" for '{}'", value.key);
    add(value, fmt::format("expected {}{}, found {}", what, of, shown(value)));
  }

  // Where nothing was written, the key is the place to look at.
  void add(const yaml::Value& value, std::string message) {
    const bool at_key = value.kind == yaml::Value::Kind::nothing && value.key_at.line != 0;
    add_at(at_key ? value.key_at : value.at, std::move(message));
  }

  void add_at(yaml::At at, std::string message) {
    if (errors_.size() == most_errors) {
      ++not_kept_;
      return;
    }
    errors_.push_back({.message = std::move(message), .file = file_, .line = at.line, .column = at.column});
  }

  const std::string& file_;
  Errors errors_;
  std::size_t not_kept_ = 0;
};

bool has_control(std::string_view text, std::string_view allowed) {
  return std::ranges::any_of(text, [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 || byte == 0x7F) && allowed.find(c) == std::string_view::npos;
  });
}

bool is_text(const yaml::Value& word) { return !trimmed(word.text).empty() && !has_control(word.text, ""); }
bool is_prose(const yaml::Value& word) {
  return word.text.find_first_not_of(" \t\r\n") != std::string::npos && !has_control(word.text, "\t\n");
}

bool is_port(const yaml::Value& word) {
  return !word.is_quoted && !word.text.starts_with('0') &&  // 025 is another number to other YAML readers
         parse_decimal<std::uint16_t>(word.text).has_value();
}

bool is_name(const yaml::Value& word) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789-";
  return !word.text.empty() && word.text.size() <= 64 &&
         word.text.find_first_not_of(letters) == std::string::npos && word.text.front() != '-' &&
         word.text.back() != '-';
}

bool is_code(const yaml::Value& word) {
  return word.text.size() == 6 && word.text.starts_with("ACM") &&
         parse_decimal<std::uint16_t>(word.text.substr(3)).has_value();
}

bool is_boolean(const yaml::Value& word) {
  return !word.is_quoted && (word.text == "true" || word.text == "false");
}

}  // namespace

namespace forms {
constinit const Form text{"a text of one line", is_text};
constinit const Form prose{"a text", is_prose};
constinit const Form boolean{"true or false", is_boolean};
constinit const Form port{"a port from 1 to 65535", is_port};
constinit const Form name{"a name of lower-case letters, digits and hyphens", is_name};
constinit const Form code{"a finding code such as ACM023", is_code};
}  // namespace forms

Errors check(const yaml::Value& value, const Shape& shape, const std::string& file) {
  Check check(file);
  check.map(value, shape);
  return check.take();
}

std::string text_of(const yaml::Value& map, std::string_view key) {
  const yaml::Value* value = yaml::find(map, key);
  return value == nullptr ? "" : value->text;
}

std::vector<std::string> texts_of(const yaml::Value& words) {
  if (words.kind == yaml::Value::Kind::scalar) return {words.text};
  std::vector<std::string> texts;
  for (const yaml::Value& item : words.items) texts.push_back(item.text);
  return texts;
}

std::vector<std::string> texts_of(const yaml::Value& map, std::string_view key) {
  const yaml::Value* value = yaml::find(map, key);
  return value == nullptr ? std::vector<std::string>{} : texts_of(*value);
}

Place place_of(const yaml::Value& value, const std::string& file) {
  return {file, value.at.line, value.at.column};
}

Error error_at(const yaml::Value& value, const std::string& file, std::string message) {
  return {.message = std::move(message), .file = file, .line = value.at.line, .column = value.at.column};
}

}  // namespace aclmend::inventory
