#include "vendors/iptables/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "vendors/iptables/script.h"

namespace aclmend::iptables {
namespace {

constexpr std::size_t most_chains = 1'000'000;
constexpr std::size_t longest_chain_name = 28;
constexpr std::size_t most_listed = 1'000'000;    // rules that lists of addresses stand for, in all
constexpr std::size_t most_scanned = 20'000'000;  // rules that deletions look through, in all

std::string shown(std::string_view text) { return printable(text.substr(0, 60)); }

Span span_of(const Word& word, const Line& line) {
  return {line.span.begin + word.begin, line.span.begin + word.end, line.span.source};
}

// What iptables-restore takes as the name of a chain of one's own.
bool may_name_a_chain(std::string_view text) {
  constexpr std::string_view targets[] = {"ACCEPT", "DROP", "QUEUE", "RETURN"};
  return !text.empty() && text.size() <= longest_chain_name && text[0] != '-' && text[0] != '!' &&
         std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c != 0x7F; }) &&
         std::ranges::find(targets, text) == std::end(targets);
}

// A rule that only notes something: a log, a counter.
LineState state_of(const ParsedRule& rule) {
  if (!rule.is_understood()) return LineState::not_understood;
  if (rule.is_open) return LineState::partly_understood;
  if (const auto* pass = std::get_if<Pass>(&rule.body.target); pass != nullptr && pass->changes_set.empty())
    return LineState::no_effect;
  return LineState::decides;
}

}  // namespace

std::size_t counters_end(std::string_view text) {
  const std::size_t end = text.find(']');
  const bool has_both =
      end != std::string_view::npos && text.substr(0, end).find(':') != std::string_view::npos;
  return text.starts_with('[') && has_both ? end + 1 : 0;
}

// ---- building rules -----------------------------------------------------------------------------------

Chains Interpreter::empty_table(Table table, Span span) {
  Chains chains;
  chains.span = span;
  for (const Hook hook : all_hooks) {
    if (has_hook(table, hook)) chains.add(to_string(hook), span);
  }
  return chains;
}

void Interpreter::forget() {
  known_ = {};
  last_ = {};
  ++era_;
}

model::AddressTerm Interpreter::term(const AddressTest& test) {
  if (test.family == Family::ipv4 && test.kind == AddressTest::Kind::masked && !test.negated)
    if (const auto length = netmask_length(static_cast<V4>(test.second)))
      return *length == 0 ? model::AddressTerm::any()
                          : model::AddressTerm::v4(static_cast<V4>(test.first), *length);
  std::string key(sizeof(V6) * 2 + 3, '\0');
  std::memcpy(key.data(), &test.first, sizeof(V6));
  std::memcpy(key.data() + sizeof(V6), &test.second, sizeof(V6));
  key[2 * sizeof(V6)] = static_cast<char>(test.kind);
  key[2 * sizeof(V6) + 1] = static_cast<char>(test.family);
  key[2 * sizeof(V6) + 2] = test.negated ? 1 : 0;
  const auto [found, is_new] =
      address_ids_.try_emplace(std::move(key), static_cast<std::uint32_t>(document_.addresses.size()));
  if (is_new) document_.addresses.push_back(test);
  return model::AddressTerm::group(found->second);
}

Interpreter::Argument Interpreter::argument_of(const Target& target) {
  if (std::holds_alternative<Call>(target)) return Argument::chain;
  return std::holds_alternative<Translate>(target) ? Argument::goal : Argument::none;
}

std::uint32_t Interpreter::argument(Argument argument, const Operands& operands) {
  switch (argument) {
    case Argument::none: return 0;
    case Argument::chain: return operands.chain;
    case Argument::goal: document_.goals.push_back(operands.goal); break;
  }
  return static_cast<std::uint32_t>(document_.goals.size() - 1);
}

Interpreter::Built Interpreter::build(Chains& chains, Place place, std::string_view chain, std::size_t number,
                                      std::span<const Word> words, const Line& line) {
  const std::string name = fmt::format("{} rule {}", list_name(place.table, printable(chain)), number);
  const RulePlace where{place.family, place.table, &chains, chain, line.span};
  ParsedRule parsed = parse_rule(words, where, name, line.span);
  for (Trouble& one : parsed.troubles)
    account_.say(one.severity, one.span, std::move(one.message),
                 one.severity == Severity::error && !is_strict_ ? Effect::unknown : Effect::none);
  Built built;
  built.state = state_of(parsed);
  built.is_skipped = parsed.is_for_other_family;
  built.is_understood = parsed.is_understood();
  built.canonical = std::move(parsed.canonical);
  if (built.is_skipped || (is_strict_ && !built.is_understood)) return built;
  Rule rule;
  rule.span = line.span;
  rule.body = static_cast<std::uint32_t>(document_.bodies.size());
  document_.bodies.push_back(std::move(parsed.body));
  rule.ports = parsed.operands.ports;
  rule.argument = argument(argument_of(document_.bodies.back().target), parsed.operands);
  std::vector<model::AddressTerm> sources, destinations;
  for (const AddressTest& test : parsed.sources) sources.push_back(term(test));
  for (const AddressTest& test : parsed.destinations) destinations.push_back(term(test));
  if (sources.empty()) sources.push_back(model::AddressTerm::any());
  if (destinations.empty()) destinations.push_back(model::AddressTerm::any());
  const std::size_t count = sources.size() * destinations.size();
  if (count > 1) listed_ += count;
  if (count > 1 && listed_ > most_listed) {
    built.is_understood = refuse(chains, line, nullptr, "more rules by lists of addresses than are read");
    return built;
  }
  for (const model::AddressTerm source : sources)
    for (const model::AddressTerm destination : destinations) {
      rule.source = source;
      rule.destination = destination;
      built.rules.push_back(rule);
    }
  return built;
}

const Interpreter::Learnt* Interpreter::learnt(std::string_view text, const RulePlace& place) {
  static constexpr std::size_t most_learnt = 65536;
  Known& known = known_[last_.kind()];
  auto found = known.by_text.find(skeleton_.text());
  if (found == known.by_text.end()) {
    if (known.learnt.size() >= most_learnt) return nullptr;
    Learnt learnt;
    if (auto parsed = skeleton_.learn(text, place, arena_)) {
      learnt = {true,
                static_cast<std::uint32_t>(document_.bodies.size()),
                state_of(*parsed),
                parsed->operands,
                skeleton_.has_ports(),
                skeleton_.has_chain() || skeleton_.has_goal(),
                argument_of(parsed->body.target)};
      document_.bodies.push_back(std::move(parsed->body));
    }
    const auto number = static_cast<std::uint32_t>(known.learnt.size());
    found = known.by_text.emplace(skeleton_.text(), number).first;
    known.learnt.push_back(std::move(learnt));
  }
  const Learnt& learnt = known.learnt[found->second];
  if (!learnt.is_known) return nullptr;
  if (skeleton_.is_for_many()) known.patterns.add(skeleton_.text(), found->second);
  return &learnt;
}

// A long chain is moved once, not each time its rules have doubled: the rest of the file is more of the same.
void Interpreter::make_room(std::vector<Rule>& rules, const Line& line) const {
  constexpr std::size_t long_chain = 16384;
  if (rules.size() < long_chain || rules.front().span.source != line.span.source ||
      rules.front().span.begin >= line.span.begin)
    return;
  const Source& source = *account_.sources[line.span.source];
  const std::size_t left = source.text().size() - line.span.begin;
  const std::size_t so_far = line.span.begin - rules.front().span.begin;
  const std::size_t likely = rules.size() * left / std::max(so_far, std::size_t{1});
  const std::size_t lines_left = source.line_count() - std::min(line.number, source.line_count()) + 1;
  rules.reserve(rules.size() + std::max(rules.size() / 2, std::min(likely + likely / 8, lines_left)));
}

std::optional<std::string_view> Interpreter::LastChain::turn_to(const Chains& chains, std::string_view line) {
  std::size_t at = 0;
  if (line.starts_with('[')) {
    at = counters_end(line);
    if (at == 0) return std::nullopt;
    while (at < line.size() && line[at] == ' ') ++at;
  }
  if (line.substr(at, 3) != "-A ") return std::nullopt;
  at += 3;
  const std::size_t behind_last = at + name_.size();
  const bool is_same = !name_.empty() && behind_last < line.size() && line[behind_last] == ' ' &&
                       line.substr(at, name_.size()) == name_;
  if (is_same) return line.substr(behind_last + 1);
  const std::size_t end = line.find(' ', at);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view name = line.substr(at, end - at);
  const auto index = chains.index_of(name);
  if (!index) return std::nullopt;
  name_ = name;
  index_ = *index;
  const auto hook = hook_named(name);
  kind_ = hook ? 1 + static_cast<std::size_t>(*hook) : 0;
  return line.substr(end + 1);
}

Rule Interpreter::rule_of(const Learnt& learnt, const Taken& taken, Span span) {
  Rule rule;
  rule.span = span;
  rule.body = learnt.body;
  rule.source = taken.source.prefix;
  rule.destination = taken.destination.prefix;
  rule.ports = learnt.has_ports ? taken.operands.ports : learnt.operands.ports;
  if (learnt.argument == Argument::chain)
    rule.argument = learnt.has_argument ? taken.operands.chain : learnt.operands.chain;
  return rule;
}

// What is kept in lists of the document: other tests of addresses than prefixes, goals.
void Interpreter::number(const Learnt& learnt, const Taken& taken, Rule& rule) {
  if (taken.source.test) rule.source = term(*taken.source.test);
  if (taken.destination.test) rule.destination = term(*taken.destination.test);
  if (learnt.argument == Argument::goal)
    rule.argument = argument(learnt.argument, learnt.has_argument ? taken.operands : learnt.operands);
}

void Interpreter::append(Chain& chain, const Line& line, const Learnt& learnt, const Rule& rule) {
  constexpr std::size_t short_chain = 2;
  if (chain.rules.capacity() == 0) chain.rules.reserve(short_chain);
  if (chain.rules.size() == chain.rules.capacity()) make_room(chain.rules, line);
  chain.rules.push_back(rule);
  account_.set(line, learnt.state);
}

bool Interpreter::append_quickly(Chains& chains, Place place, const Line& line) {
  const auto text = last_.turn_to(chains, line.text);
  if (!text) return false;
  const RulePlace where{place.family, place.table, &chains, last_.name(), line.span};
  const auto append_one = [&](const Learnt& learnt, const Taken& taken) {
    Rule rule = rule_of(learnt, taken, line.span);
    number(learnt, taken, rule);
    append(chains.chains[last_.index()], line, learnt, rule);
    return true;
  };
  const Known& known = known_[last_.kind()];
  if (const auto meaning = known.patterns.find(*text, where, taken_); meaning != Patterns::none)
    return append_one(known.learnt[meaning], taken_);
  if (!skeleton_.scan(*text, where)) return false;
  const Learnt* learnt = this->learnt(*text, where);
  return learnt != nullptr && append_one(*learnt, skeleton_.taken());
}

void Interpreter::Early::read(Lines lines) {
  last_ = {};
  lines_.clear();
  numbered_.clear();
  while (const auto line = lines.next()) read(*line, lines_.emplace_back());
}

void Interpreter::Early::read(const Line& line, Read& read) {
  const auto text = last_.turn_to(chains_, line.text);
  if (!text) return;
  const RulePlace where{place_.family, place_.table, &chains_, last_.name(), line.span};
  const Known& known = interpreter_.known_[last_.kind()];
  const std::uint32_t meaning = known.patterns.find(*text, where, taken_);
  if (meaning == Patterns::none) return;
  read.learnt = &known.learnt[meaning];
  read.chain = last_.index();
  read.rule = rule_of(*read.learnt, taken_, line.span);
  if (!taken_.source.test && !taken_.destination.test && read.learnt->argument != Argument::goal) return;
  numbered_.push_back(taken_);
  read.numbered = static_cast<std::uint32_t>(numbered_.size());
}

bool Interpreter::append_early(Chains& chains, const Early& early, std::size_t which, const Line& line) {
  const Early::Read& read = early.lines_[which];
  if (read.learnt == nullptr) return false;
  Rule rule = read.rule;
  if (read.numbered != 0) number(*read.learnt, early.numbered_[read.numbered - 1], rule);
  append(chains.chains[read.chain], line, *read.learnt, rule);
  return true;
}

// ---- the commands -------------------------------------------------------------------------------------

// In an export a command that cannot be carried out may have changed anything in its table.
bool Interpreter::refuse(Chains& chains, const Line& line, const Word* word, std::string message) {
  const Span where = word == nullptr ? line.span : span_of(*word, line);
  if (is_strict_) {
    account_.set(line, LineState::not_understood);
    account_.say(Severity::error, where, std::move(message), Effect::none);
  } else {
    account_.not_understood(line, where, std::move(message));
    if (!chains.unread) chains.unread = line.span;
  }
  return false;
}

bool Interpreter::may_scan(std::size_t rules, Chains& chains, const Line& line) {
  scanned_ += rules;
  return scanned_ <= most_scanned || refuse(chains, line, nullptr, "more deletions than are carried out");
}

// Its name may have been an ordinary word of the rules so far.
void Interpreter::create(Chains& chains, std::string_view name, Span span) {
  for (Known& known : known_)
    if (!known.patterns.empty()) known.patterns.clear();
  ++era_;
  chains.add(name, span);
}

Chain* Interpreter::chain_of(Chains& chains, Place place, std::span<const Word> words, const Line& line) {
  if (words.size() < 2) {
    refuse(chains, line, &words[0], fmt::format("expected a chain after '{}'", shown(words[0].text)));
    return nullptr;
  }
  Chain* chain = chains.named(words[1].text);
  if (chain == nullptr)
    refuse(chains, line, &words[1],
           fmt::format("no chain '{}' in the table {}", shown(words[1].text), to_string(place.table)));
  return chain;
}

bool Interpreter::append(Chains& chains, Place place, std::span<const Word> words, const Line& line) {
  Chain* chain = chain_of(chains, place, words, line);
  if (chain == nullptr) return false;
  const auto index = static_cast<std::size_t>(chain - chains.chains.data());
  Built built = build(chains, place, words[1].text, chain->rules.size() + 1, words.subspan(2), line);
  account_.set(line, built.is_skipped ? LineState::no_effect : built.state);
  std::vector<Rule>& rules = chains.chains[index].rules;
  rules.insert(rules.end(), built.rules.begin(), built.rules.end());
  return built.is_understood;
}

// The number behind a chain. iptables takes any word there that is no option, and reads numbers as C does:
// 010 is 8.
namespace {
struct Numbered {
  const Word* word = nullptr;  // none: no number is given
  std::size_t number = 0;      // 0: the word is no number of a rule
  std::span<const Word> rest;
};
Numbered numbered(std::span<const Word> words) {
  Numbered given;
  given.rest = words.subspan(std::min<std::size_t>(words.size(), 2));
  if (given.rest.empty() || given.rest[0].text.starts_with('-') || given.rest[0].text.starts_with('!'))
    return given;
  given.word = &given.rest[0];
  given.number = parse_number(given.word->text).value_or(0);
  given.rest = given.rest.subspan(1);
  return given;
}

// "-c 1 2", which -D and -C do not take.
const Word* counters_among(std::span<const Word> words) {
  const auto asks_for_set = [](const Word& word) { return word.text == "recent" || word.text == "set"; };
  const auto is_counters = [&](const Word& word) {
    if (word.text == "-c") return true;
    if (word.text == "--set") return std::ranges::none_of(words, asks_for_set);
    return word.text.size() > 3 && std::string_view("--set-counters").starts_with(word.text);
  };
  const auto found = std::ranges::find_if(words, is_counters);
  return found == words.end() ? nullptr : &*found;
}

bool is_misread(const Body& body) {
  const auto* target = std::get_if<UnknownTarget>(&body.target);
  return target != nullptr && target->kind == model::ConditionKind::not_understood;
}

// A list of addresses that cannot be read, or a name, which may have several: who knows how many rules the
// kernel makes of it.
bool may_be_several(std::span<const Word> words) {
  const auto is_address = [](std::string_view option) {
    if (option == "-s" || option == "-d") return true;
    static constexpr std::string_view names[] = {"--source", "--src", "--destination", "--dst"};
    const std::string_view name = option.substr(0, option.find('='));
    return name.size() > 3 &&
           std::ranges::any_of(names, [&](std::string_view one) { return one.starts_with(name); });
  };
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!is_address(words[i].text)) continue;
    if (words[i].text.find('=') != std::string_view::npos) return true;
    if (i + 1 < words.size() && words[i + 1].text == "!") ++i;
    if (i + 1 < words.size() && !parse_masked_address(words[i + 1].text)) return true;
  }
  return false;
}
}  // namespace

bool Interpreter::has_misread_rules() {
  for (; bodies_seen_ < document_.bodies.size(); ++bodies_seen_)
    has_misread_ |= is_misread(document_.bodies[bodies_seen_]);
  return has_misread_;
}

std::vector<Word> Interpreter::words_of(const Rule& rule) {
  return words_of_rule(account_.sources[rule.span.source]->text(rule.span), arena_);
}

// Whether the kernel has as many rules as we have among the first ones of a chain.
bool Interpreter::may_count(Chains& chains, const Chain& chain, std::size_t rules, const Line& line) {
  if (!has_misread_rules()) return true;
  if (!may_scan(rules, chains, line)) return false;
  constexpr std::size_t cost = 8;  // each is cut into words anew
  for (const Rule& rule : std::span(chain.rules).first(rules)) {
    if (!is_misread(document_.bodies[rule.body])) continue;
    if (!may_scan(cost, chains, line)) return false;
    if (may_be_several(words_of(rule)))
      return refuse(chains, line, nullptr,
                    fmt::format("which rule of {} has this number is not known: a line before may stand for "
                                "several rules",
                                shown(chain.name)));
  }
  return true;
}

bool Interpreter::insert(Chains& chains, Place place, std::span<const Word> words, const Line& line) {
  Chain* chain = chain_of(chains, place, words, line);
  if (chain == nullptr) return false;
  const Numbered given = numbered(words);
  const std::size_t number = given.word == nullptr ? 1 : given.number;
  if (number == 0)
    return refuse(chains, line, given.word,
                  fmt::format("expected the number of a rule, found '{}'", shown(given.word->text)));
  if (number > chain->rules.size() + 1)
    return refuse(chains, line, given.word,
                  fmt::format("{} has {} rules: nothing can be inserted at {}", shown(words[1].text),
                              chain->rules.size(), number));
  if (!may_count(chains, *chain, number - 1, line)) return false;
  const auto index = static_cast<std::size_t>(chain - chains.chains.data());
  Built built = build(chains, place, words[1].text, number, given.rest, line);
  account_.set(line, built.is_skipped ? LineState::no_effect : built.state);
  // Each rule of a list goes to the same place: they end up in the opposite order.
  std::ranges::reverse(built.rules);
  std::vector<Rule>& rules = chains.chains[index].rules;
  if (!may_scan(rules.size() - number + 1, chains, line)) return false;
  rules.insert(rules.begin() + static_cast<std::ptrdiff_t>(number - 1), built.rules.begin(),
               built.rules.end());
  return built.is_understood;
}

bool Interpreter::replace(Chains& chains, Place place, std::span<const Word> words, const Line& line) {
  Chain* chain = chain_of(chains, place, words, line);
  if (chain == nullptr) return false;
  const Numbered given = numbered(words);
  if (given.number == 0 || given.number > chain->rules.size())
    return refuse(chains, line, words.size() > 2 ? &words[2] : &words[0],
                  fmt::format("expected the number of a rule of {}", shown(words[1].text)));
  if (!may_count(chains, *chain, given.number, line)) return false;
  const auto index = static_cast<std::size_t>(chain - chains.chains.data());
  Built built = build(chains, place, words[1].text, given.number, given.rest, line);
  account_.set(line, built.is_skipped ? LineState::no_effect : built.state);
  if (built.is_skipped) return true;
  if (built.rules.size() != 1 && built.is_understood)
    return refuse(chains, line, nullptr, "a rule cannot be replaced by several");
  if (!built.rules.empty()) chains.chains[index].rules[given.number - 1] = built.rules.front();
  return built.is_understood;
}

// The first rule that the kernel holds for the same. None: refused.
std::optional<std::size_t> Interpreter::position(Chains& chains, Place place, const Chain& chain,
                                                 const ParsedRule& wanted, const Line& line) {
  const auto refused = [&](std::string message) {
    refuse(chains, line, nullptr, std::move(message));
    return std::nullopt;
  };
  const auto is_list = [](const ParsedRule& rule) {
    return rule.sources.size() > 1 || rule.destinations.size() > 1;
  };
  constexpr std::string_view no_lists = "which rules a list of addresses stands for is not worked out here";
  if (is_list(wanted)) return refused(std::string(no_lists));
  const std::vector<Rule>& rules = chain.rules;
  constexpr std::size_t cost = 8;  // each is parsed anew
  if (!may_scan(cost * rules.size(), chains, line)) return std::nullopt;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    // Cheap things first: other addresses are another rule. (What an export spelled has another number than
    // the same in a script.)
    const auto same = [&](model::AddressTerm has, const std::vector<AddressTest>& tests) {
      if (tests.empty()) return has == model::AddressTerm::any();
      if (has.kind == model::AddressTerm::Kind::group) return document_.addresses[has.value] == tests.front();
      return has == term(tests.front());
    };
    if (!same(rules[i].source, wanted.sources) || !same(rules[i].destination, wanted.destinations)) continue;
    const RulePlace where{place.family, place.table, &chains, chain.name, rules[i].span};
    const std::string name = fmt::format("{} rule {}", chain.name, i + 1);
    const ParsedRule has = parse_rule(words_of(rules[i]), where, name, rules[i].span);
    // One that was misread stays, and with it the doubt about all it may be.
    if (!has.is_understood()) continue;
    // A line with lists stands for several rules: its addresses are not this one's.
    if (is_list(has)) return refused(std::string(no_lists));
    if (has.canonical == wanted.canonical) return i;
  }
  return refused(fmt::format("{} has no such rule", shown(chain.name)));
}

// The rule that -D and -C ask for. None: refused.
std::optional<ParsedRule> Interpreter::wanted(Chains& chains, Place place, std::span<const Word> words,
                                              const Line& line) {
  const RulePlace where{place.family, place.table, &chains, words[1].text, line.span};
  ParsedRule rule = parse_rule(words.subspan(2), where, "", line.span);
  for (const Trouble& one : rule.troubles)
    if (one.severity == Severity::error) {
      account_.say(Severity::error, one.span, one.message, is_strict_ ? Effect::none : Effect::unknown);
      account_.set(line, LineState::not_understood);
      if (!is_strict_ && !chains.unread) chains.unread = line.span;
      return std::nullopt;
    }
  if (const Word* counters = counters_among(words.subspan(2))) {
    refuse(chains, line, counters, fmt::format("'{}' takes no counters", shown(words[0].text)));
    return std::nullopt;
  }
  return rule;
}

bool Interpreter::remove(Chains& chains, Place place, std::span<const Word> words, const Line& line) {
  Chain* chain = chain_of(chains, place, words, line);
  if (chain == nullptr) return false;
  const Numbered given = numbered(words);
  std::vector<Rule>& rules = chain->rules;
  if (given.word != nullptr) {
    if (given.number == 0 || given.number > rules.size())
      return refuse(chains, line, given.word,
                    fmt::format("{} has no rule '{}'", shown(words[1].text), shown(given.word->text)));
    if (!given.rest.empty())
      return refuse(
          chains, line, &given.rest[0],
          fmt::format("nothing can stand behind the number, found '{}'", shown(given.rest[0].text)));
    if (!may_count(chains, *chain, given.number, line) || !may_scan(rules.size(), chains, line)) return false;
    rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(given.number - 1));
    return true;
  }
  const auto rule = wanted(chains, place, words, line);
  if (!rule) return false;
  if (rule->is_for_other_family) return true;
  const auto at = position(chains, place, *chain, *rule, line);
  if (!at) return false;
  rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(*at));
  return true;
}

// A question; but with the answer no, iptables-restore refuses the file.
bool Interpreter::check(Chains& chains, Place place, std::span<const Word> words, const Line& line) {
  const Chain* chain = chain_of(chains, place, words, line);
  if (chain == nullptr) return false;
  const auto rule = wanted(chains, place, words, line);
  if (!rule) return false;
  account_.set(line, LineState::no_effect);
  return rule->is_for_other_family || position(chains, place, *chain, *rule, line).has_value();
}

// Listings and counters, of a chain or of one rule, or of all.
bool Interpreter::show(Chains& chains, Place place, std::span<const Word> words, const Line& line) {
  if (words.size() > 1 && chain_of(chains, place, words, line) == nullptr) return false;
  const Numbered given = numbered(words);
  if (given.word != nullptr && given.number == 0)
    return refuse(chains, line, given.word,
                  fmt::format("expected the number of a rule, found '{}'", shown(given.word->text)));
  if (!given.rest.empty())
    return refuse(chains, line, &given.rest[0],
                  fmt::format("'{}' takes no '{}'", shown(words[0].text), shown(given.rest[0].text)));
  account_.set(line, LineState::no_effect);
  return true;
}

bool Interpreter::policy(Chains& chains, Place place, std::span<const Word> words, const Line& line) {
  Chain* chain = chain_of(chains, place, words, line);
  if (chain == nullptr) return false;
  const auto hook = hook_named(chain->name);
  if (!hook || !has_hook(place.table, *hook))
    return refuse(chains, line, &words[1], fmt::format("{} is no built-in chain", shown(words[1].text)));
  const std::string_view word = words.size() > 2 ? words[2].text : std::string_view{};
  if (word != "ACCEPT" && word != "DROP")
    return refuse(chains, line, words.size() > 2 ? &words[2] : &words[0],
                  fmt::format("expected ACCEPT or DROP, found '{}'", shown(word)));
  if (words.size() > 3) {  // counters, as iptables -S -v prints them
    const auto is_number = [](const Word& one) { return parse_decimal<std::uint64_t>(one.text).has_value(); };
    const bool has_counters = (words[3].text == "-c" || words[3].text == "--set-counters") &&
                              words.size() == 6 && is_number(words[4]) && is_number(words[5]);
    if (!has_counters)
      return refuse(chains, line, &words[3],
                    fmt::format("'{}' takes no '{}'", shown(words[0].text), shown(words[3].text)));
  }
  chain->policy = word == "DROP" ? ChainPolicy::drop : ChainPolicy::accept;
  chain->span = line.span;
  account_.set(line, LineState::decides);
  return true;
}

bool Interpreter::new_chain(Chains& chains, std::span<const Word> words, const Line& line) {
  if (words.size() < 2) return refuse(chains, line, &words[0], "expected the name of a new chain");
  const std::string_view name = words[1].text;
  if (chains.named(name) != nullptr)
    return refuse(chains, line, &words[1], fmt::format("chain {} exists already", shown(name)));
  if (!may_name_a_chain(name))
    return refuse(chains, line, &words[1], fmt::format("'{}' cannot be the name of a chain", shown(name)));
  // ":LOG -" makes such a chain, and -E too; -N alone asks.
  static constexpr std::string_view other_targets[] = {"standard", "CLUSTERIP", "DNPT", "SNPT"};
  if (std::ranges::find(other_targets, name) != std::end(other_targets) || target_module(name))
    return refuse(chains, line, &words[1],
                  fmt::format("'{}' is the name of a target: -N makes no such chain", shown(name)));
  if (chains.chains.size() >= most_chains)
    return refuse(chains, line, &words[1], fmt::format("more than {} chains in a table", most_chains));
  create(chains, name, line.span);
  return true;
}

// By chain. A rule that was misread calls whatever chain it names.
std::vector<bool> Interpreter::called(const Chains& chains) {
  std::vector<bool> result(chains.chains.size());
  const bool has_misread = has_misread_rules();
  for (const Chain& one : chains.chains)
    for (const Rule& rule : one.rules) {
      if (const auto chain = document_.called_by(rule)) result[*chain] = true;
      if (!has_misread || !is_misread(document_.bodies[rule.body])) continue;
      for (const Word& word : words_of(rule))
        if (const auto chain = chains.index_of(word.text)) result[*chain] = true;
    }
  return result;
}

bool Interpreter::delete_chain(Chains& chains, Place place, std::span<const Word> words, const Line& line) {
  forget();
  std::size_t rules = 0;
  for (const Chain& one : chains.chains) rules += one.rules.size();
  if (words.size() < 2) {  // all of one's own, or none: at the start of hand-written files
    if (!may_scan(rules, chains, line)) return false;
    const std::vector<bool> is_called = called(chains);
    std::vector<Chain*> own;
    for (std::size_t i = 0; i < chains.chains.size(); ++i) {
      Chain& chain = chains.chains[i];
      const auto hook = hook_named(chain.name);
      if ((hook && has_hook(place.table, *hook)) || chain.is_removed) continue;
      if (!chain.rules.empty() || is_called[i])
        return refuse(
            chains, line, &words[0],
            fmt::format("{} is {}", shown(chain.name), is_called[i] ? "still called" : "not empty"));
      own.push_back(&chain);
    }
    for (Chain* chain : own) chains.remove(*chain);
    return true;
  }
  Chain* chain = chain_of(chains, place, words, line);
  if (chain == nullptr) return false;
  const auto hook = hook_named(chain->name);
  if (hook && has_hook(place.table, *hook))
    return refuse(chains, line, &words[1], fmt::format("{} is built in", chain->name));
  if (!chain->rules.empty())
    return refuse(chains, line, &words[1], fmt::format("{} is not empty", shown(chain->name)));
  if (!may_scan(rules, chains, line)) return false;
  if (called(chains)[static_cast<std::size_t>(chain - chains.chains.data())])
    return refuse(chains, line, &words[1], fmt::format("{} is still called", shown(chain->name)));
  chains.remove(*chain);
  return true;
}

bool Interpreter::flush(Chains& chains, std::span<const Word> words, const Line& line) {
  if (words.size() < 2) {
    for (Chain& chain : chains.chains) chain.rules.clear();
    return true;
  }
  Chain* chain = chains.named(words[1].text);
  if (chain == nullptr)
    return refuse(chains, line, &words[1], fmt::format("no chain '{}'", shown(words[1].text)));
  chain->rules.clear();
  return true;
}

bool Interpreter::rename(Chains& chains, Place place, std::span<const Word> words, const Line& line) {
  Chain* chain = chain_of(chains, place, words, line);
  if (chain == nullptr) return false;
  forget();
  const auto hook = hook_named(chain->name);
  if (words.size() < 3 || (hook && has_hook(place.table, *hook)) || chains.named(words[2].text) != nullptr ||
      !may_name_a_chain(words[2].text))
    return refuse(chains, line, &words[0], "this chain cannot be renamed so");
  chains.rename(*chain, words[2].text);
  return true;
}

bool Interpreter::run(Chains& chains, Place place, std::span<const Word> words, const Line& line) {
  static constexpr std::pair<std::string_view, char> long_names[] = {
      {"--append", 'A'},     {"--insert", 'I'},       {"--replace", 'R'}, {"--delete", 'D'},
      {"--policy", 'P'},     {"--new-chain", 'N'},    {"--new", 'N'},     {"--delete-chain", 'X'},
      {"--flush", 'F'},      {"--rename-chain", 'E'}, {"--zero", 'Z'},    {"--list", 'L'},
      {"--list-rules", 'S'}, {"--check", 'C'}};
  if (words.empty()) return true;
  // -4 and -6 may stand first: the other family skips the line.
  while (!words.empty() && (words[0].text == "-4" || words[0].text == "-6" || words[0].text == "--ipv4" ||
                            words[0].text == "--ipv6")) {
    const bool is_v4 = words[0].text == "-4" || words[0].text == "--ipv4";
    if (is_v4 != (place.family == Family::ipv4)) return true;
    words = words.subspan(1);
  }
  if (words.empty()) return refuse(chains, line, nullptr, "expected a command");
  const std::string_view word = words[0].text;
  char command = word.size() == 2 && word[0] == '-' ? word[1] : '\0';
  for (const auto& [name, letter] : long_names)
    if (word == name) command = letter;
  const std::size_t most_here = command == 'F' || command == 'X' || command == 'N' ? 2
                                : command == 'E'                                   ? 3
                                                                                   : words.size();
  if (words.size() > most_here)
    return refuse(chains, line, &words[most_here],
                  fmt::format("'{}' takes no '{}'", shown(word), shown(words[most_here].text)));
  switch (command) {
    case 'A': return append(chains, place, words, line);
    case 'I': return insert(chains, place, words, line);
    case 'R': return replace(chains, place, words, line);
    case 'D': return remove(chains, place, words, line);
    case 'P': return policy(chains, place, words, line);
    case 'N': return new_chain(chains, words, line);
    case 'X': return delete_chain(chains, place, words, line);
    case 'F': return flush(chains, words, line);
    case 'E': return rename(chains, place, words, line);
    case 'C': return check(chains, place, words, line);
    case 'Z':
    case 'L':
    case 'S': return show(chains, place, words, line);
    default: break;
  }
  return refuse(chains, line, &words[0],
                fmt::format("expected a command such as -A, found '{}'", shown(word)));
}

// ---- declarations -------------------------------------------------------------------------------------

void Interpreter::declare(Chains& chains, Place place, const Line& line) {
  // As iptables-save writes it, and a hundred thousand times over: ":CHAIN - [0:0]".
  const std::string_view plain = line.text.substr(1, line.text.find(' ') - 1);
  const bool is_plain = line.text.ends_with(" - [0:0]") && plain.size() + 9 == line.text.size();
  if (is_plain && may_name_a_chain(plain) && plain.find('"') == plain.npos && !hook_named(plain) &&
      chains.chains.size() < most_chains && !chains.index_of(plain))
    return create(chains, plain, line.span);
  const auto words = splitter_.split(line.text.substr(1));
  if (!words || words->empty()) {
    refuse(chains, line, nullptr, "expected the name of a chain after ':'");
    return;
  }
  const std::string_view name = (*words)[0].text;
  const std::string_view policy = words->size() > 1 ? (*words)[1].text : std::string_view("-");
  if (words->size() == 1)
    account_.say(
        Severity::warning, line.span,
        fmt::format("'{}' has no policy, and iptables-restore refuses it: taken as '-'", shown(name)),
        Effect::none);
  const auto hook = hook_named(name);
  if (hook && has_hook(place.table, *hook)) {
    Chain& chain = *chains.named(name);
    if (policy == "ACCEPT" || policy == "DROP") {
      chain.policy = policy == "DROP" ? ChainPolicy::drop : ChainPolicy::accept;
      chain.span = line.span;
      account_.set(line, LineState::decides);
    } else if (policy != "-") {
      refuse(chains, line, nullptr, fmt::format("expected ACCEPT, DROP or -, found '{}'", shown(policy)));
    }
    return;
  }
  if (!may_name_a_chain(name)) {
    refuse(chains, line, nullptr, fmt::format("'{}' cannot be the name of a chain", shown(name)));
    return;
  }
  if (Chain* known = chains.named(name); known != nullptr) {
    if (!known->rules.empty())
      account_.say(Severity::warning, line.span,
                   fmt::format("{} is declared again: its {} rules so far are taken out", shown(name),
                               known->rules.size()),
                   Effect::none);
    known->rules.clear();
    return;
  }
  if (chains.chains.size() >= most_chains) {
    refuse(chains, line, nullptr, fmt::format("more than {} chains in a table", most_chains));
    return;
  }
  create(chains, name, line.span);
}

}  // namespace aclmend::iptables
