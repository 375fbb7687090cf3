// Objects and groups, as a device takes commands about them.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "vendors/cisco_asa/terminal.h"

namespace aclmend::cisco_asa {
namespace {

constexpr std::size_t longest_name = 64;

}  // namespace

bool is_legal_name(std::string_view name) {
  constexpr std::string_view others = ".!@#$%^&()-_{}";
  return !name.empty() && name.size() <= longest_name && std::ranges::all_of(name, [&](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

// ---- objects ------------------------------------------------------------------------------------------

void Terminal::object_header(const Line& line, Words words) {
  const std::string_view kind = words.next();
  const std::string_view name = words.next();
  reader_.mode_ = Reader::Mode::none;
  if (kind != "network" && kind != "service" && kind != "network-service")
    return refuse(line, kind,
                  fmt::format("expected network or service after object, found '{}'", printable(kind)));
  if (const Era era = era_of(now()); era.is_known && era.has_old_addresses)
    return refuse(line, kind, "there are no objects before 8.3");
  if (name.empty()) return refuse(line, name, "expected a name");
  const NameEntry* known = named(now(), name);
  if (known == nullptr && !is_legal_name(name))
    return refuse(line, name, "a name has 1 to 64 letters, digits and characters out of .!@#$%^&()-_{}");
  if (known != nullptr && known->is_group)
    return refuse(line, name, fmt::format("'{}' is an object-group already", printable(name)));
  if (known != nullptr && present_name(name) != name)
    return refuse(line, name, "this name was given up by a rename: a second object of it is not followed");
  const ObjectKind its = kind == "network"   ? ObjectKind::network
                         : kind == "service" ? ObjectKind::service
                                             : ObjectKind::network_service;
  if (known != nullptr && now().objects[known->index].kind != its)
    return refuse(line, name, fmt::format("'{}' is an object of another kind already", printable(name)));
  if (words.accept("rename")) return rename_object(line, name, words.peek());
  if (!words.at_end() && its != ObjectKind::service)
    return refuse(line, words.peek(), fmt::format("'{}' is not known here", printable(words.peek())));
  Words again(line.text);
  again.next();
  reader_.open_object(line, again);
}

// Lines that were written before keep the old name: it leads to the same object.
void Terminal::rename_object(const Line& line, std::string_view name, std::string_view to) {
  Configuration& all = now();
  const NameEntry* known = named(all, name);
  if (known == nullptr)
    return refuse(line, name, fmt::format("there is no object '{}' here to rename", printable(name)));
  if (!is_legal_name(to)) return refuse(line, to, "expected the object's new name");
  if (named(all, to) != nullptr) return refuse(line, to, fmt::format("there is '{}' already", printable(to)));
  const NameEntry its = *known;
  all.objects[its.index].name = to;
  all.names[std::string(to)] = its;
  uses_.reset();
  reader_.decides(line);
}

bool Terminal::object_line(const Line& line, Words words) {
  Object& object = now().objects[reader_.open_];
  const Words whole = words;
  const bool is_negated = words.accept("no");
  const std::string_view keyword = words.next();
  if (is_negated && is_value_of(object.kind, keyword)) {
    std::string scratch;
    Words mine(object.value ? text_of_place(*object.value, scratch) : std::string_view());
    const std::string_view its = mine.next();
    if (its != keyword || mine.rest() != words.rest()) {
      refuse(line, keyword, fmt::format("object '{}' has no such value", printable(object.name)));
      return true;
    }
  }
  if (is_negated && keyword == "nat" && !object.nat) {
    refuse(line, keyword, fmt::format("object '{}' has no translation", printable(object.name)));
    return true;
  }
  if (keyword == "nat") uses_.reset();
  return reader_.object_line(line, whole);
}

// ---- groups -------------------------------------------------------------------------------------------

void Terminal::group_header(const Line& line, Words words) {
  const std::string_view kind = words.next();
  const std::string_view name = words.next();
  reader_.mode_ = Reader::Mode::none;
  if (!group_type(kind))
    return refuse(
        line, kind,
        fmt::format("expected network, service, protocol or icmp-type after object-group, found '{}'",
                    printable(kind)));
  if (name.empty()) return refuse(line, name, "expected a name");
  const NameEntry* known = named(now(), name);
  if (known == nullptr && !is_legal_name(name))
    return refuse(line, name, "a name has 1 to 64 letters, digits and characters out of .!@#$%^&()-_{}");
  if (known != nullptr && !known->is_group)
    return refuse(line, name, fmt::format("'{}' is an object already", printable(name)));
  GroupType type = *group_type(kind);
  if (type == GroupType::service) {
    const std::string_view protocol = words.next();
    if (protocol == "tcp") type = GroupType::tcp;
    else if (protocol == "udp") type = GroupType::udp;
    else if (protocol == "tcp-udp") type = GroupType::tcp_udp;
    else if (!protocol.empty())
      return refuse(line, protocol,
                    fmt::format("expected tcp, udp or tcp-udp, found '{}'", printable(protocol)));
  }
  if (known != nullptr && now().groups[known->index].type != type)
    return refuse(line, name, fmt::format("'{}' is a group of another type already", printable(name)));
  // What a part of a configuration names and does not define has members that nobody knows.
  const bool may_have_others =
      !is_whole() && (known == nullptr ? is_used(name) : now().groups[known->index].members.empty());
  Words again(line.text);
  again.next();
  reader_.open_group(line, again);
  if (!may_have_others || reader_.mode_ != Reader::Mode::group) return;
  groups_.erase(reader_.open_);
  now().groups[reader_.open_].members.push_back({line.place, false});
  account_.say(
      Severity::warning, reader_.span_of(name, line),
      fmt::format("the members of '{}' are not in this export: it may hold others than those typed here",
                  printable(name)),
      Effect::unknown);
}

Terminal::LiveGroup& Terminal::live_group(std::uint32_t index) {
  const auto [found, is_new] = groups_.try_emplace(index);
  LiveGroup& live = found->second;
  if (!is_new) return live;
  Group& group = now().groups[index];
  reader_.may_scan(group.members.size());
  std::vector<Member> members;
  for (const Member& member : group.members) {
    std::string scratch;
    Words words(text_of_place(member.place, scratch));
    words.accept("no");
    const std::string key = member_key(group.type, words.rest(), now());
    const auto known = live.at.find(key);
    if (member.is_removal) {  // the export was a script itself
      if (known != live.at.end()) live.is_gone[known->second] = true, live.at.erase(known);
      continue;
    }
    live.has_unknown_members |= key.empty() || !is_member_of(group.type, words.peek());
    if (!key.empty()) live.at.insert_or_assign(key, static_cast<std::uint32_t>(members.size()));
    members.push_back(member);
    live.is_gone.push_back(false);
  }
  group.members = std::move(members);
  live.left = static_cast<std::size_t>(std::ranges::count(live.is_gone, false));
  return live;
}

bool Terminal::group_line(const Line& line, Words words) {
  const std::uint32_t index = reader_.open_;
  const Words whole = words;
  const bool is_removal = words.accept("no");
  const std::string text(words.rest());
  const std::string_view keyword = words.next();
  const GroupType type = now().groups[index].type;
  if (!is_member_of(type, keyword)) return reader_.group_line(line, whole);  // description, exit
  const std::string key = member_key(type, text, now());
  LiveGroup& live = live_group(index);
  const auto add = [&] {
    reader_.group_line(line, whole);
    live.is_gone.push_back(false);
    ++live.left;
  };
  if (key.empty()) {
    not_known(line, keyword,
              fmt::format("'{}' is not understood as a member", printable(text.substr(0, 80))));
    if (!is_removal) add(), live.has_unknown_members = true;
    account_.set(line.place, LineState::not_understood);
    return true;
  }
  const auto known = live.at.find(key);
  if (is_removal) {
    if (known == live.at.end()) {
      if (live.has_unknown_members)
        warn(line, keyword, "whether the group holds this member is not known: it stays as it is");
      else
        refuse(line, keyword,
               fmt::format("group '{}' holds no such member: the device refuses the line",
                           printable(now().groups[index].name)));
      return true;
    }
    if (live.left == 1 && is_used(now().groups[index].name)) {
      refuse(line, keyword,
             fmt::format("group '{}' is in use: the device does not let it become empty",
                         printable(now().groups[index].name)));
      return true;
    }
    count_names(now().groups[index].members[known->second].place, -1);
    live.is_gone[known->second] = true;
    live.at.erase(known);
    --live.left;
    reader_.decides(line);
    return true;
  }
  if (known != live.at.end()) {
    refuse(line, keyword,
           fmt::format("group '{}' holds this member already: the device refuses the line",
                       printable(now().groups[index].name)));
    return true;
  }
  if (!member_is_known(line, whole)) return true;
  add();
  live.at.emplace(key, static_cast<std::uint32_t>(live.is_gone.size() - 1));
  count_names(line.place, 1);
  return true;
}

// Whether what a member names is there, of the right kind, and does not hold this group itself.
bool Terminal::member_is_known(const Line& line, Words words) {
  const std::uint32_t index = reader_.open_;
  const std::string_view keyword = words.next();
  if (keyword == "group-object") {
    const std::string_view name = words.peek();
    if (!knows(line, "object-group", name, true)) return false;
    const NameEntry* inner = named(now(), name);
    if (inner == nullptr) return true;
    if (now().groups[inner->index].type != now().groups[index].type) {
      refuse(line, name, fmt::format("'{}' is a group of another type", printable(name)));
      return false;
    }
    if (!leads_back(inner->index, index)) return true;
    refuse(line, name, "the group would hold itself: the device refuses the line");
    return false;
  }
  if (words.peek() == "object") {
    words.next();
    const std::string_view name = words.peek();
    if (!knows(line, "object", name, false)) return false;
    const NameEntry* known = named(now(), name);
    const ObjectKind wanted =
        now().groups[index].type == GroupType::network ? ObjectKind::network : ObjectKind::service;
    if (known == nullptr || now().objects[known->index].kind == wanted) return true;
    refuse(line, name, fmt::format("'{}' is an object of another kind", printable(name)));
    return false;
  }
  if (now().groups[index].type != GroupType::network) return true;
  return takes(line, parse_address_place(words, now()).place, ListFamily::ipv6);
}

// Whether a group holds another, at whatever depth.
bool Terminal::leads_back(std::uint32_t from, std::uint32_t to) {
  std::vector<std::uint32_t> open{from};
  std::unordered_set<std::uint32_t> seen{from};
  while (!open.empty()) {
    const std::uint32_t at = open.back();
    open.pop_back();
    if (at == to) return true;
    const std::vector<Member>& members = now().groups[at].members;
    const auto live = groups_.find(at);
    if (!reader_.may_scan(members.size())) return true;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (live != groups_.end() && live->second.is_gone[i]) continue;
      std::string scratch;
      Words words(text_of_place(members[i].place, scratch));
      if (!words.accept("group-object")) continue;
      const NameEntry* inner = named(now(), words.peek());
      if (inner != nullptr && inner->is_group && seen.insert(inner->index).second)
        open.push_back(inner->index);
    }
  }
  return false;
}

// ---- no object, no object-group -----------------------------------------------------------------------

void Terminal::remove_name(const Line& line, Words words, bool is_group) {
  const std::string_view kind = words.next();
  const std::string_view name = words.next();
  const std::string_view what = is_group ? "object-group" : "object";
  const NameEntry* known = named(now(), name);
  if (name.empty()) return refuse(line, name, fmt::format("expected the name of the {}", what));
  if (known == nullptr || known->is_group != is_group || present_name(name) != name)
    return refuse(line, name, fmt::format("there is no {} '{}' here to remove", what, printable(name)));
  const bool fits = is_group
                        ? group_type(kind) == now().groups[known->index].type ||
                              (kind == "service" && (now().groups[known->index].type == GroupType::tcp ||
                                                     now().groups[known->index].type == GroupType::udp ||
                                                     now().groups[known->index].type == GroupType::tcp_udp))
                        : (kind == "service") == (now().objects[known->index].kind == ObjectKind::service);
  if (!fits) return refuse(line, kind, fmt::format("'{}' is of another type", printable(name)));
  if (is_used(name))
    return refuse(line, name,
                  fmt::format("{} '{}' is in use: the device refuses to delete it", what, printable(name)));
  forget(std::string(name));
  reader_.decides(line);
}

void Terminal::forget(const std::string& name) {
  const auto entry = cisco_asa::forget(now(), name);
  if (!entry) return;
  if (entry->is_group) groups_.erase(entry->index);
  uses_.reset();
}

}  // namespace aclmend::cisco_asa
