#include "endpoints/statements.h"

#include <cstdio>
#include <cstdlib>

#include "base/embedded.h"
#include "base/text.h"

namespace aclmend::endpoints {

std::string_view embedded_text(std::string_view file) {
  for (const EmbeddedFile& embedded : embedded_endpoints())
    if (embedded.name == file) return embedded.text;
  broken({.file = file, .line = 0, .words = {}, .after_first = {}});
}

std::vector<Statement> statements(std::string_view file) {
  std::vector<Statement> all;
  std::uint32_t line = 0;
  for (const std::string_view text : split(embedded_text(file), '\n')) {
    ++line;
    const std::string_view body = trimmed(text);
    if (body.empty() || body.starts_with('#')) continue;
    Statement statement{.file = file, .line = line, .words = {}, .after_first = {}};
    for (const std::string_view word : split(body, ' '))
      if (!word.empty()) statement.words.push_back(word);
    statement.after_first = trimmed(body.substr(statement.words.front().size()));
    all.push_back(std::move(statement));
  }
  return all;
}

void broken(const Statement& statement) {
  std::fprintf(stderr, "aclmend: bug: embedded %.*s, line %u\n", static_cast<int>(statement.file.size()),
               statement.file.data(), static_cast<unsigned>(statement.line));
  std::abort();
}

std::vector<Prefix> prefixes(const Statement& statement) {
  std::vector<Prefix> all;
  for (std::size_t i = 1; i < statement.words.size(); ++i) {
    const auto prefix = parse_prefix(statement.words[i]);
    if (!prefix) broken(statement);
    all.push_back(*prefix);
  }
  return all;
}

}  // namespace aclmend::endpoints
