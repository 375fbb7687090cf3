// A list as JSON in the service's own form, so that decode() reads it like an answer: for releases that were
// made and not received. Rows by id, ranges and names sorted: equal lists have equal bytes.
#include <fmt/format.h>

#include <algorithm>

#include "endpoints/import.h"
#include "endpoints/ports.h"

namespace aclmend::endpoints {
namespace {

std::string quoted(std::string_view text) {
  std::string all = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') all += '\\';
    if (static_cast<unsigned char>(c) < 0x20) all += fmt::format("\\u{:04x}", static_cast<int>(c));
    else all += c;
  }
  return all + '"';
}

std::string list_of(std::vector<std::string> texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ",") + quoted(text);
  return '[' + all + ']';
}

std::string encoded(const Row& row) {
  std::string text = fmt::format("{{\"id\":{},\"serviceArea\":{}", row.id, quoted(row.service_area));
  const auto add = [&](std::string_view key, const std::string& value) {
    text += fmt::format(",\"{}\":{}", key, value);
  };
  std::vector<std::string> urls = row.urls;
  std::ranges::sort(urls);
  std::vector<Prefix> ips = row.ips;
  std::ranges::sort(ips);
  if (!urls.empty()) add("urls", list_of(std::move(urls)));
  if (!ips.empty()) add("ips", list_of(to_strings(ips)));
  if (!row.tcp_ports.empty()) add("tcpPorts", quoted(comma_list(row.tcp_ports)));
  if (!row.udp_ports.empty()) add("udpPorts", quoted(comma_list(row.udp_ports)));
  if (!row.category.empty()) add("category", quoted(row.category));
  if (row.required) add("required", *row.required ? "true" : "false");
  return text + '}';
}

}  // namespace

std::string encode(const Release& release) {
  std::vector<const Row*> rows;
  for (const Row& row : release.rows) rows.push_back(&row);
  std::ranges::sort(rows, {}, &Row::id);
  std::string text;
  for (const Row* row : rows) text += (text.empty() ? "[\n" : ",\n") + encoded(*row);
  return text + (text.empty() ? "[]\n" : "\n]\n");
}

}  // namespace aclmend::endpoints
