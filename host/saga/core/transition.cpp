#include "saga/core/transition.h"

#include <algorithm>
#include <functional>

#include "base/fault.h"

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

}  // namespace

std::optional<Time> total_deadline(const Facts& facts, const Saga& saga) {
  if (facts.definition.total == Millis(0) || saga.mode != Mode::forward || saga.open->recheck ||
      is_past_pivot(facts.definition, saga))
    return std::nullopt;
  return placed(saga) + facts.definition.total;
}

std::optional<Time> extension_due(const Facts& facts, const Saga& saga) {
  if (!saga.reservation_expires_at || saga.mode != Mode::forward || saga.open->extend || saga.open->recheck)
    return std::nullopt;
  const std::string& slot = facts.definition.steps[static_cast<std::size_t>(saga.held_step)].slot;
  return facts.slots.at(slot).can_extend ? std::optional(saga.extend_at) : std::nullopt;
}

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

bool Transition::past_pivot() const { return is_past_pivot(facts_.definition, saga_); }

/// The step whose undo gives the money back; -1 if this saga takes none.
std::int16_t Transition::paying_step() const {
  const Definition& definition = facts_.definition;
  for (std::size_t i = 0; i < definition.steps.size(); ++i)
    if (definition.steps[i].is_payment() && !definition.steps[i].compensation.empty())
      return static_cast<std::int16_t>(i);
  return -1;
}

/// The provider's total that a refund or a void will raise.
std::int64_t Transition::provider_has(const std::string& action) const {
  return action == "payment.refund" ? saga_.payment.refunded : saga_.voided;
}

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

/// The open command goes out as soon as admission lets it: see mark_sent(). Nothing of it has happened yet.
void Transition::run() {
  OpenCommand& open = *saga_.open;
  if (!open.query && forgotten(open)) {
    open.unknown = true;
    if (!slot(open_step()).can_query)
      return mark_stuck("OUTCOME_UNKNOWN", "the provider no longer knows the key of " + open.action +
                                               ", and the plugin cannot be asked");
    open.query = true;
  }
  wait_until(open.phase == CommandPhase::waiting ? std::min(now_, open.next) : now_, CommandPhase::waiting);
  out_.ready = true;
}

/// Whether the provider may know the present key no more by the time that a call arrives: it could have its
/// effect a second time.
bool Transition::forgotten(const OpenCommand& open) const {
  const Millis window = slot(step(open.step)).key_window;
  const Time latest = now_ + step(open.step).timeout;
  if (fault::mutation("saga_key_window_ignored")) return false;
  return window > Millis(0) && open.key_sent != Time{} && latest - open.key_sent > window;
}

void Transition::new_key() {
  ++saga_.open->generation;
  saga_.open->key_sent = {};
  saga_.open->sends = 0;
  saga_.open->unanswered_until = {};
  saga_.open->contradicted_since = {};
}

void Transition::wait_until(Time time, CommandPhase phase) {
  saga_.open->phase = phase;
  saga_.open->next = time;
  out_.ready = false;
}

/// When to try again, as the provider wishes; at the latest when attempts end.
Time Transition::next_attempt(const Outcome& outcome) const {
  const OpenCommand& open = *saga_.open;
  const RetryPolicy& policy = open_step().retry;
  const Millis wished = std::clamp(outcome.retry_after, Millis(0), policy.total);
  const Time next = now_ + std::max(wished, backoff(policy, saga_, open.attempt));
  return std::max(now_, std::min(next, open.began + policy.total));
}

void Transition::mark_stuck(std::string code, std::string message) {
  saga_.stuck = Reason{std::move(code), std::move(message)};
  saga_.attention_since = now_;
  out_.ready = false;
}

void Transition::alert(Reason reason) {
  saga_.attention = std::move(reason);
  saga_.attention_since = now_;
}

void Transition::settle_secret() {
  for (std::size_t i = 0; i < facts_.definition.steps.size(); ++i)
    if (facts_.definition.steps[i].action == "payment.authorize" && saga_.steps[i] != StepResult::none)
      out_.secret_settled = true;
}

}  // namespace orderd::saga
