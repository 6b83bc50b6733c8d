#pragma once
// Stripe's HTTP API: forms out, JSON in, on the host's HTTP client. Knows nothing of orders.
#include <orderd/http.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "json.h"

namespace stripe {

struct Config {
  std::string url, api_key, api_version;
  std::string webhook_secret;      // "": webhooks are refused
  std::string return_url;          // for orders that bring none; "": then no buyer can be sent to 3-D Secure
  std::int64_t tolerance_ms = 0;   // age of a webhook's signature
  std::int64_t lookup_lag_ms = 0;  // how long the search may not know what was made
  std::int64_t action_limit_ms = 0;  // how long the buyer has for 3-D Secure
  std::int64_t list_lookback_ms = 0;
};

using Form = std::vector<std::pair<std::string, std::string>>;
/// application/x-www-form-urlencoded
std::string encoded(const Form& form);

/// What came of a request.
struct Answer {
  enum class Kind { answered, not_sent, maybe_sent };
  Kind kind = Kind::not_sent;
  int status = 0;
  bool replayed = false;            // the stored answer to an earlier request with the same key
  std::int64_t retry_after_ms = 0;  // what the server asks for; 0: nothing
  rapidjson::Document body;         // an object, or null if it was none
  std::string message;              // of a failure

  bool good() const { return kind == Kind::answered && status / 100 == 2 && body.IsObject(); }
};

/// [any thread]
class Api {
 public:
  using Done = std::function<void(const Answer&)>;

  Api(const orderd::sdk::Host& host, const Config& config) : config_(config), http_(host) {}
  /// `done` comes once, perhaps before this returns, with `not_sent` if the host does not take the request.
  void post(const std::string& path, const Form& form, const std::string& idempotency_key,
            std::int64_t deadline_ms, const Done& done) const;
  void get(const std::string& path, const Form& query, std::int64_t deadline_ms, const Done& done) const;

 private:
  void send(orderd::sdk::HttpRequest request, std::int64_t deadline_ms, const Done& done) const;
  const Config& config_;
  const orderd::sdk::HttpClient http_;
};

}  // namespace stripe
