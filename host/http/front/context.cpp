#include "http/front/context.h"

#include <Poco/Net/HTTPResponse.h>

#include <ctime>

#include "base/uuid.h"
#include "http/front/grammar.h"
#include "http/front/response.h"

namespace orderd::http::front {
namespace {

std::string json_escaped(std::string_view text) {
  static constexpr std::string_view hex = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out.append({'\\', c});
    else if (byte < 0x20)
      out.append("\\u00").append({hex[byte >> 4], hex[byte & 15]});
    else
      out.push_back(c);
  }
  return out;
}

std::string bytes_of(const Refusal& refusal, Rendered rendered, bool head_request) {
  Response response({.head_request = head_request, .keep_alive = false});
  if (refusal.status == 503) response.set("Retry-After", "1");
  response.fill(refusal.status, rendered.fields, std::move(rendered.body));
  response.set("X-Request-Id", std::string(refusal.request_id));
  response.set("X-Content-Type-Options", "nosniff");
  return response.render();
}

}  // namespace

std::int64_t monotonic_ms() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return time.tv_sec * std::int64_t{1000} + time.tv_nsec / 1'000'000;
}

Rendered render_problem(const Refusal& refusal) {
  const std::string title = Poco::Net::HTTPResponse::getReasonForStatus(
      static_cast<Poco::Net::HTTPResponse::HTTPStatus>(refusal.status));
  const bool retryable = refusal.status == 503 || refusal.status == 408;
  std::string body = "{\"type\":\"about:blank\",\"title\":\"" + json_escaped(title) +
                     "\",\"status\":" + std::to_string(refusal.status) + ",\"detail\":\"" +
                     json_escaped(refusal.detail) + "\",\"code\":\"" + json_escaped(refusal.code) +
                     "\",\"retryable\":" + (retryable ? "true" : "false") + ",\"requestId\":\"" +
                     json_escaped(refusal.request_id) + "\"}\n";
  return {.body = std::move(body), .fields = {{"Content-Type", "application/problem+json"}}};
}

Context::Context(Options given_options, ErrorRenderer given_renderer, Metrics& metrics)
    : options(std::move(given_options)),
      renderer(given_renderer ? std::move(given_renderer) : ErrorRenderer(render_problem)),
      params(new Poco::Net::HTTPServerParams),
      connections(metrics.gauge("orderd_http_connections", "Open connections, without streams")),
      requests(
          metrics.counter("orderd_http_requests_total", "Complete requests that were given to a handler")),
      refused(metrics.counter("orderd_http_refused_total", "Requests refused as malformed or too large")),
      timed_out(
          metrics.counter("orderd_http_timed_out_total", "Requests and answers that missed their deadline")),
      shed(metrics.counter("orderd_http_shed_total",
                           "Connections and requests turned away because of a cap")) {}

std::string Context::refuse(const Answer& answer) const {
  const std::string id =
      grammar::is_request_id(answer.request_id) ? std::string(answer.request_id) : Uuid::v7().to_string();
  const Refusal refusal{.status = answer.status,
                        .code = answer.code,
                        .detail = answer.detail,
                        .request_id = id,
                        .instance = answer.instance,
                        .origin = answer.origin};
  std::string bytes;
  try {
    bytes = bytes_of(refusal, renderer(refusal), answer.head_request);
  } catch (...) {
    bytes.clear();  // a caller's renderer that fails must not leave a client without its answer
  }
  return bytes.empty() ? bytes_of(refusal, render_problem(refusal), answer.head_request) : bytes;
}

}  // namespace orderd::http::front
