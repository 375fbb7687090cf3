// iptables and ip6tables, with ipset: what ties the folder together.
#include <fmt/format.h>

#include "base/text.h"
#include "vendors/iptables/lowering.h"
#include "vendors/iptables/reader.h"

namespace aclmend::iptables {
namespace {

Recognition recognise(const Source& source) {
  const Recognised found = recognised(source.text());
  switch (found.form) {
    case Form::none: return {};
    case Form::save: return {found.confidence, "iptables-save"};
    case Form::listing: return {found.confidence, "iptables -S"};
    case Form::sets: return {found.confidence, "ipset save"};
    case Form::table: return {found.confidence, "iptables -L"};
    case Form::script: return {found.confidence, "a script of iptables commands"};
  }
  return {};
}

Result<Reading> read(std::span<const SourcePtr> exports, const ReadOptions& options) {
  std::vector<SourcePtr> sources(exports.begin(), exports.end());
  Account account(sources);
  auto document = std::make_shared<IptablesDocument>();
  document->sources = sources;
  document->local = options.local;
  Reader reader(*document, account);
  for (std::uint16_t i = 0; i < exports.size(); ++i)
    if (auto error = reader.read(i)) return fail(std::move(*error));
  if (!document->v4.is_there() && !document->v6.is_there()) {
    Error error;
    error.message = document->has_sets ? "these are sets of ipset; the rules that use them are not here"
                                       : "no table of iptables in the file";
    error.file = sources.empty() ? "" : sources.front()->name();
    return fail(std::move(error));
  }
  Reading reading;
  reading.devices.push_back(convert(document, account));
  reading.diagnostics = std::move(account.diagnostics);
  reading.ledgers = std::move(account.ledgers);
  return reading;
}

std::vector<std::string> verify(const Device&, const Packet&, std::string_view) { return {}; }

}  // namespace

extern const Vendor vendor;
const Vendor vendor{
    .id = "iptables",
    .title = "iptables",
    .recognise = recognise,
    .read = read,
    .verify = verify,
    .editing = nullptr,
    .how_to_export =
        "iptables-save -c > mail01.v4.rules; ip6tables-save -c > mail01.v6.rules\n"
        "where rules ask for sets, also: ipset save > mail01.ipset",
};

}  // namespace aclmend::iptables
