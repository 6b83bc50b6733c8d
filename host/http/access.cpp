#include "http/access.h"

#include <algorithm>

#include "base/sha256.h"
#include "http/query.h"
#include "model/order_json.h"

namespace orderd::http {
namespace {

Problem unauthorized(const Identity& identity) {
  if (!identity.key_refused)
    return {Error::unauthorized, {}, {}, {{"WWW-Authenticate", R"(Bearer realm="orderd")"}}};
  return {Error::unauthorized,
          "This is no API key, or it was revoked, or it has expired.",
          {},
          {{"WWW-Authenticate", R"(Bearer realm="orderd", error="invalid_token")"}}};
}

Problem missing_scope(const std::string& names) {
  return {
      Error::missing_scope,
      "This API key lacks the scope " + names + ".",
      {},
      {{"WWW-Authenticate", R"(Bearer realm="orderd", error="insufficient_scope", scope=")" + names + '"'}}};
}

constexpr std::array operators{Scope::ops_read, Scope::ops_act, Scope::ops_money};

bool is_operators(Scope scope) {
  return std::find(operators.begin(), operators.end(), scope) != operators.end();
}

/// What is wrong before any scope is looked at; nullopt with a key.
std::optional<Problem> refuse_without_key(const Identity& identity) {
  if (identity.key) return std::nullopt;
  if (identity.keys_unavailable) return Problem{Error::keys_unavailable, {}, {}, {}};
  return unauthorized(identity);
}

/// The value of `?token=`; nullopt if there is none. Other parameters do not change what an order is.
std::optional<std::string> token_in(std::string_view query) {
  std::optional<std::string> token;
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto part = query.substr(0, end);
    query = end == query.npos ? std::string_view() : query.substr(end + 1);
    // Two tokens are none: neither may be the one that was not looked at.
    if (part.substr(0, 6) == "token=") token = token ? "" : percent_decode(part.substr(6)).value_or("");
  }
  return token;
}

}  // namespace

std::optional<Problem> authorize(const Call& call, Scope scope) {
  const Identity& identity = call.identity;
  if (!identity.keys_required) {
    if (!is_operators(scope) || identity.local) return std::nullopt;
    return Problem{Error::loopback_only, {}, {}, {}};
  }
  if (auto problem = refuse_without_key(identity)) return problem;
  if (identity.key->scopes.has(scope)) return std::nullopt;
  return missing_scope(std::string(name_of(scope)));
}

std::optional<Problem> authorize_operator(const Call& call) {
  if (!call.identity.keys_required) return authorize(call, Scope::ops_read);
  if (auto problem = refuse_without_key(call.identity)) return problem;
  const auto& scopes = call.identity.key->scopes;
  if (std::any_of(operators.begin(), operators.end(), [&](Scope one) { return scopes.has(one); }))
    return std::nullopt;
  return missing_scope(std::string(name_of(Scope::ops_read)));
}

bool is_operators(std::string_view path) {
  // Whatever begins like this, so that no spelling of a path below slips by.
  return path.rfind("/api/admin", 0) == 0 || path.rfind("/console", 0) == 0;
}

std::optional<std::string> bound_customer(const Call& call) {
  return call.identity.key ? call.identity.key->customer : std::nullopt;
}

bool may_see(const Call& call, std::string_view customer_id) {
  const auto only = bound_customer(call);
  return !only || *only == customer_id;
}

bool may_see(const Call& call, const Event& created) {
  if (!bound_customer(call)) return true;
  const auto body = read_body(created.payload);
  return body && may_see(call, body->customer_id);
}

std::string TrackingTokens::make(const Uuid& order_id) const {
  return to_base64url(
      hmac_sha256(key_, {reinterpret_cast<const char*>(order_id.bytes.data()), order_id.bytes.size()}));
}

bool TrackingTokens::fits(const Uuid& order_id, std::string_view token) const {
  return equal_in_constant_time(make(order_id), token);
}

std::variant<Uuid, Problem> authorize_order(Call& call, const TrackingTokens& tokens) {
  const auto id = Uuid::parse(call.params.at(0));
  const auto token = token_in(call.request.query());
  const bool opened = id && token && tokens.fits(*id, *token);
  // A key that is shown is judged even beside a token that would do.
  if (token && !call.identity.key && !call.identity.key_refused) {
    if (!opened) return Problem{Error::order_not_found, {}, {}, {}};
    call.caller = auth::tracking;
    return *id;
  }
  if (auto problem = authorize(call, Scope::orders_read)) return std::move(*problem);
  if (!id || (token && !opened)) return Problem{Error::order_not_found, {}, {}, {}};
  return *id;
}

}  // namespace orderd::http
