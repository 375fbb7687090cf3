// A line whose skeleton was learnt is not read again: whatever its operands are, reading it in full must come
// to the same. What the tree of the learnt ones finds must be what scanning finds.
#include "vendors/iptables/skeleton.h"

#include <fmt/format.h>

#include <random>

#include "tests/support/test.h"
#include "vendors/iptables/commands.h"
#include "vendors/iptables/patterns.h"
#include "vendors/iptables/words.h"

namespace aclmend::iptables {
namespace {

// A table with two chains of its own.
Chains table_with_chains(Table table) {
  Chains chains = Interpreter::empty_table(table, {});
  for (const std::string_view name : {"MAIL", "25"}) chains.add(name, {});
  return chains;
}

class Text {
 public:
  explicit Text(Table table = Table::filter, Family family = Family::ipv4)
      : chains_(table_with_chains(table)), place_{family, table, &chains_, "MAIL", {}} {}

  // Of one text learnt, of another with the same skeleton taken, each as reading in full has it.
  enum class Outcome : std::uint8_t { not_learnt, other_skeleton, same, differs };
  Outcome compare(const std::string& one, const std::string& other) {
    Skeleton skeleton, second;
    if (!skeleton.scan(one, place_)) return Outcome::not_learnt;
    const auto learnt = skeleton.learn(one, place_, arena_);
    if (!learnt) return Outcome::not_learnt;
    if (!second.scan(other, place_) || second.text() != skeleton.text()) return Outcome::other_skeleton;
    Splitter splitter(Grammar::restore, arena_);
    const auto words = splitter.split(other);
    if (!words) return Outcome::differs;
    const ParsedRule parsed = parse_rule(*words, place_, "", {});
    Operands operands = learnt->operands;
    if (second.has_ports()) operands.ports = second.taken().operands.ports;
    if (second.has_chain()) operands.chain = second.taken().operands.chain;
    if (second.has_goal()) operands.goal = second.taken().operands.goal;
    const bool is_same = parsed.troubles.empty() && parsed.body == learnt->body &&
                         parsed.is_open == learnt->is_open && parsed.operands == operands &&
                         !parsed.is_for_other_family && is(second.taken().source, parsed.sources) &&
                         is(second.taken().destination, parsed.destinations);
    return is_same ? Outcome::same : Outcome::differs;
  }
  // Learns a text into the tree; false: it cannot be.
  bool grow(const std::string& text) {
    Skeleton skeleton;
    if (!skeleton.scan(text, place_) || !skeleton.is_for_many() || !skeleton.learn(text, place_, arena_))
      return false;
    if (std::ranges::find(grown_, skeleton.text()) == grown_.end()) {
      patterns_.add(skeleton.text(), static_cast<std::uint32_t>(grown_.size()));
      grown_.push_back(skeleton.text());
    }
    return true;
  }
  // Whether the tree says of a text what scanning says.
  enum class Tree : std::uint8_t { agrees, agrees_on_none, differs };
  Tree ask_tree(const std::string& text) const {
    Skeleton skeleton;
    Taken taken;
    const std::uint32_t meaning = patterns_.find(text, place_, taken);
    const bool is_scanned = skeleton.scan(text, place_) && skeleton.is_for_many();
    const auto known = std::ranges::find(grown_, skeleton.text());
    if (!is_scanned || known == grown_.end())
      return meaning == Patterns::none ? Tree::agrees_on_none : Tree::differs;
    const auto same = [](const Taken::Place& a, const Taken::Place& b) {
      return a.prefix == b.prefix && a.test == b.test;
    };
    return meaning == static_cast<std::size_t>(known - grown_.begin()) &&
                   same(taken.source, skeleton.taken().source) &&
                   same(taken.destination, skeleton.taken().destination) &&
                   taken.operands == skeleton.taken().operands
               ? Tree::agrees
               : Tree::differs;
  }
  bool is_learnt(const std::string& text) { return compare(text, text) != Outcome::not_learnt; }

 private:
  static bool is(const Taken::Place& place, const std::vector<AddressTest>& tests) {
    if (place.test) return tests.size() == 1 && tests.front() == *place.test;
    if (place.prefix.kind == model::AddressTerm::Kind::any) return tests.empty();
    return tests.size() == 1 && tests.front().family == Family::ipv4 && !tests.front().negated &&
           tests.front().first == place.prefix.value && tests.front().second == netmask(place.prefix.length);
  }

  Chains chains_;
  RulePlace place_;
  std::deque<std::string> arena_;
  Patterns patterns_;
  std::vector<std::string> grown_;  // what stands in the tree
};

TEST_CASE("what iptables-save prints is learnt once", "[iptables]") {
  Text filter;
  CHECK(filter.compare("-s 192.0.2.0/24 -d 10.1.1.25/32 -p tcp -m tcp --dport 25 -j ACCEPT",
                       "-s 40.92.0.0/15 -d 10.9.9.9/32 -p tcp -m tcp --dport 80:90 -j ACCEPT") ==
        Text::Outcome::same);
  CHECK(filter.compare("! -s 192.0.2.0/24 -i eth0 -p tcp -m comment --comment \"one, two\" -j MAIL",
                       "! -s 10.0.0.0/255.0.0.255 -i eth0 -p tcp -m comment --comment three -j 25") ==
        Text::Outcome::same);
  CHECK(filter.compare("-s 192.0.2.0/24 -j DROP", "! -s 192.0.2.0/24 -j DROP") ==
        Text::Outcome::other_skeleton);
  Text nat(Table::nat);
  CHECK(nat.compare("-p tcp -m tcp --dport 25 -j DNAT --to-destination 10.1.1.25:25",
                    "-p tcp -m tcp --dport 26 -j DNAT --to-destination 10.1.1.26:2525") ==
        Text::Outcome::same);
  Text v6(Table::filter, Family::ipv6);
  CHECK(v6.compare("-s 2001:db8::/32 -p tcp -m tcp --dport 25 -j ACCEPT",
                   "-s 2a01:111:f400::/48 -p tcp -m tcp --dport 25 -j ACCEPT") == Text::Outcome::same);
}

TEST_CASE("what only looks like an operand is not learnt", "[iptables]") {
  Text filter;
  for (const char* text :
       {"-p tcp --dport smtp -m owner --dport 25 -j ACCEPT", "-m comment --comment ! -j ACCEPT",
        "-m tcp --dport 25 -j ACCEPT", "-p tcp -m nosuch --dport 25 -m tcp --destination-port 25 -j ACCEPT",
        "-s 192.0.2.1 -s 192.0.2.2 -j DROP", "-p tcp --dport 25 -j INPUT", "-p icmp --dport 25 -j DROP",
        "-s 192.0.2.0/24 -6 -j DROP", "-s ! 192.0.2.0/24 -j DROP"}) {
    INFO(text);
    CHECK_FALSE(filter.is_learnt(text));
  }
  // A rule of its own for each: quotes may hide anything.
  CHECK(filter.compare("-j LOG --log-prefix \"a -j MAIL \"", "-j LOG --log-prefix \"a -j 25 \"") ==
        Text::Outcome::other_skeleton);
  // A port where the protocol has none is an error, a bare address is not.
  Text nat(Table::nat);
  CHECK(nat.compare("-j DNAT --to-destination 10.1.1.25", "-j DNAT --to-destination 10.1.1.25:25") ==
        Text::Outcome::other_skeleton);
}

// ---- random texts -------------------------------------------------------------------------------------

constexpr const char* addresses[] = {"192.0.2.1",  "192.0.2.0/24", "10.0.0.0/255.0.0.255", "0.0.0.0/0",
                                     "010.0.0.1",  "10.1",         "198.51.100.7/32",      "mx.example.org",
                                     "10.0.0.0/8", "10.1.2.3/8",   "192.0.2.1,192.0.2.2",  "10.0.0.0/33",
                                     "!",          "2001:db8::1"};
constexpr const char* ports[] = {"25",  "80:90", "1717",  ":1023", "0",
                                 "025", "65536", "90:80", "smtp",  "25,26"};
constexpr const char* comments[] = {"plain",     "\"two words\"", "\"-j MAIL\"", "\"a\\\"b\"",    "!",
                                    "--dport",   "\"\"",          "\"x",         "it\"s",         "-j",
                                    "\"--x 1\"", "a\"b c\"",      "25",          "\"--dport 25\""};
constexpr const char* targets[] = {"ACCEPT", "DROP",   "MAIL",    "25",    "LOG",
                                   "INPUT",  "RETURN", "NOWHERE", "REJECT"};
constexpr const char* goals[] = {"10.1.1.25",   "10.1.1.25:25",    "10.1.1.1-10.1.1.9", ":25",
                                 "10.1.1.25:0", "10.1.1.25:25-30", "010.1.1.1"};
// "@a" an address, "@p" a port, "@c" a comment, "@t" a target, "@g" a goal.
constexpr const char* fragments[] = {"-s @a",
                                     "-d @a",
                                     "! -s @a",
                                     "-s ! @a",
                                     "--source @a",
                                     "-p tcp",
                                     "-p udp",
                                     "! -p tcp",
                                     "-m tcp",
                                     "--dport @p",
                                     "! --dport @p",
                                     "--sport @p",
                                     "-m multiport",
                                     "--dports @p",
                                     "-m multiport --dport @p",
                                     "-m comment --comment @c",
                                     "--comment @c",
                                     "-m unknown --thing @p",
                                     "-m time --dport @p",
                                     "-m string --string --dport @p",
                                     "-m string --string @c",
                                     "-j @t",
                                     "-g @t",
                                     "-j LOG --log-prefix @c",
                                     "-j DNAT --to-destination @g",
                                     "--to-destination @g",
                                     "-i eth0",
                                     "-m conntrack --ctstate NEW",
                                     "-m recent --name @p --set",
                                     "-6",
                                     "!"};

template <std::size_t N>
const char* of(const char* const (&choices)[N], std::mt19937& dice) {
  return choices[dice() % N];
}

// Mostly what loads, which stands first: else hardly any text would be learnt.
template <std::size_t N>
const char* operand(const char* const (&choices)[N], std::size_t good, std::mt19937& dice) {
  return dice() % 8 == 0 ? of(choices, dice) : choices[dice() % good];
}

std::string filled_in(std::string text, std::mt19937& dice) {
  for (std::size_t at = text.find('@'); at != text.npos; at = text.find('@', at)) {
    const std::string_view value = [&]() -> std::string_view {
      switch (text[at + 1]) {
        case 'a': return operand(addresses, 3, dice);
        case 'p': return operand(ports, 3, dice);
        case 'c': return operand(comments, 3, dice);
        case 't': return operand(targets, 4, dice);
        default: return operand(goals, 2, dice);
      }
    }();
    text.replace(at, 2, value);
    at += value.size();
  }
  return text;
}

TEST_CASE("a line of a learnt skeleton is what reading it in full makes of it", "[iptables][property]") {
  std::size_t same = 0, not_learnt = 0;
  rc::prop("random texts, each with two sets of operands", [&] {
    const auto seed = *rc::gen::arbitrary<std::uint32_t>();
    std::mt19937 dice(seed);
    Text text(dice() % 2 == 0 ? Table::filter : Table::nat);
    // Most in an order that loads, with whatever may be wrong at one place.
    std::string frame;
    if (dice() % 4 != 0) {
      frame = "-s @a -p tcp -m comment --comment @c -m tcp --dport @p -j @t";
      if (dice() % 3 == 0) frame = "-d @a -p tcp -m tcp --dport @p -j DNAT --to-destination @g";
      if (dice() % 3 == 0) frame = std::string(of(fragments, dice)) + " " + frame;
    } else {
      const std::size_t count = 1 + dice() % 6;
      for (std::size_t i = 0; i < count; ++i) frame += std::string(i == 0 ? "" : " ") + of(fragments, dice);
    }
    const std::string one = filled_in(frame, dice);
    for (int i = 0; i < 8; ++i) {
      const std::string other = filled_in(frame, dice);
      const auto outcome = text.compare(one, other);
      same += outcome == Text::Outcome::same ? 1 : 0;
      not_learnt += outcome == Text::Outcome::not_learnt ? 1 : 0;
      if (outcome == Text::Outcome::differs) RC_FAIL(fmt::format("learnt {}\nread   {}", one, other));
    }
  });
  CHECK(same > 0);
  CHECK(not_learnt > 0);
}

TEST_CASE("the tree of skeletons finds what scanning finds", "[iptables][property]") {
  std::size_t agrees = 0, agrees_on_none = 0, grown = 0;
  rc::prop("random texts of several frames, half of them learnt", [&] {
    const auto seed = *rc::gen::arbitrary<std::uint32_t>();
    std::mt19937 dice(seed);
    Text text(dice() % 2 == 0 ? Table::filter : Table::nat);
    for (int i = 0; i < 12; ++i) {
      std::string frame;
      switch (dice() % 4) {
        case 0: frame = "-s @a -p tcp -m comment --comment @c -m tcp --dport @p -j @t"; break;
        case 1: frame = "-d @a -p tcp -m tcp --dport @p -j DNAT --to-destination @g"; break;
        case 2: frame = "-s @a -d @a -j @t"; break;
        default:
          for (std::size_t count = 1 + dice() % 5; count > 0; --count)
            frame += std::string(frame.empty() ? "" : " ") + of(fragments, dice);
      }
      std::string other = filled_in(frame, dice);
      if (dice() % 8 == 0) other[dice() % other.size()] = "\t\x01 -\"!1"[dice() % 7];
      if (dice() % 8 == 0) other.resize(dice() % other.size());
      const auto before = text.ask_tree(other);
      if (before == Text::Tree::differs) RC_FAIL(fmt::format("the tree differs about {}", other));
      agrees += before == Text::Tree::agrees ? 1 : 0;
      agrees_on_none += before == Text::Tree::agrees_on_none ? 1 : 0;
      if (dice() % 2 == 0 && text.grow(other)) {
        ++grown;
        if (text.ask_tree(other) != Text::Tree::agrees) RC_FAIL(fmt::format("the tree forgets {}", other));
      }
    }
  });
  CHECK(agrees > 0);
  CHECK(agrees_on_none > 0);
  CHECK(grown > 0);
}

}  // namespace
}  // namespace aclmend::iptables
