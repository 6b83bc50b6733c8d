#include "saga/core/steps.h"

#include <algorithm>

#include "base/fault.h"

namespace orderd::saga {

void Steps::next() {
  if (saga_.stuck || saga_.open || saga_.mode == Mode::finished) return;
  saga_.mode == Mode::forward ? next_forward(false) : next_compensation();
}

void Steps::next_forward(bool extended) {
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

/// What is open waits meanwhile.
void Steps::extend() {
  saga_.suspended = std::move(saga_.open);
  open(saga_.held_step, false, step(saga_.held_step).slot + ".extend", 0);
  saga_.open->extend = true;
}

void Steps::resume_suspended() {
  out_.ready = false;
  saga_.open.reset();
  std::swap(saga_.open, saga_.suspended);
  if (may_leave()) abandon();
  if (saga_.open) return;
  saga_.mode == Mode::forward ? next_forward(true) : next();
}

void Steps::open(std::int16_t index, bool compensation, std::string action, std::int64_t amount) {
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

void Steps::next_compensation() {
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

/// True when something of this step must be undone first.
bool Steps::compensate(std::int16_t index) {
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
std::optional<Steps::CompensationAction> Steps::compensation_action(std::int16_t index) const {
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
bool Steps::choose_compensation_again() {
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

/// From here on backwards. What is under way is waited for, unless it is surely safe to let it be.
void Steps::start_compensation(Mode mode, Reason reason) {
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
bool Steps::may_leave() const {
  if (!saga_.open || saga_.mode == Mode::forward) return false;
  const OpenCommand& open = *saga_.open;
  const bool pivot_waits = open.phase == CommandPhase::pending && open_step().pivot;
  const bool may_be_there = open.unknown && !slot(open_step()).can_query;
  return !open.compensation && !open.extend && !open.query && open.phase != CommandPhase::sent &&
         !pivot_waits && !may_be_there;
}

/// The saga turned round while a step had no result yet: one whose effect may still come is undone in any
/// case.
void Steps::abandon() {
  const OpenCommand& open = *saga_.open;
  const bool may_come = open.phase == CommandPhase::pending || open.unknown || now_ < open.deadline;
  if (may_come && !fault::mutation("saga_undo_known_only")) result(open.step) = StepResult::uncertain;
  saga_.open.reset();
  set_payment_status(saga_, facts_.body.total);
}

}  // namespace orderd::saga
