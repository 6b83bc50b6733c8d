#include "http/cors.h"

#include <algorithm>

#include "http/access.h"

namespace orderd::http {
namespace {

constexpr const char* allowed_fields =
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Request-Id, "
    "traceparent, tracestate";
constexpr const char* exposed_fields =
    "ETag, Location, Idempotent-Replayed, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, "
    "WWW-Authenticate";
constexpr const char* preflight_seconds = "600";

}  // namespace

bool is_preflight(const Call& call) {
  return call.request.getMethod() == "OPTIONS" && call.has("Origin") &&
         call.has("Access-Control-Request-Method");
}

bool Cors::applies(std::string_view path) const {
  return !origins_.empty() && path.rfind("/api/", 0) == 0 && !is_operators(path);
}

bool Cors::lists(const std::string& origin) const {
  return std::find(origins_.begin(), origins_.end(), origin) != origins_.end();
}

front::Fields Cors::fields(std::string_view path, const std::string& origin) const {
  if (!applies(path)) return {};
  front::Fields fields{{"Vary", "Origin"}};
  if (lists(origin)) {
    fields.emplace_back("Access-Control-Allow-Origin", origin);
    fields.emplace_back("Access-Control-Expose-Headers", exposed_fields);
  }
  return fields;
}

Reply Cors::preflight(const Call& call, const std::string& methods) const {
  Reply reply{204, {{"Allow", methods + ", OPTIONS"}}, ""};
  if (!applies(call.request.path())) return reply;
  reply.fields.emplace_back("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  if (!lists(call.field("Origin"))) return reply;
  reply.fields.emplace_back("Access-Control-Allow-Methods", methods);
  reply.fields.emplace_back("Access-Control-Allow-Headers", allowed_fields);
  reply.fields.emplace_back("Access-Control-Max-Age", preflight_seconds);
  return reply;
}

}  // namespace orderd::http
