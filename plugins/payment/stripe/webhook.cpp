#include "webhook.h"

#include <orderd/payment.h>

#include <charconv>
#include <cstdlib>

#include "currency.h"
#include "intent.h"

namespace stripe {
namespace {

using orderd::sdk::Outcome;
using orderd::sdk::Refused;
using orderd::sdk::WebhookEvent;

constexpr std::size_t signatures_max = 20;
constexpr std::size_t header_bytes_max = 4096;

/// 32 bytes, or "" if it is not 64 hex digits.
std::string from_hex(std::string_view hex) {
  if (hex.size() != 64) return "";
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    unsigned value = 0;
    const auto [stop, error] = std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    if (error != std::errc() || stop != hex.data() + i + 2) return "";
    out += static_cast<char>(value);
  }
  return out;
}

WebhookEvent about(const Intent& intent, Outcome outcome) {
  WebhookEvent event;
  event.subject = intent.subject;
  event.provider_reference = intent.id;
  event.outcome = std::move(outcome);
  event.outcome.provider_reference = intent.id;
  return event;
}

/// Only the provider's own word for it: the host asks by a query.
WebhookEvent changed(const Intent& intent) { return about(intent, Outcome::unknown("", "")); }

WebhookEvent of_intent(const std::string& type, const Intent& intent) {
  if (type == "payment_intent.amount_capturable_updated" && intent.status == "requires_capture") {
    WebhookEvent event = about(intent, Outcome::done());
    event.outcome.totals = totals_of(intent);
    event.command_key = intent.key;
    return event;
  }
  // The object has its charge by id only, so what was refunded since is not known here: a capture that is
  // told tells of the moment it was made.
  if (type == "payment_intent.succeeded" && intent.received > 0) {
    WebhookEvent event = about(intent, Outcome::done());
    event.outcome.totals = totals_of(intent);
    event.command_key = intent.capture_key;
    return event;
  }
  if (type == "payment_intent.payment_failed" && intent.status == "requires_payment_method") {
    WebhookEvent event = about(intent, declined_by_bank(intent.failure));
    event.outcome.totals = orderd_totals{};
    event.command_key = intent.key;
    return event;
  }
  if (type == "payment_intent.canceled" && !intent.has_charge) {
    WebhookEvent event = about(intent, Outcome::declined(ORDERD_CODE_PAYMENT_EXPIRED,
                                                         "the payment was cancelled before it was made"));
    event.outcome.totals = orderd_totals{};
    event.command_key = intent.key;
    return event;
  }
  if (type == "payment_intent.canceled" && intent.failure.empty()) {  // an authorization was let go of
    WebhookEvent event = about(intent, Outcome::done());
    event.outcome.code = "AUTHORIZATION_RELEASED";
    event.outcome.totals = orderd_totals{intent.amount, 0, 0, intent.amount};
    return event;
  }
  return changed(intent);
}

/// charge.refunded: the sums of the charge. A charge has its payment intent's metadata.
WebhookEvent of_charge(const Json& charge) {
  const std::string currency = text(charge, "currency");
  const std::int64_t amount = from_stripe(currency, number(charge, "amount"));
  const std::int64_t taken = from_stripe(currency, number(charge, "amount_captured"));
  WebhookEvent event;
  if (const Json* metadata = object_at(charge, "metadata")) event.subject = text(*metadata, subject_name);
  event.provider_reference = text(charge, "payment_intent");
  if (!flag(charge, "captured")) {
    event.outcome = Outcome::unknown("", "");  // older API versions tell a cancellation so
    return event;
  }
  event.outcome = Outcome::done();
  event.outcome.code = "REFUNDED";
  event.outcome.totals =
      orderd_totals{amount, taken, std::min(from_stripe(currency, number(charge, "amount_refunded")), taken),
                    std::max<std::int64_t>(amount - taken, 0)};
  return event;
}

/// A refund that came to its end, or failed after it had seemed to succeed.
WebhookEvent of_refund(const Refund& refund) {
  WebhookEvent event;
  event.subject = refund.subject;
  event.provider_reference = refund.intent;
  event.command_key = refund.key;
  event.outcome = refunded(refund, 0);
  if (event.outcome.kind != ORDERD_DONE && event.outcome.kind != ORDERD_DECLINED)
    event.outcome = Outcome::unknown("", "");
  if (refund.has_before && event.outcome.kind != ORDERD_UNKNOWN) {
    event.outcome.totals = refund.before;
    if (event.outcome.kind == ORDERD_DONE) event.outcome.totals->refunded += refund.amount;
    const orderd_totals& totals = *event.outcome.totals;
    if (totals.refunded > totals.captured || totals.captured > totals.authorized)
      event.outcome.totals.reset();
  }
  event.outcome.provider_reference = refund.intent;
  return event;
}

}  // namespace

void verify(const Signed& call, const orderd::sdk::Signature& signature, std::string_view secret) {
  if (secret.empty()) throw Refused("the setting \"webhook_secret\" is not set: no webhook can be verified");
  if (call.header.size() > header_bytes_max) throw Refused("the signature's header is too long");
  std::string_view timestamp;
  std::vector<std::string> given;
  for (std::size_t at = 0; at <= call.header.size();) {
    const std::size_t end = std::min(call.header.find(',', at), call.header.size());
    const std::string_view part = call.header.substr(at, end - at);
    if (part.substr(0, 2) == "t=") timestamp = part.substr(2);
    if (part.substr(0, 3) == "v1=" && given.size() < signatures_max)
      given.push_back(from_hex(part.substr(3)));
    at = end + 1;
  }
  std::int64_t signed_s = 0;
  const auto [stop, error] = std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), signed_s);
  if (timestamp.empty() || error != std::errc() || stop != timestamp.data() + timestamp.size())
    throw Refused("the signature has no time");
  const std::string expected =
      signature.hmac_sha256(secret, std::string(timestamp) + "." + std::string(call.body));
  bool known = false;
  for (const std::string& one : given)
    if (signature.equal(one, expected)) known = true;
  if (!known) throw Refused("the signature is not Stripe's");
  // After the signature: who cannot sign learns nothing of the clock. A time far off is no 64-bit overflow.
  if (signed_s < 0 || signed_s > call.received_ms / 1000 + call.tolerance_ms / 1000 ||
      signed_s < call.received_ms / 1000 - call.tolerance_ms / 1000)
    throw Refused("the signature is of another time: look at the clock, or at \"webhook_tolerance_s\"");
}

std::vector<WebhookEvent> read_event(std::string_view body) {
  rapidjson::Document document;
  if (!parse_object(body, document)) throw Refused("the body is no JSON object");
  const std::string id = text(document, "id"), type = text(document, "type");
  const Json* data = object_at(document, "data");
  const Json* object = data ? object_at(*data, "object") : nullptr;
  if (id.empty() || id.size() > 255 || type.empty()) throw Refused("the body is no event of Stripe's");
  if (!object) return {};
  WebhookEvent event;
  const std::string kind = text(*object, "object");
  Intent intent;
  if (type.rfind("payment_intent.", 0) == 0 && read_intent(*object, intent))
    event = of_intent(type, intent);
  else if (type == "charge.refunded" && kind == "charge")
    event = of_charge(*object);
  else if ((type.rfind("refund.", 0) == 0 || type == "charge.refund.updated") && kind == "refund")
    event = of_refund(read_refund(*object));
  else
    return {};
  // Of another shop that shares the account.
  if (event.subject.empty() && event.command_key.empty()) return {};
  event.event_id = id;
  event.type = type.substr(0, 255);
  event.occurred_ms = number(document, "created") * 1000;
  std::vector<WebhookEvent> all;
  all.push_back(std::move(event));
  return all;
}

}  // namespace stripe
