// A list of addresses as an object group to paste. An ASA has no step that replaces what a group holds: the
// commands add, so the comments say how to find what should leave. ("Objects for Access Control" in the
// Firewall CLI guide: names have at most 64 characters; both families in one group from 9.0 on.)
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "vendors/cisco_asa/edit.h"

namespace aclmend::cisco_asa {
namespace {

// `?` asks for help even in a comment.
std::string typable(std::string_view text) {
  std::string typed(text);
  std::erase(typed, '?');
  return typed;
}

std::vector<std::string> head(const NamedList& list) {
  std::vector<std::string> lines;
  for (const std::string& line : list.heading) lines.push_back(typable(line));
  lines.push_back(fmt::format(
      "adds to the group {}; what it holds already stays (\"already exists\" does no harm)", list.name));
  lines.push_back(fmt::format("to see what it holds: show running-config object-group id {}", list.name));
  if (!list.addresses.v4.empty() && !list.addresses.v6.empty())
    lines.emplace_back("a group of both families needs 9.0 or later, and must not stand in a nat command");
  else if (!list.addresses.v6.empty())
    lines.emplace_back("before 9.0 an IPv6 group serves ipv6 access-list alone");
  return lines;
}

std::string write_group(const NamedList& list) {
  constexpr std::size_t longest_description = 200;
  std::string text = list.heading.empty() ? "" : comments(editing.comment, head(list));
  text += fmt::format("{}\nobject-group network {}\n", editing.begin, list.name);
  const std::string told = typable(list.description).substr(0, longest_description);
  if (const std::string_view description = trimmed(told); !description.empty())
    text += fmt::format(" description {}\n", description);
  for (const Prefix& prefix : list.addresses.prefixes())
    text += fmt::format(" network-object {}\n", address_text(prefix));
  return text + fmt::format("{}\n", editing.end);
}

}  // namespace

const ListFormat object_group_format{.id = "cisco-asa",
                                     .longest_name = longest_group_name,
                                     .most_prefixes = 0,
                                     .beyond = {},
                                     .write = write_group};

}  // namespace aclmend::cisco_asa
