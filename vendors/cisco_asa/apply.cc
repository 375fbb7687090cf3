// Scripts → the device after them. The document is copied, the scripts are typed into it line by line
// (terminal.h), and what they leave behind is converted like any export: spans of new entries point into the
// scripts.
#include <algorithm>
#include <unordered_set>

#include "vendors/cisco_asa/edit.h"
#include "vendors/cisco_asa/lowering.h"
#include "vendors/cisco_asa/terminal.h"

namespace aclmend::cisco_asa {
namespace {

// What reading and typing said, then what converting said, in the order of the lines; of a script's line that
// typing explained, that alone.
Diagnostics joined(const Account& typed, const Account& converted, std::uint16_t first_script) {
  const auto line_of = [&](const Diagnostic& one) {
    const Source& source = *typed.sources[one.span.source];
    return std::uint64_t{one.span.source} << 32 | source.position(one.span.begin).line;
  };
  std::unordered_set<std::uint64_t> told;
  std::vector<Diagnostic> all = typed.diagnostics.all();
  for (const Diagnostic& one : all)
    if (one.span.source >= first_script) told.insert(line_of(one));
  for (const Diagnostic& one : converted.diagnostics.all())
    if (one.span.source < first_script || !told.contains(line_of(one))) all.push_back(one);
  std::ranges::stable_sort(all, {},
                           [](const Diagnostic& one) { return std::pair(one.span.source, one.span.begin); });
  Diagnostics diagnostics;
  for (Diagnostic& one : all) diagnostics.add(one.severity, one.span, std::move(one.message), one.effect);
  std::size_t more = typed.diagnostics.not_kept() + converted.diagnostics.not_kept();
  if (diagnostics.all().size() < Diagnostics::limit) more = 0;
  for (; more > 0; --more) diagnostics.add(Severity::note, {}, {}, Effect::none);  // counted only
  return diagnostics;
}

constexpr std::size_t most_sources = 0xFFFF;

}  // namespace

Result<Reading> type_in(Configuration start, Account& account, std::uint16_t first_script, Told told) {
  auto after = std::make_shared<AsaDocument>();
  after->sources.assign(account.sources.begin(), account.sources.end());
  if (after->sources.size() > most_sources) return fail("more scripts than one device takes");
  Terminal terminal(account, std::move(start));
  for (std::size_t i = first_script; i < after->sources.size(); ++i)
    if (auto error = terminal.type(static_cast<std::uint16_t>(i))) return fail(std::move(*error));
  after->configuration = terminal.finish();

  Account converted(after->sources);
  converted.first_told = told == Told::scripts_alone ? first_script : std::uint16_t{0};
  converted.ledgers = std::move(account.ledgers);
  Reading reading;
  Device changed = convert(after->configuration, converted, {});
  changed.document = after;
  reading.devices.push_back(std::move(changed));
  reading.diagnostics = joined(account, converted, first_script);
  reading.ledgers = std::move(converted.ledgers);
  return reading;
}

Result<Reading> apply(const Device& device, std::span<const SourcePtr> scripts) {
  const auto* before = dynamic_cast<const AsaDocument*>(device.document.get());
  if (before == nullptr) return fail("nothing is known of this device but its policy");
  std::vector<SourcePtr> sources = before->sources;
  sources.insert(sources.end(), scripts.begin(), scripts.end());
  if (sources.size() > most_sources) return fail("more scripts than one device takes");
  Account account(sources);
  const auto first = static_cast<std::uint16_t>(before->sources.size());
  TRY(reading, type_in(before->configuration, account, first, Told::scripts_alone));
  reading.devices.front().scope = device.scope;
  reading.ledgers.erase(reading.ledgers.begin(), reading.ledgers.begin() + first);
  return reading;
}

}  // namespace aclmend::cisco_asa
