#include "saga/core/payment.h"

#include <algorithm>

#include "base/fault.h"

namespace orderd::saga {
namespace {

PaymentTotals known_totals(const Saga& saga) {
  return {saga.payment.authorized, saga.payment.captured, saga.payment.refunded, saga.voided};
}

void set_totals(Saga& saga, const PaymentTotals& totals) {
  saga.payment.authorized = totals.authorized;
  saga.payment.captured = totals.captured;
  saga.payment.refunded = totals.refunded;
  saga.voided = totals.voided;
}

PaymentTotals larger_of(const PaymentTotals& a, const PaymentTotals& b) {
  return {std::max(a.authorized, b.authorized), std::max(a.captured, b.captured),
          std::max(a.refunded, b.refunded), std::max(a.voided, b.voided)};
}

}  // namespace

std::int64_t given_back(const Saga& saga) {
  return std::max(saga.payment.refunded, saga.books.refunded_to) + saga.books.refunded;
}

std::int64_t let_go(const Saga& saga) {
  return std::max(saga.voided, saga.books.voided_to) + saga.books.voided;
}

bool makes_sense(const PaymentTotals& totals) {
  return 0 <= totals.refunded && totals.refunded <= totals.captured && totals.captured <= totals.authorized &&
         0 <= totals.voided && totals.voided <= totals.authorized;
}

bool tells_less(const Saga& saga, const PaymentTotals& totals) {
  if (fault::mutation("saga_totals_believed_backwards")) return false;
  return totals.authorized < saga.payment.authorized ||
         totals.captured < saga.payment.captured - saga.books.captures_failed ||
         totals.refunded < saga.payment.refunded - saga.books.refunds_failed || totals.voided < saga.voided;
}

std::optional<PaymentTotals> totals_of(const Outcome& outcome) {
  return outcome.totals && makes_sense(*outcome.totals) ? outcome.totals : std::nullopt;
}

void learn_totals(Saga& saga, const Outcome& outcome) {
  const auto totals = totals_of(outcome);
  if (!totals) return;
  tells_less(saga, *totals) ? merge_totals(saga, outcome) : set_totals(saga, *totals);
}

void merge_totals(Saga& saga, const Outcome& outcome) {
  if (const auto totals = totals_of(outcome)) set_totals(saga, larger_of(*totals, known_totals(saga)));
}

bool take_back(Saga& saga, const PaymentTotals& totals) {
  if (totals.authorized < saga.payment.authorized || totals.voided < saga.voided) return false;
  Books& books = saga.books;
  books.captures_failed += std::max<std::int64_t>(0, saga.payment.captured - totals.captured);
  if (const std::int64_t failed = saga.payment.refunded - totals.refunded; failed > 0) {
    books.refunds_failed += failed;
    ++books.refund_failures;
    if (books.refunded_to > 0) books.refunded_to = std::max<std::int64_t>(0, books.refunded_to - failed);
  }
  set_totals(saga, totals);
  return true;
}

void infer_totals(Saga& saga, const OpenCommand& done) {
  PaymentView& payment = saga.payment;
  if (done.action == "payment.authorize") payment.authorized = std::max(payment.authorized, done.amount);
  if (done.action == "payment.capture") payment.captured = std::max(payment.captured, done.amount);
  if (done.action == "payment.void") saga.voided = payment.authorized - payment.captured;
  if (done.action == "payment.refund")
    payment.refunded = done.had
                           ? std::max(payment.refunded, std::min(payment.captured, *done.had + done.amount))
                           : payment.captured;  // rows of older hosts: it asked for all that was left
}

void count_success(Saga& saga, const OpenCommand& done) {
  Books& books = saga.books;
  if (done.action == "payment.capture") books.captures_failed = 0;
  if (done.action == "payment.refund") books.refunds_failed = 0;
  if (done.action == "payment.refund" && books.refunded_to > 0)
    books.refunded_to = std::min(saga.payment.captured, books.refunded_to + done.amount);
  if (done.action == "payment.void" && books.voided_to > 0)
    books.voided_to = std::min(saga.payment.authorized, books.voided_to + done.amount);
}

void mark_done(Saga& saga, const OpenCommand& open, std::int64_t amount) {
  PaymentView& payment = saga.payment;
  Books& books = saga.books;
  if (open.action == "payment.authorize" || open.action == "payment.capture")
    payment.authorized = std::max(payment.authorized, amount);
  if (open.action == "payment.capture") payment.captured = std::max(payment.captured, amount);
  if (open.action == "payment.void")
    books.voided_to = std::min(payment.authorized, std::max(saga.voided, books.voided_to) + amount);
  if (open.action == "payment.refund")
    books.refunded_to = std::min(payment.captured, std::max(payment.refunded, books.refunded_to) + amount);
}

void mark_skipped(Saga& saga, const OpenCommand& open) {
  if (fault::mutation("saga_decision_forgotten")) return;
  if (open.action == "payment.refund")
    saga.books.refunded += std::max<std::int64_t>(0, captured_left(saga));
  else if (open.action == "payment.void")
    saga.books.voided += std::max<std::int64_t>(0, saga.payment.authorized - let_go(saga));
}

void forget_next_action(Saga& saga) {
  saga.payment.next_action_type.clear();
  saga.payment.next_action_url.clear();
  saga.payment.next_action_expires.reset();
}

PaymentView shown(const Saga& saga) {
  PaymentView payment = saga.payment;
  payment.refunded = std::min(payment.captured, given_back(saga));
  return payment;
}

void set_payment_status(Saga& saga, std::int64_t order_total) {
  PaymentView& payment = saga.payment;
  payment.settled = payment.captured > 0 ? given_back(saga) - payment.refunded : let_go(saga) - saga.voided;
  if (order_total == 0) {
    payment.status = PaymentStatus::not_required;
  } else if (payment.captured > 0) {
    payment.status = given_back(saga) == 0     ? PaymentStatus::captured
                     : captured_left(saga) > 0 ? PaymentStatus::partially_refunded
                                               : PaymentStatus::refunded;
  } else if (payment.authorized > 0) {
    payment.status = let_go(saga) >= payment.authorized ? PaymentStatus::voided : PaymentStatus::authorized;
  } else if (payment.status != PaymentStatus::failed) {
    payment.status = PaymentStatus::none;
  }
}

}  // namespace orderd::saga
