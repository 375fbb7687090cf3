#include "inventory/pin.h"

#include <fmt/format.h>

#include "inventory/read.h"
#include "inventory/yaml.h"

namespace aclmend::inventory {
namespace {

std::size_t offset_of(std::string_view text, yaml::At at) {
  std::size_t offset = 0;
  for (std::uint32_t line = 1; line < at.line; ++line) offset = text.find('\n', offset) + 1;
  return offset + at.column - 1;
}

// How far a scalar reaches in the text; versions hold no quotes to be escaped.
std::size_t written_length(std::string_view text, std::size_t begin, const yaml::Value& value) {
  if (!value.is_quoted) return value.text.size();
  const std::size_t end = text.find(text[begin], begin + 1);
  return end == std::string_view::npos ? 0 : end + 1 - begin;
}

std::string with(std::string_view text, std::size_t begin, std::size_t length, std::string_view put) {
  std::string changed(text);
  return changed.replace(begin, length, put);
}

// The key put into the map `endpoints`, or the map into the file, in the way in which the file is written.
std::string with_new_pin(std::string_view text, const yaml::Value* endpoints, std::string_view entry) {
  if (endpoints == nullptr) {
    const bool ends_line = text.empty() || text.ends_with('\n');
    return fmt::format("{}{}endpoints: {{ {} }}\n", text, ends_line ? "" : "\n", entry);
  }
  const std::size_t begin = offset_of(text, endpoints->at);
  if (text.substr(begin, 1) == "{")
    return with(text, begin + 1, 0, fmt::format(" {}{}", entry, endpoints->items.empty() ? " " : ","));
  const yaml::Value& first = endpoints->items.front();
  const std::string indent(first.key_at.column - 1, ' ');
  return with(text, offset_of(text, first.key_at), 0, fmt::format("{}\n{}", entry, indent));
}

}  // namespace

Checked<std::string> repinned(const Source& source, std::string_view version) {
  auto inventory = read_inventory(source);
  if (!inventory) return std::unexpected(std::move(inventory.error()));
  using From = Endpoints::From;
  const auto refuse = [&](std::string message) {
    return std::unexpected(Errors{Error{.message = std::move(message),
                                        .file = source.name(),
                                        .line = inventory->endpoints.place.line,
                                        .column = inventory->endpoints.place.column}});
  };
  if (inventory->endpoints.from != From::unsaid && inventory->endpoints.from != From::pin)
    return refuse("'source' or 'file' says which list is in force here: take it out, then pin");
  const auto root = yaml::parse(source);
  if (!root) return std::unexpected(root.error());
  const std::string_view text = source.text();
  const yaml::Value* endpoints = yaml::find(*root, "endpoints");
  if (endpoints != nullptr && endpoints->kind != yaml::Value::Kind::map)
    return refuse("'endpoints' is empty: write 'endpoints: {}'");
  const yaml::Value* pin = endpoints == nullptr ? nullptr : yaml::find(*endpoints, "pin");
  std::string changed;
  if (pin != nullptr) {
    const std::size_t begin = offset_of(text, pin->at);
    changed = with(text, begin, written_length(text, begin, *pin), fmt::format("\"{}\"", version));
  } else {
    changed = with_new_pin(text, endpoints, fmt::format("pin: \"{}\"", version));
  }
  const auto again = read_inventory(Source(source.name(), changed));
  if (!again || again->endpoints.from != From::pin || again->endpoints.pin != version)
    return refuse("the pin cannot be put in here without changing something else: write it yourself");
  return changed;
}

}  // namespace aclmend::inventory
