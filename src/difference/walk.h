// One policy walked with a box of packets that are all alike: to their signature, or to the place where they
// are not alike after all. Semantics page, "A rule list", row by row, as `decide` does for a packet; but the
// answer is not where the packet ends, it is the whole tree of questions. (Private to difference.)
#pragma once
#include <map>
#include <optional>
#include <variant>

#include "difference/cells.h"
#include "model/match.h"

namespace aclmend::difference {

struct Halves {  // of a box that a rule cuts
  Box inside, outside;
};

class Walk {
 public:
  Walk(const Comparison& comparison, Side side, const model::Context& context, Signatures& signatures,
       Budget& budget)
      : comparison_(comparison),
        policy_(comparison.policy(side)),
        side_(side),
        contexts_{context, comparison.known_everywhere(context)},
        signatures_(signatures),
        budget_(budget) {}

  // `box` is of one family; `candidates` are all rules that may meet it.
  std::variant<CellAnswer, Halves> answer(const Box& box, const Candidates& candidates);

  struct Standing {  // what a qualifier asks beside the state
    model::Fit fit = model::Fit::certain;
    Signatures::Conditions conditions;
  };
  // The same on every way: what a case may settle otherwise is open here.
  const Standing& standing_everywhere(std::uint32_t qualifier) { return standing(qualifier, everywhere); }

 private:
  using ContextId = std::uint32_t;  // what is known at a place of the way
  static constexpr ContextId as_asked = 0, everywhere = 1;
  const Standing& standing(std::uint32_t qualifier, ContextId context);
  ContextId inside(ContextId context, model::Dimension dimension, const std::string* known);
  struct Here {  // what the packets look like, and carry, at some place of the walk
    model::View view;
    model::State state;
    AddressSet destination;
    PortSet port;
  };
  using HereId = std::uint32_t;
  using TodoId = std::uint32_t;  // the nodes that are still to come
  struct Todo {
    model::NodeId serial = 0;
    std::uint32_t next = 0;
    TodoId then = 0;
    ContextId context = as_asked;
    auto operator<=>(const Todo&) const = default;
  };
  using LevelId = std::uint32_t;  // where the end of a list leads
  struct Level {
    std::optional<LevelId> caller;  // none: a list of the stage itself
    model::ListId list = 0;         // caller: the list to go on in, and where
    std::uint32_t index = 0;
    model::NodeId stage = 0;
    std::uint32_t stage_list = 0;  // the one that is walked
    TodoId todo = 0;
    ContextId context = as_asked;
    int depth = 0;
    auto operator<=>(const Level&) const = default;
  };
  struct Result {
    Signatures::Id signature = Signatures::deny;
    model::Decider by;
    bool is_inherited = false;  // whoever accepted it last is the one who permits it
  };
  struct Alternative {
    std::uint32_t tag;
    Result result;
  };
  struct RuleFit {
    model::Fit fit = model::Fit::certain;
    Signatures::Conditions conditions;
  };

  struct WireFit {  // how the packets stand to what a qualifier asks of the wire
    model::Fit fit = model::Fit::certain;
    Signatures::Conditions conditions;
    std::optional<Halves> halves;  // some of them match, and some do not
  };

  struct Entered {  // the place behind an entry, and what is known there
    TodoId todo = 0;
    ContextId context = as_asked;
    HereId here = 0;
  };
  Result enter(model::NodeId node, const Entered& at);
  Result enter(model::NodeId node, const model::Branch& branch, const Entered& at);
  Result enter_named(model::NodeId node, const model::Branch& branch, const std::string& name,
                     const Entered& at);
  Result enter_by_destination(model::NodeId node, const model::Branch& branch, const Entered& at);
  Result go_on(TodoId todo, HereId here);
  Result stage_list(const Level& level, HereId here);
  Result list(LevelId level, model::ListId list, std::uint32_t index, HereId here);
  Result walk(LevelId level, model::ListId list, std::uint32_t index, HereId here);
  Result end_of_list(LevelId level, HereId here);
  Result take(const model::Rule& rule, model::RuleRef ref, LevelId level, std::uint32_t next, HereId here);
  Result translate(const model::Rule& rule, model::RuleRef ref, LevelId level, HereId here);
  Result leaf(Signatures::Id signature, model::Decider by) const { return {signature, by, false}; }
  Result choice(const Signatures::Conditions& conditions, const std::vector<Alternative>& alternatives,
                std::uint32_t about = 0);
  Result too_complex(model::Decider by, std::uint32_t about);
  Signatures::Conditions builtin(model::ConditionId id) const { return comparison_.conditions(side_, {id}); }

  RuleFit fit(const model::Rule& rule, const Here& here, ContextId context);
  WireFit wire_fit(const model::Qualifier& qualifier, const Here& here);
  bool names_permit(LevelId level) const {
    return std::get<model::Stage>(policy_.nodes[levels_[level].stage]).names_permit;
  }

  template <class Key, class Value>
  static std::uint32_t interned(std::map<Key, std::uint32_t>& index, std::vector<Value>& all, const Key& key,
                                Value value) {
    const auto [found, is_new] = index.try_emplace(key, static_cast<std::uint32_t>(all.size()));
    if (is_new) all.push_back(std::move(value));
    return found->second;
  }
  HereId here_of(model::View view, model::State state);  // a copy: it may stand in heres_ itself
  TodoId todo_of(const Todo& todo) { return interned(todo_index_, todos_, todo, todo); }
  LevelId level_of(const Level& level) { return interned(level_index_, levels_, level, level); }
  bool gave_up() const { return halves_.has_value() || budget_.is_spent; }
  template <class Side_>
  Halves halves_at(Side_ Box::* side, const Side_& set) const;
  template <class Side_>
  void cut(Side_ Box::* side, const Side_& set) {
    halves_ = halves_at(side, set);
  }

  const Comparison& comparison_;
  const model::Policy& policy_;
  Side side_;
  std::vector<model::Context> contexts_;
  std::map<std::map<model::Dimension, std::string>, ContextId> context_index_;
  Signatures& signatures_;
  Budget& budget_;
  std::map<std::pair<ContextId, std::uint32_t>, Standing> standing_;

  // Of the box at hand.
  const Box* box_ = nullptr;
  bool is_v4_ = true;
  const Candidates* candidates_ = nullptr;
  std::optional<Halves> halves_;
  std::vector<Here> heres_;
  std::vector<Todo> todos_;
  std::vector<Level> levels_;
  std::map<std::pair<model::View, model::State>, HereId> here_index_;
  std::map<Todo, TodoId> todo_index_;
  std::map<Level, LevelId> level_index_;
  std::map<std::tuple<LevelId, model::ListId, std::uint32_t, HereId>, Result> walked_;
  std::map<std::pair<TodoId, HereId>, Result> gone_on_;
  int nesting_ = 0;
  bool is_vague_ = false;
};

}  // namespace aclmend::difference
