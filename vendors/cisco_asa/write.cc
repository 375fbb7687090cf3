// Edits → commands to paste, with those that take them back. Numbers are the device's own, remarks counted;
// `no` takes the whole text of an entry; nothing that comes from the configuration goes into a command
// unchecked. What is written is rehearsed: typed into a copy, and taken back.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "vendors/cisco_asa/edit.h"
#include "vendors/cisco_asa/terminal.h"

namespace aclmend::cisco_asa {
namespace {

constexpr std::size_t longest_remark = 100, longest_command = 500;

// A word or text that may stand in a command: `?` asks for help, a control character is a key.
bool is_typable(std::string_view text) {
  return !text.empty() && text.size() <= longest_command &&
         std::ranges::all_of(text, [](unsigned char c) { return c >= ' ' && c < 0x7F && c != '?'; });
}
bool is_word(std::string_view text) { return is_typable(text) && text.find(' ') == std::string_view::npos; }

std::string remark_of(std::string_view text) {
  std::string remark;
  for (const char c : text)
    if (c >= ' ' && c < 0x7F && c != '?') remark += c;
  remark = remark.substr(0, longest_remark);
  const std::size_t begin = remark.find_first_not_of(" !");
  return begin == std::string::npos ? "" : std::string(trimmed(remark.substr(begin)));
}

struct Writer {
  const Device& device;
  const AsaDocument& document;
  const Configuration& from;
  Era era;
  Commands commands;

  Result<Commands> operator()(const AddMembers& edit);
  Result<Commands> operator()(const Enable& edit);
  Result<Commands> operator()(const MoveBefore& edit);
  Result<Commands> operator()(const InsertPermit& edit);
  Result<Commands> operator()(const BindList& edit);

  struct Named {
    const AccessList* list = nullptr;
    std::string command;  // "access-list OUT"
  };
  Result<Named> list_of(model::ListId id) const;
  // The same, where no more than the filter feels an edit of it.
  Result<Named> list_to_edit(model::ListId id) const;
  struct Text {
    std::string command, entry;  // "access-list OUT", "extended permit …"
    std::uint32_t number = 0;
    std::string whole() const { return command + " " + entry; }
    std::string at(std::uint32_t line) const { return fmt::format("{} line {} {}", command, line, entry); }
  };
  Result<Text> text_of_rule(model::RuleRef ref) const;
  std::set<std::string> members_of(const Group& group) const;
  std::string free_name(std::string_view name) const;
  Result<std::vector<std::string>> sources_of(const InsertPermit& edit, const std::vector<Prefix>& prefixes,
                                              bool is_ipv6_list);
  void note_names(std::string_view name);
};

Result<Writer::Named> Writer::list_of(model::ListId id) const {
  if (id >= device.policy.lists.size()) return fail("there is no such list");
  const std::string& name = device.policy.lists[id].name;
  if (!is_word(name)) return fail("the list's name holds characters that cannot be typed");
  for (const bool is_ipv6 : {false, true}) {
    const auto found = from.list_index.find(is_ipv6 ? "ipv6 " + name : name);
    if (found == from.list_index.end() || from.lists[found->second].entries.empty()) continue;
    if (is_ipv6 && from.list_index.contains(name) && !from.lists[from.list_index.at(name)].entries.empty())
      continue;
    return Named{&from.lists[found->second], fmt::format("{}access-list {}", is_ipv6 ? "ipv6 " : "", name)};
  }
  return fail(fmt::format("'{}' is no access list of this device", printable(name)));
}

std::string_view words_for(model::UserKind kind) {
  switch (kind) {
    case model::UserKind::nat: return "a translation";
    case model::UserKind::crypto: return "a VPN";
    case model::UserKind::filter_rule:
    case model::UserKind::group:
    case model::UserKind::other: break;
  }
  return "something beside the filter";
}

Result<Writer::Named> Writer::list_to_edit(model::ListId id) const {
  TRY(list, list_of(id));
  const auto refused = [&](model::UserKind kind, Span span) {
    return fail(fmt::format("{} is used by {} too (line {})", list.list->name, words_for(kind),
                            document.sources[span.source]->position(span.begin).line));
  };
  for (const auto& [name, use] : from.list_uses)
    if (name == list.list->name) return refused(use.kind, use.span);
  for (const Binding& one : from.bindings)
    if (one.list == list.list->name && one.kind == BindingKind::control_plane)
      return refused(model::UserKind::other, one.place.span());
  return list;
}

Result<Writer::Text> Writer::text_of_rule(model::RuleRef ref) const {
  TRY(list, list_to_edit(ref.list));
  const auto& rules = device.policy.lists[ref.list].rules;
  if (ref.index >= rules.size()) return fail("there is no such rule");
  const model::Rule& rule = rules[ref.index];
  const auto entry = std::ranges::find_if(list.list->entries, [&](const Entry& one) {
    return one.place.source == rule.span.source && one.place.begin == rule.span.begin;
  });
  if (entry == list.list->entries.end() || entry->kind != EntryKind::ace || entry->place.is_glued)
    return fail("this entry cannot be typed as it stands in the export");
  const std::string_view whole = document.sources[rule.span.source]->text(rule.span);
  const ListFamily family = list.list->is_ipv6 ? ListFamily::ipv6 : ListFamily::of_the_version;
  const EntryCommand command = entry_command(whole, from, family);
  if (!is_typable(command.text)) return fail("this entry holds characters that cannot be typed");
  const bool is_extended = whole.find(" extended ") < whole.find(command.text);
  return Text{list.command, fmt::format("{}{}", is_extended ? "extended " : "", command.text), rule.number};
}

void Writer::note_names(std::string_view name) {
  const auto note = [&](std::string text) {
    if (std::ranges::find(commands.notes, text) == commands.notes.end())
      commands.notes.push_back(std::move(text));
  };
  if (name.starts_with("DM_INLINE_"))
    note(fmt::format("{} was made by ASDM, which rewrites it when its rule is edited there", name));
  if (name.starts_with("CSM_"))
    note(fmt::format(
        "{} was made by a manager (CSM or FMC), which overwrites what is typed: change it there too", name));
}

// ---- members ------------------------------------------------------------------------------------------

std::set<std::string> Writer::members_of(const Group& group) const {
  std::set<std::string> keys;
  for (const Member& member : group.members) {
    std::string scratch;
    Words words(text_of(member.place, document.sources[member.place.source]->text(), scratch));
    words.accept("no");
    const std::string key = member_key(group.type, words.rest(), from);
    if (member.is_removal) keys.erase(key);
    else keys.insert(key);
  }
  return keys;
}

Result<Commands> Writer::operator()(const AddMembers& edit) {
  const auto& groups = device.policy.groups;
  if (edit.group >= groups.size()) return fail("there is no such group");
  const model::AddressGroup& node = groups[edit.group];
  const NameEntry* known = named(from, node.name);
  if (node.kind != model::GroupKind::group || known == nullptr || !known->is_group ||
      from.groups[known->index].type != GroupType::network)
    return fail(fmt::format("'{}' is no network group", printable(node.name)));
  if (!is_legal_name(node.name)) return fail("the group's name holds characters that cannot be typed");
  std::vector<std::string> members;
  for (const model::GroupId id : edit.members) {
    if (id >= groups.size()) return fail("there is no such member");
    const model::AddressGroup& member = groups[id];
    if (!is_legal_name(member.name)) return fail("a member's name holds characters that cannot be typed");
    if (member.kind == model::GroupKind::object) members.push_back("network-object object " + member.name);
    else if (member.kind == model::GroupKind::group) members.push_back("group-object " + member.name);
    else return fail(fmt::format("'{}' is not defined on this device", member.name));
  }
  if (!edit.addresses.v6.empty() && era.any_is_v4) return fail("before 9.0 a group holds no IPv6 addresses");
  const bool is_translated = std::ranges::any_of(
      node.users, [](const model::User& user) { return user.kind == model::UserKind::nat; });
  if (!edit.addresses.v6.empty() && is_translated)
    return fail(fmt::format("{} is used by a translation, which takes no group of both families", node.name));
  for (const Prefix& prefix : edit.addresses.prefixes())
    members.push_back("network-object " + address_text(prefix));
  const std::set<std::string> present = members_of(from.groups[known->index]);
  std::erase_if(members, [&](const std::string& member) {
    return present.contains(member_key(GroupType::network, member, from));
  });
  if (members.empty()) return fail(fmt::format("{} holds all of it already", node.name));
  note_names(node.name);
  commands.lines.push_back("object-group network " + node.name);
  commands.rollback = commands.lines;
  for (const std::string& member : members) {
    commands.lines.push_back(" " + member);
    commands.rollback.push_back(" no " + member);
  }
  return commands;
}

// ---- entries ------------------------------------------------------------------------------------------

Result<Commands> Writer::operator()(const Enable& edit) {
  TRY(text, text_of_rule(edit.rule));
  if (device.policy.rule(edit.rule).enabled) return fail("this entry is active already");
  constexpr std::string_view word = " inactive";
  if (!text.entry.ends_with(word)) return fail("this entry does not end in 'inactive'");
  commands.rollback.push_back(text.whole());
  text.entry.resize(text.entry.size() - word.size());
  commands.lines.push_back(text.whole());
  return commands;
}

// Taken out, then put in again: a second copy would be refused. Nothing stands between the two commands.
Result<Commands> Writer::operator()(const MoveBefore& edit) {
  TRY(text, text_of_rule(edit.rule));
  const auto& rules = device.policy.lists[edit.rule.list].rules;
  if (edit.before >= rules.size()) return fail("there is no such rule");
  const std::uint32_t target = rules[edit.before].number;
  if (edit.before == edit.rule.index || target == text.number + 1)
    return fail("the entry stands there already");
  const std::uint32_t to = target > text.number ? target - 1 : target;  // counted without the entry itself
  commands.lines = {"no " + text.at(text.number), text.at(to)};
  commands.rollback = {"no " + text.at(to), text.at(text.number)};
  commands.notes.push_back("between the two commands the entry is in neither place: paste them together");
  return commands;
}

std::string Writer::free_name(std::string_view name) const {
  std::string base = "ACLMEND-";
  for (const char c : name) {
    if (c >= 'a' && c <= 'z') base += static_cast<char>(c - 'a' + 'A');
    else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) base += c;
    else base += '-';
  }
  constexpr std::size_t room_for_a_number = 8;
  base.resize(std::min(base.size(), longest_group_name - room_for_a_number));
  std::string free = base;
  for (int number = 2; named(from, free) != nullptr; ++number) free = fmt::format("{}-{}", base, number);
  return free;
}

// The source places of the new entries: one literal, a new group for several, or (before 9.0, for IPv6, whose
// groups there are none) a literal each.
Result<std::vector<std::string>> Writer::sources_of(const InsertPermit& edit,
                                                    const std::vector<Prefix>& prefixes, bool is_ipv6_list) {
  std::vector<std::string> places;
  if (is_ipv6_list || prefixes.size() == 1) {
    for (const Prefix& prefix : prefixes) places.push_back(address_text(prefix));
    return places;
  }
  const std::string name = free_name(edit.name);
  commands.lines.push_back("object-group network " + name);
  for (const Prefix& prefix : prefixes) commands.lines.push_back(" network-object " + address_text(prefix));
  places.push_back("object-group " + name);
  commands.rollback.push_back("no object-group network " + name);
  return places;
}

Result<Commands> Writer::operator()(const InsertPermit& edit) {
  TRY(list, list_to_edit(edit.list));
  const auto& rules = device.policy.lists[edit.list].rules;
  if (edit.before && *edit.before >= rules.size()) return fail("there is no such rule");
  const bool is_ipv6_list = list.list->is_ipv6;
  AddressSet sources = edit.sources, destinations = edit.destinations;
  if (destinations.v4.empty()) sources.v4 = {};
  if (destinations.v6.empty()) sources.v6 = {};
  if (sources.v4.empty()) destinations.v4 = {};
  if (sources.v6.empty()) destinations.v6 = {};
  if (sources.v4.empty() && sources.v6.empty())
    return fail("sources and destinations are of different families");
  if (is_ipv6_list && !sources.v4.empty()) return fail("an 'ipv6 access-list' holds no IPv4 addresses");
  if (!is_ipv6_list && era.any_is_v4 && !sources.v6.empty())
    return fail("before 9.0 IPv6 addresses stand in an 'ipv6 access-list'");
  const bool is_pix6 = from.header.product == Product::pix && from.header.major < 7;
  const std::string_view extended = is_ipv6_list || is_pix6 ? "" : "extended ";
  const bool has_ports = edit.protocol == protocol::tcp || edit.protocol == protocol::udp;
  if (!has_ports) return fail("only entries of tcp and udp are written");
  const std::string service =
      edit.protocol == protocol::tcp && edit.port == 25 ? "eq smtp" : fmt::format("eq {}", edit.port);
  TRY(places, sources_of(edit, sources.prefixes(), is_ipv6_list));

  const LiveList live(*list.list, from, document.sources, 0);
  if (live.has_gaps()) return fail("lines of this list were left out of the export");
  std::uint32_t line = edit.before ? rules[*edit.before].number : live.size() + 1;
  std::vector<std::string> undo;
  const auto put = [&](const std::string& text) {
    commands.lines.push_back(edit.before ? fmt::format("{} line {} {}", list.command, line, text)
                                         : fmt::format("{} {}", list.command, text));
    undo.push_back(fmt::format("no {} line {} {}", list.command, line, text));
    ++line;
  };
  if (const std::string remark = remark_of(edit.remark); !remark.empty()) put("remark " + remark);
  for (const Prefix& destination : destinations.prefixes())
    for (const std::string& source : places)
      put(fmt::format("{}permit {} {} {} {}", extended, protocol_name(edit.protocol), source,
                      address_text(destination), service));
  commands.rollback.insert(commands.rollback.begin(), undo.rbegin(), undo.rend());
  note_names(device.policy.lists[edit.list].name);
  return commands;
}

Result<Commands> Writer::operator()(const BindList& edit) {
  TRY(list, list_of(edit.list));
  const auto port = std::ranges::find(from.ports, edit.interface, &Port::name);
  if (port == from.ports.end() || !is_word(edit.interface))
    return fail(fmt::format("no interface is named '{}'", printable(edit.interface)));
  const std::string text =
      fmt::format("access-group {} in interface {}", device.policy.lists[edit.list].name, edit.interface);
  for (const Binding& one : from.bindings)
    if (one.list == device.policy.lists[edit.list].name &&
        (one.kind == BindingKind::global || (one.kind == BindingKind::in && one.interface == edit.interface)))
      return fail("this list is bound there already");
  commands.lines = {text};
  commands.rollback = {"no " + text};
  commands.notes.push_back("everything that enters there is filtered by this list from then on");
  return commands;
}

SourcePtr script_of(std::string name, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return std::make_shared<const Source>(std::move(name), text);
}

// What a device would say to the commands, and then to those that take them back.
std::optional<std::string> objection(const AsaDocument& document, const Commands& commands) {
  std::vector<SourcePtr> sources = document.sources;
  const auto first = static_cast<std::uint16_t>(sources.size());
  sources.push_back(script_of("commands", commands.lines));
  sources.push_back(script_of("rollback", commands.rollback));
  Account account(sources);
  Terminal terminal(account, document.configuration);
  for (const std::uint16_t source : {first, static_cast<std::uint16_t>(first + 1)}) {
    if (const auto error = terminal.type(source)) return error->message;
    for (const Diagnostic& one : account.diagnostics.all()) {
      const bool counts =
          one.severity == Severity::error || (one.severity == Severity::warning && source == first);
      if (counts)
        return fmt::format("{}: {}", one.message, trimmed(sources[one.span.source]->line_at(one.span.begin)));
    }
  }
  return std::nullopt;
}

}  // namespace

std::string address_text(const Prefix& prefix) {
  const int bits = address_bits(prefix.address.family);
  if (prefix.length == bits) return "host " + to_string(prefix.address);
  if (!prefix.address.is_v4()) return to_string(prefix);
  return fmt::format("{} {}", to_string(prefix.address), to_string(Address::v4(netmask(prefix.length))));
}

Result<Commands> write(const Device& device, const Edit& edit) {
  const auto* document = dynamic_cast<const AsaDocument*>(device.document.get());
  if (document == nullptr) return fail("nothing is known of this device but its policy");
  const Header& header = document->configuration.header;
  if (header.product == Product::pix && (header.major < 6 || (header.major == 6 && header.minor < 3)))
    return fail("before 6.3 a PIX takes no entry between others and no remark");
  Writer writer{device, *document, document->configuration, era_of(document->configuration), {}};
  TRY(commands, std::visit(writer, edit));
  for (const std::vector<std::string>* lines : {&commands.lines, &commands.rollback})
    for (const std::string& line : *lines)
      if (!is_typable(line)) return fail("a command would hold characters that cannot be typed");
  if (auto reason = objection(*document, commands)) return fail(std::move(*reason));
  return commands;
}

}  // namespace aclmend::cisco_asa
