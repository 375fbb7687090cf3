// The snippet as people read it and as devices take it: one text for both. Whatever is no command begins with
// the vendor's comment sign, so that pasting the whole screen does no harm.
#include "report/fix.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/text.h"
#include "report/terminal/layout.h"

namespace aclmend::report::terminal {
namespace {

using fix::Mended;
using fix::Status;
using model::Dimension;

constexpr std::size_t label_width = 17, most_wire = 8;

// The command that asks the same once more.
std::string again(const FixReport& report) {
  std::string command = "aclmend fix";
  for (const std::string& file : report.files) command += " " + for_a_shell(file);
  return command + report.typed + (report.settles_unknown ? " --settle-unknown" : "");
}

class Writer {
 public:
  explicit Writer(const FixReport& report) : report_(report) {}

  void comment(std::string_view text) {
    out_ += fmt::format("{} {}\n", report_.dialect.comment, printable(text));
  }
  void command(std::string_view text) { out_ += fmt::format("{}\n", text); }
  // "!   newly denied      nothing", wrapped at blanks.
  void fact(std::string_view label, std::string_view text) {
    const std::size_t width = page_width - label_width - 6;
    bool is_first = true;
    std::string line;
    const auto flush = [&] {
      comment(fmt::format("  {:<{}} {}", is_first ? label : "", label_width, line));
      is_first = false;
      line.clear();
    };
    for (const std::string_view word : split(text, ' ')) {
      if (!line.empty() && line.size() + 1 + word.size() > width) flush();
      line += fmt::format("{}{}", line.empty() ? "" : " ", word);
    }
    flush();
  }
  std::string take() { return std::move(out_); }

 private:
  const FixReport& report_;
  std::string out_;
};

std::string list_of(const AddressSet& set) {
  return fmt::format("{}", fmt::join(to_strings(set.prefixes()), ", "));
}

std::string bare(Address address) { return to_string(address); }

std::string missing_text(const Mended& missing) {
  const std::string host = bare(missing.translated_to.value_or(missing.destination));
  return missing.is_inbound ? fmt::format("{} -> {} {}", list_of(missing.addresses), host, missing.service)
                            : fmt::format("{} -> {} {}", host, list_of(missing.addresses), missing.service);
}

// Where packets that now get through are addressed to, and where they enter.
std::string on_the_wire(const fix::Proof& proof) {
  std::vector<std::string> told;
  std::set<std::string> seen;
  for (const fix::ChangedPackets& one : proof.newly_permitted) {
    const auto ingress = one.context.find(Dimension::ingress);
    std::vector<std::string> hosts;
    for (const Prefix& prefix : one.packets.destination.prefixes()) hosts.push_back(host_bare(prefix));
    std::string text = fmt::format("{}", fmt::join(hosts, " or "));
    if (ingress != one.context.end()) text += fmt::format(" entering {}", ingress->second);
    if (seen.insert(text).second) told.push_back(std::move(text));
  }
  const std::size_t shown = std::min(told.size(), most_wire);
  std::string text =
      fmt::format("{}", fmt::join(told.begin(), told.begin() + static_cast<std::ptrdiff_t>(shown), "; "));
  if (told.size() > shown) text += fmt::format("; and {} more", told.size() - shown);
  return text;
}

void head(Writer& writer, const FixReport& report, std::string_view what) {
  writer.comment(fmt::format("aclmend {} | {} in {}{}{} | {}", ACLMEND_VERSION, what, report.files.front(),
                             report.scope.empty() ? "" : "/", report.scope,
                             endpoints::title(report.release)));
  if (!report.scope.empty())
    writer.comment(fmt::format("for {} alone: not for another firewall of this file", report.scope));
  for (const std::string& text : report.frame.inferred) writer.comment("inferred " + text);
  for (const std::string& text : report.frame.assumed) writer.comment("assumed " + text);
}

void made_for(Writer& writer, const FixReport& report) {
  const std::string sha = report.frame.inputs.empty() ? "" : report.frame.inputs.front().sha256;
  if (!report.made_for.empty()) {
    for (std::size_t i = 0; i + 1 < report.made_for.size(); i += 2)
      writer.comment(fmt::format("made for {}; the device tells its own: {}", report.made_for[i],
                                 report.made_for[i + 1]));
    writer.comment(fmt::format("file sha256 {}", sha));
    writer.comment("another checksum there? export again and run fix again.");
  } else {
    writer.comment(fmt::format("made for the file with sha256 {}", sha));
    writer.comment("the device has changed since? export again and run fix again.");
  }
}

void proof(Writer& writer, const FixReport& report) {
  const fix::Mend& mend = report.mend;
  writer.comment("--- proof");
  for (const Mended& missing : mend.missing)
    writer.fact(&missing == &mend.missing.front() ? "newly permitted" : "",
                missing_text(missing) + " = what was missing, from any source port");
  writer.fact("on the wire", on_the_wire(mend.proof));
  writer.fact("newly denied", "nothing");
  writer.fact("beyond required",
              mend.because.empty() ? "nothing" : fmt::format("nothing ({})", fmt::join(mend.because, "; ")));
  writer.fact("how",
              fmt::format("applied, read again, all packets compared; rollback the same way; {} boundary "
                          "packets decided one by one, {} disagree",
                          mend.proof.second_count.packets, mend.proof.second_count.disagree));
  for (const fix::Tried& tried : mend.tried)
    writer.fact(&tried == &mend.tried.front() ? "tried before" : "",
                fmt::format("{}: {}", tried.edit, tried.reason));
  if (report.files.size() == 1) {  // a command: never wrapped
    const std::string script = std::filesystem::path(report.files[0]).stem().string() + ".fix.txt";
    writer.comment(fmt::format("  {:<{}} aclmend audit {} --apply {}{}", "check it yourself", label_width,
                               for_a_shell(report.files[0]), for_a_shell(script), report.typed));
  }
}

void unknown_left(Writer& writer, const FixReport& report) {
  if (report.mend.still_unknown.empty()) return;
  writer.comment("--- not mended: a possible deny may be wanted (--settle-unknown puts a permit before it)");
  writer.fact("unknown", to_string(report.mend.still_unknown));
  for (const audit::Finding& finding : report.mend.before.findings)
    if (finding.ranges.intersects(report.mend.still_unknown) && finding.witness &&
        finding.severity != Severity::note)
      writer.fact("", fmt::format("{} {}", audit::text_of(finding.code).id, finding.explanation));
}

std::string nothing_to_do(const FixReport& report) {
  Writer writer(report);
  head(writer, report, report.mend.still_unknown.empty() ? "nothing to mend" : "nothing is surely blocked");
  for (const audit::Check& check : report.mend.before.checks) {
    if (check.is_companion) continue;
    const std::string to = check.destination ? bare(*check.destination) : "the mail host";
    if (check.status == audit::Status::not_applicable)
      writer.comment(fmt::format("not asked  {}: {}", to, check.reason));
    else if (check.status == audit::Status::pass)
      writer.comment(fmt::format("ok  {} of {} required ranges open to {} ({})",
                                 check.required.prefixes().size(), check.required.prefixes().size(), to,
                                 fmt::join(check.via, ", ")));
  }
  unknown_left(writer, report);
  return writer.take();
}

}  // namespace

std::string rollback(const FixReport& report) {
  return report.mend.rollback.empty() ? "" : fmt::format("{}\n", fmt::join(report.mend.rollback, "\n"));
}

std::string fix(const FixReport& report) {
  const fix::Mend& mend = report.mend;
  if (mend.status == Status::refused || !mend.error.empty()) return {};
  if (mend.status == Status::nothing_to_do) return nothing_to_do(report);
  Writer writer(report);
  head(writer, report, fmt::format("mends {}", fmt::join(mend.codes, ", ")));
  made_for(writer, report);
  for (const std::string& line : mend.snippet) writer.command(line);
  writer.comment(fmt::format("--- not saved yet. Verify first; {}:", report.dialect.confirmed));
  for (const std::string& line : mend.verify) writer.comment("  " + line);
  writer.comment("  then: " + report.dialect.save);
  for (const std::string& note : mend.notes) writer.comment("note: " + note);
  if (!report.at_once.empty()) writer.comment("the same in one step, all or nothing:");
  for (const std::string& line : report.at_once) writer.comment("  " + line);
  proof(writer, report);
  unknown_left(writer, report);
  writer.comment("--- rollback (proved: gives back the packets of today, no more, no less)");
  for (const std::string& line : mend.rollback) writer.comment("  " + line);
  writer.comment(fmt::format("alone and without marks: {} --rollback", again(report)));
  writer.comment(fmt::format("snippet, rollback and proof as files: {} --into mend/", again(report)));
  writer.comment("effect: " + report.dialect.effect);
  return writer.take();
}

std::string fix_refused(const FixReport& report) {
  const fix::Mend& mend = report.mend;
  if (!mend.error.empty()) return fmt::format("fix refused: {}\n", printable(mend.error));
  std::string out = fmt::format("fix refused: {}\n", printable(mend.reason));
  for (const fix::Tried& tried : mend.tried)
    out += with_place(fmt::format("  tried  {}: {}", printable(tried.edit), printable(tried.reason)),
                      tried.at ? fmt::format("({}{}{})", tried.at->rule, tried.at->rule.empty() ? "" : ", ",
                                             place(std::filesystem::path(tried.at->file).filename().string(),
                                                   tried.at->line))
                               : "");
  for (const std::string& condition : mend.to_go_on) {
    if (condition.find('\'') != std::string::npos) continue;  // not to be quoted in one way for each shell
    out += fmt::format("  to go on: {} --assume '{}'     (printed in the proof)\n", printable(again(report)),
                       printable(condition));
  }
  return out;
}

}  // namespace aclmend::report::terminal
