#include "http/problem.h"

#include <Poco/Net/HTTPResponse.h>

#include <atomic>

#include "model/json.h"

namespace orderd::http {
namespace {

constexpr int retry_after_max_s = 5;
constexpr int paused_at_least_s = 30;  // a person's pause lasts longer than a hiccup

/// Poco's phrases are older than RFC 9110's.
std::string title_of(int status) {
  if (status == 408) return "Request Timeout";
  if (status == 413) return "Content Too Large";
  if (status == 414) return "URI Too Long";
  if (status == 422) return "Unprocessable Content";
  return Poco::Net::HTTPResponse::getReasonForStatus(
      static_cast<Poco::Net::HTTPResponse::HTTPStatus>(status));
}

std::string retry_after(Error error) {
  static std::atomic<unsigned> turn{0};
  const int least = error == Error::intake_paused ? paused_at_least_s : 0;
  return std::to_string(least + 1 + static_cast<int>(turn++ % retry_after_max_s));
}

struct Document {
  int status;
  std::string_view code, detail;
  bool retryable;
};

std::string to_json(const Document& document, const Where& where,
                    const std::vector<intake::FieldError>& errors) {
  std::string out;
  json::Object object(out);
  object.add("type", "about:blank").add("title", title_of(document.status)).add("status", document.status);
  object.add("detail", document.detail);
  if (!where.instance.empty()) object.add("instance", where.instance);
  object.add("code", document.code).add("retryable", document.retryable).add("requestId", where.request_id);
  if (!errors.empty()) {
    std::string list = "[";
    for (const auto& error : errors) {
      if (list.size() > 1) list.push_back(',');
      json::Object one(list);
      one.add("pointer", error.pointer).add("message", error.message).end();
    }
    object.raw("errors", list + "]");
  }
  object.end();
  return out;
}

}  // namespace

ErrorFace error_info(Error error) {
  switch (error) {
    case Error::malformed_json:
      return {400, "MALFORMED_JSON", "The body is not the JSON this API takes.", false};
    case Error::invalid_request:
      return {400, "INVALID_REQUEST", "The request is not valid; see errors.", false};
    case Error::invalid_parameter:
      return {400, "INVALID_PARAMETER", "A query parameter is not valid; see errors.", false};
    case Error::invalid_field:
      return {400, "INVALID_HEADER", "A header field is not valid.", false};
    case Error::card_number:
      return {422, "CARD_NUMBER_REFUSED", "A payment card number was sent: send your provider's token.",
              false};
    case Error::unauthorized:
      return {401, "UNAUTHORIZED", "This needs an API key: Authorization: Bearer ok_…", false};
    case Error::webhook_refused:
      return {401, "WEBHOOK_REFUSED", "The plugin does not take this call for its provider's.", false};
    case Error::keys_unavailable:
      return {503, "KEYS_UNAVAILABLE", "API keys cannot be looked up at the moment. Try again.", true};
    case Error::missing_scope:
      return {403, "MISSING_SCOPE", "This API key lacks a scope that this needs.", false};
    case Error::foreign_customer:
      return {403, "FOREIGN_CUSTOMER", "This API key is bound to another customer.", false};
    case Error::loopback_only:
      return {403, "LOOPBACK_ONLY",
              "Without API keys this answers only on the machine itself: see access.keys.", false};
    case Error::rate_limited:
      return {429, "RATE_LIMITED", "Too many requests; see Retry-After.", true};
    case Error::too_many_streams:
      return {429, "TOO_MANY_STREAMS", "This key or address has as many streams as one may have.", true};
    case Error::not_found:
      return {404, "NOT_FOUND", "There is nothing under this path.", false};
    case Error::order_not_found:
      return {404, "ORDER_NOT_FOUND", "There is no such order.", false};
    case Error::switch_not_found:
      return {404, "SWITCH_NOT_FOUND", "There is no such switch; the list names all.", false};
    case Error::dead_letter_not_found:
      return {404, "DEAD_LETTER_NOT_FOUND", "There is no such dead letter.", false};
    case Error::build_not_found:
      return {404, "BUILD_NOT_FOUND", "There is no such build of a plugin; the list names all.", false};
    case Error::method_not_allowed:
      return {405, "METHOD_NOT_ALLOWED", "This path does not take that method; see Allow.", false};
    case Error::not_acceptable:
      return {406, "NOT_ACCEPTABLE", "The answer would not be of a type that Accept names.", false};
    case Error::order_not_cancellable:
      return {409, "ORDER_NOT_CANCELLABLE", "The order was rejected; there is nothing to cancel.", false};
    case Error::version_mismatch:
      return {412, "VERSION_MISMATCH", "The order is at another version than If-Match names.", false};
    case Error::unsupported_media_type:
      return {415, "UNSUPPORTED_MEDIA_TYPE", "Send application/json, in UTF-8, not encoded.", false};
    case Error::idempotency_key_reused:
      return {422, "IDEMPOTENCY_KEY_REUSED",
              "This Idempotency-Key was used for another request within 24 hours. Use a new one.", false};
    case Error::verb_refused:
      return {409, "VERB_REFUSED", "The verb does not fit what the order is at.", false};
    case Error::intake_paused:
      return {503, "INTAKE_PAUSED", "New orders are not taken now. It was not placed; try later.", true};
    case Error::overloaded:
      return {503, "OVERLOADED", "Too much is waiting already. Nothing was done; try again.", true};
    case Error::database_unavailable:
      return {503, "DATABASE_UNAVAILABLE", "The database cannot be reached at the moment. Try again.", true};
    case Error::list_too_wide:
      return {503, "LIST_TOO_WIDE", "The filter looks at too many orders: narrow it by createdAfter.", true};
    case Error::read_model_unavailable:
      return {503, "READ_MODEL_UNAVAILABLE", "The list's projection has not started yet.", true};
    case Error::internal:
      return {500, "INTERNAL_ERROR", "The server failed; its log has the reason by this requestId.", false};
  }
  return {500, "INTERNAL_ERROR", "", false};
}

std::string problem_json(const Problem& problem, const Where& where) {
  const ErrorFace face = error_info(problem.error);
  const std::string_view detail = problem.detail.empty() ? face.detail : std::string_view(problem.detail);
  return to_json({face.status, face.code, detail, face.retryable}, where, problem.errors);
}

front::Fields problem_fields(const Problem& problem) {
  front::Fields fields = problem.fields;
  fields.emplace_back("Content-Type", "application/problem+json");
  fields.emplace_back("Cache-Control", "no-store");
  if (error_info(problem.error).status == 503) fields.emplace_back("Retry-After", retry_after(problem.error));
  return fields;
}

front::Rendered render_refusal(const front::Refusal& refusal) {
  const bool retryable = refusal.status == 503 || refusal.status == 408;
  return {.body = to_json({refusal.status, refusal.code, refusal.detail, retryable},
                          {refusal.request_id, refusal.instance}, {}),
          .fields = {{"Content-Type", "application/problem+json"}, {"Cache-Control", "no-store"}}};
}

}  // namespace orderd::http
