// `probe` on a terminal: for few addresses each step, for many a line an address. Whatever a server said
// passes printable().
#include "report/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/text.h"
#include "report/terminal/layout.h"

namespace aclmend::report {

std::vector<std::string> vantage_addresses(const probe::Report& probe) {
  std::vector<std::string> all;
  for (const probe::HostResult& host : probe.hosts)
    for (const probe::AddressResult& one : host.addresses) {
      if (!one.from) continue;
      const std::string from = to_string(*one.from);
      if (std::ranges::find(all, from) == all.end()) all.push_back(from);
    }
  return all;
}

namespace terminal {
namespace {

using namespace aclmend::probe;

constexpr std::size_t told_in_full = 4;  // addresses

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

std::string_view mark(Status status) {
  switch (status) {
    case Status::ok: return "ok";
    case Status::fail: return "FAIL";
    case Status::unknown: return "?";
    case Status::skipped: return "-";
  }
  return "";
}

// "  tls.chain      ok    2 certificates sent, …                     12 ms", wrapped under the text.
std::string step_line(const Step& step) {
  constexpr std::size_t indent = 25;
  std::string text = fmt::format("    {:<14} {:<5} ", step.id, mark(step.status));
  std::size_t column = indent;
  const std::string said = shortened(step.text, 400);
  for (const std::string_view word : split(said, ' ')) {
    const std::size_t width = display_width(word);
    if (column > indent && column + 1 + width > page_width - 9) {
      text += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      text += ' ';
      ++column;
    }
    text += word;
    column += width;
  }
  if (step.took.count() > 0) text += fmt::format("  {} ms", step.took.count());
  return text + "\n";
}

std::string host_line(const HostResult& host) {
  std::string text = host.name;
  if (host.preference) text += fmt::format("   MX {} of {}", *host.preference, host.asked);
  return printable(text) + "\n";
}

std::string_view whose(Said::Who who) {
  switch (who) {
    case Said::Who::client: return "->";
    case Said::Who::server: return "<-";
    case Said::Who::remark: return "==";
  }
  return "";
}

std::string transcript(const AddressResult& one) {
  std::string text;
  for (const Said& said : one.transcript)
    text += fmt::format("      {}{} {}\n", whose(said.who), said.is_in_tls ? "~" : " ", printable(said.text));
  return text;
}

std::string certificate(const Tls& tls) {
  if (tls.chain.empty()) return "";
  const Link& own = tls.chain.front();
  return labelled("names", joined(tls.names)) + labelled("SHA-1", own.sha1) +
         labelled("SHA-256", own.sha256) + labelled("Exchange", tls.exchange_name);
}

std::string tries(const AddressResult& one) {
  return one.tries > 1 ? fmt::format("; failed {} of {} times", one.failures, one.tries) : "";
}

std::string address_in_full(const AddressResult& one, std::uint16_t port, Detail detail) {
  const std::string from = one.from ? fmt::format("from {}", to_string(*one.from)) : "";
  std::string text =
      with_place(fmt::format("  {} port {}{}", to_string(one.address), port, tries(one)), from);
  for (const Step& step : one.steps)
    if (detail == Detail::all || step.status != Status::skipped) text += step_line(step);
  for (const std::string& remark : one.remarks) text += labelled("note", remark);
  if (one.tls) text += certificate(*one.tls);
  if (detail == Detail::all) text += transcript(one);
  return text;
}

// The first thing that is wrong, or what was reached.
std::string in_short(const AddressResult& one) {
  for (const Status status : {Status::fail, Status::unknown})
    for (const Step& step : one.steps)
      if (step.status == status && (status == Status::fail || step.id == "tcp" || step.id == "tls.chain"))
        return fmt::format("{:<5} {}: {}", mark(status), step.id, step.text);
  return fmt::format("ok    {}, certificate for {} days", one.tls ? one.tls->version : "no TLS",
                     one.tls ? one.tls->days_left : 0);
}

std::string address_in_short(const AddressResult& one) {
  return shortened(fmt::format("  {:<20} {}{}", to_string(one.address), in_short(one), tries(one)),
                   page_width) +
         "\n";
}

std::string one_host(const HostResult& host, const ProbeReport& report, bool in_full) {
  const bool is_address =
      host.addresses.size() == 1 && to_string(host.addresses.front().address) == host.name;
  std::string text = is_address ? "" : host_line(host);
  for (const Step& step : host.steps)
    if (in_full || step.status == Status::fail || step.status == Status::unknown) text += step_line(step);
  for (const std::string& remark : host.remarks) text += labelled("note", remark);
  for (const AddressResult& one : host.addresses)
    text += in_full ? address_in_full(one, report.probe.port, report.detail) : address_in_short(one);
  return text;
}

bool is_one_cause(const Finding& a, const Finding& b) {
  return a.code == b.code && a.severity == b.severity && a.step == b.step && a.explanation == b.explanation;
}

// "mail.contoso.com (203.0.113.25, 2001:db8::25)"; an address that was asked for itself stands alone.
std::string where(const Finding& finding) {
  std::vector<std::string> addresses;
  for (const Address& address : finding.addresses) addresses.push_back(to_string(address));
  if (addresses.empty() || addresses == std::vector{finding.host}) return finding.host;
  return fmt::format("{} ({})", finding.host, joined(addresses));
}

// Of the same at several hosts, as one.
std::string one_cause(std::span<const Finding* const> same) {
  constexpr std::size_t most = 12;
  const Finding& finding = *same.front();
  std::vector<std::string> hosts;
  for (const Finding* one : same.first(std::min(most, same.size()))) hosts.push_back(where(*one));
  std::string text = fmt::format("{} {}  {}\n", to_string(finding.severity), audit::text_of(finding.code).id,
                                 audit::text_of(finding.code).title);
  text += labelled(
      "host", joined(hosts) + (same.size() > most ? fmt::format(" and {} more", same.size() - most) : ""));
  text += labelled("step", fmt::format("{}: {}", finding.step, shortened(finding.explanation, 400)));
  return text + labelled("next", finding.hint) + "\n";
}

std::string causes(const std::vector<Finding>& findings) {
  std::string text;
  std::vector<const Finding*> left;
  for (const Finding& one : findings) left.push_back(&one);
  while (!left.empty()) {
    const Finding& first = *left.front();
    const auto rest =
        std::ranges::stable_partition(left, [&](const Finding* one) { return is_one_cause(*one, first); });
    text += one_cause(std::span(left.begin(), rest.begin()));
    left.erase(left.begin(), rest.begin());
  }
  return text;
}

// What is not known is never "nothing found".
std::string verdict(const Report& probe) {
  if (!probe.is_judged) return "not judged: what is marked ? above is not known\n";
  return probe.findings.empty() ? "nothing found\n" : "";
}

}  // namespace

std::string probe(const ProbeReport& report) {
  std::size_t addresses = 0;
  for (const HostResult& host : report.probe.hosts) addresses += host.addresses.size();
  const bool in_full = addresses <= told_in_full || report.detail == Detail::all;
  std::string text;
  for (const HostResult& host : report.probe.hosts)
    text += one_host(host, report, in_full) + (in_full ? "\n" : "");
  if (!in_full) text += "\n";
  text += causes(report.probe.findings) + verdict(report.probe);
  const auto from = vantage_addresses(report.probe);
  text += labelled(
      "asked from",
      fmt::format(
          "{}{}", from.empty() ? "this machine; no connection came about" : joined(from),
          report.probe.resolvers.empty() ? "" : ", names by the resolver " + joined(report.probe.resolvers)));
  return text + labelled("", vantage_statement);
}

}  // namespace terminal
}  // namespace aclmend::report
