#include "diagnose/steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "base/text.h"
#include "diagnose/signs.h"
#include "diagnose/view.h"

namespace aclmend::diagnose {
namespace {

Step step(std::string_view id, std::string_view title) {
  Step one;
  one.id = id;
  one.title = title;
  return one;
}

Step& with(Step& one, Status status, std::string text, std::string shown_by = {}) {
  one.status = status;
  one.rows.push_back({std::move(text), std::move(shown_by)});
  return one;
}

Step& not_known(Step& one, std::string text, std::string settle) {
  one.settle = std::move(settle);
  return with(one, Status::not_known, std::move(text));
}

void show(Step& one, const Place& place) {
  if (!place.file.empty() && std::ranges::find(one.evidence, place) == one.evidence.end())
    one.evidence.push_back(place);
}

void row(Step& one, std::string text, const Place& place) {
  one.rows.push_back({std::move(text), place.file.empty() ? "" : short_place(place)});
  show(one, place);
}

std::string host_of(const Facts& facts) { return facts.host.empty() ? "MAIL-HOST" : facts.host; }

std::string probe_command(const Facts& facts) {
  return fmt::format("aclmend probe {} --smarthost", for_a_shell(host_of(facts)));
}

// ---- 1 the error text

Step error_text(const Facts& facts) {
  Step one = step("error-text", "error text");
  const Deferred* deferred = main_deferral(facts);
  if (deferred == nullptr)
    return not_known(one, "no error text was given",
                     "Get-MessageTraceDetailV2 -MessageTraceId ID -RecipientAddress TO | fl Detail");
  const Sign sign = sign_of(*deferred, facts);
  const bool says_nothing = sign == Sign::unclear || sign == Sign::expired;
  with(one, says_nothing ? Status::not_known : Status::ok,
       fmt::format("{}: {}", code_of(*deferred), in_words(sign, *deferred)), short_place(deferred->at));
  if (says_nothing)
    one.settle = "the text of a deferral of the same message, whole: Detail in the message trace";
  show(one, deferred->at);
  std::uint64_t others = 0;
  for (const Deferred& other : facts.deferrals) others += other.count;
  if (deferred->when && others == 1) return one;
  if (others > 1) {
    std::string text = fmt::format("{} more like it", deferred->count - 1);
    if (deferred->count == 1) text = plural(others - 1, "other text") + " of another kind";
    else if (others > deferred->count) text += fmt::format(", {} of another kind", others - deferred->count);
    if (deferred->when) text += ", the newest at " + clock_text(*deferred->when);
    one.rows.push_back({text, ""});
  }
  return one;
}

// ---- 2 the sender

// Somebody of Microsoft's who tried to send, as the logs tell it.
struct Sender {
  Address address;
  Place at;
  bool is_of_the_error = false;  // of the very moment, or named by the trace
};

std::optional<Sender> sender(const Facts& facts) {
  const Deferred* deferred = main_deferral(facts);
  if (deferred != nullptr && deferred->sent_from && !is_private(*deferred->sent_from))
    return Sender{*deferred->sent_from, deferred->at, true};
  if (facts.match) return Sender{facts.match->source, facts.match->at, true};
  for (const FirewallLog& log : facts.logs)
    for (const Target& target : log.targets)
      for (const Denials& denials : target.ranges)
        if (!denials.sources.empty()) return Sender{*denials.sources.begin(), denials.first_at, false};
  return std::nullopt;
}

Step the_sender(const Facts& facts) {
  Step one = step("sender", "the sender");
  if (main_sign(facts) == Sign::outbound) {
    with(one, Status::ok, "your own server sends here: Microsoft is the target", "");
    show(one, main_deferral(facts)->at);
    return one;
  }
  if (const auto found = sender(facts)) {
    show(one, found->at);
    const std::string address = to_string(found->address);
    for (std::size_t i = 0; i < facts.ranges.size(); ++i) {
      if (!facts.ranges[i].contains(found->address)) continue;
      const std::string range = to_string(facts.ranges[i]);
      if (i < facts.required)
        return with(one, Status::ok, fmt::format("{} is Microsoft (EOP), range {}", address, range),
                    facts.list);
      return with(one, Status::ok,
                  fmt::format("{} is of the relay pool {}, Microsoft's, not in its list", address, range));
    }
    return with(one, Status::not_ok, fmt::format("{} is not in Microsoft's list of senders", address),
                facts.list);
  }
  const Deferred* deferred = main_deferral(facts);
  if (deferred != nullptr && lower(deferred->sender).ends_with(".outlook.com")) {
    with(one, Status::ok, fmt::format("{} wrote it: Microsoft's", deferred->sender),
         short_place(deferred->at));
    one.rows.push_back({"(its address is not in the text; the firewall's log has it)", ""});
    show(one, deferred->at);
    return one;
  }
  return not_known(one, "no address of a sender in what was given",
                   "the firewall's log of that minute; then: aclmend endpoints covers ADDRESS");
}

// ---- 3 the name

const probe::HostResult* probed_host(const Facts& facts) {
  if (!facts.probe || facts.probe->hosts.empty()) return nullptr;
  return &facts.probe->hosts.front();
}

std::string vantage(const Facts& facts) {
  const probe::HostResult* host = probed_host(facts);
  if (host != nullptr)
    for (const probe::AddressResult& result : host->addresses)
      if (result.from) return "from " + to_string(*result.from);
  return "from here";
}

std::string addresses_text(const probe::HostResult& host) {
  std::string text;
  for (const probe::AddressResult& one : host.addresses)
    text += (text.empty() ? "" : ", ") + to_string(one.address);
  return text;
}

Step probed_name(const Facts& facts, Step one) {
  const probe::HostResult& host = *probed_host(facts);
  const Deferred* deferred = main_deferral(facts);
  const std::string from = vantage(facts);
  if (host.addresses.empty()) {
    const probe::Step* asked = probe::step_named(host.steps, "dns.address");
    return with(one, Status::not_ok,
                fmt::format("{}: {}", host.name, asked == nullptr ? "no address" : asked->text), from);
  }
  const std::string found = fmt::format("{} -> {}", host.name, addresses_text(host));
  if (deferred == nullptr || !deferred->address || sign_of(*deferred, facts) == Sign::outbound)
    return with(one, Status::ok, found, from);
  const bool is_same = std::ranges::find(host.addresses, *deferred->address,
                                         &probe::AddressResult::address) != host.addresses.end();
  if (is_same) return with(one, Status::ok, found + ", as in the error text", from);
  const bool is_inside = std::ranges::all_of(
      host.addresses, [](const probe::AddressResult& result) { return is_private(result.address); });
  if (is_inside) {
    one.settle =
        fmt::format("aclmend probe {} --smarthost --resolver A-PUBLIC-RESOLVER", for_a_shell(host.name));
    with(one, Status::not_known, found + ": the inside view", from);
    one.rows.push_back({fmt::format("(the sender found {})", to_string(*deferred->address)), ""});
    return one;
  }
  with(one, Status::not_ok, found, from);
  row(one, fmt::format("but the sender tried {}", to_string(*deferred->address)), deferred->at);
  return one;
}

Step the_name(const Facts& facts) {
  Step one = step("name", "name");
  const Deferred* deferred = main_deferral(facts);
  const Sign sign = main_sign(facts);
  if (sign == Sign::dns && deferred != nullptr) {
    with(one, Status::not_ok,
         fmt::format("the sender did not find {}", deferred->host.empty() ? "the name" : deferred->host),
         short_place(deferred->at));
    show(one, deferred->at);
    return one;
  }
  if (probed_host(facts) != nullptr) return probed_name(facts, std::move(one));
  if (deferred != nullptr && deferred->address && sign != Sign::outbound) {
    const std::string found = fmt::format("{}{}", deferred->host.empty() ? "" : deferred->host + " -> ",
                                          to_string(*deferred->address));
    show(one, deferred->at);
    for (const Address known : facts.to)
      if (known == *deferred->address)
        return with(one, Status::ok, found + ", as you named it", short_place(deferred->at));
    for (const Firewall& firewall : facts.firewalls)
      for (const audit::Check* check : checks_of(firewall, facts))
        if (check->destination == deferred->address)
          return with(one, Status::ok, found + ", as the firewall has it", short_place(deferred->at));
    with(one, Status::not_known, found + ", the sender found", short_place(deferred->at));
    one.rows.push_back({"(is that your mail server's public address?)", ""});
    one.settle = probe_command(facts);
    return one;
  }
  return not_known(one, facts.probe_error.empty() ? "not asked" : facts.probe_error, probe_command(facts));
}

// ---- 4 the certificate

std::string first_name(const probe::Tls& tls) {
  if (tls.chain.empty()) return "certificate";
  const std::string& subject = tls.chain.front().subject;
  const std::size_t at = subject.find("CN=");
  if (at == std::string::npos) return tls.names.empty() ? subject : tls.names.front();
  return subject.substr(at, subject.find(',', at) - at);
}

Step probed_certificate(const Facts& facts, Step one) {
  const std::string from = vantage(facts);
  const probe::HostResult& host = *probed_host(facts);
  bool has_tls = false, has_failed = false;
  std::string failure;
  for (const probe::AddressResult& result : host.addresses) {
    has_tls = has_tls || result.tls.has_value();
    for (const probe::Step& its : result.steps) {
      if (its.status != probe::Status::fail) continue;
      has_failed = true;
      if (failure.empty()) failure = fmt::format("{} {}: {}", to_string(result.address), its.id, its.text);
    }
  }
  if (has_failed) {
    const bool is_past_tcp = !failure.empty() && failure.find(" tcp:") == std::string::npos;
    with(one, is_past_tcp ? Status::not_ok : Status::not_known, failure, from);
    if (!is_past_tcp) one.settle = probe_command(facts) + "      from another machine";
    one.rows.push_back({"(asked from here: says nothing of Microsoft's way)", ""});
    return one;
  }
  if (!has_tls) return not_known(one, "no certificate was seen from here", probe_command(facts));
  const probe::Tls& tls = *std::ranges::find_if(host.addresses, [](const probe::AddressResult& result) {
                             return result.tls.has_value();
                           })->tls;
  const std::string until = tls.chain.empty() ? "" : " until " + iso_date(tls.chain.front().not_after);
  with(one, Status::ok, fmt::format("{}{}, chain complete", first_name(tls), until), from);
  one.rows.push_back({"(asked from here: the server is well; says nothing of Microsoft's way)", ""});
  return one;
}

Step certificate(const Facts& facts) {
  Step one = step("certificate", "certificate");
  const Deferred* deferred = main_deferral(facts);
  const Sign sign = main_sign(facts);
  if (deferred != nullptr && (sign == Sign::certificate || sign == Sign::policy)) {
    const std::string& words = deferred->message.empty() ? deferred->text : deferred->message;
    with(one, Status::not_ok, words.empty() ? in_words(sign, *deferred) : words, short_place(deferred->at));
    show(one, deferred->at);
    return one;
  }
  if (probed_host(facts) != nullptr && !probed_host(facts)->addresses.empty())
    return probed_certificate(facts, std::move(one));
  if (facts.received && facts.received->tls.negotiated > 0 && facts.received->tls.failed == 0) {
    const TlsSigns& tls = facts.received->tls;
    row(one, fmt::format("TLS worked in {} from Microsoft", plural(tls.negotiated, "session")),
        tls.negotiated_at);
    one.status = Status::ok;
    return one;
  }
  const bool is_earlier = is_about_opening(sign);
  return not_known(one, is_earlier ? "the sender did not get so far" : "not looked at", probe_command(facts));
}

// ---- 5 what Exchange saw

void add_tls(Step& one, const TlsSigns& tls) {
  if (tls.not_offered > 0) {
    one.status = Status::not_ok;
    row(one,
        fmt::format("STARTTLS not offered to {} ({})", to_string(*tls.not_offered_to),
                    plural(tls.not_offered, "session")),
        tls.not_offered_at);
  }
  if (tls.failed > 0) {
    one.status = Status::not_ok;
    row(one,
        fmt::format("TLS failed with {} ({})", tls.failed_with ? to_string(*tls.failed_with) : "a sender",
                    plural(tls.failed, "session")),
        tls.failed_at);
  }
  if (tls.no_certificate > 0)
    row(one,
        fmt::format("no client certificate in {}: TLS may be changed on the way",
                    plural(tls.no_certificate, "session")),
        tls.no_certificate_at);
}

Step hidden_senders(const Received& received, Step one) {
  std::string peers;
  for (const auto& [address, count] : received.private_peers) {
    if (peers.size() > 40) {
      peers += " …";
      break;
    }
    peers += (peers.empty() ? "" : " ") + to_string(address);
  }
  with(one, Status::not_known,
       fmt::format("all {} from {}", plural(received.private_connections, "connection"), peers),
       short_place(received.private_at));
  one.rows.push_back({"NAT or a load balancer stands before it: the senders are not visible", ""});
  one.settle = "the log of that device; or let it keep the source address";
  show(one, received.private_at);
  return one;
}

Step exchange_saw(const Facts& facts) {
  Step one = step("exchange-saw", "Exchange saw");
  if (!facts.received) return not_known(one, "no receive log was given", std::string(receive_log_path));
  const Received& received = *facts.received;
  const Arrivals found = arrivals(facts);
  if (found.is_hidden) return hidden_senders(received, std::move(one));
  if (!found.is_known)
    return not_known(one, "the receive log names no time of any connection", std::string(receive_log_path));
  const std::int64_t last_day = utc_micros(*received.until) / micros_a_day;

  AddressSet lately, earlier;
  std::uint64_t on_last_day = 0;
  one.status = Status::ok;
  for (std::size_t i = 0; i < facts.required; ++i) {
    const AddressSet range(facts.ranges[i]);
    const Seen& seen = received.ranges[i];
    if (found.gone.covers(range)) {
      one.status = Status::not_ok;
      row(one, fmt::format("{}  not since {}", to_string(facts.ranges[i]), clock_text(*seen.last)),
          seen.last_at);
    } else if (found.seen.covers(range) && seen.day == last_day) {
      lately |= range;
      on_last_day += std::max<std::uint64_t>(seen.on_that_day, seen.connections == 0 ? 1 : 0);
      show(one, seen.last_at);
    } else if (found.seen.covers(range)) {
      earlier |= range;
      show(one, seen.last_at);
    }
  }
  const AddressSet missing = found.never | found.not_yet;
  if (!missing.empty()) {
    const bool is_all = found.seen.empty() && found.gone.empty();
    if (one.status == Status::ok) one.status = found.never.empty() ? Status::not_known : Status::not_ok;
    row(one,
        is_all ? fmt::format("none of Microsoft's ranges from {} to {}", clock_text(*received.from),
                             clock_text(*received.until))
               : fmt::format("{}  not once in this log", ranges_text(missing)),
        Place{received.files.back(), 0, {}});
    if (one.status == Status::not_known) one.settle = "a longer time of the same log";
  }
  if (!earlier.empty()) row(one, fmt::format("{}  seen", ranges_text(earlier)), {});
  if (!lately.empty())
    one.rows.push_back(
        {fmt::format("{}  {} on {}", ranges_text(lately), with_thousands(on_last_day), day_text(last_day)),
         short_name(received.files.back())});
  add_tls(one, received.tls);
  const Deferred* deferred = main_deferral(facts);
  if (one.status == Status::ok && deferred != nullptr && deferred->when &&
      utc_micros(*deferred->when) > utc_micros(*received.until)) {
    one.status = Status::not_known;
    one.rows.push_back(
        {fmt::format("but the log ends {}, before the error", clock_text(*received.until)), ""});
    one.settle = "the log of the error's own hour";
  }
  return one;
}

// ---- 6 the firewall's log

std::string holes_text(const FirewallLog& log) {
  std::string text;
  for (const std::string& hole : log.holes) text += (text.empty() ? "" : "; ") + hole;
  return text;
}

// Why the silence of this log is no evidence.
std::string why_silent(const FirewallLog& log, const Facts& facts) {
  if (!log.from) return "it has no times";
  if (const auto covers = covers_the_error(log, facts); covers == false)
    return fmt::format("it reaches from {} to {} and not to the error", clock_text(*log.from),
                       clock_text(*log.until));
  if (!log.holes.empty()) return "lines are missing: " + holes_text(log);
  if (log.drops == 0) return "it shows no denied connection at all: are denies logged?";
  return "whether the rule that denies logs is not known";
}

std::string other_hosts_text(const Denied& found) {
  return fmt::format("denied on the way to {}: is that the mail host? --to {}",
                     to_string(found.other_hosts.front()), to_string(found.other_hosts.front()));
}

Row only_some_destinations() {
  return {fmt::format("(denials on the way to the first {} destinations alone: the log has more of them)",
                      FirewallLog::most_targets),
          ""};
}

Step firewall_log(const Facts& facts) {
  Step one = step("firewall-log", "firewall log");
  if (facts.logs.empty())
    return not_known(one, "no firewall log was given",
                     "its lines of that minute, destination port 25 (see the ticket)");
  const Denied found = denied(facts);
  const auto nearest = std::ranges::find_if(
      facts.logs, [&](const FirewallLog& each) { return covers_the_error(each, facts) == true; });
  const FirewallLog& chosen = nearest == facts.logs.end() ? facts.logs.front() : *nearest;
  const Place log{chosen.file, 0, {}};
  if (found.attempts > 0) {
    const bool is_only_some = !(required(facts) - found.ranges).empty();
    with(one, Status::not_ok,
         fmt::format("{} denied, {} {}", plural(found.attempts, "new connection"),
                     with_thousands(found.sources), found.sources == 1 ? "address" : "addresses"));
    one.rows.push_back(
        {fmt::format("{}from {}", is_only_some ? "only " : "", ranges_text(found.ranges)), ""});
    std::string text = found.first ? "first " + clock_text(*found.first) : "no time in the lines";
    if (!found.rule.empty()) text += ", by " + found.rule;
    row(one, text, found.first_at);
    if (found.hinted == found.attempts)
      one.rows.push_back({"(that they are drops stands in the log prefix alone)", ""});
    if (found.is_cut) one.rows.push_back(only_some_destinations());
    if (found.not_by_rules > 0)
      one.rows.push_back({fmt::format("{} of them by translation, routing or inspection, not by a rule",
                                      with_thousands(found.not_by_rules)),
                          ""});
    return one;
  }
  if (!found.allowed.empty()) {
    const AddressSet missing = required(facts) - found.allowed;
    with(one, missing.empty() ? Status::ok : Status::not_known,
         fmt::format("let in: {}; none denied", ranges_text(found.allowed)), short_place(log));
    if (!missing.empty()) {
      one.rows.push_back({fmt::format("no line of {}", ranges_text(missing)), ""});
      one.settle = "a longer time of the same log, and whether denies are logged";
    }
    return one;
  }
  with(one, Status::not_known, "the log does not show it", short_place(log));
  one.rows.push_back({found.other_hosts.empty() ? why_silent(chosen, facts) : other_hosts_text(found), ""});
  if (found.is_cut) one.rows.push_back(only_some_destinations());
  one.settle = "a log of the error's minute, from a device that logs what it denies on port 25";
  std::uint64_t late = 0;
  for (const FirewallLog& each : facts.logs) late += each.late;
  if (late > 0)
    one.rows.push_back({fmt::format("({} of connections that were over: no opening was denied)",
                                    plural(late, "late packet")),
                        ""});
  return one;
}

// ---- 7 the rules

std::string apart_text(std::int64_t micros) {
  const std::int64_t seconds = micros / micros_a_second;
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 7200) return fmt::format("{} min", seconds / 60);
  if (seconds < 172'800) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} days", seconds / 86'400);
}

// The configuration's own time against the first denial in the log.
void add_written(Step& one, const Firewall& firewall, const Denied& log) {
  if (!firewall.written) return;
  const Moment& at = *firewall.written;
  std::string text = "written " + clock_text(at);
  if (log.first && log.first->offset && at.offset) {
    const std::int64_t apart = utc_micros(*log.first) - utc_micros(at);
    const std::string clock = clock_text(at);
    text = fmt::format("written {}, {} {} the first denial", clock.substr(0, clock.find(' ')),
                       apart_text(apart < 0 ? -apart : apart), apart < 0 ? "after" : "before");
  }
  row(one, text, firewall.written_at);
}

void add_blocked(Step& one, const Firewall& firewall, const Facts& facts, const std::string& device) {
  bool has_row = false;
  for (const audit::Check* check : checks_of(firewall, facts))
    for (const audit::Stretch& stretch : check->stretches) {
      if (stretch.status != audit::Status::fail) continue;
      const std::string by = stretch.by ? "denied by " + stretch.by->rule : stretch.implicit;
      const Place at = stretch.by ? Place{stretch.by->file, stretch.by->line, stretch.by->text} : Place{};
      const std::string ranges = ranges_text(stretch.addresses);
      const bool is_told =
          std::ranges::any_of(one.rows, [&](const Row& other) { return other.text == ranges; }) &&
          std::ranges::any_of(one.rows, [&](const Row& other) { return other.text == device + by; });
      has_row = true;
      if (is_told) continue;
      row(one, device + by, at);
      one.rows.push_back({ranges, ""});
    }
  if (!has_row) one.rows.push_back({device + ranges_text(blocked(firewall, facts)) + " denied", ""});
}

void add_open(Step& one, const Firewall& firewall, const Facts& facts, const std::string& device) {
  const audit::Check& check = *checks_of(firewall, facts).front();
  const std::size_t count = check.required.prefixes().size();
  Place at{firewall.file, 0, {}};
  if (!check.stretches.empty() && check.stretches.front().by) {
    const audit::Line& by = *check.stretches.front().by;
    at = {by.file, by.line, by.text};
  }
  row(one,
      fmt::format("{}{} of {} ranges open{}", device, count, count,
                  check.via.empty() ? "" : " (" + check.via.front() + ")"),
      at);
}

void add_unsure(Step& one, const Firewall& firewall, const Facts& facts, const std::string& device) {
  const AddressSet unsure = unknown(firewall, facts);
  const auto findings = findings_of(firewall, facts);
  const std::string& reason = checks_of(firewall, facts).front()->reason;
  const std::string what = unsure.empty() ? reason : ranges_text(unsure);
  one.rows.push_back({fmt::format("{}{} cannot be told", device, what),
                      findings.empty() ? "" : std::string(audit::text_of(findings.front()->code).id)});
}

// What one firewall adds to the step.
enum class Answered : std::uint8_t { open, stops, unsure, not_asked };
Answered add_firewall(Step& one, const Firewall& firewall, const Facts& facts, const std::string& device) {
  if (!firewall.audit.error.empty()) {
    one.rows.push_back({device + firewall.audit.error, device.empty() ? short_name(firewall.file) : ""});
    return Answered::unsure;
  }
  const auto checks = checks_of(firewall, facts);
  if (checks.empty()) return Answered::not_asked;
  const Denied log = denied(facts);
  const AddressSet stopped = blocked(firewall, facts), arrives = arrivals(facts).seen & stopped;
  const bool is_open = std::ranges::all_of(
      checks, [](const audit::Check* check) { return check->status == audit::Status::pass; });
  if (is_open) {
    add_open(one, firewall, facts, device);
    if (const AddressSet both = log.ranges & permitted(firewall, facts); !both.empty()) {
      one.rows.push_back(
          {fmt::format("yet a log denies {}: another device, an unsaved change,", ranges_text(both)), ""});
      one.rows.push_back({"or another export than what runs", ""});
      add_written(one, firewall, log);
    }
    return Answered::open;
  }
  if (!stopped.empty()) {
    add_blocked(one, firewall, facts, device);
    add_written(one, firewall, log);
    if (!arrives.empty())
      one.rows.push_back(
          {fmt::format("yet Exchange sees {}: another way in, or an old export", ranges_text(arrives)), ""});
  }
  if (stopped.empty() || !unknown(firewall, facts).empty()) add_unsure(one, firewall, facts, device);
  return stopped.empty() ? Answered::unsure : Answered::stops;
}

std::string how_to_ask(const Facts& facts, bool is_any_asked) {
  if (!is_any_asked) return "--to ADDRESS: the mail host as this firewall knows it";
  return "aclmend audit " + for_a_shell(facts.firewalls.front().file);
}

Step firewall_rules(const Facts& facts) {
  Step one = step("firewall-rules", "firewall rules");
  if (facts.firewalls.empty())
    return not_known(one, "no configuration was given",
                     "the firewall's export (the ticket names the commands)");
  std::array<std::size_t, 4> count{};
  const auto of = [&](Answered answer) -> std::size_t& { return count[static_cast<std::size_t>(answer)]; };
  for (const Firewall& firewall : facts.firewalls)
    ++of(add_firewall(one, firewall, facts,
                      facts.firewalls.size() > 1 ? short_name(firewall.file) + ": " : ""));
  const std::size_t not_asked = of(Answered::not_asked);
  if (not_asked > 0)
    one.rows.push_back(
        {fmt::format("{} not asked: the mail host is not known there", plural(not_asked, "firewall")), ""});
  one.status = of(Answered::stops) > 0                               ? Status::not_ok
               : of(Answered::unsure) > 0 || of(Answered::open) == 0 ? Status::not_known
                                                                     : Status::ok;
  if (one.status == Status::not_known) one.settle = how_to_ask(facts, not_asked < facts.firewalls.size());
  return one;
}

// ---- 8 refused or silent

std::string_view word(Sign sign) { return sign == Sign::refusal ? "refused (10061)" : "silence (10060)"; }

Step refused_or_silent(const Facts& facts) {
  Step one = step("refused-or-silent", "refused or silent");
  const Deferred* deferred = main_deferral(facts);
  const std::string ask = "ask the firewall team whether a denied packet gets a reset";
  if (deferred == nullptr) return not_known(one, "no error text to compare with", "the error text");
  const Sign sign = sign_of(*deferred, facts);
  if (sign != Sign::refusal && sign != Sign::silence) {
    if (sign == Sign::unclear || sign == Sign::expired || sign == Sign::unreachable)
      return not_known(one, "the error text does not say which", ask);
    return with(one, Status::ok,
                sign == Sign::outbound ? "not asked: about the way to Microsoft"
                : sign == Sign::dns    ? "not asked: the name was not found"
                                       : "neither: the connection was opened");
  }
  const auto firewalls = blocking(facts);
  const auto known = std::ranges::find_if(
      firewalls, [](const Firewall* each) { return each->answer != Firewall::Answer::unknown; });
  if (known == firewalls.end())
    return not_known(one,
                     firewalls.empty() ? fmt::format("the sender met {}", word(sign))
                                       : "what a denied packet earns is not in this export",
                     ask);
  const Firewall& firewall = **known;
  const bool refuses = firewall.answer == Firewall::Answer::refusal;
  const bool agrees = refuses == (sign == Sign::refusal);
  one.status = agrees ? Status::ok : Status::not_ok;
  one.rows.push_back({fmt::format("{}: a deny here {},", firewall.answer_because,
                                  refuses ? "answers \"refused\" (10061)" : "is silent (10060)"),
                      ""});
  row(one,
      fmt::format("not {}{}", refuses ? "silent (10060)" : "\"refused\" (10061)",
                  agrees ? ", so the error text agrees" : ": something else answered the sender"),
      firewall.answer_at);
  return one;
}

}  // namespace

std::vector<Step> steps(const Facts& facts) {
  return {error_text(facts),   the_sender(facts),   the_name(facts),       certificate(facts),
          exchange_saw(facts), firewall_log(facts), firewall_rules(facts), refused_or_silent(facts)};
}

}  // namespace aclmend::diagnose
