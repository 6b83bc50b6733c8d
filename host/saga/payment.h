#pragma once
// What an order's money is at, from the totals its provider reports. Pure.
#include "saga/state.h"

namespace orderd::saga {

/// Captured and not given back yet.
inline std::int64_t captured_left(const Saga& saga) { return saga.payment.captured - saga.payment.refunded; }

/// The provider holds money of this order: captured and not given back, or authorized and not let go.
inline bool holds_money(const Saga& saga) {
  return captured_left(saga) > 0 || (saga.payment.captured == 0 && saga.payment.authorized > saga.voided);
}

/// Whether these totals lack something that the saga knows.
bool tells_less(const Saga& saga, const PaymentTotals& totals);
/// Takes over what the provider reports; a report that makes no sense (negative, more back than in) is not
/// believed.
void learn_totals(Saga& saga, const Outcome& outcome);
/// The same of news, which come in any order: totals only grow.
void merge_totals(Saga& saga, const Outcome& outcome);
/// A success whose plugin reported no totals of its own: they follow from the command.
void infer_totals(Saga& saga, const OpenCommand& done);
/// The buyer has nothing to do any more.
void forget_next_action(Saga& saga);
/// Sets payment.status from the totals.
void set_payment_status(Saga& saga, std::int64_t order_total);

}  // namespace orderd::saga
