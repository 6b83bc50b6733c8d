#pragma once
// The simulated bank's webhooks: how one is written and signed, and how it is read. Pure.
//
//   Simulated-Signature: t=<Unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">
//   {"id":"…","type":"authorize.approved","payment":"…","key":"…","at":<Unix ms>}
//
// It says that something changed, not what it means: the host asks for that by a query.
#include <orderd/services.hpp>
#include <orderd/webhook.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "challenge_store.h"

namespace simulated {

constexpr const char* signature_header = "Simulated-Signature";
constexpr std::int64_t signature_age_seconds_max = 300;

std::string webhook_body(const ChallengeResult& result);
std::string webhook_signature(const orderd::sdk::Signature& signature, const std::string& secret,
                              std::int64_t now_ms, std::string_view body);

/// Throws Refused (ORDERD_E_INVALID): not the bank's, too old, or no event of it.
orderd::sdk::WebhookEvent read_webhook(const orderd::sdk::WebhookRequest& request,
                                       const orderd::sdk::Signature& signature, const std::string& secret);

}  // namespace simulated
