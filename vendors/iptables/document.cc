#include "vendors/iptables/document.h"

#include <algorithm>
#include <bit>
#include <utility>

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

void NameIndex::put(Slot slot) {
  std::size_t at = slot.mark & last();
  while (slots_[at].index != free) at = (at + 1) & last();
  slots_[at] = slot;
  ++taken_;
}

void NameIndex::add(std::string_view name, std::uint32_t index) {
  constexpr std::size_t fewest = 16;
  if (2 * (taken_ + 1) > slots_.size()) {
    const std::vector<Slot> before(std::exchange(slots_, {}));
    const auto is_held = [](const Slot& slot) { return slot.index < gone; };
    const auto held = static_cast<std::size_t>(std::ranges::count_if(before, is_held));
    slots_.resize(std::max(fewest, std::bit_ceil(4 * (held + 1))));
    taken_ = 0;
    for (const Slot& slot : before)
      if (is_held(slot)) put(slot);
  }
  put({mark_of(name), index});
}

void NameIndex::remove(std::string_view name, std::uint32_t index) {
  if (slots_.empty()) return;
  for (std::size_t at = mark_of(name) & last(); slots_[at].index != free; at = (at + 1) & last())
    if (slots_[at].index == index) slots_[at].index = gone;
}

const Chain* Chains::named(std::string_view name) const {
  const auto found = index_of(name);
  return found ? &chains[*found] : nullptr;
}

Chain* Chains::named(std::string_view name) {
  return const_cast<Chain*>(static_cast<const Chains*>(this)->named(name));
}

Chain& Chains::add(std::string_view name, Span where) {
  index_.add(name, static_cast<std::uint32_t>(chains.size()));
  Chain& chain = chains.emplace_back();
  chain.name = name;
  chain.span = where;
  return chain;
}

void Chains::remove(Chain& chain) {
  chain.is_removed = true;
  index_.remove(chain.name, static_cast<std::uint32_t>(&chain - chains.data()));
}

void Chains::rename(Chain& chain, std::string_view name) {
  const auto at = static_cast<std::uint32_t>(&chain - chains.data());
  index_.remove(chain.name, at);
  chain.name = name;
  index_.add(chain.name, at);
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
