// Which members of two sequences stayed: a longest common subsequence where the two are nearly equal, a good
// one where they are not. (Private to difference.)
#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace aclmend::difference {

// Pairs of positions, both ascending, whose numbers are equal. Myers' O(ND) for up to a thousand edits
// ("An O(ND) Difference Algorithm and Its Variations", 1986); beyond that the numbers that stand once on
// either side are the anchors, and what lies between two anchors is aligned by itself.
std::vector<std::pair<std::uint32_t, std::uint32_t>> aligned(std::span<const std::uint32_t> before,
                                                             std::span<const std::uint32_t> after);

}  // namespace aclmend::difference
