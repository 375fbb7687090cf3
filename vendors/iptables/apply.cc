// Scripts → the device after them. The document is copied, the scripts are typed into it line by line, and
// what they leave behind is converted like any export.
#include "vendors/iptables/edit.h"
#include "vendors/iptables/lowering.h"
#include "vendors/iptables/script.h"

namespace aclmend::iptables {

Result<Reading> typed_in(std::shared_ptr<IptablesDocument> document, Account& account,
                         std::uint16_t first_script) {
  for (std::size_t i = first_script; i < document->sources.size(); ++i)
    if (auto error = type_in(*document, account, static_cast<std::uint16_t>(i)))
      return fail(std::move(*error));
  Reading reading;
  reading.devices.push_back(convert(document, account));
  reading.diagnostics = std::move(account.diagnostics);
  reading.ledgers = std::move(account.ledgers);
  return reading;
}

Result<Reading> apply(const Device& device, std::span<const SourcePtr> scripts) {
  const auto* before = dynamic_cast<const IptablesDocument*>(device.document.get());
  if (before == nullptr) return fail("nothing is known of this device but its policy");
  auto after = std::make_shared<IptablesDocument>(*before);
  const auto first = static_cast<std::uint16_t>(after->sources.size());
  after->sources.insert(after->sources.end(), scripts.begin(), scripts.end());
  constexpr std::size_t most_sources = 0xFFFF;
  if (after->sources.size() > most_sources) return fail("more scripts than one device takes");
  const std::vector<SourcePtr> sources = after->sources;
  Account account(sources);
  account.first_told = first;
  TRY(reading, typed_in(after, account, first));
  reading.devices.front().scope = device.scope;
  reading.ledgers.erase(reading.ledgers.begin(), reading.ledgers.begin() + first);
  return reading;
}

}  // namespace aclmend::iptables
