// `audit` as people read it: facts before advice, one block a cause, every claim with its place, and at the
// end what to type next.
#include "report/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "report/terminal/layout.h"

namespace aclmend::report::terminal {
namespace {

using audit::Check;
using audit::Finding;
using audit::Status;

constexpr std::size_t most_rows = 40, most_prefixes = 12, most_related = 8;

std::string some_prefixes(const AddressSet& set) {
  const std::vector<Prefix> prefixes = set.prefixes();
  std::string text;
  for (std::size_t i = 0; i < std::min(prefixes.size(), most_prefixes); ++i)
    text += (i == 0 ? "" : " ") + to_string(prefixes[i]);
  if (prefixes.size() > most_prefixes) text += fmt::format(" and {} more", prefixes.size() - most_prefixes);
  return text;
}

// The head of a device names its file whole; after that the last part of the path is enough.
std::string at(const audit::Line& line) {
  const std::size_t slash = line.file.rfind('/');
  return place(slash == std::string::npos ? line.file : line.file.substr(slash + 1), line.line);
}

std::string_view word(Status status) {
  switch (status) {
    case Status::pass: return "open";
    case Status::fail: return "BLOCKED";
    case Status::unknown: return "UNKNOWN";
    case Status::not_applicable: return "not asked";
  }
  return "";
}

// ---- one device

std::string list_line(const AuditReport& report, const AuditedDevice& device) {
  AddressSet required;
  for (const Check& check : device.audit.checks)
    if (!check.is_companion) required |= check.required;
  const auto count = [](const auto& flips, Family family) {
    return AddressSet(family == Family::ipv4 ? AddressSet{flips.v4, {}} : AddressSet{{}, flips.v6})
        .prefixes()
        .size();
  };
  const std::size_t v4 = count(required, Family::ipv4), v6 = count(required, Family::ipv6);
  std::string text = endpoints::title(report.release);
  if (v4 > 0) text += fmt::format(": {} IPv4", v4);
  if (v6 > 0) text += fmt::format("{} {} IPv6", v4 > 0 ? "," : ":", v6);
  return text;
}

std::string head(const AuditReport& report, const AuditedDevice& device) {
  std::string out =
      fmt::format("{}   {}\n", shortened(device.file, page_width), shortened(device.summary, page_width));
  bool asks_v4 = false, asks_v6 = false;
  std::set<std::string_view> flows;  // asked of each mail host, and told once
  for (const Check& check : device.audit.checks) {
    if (check.is_companion) continue;
    if (check.destination) (check.destination->is_v4() ? asks_v4 : asks_v6) = true;
    if (!flows.insert(check.flow).second) continue;
    out += with_place("  asked      " + check.flow_title, "flow " + check.flow);
  }
  bool is_first = true;
  for (const audit::Inference& inference : device.audit.inferred) {
    const std::string where = inference.shown_by ? at(*inference.shown_by) : "";
    out += with_place(fmt::format("  {:<11}{}", is_first ? "inferred" : "", inference.what),
                      inference.option.empty() ? where : fmt::format("{} ({})", where, inference.option));
    is_first = false;
  }
  for (const std::string& assumed : device.assumed) out += labelled("assumed", assumed);
  out += labelled("list", list_line(report, device));
  if (asks_v4 && !asks_v6) out += labelled("", "IPv6 not asked: the mail host has no IPv6 address");
  const LineCounts& lines = device.lines;
  std::string read = fmt::format("{} lines: {} decide about packets, {} do not", with_thousands(lines.total),
                                 with_thousands(lines.decides), with_thousands(lines.no_effect));
  if (lines.not_supported > 0) read += fmt::format(", {} not supported", with_thousands(lines.not_supported));
  if (lines.partly_understood > 0)
    read += fmt::format(", {} partly understood", with_thousands(lines.partly_understood));
  out += labelled("read", read + fmt::format(", {} not understood", with_thousands(lines.not_understood)));
  return out;
}

struct Row {
  Prefix prefix;
  const audit::Stretch* stretch;
};

std::string table(const Check& check) {
  std::vector<Row> rows;
  for (const audit::Stretch& stretch : check.stretches)
    for (const Prefix& prefix : stretch.addresses.prefixes()) {
      if (rows.size() > 100'000) break;
      rows.push_back({prefix, &stretch});
    }
  std::ranges::sort(rows, {}, &Row::prefix);
  std::string out;
  for (std::size_t i = 0; i < std::min(rows.size(), most_rows); ++i) {
    const audit::Stretch& stretch = *rows[i].stretch;
    const std::string by = stretch.by ? stretch.by->rule : stretch.implicit;
    out += with_place(fmt::format("  {:<18} {:<9} {}", to_string(rows[i].prefix), word(stretch.status), by),
                      stretch.by ? at(*stretch.by) : "");
  }
  if (rows.size() > most_rows)
    out += fmt::format("  and {} more ranges (--format json lists all)\n",
                       with_thousands(rows.size() - most_rows));
  return out;
}

// ---- findings

std::string first_line(const Finding& finding) {
  return with_place(fmt::format("{:<5} {}  {}", to_string(finding.severity), audit::text_of(finding.code).id,
                                finding.title),
                    "");
}

std::string example(const Finding& finding) {
  using enum audit::Code;
  const Packet& packet = *finding.witness;
  const bool is_open = finding.code == hangs_on_condition || finding.code == line_not_understood ||
                       finding.code == half_a_policy || finding.code == list_content_missing;
  return fmt::format("      example {} -> {}:{}  {}\n", to_string(packet.source),
                     to_string(packet.destination), packet.destination_port, is_open ? "unknown" : "deny");
}

std::string because(const Finding& finding) {
  std::string out;
  std::string_view label = "because";
  std::size_t told = 0;
  for (const audit::Line& line : finding.related) {
    if (told++ == most_related) {
      out += fmt::format("              and {} more lines\n", finding.related.size() - most_related);
      break;
    }
    const std::string what = line.rule.empty() ? shortened(line.text, 44) + ":" : line.rule;
    out += with_place(fmt::format("      {:<7} {} {}", label, what, line.role), at(line));
    label = "";
  }
  return out;
}

std::string wide_block(const Finding& finding) {
  std::string out = first_line(finding);
  if (finding.blocked_by) {
    out += fmt::format("  --> {}   {}\n", at(*finding.blocked_by), shortened(finding.blocked_by->text, 72));
  } else if (!finding.implicit.empty()) {
    out += fmt::format("  --> {}{}\n", finding.anchor ? at(*finding.anchor) + ", after this line: " : "",
                       printable(finding.implicit));
  }
  const std::vector<Prefix> hosts = finding.destination.prefixes();
  out += fmt::format("      stops   {} -> {} {}\n", some_prefixes(finding.ranges),
                     hosts.empty() ? "the flow's destinations" : host_bare(hosts.front()), finding.service);
  return out;
}

std::string block(const Finding& finding) {
  const bool is_about_required = finding.blocked_by || (!finding.implicit.empty() && finding.witness);
  std::string out;
  if (is_about_required && finding.severity != Severity::note) {
    out = wide_block(finding);
    if (finding.source_ports)
      out += fmt::format("      from    source ports {}\n", to_string(*finding.source_ports));
    out += fmt::format("      why     {}\n", shortened(finding.explanation, 84));
    out += because(finding);
    if (finding.witness) out += example(finding);
    if (!finding.verify.empty()) {
      out += "      ask the firewall itself:\n";
      for (const std::string& command : finding.verify)
        out += fmt::format("              {}\n", printable(command));
    }
    return out + "\n";
  }
  const auto& anchor = finding.anchor ? finding.anchor : finding.blocked_by;
  std::string text = finding.ranges.empty()
                         ? finding.explanation
                         : fmt::format("{}: {}", some_prefixes(finding.ranges), finding.explanation);
  out = with_place(fmt::format("{:<5} {}  {}", to_string(finding.severity), audit::text_of(finding.code).id,
                               finding.title),
                   anchor ? at(*anchor) : "");
  return out + labelled("", text);
}

std::string findings_of(const AuditReport& report, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < std::min(report.findings.size(), most); ++i) out += block(report.findings[i]);
  if (report.findings.size() > most)
    out += fmt::format("and {} more findings (--format json lists all)\n", report.findings.size() - most);
  return out;
}

std::string plural(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string counts(const AuditReport& report) {
  std::size_t packets = 0;
  for (const AuditedDevice& device : report.devices) packets += device.audit.second_count.packets;
  return fmt::format("{}, {}, {}.  Double-checked: {} one by one, 0 disagree.\n",
                     plural(report.summary.error, "error"), plural(report.summary.warning, "warning"),
                     plural(report.summary.note, "note"), plural(packets, "boundary packet"));
}

std::string next_steps(const AuditReport& report) {
  std::string out;
  if (!report.mend.empty())
    out += with_place("mend it:      " + printable(report.mend), "(a proved snippet and its rollback)");
  if (!report.findings.empty())
    out += fmt::format("why, what:    aclmend explain {}\n", audit::text_of(report.findings.front().code).id);
  return out;
}

std::string one_device(const AuditReport& report) {
  const AuditedDevice& device = report.devices.front();
  if (!device.audit.error.empty())
    return fmt::format("{}   {}\n", shortened(device.file, page_width),
                       shortened(device.summary, page_width)) +
           "  CANNOT TELL\n" + labelled("", device.audit.error);
  std::string out = head(report, device);
  bool needs_table = false;
  for (const Check& check : device.audit.checks)
    if (!check.is_companion) needs_table = needs_table || check.status != Status::pass;
  for (const Check& check : device.audit.checks) {
    if (check.is_companion) continue;
    const std::string to = check.destination ? to_string(*check.destination) : "the mail host";
    if (check.status == Status::not_applicable) {
      out += labelled("not asked", fmt::format("{}: {}", to, check.reason));
    } else if (check.status == Status::pass) {
      const std::size_t count = check.required.prefixes().size();
      const audit::Stretch& first = check.stretches.front();
      out += with_place(fmt::format("ok  {} of {} required ranges open to {} ({})", count, count, to,
                                    fmt::join(check.via, ", ")),
                        first.by ? at(*first.by) : "");
    } else {
      out += "\n" + table(check);
    }
  }
  if (needs_table || !report.findings.empty()) out += "\n" + findings_of(report, 50);
  if (report.findings.empty()) return out;
  out += "\n" + counts(report);
  out += fmt::format("not examined: {}\n", fmt::join(device.not_examined, ", "));
  return out + next_steps(report);
}

// ---- a fleet

Status status_of(const AuditedDevice& device) {
  bool is_asked = false, is_unknown = false;
  for (const Check& check : device.audit.checks) {
    if (check.is_companion || check.status == Status::not_applicable) continue;
    is_asked = true;
    if (check.status == Status::fail) return Status::fail;
    is_unknown = is_unknown || check.status == Status::unknown;
  }
  return is_unknown ? Status::unknown : is_asked ? Status::pass : Status::not_applicable;
}

std::string fleet_line(const AuditReport& report, const AuditedDevice& device, std::size_t name_width) {
  const std::string name = shortened(device.name, name_width);
  if (!device.audit.error.empty())
    return with_place(fmt::format("  {:<{}} CANNOT TELL  {}", name, name_width, device.audit.error),
                      device.file);
  AddressSet ranges;
  for (const Check& check : device.audit.checks)
    if (!check.is_companion) ranges |= check.blocked | check.unknown;
  std::string where, code;
  for (const Finding& finding : report.findings) {
    if (std::ranges::find(finding.devices, device.name) == finding.devices.end()) continue;
    const auto& line = finding.blocked_by ? finding.blocked_by : finding.anchor;
    where = line ? place(line->file, line->line) : device.file;
    code = audit::text_of(finding.code).id;
    break;
  }
  const Status status = status_of(device);
  return with_place(
      fmt::format("  {:<{}} {:<8} {}", name, name_width, status == Status::pass ? "ok" : word(status),
                  status == Status::pass ? "" : some_prefixes(ranges)),
      status == Status::pass ? "" : fmt::format("{}  {}", code, where));
}

std::string fleet(const AuditReport& report) {
  constexpr std::size_t most_ok = 20;
  std::size_t not_asked = 0, ok = 0, blocked = 0, cannot_tell = 0, name_width = 8;
  std::vector<const AuditedDevice*> failing, passing;
  for (const AuditedDevice& device : report.devices) {
    const Status status = status_of(device);
    const bool is_error = !device.audit.error.empty();
    if (is_error || status == Status::unknown) ++cannot_tell;
    else if (status == Status::fail) ++blocked;
    else if (status == Status::pass) ++ok;
    else ++not_asked;
    if (is_error || status == Status::fail || status == Status::unknown) failing.push_back(&device);
    else if (status == Status::pass) passing.push_back(&device);
    if (is_error || status != Status::not_applicable)
      name_width = std::max(name_width, std::min<std::size_t>(display_width(device.name), 32));
  }
  std::string out =
      fmt::format("{} devices: {} not asked (mail does not pass), {} ok, {} blocked, {} cannot tell\n",
                  report.devices.size(), not_asked, ok, blocked, cannot_tell);
  out += labelled("list", endpoints::title(report.release));
  for (const AuditedDevice* device : failing) out += fleet_line(report, *device, name_width);
  for (std::size_t i = 0; i < std::min(passing.size(), most_ok); ++i)
    out += fleet_line(report, *passing[i], name_width);
  if (passing.size() > most_ok) out += fmt::format("  and {} more that are ok\n", passing.size() - most_ok);
  if (!report.findings.empty()) out += "\n" + findings_of(report, 50);
  return out + "\n" + counts(report) + next_steps(report);
}

}  // namespace

std::string audit(const AuditReport& report) {
  return report.devices.size() == 1 ? one_device(report) : fleet(report);
}

}  // namespace aclmend::report::terminal
