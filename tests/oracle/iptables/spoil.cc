#include "tests/oracle/iptables/spoil.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "tests/oracle/iptables/invent.h"
#include "tests/oracle/iptables/opinion.h"
#include "tests/oracle/iptables/scene.h"

namespace aclmend::oracle {
namespace {

using Lines = std::vector<std::string>;

Lines lines_of(std::string_view text) {
  Lines lines;
  for (const std::string_view line : split(text, '\n'))
    if (!line.empty()) lines.emplace_back(line);
  return lines;
}

Lines one_table(const std::string& rules, Dice& dice) {
  std::vector<Lines> tables;
  for (const std::string& line : lines_of(rules)) {
    if (line.starts_with('*')) tables.emplace_back();
    tables.back().push_back(line);
  }
  return dice.of(tables);
}

// ---- changes of one rule ------------------------------------------------------------------------------

using Words = std::vector<std::string>;

Words words_of(const std::string& line) {
  Words words;
  bool is_quoted = false, is_escaped = false;
  words.emplace_back();
  for (const char c : line) {
    if (c == ' ' && !is_quoted) {
      words.emplace_back();
      continue;
    }
    words.back() += c;
    if (c == '"' && !is_escaped) is_quoted = !is_quoted;
    is_escaped = c == '\\' && !is_escaped;
  }
  return words;
}

std::string odd_value(Dice& dice) {
  return dice.of({"65536",
                  "-1",
                  "0x19",
                  "031",
                  "\"\"",
                  "30:20",
                  "1:",
                  ":",
                  "25,26",
                  "99999999999",
                  "10/8",
                  "10.1",
                  "010.0.0.1",
                  "10.0.0.0/33",
                  "1.2.3.4/08",
                  "1.2.3.4/",
                  "2001:db8::/129",
                  "::1/64",
                  "1.2.3.4/255",
                  "smtp",
                  "smtp:587",
                  "tcp",
                  "255",
                  "256",
                  "NEW",
                  "new",
                  "NEW,FOO",
                  "DNAT",
                  "src,dst",
                  "src,foo",
                  "eth0",
                  "eth+",
                  "interface-too-long",
                  "0x1/0x2/0x3",
                  "0xffffffff/0x1",
                  "4294967296",
                  "ACCEPT",
                  "DROP",
                  "MASQUERADE",
                  "accept",
                  "U",
                  "1.2.3.4-1.2.3.9",
                  "1.2.3.9-1.2.3.4",
                  "1.2.3.4:25",
                  ":25",
                  ":25-20",
                  "[2001:db8::1]:25",
                  "LOCAL,UNICAST",
                  "LOCALE",
                  "8/0",
                  "any",
                  "echo-request",
                  "SYN,ACK",
                  "ALL"});
}

void change_words(Words& words, Dice& dice) {
  if (words.size() < 3) return;
  const std::size_t at = dice.between(2, words.size() - 1);
  std::string& word = words[at];
  switch (dice.below(15)) {
    case 0: words.erase(words.begin() + static_cast<std::ptrdiff_t>(at)); return;
    case 1: words.insert(words.begin() + static_cast<std::ptrdiff_t>(at), word); return;
    case 2: std::swap(word, words[at - 1]); return;
    case 3: words.insert(words.begin() + static_cast<std::ptrdiff_t>(at), "!"); return;
    case 4:
    case 5:
    case 6: word = odd_value(dice); return;
    case 7:
      if (word.starts_with("--") && word.size() > 5) word.resize(word.size() - dice.between(1, 4));
      return;
    case 8:
      if (at + 1 < words.size() && word.starts_with("--")) {
        word += "=" + words[at + 1];
        words.erase(words.begin() + static_cast<std::ptrdiff_t>(at) + 1);
      }
      return;
    case 9:
      for (char& c : word) c = static_cast<char>(dice.one_in(2) ? std::toupper(c) : std::tolower(c));
      return;
    case 10: std::ranges::replace(word, '"', '\''); return;
    case 11:
      if (const std::size_t quote = word.rfind('"'); quote != word.npos) word.erase(quote, 1);
      return;
    case 12:
      words.push_back(
          dice.of({"# x", "-4", "-6", "!", "-j RETURN", "-m comment", "-p tcp", "-c 1 2", "-c 1", "--ipv4"}));
      return;
    case 13: {  // a word of some other rule's stock
      words.insert(words.begin() + 2,
                   dice.of({"-s 1.2.3.0/24", "-d 2001:db8::/32", "-p udp", "-i eth0", "-o eth1", "-m tcp",
                            "-f", "-m multiport --dports 25:25", "-m multiport --ports 1,2",
                            "-m set --match-set nowhere src", "-m limit", "-m state --state NEW",
                            "-m icmp --icmp-type 8", "-m mark --mark 1", "-m nonsense --x 1", "--dport 25",
                            "-m addrtype --dst-type LOCAL", "-p icmp -m icmp"}));
      return;
    }
    default:
      words[0] = dice.of({"-A", "-I", "-D", "-R", "-N", "-X", "-F", "-P", "-Z", "-E", "--append"});
      return;
  }
}

// ---- changes of the file ------------------------------------------------------------------------------

void change_lines(Lines& lines, Dice& dice) {
  const std::size_t at = dice.below(lines.size());
  const auto place = lines.begin() + static_cast<std::ptrdiff_t>(at);
  std::string& line = *place;
  switch (dice.below(13)) {
    case 0: lines.erase(place); return;
    case 1: lines.insert(place, std::string(line)); return;
    case 2: std::swap(line, lines[dice.below(lines.size())]); return;
    case 3:
      if (line.starts_with('-')) line = " " + line;
      return;
    case 4: line += " # x"; return;
    case 5: line = dice.of({"[1:2] ", "[1:2]", "[1:2 ", "[] ", "1:2 "}) + line; return;
    case 6:
      lines.insert(place, dice.of({"# a comment",
                                   "",
                                   "*filter",
                                   "*broute",
                                   "COMMIT",
                                   ":NEW-ONE - [0:0]",
                                   ":INPUT DROP [0:0]",
                                   ":INPUT ACCEPT",
                                   ":INPUT",
                                   ":INPUT drop [0:0]",
                                   ":USER DROP [0:0]",
                                   ":a-name-of-more-than-28-bytes-xx - [0:0]",
                                   "hello",
                                   "-N ONE",
                                   "-P INPUT DROP",
                                   "-F INPUT",
                                   "-X",
                                   "-F",
                                   ":U - [0:0",
                                   ":U - [0]",
                                   ": - [0:0]",
                                   ":! - [0:0]",
                                   ":ACCEPT - [0:0]"}));
      return;
    case 7: lines.push_back(dice.of({"hello", "COMMIT", "# done", "*filter", "-A INPUT -j DROP"})); return;
    case 8: std::erase(lines, "COMMIT"); return;
    default: {
      std::vector<std::size_t> rules;
      for (std::size_t i = 0; i < lines.size(); ++i)
        if (lines[i].starts_with('-')) rules.push_back(i);
      if (rules.empty()) return;
      std::string& rule = lines[dice.of(rules)];
      Words words = words_of(rule);
      change_words(words, dice);
      rule = fmt::format("{}", fmt::join(words, " "));
    }
  }
}

// ---- where we mean to differ --------------------------------------------------------------------------

// What the tools or we say there, and why the difference stays.
struct Excuse {
  std::string_view words, reason;
};
constexpr Excuse excuses[] = {
    {"doesn't exist", "exports come without their sets: what hangs on them is unknown"},
    {"bad value for option", "values of matches and targets that leave the answer open are not looked at"},
    {"Unknown --connbytes-mode", "the same"},
    {"Illegal option", "-Z and -F do what they do, whatever else stands behind them"},
    {"invalid port/service", "the machine's own list of services has no names for SCTP"},
    {"multiple -p flags", "'-p all' says nothing, so another -p may follow"},
    {"short and octal spellings", "they mean something else than they seem to: told, never guessed"},
    {"expected '[packets:bytes]", "broken counters that nft alone takes"},
    {"expected TCP flags, found ''", "an empty list that nft alone takes"},
    {"expected an option, found", "words that no option takes, behind which anything may stand"},
    {"is no option of a rule", "the same"},
};

bool is_excused(std::string_view difference) {
  return std::ranges::any_of(
      excuses, [&](const Excuse& one) { return difference.find(one.words) != difference.npos; });
}

std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

}  // namespace

RuleSet spoilt(std::uint64_t seed, Family family, const Plan& plan) {
  Dice dice(seed);
  RuleSet rules = invent(seed, Taste::anything, family, Backend::nft, plan).rules;
  Lines lines = one_table(rules.rules, dice);
  for (std::size_t changes = dice.between(1, 2); changes > 0 && !lines.empty(); --changes)
    change_lines(lines, dice);
  rules.rules = fmt::format("{}\n", fmt::join(lines, "\n"));
  if (rules.rules.find("--match-set") == std::string::npos) rules.sets.clear();
  return rules;
}

Result<Loading> loading(Stage& stage, const RuleSet& rules) {
  Loading loading;
  for (const Backend backend : {Backend::nft, Backend::legacy}) {
    RuleSet one = rules;
    one.backend = backend;
    const auto done = stage.load(one);
    (done ? loading.is_taken : loading.is_refused) = true;
    if (!done) loading.said = done.error().message;
  }
  const auto opinion = Opinion::read(rules, stage.plan());
  if (!opinion) {
    loading.is_error = true;
    loading.we_said = to_string(opinion.error());
    return loading;
  }
  loading.is_silent = true;
  for (const Diagnostic& one : opinion->diagnostics().all()) {
    loading.is_error |= one.severity == Severity::error;
    loading.is_silent &= one.severity == Severity::note;
    loading.we_said += one.message + "; ";
  }
  return loading;
}

Result<std::string> load_complaint(Stage& stage, std::uint64_t seed, Family family) {
  RuleSet rules = spoilt(seed, family, stage.plan());
  const auto differs = [&](const RuleSet& one) -> Result<std::string> {
    TRY(result, loading(stage, one));
    if (result.is_silent && !result.is_taken)
      return fmt::format("taken without a word, but: {}", first_line(result.said));
    if (result.is_error && !result.is_refused) return fmt::format("we refuse what loads: {}", result.we_said);
    return std::string();
  };
  TRY(first, differs(rules));
  if (first.empty() || is_excused(first)) return std::string();
  Lines lines = lines_of(rules.rules);
  for (std::size_t i = lines.size(); i > 0; --i) {
    Lines less = lines;
    less.erase(less.begin() + static_cast<std::ptrdiff_t>(i) - 1);
    RuleSet candidate = rules;
    candidate.rules = fmt::format("{}\n", fmt::join(less, "\n"));
    TRY(now, differs(candidate));
    if (now.substr(0, 12) != first.substr(0, 12)) continue;
    lines = less;
    rules = candidate;
    first = now;
  }
  return fmt::format("# seed {} {}: {}\n{}{}", seed, family == Family::ipv4 ? "IPv4" : "IPv6", first,
                     rules.sets, rules.rules);
}

}  // namespace aclmend::oracle
