#include "saga/payment.h"

#include <algorithm>

namespace orderd::saga {

bool tells_less(const Saga& saga, const PaymentTotals& totals) {
  return totals.authorized < saga.payment.authorized || totals.captured < saga.payment.captured ||
         totals.refunded < saga.payment.refunded || totals.voided < saga.voided;
}

void learn_totals(Saga& saga, const Outcome& outcome) {
  if (!outcome.totals) return;
  const PaymentTotals& totals = *outcome.totals;
  const bool sane = 0 <= totals.refunded && totals.refunded <= totals.captured &&
                    totals.captured <= totals.authorized && 0 <= totals.voided &&
                    totals.voided <= totals.authorized;
  if (!sane) return;
  saga.payment.authorized = totals.authorized;
  saga.payment.captured = totals.captured;
  saga.payment.refunded = totals.refunded;
  saga.voided = totals.voided;
}

void merge_totals(Saga& saga, const Outcome& outcome) {
  if (!outcome.totals) return;
  Outcome merged = outcome;
  PaymentTotals& totals = *merged.totals;
  totals.authorized = std::max(totals.authorized, saga.payment.authorized);
  totals.captured = std::max(totals.captured, saga.payment.captured);
  totals.refunded = std::max(totals.refunded, saga.payment.refunded);
  totals.voided = std::max(totals.voided, saga.voided);
  learn_totals(saga, merged);
}

void infer_totals(Saga& saga, const OpenCommand& done) {
  PaymentView& payment = saga.payment;
  if (done.action == "payment.authorize") payment.authorized = std::max(payment.authorized, done.amount);
  if (done.action == "payment.capture") payment.captured = std::max(payment.captured, done.amount);
  if (done.action == "payment.void") saga.voided = payment.authorized - payment.captured;
  // A refund always asks for all that is left, so its success leaves nothing.
  if (done.action == "payment.refund") payment.refunded = payment.captured;
}

void forget_next_action(Saga& saga) {
  saga.payment.next_action_type.clear();
  saga.payment.next_action_url.clear();
  saga.payment.next_action_expires.reset();
}

void set_payment_status(Saga& saga, std::int64_t order_total) {
  PaymentView& payment = saga.payment;
  if (order_total == 0) {
    payment.status = PaymentStatus::not_required;
  } else if (payment.captured > 0) {
    payment.status = payment.refunded == 0                 ? PaymentStatus::captured
                     : payment.refunded < payment.captured ? PaymentStatus::partially_refunded
                                                           : PaymentStatus::refunded;
  } else if (payment.authorized > 0) {
    payment.status = saga.voided >= payment.authorized ? PaymentStatus::voided : PaymentStatus::authorized;
  } else if (payment.status != PaymentStatus::failed) {
    payment.status = PaymentStatus::none;
  }
}

}  // namespace orderd::saga
