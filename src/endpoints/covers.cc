// Is an address published, in which row, since when? For people who would otherwise compare prefixes by eye.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

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

// The usual cases, one list that holds it all or none that holds any of it, need no algebra.
Asked answer(const Prefix& prefix, std::span<const AddressSet> published) {
  const AddressSet whole(prefix);
  Asked best{.prefix = prefix, .covered = {}, .missing = whole, .rows = {}};
  for (const AddressSet& list : published) {
    if (list.covers(whole)) return {.prefix = prefix, .covered = whole, .missing = {}, .rows = {}};
    if (!list.intersects(whole)) continue;
    AddressSet missing = whole - list;
    if (!best.missing.covers(missing) || missing == best.missing) continue;
    best.covered = whole & list;
    best.missing = std::move(missing);
  }
  return best;
}

// Prefixes nest or are disjoint. By address and length each stands behind those that hold it; so what meets a
// prefix is the last one at or before it, with all that hold that one, and the run behind it that it holds.
class Places {
 public:
  explicit Places(std::span<const Listing> rows) {
    for (std::uint32_t i = 0; i < rows.size(); ++i) entries_.push_back({rows[i].prefix, i, none});
    std::ranges::sort(entries_, [](const Entry& a, const Entry& b) {
      return std::pair(a.prefix, a.row) < std::pair(b.prefix, b.row);
    });
    for (std::uint32_t i = 1; i < entries_.size(); ++i) {
      std::uint32_t holder = i - 1;
      while (holder != none && !holds(entries_[holder].prefix, entries_[i].prefix))
        holder = entries_[holder].holder;
      entries_[i].holder = holder;
    }
  }

  std::vector<std::uint32_t> meeting(const Prefix& asked) const {
    std::vector<std::uint32_t> rows;
    const auto behind = std::ranges::upper_bound(entries_, asked, {}, &Entry::prefix);
    const auto before = static_cast<std::uint32_t>(behind - entries_.begin());
    for (std::uint32_t at = before == 0 ? none : before - 1; at != none; at = entries_[at].holder)
      if (holds(entries_[at].prefix, asked)) rows.push_back(entries_[at].row);
    for (auto at = behind; at != entries_.end() && holds(asked, at->prefix); ++at) rows.push_back(at->row);
    std::ranges::sort(rows);
    return rows;
  }

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  static bool holds(const Prefix& outer, const Prefix& inner) {
    return outer.length <= inner.length && outer.contains(inner.address);
  }
  struct Entry {
    Prefix prefix;
    std::uint32_t row = 0;
    std::uint32_t holder = none;  // the nearest entry before it that holds it
  };
  std::vector<Entry> entries_;
};

// A hostile list can hold one address in thousands of rows; after so many altogether none are told.
constexpr std::size_t most_places = 4'000'000;

bool find_rows(std::vector<Asked>& answers, std::span<const Listing> rows) {
  const Places places(rows);
  std::size_t told = 0;
  for (Asked& asked : answers) {
    asked.rows = places.meeting(asked.prefix);
    told += asked.rows.size();
    if (told <= most_places) continue;
    for (Asked& one : answers) one.rows = {};
    return false;
  }
  return true;
}

AddressSet united(std::span<const Asked> answers, AddressSet Asked::* part) {
  std::vector<Interval<V4>> four;
  std::vector<Interval<V6>> six;
  for (const Asked& asked : answers) {
    const AddressSet& set = asked.*part;
    for (std::size_t i = 0; i < set.v4.interval_count(); ++i) four.push_back(set.v4.interval(i));
    for (std::size_t i = 0; i < set.v6.interval_count(); ++i) six.push_back(set.v6.interval(i));
  }
  return {FlipSet<V4>::of(std::move(four)), FlipSet<V6>::of(std::move(six))};
}

// Of many, a few are told; `asked` of the report has all.
std::vector<std::string> notes_on_parts(std::span<const Asked> answers) {
  constexpr std::size_t most_told = 20;
  std::vector<std::string> notes;
  std::size_t parts = 0;
  for (const Asked& asked : answers)
    if (!asked.covered.empty() && !asked.missing.empty() && ++parts <= most_told)
      notes.push_back(fmt::format("{} is published in part: {} is, {} is not", to_string(asked.prefix),
                                  to_string(asked.covered), to_string(asked.missing)));
  if (parts > most_told) notes.push_back(fmt::format("{} more are published in part", parts - most_told));
  return notes;
}

// What the asked addresses are besides published or not: in part, elsewhere than mail, the relay pool.
std::vector<std::string> notes_on(std::span<const Asked> answers, std::span<const Release> in_force,
                                  const std::optional<Selection>& selection) {
  std::vector<std::string> notes = notes_on_parts(answers);
  const AddressSet published = united(answers, &Asked::covered);
  AddressSet by_smtp;
  for (const Release& release : in_force) by_smtp |= addresses(chosen_rows(release, smtp_selection()));
  if (const AddressSet other = published - by_smtp; !selection && !other.empty())
    notes.push_back(fmt::format("{} is published, but in no SMTP row (Exchange, TCP 25)", to_string(other)));
  if (published.intersects(relay_pool()) || united(answers, &Asked::missing).intersects(relay_pool()))
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
  const bool all_told = find_rows(coverage.asked, coverage.rows);
  coverage.notes = notes_on(coverage.asked, in_force, selection);
  if (!all_told) coverage.notes.emplace_back("which rows hold which address is not told: there are too many");
  return coverage;
}

}  // namespace aclmend::endpoints
