// One line as the Nagios Plugin Development Guidelines ask for: status, text, `|`, performance data. The exit
// status stays aclmend's own (0, 1, 2).
#include "report/probe.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace aclmend::report::nagios {
namespace {

using namespace aclmend::probe;

struct Counts {
  std::size_t addresses = 0, failed = 0;
  std::chrono::milliseconds slowest{0};
  std::optional<std::int64_t> days;  // until the first certificate ends
};

Counts counted(const Report& probe) {
  Counts counts;
  for (const HostResult& host : probe.hosts)
    for (const AddressResult& one : host.addresses) {
      ++counts.addresses;
      if (has_failed(one)) ++counts.failed;
      std::chrono::milliseconds time{0};
      for (const Step& step : one.steps) time += step.took;
      counts.slowest = std::max(counts.slowest, time);
      if (one.tls) counts.days = std::min(counts.days.value_or(one.tls->days_left), one.tls->days_left);
    }
  return counts;
}

std::string_view state(const Report& probe) {
  const auto has = [&](Severity severity) {
    return std::ranges::any_of(probe.findings, [&](const Finding& one) { return one.severity == severity; });
  };
  if (has(Severity::error)) return "CRITICAL";
  if (!probe.is_judged) return "UNKNOWN";
  return has(Severity::warning) ? "WARNING" : "OK";
}

}  // namespace

std::string probe(const ProbeReport& report) {
  const Report& probe = report.probe;
  const Counts counts = counted(probe);
  std::string text = fmt::format("{} of {} addresses answer as they should", counts.addresses - counts.failed,
                                 counts.addresses);
  if (!probe.findings.empty()) {
    const Finding& first = probe.findings.front();
    text =
        fmt::format("{} {} {}: {}", audit::text_of(first.code).id, first.host, first.step, first.explanation);
    if (probe.findings.size() > 1) text += fmt::format(" (and {} more)", probe.findings.size() - 1);
  }
  std::ranges::replace(text, '|', '/');
  std::string line = fmt::format("SMTP {} - {} | failed={};;0;0;{} slowest={}ms;;;0", state(probe),
                                 printable(text), counts.failed, counts.addresses, counts.slowest.count());
  if (counts.days) line += fmt::format(" certificate_days={};30:;0:", *counts.days);
  return line + "\n";
}

}  // namespace aclmend::report::nagios
