// Cisco ASA, with its forebears PIX and FWSM: what ties the folder together.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "vendors/cisco_asa/edit.h"
#include "vendors/cisco_asa/lowering.h"

namespace aclmend::cisco_asa {
namespace {

constexpr std::size_t looked_at = 1 << 20;  // bytes of a file that recognition reads

bool is_any_of(std::string_view word, std::initializer_list<std::string_view> choices) {
  return std::ranges::find(choices, word) != choices.end();
}

// Lines that IOS has and the ASA has not.
bool is_of_ios(std::string_view keyword, Words words) {
  if (keyword == "ip")
    return is_any_of(words.peek(), {"access-list", "access-group", "cef", "forward-protocol"});
  return keyword == "version" || keyword == "Building" ||
         (keyword == "service" && words.peek() == "timestamps") || keyword == "line" || keyword == "vtp" ||
         keyword == "spanning-tree";
}

Recognition recognise(const Source& source) {
  const Source head("", source.text().substr(0, looked_at));
  Lines lines(head, 0);
  Recognition found;
  int ios = 0;
  const auto at_least = [&](int confidence, std::string_view form) {
    if (confidence > found.confidence) found = {confidence, std::string(form)};
  };
  while (const auto line = lines.next()) {
    Words words(line->text);
    const std::string_view keyword = words.next();
    if (keyword.empty()) continue;
    if (line->indent == 0 && is_of_ios(keyword, words) && ++ios > 1) return {};
    if (is_any_of(keyword, {"ASA", "PIX", "FWSM"}) && words.peek() == "Version") {
      at_least(100, "running configuration");
      break;
    }
    if (line->text.starts_with("Cisco Adaptive Security Appliance Software Version"))
      at_least(100, "show tech-support");
    if (keyword == "access-list") {
      const std::string_view name = words.next();
      const std::string_view next = words.peek();
      if (name.ends_with(';') || (name == "cached" && next == "ACL")) at_least(95, "show access-list");
      else if (next == "extended" || next == "advanced") at_least(90, "configuration");
      else if (next == "line") at_least(85, "show access-list");
      else if (is_any_of(next, {"permit", "deny", "remark", "standard"})) at_least(30, "configuration");
    } else if (keyword == "access-group") {
      words.next();
      if (is_any_of(words.peek(), {"in", "out", "global"})) at_least(90, "configuration");
    } else if (keyword == "object-group" || keyword == "object") {
      if (is_any_of(words.peek(), {"network", "service", "protocol", "icmp-type"}))
        at_least(70, "configuration");
    } else if (keyword == "nameif" || keyword == "security-level") {
      at_least(80, "configuration");
    } else if ((keyword == "nat" || keyword == "static") && words.peek().starts_with('(')) {
      at_least(70, "configuration");
    } else if (keyword == "NGFW" && words.peek() == "Version") {
      at_least(60, "Firepower Threat Defense");
    }
    if (found.confidence >= 95) break;
  }
  if (ios > 0 && found.confidence < 80) return {};
  return found;
}

bool has_filter_lines(const Configuration& configuration) {
  return !configuration.bindings.empty() || !configuration.old_filters.empty() ||
         std::ranges::any_of(configuration.lists,
                             [](const AccessList& list) { return !list.entries.empty(); }) ||
         std::ranges::any_of(configuration.ports, [](const Port& port) { return !port.name.empty(); });
}

// Names for the devices of one file: the context, else the host name; a second of the same name is numbered.
std::vector<std::string> scopes(const std::vector<Configuration*>& devices) {
  std::vector<std::string> names;
  if (devices.size() == 1) return {""};
  for (const Configuration* device : devices) {
    std::string name = device->header.context.empty() ? device->header.hostname : device->header.context;
    if (name.empty()) name = "device";
    const std::string wanted = name;
    for (int number = 2; std::ranges::find(names, name) != names.end(); ++number)
      name = fmt::format("{}#{}", wanted, number);
    names.push_back(printable(name));
  }
  return names;
}

// The device that scripts are meant for; none: it is not said clearly.
std::optional<std::size_t> device_meant(const std::vector<std::string>& names, std::string_view scope) {
  if (scope.empty() && names.size() == 1) return 0;
  const auto found = std::ranges::find(names, scope);
  if (scope.empty() || found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

Result<Reading> read(std::span<const SourcePtr> exports, const ReadOptions& options) {
  std::vector<SourcePtr> sources(exports.begin(), exports.end());
  sources.insert(sources.end(), options.scripts.begin(), options.scripts.end());
  Account account(sources);
  Reader reader(account);
  for (std::uint16_t i = 0; i < exports.size(); ++i) reader.read(i);
  const auto not_judged = [&](std::string message) {
    Error error;
    error.message = std::move(message);
    error.file = sources.empty() ? "" : sources.front()->name();
    return fail(std::move(error));
  };
  if (!reader.refusal().empty()) return not_judged(reader.refusal());
  std::vector<Configuration> configurations = reader.take();
  std::vector<Configuration*> devices;
  bool has_system = false;
  for (Configuration& one : configurations) {
    has_system |= one.is_system_context;
    if (has_filter_lines(one) && !(one.is_system_context && one.bindings.empty())) devices.push_back(&one);
  }
  if (devices.empty())
    return not_judged(has_system ? "this is the system space of a device with contexts: export each context"
                                 : "no access list, access-group or named interface in the file");
  constexpr std::size_t most_devices = 1024;
  if (devices.size() > most_devices)
    return not_judged(fmt::format("more than {} devices in one file", most_devices));
  const std::vector<std::string> names = scopes(devices);
  if (const auto meant = options.scripts.empty() ? std::nullopt : device_meant(names, options.scope)) {
    const auto first_script = static_cast<std::uint16_t>(exports.size());
    TRY(typed, type_in(std::move(*devices[*meant]), account, first_script, Told::all));
    typed.devices.front().scope = names[*meant];
    return typed;
  }
  Reading reading;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    Device device = convert(*devices[i], account, options);
    device.scope = names[i];
    auto its = std::make_shared<AsaDocument>();
    its->sources.assign(sources.begin(), sources.end());
    its->configuration = std::move(*devices[i]);
    device.document = std::move(its);
    reading.devices.push_back(std::move(device));
  }
  reading.diagnostics = std::move(account.diagnostics);
  reading.ledgers = std::move(account.ledgers);
  return reading;
}

// A connection that a list denies on its way in is dropped without a word, unless `service resetinbound` is
// on for the interface (Cisco Secure Firewall ASA Series Command Reference, `service`). A part of a
// configuration cannot tell that the line is absent.
OnDeny on_deny(const Device& device, std::string_view, std::string_view ingress) {
  const auto* document = dynamic_cast<const AsaDocument*>(device.document.get());
  if (document == nullptr) return {};
  const Configuration& from = document->configuration;
  OnDeny answer;
  bool is_open = false;  // of an interface, and it is not known which one is meant
  for (const ResetInbound& one : from.resets) {
    if (!one.interface.empty() && ingress.empty()) is_open = true;
    if (!one.interface.empty() && one.interface != ingress) continue;
    answer = {one.is_on ? Denial::refusal : Denial::silence,
              fmt::format("`{}service resetinbound{}`", one.is_on ? "" : "no ",
                          one.interface.empty() ? "" : " interface " + printable(one.interface)),
              one.span};
  }
  if (answer.denial != Denial::unknown) return answer;
  const bool is_whole = from.header.form == Form::running && !from.header.version.empty() && !from.is_cut_off;
  if (is_open || !is_whole) return {};
  return {Denial::silence, "there is no `service resetinbound`", std::nullopt};
}

// packet-tracer takes the packet as it is on the wire, in every release.
std::vector<std::string> verify(const Device&, const Packet& packet, std::string_view ingress) {
  if (ingress.empty()) return {};
  const std::string source = to_string(packet.source), destination = to_string(packet.destination);
  const std::string head = fmt::format("packet-tracer input {}", printable(ingress));
  if (packet.protocol == protocol::icmp || packet.protocol == protocol::icmp6)
    return {fmt::format("{} icmp {} {} {} {}", head, source, packet.source_port, packet.destination_port,
                        destination)};
  if (packet.protocol == protocol::tcp || packet.protocol == protocol::udp ||
      packet.protocol == protocol::sctp)
    return {fmt::format("{} {} {} {} {} {}", head, protocol_name(packet.protocol), source, packet.source_port,
                        destination, packet.destination_port)};
  return {fmt::format("{} rawip {} {} {}", head, source, packet.protocol, destination)};
}

}  // namespace

extern const Vendor vendor;
const Vendor vendor{
    .id = "cisco-asa",
    .title = "Cisco ASA",
    .recognise = recognise,
    .read = read,
    .verify = verify,
    .on_deny = on_deny,
    .editing = &editing,
    .list = &object_group_format,
    .how_to_export =
        "show running-config, or where that must not leave the device:\n"
        "show running-config object, object-group, access-list, access-group, nat, interface, route, name",
};

}  // namespace aclmend::cisco_asa
