#pragma once
// Every error of the API as RFC 9457 shows it. One switch maps what can go wrong to status and code. Pure.
// [any thread]
#include <string>
#include <string_view>
#include <vector>

#include "http/front/deferred_answer.h"
#include "http/front/front.h"
#include "intake/validate.h"

namespace orderd::http {

enum class Error {
  malformed_json,
  invalid_request,
  invalid_parameter,
  invalid_field,
  card_number,
  unauthorized,
  webhook_refused,
  keys_unavailable,
  missing_scope,
  foreign_customer,
  loopback_only,
  rate_limited,
  too_many_streams,
  not_found,
  order_not_found,
  switch_not_found,
  dead_letter_not_found,
  build_not_found,
  method_not_allowed,
  not_acceptable,
  order_not_cancellable,
  version_mismatch,
  unsupported_media_type,
  idempotency_key_reused,
  verb_refused,
  overloaded,
  intake_paused,
  database_unavailable,
  read_model_unavailable,
  list_too_wide,
  internal,
};

/// How an error looks from outside.
struct ErrorFace {
  int status;
  std::string_view code;    // stable: clients compare it
  std::string_view detail;  // unless the handler has a better one
  bool retryable;           // the same request may succeed a little later
};
ErrorFace error_info(Error error);

struct Problem {
  Error error = Error::internal;
  std::string detail;                      // "": the error's own
  std::vector<intake::FieldError> errors;  // what is wrong where
  front::Fields fields;                    // further fields of the response, such as Allow
};

struct Where {
  std::string_view request_id;
  std::string_view instance;  // the path; never the query, as it may hold a token
};
std::string problem_json(const Problem& problem, const Where& where);
/// Content-Type, and Retry-After with 503: 1 to 5 seconds by chance, so that clients do not all come back at
/// once.
front::Fields problem_fields(const Problem& problem);

/// What the front refuses by itself, in the same shape.
front::Rendered render_refusal(const front::Refusal& refusal);

}  // namespace orderd::http
