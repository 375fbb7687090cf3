#include "vendors/iptables/document.h"

#include <algorithm>

namespace aclmend::iptables {

std::string_view to_string(Table table) {
  switch (table) {
    case Table::raw: return "raw";
    case Table::mangle: return "mangle";
    case Table::nat: return "nat";
    case Table::filter: return "filter";
    case Table::security: return "security";
  }
  return "";
}

std::string_view to_string(Hook hook) {
  switch (hook) {
    case Hook::prerouting: return "PREROUTING";
    case Hook::input: return "INPUT";
    case Hook::forward: return "FORWARD";
    case Hook::output: return "OUTPUT";
    case Hook::postrouting: return "POSTROUTING";
  }
  return "";
}

std::optional<Table> table_named(std::string_view name) {
  const auto found = std::ranges::find(all_tables, name, [](Table one) { return to_string(one); });
  return found == all_tables.end() ? std::nullopt : std::optional(*found);
}

std::optional<Hook> hook_named(std::string_view chain) {
  constexpr std::size_t longest = std::string_view("POSTROUTING").size();
  if (chain.size() > longest) return std::nullopt;
  const auto found = std::ranges::find(all_hooks, chain, [](Hook one) { return to_string(one); });
  return found == all_hooks.end() ? std::nullopt : std::optional(*found);
}

bool has_hook(Table table, Hook hook) {
  switch (table) {
    case Table::raw: return hook == Hook::prerouting || hook == Hook::output;
    case Table::mangle: return true;
    case Table::nat: return hook != Hook::forward;
    case Table::filter:
    case Table::security: return hook == Hook::input || hook == Hook::forward || hook == Hook::output;
  }
  return false;
}

const Chain* Chains::named(std::string_view name) const {
  const auto found = index.find(name);
  return found == index.end() ? nullptr : &chains[found->second];
}

Chain* Chains::named(std::string_view name) {
  return const_cast<Chain*>(static_cast<const Chains*>(this)->named(name));
}

bool Half::is_there() const {
  return std::ranges::any_of(tables, [](const auto& table) { return table.has_value(); });
}

std::string list_name(Table table, std::string_view chain, std::string_view prefix) {
  std::string name;
  const std::string_view table_name = table == Table::filter ? std::string_view() : to_string(table);
  name.reserve(prefix.size() + table_name.size() + 1 + chain.size());
  name.append(prefix).append(table_name);
  if (!table_name.empty()) name += ' ';
  return name.append(chain);
}

}  // namespace aclmend::iptables
