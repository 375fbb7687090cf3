// The page for the people who run the firewall. They were not in the room: it says what is refused, when, how
// they find it, and what they should send back.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "diagnose/diagnose.h"
#include "diagnose/signs.h"
#include "diagnose/view.h"

namespace aclmend::diagnose {
namespace {

std::string host_text(const Facts& facts) {
  const Deferred* deferred = main_deferral(facts);
  if (deferred != nullptr && deferred->address && !deferred->is_own_servers)
    return to_string(*deferred->address);
  if (!facts.to.empty()) return to_string(facts.to.front());
  for (const Firewall& firewall : facts.firewalls)
    for (const audit::Check* check : checks_of(firewall, facts))
      if (check->destination) return to_string(*check->destination);
  return facts.host.empty() ? "our mail server" : printable(facts.host);
}

// "2026-11-23 01:12:09 UTC"
std::string when_text(const Moment& moment) {
  std::string text = to_string(moment);
  if (text.size() < 19) return text;
  const bool is_utc = moment.offset.has_value();
  text = text.substr(0, 19);
  text[10] = ' ';
  return text + (is_utc ? " UTC" : " (the log names no zone)");
}

std::string what_happened(const Facts& facts) {
  const Deferred* deferred = main_deferral(facts);
  const Sign sign = main_sign(facts);
  const std::string verb = sign == Sign::silence ? "No answer" : sign == Sign::refusal ? "Refused" : "Failed";
  if (facts.match)
    return fmt::format("{} at {}: {} (Microsoft 365).", verb, when_text(facts.match->time),
                       to_string(facts.match->source));
  if (deferred != nullptr && deferred->when)
    return fmt::format("{} at {}: a server of Microsoft 365{}.", verb, when_text(*deferred->when),
                       deferred->sent_from ? ", " + to_string(*deferred->sent_from)
                                           : ", its address is not in the error text");
  return fmt::format("{}: servers of Microsoft 365.", verb);
}

AddressSet in_question(const Facts& facts) {
  AddressSet ranges = denied(facts).ranges;
  for (const Firewall* firewall : blocking(facts)) ranges |= blocked(*firewall, facts);
  const Arrivals arrived = arrivals(facts);
  if (!arrived.seen.empty()) ranges |= arrived.gone | arrived.never;
  return ranges;
}

std::string indented(const AddressSet& set) {
  std::string out;
  std::size_t column = 0;
  for (const Prefix& prefix : set.prefixes()) {
    const std::string text = "  " + to_string(prefix);
    if (column + text.size() > 96) out += '\n', column = 0;
    out += text;
    column += text.size();
  }
  return out + "\n";
}

std::string filled(std::string_view text, const std::string& range) {
  std::string out(text);
  for (const auto& [word, value] :
       {std::pair{std::string_view("RANGE"), std::string_view(range)}, {"PORT", "25"}})
    for (std::size_t at = out.find(word); at != std::string::npos; at = out.find(word, at + value.size()))
      out.replace(at, word.size(), value);
  return out;
}

std::vector<const Inquiry*> inquiries(const Facts& facts) {
  std::vector<const Inquiry*> chosen;
  const auto is_known = [&](const Inquiry& one) {
    return std::ranges::any_of(facts.firewalls,
                               [&](const Firewall& firewall) { return firewall.vendor == one.vendor; }) ||
           std::ranges::any_of(facts.logs, [&](const FirewallLog& log) { return log.vendor == one.vendor; });
  };
  for (const Inquiry& one : facts.inquiries)
    if (is_known(one)) chosen.push_back(&one);
  if (chosen.empty())
    for (const Inquiry& one : facts.inquiries) chosen.push_back(&one);
  return chosen;
}

}  // namespace

std::string ticket(const Facts& facts) {
  const AddressSet all = required(facts), question = in_question(facts);
  std::string out =
      fmt::format("To the firewall team: please check inbound TCP 25 to {}.\n", host_text(facts));
  out += what_happened(facts) + "\nAll of these must get in:\n" + indented(all);
  if (!question.empty() && !(all - question).empty())
    out += "In question, by what we see so far:\n" + indented(question);
  if (const Denied log = denied(facts); log.first)
    out += fmt::format("First denied in the firewall's log: {}{}\n", when_text(*log.first),
                       log.rule.empty() ? "" : ", by " + printable(log.rule));
  const std::string range = (question.empty() ? all : question).empty()
                                ? "RANGE"
                                : to_string((question.empty() ? all : question).prefixes().front());
  const auto chosen = inquiries(facts);
  std::size_t width = 0;
  for (const Inquiry* one : chosen) width = std::max(width, one->title.size());
  if (!chosen.empty()) out += "Ask the firewall\n";
  for (const Inquiry* one : chosen) {
    if (!one->ask.empty()) out += fmt::format("  {:<{}}  {}\n", one->title, width, one->ask);
    if (!one->search.empty())
      out += fmt::format("  {:<{}}  log: {}\n", one->ask.empty() ? one->title : "", width,
                         filled(one->search, range));
  }
  out += "Was it changed shortly before? Does a denied packet get a reset, or nothing?\n";
  if (std::ranges::any_of(chosen, [](const Inquiry* one) { return !one->send_back.empty(); }))
    out += "Please send back (no passwords in these)\n";
  for (const Inquiry* one : chosen) {
    bool is_first = true;
    if (one->send_back.empty()) continue;
    for (const std::string_view line : split(one->send_back, '\n')) {
      out += fmt::format("  {:<{}}  {}\n", is_first ? one->title : "", width, line);
      is_first = false;
    }
  }
  out += "Not a remedy: opening 25 to any. The mail waits at Microsoft and is tried again.\n";
  return out;
}

}  // namespace aclmend::diagnose
