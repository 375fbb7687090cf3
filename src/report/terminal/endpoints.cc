// `endpoints` on a terminal. Service areas, names and file names come from files: everything passes
// printable().
#include "report/endpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "report/terminal/layout.h"

namespace aclmend::report::terminal {
namespace {

using namespace endpoints;

std::string asked_line(const std::string& asked, const std::string& flow) {
  return with_place(fmt::format("  {:<11}{}", "asked", asked),
                    flow.empty() ? "" : fmt::format("flow {}", flow));
}

std::string counted(const AddressSet& set) {
  const auto prefixes = set.prefixes();
  const auto v4 = std::ranges::count_if(prefixes, [](const Prefix& one) { return one.address.is_v4(); });
  return fmt::format("{} IPv4, {} IPv6 {}", v4, prefixes.size() - static_cast<std::size_t>(v4),
                     prefixes.size() == 1 ? "range" : "ranges");
}

std::string rows_counted(std::size_t count) {
  return fmt::format("{} {}", count, count == 1 ? "row" : "rows");
}

// "since 2018063000 or before, until 2019010700"
std::string stay(const Listing& listing) {
  std::string text;
  if (listing.since)
    text =
        fmt::format("since {}{}", to_string(*listing.since), listing.since->first_known ? " or before" : "");
  if (listing.until) text += fmt::format("{}until {}", text.empty() ? "" : ", ", to_string(*listing.until));
  return text;
}

std::string terms(const Row& row) {
  std::string text = row.category;
  if (row.required)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", *row.required ? "required" : "optional");
  return text;
}

std::string one_row(const Row& row, std::span<const Listing> listings) {
  std::string text = printable(
      fmt::format("row {:<4} {:<11} {:<22} {}", row.id, row.service_area, service(row), terms(row)));
  text.erase(text.find_last_not_of(' ') + 1);
  text += '\n';
  for (const Listing& listing : listings) {
    const std::string when = stay(listing);
    text += when.empty() ? fmt::format("  {}\n", to_string(listing.prefix))
                         : fmt::format("  {:<26} {}\n", to_string(listing.prefix), when);
  }
  for (const std::string& url : row.urls) text += fmt::format("  {}\n", printable(url));
  return text;
}

std::string signed_list(char sign, const AddressSet& set) {
  std::string text;
  for (const Prefix& prefix : set.prefixes()) text += fmt::format("  {} {}\n", sign, to_string(prefix));
  return text;
}

// The names that only one of two rows has.
std::string names_missing(char sign, const Row& from, const Row& in) {
  std::string text;
  for (const std::string& url : from.urls)
    if (std::ranges::count(in.urls, url) == 0) text += fmt::format("  {} {}\n", sign, printable(url));
  return text;
}

std::string row_change(const RowChange& change, const EndpointsDiff& report) {
  std::string head = fmt::format("row {}", change.id);
  if (change.was_id) head += fmt::format(" (was {})", *change.was_id);
  head += fmt::format("  {}", to_string(change.change));
  const Row& shown = change.after ? *change.after : *change.before;
  head += fmt::format("  {}  ", shown.service_area);
  const std::string now = service(shown);
  const std::string was = change.before && change.after ? service(*change.before) : now;
  head += was == now ? now : fmt::format("{} -> {}", was, now);
  if (change.before && change.after && change.change == Change::terms)
    head += fmt::format("  {} -> {}", terms(*change.before), terms(*change.after));
  std::string text = printable(head) + "\n";
  const Difference& all = report.difference;
  const bool told_above = all.rows.size() == 1 && change.added == all.added && change.removed == all.removed;
  if (!told_above) text += signed_list('+', change.added) + signed_list('-', change.removed);
  const bool names_known = report.before.completeness != Completeness::smtp_rows &&
                           report.after.completeness != Completeness::smtp_rows;
  if (names_known && change.before && change.after)
    text +=
        names_missing('+', *change.after, *change.before) + names_missing('-', *change.before, *change.after);
  return text;
}

std::string covering_row(const Listing& listing) {
  std::string text =
      printable(fmt::format("  {:<24} {} row {}, {}, {}", to_string(listing.prefix),
                            to_string(listing.instance), listing.id, listing.service_area, listing.service));
  if (const std::string when = stay(listing); !when.empty()) text += fmt::format("; {}", when);
  return text + "\n";
}

std::string verdict(const Asked& asked) {
  if (asked.missing.empty()) return "yes";
  return asked.covered.empty() ? "no" : "no, only in part";
}

}  // namespace

std::string endpoints_show(const EndpointsShow& report) {
  std::string text = printable(title(report.release)) + "\n" + asked_line(report.asked, report.flow);
  const std::string where = report.rows.empty() ? "in no list"
                                                : fmt::format("in {} of {}", report.rows.size(),
                                                              rows_counted(report.release.rows.size()));
  text += labelled("holds", fmt::format("{}, {}", counted(report.prefixes), where));
  for (const std::string& remark : report.release.remarks) text += labelled("note", remark);
  std::size_t at = 0;
  for (const Row& row : report.rows) {
    text += "\n" + one_row(row, std::span(report.listings).subspan(at, row.ips.size()));
    at += row.ips.size();
  }
  if (report.rows.empty()) {  // the flow names its ranges itself
    text += '\n';
    for (const Prefix& prefix : report.prefixes.prefixes()) text += fmt::format("  {}\n", to_string(prefix));
  }
  return text;
}

std::string endpoints_diff(const EndpointsDiff& report) {
  std::string text = labelled("before", title(report.before)) + labelled("after", title(report.after)) +
                     asked_line(report.asked, report.flow);
  for (const Release* release : {&report.before, &report.after})
    for (const std::string& remark : release->remarks) text += labelled("note", remark);
  const Difference& difference = report.difference;
  text += '\n';
  if (difference.added.empty() && difference.removed.empty())
    text += difference.rows.empty() ? "no difference\n" : "the same addresses\n";
  else text += "addresses\n" + signed_list('+', difference.added) + signed_list('-', difference.removed);
  for (const RowChange& change : difference.rows) text += "\n" + row_change(change, report);
  return text;
}

std::string endpoints_covers(const EndpointsCovers& report) {
  const Coverage& coverage = report.coverage;
  std::vector<std::string> rows;
  for (const Listing& listing : coverage.rows) rows.push_back(covering_row(listing));
  const AddressSet relays = relay_pool();
  std::string text;
  std::size_t published = 0;
  for (const Asked& asked : coverage.asked) {
    published += asked.missing.empty() ? 1U : 0U;
    text += fmt::format("{:<26} {}\n", host_bare(asked.prefix), verdict(asked));
    for (const std::uint32_t row : asked.rows) text += rows[row];
    if (asked.missing.intersects(relays))
      text += fmt::format("  {:<24} relay pool: it sends, and no list holds it\n", to_string(relays));
  }
  for (const std::string& note : report.coverage.notes)
    text += printable(fmt::format("note: {}", note)) + "\n";
  text += '\n';
  if (coverage.asked.size() > 1)
    text += labelled("published", fmt::format("{} of {}", with_thousands(published),
                                              with_thousands(coverage.asked.size())));
  text += labelled("looked in", report.asked);
  for (const Release& release : report.releases) text += labelled("", title(release));
  return text;
}

}  // namespace aclmend::report::terminal
