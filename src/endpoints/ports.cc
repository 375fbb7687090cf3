#include "endpoints/ports.h"

#include <fmt/format.h>

#include "base/text.h"

namespace aclmend::endpoints {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_decimal<std::uint16_t>(trimmed(text));
  return port == 0 ? std::nullopt : port;
}

}  // namespace

Result<PortSet> parse_ports(std::string_view text) {
  PortSet ports;
  if (trimmed(text).empty()) return ports;
  std::vector<Interval<std::uint16_t>> intervals;
  for (const std::string_view item : split(text, ',')) {
    const std::size_t dash = item.find('-');
    const auto first = parse_port(item.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_port(item.substr(dash + 1));
    if (!first || !last || *first > *last)
      return fail(fmt::format("expected ports such as '80,443' or '50000-59999', found '{}'",
                              trimmed(item).substr(0, 60)));
    intervals.push_back({*first, *last});
  }
  return PortSet::of(std::move(intervals));
}

std::string comma_list(const PortSet& ports) {
  std::string text;
  for (const auto& [first, last] : ports.intervals()) {
    text += fmt::format("{}{}", text.empty() ? "" : ",", first);
    if (last != first) text += fmt::format("-{}", last);
  }
  return text;
}

}  // namespace aclmend::endpoints
