#include "diagnose/causes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "diagnose/signs.h"
#include "diagnose/steps.h"
#include "diagnose/view.h"

namespace aclmend::diagnose {
namespace {

using enum Confidence;

// "edge" for configs/edge.cfg.
std::string name_of(const Firewall& firewall) {
  const std::string name = short_name(firewall.name);
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

// ---- what is known of other causes than the firewall

bool has_probe_refused(const Facts& facts) {
  return facts.probe && std::ranges::any_of(facts.probe->findings, [](const probe::Finding& finding) {
           return finding.code == audit::Code::no_connection;
         });
}

bool has_probe_connected(const Facts& facts) {
  return facts.probe && std::ranges::any_of(facts.probe->hosts, [](const probe::HostResult& host) {
           return std::ranges::any_of(host.addresses, [](const probe::AddressResult& one) {
             const probe::Step* tcp = probe::step_named(one.steps, "tcp");
             return tcp != nullptr && tcp->status == probe::Status::ok;
           });
         });
}

bool has_inspection(const Facts& facts) {
  return std::ranges::any_of(facts.firewalls, [](const Firewall& firewall) {
    return std::ranges::any_of(firewall.audit.findings, [](const audit::Finding& finding) {
      return finding.code == audit::Code::smtp_inspected;
    });
  });
}

bool has_probe_finding(const Facts& facts, audit::Code code) {
  return facts.probe && std::ranges::any_of(facts.probe->findings,
                                            [&](const probe::Finding& one) { return one.code == code; });
}

// ---- the firewall's rules show it

// Is there a sender of the error text, and does it come from these ranges?
std::optional<bool> error_came_from(const AddressSet& ranges, const Facts& facts) {
  if (facts.match) return ranges.contains(facts.match->source);
  const Deferred* deferred = main_deferral(facts);
  if (deferred != nullptr && deferred->sent_from) return ranges.contains(*deferred->sent_from);
  return std::nullopt;
}

void weigh_logs(Cause& cause, const AddressSet& stopped, const Facts& facts) {
  const Denied log = denied(facts);
  const Arrivals arrived = arrivals(facts);
  if (const AddressSet both = log.ranges & stopped; !both.empty())
    cause.supports.push_back(fmt::format("the firewall's log denies {}", ranges_text(both)));
  if (const AddressSet more = log.ranges - stopped; !more.empty())
    cause.contradicts.push_back(fmt::format("the log denies {} as well", ranges_text(more)));
  if (const AddressSet away = (arrived.gone | arrived.never) & stopped; !away.empty())
    cause.supports.push_back(fmt::format("Exchange does not see {}", ranges_text(away)));
  if (const AddressSet here = arrived.seen & stopped; !here.empty())
    cause.contradicts.push_back(fmt::format("Exchange sees {}", ranges_text(here)));
  if (const auto came = error_came_from(stopped, facts))
    (*came ? cause.supports : cause.contradicts)
        .push_back(fmt::format("the sender of the error text is {}of these ranges", *came ? "" : "not "));
}

void weigh_error(Cause& cause, const Firewall& firewall, const Facts& facts) {
  if (main_deferral(facts) == nullptr) return;
  const Sign sign = main_sign(facts);
  if (!is_about_opening(sign)) {
    if (sign != Sign::unclear && sign != Sign::expired)
      cause.contradicts.push_back("the error text is not about the opening of a connection");
    return;
  }
  if (firewall.answer == Firewall::Answer::unknown || sign == Sign::unreachable) return;
  const bool agrees = (firewall.answer == Firewall::Answer::refusal) == (sign == Sign::refusal);
  (agrees ? cause.supports : cause.contradicts)
      .push_back(agrees ? "a denied packet is answered as the error text says"
                        : "a denied packet is answered otherwise than the error text says");
}

Cause rules_stop(const Firewall& firewall, const Facts& facts) {
  const AddressSet stopped = blocked(firewall, facts);
  Cause cause;
  for (const audit::Finding* finding : findings_of(firewall, facts)) {
    if (!finding->ranges.intersects(stopped)) continue;
    if (cause.cause.empty()) cause.cause = finding->explanation;
    cause.supports.push_back(finding->blocked_by ? fmt::format("{} denies {}", finding->blocked_by->rule,
                                                               ranges_text(finding->ranges))
                                                 : finding->implicit);
  }
  if (cause.cause.empty()) cause.cause = fmt::format("the rules deny {}", ranges_text(stopped));
  if (facts.firewalls.size() > 1) cause.cause = name_of(firewall) + ": " + cause.cause;
  weigh_logs(cause, stopped, facts);
  weigh_error(cause, firewall, facts);
  cause.confidence = cause.contradicts.empty() ? certain : cause.contradicts.size() == 1 ? likely : possible;
  cause.because = cause.contradicts.empty() ? "the rules show it" : "but " + cause.contradicts.front();
  return cause;
}

Cause rules_unsure(const Firewall& firewall, const Facts& facts) {
  Cause cause;
  const AddressSet unsure = unknown(firewall, facts);
  for (const audit::Finding* finding : findings_of(firewall, facts))
    if (cause.cause.empty() && finding->ranges.intersects(unsure)) cause.cause = finding->explanation;
  if (cause.cause.empty()) cause.cause = fmt::format("the rules may deny {}", ranges_text(unsure));
  weigh_logs(cause, unsure, facts);
  weigh_error(cause, firewall, facts);
  cause.confidence = !cause.supports.empty() && cause.contradicts.empty() ? likely : possible;
  cause.because = "the export does not settle it";
  return cause;
}

// ---- the log shows it, the rules do not

std::optional<Cause> log_denies(const Facts& facts) {
  const Denied log = denied(facts);
  if (log.attempts == 0) return std::nullopt;
  AddressSet explained, let_in;
  for (const Firewall& firewall : facts.firewalls) {
    explained |= blocked(firewall, facts);
    let_in |= permitted(firewall, facts);
  }
  const AddressSet left = log.ranges - explained;
  if (left.empty()) return std::nullopt;
  Cause cause;
  const std::string by = log.rule.empty() ? "" : fmt::format(" (its lines name {})", log.rule);
  cause.confidence = log.hinted == log.attempts ? possible : likely;
  cause.supports.push_back(
      fmt::format("{} denied from {}", plural(log.attempts, "new connection"), ranges_text(log.ranges)));
  if (left.intersects(let_in)) {
    cause.cause = "another device denies it, or the export is not what runs";
    cause.because = "the log denies what these rules let in";
    cause.contradicts.push_back(fmt::format("these rules let {} in", ranges_text(left & let_in)));
  } else {
    cause.cause = fmt::format("a firewall denies {}{}", ranges_text(left), by);
    cause.because = "its log shows it; its rules would say why";
  }
  const Arrivals arrived = arrivals(facts);
  if (left.intersects(arrived.gone | arrived.never)) cause.supports.push_back("Exchange does not see them");
  if (left.intersects(arrived.seen))
    cause.contradicts.push_back(fmt::format("Exchange sees {}", ranges_text(left & arrived.seen)));
  return cause;
}

// ---- neither rules nor log: what the error text leaves

bool has_firewall_evidence(const Facts& facts) {
  return !blocking(facts).empty() || denied(facts).attempts > 0;
}

void add_opening(std::vector<Cause>& all, Sign sign, const Facts& facts) {
  const Arrivals arrived = arrivals(facts);
  const AddressSet away = arrived.gone | arrived.never;
  const bool is_partial = !arrived.seen.empty() && !away.empty();
  const bool is_all_open = all_open(facts);
  Cause filter;
  filter.cause = sign == Sign::silence ? "a firewall drops part of Microsoft's servers without a word"
                                       : "a firewall turns part of Microsoft's servers away";
  filter.confidence = is_partial && !is_all_open ? likely : possible;
  filter.because = "consistent with the error text";
  filter.supports.push_back("the error text");
  if (is_partial)
    filter.supports.push_back(fmt::format("Exchange sees other ranges, not {}", ranges_text(away)));
  if (is_all_open) filter.contradicts.push_back("the rules that were given let all ranges in");
  Cause server;
  server.cause = sign == Sign::silence ? "the server is down, the address is wrong, or routing fails"
                                       : "nothing listens on TCP 25, or a load balancer has no server left";
  server.because = "consistent with the error text";
  server.supports.push_back("the error text");
  if (has_probe_refused(facts)) server.supports.push_back("no connection from here either");
  if (has_probe_connected(facts)) server.contradicts.push_back("it answers from here");
  if (!arrived.seen.empty())
    server.contradicts.push_back(fmt::format("Exchange sees {} arrive", ranges_text(arrived.seen)));
  server.confidence = server.contradicts.empty() && has_probe_refused(facts) ? likely : possible;
  const bool is_servers_first = server.contradicts.size() < filter.contradicts.size();
  if (server.confidence > filter.confidence || is_servers_first) std::swap(server, filter);
  all.push_back(std::move(filter));
  all.push_back(std::move(server));
}

void add_tls(std::vector<Cause>& all, const Facts& facts) {
  const bool has_not_offered = facts.received && facts.received->tls.not_offered > 0;
  Cause own{.cause = "the receive connector has no valid certificate for its name", .because = {}};
  Cause inspection{.cause = "SMTP inspection on the way hides STARTTLS", .because = {}};
  own.because = inspection.because = "consistent with the error text";
  own.supports.push_back("the error text");
  inspection.supports.push_back("the error text");
  if (has_not_offered) {
    own.supports.push_back("Exchange itself does not offer STARTTLS to them");
    own.confidence = likely;
    inspection.contradicts.push_back("Exchange itself does not offer STARTTLS");
  }
  if (has_inspection(facts)) {
    inspection.supports.push_back("the firewall inspects SMTP (ACM024)");
    if (!has_not_offered) inspection.confidence = likely;
  }
  if (has_probe_finding(facts, audit::Code::certificate_invalid)) {
    own.supports.push_back("the certificate was found wrong from here");
    own.confidence = likely;
  }
  const bool is_first = inspection.confidence > own.confidence;
  all.push_back(is_first ? inspection : own);
  all.push_back(is_first ? own : inspection);
}

Cause simple(std::string text, std::string because, Confidence confidence = likely) {
  return {.cause = std::move(text),
          .confidence = confidence,
          .because = std::move(because),
          .supports = {"the error text"},
          .contradicts = {}};
}

void add_by_sign(std::vector<Cause>& all, const Facts& facts) {
  const Deferred* deferred = main_deferral(facts);
  if (deferred == nullptr) {
    const Arrivals arrived = arrivals(facts);
    const AddressSet away = arrived.gone | (arrived.seen.empty() ? AddressSet() : arrived.never);
    if (!has_firewall_evidence(facts) && !away.empty() && !arrived.seen.empty())
      all.push_back({.cause = fmt::format("something before Exchange stops {}", ranges_text(away)),
                     .confidence = arrived.gone.empty() ? possible : likely,
                     .because = "consistent with the receive log",
                     .supports = {"the receive log"},
                     .contradicts = {}});
    return;
  }
  const Sign sign = sign_of(*deferred, facts);
  const std::string consistent = "consistent with the error text";
  switch (sign) {
    case Sign::unclear:
    case Sign::expired: return;
    case Sign::silence:
    case Sign::refusal:
    case Sign::unreachable:
      if (!has_firewall_evidence(facts)) add_opening(all, sign, facts);
      return;
    case Sign::dns:
      all.push_back(simple("the mail host's name does not resolve for Microsoft", "the error text says so"));
      return;
    case Sign::cut:
      all.push_back(simple(has_inspection(facts)
                               ? "SMTP inspection on the way cuts the session (ACM024)"
                               : "inspection on the way, an overloaded server, or the network",
                           consistent, has_inspection(facts) ? likely : possible));
      return;
    case Sign::tls: add_tls(all, facts); return;
    case Sign::certificate:
      all.push_back(simple("the certificate does not suit the connector", "the error text says so"));
      return;
    case Sign::policy:
      all.push_back(
          simple("what DANE or MTA-STS publish does not agree with the server", "the error text says so"));
      return;
    case Sign::answered:
      all.push_back(
          simple("the mail server itself answered no: it is not the firewall", "the error text says so"));
      return;
    case Sign::outbound:
      all.push_back(
          simple("mail from your side to Microsoft fails: the other direction", "the error text says so"));
      return;
  }
}

}  // namespace

std::vector<Cause> causes(const Facts& facts) {
  std::vector<Cause> all;
  for (const Firewall* firewall : blocking(facts)) all.push_back(rules_stop(*firewall, facts));
  for (const Firewall& firewall : facts.firewalls)
    if (!unknown(firewall, facts).empty() && blocked(firewall, facts).empty())
      all.push_back(rules_unsure(firewall, facts));
  if (auto by_log = log_denies(facts)) all.push_back(std::move(*by_log));
  add_by_sign(all, facts);
  std::ranges::stable_sort(all, std::ranges::greater{}, &Cause::confidence);
  constexpr std::size_t most = 4;
  if (all.size() > most) all.resize(most);
  return all;
}

// ---- in plain words

namespace {

std::string affected(const AddressSet& ranges, const Facts& facts) {
  const AddressSet all = required(facts);
  std::size_t touched = 0, count = 0;
  for (const Prefix& prefix : all.prefixes()) {
    ++count;
    if (ranges.intersects(AddressSet(prefix))) ++touched;
  }
  if (touched == count) return fmt::format("Affected: all {} ranges; no mail from Microsoft arrives.", count);
  return fmt::format("Affected: {} of {} ranges; that is why some mail arrives.", touched, count);
}

std::string not_the_fault(const Facts& facts) {
  std::string text;
  const auto add = [&](std::string_view what) { text += (text.empty() ? "" : ", ") + std::string(what); };
  for (const Step& step : steps(facts)) {
    if (step.status != Status::ok) continue;
    if (step.id == "name") add("name");
    if (step.id == "certificate") add("certificate");
  }
  const Arrivals arrived = arrivals(facts);
  if (arrived.is_known && !arrived.seen.empty()) add("Exchange");
  if (text.empty()) return text;
  text[0] = static_cast<char>(text[0] >= 'a' && text[0] <= 'z' ? text[0] - 'a' + 'A' : text[0]);
  return " " + text + ": not the fault.";
}

std::vector<std::string> firewall_words(const Firewall& firewall, const Facts& facts, const Cause& cause) {
  const AddressSet stopped = blocked(firewall, facts);
  const bool is_all = (required(facts) - stopped).empty();
  const bool log_too = denied(facts).ranges.intersects(stopped);
  const std::string who = fmt::format("Your firewall \"{}\"", name_of(firewall));
  if (cause.confidence != certain)
    return {fmt::format("The rules of \"{}\" stop {} of Microsoft's servers.", name_of(firewall),
                        is_all ? "all" : "part"),
            fmt::format("But {}: see the cause below.", cause.contradicts.front())};
  std::string stops = fmt::format("{} stops {} of Microsoft's servers.", who, is_all ? "all" : "part");
  const std::string well = not_the_fault(facts);
  constexpr std::size_t page = 100;
  const bool fits = stops.size() + well.size() <= page;
  if (fits) stops += well;
  std::vector<std::string> words{stops};
  if (!fits) words.push_back(well.substr(1));
  words.push_back(fmt::format("{} {}", log_too ? "Its rules and its log both say so." : "Its rules say so.",
                              affected(stopped, facts)));
  return words;
}

std::vector<std::string> words_by_sign(const Facts& facts) {
  const Deferred* deferred = main_deferral(facts);
  const Arrivals arrived = arrivals(facts);
  const bool is_open = all_open(facts);
  if (deferred == nullptr && arrived.is_known && !(arrived.gone | arrived.never).empty())
    return {fmt::format("Exchange does not see a part of Microsoft's servers: {}.",
                        ranges_text(arrived.gone | arrived.never)),
            "What stops them stands before Exchange; the firewall is the first to ask."};
  if (deferred == nullptr)
    return {"No error text was given, and nothing that was given shows a fault.",
            "Paste the text of the delayed message: Detail in the message trace."};
  switch (sign_of(*deferred, facts)) {
    case Sign::unclear:
    case Sign::expired:
      return {"The text does not say why the mail was not delivered.",
              "Look for an earlier text of the same message, or copy the whole of it."};
    case Sign::dns:
      return {"Microsoft does not find the name of your mail server. No firewall was asked yet.",
              "Look the name up from outside, and what the connector has as smart host."};
    case Sign::refusal:
      return {is_open
                  ? "Microsoft was refused, though the rules that were given let it in."
                  : "Microsoft's server was refused before any mail: by a firewall, or by the mail server.",
              arrived.seen.empty() || (arrived.gone | arrived.never).empty()
                  ? "The unknown steps below would tell which; the ticket asks the firewall team."
                  : "Other Microsoft servers arrive: that points to a firewall that knows only some."};
    case Sign::silence:
      return {
          is_open
              ? "Microsoft got no answer, though the rules that were given let it in."
              : "Microsoft's server got no answer at all: a firewall that drops, or a server that is down.",
          arrived.seen.empty() || (arrived.gone | arrived.never).empty()
              ? "The unknown steps below would tell which; the ticket asks the firewall team."
              : "Other Microsoft servers arrive: that points to a firewall that knows only some."};
    case Sign::unreachable:
      return {"A router or firewall told Microsoft that there is no way to your mail server.",
              "Ask the firewall team with the ticket; routing may be it as well."};
    case Sign::cut:
      return {"Microsoft's server got through, and the session was cut before the mail was taken.",
              "No address rule does that: look at SMTP inspection, and at the server's load."};
    case Sign::tls:
      return {"Microsoft's server got through, and then TLS failed. No address rule is at fault.",
              "Look at the connector's certificate, and at SMTP inspection on the way."};
    case Sign::certificate:
      return {"Microsoft's server got through, and did not take your certificate.",
              "The firewall is not at fault. Look at the certificate of the receive connector."};
    case Sign::policy:
      return {"Microsoft's server got through; what DANE or MTA-STS publish does not fit your server.",
              "The firewall is not at fault. Compare the published records with the certificate."};
    case Sign::answered:
      return {"Your mail server was reached and said no by itself. The firewall is not at fault.",
              "Read its words in step 1; `aclmend explain` knows many of them."};
    case Sign::outbound:
      return {"This is about mail from your side to Microsoft, not from Microsoft to you.",
              "The firewall's rules for the way out are asked with --flow eop-outbound-smtp."};
  }
  return {};
}

}  // namespace

std::vector<std::string> plain_words(const Facts& facts, const std::vector<Cause>& causes) {
  const auto firewalls = blocking(facts);
  if (!firewalls.empty()) {
    const auto worst = std::ranges::max_element(
        firewalls, {}, [&](const Firewall* one) { return rules_stop(*one, facts).confidence; });
    return firewall_words(**worst, facts, rules_stop(**worst, facts));
  }
  if (const Denied log = denied(facts); log.attempts > 0 && !causes.empty()) {
    const bool is_permitted = std::ranges::any_of(facts.firewalls, [&](const Firewall& firewall) {
      return permitted(firewall, facts).intersects(log.ranges);
    });
    return {is_permitted
                ? "A firewall's log denies Microsoft's servers, and the rules that were given let them in."
                : "A firewall's log shows that it denies Microsoft's servers.",
            is_permitted ? "So another device denies them, or this export is not what runs there."
                         : affected(log.ranges, facts)};
  }
  return words_by_sign(facts);
}

// ---- what else was noticed

std::vector<Row> also(const Facts& facts) {
  std::vector<Row> rows;
  for (const Firewall& firewall : facts.firewalls)
    for (const audit::Finding& finding : firewall.audit.findings) {
      using enum audit::Code;
      if (rows.size() >= 2) break;
      if (finding.code != smtp_inspected && finding.code != relay_pool) continue;
      const auto& at = finding.anchor ? finding.anchor : finding.blocked_by;
      rows.push_back({fmt::format("{} {}", audit::text_of(finding.code).id, finding.title),
                      at ? short_place({at->file, at->line, {}}) : ""});
    }
  if (facts.unread > 0)
    rows.push_back({fmt::format("{} of {} lines of evidence not understood", with_thousands(facts.unread),
                                with_thousands(facts.lines)),
                    "--show-unread"});
  for (const std::string& trouble : facts.troubles)
    if (rows.size() < 4) rows.push_back({trouble, ""});
  if (rows.empty()) rows.push_back({"nothing else found", ""});
  return rows;
}

// ---- clocks

namespace {

// By how many half hours the firewall's clock would stand beside UTC, so that the last arrivals come before
// the first denials, and shortly before.
std::optional<int> fitting_shift(const Facts& facts, const Denied& log) {
  if (!facts.received || !log.first) return std::nullopt;
  std::optional<std::int64_t> last;
  for (std::size_t i = 0; i < facts.required; ++i) {
    const Seen& seen = facts.received->ranges[i];
    if (!log.ranges.intersects(AddressSet(facts.ranges[i])) || !seen.last) continue;
    last = std::max(last.value_or(utc_micros(*seen.last)), utc_micros(*seen.last));
  }
  if (!last) return std::nullopt;
  constexpr std::int64_t half_hour = 1800 * micros_a_second, slack = 60 * micros_a_second;
  const std::int64_t apart = utc_micros(*log.first) - *last;
  if (apart < -14 * 2 * half_hour || apart > 14 * 2 * half_hour) return std::nullopt;
  const auto shift = static_cast<int>((apart + slack) / half_hour - (apart + slack < 0 ? 1 : 0));
  return shift;
}

}  // namespace

std::vector<Row> clocks(const Facts& facts) {
  std::vector<Row> rows;
  for (const FirewallLog& log : facts.logs) {
    if (log.has_zone || !rows.empty()) continue;
    const auto shift = fitting_shift(facts, denied(facts));
    std::string text = "the firewall log names no zone; it is read as UTC";
    if (shift == 0) text = "the firewall log names no zone; UTC fits the receive log";
    else if (shift)
      text = fmt::format("the firewall log names no zone; {}{:02}:{:02} fits the receive log",
                         *shift < 0 ? '-' : '+', std::abs(*shift) / 2, std::abs(*shift) % 2 * 30);
    rows.push_back({text, "--log-timezone"});
  }
  return rows;
}

// ---- what to do next

namespace {

const Step* step_named(const std::vector<Step>& steps, std::string_view id) {
  const auto found = std::ranges::find(steps, id, &Step::id);
  return found == steps.end() ? nullptr : &*found;
}

bool is_open_question(const std::vector<Step>& steps, std::string_view id) {
  const Step* one = step_named(steps, id);
  return one != nullptr && one->status == Status::not_known;
}

std::string diagnose_command(const Facts& facts) {
  std::string command = "aclmend diagnose";
  if (facts.inputs.size() > 3 || facts.inputs.empty()) return command + " ... --ticket";
  std::string files;
  for (const std::string& input : facts.inputs) files += " " + for_a_shell(input);
  return command + (files.size() > 40 ? " ..." : files) + " --ticket";
}

bool needs_firewall(Sign sign) {
  return is_about_opening(sign) || sign == Sign::unclear || sign == Sign::expired;
}

}  // namespace

std::vector<Action> next(const Facts& facts, const std::vector<Step>& steps) {
  std::vector<Action> actions;
  const Sign sign = main_sign(facts);
  const auto firewalls = blocking(facts);
  for (const Firewall* firewall : firewalls)
    if (!firewall->fix.empty() && actions.empty())
      actions.push_back({"to mend it", firewall->fix, "proved, with rollback"});
  if (firewalls.empty() && needs_firewall(sign)) {
    if (is_open_question(steps, "exchange-saw") && !facts.received) {
      actions.push_back({"copy the receive log",
                         R"(Copy-Item "$env:ExchangeInstallPath\TransportRoles\Logs\FrontEnd\ProtocolLog\)"
                         R"(SmtpReceive\RECV*.LOG" .)",
                         ""});
      actions.push_back({"where there is none",
                         "Get-ReceiveConnector | Set-ReceiveConnector -ProtocolLoggingLevel Verbose",
                         "from now on"});
    }
  }
  if (sign == Sign::outbound)
    actions.push_back({"the way out", "aclmend audit CONFIG --flow eop-outbound-smtp", ""});
  if (sign == Sign::answered || sign == Sign::certificate || sign == Sign::policy || sign == Sign::tls ||
      sign == Sign::cut) {
    const Deferred* deferred = main_deferral(facts);
    if (deferred != nullptr && !deferred->status.empty())
      actions.push_back({"what it means", "aclmend explain " + for_a_shell(deferred->status), ""});
  }
  for (const std::string_view id : {"name", "certificate"})
    if (const Step* one = step_named(steps, id); one != nullptr && one->status == Status::not_known &&
                                                 one->settle.find("aclmend probe") != std::string::npos) {
      actions.push_back(
          {"does the server answer", one->settle.substr(one->settle.find("aclmend probe")), ""});
      break;
    }
  if (needs_firewall(sign) || !firewalls.empty() || denied(facts).attempts > 0)
    actions.push_back({"for the firewall team", diagnose_command(facts), "one page to paste, no secrets"});
  if (!firewalls.empty())
    actions.push_back(
        {"afterwards", "the check commands in the fix; the receive log shows the ranges again", ""});
  return actions;
}

}  // namespace aclmend::diagnose
