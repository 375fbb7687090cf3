// Ids and rows are Microsoft's bookkeeping: "25,53,80,443" in row 2 became "443" in row 2 and "25" in row 27.
// Who permits TCP 25 asks which addresses TCP 25 had and has. So the ports are cut wherever a row of either
// list begins or ends, and each piece is compared over all rows that hold it.
#include "endpoints/purposes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "endpoints/ports.h"

namespace aclmend::endpoints {
namespace {

using Port = std::uint16_t;
using Members = std::vector<const Row*>;

struct Protocol {
  std::string_view name;
  PortSet Row::* ports;
};
constexpr Protocol protocols[] = {{"tcp", &Row::tcp_ports}, {"udp", &Row::udp_ports}};

// Ports that the same rows of both lists hold.
struct Piece {
  std::vector<Interval<Port>> ports;  // ascending
  Members before, after;
};

Members with_addresses(std::span<const Row> rows, const std::string& area) {
  Members members;
  for (const Row& row : rows)
    if (row.service_area == area && !row.ips.empty()) members.push_back(&row);
  return members;
}

Members holding(const Members& rows, PortSet Row::* ports, Port port) {
  Members members;
  for (const Row* row : rows)
    if ((row->*ports).contains(port)) members.push_back(row);
  return members;
}

std::vector<Piece> pieces(const Members& before, const Members& after, PortSet Row::* ports) {
  std::set<std::uint32_t> cuts;
  for (const Members* rows : {&before, &after})
    for (const Row* row : *rows)
      for (const auto& [first, last] : (row->*ports).intervals()) {
        cuts.insert(first);
        cuts.insert(last + 1U);
      }
  std::vector<Piece> all;
  std::map<std::pair<Members, Members>, std::size_t> piece_of;
  for (auto cut = cuts.begin(); cut != cuts.end() && std::next(cut) != cuts.end(); ++cut) {
    const auto first = static_cast<Port>(*cut), last = static_cast<Port>(*std::next(cut) - 1);
    Members held = holding(before, ports, first), holds = holding(after, ports, first);
    if (held.empty() && holds.empty()) continue;
    const auto [place, is_new] = piece_of.try_emplace({held, holds}, all.size());
    if (is_new) all.push_back({.ports = {}, .before = std::move(held), .after = std::move(holds)});
    all[place->second].ports.push_back({first, last});
  }
  return all;
}

AddressSet addresses_of(const Members& rows) {
  std::vector<Prefix> all;
  for (const Row* row : rows) all.insert(all.end(), row->ips.begin(), row->ips.end());
  return AddressSet::of(all);
}

std::vector<std::uint32_t> ids_of(const Members& rows) {
  std::vector<std::uint32_t> ids;
  for (const Row* row : rows) ids.push_back(row->id);
  std::ranges::sort(ids);
  return ids;
}

bool same_rows(const Members& a, const Members& b) {
  return std::ranges::equal(
      a, b, [](const Row* one, const Row* other) { return one->id == other->id && one->ips == other->ips; });
}

// None: its addresses and its rows stayed.
std::optional<PurposeChange> compare(const Piece& piece, const std::set<std::uint32_t>& all_ids) {
  if (same_rows(piece.before, piece.after)) return std::nullopt;
  const AddressSet was = addresses_of(piece.before), is = addresses_of(piece.after);
  PurposeChange result;
  result.added = is - was;
  result.removed = was - is;
  result.was_ids = ids_of(piece.before);
  result.ids = ids_of(piece.after);
  if (was.empty()) result.change = Change::added;
  else if (is.empty()) result.change = Change::removed;
  else if (!result.added.empty() && !result.removed.empty()) result.change = Change::replaced;
  else if (!result.added.empty()) result.change = Change::widened;
  else if (!result.removed.empty()) result.change = Change::narrowed;
  else if (result.was_ids == result.ids) return std::nullopt;
  else if (result.was_ids.size() == 1 && result.ids.size() == 1 && !all_ids.contains(result.was_ids.front()))
    result.change = Change::renumbered;
  else result.change = Change::moved;
  return result;
}

}  // namespace

std::vector<PurposeChange> purpose_changes(std::span<const Row> before, std::span<const Row> after) {
  std::set<std::string> areas;
  std::set<std::uint32_t> ids_now;
  for (const auto& rows : {before, after})
    for (const Row& row : rows) areas.insert(row.service_area);
  for (const Row& row : after) ids_now.insert(row.id);
  std::vector<PurposeChange> changes;
  for (const std::string& area : areas) {
    const Members old_rows = with_addresses(before, area), new_rows = with_addresses(after, area);
    for (const auto& [protocol, ports] : protocols)
      for (const Piece& piece : pieces(old_rows, new_rows, ports)) {
        auto change = compare(piece, ids_now);
        if (!change) continue;
        change->service_area = area;
        change->service = fmt::format("{}/{}", protocol, comma_list(PortSet::of(piece.ports)));
        changes.push_back(std::move(*change));
      }
  }
  return changes;
}

}  // namespace aclmend::endpoints
