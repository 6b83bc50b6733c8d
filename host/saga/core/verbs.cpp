#include "saga/core/verbs.h"

#include <algorithm>
#include <array>

#include "base/fault.h"

namespace orderd::saga {
namespace {

constexpr std::array<std::string_view, 4> verb_names{"retry", "done", "skip", "acknowledge"};

}  // namespace

std::string_view name(Verb::Kind kind) { return verb_names[static_cast<std::size_t>(kind)]; }

std::optional<Verb::Kind> parse_verb(std::string_view text) {
  const auto found = std::find(verb_names.begin(), verb_names.end(), text);
  if (found == verb_names.end()) return std::nullopt;
  return static_cast<Verb::Kind>(found - verb_names.begin());
}

std::string verb_problem(const Facts& facts, const Saga& saga, const Verb& verb) {
  using Kind = Verb::Kind;
  if (verb.kind == Kind::acknowledge)
    return saga.attention ? "" : "there is nothing to acknowledge: the order asks for no attention";
  if (!saga.open || saga.open->recheck) return "no step of this order is under way";
  if (verb.sequence != 0 && verb.sequence != saga.open->sequence)
    return "the order has gone on since: it is at " + saga.open->action + " now";
  if (verb.kind == Kind::retry)
    return saga.stuck || saga.open->phase != CommandPhase::sent
               ? ""
               : "the plugin is working on " + saga.open->action + " at this moment";
  if (!saga.stuck) return "the order is not stuck: it goes on by itself";
  const StepDefinition& step = facts.definition.steps[static_cast<std::size_t>(saga.open->step)];
  if (verb.kind == Kind::skip)
    return step.is_payment() && !saga.open->compensation
               ? "a payment is not skipped: mark it done, or cancel the order"
               : "";
  if (!step.is_payment()) return "";
  if (verb.reference.empty()) return "the provider's reference is needed";
  if (!verb.amount || *verb.amount < 0) return "the amount that was moved is needed, in the minor unit";
  if (*verb.amount > saga.open->amount)
    return "the amount is more than the " + std::to_string(saga.open->amount) + " that " + saga.open->action +
           " asks for";
  return "";
}

void Verbs::on(const Verb& verb) {
  if (!verb_problem(facts_, saga_, verb).empty()) {
    out_.stale = true;
    return;
  }
  note(saga_.attempts,
       {saga_.open ? saga_.open->sequence : 0, saga_.open ? saga_.open->generation : 0, false,
        std::string(name(verb.kind)) + (saga_.open ? " " + saga_.open->action : ""), OutcomeKind::done,
        QueryAnswer::none, "", now_, 0, "operator " + verb.actor + ": " + verb.reason, ""});
  if (verb.kind == Verb::Kind::acknowledge) {
    saga_.attention.reset();
    if (saga_.mode == Mode::finished || (saga_.mode == Mode::forward && past_pivot()))
      saga_.books.accepted = captured_left(saga_);
    return;
  }
  const bool was_stuck = saga_.stuck.has_value();
  saga_.stuck.reset();
  if (saga_.open && open_step().is_payment()) saga_.books.withheld.reset();
  if (verb.kind == Verb::Kind::done) return finish_by_hand(verb);
  if (verb.kind == Verb::Kind::skip) return skip();
  OpenCommand& open = *saga_.open;
  open.began = now_;
  open.contradicted_since = {};
  open.attempt = 1;
  if (was_stuck && begin_again()) return;
  if (open.phase == CommandPhase::pending) open.query = slot(open_step()).can_query;
  if (may_leave()) return abandon(), next();
  run();
}

/// A person has looked at what is stuck and answers for what was sent before. True: something else is
/// done instead.
bool Verbs::begin_again() {
  OpenCommand& open = *saga_.open;
  const bool can_ask = slot(open_step()).can_query;
  bool may_be_there = open.unknown || open.phase == CommandPhase::pending;
  // The way back does not send forward again: whatever became of it is undone.
  if (may_be_there && !can_ask && !open.compensation && saga_.mode != Mode::forward) {
    abandon();
    next();
    return true;
  }
  // Until its deadline even a call that nobody knows of can still arrive.
  const bool all_arrived = now_ >= open.unanswered_until;
  if (!can_ask && all_arrived) open.sends = 0;
  // The provider no longer knows this key. The person has seen that nothing came of it, and nothing can come
  // any more.
  if (may_be_there && !can_ask && forgotten(open) && all_arrived) open.unknown = may_be_there = false;
  // A provider answers the same key with the failure it stored: only a new one is tried.
  if (!may_be_there) new_key();
  if (open.phase == CommandPhase::pending && can_ask) return false;
  open.query = may_be_there && can_ask;
  open.phase = CommandPhase::waiting;
  return open.compensation && !may_be_there && choose_compensation_again();
}

/// A person has seen at the provider what the host could not find out.
void Verbs::finish_by_hand(const Verb& verb) {
  Outcome outcome;
  outcome.kind = OutcomeKind::done;
  if (open_step().is_payment()) {
    saga_.reference = verb.reference;
    mark_done(saga_, *saga_.open, *verb.amount);
    decided();
    // Nothing is inferred: the amount is what the person saw.
    outcome.totals =
        PaymentTotals{saga_.payment.authorized, saga_.payment.captured, saga_.payment.refunded, saga_.voided};
  }
  done(outcome);
}

void Verbs::skip() {
  const OpenCommand open = *saga_.open;
  if (step(open.step).is_payment()) {
    mark_skipped(saga_, open);
    decided();
  }
  saga_.open.reset();
  if (open.extend) return resume_suspended();
  result(open.step) = open.compensation ? StepResult::undone : StepResult::skipped;
  if (step(open.step).is_payment()) set_payment_status(saga_, facts_.body.total);
  if (!open.compensation && saga_.mode == Mode::forward && step(open.step).status)
    set_status(*step(open.step).status);
  next();
}

/// From here on money of this order goes back by the host's own doing only as the open undo says.
void Verbs::decided() {
  if (saga_.open->compensation && !fault::mutation("saga_decision_forgotten")) saga_.books.decided = now_;
}

}  // namespace orderd::saga
