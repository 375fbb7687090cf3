// Written by hand and not by the JSON library: one short line a record, a million of them a second.
#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "report/evidence.h"

namespace aclmend::report::json {
namespace {

// A JSON text; what is no UTF-8 becomes U+FFFD, as in the other documents.
void append_text(std::string& out, std::string_view text) {
  constexpr std::size_t longest = 1024;
  text = text.substr(0, longest);
  out += '"';
  const bool is_valid = is_valid_utf8(text);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') (out += '\\') += c;
    else if (byte < 0x20 || byte == 0x7F) fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
    else if (byte >= 0x80 && !is_valid) out += "\xEF\xBF\xBD";
    else out += c;
  }
  out += '"';
}

// `name` is all that stands before the value: `,"src":`
void append_or_null(std::string& out, std::string_view name, std::string_view text) {
  out += name;
  if (text.empty()) out += "null";
  else append_text(out, text);
}

void append(std::string& out, std::string_view name, const std::optional<Address>& address) {
  out += name;
  if (!address) {
    out += "null";
    return;
  }
  std::array<char, longest_address> text;
  const char* end = write(text.data(), *address);
  ((out += '"') += std::string_view(text.data(), static_cast<std::size_t>(end - text.data()))) += '"';
}

template <class Number>
void append(std::string& out, std::string_view name, const std::optional<Number>& number) {
  out += name;
  if (number) out += fmt::format_int(*number).c_str();
  else out += "null";
}

}  // namespace

void append_record(std::string& out, std::string_view file, const evidence::Record& record) {
  out += R"({"file":)";
  append_text(out, file);
  out += R"(,"line":)";
  out += fmt::format_int(record.line).c_str();
  append_or_null(out, R"(,"source":)", record.source);
  append_or_null(out, R"(,"kind":)", to_string(record.kind));
  append_or_null(out, R"(,"new":)", to_string(record.is_new));
  append_or_null(out, R"(,"time":)", record.time ? to_string(*record.time) : std::string());
  append(out, R"(,"src":)", record.src);
  append(out, R"(,"sport":)", record.sport);
  append(out, R"(,"dst":)", record.dst);
  append(out, R"(,"dport":)", record.dport);
  append_or_null(out, R"(,"proto":)", record.protocol ? protocol_name(*record.protocol) : std::string());
  append_or_null(out, R"(,"rule":)", record.rule);
  append_or_null(out, R"(,"interface":)", record.interface);
  append_or_null(out, R"(,"code":)", record.code);
  out += "}\n";
}

}  // namespace aclmend::report::json
