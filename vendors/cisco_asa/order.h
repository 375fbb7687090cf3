// What `line N` and `nat … N` need: a list of ids that takes an insertion anywhere without moving all that
// follows.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace aclmend::cisco_asa {

class Order {
 public:
  void insert(std::uint32_t at, std::uint32_t id) {
    std::uint32_t block = first_;
    while (at > blocks_[block].ids.size() && blocks_[block].next != none)
      at -= static_cast<std::uint32_t>(blocks_[block].ids.size()), block = blocks_[block].next;
    put(block, std::min<std::size_t>(at, blocks_[block].ids.size()), id);
  }
  void append(std::uint32_t id) {
    if (size_ > 0 && blocks_[last_].ids.size() == largest) {  // a listing: blocks are filled one by one
      blocks_[last_].next = static_cast<std::uint32_t>(blocks_.size());
      last_ = static_cast<std::uint32_t>(blocks_.size());
      blocks_.emplace_back();
    }
    put(last_, blocks_[last_].ids.size(), id);
  }
  void erase(std::uint32_t id) {
    std::erase(blocks_[block_of_[id]].ids, id);
    --size_;
  }
  std::uint32_t size() const { return size_; }
  // The id at a place before size().
  std::uint32_t at(std::uint32_t place) const {
    std::uint32_t block = first_;
    while (place >= blocks_[block].ids.size())
      place -= static_cast<std::uint32_t>(blocks_[block].ids.size()), block = blocks_[block].next;
    return blocks_[block].ids[place];
  }
  std::uint32_t place_of(std::uint32_t id) const {
    std::uint32_t place = 0;
    for (std::uint32_t block = first_; block != block_of_[id]; block = blocks_[block].next)
      place += static_cast<std::uint32_t>(blocks_[block].ids.size());
    const std::vector<std::uint32_t>& ids = blocks_[block_of_[id]].ids;
    return place + static_cast<std::uint32_t>(std::ranges::find(ids, id) - ids.begin());
  }
  template <class Visit>
  void each(Visit visit) const {
    for (std::uint32_t block = first_; block != none; block = blocks_[block].next)
      for (const std::uint32_t id : blocks_[block].ids) visit(id);
  }

 private:
  static constexpr std::size_t largest = 1024;
  static constexpr std::uint32_t none = 0xFFFFFFFF;
  struct Block {
    std::vector<std::uint32_t> ids;
    std::uint32_t next = none;
  };
  void put(std::uint32_t block, std::size_t at, std::uint32_t id) {
    std::vector<std::uint32_t>& ids = blocks_[block].ids;
    ids.insert(ids.begin() + static_cast<std::ptrdiff_t>(at), id);
    if (block_of_.size() <= id) block_of_.resize(id + 1);
    block_of_[id] = block;
    ++size_;
    if (ids.size() > largest) split(block);
  }
  void split(std::uint32_t block) {
    Block half;
    std::vector<std::uint32_t>& ids = blocks_[block].ids;
    half.ids.assign(ids.begin() + largest / 2, ids.end());
    ids.resize(largest / 2);
    half.next = blocks_[block].next;
    const auto index = static_cast<std::uint32_t>(blocks_.size());
    for (const std::uint32_t id : half.ids) block_of_[id] = index;
    blocks_[block].next = index;
    if (last_ == block) last_ = index;
    blocks_.push_back(std::move(half));
  }
  std::vector<Block> blocks_{1};
  std::vector<std::uint32_t> block_of_;
  std::uint32_t first_ = 0, last_ = 0, size_ = 0;
};

}  // namespace aclmend::cisco_asa
