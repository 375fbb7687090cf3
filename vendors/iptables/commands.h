// The commands of iptables on one table: -A -I -R -D -C -N -X -F -P -E. An export has -A alone; hand-written
// files and change scripts have the rest, and each is carried out in its turn, as the kernel would.
#pragma once
#include <array>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "vendors/iptables/account.h"
#include "vendors/iptables/document.h"
#include "vendors/iptables/patterns.h"
#include "vendors/iptables/rule.h"
#include "vendors/iptables/skeleton.h"

namespace aclmend::iptables {

// The table that commands are about.
struct Place {
  Family family = Family::ipv4;
  Table table = Table::filter;
};

// Where "[packets:bytes]" at the beginning of a line ends; 0 where there is none.
std::size_t counters_end(std::string_view text);

class Interpreter {
  // Lines that stand together are mostly about one chain.
  class LastChain {
   public:
    // What stands behind "-A CHAIN ", which is the last chain from now on; none: no such line, no such chain.
    std::optional<std::string_view> turn_to(const Chains& chains, std::string_view line);
    std::string_view name() const { return name_; }
    std::uint32_t index() const { return index_; }
    std::size_t kind() const { return kind_; }  // 0: one's own; else its hook's number from 1

   private:
    std::string_view name_;
    std::uint32_t index_ = 0;
    std::size_t kind_ = 0;
  };
  enum class Argument : std::uint8_t { none, chain, goal };  // what a rule's target leads to
  struct Learnt {                                            // of a skeleton
    bool is_known = false;                                   // false: lines of it are read in full
    std::uint32_t body = 0;
    LineState state = LineState::decides;
    Operands operands;                             // where the text has no place for them
    bool has_ports = false, has_argument = false;  // the text has
    Argument argument = Argument::none;
  };

 public:
  // What is wrong is said to the account; where a script is typed the device would refuse the line, and
  // nothing is changed: `Strict::yes`. In an export a line that cannot be read leaves its doubt in the table.
  enum class Strict : std::uint8_t { no, yes };
  Interpreter(IptablesDocument& document, Account& account, Strict strict)
      : document_(document), account_(account), is_strict_(strict == Strict::yes) {}

  // A new table, with its built-in chains.
  static Chains empty_table(Table table, Span span);

  // The words begin with the command: "-A INPUT …". False: refused (strict), and said.
  bool run(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  // "-A CHAIN …" without cutting it into words, where its skeleton was met before; false: nothing done.
  bool append_quickly(Chains& chains, Place place, const Line& line);
  // Lines read before their turn, by what was learnt so far: nothing is changed, and threads may do it side
  // by side. Each is put into its chain in its turn.
  class Early {
   public:
    // For so many bytes at a time, about.
    Early(const Interpreter& interpreter, const Chains& chains, Place place, std::size_t bytes)
        : interpreter_(interpreter), chains_(chains), place_(place) {
      constexpr std::size_t short_rule = 64;
      lines_.reserve(bytes / short_rule);
    }
    // In the place of what was read before.
    void read(Lines lines);
    std::size_t size() const { return lines_.size(); }

   private:
    friend class Interpreter;
    struct Read {
      Rule rule;  // but for what is numbered in its turn
      std::uint32_t chain = 0;
      std::uint32_t numbered = 0;      // from 1, into the list of those that have such a thing
      const Learnt* learnt = nullptr;  // none: it has to be read in its turn
    };
    void read(const Line& line, Read& read);

    const Interpreter& interpreter_;
    const Chains& chains_;
    Place place_;
    LastChain last_;
    std::vector<Read> lines_;
    std::vector<Taken> numbered_;
    Taken taken_;
  };
  // False: nothing done.
  bool append_early(Chains& chains, const Early& early, std::size_t which, const Line& line);
  // Another number: what was read early before is worthless.
  std::uint32_t era() const { return era_; }
  // ":CHAIN POLICY [packets:bytes]".
  void declare(Chains& chains, Place place, const Line& line);
  // A new table begins: what was learnt of its rules is forgotten.
  void forget();

 private:
  struct Built {  // the kernel's rules of one line
    std::vector<Rule> rules;
    LineState state = LineState::decides;
    std::string canonical;
    bool is_skipped = false;
    bool is_understood = true;
  };
  Built build(Chains& chains, Place place, std::string_view chain, std::size_t number,
              std::span<const Word> words, const Line& line);
  model::AddressTerm term(const AddressTest& test);
  static Argument argument_of(const Target& target);
  std::uint32_t argument(Argument argument, const Operands& operands);  // of the rule
  void make_room(std::vector<Rule>& rules, const Line& line) const;
  // What the scanned skeleton stands for; none: its lines are read in full.
  const Learnt* learnt(std::string_view text, const RulePlace& place);
  static Rule rule_of(const Learnt& learnt, const Taken& taken, Span span);
  void number(const Learnt& learnt, const Taken& taken, Rule& rule);
  void append(Chain& chain, const Line& line, const Learnt& learnt, const Rule& rule);
  bool append(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  bool insert(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  bool replace(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  bool remove(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  bool policy(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  bool new_chain(Chains& chains, std::span<const Word> words, const Line& line);
  bool delete_chain(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  bool check(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  bool show(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  bool flush(Chains& chains, std::span<const Word> words, const Line& line);
  bool rename(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  Chain* chain_of(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  void create(Chains& chains, std::string_view name, Span span);
  std::vector<bool> called(const Chains& chains);
  bool has_misread_rules();
  std::vector<Word> words_of(const Rule& rule);  // behind its chain
  bool may_count(Chains& chains, const Chain& chain, std::size_t rules, const Line& line);
  std::optional<ParsedRule> wanted(Chains& chains, Place place, std::span<const Word> words,
                                   const Line& line);
  std::optional<std::size_t> position(Chains& chains, Place place, const Chain& chain,
                                      const ParsedRule& wanted, const Line& line);
  bool refuse(Chains& chains, const Line& line, const Word* word, std::string message);
  bool may_scan(std::size_t rules, Chains& chains, const Line& line);

  IptablesDocument& document_;
  Account& account_;
  bool is_strict_;
  std::deque<std::string> arena_;
  Splitter splitter_{Grammar::restore, arena_};
  // For each kind of chain: what other words for a chain's own would be legal there.
  struct Known {
    std::deque<Learnt> learnt;
    std::unordered_map<std::string, std::uint32_t, NameHash, std::equal_to<>> by_text;
    Patterns patterns;
  };
  std::array<Known, all_hooks.size() + 1> known_;
  Skeleton skeleton_;
  Taken taken_;
  std::unordered_map<std::string, std::uint32_t> address_ids_;
  LastChain last_;
  std::uint32_t era_ = 0;
  std::size_t scanned_ = 0, listed_ = 0;
  std::size_t bodies_seen_ = 0;  // by has_misread_rules
  bool has_misread_ = false;
};

}  // namespace aclmend::iptables
