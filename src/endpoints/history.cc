// The history of the SMTP rows: a list of events per instance, each what came and what left, which is
// replayed forwards. Kept as prefixes (what was published) and walked as sets of addresses (what that
// covered).
#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"
#include "endpoints/ports.h"
#include "endpoints/result.h"
#include "endpoints/statements.h"

namespace aclmend::endpoints {
namespace {

constexpr std::string_view history_file = "smtp-history.txt";

struct RowHead {
  std::uint32_t id = 0;
  PortSet tcp_ports;
};

struct Event {
  When when;
  std::optional<RowHead> row;
  std::vector<Prefix> came, left;
};

struct Chronicle {
  std::vector<std::string> versions;  // ascending
  std::vector<Event> events;
};

RowHead parse_row_head(const Statement& statement) {  // row ID tcp PORTS [was ID]
  const auto& words = statement.words;
  if (words.size() < 4 || words[2] != "tcp") broken(statement);
  const auto id = parse_decimal<std::uint32_t>(words[1]);
  auto ports = parse_ports(words[3]);
  if (!id || !ports) broken(statement);
  return {*id, std::move(*ports)};
}

void apply(Chronicle& chronicle, const Statement& statement) {
  const auto& words = statement.words;
  if (words[0] == "versions") {
    chronicle.versions.insert(chronicle.versions.end(), words.begin() + 1, words.end());
    return;
  }
  if (words[0] == "in" && words.size() == 2 && !chronicle.versions.empty()) {
    When when;
    when.version = words[1];
    when.first_known = words[1] == chronicle.versions.front();
    chronicle.events.push_back({.when = std::move(when), .row = {}, .came = {}, .left = {}});
    return;
  }
  if (words[0] == "between" && words.size() == 3) {
    When when;
    when.after = words[1];
    when.by = words[2];
    chronicle.events.push_back({.when = std::move(when), .row = {}, .came = {}, .left = {}});
    return;
  }
  if (chronicle.events.empty()) broken(statement);
  Event& event = chronicle.events.back();
  const bool came = words[0] == "+";
  if (words[0] == "row") {
    event.row = parse_row_head(statement);
  } else if (came || words[0] == "-") {
    const auto more = prefixes(statement);
    auto& place = came ? event.came : event.left;
    place.insert(place.end(), more.begin(), more.end());
  } else {
    broken(statement);
  }
}

Chronicle chronicle_of(Instance instance) {
  Chronicle chronicle;
  bool here = false;
  for (const Statement& statement : statements(history_file)) {
    if (statement.words.front() == "instance") here = statement.after_first == to_string(instance);
    else if (here) apply(chronicle, statement);
  }
  return chronicle;
}

void update(std::vector<Prefix>& standing, const Event& event) {
  std::erase_if(standing, [&](const Prefix& prefix) { return std::ranges::count(event.left, prefix) != 0; });
  standing.insert(standing.end(), event.came.begin(), event.came.end());
  std::ranges::sort(standing);
}

std::string date_of(std::string_view version) {
  return fmt::format("{}-{}-{}", version.substr(0, 4), version.substr(4, 2), version.substr(6, 2));
}

Error unknown_version(Instance instance, std::string_view version, const Chronicle& chronicle) {
  std::string message = fmt::format("version {} of {} is not known here", version, to_string(instance));
  const auto after = std::ranges::lower_bound(chronicle.versions, version);
  if (after != chronicle.versions.begin())
    message += fmt::format("; the last known before it is {}", *(after - 1));
  if (after != chronicle.versions.end()) message += fmt::format("; the next known is {}", *after);
  return {.message = std::move(message), .file = {}};
}

Release replayed(Instance instance, std::string_view version, const Chronicle& chronicle) {
  Release release;
  release.instance = instance;
  release.version = version;
  release.as_of = date_of(version);
  release.completeness = Completeness::smtp_rows;
  release.sha256 = sha256_hex(embedded_text(history_file));
  std::vector<Prefix> standing;
  RowHead head;
  for (const Event& event : chronicle.events) {
    if (event.when.version.empty() || event.when.version > version) break;
    if (event.row) head = *event.row;
    update(standing, event);
  }
  if (!standing.empty())
    release.rows.push_back({.id = head.id,
                            .service_area = "Exchange",
                            .tcp_ports = head.tcp_ports,
                            .udp_ports = {},
                            .ips = std::move(standing),
                            .urls = {},
                            .category = {},
                            .required = {}});
  return release;
}

Listing listing_of(Instance instance, const Prefix& prefix, std::optional<When> since) {
  return {.instance = instance,
          .id = 0,
          .service_area = "Exchange",
          .service = {},
          .prefix = prefix,
          .since = std::move(since),
          .until = {}};
}

void cut(std::vector<Former>& former, const AddressSet& back) {
  for (Former& part : former) part.addresses -= back;
  std::erase_if(former, [](const Former& part) { return part.addresses.empty(); });
}

bool stood_at(const Listing& listing, const Release& release) {
  if (release.version.empty()) return !listing.until;
  return (!listing.since || listing.since->version <= release.version) &&
         (!listing.until || listing.until->version.empty() || listing.until->version > release.version);
}

}  // namespace

Result<Release> at_version(Instance instance, std::string_view version) {
  if (version.size() != 10 || !std::ranges::all_of(version, [](char c) { return c >= '0' && c <= '9'; }))
    return fail(fmt::format("expected a version of ten digits such as 2019022800, found '{}'", version));
  Release now = newest(instance);
  if (now.version == version) return now;
  const Chronicle chronicle = chronicle_of(instance);
  if (!std::ranges::binary_search(chronicle.versions, version))
    return fail(unknown_version(instance, version, chronicle));
  return replayed(instance, version, chronicle);
}

std::vector<Listing> history(Instance instance) {
  std::vector<Listing> all;
  RowHead head;
  for (const Event& event : chronicle_of(instance).events) {
    if (event.row) head = *event.row;
    for (Listing& listing : all)
      if (!listing.until && std::ranges::count(event.left, listing.prefix) != 0) listing.until = event.when;
    for (const Prefix& prefix : event.came) all.push_back(listing_of(instance, prefix, event.when));
    for (Listing& listing : all)  // what stands is held by the newest row
      if (!listing.until) {
        listing.id = head.id;
        listing.service = fmt::format("tcp/{}", comma_list(head.tcp_ports));
      }
  }
  return all;
}

std::vector<Listing> listings(const Release& release, std::span<const Row> rows) {
  const std::vector<Listing> known = history(release.instance);
  std::vector<Listing> all;
  for (const Row& row : rows) {
    const bool is_smtp = selects(smtp_selection(), row);
    for (const Prefix& prefix : row.ips) {
      Listing listing = listing_of(release.instance, prefix, std::nullopt);
      listing.id = row.id;
      listing.service_area = row.service_area;
      listing.service = service(row);
      for (const Listing& one : known)
        if (is_smtp && one.prefix == prefix && stood_at(one, release)) {
          listing.since = one.since;
          listing.until = one.until;
        }
      all.push_back(std::move(listing));
    }
  }
  return all;
}

std::vector<Former> former_ranges(const Release& in_force) {
  std::vector<Former> former;
  std::vector<Prefix> standing;
  AddressSet covered;
  for (const Event& event : chronicle_of(in_force.instance).events) {
    update(standing, event);
    AddressSet now = AddressSet::of(standing);
    cut(former, now);
    if (AddressSet gone = covered - now; !gone.empty()) {
      std::vector<Prefix> listed;
      for (const Prefix& prefix : event.left)
        if (AddressSet(prefix).intersects(gone)) listed.push_back(prefix);
      former.push_back({.addresses = std::move(gone), .until = event.when, .listed = std::move(listed)});
    }
    covered = std::move(now);
  }
  std::vector<Prefix> stands;
  for (const Row& row : in_force.rows)
    if (selects(smtp_selection(), row)) stands.insert(stands.end(), row.ips.begin(), row.ips.end());
  cut(former, AddressSet::of(stands));
  return former;
}

AddressSet relay_pool() { return AddressSet(Address::v4(0x285F0000), Address::v4(0x285FFFFF)); }

}  // namespace aclmend::endpoints
