#include "admin/explain.h"

#include <algorithm>

#include "model/money.h"
#include "saga/core/transition.h"

namespace orderd::admin {
namespace {

using saga::CommandPhase;
using saga::Mode;
using saga::OpenCommand;
using saga::Saga;

std::string because(const std::optional<Reason>& reason) {
  return reason ? " (" + reason->code + ": " + reason->message + ")" : "";
}

/// What became of the money, in a sentence.
std::string money_sentence(const PaymentView& payment, const std::string& currency) {
  if (payment.status == PaymentStatus::not_required) return " There was nothing to pay.";
  const std::string by_hand = payment.settled > 0
                                  ? " A person answered for " + money_text(payment.settled, currency) +
                                        " of that, which the provider's totals do not show."
                                  : "";
  if (payment.captured > 0 && payment.refunded >= payment.captured)
    return " " + money_text(payment.refunded, currency) + " were charged and have been given back." + by_hand;
  if (payment.captured > 0 && payment.refunded > 0)
    return " " + money_text(payment.captured - payment.refunded, currency) + " are charged, after " +
           money_text(payment.refunded, currency) + " were given back." + by_hand;
  if (payment.captured > 0) return " " + money_text(payment.captured, currency) + " are charged.";
  if (payment.status == PaymentStatus::voided)
    return " The authorization of " + money_text(payment.authorized, currency) + " was let go." + by_hand;
  return payment.authorized > 0 ? " " + money_text(payment.authorized, currency) + " are authorized."
                                : " Nothing was charged.";
}

/// One order's paragraph as it grows.
class ExplanationWriter {
 public:
  ExplanationWriter(const Record& record, const Situation& situation, const Slots& slots, Time now)
      : record_(record), situation_(situation), slots_(slots), now_(now) {}

  Explanation tell() {
    if (!record_.saga || !record_.live) {
      tell_end();
    } else {
      where();
      if (record_.saga->stuck)
        stuck();
      else if (record_.saga->open)
        open(*record_.saga->open);
      deadline();
    }
    if (record_.saga && !situation_.dead_letter.empty())
      say(" An event of it could not be taken; it waits until an operator replays it from the dead letters.");
    if (!situation_.unpublished.empty())
      say(" An event of it is not in the topic, because the broker refuses it (" + situation_.unpublished +
          "): who reads the topic from outside lacks it, until an operator replays it from the dead "
          "letters.");
    if (record_.saga && record_.saga->attention && !record_.saga->stuck)
      say(" A person should look at its money" + because(record_.saga->attention) +
          "; acknowledge ends this notice.");
    return std::move(out_);
  }

 private:
  void say(const std::string& text) { out_.text += text; }
  void next(Time time) { out_.next_at = time; }
  const saga::StepDefinition& step_of(const OpenCommand& open) const {
    return record_.definition->steps.at(static_cast<std::size_t>(open.step));
  }
  std::string plugin_of(const OpenCommand& open) const {
    const std::string instance = instance_of(record_, step_of(open).slot, slots_);
    return instance.empty() ? step_of(open).slot : instance;
  }

  /// An order without a live saga.
  void tell_end() {
    const OrderHead& head = situation_.head;
    const std::string money = money_sentence(head.payment, record_.body.currency);
    switch (head.status) {
      case Status::confirmed:
        return say("The order is confirmed: every step is done." + money +
                   " Nothing more happens unless it is cancelled.");
      case Status::cancelled:
        return say("The order was cancelled" + because(head.reason) + " and all of it is undone." + money +
                   " Nothing more happens.");
      case Status::rejected:
        return say("The order was rejected" + because(head.reason) + "." + money + " Nothing more happens.");
      case Status::cancelling:
        say("The order is to be cancelled" + because(head.reason) + ".");
        break;
      case Status::pending:
      case Status::payment_authorized:
      case Status::inventory_reserved:
        say("The order was placed at " + to_rfc3339(Time(Millis(head.id.unix_ms()))) + ".");
        break;
    }
    if (situation_.dead_letter.empty()) return not_begun();
    say(" It waits: its event could not be taken, and an operator can replay it from the dead letters.");
  }

  void not_begun() {
    constexpr Millis usual{60'000};
    if (now_ - situation_.head.at < usual) return say(" Its saga takes it up within moments.");
    say(" No saga has taken it up since " + to_rfc3339(situation_.head.at) +
        ", which is longer than it should take. `orderctl outbox` says whether a host with the role saga "
        "runs and "
        "how far it has read. An order that it passed over is found and taken up by itself.");
  }

  void where() {
    const Saga& saga = *record_.saga;
    switch (saga.mode) {
      case Mode::forward:
        say("The order is on its way to CONFIRMED");
        break;
      case Mode::failing:
        say("The order did not come through" + because(saga.reason) +
            ". What was done is undone, then it is REJECTED");
        break;
      case Mode::cancelling:
        say("The order is being cancelled" + because(saga.reason) +
            ". What was done is undone, then it is CANCELLED");
        break;
      case Mode::finished:
        break;
    }
    if (saga.open && saga.open->recheck) {
      say("; its provider said that something has changed about the payment, and is asked what it is");
    } else if (saga.open) {
      const auto& steps = record_.definition->steps;
      say("; it is at " + saga.open->action + ", step " + std::to_string(saga.open->step + 1) + " of " +
          std::to_string(steps.size()));
    }
    say(".");
  }

  void open(const OpenCommand& open) {
    const bool time_is_over = open.phase == CommandPhase::waiting && open.next <= now_;
    if (time_is_over && !situation_.held_back.empty())
      return say(" It is held back because " + situation_.held_back +
                 ". No attempt is spent meanwhile, and it goes on by itself afterwards.");
    if (open.recheck) return next(open.phase == CommandPhase::sent ? open.sent : open.next);
    if (open.unknown || open.query) return unknown(open);
    switch (open.phase) {
      case CommandPhase::sent:
        next(open.deadline);
        return say(" The plugin " + plugin_of(open) + " was asked at " + to_rfc3339(open.sent) +
                   " (attempt " + std::to_string(open.attempt) + ") and has until " +
                   to_rfc3339(open.deadline) + ". After that its provider is asked what became of it.");
      case CommandPhase::pending:
        return pending(open);
      case CommandPhase::waiting:
        break;
    }
    next(open.next);
    if (open.attempt <= 1) return say(" It goes out at " + to_rfc3339(open.next) + ".");
    const Time last = open.began + step_of(open).retry.total;
    say(" The last attempt had no effect. Attempt " + std::to_string(open.attempt) + " follows at " +
        to_rfc3339(open.next) + "; attempts end at " + to_rfc3339(last) + ", and then " +
        (gives_up_to_person(open) ? "a person is needed." : "it counts as declined."));
  }

  bool gives_up_to_person(const OpenCommand& open) const { return open.compensation || is_past_pivot(); }
  bool is_past_pivot() const { return saga::is_past_pivot(*record_.definition, *record_.saga); }

  void unknown(const OpenCommand& open) {
    say(" Nobody knows yet whether " + open.action + " had its effect, so nothing else happens to it. ");
    if (open.phase == CommandPhase::sent) {
      next(open.sent + step_of(open).timeout);
      return say("Its provider was asked at " + to_rfc3339(open.sent) + " and is to answer.");
    }
    next(open.next);
    say("Its provider is asked again at " + to_rfc3339(open.next) +
        ", under the same key; when it cannot tell by " + to_rfc3339(open.began + step_of(open).retry.total) +
        ", a person is needed.");
  }

  void pending(const OpenCommand& open) {
    const bool buyer = record_.saga->payment.status == PaymentStatus::action_required && !open.compensation;
    say(buyer ? " The buyer must still confirm the payment with the provider"
              : " The provider has not finished it yet");
    if (!open.expires) {
      next(open.next);
      return say("; its webhook ends the wait, and it is asked at " + to_rfc3339(open.next) + ".");
    }
    next(*open.expires);
    const bool person = gives_up_to_person(open) || step_of(open).pivot;
    say(", and may do so until " + to_rfc3339(*open.expires) + ". " +
        (person ? "After that a person is needed." : "After that the order is undone and rejected."));
  }

  void stuck() {
    const Saga& saga = *record_.saga;
    say(" It is stuck since " + to_rfc3339(saga.attention_since) + because(saga.stuck) +
        " and waits for a person.");
    if (const std::int64_t risk = money_at_risk(saga); risk > 0)
      say(" " + money_text(risk, record_.body.currency) + " are at stake.");
    if (!saga.open) return;
    std::string help;
    const auto offer = [&](saga::Verb::Kind kind, const char* what) {
      const saga::Verb verb{kind, "", "", "reference", saga.open->amount};
      if (saga::verb_problem(record_.facts(slots_), saga, verb).empty())
        help += (help.empty() ? "" : "; ") + std::string(what);
    };
    offer(saga::Verb::Kind::retry, "retry tries it again");
    offer(saga::Verb::Kind::done, "mark-done says that its effect is there, as seen at the provider");
    offer(saga::Verb::Kind::skip, "skip goes on without it");
    say(" What helps: " + help + ".");
  }

  /// The whole order's own end of patience.
  void deadline() {
    const Saga& saga = *record_.saga;
    if (record_.definition->total == Millis(0) || saga.mode != Mode::forward || saga.stuck || is_past_pivot())
      return;
    const Time end = Time(Millis(saga.order_id.unix_ms())) + record_.definition->total;
    say(" If it has not come through by " + to_rfc3339(end) + ", it is undone and rejected.");
    if (!out_.next_at || end < *out_.next_at) next(end);
  }

  const Record& record_;
  const Situation& situation_;
  const Slots& slots_;
  const Time now_;
  Explanation out_;
};

}  // namespace

std::string money_text(std::int64_t amount, const std::string& currency) {
  const std::size_t exponent = currency_exponent(currency).value_or(2);
  std::string digits = std::to_string(amount < 0 ? -amount : amount);
  if (digits.size() <= exponent) digits.insert(0, exponent + 1 - digits.size(), '0');
  if (exponent > 0) digits.insert(digits.size() - exponent, ".");
  return (amount < 0 ? "-" : "") + digits + " " + currency;
}

Explanation explain(const Record& record, const Situation& situation, const Slots& slots, Time now) {
  return ExplanationWriter(record, situation, slots, now).tell();
}

}  // namespace orderd::admin
