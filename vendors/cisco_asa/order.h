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
    std::vector<std::uint32_t>& ids = blocks_[block].ids;
    ids.insert(ids.begin() + std::min<std::ptrdiff_t>(at, std::ssize(ids)), id);
    if (block_of_.size() <= id) block_of_.resize(id + 1);
    block_of_[id] = block;
    ++size_;
    if (ids.size() > largest) split(block);
  }
  void erase(std::uint32_t id) {
    std::erase(blocks_[block_of_[id]].ids, id);
    --size_;
  }
  std::uint32_t size() const { return size_; }
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
  void split(std::uint32_t block) {
    Block half;
    std::vector<std::uint32_t>& ids = blocks_[block].ids;
    half.ids.assign(ids.begin() + largest / 2, ids.end());
    ids.resize(largest / 2);
    half.next = blocks_[block].next;
    const auto index = static_cast<std::uint32_t>(blocks_.size());
    for (const std::uint32_t id : half.ids) block_of_[id] = index;
    blocks_[block].next = index;
    blocks_.push_back(std::move(half));
  }
  std::vector<Block> blocks_{1};
  std::vector<std::uint32_t> block_of_;
  std::uint32_t first_ = 0, size_ = 0;
};

}  // namespace aclmend::cisco_asa
