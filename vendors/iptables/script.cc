#include "vendors/iptables/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <initializer_list>

#include "base/text.h"
#include "vendors/iptables/ipset_command.h"
#include "vendors/iptables/reader.h"

namespace aclmend::iptables {
namespace {

std::string shown(std::string_view text) { return printable(text.substr(0, 60)); }

// Programs that change rules here, for which family, and in which back end where the name says it.
struct Program {
  std::string_view name;
  std::optional<Family> family;  // none: ipset
  Half::Backend backend = Half::Backend::not_said;
};
constexpr Program programs[] = {{"iptables", Family::ipv4},
                                {"iptables-nft", Family::ipv4, Half::Backend::nft},
                                {"iptables-legacy", Family::ipv4, Half::Backend::legacy},
                                {"ip6tables", Family::ipv6},
                                {"ip6tables-nft", Family::ipv6, Half::Backend::nft},
                                {"ip6tables-legacy", Family::ipv6, Half::Backend::legacy},
                                {"ipset", std::nullopt}};

// Commands that keep or show what is there.
constexpr std::string_view harmless[] = {"netfilter-persistent save",
                                         "service iptables save",
                                         "service ip6tables save",
                                         "ipset save",
                                         "ipset list",
                                         "iptables-save",
                                         "ip6tables-save"};

// " > FILE" up to the end of the command, in plain words.
bool is_redirection(std::string_view text) {
  if (!text.starts_with(" >")) return false;
  text.remove_prefix(text.starts_with(" >>") ? 3 : 2);
  text = trimmed(text);
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("_./:@%+=,-").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

bool is_harmless(std::string_view command) {
  return std::ranges::any_of(harmless, [&](std::string_view one) {
    return command == one || (command.starts_with(one) && is_redirection(command.substr(one.size())));
  });
}

// "#!/bin/sh -e" is "set -e" as well.
bool ends_at_failure(std::string_view first_line) {
  if (!first_line.starts_with("#!")) return false;
  const std::size_t option = first_line.find(" -");
  return option != std::string_view::npos && first_line.find('e', option) != std::string_view::npos;
}

bool is_among(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}
bool is_listing(const Word& word) { return is_among(word.text, {"-L", "--list"}); }
bool is_question(std::string_view word) {
  return is_among(word, {"-L", "--list", "-S", "--list-rules", "-C", "--check", "-Z", "--zero"});
}

const Program* program_named(std::string_view word) {
  if (const std::size_t slash = word.rfind('/'); slash != std::string_view::npos && word.starts_with('/'))
    word = word.substr(slash + 1);
  const auto found = std::ranges::find(programs, word, &Program::name);
  return found == std::end(programs) ? nullptr : &*found;
}

// A command without the options that are about the program and not about its rules.
struct Invocation {
  std::vector<Word> words;
  Table table = Table::filter;
  std::optional<Fault> fault;
};

// What no value stands behind: the next word is an option for sure.
bool takes_no_value(std::string_view option) {
  static constexpr std::string_view options[] = {"-v",
                                                 "--verbose",
                                                 "-w",
                                                 "--wait",
                                                 "-n",
                                                 "--numeric",
                                                 "--line-numbers",
                                                 "-x",
                                                 "--exact",
                                                 "-L",
                                                 "--list",
                                                 "-S",
                                                 "--list-rules",
                                                 "-F",
                                                 "--flush",
                                                 "-X",
                                                 "--delete-chain",
                                                 "-Z",
                                                 "--zero",
                                                 "-f",
                                                 "--fragment",
                                                 "--syn",
                                                 "-4",
                                                 "--ipv4",
                                                 "-6",
                                                 "--ipv6"};
  return std::ranges::find(options, option) != std::end(options) || option.starts_with("--wait=") ||
         option.starts_with("--table=");
}

Invocation invocation_of(std::span<const Word> words) {
  Invocation result;
  const auto faulty = [&](const Word& word, std::string message) {
    result.fault = Fault{word.begin, word.end, std::move(message)};
    return result;
  };
  const bool lists = std::ranges::any_of(words, is_listing);
  const bool waits = std::ranges::any_of(words, [](const Word& word) {
    return is_among(word.text, {"-w", "--wait"}) || word.text.starts_with("--wait=");
  });
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view text = words[i].text;
    const bool names_table = is_among(text, {"-t", "--table"}) || text.starts_with("--table=");
    const bool is_wait = is_among(text, {"-w", "--wait", "-W", "--wait-interval"});
    const bool is_flag = text.starts_with("--wait=") || is_among(text, {"-v", "--verbose"}) ||
                         (lists && is_among(text, {"-n", "--numeric", "--line-numbers", "-x", "--exact"}));
    if (!names_table && !is_wait && !is_flag) {
      result.words.push_back(words[i]);
      continue;
    }
    if (i > 0 && words[i - 1].text.starts_with('-') && !takes_no_value(words[i - 1].text))
      return faulty(words[i], fmt::format("whether '{}' is the value of '{}' is not known here: put it first",
                                          shown(text), shown(words[i - 1].text)));
    if (is_wait) {
      if (is_among(text, {"-W", "--wait-interval"}) && !waits)
        return faulty(words[i], fmt::format("'{}' makes sense with -w alone", shown(text)));
      if (i + 1 < words.size() && parse_decimal<std::uint32_t>(words[i + 1].text)) ++i;
    }
    if (!names_table) continue;
    std::string_view table =
        text.starts_with("--table=") ? text.substr(text.find('=') + 1) : std::string_view{};
    if (table.empty()) {
      if (i + 1 >= words.size()) return faulty(words[i], "expected a table after '-t'");
      table = words[++i].text;
    }
    const auto named = table_named(table);
    if (!named)
      return faulty(words[i],
                    fmt::format("expected raw, mangle, nat, filter or security, found '{}'", shown(table)));
    result.table = *named;
  }
  // "-L" may have been the value of something.
  if (lists && !result.words.empty() && !is_listing(result.words[0]))
    return faulty(result.words[0], "expected '-L' to be the command where it stands");
  return result;
}

// A table of a listing of another one: nothing of it is known, and it stands for that a line changes it.
bool is_unseen(const Chains& table) {
  return table.unread && table.unread->source == table.span.source &&
         table.unread->begin == table.span.begin && table.unread->end == table.span.end;
}

class Typist {
 public:
  Typist(IptablesDocument& document, Account& account)
      : document_(document), account_(account), interpreter_(document, account, Interpreter::Strict::yes) {}
  std::optional<Error> type(std::uint16_t source);

 private:
  void take_line(const Line& line);
  void command(const Line& line);
  void exit(const Line& line);
  bool is_shown(Place place) const;
  void leave_unknown(Place place, const Line& line);
  bool is_of_another_back_end(Place place, Half::Backend backend, const Line& line);
  bool mark_used_sets(const Line& line);
  void sets(const Line& line, std::span<const Word> words);
  void fragment_line(const Line& line);
  void begin_fragment(const Line& line);
  void end_fragment(const Line& line);
  Chains& table_of(Place place, Span span) {
    auto& table = document_.half(place.family)[place.table];
    if (!table) table = Interpreter::empty_table(place.table, span);
    return *table;
  }
  void refuse(const Line& line, std::uint32_t begin, std::uint32_t end, std::string message) {
    account_.set(line, LineState::not_understood);
    account_.say(Severity::error, {line.span.begin + begin, line.span.begin + end, line.span.source},
                 std::move(message), Effect::none);
    fragment_is_refused_ = true;
  }
  void refuse(const Line& line, std::string message) {
    refuse(line, 0, static_cast<std::uint32_t>(line.text.size()), std::move(message));
  }

  IptablesDocument& document_;
  Account& account_;
  Interpreter interpreter_;
  std::deque<std::string> arena_;
  std::string_view text_;
  std::size_t understood_ = 0;
  bool ends_at_failure_ = false;  // set -e
  // Which sets the rules use was noted before.
  bool uses_are_known_ = false;
  std::size_t scanned_ = 0;  // rules, for that
  // A fragment takes hold at its COMMIT, wholly or not at all.
  std::optional<Chains> fragment_;
  Place place_;
  bool fragment_is_refused_ = false;
  bool fragment_is_unseen_ = false;  // of a table that the export does not show
};

// A half that is absent, or the listing of one table, says nothing of the tables that a script names: they
// are not empty.
bool Typist::is_shown(Place place) const {
  const Half& half = document_.half(place.family);
  const auto& table = half[place.table];
  return table ? !is_unseen(*table) : half.is_there() && !half.is_listing;
}

void Typist::leave_unknown(Place place, const Line& line) {
  Half& half = document_.half(place.family);
  account_.set(line, LineState::partly_understood);
  account_.say(
      Severity::warning, line.span,
      fmt::format("the export does not show the {} table {}: what this line makes of it is not known",
                  family_word(place.family), to_string(place.table)),
      Effect::unknown);
  // A missing half is unknown as a whole, and so is a missing filter table; others would count as empty.
  if (!half.is_there() || place.table == Table::filter || half[place.table]) return;
  half[place.table] = Interpreter::empty_table(place.table, line.span);
  half[place.table]->unread = line.span;
}

// The rules of the other back end stand in no export of this one, and packets meet both.
bool Typist::is_of_another_back_end(Place place, Half::Backend backend, const Line& line) {
  using Backend = Half::Backend;
  Half& half = document_.half(place.family);
  if (backend == Backend::not_said || !half.is_there()) return false;
  // iptables-save of nf_tables says so behind its version; the other prints its version alone.
  const bool is_plain = half.tool.starts_with("iptables-save v") || half.tool.starts_with("ip6tables-save v");
  const Backend own = half.backend == Backend::not_said && is_plain ? Backend::legacy : half.backend;
  if (own == backend) return false;
  account_.set(line, LineState::partly_understood);
  if (own != Backend::not_said) {
    half.other_rules = line.span;
    account_.say(Severity::warning, line.span,
                 "this line is about the rules of the other back end, which are not in the export: what they "
                 "let through is not known",
                 Effect::unknown);
    return true;
  }
  account_.say(Severity::warning, line.span,
               "whether the export is of this back end is not said: what this line changes is not known",
               Effect::unknown);
  half.other_rules = line.span;
  Chains& table = table_of(place, line.span);
  if (!table.unread) table.unread = line.span;
  return true;
}

// A set that a rule uses can be neither destroyed nor renamed.
bool Typist::mark_used_sets(const Line& line) {
  if (uses_are_known_) return true;
  constexpr std::size_t most_scanned = 20'000'000;
  for (IpSet& set : document_.sets.sets) set.is_used = false;
  const auto use = [&](std::string_view name) {
    if (IpSet* set = document_.sets.named(name)) set->is_used = true;
  };
  std::vector<bool> seen(document_.bodies.size());
  const auto look = [&](const Rule& rule) {
    if (seen[rule.body]) return;
    seen[rule.body] = true;
    const Body& body = document_.bodies[rule.body];
    for (const Match& match : body.matches)
      if (const auto* set = std::get_if<SetMatch>(&match)) use(set->set);
    // The target may change more sets than one, and what was misread may use any that it names.
    const auto* pass = std::get_if<Pass>(&body.target);
    const bool names_others =
        std::holds_alternative<UnknownTarget>(body.target) || (pass != nullptr && !pass->changes_set.empty());
    if (!names_others) return;
    for (const Word& word : words_of_rule(account_.sources[rule.span.source]->text(rule.span), arena_))
      use(word.text);
  };
  for (const Family family : {Family::ipv4, Family::ipv6})
    for (const auto& table : document_.half(family).tables) {
      if (!table) continue;
      for (const Chain& chain : table->chains) {
        scanned_ += chain.rules.size();
        std::ranges::for_each(chain.rules, look);
      }
    }
  if (scanned_ > most_scanned) {
    refuse(line, "more looks for the sets in use than are taken");
    return false;
  }
  uses_are_known_ = true;
  return true;
}

void Typist::sets(const Line& line, std::span<const Word> words) {
  if (needs_unused(words) && !mark_used_sets(line)) return;
  const auto done = execute(document_.sets, words, {line.span.source, line.span.begin});
  if (!done) return refuse(line, done.error().begin, done.error().end, done.error().message);
  account_.set(line, *done == Executed::nothing ? LineState::no_effect : LineState::decides);
}

// What stands behind it is not run.
void Typist::exit(const Line& line) {
  Lines rest(text_.substr(std::min<std::size_t>(line.span.end, text_.size())), line.span.source);
  while (const auto next = rest.next())
    if (const std::string_view text = trimmed(next->text); !text.empty() && text[0] != '#')
      return refuse(line, "'exit' before other commands: what is read here is run to its end");
  ++understood_;
}

void Typist::command(const Line& line) {
  const std::string_view text = trimmed(line.text);
  if (text == "set -e" || text == "set -eu") ends_at_failure_ = true;
  if (text == "set -e" || text == "set -eu" || is_harmless(text)) {
    ++understood_;
    return;
  }
  if (text == "exit" || text == "exit 0") return exit(line);
  const auto split = shell_words(line.text, arena_);
  if (!split) return refuse(line, split.error().begin, split.error().end, split.error().message);
  std::span<const Word> words(*split);
  while (!words.empty() && (words[0].text == "sudo" || words[0].text == "$" || words[0].text == "#"))
    words = words.subspan(1);
  if (words.empty()) return;
  const Program* program = program_named(words[0].text);
  if (program == nullptr)
    return refuse(line, words[0].begin, words[0].end,
                  fmt::format("expected iptables, ip6tables or ipset, found '{}'", shown(words[0].text)));
  ++understood_;
  words = words.subspan(1);
  if (!program->family) return sets(line, words);
  const Invocation invocation = invocation_of(words);
  if (invocation.fault)
    return refuse(line, invocation.fault->begin, invocation.fault->end, invocation.fault->message);
  if (invocation.words.empty()) return refuse(line, "expected a command such as -I");
  const Place place{*program->family, invocation.table};
  const Word& first = invocation.words[0];
  if (ends_at_failure_ && is_among(first.text, {"-C", "--check"}))
    return refuse(
        line, first.begin, first.end,
        "whether the script goes on behind '-C' is not worked out: 'set -e' ends it where no such rule is");
  const bool is_unseen = !is_shown(place);
  if (is_question(first.text) && (is_unseen || program->backend != Half::Backend::not_said)) return;
  if (is_unseen) return leave_unknown(place, line);
  if (is_of_another_back_end(place, program->backend, line)) return;
  uses_are_known_ = false;
  account_.set(line, LineState::decides);
  interpreter_.run(table_of(place, line.span), place, invocation.words, line);
}

void Typist::begin_fragment(const Line& line) {
  const auto table = table_named(trimmed(line.text.substr(1)));
  fragment_is_refused_ = false;
  if (!table) return refuse(line, "expected raw, mangle, nat, filter or security after '*'");
  ++understood_;
  // Its family: what its lines show, else the only half there is.
  std::optional<Family> family;
  Lines lines(text_.substr(std::min<std::size_t>(line.span.end, text_.size())), line.span.source);
  while (const auto next = lines.next()) {
    const std::string_view text = trimmed(next->text);
    if (text == "COMMIT" || text.starts_with('*')) break;
    Splitter splitter(Grammar::restore, arena_);
    if (const auto words = splitter.split(text); words && !family) family = family_shown(*words);
  }
  place_ = {
      family.value_or(document_.v4.is_there() || !document_.v6.is_there() ? Family::ipv4 : Family::ipv6),
      *table};
  fragment_is_unseen_ = !is_shown(place_);
  if (fragment_is_unseen_) leave_unknown(place_, line);
  const auto& now = document_.half(place_.family)[place_.table];
  fragment_ = now ? *now : Interpreter::empty_table(place_.table, line.span);
}

void Typist::end_fragment(const Line& line) {
  uses_are_known_ = false;
  if (fragment_is_unseen_) account_.set(line, LineState::partly_understood);
  else if (fragment_is_refused_)
    account_.say(Severity::error, line.span, "a line before is refused, and so is the whole fragment",
                 Effect::none);
  else document_.half(place_.family)[place_.table] = std::move(*fragment_);
  fragment_.reset();
}

void Typist::fragment_line(const Line& line) {
  if (trimmed(line.text) == "COMMIT") return end_fragment(line);
  if (fragment_is_unseen_) return account_.set(line, LineState::partly_understood);
  if (line.text[0] == ':') return interpreter_.declare(*fragment_, place_, line);
  Splitter splitter(Grammar::restore, arena_);
  const auto words = splitter.split(line.text);
  if (!words) return refuse(line, words.error().begin, words.error().end, words.error().message);
  if (line.text[0] != '-') return refuse(line, "expected a rule, a chain or COMMIT");
  account_.set(line, LineState::decides);
  if (!interpreter_.run(*fragment_, place_, *words, line)) fragment_is_refused_ = true;
}

void Typist::take_line(const Line& whole) {
  const std::size_t blanks = whole.text.find_first_not_of(" \t");
  if (whole.number == 1 && ends_at_failure(whole.text)) ends_at_failure_ = true;
  if (fragment_ && whole.text.size() > restore_cuts_at)
    return refuse(whole, 0, 1, "iptables-restore would cut a line of this length in two");
  if (blanks == std::string_view::npos || whole.text[blanks] == '#') return;
  Line line = whole;
  line.text = whole.text.substr(blanks);
  line.span.begin += static_cast<std::uint32_t>(blanks);
  if (line.text[0] == '*') {
    if (fragment_) refuse(line, "the fragment before has no COMMIT: nothing of it takes hold");
    return begin_fragment(line);
  }
  if (fragment_) return fragment_line(line);
  command(line);
}

std::optional<Error> Typist::type(std::uint16_t source) {
  const Source& file = *account_.sources[source];
  text_ = file.text();
  Lines lines(text_, source);
  std::size_t taken = 0;
  while (const auto line = lines.next()) {
    take_line(*line);
    ++taken;
  }
  if (fragment_) {
    const auto end = static_cast<std::uint32_t>(text_.size());
    account_.say(Severity::error, {end, end, source}, "the fragment has no COMMIT: nothing of it takes hold",
                 Effect::none);
    fragment_.reset();
  }
  if (taken > 0 && understood_ == 0)
    return Error{.message = "holds no command of iptables, ip6tables or ipset", .file = file.name()};
  return std::nullopt;
}

}  // namespace

std::expected<std::vector<Word>, Fault> shell_words(std::string_view line, std::deque<std::string>& arena) {
  std::vector<Word> words;
  std::string text;
  std::size_t begin = 0;
  bool is_open = false;  // a word has begun
  const auto at = [&](std::size_t i, std::string message) {
    return std::unexpected(Fault{static_cast<std::uint32_t>(i),
                                 static_cast<std::uint32_t>(std::min(i + 1, line.size())),
                                 std::move(message)});
  };
  const auto close = [&](std::size_t end) {
    if (!is_open) return;
    arena.push_back(std::move(text));
    words.push_back(
        {arena.back(), static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), false});
    text.clear();
    is_open = false;
  };
  constexpr std::size_t longest = 64 * 1024;
  if (line.size() > longest) return at(0, fmt::format("a line of {} bytes", line.size()));
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\0') return at(i, "a NUL byte");
    if (c == ' ' || c == '\t') {
      close(i);
      continue;
    }
    if (!is_open && c == '#') break;  // a comment
    if (!is_open) begin = i;
    const bool was_open = std::exchange(is_open, true);
    switch (c) {
      case '\'': {
        const std::size_t end = line.find('\'', i + 1);
        if (end == std::string_view::npos) return at(i, "this quote is not closed");
        text += line.substr(i + 1, end - i - 1);
        i = end;
        break;
      }
      case '"': {
        std::size_t j = i + 1;
        for (; j < line.size() && line[j] != '"'; ++j) {
          if (line[j] == '$' || line[j] == '`') return at(j, "a shell would put something else here");
          if (line[j] == '\\' && j + 1 < line.size() &&
              std::string_view("\\\"$`").find(line[j + 1]) != std::string_view::npos)
            ++j;
          text += line[j];
        }
        if (j >= line.size()) return at(i, "this quote is not closed");
        i = j;
        break;
      }
      case '\\':
        if (i + 1 >= line.size()) return at(i, "a command that goes on in the next line is not read");
        text += line[++i];
        break;
      case '$':
      case '`': return at(i, "a shell would put something else here");
      case '*':
      case '?':
      case '[':
      case '{':
      case '~':
        if (c == '~' && was_open) {
          text += c;
          break;
        }
        return at(i, "a shell may put something else here: put it in quotes");
      case '|':
      case ';':
      case '&':
      case '<':
      case '>':
      case '(':
      case ')': return at(i, fmt::format("'{}' is for a shell: one command a line is read here", c));
      default: text += c;
    }
  }
  close(line.size());
  return words;
}

std::vector<Word> words_of_rule(std::string_view line, std::deque<std::string>& arena) {
  std::vector<Word> words;
  if (line.starts_with('-') || line.starts_with('[')) {
    Splitter splitter(Grammar::restore, arena);
    if (const auto split = splitter.split(line)) words.assign(split->begin(), split->end());
  } else if (const auto split = shell_words(line, arena)) {
    words = invocation_of(*split).words;
  }
  static constexpr std::string_view commands[] = {"-A", "-I", "-R", "--append", "--insert", "--replace"};
  const auto command = std::ranges::find_if(
      words, [](const Word& word) { return std::ranges::find(commands, word.text) != std::end(commands); });
  auto at = static_cast<std::size_t>(command - words.begin()) + 2;
  if (at < words.size() && !words[at].text.starts_with('-') && !words[at].text.starts_with('!')) ++at;
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(std::min(at, words.size())));
  return words;
}

std::optional<Error> type_in(IptablesDocument& document, Account& account, std::uint16_t source) {
  return Typist(document, account).type(source);
}

}  // namespace aclmend::iptables
