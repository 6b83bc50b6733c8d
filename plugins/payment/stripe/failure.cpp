#include "failure.h"

#include <orderd/payment.h>

#include <algorithm>
#include <array>

namespace stripe {
namespace {

using orderd::sdk::Outcome;

constexpr std::int64_t rate_limit_wait_ms = 2'000;
constexpr std::int64_t operator_wait_ms = 30'000;
constexpr std::size_t code_bytes_max = 64;
constexpr std::size_t message_bytes_max = 300;
constexpr const char* key_refused = "STRIPE_KEY_REFUSED";
constexpr const char* key_forbidden = "STRIPE_KEY_FORBIDDEN";

// Where no other attempt of this buyer's should be taken (docs.stripe.com/declines/codes).
constexpr std::array<std::string_view, 14> hard_declines{"do_not_try_again",
                                                         "fraudulent",
                                                         "highest_risk_level",
                                                         "lost_card",
                                                         "merchant_blacklist",
                                                         "no_action_taken",
                                                         "pickup_card",
                                                         "restricted_card",
                                                         "revocation_of_all_authorizations",
                                                         "revocation_of_authorization",
                                                         "security_violation",
                                                         "stolen_card",
                                                         "stop_payment_order",
                                                         "transaction_not_allowed"};

/// "insufficient_funds" as "INSUFFICIENT_FUNDS"; `otherwise` if it is none or too long.
std::string screaming(std::string_view word, const char* otherwise) {
  if (word.empty() || word.size() > code_bytes_max) return otherwise;
  std::string out(word);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) return otherwise;
  }
  return out;
}

/// Cut between two characters.
std::string cut(std::string text) {
  std::size_t size = std::min(text.size(), message_bytes_max);
  while (size < text.size() && size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

Failure read_failure(const Json& error) {
  return {text(error, "type"), text(error, "code"), text(error, "decline_code"), cut(text(error, "message"))};
}

Outcome declined_by_bank(const Failure& failure) {
  const std::string& why = failure.decline_code.empty() ? failure.code : failure.decline_code;
  const bool hard = std::find(hard_declines.begin(), hard_declines.end(), why) != hard_declines.end();
  // Stripe asks not to tell a buyer that his card is known as stolen; the dashboard tells the merchant.
  std::string code = hard ? ORDERD_CODE_PAYMENT_DECLINED : screaming(why, ORDERD_CODE_PAYMENT_DECLINED);
  if (why == "card_declined" || why == "generic_decline") code = ORDERD_CODE_PAYMENT_DECLINED;
  return Outcome::declined(code, failure.message.empty() ? "the bank declined" : failure.message, !hard);
}

Outcome outcome_of_failure(const Answer& answer) {
  if (answer.kind == Answer::Kind::not_sent) return Outcome::retry(500, "NOT_SENT", cut(answer.message));
  if (answer.kind == Answer::Kind::maybe_sent) return Outcome::unknown("NO_ANSWER", cut(answer.message));
  const Json* error = answer.body.IsObject() ? object_at(answer.body, "error") : nullptr;
  const Failure failure = error ? read_failure(*error) : Failure();
  const std::string status = "Stripe answered " + std::to_string(answer.status);
  if (answer.status == 401)
    return Outcome::retry(operator_wait_ms, key_refused,
                          status + ": it does not know the key; correct the setting \"api_key\"");
  if (answer.status == 403)
    return Outcome::retry(operator_wait_ms, key_forbidden,
                          status + ": the key may not do this; give it the rights that README.md lists");
  if (answer.status == 429)
    return Outcome::retry(answer.retry_after_ms > 0 ? answer.retry_after_ms : rate_limit_wait_ms,
                          "RATE_LIMITED", status);
  if (answer.status == 402 || failure.type == "card_error") return declined_by_bank(failure);
  // The key is in use, or was used with other parameters: an earlier request with it may well have its
  // effect. That is no RETRY, whose next attempt would have a new key.
  if (answer.status == 409 || failure.type == "idempotency_error")
    return Outcome::unknown("KEY_IN_USE", failure.message.empty() ? status : failure.message);
  if ((answer.status == 400 || answer.status == 404) && !failure.empty())
    return Outcome::declined(screaming(failure.code, "INVALID_REQUEST"),
                             failure.message.empty() ? status : failure.message);
  return Outcome::unknown("STRIPE_FAILED", status);
}

bool is_operators(const Outcome& outcome) {
  return outcome.code == key_refused || outcome.code == key_forbidden;
}

}  // namespace stripe
