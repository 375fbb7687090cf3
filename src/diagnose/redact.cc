// What is the admin's own is replaced, equal things by equal ones; what Microsoft publishes stays, or the
// diagnosis would say nothing. Words are found by their shape: addresses, names with dots, mail addresses.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "diagnose/diagnose.h"
#include "diagnose/view.h"

namespace aclmend::diagnose {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_of_v6(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}
bool is_of_word(char c) {
  return is_digit(c) || is_letter(c) || c == '.' || c == '-' || c == '_' || c == '@' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

struct Found {
  Address address;
  std::size_t length = 0;
};

// An address that stands at this place of the text and does not go on.
std::optional<Found> v4_at(std::string_view text, std::size_t at) {
  if (!is_digit(text[at]) || (at > 0 && (is_digit(text[at - 1]) || text[at - 1] == '.'))) return std::nullopt;
  const ScannedV4 scanned = scan_v4(text.substr(at));
  const std::size_t end = at + scanned.length;
  if (scanned.length == 0 || (end < text.size() && is_digit(text[end]))) return std::nullopt;
  if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) return std::nullopt;
  return Found{Address::v4(scanned.number), scanned.length};
}
std::optional<Found> v6_at(std::string_view text, std::size_t at) {
  if (!is_of_v6(text[at]) || text[at] == '.' || (at > 0 && (is_of_word(text[at - 1]) || text[at - 1] == ':')))
    return std::nullopt;
  std::size_t end = at;
  while (end < text.size() && is_of_v6(text[end])) ++end;
  for (; end > at; --end) {
    const std::string_view run = text.substr(at, end - at);
    if (run.find(':') == std::string_view::npos) return std::nullopt;
    if (const auto address = parse_address(run)) return Found{*address, run.size()};
    if (run.back() != '.' && run.back() != ':') return std::nullopt;
  }
  return std::nullopt;
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
  if (facts_.microsoft.contains(address)) return to_string(address);
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

std::string Redaction::word(std::string_view word) {
  const bool is_input =
      std::ranges::any_of(facts_.inputs, [&](const std::string& input) { return short_name(input) == word; });
  const bool is_own = word.find('@') != std::string_view::npos || (is_name(word) && !is_microsofts(word));
  if (is_own && !is_input) return name(word);
  std::string out;  // an address may stand in the middle: x203.0.113.25
  for (std::size_t at = 0; at < word.size();) {
    if (const auto found = v4_at(word, at)) {
      out += address(found->address);
      at += found->length;
    } else {
      out += word[at++];
    }
  }
  return out;
}

std::string Redaction::text(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    auto found = v6_at(text, at);
    if (!found) found = v4_at(text, at);
    if (found) {
      out += address(found->address);
      at += found->length;
    } else if (is_of_word(text[at])) {
      std::size_t end = at;
      while (end < text.size() && is_of_word(text[end])) ++end;
      while (end > at + 1 && text[end - 1] == '.') --end;
      out += word(text.substr(at, end - at));
      at = end;
    } else {
      out += text[at++];
    }
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
