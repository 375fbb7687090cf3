// Nested networks in one pass: the answer around a network is known when its own is worked out, so the
// longest network that decides costs a sort (private to set_region).
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "sets/flip_set.h"

namespace aclmend::iptables {

template <class Point>
struct Network {
  Point first{};
  int length = 0;
  std::uint32_t index = 0;  // of the element
  Point last() const {
    constexpr int bits = 8 * sizeof(Point);
    return length == 0 ? last_point<Point>
                       : static_cast<Point>(first | static_cast<Point>((Point{1} << (bits - length)) - 1));
  }
};

template <class Point>
void sort_outer_first(std::vector<Network<Point>>& networks) {
  std::ranges::sort(networks, [](const Network<Point>& a, const Network<Point>& b) {
    return a.first != b.first ? a.first < b.first : a.length < b.length;
  });
}

constexpr std::uint32_t nothing = 0;  // the state where no network is

// Walks over sorted networks, outer ones before those inside. enter(outer, from, to) gives the state inside
// the equal networks [from, to), given the state around them; emit(first, last, state) gets the stretches
// that some network covers, ascending.
template <class Point, class Enter, class Emit>
void sweep(const std::vector<Network<Point>>& networks, Enter enter, Emit emit) {
  struct Open {
    Point last;
    std::uint32_t state;
  };
  std::vector<Open> open;
  Point at = 0;  // up to here everything has been emitted
  bool is_at_end = false;
  const auto emit_to = [&](Point last, std::uint32_t state) {
    if (is_at_end || at > last) return;
    emit(at, last, state);
    is_at_end = last == last_point<Point>;
    at = static_cast<Point>(last + 1);
  };
  for (std::size_t from = 0; from < networks.size();) {
    const Network<Point>& network = networks[from];
    std::size_t to = from + 1;
    while (to < networks.size() && networks[to].first == network.first &&
           networks[to].length == network.length)
      ++to;
    while (!open.empty() && open.back().last < network.first) {
      emit_to(open.back().last, open.back().state);
      open.pop_back();
    }
    if (open.empty()) at = network.first;
    else if (network.first > at) emit_to(static_cast<Point>(network.first - 1), open.back().state);
    const std::uint32_t outer = open.empty() ? nothing : open.back().state;
    open.push_back({network.last(), enter(outer, from, to)});
    from = to;
  }
  for (; !open.empty(); open.pop_back()) emit_to(open.back().last, open.back().state);
}

}  // namespace aclmend::iptables
