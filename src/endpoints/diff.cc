// Two lists compared by what they cover. Ids are said to be immutable, yet rows are folded together and
// split: what has no partner by id is looked for by meaning, which is area, ports, addresses and names.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "endpoints/purposes.h"
#include "endpoints/result.h"

namespace aclmend::endpoints {
namespace {

enum class Known : std::uint8_t { everything, addresses_and_ports };
enum class Ids : std::uint8_t { same, exchanged, shared };  // shared: one of two lives on in the other list

struct Measured {  // a row with its addresses as a set
  const Row* row = nullptr;
  AddressSet addresses;
};

std::vector<Measured> measured(std::span<const Row> rows) {
  std::vector<Measured> all;
  for (const Row& row : rows) all.push_back({&row, addresses(row)});
  return all;
}

// How much of `part`'s content `whole` holds, in percent of its prefixes and names; 0 for another area or
// other ports.
std::size_t share_held(const Measured& part, const Measured& whole) {
  const Row& a = *part.row;
  const Row& b = *whole.row;
  if (a.service_area != b.service_area) return 0;
  if (!a.tcp_ports.intersects(b.tcp_ports) && !a.udp_ports.intersects(b.udp_ports)) return 0;
  std::size_t held = 0;
  for (const Prefix& ip : a.ips) held += whole.addresses.covers(AddressSet(ip)) ? 1U : 0U;
  for (const std::string& url : a.urls) held += std::ranges::count(b.urls, url) != 0 ? 1U : 0U;
  const std::size_t all = a.ips.size() + a.urls.size();
  return all == 0 ? 0 : held * 100 / all;
}

// The row that holds at least half of what the other holds, the best of them; from either side, since a row
// may have been folded into a larger one or split off it.
const Measured* same_meaning(const Measured& row, std::span<const Measured> others) {
  const Measured* best = nullptr;
  std::size_t most = 49;
  for (const Measured& other : others) {
    const std::size_t share = std::max(share_held(row, other), share_held(other, row));
    if (share > most) best = &other;
    most = std::max(most, share);
  }
  return best;
}

bool same_names(const Row& a, const Row& b) {
  auto sorted = [](std::vector<std::string> names) {
    std::ranges::sort(names);
    names.erase(std::ranges::unique(names).begin(), names.end());
    return names;
  };
  return sorted(a.urls) == sorted(b.urls);
}

bool same_terms(const Row& a, const Row& b) {
  const bool category = a.category.empty() || b.category.empty() || a.category == b.category;
  const bool required = !a.required || !b.required || a.required == b.required;
  return category && required && a.service_area == b.service_area;
}

std::optional<Change> change_between(const Row& before, const Row& after, const AddressSet& added,
                                     const AddressSet& removed, Known known, Ids ids) {
  if (before.id != after.id) {
    const bool same = added.empty() && removed.empty() && before.tcp_ports == after.tcp_ports &&
                      before.udp_ports == after.udp_ports && same_names(before, after) &&
                      same_terms(before, after);
    return same && ids == Ids::exchanged ? Change::renumbered : Change::moved;
  }
  if (!added.empty() && !removed.empty()) return Change::replaced;
  if (!added.empty()) return Change::widened;
  if (!removed.empty()) return Change::narrowed;
  if (before.tcp_ports != after.tcp_ports || before.udp_ports != after.udp_ports) return Change::ports;
  if (known == Known::addresses_and_ports) return std::nullopt;
  if (!same_names(before, after)) return Change::urls;
  if (!same_terms(before, after)) return Change::terms;
  return std::nullopt;
}

std::optional<RowChange> compare(const Measured& before, const Measured& after, Known known, Ids ids) {
  AddressSet added = after.addresses - before.addresses;
  AddressSet removed = before.addresses - after.addresses;
  const auto change = change_between(*before.row, *after.row, added, removed, known, ids);
  if (!change) return std::nullopt;
  RowChange result;
  result.change = *change;
  result.id = after.row->id;
  if (before.row->id != after.row->id) result.was_id = before.row->id;
  result.added = std::move(added);
  result.removed = std::move(removed);
  result.before = *before.row;
  result.after = *after.row;
  return result;
}

RowChange came(const Measured& row) {
  RowChange result;
  result.change = Change::added;
  result.id = row.row->id;
  result.added = row.addresses;
  result.after = *row.row;
  return result;
}

RowChange went(const Measured& row) {
  RowChange result;
  result.change = Change::removed;
  result.id = row.row->id;
  result.removed = row.addresses;
  result.before = *row.row;
  return result;
}

std::vector<RowChange> row_changes(std::span<const Row> old_rows, std::span<const Row> new_rows,
                                   Known known) {
  const std::vector<Measured> before = measured(old_rows), after = measured(new_rows);
  std::map<std::uint32_t, const Measured*> old_by_id, new_by_id;
  for (const Measured& row : before) old_by_id.emplace(row.row->id, &row);
  for (const Measured& row : after) new_by_id.emplace(row.row->id, &row);

  std::vector<RowChange> changes;
  const auto add = [&changes](std::optional<RowChange> change) {
    if (change) changes.push_back(std::move(*change));
  };
  std::vector<const Row*> followed;  // old rows whose move is told already
  for (const Measured& row : after) {
    if (const auto same = old_by_id.find(row.row->id); same != old_by_id.end()) {
      add(compare(*same->second, row, known, Ids::same));
    } else if (const Measured* from = same_meaning(row, before)) {
      const bool is_gone = !new_by_id.contains(from->row->id);
      add(compare(*from, row, known, is_gone ? Ids::exchanged : Ids::shared));
      followed.push_back(from->row);
    } else {
      changes.push_back(came(row));
    }
  }
  for (const Measured& row : before) {
    if (new_by_id.contains(row.row->id) || std::ranges::count(followed, row.row) != 0) continue;
    if (const Measured* into = same_meaning(row, after)) add(compare(row, *into, known, Ids::shared));
    else changes.push_back(went(row));
  }
  std::ranges::sort(changes, {}, [](const RowChange& change) { return std::pair(change.id, change.was_id); });
  return changes;
}

Result<std::vector<Row>> rows_of(const Release& release, const std::optional<Selection>& selection) {
  if (!selection && release.completeness == Completeness::smtp_rows)
    return fail(fmt::format("{}: all rows cannot be compared", title(release)));
  if (!selection) return release.rows;
  TRY(selected, select(release, *selection));
  return selected.rows;
}

}  // namespace

Result<Difference> diff(const Release& before, const Release& after,
                        const std::optional<Selection>& selection) {
  TRY(old_rows, rows_of(before, selection));
  TRY(new_rows, rows_of(after, selection));
  const bool partly =
      before.completeness == Completeness::smtp_rows || after.completeness == Completeness::smtp_rows;
  const AddressSet was = addresses(old_rows), is = addresses(new_rows);
  Difference difference;
  difference.added = is - was;
  difference.removed = was - is;
  difference.rows = row_changes(old_rows, new_rows, partly ? Known::addresses_and_ports : Known::everything);
  difference.purposes = purpose_changes(old_rows, new_rows);
  return difference;
}

}  // namespace aclmend::endpoints
