// Access lists → rule lists. A listing is taken entry by entry; a script's entries are commands: `line N`
// puts an entry before another, the same entry again changes the one that is there, `no` takes one out.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "vendors/cisco_asa/lowering.h"
#include "vendors/cisco_asa/meaning.h"
#include "vendors/cisco_asa/order.h"

namespace aclmend::cisco_asa {
namespace {

using model::Action;
using model::ConditionIds;
using model::ConditionKind;
using model::Rule;

// What an entry permits or denies, without what it hangs on.
std::uint64_t hash_of(const Rule& rule) {
  const auto mix = [](std::uint64_t hash, std::uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL;
    return hash ^ (hash >> 29);
  };
  const auto address = [](model::AddressTerm term) {
    return std::uint64_t{static_cast<std::uint8_t>(term.kind)} << 40 | std::uint64_t{term.length} << 32 |
           term.value;
  };
  const model::ServiceTerm& service = rule.service;
  std::uint64_t hash = mix(1, address(rule.source));
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

class ListMaker {
 public:
  ListMaker(Lowering& lowering, AddressBook& addresses, ServiceBook& services)
      : lowering_(lowering), addresses_(addresses), services_(services) {}
  model::RuleList make(const AccessList& list, bool is_bound);

 private:
  struct Lowered {
    Rule rule;
    std::uint32_t line_word = 0;  // `line N`: N, else 0
  };
  void listing(const AccessList& list, model::RuleList& out);
  void commands(const AccessList& list, model::RuleList& out);
  void shown(const AccessList& list, model::RuleList& out);
  struct Lasting {
    ConditionIds conditions;
    std::uint64_t hash = 0;
    bool is_doubtful = false;
  };
  const Lasting& lasting(std::uint32_t qualifier);
  std::uint64_t meaning_of(const Rule& rule);
  bool is_same_entry(const Rule& a, const Rule& b);
  bool is_doubtful(const Rule& rule);
  void merge_repeated(std::vector<Rule>& rules);
  std::string_view behind_name(const Entry& entry);
  Words words_of(const Entry& entry);
  std::uint32_t take_line_number(Words& words) const;
  Rule rule_of(const Ace& ace, const Statement& place, std::uint32_t number);
  Lowered lower(const Entry& entry, std::uint32_t number);
  void lower_fault(Lowered& out, const Ace& ace, const Entry& entry, std::uint32_t number);
  std::uint32_t qualifier(ConditionIds conditions);
  void narrow_family(model::AddressTerm& term) const;

  Lowering& lowering_;
  AddressBook& addresses_;
  ServiceBook& services_;
  const AccessList* list_ = nullptr;
  bool is_bound_ = false;
  std::string scratch_;
  std::unordered_map<std::string, std::uint32_t> qualifiers_;
  std::vector<Lasting> lasting_;  // by qualifier
};

// What stands behind "access-list NAME ".
std::string_view ListMaker::behind_name(const Entry& entry) {
  constexpr std::string_view command = "access-list ";
  const std::string_view text = text_of(entry.place, lowering_.text(entry.place.source), scratch_);
  if (text.starts_with(command) && text.substr(command.size()).starts_with(list_->name)) {
    const std::string_view rest = text.substr(command.size() + list_->name.size());
    if (rest.starts_with(' ')) return rest.substr(1);
  }
  Words words(text);
  words.accept("no");
  words.accept("ipv6");
  words.next();  // access-list
  words.next();  // its name
  return words.rest();
}

Words ListMaker::words_of(const Entry& entry) { return Words(behind_name(entry)); }

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

// What an entry says, as far as its words were understood.
Rule ListMaker::rule_of(const Ace& ace, const Statement& place, std::uint32_t number) {
  Rule rule;
  rule.span = place.span();
  rule.number = number;
  rule.action = ace.is_permit ? Action::accept : Action::deny;  // the next stage must permit as well
  rule.enabled = !ace.is_inactive;
  if (ace.reach >= Ace::Reach::source) rule.source = addresses_.term(ace.source, place);
  if (ace.reach >= Ace::Reach::destination) rule.destination = addresses_.term(ace.destination, place);
  if (ace.reach == Ace::Reach::all) rule.service = services_.term(ace, place);
  else if (ace.reach >= Ace::Reach::protocol && ace.protocol == Ace::Protocol::number)
    rule.service = model::ServiceTerm::of(ace.number);
  narrow_family(rule.source);
  narrow_family(rule.destination);
  return rule;
}

ListMaker::Lowered ListMaker::lower(const Entry& entry, std::uint32_t number) {
  constexpr std::string_view extended = "extended ";
  const Statement& place = entry.place;
  const std::string_view text = behind_name(entry);
  if (text.starts_with(extended))
    if (const auto plain = plain_ace(text.substr(extended.size()), lowering_.from))
      return {rule_of(*plain, place, number), 0};
  Words words(text);
  Lowered out;
  out.line_word = take_line_number(words);
  words.accept("extended");
  Ace ace = parse_ace(words, lowering_.from);
  // Where a line was pieced together and makes no sense, none of its words is sure.
  if (place.is_glued && !ace.fault.empty()) ace.reach = std::min(ace.reach, Ace::Reach::action);
  out.rule = rule_of(ace, place, number);
  Rule& rule = out.rule;
  ConditionIds conditions;
  const auto hangs_on = [&](ConditionKind kind, std::string_view name) {
    if (name.empty()) return;
    conditions = model::united(conditions, {lowering_.policy.condition(kind, name, place.span())});
  };
  hangs_on(ConditionKind::user, ace.user);
  hangs_on(ConditionKind::security_group, ace.source_tag);
  hangs_on(ConditionKind::security_group, ace.destination_tag);
  hangs_on(ConditionKind::time_range, ace.time_range);
  if (!ace.fault.empty()) {
    lower_fault(out, ace, entry, number);
    if (rule.action != Action::unknown) {
      if (!ace.undefined_group.empty())
        hangs_on(ConditionKind::undefined, fmt::format("object-group {}", ace.undefined_group));
      else hangs_on(ConditionKind::not_understood, fmt::format("{} line {}", list_->name, number));
    }
  }
  if (!conditions.empty()) rule.qualifier = qualifier(std::move(conditions));
  if (!ace.odd_octet.empty() || !ace.unpaired.empty())
    say_doubts(lowering_, ace.odd_octet, ace.unpaired, place);
  if (!ace.odd_log.empty())
    lowering_.account.say(Severity::warning, lowering_.span_of(ace.odd_log, place),
                          fmt::format("'{}' is not known after log; it cannot change what the entry matches",
                                      printable(ace.odd_log)),
                          Effect::none);
  return out;
}

void ListMaker::lower_fault(Lowered& out, const Ace& ace, const Entry& entry, std::uint32_t number) {
  if (ace.reach == Ace::Reach::nothing) {  // neither permit nor deny: it may do either, or nothing
    out.rule.action = Action::unknown;
    out.rule.target = lowering_.policy.condition(
        ConditionKind::not_understood, fmt::format("{} line {}", list_->name, number), entry.place.span());
  }
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
    if (entry.kind != EntryKind::remark) out.rules.push_back(lower(entry, number).rule);
  }
}

// What of a qualifier stays when its time range is taken away. What is not understood is like nothing else.
const ListMaker::Lasting& ListMaker::lasting(std::uint32_t qualifier) {
  while (lasting_.size() <= qualifier) {
    Lasting its;
    its.conditions = lowering_.policy.qualifiers[lasting_.size()].conditions;
    std::erase_if(its.conditions,
                  [&](auto id) { return lowering_.policy.conditions[id].kind == ConditionKind::time_range; });
    for (const model::ConditionId id : its.conditions) {
      const ConditionKind kind = lowering_.policy.conditions[id].kind;
      its.is_doubtful |= kind == ConditionKind::not_understood || kind == ConditionKind::undefined;
      its.hash = its.hash * 31 + id + 1;
    }
    lasting_.push_back(std::move(its));
  }
  return lasting_[qualifier];
}

std::uint64_t ListMaker::meaning_of(const Rule& rule) {
  const std::uint64_t hash = hash_of(rule);
  return rule.qualifier == 0 ? hash : hash ^ (lasting(rule.qualifier).hash * 0x9E3779B97F4A7C15ULL);
}

// The same but for log, inactive and the time range.
bool ListMaker::is_same_entry(const Rule& a, const Rule& b) {
  return same_meaning(a, b) &&
         (a.qualifier == b.qualifier || lasting(a.qualifier).conditions == lasting(b.qualifier).conditions);
}

bool ListMaker::is_doubtful(const Rule& rule) {
  return rule.action == Action::unknown || (rule.qualifier != 0 && lasting(rule.qualifier).is_doubtful);
}

// A device never holds an entry twice: in a script the later one changes the one that is there. Entries are
// looked up ahead of time, so that the cache misses overlap.
void ListMaker::merge_repeated(std::vector<Rule>& rules) {
  if (rules.size() < 2) return;
  MeaningTable table(rules.size());
  std::vector<std::uint32_t> repeated;
  constexpr std::size_t ahead = 16;
  std::uint64_t hashes[ahead] = {};
  for (std::size_t i = 0; i < rules.size() + ahead; ++i) {
    if (i >= ahead) {
      const auto its = static_cast<std::uint32_t>(i - ahead);
      std::uint32_t& known = table.place_of(
          hashes[i % ahead], [&](std::uint32_t id) { return is_same_entry(rules[id], rules[its]); });
      if (is_doubtful(rules[its])) {
        // like nothing else
      } else if (known == 0) {
        known = its + 1;
      } else {
        Rule& first = rules[known - 1];
        if (first.enabled != rules[its].enabled || first.qualifier != rules[its].qualifier) {
          const std::uint32_t number = first.number;
          first = rules[its];
          first.number = number;
        }
        repeated.push_back(its);
      }
    }
    if (i < rules.size()) {
      hashes[i % ahead] = meaning_of(rules[i]);
      table.prefetch(hashes[i % ahead]);
    }
  }
  if (repeated.empty()) return;
  std::size_t kept = repeated.front(), next = 0;
  for (std::size_t i = kept; i < rules.size(); ++i) {
    if (next < repeated.size() && repeated[next] == i) {
      ++next;
      continue;
    }
    rules[kept] = rules[i];
    rules[kept++].number -= static_cast<std::uint32_t>(next);
  }
  rules.resize(kept);
}

// ---- commands -----------------------------------------------------------------------------------------

void ListMaker::commands(const AccessList& list, model::RuleList& out) {
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
    const auto [begin, end] = by_meaning.equal_range(meaning_of(wanted.rule));
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
    Lowered lowered = lower(entry, number);
    const auto known = is_doubtful(lowered.rule) ? std::nullopt : find(lowered);
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
    if (!is_doubtful(lowered.rule)) by_meaning.emplace(meaning_of(lowered.rule), id);
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
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < list.entries.size();) {
    const Entry& parent = list.entries[i];
    std::size_t end = i + 1;
    while (end < list.entries.size() && list.entries[end].kind == EntryKind::child) ++end;
    Words words = words_of(parent);
    const std::uint32_t line_word = take_line_number(words);
    const std::uint32_t number = list.is_renumbered ? ++count : line_word;
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
        out.rules.push_back(lower(parent, number).rule);
      } else {
        for (std::size_t child = i + 1; child < end; ++child)
          out.rules.push_back(lower(list.entries[child], number).rule);
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
    commands(list, out);
  } else {
    listing(list, out);
    merge_repeated(out.rules);
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
  for (const Binding& binding : from.bindings)  // who may reach the device itself is no matter of ours
    if (binding.kind == BindingKind::control_plane)
      uses[binding.list].push_back({model::UserKind::other, binding.place.span()});
  const auto add_users = [&](const Rule& rule, const model::User& user) {
    addresses.add_user(rule.source, user);
    addresses.add_user(rule.destination, user);
    services.add_user(rule.service, user);
  };
  lowered.ids.resize(from.lists.size(), no_list_id);
  // Without any binding in a part of a configuration every list may filter.
  const bool may_filter = from.bindings.empty() && (from.header.version.empty() || from.is_cut_off);
  const auto lower = [&](std::size_t index, bool is_bound) {
    const AccessList& list = from.lists[index];
    if (list.type != ListType::extended || list.entries.empty() || bound.contains(list.name) != is_bound)
      return;
    const auto id = static_cast<model::ListId>(policy.lists.size());
    lowered.ids[index] = id;
    lowering.effect = is_bound || may_filter ? Effect::unknown : Effect::none;
    policy.lists.push_back(maker.make(list, is_bound || may_filter));
    policy.lists.back().is_attached = is_bound;
    for (const Rule& rule : policy.lists.back().rules)
      add_users(rule, {model::UserKind::filter_rule, rule.span, id});
    if (const auto its = uses.find(list.name); its != uses.end())
      for (const ListUse& use : its->second)
        for (const Rule& rule : policy.lists.back().rules) add_users(rule, {use.kind, use.span, id});
    if (!is_bound && !may_filter)
      for (const Entry& entry : list.entries) {
        std::vector<LineState>& lines = lowering.account.ledgers[entry.place.source].lines;
        LineState& state = lines[entry.place.line - 1];
        if (state == LineState::decides) state = LineState::no_effect;
      }
  };
  // Those that are bound first: what is missing is told where it matters.
  for (std::size_t i = 0; i < from.lists.size(); ++i) lower(i, true);
  for (std::size_t i = 0; i < from.lists.size(); ++i) lower(i, false);
  lowering.effect = Effect::unknown;
  return lowered;
}

}  // namespace aclmend::cisco_asa
