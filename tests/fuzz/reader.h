// A vendor's reader takes any bytes: it neither crashes nor hangs, every line has a state, and what it says
// points into the file. What it read can be asked; commands behind a line "--- apply" are typed into it.
#pragma once
#include <cstdint>
#include <cstdlib>

#include "model/question.h"
#include "vendors/vendor.h"

namespace aclmend::fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

inline const Vendor& vendor_called(std::string_view id) {
  for (const Vendor* vendor : all_vendors())
    if (vendor->id == id) return *vendor;
  std::abort();
}

inline void ask(const model::Policy& policy) {
  const Packet packet{Address::v4(0x285C0001), Address::v4(0xCB007119), protocol::tcp, 40000, 25};
  model::Context context;
  model::decide(policy, context, packet);
  if (policy.interfaces.empty()) return;
  context.known[model::Dimension::ingress] = policy.interfaces.front().name;
  model::decide(policy, context, packet);
}

// Spans point into these sources; each source has a ledger line for every line.
inline void check(const Reading& reading, std::span<const SourcePtr> sources) {
  const auto holds = [&](Span span) {
    return span.source < sources.size() && span.begin <= span.end &&
           span.end <= sources[span.source]->text().size();
  };
  for (const Diagnostic& one : reading.diagnostics.all()) require(holds(one.span));
  for (const Device& device : reading.devices)
    for (const model::RuleList& list : device.policy.lists)
      for (const model::Rule& rule : list.rules) require(holds(rule.span));
}

inline void read_and_ask(const Vendor& vendor, std::string_view text) {
  constexpr std::string_view mark = "\n--- apply\n";
  const std::size_t cut = text.find(mark);
  const SourcePtr source = std::make_shared<const Source>("fuzz", text.substr(0, cut));
  vendor.recognise(*source);
  const auto reading = vendor.read({&source, 1}, {});
  if (!reading) return;
  require(reading->ledgers.size() == 1 && reading->ledgers[0].lines.size() == source->line_count());
  check(*reading, {&source, 1});
  for (const Device& device : reading->devices) ask(device.policy);
  if (cut == std::string_view::npos) return;
  const SourcePtr both[] = {source, std::make_shared<const Source>("script", text.substr(cut + mark.size()))};
  ReadOptions options;
  options.scripts = {both[1]};
  const auto changed = vendor.read({&source, 1}, options);
  if (!changed) return;
  check(*changed, both);
  for (const Device& device : changed->devices) ask(device.policy);
}

}  // namespace aclmend::fuzz
