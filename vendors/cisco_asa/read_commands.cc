// The commands that filter, and those that undo them.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "vendors/cisco_asa/ace.h"
#include "vendors/cisco_asa/reader.h"

namespace aclmend::cisco_asa {
namespace {

struct TypeName {
  std::string_view word;
  GroupType type;
};
constexpr TypeName group_types[] = {
    {"network", GroupType::network},
    {"service", GroupType::service},
    {"protocol", GroupType::protocol},
    {"icmp-type", GroupType::icmp_type},
    {"user", GroupType::user},
    {"security", GroupType::security},
    {"network-service", GroupType::network_service},
};

}  // namespace

std::optional<GroupType> group_type(std::string_view word) {
  const auto* found = std::ranges::find(group_types, word, &TypeName::word);
  if (found == std::end(group_types)) return std::nullopt;
  return found->type;
}

bool is_list_setting(std::string_view name, std::string_view word) {
  if (name == "alert-interval" || name == "deny-flow-max")
    return word.empty() || (word[0] >= '0' && word[0] <= '9');
  return (name == "cached" && word == "ACL") ||
         (name == "mode" && (word == "auto-commit" || word == "manual-commit")) ||
         (name == "compiled" && word.empty()) || word == "compiled";
}

bool looks_shown(std::string_view text) {
  const std::size_t last = text.find_last_of(" \t");
  return text.find(" (hitcnt=") != std::string_view::npos ||
         (last != std::string_view::npos && text.substr(last + 1).starts_with("0x"));
}

const NameEntry* named(const Configuration& configuration, std::string_view name) {
  const auto found = configuration.names.find(name);
  return found == configuration.names.end() ? nullptr : &found->second;
}

std::optional<NameEntry> forget(Configuration& configuration, std::string_view name) {
  const auto found = configuration.names.find(name);
  if (found == configuration.names.end()) return std::nullopt;
  const NameEntry entry = found->second;
  if (entry.is_group) {
    Group& group = configuration.groups[entry.index];
    group.members.clear();
    group.is_defined = false;
  } else {
    Object& object = configuration.objects[entry.index];
    object.value.reset();
    object.nat.reset();
    object.is_defined = false;
  }
  configuration.names.erase(found);
  return entry;
}

bool Reader::command(const Line& line, Words words) {
  const std::string_view keyword = words.next();
  if (keyword.empty()) return false;
  const auto done = [&] {
    last_was_entry_ = false;
    return true;
  };
  const auto leaves_mode = [&] {
    mode_ = Mode::none;
    return done();
  };
  switch (keyword[0]) {
    case 'a':
      if (keyword == "access-list") {
        access_list(line, words, "");
        return true;
      }
      if (keyword == "access-group") return access_group(line, words), leaves_mode();
      if (keyword == "apply" || keyword == "alias") return notes(line, keyword, words), leaves_mode();
      return false;
    case 'c':
      if (keyword == "clear") return clear_configure(line, words), leaves_mode();
      if (keyword == "conduit") return notes(line, keyword, words), leaves_mode();
      if (keyword == "class-map") {
        mode_ = Mode::class_map;
        return done();
      }
      if (keyword == "context") {
        if (now().header.context.empty() && now().lists.empty() && words.at_end() == false &&
            line.indent == 0 && line.text.find(' ') == line.text.rfind(' '))
          now().is_system_context = true;
        mode_ = Mode::other;
        return done();
      }
      if (keyword == "Cryptochecksum" || keyword.starts_with("Cryptochecksum:")) {
        now().header.has_end = true;
        return leaves_mode();
      }
      return false;
    case 'C':
      if (!keyword.starts_with("Cryptochecksum")) return false;
      now().header.has_end = true;
      if (keyword.starts_with("Cryptochecksum:")) now().header.checksum = keyword.substr(15);
      return leaves_mode();
    case 'e':
      if (keyword == "established" || keyword == "exit" || keyword == "end")
        return (keyword == "established" ? notes(line, keyword, words) : void()), leaves_mode();
      return false;
    case 'f':
      if (keyword == "firewall") {
        now().is_transparent = words.accept("transparent");
        return leaves_mode();
      }
      if (keyword == "forward-reference") {
        now().has_forward_references = words.peek() == "enable";
        return leaves_mode();
      }
      if (keyword == "fixup") return notes(line, keyword, words), leaves_mode();
      return false;
    case 'g':
      if (keyword != "global" || !words.peek().starts_with('(')) return false;
      now().old_nat_lines = true;
      account_.set(line.place, LineState::not_supported);
      return leaves_mode();
    case 'h': {
      if (keyword != "hostname") return false;
      const std::string_view name = words.next();
      if (!now().header.hostname.empty() && now().header.hostname != name) start_device();
      now().header.hostname = name;
      return leaves_mode();
    }
    case 'i':
      if (keyword == "interface") {
        Port port;
        port.hardware = words.rest();
        port.span = line.place.span();
        if (lower(port.hardware).starts_with("bvi")) {  // as typed, in any case
          port.bridge_group = parse_decimal<std::uint32_t>(trimmed(port.hardware.substr(3))).value_or(0);
          port.is_bvi = port.bridge_group != 0;
        }
        if (!may_scan(now().ports.size())) return true;
        const auto known = std::ranges::find(now().ports, port.hardware, &Port::hardware);
        open_ = static_cast<std::uint32_t>(known - now().ports.begin());
        if (known == now().ports.end()) now().ports.push_back(std::move(port));
        mode_ = Mode::interface;
        decides(line);
        return done();
      }
      if (keyword == "ip" && words.accept("address")) {  // PIX 6: ip address outside A M
        const std::string_view name = words.next();
        const auto port = std::ranges::find(now().ports, name, &Port::name);
        if (port == now().ports.end()) return leaves_mode();
        port->has_dynamic_v4 = words.peek() == "dhcp" || words.peek() == "pppoe";
        if (!port->has_dynamic_v4) port->addresses.push_back({line.place, false});
        decides(line);
        return leaves_mode();
      }
      if (keyword == "ipv6") {
        if (words.accept("access-list")) {
          access_list(line, words, "ipv6 ");
          mode_ = Mode::none;
          return true;
        }
        if (words.accept("route")) {
          now().routes.push_back({line.place, true});
          decides(line);
          return leaves_mode();
        }
      }
      if (keyword == "inspect") return notes(line, keyword, words), done();
      return false;
    case 'n':
      if (keyword == "no") return no_command(line, words) && leaves_mode();
      if (keyword == "name") return alias(line, words), leaves_mode();
      if (keyword == "nat") return nat(line, words), leaves_mode();
      if (keyword == "nameif" && mode_ != Mode::interface) {  // PIX 6: nameif ethernet0 outside security0
        Port port;
        port.hardware = words.next();
        port.name = words.next();
        const std::string_view level = words.next();
        if (level.starts_with("security")) port.level = parse_decimal<std::uint8_t>(level.substr(8));
        port.span = line.place.span();
        if (!port.level) {
          not_understood(line, level, fmt::format("expected securityNUMBER, found '{}'", printable(level)));
          port.is_level_unknown = true;
        } else {
          decides(line);
        }
        now().ports.push_back(std::move(port));
        return leaves_mode();
      }
      if (keyword == "nat-control") {
        now().has_nat_control = true;
        now().nat_control = line.place.span();
        decides(line);
        return leaves_mode();
      }
      return false;
    case 'o':
      last_was_entry_ = last_was_entry_ && keyword == "object-group";
      if (keyword == "object") return open_object(line, words), done();
      if (keyword == "object-group") return open_group(line, words), done();
      if (keyword == "outbound") return notes(line, keyword, words), leaves_mode();
      return false;
    case 'r':
      if (keyword == "route") {
        now().routes.push_back({line.place, false});
        decides(line);
        return leaves_mode();
      }
      if (keyword == "router" || keyword == "rip") now().has_dynamic_routing = true;
      return false;
    case 's':
      if (keyword == "same-security-traffic") {
        const bool permits = words.accept("permit");
        if (permits && words.accept("inter-interface")) now().permits_equal_levels = true;
        else if (permits && words.accept("intra-interface")) now().permits_same_interface = true;
        else
          return not_understood(line, words.peek(),
                                "expected permit inter-interface or permit intra-interface"),
                 leaves_mode();
        decides(line);
        return leaves_mode();
      }
      if (keyword == "static") {
        now().nats.push_back({NatForm::old_static, line.place});
        now().old_nat_lines = true;
        note_list_use(line);
        decides(line);
        return leaves_mode();
      }
      if (keyword == "service") return note_reset(line, words, true), false;
      if (keyword == "shun" || keyword == "sysopt") return notes(line, keyword, words), leaves_mode();
      return false;
    case 't':
      if (keyword == "threat-detection") return notes(line, keyword, words), leaves_mode();
      return false;
    default: return false;
  }
}

// `service resetinbound [interface NAME]` decides nothing about packets: it says how a denied one is
// answered.
void Reader::note_reset(const Line& line, Words words, bool is_on) {
  constexpr std::size_t most = 64;
  if (!words.accept("resetinbound") || now().resets.size() >= most) return;
  words.accept("interface");
  now().resets.push_back({std::string(words.next()), is_on, line.place.span()});
}

bool Reader::no_command(const Line& line, Words words) {
  const std::string_view keyword = words.next();
  if (keyword == "service") return note_reset(line, words, false), false;
  Configuration& all = now();
  const auto undoes = [&] {
    decides(line);
    return true;
  };
  if (keyword == "access-list") return remove_entry(line, words, ""), true;
  if (keyword == "ipv6" && words.accept("access-list")) return remove_entry(line, words, "ipv6 "), true;
  if (!may_scan(all.bindings.size() + all.nats.size() + all.routes.size())) return true;
  if (keyword == "access-group") {
    const std::string_view list = words.next();
    const std::string_view way = words.next();
    words.accept("interface");
    const std::string_view interface = words.next();
    const BindingKind kind = way == "global"                 ? BindingKind::global
                             : words.accept("control-plane") ? BindingKind::control_plane
                             : way == "out"                  ? BindingKind::out
                                                             : BindingKind::in;
    std::erase_if(all.bindings, [&](const Binding& one) {
      return one.list == list && one.kind == kind && one.interface == interface;
    });
    return undoes();
  }
  if (keyword == "object" || keyword == "object-group") {
    words.next();
    const std::string_view name = keyword == "object-group" && words.peek().empty() ? "" : words.next();
    forget(all, name);
    return undoes();
  }
  if (keyword == "nat" || keyword == "static") {
    const std::string wanted(words.rest());
    const std::size_t before = all.nats.size();
    std::erase_if(all.nats, [&](const NatRule& rule) {
      std::string scratch;
      std::string_view text = text_of(rule.place, account_.sources[rule.place.source]->text(), scratch);
      if (!text.starts_with(keyword)) return false;
      return Words(text.substr(keyword.size())).rest() == wanted;
    });
    if (before == all.nats.size())
      not_understood(line, keyword, "this translation is not in the configuration as it is written here");
    else decides(line);
    return true;
  }
  if (keyword == "name") {
    words.next();
    if (const auto found = all.aliases.find(words.peek()); found != all.aliases.end())
      all.aliases.erase(found);
    return undoes();
  }
  if (keyword == "route") {
    const std::string wanted(words.rest());
    std::erase_if(all.routes, [&](const Route& route) {
      std::string scratch;
      const std::string_view text =
          text_of(route.place, account_.sources[route.place.source]->text(), scratch);
      return !route.is_ipv6 && Words(text.substr(5)).rest() == wanted;
    });
    return undoes();
  }
  if (keyword == "same-security-traffic") {
    words.accept("permit");
    if (words.accept("inter-interface")) all.permits_equal_levels = false;
    if (words.accept("intra-interface")) all.permits_same_interface = false;
    return undoes();
  }
  if (keyword == "nat-control") {
    all.has_nat_control = false;
    return undoes();
  }
  if (keyword == "nameif" || keyword == "security-level") return false;  // of an interface
  mode_ = Mode::other;
  return true;  // no names, no logging …: what it undoes does not filter
}

// Commands that look through all there is, a file full of them, would take for ever.
bool Reader::may_scan(std::size_t things) {
  constexpr std::size_t most = 200'000'000;
  scanned_ += things;
  if (scanned_ > most) refusal_ = "more commands that undo others than this reader follows";
  return scanned_ <= most;
}

// clear configure access-list [NAME], clear config nat …
void Reader::clear_configure(const Line& line, Words words) {
  if (!words.peek().starts_with("conf")) return;  // clear xlate, clear conn: of the moment
  words.next();
  const std::string_view what = words.next();
  const std::string_view name = words.next();
  Configuration& all = now();
  decides(line);
  if (!may_scan(all.names.size() + all.objects.size() + all.nats.size())) return;
  if (what == "all" || what == "primary" || what == "secondary") {
    Header header = all.header;
    all = Configuration{};
    all.header = std::move(header);
    last_list_ = no_list;
  } else if (what == "access-list") {
    if (!name.empty()) return clear_list(name);
    all.lists.clear();
    all.list_index.clear();
    all.bindings.clear();
    last_list_ = no_list;
  } else if (what == "access-group") {
    all.bindings.clear();
  } else if (what == "nat" || what == "static") {
    std::erase_if(all.nats, [&](const NatRule& rule) {
      return (rule.form == NatForm::old_static) == (what == "static");
    });
    if (what == "nat")
      for (Object& object : all.objects) object.nat.reset();
  } else if (what == "object-group" || what == "object") {
    const bool groups = what == "object-group";
    if (groups) all.groups.clear();
    else all.objects.clear();
    std::erase_if(all.names, [&](const auto& entry) { return entry.second.is_group == groups; });
  } else if (what == "name") {
    all.aliases.clear();
  } else if (what == "route") {
    all.routes.clear();
  } else if (what == "interface") {
    all.ports.clear();
  } else if (what == "same-security-traffic") {
    all.permits_equal_levels = all.permits_same_interface = false;
  } else {
    account_.set(line.place, LineState::no_effect);
  }
}

void Reader::clear_list(std::string_view name) {
  Configuration& all = now();
  if (!may_scan(all.bindings.size())) return;
  if (const auto found = all.list_index.find(name); found != all.list_index.end()) {
    AccessList& list = all.lists[found->second];
    list.entries.clear();
    list.count = list.last_number = 0;
    list.has_commands = list.is_shown = false;
  }
  std::erase_if(all.bindings, [&](const Binding& one) { return one.list == name; });
}

// ---- access lists -------------------------------------------------------------------------------------

AccessList& Reader::list_named(std::string_view name, std::string_view family) {
  Configuration& all = now();
  if (last_list_ != no_list) {  // nearly always the list of the line before
    AccessList& last = all.lists[last_list_];
    if (last.name == name && last.is_ipv6 == !family.empty()) return last;
  }
  std::string key = fmt::format("{}{}", family, name);
  const auto [found, is_new] =
      all.list_index.try_emplace(std::move(key), static_cast<std::uint32_t>(all.lists.size()));
  if (is_new) {
    AccessList list;
    list.name = name;
    list.is_ipv6 = !family.empty();
    all.lists.push_back(std::move(list));
  }
  last_list_ = found->second;
  return all.lists[last_list_];
}

void Reader::access_list(const Line& line, Words words, std::string_view family) {
  mode_ = Mode::none;
  last_was_entry_ = false;
  const std::string_view name = words.next();
  std::string_view word = words.peek();
  if (word == "extended" && !name.ends_with(';')) {  // nearly all of them
    AccessList& list = list_named(name, family);
    ++list.count;
    decides(line);
    list.entries.push_back({line.place, EntryKind::ace});
    last_was_entry_ = true;
    return;
  }
  if (is_list_setting(name, word)) return;
  if (name.ends_with(';')) {  // access-list OUT; 7 elements; name hash: 0x1f2e3d4c
    AccessList& list = list_named(name.substr(0, name.size() - 1), family);
    list.is_shown = true;
    list.entries.clear();
    list.count = list.last_number = 0;
    if (now().header.form == Form::part) now().header.form = Form::show_access_list;
    return;
  }
  std::optional<std::uint32_t> number;
  if (word == "line") {
    words.next();
    const std::string_view digits = words.next();
    number = parse_decimal<std::uint32_t>(digits);
    word = words.peek();
    if (!number) word = digits;
  }
  Entry entry{line.place, EntryKind::ace};
  if (word == "remark") entry.kind = EntryKind::remark;
  else if (word == "standard" || word == "webtype" || word == "ethertype") {
    AccessList& list = list_named(name, family);
    list.type = word == "standard"  ? ListType::standard
                : word == "webtype" ? ListType::webtype
                                    : ListType::ethertype;
    words.next();
    if (list.type == ListType::ethertype && words.peek() == "deny")
      now().ethertype_denies.push_back(line.place.span());
    return;
  } else if (word == "advanced" || word == "rule-id") {
    refusal_ = "lines with 'access-list NAME advanced' are Firepower Threat Defense's policy, not an ASA's";
    return;
  } else if (word == "rename") {
    words.next();
    decides(line);
    const std::string_view to = words.next();
    AccessList& list = list_named(name, family);
    now().list_index.erase(std::string(family) + list.name);
    for (Binding& binding : now().bindings)
      if (binding.list == list.name) binding.list = to;
    list.name = to;
    now().list_index[std::string(family) + list.name] = last_list_;
    return;
  } else if (word != "extended" && word != "permit" && word != "deny") {
    entry.kind = EntryKind::not_understood;
    not_understood(line, word,
                   fmt::format("expected extended, permit, deny or remark after the list's name, found '{}'",
                               printable(word.substr(0, 60))));
  }
  AccessList& list = list_named(name, family);
  if (number) {
    if (!list.is_shown && looks_shown(line.text)) {
      list.is_shown = true;
      if (now().header.form == Form::part) now().header.form = Form::show_access_list;
    }
    if (list.is_shown) {
      const bool is_child =
          *number == list.last_number && !list.entries.empty() && entry.kind != EntryKind::remark;
      if (is_child) entry.kind = EntryKind::child;
      else list.count = *number - 1;
      list.last_number = *number;
    } else if (*number != list.count + 1) {
      list.has_commands = true;
    }
  }
  if (entry.kind != EntryKind::child) ++list.count;
  if (entry.kind == EntryKind::ace) decides(line);
  list.entries.push_back(entry);
  last_was_entry_ = entry.kind == EntryKind::ace || entry.kind == EntryKind::child;
}

// no access-list OUT [line N] extended permit … takes the whole text; without it PIX drops the list.
void Reader::remove_entry(const Line& line, Words words, std::string_view family) {
  mode_ = Mode::none;
  const std::string_view name = words.next();
  decides(line);
  if (words.at_end()) {
    if (now().header.product != Product::asa) return clear_list(name);
    AccessList& list = list_named(name, family);
    list.entries.push_back({line.place, EntryKind::not_understood});
    ++list.count;
    return not_understood(line, name, "an ASA takes 'no access-list' only with the whole text of an entry");
  }
  AccessList& list = list_named(name, family);
  list.has_commands = true;
  list.entries.push_back({line.place, EntryKind::removal});
}

void Reader::access_group(const Line& line, Words words) {
  Binding binding;
  binding.place = line.place;
  binding.list = words.next();
  const std::string_view way = words.next();
  if (way == "global") {
    binding.kind = BindingKind::global;
  } else {
    binding.kind = way == "out" ? BindingKind::out : BindingKind::in;
    const bool has_interface = (way == "in" || way == "out") && words.accept("interface");
    binding.interface = words.next();
    if (!has_interface || binding.interface.empty()) {
      now().has_unread_binding = true;
      return not_understood(
          line, way,
          fmt::format("expected 'in interface NAME', 'out interface NAME' or 'global', found '{}'",
                      printable(way)));
    }
    if (words.accept("control-plane")) binding.kind = BindingKind::control_plane;
    binding.is_per_user = words.accept("per-user-override");
  }
  if (!words.at_end()) {
    now().has_unread_binding = true;
    return not_understood(line, words.peek(),
                          fmt::format("'{}' is not known after access-group", printable(words.peek())));
  }
  account_.set(line.place,
               binding.kind == BindingKind::control_plane ? LineState::no_effect : LineState::decides);
  now().bindings.push_back(std::move(binding));
}

// ---- objects and groups -------------------------------------------------------------------------------

std::uint32_t Reader::object_named(std::string_view name, ObjectKind kind, Span span) {
  Configuration& all = now();
  if (const NameEntry* known = named(all, name); known != nullptr && !known->is_group) {
    all.objects[known->index].is_defined = true;
    return known->index;
  }
  const auto index = static_cast<std::uint32_t>(all.objects.size());
  all.objects.push_back({std::string(name), kind, span, std::nullopt, std::nullopt, true});
  all.names[std::string(name)] = {false, index};
  return index;
}

std::uint32_t Reader::group_named(std::string_view name, GroupType type, Span span) {
  Configuration& all = now();
  if (const NameEntry* known = named(all, name); known != nullptr && known->is_group) return known->index;
  const auto index = static_cast<std::uint32_t>(all.groups.size());
  all.groups.push_back({std::string(name), type, span, {}, true});
  all.names[std::string(name)] = {true, index};
  return index;
}

void Reader::open_object(const Line& line, Words words) {
  const std::string_view kind = words.next();
  const std::string_view name = words.next();
  mode_ = Mode::other;
  if (kind != "network" && kind != "service" && kind != "network-service")
    return not_understood(
        line, kind, fmt::format("expected network or service after object, found '{}'", printable(kind)));
  if (name.empty()) return not_understood(line, name, "expected the object's name");
  const ObjectKind its = kind == "network"   ? ObjectKind::network
                         : kind == "service" ? ObjectKind::service
                                             : ObjectKind::network_service;
  if (const NameEntry* known = named(now(), name); known != nullptr && known->is_group) {
    now().groups[known->index].members.push_back({line.place, false});  // whoever names it may mean either
    return not_understood(line, name, fmt::format("'{}' is an object-group already", printable(name)));
  }
  open_ = object_named(name, its, line.place.span());
  Object& object = now().objects[open_];
  if (object.kind != its)
    return not_understood(line, name,
                          fmt::format("'{}' is an object of another kind already", printable(name)));
  mode_ = Mode::object;
  decides(line);
  if (words.accept("rename")) {
    const std::string_view to = words.next();
    now().names.erase(object.name);
    object.name = to;
    now().names[object.name] = {false, open_};
  }
}

void Reader::open_group(const Line& line, Words words) {
  const std::string_view kind = words.next();
  const std::string_view name = words.next();
  auto type = group_type(kind);
  mode_ = Mode::other;
  if (!type) {
    if (joins_entry_before(line)) return;
    last_was_entry_ = false;
    return not_understood(
        line, kind,
        fmt::format("expected network, service, protocol or icmp-type after object-group, found '{}'",
                    printable(kind)));
  }
  last_was_entry_ = false;
  if (name.empty()) return not_understood(line, name, "expected the group's name");
  const std::string_view protocol = *type == GroupType::service ? words.next() : "";
  if (protocol == "tcp") type = GroupType::tcp;
  else if (protocol == "udp") type = GroupType::udp;
  else if (protocol == "tcp-udp") type = GroupType::tcp_udp;
  else if (!protocol.empty())
    return not_understood(line, protocol,
                          fmt::format("expected tcp, udp or tcp-udp, found '{}'", printable(protocol)));
  if (const NameEntry* known = named(now(), name); known != nullptr && !known->is_group) {
    now().objects[known->index].value = line.place;  // whoever names it may mean either
    return not_understood(line, name, fmt::format("'{}' is an object already", printable(name)));
  }
  open_ = group_named(name, *type, line.place.span());
  if (now().groups[open_].type != *type) {
    // The device refuses it; whoever names the group may mean either.
    now().groups[open_].members.push_back({line.place, false});
    return not_understood(line, name,
                          fmt::format("'{}' is a group of another type already", printable(name)));
  }
  mode_ = Mode::group;
  decides(line);
}

void Reader::alias(const Line& line, Words words) {
  const std::string_view text = words.next();
  const std::string_view name = words.next();
  std::optional<Address> address = parse_address(text);
  if (const auto odd = parse_v4_word(text); odd && odd->is_odd) {
    address = Address::v4(odd->number);
    account_.say(Severity::warning, span_of(text, line), "an octet with a leading zero, read as decimal",
                 Effect::none);
  }
  if (!address || name.empty())
    return not_understood(line, address ? name : text, "expected 'name ADDRESS ALIAS'");
  now().aliases.insert_or_assign(std::string(name), Alias{*address, line.place.span()});
  decides(line);
}

// ---- translations -------------------------------------------------------------------------------------

// 8.3 and later: `nat (a,b) static …` belongs to the open object, `nat (a,b) source …` stands alone. Before:
// `nat (inside) 1 …`, which only ever translates sources of connections that start inside.
void Reader::nat(const Line& line, Words words) {
  Words ahead = words;
  if (ahead.peek().starts_with('(')) {
    const std::string_view interfaces = ahead.next();
    if (interfaces.find(',') == std::string_view::npos && interfaces.ends_with(')')) {
      now().old_nat_lines = true;
      account_.set(line.place, LineState::not_supported);
      for (std::string_view word = ahead.next(); !word.empty(); word = ahead.next())
        if (word == "access-list")
          now().list_uses.push_back({std::string(ahead.peek()), {model::UserKind::nat, line.place.span()}});
      return;
    }
  }
  now().has_new_nat = true;
  if (ahead.peek() == "static" || ahead.peek() == "dynamic") {
    if (mode_ != Mode::object)
      return not_understood(line, ahead.peek(),
                            "a translation of an object stands outside of 'object network'");
    now().objects[open_].nat = line.place;
  } else {
    now().nats.push_back({NatForm::twice, line.place});
    mode_ = Mode::none;
  }
  decides(line);
}

// ---- what is mentioned only ---------------------------------------------------------------------------

void Reader::notes(const Line& line, std::string_view keyword, Words words) {
  note_list_use(line);
  Configuration& all = now();
  const Span span = line.place.span();
  if (keyword == "established") {
    all.established.push_back(line.place);
    account_.set(line.place, LineState::partly_understood);
  } else if (keyword == "conduit" || keyword == "outbound" || keyword == "apply" || keyword == "alias") {
    all.old_filters.push_back(span);
    not_understood(line, keyword,
                   fmt::format("'{}' is a filter of PIX 5 and 6 that this reader does not know", keyword));
  } else if ((keyword == "inspect" && words.peek() == "esmtp") ||
             (keyword == "fixup" && words.accept("protocol") && words.peek() == "smtp")) {
    all.smtp_inspections.push_back(span);
  } else if (keyword == "threat-detection" && words.accept("scanning-threat") && words.peek() == "shun") {
    all.notices.push_back(
        {model::NoticeKind::not_modelled, span, "scanning-threat shun may block a host for a time"});
    account_.set(line.place, LineState::not_supported);
  } else if (keyword == "shun") {
    all.notices.push_back(
        {model::NoticeKind::not_modelled, span, "a shun blocks a host whatever the lists say"});
    account_.set(line.place, LineState::not_supported);
  }
}

}  // namespace aclmend::cisco_asa
