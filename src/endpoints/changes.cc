// Records of changes carried out on a list, and worked out from two. A record is carried out only where the
// list is as the record says it was: the service's records and a list may come from different days or files,
// and a range that is wrongly dropped would be called needless.
#include "endpoints/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "endpoints/ports.h"

namespace aclmend::endpoints {
namespace {

using Rows = std::map<std::uint32_t, Row>;

std::string shown(const Prefix& prefix) { return to_string(prefix); }
std::string shown(const std::string& name) { return name.substr(0, 100); }
std::string shown(const PortSet& ports) { return ports.empty() ? "none" : comma_list(ports); }
std::string shown(const std::optional<bool>& truth) {
  if (!truth) return "nothing";
  return *truth ? "true" : "false";
}

template <class T>
void make_canonical(std::vector<T>& entries) {
  std::ranges::sort(entries);
  entries.erase(std::ranges::unique(entries).begin(), entries.end());
}

Rows canonical_rows(std::span<const Row> rows) {
  Rows all;
  for (const Row& row : rows) {
    Row& one = all.emplace(row.id, row).first->second;
    make_canonical(one.ips);
    make_canonical(one.urls);
  }
  return all;
}

// ---- one record carried out; what is returned is why it cannot be, or nothing

// `entries` is sorted, and stays so.
template <class T>
std::string exchange(std::vector<T>& entries, std::vector<T> added, std::vector<T> removed,
                     std::uint32_t row) {
  make_canonical(added);
  make_canonical(removed);
  for (const T& one : removed)
    if (!std::ranges::binary_search(entries, one))
      return fmt::format("{} is to leave row {} and does not stand in it", shown(one), row);
  for (const T& one : added)
    if (std::ranges::binary_search(entries, one))
      return fmt::format("{} is to be added to row {} and stands in it already", shown(one), row);
  std::erase_if(entries, [&](const T& one) { return std::ranges::binary_search(removed, one); });
  entries.insert(entries.end(), added.begin(), added.end());
  std::ranges::sort(entries);
  return {};
}

// A term that a row may leave unsaid: `unsaid` is how.
template <class T>
std::string change_term(T& term, const std::optional<T>& previous, const std::optional<T>& current,
                        const T& unsaid, std::string_view name) {
  if (previous && term != unsaid && term != *previous)
    return fmt::format("it says that {} was {}, and the row says {}", name, shown(*previous), shown(term));
  if (!previous && current && term != unsaid && term != *current)
    return fmt::format("it makes {} {} and does not say what it was; the row says {}", name, shown(*current),
                       shown(term));
  if (current) term = *current;
  else if (previous) term = unsaid;
  return {};
}

std::string change_terms(Row& row, const Terms& previous, const Terms& current) {
  const auto stated = [](const std::optional<bool>& truth) {
    return truth ? std::optional(truth) : std::optional<std::optional<bool>>();
  };
  const std::string none;
  for (std::string reason :
       {change_term(row.service_area, previous.service_area, current.service_area, none, "the service area"),
        change_term(row.category, previous.category, current.category, none, "the category"),
        change_term(row.tcp_ports, previous.tcp_ports, current.tcp_ports, PortSet(), "tcpPorts"),
        change_term(row.udp_ports, previous.udp_ports, current.udp_ports, PortSet(), "udpPorts"),
        change_term(row.required, stated(previous.required), stated(current.required), std::optional<bool>(),
                    "required")})
    if (!reason.empty()) return reason;
  return {};
}

// What decode() refuses of a list, a record may not make of one.
std::string unsound(const Row& row) {
  if (row.service_area.empty()) return fmt::format("row {} would have no service area", row.id);
  if (!row.ips.empty() && row.tcp_ports.empty() && row.udp_ports.empty())
    return fmt::format("row {} would have addresses and no ports", row.id);
  return {};
}

std::string change(Row& row, const ChangeRecord& record) {
  if (auto why = exchange(row.ips, record.added_ips, record.removed_ips, row.id); !why.empty()) return why;
  if (auto why = exchange(row.urls, record.added_urls, record.removed_urls, row.id); !why.empty()) return why;
  if (auto why = change_terms(row, record.previous, record.current); !why.empty()) return why;
  return unsound(row);
}

std::string add(Rows& rows, const ChangeRecord& record) {
  if (rows.contains(record.row)) return fmt::format("row {} is to be added and is there already", record.row);
  if (record.previous != Terms()) return "a row that is added has no previous terms";
  Row row;
  row.id = record.row;
  if (auto why = change(row, record); !why.empty()) return why;
  rows.emplace(row.id, std::move(row));
  return {};
}

std::string remove(Rows& rows, const ChangeRecord& record) {
  const auto found = rows.find(record.row);
  if (found == rows.end()) return fmt::format("row {} is to be removed and is not there", record.row);
  if (!record.added_ips.empty() || !record.added_urls.empty()) return "a row that is removed gains nothing";
  Row left = found->second;
  if (auto why = exchange(left.ips, {}, record.removed_ips, left.id); !why.empty()) return why;
  if (auto why = exchange(left.urls, {}, record.removed_urls, left.id); !why.empty()) return why;
  // Removed as a whole, or with everything that it holds: nothing else may go with it unsaid.
  const bool says_what = !record.removed_ips.empty() || !record.removed_urls.empty();
  if (says_what && !left.ips.empty())
    return fmt::format("row {} is to be removed and also holds {}", left.id, shown(left.ips.front()));
  if (says_what && !left.urls.empty())
    return fmt::format("row {} is to be removed and also holds {}", left.id, shown(left.urls.front()));
  rows.erase(found);
  return {};
}

std::string carry_out(Rows& rows, const ChangeRecord& record) {
  switch (record.disposition) {
    case Disposition::add: return add(rows, record);
    case Disposition::remove: return remove(rows, record);
    case Disposition::change: break;
  }
  const auto found = rows.find(record.row);
  if (found == rows.end()) return fmt::format("row {} is to be changed and is not there", record.row);
  Row changed = found->second;
  if (auto why = change(changed, record); !why.empty()) return why;
  found->second = std::move(changed);
  return {};
}

// ---- derived

template <class T>
std::vector<T> without(const std::vector<T>& entries, const std::vector<T>& others) {
  std::vector<T> left;
  std::ranges::set_difference(entries, others, std::back_inserter(left));
  return left;
}

Terms all_terms(const Row& row) {
  Terms terms;
  if (!row.service_area.empty()) terms.service_area = row.service_area;
  if (!row.category.empty()) terms.category = row.category;
  terms.required = row.required;
  if (!row.tcp_ports.empty()) terms.tcp_ports = row.tcp_ports;
  if (!row.udp_ports.empty()) terms.udp_ports = row.udp_ports;
  return terms;
}

// Those of `terms` that `others` do not state alike.
Terms terms_beside(Terms terms, const Terms& others) {
  if (terms.service_area == others.service_area) terms.service_area.reset();
  if (terms.category == others.category) terms.category.reset();
  if (terms.required == others.required) terms.required.reset();
  if (terms.tcp_ports == others.tcp_ports) terms.tcp_ports.reset();
  if (terms.udp_ports == others.udp_ports) terms.udp_ports.reset();
  return terms;
}

ChangeRecord between(const Row& before, const Row& after, Disposition disposition) {
  ChangeRecord record;
  record.row = after.id;
  record.disposition = disposition;
  record.added_ips = without(after.ips, before.ips);
  record.removed_ips = without(before.ips, after.ips);
  record.added_urls = without(after.urls, before.urls);
  record.removed_urls = without(before.urls, after.urls);
  if (disposition == Disposition::remove) return record;
  record.previous = terms_beside(all_terms(before), all_terms(after));
  record.current = terms_beside(all_terms(after), all_terms(before));
  return record;
}

Row no_row(std::uint32_t id) {
  Row row;
  row.id = id;
  return row;
}

// ---- compared

template <class T>
void tell(std::vector<RowDifference>& all, std::uint32_t row, std::string_view name, const T& made,
          const T& held) {
  if (made != held) all.push_back({row, fmt::format("{}: {} and not {}", name, shown(made), shown(held))});
}

template <class T>
void tell_entries(std::vector<RowDifference>& all, std::uint32_t row, std::string_view name,
                  const std::vector<T>& made, const std::vector<T>& held) {
  for (const T& one : without(held, made))
    all.push_back({row, fmt::format("{}: {} is missing", name, shown(one))});
  for (const T& one : without(made, held))
    all.push_back({row, fmt::format("{}: {} is too many", name, shown(one))});
}

}  // namespace

std::string_view to_string(Disposition disposition) {
  switch (disposition) {
    case Disposition::add: return "add";
    case Disposition::change: return "change";
    case Disposition::remove: return "remove";
  }
  return "";
}

std::string title(const ChangeRecord& record) {
  return fmt::format("row {}, record {} of {}", record.row, record.id, record.version);
}

Result<Applied> apply(const Release& release, std::span<const ChangeRecord> records,
                      std::string_view version) {
  if (release.completeness != Completeness::whole)
    return fail(
        fmt::format("{}: not all of its rows are known, so changes cannot be followed", title(release)));
  if (!is_version(release.version))
    return fail(fmt::format("{}: it has no version, so what came after it cannot be told", title(release)));
  if (!is_version(version) || version < release.version)
    return fail(fmt::format("{}: expected a version after it, found '{}'", title(release), version));
  Rows rows = canonical_rows(release.rows);
  Applied applied{.release = release, .not_applied = {}};
  for (const ChangeRecord& record : records) {
    if (record.version <= release.version || record.version > version) continue;
    if (std::string why = carry_out(rows, record); !why.empty())
      applied.not_applied.push_back({.record = record, .reason = std::move(why)});
  }
  applied.release.version = version;
  applied.release.as_of =
      fmt::format("{}-{}-{}", version.substr(0, 4), version.substr(4, 2), version.substr(6, 2));
  applied.release.rows.clear();
  for (auto& [id, row] : rows) applied.release.rows.push_back(std::move(row));
  return applied;
}

std::vector<ChangeRecord> derive(const Release& before, const Release& after) {
  const Rows was = canonical_rows(before.rows), is = canonical_rows(after.rows);
  std::vector<ChangeRecord> records;
  const auto keep = [&](ChangeRecord record) {
    record.id = static_cast<std::uint32_t>(records.size() + 1);
    record.version = after.version;
    records.push_back(std::move(record));
  };
  for (const auto& [id, row] : was)
    if (!is.contains(id)) keep(between(row, no_row(id), Disposition::remove));
  for (const auto& [id, row] : is) {
    const auto same = was.find(id);
    if (same == was.end()) keep(between(no_row(id), row, Disposition::add));
    else if (same->second != row) keep(between(same->second, row, Disposition::change));
  }
  return records;
}

std::vector<RowDifference> differences(const Release& made, const Release& held) {
  const Rows a = canonical_rows(made.rows), b = canonical_rows(held.rows);
  std::vector<RowDifference> all;
  for (const auto& [id, row] : b)
    if (!a.contains(id)) all.push_back({id, "the row is missing"});
  for (const auto& [id, row] : a) {
    const auto same = b.find(id);
    if (same == b.end()) {
      all.push_back({id, "the row is too many"});
      continue;
    }
    const Row& other = same->second;
    tell_entries(all, id, "ips", row.ips, other.ips);
    tell_entries(all, id, "urls", row.urls, other.urls);
    tell(all, id, "service area", row.service_area, other.service_area);
    tell(all, id, "category", row.category, other.category);
    tell(all, id, "tcpPorts", row.tcp_ports, other.tcp_ports);
    tell(all, id, "udpPorts", row.udp_ports, other.udp_ports);
    tell(all, id, "required", row.required, other.required);
  }
  std::ranges::stable_sort(all, {}, &RowDifference::row);
  return all;
}

}  // namespace aclmend::endpoints
