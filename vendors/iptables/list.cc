// A list of addresses as a file for `ipset restore`: one set a family, since a set holds one. Each is filled
// beside the one in force and changes places with it in one step, so that rules never meet half a list; a
// run that was cut off is taken up by the next. (Measured: ipset 7.17.)
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "vendors/iptables/edit.h"
#include "vendors/iptables/ipset.h"

namespace aclmend::iptables {
namespace {

constexpr std::string_view family_endings[] = {"-v4", "-v6"};
constexpr std::size_t longest_ending = 3;
constexpr std::size_t usual_maxelem = 65536;

// hash:net takes no /0: two halves stand for it.
std::vector<Prefix> elements_of(const AddressSet& addresses) {
  std::vector<Prefix> elements;
  for (const Prefix& prefix : addresses.prefixes()) {
    if (prefix.length != 0) {
      elements.push_back(prefix);
      continue;
    }
    const Family family = prefix.address.family;
    elements.push_back({{family, 0}, 1});
    elements.push_back({{family, V6{1} << (address_bits(family) - 1)}, 1});
  }
  return elements;
}

// The steps of one set. Those of both families are done side by side: what ipset refuses it refuses before
// any set in force has changed.
struct Steps {
  std::string create, fill, swap, destroy;
};

Steps steps_of(std::string_view name, Family family, const AddressSet& addresses) {
  const std::string_view ending = family_endings[family == Family::ipv4 ? 0 : 1];
  const std::string live = fmt::format("{}{}", name, ending);
  const std::string next = fmt::format("{}.{}", name, ending.substr(1));  // no name of a list has a '.'
  const std::vector<Prefix> elements = elements_of(addresses);
  const std::size_t maxelem = std::max(usual_maxelem, std::bit_ceil(elements.size()));
  Steps steps;
  for (const std::string& set : {live, next})
    steps.create += fmt::format("create {} hash:net family {} maxelem {} -exist\n", set,
                                family == Family::ipv4 ? "inet" : "inet6", maxelem);
  steps.fill = fmt::format("flush {}\n", next);
  for (const Prefix& prefix : elements) steps.fill += fmt::format("add {} {}\n", next, to_string(prefix));
  steps.swap = fmt::format("swap {} {}\n", next, live);
  steps.destroy = fmt::format("destroy {}\n", next);
  return steps;
}

std::string write_restore(const NamedList& list) {
  std::vector<std::string> head = list.heading;
  if (!head.empty())
    head.push_back(fmt::format("load it with: ipset restore < THIS; a rule names a set: --match-set {}{}",
                               list.name, family_endings[list.addresses.v4.empty() ? 1 : 0]));
  std::vector<Steps> sets;
  if (!list.addresses.v4.empty()) sets.push_back(steps_of(list.name, Family::ipv4, {list.addresses.v4, {}}));
  if (!list.addresses.v6.empty()) sets.push_back(steps_of(list.name, Family::ipv6, {{}, list.addresses.v6}));
  std::string text = comments(editing.comment, head);
  for (const auto step : {&Steps::create, &Steps::fill, &Steps::swap, &Steps::destroy})
    for (const Steps& set : sets) text += set.*step;
  return text;
}

}  // namespace

const ListFormat restore_format{.id = "ipset",
                                .longest_name = longest_set_name - longest_ending,
                                .most_prefixes = most_elements,
                                .beyond = "a set of ours holds no more",
                                .write = write_restore};

}  // namespace aclmend::iptables
