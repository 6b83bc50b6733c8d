#pragma once
// A saga in which every field has a value of its own.
#include "saga/core/state.h"

namespace orderd::saga::test {

inline OpenCommand full_command() {
  OpenCommand open;
  open.step = 2;
  open.compensation = open.extend = open.recheck = open.query = open.unknown = true;
  open.phase = CommandPhase::pending;
  open.action = "payment.refund";
  open.sequence = 7, open.generation = 3, open.attempt = 4, open.sends = 2;
  open.amount = 500;
  open.had = 100;
  open.began = Time(Millis(1)), open.sent = Time(Millis(2)), open.key_sent = Time(Millis(3));
  open.deadline = Time(Millis(4)), open.unanswered_until = Time(Millis(5));
  open.contradicted_since = Time(Millis(6)), open.next = Time(Millis(7)), open.expires = Time(Millis(8));
  return open;
}

inline Saga full_saga() {
  Saga saga;
  saga.order_id = *Uuid::parse("01920000-0000-7000-8000-000000000001");
  saga.shard = 3;
  saga.definition = "d1g357";
  saga.mode = Mode::cancelling;
  saga.status = Status::cancelling;
  saga.version = 5;
  saga.updated = Time(Millis(9));
  saga.steps = {StepResult::done, StepResult::uncertain, StepResult::none};
  saga.open = full_command();
  saga.sequence = 7;
  saga.reason = Reason{"CANCELLED_BY_REQUEST", "no longer \"wanted\""};
  saga.stuck = Reason{"OUTCOME_UNKNOWN", "nobody knows"};
  saga.attention = Reason{"REFUND_FAILED", "failed since"};
  saga.attention_since = Time(Millis(10));
  saga.payment.method = "card";
  saga.payment.status = PaymentStatus::captured;
  saga.payment.provider = "bank";
  saga.payment.authorized = 1000, saga.payment.captured = 900, saga.payment.refunded = 300;
  saga.payment.next_action_type = "redirect", saga.payment.next_action_url = "https://bank.example/1";
  saga.payment.next_action_expires = Time(Millis(11));
  saga.published_payment_status = PaymentStatus::authorized;
  saga.voided = 50;
  saga.books.refunded = 11, saga.books.voided = 12, saga.books.refunded_to = 13, saga.books.voided_to = 14;
  saga.books.decided = Time(Millis(12));
  saga.books.captures_failed = 15, saga.books.refunds_failed = 16, saga.books.refund_failures = 2;
  saga.books.disputed = PaymentTotals{4, 3, 2, 1};
  saga.books.accepted = 17;
  saga.books.withheld = Reason{"PAYMENT_CONTRADICTED", "less than before"};
  saga.last_notice_at = Time(Millis(13));
  saga.recheck_requested_at = Time(Millis(14));
  saga.reference = "pi_1";
  saga.blobs = {{"payment", {3, std::string("\0\x01kept", 6)}}};
  saga.digests = {{"inventory", "aa"}, {"payment", "bb"}};
  saga.instances = {{"payment", "bank-eu"}};
  saga.suspended = full_command();
  saga.suspended->had.reset(), saga.suspended->expires.reset();
  saga.reservation_expires_at = Time(Millis(15));
  saga.extend_at = Time(Millis(16));
  saga.held_step = 1;
  saga.attempts = {{7, 3, true, "payment.capture", OutcomeKind::declined, QueryAnswer::found, "NO",
                    Time(Millis(17)), 18, "webhook evt_1", "0123456789ab", "not now"},
                   {1, 0, false, "payment.authorize", OutcomeKind::done, QueryAnswer::none, "",
                    Time(Millis(18)), 0, "", "", ""}};
  return saga;
}

}  // namespace orderd::saga::test
