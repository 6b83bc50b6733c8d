// Stripe as a payment plugin: settings, and the way of commands and webhooks.
#include <orderd/plugin.hpp>

#include "payment_handler.h"
#include "state_blob.h"
#include "webhook.h"

namespace stripe {
namespace {

using orderd::sdk::Command;

constexpr std::int64_t idempotency_window_ms = 24 * 3600 * 1000;  // Stripe may forget a key after that

Config read_config(const orderd::sdk::Host& host) {
  host.refuse_unknown_settings({"api_key", "api_url", "api_version", "webhook_secret", "webhook_tolerance_s",
                                "return_url", "lookup_lag_s", "action_limit_s", "list_lookback_s"});
  Config config;
  config.url = host.setting("api_url", "https://api.stripe.com");
  while (!config.url.empty() && config.url.back() == '/') config.url.pop_back();
  if (config.url.rfind("https://", 0) != 0 && config.url.rfind("http://", 0) != 0)
    throw orderd::sdk::Refused("setting \"api_url\" is \"" + config.url + "\": give an https URL");
  config.api_key = host.required_setting("api_key");
  for (const char c : config.api_key)
    if (c <= ' ' || c > '~') throw orderd::sdk::Refused("setting \"api_key\" holds more than a key");
  config.api_version = host.setting("api_version", "2025-03-31.basil");
  config.webhook_secret = host.setting("webhook_secret", "");
  config.return_url = host.setting("return_url", "");
  const auto seconds = [&](const char* key, std::int64_t otherwise, std::int64_t most) {
    return host.setting(key, otherwise, 0, most) * 1000;
  };
  config.tolerance_ms = seconds("webhook_tolerance_s", 300, 86'400);
  config.lookup_lag_ms = seconds("lookup_lag_s", 300, 7200);
  config.action_limit_ms = seconds("action_limit_s", 900, 86'400);
  config.list_lookback_ms = seconds("list_lookback_s", 3600, 30 * 86'400);
  return config;
}

class Stripe final : public orderd::sdk::PaymentProvider, public orderd::sdk::Webhooks {
 public:
  static constexpr const char* settings_schema = R"({
    "type": "object", "additionalProperties": false, "required": ["api_key"],
    "properties": {
      "api_key": {"type": "string", "format": "secret", "minLength": 8,
        "description": "secret or restricted key of the account"},
      "api_url": {"type": "string", "pattern": "^https?://", "default": "https://api.stripe.com"},
      "api_version": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}", "maxLength": 40,
        "default": "2025-03-31.basil", "description": "2025-03-31.basil or later"},
      "webhook_secret": {"type": "string", "format": "secret", "minLength": 8,
        "description": "signing secret of the webhook endpoint; without it webhooks are refused"},
      "webhook_tolerance_s": {"type": "integer", "minimum": 0, "maximum": 86400, "default": 300},
      "return_url": {"type": "string", "pattern": "^https?://", "maxLength": 2048,
        "description": "where buyers come back from 3-D Secure when an order names no page"},
      "lookup_lag_s": {"type": "integer", "minimum": 0, "maximum": 7200, "default": 300,
        "description": "how long Stripe's search may not know what was made"},
      "action_limit_s": {"type": "integer", "minimum": 0, "maximum": 86400, "default": 900,
        "description": "how long a buyer has for 3-D Secure"},
      "list_lookback_s": {"type": "integer", "minimum": 0, "maximum": 2592000, "default": 3600,
        "description": "how much older payments are compared at each reconciliation"}}})";

  explicit Stripe(const orderd::sdk::Host& host) : signature_(host), handler_(host, read_config(host)) {}

  orderd::sdk::StepTraits traits() const override {
    return {true, idempotency_window_ms, 1, StateBlob::version};
  }
  void authorize(Command command, orderd::sdk::Reply&& reply) override {
    handler_.authorize(std::move(command), std::move(reply));
  }
  void capture(Command command, orderd::sdk::Reply&& reply) override {
    handler_.capture(std::move(command), std::move(reply));
  }
  void void_authorization(Command command, orderd::sdk::Reply&& reply) override {
    handler_.void_authorization(std::move(command), std::move(reply));
  }
  void refund(Command command, orderd::sdk::Reply&& reply) override {
    handler_.refund(std::move(command), std::move(reply));
  }
  void query(Command command, orderd::sdk::Reply&& reply) override {
    handler_.query(std::move(command), std::move(reply));
  }
  void list_since(Command command, orderd::sdk::Reply&& reply) override {
    handler_.list_since(std::move(command), std::move(reply));
  }
  bool lists() const override { return true; }

  void webhook(const orderd::sdk::WebhookRequest& request, orderd::sdk::WebhookEvents& events) override {
    const Config& config = handler_.config();
    verify({request.header("stripe-signature").value_or(""), request.body(), request.received_ms(),
            config.tolerance_ms},
           signature_, config.webhook_secret);
    for (const auto& event : read_event(request.body())) events.emit(event);
  }

 private:
  const orderd::sdk::Signature signature_;
  PaymentHandler handler_;
};

}  // namespace
}  // namespace stripe

ORDERD_PLUGIN(stripe::Stripe, "payment-stripe", "1.0.0", "orderd")
