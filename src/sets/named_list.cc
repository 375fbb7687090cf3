#include "sets/named_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace aclmend {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool may_stand_in_name(char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_'; }

// What is wrong with a name; empty where it fits.
std::string complaint(std::string_view name, const ListFormat& format) {
  if (format.longest_name == 0) return "";
  if (name.empty() || !is_letter(name[0]) || !std::ranges::all_of(name, may_stand_in_name))
    return fmt::format(
        "expected a name of letters, digits, '-' and '_' that begins with a letter, found '{}'", name);
  if (name.size() > format.longest_name)
    return fmt::format("{}: a name of at most {} characters, and '{}' has {}", format.id, format.longest_name,
                       name, name.size());
  return "";
}

}  // namespace

Result<std::string> written_as(const ListFormat& format, const NamedList& list) {
  if (list.addresses.empty())
    return fail("the list would be empty, and an empty list where addresses are allowed allows nobody");
  if (std::string wrong = complaint(list.name, format); !wrong.empty()) return fail(std::move(wrong));
  const std::size_t prefixes = list.addresses.prefixes().size();
  if (format.most_prefixes != 0 && prefixes > format.most_prefixes)
    return fail(fmt::format("{}: at most {} prefixes, and these are {}; {}", format.id,
                            with_thousands(format.most_prefixes), with_thousands(prefixes), format.beyond));
  NamedList safe{list.name, list.addresses, heading_line(list.description), {}};
  for (const std::string& line : list.heading) safe.heading.push_back(heading_line(line));
  return format.write(safe);
}

std::string heading_line(std::string_view text) {
  std::string line;
  for (const char c : text)
    line +=
        c >= ' ' && c < 0x7F ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  constexpr std::string_view cut = "...";
  if (line.size() > longest_heading_line) line.replace(longest_heading_line - cut.size(), line.npos, cut);
  return line;
}

std::string comments(std::string_view sign, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += fmt::format("{}{}{}\n", sign, line.empty() ? "" : " ", line);
  return text;
}

}  // namespace aclmend
