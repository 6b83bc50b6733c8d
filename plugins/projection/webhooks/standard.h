#pragma once
// What Standard Webhooks (standardwebhooks.com) says of a message: its names, its body, its signature, when
// it is sent again. Pure.
#include <orderd/projection.hpp>
#include <orderd/services.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace merchant_webhooks {

/// "ORDER_CONFIRMED" as "order.confirmed".
std::string type_of(std::string_view event);
/// The same for every attempt and replay, so that the merchant can tell a repeat.
std::string message_id(const std::string& order_id, std::int64_t version);
std::string body_of(const orderd::sdk::EventView& event);
std::string uuid_text(const orderd_uuid& id);

/// The keys behind "whsec_…", several separated by white space. Throws Refused; never names a secret.
std::vector<std::string> read_secrets(const std::string& setting);
/// Types that are wanted, separated by white space; empty: all. Throws Refused for one that does not exist.
std::set<std::string> read_types(const std::string& setting);
/// Seconds before the 2nd, 3rd … attempt. Throws Refused.
std::vector<std::int64_t> read_schedule(const std::string& setting);

struct Replay {
  std::string from, to;  // RFC 3339; `to` may be "infinity"
  bool failed_only = false;
};
/// "[failed ]FROM[/TO]". Throws Refused.
Replay read_replay(const std::string& setting);

struct Message {
  std::string id, body;
  std::int64_t timestamp_s = 0;
};
/// webhook-signature: one "v1,<base64>" for each key.
std::string signature_of(const Message& message, const std::vector<std::string>& keys,
                         const orderd::sdk::Signature& signature);

/// How long to wait after that many attempts; below 0: that was the last one.
std::int64_t wait_ms(const std::vector<std::int64_t>& schedule, std::int64_t attempts, std::int64_t spread);

std::string base64(std::string_view bytes);
/// False if the text is no base64.
bool from_base64(std::string_view text, std::string& out);

}  // namespace merchant_webhooks
