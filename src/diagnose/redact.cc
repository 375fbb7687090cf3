// What is the admin's own is replaced, equal things by equal ones; what Microsoft publishes stays, or the
// diagnosis would say nothing. Words are found by their shape: addresses, names with dots, mail addresses.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "diagnose/diagnose.h"
#include "diagnose/view.h"

namespace aclmend::diagnose {
namespace {

bool is_word_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
         c == '_' || c == ':' || c == '@' || (static_cast<unsigned char>(c) & 0x80) != 0;
}

bool is_microsofts(std::string_view name) {
  const std::string lowered = lower(name);
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{"outlook.com", "microsoft.com", "office365.com", "office.com",
                                              "mx.microsoft"},
      [&](std::string_view known) {
        return lowered == known || lowered.ends_with("." + std::string(known));
      });
}

// "mail.contoso.com": labels, the last one of letters.
bool is_name(std::string_view word) {
  const std::size_t dot = word.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 2 >= word.size()) return false;
  return std::ranges::all_of(word.substr(dot + 1),
                             [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

}  // namespace

Redaction::Redaction(const Facts& facts) : facts_(facts) {}

std::string Redaction::address(Address address) {
  const auto known = addresses_.find(address);
  if (known != addresses_.end()) return known->second;
  const std::string text =
      address.is_v4() ? fmt::format("own-address-{}", ++v4_) : fmt::format("own-v6-address-{}", ++v6_);
  return addresses_.emplace(address, text).first->second;
}

std::string Redaction::name(std::string_view word) {
  const std::string lowered = lower(word);
  const auto known = names_.find(lowered);
  if (known != names_.end()) return known->second;
  const bool is_mail = lowered.find('@') != std::string::npos;
  std::string text = fmt::format("{}-{}.example", is_mail ? "user" : "own-name", names_.size() + 1);
  return names_.emplace(lowered, std::move(text)).first->second;
}

std::string Redaction::text(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (!is_word_char(text[at])) {
      out += text[at++];
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_word_char(text[end])) ++end;
    std::string_view word = text.substr(at, end - at);
    at = end;
    std::string_view tail;
    const auto is_input = [&](std::string_view name) {
      return std::ranges::any_of(facts_.inputs,
                                 [&](const std::string& input) { return short_name(input) == name; });
    };
    std::size_t kept = word.size();
    while (kept > 0 && (word[kept - 1] == '.' || word[kept - 1] == ':')) --kept;
    tail = word.substr(kept);
    word = word.substr(0, kept);
    // "203.0.113.25:25", "edge.cfg:42"
    const std::size_t colon = word.rfind(':');
    auto found = parse_address(word);
    if (!found && colon != std::string_view::npos) {
      found = parse_address(word.substr(0, colon));
      const bool is_place = is_input(word.substr(0, colon)) || is_name(word.substr(0, colon));
      if (found || is_place) {
        tail = std::string_view(word.data() + colon, word.size() - colon + tail.size());
        word = word.substr(0, colon);
      }
    }
    if (found) out += facts_.microsoft.contains(*found) ? std::string(word) : address(*found);
    else if (word.find('@') != std::string_view::npos) out += name(word);
    else if (is_name(word) && !is_input(word) && !is_microsofts(word)) out += name(word);
    else out += word;
    out += tail;
  }
  return out;
}

Diagnosis Redaction::diagnosis(Diagnosis diagnosis) {
  const auto each = [&](std::vector<std::string>& texts) {
    for (std::string& one : texts) one = text(one);
  };
  const auto rows = [&](std::vector<Row>& all) {
    for (Row& one : all) one = {text(one.text), text(one.shown_by)};
  };
  each(diagnosis.plain);
  for (Step& step : diagnosis.steps) {
    rows(step.rows);
    step.settle = text(step.settle);
    for (Place& place : step.evidence) place.text = step.id == "firewall-rules" ? text(place.text) : "";
  }
  for (Cause& cause : diagnosis.causes) {
    cause.cause = text(cause.cause);
    cause.because = text(cause.because);
    each(cause.supports);
    each(cause.contradicts);
  }
  rows(diagnosis.also);
  rows(diagnosis.clocks);
  for (Action& action : diagnosis.next)
    action = {text(action.purpose), text(action.command), text(action.remark)};
  return diagnosis;
}

}  // namespace aclmend::diagnose
