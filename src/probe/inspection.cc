#include "probe/inspection.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace aclmend::probe {
namespace {

bool is_masked(std::string_view line) {
  const std::string_view word = trimmed(line);
  if (word.size() < 4 || word.back() < 'A' || word.back() > 'Z') return false;
  return std::ranges::all_of(word.substr(0, word.size() - 1), [](char c) { return c == 'X'; });
}

}  // namespace

bool is_masked_banner(const Reply& banner) {
  if (banner.lines.empty()) return false;
  const std::string& text = banner.lines.front();
  return std::ranges::count(text, '*') >= 4 && text.find_first_not_of("*20 ") == std::string::npos;
}

std::vector<std::string> masked_keywords(const Reply& ehlo) {
  std::vector<std::string> masked;
  for (std::size_t i = 1; i < ehlo.lines.size(); ++i)
    if (is_masked(ehlo.lines[i])) masked.emplace_back(trimmed(ehlo.lines[i]));
  return masked;
}

bool is_starttls_masked(const Heard& heard) {
  if (!heard.ehlo || offers(*heard.ehlo, "STARTTLS")) return false;
  return std::ranges::any_of(masked_keywords(*heard.ehlo), [](const std::string& word) {
    return word.size() == std::string_view("STARTTLS").size();
  });
}

std::vector<std::string> signs_of_inspection(const Heard& heard) {
  std::vector<std::string> signs;
  if (heard.banner && is_masked_banner(*heard.banner))
    signs.emplace_back("a firewall on the way inspects SMTP: it wrote asterisks over the greeting");
  if (!heard.ehlo) return signs;
  const auto masked = masked_keywords(*heard.ehlo);
  if (masked.empty()) return signs;
  std::string words;
  for (const std::string& word : masked) words += (words.empty() ? "" : ", ") + word;
  signs.push_back(
      fmt::format("a firewall on the way inspects SMTP: it wrote over {} of the reply to EHLO: {}",
                  masked.size() == 1 ? "a word" : "words", words));
  return signs;
}

}  // namespace aclmend::probe
