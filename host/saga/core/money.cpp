#include "saga/core/money.h"

#include "base/fault.h"

namespace orderd::saga {

void Money::learn(const Outcome& outcome, const std::string& digest) {
  const StepDefinition& of = open_step();
  if (!digest.empty()) saga_.digests[of.slot] = digest;
  const bool denied = of.is_payment() && denies_the_past(outcome);  // it speaks of another payment
  if (outcome.state && !denied) saga_.blobs[of.slot] = *outcome.state;
  if (!of.is_payment()) return;
  if (!outcome.provider_reference.empty() && !denied) saga_.reference = outcome.provider_reference;
  learn_totals(saga_, outcome);
}

/// A refused capture or refund may take back what totals had of it before, for a provider that still knows
/// the authorization. learn() has only added.
void Money::believe_refusal(const Outcome& outcome) {
  const auto totals = totals_of(outcome);
  if (!totals || !open_step().is_payment()) return;
  if (saga_.open->action == "payment.capture") {
    saga_.books.captures_failed = facts_.body.total;
    return learn_totals(saga_, outcome);
  }
  if (saga_.open->action != "payment.refund" || !tells_less(saga_, *totals)) return;
  const bool was_captured = totals->captured < saga_.payment.captured - saga_.books.captures_failed;
  if (taken_back(*totals) && was_captured)
    alert({"PAYMENT_REVERSED", "the provider took back a capture that it had reported as done"});
}

/// Whether these totals know nothing of an authorization or a capture that this provider has reported: it
/// answers for another account, or for another payment.
bool Money::denies_the_past(const Outcome& outcome) const {
  const auto totals = totals_of(outcome);
  if (!totals || !open_step().is_payment() || fault::mutation("saga_totals_believed_backwards")) return false;
  const bool captured_less = totals->captured < saga_.payment.captured - saga_.books.captures_failed;
  return totals->authorized < saga_.payment.authorized ||
         (outcome.kind == OutcomeKind::declined && captured_less);
}

/// A success whose totals lack what it is said to have done: not yet there, or already taken back.
bool Money::contradicts_itself(const Outcome& outcome) const {
  if (!outcome.totals || !open_step().is_payment()) return false;
  if (denies_the_past(outcome)) return true;
  const PaymentTotals& totals = *outcome.totals;
  const OpenCommand& open = *saga_.open;
  if (open.action == "payment.authorize") return totals.authorized < open.amount;
  if (open.action == "payment.capture") return totals.captured < open.amount;
  if (open.action == "payment.void")
    return totals.captured == 0 && totals.voided + let_go(saga_) - saga_.voided < totals.authorized;
  if (open.action != "payment.refund") return false;
  return open.had ? totals.refunded < *open.had + open.amount : totals.refunded < totals.captured;
}

/// `saga_` has learned these totals already.
bool Money::contradicts_person(const PaymentTotals& totals, std::optional<Time> occurred) const {
  const Books& books = saga_.books;
  if (!books.decided || (occurred && *occurred < *books.decided)) return false;
  const bool lacks =
      saga_.payment.captured > 0 ? totals.refunded < books.refunded_to : totals.voided < books.voided_to;
  return lacks || captured_left(saga_) < 0;
}

/// False when these totals lack more than a capture or a refund: they are not believed.
bool Money::taken_back(const PaymentTotals& totals) {
  const std::uint32_t failures = saga_.books.refund_failures;
  if (fault::mutation("saga_totals_believed_backwards")) {
    Outcome outcome;
    outcome.totals = totals;
    learn_totals(saga_, outcome);
    return true;
  }
  if (!take_back(saga_, totals)) return false;
  if (saga_.books.refund_failures == failures || fault::mutation("saga_refund_without_end")) return true;
  const Reason reason{"REFUND_FAILED", "a refund that the provider had reported as done has failed since"};
  alert(reason);
  // It is sent again once. What fails twice fails again, and what a person decided is the person's.
  if (saga_.books.refund_failures > 1 || saga_.books.decided) saga_.books.withheld = reason;
  return true;
}

/// A person is asked once about the same totals.
void Money::differ(const PaymentTotals& totals, Reason reason) {
  if (saga_.books.disputed == totals) return;
  saga_.books.disputed = totals;
  alert(std::move(reason));
}

/// `reversed`: money was taken back, and nobody said how much.
void Money::reconsider(bool reversed) {
  const std::int16_t paying = paying_step();
  if (paying < 0) return;
  const bool over = is_terminal(saga_.status),
             undoing = !over && saga_.mode != Mode::forward && saga_.mode != Mode::finished;
  if (over || undoing) {
    // A late success of what was given up or undone is undone in its turn.
    if (fault::mutation("saga_late_success_kept")) return;
    if (reversed && over) {  // how much is still there is asked for
      alert({"PAYMENT_REVERSED", "the provider took back what it had reported as done"});
      saga_.recheck_requested_at = now_;
    }
    if (!holds_money(saga_) || (saga_.open && step(saga_.open->step).is_payment())) return;
    result(paying) = StepResult::done;
    if (saga_.books.decided && !saga_.books.withheld)
      saga_.books.withheld =
          Reason{contradicted_code, "the provider holds money that should be back, as a person decided"};
    if (!over || saga_.mode != Mode::finished) return;
    saga_.mode = saga_.status == Status::cancelled ? Mode::cancelling : Mode::failing;
    return next();
  }
  const bool paid = past_pivot() || saga_.mode == Mode::finished;
  const std::int64_t owed = facts_.body.total, left = captured_left(saga_);
  if (paid && (reversed || (left != owed && left != saga_.books.accepted)))
    alert(reversed || left < owed
              ? Reason{"PAYMENT_REVERSED", "the provider took back money that the order had"}
              : Reason{"PAYMENT_EXCESS", "the provider holds more than the order owes"});
}

}  // namespace orderd::saga
