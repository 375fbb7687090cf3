#include "endpoints/distrust.h"

#include <fmt/format.h>

namespace aclmend::endpoints {
namespace {

template <class Point>
double count(const FlipSet<Point>& set) {
  double sum = 0;
  for (const auto& [first, last] : set.intervals()) sum += static_cast<double>(last - first) + 1;
  return sum;
}

template <class Point>
std::string loss(const FlipSet<Point>& held, const FlipSet<Point>& fresh, std::string_view family) {
  if (held.empty()) return {};
  if (fresh.empty()) return fmt::format("no {} address is left", family);
  const double share = count(held - fresh) / count(held);
  return share > most_lost ? fmt::format("{:.0f} % of the {} addresses are gone", 100 * share, family)
                           : std::string();
}

}  // namespace

std::vector<std::string> distrust(const Release& held, const Release& fresh,
                                  std::span<const Watched> watched) {
  std::vector<std::string> reasons;
  for (const auto& [flow, selection] : watched) {
    const auto before = select(held, selection);
    if (!before) continue;
    const auto after = select(fresh, selection);
    if (!after) {
      reasons.push_back(fmt::format("{}: there are no {} in it", flow, to_string(selection)));
      continue;
    }
    for (const std::string& what : {loss(before->addresses.v4, after->addresses.v4, "IPv4"),
                                    loss(before->addresses.v6, after->addresses.v6, "IPv6")})
      if (!what.empty()) reasons.push_back(fmt::format("{}: {}", flow, what));
  }
  return reasons;
}

}  // namespace aclmend::endpoints
