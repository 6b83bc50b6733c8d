#pragma once
// A PaymentIntent, and what it says about our commands. Pure.
//
// Each order's payment is one PaymentIntent (a second one only after a first that surely had no effect). It
// has our subject and the key of the authorize command in its metadata, the key of its capture from then on;
// each refund has its own key.
#include <orderd/outcome.hpp>

#include "failure.h"

namespace stripe {

constexpr const char* subject_name = "orderd_subject";
constexpr const char* key_name = "orderd_key";
constexpr const char* capture_key_name = "orderd_capture_key";

struct Refund {
  std::string id, status, currency, intent, subject, key, failure_reason;
  std::int64_t amount = 0;  // in our minor unit
  orderd_totals before{};   // of the payment, as they were when it was asked for
  bool has_before = false;
};
Refund read_refund(const Json& object);

struct Intent {
  std::string id, status, currency, subject, key, capture_key, redirect_url;
  std::int64_t amount = 0, received = 0;  // in our minor unit
  std::int64_t created_ms = 0;
  Failure failure;
  bool has_charge = false;
  // Of the charge, when it came with it (expand).
  bool expanded = false, charge_succeeded = false, charge_captured = false;
  std::int64_t charge_refunded = 0, capture_before_ms = 0;
  std::vector<Refund> refunds;
  bool all_refunds = false;  // `refunds` holds every one
};
/// False if the object is no payment intent.
bool read_intent(const Json& object, Intent& out);

/// What Stripe holds of it now. Needs the charge if it is cancelled.
orderd_totals totals_of(const Intent& intent);

struct Times {
  std::int64_t now_ms, action_limit_ms;
};
/// What became of authorize; `amount`: of the command.
orderd::sdk::Outcome authorized(const Intent& intent, Times times);
/// Of a capture: of a payment intent there is only ever one.
orderd::sdk::Outcome captured(const Intent& intent, std::int64_t amount);
/// Of a void. Nothing to let go of is a success, too: the totals say what is left to refund.
orderd::sdk::Outcome voided(const Intent& intent);
/// Of one refund.
orderd::sdk::Outcome refunded(const Refund& refund, std::int64_t now_ms);

/// The outcome with what every outcome of this payment carries.
orderd::sdk::Outcome with(orderd::sdk::Outcome outcome, const Intent& intent);

}  // namespace stripe
