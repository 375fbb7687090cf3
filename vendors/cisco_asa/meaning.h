// What two entries, or two members, have in common when the device takes them for the same: their meaning and
// not their text. `eq 25` is `eq smtp`, `10.1.1.1 255.255.255.255` is `host 10.1.1.1`, `0.0.0.0 0.0.0.0` is
// `any4`, protocol 6 is tcp. log, inactive and the time range are no part of an entry's meaning: typed again
// with others, the entry that stands there is changed.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vendors/cisco_asa/ace.h"

namespace aclmend::cisco_asa {

enum class ListFamily : std::uint8_t { of_the_version, ipv6 };  // what `any` means

// An entry's meaning as numbers. Where a part of it is not known (an undefined group, a word that is not
// understood) only the same words are the same: `text` is then what stands behind the list's name.
struct Meaning {
  std::array<std::uint64_t, 14> numbers{};
  std::string_view user, source_tag, destination_tag;
  std::string_view text;
  bool is_doubtful = false;
};
Meaning meaning_of(const Ace& ace, std::string_view text, const Configuration& configuration,
                   ListFamily family);
std::uint64_t hash_of(const Meaning& meaning);
bool same(const Meaning& a, const Meaning& b);

// The same log, inactive and time range.
bool same_tail(const Ace& a, const Ace& b);

// A member of a group, without `no` before it; "" where it is not understood.
std::string member_key(GroupType type, std::string_view text, const Configuration& configuration);

// What the release decides about lists.
struct Era {
  bool is_known = false;           // the file has a version, or lines that only an old release has
  bool any_is_v4 = false;          // before 9.0
  bool has_old_addresses = false;  // before 8.3: lists hold mapped addresses; no objects
};
Era era_of(const Configuration& configuration);

// A table of ids by the hash of what they stand for: open addressing, never full, nothing is taken out.
// `same` says whether an id is the one that is looked for.
class MeaningTable {
 public:
  explicit MeaningTable(std::size_t most);
  void prefetch(std::uint64_t hash) const { __builtin_prefetch(&slots_[hash & mask_], 1); }
  // The place of what is the same, or the free place it would take: 0 there, else its id + 1.
  template <class Same>
  std::uint32_t& place_of(std::uint64_t hash, Same same) {
    const auto tag = static_cast<std::uint32_t>(hash >> 32);
    std::size_t at = hash & mask_;
    while (slots_[at].id != 0 && !(slots_[at].tag == tag && same(slots_[at].id - 1))) at = (at + 1) & mask_;
    slots_[at].tag = tag;
    return slots_[at].id;
  }

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t id = 0;  // + 1; 0: free
  };
  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
};

}  // namespace aclmend::cisco_asa
