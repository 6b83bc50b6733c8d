#pragma once
// What an order's money is at, from the totals its provider reports and from what a person answered for.
// Pure.
#include "saga/core/state.h"

namespace orderd::saga {

/// Given back to the buyer, at the provider or past it.
std::int64_t given_back(const Saga& saga);
/// What of the authorization was let go, at the provider or past it.
std::int64_t let_go(const Saga& saga);
/// Captured and not given back yet; below 0: more was given back than taken.
inline std::int64_t captured_left(const Saga& saga) { return saga.payment.captured - given_back(saga); }

/// There is money of this order that must go back if it ends: captured and not given back, or authorized and
/// not let go.
inline bool holds_money(const Saga& saga) {
  return captured_left(saga) > 0 || (saga.payment.captured == 0 && saga.payment.authorized > let_go(saga));
}

/// 0 <= refunded <= captured <= authorized, and no more let go than that.
bool makes_sense(const PaymentTotals& totals);
/// Whether these totals lack something that the saga knows, and that the provider did not take back by name.
bool tells_less(const Saga& saga, const PaymentTotals& totals);
/// The totals of `outcome`, if they make sense.
std::optional<PaymentTotals> totals_of(const Outcome& outcome);
/// Takes over what the provider reports. Totals that tell less only add to what is known.
void learn_totals(Saga& saga, const Outcome& outcome);
/// The same of news, which come in any order: totals only grow.
void merge_totals(Saga& saga, const Outcome& outcome);
/// The provider takes back by name what it had reported. False, and nothing changes, when these totals lack
/// more than a capture or a refund.
bool take_back(Saga& saga, const PaymentTotals& totals);
/// A success whose plugin reported no totals of its own: they follow from the command.
void infer_totals(Saga& saga, const OpenCommand& done);
/// A give-back that succeeded counts on top of what a person marked done.
void count_success(Saga& saga, const OpenCommand& done);
/// What a person saw, or saw to, of the open command.
void mark_done(Saga& saga, const OpenCommand& open, std::int64_t amount);
void mark_skipped(Saga& saga, const OpenCommand& open);
/// The buyer has nothing to do any more.
void forget_next_action(Saga& saga);
/// The payment as everybody sees it: what a person settled counts as given back.
PaymentView shown(const Saga& saga);
/// Sets payment.status and payment.settled from what is known.
void set_payment_status(Saga& saga, std::int64_t order_total);

}  // namespace orderd::saga
