#include "vendors/iptables/script.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "vendors/iptables/ipset_command.h"
#include "vendors/iptables/reader.h"

namespace aclmend::iptables {
namespace {

std::string shown(std::string_view text) { return printable(text.substr(0, 60)); }

// Programs that change rules here, and for which family.
struct Program {
  std::string_view name;
  std::optional<Family> family;  // none: ipset
};
constexpr Program programs[] = {
    {"iptables", Family::ipv4},  {"iptables-nft", Family::ipv4},  {"iptables-legacy", Family::ipv4},
    {"ip6tables", Family::ipv6}, {"ip6tables-nft", Family::ipv6}, {"ip6tables-legacy", Family::ipv6},
    {"ipset", std::nullopt}};

// Commands that keep or show what is there.
constexpr std::string_view harmless[] = {"netfilter-persistent save",
                                         "service iptables save",
                                         "service ip6tables save",
                                         "ipset save",
                                         "ipset list",
                                         "iptables-save",
                                         "ip6tables-save",
                                         "set -e",
                                         "set -eu",
                                         "exit 0"};

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

Invocation invocation_of(std::span<const Word> words) {
  Invocation result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view text = words[i].text;
    std::string_view table;
    if (text == "-t" || text == "--table") {
      if (i + 1 >= words.size()) {
        result.fault = Fault{words[i].begin, words[i].end, "expected a table after '-t'"};
        return result;
      }
      table = words[++i].text;
    } else if (text.starts_with("--table=")) {
      table = text.substr(std::string_view("--table=").size());
    } else if (text == "-w" || text == "--wait" || text == "-W" || text == "--wait-interval") {
      if (i + 1 < words.size() && parse_decimal<std::uint32_t>(words[i + 1].text)) ++i;
      continue;
    } else if (text.starts_with("--wait=") || text == "-v" || text == "--verbose" || text == "-n" ||
               text == "--numeric" || text == "--line-numbers") {
      continue;
    } else {
      result.words.push_back(words[i]);
      continue;
    }
    const auto named = table_named(table);
    if (!named) {
      result.fault =
          Fault{words[i].begin, words[i].end,
                fmt::format("expected raw, mangle, nat, filter or security, found '{}'", shown(table))};
      return result;
    }
    result.table = *named;
  }
  return result;
}

class Typist {
 public:
  Typist(IptablesDocument& document, Account& account)
      : document_(document), account_(account), interpreter_(document, account, Interpreter::Strict::yes) {}
  std::optional<Error> type(std::uint16_t source);

 private:
  void take_line(const Line& line);
  void command(const Line& line);
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
  // A fragment takes hold at its COMMIT, wholly or not at all.
  std::optional<Chains> fragment_;
  Place place_;
  bool fragment_is_refused_ = false;
};

void Typist::sets(const Line& line, std::span<const Word> words) {
  const auto done = execute(document_.sets, words, {line.span.source, line.span.begin});
  if (!done) return refuse(line, done.error().begin, done.error().end, done.error().message);
  account_.set(line, *done == Executed::nothing ? LineState::no_effect : LineState::decides);
}

void Typist::command(const Line& line) {
  const std::string_view text = trimmed(line.text);
  if (std::ranges::any_of(harmless, [&](std::string_view one) {
        return text == one || (text.starts_with(one) && text.substr(one.size()).starts_with(" >"));
      })) {
    ++understood_;
    return;
  }
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
  const auto& now = document_.half(place_.family)[place_.table];
  fragment_ = now ? *now : Interpreter::empty_table(place_.table, line.span);
}

void Typist::end_fragment(const Line& line) {
  if (fragment_is_refused_)
    account_.say(Severity::error, line.span, "a line before is refused, and so is the whole fragment",
                 Effect::none);
  else document_.half(place_.family)[place_.table] = std::move(*fragment_);
  fragment_.reset();
}

void Typist::fragment_line(const Line& line) {
  if (trimmed(line.text) == "COMMIT") return end_fragment(line);
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
  if (blanks == std::string_view::npos || whole.text[blanks] == '#') return;
  Line line = whole;
  line.text = whole.text.substr(blanks);
  line.span.begin += static_cast<std::uint32_t>(blanks);
  if (line.text[0] == '*') return begin_fragment(line);
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
  if (at < words.size() && parse_decimal<std::uint32_t>(words[at].text)) ++at;
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(std::min(at, words.size())));
  return words;
}

std::optional<Error> type_in(IptablesDocument& document, Account& account, std::uint16_t source) {
  return Typist(document, account).type(source);
}

}  // namespace aclmend::iptables
