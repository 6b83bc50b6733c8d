#pragma once
// What happens to each request before a route sees it: who asks is found out, a token is taken from the
// caller's rate limit, and the fields that every answer carries are put together. Judging is authorize()'s
// (access.h). [any worker thread]
#include <optional>
#include <string>
#include <vector>

#include "auth/keyring.h"
#include "auth/rate_limiter.h"
#include "base/metrics.h"
#include "http/client_address.h"
#include "http/cors.h"
#include "http/reply.h"

namespace orderd::http {

struct AccessOptions {
  const auth::Keyring* keyring = nullptr;  // nullptr: no keys are required
  auth::Rate rate;                         // per key; per address without one
  bool count_loopback = false;             // addresses on the loopback too, for tests
  std::vector<std::string> trusted_proxies, cors_origins;
};

class RequestGuard {
 public:
  explicit RequestGuard(const AccessOptions& options);

  /// Fills in `caller` and `identity`, and adds to `common`. 429 for who asks too often.
  std::optional<Problem> admit(Call& call);
  /// For requests from now on.
  void set_rate(auth::Rate rate);
  /// Counts what was refused for who asked.
  void count(Error error);
  const Cors& cors() const { return cors_; }

 private:
  void identify(Call& call, const ClientAddresses::Seen& seen) const;
  std::optional<Problem> limit(Call& call, const ClientAddresses::Seen& seen);

  Metrics::Counter &refused_, &limited_;
  const auth::Keyring* const keyring_;
  const bool count_loopback_;
  const ClientAddresses addresses_;
  const Cors cors_;
  auth::RateLimiter per_key_, per_address_;  // apart, so that a flood from many addresses touches no key
};

}  // namespace orderd::http
