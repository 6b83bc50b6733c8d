#pragma once
// What the saga asks of a step and what comes back: the host's own picture of `orderd.step/1`. Pure values.
// plugin_host translates between these and the C ABI; the saga knows nothing of shared libraries.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"

namespace orderd {

/// What a payment holds, in the currency's minor unit. A provider reports it with every outcome; the host
/// computes its next command from it. 0 <= refunded <= captured <= authorized.
struct PaymentTotals {
  std::int64_t authorized = 0, captured = 0, refunded = 0, voided = 0;
  bool operator==(const PaymentTotals&) const = default;
};

/// Opaque bytes that a plugin wants back with its next command for the same payment or reservation.
struct StateBlob {
  std::uint32_t version = 0;
  std::string bytes;
  bool operator==(const StateBlob&) const = default;
};

struct CommandLine {
  std::uint32_t line_id = 0;
  std::string sku;
  std::int64_t quantity = 0;
  std::int64_t unit_price = 0;
};

/// One thing to be done by a plugin. `key` is the provider's idempotency key: the same key means the same
/// effect, at most once, however often it is sent.
struct Command {
  std::string key;  // <subject>.<action>.<sequence>.g<generation>
  Uuid order_id;
  std::string subject;  // the payment's or reservation's id: stable over all commands of one order and slot
  std::string action;   // "payment.authorize", "inventory.reserve", "fraud.check", ...; "payment.query" asks
                        // about `query_key`
  std::string query_key;      // only for a query: the key whose fate is asked for
  std::string query_action;   // only for a query: the action that key was sent with
  std::uint32_t attempt = 1;  // from 1, over all sends of this key
  Time deadline{};            // after it the outcome is UNKNOWN, whatever the plugin does
  std::int64_t amount = 0;    // minor unit
  std::string currency;       // ISO 4217
  std::uint8_t exponent = 2;  // ISO 4217 minor unit: 0, 2, 3, 4
  PaymentTotals totals;       // as last reported
  std::vector<CommandLine> lines;
  std::string customer_id;
  std::string method;              // payment method: "card"
  std::string provider_reference;  // as last reported
  StateBlob state;                 // as last reported
  std::string secret_json;    // authorize only: {"token":…,"returnUrl":…,"buyer":{…},…}; never logged
  std::string metadata_json;  // the order's metadata, or ""
  std::string details_json;   // a JSON object with what only this action has (list_since), or ""
  std::string traceparent;    // W3C Trace Context, or ""
};

/// The numbers are the ABI's and are stored; 0 stays invalid.
enum class OutcomeKind : std::int32_t {
  done = 1,      // the effect is there
  declined = 2,  // surely no effect, and asking again will not help (soft: another method might)
  retry = 3,     // surely no effect; ask again after `retry_after`
  pending = 4,   // under way, waits for somebody (3-D Secure, bank transfer) until `expires`
  unknown = 5,   // may or may not have had its effect: time-out, crash, exception, garbage
};

/// What a query found out about a command key.
enum class QueryAnswer : std::int32_t {
  none = 0,             // not a query's outcome
  found = 1,            // `kind` and totals tell that command's own outcome
  not_found_final = 2,  // it never had an effect and never will
  not_found_yet = 3,    // ask again after `retry_after`
};

/// Where a buyer must go on: {"type":"redirect","url":…}.
struct NextAction {
  std::string type, url;
  bool operator==(const NextAction&) const = default;
};

struct Outcome {
  OutcomeKind kind = OutcomeKind::unknown;
  QueryAnswer query_answer = QueryAnswer::none;
  bool hard = true;     // declined only: no other attempt with this method can succeed
  std::string code;     // declined, unknown: "INSUFFICIENT_FUNDS"
  std::string message;  // for people; no secrets
  std::chrono::milliseconds retry_after{0};
  std::optional<NextAction> next_action;  // pending
  std::optional<Time> expires;            // pending: gives up then; authorize: the authorization's end
  std::optional<PaymentTotals> totals;    // every payment outcome
  std::string provider_reference;
  std::optional<StateBlob> state;
  std::string details_json;  // a JSON object with the rest (availability, list_since), or ""
};

/// A completed command, as it comes back to the saga.
struct Completion {
  Uuid order_id;
  std::string key;
  Outcome outcome;
  std::string plugin_digest;  // SHA-256 of the library that ran it, hex
  Time arrived{};             // at the engine
};

}  // namespace orderd
