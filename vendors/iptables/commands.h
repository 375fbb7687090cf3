// The commands of iptables on one table: -A -I -R -D -N -X -F -P -E. An export has -A alone; hand-written
// files and change scripts have the rest, and each is carried out in its turn, as the kernel would.
#pragma once
#include <array>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "vendors/iptables/account.h"
#include "vendors/iptables/document.h"
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
  // ":CHAIN POLICY [packets:bytes]".
  void declare(Chains& chains, Place place, const Line& line);
  // A new table begins: what was learnt of its rules is forgotten.
  void forget();

 private:
  struct Learnt {           // of a skeleton
    bool is_known = false;  // false: lines of it are read in full
    std::uint32_t body = 0;
    LineState state = LineState::decides;
    Operands operands;  // where the text has no place for them
  };
  struct Built {  // the kernel's rules of one line
    std::vector<Rule> rules;
    LineState state = LineState::decides;
    std::string canonical;
    bool is_skipped = false;
    bool is_understood = true;
  };
  Built build(const Chains& chains, Place place, std::string_view chain, std::size_t number,
              std::span<const Word> words, const Line& line);
  model::AddressTerm term(const AddressTest& test);
  // The chain or the goal, where the rule's body asks for one.
  void put_argument(const Operands& operands, Rule& rule);
  model::AddressTerm term(const Skeleton::Place& place);
  void make_room(std::vector<Rule>& rules, const Line& line) const;
  const Learnt& learnt(std::string_view text, const RulePlace& place);
  bool append(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  bool insert(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  bool replace(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  bool remove(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  bool policy(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  bool new_chain(Chains& chains, std::span<const Word> words, const Line& line);
  bool delete_chain(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  bool flush(Chains& chains, std::span<const Word> words, const Line& line);
  bool rename(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  Chain* chain_of(Chains& chains, Place place, std::span<const Word> words, const Line& line);
  Chain* created(Chains& chains, std::string_view name, Span span);
  bool is_called(const Chains& chains, std::uint32_t chain) const;
  std::string canonical_of(const Chains& chains, Place place, const Chain& chain, const Rule& rule,
                           std::size_t number);
  bool refuse(Chains& chains, const Line& line, const Word* word, std::string message);
  bool may_scan(std::size_t rules, Chains& chains, const Line& line);

  IptablesDocument& document_;
  Account& account_;
  bool is_strict_;
  std::deque<std::string> arena_;
  Splitter splitter_{Grammar::restore, arena_};
  // By the skeleton's text, for each kind of chain.
  std::array<std::unordered_map<std::string, Learnt, NameHash, std::equal_to<>>, all_hooks.size() + 1>
      learnt_;
  Skeleton skeleton_;
  std::unordered_map<std::string, std::uint32_t> address_ids_;
  std::string_view last_chain_;
  std::uint32_t last_chain_index_ = 0;
  std::size_t last_kind_ = 0;
  std::size_t scanned_ = 0;
};

}  // namespace aclmend::iptables
