// What stands inside a mode: the value of an object, the members of a group, the facts of an interface. A
// mode knows its words at any indentation, because hand-typed scripts have none and pager marks eat it.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "vendors/cisco_asa/reader.h"

namespace aclmend::cisco_asa {
bool is_member_of(GroupType type, std::string_view keyword) {
  if (keyword == "group-object") return true;
  switch (type) {
    case GroupType::network: return keyword == "network-object";
    case GroupType::service: return keyword == "service-object" || keyword == "port-object";
    case GroupType::tcp:
    case GroupType::udp:
    case GroupType::tcp_udp: return keyword == "port-object";
    case GroupType::protocol: return keyword == "protocol-object";
    case GroupType::icmp_type: return keyword == "icmp-object";
    case GroupType::user: return keyword == "user" || keyword == "user-group";
    case GroupType::security: return keyword == "security-group";
    case GroupType::network_service: return keyword == "network-service-member" || keyword == "domain";
  }
  return false;
}

bool is_value_of(ObjectKind kind, std::string_view keyword) {
  switch (kind) {
    case ObjectKind::network:
      return keyword == "host" || keyword == "subnet" || keyword == "range" || keyword == "fqdn";
    case ObjectKind::service: return keyword == "service";
    case ObjectKind::network_service:
      return keyword == "domain" || keyword == "subnet" || keyword == "app-id" ||
             keyword == "network-service-member";
  }
  return false;
}

bool Reader::object_line(const Line& line, Words words) {
  Object& object = now().objects[open_];
  const std::string_view keyword = words.next();
  if (keyword == "description") return true;
  if (keyword == "exit" || keyword == "quit") {
    mode_ = Mode::none;
    return true;
  }
  if (keyword == "nat" && object.kind == ObjectKind::network) {
    nat(line, words);
    return true;
  }
  if (keyword == "no") {
    const std::string_view what = words.next();
    if (what == "description") return true;
    if (what == "nat") {
      object.nat.reset();
    } else if (is_value_of(object.kind, what)) {
      object.value.reset();
    } else {
      return false;
    }
    decides(line);
    return true;
  }
  if (!is_value_of(object.kind, keyword)) return false;
  object.value = line.place;
  account_.set(line.place, object.kind == ObjectKind::network_service ? LineState::partly_understood
                                                                      : LineState::decides);
  return true;
}

bool Reader::group_line(const Line& line, Words words) {
  Group& group = now().groups[open_];
  std::string_view keyword = words.next();
  if (keyword == "description" || keyword == "description:") return true;
  if (keyword == "exit" || keyword == "quit") {
    mode_ = Mode::none;
    return true;
  }
  Member member{line.place, false};
  if (keyword == "no") {
    keyword = words.peek();
    if (keyword == "description") return true;
    member.is_removal = true;
    if (!line.place.is_glued && is_member_of(group.type, keyword))
      member.place.begin += static_cast<std::uint32_t>(keyword.data() - line.text.data());
  }
  if (!is_member_of(group.type, keyword)) return false;
  group.members.push_back(member);
  decides(line);
  return true;
}

bool Reader::interface_line(const Line& line, Words words) {
  Port& port = now().ports[open_];
  std::string_view keyword = words.next();
  const bool negated = keyword == "no";
  if (negated) keyword = words.next();
  if (keyword == "exit" || keyword == "quit") {
    mode_ = Mode::none;
    return true;
  }
  if (keyword == "nameif") {
    port.name = negated ? "" : std::string(words.next());
  } else if (keyword == "security-level") {
    port.level.reset();
    if (!negated) {
      const std::string_view word = words.next();
      const auto level = parse_decimal<std::uint8_t>(word);
      if (!level || *level > 100) {
        not_understood(line, word,
                       fmt::format("expected a security level from 0 to 100, found '{}'", printable(word)));
        port.is_level_unknown = true;
        return true;
      }
      port.level = *level;
    }
  } else if (keyword == "bridge-group") {
    if (!port.is_bvi)
      port.bridge_group = negated ? 0 : parse_decimal<std::uint32_t>(words.next()).value_or(0);
  } else if (keyword == "shutdown") {
    port.is_shutdown = !negated;
  } else if (keyword == "management-only") {
    port.is_management_only = !negated;
  } else if (keyword == "ip" && words.accept("address")) {
    port.has_dynamic_v4 = !negated && (words.peek() == "dhcp" || words.peek() == "pppoe");
    if (negated) std::erase_if(port.addresses, [](const PortAddress& one) { return !one.is_ipv6; });
    else if (!port.has_dynamic_v4) port.addresses.push_back({line.place, false});
  } else if (keyword == "ipv6" && words.accept("address")) {
    if (words.peek() == "autoconfig" || words.peek() == "dhcp") port.has_dynamic_v6 = !negated;
    else if (!negated) port.addresses.push_back({line.place, true});
  } else {
    return line.indent > 0;  // vlan, speed, ospf …: nothing that filters
  }
  decides(line);
  return true;
}

namespace {

// Words that stand before the name of a list, whatever command they are in.
constexpr std::string_view before_a_list[] = {
    "access-list", "network-acl", "redirect-list", "group-list",      "classify-list", "action-classify-list",
    "acl-in",      "acl-out",     "access-group",  "distribute-list", "list"};

bool names_list(std::string_view first, std::string_view before, std::string_view at) {
  if (std::ranges::find(before_a_list, at) != std::end(before_a_list)) return true;
  if (at == "value") return before.ends_with("filter") || before.ends_with("split-tunnel-network-list");
  if (at == "match") return first == "aaa";  // aaa authentication match LIST inside SERVERS
  return before == "match" && (at == "address" || at == "ip");
}

}  // namespace

// crypto map … match address LIST, match access-list LIST, vpn-filter value LIST …: the list is used there.
// What people write as text names no list, whatever its words.
void Reader::note_list_use(const Line& line) {
  Words words(line.text);
  constexpr std::string_view texts[] = {"banner", "description", "snmp-server", "user-message", "prompt"};
  const std::string_view first = words.peek();
  if (std::ranges::find(texts, first) != std::end(texts)) return;
  const auto note = [&](std::string_view list, model::UserKind kind) {
    now().list_uses.push_back({std::string(list), {kind, line.place.span()}});
  };
  // `match ip address LIST …` of a route map: as many as there are.
  if (Words ahead = words;
      ahead.accept("match") && (ahead.accept("ip") || ahead.accept("ipv6")) &&
      (ahead.accept("address") || ahead.accept("next-hop") || ahead.accept("route-source"))) {
    while (!ahead.at_end()) note(ahead.next(), model::UserKind::other);
    return;
  }
  std::string_view before, at = words.next();
  while (!words.at_end()) {
    const std::string_view next = words.next();
    if (names_list(first, before, at) && next != "access-list" && next != "address") {
      const bool is_of_a_vpn = first == "crypto" || before.ends_with("vpn-filter");
      note(next, is_of_a_vpn ? model::UserKind::crypto : model::UserKind::other);
    }
    if (at == "object-group" || at == "object")
      now().group_uses.emplace_back(std::string(next), line.place.span());
    before = at;
    at = next;
  }
}

}  // namespace aclmend::cisco_asa
