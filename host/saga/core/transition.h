#pragma once
// One call of decide(): the decision as it grows. Private to decide.cpp (the way forward and back),
// outcomes.cpp (what calls tell), news.cpp (what providers say by themselves) and verbs.cpp (what a person
// decides).
#include "saga/core/decide.h"
#include "saga/core/payment.h"

namespace orderd::saga {

class Transition {
 public:
  Transition(const Facts& facts, Saga saga, Time now) : facts_(facts), now_(now), saga_(out_.saga) {
    out_.saga = std::move(saga);
  }
  Decision take(const Input& input) {
    std::visit([this](const auto& one) { on(one); }, input);
    if (saga_.mode == Mode::finished && saga_.recheck_requested_at != Time{}) recheck();
    return std::move(out_);
  }

 private:
  // decide.cpp
  void on(const Begin&) { next(); }
  void on(const Cancel& cancel);
  void on(const Due&);
  void on(const TakenOver&);
  void next();
  void next_forward(bool extended);
  void next_compensation();
  bool compensate(std::int16_t index);
  struct CompensationAction {
    std::string action;
    std::int64_t amount = 0;
  };
  std::optional<CompensationAction> compensation_action(std::int16_t index) const;
  bool choose_compensation_again();
  void start_compensation(Mode mode, Reason reason);
  bool may_leave() const;
  void abandon();
  void open(std::int16_t index, bool compensation, std::string action, std::int64_t amount);
  std::int64_t provider_has(const std::string& action) const;
  void run();
  bool forgotten(const OpenCommand& open) const;
  void new_key();
  void extend();
  void resume_suspended();
  void wait_until(Time time, CommandPhase phase);
  Time next_attempt(const Outcome& outcome) const;
  void mark_stuck(std::string code, std::string message);
  void settle_secret();
  void emit(EventType type);
  void set_status(Status status);

  // outcomes.cpp
  void on(const Answer& answer);
  void learn(const Outcome& outcome, const std::string& digest);
  bool tells_too_little(const Outcome& outcome) const;
  void rechecked(const Outcome& outcome);
  void query_answered(const Outcome& outcome);
  void apply(const Outcome& outcome);
  void believe_refusal(const Outcome& outcome);
  bool denies_the_past(const Outcome& outcome) const;
  bool contradicts_itself(const Outcome& outcome) const;
  void contradicted(const Outcome& outcome);
  void done(const Outcome& outcome);
  void declined(std::string code, std::string message);
  void gave_up(const std::string& code = {});
  std::string what(const OpenCommand& open) const;
  void retry(const Outcome& outcome);
  void pending(const Outcome& outcome);
  void expired();
  void unknown(const Outcome& outcome);
  void hold(const Outcome& outcome);
  void extended(const Outcome& outcome);

  // news.cpp
  void on(const Notice& notice);
  bool concerns(const OpenCommand& open, const Notice& notice) const;
  void ask();
  bool recheck();
  void compare_notice(const Notice& notice);
  void apply_notice(const Notice& notice);
  void reconsider(bool reversed);
  bool taken_back(const PaymentTotals& totals);
  void go_on_after_reversal();
  bool contradicts_person(const PaymentTotals& totals, std::optional<Time> occurred) const;
  void differ(const PaymentTotals& totals, Reason reason);
  void alert(Reason reason);

  // verbs.cpp
  void on(const Verb& verb);
  bool begin_again();
  void finish_by_hand(const Verb& verb);
  void decided();
  void skip();

  const StepDefinition& step(std::int16_t index) const {
    return facts_.definition.steps[static_cast<std::size_t>(index)];
  }
  const StepDefinition& open_step() const { return step(saga_.open->step); }
  StepResult& result(std::int16_t index) { return saga_.steps[static_cast<std::size_t>(index)]; }
  StepResult result(std::int16_t index) const { return saga_.steps[static_cast<std::size_t>(index)]; }
  const SlotInfo& slot(const StepDefinition& of) const { return facts_.slots.at(of.slot); }
  bool past_pivot() const;

  const Facts& facts_;
  const Time now_;
  Decision out_;
  Saga& saga_;
};

/// What a person is asked when a provider's totals lack what the saga knows.
inline constexpr const char* contradicted_code = "PAYMENT_CONTRADICTED";

/// The wait before an attempt: exponential, half of it jitter from the order's id, so that the same history
/// comes out the same again.
Millis backoff(const RetryPolicy& policy, const Saga& saga, std::uint32_t attempt);
bool is_past_pivot(const Definition& definition, const Saga& saga);

}  // namespace orderd::saga
