#include "endpoints/decode_fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "endpoints/ports.h"

namespace aclmend::endpoints {
namespace {

using Kind = JsonValue::Kind;

Result<Prefix> prefix_at(const Source& source, const JsonValue& value) {
  if (value.kind != Kind::text) return wrong_kind(source, value, "ips", "texts");
  const std::string_view text = value.text;
  if (const auto prefix = parse_prefix(text)) return *prefix;
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  const auto length =
      slash == std::string_view::npos ? std::nullopt : parse_decimal<std::uint8_t>(text.substr(slash + 1));
  if (address && length && *length <= address_bits(address->family))
    return refuse(source, value.offset,
                  fmt::format("{} has bits set beyond its length; is {} meant?", text,
                              to_string(prefix_of(*address, *length))));
  return refuse(source, value.offset,
                fmt::format("expected a prefix such as 40.92.0.0/15, found '{}'", text.substr(0, 60)));
}

}  // namespace

std::unexpected<Error> refuse(const Source& source, std::uint32_t offset, std::string message) {
  return fail(error_at(source, offset, std::move(message)));
}

std::unexpected<Error> wrong_kind(const Source& source, const JsonValue& value, std::string_view key,
                                  std::string_view expected) {
  return refuse(source, value.offset,
                fmt::format("expected {} for '{}', found {}", expected, key, to_string(value.kind)));
}

std::string_view other_than_json(std::string_view text) {
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return "UTF-16 text (as PowerShell's Out-File writes it); save it as UTF-8 (-Encoding utf8)";
  const std::string_view body = trimmed(text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text);
  const std::string head = lower(body.substr(0, 200));
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return "empty";
  if (head.find("<rss") != std::string::npos) return "an RSS feed of versions (/version with Format=RSS)";
  if (head.find("<html") != std::string::npos || head.starts_with("<!doctype"))
    return "an HTML page, perhaps a proxy's or a portal's error";
  if (head.starts_with('<')) return "XML; the service's XML lists ended in 2018";
  if (head.starts_with("id,") || head.starts_with("\"id\",")) return "CSV; ask with Format=JSON";
  if (head.starts_with("instance,latest")) return "the versions as CSV (/version)";
  return {};
}

Result<std::string> text_of(const Source& source, const JsonValue& object, std::string_view key) {
  const JsonValue* value = object.find(key);
  if (value == nullptr) return std::string();
  if (value->kind != Kind::text) return wrong_kind(source, *value, key, "a text");
  return value->text;
}

Result<std::optional<bool>> truth_of(const Source& source, const JsonValue& object, std::string_view key) {
  const JsonValue* value = object.find(key);
  if (value == nullptr) return std::optional<bool>();
  if (value->kind == Kind::boolean) return std::optional(value->truth);
  if (value->kind == Kind::text && lower(value->text) == "true") return std::optional(true);
  if (value->kind == Kind::text && lower(value->text) == "false") return std::optional(false);
  return wrong_kind(source, *value, key, "true or false");
}

Result<PortSet> ports_of(const Source& source, const JsonValue& object, std::string_view key) {
  const JsonValue* value = object.find(key);
  if (value == nullptr) return PortSet();
  if (value->kind != Kind::text) return wrong_kind(source, *value, key, "a text such as \"80,443\"");
  auto ports = parse_ports(value->text);
  if (!ports) return refuse(source, value->offset, ports.error().message);
  return ports;
}

Result<std::vector<Prefix>> prefixes_of(const Source& source, const JsonValue& object) {
  std::vector<Prefix> all;
  const JsonValue* list = object.find("ips");
  if (list == nullptr) return all;
  if (list->kind != Kind::array) return wrong_kind(source, *list, "ips", "a list");
  for (const JsonValue& item : list->items) {
    TRY(prefix, prefix_at(source, item));
    all.push_back(prefix);
  }
  // Each once, in the order of the first.
  std::vector<Prefix> sorted = all;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) == sorted.end()) return all;
  std::vector<Prefix> once;
  for (const Prefix& prefix : all) {
    const auto [first, last] = std::ranges::equal_range(sorted, prefix);
    if (first == last) continue;
    once.push_back(prefix);
    sorted.erase(first, last);
  }
  return once;
}

Result<std::vector<std::string>> urls_of(const Source& source, const JsonValue& object) {
  std::vector<std::string> all;
  const JsonValue* list = object.find("urls");
  if (list == nullptr) return all;
  if (list->kind != Kind::array) return wrong_kind(source, *list, "urls", "a list");
  for (const JsonValue& item : list->items) {
    if (item.kind != Kind::text) return wrong_kind(source, item, "urls", "texts");
    all.push_back(item.text);
  }
  return all;
}

}  // namespace aclmend::endpoints
