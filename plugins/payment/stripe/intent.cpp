#include "intent.h"

#include <orderd/payment.h>

#include <algorithm>
#include <charconv>

#include "currency.h"
#include "state_blob.h"

namespace stripe {
namespace {

using orderd::sdk::Outcome;

constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t authorization_ms = 7 * day_ms;  // where Stripe does not say until when
constexpr std::int64_t refund_limit_ms = 30 * day_ms;  // a pending refund that takes longer is a person's
constexpr std::int64_t refund_look_ms = 60'000;
constexpr std::int64_t action_look_ms = 10'000;

std::int64_t whole(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void read_charge(const Json& charge, Intent& out) {
  out.expanded = true;
  out.charge_succeeded = text(charge, "status") == "succeeded";
  out.charge_captured = flag(charge, "captured");
  out.charge_refunded = from_stripe(out.currency, number(charge, "amount_refunded"));
  if (const Json* details = object_at(charge, "payment_method_details"))
    if (const Json* card = object_at(*details, "card"))
      out.capture_before_ms = number(*card, "capture_before") * 1000;
  const Json* refunds = object_at(charge, "refunds");
  const Json* data = refunds ? array_at(*refunds, "data") : nullptr;
  if (!data) return;
  out.all_refunds = !flag(*refunds, "has_more");
  for (const Json& one : data->GetArray()) out.refunds.push_back(read_refund(one));
}

std::int64_t refunded_of(const Intent& intent) {
  if (!intent.expanded || !intent.charge_captured) return 0;
  std::int64_t sum = intent.charge_refunded;
  if (intent.all_refunds) {
    sum = 0;
    for (const Refund& one : intent.refunds)
      if (one.status == "succeeded") sum += one.amount;
  }
  return std::min(sum, intent.received);
}

Outcome not_any_more(const Intent& intent) {
  return totals_of(intent).authorized > 0
             ? Outcome::declined("AUTHORIZATION_RELEASED", "the authorization was let go of at Stripe")
             : Outcome::declined(ORDERD_CODE_PAYMENT_EXPIRED, "the payment was cancelled before it was made");
}

}  // namespace

Refund read_refund(const Json& object) {
  Refund out;
  out.id = text(object, "id");
  out.status = text(object, "status");
  out.currency = text(object, "currency");
  out.intent = text(object, "payment_intent");
  out.failure_reason = text(object, "failure_reason");
  out.amount = from_stripe(out.currency, number(object, "amount"));
  if (const Json* metadata = object_at(object, "metadata")) {
    out.subject = text(*metadata, subject_name);
    out.key = text(*metadata, key_name);
    out.has_before = member(*metadata, "orderd_captured") != nullptr;
    out.before = {whole(text(*metadata, "orderd_authorized")), whole(text(*metadata, "orderd_captured")),
                  whole(text(*metadata, "orderd_refunded")), whole(text(*metadata, "orderd_voided"))};
  }
  return out;
}

bool read_intent(const Json& object, Intent& out) {
  if (text(object, "object") != "payment_intent" || text(object, "id").empty()) return false;
  out.id = text(object, "id");
  out.status = text(object, "status");
  out.currency = text(object, "currency");
  out.amount = from_stripe(out.currency, number(object, "amount"));
  out.received = from_stripe(out.currency, number(object, "amount_received"));
  out.created_ms = number(object, "created") * 1000;
  if (const Json* metadata = object_at(object, "metadata")) {
    out.subject = text(*metadata, subject_name);
    out.key = text(*metadata, key_name);
    out.capture_key = text(*metadata, capture_key_name);
  }
  if (const Json* error = object_at(object, "last_payment_error")) out.failure = read_failure(*error);
  if (const Json* action = object_at(object, "next_action"))
    if (const Json* redirect = object_at(*action, "redirect_to_url"))
      out.redirect_url = text(*redirect, "url");
  const Json* charge = member(object, "latest_charge");
  out.has_charge = charge != nullptr;
  if (charge && charge->IsObject()) read_charge(*charge, out);
  return true;
}

orderd_totals totals_of(const Intent& intent) {
  if (intent.status == "requires_capture") return {intent.amount, 0, 0, 0};
  if (intent.status == "succeeded")
    return {intent.amount, intent.received, refunded_of(intent),
            std::max<std::int64_t>(intent.amount - intent.received, 0)};
  if (intent.status == "canceled" && intent.charge_succeeded) return {intent.amount, 0, 0, intent.amount};
  return {};
}

Outcome with(Outcome outcome, const Intent& intent) {
  outcome.totals = totals_of(intent);
  outcome.provider_reference = intent.id;
  StateBlob blob;
  blob.intent = intent.id;
  outcome.state = blob.state();
  return outcome;
}

Outcome authorized(const Intent& intent, Times times) {
  if (intent.status == "requires_capture" || intent.status == "succeeded") {
    Outcome done = Outcome::done();
    done.expires_ms =
        intent.capture_before_ms > 0 ? intent.capture_before_ms : intent.created_ms + authorization_ms;
    return done;
  }
  if (intent.status == "requires_action" || intent.status == "processing") {
    if (intent.status == "requires_action" && intent.redirect_url.empty())
      return Outcome::declined("ACTION_WITHOUT_PAGE", "the bank wants to ask the buyer, and has no page",
                               true);
    // From its making, so that asking again does not move it.
    Outcome pending = Outcome::pending(intent.created_ms + times.action_limit_ms);
    pending.retry_after_ms = action_look_ms;
    if (intent.status == "requires_action") {
      pending.next_action_type = "redirect";
      pending.next_action_url = intent.redirect_url;
    }
    return pending;
  }
  if (intent.status == "requires_payment_method") return declined_by_bank(intent.failure);
  if (intent.status == "canceled") return not_any_more(intent);
  return Outcome::unknown("STATUS_UNKNOWN", "the payment intent is " + intent.status);
}

Outcome captured(const Intent& intent, std::int64_t amount) {
  if (intent.status == "succeeded")
    return intent.received == amount
               ? Outcome::done()
               : Outcome::declined("CAPTURED_OTHERWISE",
                                   "another amount was captured: " + std::to_string(intent.received));
  if (intent.status == "canceled") return not_any_more(intent);
  if (intent.status == "processing") return Outcome::pending(intent.created_ms + authorization_ms);
  return Outcome::declined("NOT_AUTHORIZED", "the payment intent is " + intent.status);
}

Outcome voided(const Intent& intent) {
  if (intent.status == "canceled" || intent.status == "succeeded") return Outcome::done();
  return Outcome::declined("NOT_CANCELLED", "the payment intent is " + intent.status);
}

Outcome refunded(const Refund& refund, std::int64_t now_ms) {
  if (refund.status == "succeeded") return Outcome::done();
  if (refund.status == "pending" || refund.status == "requires_action") {
    Outcome pending = Outcome::pending(now_ms + refund_limit_ms);
    pending.retry_after_ms = refund_look_ms;
    return pending;
  }
  if (refund.status == "failed" || refund.status == "canceled")
    return Outcome::declined("REFUND_FAILED",
                             "the refund " + refund.id + " failed: " +
                                 (refund.failure_reason.empty() ? refund.status : refund.failure_reason));
  return Outcome::unknown("STATUS_UNKNOWN", "the refund is " + refund.status);
}

}  // namespace stripe
