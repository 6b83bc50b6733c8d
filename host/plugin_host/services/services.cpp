#include "plugin_host/services/services.h"

#include <orderd/clock.h>
#include <orderd/http.h>
#include <orderd/metrics.h>
#include <orderd/signature.h>

#include "base/sha256.h"
#include "plugin_host/calling/fill_error.h"
#include "plugin_host/calling/translate.h"
#include "plugin_host/loading/instance.h"

namespace orderd::plugins {
namespace {

constexpr Millis http_deadline_default{30'000};
constexpr std::uint64_t http_bytes_default = std::uint64_t{1} << 20, http_bytes_max = std::uint64_t{64} << 20;

const Instance& instance_of(const orderd_host* host) {
  return *static_cast<const Instance*>(host->host_data);
}
Services& of(const orderd_host* host) { return instance_of(host).services(); }

/// Nothing of the host's may be thrown through the plugin.
template <typename Call>
orderd_status shielded(orderd_error* error, Call call) {
  try {
    return call();
  } catch (const std::exception& e) {
    fill_error(error, "HOST", e.what());
    return ORDERD_E_INTERNAL;
  }
}
/// What a plugin throws in a callback ends here.
template <typename Call>
void barred(const Instance& instance, const char* what, Call call) {
  try {
    call();
  } catch (...) { instance.misbehaving(std::string("an exception left ") + what); }
}

std::int64_t now_ms(const orderd_host*) { return now().time_since_epoch().count(); }
std::int64_t monotonic_ms(const orderd_host*) {
  return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

orderd_status call_after(const orderd_host* host, std::int64_t delay_ms, orderd_timer_call call, void* data,
                         std::uint64_t* timer) {
  if (!call || delay_ms < 0 || Millis(delay_ms) > Timers::delay_max) return ORDERD_E_INVALID;
  return shielded(nullptr, [&]() -> orderd_status {
    std::uint64_t number = 0;
    const Instance& instance = instance_of(host);
    const auto answer = of(host).timers.call_after(
        Millis(delay_ms),
        [&instance, call, data] { barred(instance, "a timer's call", [&] { call(data); }); }, number);
    if (answer != Timers::Answer::set) return answer == Timers::Answer::full ? ORDERD_E_BUSY : ORDERD_E_STALE;
    if (timer) *timer = number;
    return ORDERD_OK;
  });
}

orderd_status cancel_timer(const orderd_host* host, std::uint64_t timer) {
  return of(host).timers.cancel(timer) ? ORDERD_OK : ORDERD_E_STALE;
}

void deliver(const Instance& instance, orderd_http_done done, void* data, const HttpResult& result,
             std::int64_t elapsed_ms) {
  std::vector<orderd_header> headers;
  for (const auto& [name, value] : result.headers)
    headers.push_back({to_view(name), {value.data(), value.size()}});
  orderd_http_response response;
  ORDERD_CLEAR(response);
  response.failure = static_cast<std::int32_t>(result.kind);
  response.status = result.status;
  response.header_count = static_cast<std::uint32_t>(headers.size());
  response.headers = headers.data();
  response.body = {result.body.data(), result.body.size()};
  response.message = to_view(result.message);
  response.elapsed_ms = elapsed_ms;
  barred(instance, "done()", [&] { done(data, &response); });
}

bool is_token(std::string_view text) {
  for (const char c : text)
    if (c <= 0x20 || c == ':' || c == 0x7f) return false;
  return !text.empty();
}

/// "" or what is wrong with it.
std::string read_request(const orderd_http_request* given, HttpCall& call) {
  if (!given || !ORDERD_HAS(given, orderd_http_request, data) || !given->done)
    return "the request is missing, too short, or has no done()";
  call.method = to_text(given->method);
  call.url = to_text(given->url);
  call.body = to_text(given->body);
  if (!is_token(call.method)) return "the method is none";
  if (given->header_count > 0 && !given->headers) return "headers are missing";
  for (std::uint32_t i = 0; i < given->header_count; ++i) {
    const std::string name(to_text(given->headers[i].name)), value(to_text(given->headers[i].value));
    if (!is_token(name) || value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      return "a header's name or value makes no sense";
    call.headers.emplace_back(name, value);
  }
  if (given->response_bytes_max > http_bytes_max) return "response_bytes_max is more than 64 MiB";
  call.response_bytes_max = given->response_bytes_max ? given->response_bytes_max : http_bytes_default;
  call.deadline = given->deadline_ms ? Time(Millis(given->deadline_ms)) : now() + http_deadline_default;
  return "";
}

orderd_status submit(const orderd_host* host, const orderd_http_request* given, std::uint64_t* number,
                     orderd_error* error) {
  return shielded(error, [&]() -> orderd_status {
    HttpCall call;
    if (const auto problem = read_request(given, call); !problem.empty())
      return fill_error(error, "INVALID", problem), ORDERD_E_INVALID;
    const Instance& instance = instance_of(host);
    const auto done = given->done;
    void* const data = given->data;
    const std::int64_t began = monotonic_ms(host);
    std::uint64_t own = 0;
    const auto answer = of(host).http.submit(
        std::move(call),
        [&instance, host, done, data, began](const HttpResult& result) {
          deliver(instance, done, data, result, monotonic_ms(host) - began);
        },
        own);
    if (answer == HttpClient::Answer::full)
      return fill_error(error, "BUSY", "1000 requests wait already"), ORDERD_E_BUSY;
    if (answer == HttpClient::Answer::ended)
      return fill_error(error, "STALE", "the instance has stopped"), ORDERD_E_STALE;
    if (number) *number = own;
    return ORDERD_OK;
  });
}

orderd_status cancel_request(const orderd_host* host, std::uint64_t number) {
  return of(host).http.cancel(number) ? ORDERD_OK : ORDERD_E_STALE;
}

orderd_status declare(const orderd_host* host, const orderd_metric* metric, std::uint32_t* number,
                      orderd_error* error) {
  return shielded(error, [&]() -> orderd_status {
    if (!metric || !number || !ORDERD_HAS(metric, orderd_metric, bound_count) ||
        metric->kind < ORDERD_METRIC_COUNTER || metric->kind > ORDERD_METRIC_HISTOGRAM ||
        (metric->bound_count > 0 && !metric->bounds) || metric->bound_count > PluginMetrics::bounds_max)
      return fill_error(error, "INVALID", "the metric makes no sense"), ORDERD_E_INVALID;
    const auto declared = of(host).metrics.declare(
        static_cast<PluginMetrics::Kind>(metric->kind), std::string(to_text(metric->name)),
        std::string(to_text(metric->help)), {metric->bounds, metric->bounds + metric->bound_count});
    fill_error(error, "", declared.problem);
    if (declared.number == 0) return declared.full ? ORDERD_E_BUSY : ORDERD_E_INVALID;
    *number = declared.number;
    return ORDERD_OK;
  });
}

void hmac(const orderd_host*, orderd_view key, orderd_view message, std::uint8_t out[32]) {
  const std::string mac = hmac_sha256(to_text(key), to_text(message));
  std::copy(mac.begin(), mac.end(), out);
}

std::int32_t equal(const orderd_host*, orderd_view one, orderd_view other) {
  const std::string_view a = to_text(one), b = to_text(other);
  if (a.size() != b.size()) return 0;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0 ? 1 : 0;
}

}  // namespace

const void* service_table(std::string_view id) {
  static const orderd_clock_v1 clock = {now_ms, monotonic_ms, call_after, cancel_timer};
  static const orderd_http_v1 http = {submit, cancel_request};
  static const orderd_metrics_v1 metrics_table = {
      declare,
      [](const orderd_host* host, std::uint32_t number, std::int64_t by) {
        of(host).metrics.add(number, by);
      },
      [](const orderd_host* host, std::uint32_t number, std::int64_t to) {
        of(host).metrics.set(number, to);
      },
      [](const orderd_host* host, std::uint32_t number, std::int64_t value) {
        of(host).metrics.observe(number, value);
      }};
  static const orderd_signature_v1 signature = {hmac, equal};
  if (id == ORDERD_EXT_CLOCK) return &clock;
  if (id == ORDERD_EXT_HTTP) return &http;
  if (id == ORDERD_EXT_METRICS) return &metrics_table;
  if (id == ORDERD_EXT_SIGNATURE) return &signature;
  return nullptr;
}

}  // namespace orderd::plugins
