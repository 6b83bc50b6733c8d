#pragma once
// One decision as it grows: what decide() is given, what it will return, and the primitives that all rules
// are made of. The rules stand on it in floors, each of which knows those below:
//
//   Transition   this file
//   Steps        the way forward and the way back (steps.h)
//   Money        a provider's totals beside the saga's books (money.h)
//   Outcomes     what became of calls, and times (outcomes.h)
//   Notices      what providers say by themselves (notices.h)
//   Verbs        what a person decides (verbs.h)
//
// Private to these files and decide.cpp.
#include "saga/core/decide.h"
#include "saga/core/payment.h"

namespace orderd::saga {

class Transition {
 protected:
  Transition(const Facts& facts, Saga saga, Time now) : facts_(facts), now_(now), saga_(out_.saga) {
    out_.saga = std::move(saga);
  }
  Transition(const Transition&) = delete;

  const StepDefinition& step(std::int16_t index) const {
    return facts_.definition.steps[static_cast<std::size_t>(index)];
  }
  const StepDefinition& open_step() const { return step(saga_.open->step); }
  StepResult& result(std::int16_t index) { return saga_.steps[static_cast<std::size_t>(index)]; }
  StepResult result(std::int16_t index) const { return saga_.steps[static_cast<std::size_t>(index)]; }
  const SlotInfo& slot(const StepDefinition& of) const { return facts_.slots.at(of.slot); }
  bool past_pivot() const;
  std::int16_t paying_step() const;
  std::int64_t provider_has(const std::string& action) const;
  void emit(EventType type);
  void set_status(Status status);
  void run();
  bool forgotten(const OpenCommand& open) const;
  void new_key();
  void wait_until(Time time, CommandPhase phase);
  Time next_attempt(const Outcome& outcome) const;
  void mark_stuck(std::string code, std::string message);
  void alert(Reason reason);
  void settle_secret();

  const Facts& facts_;
  const Time now_;
  Decision out_;
  Saga& saga_;  // out_'s
};

/// What a person is asked when a provider's totals lack what the saga knows.
inline constexpr const char* contradicted_code = "PAYMENT_CONTRADICTED";

/// The wait before an attempt: exponential, half of it jitter from the order's id, so that the same history
/// comes out the same again.
Millis backoff(const RetryPolicy& policy, const Saga& saga, std::uint32_t attempt);
bool is_past_pivot(const Definition& definition, const Saga& saga);
/// When an order that has not come to its pivot is given up; nullopt: never, or it no longer matters.
std::optional<Time> total_deadline(const Facts& facts, const Saga& saga);
/// When a reservation must be extended for an order that waits; nullopt: never.
std::optional<Time> extension_due(const Facts& facts, const Saga& saga);

}  // namespace orderd::saga
