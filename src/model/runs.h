// Stretches of sources with who took them. (Private to by_source and its parts.)
#pragma once
#include <algorithm>
#include <vector>

#include "model/canvas.h"
#include "model/question.h"

namespace aclmend::model {

// A Decider in eight bytes: a rule of a list, or (without a list) the default of a stage, or nobody.
struct By {
  std::uint32_t list = nobody;
  std::uint32_t index = nobody;
  static By rule(RuleRef ref) { return {ref.list, ref.index}; }
  static By stage(NodeId node) { return {nobody, node}; }
  Decider decider() const {
    if (list != nobody) return {RuleRef{list, index}, std::nullopt};
    if (index != nobody) return {std::nullopt, index};
    return {};
  }
  bool operator==(const By&) const = default;
};

template <class Point>
constexpr bool is_v4 = sizeof(Point) == sizeof(V4);

template <class Point>
const FlipSet<Point>& family_of(const AddressSet& set) {
  if constexpr (is_v4<Point>) return set.v4;
  else return set.v6;
}

template <class Point>
struct Run {
  Point first;
  Point last;
  By by{};
  bool closes = false;  // what took it took it for certain: nothing of it goes on
};
template <class Point>
using Runs = std::vector<Run<Point>>;

template <class Point>
void append_run(Runs<Point>& runs, const Run<Point>& run) {
  if (!runs.empty() && runs.back().by == run.by && runs.back().closes == run.closes &&
      runs.back().last != last_point<Point> && static_cast<Point>(runs.back().last + 1) == run.first)
    runs.back().last = run.last;
  else runs.push_back(run);
}

template <class Point>
void append_cut(std::vector<Point>& cuts, Point first, Point last) {
  cuts.push_back(first);
  if (last != last_point<Point>) cuts.push_back(static_cast<Point>(last + 1));
}

// Runs in any order, overlapping or not → ascending and disjoint; of several the first one speaks.
template <class Point>
Runs<Point> laid_out(Runs<Point> runs) {
  const auto touches = [](const Run<Point>& a, const Run<Point>& b) { return a.last >= b.first; };
  if (std::ranges::adjacent_find(runs, touches) == runs.end()) return runs;
  std::vector<Point> cuts;
  cuts.reserve(2 * runs.size());
  for (const Run<Point>& run : runs) append_cut(cuts, run.first, run.last);
  sort_unique(cuts);
  Canvas<Point> canvas(std::move(cuts));
  for (Index i = 0; i < runs.size(); ++i) canvas.may_accept(runs[i].first, runs[i].last, i);
  Runs<Point> out;
  for (std::size_t piece = 0; piece < canvas.size(); ++piece)
    if (const Index by = canvas.accepted_by(piece); by != nobody)
      append_run(out, {canvas.first(piece), canvas.last(piece), runs[by].by, runs[by].closes});
  return out;
}

template <class Point>
FlipSet<Point> sources_of(const Runs<Point>& runs) {
  std::vector<Interval<Point>> intervals;
  intervals.reserve(runs.size());
  for (const Run<Point>& run : runs) intervals.push_back({run.first, run.last});
  return FlipSet<Point>::of(std::move(intervals));
}

// Calls visit(first, last, run) for the part that each of some ascending runs has between two points.
template <class Point, class Visit>
std::size_t for_each_between(const Runs<Point>& runs, Point first, Point last, Visit visit) {
  std::size_t visited = 0;
  for (auto run = std::ranges::lower_bound(runs, first, {}, &Run<Point>::last);
       run != runs.end() && run->first <= last; ++run, ++visited)
    visit(std::max(first, run->first), std::min(last, run->last), *run);
  return visited;
}

// Runs that come piece by piece, those that came first speaking, put in order now and then.
template <class Point>
class Collected {
 public:
  void add(const Runs<Point>& runs) {
    runs_.insert(runs_.end(), runs.begin(), runs.end());
    if (runs_.size() < 2 * settled_ + 4096) return;
    runs_ = laid_out(std::move(runs_));
    settled_ = runs_.size();
  }
  Runs<Point> take() { return laid_out(std::move(runs_)); }

 private:
  Runs<Point> runs_;
  std::size_t settled_ = 0;
};

}  // namespace aclmend::model
