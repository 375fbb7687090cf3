// The text form of what is compiled in (src/endpoints/data): a statement a line, words apart by blanks, '#'
// opens a comment line. The texts are ours, so a fault in them is a bug of this program: it stops.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "sets/address.h"

namespace aclmend::endpoints {

struct Statement {
  std::string_view file;
  std::uint32_t line = 0;
  std::vector<std::string_view> words;  // at least one
  std::string_view after_first;         // the line without its first word
};

std::string_view embedded_text(std::string_view file);
std::vector<Statement> statements(std::string_view file);

[[noreturn]] void broken(const Statement& statement);
std::vector<Prefix> prefixes(const Statement& statement);  // all words but the first

}  // namespace aclmend::endpoints
