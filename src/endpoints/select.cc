// Rows are chosen by what they are, never by id: ids differ between instances and content moves between them.
#include <fmt/format.h>

#include "endpoints/result.h"

namespace aclmend::endpoints {
namespace {

// Can the SMTP rows alone answer it?
bool asks_for_smtp_rows(const Selection& selection) {
  return selection.service_area == "Exchange" && selection.tcp_port == 25 && selection.has_ips;
}

}  // namespace

AddressSet addresses(const Row& row) { return AddressSet::of(row.ips); }

AddressSet addresses(std::span<const Row> rows) {
  std::vector<Prefix> all;
  for (const Row& row : rows) all.insert(all.end(), row.ips.begin(), row.ips.end());
  return AddressSet::of(all);
}

Selection smtp_selection() {
  return {.service_area = "Exchange", .tcp_port = 25, .udp_port = std::nullopt, .has_ips = true};
}

bool selects(const Selection& selection, const Row& row) {
  if (!selection.service_area.empty() && row.service_area != selection.service_area) return false;
  if (selection.tcp_port && !row.tcp_ports.contains(*selection.tcp_port)) return false;
  if (selection.udp_port && !row.udp_ports.contains(*selection.udp_port)) return false;
  return !selection.has_ips || !row.ips.empty();
}

Result<Selected> select(const Release& release, const Selection& selection) {
  if (release.completeness == Completeness::smtp_rows && !asks_for_smtp_rows(selection))
    return fail(fmt::format("{}: the {} cannot be told from it; give a file of that version (--endpoints)",
                            title(release), to_string(selection)));
  Selected chosen;
  for (const Row& row : release.rows)
    if (selects(selection, row)) chosen.rows.push_back(row);
  if (chosen.rows.empty())
    return fail(fmt::format("{} holds no {}; a list cut to other service areas, or of another instance?",
                            title(release), to_string(selection)));
  chosen.addresses = addresses(chosen.rows);
  return chosen;
}

}  // namespace aclmend::endpoints
