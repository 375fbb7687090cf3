// Alignment of two sequences: against the textbook table where they are small, by its promises where not.
#include "difference/align.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

#include "tests/support/test.h"

namespace aclmend {
namespace {

using difference::aligned;
using Sequence = std::vector<std::uint32_t>;
using Pairs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

std::size_t longest_common(const Sequence& a, const Sequence& b) {
  std::vector<std::vector<std::size_t>> best(a.size() + 1, std::vector<std::size_t>(b.size() + 1, 0));
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j)
      best[i][j] = a[i - 1] == b[j - 1] ? best[i - 1][j - 1] + 1 : std::max(best[i - 1][j], best[i][j - 1]);
  return best[a.size()][b.size()];
}

bool is_sound(const Pairs& pairs, const Sequence& a, const Sequence& b) {
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (a[pairs[i].first] != b[pairs[i].second]) return false;
    if (i > 0 && (pairs[i].first <= pairs[i - 1].first || pairs[i].second <= pairs[i - 1].second))
      return false;
  }
  return true;
}

}  // namespace

TEST_CASE("small sequences are aligned as well as can be", "[difference]") {
  rc::check("as long as the longest common subsequence",
            [](const std::vector<bool>& one, const std::vector<bool>& two) {
              const Sequence a(one.begin(), one.end()), b(two.begin(), two.end());
              const Pairs pairs = aligned(a, b);
              RC_ASSERT(is_sound(pairs, a, b));
              RC_ASSERT(pairs.size() == longest_common(a, b));
            });
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    Sequence a(random() % 40), b(random() % 40);
    for (Sequence* sequence : {&a, &b})
      for (auto& number : *sequence) number = random() % 8;
    const Pairs pairs = aligned(a, b);
    CHECK(is_sound(pairs, a, b));
    CHECK(pairs.size() == longest_common(a, b));
  }
}

TEST_CASE("a block of thousands that moved leaves all others in place", "[difference]") {
  Sequence a(60000);
  std::iota(a.begin(), a.end(), 0U);
  Sequence b = a;
  std::rotate(b.begin() + 1000, b.begin() + 6000, b.begin() + 50000);  // 5,000 rules down by 44,000
  const Pairs pairs = aligned(a, b);
  CHECK(is_sound(pairs, a, b));
  CHECK(pairs.size() == 55000);
}

TEST_CASE("sequences with nothing in common, or all of it repeated, end soon", "[difference]") {
  Sequence a(50000), b(50000), same(50000, 7), more(49000, 7);
  std::iota(a.begin(), a.end(), 0U);
  std::iota(b.begin(), b.end(), 50000U);
  CHECK(aligned(a, b).empty());
  const Pairs pairs = aligned(same, more);
  CHECK(is_sound(pairs, same, more));
  CHECK(aligned(a, {}).empty());
  CHECK(aligned({}, b).empty());
}

}  // namespace aclmend
