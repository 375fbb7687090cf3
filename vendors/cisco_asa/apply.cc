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

// What typing and converting said, in the order of the lines; of a line that typing explained, that alone.
Diagnostics joined(const Account& typed, const Account& converted) {
  const auto line_of = [&](const Diagnostic& one) {
    const Source& source = *typed.sources[one.span.source];
    return std::uint64_t{one.span.source} << 32 | source.position(one.span.begin).line;
  };
  std::unordered_set<std::uint64_t> told;
  std::vector<Diagnostic> all = typed.diagnostics.all();
  for (const Diagnostic& one : all) told.insert(line_of(one));
  for (const Diagnostic& one : converted.diagnostics.all())
    if (!told.contains(line_of(one))) all.push_back(one);
  std::ranges::stable_sort(all, {},
                           [](const Diagnostic& one) { return std::pair(one.span.source, one.span.begin); });
  Diagnostics diagnostics;
  for (Diagnostic& one : all) diagnostics.add(one.severity, one.span, std::move(one.message), one.effect);
  std::size_t more = typed.diagnostics.not_kept() + converted.diagnostics.not_kept();
  if (diagnostics.all().size() < Diagnostics::limit) more = 0;
  for (; more > 0; --more) diagnostics.add(Severity::note, {}, {}, Effect::none);  // counted only
  return diagnostics;
}

}  // namespace

Result<Reading> apply(const Device& device, std::span<const SourcePtr> scripts) {
  const auto* before = dynamic_cast<const AsaDocument*>(device.document.get());
  if (before == nullptr) return fail("nothing is known of this device but its policy");
  auto after = std::make_shared<AsaDocument>();
  after->sources = before->sources;
  after->sources.insert(after->sources.end(), scripts.begin(), scripts.end());
  constexpr std::size_t most_sources = 0xFFFF;
  if (after->sources.size() > most_sources) return fail("more scripts than one device takes");
  const auto first = static_cast<std::uint16_t>(before->sources.size());

  Account typed(after->sources);
  Terminal terminal(typed, before->configuration);
  for (std::size_t i = first; i < after->sources.size(); ++i)
    if (auto error = terminal.type(static_cast<std::uint16_t>(i))) return fail(std::move(*error));
  after->configuration = terminal.finish();

  Account converted(after->sources);
  converted.first_told = first;
  converted.ledgers = std::move(typed.ledgers);
  Reading reading;
  Device changed = convert(after->configuration, converted, {});
  changed.scope = device.scope;
  changed.document = after;
  reading.devices.push_back(std::move(changed));
  reading.diagnostics = joined(typed, converted);
  reading.ledgers.assign(std::make_move_iterator(converted.ledgers.begin() + first),
                         std::make_move_iterator(converted.ledgers.end()));
  return reading;
}

}  // namespace aclmend::cisco_asa
