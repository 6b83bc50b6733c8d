#include "saga/core/outcomes.h"

#include <algorithm>

#include "base/fault.h"

namespace orderd::saga {
namespace {

/// How long a provider's totals may lag behind its successes before a person is asked.
constexpr Millis contradiction_max{30'000};
/// What a provider or a backend waits for ends within this, whatever it says.
constexpr std::chrono::days expires_max{400};

}  // namespace

void Outcomes::on(const Answer& answer) {
  const bool is_effect = saga_.open && !saga_.open->recheck && answer.key == command_key(saga_, *saga_.open);
  const bool is_query = saga_.open && saga_.open->query && answer.key == query_key(saga_, *saga_.open);
  const bool waits_for_person = saga_.stuck && answer.outcome.kind != OutcomeKind::done;
  if (waits_for_person || (!is_effect && !is_query)) {
    out_.stale = true;
    return;
  }
  OpenCommand& open = *saga_.open;
  note(saga_.attempts, {open.sequence, open.generation, is_query, open.action, answer.outcome.kind,
                        answer.outcome.query_answer, answer.outcome.code, now_, (now_ - open.sent).count(),
                        "", answer.digest.substr(0, 12), answer.outcome.message});
  const bool tells = answer.outcome.totals || answer.outcome.kind == OutcomeKind::done ||
                     answer.outcome.kind == OutcomeKind::declined;
  if (tells && open_step().is_payment() && open.sent >= saga_.recheck_requested_at)
    saga_.recheck_requested_at = {};
  if (open.recheck) return rechecked(answer.outcome);
  if (is_effect) open.query = false;  // the call itself still answered: it knows best
  if (is_effect && answer.outcome.kind == OutcomeKind::unknown)
    open.unanswered_until = std::max(open.unanswered_until, open.deadline);
  saga_.stuck.reset();
  learn(answer.outcome, answer.digest);
  if (open.extend) return extended(answer.outcome);
  if (open.query) return query_answered(answer.outcome);
  if (tells_too_little(answer.outcome)) return unknown(answer.outcome);
  apply(answer.outcome);
}

void Outcomes::on(const Cancel& cancel) {
  if (cancel.version <= saga_.version) {
    out_.stale = true;
    return;
  }
  saga_.version = cancel.version;
  saga_.updated = std::max(saga_.updated, cancel.at);
  saga_.status = Status::cancelling;
  if (saga_.mode == Mode::failing) return;
  start_compensation(Mode::cancelling, cancel.reason);
}

void Outcomes::on(const Due&) {
  if (!saga_.open || saga_.stuck || saga_.open->phase == CommandPhase::sent) return;
  if (const auto deadline = total_deadline(facts_, saga_); deadline && *deadline <= now_)
    return start_compensation(Mode::failing, {"SAGA_TIMEOUT", "the order did not come through in time"});
  if (const auto due = extension_due(facts_, saga_); due && *due <= now_) return extend();
  OpenCommand& open = *saga_.open;
  if (open.next > now_) return;
  if (open.phase == CommandPhase::pending) {
    if (!slot(open_step()).can_query) return expired();
    open.query = true;
  }
  // What was not sent yet, or surely came to nothing, is chosen anew: the money may have moved meanwhile.
  if (open.compensation && open.sends == 0 && !open.query && choose_compensation_again()) return;
  run();
}

void Outcomes::on(const TakenOver&) {
  if (!saga_.open || saga_.stuck || saga_.open->phase != CommandPhase::sent) return;
  // A transactional step's effect is saved with the saga, or not at all: it is simply done again.
  const SlotInfo& info = slot(open_step());
  if (!info.transactional && !saga_.open->extend && !saga_.open->recheck) {
    saga_.open->unknown = true;
    saga_.open->unanswered_until = std::max(saga_.open->unanswered_until, saga_.open->deadline);
    saga_.open->query = info.can_query;
  }
  ++saga_.open->attempt;
  run();
}

/// A call that failed tells nothing of another send of its key, which may be there or under way: from before
/// a takeover, or from before an answer that told nothing.
bool Outcomes::tells_too_little(const Outcome& outcome) const {
  const bool failed = outcome.kind == OutcomeKind::retry || outcome.kind == OutcomeKind::declined;
  const bool nothing_to_undo =
      saga_.open->compensation && open_step().is_payment() && outcome.totals && !holds_money(saga_);
  if (fault::mutation("saga_failure_tells_all")) return false;
  return failed && saga_.open->sends > 1 && !slot(open_step()).transactional && !nothing_to_undo;
}

/// What a recheck of a finished order brought. Totals that know less than the order are asked for again
/// before they are believed: a provider's answers may lag.
void Outcomes::rechecked(const Outcome& outcome) {
  OpenCommand& open = *saga_.open;
  const auto totals = outcome.query_answer == QueryAnswer::found ? totals_of(outcome) : std::nullopt;
  const bool knows_less = totals && tells_less(saga_, *totals);
  if (knows_less && open.contradicted_since == Time{}) open.contradicted_since = now_;
  const bool may_lag = knows_less && now_ - open.contradicted_since <= contradiction_max;
  const bool may_be_told = !totals && outcome.query_answer != QueryAnswer::not_found_final;
  if ((may_be_told || may_lag) && now_ - open.began < open_step().retry.total) {
    const Time next = next_attempt(outcome);
    ++open.attempt;
    return wait_until(next, CommandPhase::waiting);
  }
  saga_.open.reset();
  const PaymentView before = saga_.payment;
  const bool by_name = outcome.kind == OutcomeKind::declined && knows_less;
  const bool denied = knows_less && !(by_name && taken_back(*totals));
  if (totals && !knows_less) learn_totals(saga_, outcome);
  if (denied || (totals && contradicts_person(*totals, {}))) {
    const bool reversed = denied && !is_terminal(saga_.status) && totals->authorized >= before.authorized;
    differ(*totals, reversed
                        ? Reason{"PAYMENT_REVERSED", "the provider took back money that the order had"}
                        : Reason{contradicted_code, "the provider's totals are not what the order knows"});
  }
  set_payment_status(saga_, facts_.body.total);
  if (saga_.payment != before || is_terminal(saga_.status)) reconsider(false);
  next();
}

void Outcomes::query_answered(const Outcome& outcome) {
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
      if (now_ - open.began >= open_step().retry.total) {
        if (!open.unknown) return gave_up();
        open.query = true;
        return wait_until(open.deadline, CommandPhase::waiting);
      }
      ++open.attempt;
      return wait_until(next_attempt({}), CommandPhase::waiting);
    case QueryAnswer::not_found_yet:
    case QueryAnswer::none:
      break;
  }
  if (now_ - open.began >= open_step().retry.total)
    return mark_stuck("OUTCOME_UNKNOWN", "the provider cannot tell what became of " + open.action);
  const Time next = next_attempt(outcome);
  ++open.attempt;
  wait_until(next, CommandPhase::waiting);
}

void Outcomes::apply(const Outcome& outcome) {
  switch (outcome.kind) {
    case OutcomeKind::done:
      if (contradicts_itself(outcome)) return contradicted(outcome);
      count_success(saga_, *saga_.open);
      return done(outcome);
    case OutcomeKind::declined:
      believe_refusal(outcome);
      // An undo of what the provider says it does not hold has nothing left to do.
      if (saga_.open->compensation && open_step().is_payment() && outcome.totals && !holds_money(saga_))
        return done(outcome);
      if (denies_the_past(outcome)) {
        saga_.open->unknown = false;
        return contradicted(outcome);
      }
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

void Outcomes::contradicted(const Outcome& outcome) {
  OpenCommand& open = *saga_.open;
  if (denies_the_past(outcome)) {
    open.unknown = outcome.kind == OutcomeKind::done;
    return mark_stuck(contradicted_code, "the provider's totals at " + open.action +
                                             " lack what it had reported before: is it asked in "
                                             "another account?");
  }
  if (open.contradicted_since == Time{}) open.contradicted_since = now_;
  if (now_ - open.contradicted_since > std::min(contradiction_max, open_step().retry.total))
    return mark_stuck("OUTCOME_UNKNOWN",
                      "the provider calls " + open.action + " done, and its totals do not");
  // A void that came before what it should let go of: one more does no harm. A refund would.
  if (open.unknown && open.action == "payment.void") {
    const OpenCommand was = open;
    saga_.open.reset();
    this->open(was.step, true, was.action, saga_.payment.authorized - let_go(saga_));
    saga_.open->began = was.began;
    saga_.open->contradicted_since = was.contradicted_since;
    saga_.open->unknown = true;
    return;
  }
  unknown(outcome);
}

void Outcomes::done(const Outcome& outcome) {
  const OpenCommand open = *saga_.open;
  const StepDefinition& of = step(open.step);
  if (of.is_payment()) {
    if (!outcome.totals) infer_totals(saga_, open);
    saga_.payment.provider = slot(of).instance;
    forget_next_action(saga_);
  }
  saga_.open.reset();
  if (of.is_payment()) set_payment_status(saga_, facts_.body.total);
  if (open.compensation) {
    if (!of.is_payment() || !holds_money(saga_)) result(open.step) = StepResult::undone;
    if (open.step == saga_.held_step) saga_.reservation_expires_at.reset();
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
void Outcomes::hold(const Outcome& outcome) {
  saga_.reservation_expires_at = outcome.expires;
  if (!outcome.expires) return;
  saga_.reservation_expires_at = std::clamp(*outcome.expires, now_, now_ + expires_max);
  saga_.extend_at = now_ + (*saga_.reservation_expires_at - now_) / 2;
}

void Outcomes::extended(const Outcome& outcome) {
  OpenCommand& open = *saga_.open;
  if (outcome.kind == OutcomeKind::done) {
    hold(outcome);
    return resume_suspended();
  }
  const bool lost = outcome.kind == OutcomeKind::declined || now_ >= *saga_.reservation_expires_at;
  if (!lost && saga_.mode == Mode::forward)
    return ++open.attempt,
           wait_until(std::min(next_attempt(outcome), *saga_.reservation_expires_at), CommandPhase::waiting);
  if (lost && saga_.mode == Mode::forward) {
    saga_.mode = Mode::failing;
    saga_.reason = Reason{"RESERVATION_EXPIRED", "the goods could not be held any longer"};
  }
  resume_suspended();
}

void Outcomes::declined(std::string code, std::string message) {
  saga_.open->unknown = false;
  const OpenCommand open = *saga_.open;
  const StepDefinition& of = open_step();
  if (code.empty()) code = of.is_payment() ? "PAYMENT_DECLINED" : "STEP_DECLINED";
  if (message.empty()) message = what(open) + " was declined";
  const bool in_time = now_ - open.began <= of.retry.total;
  if (open.compensation && in_time && choose_compensation_again()) return;
  if (open.compensation || (past_pivot() && saga_.mode == Mode::forward))
    return mark_stuck(std::move(code), std::move(message));
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

/// For people: "authorize", and of what is taken back the command, for an undo has no name of its own.
std::string Outcomes::what(const OpenCommand& open) const {
  return open.compensation ? open.action : step(open.step).name;
}

void Outcomes::gave_up(const std::string& code) {
  declined(code.empty() ? "STEP_FAILED" : code, what(*saga_.open) + " was tried for too long");
}

void Outcomes::retry(const Outcome& outcome) {
  OpenCommand& open = *saga_.open;
  open.unknown = false;
  open.deadline = {};  // nothing is on its way
  open.phase = CommandPhase::waiting;
  if (may_leave()) return abandon(), next();  // turned round meanwhile, and surely nothing happened
  if (now_ - open.began >= open_step().retry.total) return gave_up(outcome.code);
  const Time next = next_attempt(outcome);
  new_key();
  ++open.attempt;
  wait_until(next, CommandPhase::waiting);
}

void Outcomes::pending(const Outcome& outcome) {
  const StepDefinition& of = open_step();
  OpenCommand& open = *saga_.open;
  open.phase = CommandPhase::pending;
  open.unknown = false;
  if (outcome.expires) open.expires = std::clamp(*outcome.expires, now_, now_ + expires_max);
  if (may_leave()) return abandon(), next();
  if (of.is_payment() && !open.compensation && saga_.payment.captured == 0) {
    saga_.payment.provider = slot(of).instance;
    saga_.payment.status = outcome.next_action ? PaymentStatus::action_required : PaymentStatus::pending;
    forget_next_action(saga_);
    if (outcome.next_action) {
      saga_.payment.next_action_type = outcome.next_action->type;
      saga_.payment.next_action_url = outcome.next_action->url;
      if (outcome.expires) saga_.payment.next_action_expires = open.expires;
    }
  }
  if (open.expires && *open.expires <= now_) return expired();
  // It may take days, and is asked for at least once in a step's time for attempts.
  Time next = now_ + (outcome.retry_after > Millis(0) ? std::min(outcome.retry_after, of.retry.total)
                                                      : backoff(of.retry, saga_, open.attempt));
  ++open.attempt;
  if (open.expires) next = slot(of).can_query ? std::min(next, *open.expires) : *open.expires;
  wait_until(next, CommandPhase::pending);
}

/// What was PENDING did not end in time. Before the pivot the order fails, and the effect is undone in case
/// it still comes; money that is on its way in or back is a person's.
void Outcomes::expired() {
  const StepDefinition& of = open_step();
  saga_.open->phase = CommandPhase::pending;
  if (saga_.open->compensation || of.pivot || past_pivot())
    return mark_stuck("ANSWER_OVERDUE", "the provider did not end " + saga_.open->action + " in time");
  start_compensation(saga_.mode == Mode::forward ? Mode::failing : saga_.mode,
                     saga_.mode == Mode::forward
                         ? Reason{of.is_payment() ? "PAYMENT_EXPIRED" : "STEP_EXPIRED",
                                  of.name + " was not completed in time"}
                         : saga_.reason.value_or(Reason{}));
}

void Outcomes::unknown(const Outcome& outcome) {
  OpenCommand& open = *saga_.open;
  if (slot(open_step()).transactional) return retry(outcome);  // nothing was committed
  if (fault::mutation("saga_forget_unknown")) return declined("TIMEOUT", "no answer came in time");
  open.unknown = true;
  if (open_step().is_payment()) saga_.payment.status = PaymentStatus::unknown;
  if (!slot(open_step()).can_query)
    return mark_stuck("OUTCOME_UNKNOWN",
                      "nobody knows what became of " + open.action + ", and the plugin cannot be asked");
  const Millis wait = open.attempt == 1 ? Millis(0) : backoff(open_step().retry, saga_, open.attempt);
  open.query = true;
  ++open.attempt;
  wait_until(now_ + wait, CommandPhase::waiting);
}

}  // namespace orderd::saga
