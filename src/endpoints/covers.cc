// Is an address published, in which row, since when? For people who would otherwise compare prefixes by eye.
#include <fmt/format.h>

#include <algorithm>

#include "endpoints/result.h"

namespace aclmend::endpoints {
namespace {

std::vector<Row> chosen_rows(const Release& release, const std::optional<Selection>& selection) {
  std::vector<Row> rows;
  for (const Row& row : release.rows)
    if (!selection || selects(*selection, row)) rows.push_back(row);
  return rows;
}

struct Search {
  AddressSet wanted;
  std::vector<Listing> in_force;
  std::vector<Listing> former;
};

void look_in(const Release& release, const std::optional<Selection>& selection, Search& search) {
  std::vector<Listing> here = listings(release, chosen_rows(release, selection));
  std::erase_if(here, [&](const Listing& one) { return !search.wanted.intersects(AddressSet(one.prefix)); });
  const bool smtp_counts = !selection || selection->tcp_port == 25;
  for (const Listing& one : history(release.instance))
    if (smtp_counts && one.until && search.wanted.intersects(AddressSet(one.prefix)) &&
        std::ranges::find(here, one) == here.end())
      search.former.push_back(one);
  search.in_force.insert(search.in_force.end(), here.begin(), here.end());
}

Asked answer(const Prefix& prefix, std::span<const AddressSet> published) {
  Asked best{.prefix = prefix, .covered = {}, .missing = AddressSet(prefix)};
  for (const AddressSet& list : published) {
    AddressSet missing = AddressSet(prefix) - list;
    if (!best.missing.covers(missing) || missing == best.missing) continue;
    best.covered = AddressSet(prefix) & list;
    best.missing = std::move(missing);
  }
  return best;
}

// What the asked addresses are besides published or not: in part, elsewhere than mail, the relay pool.
std::vector<std::string> notes_on(std::span<const Asked> answers, std::span<const Release> in_force,
                                  const std::optional<Selection>& selection) {
  std::vector<std::string> notes;
  AddressSet wanted, published, by_smtp;
  for (const Asked& asked : answers) {
    wanted |= AddressSet(asked.prefix);
    published |= asked.covered;
    if (!asked.covered.empty() && !asked.missing.empty())
      notes.push_back(fmt::format("{} is published in part: {} is, {} is not", to_string(asked.prefix),
                                  to_string(asked.covered), to_string(asked.missing)));
  }
  for (const Release& release : in_force) by_smtp |= addresses(chosen_rows(release, smtp_selection()));
  if (const AddressSet other = published - by_smtp; !selection && !other.empty())
    notes.push_back(fmt::format("{} is published, but in no SMTP row (Exchange, TCP 25)", to_string(other)));
  if (wanted.intersects(relay_pool()))
    notes.push_back(
        fmt::format("{} is Microsoft's relay pool: it sends relayed and forwarded mail, and no list holds it",
                    to_string(relay_pool())));
  for (const Release& release : in_force) {
    if (!published.intersects(addresses(chosen_rows(release, selection)))) continue;
    for (const std::string& remark : release.remarks)
      notes.push_back(fmt::format("{}: {}", to_string(release.instance), remark));
  }
  return notes;
}

}  // namespace

Coverage covers(std::span<const Prefix> asked, std::span<const Release> in_force,
                const std::optional<Selection>& selection) {
  Search search{.wanted = AddressSet::of(asked), .in_force = {}, .former = {}};
  std::vector<AddressSet> published;
  for (const Release& release : in_force) {
    published.push_back(addresses(chosen_rows(release, selection)));
    look_in(release, selection, search);
  }
  Coverage coverage;
  for (const Prefix& prefix : asked) coverage.asked.push_back(answer(prefix, published));
  coverage.covered =
      std::ranges::all_of(coverage.asked, [](const Asked& one) { return one.missing.empty(); });
  coverage.rows = std::move(search.in_force);
  coverage.rows.insert(coverage.rows.end(), search.former.begin(), search.former.end());
  coverage.notes = notes_on(coverage.asked, in_force, selection);
  return coverage;
}

}  // namespace aclmend::endpoints
