#pragma once
// Stripe's events as the host's (webhook.h of the ABI). Pure.
#include <orderd/services.hpp>
#include <orderd/webhook.hpp>

#include <string_view>
#include <vector>

namespace stripe {

struct Signed {
  std::string_view header, body;  // Stripe-Signature, and the raw body
  std::int64_t received_ms, tolerance_ms;
};
/// Throws Refused unless one of the header's signatures is made with the secret, and not too long ago.
void verify(const Signed& call, const orderd::sdk::Signature& signature, std::string_view secret);

/// What the event tells of our payments; empty if it is about something else. Throws Refused if the body is
/// no event.
std::vector<orderd::sdk::WebhookEvent> read_event(std::string_view body);

}  // namespace stripe
