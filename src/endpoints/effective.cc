// Which published ranges are used only later. /endpoints says nothing of dates; a record of /changes gives
// one to what it adds. Whatever shows that a range was used before wins, so that a range is never taken for a
// coming one by mistake: that would make a missing range look harmless.
#include <algorithm>
#include <map>

#include "endpoints/changes.h"

namespace aclmend::endpoints {
namespace {

struct Before {
  std::map<std::uint32_t, Row> rows;
  AddressSet removed;  // of rows whose terms nobody tells
};

// A term as it was, where the record tells; what it states now and not before was not there.
template <class T>
void go_back(T& term, const std::optional<T>& previous, const std::optional<T>& current) {
  if (previous) term = *previous;
  else if (current) term = T();
}

void go_back(Before& state, const ChangeRecord& record) {
  if (record.disposition == Disposition::add) {
    state.rows.erase(record.row);
    return;
  }
  if (record.disposition == Disposition::remove) {
    // Its terms are told seldom: what it held counts for every selection.
    state.removed |= AddressSet::of(record.removed_ips);
    return;
  }
  const auto found = state.rows.find(record.row);
  if (found == state.rows.end()) {
    state.removed |= AddressSet::of(record.removed_ips);
    return;
  }
  Row& row = found->second;
  std::vector<Prefix> added = record.added_ips;
  std::ranges::sort(added);
  std::erase_if(row.ips, [&](const Prefix& ip) { return std::ranges::binary_search(added, ip); });
  row.ips.insert(row.ips.end(), record.removed_ips.begin(), record.removed_ips.end());
  go_back(row.service_area, record.previous.service_area, record.current.service_area);
  go_back(row.tcp_ports, record.previous.tcp_ports, record.current.tcp_ports);
  go_back(row.udp_ports, record.previous.udp_ports, record.current.udp_ports);
}

AddressSet chosen(const Selection& selection, const std::map<std::uint32_t, Row>& rows) {
  AddressSet all;
  for (const auto& [id, row] : rows)
    if (selects(selection, row)) all |= addresses(row);
  return all;
}

// What was in use before a version, seen from the release: the records since then undone, the newest first.
AddressSet in_use_before(const Release& release, std::span<const ChangeRecord* const> records,
                         std::string_view version, const Selection& selection) {
  Before state;
  for (const Row& row : release.rows) state.rows.emplace(row.id, row);
  for (auto record = records.rbegin(); record != records.rend(); ++record)
    if ((*record)->version >= version) go_back(state, **record);
  return chosen(selection, state.rows) | state.removed;
}

}  // namespace

NotYet not_yet(const Release& release, std::span<const ChangeRecord> records, std::string_view day,
               const Selection& selection) {
  const auto is_chosen = [&](const ChangeRecord& record) {
    const auto row = std::ranges::find(release.rows, record.row, &Row::id);
    return row != release.rows.end() && selects(selection, *row);
  };
  std::vector<const ChangeRecord*> known, later;
  for (const ChangeRecord& record : records)
    if (release.version.empty() || record.version <= release.version) known.push_back(&record);
  std::ranges::stable_sort(known, {}, &ChangeRecord::version);
  for (const ChangeRecord* record : known)
    if (!record->added_ips.empty() && record->effective > day && is_chosen(*record)) later.push_back(record);
  if (later.empty()) return {};

  const std::string_view first = later.front()->version;
  AddressSet in_use = in_use_before(release, known, first, selection);
  for (const ChangeRecord* record : known)
    if (record->version >= first && record->effective <= day && is_chosen(*record))
      in_use |= AddressSet::of(record->added_ips);

  std::map<std::uint32_t, Row> now;
  for (const Row& row : release.rows) now.emplace(row.id, row);
  AddressSet open = chosen(selection, now) - in_use;
  std::ranges::stable_sort(later, {}, &ChangeRecord::effective);
  NotYet result;
  for (const ChangeRecord* record : later) {
    AddressSet part = AddressSet::of(record->added_ips) & open;
    if (part.empty()) continue;
    open -= part;
    result.addresses |= part;
    if (!result.parts.empty() && result.parts.back().effective == record->effective &&
        result.parts.back().version == record->version)
      result.parts.back().addresses |= part;
    else
      result.parts.push_back(
          {.effective = record->effective, .version = record->version, .addresses = std::move(part)});
  }
  return result;
}

}  // namespace aclmend::endpoints
