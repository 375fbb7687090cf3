// An answer of /endpoints: a JSON array of rows ("Microsoft 365 IP Address and URL web service"). What is odd
// in real ones: blanks in port lists, ranges of ports, "" for no ports, keys that are absent or not
// documented, "true" as a text. A list that is only partly understood is refused: a smaller list would call a
// blocked range open.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "endpoints/decode_fields.h"
#include "endpoints/result.h"

namespace aclmend::endpoints {
namespace {

using Kind = JsonValue::Kind;

// The service's lists have up to 120 rows, 40 kB of text when they are small and 120 kB when large.
constexpr std::size_t most_rows = 2'000;
constexpr std::size_t most_entries = 50'000;     // prefixes and names together
constexpr std::size_t most_port_ranges = 1'000;  // of all rows; some 200 in the largest

constexpr std::string_view ask_instead = "; wanted is the answer of /endpoints/INSTANCE as JSON";

// What a JSON text is that is not a list of rows; empty: it may be.
std::string_view other_than_rows(const JsonValue& root) {
  const JsonValue& sample = root.kind == Kind::array && !root.items.empty() ? root.items.front() : root;
  if (sample.find("latest") != nullptr) return "an answer of /version, which says what versions there are";
  if (sample.find("endpointSetId") != nullptr || sample.find("disposition") != nullptr)
    return "an answer of /changes, which says what changed and not what stands in the list";
  if (root.kind == Kind::array && root.items.empty())
    return "an empty list; Microsoft publishes no empty one, so it is not taken for true";
  if (root.find("value") != nullptr) return "a list wrapped in an object; save its 'value' alone";
  if (root.kind != Kind::array) return "JSON, but no list of rows";
  return {};
}

Result<Row> row_of(const Source& source, const JsonValue& value) {
  if (value.kind != Kind::object)
    return refuse(source, value.offset, fmt::format("expected a row, found {}", to_string(value.kind)));
  const JsonValue* id = value.find("id");
  if (id == nullptr) return refuse(source, value.offset, "a row without 'id'");
  if (id->kind != Kind::whole_number || id->number > 1'000'000'000)
    return wrong_kind(source, *id, "id", "a whole number below 1,000,000,000");
  TRY(service_area, text_of(source, value, "serviceArea"));
  if (service_area.empty())
    return refuse(source, value.offset, fmt::format("row {} has no 'serviceArea'", id->number));
  TRY(tcp_ports, ports_of(source, value, "tcpPorts"));
  TRY(udp_ports, ports_of(source, value, "udpPorts"));
  TRY(ips, prefixes_of(source, value));
  TRY(urls, urls_of(source, value));
  TRY(category, text_of(source, value, "category"));
  TRY(required, truth_of(source, value, "required"));
  // No real row has addresses and no port; one that lost its ports would drop out of every selection unseen.
  if (!ips.empty() && tcp_ports.empty() && udp_ports.empty())
    return refuse(source, value.offset,
                  fmt::format("row {} has addresses, but neither 'tcpPorts' nor 'udpPorts'", id->number));
  return Row{.id = static_cast<std::uint32_t>(id->number),
             .service_area = std::move(service_area),
             .tcp_ports = std::move(tcp_ports),
             .udp_ports = std::move(udp_ports),
             .ips = std::move(ips),
             .urls = std::move(urls),
             .category = std::move(category),
             .required = required};
}

Result<std::vector<Row>> rows_of(const Source& source, const JsonValue& root) {
  if (root.items.size() > most_rows)
    return refuse(source, root.offset, fmt::format("more than {} rows", most_rows));
  std::vector<Row> rows;
  std::unordered_map<std::uint32_t, std::uint32_t> line_of_id;
  std::size_t entries = 0, port_ranges = 0;
  for (const JsonValue& item : root.items) {
    TRY(row, row_of(source, item));
    const std::uint32_t line = source.position(item.offset).line;
    if (const auto [first, is_new] = line_of_id.try_emplace(row.id, line); !is_new)
      return refuse(source, item.offset,
                    fmt::format("row id {} stands twice, first in line {}", row.id, first->second));
    entries += row.ips.size() + row.urls.size();
    if (entries > most_entries)
      return refuse(source, item.offset, fmt::format("more than {} prefixes and names", most_entries));
    port_ranges += row.tcp_ports.intervals().size() + row.udp_ports.intervals().size();
    if (port_ranges > most_port_ranges)
      return refuse(source, item.offset, fmt::format("more than {} ranges of ports", most_port_ranges));
    rows.push_back(std::move(row));
  }
  return rows;
}

bool holds_family(std::span<const Row> rows, Family family) {
  return std::ranges::any_of(rows, [family](const Row& row) {
    return std::ranges::any_of(row.ips, [family](const Prefix& ip) { return ip.address.family == family; });
  });
}

}  // namespace

Result<Release> decode(const Source& source, Instance instance) {
  const std::string_view text = source.text();
  if (text.size() > largest_text)
    return refuse(source, 0, fmt::format("larger than {} MiB{}", largest_text >> 20, ask_instead));
  if (const auto what = other_than_json(text); !what.empty())
    return refuse(source, 0, fmt::format("the file is {}{}", what, ask_instead));
  TRY(root, parse_json(source));
  if (const auto what = other_than_rows(root); !what.empty())
    return refuse(source, root.offset, fmt::format("the file is {}{}", what, ask_instead));
  TRY(rows, rows_of(source, root));
  Release release;
  release.instance = instance;
  release.origin = Origin::file;
  release.file = source.name();
  release.lines = source.line_count();
  release.sha256 = source.sha256();
  release.rows = std::move(rows);
  if (holds_family(release.rows, Family::ipv4) && !holds_family(release.rows, Family::ipv6))
    release.remarks.emplace_back("the list holds no IPv6 range; was it asked for with NoIPv6?");
  return release;
}

}  // namespace aclmend::endpoints
