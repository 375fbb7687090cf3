// Access lists → rule lists. A listing is taken entry by entry; a script's entries are commands: `line N`
// puts an entry before another, the same entry again changes the one that is there, `no` takes one out.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "vendors/cisco_asa/lowering.h"

namespace aclmend::cisco_asa {
namespace {

using model::Action;
using model::ConditionIds;
using model::ConditionKind;
using model::Rule;

enum class Tell : std::uint8_t { yes, no };  // an entry may be read twice; it is talked about once

// What makes two entries the same to the device: all but log, inactive and the time range.
std::uint64_t meaning_of(const Rule& rule, std::uint64_t who) {
  const auto mix = [](std::uint64_t hash, std::uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL;
    return hash ^ (hash >> 29);
  };
  const auto address = [](model::AddressTerm term) {
    return std::uint64_t{static_cast<std::uint8_t>(term.kind)} << 40 | std::uint64_t{term.length} << 32 |
           term.value;
  };
  const model::ServiceTerm& service = rule.service;
  std::uint64_t hash = mix(who + 1, address(rule.source));
  hash = mix(hash, address(rule.destination));
  hash = mix(hash, std::uint64_t{service.source.first} << 48 | std::uint64_t{service.source.last} << 32 |
                       std::uint64_t{service.destination.first} << 16 | service.destination.last);
  return mix(hash, std::uint64_t{static_cast<std::uint8_t>(service.kind)} << 48 |
                       std::uint64_t{service.protocol} << 40 |
                       std::uint64_t{static_cast<std::uint8_t>(rule.action)} << 32 | service.group_id);
}

bool same_meaning(const Rule& a, const Rule& b) {
  return a.action == b.action && a.source == b.source && a.destination == b.destination &&
         a.service == b.service;
}

// An ordered list of entry ids that takes an insertion anywhere without moving all that follows.
class Order {
 public:
  void insert(std::uint32_t at, std::uint32_t id) {
    std::uint32_t block = first_;
    while (at > blocks_[block].ids.size() && blocks_[block].next != none)
      at -= static_cast<std::uint32_t>(blocks_[block].ids.size()), block = blocks_[block].next;
    std::vector<std::uint32_t>& ids = blocks_[block].ids;
    ids.insert(ids.begin() + std::min<std::ptrdiff_t>(at, std::ssize(ids)), id);
    if (block_of_.size() <= id) block_of_.resize(id + 1);
    block_of_[id] = block;
    ++size_;
    if (ids.size() > largest) split(block);
  }
  void erase(std::uint32_t id) {
    std::erase(blocks_[block_of_[id]].ids, id);
    --size_;
  }
  std::uint32_t size() const { return size_; }
  template <class Visit>
  void each(Visit visit) const {
    for (std::uint32_t block = first_; block != none; block = blocks_[block].next)
      for (const std::uint32_t id : blocks_[block].ids) visit(id);
  }

 private:
  static constexpr std::size_t largest = 1024;
  static constexpr std::uint32_t none = 0xFFFFFFFF;
  struct Block {
    std::vector<std::uint32_t> ids;
    std::uint32_t next = none;
  };
  void split(std::uint32_t block) {
    Block half;
    std::vector<std::uint32_t>& ids = blocks_[block].ids;
    half.ids.assign(ids.begin() + largest / 2, ids.end());
    ids.resize(largest / 2);
    half.next = blocks_[block].next;
    const auto index = static_cast<std::uint32_t>(blocks_.size());
    for (const std::uint32_t id : half.ids) block_of_[id] = index;
    blocks_[block].next = index;
    blocks_.push_back(std::move(half));
  }
  std::vector<Block> blocks_{1};
  std::vector<std::uint32_t> block_of_;
  std::uint32_t first_ = 0, size_ = 0;
};

class ListMaker {
 public:
  ListMaker(Lowering& lowering, AddressBook& addresses, ServiceBook& services)
      : lowering_(lowering), addresses_(addresses), services_(services) {}
  model::RuleList make(const AccessList& list, bool is_bound);

 private:
  struct Lowered {
    Rule rule;
    std::uint64_t who = 0;        // users and tags, for meaning_of
    std::uint32_t line_word = 0;  // `line N`: N, else 0
    bool is_dubious = false;      // something of it is not understood or not defined
  };
  void listing(const AccessList& list, model::RuleList& out);
  void commands(const AccessList& list, model::RuleList& out, Tell tell);
  void shown(const AccessList& list, model::RuleList& out);
  bool has_duplicates(const std::vector<Rule>& rules) const;
  Words words_of(const Entry& entry);
  std::uint32_t take_line_number(Words& words) const;
  Lowered lower(const Entry& entry, std::uint32_t number, Tell tell);
  void lower_fault(Lowered& out, const Ace& ace, const Entry& entry, std::uint32_t number, Tell tell);
  std::uint32_t qualifier(ConditionIds conditions);
  void narrow_family(model::AddressTerm& term) const;

  Lowering& lowering_;
  AddressBook& addresses_;
  ServiceBook& services_;
  const AccessList* list_ = nullptr;
  bool is_bound_ = false;
  std::string scratch_;
  std::unordered_map<std::string, std::uint32_t> qualifiers_;
};

Words ListMaker::words_of(const Entry& entry) {
  Words words(text_of(entry.place, lowering_.text(entry.place.source), scratch_));
  words.accept("no");
  words.accept("ipv6");
  words.next();  // access-list
  words.next();  // its name
  return words;
}

std::uint32_t ListMaker::take_line_number(Words& words) const {
  if (words.peek() != "line") return 0;
  words.next();
  return parse_decimal<std::uint32_t>(words.next()).value_or(0);
}

std::uint32_t ListMaker::qualifier(ConditionIds conditions) {
  if (conditions.empty()) return 0;
  std::string key;
  for (const model::ConditionId id : conditions) key += fmt::format("{},", id);
  const auto [found, is_new] =
      qualifiers_.try_emplace(key, static_cast<std::uint32_t>(lowering_.policy.qualifiers.size()));
  if (is_new) {
    model::Qualifier its;
    its.conditions = std::move(conditions);
    lowering_.policy.qualifiers.push_back(std::move(its));
  }
  return found->second;
}

// `any` of an `ipv6 access-list` is all of IPv6.
void ListMaker::narrow_family(model::AddressTerm& term) const {
  using Kind = model::AddressTerm::Kind;
  if (list_->is_ipv6 && (term.kind == Kind::any || term.kind == Kind::any4))
    term = model::AddressTerm::any6();
}

ListMaker::Lowered ListMaker::lower(const Entry& entry, std::uint32_t number, Tell tell) {
  Words words = words_of(entry);
  Lowered out;
  out.line_word = take_line_number(words);
  words.accept("extended");
  const Ace ace = parse_ace(words, lowering_.from);
  Rule& rule = out.rule;
  rule.span = entry.place.span();
  rule.number = number;
  rule.action = ace.is_permit ? Action::accept : Action::deny;  // the next stage must permit as well
  rule.enabled = !ace.is_inactive;
  const Statement& place = entry.place;
  if (ace.reach >= Ace::Reach::source) rule.source = addresses_.term(ace.source, place);
  if (ace.reach >= Ace::Reach::destination) rule.destination = addresses_.term(ace.destination, place);
  if (ace.reach == Ace::Reach::all) rule.service = services_.term(ace, place);
  else if (ace.reach >= Ace::Reach::protocol && ace.protocol == Ace::Protocol::number)
    rule.service = model::ServiceTerm::of(ace.number);
  narrow_family(rule.source);
  narrow_family(rule.destination);
  ConditionIds conditions;
  const auto hangs_on = [&](ConditionKind kind, std::string_view name) {
    if (name.empty()) return;
    conditions = model::united(conditions, {lowering_.policy.condition(kind, name, place.span())});
  };
  hangs_on(ConditionKind::user, ace.user);
  hangs_on(ConditionKind::security_group, ace.source_tag);
  hangs_on(ConditionKind::security_group, ace.destination_tag);
  for (const model::ConditionId id : conditions) out.who = out.who * 31 + id + 1;
  hangs_on(ConditionKind::time_range, ace.time_range);
  if (!ace.fault.empty()) {
    lower_fault(out, ace, entry, number, tell);
    if (rule.action != Action::unknown) {
      if (!ace.undefined_group.empty())
        hangs_on(ConditionKind::undefined, fmt::format("object-group {}", ace.undefined_group));
      else hangs_on(ConditionKind::not_understood, fmt::format("{} line {}", list_->name, number));
    }
  }
  if (!conditions.empty()) rule.qualifier = qualifier(std::move(conditions));
  if (tell == Tell::yes && !ace.odd_octet.empty())
    lowering_.account.say(Severity::warning, lowering_.span_of(ace.odd_octet, place),
                          "an octet with a leading zero, read as decimal", Effect::none);
  if (tell == Tell::yes && !ace.odd_log.empty())
    lowering_.account.say(Severity::warning, lowering_.span_of(ace.odd_log, place),
                          fmt::format("'{}' is not known after log; it cannot change what the entry matches",
                                      printable(ace.odd_log)),
                          Effect::none);
  return out;
}

void ListMaker::lower_fault(Lowered& out, const Ace& ace, const Entry& entry, std::uint32_t number,
                            Tell tell) {
  out.is_dubious = true;
  if (ace.reach == Ace::Reach::nothing) {  // neither permit nor deny: it may do either, or nothing
    out.rule.action = Action::unknown;
    out.rule.target = lowering_.policy.condition(
        ConditionKind::not_understood, fmt::format("{} line {}", list_->name, number), entry.place.span());
  }
  if (tell == Tell::no) return;
  const Span span = lowering_.span_of(ace.fault_word, entry.place);
  if (is_bound_ && ace.undefined_group.empty())
    lowering_.account.not_understood(entry.place, span, ace.fault);
  else lowering_.account.say(Severity::warning, span, ace.fault, is_bound_ ? Effect::unknown : Effect::none);
  lowering_.account.set(
      entry.place, ace.undefined_group.empty() ? LineState::not_understood : LineState::partly_understood);
}

// ---- a listing ----------------------------------------------------------------------------------------

void ListMaker::listing(const AccessList& list, model::RuleList& out) {
  out.rules.reserve(static_cast<std::size_t>(std::ranges::count_if(
      list.entries, [](const Entry& entry) { return entry.kind != EntryKind::remark; })));
  std::uint32_t number = 0;
  for (const Entry& entry : list.entries) {
    ++number;
    if (entry.kind != EntryKind::remark) out.rules.push_back(lower(entry, number, Tell::yes).rule);
  }
}

// A device never lists an entry twice; a script may. Looked up ahead of time, so that the misses overlap.
bool ListMaker::has_duplicates(const std::vector<Rule>& rules) const {
  if (rules.size() < 2) return false;
  const std::size_t slots = std::bit_ceil(rules.size() * 2);
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t index = 0;  // + 1; 0: free
  };
  std::vector<Slot> table(slots);
  constexpr std::size_t ahead = 8;
  std::uint64_t hashes[ahead] = {};
  for (std::size_t i = 0; i < rules.size() + ahead; ++i) {
    if (i >= ahead) {
      const std::size_t its = i - ahead;
      const std::uint64_t hash = hashes[i % ahead];
      const auto tag = static_cast<std::uint32_t>(hash >> 32);
      std::size_t at = hash & (slots - 1);
      for (; table[at].index != 0; at = (at + 1) & (slots - 1))
        if (table[at].tag == tag && same_meaning(rules[table[at].index - 1], rules[its])) return true;
      table[at] = {tag, static_cast<std::uint32_t>(its + 1)};
    }
    if (i < rules.size()) {
      hashes[i % ahead] = meaning_of(rules[i], 0);
      __builtin_prefetch(&table[hashes[i % ahead] & (slots - 1)], 1);
    }
  }
  return false;
}

// ---- commands -----------------------------------------------------------------------------------------

void ListMaker::commands(const AccessList& list, model::RuleList& out, Tell tell) {
  struct Item {
    Lowered lowered;
    bool is_remark = false;
    bool is_gone = false;
  };
  std::vector<Item> items;
  Order order;
  std::unordered_multimap<std::uint64_t, std::uint32_t> by_meaning;
  std::unordered_multimap<std::string, std::uint32_t> remarks;
  const auto find = [&](const Lowered& wanted) -> std::optional<std::uint32_t> {
    const auto [begin, end] = by_meaning.equal_range(meaning_of(wanted.rule, wanted.who));
    for (auto it = begin; it != end; ++it)
      if (!items[it->second].is_gone && same_meaning(items[it->second].lowered.rule, wanted.rule))
        return it->second;
    return std::nullopt;
  };
  for (const Entry& entry : list.entries) {
    Words words = words_of(entry);
    std::uint32_t line = take_line_number(words);
    const bool is_removal = entry.kind == EntryKind::removal;
    if (words.peek() == "remark") {
      const std::string text(words.rest());
      if (is_removal) {
        const auto found = remarks.find(text);
        if (found != remarks.end()) order.erase(found->second), remarks.erase(found);
        continue;
      }
      const auto id = static_cast<std::uint32_t>(items.size());
      items.push_back({{}, true, false});
      remarks.emplace(text, id);
      order.insert(line == 0 ? order.size() : line - 1, id);
      continue;
    }
    const std::uint32_t number = line == 0 ? order.size() + 1 : line;
    Lowered lowered = lower(entry, number, tell);
    const auto known = lowered.is_dubious ? std::nullopt : find(lowered);
    if (is_removal) {
      if (known) {
        items[*known].is_gone = true;
        order.erase(*known);
      } else {
        lowering_.account.say(Severity::warning, entry.place.span(),
                              fmt::format("list '{}' has no such entry to remove", printable(list.name)),
                              Effect::none);
      }
      continue;
    }
    if (known) {  // the same entry: log, inactive and the time range are changed where it stands
      items[*known].lowered = lowered;
      continue;
    }
    const auto id = static_cast<std::uint32_t>(items.size());
    if (!lowered.is_dubious) by_meaning.emplace(meaning_of(lowered.rule, lowered.who), id);
    items.push_back({lowered, false, false});
    order.insert(line == 0 ? order.size() : line - 1, id);
  }
  std::uint32_t number = 0;
  order.each([&](std::uint32_t id) {
    ++number;
    if (items[id].is_remark) return;
    out.rules.push_back(items[id].lowered.rule);
    out.rules.back().number = number;
  });
}

// ---- show access-list ---------------------------------------------------------------------------------

// Either the entry as it was configured, where all its names are known, or what the device made of it.
void ListMaker::shown(const AccessList& list, model::RuleList& out) {
  for (std::size_t i = 0; i < list.entries.size();) {
    const Entry& parent = list.entries[i];
    std::size_t end = i + 1;
    while (end < list.entries.size() && list.entries[end].kind == EntryKind::child) ++end;
    Words words = words_of(parent);
    const std::uint32_t number = take_line_number(words);
    const bool has_children = end > i + 1;
    if (parent.kind != EntryKind::remark) {
      const auto knows = [&](std::string_view name) {
        return named(lowering_.from, without_id(name, lowering_.from)) != nullptr;
      };
      bool all_known = true;
      Words names = words;
      while (!names.at_end()) {
        const std::string_view word = names.next();
        if (word == "object" || word == "object-group" || word == "object-group-network-service")
          all_known &= knows(names.peek());
      }
      if (all_known || !has_children) {
        out.rules.push_back(lower(parent, number, Tell::yes).rule);
      } else {
        for (std::size_t child = i + 1; child < end; ++child)
          out.rules.push_back(lower(list.entries[child], number, Tell::yes).rule);
      }
    }
    i = end;
  }
}

model::RuleList ListMaker::make(const AccessList& list, bool is_bound) {
  list_ = &list;
  is_bound_ = is_bound;
  model::RuleList out;
  out.name = list.name;
  out.is_attached = is_bound;
  out.ends_in_deny = true;
  if (!list.entries.empty()) out.span = list.entries.front().place.span();
  if (list.is_shown) {
    shown(list, out);
  } else if (list.has_commands) {
    commands(list, out, Tell::yes);
  } else {
    listing(list, out);
    if (has_duplicates(out.rules)) {
      out.rules.clear();
      commands(list, out, Tell::no);
    }
  }
  if (list.is_cut_off) {
    Rule rest;
    rest.action = Action::unknown;
    rest.number = list.count + 1;
    rest.span = list.entries.back().place.span();
    rest.target = lowering_.policy.condition(ConditionKind::not_in_export,
                                             fmt::format("the rest of access-list {}", list.name), rest.span);
    out.rules.push_back(rest);
  }
  return out;
}

}  // namespace

LoweredLists lower_lists(Lowering& lowering, AddressBook& addresses, ServiceBook& services) {
  const Configuration& from = lowering.from;
  model::Policy& policy = lowering.policy;
  LoweredLists lowered;
  ListMaker maker(lowering, addresses, services);
  ByName<bool> bound;
  for (const Binding& binding : from.bindings)
    if (binding.kind != BindingKind::control_plane) bound[binding.list] = true;
  ByName<std::vector<ListUse>>
      uses;  // a few of each: a list is edited with all of them in mind, or not at all
  constexpr std::size_t most_uses = 4;
  for (const auto& [name, use] : from.list_uses)
    if (std::vector<ListUse>& its = uses[name]; its.size() < most_uses) its.push_back(use);
  const auto add_users = [&](const Rule& rule, const model::User& user) {
    addresses.add_user(rule.source, user);
    addresses.add_user(rule.destination, user);
    services.add_user(rule.service, user);
  };
  for (const AccessList& list : from.lists) {
    if (list.type != ListType::extended || list.entries.empty()) {
      lowered.ids.push_back(no_list_id);
      continue;
    }
    const bool is_bound = bound.contains(list.name);
    const auto id = static_cast<model::ListId>(policy.lists.size());
    lowered.ids.push_back(id);
    policy.lists.push_back(maker.make(list, is_bound));
    for (const Rule& rule : policy.lists.back().rules)
      add_users(rule, {model::UserKind::filter_rule, rule.span, id});
    if (const auto its = uses.find(list.name); its != uses.end())
      for (const ListUse& use : its->second)
        for (const Rule& rule : policy.lists.back().rules) add_users(rule, {use.kind, use.span, id});
    if (!is_bound)
      for (const Entry& entry : list.entries) {
        std::vector<LineState>& lines = lowering.account.ledgers[entry.place.source].lines;
        LineState& state = lines[entry.place.line - 1];
        if (state == LineState::decides) state = LineState::no_effect;
      }
  }
  return lowered;
}

}  // namespace aclmend::cisco_asa
