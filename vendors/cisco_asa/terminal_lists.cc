// Access lists and where they are bound, as a device takes commands about them.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "vendors/cisco_asa/terminal.h"

namespace aclmend::cisco_asa {
namespace {

constexpr std::size_t longest_list_name = 241;

std::string_view way_of(BindingKind kind) {
  switch (kind) {
    case BindingKind::in: return "in";
    case BindingKind::out: return "out";
    case BindingKind::global: return "global";
    case BindingKind::control_plane: return "control-plane";
  }
  return "";
}

std::string place_of(BindingKind kind, std::string_view interface) {
  if (kind == BindingKind::global) return "globally";
  return fmt::format("{} interface {}", way_of(kind), printable(interface));
}

}  // namespace

// What decides where no list is bound any more.
std::string Terminal::what_decides(BindingKind kind, std::string_view interface) const {
  const std::vector<Binding>& bindings = now().bindings;
  const auto global = std::ranges::find(bindings, BindingKind::global, &Binding::kind);
  if (kind == BindingKind::control_plane) return "traffic to the device itself is no longer filtered by it";
  if (kind == BindingKind::out)
    return fmt::format("what leaves at {} is no longer filtered there", printable(interface));
  if (kind == BindingKind::in && global != bindings.end())
    return fmt::format("then the global list {} decides", printable(global->list));
  return "then security levels decide: to a higher level everything is denied, to a lower one permitted";
}

bool Terminal::is_bound(std::string_view list) const {
  return std::ranges::find(now().bindings, list, &Binding::list) != now().bindings.end();
}

LiveList& Terminal::live_list(std::uint32_t index) {
  if (const auto found = lists_.find(index); found != lists_.end()) return found->second;
  reader_.may_scan(now().lists[index].entries.size());
  return lists_.try_emplace(index, now().lists[index], now(), account_.sources, commands_).first->second;
}

// ---- names --------------------------------------------------------------------------------------------

bool Terminal::knows(const Line& line, std::string_view kind, std::string_view name, bool is_group) {
  const NameEntry* known = named(now(), name);
  if (known != nullptr && present_name(name) != name) known = nullptr;  // renamed
  if (known == nullptr && !refuses_unknown_names()) return true;        // the rest of the export may have it
  if (known == nullptr)
    return refuse(line, name,
                  fmt::format("{} '{}' does not exist: the device refuses the line", kind, printable(name))),
           false;
  if (known->is_group == is_group) return true;
  refuse(line, name,
         fmt::format("'{}' is {}: the device refuses the line", printable(name),
                     known->is_group ? "an object-group" : "an object, not an object-group"));
  return false;
}

bool Terminal::takes(const Line& line, const AddressPlace& place, ListFamily family) {
  using enum AddressPlace::Kind;
  const Era era = era_of(now());
  const auto is_of_type = [&](bool fits) {
    if (fits) return true;
    refuse(line, place.name,
           fmt::format("'{}' holds no addresses: the device refuses the line", printable(place.name)));
    return false;
  };
  switch (place.kind) {
    case any4:
    case any6:
      if (!era.is_known || !era.any_is_v4) return true;
      refuse(line, "", "before 9.0 there is no any4 and no any6: write any");
      return false;
    case v6:
    case range6:
      if (!era.is_known || !era.any_is_v4 || family == ListFamily::ipv6) return true;
      refuse(line, place.name, "before 9.0 IPv6 addresses stand in an 'ipv6 access-list'");
      return false;
    case object: {
      if (!knows(line, "object", place.name, false)) return false;
      const NameEntry* known = named(now(), place.name);
      return known == nullptr || is_of_type(now().objects[known->index].kind == ObjectKind::network);
    }
    case group: {
      if (!knows(line, "object-group", place.name, true)) return false;
      const NameEntry* known = named(now(), place.name);
      return known == nullptr || is_of_type(now().groups[known->index].type == GroupType::network);
    }
    case unknown_alias:
      if (!is_whole()) return true;
      refuse(line, place.name, fmt::format("'{}' is no address and no name", printable(place.name)));
      return false;
    case interface:
      if (!is_whole() || std::ranges::find(now().ports, place.name, &Port::name) != now().ports.end())
        return true;
      refuse(line, place.name, fmt::format("no interface is named '{}'", printable(place.name)));
      return false;
    case any:
    case v4:
    case unpaired:
    case masked:
    case range:
    case fqdn:
    case network_service: return true;
  }
  return true;
}

bool Terminal::takes(const Line& line, const PortPlace& place) {
  return place.kind != PortPlace::Kind::group || knows(line, "object-group", place.name, true);
}

// Whether the device would take the entry: every name is there, of the kind that its place wants.
bool Terminal::takes(const Line& line, const Ace& ace, ListFamily family) {
  if (!ace.undefined_group.empty()) {
    if (!knows(line, "object-group", ace.undefined_group, true)) return false;
    account_.say(Severity::warning, reader_.span_of(ace.fault_word, line), ace.fault, Effect::unknown);
    return true;
  }
  if (!ace.odd_log.empty()) {
    refuse(line, ace.odd_log,
           fmt::format("'{}' is not known after log: the device refuses the line", printable(ace.odd_log)));
    return false;
  }
  const bool names_protocol = ace.protocol == Ace::Protocol::object || ace.protocol == Ace::Protocol::group;
  if (names_protocol && ace.reach >= Ace::Reach::protocol) {
    const bool is_group = ace.protocol == Ace::Protocol::group;
    if (!knows(line, is_group ? "object-group" : "object", ace.protocol_name, is_group)) return false;
    const NameEntry* known = named(now(), ace.protocol_name);
    const bool fits =
        known == nullptr || (is_group ? now().groups[known->index].type == GroupType::protocol ||
                                            now().groups[known->index].type == GroupType::service
                                      : now().objects[known->index].kind == ObjectKind::service);
    if (!fits) {
      refuse(
          line, ace.protocol_name,
          fmt::format("'{}' holds no protocols: the device refuses the line", printable(ace.protocol_name)));
      return false;
    }
  }
  if (ace.reach >= Ace::Reach::source && !takes(line, ace.source, family)) return false;
  if (ace.reach >= Ace::Reach::destination && !takes(line, ace.destination, family)) return false;
  if (ace.reach == Ace::Reach::all && (!takes(line, ace.source_port) || !takes(line, ace.destination_port)))
    return false;
  if (!ace.fault.empty()) {
    not_known(line, ace.fault_word, ace.fault);
  } else if (!ace.unpaired.empty()) {
    not_known(line, ace.unpaired,
              "address and mask do not pair: an ASA takes netmasks (255.254.0.0), no wildcards");
  } else if (ace.source_port.kind == PortPlace::Kind::unknown_name ||
             ace.destination_port.kind == PortPlace::Kind::unknown_name) {
    const std::string_view name = ace.source_port.kind == PortPlace::Kind::unknown_name
                                      ? ace.source_port.name
                                      : ace.destination_port.name;
    not_known(line, name, fmt::format("'{}' is no port that this reader knows", printable(name)));
  }
  return true;
}

// ---- entries ------------------------------------------------------------------------------------------

AccessList* Terminal::list_for(const Line& line, std::string_view name, std::string_view family,
                               bool is_removal) {
  Configuration& all = now();
  const auto found = all.list_index.find(fmt::format("{}{}", family, name));
  const bool is_there = found != all.list_index.end() &&
                        (lists_.contains(found->second) || !all.lists[found->second].entries.empty() ||
                         all.lists[found->second].type != ListType::extended);
  const auto refused = [&](std::string message) {
    refuse(line, name, std::move(message));
    return nullptr;
  };
  if (!is_there && is_removal)
    return refused(fmt::format("there is no access-list '{}' here to take an entry from", printable(name)));
  if (!is_there && is_bound(name) && !is_whole())
    return refused(
        fmt::format("access-list '{}' is not in this export: nobody can say what stands before this "
                    "entry",
                    printable(name)));
  if (!is_there && name.size() > longest_list_name)
    return refused(fmt::format("a list's name has at most {} characters", longest_list_name));
  AccessList& list = reader_.list_named(name, family);
  if (list.type != ListType::extended)
    return refused(fmt::format("access-list '{}' is a list of another type", printable(name)));
  return &list;
}

void Terminal::list_command(const Line& line, Words words, std::string_view family, bool is_removal) {
  reader_.mode_ = Reader::Mode::none;
  const std::string_view name = words.next();
  if (is_list_setting(name, words.peek())) return;
  if (name.empty()) return refuse(line, name, "expected the list's name");
  if (name.ends_with(';') || name == "cached" || looks_shown(line.text))
    return refuse(line, name, "this is what 'show access-list' prints, not a command");
  const Era era = era_of(now());
  if (!family.empty() && !now().header.version.empty() && !era.any_is_v4)
    return refuse(line, name,
                  "since 9.0 there is no 'ipv6 access-list': write 'access-list NAME extended …'");
  if (words.peek() == "rename" && !is_removal) {
    words.next();
    return rename_list(line, name, words.peek(), family);
  }
  if (words.accept("line")) {
    const std::string_view digits = words.next();
    const auto number = parse_decimal<std::uint32_t>(digits);
    if (!number)
      return refuse(line, digits, fmt::format("expected a number after line, found '{}'", printable(digits)));
    if (*number == 0)
      return refuse(line, digits, "the lines of a list begin with 1: the device refuses line 0");
  }
  const std::string_view word = words.peek();
  if (word == "advanced" || word == "rule-id")
    return refuse(line, word, fmt::format("'{}' belongs to Firepower Threat Defense, not to an ASA", word));
  if (word == "standard" || word == "webtype" || word == "ethertype") {
    const auto known = now().list_index.find(name);
    const bool is_other = known != now().list_index.end() &&
                          now().lists[known->second].type == ListType::extended &&
                          (lists_.contains(known->second) || !now().lists[known->second].entries.empty());
    if (is_other)
      return refuse(line, word, fmt::format("access-list '{}' is a list of another type", printable(name)));
    if (!is_removal)
      reader_.access_list(line, Words(line.text.substr(std::min<std::size_t>(11, line.text.size()))), "");
    return;
  }
  if (is_removal && word.empty()) {
    if (now().header.product == Product::asa)
      return refuse(line, name, "an ASA takes 'no access-list' only with the whole text of an entry");
    AccessList* list = list_for(line, name, family, true);
    if (list != nullptr) list_is_gone(line, *list);
    return;
  }
  AccessList* list = list_for(line, name, family, is_removal);
  if (list == nullptr) return;
  const auto index = static_cast<std::uint32_t>(list - now().lists.data());
  const ListFamily of = family.empty() ? ListFamily::of_the_version : ListFamily::ipv6;
  const EntryCommand entry = entry_command(line.text, now(), of);
  LiveList& live = live_list(index);
  if (live.has_gaps())
    return refuse(line, name,
                  "lines of this list were left out of the export: nobody can say which is which");
  if (!is_removal && list->is_cut_off && (entry.line == 0 || entry.line > live.size()))
    return refuse(line, name,
                  "the export ends inside this list: nobody can say what stands before this entry");
  if (!is_removal && !entry.is_remark && !takes(line, entry.ace, of)) {
    if (live.size() == 0) lists_.erase(index);
    return;
  }
  if (is_removal && !entry.is_remark && live.rules() == 1 && live.size() > 1 && is_bound(name) &&
      live.find(entry))
    return refuse(
        line, name,
        "only remarks would be left of a list that is bound: what the device does then is not known");
  if (entry.line > live.size() + 1 && !is_removal)
    warn(line, name,
         fmt::format("line {} is beyond the end of the list: appended as line {}", entry.line,
                     live.size() + 1));
  const EntryKind kind = entry.is_remark                          ? EntryKind::remark
                         : entry.ace.reach == Ace::Reach::nothing ? EntryKind::not_understood
                                                                  : EntryKind::ace;
  const Enacted enacted = live.enact({line.place, kind});
  if (!say_enacted(line, *list, enacted)) return;
  if (entry.is_remark) account_.set(line.place, LineState::no_effect);
  else if (entry.ace.fault.empty() && entry.ace.unpaired.empty()) reader_.decides(line);
  if (enacted.before && !entry.is_remark) count_names(*enacted.before, -1);
  if (!is_removal && !entry.is_remark) count_names(line.place, 1);
  if (live.size() == 0) list_is_gone(line, *list);
}

// False where nothing was done.
bool Terminal::say_enacted(const Line& line, const AccessList& list, const Enacted& enacted) {
  using enum Enacted::What;
  switch (enacted.what) {
    case added:
    case removed: return true;
    case changed:
      tell(line,
           fmt::format("the same entry stands at line {}: its log, inactive or time range is changed there",
                       enacted.number));
      return true;
    case unchanged:
      account_.set(line.place, LineState::no_effect);
      warn(line, list.name,
           fmt::format("the same entry stands at line {} already: the device does not add it again",
                       enacted.number));
      return false;
    case absent:
      refuse(line, "no",
             fmt::format("list '{}' has no such entry: the device refuses the line", printable(list.name)));
      return false;
    case elsewhere:
      refuse(line, "no",
             fmt::format("that entry stands at line {} of list '{}'", enacted.number, printable(list.name)));
      return false;
    case differs:
      refuse(
          line, "no",
          fmt::format("the entry at line {} of list '{}' has another log, inactive or time range: 'no' takes "
                      "its whole text",
                      enacted.number, printable(list.name)));
      return false;
  }
  return false;
}

// With its last entry a list is gone, and so is what bound it.
void Terminal::list_is_gone(const Line& line, const AccessList& list) {
  Configuration& all = now();
  reader_.decides(line);
  const std::string name = list.name;
  const auto index = static_cast<std::uint32_t>(&list - all.lists.data());
  std::vector<Binding> bound;
  for (const Binding& binding : all.bindings)
    if (binding.list == name) bound.push_back(binding);
  std::erase_if(all.bindings, [&](const Binding& one) { return one.list == name; });
  for (const Binding& one : bound)
    warn(line, name,
         fmt::format("list '{}' is gone, and with it its place {}: {}", printable(name),
                     place_of(one.kind, one.interface), what_decides(one.kind, one.interface)));
  lists_.erase(index);
  AccessList& its = all.lists[index];
  its.entries.clear();
  its.count = its.last_number = 0;
  its.has_commands = its.is_shown = its.is_renumbered = its.is_cut_off = false;
  uses_.reset();
}

void Terminal::rename_list(const Line& line, std::string_view name, std::string_view to,
                           std::string_view family) {
  Configuration& all = now();
  const auto found = all.list_index.find(fmt::format("{}{}", family, name));
  if (found == all.list_index.end())
    return refuse(line, name, fmt::format("there is no access-list '{}' here to rename", printable(name)));
  if (to.empty() || to.size() > longest_list_name) return refuse(line, to, "expected the list's new name");
  if (all.list_index.contains(fmt::format("{}{}", family, to)) || is_bound(to))
    return refuse(line, to, fmt::format("there is an access-list '{}' already", printable(to)));
  const std::uint32_t index = found->second;
  all.list_index.erase(found);
  all.list_index[fmt::format("{}{}", family, to)] = index;
  for (Binding& binding : all.bindings)
    if (binding.list == name) binding.list = to;
  for (auto& [list, use] : all.list_uses)
    if (list == name) list = to;
  all.lists[index].name = to;
  reader_.decides(line);
}

// ---- where lists are bound ----------------------------------------------------------------------------

// LIST {in|out} interface NAMEIF [per-user-override | control-plane], LIST global
bool Terminal::is_binding(const Line& line, Words words) {
  const std::string_view list = words.next();
  const std::string_view way = words.next();
  const bool has_way = way == "global" || ((way == "in" || way == "out") && words.accept("interface"));
  const bool has_place = has_way && (way == "global" || !words.next().empty());
  if (has_place && way != "global" && !words.accept("control-plane")) words.accept("per-user-override");
  if (!list.empty() && has_place && words.at_end()) return true;
  refuse(line, has_place ? words.peek() : way,
         "expected 'LIST in interface NAME', 'LIST out interface NAME' or 'LIST global': the device refuses "
         "the line");
  return false;
}

void Terminal::bind(const Line& line, Words words) {
  Configuration& all = now();
  const std::size_t before = all.bindings.size();
  reader_.mode_ = Reader::Mode::none;
  if (!is_binding(line, words)) return;
  reader_.access_group(line, words);
  Binding binding = std::move(all.bindings.back());
  all.bindings.pop_back();
  const Era era = era_of(all);
  const auto list_of = [&](const std::string& name) -> const AccessList* {
    for (const std::string_view family : {"", "ipv6 "})
      if (const auto found = all.list_index.find(fmt::format("{}{}", family, name));
          found != all.list_index.end())
        return &all.lists[found->second];
    return nullptr;
  };
  const AccessList* list = list_of(binding.list);
  const bool is_there =
      list != nullptr &&
      (!list->entries.empty() || lists_.contains(static_cast<std::uint32_t>(list - all.lists.data())));
  if (list != nullptr && list->type != ListType::extended)
    return refuse(line, binding.list, "only an extended list can be bound to an interface");
  if (!is_there && refuses_unknown_names())
    return refuse(
        line, binding.list,
        fmt::format("access-list '{}' does not exist: the device refuses the line", printable(binding.list)));
  if (binding.kind == BindingKind::global && era.is_known && era.has_old_addresses)
    return refuse(line, "global", "there are no global lists before 8.3");
  if (binding.kind != BindingKind::global && is_whole() &&
      std::ranges::find(all.ports, binding.interface, &Port::name) == all.ports.end())
    return refuse(line, binding.interface,
                  fmt::format("no interface is named '{}'", printable(binding.interface)));
  const auto is_v6 = [&](const std::string& name) {
    const AccessList* its = list_of(name);
    return era.any_is_v4 && its != nullptr && its->is_ipv6;
  };
  // In a part of a configuration that binds nothing nobody knows what else is bound.
  if (before == 0 && (all.header.version.empty() || all.is_cut_off)) all.has_unread_binding = true;
  std::erase_if(all.bindings, [&](const Binding& one) {
    const bool is_same_place = one.kind == binding.kind && one.interface == binding.interface &&
                               is_v6(one.list) == is_v6(binding.list);
    if (is_same_place && one.list != binding.list)
      warn(line, binding.list,
           fmt::format("takes the place of list '{}' {}", printable(one.list),
                       place_of(one.kind, one.interface)));
    return is_same_place;
  });
  all.bindings.push_back(std::move(binding));
}

void Terminal::unbind(const Line& line, Words words) {
  Configuration& all = now();
  const std::string_view name = words.peek();
  if (!is_binding(line, words)) return;
  reader_.access_group(line, words);
  const Binding wanted = std::move(all.bindings.back());
  all.bindings.pop_back();
  const auto found = std::ranges::find_if(all.bindings, [&](const Binding& one) {
    return one.list == wanted.list && one.kind == wanted.kind && one.interface == wanted.interface;
  });
  if (found == all.bindings.end())
    return refuse(line, name,
                  fmt::format("list '{}' is not bound {}", printable(wanted.list),
                              place_of(wanted.kind, wanted.interface)));
  all.bindings.erase(found);
  warn(line, name,
       fmt::format("no list is bound {} any more: {}", place_of(wanted.kind, wanted.interface),
                   what_decides(wanted.kind, wanted.interface)));
}

// ---- clear configure ----------------------------------------------------------------------------------

void Terminal::clear(const Line& line, Words words) {
  Configuration& all = now();
  reader_.mode_ = Reader::Mode::none;
  if (!words.peek().starts_with("conf")) return;  // clear xlate, clear conn: of the moment
  words.next();
  const std::string_view what = words.next();
  if (what == "access-list") {
    const std::string_view name = words.peek();
    std::vector<std::uint32_t> gone;
    for (std::uint32_t i = 0; i < all.lists.size(); ++i)
      if (!all.lists[i].is_ipv6 && (name.empty() || all.lists[i].name == name)) gone.push_back(i);
    if (gone.empty())
      return refuse(line, name, fmt::format("there is no access-list '{}' here to clear", printable(name)));
    for (const std::uint32_t index : gone) list_is_gone(line, all.lists[index]);
    return;
  }
  if (what == "access-group") {
    const std::vector<Binding> bound = std::exchange(all.bindings, {});
    for (const Binding& one : bound)
      warn(line, what,
           fmt::format("no list is bound {} any more: {}", place_of(one.kind, one.interface),
                       what_decides(one.kind, one.interface)));
    return reader_.decides(line);
  }
  if (what == "object" || what == "object-group") {
    const bool is_group = what == "object-group";
    const std::string_view type = group_type(words.peek()) ? words.next() : "";
    words.accept("id");
    const std::string_view name = words.peek();
    std::vector<std::string> gone;
    for (const auto& [its, entry] : all.names) {
      if (entry.is_group != is_group || (!name.empty() && its != name)) continue;
      const GroupType of = is_group ? all.groups[entry.index].type : GroupType::network;
      const bool is_service = of == GroupType::tcp || of == GroupType::udp || of == GroupType::tcp_udp;
      if (is_group && !type.empty() && *group_type(type) != (is_service ? GroupType::service : of)) continue;
      if (!is_group && !type.empty() &&
          (type == "service") != (all.objects[entry.index].kind == ObjectKind::service))
        continue;
      gone.push_back(its);
    }
    std::ranges::sort(gone);
    if (gone.empty() && !name.empty())
      return refuse(line, name, fmt::format("there is no {} '{}' here to clear", what, printable(name)));
    for (const std::string& its : gone)
      if (is_used(its))
        return refuse(line, what,
                      fmt::format("{} '{}' is in use: the device keeps it", what, printable(its)));
    for (const std::string& its : gone) forget(its);
    return reader_.decides(line);
  }
  if (what == "nat" || what == "static" || what == "name" || what == "route" ||
      what == "same-security-traffic") {
    uses_.reset();
    return reader_.clear_configure(line, Words(line.text.substr(std::min<std::size_t>(6, line.text.size()))));
  }
  if (!is_inert(what) || what == "ipv6" || what == "context" || what == "firewall")
    return refuse(line, what,
                  fmt::format("what 'clear configure {}' takes away is not followed", printable(what)));
}

}  // namespace aclmend::cisco_asa
