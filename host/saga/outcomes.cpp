// What became of a call, and what follows.
#include <algorithm>

#include "base/fault.h"
#include "saga/turn.h"

namespace orderd::saga {
namespace {

/// How long a provider's totals may lag behind its successes before a person is asked.
constexpr Millis contradiction_max{30'000};

}  // namespace

void Turn::on(const Answer& answer) {
  const bool is_effect = saga_.open && !saga_.open->look && answer.key == command_key(saga_, *saga_.open);
  const bool is_query = saga_.open && saga_.open->query && answer.key == query_key(saga_, *saga_.open);
  const bool waits_for_person = saga_.stuck && answer.outcome.kind != OutcomeKind::done;
  if (waits_for_person || (!is_effect && !is_query)) {
    out_.stale = true;
    return;
  }
  OpenCommand& open = *saga_.open;
  note(saga_.attempts, {open.sequence, open.generation, is_query, open.action, answer.outcome.kind,
                        answer.outcome.query_answer, answer.outcome.code, now_, (now_ - open.sent).count(),
                        "", answer.digest.substr(0, 12)});
  const bool tells = answer.outcome.totals || answer.outcome.kind == OutcomeKind::done ||
                     answer.outcome.kind == OutcomeKind::declined;
  if (tells && open_step().is_payment() && open.sent >= saga_.hinted) saga_.hinted = {};
  if (open.look) return looked(answer.outcome);
  if (is_effect) open.query = false;  // the call itself still answered: it knows best
  if (is_effect && answer.outcome.kind == OutcomeKind::unknown)
    open.lost_until = std::max(open.lost_until, open.deadline);
  saga_.stuck.reset();
  learn(answer.outcome, answer.digest);
  if (open.extend) return extended(answer.outcome);
  if (open.query) return query_answered(answer.outcome);
  if (tells_too_little(answer.outcome)) return unknown(answer.outcome);
  apply(answer.outcome);
}

/// A call that failed tells nothing of another send of its key, which may be there or under way: from before
/// a takeover, or from before an answer that told nothing.
bool Turn::tells_too_little(const Outcome& outcome) const {
  const bool failed = outcome.kind == OutcomeKind::retry || outcome.kind == OutcomeKind::declined;
  const bool nothing_to_undo =
      saga_.open->undo && open_step().is_payment() && outcome.totals && !holds_money(saga_);
  if (fault::mutation("saga_failure_tells_all")) return false;
  return failed && saga_.open->sends > 1 && !slot(open_step()).transactional && !nothing_to_undo;
}

void Turn::learn(const Outcome& outcome, const std::string& digest) {
  const StepDefinition& of = open_step();
  if (!digest.empty()) saga_.digests[of.slot] = digest;
  if (outcome.state) saga_.blobs[of.slot] = *outcome.state;
  if (!of.is_payment()) return;
  if (!outcome.provider_reference.empty()) saga_.reference = outcome.provider_reference;
  learn_totals(saga_, outcome);
}

/// What became of something that was over. Totals that know less than the order are asked for again before
/// they are believed: a provider's answers may lag.
void Turn::looked(const Outcome& outcome) {
  OpenCommand& open = *saga_.open;
  const bool told = outcome.query_answer == QueryAnswer::found && outcome.totals;
  const bool knows_less = told && tells_less(saga_, *outcome.totals);
  if (knows_less && open.doubted == Time{}) open.doubted = now_;
  const bool may_lag = knows_less && now_ - open.doubted <= contradiction_max;
  const bool may_be_told = !told && outcome.query_answer != QueryAnswer::not_found_final;
  if ((may_be_told || may_lag) && now_ - open.began <= open_step().retry.total) {
    const Millis wait = std::max(outcome.retry_after, backoff(open_step().retry, saga_, open.attempt));
    ++open.attempt;
    return wait_until(now_ + wait, CommandPhase::waiting);
  }
  saga_.open.reset();
  const PaymentView before = saga_.payment;
  if (told) learn_totals(saga_, outcome);
  set_payment_status(saga_, facts_.body.total);
  if (saga_.payment != before || is_terminal(saga_.status)) reconsider(false);
  next();
}

void Turn::query_answered(const Outcome& outcome) {
  OpenCommand& open = *saga_.open;
  switch (outcome.query_answer) {
    case QueryAnswer::found:
      if (outcome.kind == OutcomeKind::unknown) break;  // known, but not how it ended
      open.query = false;
      return apply(outcome);
    case QueryAnswer::not_found_final:
      open.query = false;
      // Asked before the old call's deadline, it could still arrive afterwards: the same key again, or two
      // effects could follow.
      open.unknown = open.sent < open.deadline && !fault::mutation("saga_new_key_too_early");
      if (!open.unknown) new_key();
      open.phase = CommandPhase::waiting;
      if (may_leave()) return abandon(), next();
      if (now_ - open.began > open_step().retry.total) {
        if (!open.unknown) return gave_up();
        open.query = true;
        return wait_until(open.deadline, CommandPhase::waiting);
      }
      return wait_until(now_ + backoff(open_step().retry, saga_, ++open.attempt), CommandPhase::waiting);
    case QueryAnswer::not_found_yet:
    case QueryAnswer::none:
      break;
  }
  if (now_ - open.began > open_step().retry.total)
    return stick("OUTCOME_UNKNOWN", "the provider cannot tell what became of " + open.action);
  const Millis wait = std::max(outcome.retry_after, backoff(open_step().retry, saga_, open.attempt));
  ++open.attempt;
  wait_until(now_ + wait, CommandPhase::waiting);
}

void Turn::apply(const Outcome& outcome) {
  switch (outcome.kind) {
    case OutcomeKind::done:
      return contradicts_itself(outcome) ? contradicted(outcome) : done(outcome);
    case OutcomeKind::declined:
      // An undo of what the provider says it does not hold has nothing left to do.
      if (saga_.open->undo && open_step().is_payment() && outcome.totals && !holds_money(saga_))
        return done(outcome);
      return declined(outcome.code, outcome.message);
    case OutcomeKind::retry:
      return retry(outcome);
    case OutcomeKind::pending:
      return pending(outcome);
    case OutcomeKind::unknown:
      return unknown(outcome);
  }
  unknown(outcome);
}

/// A success whose totals lack what it is said to have done: not yet there, or already taken back. learn()
/// has taken the totals over.
bool Turn::contradicts_itself(const Outcome& outcome) const {
  if (!outcome.totals || !open_step().is_payment()) return false;
  const PaymentTotals& totals = *outcome.totals;
  const OpenCommand& open = *saga_.open;
  if (open.action == "payment.authorize") return totals.authorized < open.amount;
  if (open.action == "payment.capture") return totals.captured < open.amount;
  if (open.action == "payment.void") return totals.captured == 0 && totals.voided < totals.authorized;
  return open.action == "payment.refund" &&
         totals.refunded < totals.captured;  // it asked for all that was left
}

void Turn::contradicted(const Outcome& outcome) {
  OpenCommand& open = *saga_.open;
  if (open.doubted == Time{}) open.doubted = now_;
  if (now_ - open.doubted > std::min(contradiction_max, open_step().retry.total))
    return stick("OUTCOME_UNKNOWN", "the provider calls " + open.action + " done, and its totals do not");
  // A void that came before what it should let go of: one more does no harm. A refund would.
  if (open.unknown && open.action == "payment.void") {
    const OpenCommand was = open;
    saga_.open.reset();
    this->open(was.step, true, was.action, saga_.payment.authorized - saga_.voided);
    saga_.open->began = was.began;
    saga_.open->doubted = was.doubted;
    saga_.open->unknown = true;
    return;
  }
  unknown(outcome);
}

void Turn::done(const Outcome& outcome) {
  const OpenCommand open = *saga_.open;
  const StepDefinition& of = step(open.step);
  if (of.is_payment()) {
    if (!outcome.totals) infer_totals(saga_, open);
    saga_.payment.provider = slot(of).instance;
    forget_next_action(saga_);
  }
  saga_.open.reset();
  if (of.is_payment()) set_payment_status(saga_, facts_.body.total);
  if (open.undo) {
    if (!of.is_payment() || captured_left(saga_) == 0) result(open.step) = StepResult::undone;
    if (open.step == saga_.held_step) saga_.held_until.reset();
  } else {
    result(open.step) = StepResult::done;
    if (!of.is_payment() && outcome.expires) {
      saga_.held_step = open.step;
      hold(outcome);
    }
    settle_secret();
    if (of.pivot && of.is_payment() && saga_.mode == Mode::forward) reconsider(false);
    if (saga_.mode == Mode::forward && of.status)
      set_status(*of.status);
    else if (saga_.mode == Mode::forward && of.event)
      emit(EventType::step_completed);
  }
  next();
}

/// A reservation lasts until `expires`; half of that time is left for asking for more.
void Turn::hold(const Outcome& outcome) {
  saga_.held_until = outcome.expires;
  if (outcome.expires) saga_.extend_at = now_ + std::max(Millis(0), *outcome.expires - now_) / 2;
}

void Turn::extended(const Outcome& outcome) {
  OpenCommand& open = *saga_.open;
  if (outcome.kind == OutcomeKind::done) {
    hold(outcome);
    return resume_suspended();
  }
  const bool lost = outcome.kind == OutcomeKind::declined || now_ >= *saga_.held_until;
  if (!lost && saga_.mode == Mode::forward)
    return wait_until(now_ + std::max(outcome.retry_after, backoff(open_step().retry, saga_, ++open.attempt)),
                      CommandPhase::waiting);
  if (lost && saga_.mode == Mode::forward) {
    saga_.mode = Mode::failing;
    saga_.reason = Reason{"RESERVATION_EXPIRED", "the goods could not be held any longer"};
  }
  resume_suspended();
}

void Turn::declined(std::string code, std::string message) {
  saga_.open->unknown = false;
  const OpenCommand open = *saga_.open;
  const StepDefinition& of = open_step();
  if (code.empty()) code = of.is_payment() ? "PAYMENT_DECLINED" : "STEP_DECLINED";
  if (message.empty()) message = of.name + " was declined";
  const bool in_time = now_ - open.began <= of.retry.total;
  if (open.undo && in_time && undo_otherwise()) return;
  if (open.undo || (past_pivot() && saga_.mode == Mode::forward))
    return stick(std::move(code), std::move(message));
  result(open.step) = StepResult::declined;
  saga_.open.reset();
  if (of.action == "payment.authorize") {
    saga_.payment.provider = slot(of).instance;
    saga_.payment.status = PaymentStatus::failed;
    forget_next_action(saga_);
  } else if (of.is_payment()) {
    set_payment_status(saga_, facts_.body.total);
  }
  settle_secret();
  if (saga_.mode == Mode::forward) {
    saga_.mode = Mode::failing;
    saga_.reason = Reason{std::move(code), std::move(message)};
  }
  next();
}

void Turn::gave_up(const std::string& code) {
  declined(code.empty() ? "STEP_FAILED" : code, open_step().name + " was tried for too long");
}

void Turn::retry(const Outcome& outcome) {
  OpenCommand& open = *saga_.open;
  const RetryPolicy& policy = open_step().retry;
  open.unknown = false;
  open.deadline = {};  // nothing is on its way
  open.phase = CommandPhase::waiting;
  if (may_leave()) return abandon(), next();  // turned round meanwhile, and surely nothing happened
  if (now_ - open.began > policy.total) return gave_up(outcome.code);
  const Millis wait = std::max(outcome.retry_after, backoff(policy, saga_, open.attempt));
  new_key();
  ++open.attempt;
  wait_until(now_ + wait, CommandPhase::waiting);
}

void Turn::pending(const Outcome& outcome) {
  const StepDefinition& of = open_step();
  OpenCommand& open = *saga_.open;
  open.phase = CommandPhase::pending;
  open.unknown = false;
  if (outcome.expires) open.expires = outcome.expires;
  if (may_leave()) return abandon(), next();
  if (of.is_payment() && !open.undo && saga_.payment.captured == 0) {
    saga_.payment.provider = slot(of).instance;
    saga_.payment.status = outcome.next_action ? PaymentStatus::action_required : PaymentStatus::pending;
    forget_next_action(saga_);
    if (outcome.next_action) {
      saga_.payment.next_action_type = outcome.next_action->type;
      saga_.payment.next_action_url = outcome.next_action->url;
      saga_.payment.next_action_expires = outcome.expires;
    }
  }
  if (open.expires && *open.expires <= now_) return expired();
  Time next =
      now_ + (outcome.retry_after > Millis(0) ? outcome.retry_after : backoff(of.retry, saga_, open.attempt));
  ++open.attempt;
  if (open.expires) next = slot(of).can_query ? std::min(next, *open.expires) : *open.expires;
  wait_until(next, CommandPhase::pending);
}

/// What was PENDING did not end in time. Before the pivot the order fails, and the effect is undone in case
/// it still comes; money that is on its way in or back is a person's.
void Turn::expired() {
  const StepDefinition& of = open_step();
  saga_.open->phase = CommandPhase::pending;
  if (saga_.open->undo || of.pivot || past_pivot())
    return stick("ANSWER_OVERDUE", "the provider did not end " + saga_.open->action + " in time");
  turn_round(saga_.mode == Mode::forward ? Mode::failing : saga_.mode,
             saga_.mode == Mode::forward ? Reason{of.is_payment() ? "PAYMENT_EXPIRED" : "STEP_EXPIRED",
                                                  of.name + " was not completed in time"}
                                         : saga_.reason.value_or(Reason{}));
}

void Turn::unknown(const Outcome& outcome) {
  OpenCommand& open = *saga_.open;
  if (slot(open_step()).transactional) return retry(outcome);  // nothing was committed
  if (fault::mutation("saga_forget_unknown")) return declined("TIMEOUT", "no answer came in time");
  open.unknown = true;
  if (open_step().is_payment()) saga_.payment.status = PaymentStatus::unknown;
  if (!slot(open_step()).can_query)
    return stick("OUTCOME_UNKNOWN",
                 "nobody knows what became of " + open.action + ", and the plugin cannot be asked");
  const Millis wait = open.attempt == 1 ? Millis(0) : backoff(open_step().retry, saga_, open.attempt);
  open.query = true;
  ++open.attempt;
  wait_until(now_ + wait, CommandPhase::waiting);
}

}  // namespace orderd::saga
