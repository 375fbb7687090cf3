// An access list while commands are typed into it. `line N` puts an entry before the present line N, the same
// entry again changes the one that is there, `no` takes one out ("Access Control Lists" in the Firewall CLI
// guide). What is left is a plain listing again.
#pragma once
#include <span>

#include "vendors/cisco_asa/meaning.h"
#include "vendors/cisco_asa/order.h"

namespace aclmend::cisco_asa {

// A command about an entry, word by word.
struct EntryCommand {
  std::string_view text;   // behind the list's name and `line N`
  std::uint32_t line = 0;  // of `line N`; 0: not given
  bool is_removal = false;
  bool is_remark = false;
  Ace ace;
  Meaning meaning;
};
EntryCommand entry_command(std::string_view text, const Configuration& configuration, ListFamily family);

struct Enacted {
  enum class What : std::uint8_t {
    added,
    unchanged,  // it was there, word for word as far as it matters
    changed,    // it was there with another log, `inactive` or time range
    removed,
    absent,     // nothing to remove
    elsewhere,  // what is to be removed stands at another line than the one given
    differs,    // it has another log, `inactive` or time range than the one to be removed
  };
  What what = What::added;
  std::uint32_t number = 0;         // the line at which it stands or stood
  std::optional<Statement> before;  // what stood there
};

class LiveList {
 public:
  // `commands`: how many will be taken at most.
  LiveList(const AccessList& list, const Configuration& configuration, std::span<const SourcePtr> sources,
           std::size_t commands);
  // A listing's entries stand where they stand, whatever number was typed with them.
  enum class Placing : std::uint8_t { as_typed, at_the_end };
  Enacted enact(const Entry& entry, Placing placing = Placing::as_typed);
  // What `enact` would find, or take out.
  std::optional<std::uint32_t> find(const EntryCommand& command);
  std::uint32_t size() const { return order_.size(); }
  std::uint32_t rules() const { return rules_; }
  // `show access-list` with lines left out: nobody can say which is line N.
  bool has_gaps() const { return has_gaps_; }
  std::vector<Entry> entries() const;
  std::uint32_t number_of(std::uint32_t id) const { return order_.place_of(id) + 1; }

 private:
  struct Item {
    Entry entry;
    std::uint32_t children = 0;        // of `show access-list`: they follow
    std::uint32_t children_begin = 0;  // in `children_`
    bool is_gone = false;
  };
  EntryCommand command_of(const Statement& place, std::string& scratch) const;
  void start(const AccessList& list);
  std::optional<std::uint32_t> find_remark(const EntryCommand& command);
  std::optional<Meaning> plain_meaning(const AccessList& list, const Entry& entry) const;
  std::vector<std::uint64_t> plain_hashes(const AccessList& list) const;
  bool start_plain(const AccessList& list, const Entry& entry, std::uint64_t hash);
  std::uint32_t& place_in_table(const Meaning& meaning);

  const Configuration& configuration_;
  std::span<const SourcePtr> sources_;
  ListFamily family_;
  MeaningTable table_;
  Order order_;
  std::vector<Item> items_;
  std::vector<Entry> children_;
  std::uint32_t rules_ = 0;
  bool has_gaps_ = false;
};

}  // namespace aclmend::cisco_asa
