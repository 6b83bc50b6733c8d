// What reaches a saga unasked: a provider's notice, an operator's verb. Either may be late, doubled or about
// something that is long over.
#include <algorithm>

#include "base/fault.h"
#include "saga/turn.h"

namespace orderd::saga {
namespace {

/// `<order>.<action>.<sequence>.g`: the command over all its generations.
std::string_view without_generation(std::string_view key) { return key.substr(0, key.rfind(".g") + 2); }

/// The step whose undo gives the money back; -1 if this saga takes none.
std::int16_t paying_step(const Definition& definition) {
  for (std::size_t i = 0; i < definition.steps.size(); ++i)
    if (definition.steps[i].is_payment() && !definition.steps[i].undo.empty())
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

constexpr std::array<std::string_view, 4> verb_names{"retry", "done", "skip", "acknowledge"};

}  // namespace

std::string_view name(Verb::Kind kind) { return verb_names[static_cast<std::size_t>(kind)]; }

std::optional<Verb::Kind> parse_verb(std::string_view text) {
  const auto found = std::find(verb_names.begin(), verb_names.end(), text);
  if (found == verb_names.end()) return std::nullopt;
  return static_cast<Verb::Kind>(found - verb_names.begin());
}

bool Turn::concerns(const OpenCommand& open, const Notice& notice) const {
  if (open.extend || open.look || !step(open.step).is_payment()) return false;
  if (notice.key.empty()) return !notice.action.empty() && notice.action == open.action;
  const std::string key = command_key(saga_, open);
  if (notice.key == key) return true;
  // Of a generation that was thought to have had no effect: a success says that it has one.
  return notice.outcome.kind == OutcomeKind::done &&
         without_generation(notice.key) == without_generation(key);
}

void Turn::on(const Notice& notice) {
  const OutcomeKind kind = notice.outcome.kind;
  if (kind == OutcomeKind::unknown || kind == OutcomeKind::retry) return ask();
  if (saga_.suspended && concerns(*saga_.suspended, notice)) {
    saga_.open = std::move(saga_.suspended);  // the extension is asked for again if it is still needed
    saga_.suspended.reset();
  }
  if (!saga_.open || !concerns(*saga_.open, notice)) return news(notice);
  OpenCommand& open = *saga_.open;
  // Its totals did not have what it calls a success. The notice may be from before they lost it.
  if (kind == OutcomeKind::done && open.doubted != Time{}) return ask();
  if (saga_.stuck && kind == OutcomeKind::pending) {
    out_.stale = true;
    return;
  }
  note(saga_.attempts, {open.sequence, open.generation, false, open.action, kind, QueryAnswer::none,
                        notice.outcome.code, now_, 0, notice.by, ""});
  saga_.stuck.reset();
  open.query = false;
  hear(notice);
  learn(notice.outcome, "");
  apply(notice.outcome);
}

/// The provider only says that something changed: what is open is asked for now instead of later. An answer
/// that is under way may be older than the change: then the provider is asked once more at the end.
void Turn::ask() {
  if (saga_.mode == Mode::finished) {
    out_.stale = !look();
    return;
  }
  const bool pays = saga_.open && step(saga_.open->step).is_payment();
  const bool is_out = pays && saga_.open->phase == CommandPhase::sent;
  const bool may_be_there =
      pays && !is_out && (saga_.open->phase == CommandPhase::pending || saga_.open->unknown);
  const bool remembered = saga_.hinted != Time{} && (!is_out || saga_.hinted > saga_.open->sent);
  const std::int16_t paying = paying_step(facts_.definition);
  if (paying < 0 || !slot(step(paying)).can_query || (remembered && !may_be_there)) {
    out_.stale = true;
    return;
  }
  saga_.hinted = is_out ? std::max(now_, saga_.open->sent + Millis(1)) : now_;
  if (!may_be_there) return;
  saga_.stuck.reset();
  saga_.open->query = true;
  run();
}

/// The order is over: what was last done with its money is asked for once more. False when nothing was, or
/// nobody can be asked.
bool Turn::look() {
  saga_.hinted = {};
  const auto last = std::find_if(saga_.attempts.rbegin(), saga_.attempts.rend(), [](const Attempt& one) {
    return one.sequence != 0 && is_success(one) && one.action.rfind("payment.", 0) == 0;
  });
  const std::int16_t paying = paying_step(facts_.definition);
  if (last == saga_.attempts.rend() || paying < 0 || !slot(step(paying)).can_query) return false;
  OpenCommand command;
  command.step = paying;
  command.look = command.query = true;
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
void Turn::news(const Notice& notice) {
  if (notice.occurred && *notice.occurred < saga_.told_until) {
    out_.stale = true;  // overtaken by one that knows more
    return;
  }
  const Saga before = saga_;
  // A success that is taken back later tells less than was told before; everything else only adds up. A late
  // word of what was declined from the start takes nothing back: its totals are of a time long past.
  const bool reversal =
      notice.outcome.kind == OutcomeKind::declined && (notice.key.empty() || succeeded(saga_, notice.key));
  reversal ? learn_totals(saga_, notice.outcome) : merge_totals(saga_, notice.outcome);
  if (saga_.reference.empty()) saga_.reference = notice.outcome.provider_reference;
  const bool bare_reversal = reversal && !notice.outcome.totals;
  if (saga_ == before && !bare_reversal) {
    out_.stale = true;
    return;
  }
  hear(notice);
  note(saga_.attempts, {0, 0, false, notice.action, notice.outcome.kind, QueryAnswer::none,
                        notice.outcome.code, now_, 0, notice.by, ""});
  if (saga_.payment.status != PaymentStatus::unknown || saga_.mode == Mode::finished)
    set_payment_status(saga_, facts_.body.total);
  reconsider(bare_reversal);
}

void Turn::hear(const Notice& notice) {
  if (notice.occurred) saga_.told_until = std::max(saga_.told_until, *notice.occurred);
}

/// `reversed`: money was taken back, and nobody said how much.
void Turn::reconsider(bool reversed) {
  const std::int16_t paying = paying_step(facts_.definition);
  if (paying < 0) return;
  const bool over = is_terminal(saga_.status),
             undoing = !over && saga_.mode != Mode::forward && saga_.mode != Mode::finished;
  if (over || undoing) {
    // A late success of what was given up or undone is undone in its turn.
    if (fault::mutation("saga_late_success_kept")) return;
    if (!holds_money(saga_) || (saga_.open && step(saga_.open->step).is_payment())) return;
    result(paying) = StepResult::done;
    if (!over || saga_.mode != Mode::finished) return;
    saga_.mode = saga_.status == Status::cancelled ? Mode::cancelling : Mode::failing;
    return next();
  }
  const bool paid = past_pivot() || saga_.mode == Mode::finished;
  const std::int64_t owed = facts_.body.total;
  if (paid && (reversed || captured_left(saga_) != owed)) {
    saga_.attention = reversed || captured_left(saga_) < owed
                          ? Reason{"PAYMENT_REVERSED", "the provider took back money that the order had"}
                          : Reason{"PAYMENT_EXCESS", "the provider holds more than the order owes"};
    saga_.attention_since = now_;
  }
}

std::string verb_problem(const Facts& facts, const Saga& saga, const Verb& verb) {
  using Kind = Verb::Kind;
  if (verb.kind == Kind::acknowledge)
    return saga.attention ? "" : "there is nothing to acknowledge: the order asks for no attention";
  if (!saga.open || saga.open->look) return "no step of this order is under way";
  if (verb.sequence != 0 && verb.sequence != saga.open->sequence)
    return "the order has gone on since: it is at " + saga.open->action + " now";
  if (verb.kind == Kind::retry)
    return saga.stuck || saga.open->phase != CommandPhase::sent
               ? ""
               : "the plugin is working on " + saga.open->action + " at this moment";
  if (!saga.stuck) return "the order is not stuck: it goes on by itself";
  const StepDefinition& step = facts.definition.steps[static_cast<std::size_t>(saga.open->step)];
  if (verb.kind == Kind::skip)
    return step.is_payment() && !saga.open->undo
               ? "a payment is not skipped: mark it done, or cancel the order"
               : "";
  if (!step.is_payment()) return "";
  if (verb.reference.empty()) return "the provider's reference is needed";
  if (!verb.amount || *verb.amount < 0) return "the amount that was moved is needed, in the minor unit";
  if (*verb.amount > saga.open->amount)
    return "the amount is more than the " + std::to_string(saga.open->amount) + " that " + saga.open->action +
           " asks for";
  return "";
}

void Turn::on(const Verb& verb) {
  if (!verb_problem(facts_, saga_, verb).empty()) {
    out_.stale = true;
    return;
  }
  note(saga_.attempts,
       {saga_.open ? saga_.open->sequence : 0, saga_.open ? saga_.open->generation : 0, false,
        std::string(name(verb.kind)) + (saga_.open ? " " + saga_.open->action : ""), OutcomeKind::done,
        QueryAnswer::none, "", now_, 0, "operator " + verb.actor + ": " + verb.reason, ""});
  if (verb.kind == Verb::Kind::acknowledge) {
    saga_.attention.reset();
    return;
  }
  const bool was_stuck = saga_.stuck.has_value();
  saga_.stuck.reset();
  if (verb.kind == Verb::Kind::done) return finish_by_hand(verb);
  if (verb.kind == Verb::Kind::skip) return skip();
  OpenCommand& open = *saga_.open;
  open.began = now_;
  open.doubted = {};
  open.attempt = 1;
  if (was_stuck && begin_again()) return;
  if (open.phase == CommandPhase::pending) open.query = slot(open_step()).can_query;
  if (may_leave()) return abandon(), next();
  run();
}

/// A person has looked at what is stuck and answers for what was sent before. True: something else is
/// done instead.
bool Turn::begin_again() {
  OpenCommand& open = *saga_.open;
  const bool can_ask = slot(open_step()).can_query;
  bool may_be_there = open.unknown || open.phase == CommandPhase::pending;
  // The way back does not send forward again: whatever became of it is undone.
  if (may_be_there && !can_ask && !open.undo && saga_.mode != Mode::forward) {
    abandon();
    next();
    return true;
  }
  // Until its deadline even a call that nobody knows of can still arrive.
  const bool all_arrived = now_ >= open.lost_until;
  if (!can_ask && all_arrived) open.sends = 0;
  // Of a key that the provider knows no more, the person has seen that nothing came; nor can it any more.
  if (may_be_there && !can_ask && forgotten(open) && all_arrived) open.unknown = may_be_there = false;
  // A provider answers the same key with the failure it stored: only a new one is tried.
  if (!may_be_there) new_key();
  if (open.phase == CommandPhase::pending && can_ask) return false;
  open.query = may_be_there && can_ask;
  open.phase = CommandPhase::waiting;
  return open.undo && !may_be_there && undo_otherwise();
}

/// A person has seen at the provider what the host could not find out.
void Turn::finish_by_hand(const Verb& verb) {
  const OpenCommand& open = *saga_.open;
  Outcome outcome;
  outcome.kind = OutcomeKind::done;
  if (open_step().is_payment()) {
    saga_.reference = verb.reference;
    PaymentTotals totals{saga_.payment.authorized, saga_.payment.captured, saga_.payment.refunded,
                         saga_.voided};
    const std::int64_t amount = *verb.amount;
    if (open.action == "payment.authorize") totals.authorized = std::max(totals.authorized, amount);
    if (open.action == "payment.capture") totals.captured = std::max(totals.captured, amount);
    if (open.action == "payment.void") totals.voided += amount;
    if (open.action == "payment.refund") totals.refunded += amount;
    outcome.totals = totals;
    learn_totals(saga_, outcome);
  }
  done(outcome);
}

void Turn::skip() {
  const OpenCommand open = *saga_.open;
  saga_.open.reset();
  if (open.extend) return resume_suspended();
  result(open.step) = open.undo ? StepResult::undone : StepResult::skipped;
  if (!open.undo && saga_.mode == Mode::forward && step(open.step).status)
    set_status(*step(open.step).status);
  next();
}

}  // namespace orderd::saga
