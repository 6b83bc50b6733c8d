#include "saga/decide.h"

#include <algorithm>
#include <functional>

#include "saga/payment.h"

namespace orderd::saga {
namespace {

/// Half of the wait is jitter, taken from the order's id, so that the same history comes out the same again.
Millis backoff(const RetryPolicy& policy, const Saga& saga, std::uint32_t attempt) {
  const Millis full =
      std::min(policy.cap, policy.first * (std::int64_t{1} << std::min<std::uint32_t>(attempt - 1, 20)));
  const auto spread = std::hash<Uuid>{}(saga.order_id) + attempt * 0x9e3779b9u;
  return full / 2 +
         Millis(static_cast<std::int64_t>(spread % static_cast<std::size_t>(full.count() / 2 + 1)));
}

EventType event_of(Status status) {
  switch (status) {
    case Status::payment_authorized:
      return EventType::payment_authorized;
    case Status::inventory_reserved:
      return EventType::inventory_reserved;
    case Status::confirmed:
      return EventType::order_confirmed;
    case Status::cancelling:
      return EventType::order_compensating;
    case Status::cancelled:
      return EventType::order_cancelled;
    case Status::rejected:
      return EventType::order_rejected;
    case Status::pending:
      break;
  }
  return EventType::step_completed;
}

/// One call of decide(): the decision as it grows.
class Turn {
 public:
  Turn(const Facts& facts, Saga saga, Time now) : facts_(facts), now_(now), saga_(out_.saga) {
    out_.saga = std::move(saga);
  }

  Decision take(const Input& input) {
    std::visit([this](const auto& one) { on(one); }, input);
    return std::move(out_);
  }

 private:
  const StepDefinition& step(std::int16_t index) const {
    return facts_.definition.steps[static_cast<std::size_t>(index)];
  }
  const StepDefinition& open_step() const { return step(saga_.open->step); }
  StepResult& result(std::int16_t index) { return saga_.steps[static_cast<std::size_t>(index)]; }
  const SlotInfo& slot(const StepDefinition& of) const { return facts_.slots.at(of.slot); }

  void emit(EventType type) {
    saga_.updated = std::max(now_, saga_.updated);
    ++saga_.version;
    saga_.told = saga_.payment.status;
    out_.events.push_back(
        {saga_.order_id, saga_.version, type, saga_.updated, saga_.status, saga_.reason, saga_.payment});
  }
  void set_status(Status status) {
    saga_.status = status;
    emit(event_of(status));
  }

  void on(const Begin&) { next(); }
  void on(const Cancel& cancel);
  void on(const Due&);
  void on(const TakenOver&);
  void on(const Answer& answer);

  void next();
  void next_forward();
  void next_undo();
  bool undo(std::int16_t index);
  void abandon();
  void open(std::int16_t index, bool undo, std::string action, std::int64_t amount);
  void run();
  void wait_until(Time time, CommandPhase phase);
  void stick(std::string code, std::string message);

  void query_answered(const Outcome& outcome);
  void apply(const Outcome& outcome);
  void done(const Outcome& outcome);
  void declined(std::string code, std::string message);
  void retry(const Outcome& outcome);
  void gave_up(const std::string& code = {}) {
    declined(code.empty() ? "STEP_FAILED" : code, open_step().name + " was tried for too long");
  }
  void pending(const Outcome& outcome);
  void unknown(const Outcome& outcome);
  void settle_secret();

  const Facts& facts_;
  const Time now_;
  Decision out_;
  Saga& saga_;
};

void Turn::on(const Cancel& cancel) {
  if (cancel.version <= saga_.version) {
    out_.stale = true;
    return;
  }
  saga_.version = cancel.version;
  saga_.updated = std::max(saga_.updated, cancel.at);
  saga_.status = Status::cancelling;
  if (saga_.mode == Mode::failing) return;
  saga_.mode = Mode::cancelling;
  saga_.reason = cancel.reason;
  if (saga_.open && !saga_.open->undo && !saga_.open->query) {
    if (saga_.open->phase != CommandPhase::sent) abandon();
  }
  if (!saga_.open) next();
}

void Turn::on(const Due&) {
  if (!saga_.open || saga_.stuck || saga_.open->phase == CommandPhase::sent || saga_.open->next > now_)
    return;
  if (saga_.open->phase == CommandPhase::pending) {
    if (!slot(open_step()).can_query)
      return stick("ANSWER_OVERDUE", "the provider did not answer in time and cannot be asked");
    saga_.open->query = true;
  }
  run();
}

void Turn::on(const TakenOver&) {
  if (!saga_.open || saga_.stuck || saga_.open->phase != CommandPhase::sent) return;
  // A transactional step's effect is saved with the saga, or not at all: it is simply done again.
  const SlotInfo& info = slot(open_step());
  if (!info.transactional && info.can_query) saga_.open->query = true;
  ++saga_.open->attempt;
  run();
}

void Turn::on(const Answer& answer) {
  const bool is_effect = saga_.open && answer.key == command_key(saga_, *saga_.open);
  const bool is_query = saga_.open && saga_.open->query && answer.key == query_key(saga_, *saga_.open);
  if (saga_.stuck || (!is_effect && !is_query)) {
    out_.stale = true;
    return;
  }
  if (is_effect) saga_.open->query = false;  // the call itself still answered: it knows best
  const StepDefinition& of = open_step();
  if (!answer.digest.empty()) saga_.digests[of.slot] = answer.digest;
  if (answer.outcome.state) saga_.blobs[of.slot] = *answer.outcome.state;
  if (!answer.outcome.provider_reference.empty()) saga_.reference = answer.outcome.provider_reference;
  if (of.is_payment()) learn_totals(saga_, answer.outcome);
  if (saga_.open->query) return query_answered(answer.outcome);
  apply(answer.outcome);
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
      // Before the old call's deadline it may still arrive: the same key again, or two effects could follow.
      if (now_ >= open.deadline) ++open.generation;
      if (saga_.mode != Mode::forward && !open.undo) return abandon(), next();
      if (now_ - open.began > open_step().retry.total) return gave_up();
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
      return done(outcome);
    case OutcomeKind::declined:
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
  } else {
    result(open.step) = StepResult::done;
    settle_secret();
    if (saga_.mode == Mode::forward && of.status)
      set_status(*of.status);
    else if (saga_.mode == Mode::forward && of.event)
      emit(EventType::step_completed);
  }
  next();
}

void Turn::declined(std::string code, std::string message) {
  const OpenCommand open = *saga_.open;
  const StepDefinition& of = open_step();
  if (code.empty()) code = of.is_payment() ? "PAYMENT_DECLINED" : "STEP_DECLINED";
  if (message.empty()) message = of.name + " was declined";
  bool past_pivot = false;
  for (std::size_t i = 0; i < facts_.definition.steps.size(); ++i)
    past_pivot |= facts_.definition.steps[i].pivot && saga_.steps[i] == StepResult::done;
  if (open.undo || (past_pivot && saga_.mode == Mode::forward))
    return stick(std::move(code), std::move(message));
  result(open.step) = StepResult::declined;
  saga_.open.reset();
  if (of.action == "payment.authorize") {
    saga_.payment.provider = slot(of).instance;
    saga_.payment.status = PaymentStatus::failed;
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

void Turn::retry(const Outcome& outcome) {
  OpenCommand& open = *saga_.open;
  const RetryPolicy& policy = open_step().retry;
  if (saga_.mode != Mode::forward && !open.undo) {  // turned round meanwhile, and surely nothing happened
    open.deadline = {};
    return abandon(), next();
  }
  if (now_ - open.began > policy.total) return gave_up(outcome.code);
  const Millis wait = std::max(outcome.retry_after, backoff(policy, saga_, open.attempt));
  ++open.generation;
  ++open.attempt;
  open.deadline = {};  // nothing is on its way
  wait_until(now_ + wait, CommandPhase::waiting);
}

void Turn::pending(const Outcome& outcome) {
  const StepDefinition& of = open_step();
  saga_.open->phase = CommandPhase::pending;
  if (saga_.mode != Mode::forward && !saga_.open->undo) return abandon(), next();
  if (of.is_payment() && !saga_.open->undo) {
    saga_.payment.provider = slot(of).instance;
    saga_.payment.status = outcome.next_action ? PaymentStatus::action_required : PaymentStatus::pending;
    if (outcome.next_action) {
      saga_.payment.next_action_type = outcome.next_action->type;
      saga_.payment.next_action_url = outcome.next_action->url;
      saga_.payment.next_action_expires = outcome.expires;
    }
  }
  const Millis wait =
      outcome.retry_after > Millis(0) ? outcome.retry_after : backoff(of.retry, saga_, saga_.open->attempt);
  ++saga_.open->attempt;
  Time next = now_ + wait;
  if (outcome.expires && !slot(of).can_query) next = *outcome.expires;
  wait_until(next, CommandPhase::pending);
}

void Turn::unknown(const Outcome& outcome) {
  OpenCommand& open = *saga_.open;
  if (open_step().is_payment()) saga_.payment.status = PaymentStatus::unknown;
  if (slot(open_step()).transactional) return retry(outcome);  // nothing was committed
  if (!slot(open_step()).can_query)
    return stick("OUTCOME_UNKNOWN",
                 "nobody knows what became of " + open.action + ", and the plugin cannot be asked");
  const Millis wait = open.attempt == 1 ? Millis(0) : backoff(open_step().retry, saga_, open.attempt);
  open.query = true;
  ++open.attempt;
  wait_until(now_ + wait, CommandPhase::waiting);
}

void Turn::next() {
  if (saga_.stuck || saga_.open || saga_.mode == Mode::finished) return;
  saga_.mode == Mode::forward ? next_forward() : next_undo();
}

void Turn::next_forward() {
  for (std::size_t i = 0; i < facts_.definition.steps.size(); ++i) {
    if (saga_.steps[i] != StepResult::none) continue;
    const StepDefinition& of = facts_.definition.steps[i];
    if (of.is_payment() && facts_.body.total == 0) {
      saga_.steps[i] = StepResult::skipped;
      settle_secret();
      continue;
    }
    return open(static_cast<std::int16_t>(i), false, of.action, of.is_payment() ? facts_.body.total : 0);
  }
  saga_.mode = Mode::finished;
}

void Turn::next_undo() {
  for (std::size_t i = facts_.definition.steps.size(); i-- > 0;)
    if (undo(static_cast<std::int16_t>(i))) return;
  set_status(saga_.mode == Mode::cancelling ? Status::cancelled : Status::rejected);
  saga_.mode = Mode::finished;
  out_.secret_settled = true;
}

/// The saga turned round while a step had no result yet: one whose effect may still come is undone in any
/// case.
void Turn::abandon() {
  const OpenCommand& open = *saga_.open;
  if (open.phase == CommandPhase::pending || now_ < open.deadline) result(open.step) = StepResult::uncertain;
  saga_.open.reset();
  set_payment_status(saga_, facts_.body.total);
}

/// True when something of this step must be undone first.
bool Turn::undo(std::int16_t index) {
  const StepDefinition& of = step(index);
  const bool uncertain = result(index) == StepResult::uncertain;
  if ((result(index) != StepResult::done && !uncertain) || of.undo.empty()) return false;
  std::string action = of.undo;
  std::int64_t amount = 0;
  if (of.is_payment()) {
    if (captured_left(saga_) > 0) {
      action = "payment.refund";
      amount = captured_left(saga_);
    } else if (saga_.payment.captured == 0 && (uncertain || saga_.payment.authorized > saga_.voided)) {
      amount = saga_.payment.authorized - saga_.voided;
    } else {
      result(index) = StepResult::undone;
      return false;
    }
  }
  if (saga_.status != Status::cancelling) set_status(Status::cancelling);
  open(index, true, std::move(action), amount);
  return true;
}

void Turn::open(std::int16_t index, bool undo, std::string action, std::int64_t amount) {
  OpenCommand command;
  command.step = index;
  command.undo = undo;
  command.action = std::move(action);
  command.amount = amount;
  command.sequence = ++saga_.sequence;
  command.began = now_;
  saga_.open = std::move(command);
  run();
}

void Turn::run() {
  saga_.open->phase = CommandPhase::sent;
  saga_.open->next = {};
  if (!saga_.open->query) saga_.open->deadline = now_ + open_step().timeout;
  out_.run = true;
}

void Turn::wait_until(Time time, CommandPhase phase) {
  saga_.open->phase = phase;
  saga_.open->next = time;
  out_.run = false;
}

void Turn::stick(std::string code, std::string message) {
  saga_.stuck = Reason{std::move(code), std::move(message)};
  out_.run = false;
}

void Turn::settle_secret() {
  for (std::size_t i = 0; i < facts_.definition.steps.size(); ++i)
    if (facts_.definition.steps[i].action == "payment.authorize" && saga_.steps[i] != StepResult::none)
      out_.secret_settled = true;
}

}  // namespace

Decision decide(const Facts& facts, Saga saga, const Input& input, Time now) {
  return Turn(facts, std::move(saga), now).take(input);
}

}  // namespace orderd::saga
