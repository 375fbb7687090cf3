#include "difference/align.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace aclmend::difference {
namespace {

using Numbers = std::span<const std::uint32_t>;
using Pairs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

constexpr int most_edits = 1000, most_edits_between_anchors = 100;
constexpr std::size_t most_steps = 20'000'000;

// The furthest x on each diagonal k = x - y after d edits; index k + d.
using Furthest = std::vector<int>;

Pairs backtracked(const std::vector<Furthest>& trace, int x, int y) {
  Pairs pairs;
  const auto back_to = [&](int to_x, int to_y) {
    while (x > to_x && y > to_y) {
      --x, --y;
      pairs.emplace_back(x, y);
    }
  };
  for (int d = static_cast<int>(trace.size()); d > 0; --d) {
    const Furthest& last = trace[static_cast<std::size_t>(d - 1)];
    const auto at = [&](int k) {
      return k < -(d - 1) || k > d - 1 ? -1 : last[static_cast<std::size_t>(k + d - 1)];
    };
    const int k = x - y;
    const bool came_down = k == -d || (k != d && at(k - 1) < at(k + 1));
    const int last_k = came_down ? k + 1 : k - 1;
    const int last_x = at(last_k);
    back_to(last_x, last_x - last_k);
    x = last_x;
    y = last_x - last_k;
  }
  back_to(0, 0);
  std::ranges::reverse(pairs);
  return pairs;
}

// None when it takes more edits, or more steps, than allowed.
std::optional<Pairs> myers(Numbers before, Numbers after, int edits, std::size_t& steps) {
  const int n = static_cast<int>(before.size()), m = static_cast<int>(after.size());
  std::vector<Furthest> trace;
  for (int d = 0; d <= edits; ++d) {
    Furthest now(static_cast<std::size_t>(2 * d + 1), -1);
    const auto last = [&](int k) {
      return k < -(d - 1) || k > d - 1 ? -1 : trace.back()[static_cast<std::size_t>(k + d - 1)];
    };
    for (int k = -d; k <= d; k += 2) {
      int x = d == 0 ? 0 : k == -d || (k != d && last(k - 1) < last(k + 1)) ? last(k + 1) : last(k - 1) + 1;
      if (x < 0 || x > n || x - k > m || x - k < 0) continue;  // off the board
      for (int y = x - k;
           x < n && y < m && before[static_cast<std::size_t>(x)] == after[static_cast<std::size_t>(y)];
           ++x, ++y) {
        if (steps == 0) return std::nullopt;
        --steps;
      }
      now[static_cast<std::size_t>(k + d)] = x;
      if (x == n && x - k == m) return backtracked(trace, n, m);
    }
    if (steps < now.size()) return std::nullopt;
    steps -= now.size();
    trace.push_back(std::move(now));
  }
  return std::nullopt;
}

// Numbers that stand once on either side, thinned to the longest run that ascends on both.
Pairs anchors(Numbers before, Numbers after) {
  struct Seen {
    std::uint32_t before = 0, after = 0;  // how often
    std::uint32_t at = 0;                 // in `after`
  };
  std::unordered_map<std::uint32_t, Seen> seen;
  for (const std::uint32_t number : before) ++seen[number].before;
  for (std::uint32_t i = 0; i < after.size(); ++i) {
    Seen& here = seen[after[i]];
    ++here.after;
    here.at = i;
  }
  Pairs unique;
  for (std::uint32_t i = 0; i < before.size(); ++i)
    if (const Seen& here = seen[before[i]]; here.before == 1 && here.after == 1)
      unique.emplace_back(i, here.at);
  constexpr std::uint32_t none = ~std::uint32_t{0};
  std::vector<std::uint32_t> ends;  // ends[l]: the pair that ends the best run of length l + 1
  std::vector<std::uint32_t> previous(unique.size(), none);
  for (std::uint32_t i = 0; i < unique.size(); ++i) {
    const auto place = std::ranges::lower_bound(ends, unique[i].second, {},
                                                [&](std::uint32_t pair) { return unique[pair].second; });
    if (place != ends.begin()) previous[i] = *(place - 1);
    if (place == ends.end()) ends.push_back(i);
    else *place = i;
  }
  Pairs run;
  for (std::uint32_t i = ends.empty() ? none : ends.back(); i != none; i = previous[i])
    run.push_back(unique[i]);
  std::ranges::reverse(run);
  return run;
}

}  // namespace

Pairs aligned(Numbers before, Numbers after) {
  std::size_t steps = most_steps;
  if (auto pairs = myers(before, after, most_edits, steps)) return std::move(*pairs);
  steps = most_steps;
  Pairs all;
  std::uint32_t b = 0, a = 0;
  const auto between = [&](std::uint32_t end_b, std::uint32_t end_a) {
    if (b < end_b && a < end_a)
      if (const auto pairs = myers(before.subspan(b, end_b - b), after.subspan(a, end_a - a),
                                   most_edits_between_anchors, steps))
        for (const auto& [x, y] : *pairs) all.emplace_back(b + x, a + y);
  };
  for (const auto& [at_b, at_a] : anchors(before, after)) {
    between(at_b, at_a);
    all.emplace_back(at_b, at_a);
    b = at_b + 1;
    a = at_a + 1;
  }
  between(static_cast<std::uint32_t>(before.size()), static_cast<std::uint32_t>(after.size()));
  return all;
}

}  // namespace aclmend::difference
