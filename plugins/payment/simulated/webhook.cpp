#include "webhook.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <charconv>
#include <cstdlib>

namespace simulated {
namespace {

using orderd::sdk::Refused;
using orderd::sdk::Signature;

std::string signed_text(const Signature& signature, const std::string& secret, std::string_view seconds,
                        std::string_view body) {
  return Signature::hex(signature.hmac_sha256(secret, std::string(seconds).append(".").append(body)));
}

/// The value of `name` in "t=…,v1=…"; empty if it is not there.
std::string_view part_of(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const std::string_view part = header.substr(0, header.find(','));
    header.remove_prefix(std::min(header.size(), part.size() + 1));
    if (part.substr(0, name.size()) == name && part.substr(name.size(), 1) == "=")
      return part.substr(name.size() + 1);
  }
  return {};
}

std::string text(const rapidjson::Value& object, const char* name) {
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd() || !member->value.IsString() || member->value.GetStringLength() == 0)
    throw Refused("this is no event of the simulated bank: \"" + std::string(name) + "\" is missing",
                  ORDERD_E_INVALID);
  return {member->value.GetString(), member->value.GetStringLength()};
}

void check_signature(const orderd::sdk::WebhookRequest& request, const Signature& signature,
                     const std::string& secret) {
  const std::string_view header = request.header(signature_header).value_or("");
  const std::string_view seconds = part_of(header, "t"), given = part_of(header, "v1");
  std::int64_t sent = 0;
  const auto [stop, error] = std::from_chars(seconds.data(), seconds.data() + seconds.size(), sent);
  if (secret.empty() || error != std::errc() || stop != seconds.data() + seconds.size() ||
      !signature.equal(signed_text(signature, secret, seconds, request.body()), given))
    throw Refused("the signature is not the simulated bank's", ORDERD_E_INVALID);
  const std::int64_t now = request.received_ms() / 1000;
  if (sent < now - signature_age_seconds_max || sent > now + signature_age_seconds_max)
    throw Refused("the signature is older than five minutes, or from the future", ORDERD_E_INVALID);
}

}  // namespace

std::string webhook_body(const ChallengeResult& result) {
  rapidjson::StringBuffer out;
  rapidjson::Writer<rapidjson::StringBuffer> json(out);
  const auto add = [&](const char* name, const std::string& value) {
    json.Key(name);
    json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  json.StartObject();
  // The number alone would come again after the ledger was made anew.
  add("id", "evt_" + std::to_string(result.id) + "_" + result.key);
  add("type", result.approved ? "authorize.approved" : "authorize.refused");
  add("payment", result.payment_id);
  add("key", result.key);
  json.Key("at");
  json.Int64(result.at_ms);
  json.EndObject();
  return {out.GetString(), out.GetSize()};
}

std::string webhook_signature(const Signature& signature, const std::string& secret, std::int64_t now_ms,
                              std::string_view body) {
  const std::string seconds = std::to_string(now_ms / 1000);
  return "t=" + seconds + ",v1=" + signed_text(signature, secret, seconds, body);
}

orderd::sdk::WebhookEvent read_webhook(const orderd::sdk::WebhookRequest& request, const Signature& signature,
                                       const std::string& secret) {
  check_signature(request, signature, secret);
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(request.body().data(), request.body().size());
  if (document.HasParseError() || !document.IsObject())
    throw Refused("this is no event of the simulated bank: its body is no JSON object", ORDERD_E_INVALID);
  orderd::sdk::WebhookEvent event;
  event.event_id = text(document, "id");
  event.type = text(document, "type");
  event.subject = text(document, "payment");
  event.command_key = text(document, "key");
  if (document.HasMember("at") && document["at"].IsInt64()) event.occurred_ms = document["at"].GetInt64();
  event.outcome = orderd::sdk::Outcome::unknown("BUYER_ANSWERED", "the buyer has answered his bank");
  return event;
}

}  // namespace simulated
