#include "http/request_guard.h"

#include "http/front/grammar.h"

namespace orderd::http {
namespace {

constexpr std::string_view scheme = "Bearer ";

/// The text behind "Bearer "; nullopt if the field is of another kind.
std::optional<std::string_view> bearer(std::string_view field) {
  if (field.size() <= scheme.size() || !front::grammar::iequals(field.substr(0, scheme.size()), scheme))
    return std::nullopt;
  return front::grammar::trim(field.substr(scheme.size()));
}

ClientAddresses::Seen seen_in(const Call& call) {
  std::string forwarded;
  for (const auto& [name, value] : call.request)
    if (front::grammar::iequals(name, "X-Forwarded-For"))
      forwarded += (forwarded.empty() ? "" : ",") + (value.empty() ? "unknown" : value);
  return {call.request.clientAddress().host(), forwarded,
          call.has("Forwarded") || call.has("X-Real-IP") || call.has("Via")};
}

/// A page of somebody else's that the operator's own browser opens asks from this machine, too: it shows
/// itself by its Origin, or by a Host that is no name of the loopback.
bool asks_for_itself(const Call& call) {
  const std::string host = call.field("Host");
  const bool in_brackets = host.rfind('[', 0) == 0;
  const std::string name = in_brackets ? host.substr(1, host.find(']') - 1) : host.substr(0, host.find(':'));
  const auto ip = front::parse_ip(name);
  if (!(ip ? ip->isLoopback() : front::grammar::iequals(name, "localhost"))) return false;
  return !call.has("Origin") || call.field("Origin") == "http://" + host;
}

}  // namespace

RequestGuard::RequestGuard(const AccessOptions& options)
    : refused_(metrics().counter("orderd_access_refused_total", "Requests answered 401 or 403")),
      limited_(metrics().counter("orderd_access_limited_total", "Requests answered 429")),
      keyring_(options.keyring),
      count_loopback_(options.count_loopback),
      addresses_(options.trusted_proxies),
      cors_(options.cors_origins),
      per_key_(options.rate),
      per_address_(options.rate) {}

void RequestGuard::set_rate(auth::Rate rate) {
  per_key_.change(rate);
  per_address_.change(rate);
}

void RequestGuard::count(Error error) {
  const int status = error_info(error).status;
  if (status == 401 || status == 403) refused_.Increment();
  if (status == 429) limited_.Increment();
}

std::optional<Problem> RequestGuard::admit(Call& call) {
  const auto seen = seen_in(call);
  identify(call, seen);
  call.identity.client =
      call.identity.key ? "key " + call.identity.key->id : "address " + client_name(addresses_.client(seen));
  for (auto& field : cors_.fields(call.request.path(), call.field("Origin")))
    call.common.push_back(std::move(field));
  return call.request.path().rfind("/api/", 0) == 0 ? limit(call, seen) : std::nullopt;
}

void RequestGuard::identify(Call& call, const ClientAddresses::Seen& seen) const {
  Identity& identity = call.identity;
  identity.keys_required = keyring_ != nullptr;
  identity.local = addresses_.is_local(seen) && asks_for_itself(call);
  if (!keyring_ || !call.has("Authorization")) return;
  const std::string field = call.field("Authorization");
  const auto text = bearer(field);
  auto found = text ? keyring_->find(*text) : auth::Keyring::Found{};
  identity.keys_unavailable = found.unavailable;
  identity.key_refused = !found.key && !found.unavailable;
  if (!found.key) return;
  call.caller = found.key->caller;
  identity.key = std::move(found.key);
}

std::optional<Problem> RequestGuard::limit(Call& call, const ClientAddresses::Seen& seen) {
  const auto client = addresses_.client(seen);
  const bool by_key = call.identity.key != nullptr;
  if (!by_key && client.isLoopback() && !count_loopback_) return std::nullopt;
  auth::RateLimiter& limiter = by_key ? per_key_ : per_address_;
  const auto grant = limiter.take(by_key ? call.identity.key->id : client_name(client));
  if (grant.quota == 0) return std::nullopt;
  // draft-ietf-httpapi-ratelimit-headers: quota and window, what is left and when all of it is back.
  call.common.emplace_back("RateLimit-Policy", "\"default\";q=" + std::to_string(grant.quota) +
                                                   ";w=" + std::to_string(grant.window_s));
  call.common.emplace_back("RateLimit", "\"default\";r=" + std::to_string(grant.left) +
                                            ";t=" + std::to_string(grant.full_after_s));
  if (grant.granted) return std::nullopt;
  return Problem{Error::rate_limited, {}, {}, {{"Retry-After", std::to_string(grant.wait_s)}}};
}

}  // namespace orderd::http
