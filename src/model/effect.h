// What lists do with sources when everything else about a packet is one point: who of them is denied, let
// through, translated, and who falls out of the end, in which state.
//
// No source knows of another, so what a list does is a function of the source: worked out once for all its
// callers, over those sources that some call may bring (Painter::plan). A call then paints what the called
// list does, and what certainly does not fall out of it is closed. Where a rule changes what packets carry,
// those that it takes go on from there by themselves. (Private to by_source.)
#pragma once
#include <map>
#include <memory>
#include <set>
#include <span>
#include <unordered_map>

#include "model/match.h"
#include "model/runs.h"

namespace aclmend::model {

struct Way {
  enum class End : std::uint8_t { denied, permitted, accepted, translated, fallen_out };
  End end = End::denied;
  std::uint32_t translation = 0;  // of `translated`: the rule's target
  State state{};                  // none for the first two
  bool operator==(const Way&) const = default;
  auto operator<=>(const Way&) const = default;
};

template <class Point>
struct Effect {
  struct Sheet {
    Way way;
    Runs<Point> runs;  // ascending, disjoint
  };
  std::vector<Sheet> sheets;
  FlipSet<Point> stays;  // sources of whom nothing falls out in the state in which they came
  const Runs<Point>* by(const Way& way) const {
    const auto found = std::ranges::find(sheets, way, &Sheet::way);
    return found == sheets.end() ? nullptr : &found->runs;
  }
};

// The rules of each list that are about one destination and service: read once, whoever asks.
class Looks {
 public:
  struct Look {
    Index rule;
    Fit fit;  // of destination and service
  };
  // `header` is as it is seen behind `view`; where its rules cut the source ports is added to `port_cuts`.
  Looks(const Policy& policy, const View& view, const Packet& header, std::set<std::uint16_t>& port_cuts);
  const std::vector<Look>& of(ListId list);

 private:
  Fit destination_fit(AddressTerm term);

  const Policy& policy_;
  bool is_own_;
  Packet header_;
  std::set<std::uint16_t>& port_cuts_;
  std::vector<std::uint8_t> groups_;  // what was answered: the same for every rule that names the group
  std::unordered_map<ListId, std::vector<Look>> looks_;
};

// Answers that hold for one round alone, kept for all rounds in one place.
template <class Answer>
class Memory {
 public:
  explicit Memory(std::size_t size) : slots_(size) {}
  // Begins a new round, and gives back its number.
  std::uint32_t forget() { return round_ = ++latest_; }
  void resume(std::uint32_t round) { round_ = round; }
  Answer& operator[](std::size_t at) {  // fresh ones are Answer{}
    if (slots_[at].round != round_) slots_[at] = {round_, {}};
    return slots_[at].answer;
  }

 private:
  struct Slot {
    std::uint32_t round = 0;
    Answer answer{};
  };
  std::vector<Slot> slots_;
  std::uint32_t round_ = 0, latest_ = 0;
};

struct Desk {  // what painters share
  explicit Desk(const Policy& policy) : qualifiers(policy.qualifiers.size()), groups(policy.groups.size()) {}
  Memory<std::uint8_t> qualifiers;  // 1 + Fit
  Memory<std::uint8_t> groups;      // bits of what a group has painted
};

// Paints the lists of one stage for packets that come to it alike.
template <class Point>
class Painter {
 public:
  Painter(const Policy& policy, const Context& context, const Position& at, Looks& looks, Desk& desk,
          Effort& effort)
      : policy_(policy), context_(context), at_(at), looks_(looks), desk_(desk), effort_(effort) {}

  // What the lists, walked one after another, do with the sources. None: too much for this way of asking
  // (calls in a circle or too deep, too much work).
  std::optional<Effect<Point>> of(const std::vector<ListId>& lists, FlipSet<Point> sources);

 private:
  using Sources = FlipSet<Point>;
  using Layers = std::map<Way, Runs<Point>>;  // runs in the order in which they speak
  struct Candidate {                          // a rule that everything but the source lets through
    Index list;                               // of those walked one after another
    Index rule;
    bool is_certain;  // but for the source
    Action action;    // the rule's: asked a piece at a time, in no order
  };
  using Candidates = std::vector<Candidate>;
  struct Called {     // a list that others call
    Sources sources;  // whom the calls may bring
    std::vector<Interval<Point>> brought;
    std::map<State, std::unique_ptr<Effect<Point>>> effects;
  };
  using Place = std::pair<std::pair<Index, Index>, State>;        // from which rule on
  using Waiting = std::map<Place, std::vector<Interval<Point>>>;  // sources that go on from there
  class Pass;

  bool plan(const std::vector<ListId>& lists, const Sources& sources);
  const Effect<Point>* of(ListId list, State state);
  Effect<Point> finished(Layers layers, const Sources& sources, State state);
  Candidates candidates(std::span<const ListId> lists, State state);
  // False: gave up.
  bool paint(std::span<const ListId> lists, State state, Sources sources, Layers& layers);
  bool is_end(std::span<const ListId> lists, const Candidate& candidate) const;

  const Policy& policy_;
  const Context& context_;
  Position at_;
  Looks& looks_;
  Desk& desk_;
  Effort& effort_;
  std::unordered_map<ListId, Called> called_;
  std::map<State, std::uint32_t> rounds_;  // of the desk's qualifiers
};

extern template class Painter<V4>;
extern template class Painter<V6>;

}  // namespace aclmend::model
