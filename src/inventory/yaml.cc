#include "inventory/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <unordered_set>
#include <utility>

#include "base/text.h"

namespace aclmend::inventory::yaml {
namespace {

// yaml-cpp keeps some hundred bytes for every token of a list that has not ended yet. This many marks of
// punctuation bound its memory; a file of four mebibytes that people wrote has about half of them.
constexpr std::size_t most_marks = 1'000'000;

At place_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<std::uint32_t>(mark.line) + 1, static_cast<std::uint32_t>(mark.column) + 1};
}

Error error_at(const Source& source, At at, std::string message) {
  return {.message = std::move(message), .file = source.name(), .line = at.line, .column = at.column};
}

bool is_mark(char c) { return std::string_view("[]{},:-?&*!|>%@`'\"\n").find(c) != std::string_view::npos; }

// What must not even be shown to the parser: it takes the byte 4 for the end of the file, for one.
std::optional<Error> unfit(const Source& source) {
  const std::string_view text = source.text();
  if (text.size() > largest_text)
    return error_at(source, {}, fmt::format("larger than {} MiB", largest_text >> 20));
  const auto control = std::ranges::find_if(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7F;
  });
  if (control != text.end()) {
    const Position at = source.position(static_cast<std::uint32_t>(control - text.begin()));
    return error_at(source, {at.line, at.column}, "a control character cannot stand here");
  }
  if (!is_valid_utf8(text)) return error_at(source, {}, "is not UTF-8 text");
  if (std::ranges::count_if(text, is_mark) > static_cast<std::ptrdiff_t>(most_marks))
    return error_at(source, {}, fmt::format("more than {} marks of punctuation", with_thousands(most_marks)));
  return std::nullopt;
}

// yaml-cpp lets a quotation run to the end of the file: whatever keys it swallowed would be missing in
// silence.
bool is_closed_quotation(std::string_view text) {
  const char quote = text.front();
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || !text.substr(i + 1).starts_with(quote)) return true;
      ++i;  // '' is one apostrophe
    }
  }
  return false;
}

// What this file refuses, beside what the library does.
struct Refusal : YAML::ParserException {
  using YAML::ParserException::ParserException;
};

// Builds the tree out of the parser's events. What makes reading on pointless is thrown as the parser throws
// its own, and caught where it is called.
class Builder : public YAML::EventHandler {
 public:
  Builder(const Source& source, std::string_view text) : source_(source), text_(text) {}

  Value take() { return std::move(root_); }
  Errors take_errors() { return std::move(errors_); }

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string& /*name*/) override { refuse_alias(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override { refuse_alias(mark); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override { put({.at = place_of(mark)}); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                const std::string& text) override {
    // yaml-cpp's "?" is a plain scalar, its "!" a quoted or block one.
    const std::string_view written = text_.substr(std::min(static_cast<std::size_t>(mark.pos), text_.size()));
    if ((tag != "?" && tag != "!") || written.starts_with('!')) refuse_tag(mark);
    const bool is_quotation = tag == "!" && (written.starts_with('\'') || written.starts_with('"'));
    if (is_quotation && !is_closed_quotation(written))
      throw Refusal(mark, "a quotation begins here and has no end");
    put({.kind = Value::Kind::scalar, .is_quoted = tag == "!", .text = text, .at = place_of(mark)});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {
    open(Value::Kind::list, mark, tag);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    open(Value::Kind::map, mark, tag);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    Value value;
    std::unordered_set<std::string> keys;
    std::optional<Value> key;  // read, its value not yet
  };

  [[noreturn]] static void refuse_alias(const YAML::Mark& mark) {
    throw Refusal(mark, "anchors (&) and aliases (*) are not allowed here: write it out");
  }
  [[noreturn]] static void refuse_tag(const YAML::Mark& mark) {
    throw Refusal(mark, "tags (!) are not allowed here");
  }

  void open(Value::Kind kind, const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") refuse_tag(mark);
    if (levels_.size() == deepest)
      throw Refusal(mark, fmt::format("more than {} levels inside one another", deepest));
    if (awaits_key())
      throw Refusal(mark, "expected a key, found a list or map (is a bracket or brace not closed?)");
    levels_.push_back({{.kind = kind, .at = place_of(mark)}, {}, std::nullopt});
  }

  void close() {
    Value value = std::move(levels_.back().value);
    levels_.pop_back();
    put(std::move(value));
  }

  bool awaits_key() const {
    return !levels_.empty() && levels_.back().value.kind == Value::Kind::map && !levels_.back().key;
  }

  void put(Value value) {
    if (levels_.empty()) {
      root_ = std::move(value);
    } else if (awaits_key()) {
      put_key(std::move(value));
    } else {
      Level& level = levels_.back();
      if (level.key) {
        value.key = std::move(level.key->text);
        value.key_at = level.key->at;
        level.key.reset();
      }
      level.value.items.push_back(std::move(value));
    }
  }

  void put_key(Value key) {
    if (key.kind == Value::Kind::nothing) errors_.push_back(error_at(source_, key.at, "expected a key"));
    Level& level = levels_.back();
    if (!level.keys.insert(key.text).second)
      errors_.push_back(error_at(source_, key.at, fmt::format("the key '{}' stands here twice", key.text)));
    level.key = std::move(key);
  }

  const Source& source_;
  std::string_view text_;
  std::vector<Level> levels_;
  Value root_;
  Errors errors_;
};

}  // namespace

Checked<Value> parse(const Source& source) {
  if (auto error = unfit(source)) return std::unexpected(Errors{*std::move(error)});
  std::string_view text = source.text();
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark: not counted in places
  Builder builder(source, text);
  std::istringstream stream{std::string(text)};
  Errors errors;
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    errors = builder.take_errors();
    if (parser)
      errors.push_back(error_at(source, {}, "something follows after the end of the YAML document"));
  } catch (const Refusal& refusal) {
    errors = builder.take_errors();
    errors.push_back(error_at(source, place_of(refusal.mark), refusal.msg));
  } catch (const YAML::Exception& exception) {
    errors = builder.take_errors();
    errors.push_back(
        error_at(source, place_of(exception.mark), fmt::format("not valid YAML: {}", exception.msg)));
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& exception) {  // a failed conversion inside the library
    errors.push_back(error_at(source, {}, fmt::format("is not YAML: {}", exception.what())));
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  return builder.take();
}

const Value* find(const Value& map, std::string_view key) {
  const auto found = std::ranges::find(map.items, key, &Value::key);
  return found == map.items.end() ? nullptr : &*found;
}

}  // namespace aclmend::inventory::yaml
