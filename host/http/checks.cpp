// What several routes check before they begin.
#include "base/sha256.h"
#include "http/fields.h"
#include "http/query.h"
#include "http/routes.h"

namespace orderd::http {

std::optional<Problem> refuse_other_than_json(const Call& call) {
  if (accepts(call.field("Accept"), "application/json")) return std::nullopt;
  return Problem{
      Error::not_acceptable, "The answer is application/json, which Accept does not admit.", {}, {}};
}

std::optional<Problem> refuse_other_parameters(const Call& call,
                                               std::initializer_list<std::string_view> known) {
  const Query query(call.request.query(), known);
  if (query.errors().empty()) return std::nullopt;
  return Problem{Error::invalid_parameter, {}, query.errors(), {}};
}

std::optional<Problem> refuse_other_body(const Call& call) {
  if (call.request.body().empty()) return std::nullopt;
  const std::string encoding = call.field("Content-Encoding");
  if (is_json_type(call.field("Content-Type")) && (encoding.empty() || encoding == "identity"))
    return std::nullopt;
  return Problem{Error::unsupported_media_type, {}, {}, {}};
}

std::variant<intake::IdempotencyKey, Problem> read_key(const Call& call, const std::string& fingerprint_key) {
  if (!call.has("Idempotency-Key")) return intake::IdempotencyKey{};
  const std::string value = call.field("Idempotency-Key");
  if (!is_idempotency_key(value))
    return Problem{
        Error::invalid_field, "Idempotency-Key must have 1 to 255 printable ASCII characters.", {}, {}};
  std::string action = call.request.getMethod() + " ";
  action += call.request.path();
  const std::string content = action + "\n" + std::string(call.request.body());
  return intake::IdempotencyKey{call.caller + " " + action, value, hmac_sha256(fingerprint_key, content)};
}

Problem problem_of(const intake::Invalid& invalid) {
  switch (invalid.kind) {
    case intake::Invalid::Kind::malformed:
      return {Error::malformed_json, {}, invalid.errors, {}};
    case intake::Invalid::Kind::invalid:
      return {Error::invalid_request, {}, invalid.errors, {}};
    case intake::Invalid::Kind::card_number:
      return {Error::card_number, {}, invalid.errors, {}};
  }
  return {};
}

}  // namespace orderd::http
