#pragma once
// Who may do what. Until API keys exist, everybody may; every route asks here, so that they have one place to come to.
#include <optional>
#include <string>
#include <string_view>

#include "http/reply.h"
#include "store/secret_box.h"

namespace orderd::http {

enum class Scope { orders_read, orders_write, ops_read, ops_act, ops_money };

/// nullopt: go on.
std::optional<Problem> authorize(const Call& call, Scope scope);
/// Who asks, as idempotency keys are scoped: the caller, not its key.
std::string caller(const Call& call);

/// Tracking tokens: an HMAC of the order's id under a server key, so that an id alone opens nothing. [any thread]
class TrackingTokens {
 public:
  explicit TrackingTokens(const store::SecretBox& secrets) : key_(secrets.derive("tracking")) {}
  std::string make(const Uuid& order_id) const;
  /// In constant time.
  bool fits(const Uuid& order_id, std::string_view token) const;

 private:
  const std::string key_;
};

}  // namespace orderd::http
