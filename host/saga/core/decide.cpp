#include "saga/core/decide.h"

#include <algorithm>
#include <functional>

#include "base/fault.h"
#include "saga/core/transition.h"

namespace orderd::saga {
namespace {

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

Time placed(const Saga& saga) { return Time(Millis(saga.order_id.unix_ms())); }

/// When an order that has not come to its pivot is given up; nullopt: never, or it no longer matters.
std::optional<Time> total_deadline(const Facts& facts, const Saga& saga) {
  if (facts.definition.total == Millis(0) || saga.mode != Mode::forward || saga.open->recheck ||
      is_past_pivot(facts.definition, saga))
    return std::nullopt;
  return placed(saga) + facts.definition.total;
}

/// When a reservation must be extended for an order that waits; nullopt: never.
std::optional<Time> extension_due(const Facts& facts, const Saga& saga) {
  if (!saga.reservation_expires_at || saga.mode != Mode::forward || saga.open->extend || saga.open->recheck)
    return std::nullopt;
  const std::string& slot = facts.definition.steps[static_cast<std::size_t>(saga.held_step)].slot;
  return facts.slots.at(slot).can_extend ? std::optional(saga.extend_at) : std::nullopt;
}

}  // namespace

Millis backoff(const RetryPolicy& policy, const Saga& saga, std::uint32_t attempt) {
  const Millis full =
      std::min(policy.cap, policy.first * (std::int64_t{1} << std::min<std::uint32_t>(attempt - 1, 20)));
  const auto spread = std::hash<Uuid>{}(saga.order_id) + attempt * 0x9e3779b9u;
  return full / 2 +
         Millis(static_cast<std::int64_t>(spread % static_cast<std::size_t>(full.count() / 2 + 1)));
}

bool is_past_pivot(const Definition& definition, const Saga& saga) {
  for (std::size_t i = 0; i < definition.steps.size(); ++i)
    if (definition.steps[i].pivot && saga.steps[i] == StepResult::done) return true;
  return false;
}

std::optional<Time> wake_time(const Facts& facts, const Saga& saga, bool held) {
  if (!saga.open || saga.stuck || saga.mode == Mode::finished || saga.open->phase == CommandPhase::sent)
    return std::nullopt;
  std::optional<Time> time;
  if (!held) time = saga.open->next;
  for (const auto& other : {total_deadline(facts, saga), extension_due(facts, saga)})
    if (other) time = std::min(time.value_or(*other), *other);
  return time;
}

bool Transition::past_pivot() const { return is_past_pivot(facts_.definition, saga_); }

void Transition::emit(EventType type) {
  saga_.updated = std::max(now_, saga_.updated);
  ++saga_.version;
  saga_.published_payment_status = saga_.payment.status;
  out_.events.push_back(
      {saga_.order_id, saga_.version, type, saga_.updated, saga_.status, saga_.reason, shown(saga_)});
}

void Transition::set_status(Status status) {
  saga_.status = status;
  emit(event_of(status));
}

void Transition::on(const Cancel& cancel) {
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

void Transition::on(const Due&) {
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

void Transition::on(const TakenOver&) {
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

/// From here on backwards. What is under way is waited for, unless it is surely safe to let it be.
void Transition::start_compensation(Mode mode, Reason reason) {
  saga_.mode = mode;
  saga_.reason = std::move(reason);
  if (saga_.open && saga_.open->recheck) saga_.open.reset();
  if (saga_.stuck) {
    if (!saga_.open || saga_.open->compensation || saga_.open->unknown) return;
    saga_.stuck.reset();  // a step that surely has no effect needs nobody any more
    saga_.open->phase = CommandPhase::waiting;
    saga_.open->deadline = {};
  }
  if (saga_.open && saga_.open->extend && saga_.open->phase != CommandPhase::sent) return resume_suspended();
  if (may_leave()) abandon();
  if (!saga_.open) next();
}

/// Whether the open command may be left where it is, now that the saga goes back. Not one that the plugin
/// has, nor one whose fate is being asked for, nor a pivot that waits: that ends by itself, and is undone
/// then.
bool Transition::may_leave() const {
  if (!saga_.open || saga_.mode == Mode::forward) return false;
  const OpenCommand& open = *saga_.open;
  const bool pivot_waits = open.phase == CommandPhase::pending && open_step().pivot;
  const bool may_be_there = open.unknown && !slot(open_step()).can_query;
  return !open.compensation && !open.extend && !open.query && open.phase != CommandPhase::sent &&
         !pivot_waits && !may_be_there;
}

void Transition::next() {
  if (saga_.stuck || saga_.open || saga_.mode == Mode::finished) return;
  saga_.mode == Mode::forward ? next_forward(false) : next_compensation();
}

void Transition::next_forward(bool extended) {
  for (std::size_t i = 0; i < facts_.definition.steps.size(); ++i) {
    if (saga_.steps[i] != StepResult::none) continue;
    const StepDefinition& of = facts_.definition.steps[i];
    if (of.is_payment() && facts_.body.total == 0) {
      saga_.steps[i] = StepResult::skipped;
      settle_secret();
      continue;
    }
    // No money is taken for goods that may be given to somebody else meanwhile.
    if (of.pivot && saga_.reservation_expires_at && !extended && slot(step(saga_.held_step)).can_extend)
      return extend();
    return open(static_cast<std::int16_t>(i), false, of.action, of.is_payment() ? facts_.body.total : 0);
  }
  saga_.mode = Mode::finished;
}

void Transition::next_compensation() {
  const std::size_t steps = facts_.definition.steps.size();
  for (std::size_t i = steps; i-- > 0;)
    if (compensate(static_cast<std::int16_t>(fault::mutation("saga_undo_out_of_order") ? steps - 1 - i : i)))
      return;
  if (!is_terminal(saga_.status))  // else: what came after the end is undone, too
    set_status(saga_.mode == Mode::cancelling ? Status::cancelled : Status::rejected);
  saga_.mode = Mode::finished;
  saga_.reservation_expires_at.reset();
  out_.secret_settled = true;
}

/// The saga turned round while a step had no result yet: one whose effect may still come is undone in any
/// case.
void Transition::abandon() {
  const OpenCommand& open = *saga_.open;
  const bool may_come = open.phase == CommandPhase::pending || open.unknown || now_ < open.deadline;
  if (may_come && !fault::mutation("saga_undo_known_only")) result(open.step) = StepResult::uncertain;
  saga_.open.reset();
  set_payment_status(saga_, facts_.body.total);
}

/// True when something of this step must be undone first.
bool Transition::compensate(std::int16_t index) {
  const StepResult was = result(index);
  if ((was != StepResult::done && was != StepResult::uncertain) || step(index).compensation.empty())
    return false;
  auto chosen = compensation_action(index);
  if (!chosen) {
    result(index) = StepResult::undone;
    return false;
  }
  if (saga_.status != Status::cancelling && !is_terminal(saga_.status)) set_status(Status::cancelling);
  open(index, true, std::move(chosen->action), chosen->amount);
  return true;
}

/// What takes this step back as things stand now; nullopt: nothing is left to take back.
std::optional<Transition::CompensationAction> Transition::compensation_action(std::int16_t index) const {
  const StepDefinition& of = step(index);
  if (!of.is_payment()) return CompensationAction{of.compensation};
  if (captured_left(saga_) > 0) return CompensationAction{"payment.refund", captured_left(saga_)};
  const std::int64_t held = std::max<std::int64_t>(0, saga_.payment.authorized - let_go(saga_));
  const bool uncertain = result(index) == StepResult::uncertain;
  if (saga_.payment.captured == 0 && (uncertain || held > 0))
    return CompensationAction{of.compensation, held};
  return std::nullopt;
}

/// The open undo surely has no effect: another takes its place if the money is elsewhere by now, captured
/// instead of authorized for one. False when it is still the right one.
bool Transition::choose_compensation_again() {
  const OpenCommand was = *saga_.open;
  if (!open_step().is_payment()) return false;
  auto chosen = compensation_action(was.step);
  if (chosen && chosen->action == was.action) {
    saga_.open->amount = chosen->amount;
    saga_.open->had = provider_has(was.action);
    return false;
  }
  saga_.open.reset();
  if (!chosen) {
    result(was.step) = StepResult::undone;
    set_payment_status(saga_, facts_.body.total);
    next();
    return true;
  }
  open(was.step, true, std::move(chosen->action), chosen->amount);
  saga_.open->began = was.began;  // a provider that contradicts itself has no more time than another
  return true;
}

void Transition::open(std::int16_t index, bool compensation, std::string action, std::int64_t amount) {
  OpenCommand command;
  command.step = index;
  command.compensation = compensation;
  command.action = std::move(action);
  command.amount = amount;
  command.sequence = ++saga_.sequence;
  command.began = now_;
  if (compensation && step(index).is_payment()) command.had = provider_has(command.action);
  saga_.open = std::move(command);
  if (!compensation || !step(index).is_payment() || !saga_.books.withheld) return run();
  wait_until(now_, CommandPhase::waiting);
  mark_stuck(saga_.books.withheld->code, saga_.books.withheld->message);
}

/// The provider's total that a refund or a void will raise.
std::int64_t Transition::provider_has(const std::string& action) const {
  return action == "payment.refund" ? saga_.payment.refunded : saga_.voided;
}

/// Whether the provider may know the present key no more by the time that a call arrives: it could have its
/// effect a second time.
bool Transition::forgotten(const OpenCommand& open) const {
  const Millis window = slot(step(open.step)).key_window;
  const Time latest = now_ + step(open.step).timeout;
  if (fault::mutation("saga_key_window_ignored")) return false;
  return window > Millis(0) && open.key_sent != Time{} && latest - open.key_sent > window;
}

void Transition::run() {
  OpenCommand& open = *saga_.open;
  if (!open.query && forgotten(open)) {
    open.unknown = true;
    if (!slot(open_step()).can_query)
      return mark_stuck("OUTCOME_UNKNOWN", "the provider no longer knows the key of " + open.action +
                                               ", and the plugin cannot be asked");
    open.query = true;
  }
  open.phase = CommandPhase::sent;
  open.sent = now_;
  open.next = {};
  if (!open.query) {
    open.deadline = now_ + open_step().timeout;
    if (open.key_sent == Time{}) open.key_sent = now_;
    ++open.sends;
  }
  out_.run = true;
}

void Transition::new_key() {
  ++saga_.open->generation;
  saga_.open->key_sent = {};
  saga_.open->sends = 0;
  saga_.open->unanswered_until = {};
  saga_.open->contradicted_since = {};
}

/// What is open waits meanwhile.
void Transition::extend() {
  saga_.suspended = std::move(saga_.open);
  open(saga_.held_step, false, step(saga_.held_step).slot + ".extend", 0);
  saga_.open->extend = true;
}

void Transition::resume_suspended() {
  out_.run = false;
  saga_.open.reset();
  std::swap(saga_.open, saga_.suspended);
  if (may_leave()) abandon();
  if (saga_.open) return;
  saga_.mode == Mode::forward ? next_forward(true) : next();
}

/// When to try again, as the provider wishes; at the latest when attempts end.
Time Transition::next_attempt(const Outcome& outcome) const {
  const OpenCommand& open = *saga_.open;
  const RetryPolicy& policy = open_step().retry;
  const Millis wished = std::clamp(outcome.retry_after, Millis(0), policy.total);
  const Time next = now_ + std::max(wished, backoff(policy, saga_, open.attempt));
  return std::max(now_, std::min(next, open.began + policy.total));
}

void Transition::wait_until(Time time, CommandPhase phase) {
  saga_.open->phase = phase;
  saga_.open->next = time;
  out_.run = false;
}

void Transition::mark_stuck(std::string code, std::string message) {
  saga_.stuck = Reason{std::move(code), std::move(message)};
  saga_.attention_since = now_;
  out_.run = false;
}

void Transition::settle_secret() {
  for (std::size_t i = 0; i < facts_.definition.steps.size(); ++i)
    if (facts_.definition.steps[i].action == "payment.authorize" && saga_.steps[i] != StepResult::none)
      out_.secret_settled = true;
}

Decision decide(const Facts& facts, Saga saga, const Input& input, Time now) {
  return Transition(facts, std::move(saga), now).take(input);
}

}  // namespace orderd::saga
