#include "vendors/iptables/skeleton.h"

#include <fmt/format.h>

#include <algorithm>

#include "vendors/iptables/words.h"

namespace aclmend::iptables {
namespace {

std::string_view first_word(std::string_view text) { return text.substr(0, text.find(' ')); }

char mark_of(Operand operand) { return static_cast<char>(1 + static_cast<int>(operand)); }

}  // namespace

void Skeleton::forget() {
  hole_count_ = 0;
  has_ = {};
  taken_.clear();
}

bool Skeleton::scan(std::string_view rule, const RulePlace& place) {
  text_.clear();
  is_for_many_ = true;
  forget();
  if (has_control_characters(rule)) return false;
  std::size_t literal = 0;  // where the text begins that is not copied yet
  bool negated = false;
  for (std::size_t at = 0; at < rule.size();) {
    const std::string_view word = first_word(rule.substr(at));
    at += word.size() + 1;
    const auto asked = operand_of(word);
    const bool is_negated = std::exchange(negated, word == "!");
    if (!asked || at >= rule.size()) continue;
    const auto [length, kind] = taken_.take(*asked, rule.substr(at), is_negated, place);
    if (length == 0) continue;
    bool& has = has_[static_cast<std::size_t>(kind)];
    if ((has && kind != Operand::comment) || hole_count_ == holes_.size()) return false;
    has = true;
    holes_[hole_count_++] = {kind, at, at + length};
    text_.append(rule, literal, at - literal);
    text_ += mark_of(kind);
    literal = at + length;
    at = literal + 1;
  }
  if (literal < rule.size()) text_.append(rule, literal);
  if (text_.find('"') != text_.npos) {
    text_ = rule;
    is_for_many_ = false;
    forget();
  }
  return true;
}

// ---- learning -----------------------------------------------------------------------------------------

Operands Skeleton::with_own(Operands fixed) const {
  if (has_ports()) fixed.ports = taken_.operands.ports;
  if (has_chain()) fixed.chain = taken_.operands.chain;
  if (has_goal()) fixed.goal = taken_.operands.goal;
  return fixed;
}

bool Skeleton::agrees_with(const ParsedRule& parsed) const {
  const auto is = [](const std::vector<AddressTest>& tests, const Taken::Place& place) {
    const bool is_prefix = place.prefix.kind == model::AddressTerm::Kind::v4;
    if (!is_prefix && !place.test) return tests.empty();
    const AddressTest test = place.test.value_or(AddressTest{
        AddressTest::Kind::masked, Family::ipv4, false, place.prefix.value, netmask(place.prefix.length)});
    return tests.size() == 1 && tests.front() == test;
  };
  // Whatever is about one line alone is read in full each time.
  return parsed.troubles.empty() && !parsed.is_for_other_family && is(parsed.sources, taken_.source) &&
         is(parsed.destinations, taken_.destination) && with_own(parsed.operands) == parsed.operands &&
         (!has_ports() || parsed.body.asks_port);
}

// The same rule about something else in each of its places.
std::string Skeleton::with_others(std::string_view rule, const RulePlace& place) const {
  const bool is_v4 = place.family == Family::ipv4;
  const auto other_address = [&](std::string_view address) -> std::string_view {
    if (is_v4) return address.starts_with("198.51.100.7") ? "198.51.100.8/32" : "198.51.100.7/32";
    return address.starts_with("2001:db8::7") ? "2001:db8::8/128" : "2001:db8::7/128";
  };
  std::string other;
  std::size_t at = 0;
  for (const Hole& hole : std::span(holes_).first(hole_count_)) {
    other.append(rule, at, hole.begin - at);
    at = hole.end;
    switch (hole.kind) {
      case Operand::source:
      case Operand::destination: other += other_address(rule.substr(hole.begin)); break;
      case Operand::ports: other += taken_.operands.ports.first == 1717 ? "2727:2828" : "1717"; break;
      case Operand::comment: other += "\"some other words\""; break;
      case Operand::goal: other += "198.51.100.9"; break;
      case Operand::goal_with_port: other += "198.51.100.9:1919"; break;
      case Operand::chain: {
        const auto& chains = place.chains->chains;
        const auto one = std::ranges::find_if(chains, [&](const Chain& chain) {
          return &chain != &chains[taken_.operands.chain] && !chain.is_removed && !hook_named(chain.name);
        });
        other += one == chains.end() ? chains[taken_.operands.chain].name : one->name;
        break;
      }
    }
  }
  return other.append(rule.substr(at));
}

std::optional<ParsedRule> Skeleton::learn(std::string_view rule, const RulePlace& place,
                                          std::deque<std::string>& arena) const {
  const auto parse = [&](std::string_view text) -> std::optional<ParsedRule> {
    Splitter splitter(Grammar::restore, arena);
    const auto words = splitter.split(text);
    if (!words) return std::nullopt;
    return parse_rule(*words, place, "", place.line);
  };
  auto parsed = parse(rule);
  if (!parsed || !agrees_with(*parsed)) return std::nullopt;
  if (hole_count_ == 0) return parsed;
  const std::string other_text = with_others(rule, place);
  Skeleton other;
  if (!other.scan(other_text, place) || other.text_ != text_) return std::nullopt;
  const auto other_parsed = parse(other_text);
  const bool is_same = other_parsed && other.agrees_with(*other_parsed) &&
                       other_parsed->body == parsed->body && other_parsed->is_open == parsed->is_open &&
                       other.with_own(parsed->operands) == other_parsed->operands;
  return is_same ? std::move(parsed) : std::nullopt;
}

}  // namespace aclmend::iptables
