#include "saga/core/notices.h"

#include <algorithm>

#include "base/fault.h"

namespace orderd::saga {
namespace {

constexpr Millis clock_skew_max{3'600'000};

/// `<order>.<action>.<sequence>.g`: the command over all its generations.
std::string_view without_generation(std::string_view key) { return key.substr(0, key.rfind(".g") + 2); }

/// A query's "not found" carries no outcome of the command.
bool is_success(const Attempt& one) {
  return one.outcome == OutcomeKind::done &&
         (one.answer == QueryAnswer::none || one.answer == QueryAnswer::found);
}

/// Whether this very command was reported as a success before.
bool succeeded(const Saga& saga, const std::string& key) {
  return std::any_of(saga.attempts.begin(), saga.attempts.end(),
                     [&](const Attempt& one) { return is_success(one) && key == command_key(saga, one); });
}

}  // namespace

void Notices::on(const Notice& notice) {
  const OutcomeKind kind = notice.outcome.kind;
  if (kind == OutcomeKind::unknown || kind == OutcomeKind::retry) return ask();
  if (saga_.suspended && concerns(*saga_.suspended, notice)) {
    saga_.open = std::move(saga_.suspended);  // the extension is asked for again if it is still needed
    saga_.suspended.reset();
  }
  if (!saga_.open || !concerns(*saga_.open, notice)) return apply_notice(notice);
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
  remember_when(notice);
  learn(notice.outcome, "");
  apply(notice.outcome);
}

bool Notices::concerns(const OpenCommand& open, const Notice& notice) const {
  if (open.extend || open.recheck || !step(open.step).is_payment()) return false;
  if (notice.key.empty()) return !notice.action.empty() && notice.action == open.action;
  const std::string key = command_key(saga_, open);
  if (notice.key == key) return true;
  // It names a generation that was thought to have had no effect: a success says that it has one.
  return notice.outcome.kind == OutcomeKind::done &&
         without_generation(notice.key) == without_generation(key);
}

/// The provider only says that something changed: what is open is asked for now instead of later. An answer
/// that is under way may be older than the change: then the provider is asked once more at the end.
void Notices::ask() {
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
  const std::int16_t paying = paying_step();
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
bool Notices::recheck() {
  saga_.recheck_requested_at = {};
  const auto last = std::find_if(saga_.attempts.rbegin(), saga_.attempts.rend(), [](const Attempt& one) {
    return one.sequence != 0 && is_success(one) && one.action.rfind("payment.", 0) == 0;
  });
  const std::int16_t paying = paying_step();
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
void Notices::apply_notice(const Notice& notice) {
  if (notice.occurred && *notice.occurred < saga_.last_notice_at) {
    out_.stale = true;  // overtaken by one that knows more
    return;
  }
  const Saga before = saga_;
  const auto totals = totals_of(notice.outcome);
  // A success that is taken back later reports less than before; everything else only adds up. A late
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
  remember_when(notice);
  note(saga_.attempts, {0, 0, false, notice.action, notice.outcome.kind, QueryAnswer::none,
                        notice.outcome.code, now_, 0, notice.by, "", notice.outcome.message});
  if (saga_.payment.status != PaymentStatus::unknown || saga_.mode == Mode::finished)
    set_payment_status(saga_, facts_.body.total);
  reconsider(bare_reversal);
  if (reversal && !denied) go_on_after_reversal();
}

/// An undo that waits for a person because its totals lacked what has been taken back by name since. What is
/// withheld waits for the person's verb, whatever comes.
void Notices::go_on_after_reversal() {
  if (!saga_.stuck || saga_.stuck->code != contradicted_code || !saga_.open || !saga_.open->compensation ||
      saga_.open->unknown || saga_.books.withheld)
    return;
  saga_.stuck.reset();
  new_key();
  saga_.open->phase = CommandPhase::waiting;
  if (!choose_compensation_again()) run();
}

void Notices::remember_when(const Notice& notice) {
  // By the provider's clock: one that is far ahead must not make all that follows look old.
  if (notice.occurred)
    saga_.last_notice_at = std::max(saga_.last_notice_at, std::min(*notice.occurred, now_ + clock_skew_max));
}

}  // namespace orderd::saga
