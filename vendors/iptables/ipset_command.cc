#include "vendors/iptables/ipset_command.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace aclmend::iptables {
namespace {

enum class Command : std::uint8_t { create, add, del, destroy, flush, rename, swap, no_effect };

struct Spelling {
  std::string_view word;
  Command command;
};
constexpr Spelling spellings[] = {
    {"create", Command::create},     {"new", Command::create},       {"n", Command::create},
    {"-N", Command::create},         {"--create", Command::create},  {"--new", Command::create},
    {"add", Command::add},           {"-A", Command::add},           {"--add", Command::add},
    {"del", Command::del},           {"-D", Command::del},           {"--del", Command::del},
    {"destroy", Command::destroy},   {"x", Command::destroy},        {"-X", Command::destroy},
    {"--destroy", Command::destroy}, {"flush", Command::flush},      {"f", Command::flush},
    {"-F", Command::flush},          {"--flush", Command::flush},    {"rename", Command::rename},
    {"e", Command::rename},          {"-E", Command::rename},        {"--rename", Command::rename},
    {"swap", Command::swap},         {"w", Command::swap},           {"-W", Command::swap},
    {"--swap", Command::swap},       {"COMMIT", Command::no_effect}, {"list", Command::no_effect},
    {"-L", Command::no_effect},      {"save", Command::no_effect},   {"-S", Command::no_effect},
    {"test", Command::no_effect},    {"-T", Command::no_effect},     {"help", Command::no_effect},
    {"version", Command::no_effect}, {"quit", Command::no_effect},
};

std::optional<Command> command_named(std::string_view word) {
  const auto found = std::ranges::find(spellings, word, &Spelling::word);
  return found == std::end(spellings) ? std::nullopt : std::optional(found->command);
}

bool is_program(std::string_view word) { return word == "ipset" || word.ends_with("/ipset"); }

std::string shown(std::string_view text) { return printable(text.substr(0, 60)); }

std::unexpected<SetFault> no_such_set(const Word& name) {
  return refused(name, fmt::format("set '{}' does not exist", shown(name.text)));
}

// What two sets must share to be swapped: the kinds of their parts, whether nomatch is known, the family.
bool may_be_swapped(const IpSet& a, const IpSet& b) {
  const auto kinds = [](const IpSet& set) {
    std::vector<int> all{facts(set.type).has_nomatch ? 1 : 0};
    bool is_first_address = true;
    for (Part part : facts(set.type).parts) {
      if (part == Part::net) part = Part::ip;
      const bool is_second = part == Part::ip && !is_first_address;
      if (part == Part::ip) is_first_address = false;
      all.push_back(static_cast<int>(part) + (is_second ? 100 : 0));
    }
    std::ranges::sort(all);
    return all;
  };
  return kinds(a) == kinds(b) && a.family == b.family;
}

// "-exist" before or behind the command counts for the whole of it.
struct CommandLine {
  std::vector<Word> words;  // without the program and -exist
  bool exist = false;
};
CommandLine command_line(std::span<const Word> words) {
  CommandLine line;
  line.words.reserve(words.size());
  if (!words.empty() && is_program(words[0].text)) words = words.subspan(1);
  for (const Word& word : words) {
    // behind the element's word options belong to the element; parse_element sees to -exist there
    if (line.words.size() < 3 && !word.is_quoted && is_exist_flag(word.text)) line.exist = true;
    else line.words.push_back(word);
  }
  return line;
}

}  // namespace

// ---- elements -----------------------------------------------------------------------------------------

namespace {

// The element that ipset takes for the same. Of interfaces that is also an entry in the same network whose
// name is the beginning of this one.
std::optional<std::size_t> find_equal(IpSet& set, const Element& element, V6 second,
                                      std::string_view interface) {
  if (const auto equal = set.elements.find(element, second)) return equal;
  if (set.type != SetType::hash_net_iface) return std::nullopt;
  Element wildcard = element;
  wildcard.wildcard = true;
  for (std::size_t length = 1; length <= interface.size(); ++length) {
    const auto known = set.known_name(interface.substr(0, length));
    if (!known) continue;
    wildcard.detail = *known;
    if (const auto equal = set.elements.find(wildcard)) return equal;
  }
  return std::nullopt;
}

// With -exist what is there keeps its place and gets what else the command says.
Element renewed(Element there, const Element& by) {
  there.nomatch = by.nomatch;
  there.timeout = by.timeout;
  there.doubtful = false;
  there.begin = by.begin;
  there.source = by.source;
  return there;
}

std::expected<void, SetFault> room_for_one(const IpSet& set, const Word& word) {
  const std::size_t count = set.elements.size();
  const bool is_list = set.type == SetType::list_set;
  if (is_list && count >= most_members)
    return not_understood(word, fmt::format("more than {} members of a list", most_members));
  const bool is_hash = facts(set.type).name.starts_with("hash:");
  if (is_hash && count >= set.options.maxelem && !set.options.forceadd)
    return refused(word,
                   fmt::format("set '{}' is full: its maxelem is {}", shown(set.name), set.options.maxelem));
  if (count >= most_elements)
    return not_understood(word, fmt::format("more than {} elements in a set", most_elements));
  return {};
}

// Commands are bounded by what they touch: a line may stand for millions of elements.
std::expected<void, SetFault> may_touch(IpSets& sets, const Word& word, std::uint64_t elements) {
  if (elements > most_elements)
    return not_understood(
        word, fmt::format("'{}' stands for more than {} elements", shown(word.text), most_elements));
  sets.touched += elements;
  if (sets.touched <= most_altogether) return {};
  return not_understood(word, fmt::format("more than {} elements altogether", most_altogether));
}

// Counts in the member that one more list holds it, or one less.
void count_list(IpSets& sets, std::string_view member, int change) {
  IpSet* const set = sets.named(member);
  if (set == nullptr) return;
  if (change > 0) ++set->lists;
  else if (set->lists > 0) --set->lists;
}

void empty_out(IpSets& sets, IpSet& set) {
  if (set.type == SetType::list_set)
    for (const Element& element : set.elements) count_list(sets, set.names[element.detail], -1);
  set.elements.clear();
}

std::expected<void, SetFault> member_fault(IpSets& sets, const Word& word, std::string_view name,
                                           Lookup lookup) {
  const IpSet* member = sets.named(name);
  if (member == nullptr) {
    if (lookup == Lookup::later) return {};  // a listing may name it first
    return refused(word, fmt::format("set '{}', to be put into a list, does not exist", shown(name)));
  }
  if (member->type == SetType::list_set) return refused(word, "a list of sets cannot hold another list");
  return {};
}

}  // namespace

std::expected<void, SetFault> add_element(IpSets& sets, IpSet& set, std::span<const Word> words,
                                          LinePlace place, Lookup lookup) {
  auto written = parse_element(set, words);
  if (!written) return std::unexpected(written.error());
  if (set.type == SetType::list_set)
    if (auto good = member_fault(sets, words[0], written->name, lookup); !good) return good;
  written->element.begin = place.begin;
  written->element.source = place.source;
  if (written->has_name) written->element.detail = set.name_id(written->name);
  const bool exist = written->element.exist;
  auto result = may_touch(sets, words[0], count(set, *written));
  if (!result) return result;
  each(set, *written, [&](const Element& element, V6 second) {
    const auto equal = lookup == Lookup::now ? find_equal(set, element, second, written->name) : std::nullopt;
    if (equal && !exist) {
      result = refused(words[0], fmt::format("'{}' is already in the set", shown(words[0].text)));
      return false;
    }
    if (equal) {
      set.elements.replace(*equal, renewed(set.elements[*equal], element));
      return true;
    }
    result = room_for_one(set, words[0]);
    if (!result) return false;
    set.elements.append(element, second);
    if (set.type == SetType::list_set) count_list(sets, written->name, 1);
    return true;
  });
  if (result && set.options.forceadd && set.elements.size() > set.options.maxelem)
    return not_understood(words[0], "the set is full: to make room, ipset throws out an element by chance");
  return result;
}

namespace {

std::expected<void, SetFault> delete_element(IpSets& sets, IpSet& set, std::span<const Word> words) {
  const bool is_list = set.type == SetType::list_set;
  for (const Word& option : words.subspan(1)) {
    const bool is_known = is_exist_flag(option.text) || is_list;  // before and after, with a name
    if (!is_known)
      return refused(option,
                     fmt::format("'{}' is no option for the deletion of an element", shown(option.text)));
  }
  auto written = parse_element(set, words);
  if (!written) return std::unexpected(written.error());
  constexpr std::uint32_t no_name = ~std::uint32_t{0};
  if (written->has_name) written->element.detail = set.known_name(written->name).value_or(no_name);
  const bool exist = written->element.exist;
  auto result = may_touch(sets, words[0], count(set, *written));
  if (!result) return result;
  each(set, *written, [&](const Element& element, V6 second) {
    if (const auto there = find_equal(set, element, second, written->name)) {
      set.elements.erase(*there);
      if (is_list) count_list(sets, written->name, -1);
    } else if (!exist) {
      result = refused(words[0], fmt::format("'{}' is not in the set", shown(words[0].text)));
    }
    return result.has_value();
  });
  return result;
}

// ---- commands -----------------------------------------------------------------------------------------

std::expected<Executed, SetFault> create(IpSets& sets, const CommandLine& line, LinePlace place) {
  const auto& words = line.words;
  if (words.size() < 3) return refused(words.back(), "expected 'create NAME TYPE'");
  const Word& name = words[1];
  if (name.text.size() > longest_set_name)
    return refused(name, fmt::format("the name of a set has at most {} bytes", longest_set_name));
  const Word& last = words.back();
  const Span span{place.begin + words[0].begin, place.begin + last.end, place.source};
  IpSet set = empty_set(name.text, words[2].text, span);
  const auto options = std::span(words).subspan(3);
  const bool exist = line.exist || std::ranges::any_of(options, is_exist_flag, &Word::text);
  auto read = parse_create_options(set, options);
  if (!read && read.error().kind == SetFault::Kind::refused) return std::unexpected(read.error());
  if (!read) set.doubt = {read.error().message, place.span_of(read.error()), true};
  if (const IpSet* there = sets.named(name.text)) {
    const bool is_same = there->type == set.type && there->family == set.family;
    if (exist && is_same) return Executed::created;
    return refused(name, fmt::format("a set named '{}' exists already", shown(name.text)));
  }
  if (sets.sets.size() >= most_sets) return refused(name, fmt::format("more than {} sets", most_sets));
  const bool is_known = !set.doubt;
  sets.add(std::move(set));
  if (!read) return std::unexpected(read.error());
  return is_known ? Executed::created : Executed::unknown;
}

std::expected<Executed, SetFault> change_element(IpSets& sets, Command command, const CommandLine& line,
                                                 LinePlace place, Lookup lookup) {
  if (line.words.size() < 3)
    return refused(line.words.back(), fmt::format("expected '{} SET ELEMENT'", shown(line.words[0].text)));
  IpSet* set = sets.named(line.words[1].text);
  if (set == nullptr) return no_such_set(line.words[1]);
  if (!set->is_known()) return Executed::unknown;
  std::vector<Word> words(line.words.begin() + 2, line.words.end());
  if (line.exist) words.push_back({"-exist", words.back().begin, words.back().end, false});
  const auto done = command == Command::add ? add_element(sets, *set, words, place, lookup)
                                            : delete_element(sets, *set, words);
  if (done) return Executed::element;
  if (done.error().kind == SetFault::Kind::not_understood) {
    set->doubt = {done.error().message, place.span_of(done.error())};
    empty_out(sets, *set);
  }
  return std::unexpected(done.error());
}

std::unexpected<SetFault> in_use(const Word& word, std::string_view name) {
  return refused(word, fmt::format("set '{}' is in use by a rule or a list of sets", shown(name)));
}
bool is_in_use(const IpSet& set) { return set.is_used || set.lists > 0; }

std::expected<Executed, SetFault> whole_sets(IpSets& sets, Command command, const CommandLine& line) {
  const auto& words = line.words;
  const bool is_of_all = words.size() == 1;
  const auto empty = [&](IpSet& set) {
    empty_out(sets, set);
    set.has_members = true;  // now it is known that there are none
    if (set.doubt && !set.doubt->is_lasting) set.doubt.reset();
  };
  if (command == Command::flush) {
    if (is_of_all) std::ranges::for_each(sets.sets, empty);
    else if (IpSet* set = sets.named(words[1].text)) empty(*set);
    else return no_such_set(words[1]);
    return Executed::other;
  }
  if (command == Command::destroy) {
    if (is_of_all) {
      const auto used = std::ranges::find_if(sets.sets, is_in_use);
      if (used != sets.sets.end()) return in_use(words[0], used->name);
      sets = {};
      return Executed::other;
    }
    IpSet* const set = sets.named(words[1].text);
    if (set == nullptr) {
      if (line.exist) return Executed::other;
      return no_such_set(words[1]);
    }
    if (is_in_use(*set)) return in_use(words[1], set->name);
    empty_out(sets, *set);
    sets.remove(words[1].text);
    return Executed::other;
  }
  if (words.size() < 3) return refused(words.back(), "expected the names of two sets");
  const IpSet* one = sets.named(words[1].text);
  const IpSet* other = sets.named(words[2].text);
  if (one == nullptr) return no_such_set(words[1]);
  if (command == Command::rename) {
    if (is_in_use(*one)) return in_use(words[1], one->name);
    if (other != nullptr)
      return refused(words[2], fmt::format("a set named '{}' exists already", shown(words[2].text)));
    if (words[2].text.size() > longest_set_name)
      return refused(words[2], fmt::format("the name of a set has at most {} bytes", longest_set_name));
    sets.rename(words[1].text, words[2].text);
    return Executed::other;
  }
  if (other == nullptr) return no_such_set(words[2]);
  if (!may_be_swapped(*one, *other))
    return refused(words[2], "the sets cannot be swapped: their types differ");
  sets.swap(words[1].text, words[2].text);
  return Executed::other;
}

}  // namespace

bool needs_unused(std::span<const Word> words) {
  const CommandLine line = command_line(words);
  const auto command = line.words.empty() ? std::nullopt : command_named(line.words[0].text);
  return command == Command::destroy || command == Command::rename;
}

std::expected<Executed, SetFault> execute(IpSets& sets, std::span<const Word> words, LinePlace place,
                                          Lookup lookup) {
  if (words.empty()) return Executed::nothing;
  const CommandLine line = command_line(words);
  if (line.words.empty()) return refused(words.back(), "expected a command after 'ipset'");
  const auto command = command_named(line.words[0].text);
  if (!command)
    return not_understood(
        line.words[0],
        fmt::format("'{}' is no command of ipset that this reader knows: expected create, add, "
                    "del, flush, destroy, rename or swap",
                    shown(line.words[0].text)));
  switch (*command) {
    case Command::create: return create(sets, line, place);
    case Command::add:
    case Command::del: return change_element(sets, *command, line, place, lookup);
    case Command::destroy:
    case Command::flush:
    case Command::rename:
    case Command::swap: return whole_sets(sets, *command, line);
    case Command::no_effect: return Executed::nothing;
  }
  return Executed::nothing;
}

}  // namespace aclmend::iptables
