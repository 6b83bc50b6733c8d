#pragma once
// Who may do what. authorize() is the one door: every route asks it first. While keys are not required it
// lets everybody through, but to operators' scopes only whoever asks on this machine.
#include <optional>
#include <string>
#include <string_view>

#include "http/reply.h"
#include "model/event.h"
#include "store/secret_box.h"

namespace orderd::http {

using auth::Scope;

/// nullopt: go on. Otherwise 401, 403 naming the scope, or 503 while keys cannot be looked up. Who asks is in
/// `call.caller`: idempotency keys are scoped by it, and audit rows name it as the actor.
[[nodiscard]] std::optional<Problem> authorize(const Call& call, Scope scope);
/// For what belongs to operators and names no scope itself: any of theirs will do. The dispatcher asks this
/// for every path below /api/admin and /console, so that a route that forgets to ask is closed, not open.
[[nodiscard]] std::optional<Problem> authorize_operator(const Call& call);
bool is_operators(std::string_view path);

/// The only customer whose orders this caller may see and place; nullopt: all customers'.
std::optional<std::string> bound_customer(const Call& call);
/// False: this order is to be answered as if it did not exist.
bool may_see(const Call& call, std::string_view customer_id);
/// The same for an order whose ORDER_CREATED this is.
bool may_see(const Call& call, const Event& created);

/// Tracking tokens: an HMAC of the order's id under a server key, so that an id alone opens nothing. [any
/// thread]
class TrackingTokens {
 public:
  explicit TrackingTokens(const store::SecretBox& secrets) : key_(secrets.derive("tracking")) {}
  std::string make(const Uuid& order_id) const;
  /// In constant time.
  bool fits(const Uuid& order_id, std::string_view token) const;

 private:
  const std::string key_;
};

/// For reading the one order that the path names: authorize(orders_read), or a tracking token that fits. The
/// order's id, or why not: an id that is none and a token that does not fit are both "no such order".
std::variant<Uuid, Problem> authorize_order(Call& call, const TrackingTokens& tokens);

}  // namespace orderd::http
