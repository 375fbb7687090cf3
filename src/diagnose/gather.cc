#include "diagnose/gather.h"

#include <algorithm>

namespace aclmend::diagnose {
namespace {

using evidence::Kind;
using evidence::Record;

constexpr std::size_t most_deferrals = 64, longest_text = 400;
// A trace's clock and a firewall's are not the same one.
constexpr std::int64_t near_enough = 60 * micros_a_second;

std::string_view cut(std::string_view text) { return text.substr(0, longest_text); }

bool is_before(const Moment& a, const std::optional<Moment>& b) {
  return !b || utc_micros(a) < utc_micros(*b);
}
bool is_behind(const Moment& a, const std::optional<Moment>& b) {
  return !b || utc_micros(a) >= utc_micros(*b);
}

bool is_firewalls(std::string_view source) {
  for (const auto formats : evidence::vendor_logs())
    for (const evidence::LogFormat& format : formats)
      if (format.id == source) return true;
  return false;
}

bool is_own_servers(std::string_view source) {
  return source == "smtp-send" || source == "connectivity" || source == "queue" ||
         source == "message-tracking";
}

Deferred owned(const evidence::Deferral& from, const Record& record) {
  Deferred own;
  own.source = record.source;
  own.reply = cut(from.reply);
  own.status = cut(from.status);
  own.text = cut(from.text);
  own.message = cut(from.message);
  own.inner = cut(from.inner);
  own.socket_error = from.socket_error;
  own.address = from.address;
  own.host = cut(from.host);
  own.sender = cut(from.sender);
  own.when = record.time ? record.time : from.when;
  own.is_expired = from.is_expired || record.kind == Kind::fail;
  own.is_own_servers = is_own_servers(record.source);
  own.sent_from = own.is_own_servers ? std::nullopt : record.src;
  return own;
}

bool is_same_kind(const Deferred& a, const Deferred& b) {
  return a.status == b.status && a.socket_error == b.socket_error && a.inner == b.inner &&
         a.is_own_servers == b.is_own_servers && (a.address == b.address || !a.address || !b.address);
}

}  // namespace

bool is_private(Address address) {
  static const AddressSet set = [] {
    AddressSet all;
    for (const std::string_view text : {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
                                        "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10", "::1"})
      all |= AddressSet(*parse_prefix(text));
    return all;
  }();
  return set.contains(address);
}

Gatherer::Gatherer(Facts& facts) : facts_(facts) {}
Gatherer::~Gatherer() = default;

void Gatherer::begin(const std::string& file) {
  file_ = file;
  log_ = 0;
}

std::size_t Gatherer::range_of(Address address) const {
  for (std::size_t i = 0; i < facts_.ranges.size(); ++i)
    if (facts_.ranges[i].contains(address)) return i;
  return facts_.ranges.size();
}

void Gatherer::put(Place& at, const Record& record) const {
  at.file = file_;
  at.line = record.line;
  at.text = cut(record.text);
}

Place Gatherer::place(const Record& record) const {
  Place at;
  put(at, record);
  return at;
}

void Gatherer::add(const Record& record) {
  const bool is_failure = record.kind == Kind::defer || record.kind == Kind::fail;
  if (record.source == "smtp-receive") return add_received(record);
  if (record.deferral != nullptr && (is_failure || record.source == "message-trace")) add_deferral(record);
  else if (is_of_firewall(record.source)) add_firewall(record);
}

// Of millions of records in a row the source is the same constant.
bool Gatherer::is_of_firewall(std::string_view source) {
  if (source.data() != last_source_) {
    last_source_ = source.data();
    is_last_a_firewall_ = is_firewalls(source);
  }
  return is_last_a_firewall_;
}

// ---- error texts

void Gatherer::add_deferral(const Record& record) {
  Deferred one = owned(*record.deferral, record);
  one.at = place(record);
  if (one.at.text.empty()) {
    one.at.text = one.reply + (one.reply.empty() ? "" : " ") + one.status + " " + one.text;
    if (!one.message.empty()) one.at.text += " [" + one.message + "]";
  }
  const auto known =
      std::ranges::find_if(facts_.deferrals, [&](const Deferred& other) { return is_same_kind(one, other); });
  if (known == facts_.deferrals.end()) {
    if (facts_.deferrals.size() < most_deferrals) facts_.deferrals.push_back(std::move(one));
    return;
  }
  one.count = known->count + 1;
  const bool is_newer = !known->when || (one.when && is_behind(*one.when, known->when));
  if (!is_newer) {
    known->count = one.count;
    return;
  }
  if (!one.address) one.address = known->address;
  if (one.host.empty()) one.host = known->host;
  if (one.sender.empty()) one.sender = known->sender;
  if (!one.sent_from) one.sent_from = known->sent_from;
  if (!one.when) one.when = known->when;
  *known = std::move(one);
}

// ---- receive logs

void Gatherer::add_received(const Record& record) {
  if (!facts_.received) {
    facts_.received.emplace();
    facts_.received->ranges.resize(facts_.ranges.size());
  }
  Received& received = *facts_.received;
  if (received.files.empty() || received.files.back() != file_) received.files.push_back(file_);
  if (record.time) {
    if (is_before(*record.time, received.from)) received.from = record.time;
    if (is_behind(*record.time, received.until)) received.until = record.time;
  }
  if (!record.src) return;
  const std::size_t range = range_of(*record.src);
  const bool opens = record.kind == Kind::connect;
  if (range == facts_.ranges.size()) {
    if (!opens) return;
    if (!is_private(*record.src)) {
      ++received.other_connections;
      return;
    }
    if (received.private_connections++ == 0) put(received.private_at, record);
    if (received.private_peers.size() < Received::most_peers || received.private_peers.contains(*record.src))
      ++received.private_peers[*record.src];
    return;
  }
  Seen& seen = received.ranges[range];
  ++seen.records;
  add_tls(record, received.tls);
  if (opens) ++seen.connections;
  if (!record.time) return;
  const std::int64_t micros = utc_micros(*record.time);
  const std::int64_t day = micros / micros_a_day;
  if (seen.records == 1 || day > seen.day) {
    seen.day = day;
    seen.on_that_day = 0;
  }
  if (opens && day == seen.day) ++seen.on_that_day;
  if (is_before(*record.time, seen.first)) {
    seen.first = record.time;
    put(seen.first_at, record);
  }
  if (is_behind(*record.time, seen.last)) {
    seen.last = record.time;
    put(seen.last_at, record);
  }
}

void Gatherer::add_tls(const Record& record, TlsSigns& signs) {
  using evidence::Tls;
  switch (record.tls) {
    case Tls::none:
    case Tls::offered:
    case Tls::started:
    case Tls::certificate: return;
    case Tls::not_offered:
      if (signs.not_offered++ > 0) return;
      put(signs.not_offered_at, record);
      signs.not_offered_to = record.src;
      return;
    case Tls::negotiated:
      if (signs.negotiated++ == 0) put(signs.negotiated_at, record);
      return;
    case Tls::failed:
      if (signs.failed++ > 0) return;
      put(signs.failed_at, record);
      signs.failed_with = record.src;
      return;
    case Tls::no_certificate:
      if (signs.no_certificate++ == 0) put(signs.no_certificate_at, record);
      return;
  }
}

// ---- firewalls' logs

void Gatherer::add_firewall(const Record& record) {
  if (log_ == 0) {
    FirewallLog& log = facts_.logs.emplace_back();
    log.file = file_;
    log_ = facts_.logs.size();
  }
  FirewallLog& log = facts_.logs[log_ - 1];
  const bool is_drop = record.kind == Kind::drop, is_allow = record.kind == Kind::allow;
  const bool is_late = is_drop && record.is_new == evidence::New::no;
  if (is_drop && !is_late) ++log.drops;
  if (!record.src || !record.dst || (!is_drop && !is_allow)) return;
  if (record.dport != std::uint16_t{25} || record.protocol.value_or(protocol::tcp) != protocol::tcp) return;
  const std::size_t range = range_of(*record.src);
  if (range == facts_.ranges.size()) return;
  if (is_late) {
    ++log.late;
    return;
  }
  auto target = std::ranges::find(log.targets, *record.dst, &Target::address);
  if (target == log.targets.end()) {
    if (log.targets.size() == FirewallLog::most_targets) {
      log.has_other_targets = true;
      return;
    }
    log.targets.push_back({*record.dst, std::vector<Denials>(facts_.ranges.size())});
    target = log.targets.end() - 1;
  }
  Denials& denials = target->ranges[range];
  if (!attempts_.is_new(record)) return;
  if (is_allow) {
    ++denials.allowed;
    return;
  }
  ++denials.attempts;
  if (denials.sources.size() < Denials::most_sources) denials.sources.insert(*record.src);
  const std::string_view rule = cut(record.rule);
  if (const auto known = denials.rules.find(rule); known != denials.rules.end()) ++known->second;
  else if (denials.rules.size() < Denials::most_rules) denials.rules.emplace(rule, 1);
  using evidence::Dropper;
  if (record.dropper != Dropper::none && record.dropper != Dropper::rules) ++denials.not_by_rules;
  if (record.is_hint) ++denials.hinted;
  if (denials.attempts == 1 || (record.time && is_before(*record.time, denials.first)))
    put(denials.first_at, record);
  if (record.time) {
    if (is_before(*record.time, denials.first)) denials.first = record.time;
    if (is_behind(*record.time, denials.last)) denials.last = record.time;
  }
  add_match(record);
}

void Gatherer::add_match(const Record& record) {
  if (!record.time) return;
  for (const Deferred& deferred : facts_.deferrals) {
    if (!deferred.when || deferred.is_own_servers) continue;
    const std::int64_t apart = utc_micros(*record.time) - utc_micros(*deferred.when);
    const std::int64_t distance = apart < 0 ? -apart : apart;
    if (distance > near_enough || (facts_.match && distance >= match_distance_)) continue;
    facts_.match = Match{*record.src, *record.dst, *record.time, place(record)};
    match_distance_ = distance;
  }
}

// ---- the end of a file

void Gatherer::end(const evidence::Reading& reading) {
  facts_.lines += reading.lines;
  for (const auto* counts : {&reading.unread, &reading.damaged})
    for (const evidence::ReasonCount& one : *counts) facts_.unread += one.count;
  if (!reading.trouble.empty()) facts_.troubles.push_back(reading.file + ": " + reading.trouble);
  for (const evidence::SourceCount& source : reading.sources) {
    if (source.vendor.empty()) continue;
    if (log_ == 0) {
      facts_.logs.emplace_back().file = file_;
      log_ = facts_.logs.size();
    }
    FirewallLog& log = facts_.logs[log_ - 1];
    if (log.title.empty()) log.title = source.title, log.vendor = source.vendor;
    log.from = reading.first;
    log.until = reading.last;
    log.has_zone = reading.without_zone == 0;
  }
  if (log_ == 0) return;
  FirewallLog& log = facts_.logs[log_ - 1];
  for (const evidence::ReasonCount& hole : reading.holes) log.holes.emplace_back(hole.reason);
  if (!reading.trouble.empty()) log.holes.push_back(reading.trouble);
}

}  // namespace aclmend::diagnose
