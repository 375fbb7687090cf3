// The search for a mend: one edit for each cause, each on the document edited so far, until nothing that is
// required is stopped; then the proof over the whole.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "audit/infer.h"
#include "base/text.h"
#include "fix/plan.h"
#include "fix/prove.h"
#include "fix/question.h"
#include "model/match.h"

namespace aclmend::fix {
namespace {

using audit::Examination;
using audit::Obstacle;
using difference::ChangedBox;
using difference::Difference;
using model::Policy;
using model::Verdict;

constexpr int most_tries = 64;
constexpr std::size_t most_steps = 24, most_verified = 8;
constexpr std::string_view script_name = "snippet";

// A device and the steps that led to it. The reading owns the device; today's is the caller's.
struct State {
  std::shared_ptr<const Reading> reading;
  const Device* device = nullptr;
  std::vector<Commands> steps;
  std::vector<Envelope> envelopes;
  std::vector<std::string> because;
  Difference difference;  // from today
  const Policy& policy() const { return device->policy; }
};

std::vector<std::string> session(const Editing& editing, const std::vector<std::string>& commands) {
  std::vector<std::string> lines;
  if (commands.empty()) return lines;
  if (!editing.begin.empty()) lines.emplace_back(editing.begin);
  lines.insert(lines.end(), commands.begin(), commands.end());
  if (!editing.end.empty()) lines.emplace_back(editing.end);
  return lines;
}

SourcePtr script(const std::vector<std::string>& lines) {
  return std::make_shared<Source>(std::string(script_name), fmt::format("{}\n", fmt::join(lines, "\n")));
}

std::vector<std::string> commands_of(const State& state) {
  std::vector<std::string> lines;
  for (const Commands& step : state.steps) lines.insert(lines.end(), step.lines.begin(), step.lines.end());
  return lines;
}

std::vector<std::string> rollback_of(const State& state) {
  std::vector<std::string> lines;
  for (auto step = state.steps.rbegin(); step != state.steps.rend(); ++step)
    lines.insert(lines.end(), step->rollback.begin(), step->rollback.end());
  return lines;
}

class Search {
 public:
  explicit Search(const Question& question)
      : question_(question), editing_(question.vendor->editing), today_(question.device->policy) {}

  Result<Mend> run();

 private:
  Result<Examination> examine(const Policy& policy) const;
  std::vector<const Obstacle*> to_mend(const Examination& examination) const;
  Result<bool> go_on(const State& state, const Examination& examination);
  std::optional<State> attempt(const State& state, const std::vector<const Obstacle*>& left,
                               const Candidate& candidate);
  Result<State> applied(const State& to, const std::vector<std::string>& lines) const;
  Difference difference_to(const Policy& after) const;
  bool is_acceptable(const State& state, const Candidate& candidate);
  Result<bool> finish(const State& state, const Examination& examination);
  void tell(const State& state);
  void note(const Candidate& candidate, std::string reason, std::optional<audit::Line> at = {});
  void note_beyond(const State& state, const Candidate& candidate, const std::vector<ChangedBox>& boxes);
  void note_unknown(const State& state, const Candidate& candidate, const ChangedBox& box);
  ChangedPackets told(const ChangedBox& box, const Policy& after) const;
  std::vector<ChangedPackets> told(const std::vector<ChangedBox>& boxes, const Policy& after) const;
  void refuse(std::string reason) {
    mend_.status = Status::refused;
    mend_.reason = std::move(reason);
  }

  const Question& question_;
  const Editing* editing_;
  const Policy& today_;
  std::vector<Obstacle> missing_;  // what is to be mended, as it is today
  Mend mend_;
  int tries_ = 0;
};

Result<Examination> Search::examine(const Policy& policy) const {
  audit::Question asked = question_.audit;
  asked.policy = &policy;
  asked.context = context_in(policy, asked.context.known, question_.assumed);
  return audit::examine(asked);
}

std::vector<const Obstacle*> Search::to_mend(const Examination& examination) const {
  std::vector<const Obstacle*> found;
  for (const Obstacle& obstacle : examination.obstacles)
    if (obstacle.verdict == Verdict::deny || question_.unknown == Unknown::settled)
      found.push_back(&obstacle);
  return found;
}

// ---- one step -----------------------------------------------------------------------------------------

// The device after a session with these commands; an Error says what it refuses.
Result<State> Search::applied(const State& to, const std::vector<std::string>& lines) const {
  const SourcePtr source = script(session(*editing_, lines));
  TRY(reading, editing_->apply(*to.device, std::span(&source, 1)));
  for (const Diagnostic& diagnostic : reading.diagnostics.all())
    if (diagnostic.severity == Severity::error) return fail(diagnostic.message);
  State next = to;
  auto owned = std::make_shared<Reading>(std::move(reading));
  next.device = &owned->devices.front();
  next.reading = std::move(owned);
  return next;
}

Difference Search::difference_to(const Policy& after) const {
  difference::Question asked;
  asked.known = question_.audit.context.known;
  asked.known.erase(model::Dimension::ingress);  // an edit may be felt on every ingress
  asked.assumed = question_.assumed;
  return difference::what_differs(today_, after, asked);
}

// The obstacles that stand in one list are opened by one edit together, whichever of them it was thought of
// for.
std::vector<Envelope> envelopes_of(const Policy& policy, const std::vector<const Obstacle*>& left,
                                   model::ListId list) {
  std::vector<Envelope> envelopes;
  const std::vector<model::NodeId> stages = model::stages_of(policy, list);
  const auto is_one = [&](model::NodeId node) { return std::ranges::find(stages, node) != stages.end(); };
  for (const Obstacle* obstacle : left) {
    const auto& by = obstacle->by;
    const bool stands_here =
        obstacle == left.front() || (by.stage && is_one(*by.stage)) ||
        (by.rule && std::ranges::any_of(model::stages_of(policy, by.rule->list), is_one));
    if (stands_here) envelopes.push_back(envelope_of(policy, *obstacle, list));
  }
  return envelopes;
}

std::optional<State> Search::attempt(const State& state, const std::vector<const Obstacle*>& left,
                                     const Candidate& candidate) {
  const auto refuse_it = [&](std::string reason, std::optional<audit::Line> at = {}) {
    note(candidate, std::move(reason), std::move(at));
    return std::nullopt;
  };
  if (!candidate.refusal.empty()) return refuse_it(candidate.refusal, candidate.at);
  auto commands = editing_->write(*state.device, candidate.edit);
  if (!commands) return refuse_it(commands.error().message);
  auto next = applied(state, commands->lines);
  if (!next) return refuse_it(next.error().message);
  next->steps.push_back(std::move(*commands));
  std::ranges::move(envelopes_of(state.policy(), left, candidate.list), std::back_inserter(next->envelopes));
  if (!candidate.because.empty() &&
      std::ranges::find(next->because, candidate.because) == next->because.end())
    next->because.push_back(candidate.because);
  next->difference = difference_to(next->policy());
  if (!is_acceptable(*next, candidate)) return std::nullopt;
  return std::move(*next);
}

// Whether all that differs from today is what was asked for; says what does not do.
bool Search::is_acceptable(const State& state, const Candidate& candidate) {
  const Difference& difference = state.difference;
  if (difference.is_truncated()) return note(candidate, "changes more than can be told apart"), false;
  const auto open = beyond(difference, state.policy(), question_.assumed, state.envelopes);
  if (!open.empty()) return note_beyond(state, candidate, open), false;
  if (!difference.newly_denied.empty()) {
    const ChangedPackets box = told(difference.newly_denied.front(), state.policy());
    note(candidate, fmt::format("would also close {}", to_string(box.packets)), box.after);
    return false;
  }
  if (!difference.newly_unknown.empty()) {
    note_unknown(state, candidate, difference.newly_unknown.front());
    return false;
  }
  return true;
}

void Search::note(const Candidate& candidate, std::string reason, std::optional<audit::Line> at) {
  const bool is_told = std::ranges::any_of(mend_.tried, [&](const Tried& tried) {
    return tried.edit == candidate.name && tried.reason == reason;
  });
  if (!is_told) mend_.tried.push_back({candidate.name, std::move(reason), std::move(at)});
}

void Search::note_beyond(const State& state, const Candidate& candidate,
                         const std::vector<ChangedBox>& boxes) {
  const std::vector<ChangedPackets> all = told(boxes, state.policy());
  std::string reason = fmt::format("would also open {}", to_string(all.front().packets));
  if (all.size() > 1) reason += fmt::format(" and {} more", all.size() - 1);
  note(candidate, std::move(reason), all.front().after);
  for (const ChangedPackets& one : all)
    if (mend_.proof.beyond_required.size() < Difference::most_boxes)
      mend_.proof.beyond_required.push_back(one);
}

void Search::note_unknown(const State& state, const Candidate& candidate, const ChangedBox& box) {
  const Policy& policy = state.policy();
  const Packet packet = PacketSet(box.packets).example();
  const model::Decision decision = decide(policy, context_in(policy, box.context, question_.assumed), packet);
  std::string reason = "would not be certain";
  std::optional<audit::Line> at;
  for (const model::OpenCondition& open : decision.conditions) {
    const std::string name = to_string(policy.conditions[open.condition]);
    if (!open.rule) continue;
    const bool denies = policy.rule(*open.rule).action == model::Action::deny;
    at = audit::line_of_rule(policy, *open.rule);
    reason = fmt::format("{} may {} first: {}", at->rule, denies ? "deny" : "decide", printable(name));
    std::string settled = name + (denies ? "=off" : "=on");
    if (std::ranges::find(mend_.to_go_on, settled) == mend_.to_go_on.end())
      mend_.to_go_on.push_back(std::move(settled));
    break;
  }
  note(candidate, std::move(reason), std::move(at));
}

// ---- the search ---------------------------------------------------------------------------------------

// Who stops the packets, in words that an edit elsewhere does not change.
std::string decider_text(const Policy& policy, const Obstacle& obstacle) {
  std::string text = obstacle.flow->id + " " + to_string(obstacle.slice.destination) + " ";
  if (obstacle.by.rule)
    text +=
        fmt::format("{} {}", policy.lists[obstacle.by.rule->list].name, rule_text(policy, *obstacle.by.rule));
  else text += implicit_of(policy, obstacle.by);
  return text;
}

bool made_progress(const Policy& before, const Obstacle& obstacle, const Policy& after,
                   const std::vector<const Obstacle*>& left) {
  const std::string who = decider_text(before, obstacle);
  return std::ranges::none_of(left, [&](const Obstacle* other) {
    return other->addresses.covers(obstacle.addresses) && decider_text(after, *other) == who;
  });
}

Result<bool> Search::go_on(const State& state, const Examination& examination) {
  const std::vector<const Obstacle*> left = to_mend(examination);
  if (left.empty()) return finish(state, examination);
  if (state.steps.size() >= most_steps) return false;
  const Obstacle& obstacle = *left.front();
  const auto plan = candidates(state.policy(), obstacle, question_.unknown);
  for (const Candidate& candidate : plan) {
    if (++tries_ > most_tries) return false;
    const auto next = attempt(state, left, candidate);
    if (!next) continue;
    TRY(then, examine(next->policy()));
    if (!then.told.error.empty()) {
      note(candidate, then.told.error);
      continue;
    }
    if (!made_progress(state.policy(), obstacle, next->policy(), to_mend(then))) {
      note(candidate, "does not change who stops them");
      continue;
    }
    TRY(is_done, go_on(*next, then));
    if (is_done) return true;
  }
  if (plan.empty()) {
    const std::string sentence = printable(implicit_of(state.policy(), obstacle.by));
    mend_.tried.push_back({"a rule of its own",
                           sentence.empty() ? "no list can be edited where they are stopped"
                                            : fmt::format("no list decides there: {}", sentence),
                           std::nullopt});
  }
  return false;
}

// ---- the proof over the whole -------------------------------------------------------------------------

Result<bool> Search::finish(const State& state, const Examination& examination) {
  const Candidate whole{.name = "all edits together", .edit = {}};
  // What people paste is the whole: that is read once more when it was made in several steps.
  State proved = state;
  if (state.steps.size() > 1) {
    State start;
    start.device = question_.device;
    auto at_once = applied(start, commands_of(state));
    if (!at_once) return note(whole, at_once.error().message), false;
    proved.reading = at_once->reading;
    proved.device = at_once->device;
    proved.difference = difference_to(proved.policy());
    if (!is_acceptable(proved, whole)) return false;
  }
  for (const Obstacle& obstacle : missing_) {
    const PacketSet permitted =
        difference::packets_of(proved.difference.newly_permitted, obstacle.context.known);
    if (!(obstacle.packets() - permitted).empty())
      return note(whole, fmt::format("does not let all of {} through", to_string(obstacle.addresses))), false;
  }
  const auto rolled_back = applied(proved, rollback_of(state));
  if (!rolled_back)
    return note(whole, fmt::format("its rollback is refused: {}", rolled_back.error().message)), false;
  if (!difference_to(rolled_back->policy()).empty())
    return note(whole, "its rollback does not give back the packets of today"), false;
  TRY(count,
      second_count(proved.difference, {today_, proved.policy(), rolled_back->policy()}, question_.assumed));
  mend_.proof.second_count = count;
  for (const Obstacle& obstacle : examination.obstacles)
    if (obstacle.verdict == Verdict::unknown) mend_.still_unknown |= obstacle.addresses;
  tell(proved);
  return true;
}

ChangedPackets Search::told(const ChangedBox& box, const Policy& after) const {
  ChangedPackets packets{box.packets, box.context, {}, {}};
  if (box.before.by.rule) packets.before = audit::line_of_rule(today_, *box.before.by.rule);
  if (box.after.by.rule) packets.after = audit::line_of_rule(after, *box.after.by.rule);
  return packets;
}

std::vector<ChangedPackets> Search::told(const std::vector<ChangedBox>& boxes, const Policy& after) const {
  std::vector<ChangedPackets> all;
  for (const ChangedBox& box : boxes) all.push_back(told(box, after));
  return all;
}

void Search::tell(const State& state) {
  mend_.status = Status::proved;
  mend_.snippet = session(*editing_, commands_of(state));
  mend_.rollback = session(*editing_, rollback_of(state));
  mend_.because = state.because;
  mend_.proof.newly_permitted = told(state.difference.newly_permitted, state.policy());
  mend_.proof.beyond_required.clear();
  for (const Commands& step : state.steps)
    for (const std::string& note : step.notes)
      if (std::ranges::find(mend_.notes, note) == mend_.notes.end()) mend_.notes.push_back(note);
}

Mended mended_of(const Obstacle& obstacle) {
  Mended mended;
  mended.flow = obstacle.flow->id;
  mended.addresses = obstacle.addresses;
  mended.is_inbound = obstacle.is_inbound();
  mended.destination = obstacle.slice.destination;
  if (obstacle.is_inbound() && obstacle.seen.destination != obstacle.slice.destination)
    mended.translated_to = obstacle.seen.destination;
  mended.service =
      fmt::format("{}/{}", protocol_name(obstacle.slice.protocol), obstacle.slice.destination_port);
  return mended;
}

Result<Mend> Search::run() {
  TRY(examination, examine(today_));
  mend_.before = examination.told;
  mend_.error = examination.told.error;
  if (!mend_.error.empty()) return std::move(mend_);
  AddressSet missing;
  for (const Obstacle* obstacle : to_mend(examination)) {
    missing_.push_back(*obstacle);
    missing |= obstacle->addresses;
    const Mended mended = mended_of(*obstacle);
    const auto same = std::ranges::find_if(mend_.missing, [&](const Mended& other) {
      return other.flow == mended.flow && other.destination == mended.destination &&
             other.translated_to == mended.translated_to;
    });
    if (same == mend_.missing.end()) mend_.missing.push_back(mended);
    else same->addresses |= mended.addresses;
  }
  for (const Obstacle& obstacle : examination.obstacles)
    if (obstacle.verdict == Verdict::unknown && missing_.empty()) mend_.still_unknown |= obstacle.addresses;
  if (missing_.empty()) return std::move(mend_);
  for (const audit::Finding& finding : mend_.before.findings) {
    const std::string id(audit::text_of(finding.code).id);
    const bool is_mended = !finding.ranges.empty() && finding.ranges.intersects(missing) && finding.witness &&
                           finding.severity != Severity::note;
    if (is_mended && std::ranges::find(mend_.codes, id) == mend_.codes.end()) mend_.codes.push_back(id);
  }
  if (editing_ == nullptr) {
    refuse(fmt::format("{} is not edited by this program", question_.vendor->title));
    return std::move(mend_);
  }
  State start;
  start.device = question_.device;
  TRY(is_done, go_on(start, examination));
  if (!is_done) {
    refuse(fmt::format("no proof that {} would get through after any edit", to_string(missing)));
    return std::move(mend_);
  }
  for (const Obstacle& obstacle : missing_)
    for (const Prefix& prefix : obstacle.addresses.prefixes()) {
      if (mend_.verify.size() >= most_verified) break;
      const Packet packet = obstacle.packet(audit::example_of(AddressSet(prefix)));
      for (std::string& line : question_.vendor->verify(*question_.device, packet, obstacle.ingress))
        if (std::ranges::find(mend_.verify, line) == mend_.verify.end())
          mend_.verify.push_back(std::move(line));
    }
  return std::move(mend_);
}

}  // namespace

Result<Mend> mend(const Question& question) { return Search(question).run(); }

}  // namespace aclmend::fix
