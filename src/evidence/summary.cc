#include <algorithm>

#include "evidence/result.h"

namespace aclmend::evidence {
namespace {

constexpr std::size_t attempts_kept = 1 << 15;
constexpr std::uint32_t window_seconds = 120;

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {  // wyhash's step
  const auto product =
      static_cast<unsigned __int128>(a ^ 0x9E3779B97F4A7C15ULL) * (b ^ 0xE7037ED1A0B428DBULL);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t hashed(const Address& address) {
  return mixed(static_cast<std::uint64_t>(address.number), static_cast<std::uint64_t>(address.number >> 64));
}

}  // namespace

Attempts::Attempts() : entries_(attempts_kept) {}

bool Attempts::is_new(const Record& record) {
  if (!record.src || !record.dst || !record.sport || !record.time) return true;  // nothing to tell it by
  const std::uint64_t ports = std::uint64_t{*record.sport} << 16 | record.dport.value_or(0);
  // A sender that begins anew on the same port has another sequence number, where the log has one.
  const std::uint64_t key = mixed(mixed(hashed(*record.src), hashed(*record.dst)),
                                  ports | std::uint64_t{record.sequence.value_or(0)} << 32) |
                            1;
  Entry& entry = entries_[key & (attempts_kept - 1)];
  const auto tag = static_cast<std::uint32_t>(key >> 32);
  const auto seconds = static_cast<std::uint32_t>(utc_micros(*record.time) / micros_a_second);
  const std::uint32_t since = seconds - entry.seconds,
                      until = entry.seconds - seconds;  // one of them is small
  const bool is_repeated = entry.key == tag && std::min(since, until) <= window_seconds;
  if (!is_repeated) entry = {tag, seconds};
  return !is_repeated;
}

AddressCount* Summary::sender(const Address& address) {
  constexpr std::size_t slot_count = 2 * most_sources;
  constexpr std::uint64_t place_bits = 0xFFFFFFFF;
  if (slots_.empty()) slots_.resize(slot_count);
  const std::uint64_t key = hashed(address);
  for (std::size_t at = key & (slot_count - 1);; at = (at + 1) & (slot_count - 1)) {
    std::uint64_t& slot = slots_[at];
    if (slot == 0) {
      if (is_full()) return nullptr;
      senders_.push_back({address});
      slot = (key & ~place_bits) | senders_.size();
      return &senders_.back();
    }
    if ((slot & ~place_bits) != (key & ~place_bits)) continue;
    AddressCount& found = senders_[(slot & place_bits) - 1];
    if (found.address == address) return &found;
  }
}

void Summary::add(const Record& record) {
  ++records_;
  packets_ += record.count;
  ++kinds_[static_cast<std::size_t>(record.kind)];
  const bool counts_against = record.kind == Kind::drop && record.is_new != New::no;
  const bool is_attempt = (counts_against || record.kind == Kind::allow || record.kind == Kind::connect) &&
                          attempts_.is_new(record);
  if (counts_against) ++new_drops_;
  if (counts_against && is_attempt) ++attempts_counted_;
  if (!record.src) return;
  AddressCount* known = sender(*record.src);
  if (known == nullptr) return;
  ++known->records;
  known->attempts += is_attempt ? 1 : 0;
  known->drops += record.kind == Kind::drop ? 1 : 0;
}

std::vector<AddressCount> Summary::top(std::size_t most) const {
  std::vector<AddressCount> all = senders_;
  const auto before = [](const AddressCount& a, const AddressCount& b) {
    return a.records != b.records ? a.records > b.records : a.address < b.address;
  };
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size()));
  std::partial_sort(all.begin(), middle, all.end(), before);
  all.erase(middle, all.end());
  return all;
}

}  // namespace aclmend::evidence
