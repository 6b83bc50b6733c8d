// What a provider says unasked. It may be late, doubled or about something that is long over.
#include <algorithm>

#include "base/fault.h"
#include "saga/core/transition.h"

namespace orderd::saga {
namespace {

constexpr Millis clock_skew_max{3'600'000};

/// `<order>.<action>.<sequence>.g`: the command over all its generations.
std::string_view without_generation(std::string_view key) { return key.substr(0, key.rfind(".g") + 2); }

/// The step whose undo gives the money back; -1 if this saga takes none.
std::int16_t paying_step(const Definition& definition) {
  for (std::size_t i = 0; i < definition.steps.size(); ++i)
    if (definition.steps[i].is_payment() && !definition.steps[i].compensation.empty())
      return static_cast<std::int16_t>(i);
  return -1;
}

/// A query's "not found" carries no outcome of the command.
bool is_success(const Attempt& one) {
  return one.outcome == OutcomeKind::done &&
         (one.answer == QueryAnswer::none || one.answer == QueryAnswer::found);
}

/// Whether this very command was told as a success before.
bool succeeded(const Saga& saga, const std::string& key) {
  return std::any_of(saga.attempts.begin(), saga.attempts.end(),
                     [&](const Attempt& one) { return is_success(one) && key == command_key(saga, one); });
}

}  // namespace

bool Transition::concerns(const OpenCommand& open, const Notice& notice) const {
  if (open.extend || open.recheck || !step(open.step).is_payment()) return false;
  if (notice.key.empty()) return !notice.action.empty() && notice.action == open.action;
  const std::string key = command_key(saga_, open);
  if (notice.key == key) return true;
  // Of a generation that was thought to have had no effect: a success says that it has one.
  return notice.outcome.kind == OutcomeKind::done &&
         without_generation(notice.key) == without_generation(key);
}

void Transition::on(const Notice& notice) {
  const OutcomeKind kind = notice.outcome.kind;
  if (kind == OutcomeKind::unknown || kind == OutcomeKind::retry) return ask();
  if (saga_.suspended && concerns(*saga_.suspended, notice)) {
    saga_.open = std::move(saga_.suspended);  // the extension is asked for again if it is still needed
    saga_.suspended.reset();
  }
  if (!saga_.open || !concerns(*saga_.open, notice)) return compare_notice(notice);
  OpenCommand& open = *saga_.open;
  // Its totals did not have what it calls a success. The notice may be from before they lost it.
  if (kind == OutcomeKind::done && open.contradicted_since != Time{}) return ask();
  if (saga_.stuck && kind == OutcomeKind::pending) {
    out_.stale = true;
    return;
  }
  note(saga_.attempts, {open.sequence, open.generation, false, open.action, kind, QueryAnswer::none,
                        notice.outcome.code, now_, 0, notice.by, "", notice.outcome.message});
  saga_.stuck.reset();
  open.query = false;
  apply_notice(notice);
  learn(notice.outcome, "");
  apply(notice.outcome);
}

/// The provider only says that something changed: what is open is asked for now instead of later. An answer
/// that is under way may be older than the change: then the provider is asked once more at the end.
void Transition::ask() {
  if (saga_.mode == Mode::finished) {
    out_.stale = !recheck();
    return;
  }
  const bool pays = saga_.open && step(saga_.open->step).is_payment();
  const bool is_out = pays && saga_.open->phase == CommandPhase::sent;
  const bool may_be_there =
      pays && !is_out && (saga_.open->phase == CommandPhase::pending || saga_.open->unknown);
  const bool remembered =
      saga_.recheck_requested_at != Time{} && (!is_out || saga_.recheck_requested_at > saga_.open->sent);
  const std::int16_t paying = paying_step(facts_.definition);
  if (paying < 0 || !slot(step(paying)).can_query || (remembered && !may_be_there)) {
    out_.stale = true;
    return;
  }
  saga_.recheck_requested_at = is_out ? std::max(now_, saga_.open->sent + Millis(1)) : now_;
  if (!may_be_there) return;
  saga_.stuck.reset();
  saga_.open->query = true;
  run();
}

/// The order is over: what was last done with its money is asked for once more. False when nothing was, or
/// nobody can be asked.
bool Transition::recheck() {
  saga_.recheck_requested_at = {};
  const auto last = std::find_if(saga_.attempts.rbegin(), saga_.attempts.rend(), [](const Attempt& one) {
    return one.sequence != 0 && is_success(one) && one.action.rfind("payment.", 0) == 0;
  });
  const std::int16_t paying = paying_step(facts_.definition);
  if (last == saga_.attempts.rend() || paying < 0 || !slot(step(paying)).can_query) return false;
  OpenCommand command;
  command.step = paying;
  command.recheck = command.query = true;
  command.action = last->action;
  command.sequence = last->sequence;
  command.generation = last->generation;
  command.amount = facts_.body.total;
  command.began = now_;
  saga_.open = std::move(command);
  saga_.mode = saga_.status == Status::cancelled  ? Mode::cancelling
               : saga_.status == Status::rejected ? Mode::failing
                                                  : Mode::forward;
  run();
  return true;
}

/// About nothing that is open: what the provider has is compared with what this order should have.
void Transition::compare_notice(const Notice& notice) {
  if (notice.occurred && *notice.occurred < saga_.last_notice_at) {
    out_.stale = true;  // overtaken by one that knows more
    return;
  }
  const Saga before = saga_;
  const auto totals = totals_of(notice.outcome);
  // A success that is taken back later tells less than was told before; everything else only adds up. A late
  // word of what was declined from the start takes nothing back: its totals are of a time long past.
  const bool reversal =
      notice.outcome.kind == OutcomeKind::declined && (notice.key.empty() || succeeded(saga_, notice.key));
  const bool denied = reversal && totals && !taken_back(*totals);
  if (!reversal) merge_totals(saga_, notice.outcome);
  if (saga_.reference.empty()) saga_.reference = notice.outcome.provider_reference;
  if (denied || (totals && contradicts_person(*totals, notice.occurred)))
    differ(*totals, {contradicted_code, denied ? "the provider's totals lack what it had reported before"
                                               : "the provider's totals are not what a person decided"});
  const bool bare_reversal = reversal && !totals;
  if (saga_ == before && !bare_reversal) {
    out_.stale = true;
    return;
  }
  apply_notice(notice);
  note(saga_.attempts, {0, 0, false, notice.action, notice.outcome.kind, QueryAnswer::none,
                        notice.outcome.code, now_, 0, notice.by, "", notice.outcome.message});
  if (saga_.payment.status != PaymentStatus::unknown || saga_.mode == Mode::finished)
    set_payment_status(saga_, facts_.body.total);
  reconsider(bare_reversal);
  if (reversal && !denied) go_on_after_reversal();
}

/// False when these totals lack more than a capture or a refund: they are not believed.
bool Transition::taken_back(const PaymentTotals& totals) {
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

/// An undo that waits for a person because its totals lacked what has been taken back by name since. What is
/// withheld waits for the person's verb, whatever comes.
void Transition::go_on_after_reversal() {
  if (!saga_.stuck || saga_.stuck->code != contradicted_code || !saga_.open || !saga_.open->compensation ||
      saga_.open->unknown || saga_.books.withheld)
    return;
  saga_.stuck.reset();
  new_key();
  saga_.open->phase = CommandPhase::waiting;
  if (!choose_compensation_again()) run();
}

/// `saga_` has learned these totals already.
bool Transition::contradicts_person(const PaymentTotals& totals, std::optional<Time> occurred) const {
  const Books& books = saga_.books;
  if (!books.decided || (occurred && *occurred < *books.decided)) return false;
  const bool lacks =
      saga_.payment.captured > 0 ? totals.refunded < books.refunded_to : totals.voided < books.voided_to;
  return lacks || captured_left(saga_) < 0;
}

/// A person is asked once about the same totals.
void Transition::differ(const PaymentTotals& totals, Reason reason) {
  if (saga_.books.disputed == totals) return;
  saga_.books.disputed = totals;
  alert(std::move(reason));
}

void Transition::alert(Reason reason) {
  saga_.attention = std::move(reason);
  saga_.attention_since = now_;
}

void Transition::apply_notice(const Notice& notice) {
  // By the provider's clock: one that is far ahead must not make all that follows look old.
  if (notice.occurred)
    saga_.last_notice_at = std::max(saga_.last_notice_at, std::min(*notice.occurred, now_ + clock_skew_max));
}

/// `reversed`: money was taken back, and nobody said how much.
void Transition::reconsider(bool reversed) {
  const std::int16_t paying = paying_step(facts_.definition);
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
