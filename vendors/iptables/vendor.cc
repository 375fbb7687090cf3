// iptables and ip6tables, with ipset: what ties the folder together.
#include <fmt/format.h>

#include "base/text.h"
#include "vendors/iptables/edit.h"
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
  for (const SetFile& set : options.sets) sources.push_back(set.source);
  sources.insert(sources.end(), options.scripts.begin(), options.scripts.end());
  Account account(sources);
  auto document = std::make_shared<IptablesDocument>();
  document->sources = sources;
  document->local = options.local;
  Reader reader(*document, account);
  for (std::uint16_t i = 0; i < exports.size(); ++i)
    if (auto error = reader.read(i)) return fail(std::move(*error));
  for (std::size_t i = 0; i < options.sets.size(); ++i)
    if (auto error = reader.read_set(static_cast<std::uint16_t>(exports.size() + i), options.sets[i].name))
      return fail(std::move(*error));
  if (!document->v4.is_there() && !document->v6.is_there()) {
    Error error;
    error.message = document->has_sets ? "these are sets of ipset; the rules that use them are not here"
                                       : "no table of iptables in the file";
    error.file = sources.empty() ? "" : sources.front()->name();
    return fail(std::move(error));
  }
  return typed_in(document, account, static_cast<std::uint16_t>(exports.size() + options.sets.size()));
}

// The kernel tells the way of a packet where a TRACE rule asks it to.
std::vector<std::string> verify(const Device& device, const Packet& packet, std::string_view) {
  const auto* document = dynamic_cast<const IptablesDocument*>(device.document.get());
  const bool is_v4 = packet.source.is_v4();
  const bool is_legacy =
      document != nullptr && document->half(packet.source.family).backend == Half::Backend::legacy;
  const std::string program =
      fmt::format("{}{} -w 5 -t raw", is_v4 ? "iptables" : "ip6tables", is_legacy ? "-legacy" : "");
  std::string rule = fmt::format("PREROUTING -s {} -d {} -p {}", to_string(packet.source),
                                 to_string(packet.destination), protocol_name(packet.protocol));
  if (packet.protocol == protocol::tcp || packet.protocol == protocol::udp)
    rule += fmt::format(" --dport {}", packet.destination_port);
  return {fmt::format("{} -I {} -j TRACE", program, rule),
          is_legacy ? std::string("journalctl -k -f -g TRACE") : std::string("xtables-monitor --trace"),
          fmt::format("{} -D {} -j TRACE", program, rule)};
}

// REJECT answers with an ICMP error or a reset, DROP and a chain's policy with nothing
// (iptables-extensions(8)).
OnDeny on_deny(const Device&, std::string_view rule, std::string_view) {
  const auto words = split(rule, ' ');
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] != "-j" && words[i] != "--jump") continue;
    if (words[i + 1] == "DROP") return {Denial::silence, "`-j DROP`", std::nullopt};
    if (words[i + 1] != "REJECT") return {};
    // Of ICMP's errors the ones about the port alone end in "refused"; others are told as unreachable.
    const bool names_another = rule.find("--reject-with") != std::string_view::npos &&
                               rule.find("port-unreach") == std::string_view::npos &&
                               rule.find("tcp-reset") == std::string_view::npos;
    return names_another ? OnDeny{} : OnDeny{Denial::refusal, "`-j REJECT`", std::nullopt};
  }
  return rule.empty() ? OnDeny{Denial::silence, "the chain's policy DROP", std::nullopt} : OnDeny{};
}

}  // namespace

extern const Vendor vendor;
const Vendor vendor{
    .id = "iptables",
    .title = "iptables",
    .recognise = recognise,
    .read = read,
    .verify = verify,
    .on_deny = on_deny,
    .editing = &editing,
    .takes_sets = true,
    .list = &restore_format,
    .how_to_export =
        "iptables-save -c > mail01.v4.rules; ip6tables-save -c > mail01.v6.rules\n"
        "where rules ask for sets, also: ipset save > mail01.ipset",
};

}  // namespace aclmend::iptables
