// Long runs of rules are read by two threads, a piece each before its turn. Whatever stands in the file and
// wherever the pieces end, the rule sets must be those of a reading line by line.
#include <fmt/format.h>

#include <limits>
#include <random>

#include "tests/support/test.h"
#include "vendors/iptables/reader.h"

namespace aclmend::iptables {
namespace {

struct Read {
  std::vector<SourcePtr> sources;
  IptablesDocument document;
  std::string told;  // what was said, and of each line what became of it
  std::string refused;
};

constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

Read read(const std::string& text, std::size_t piece) {
  Read read;
  read.sources = {std::make_shared<const Source>("a.rules", text)};
  Account account(read.sources);
  read.document.sources = read.sources;
  Reader reader(read.document, account, piece);
  if (const auto error = reader.read(0)) read.refused = error->message;
  for (const Diagnostic& one : account.diagnostics.all())
    read.told += fmt::format("{}-{} {}\n", one.span.begin, one.span.end, one.message);
  for (const LineState state : account.ledgers[0].lines) read.told += to_string(state).substr(0, 5);
  return read;
}

bool are_same(const Rule& a, const Rule& b, const Read& of_a, const Read& of_b) {
  const bool has_goal = std::holds_alternative<Translate>(of_a.document.bodies[a.body].target);
  return a.span == b.span && a.source == b.source && a.destination == b.destination && a.ports == b.ports &&
         a.argument == b.argument && of_a.document.bodies[a.body] == of_b.document.bodies[b.body] &&
         (!has_goal || of_a.document.goals[a.argument] == of_b.document.goals[b.argument]);
}

// What differs; empty: nothing.
std::string difference(const Read& a, const Read& b) {
  if (a.refused != b.refused) return "one is refused";
  if (a.told != b.told) return fmt::format("told {}\nand {}", a.told, b.told);
  if (a.document.addresses != b.document.addresses) return "the tests of addresses";
  for (const Family family : {Family::ipv4, Family::ipv6})
    for (const Table table : all_tables) {
      const auto& one = a.document.half(family)[table];
      const auto& other = b.document.half(family)[table];
      if (one.has_value() != other.has_value()) return fmt::format("whether there is {}", to_string(table));
      if (!one) continue;
      if (one->chains.size() != other->chains.size() || one->unread != other->unread) return "a table";
      for (std::size_t i = 0; i < one->chains.size(); ++i) {
        const Chain &chain = one->chains[i], &twin = other->chains[i];
        if (chain.name != twin.name || chain.policy != twin.policy || chain.span != twin.span ||
            chain.is_removed != twin.is_removed || chain.rules.size() != twin.rules.size() ||
            one->index_of(chain.name) != other->index_of(twin.name))
          return fmt::format("the chain {}", chain.name);
        for (std::size_t rule = 0; rule < chain.rules.size(); ++rule)
          if (!are_same(chain.rules[rule], twin.rules[rule], a, b))
            return fmt::format("{} rule {}", chain.name, rule + 1);
      }
    }
  return "";
}

// A rule that loads, most of few skeletons.
std::string rule(std::mt19937& dice, bool is_nat) {
  const auto number = [&](unsigned limit) { return dice() % limit; };
  std::string text = number(4) == 0 ? "-A FIRST" : number(8) == 0 ? "-A SECOND" : "-A OUTPUT";
  if (number(12) == 0) text = "[7:300] " + text;
  if (number(3) != 0) text += fmt::format(" -s 192.0.2.{}/32", number(256));
  if (number(6) == 0) text += fmt::format(" ! -d 10.{}.0.0/255.{}.0.255", number(4), number(256));
  if (number(2) == 0) text += fmt::format(" -p tcp -m tcp --dport {}", number(65536));
  if (number(6) == 0) text += fmt::format(" -m comment --comment \"-A FIRST {}\"", number(100));
  if (number(30) == 0) text += " -m length --length 40";
  if (is_nat && number(2) == 0 && text.find("dport") != text.npos)
    return text + fmt::format(" -j DNAT --to-destination 10.0.0.{}:{}", number(256), number(65536));
  constexpr const char* targets[] = {"ACCEPT", "RETURN", "FIRST", "SECOND", "LATER", "LOG"};
  return text + " -j " + targets[number(6)];
}

std::string line(std::mt19937& dice, bool is_nat) {
  switch (dice() % 40) {
    case 0: return "-N LATER";
    case 1: return "-X LATER";
    case 2: return "-E SECOND THIRD";
    case 3: return "-F FIRST";
    case 4: return "# a remark";
    case 5: return "-A FIRST -j";
    case 6: return "  " + rule(dice, is_nat);
    case 7: return rule(dice, is_nat) + "\r";
    case 8: return "-A NOWHERE -j ACCEPT";
    case 9: return "-D FIRST 1";
    case 10: return ":SECOND - [0:0]";
    case 11: return "";
    case 12:
      return dice() % 4 == 0 ? "COMMIT\n*filter\n:FIRST - [0:0]" : "-A OUTPUT -s 192.0.2.1,192.0.2.2 -j DROP";
    case 13: return "-A OUTPUT -m comment --comment \"" + std::string(11'000, 'x') + "\" -j ACCEPT";
    default: return rule(dice, is_nat);
  }
}

std::string file(std::mt19937& dice) {
  std::string text;
  for (const char* table : {"nat", "filter"}) {
    text += fmt::format("*{}\n:OUTPUT ACCEPT [0:0]\n:FIRST - [0:0]\n:SECOND - [0:0]\n", table);
    for (std::size_t count = dice() % 60; count > 0; --count)
      text += line(dice, table == std::string_view("nat")) + "\n";
    if (dice() % 8 != 0) text += "COMMIT\n";
  }
  if (dice() % 8 == 0) text.resize(text.size() - dice() % 10);
  return text;
}

TEST_CASE("what is read before its turn is what reading line by line has", "[iptables][property]") {
  rc::prop("random files, pieces of several sizes", [] {
    const auto seed = *rc::gen::arbitrary<std::uint32_t>();
    std::mt19937 dice(seed);
    const std::string text = file(dice);
    const Read plain = read(text, never);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{150}, std::size_t{1500}})
      if (const std::string what = difference(plain, read(text, piece)); !what.empty())
        RC_FAIL(fmt::format("pieces of {}: {}\n{}", piece, what, text.substr(0, 4000)));
  });
}

TEST_CASE("a long chain is read in pieces of the usual size", "[iptables]") {
  std::string text = "*filter\n:FORWARD DROP [0:0]\n:MAIL - [0:0]\n";
  for (unsigned i = 0; i < 80'000; ++i)
    text += fmt::format("-A FORWARD -s 10.{}.{}.0/24 -d 203.0.113.25/32 -p tcp -m tcp --dport {} -j {}\n",
                        i / 256 % 256, i % 256, i % 65536, i % 7 == 0 ? "MAIL" : "ACCEPT");
  text += "-A MAIL -m length --length 40 -j DROP\nCOMMIT\n";
  CHECK(difference(read(text, never), read(text, std::size_t{2} << 20)).empty());
  const Read usual = read(text, usual_piece());
  CHECK(usual.refused.empty());
  const auto& filter = usual.document.v4[Table::filter];
  REQUIRE(filter);
  CHECK(filter->named("FORWARD")->rules.size() == 80'000);
  CHECK(filter->named("MAIL")->rules.size() == 1);
}

}  // namespace
}  // namespace aclmend::iptables
