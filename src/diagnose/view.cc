#include "diagnose/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.h"

namespace aclmend::diagnose {

namespace {

constexpr std::int64_t micros_an_hour = 3600 * micros_a_second;

AddressSet as_set(const Prefix& prefix) { return AddressSet(prefix); }

}  // namespace

std::string day_text(std::int64_t day) {
  constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  return fmt::format("{} {}", static_cast<unsigned>(date.day()),
                     months[(static_cast<unsigned>(date.month()) - 1) % 12]);
}

std::string clock_text(const Moment& moment) {
  const std::int64_t micros = utc_micros(moment);
  const std::int64_t day = micros >= 0 ? micros / micros_a_day : (micros - micros_a_day + 1) / micros_a_day;
  const std::int64_t seconds = (micros - day * micros_a_day) / micros_a_second;
  return fmt::format("{:02}:{:02}:{:02}{}, {}", seconds / 3600, seconds / 60 % 60, seconds % 60,
                     moment.offset ? " UTC" : "", day_text(day));
}

std::string short_name(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  return slash == std::string::npos ? file : file.substr(slash + 1);
}

std::string short_place(const Place& place) {
  const std::string name = short_name(place.file);
  return place.line == 0 ? name : fmt::format("{}:{}", name, place.line);
}

std::string ranges_text(const AddressSet& set) {
  constexpr std::size_t most = 4;
  const std::vector<Prefix> prefixes = set.prefixes();
  std::string text;
  for (std::size_t i = 0; i < std::min(prefixes.size(), most); ++i)
    text += (i == 0 ? "" : " ") + to_string(prefixes[i]);
  if (prefixes.size() > most) text += fmt::format(" and {} more", prefixes.size() - most);
  return text;
}

std::string plural(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", with_thousands(count), what, count == 1 ? "" : "s");
}

AddressSet mail_hosts(const Facts& facts) {
  AddressSet hosts;
  for (const Address address : facts.to) hosts |= AddressSet(address);
  for (const Deferred& deferred : facts.deferrals)
    if (deferred.address && !deferred.is_own_servers && !facts.microsoft.contains(*deferred.address))
      hosts |= AddressSet(*deferred.address);
  for (const Firewall& firewall : facts.firewalls)
    for (const audit::Check& check : firewall.audit.checks) {
      if (check.flow != facts.flow || check.status == audit::Status::not_applicable) continue;
      if (check.destination) hosts |= AddressSet(*check.destination);
      if (check.translated_to) hosts |= AddressSet(*check.translated_to);
    }
  return hosts;
}

AddressSet required(const Facts& facts) {
  AddressSet all;
  for (std::size_t i = 0; i < facts.required; ++i) all |= as_set(facts.ranges[i]);
  // IPv6 is asked for where a mail host has it.
  const AddressSet hosts = mail_hosts(facts);
  if (hosts.v6.empty()) return {all.v4, {}};
  return hosts.v4.empty() ? AddressSet({}, all.v6) : all;
}

// ---- what Exchange saw

namespace {

// A range that came often and then no more: the pause is ten times as long as those before, and an hour.
bool is_gone(const Seen& seen, const Moment& until) {
  if (!seen.last || !seen.first) return false;
  const std::int64_t pause = utc_micros(until) - utc_micros(*seen.last);
  const std::int64_t span = utc_micros(*seen.last) - utc_micros(*seen.first);
  const auto times = static_cast<std::int64_t>(std::max<std::uint64_t>(seen.connections, 1));
  const std::int64_t usual = times > 1 ? span / (times - 1) : 12 * micros_an_hour;
  return pause > micros_an_hour && pause > 10 * usual;
}

}  // namespace

Arrivals arrivals(const Facts& facts) {
  Arrivals found;
  if (!facts.received) return found;
  const Received& received = *facts.received;
  const AddressSet asked = required(facts);
  bool has_any = false;
  for (std::size_t i = 0; i < facts.ranges.size(); ++i) {
    has_any = has_any || received.ranges[i].records > 0;
    if (i < facts.required) found.connections += received.ranges[i].connections;
  }
  constexpr std::size_t few = 8;
  found.is_hidden = !has_any && received.private_connections > 0 && received.other_connections == 0 &&
                    received.private_peers.size() <= few;
  if (found.is_hidden || !received.until || !received.from) return found;
  found.is_known = true;
  // Not every tenant is served from every range: a missing one says something where there was time for it.
  const bool had_time =
      utc_micros(*received.until) - utc_micros(*received.from) >= micros_a_day || found.connections >= 100;
  for (std::size_t i = 0; i < facts.required; ++i) {
    const AddressSet range = as_set(facts.ranges[i]);
    const Seen& seen = received.ranges[i];
    if (seen.records == 0) {
      if (asked.covers(range)) (had_time ? found.never : found.not_yet) |= range;
    } else if (is_gone(seen, *received.until)) {
      found.gone |= range;
    } else {
      found.seen |= range;
    }
  }
  return found;
}

// ---- what the firewalls' logs tell

Denied denied(const Facts& facts) {
  Denied found;
  const AddressSet hosts = mail_hosts(facts);
  std::set<Address> sources;
  std::map<std::string, std::uint64_t> rules;
  AddressSet let_in;
  for (const FirewallLog& log : facts.logs) {
    found.is_cut |= log.has_other_targets;
    for (const Target& target : log.targets) {
      // A private address may be what the public one is translated to: without the rules nobody knows.
      const bool is_host = hosts.empty() || hosts.contains(target.address);
      const bool may_be = is_private(target.address) && facts.firewalls.empty();
      for (std::size_t i = 0; i < facts.required; ++i) {
        const Denials& one = target.ranges[i];
        if (one.attempts > 0 && !is_host) {
          if (std::ranges::find(found.other_hosts, target.address) == found.other_hosts.end())
            found.other_hosts.push_back(target.address);
        }
        if (!is_host && !may_be) continue;
        if (one.allowed > 0) let_in |= as_set(facts.ranges[i]);
        if (one.attempts == 0) continue;
        found.ranges |= as_set(facts.ranges[i]);
        found.attempts += one.attempts;
        found.hinted += one.hinted;
        found.not_by_rules += one.not_by_rules;
        sources.insert(one.sources.begin(), one.sources.end());
        for (const auto& [rule, count] : one.rules) rules[rule] += count;
        const bool is_first = found.first_at.line == 0 ||
                              (one.first && found.first && utc_micros(*one.first) < utc_micros(*found.first));
        if (is_first) found.first = one.first, found.first_at = one.first_at;
      }
    }
  }
  found.allowed = let_in - found.ranges;
  found.sources = sources.size();
  const auto most = std::ranges::max_element(rules, {}, [](const auto& one) { return one.second; });
  if (most != rules.end()) found.rule = most->first;
  return found;
}

std::optional<bool> covers_the_error(const FirewallLog& log, const Facts& facts) {
  std::optional<bool> covers;
  for (const Deferred& deferred : facts.deferrals) {
    if (!deferred.when || !log.from || !log.until || deferred.is_own_servers) continue;
    // A clock whose zone nobody knows stands up to 14 hours beside UTC.
    const std::int64_t slack = log.has_zone ? 0 : 14 * micros_an_hour;
    const std::int64_t when = utc_micros(*deferred.when);
    const bool inside = when >= utc_micros(*log.from) - slack && when <= utc_micros(*log.until) + slack;
    covers = covers.value_or(false) || inside;
  }
  return covers;
}

// ---- what the rules say

std::vector<const audit::Check*> checks_of(const Firewall& firewall, const Facts& facts) {
  std::vector<const audit::Check*> checks;
  for (const audit::Check& check : firewall.audit.checks)
    if (check.flow == facts.flow && check.status != audit::Status::not_applicable) checks.push_back(&check);
  return checks;
}

AddressSet blocked(const Firewall& firewall, const Facts& facts) {
  AddressSet all;
  for (const audit::Check* check : checks_of(firewall, facts)) all |= check->blocked;
  return all;
}

AddressSet permitted(const Firewall& firewall, const Facts& facts) {
  AddressSet all, not_all;
  for (const audit::Check* check : checks_of(firewall, facts)) {
    all |= check->permitted;
    not_all |= check->blocked | check->unknown;
  }
  return all - not_all;
}

AddressSet unknown(const Firewall& firewall, const Facts& facts) {
  AddressSet all;
  for (const audit::Check* check : checks_of(firewall, facts)) all |= check->unknown;
  return all - blocked(firewall, facts);
}

std::vector<const audit::Finding*> findings_of(const Firewall& firewall, const Facts& facts) {
  std::vector<const audit::Finding*> found;
  const AddressSet stopped = blocked(firewall, facts) | unknown(firewall, facts);
  for (const audit::Finding& finding : firewall.audit.findings)
    if (finding.flow == facts.flow && finding.ranges.intersects(stopped) &&
        (finding.blocked_by || !finding.implicit.empty() || finding.severity == Severity::error))
      found.push_back(&finding);
  return found;
}

bool all_open(const Facts& facts) {
  bool is_asked = false;
  for (const Firewall& firewall : facts.firewalls) {
    if (!firewall.audit.error.empty() || !blocked(firewall, facts).empty() ||
        !unknown(firewall, facts).empty())
      return false;
    for (const audit::Check* check : checks_of(firewall, facts)) {
      if (check->status != audit::Status::pass) return false;
      is_asked = true;
    }
  }
  return is_asked;
}

std::vector<const Firewall*> blocking(const Facts& facts) {
  std::vector<const Firewall*> found;
  for (const Firewall& firewall : facts.firewalls)
    if (!blocked(firewall, facts).empty()) found.push_back(&firewall);
  return found;
}

}  // namespace aclmend::diagnose
