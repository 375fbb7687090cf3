#include "vendors/cisco_asa/live_list.h"

#include <future>

#include "base/text.h"

namespace aclmend::cisco_asa {

namespace {

// What `show access-list` says behind an entry is none of its words: "(hitcnt=812) 0x5c1e2f30".
std::string_view without_state(std::string_view text) {
  if (text.find("0x") == std::string_view::npos && text.find('(') == std::string_view::npos) return text;
  if (const std::size_t hits = text.find(" (hitcnt="); hits != std::string_view::npos)
    text = text.substr(0, hits);
  const std::size_t last = text.find_last_of(" \t");
  if (last != std::string_view::npos && text.substr(last + 1).starts_with("0x")) text = text.substr(0, last);
  return trimmed(text);
}

// Up to log, inactive and the time range: what stays when those are typed anew.
std::string_view without_tail(std::string_view text) {
  for (Words words(text); !words.at_end();) {
    const std::string_view word = words.next();
    if (word == "log" || word == "inactive" || word == "time-range")
      return trimmed(text.substr(0, static_cast<std::size_t>(word.data() - text.data())));
  }
  return text;
}

bool same_to_the_end(const EntryCommand& a, const EntryCommand& b) {
  if (a.meaning.is_doubtful || b.meaning.is_doubtful) return a.text == b.text;
  return same_tail(a.ace, b.ace);
}

}  // namespace

EntryCommand entry_command(std::string_view text, const Configuration& configuration, ListFamily family) {
  EntryCommand command;
  Words words(text);
  command.is_removal = words.accept("no");
  words.accept("ipv6");
  words.next();  // access-list
  words.next();  // its name
  if (words.accept("line")) command.line = parse_decimal<std::uint32_t>(words.next()).value_or(0);
  command.text = words.rest();
  command.is_remark = words.accept("remark");
  if (command.is_remark) {
    command.text = words.rest();
    return command;
  }
  words.accept("extended");
  command.text = without_state(words.rest());
  if (auto plain = plain_ace(command.text, configuration)) command.ace = *plain;
  else command.ace = parse_ace(words, configuration);
  command.meaning = meaning_of(command.ace, command.text, configuration, family);
  if (command.meaning.is_doubtful) command.meaning.text = without_tail(command.text);
  return command;
}

LiveList::LiveList(const AccessList& list, const Configuration& configuration,
                   std::span<const SourcePtr> sources, std::size_t commands)
    : configuration_(configuration),
      sources_(sources),
      family_(list.is_ipv6 ? ListFamily::ipv6 : ListFamily::of_the_version),
      table_(list.entries.size() + commands) {
  start(list);
}

// The entries of a listing are commands as well: each is put at the end.
void LiveList::start(const AccessList& list) {
  items_.reserve(list.entries.size());
  const std::vector<std::uint64_t> hashes = list.is_shown || list.has_commands
                                                ? std::vector<std::uint64_t>(list.entries.size())
                                                : plain_hashes(list);
  std::uint32_t shown = 0;
  for (std::size_t i = 0; i < list.entries.size(); ++i) {
    const Entry& entry = list.entries[i];
    if (entry.kind == EntryKind::child) {
      if (items_.empty()) continue;
      if (items_.back().children++ == 0)
        items_.back().children_begin = static_cast<std::uint32_t>(children_.size());
      children_.push_back(entry);
      continue;
    }
    if (list.is_shown && !list.is_renumbered) {
      std::string scratch;
      const EntryCommand command = command_of(entry.place, scratch);
      has_gaps_ |= command.line != 0 && command.line != ++shown;
    }
    constexpr std::size_t ahead = 8;  // so that cache misses overlap
    if (i + ahead < hashes.size()) table_.prefetch(hashes[i + ahead]);
    if (hashes[i] == 0 || !start_plain(list, entry, hashes[i]))
      enact(entry, list.has_commands ? Placing::as_typed : Placing::at_the_end);
  }
}

// The short way of nearly all lines of a long listing: "access-list NAME extended …", every word understood.
std::optional<Meaning> LiveList::plain_meaning(const AccessList& list, const Entry& entry) const {
  constexpr std::string_view command = "access-list ", type = " extended ";
  if (entry.kind != EntryKind::ace || entry.place.is_glued) return std::nullopt;
  std::string_view text = sources_[entry.place.source]->text(entry.place.span());
  if (!text.starts_with(command)) return std::nullopt;
  text.remove_prefix(command.size());
  if (!text.starts_with(list.name) || !text.substr(list.name.size()).starts_with(type)) return std::nullopt;
  const auto ace = plain_ace(text.substr(list.name.size() + type.size()), configuration_);
  if (!ace) return std::nullopt;
  Meaning meaning = meaning_of(*ace, {}, configuration_, family_);
  if (meaning.is_doubtful) return std::nullopt;
  return meaning;
}

// The hashes of what the entries mean, 0 where an entry is not plain; of a long list two halves at once.
std::vector<std::uint64_t> LiveList::plain_hashes(const AccessList& list) const {
  constexpr std::size_t is_long = 10'000;
  std::vector<std::uint64_t> hashes(list.entries.size());
  const auto fill = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i)
      if (const auto meaning = plain_meaning(list, list.entries[i])) hashes[i] = hash_of(*meaning);
  };
  const std::size_t half = hashes.size() < is_long ? hashes.size() : hashes.size() / 2;
  std::future<void> rest;
  if (half < hashes.size()) rest = std::async(std::launch::async, fill, half, hashes.size());
  fill(0, half);
  if (rest.valid()) rest.get();
  return hashes;
}

// Puts the entry at the end, unless it is there.
bool LiveList::start_plain(const AccessList& list, const Entry& entry, std::uint64_t hash) {
  std::uint32_t& known = table_.place_of(hash, [&](std::uint32_t id) {
    std::string scratch;
    return same(command_of(items_[id].entry.place, scratch).meaning, *plain_meaning(list, entry));
  });
  if (known != 0) return false;
  const auto id = static_cast<std::uint32_t>(items_.size());
  known = id + 1;
  ++rules_;
  items_.push_back({entry, 0, 0, false});
  order_.append(id);
  return true;
}

EntryCommand LiveList::command_of(const Statement& place, std::string& scratch) const {
  return entry_command(text_of(place, sources_[place.source]->text(), scratch), configuration_, family_);
}

std::uint32_t& LiveList::place_in_table(const Meaning& meaning) {
  return table_.place_of(hash_of(meaning), [&](std::uint32_t id) {
    if (items_[id].is_gone) return false;
    std::string scratch;
    return same(command_of(items_[id].entry.place, scratch).meaning, meaning);
  });
}

std::optional<std::uint32_t> LiveList::find_remark(const EntryCommand& command) {
  const auto is_it = [&](std::uint32_t id) {
    std::string scratch;
    const EntryCommand its = command_of(items_[id].entry.place, scratch);
    return its.is_remark && its.text == command.text;
  };
  if (command.line > 0 && command.line <= order_.size())
    if (const std::uint32_t id = order_.at(command.line - 1); is_it(id)) return id;
  std::optional<std::uint32_t> found;
  order_.each([&](std::uint32_t id) {
    if (!found && items_[id].entry.kind == EntryKind::remark && is_it(id)) found = id;
  });
  return found;
}

std::optional<std::uint32_t> LiveList::find(const EntryCommand& command) {
  if (command.is_remark) return find_remark(command);
  const std::uint32_t known = place_in_table(command.meaning);
  if (known == 0) return std::nullopt;
  return known - 1;
}

Enacted LiveList::enact(const Entry& entry, Placing placing) {
  using enum Enacted::What;
  std::string scratch, other;
  const EntryCommand command = command_of(entry.place, scratch);
  if (command.is_removal) {
    const auto found = find(command);
    if (!found) return {absent, 0, std::nullopt};
    Item& item = items_[*found];
    const Enacted its{removed, number_of(*found), item.entry.place};
    if (command.line != 0 && command.line != its.number) return {elsewhere, its.number, its.before};
    if (!command.is_remark && !same_to_the_end(command_of(item.entry.place, other), command))
      return {differs, its.number, its.before};
    item.is_gone = true;
    if (!command.is_remark) --rules_;
    order_.erase(*found);
    return its;
  }
  const auto id = static_cast<std::uint32_t>(items_.size());
  if (!command.is_remark) {
    std::uint32_t& known = place_in_table(command.meaning);
    if (known != 0) {
      Item& item = items_[known - 1];
      const bool is_unchanged = same_to_the_end(command_of(item.entry.place, other), command);
      const Enacted its{is_unchanged ? unchanged : changed, number_of(known - 1), item.entry.place};
      if (!is_unchanged) item.entry = entry, item.children = 0;
      return its;
    }
    known = id + 1;
    ++rules_;
  }
  items_.push_back({entry, 0, 0, false});
  const bool is_at_end = placing == Placing::at_the_end || command.line == 0 || command.line > order_.size();
  if (is_at_end) order_.append(id);
  else order_.insert(command.line - 1, id);
  return {added, is_at_end ? order_.size() : command.line, std::nullopt};
}

std::vector<Entry> LiveList::entries() const {
  std::vector<Entry> entries;
  entries.reserve(items_.size() + children_.size());
  order_.each([&](std::uint32_t id) {
    const Item& item = items_[id];
    entries.push_back(item.entry);
    const auto first = children_.begin() + item.children_begin;
    entries.insert(entries.end(), first, first + item.children);
  });
  return entries;
}

}  // namespace aclmend::cisco_asa
