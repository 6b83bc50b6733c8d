// A merchant's own stock service as an inventory plugin, over REST.
#include <orderd/inventory.h>
#include <orderd/http.hpp>
#include <orderd/plugin.hpp>
#include <orderd/services.hpp>

#include <array>
#include <atomic>
#include <charconv>
#include <memory>

#include "service.h"

namespace inventory_http {
namespace {

using orderd::sdk::Command;
using orderd::sdk::Host;
using orderd::sdk::HttpResponse;
using orderd::sdk::Outcome;
using orderd::sdk::Refused;
using orderd::sdk::Reply;

// The request ends so long before the command does, so that the answer is not one that comes too late.
constexpr std::int64_t answer_margin_ms = 100;
constexpr std::int64_t retry_after_s_max = 3600;
constexpr std::int64_t complain_every_ms = 60'000;

std::string base_url(const Host& host) {
  std::string url = host.required_setting("url");
  while (!url.empty() && url.back() == '/') url.pop_back();
  if (url.rfind("https://", 0) != 0 && url.rfind("http://", 0) != 0)
    throw Refused("setting \"url\" is \"" + url + "\": give an http or https URL");
  return url;
}

std::string bearer(const Host& host) {
  const std::string token = host.setting("token", "");
  for (const char c : token)
    if (c <= ' ' || c > '~') throw Refused("setting \"token\" holds more than a token");
  return token;
}

std::int64_t retry_after_ms(std::string_view header) {
  std::int64_t seconds = 0;
  const auto [stop, error] = std::from_chars(header.data(), header.data() + header.size(), seconds);
  const bool sound = error == std::errc() && stop == header.data() + header.size() && seconds > 0;
  return sound ? std::min(seconds, retry_after_s_max) * 1000 : 0;
}

class Plugin final : public orderd::sdk::SagaStep {
 public:
  static constexpr const char* settings_schema = R"({
    "type": "object", "additionalProperties": false, "required": ["url"],
    "properties": {
      "url": {"type": "string", "pattern": "^https?://", "maxLength": 2048,
        "description": "of the stock service; /reservations and /availability are below it"},
      "token": {"type": "string", "format": "secret", "description": "sent as Authorization: Bearer"}}})";

  explicit Plugin(const Host& host)
      : host_(host),
        url_(base_url(host)),
        token_(bearer(host)),
        http_(host),
        clock_(host),
        unknown_(host, ORDERD_METRIC_COUNTER, "inventory_http_unknown_total",
                 "Commands whose outcome the stock service's answer left open.") {
    host.refuse_unknown_settings({"url", "token"});
  }

  orderd::sdk::StepTraits traits() const override { return {true, 0, 0, 0}; }
  bool supports(std::string_view action) const override {
    static constexpr std::array<std::string_view, 6> known{
        ORDERD_INVENTORY_RESERVE, ORDERD_INVENTORY_EXTEND, ORDERD_INVENTORY_COMMIT,
        ORDERD_INVENTORY_RELEASE, ORDERD_INVENTORY_QUERY,  ORDERD_INVENTORY_AVAILABILITY};
    return std::find(known.begin(), known.end(), action) != known.end();
  }

  void execute(Command command, Reply&& reply) override {
    if (const auto problem = problem_of(command); !problem.empty())
      return void(reply(Outcome::declined("INVALID_COMMAND", problem)));
    const Request asked = request_of(command);
    orderd::sdk::HttpRequest request;
    request.method = asked.method;
    request.url = url_ + asked.path;
    request.body = asked.body;
    request.deadline_ms = command.deadline_ms - answer_margin_ms;
    request.headers = {{"accept", "application/json"}};
    if (!asked.body.empty()) request.headers.emplace_back("content-type", "application/json");
    if (asked.method == "POST") request.headers.emplace_back("idempotency-key", command.key);
    if (!command.traceparent.empty()) request.headers.emplace_back("traceparent", command.traceparent);
    if (!token_.empty()) request.headers.emplace_back("authorization", "Bearer " + token_);
    const auto call = std::make_shared<Call>(Call{std::move(command), std::move(reply)});
    try {
      http_.submit(request,
                   [this, call](const HttpResponse& response) { end(*call, told(*call, response)); });
    } catch (const Refused& refused) { end(*call, Outcome::retry(500, "NOT_SENT", refused.what())); }
  }

 private:
  struct Call {
    Command command;
    Reply reply;
  };

  static Outcome told(const Call& call, const HttpResponse& response) {
    if (response.not_sent()) return Outcome::retry(500, "NOT_SENT", std::string(response.message()));
    if (!response.answered()) return Outcome::unknown("NO_ANSWER", std::string(response.message()));
    return outcome_of(call.command,
                      {response.status(), response.body(), retry_after_ms(response.header("retry-after"))});
  }
  void end(Call& call, const Outcome& outcome) {
    if (outcome.kind == ORDERD_UNKNOWN) unknown_.add();
    const std::int64_t now = clock_.monotonic_ms();
    std::int64_t last = complained_ms_;
    if (is_operators(outcome) && (last == 0 || now - last > complain_every_ms) &&
        complained_ms_.compare_exchange_strong(last, now))
      host_.log(ORDERD_LOG_ERROR, outcome.message, &call.command.order_id);
    call.reply(outcome);
  }

  const Host host_;
  const std::string url_, token_;
  const orderd::sdk::HttpClient http_;
  const orderd::sdk::Clock clock_;
  const orderd::sdk::Metric unknown_;
  std::atomic<std::int64_t> complained_ms_{0};  // when the log last named what is the operator's
};

}  // namespace
}  // namespace inventory_http

ORDERD_PLUGIN(inventory_http::Plugin, "inventory-http", "1.0.0", "orderd")
