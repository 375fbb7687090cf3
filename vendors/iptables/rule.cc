#include "vendors/iptables/rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "vendors/iptables/modules.h"

namespace aclmend::iptables {
namespace {

constexpr int most_tokens_shown = 60;  // bytes of a word that a message repeats

std::string shown(std::string_view text) { return printable(text.substr(0, most_tokens_shown)); }

std::string other_family(Family family) {
  return family == Family::ipv4 ? "an IPv6 address among IPv4 rules" : "an IPv4 address among IPv6 rules";
}

bool has_error(const std::vector<Trouble>& troubles) {
  return std::ranges::any_of(troubles, [](const Trouble& one) { return one.severity == Severity::error; });
}

// ---- one option ---------------------------------------------------------------------------------------

// The options every rule has, whatever modules it loads.
enum class General : std::uint8_t {
  source,
  destination,
  in_interface,
  out_interface,
  protocol,
  jump,
  go_to,
  match,
  fragment,
  set_counters,
  ipv4,
  ipv6,
};
struct GeneralOption {
  std::string_view name;
  General option;
};
constexpr GeneralOption general_options[] = {
    {"source", General::source},
    {"src", General::source},
    {"destination", General::destination},
    {"dst", General::destination},
    {"in-interface", General::in_interface},
    {"out-interface", General::out_interface},
    {"protocol", General::protocol},
    {"proto", General::protocol},
    {"jump", General::jump},
    {"goto", General::go_to},
    {"match", General::match},
    {"fragment", General::fragment},
    {"set-counters", General::set_counters},
    {"ipv4", General::ipv4},
    {"ipv6", General::ipv6},
};

std::optional<General> short_option(char letter) {
  switch (letter) {
    case 's': return General::source;
    case 'd': return General::destination;
    case 'i': return General::in_interface;
    case 'o': return General::out_interface;
    case 'p': return General::protocol;
    case 'j': return General::jump;
    case 'g': return General::go_to;
    case 'm': return General::match;
    case 'f': return General::fragment;
    case 'c': return General::set_counters;
    case '4': return General::ipv4;
    case '6': return General::ipv6;
    default: return std::nullopt;
  }
}

class Parser {
 public:
  Parser(std::span<const Word> words, const RulePlace& place, std::string_view name, Span whole)
      : words_(words), place_(place), name_(name), whole_(whole) {}
  ParsedRule parse();

 private:
  // A choice among the general options, the loaded modules' and the target's.
  struct Choice {
    std::optional<General> general;
    std::size_t module = 0;  // index into loaded_
    const ModuleOption* option = nullptr;
    bool is_ambiguous = false;
    bool is_found() const { return general.has_value() || option != nullptr; }
  };
  Choice chosen(std::string_view name) const;
  void option(const Word& word);
  void take(General option, const Word& word);
  void take(std::size_t module, const ModuleOption& option, const Word& word,
            std::optional<std::string_view> glued);
  void swallow(const Word& word);  // an option of a module that we do not know
  std::optional<Module> protocols_own() const;
  enum class Fit : std::uint8_t { none, shortened, exact };
  Fit protocols_own(std::string_view name) const;  // how it fits an option there
  bool load_protocols_own(std::string_view name);

  void addresses(End end, const Word& word);
  void protocol(const Word& word);
  void interface(model::Dimension dimension, const Word& word);
  void target(const Word& word, bool is_goto);
  void load(const Word& word);
  void counters();
  void finish();

  const Word* argument(const Word& option);
  bool take_negation() { return std::exchange(is_negated_, nullptr) != nullptr; }
  // "-s ! X": how exports up to 1.4.2 wrote it.
  bool old_negation();
  Span span_of(const Word& word) const {
    return {place_.line.begin + word.begin, place_.line.begin + word.end, place_.line.source};
  }
  // A part of a word.
  Span span_of(std::string_view part) const {
    for (const Word& one : words_)
      if (one.text.data() <= part.data() && part.data() + part.size() <= one.text.data() + one.text.size() &&
          !part.empty()) {
        Span span = span_of(one);
        if (span.end - span.begin == one.text.size()) {
          span.begin += static_cast<std::uint32_t>(part.data() - one.text.data());
          span.end = span.begin + static_cast<std::uint32_t>(part.size());
        }
        return span;
      }
    return whole_;
  }
  void error(const Word& word, std::string message) { error(span_of(word), std::move(message)); }
  void error(Span span, std::string message) {
    result_.troubles.push_back({Severity::error, span, std::move(message)});
  }
  void warning(Span span, std::string message) {
    result_.troubles.push_back({Severity::warning, span, std::move(message)});
  }

  std::span<const Word> words_;
  const RulePlace& place_;
  std::string_view name_;
  Span whole_;  // the rule, for what is about no single word
  std::size_t at_ = 0;
  const Word* is_negated_ = nullptr;  // the "!"
  bool has_source_ = false, has_destination_ = false, has_in_ = false, has_out_ = false;
  const Word* jump_ = nullptr;
  bool has_negated_address_ = false, has_address_list_ = false;
  bool said_old_negation_ = false;
  std::vector<Module> loaded_;
  std::string canonical_head_;
  ParsedRule result_;
};

Parser::Choice Parser::chosen(std::string_view name) const {
  Choice exact, shortened;
  std::size_t shortened_count = 0;
  const auto consider = [&](std::string_view option, const Choice& choice) {
    if (option == name) exact = choice;
    else if (option.starts_with(name)) {
      const bool is_same = (shortened.general && choice.general && *shortened.general == *choice.general) ||
                           (shortened.option != nullptr && choice.option != nullptr &&
                            shortened.option->id == choice.option->id && shortened.module == choice.module);
      if (!is_same) ++shortened_count;
      shortened = choice;
    }
  };
  for (const GeneralOption& one : general_options) consider(one.name, {one.option, 0, nullptr});
  for (std::size_t m = 0; m < loaded_.size(); ++m)  // the module loaded last has the last word
    for (const ModuleOption& one : loaded_[m].kind->options) consider(one.name, {std::nullopt, m, &one});
  if (exact.is_found()) return exact;
  if (shortened_count > 1) shortened.is_ambiguous = true;
  return shortened;
}

const Word* Parser::argument(const Word& option) {
  if (at_ >= words_.size()) {
    error(option, fmt::format("expected a value after '{}'", shown(option.text)));
    return nullptr;
  }
  return &words_[at_++];
}

bool Parser::old_negation() {
  if (at_ + 1 >= words_.size() || words_[at_].text != "!" || words_[at_].is_quoted) return false;
  const Word& mark = words_[at_++];
  if (!said_old_negation_)
    warning(
        span_of(mark),
        "'!' stands behind its option, as exports up to iptables 1.4.2 wrote it: today's iptables-restore "
        "refuses it");
  said_old_negation_ = true;
  return true;
}

void Parser::addresses(End end, const Word& word) {
  bool& is_given = end == End::source ? has_source_ : has_destination_;
  bool negated = take_negation();
  if (old_negation()) negated = true;
  const Word* value = argument(word);
  if (value == nullptr) return;
  if (is_given) return error(word, fmt::format("'{}' stands twice", shown(word.text)));
  is_given = true;
  std::vector<AddressTest>& tests = end == End::source ? result_.sources : result_.destinations;
  for (const std::string_view one : split(value->text, ',')) {
    const auto masked = parse_masked_address(one);
    if (!masked) return error(span_of(one), masked.error());
    if (masked->address.family != place_.family) return error(span_of(one), other_family(place_.family));
    tests.push_back(
        {AddressTest::Kind::masked, place_.family, negated, masked->address.number, masked->mask});
  }
  if (tests.size() > 1) has_address_list_ = true;
  if (negated) has_negated_address_ = true;
  constexpr std::size_t longest_list = 1024;
  if (tests.size() > longest_list) {
    tests.clear();
    return error(*value, fmt::format("more than {} addresses in one list", longest_list));
  }
  // Every address: the kernel keeps no test. (Its negation is one that nothing passes.)
  if (tests.size() == 1 && tests[0].second == 0 && tests[0].kind == AddressTest::Kind::masked && !negated)
    tests.clear();
}

void Parser::protocol(const Word& word) {
  bool negated = take_negation();
  if (old_negation()) negated = true;
  const Word* value = argument(word);
  if (value == nullptr) return;
  if (result_.body.protocol) return error(word, fmt::format("'{}' stands twice", shown(word.text)));
  const auto number = parse_protocol(lower(value->text));
  if (!number) return error(*value, fmt::format("expected a protocol, found '{}'", shown(value->text)));
  if (*number == 0) {  // all of them
    if (negated) error(*value, "'! -p all' is nothing");
    return;
  }
  result_.body.protocol = Protocol{*number, negated};
}

void Parser::interface(model::Dimension dimension, const Word& word) {
  bool negated = take_negation();
  if (old_negation()) negated = true;
  const Word* value = argument(word);
  if (value == nullptr) return;
  bool& is_given = dimension == model::Dimension::ingress ? has_in_ : has_out_;
  if (is_given) return error(word, fmt::format("'{}' stands twice", shown(word.text)));
  is_given = true;
  if (const auto hook = hook_named(place_.chain); hook) {
    const bool no_ingress = *hook == Hook::output || *hook == Hook::postrouting;
    const bool no_egress = *hook == Hook::prerouting || *hook == Hook::input;
    if (dimension == model::Dimension::ingress ? no_ingress : no_egress)
      return error(word, fmt::format("'{}' cannot stand in {}", shown(word.text), place_.chain));
  }
  const std::string_view name = value->text;
  constexpr std::size_t longest_interface = 15;
  if (name.empty() || name.size() > longest_interface || name.find_first_of(" \t/") != std::string_view::npos)
    return error(*value, fmt::format("expected an interface, found '{}'", shown(name)));
  if (name == "+" && !negated) return;
  result_.body.matches.push_back(InterfaceMatch{dimension, std::string(name), negated});
}

// "-c 1 2" or "-c 1,2".
void Parser::counters() {
  const auto is_number = [](std::string_view text) { return parse_decimal<std::uint64_t>(text).has_value(); };
  const std::string_view first = at_ < words_.size() ? words_[at_++].text : std::string_view{};
  const std::size_t comma = first.find(',');
  if (comma != std::string_view::npos) {
    if (is_number(first.substr(0, comma)) && is_number(first.substr(comma + 1))) return;
  } else if (is_number(first) && at_ < words_.size() && is_number(words_[at_].text)) {
    ++at_;
    return;
  }
  error(whole_, "expected two counters after '-c'");
}

void Parser::load(const Word& word) {
  if (is_negated_ != nullptr) error(*is_negated_, "'!' cannot stand before '-m'");
  is_negated_ = nullptr;
  const Word* value = argument(word);
  if (value == nullptr) return;
  const auto is_named_so = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; };
  if (value->text.empty() || !std::ranges::all_of(value->text, is_named_so))
    return error(*value, fmt::format("expected the name of a match, found '{}'", shown(value->text)));
  loaded_.push_back(match_module(value->text));
  loaded_.back().has_protocol_before = result_.body.protocol.has_value();
  if (!loaded_.back().is_known())
    warning(span_of(*value),
            fmt::format("no match called '{}' is known here: what it asks for is open", shown(value->text)));
}

void Parser::target(const Word& word, bool is_goto) {
  if (is_negated_ != nullptr) error(*is_negated_, "'!' cannot stand before a target");
  is_negated_ = nullptr;
  const Word* value = argument(word);
  if (value == nullptr) return;
  if (jump_ != nullptr) return error(word, "a rule has one target");
  jump_ = value;
  const std::string_view name = value->text;
  canonical_head_ += fmt::format("{} {};", is_goto ? "-g" : "-j", name);
  if (!is_goto) {
    if (name == "ACCEPT") result_.body.target = Accept{};
    else if (name == "DROP") result_.body.target = Drop{};
    else if (name == "RETURN") result_.body.target = Return{};
    else if (name == "QUEUE") result_.body.target = ProgramDecides{"QUEUE"};
    if (name == "DROP" && place_.table == Table::nat) error(*value, "DROP cannot stand in the nat table");
    if (name == "ACCEPT" || name == "DROP" || name == "RETURN" || name == "QUEUE") return;
  }
  if (place_.chains != nullptr) {
    if (const auto found = place_.chains->index_of(name)) {
      if (hook_named(name) && has_hook(place_.table, *hook_named(name)))
        return error(*value, fmt::format("{} is built in and cannot be called", name));
      result_.body.target = Call{is_goto};
      result_.operands.chain = *found;
      return;
    }
  }
  if (is_goto)
    return error(
        *value, fmt::format("'{}' is no chain of the table {} so far", shown(name), to_string(place_.table)));
  auto module = target_module(name);
  if (!module) {
    error(*value, fmt::format("'{}' is neither a target nor a chain of the table {} so far", shown(name),
                              to_string(place_.table)));
    // Its options are swallowed.
    module = unknown_target(name);
  }
  loaded_.push_back(std::move(*module));
}

void Parser::take(General option, const Word& word) {
  switch (option) {
    case General::source: return addresses(End::source, word);
    case General::destination: return addresses(End::destination, word);
    case General::in_interface: return interface(model::Dimension::ingress, word);
    case General::out_interface: return interface(model::Dimension::egress, word);
    case General::protocol: return protocol(word);
    case General::jump: return target(word, false);
    case General::go_to: return target(word, true);
    case General::match: return load(word);
    case General::fragment: {
      const bool negated = take_negation();
      if (place_.family == Family::ipv6) return error(word, "'-f' is for IPv4");
      result_.body.matches.push_back(Constant{negated});  // a first packet is no later fragment
      canonical_head_ += negated ? "! -f;" : "-f;";
      return;
    }
    case General::set_counters: return counters();
    case General::ipv4:
      if (place_.family == Family::ipv6) result_.is_for_other_family = true;
      return;
    case General::ipv6:
      if (place_.family == Family::ipv4) result_.is_for_other_family = true;
      return;
  }
}

void Parser::take(std::size_t module, const ModuleOption& option, const Word& word,
                  std::optional<std::string_view> glued) {
  Given given{&option, take_negation(), {}};
  if (option.values > 0 && !glued && old_negation()) given.negated = true;
  if (glued && option.values == 0) return error(word, fmt::format("'--{}' takes no value", option.name));
  for (int i = 0; i < option.values; ++i) {
    if (i == 0 && glued) {
      given.values.push_back(*glued);
      continue;
    }
    const Word* value = argument(word);
    if (value == nullptr) return;
    given.values.push_back(value->text);
  }
  Module& owner = loaded_[module];
  if (given.negated && !option.can_be_negated)
    error(word, fmt::format("'!' cannot stand before '--{}'", option.name));
  else if (owner.find(option.id) != nullptr) error(word, fmt::format("'--{}' stands twice", option.name));
  else owner.given.push_back(std::move(given));
}

// An option of the module loaded last, which we know by name at most: its value is what follows up to the
// next option. Options of iptables' own modules take one word; of others nobody here knows.
void Parser::swallow(const Word& word) {
  std::string text = take_negation() ? "! " : "";
  text += word.text;
  std::size_t room = loaded_.back().is_known() ? 1 : words_.size();
  while (room-- > 0 && at_ < words_.size() &&
         !(words_[at_].text.starts_with('-') && words_[at_].text.size() > 1 && !words_[at_].is_quoted) &&
         (words_[at_].text != "!" || words_[at_].is_quoted)) {
    text += " ";
    text += words_[at_++].text;
  }
  loaded_.back().swallowed += text + ";";
}

// `-p tcp --dport 25` loads the match of the protocol by itself.
std::optional<Module> Parser::protocols_own() const {
  if (!result_.body.protocol || result_.body.protocol->negated) return std::nullopt;
  const std::string_view module = module_of_protocol(result_.body.protocol->number);
  if (module.empty() || std::ranges::any_of(loaded_, [&](const auto& one) { return one.name == module; }))
    return std::nullopt;
  return match_module(module);
}

Parser::Fit Parser::protocols_own(std::string_view name) const {
  const auto module = protocols_own();
  Fit fit = Fit::none;
  if (!module) return fit;
  for (const ModuleOption& one : module->kind->options) {
    if (one.name == name) return Fit::exact;
    if (one.name.starts_with(name)) fit = Fit::shortened;
  }
  return fit;
}

bool Parser::load_protocols_own(std::string_view name) {
  if (protocols_own(name) == Fit::none) return false;
  loaded_.push_back(*protocols_own());
  return true;
}

void Parser::option(const Word& word) {
  const std::string_view text = word.text;
  if (!text.starts_with("--")) {
    const auto general = text.size() == 2 ? short_option(text[1]) : std::nullopt;
    if (general) return take(*general, word);
    take_negation();
    return error(word,
                 text.size() > 2 && short_option(text[1])
                     ? fmt::format("'{}': iptables reads no value that is glued to its option", shown(text))
                     : fmt::format("'{}' is no option of a rule", shown(text)));
  }
  std::string_view name = text.substr(2);
  std::optional<std::string_view> glued;
  if (const std::size_t equals = name.find('='); equals != std::string_view::npos) {
    glued = name.substr(equals + 1);
    name = name.substr(0, equals);
  }
  Choice choice = chosen(name);
  const bool is_exact_option = choice.option != nullptr && choice.option->name == name;
  const bool is_exact_general =
      choice.general &&
      std::ranges::any_of(general_options, [&](const GeneralOption& one) { return one.name == name; });
  if (!is_exact_option && !is_exact_general && !loaded_.empty() && loaded_.back().kind->swallows) {
    const Module& last = loaded_.back();
    if (!last.is_known()) return swallow(word);  // the rule is open, whatever else it asks
    // An option of the last module that is not listed; but another test of packets must not be lost in it.
    if (const Fit fit = protocols_own(name); fit != Fit::exact) {
      if (!choice.is_found() && fit == Fit::none) return swallow(word);
      take_negation();
      return error(word,
                   fmt::format("'{}' may be short for another option, or one of {}", shown(text), last.name));
    }
  }
  // The policy match calls one of its options like ours.
  if (is_exact_general && name == "proto" && !loaded_.empty() && loaded_.back().name == "policy")
    return swallow(word);
  if (!choice.is_found() && load_protocols_own(name)) choice = chosen(name);
  if (choice.is_ambiguous) {
    take_negation();
    return error(word, fmt::format("'{}' is short for more than one option", shown(text)));
  }
  if (choice.option != nullptr) return take(choice.module, *choice.option, word, glued);
  if (choice.general) {
    if (glued) {
      take_negation();
      return error(word,
                   fmt::format("'{}': iptables reads no value that is glued to its option", shown(text)));
    }
    return take(*choice.general, word);
  }
  take_negation();
  // A module's option without the module: whatever it asks is not known.
  error(word, fmt::format("'{}' is no option of this rule's matches and target", shown(text)));
}

void Parser::finish() {
  Body& body = result_.body;
  if (has_address_list_ && has_negated_address_)
    error(whole_, "'!' and a list of addresses cannot stand in one rule");
  for (Module& module : loaded_)
    if (auto problem = module.kind->settle(module, place_, body, result_.operands))
      error(problem->word.empty() ? whole_ : span_of(problem->word), std::move(problem->message));
  result_.is_open = std::ranges::any_of(body.matches, [](const Match& match) {
    const auto* open = std::get_if<OpenMatch>(&match);
    return open != nullptr && open->kind == model::ConditionKind::not_understood;
  });
  // The order in which the kernel compares: what is in the header, then the modules as they stand.
  std::string& text = result_.canonical;
  const auto tests = [&](std::string_view what, const std::vector<AddressTest>& list) {
    for (const AddressTest& one : list)
      text +=
          fmt::format("{}{} {:x}{:016x} {:x}{:016x};", one.negated ? "! " : "", what,
                      static_cast<std::uint64_t>(one.first >> 64), static_cast<std::uint64_t>(one.first),
                      static_cast<std::uint64_t>(one.second >> 64), static_cast<std::uint64_t>(one.second));
  };
  tests("-s", result_.sources);
  tests("-d", result_.destinations);
  for (const Match& match : body.matches)
    if (const auto* interface = std::get_if<InterfaceMatch>(&match))
      text += fmt::format("{}-{} {};", interface->negated ? "! " : "",
                          interface->dimension == model::Dimension::ingress ? 'i' : 'o', interface->name);
  if (body.protocol)
    text += fmt::format("{}-p {};", body.protocol->negated ? "! " : "", body.protocol->number);
  text += canonical_head_;
  for (const Module& module : loaded_) text += fmt::format("[{}]", module.canonical());
  if (!has_error(result_.troubles)) return;
  result_.is_open = true;
  body.matches.push_back(OpenMatch{model::ConditionKind::not_understood, std::string(name_)});
  body.target = UnknownTarget{model::ConditionKind::not_understood, std::string(name_)};
}

ParsedRule Parser::parse() {
  while (at_ < words_.size()) {
    const Word& word = words_[at_++];
    if (word.text == "!" && !word.is_quoted) {
      if (is_negated_ != nullptr) error(word, "'!' stands twice");
      is_negated_ = &word;
      continue;
    }
    if (word.text.size() > 1 && word.text.starts_with('-')) {
      option(word);
      continue;
    }
    take_negation();
    error(word, fmt::format("expected an option, found '{}'", shown(word.text)));
  }
  if (is_negated_ != nullptr) error(*is_negated_, "expected an option after '!'");
  finish();
  return std::move(result_);
}

}  // namespace

bool ParsedRule::is_understood() const { return !has_error(troubles); }

ParsedRule parse_rule(std::span<const Word> words, const RulePlace& place, std::string_view name,
                      Span whole) {
  return Parser(words, place, name, whole).parse();
}

}  // namespace aclmend::iptables
