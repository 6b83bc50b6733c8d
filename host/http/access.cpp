#include "http/access.h"

#include "base/sha256.h"

namespace orderd::http {

std::optional<Problem> authorize(const Call&, Scope) { return std::nullopt; }

std::string caller(const Call&) { return "anonymous"; }

std::string TrackingTokens::make(const Uuid& order_id) const {
  return to_base64url(hmac_sha256(key_, {reinterpret_cast<const char*>(order_id.bytes.data()), order_id.bytes.size()}));
}

bool TrackingTokens::fits(const Uuid& order_id, std::string_view token) const {
  const std::string expected = make(order_id);
  unsigned difference = expected.size() == token.size() ? 0 : 1;
  for (std::size_t i = 0; i < expected.size(); ++i)
    difference |= static_cast<unsigned char>(expected[i]) ^ static_cast<unsigned char>(i < token.size() ? token[i] : 0);
  return difference == 0;
}

}  // namespace orderd::http
