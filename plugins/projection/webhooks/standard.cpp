#include "standard.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace merchant_webhooks {
namespace {

using orderd::sdk::Refused;

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view secret_prefix = "whsec_";
constexpr std::size_t key_bytes_min = 16, key_bytes_max = 128, keys_max = 5;
constexpr std::size_t attempts_max = 50;
constexpr std::int64_t wait_s_max = 30 * 86'400;

constexpr std::array<std::string_view, 10> types{
    "order.created",  "order.confirmed",    "order.cancel_requested", "order.compensating", "order.cancelled",
    "order.rejected", "payment.authorized", "payment.updated",        "inventory.reserved", "step.completed"};

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; (at = text.find_first_not_of(" \t\r\n,", at)) != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_of(" \t\r\n,", at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

std::string rfc3339(std::int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[48];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::string millis = std::to_string(unix_ms % 1000 + 1000);
  return std::string(text, size) + "." + millis.substr(1) + "Z";
}

/// 2026-09-01T00:00:00Z, and nothing else: it becomes a timestamptz.
bool is_time(const std::string& text) {
  static constexpr std::string_view shape = "dddd-dd-ddTdd:dd:ddZ";
  if (text.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i]) return false;
  const auto two = [&](std::size_t at) { return (text[at] - '0') * 10 + text[at + 1] - '0'; };
  return two(5) >= 1 && two(5) <= 12 && two(8) >= 1 && two(8) <= 31 && two(11) < 24 && two(14) < 60 &&
         two(17) < 60;
}

}  // namespace

std::string type_of(std::string_view event) {
  std::string out(event);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  if (const auto first = out.find('_'); first != std::string::npos) out[first] = '.';
  return out;
}

std::string uuid_text(const orderd_uuid& id) {
  std::string hex = orderd::sdk::Signature::hex({reinterpret_cast<const char*>(id.bytes), sizeof id.bytes});
  for (const std::size_t at : {20u, 16u, 12u, 8u}) hex.insert(at, "-");
  return hex;
}

std::string message_id(const std::string& order_id, std::int64_t version) {
  return "msg_" + order_id + "_" + std::to_string(version);
}

std::string body_of(const orderd::sdk::EventView& event) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer writer(buffer);
  const auto put = [&](const char* key, std::string_view value) {
    writer.Key(key);
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  writer.StartObject();
  put("type", type_of(event.type()));
  put("timestamp", rfc3339(event.at_ms()));
  writer.Key("data");
  writer.StartObject();
  put("orderId", uuid_text(event.order_id()));
  writer.Key("version");
  writer.Int(event.version());
  put("status", event.status());
  put("paymentStatus", event.payment_status());
  writer.Key("event");
  writer.RawValue(event.payload_json().data(), event.payload_json().size(), rapidjson::kObjectType);
  writer.EndObject();
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::vector<std::string> read_secrets(const std::string& setting) {
  std::vector<std::string> keys;
  for (const std::string& one : words(setting)) {
    std::string key;
    if (one.compare(0, secret_prefix.size(), secret_prefix) != 0 ||
        !from_base64(std::string_view(one).substr(secret_prefix.size()), key))
      throw Refused(
          "setting \"secret\": each secret is whsec_ and base64: `echo whsec_$(openssl rand -base64 32)`");
    if (key.size() < key_bytes_min || key.size() > key_bytes_max)
      throw Refused("setting \"secret\": a key has 16 to 128 bytes: `echo whsec_$(openssl rand -base64 32)`");
    keys.push_back(std::move(key));
  }
  if (keys.empty() || keys.size() > keys_max) throw Refused("setting \"secret\": give one to five secrets");
  return keys;
}

std::set<std::string> read_types(const std::string& setting) {
  std::set<std::string> wanted;
  for (const std::string& one : words(setting)) {
    if (std::find(types.begin(), types.end(), one) == types.end()) {
      std::string known;
      for (const auto type : types) known.append(" ").append(type);
      throw Refused("setting \"events\" names \"" + one + "\"; known are" + known);
    }
    wanted.insert(one);
  }
  return wanted;
}

std::vector<std::int64_t> read_schedule(const std::string& setting) {
  std::vector<std::int64_t> schedule;
  for (const std::string& one : words(setting)) {
    std::int64_t seconds = -1;
    const auto [stop, error] = std::from_chars(one.data(), one.data() + one.size(), seconds);
    if (error != std::errc() || stop != one.data() + one.size() || seconds < 0 || seconds > wait_s_max)
      throw Refused("setting \"schedule_s\" has \"" + one + "\": give whole seconds from 0 to 2592000");
    schedule.push_back(seconds);
  }
  if (schedule.size() >= attempts_max) throw Refused("setting \"schedule_s\" is too long: at most 49 waits");
  return schedule;
}

Replay read_replay(const std::string& setting) {
  Replay out;
  std::string rest = setting;
  if (rest.rfind("failed ", 0) == 0) {
    out.failed_only = true;
    rest = rest.substr(7);
  }
  const std::size_t slash = rest.find('/');
  out.from = rest.substr(0, slash);
  out.to = slash == std::string::npos ? "infinity" : rest.substr(slash + 1);
  if (!is_time(out.from) || (out.to != "infinity" && !is_time(out.to)))
    throw Refused("setting \"replay\" is \"" + setting.substr(0, 100) +
                  "\": give [failed ]2026-09-01T00:00:00Z[/2026-09-02T00:00:00Z]");
  return out;
}

std::string signature_of(const Message& message, const std::vector<std::string>& keys,
                         const orderd::sdk::Signature& signature) {
  const std::string text = message.id + "." + std::to_string(message.timestamp_s) + "." + message.body;
  std::string out;
  for (const std::string& key : keys)
    out.append(out.empty() ? "v1," : " v1,").append(base64(signature.hmac_sha256(key, text)));
  return out;
}

std::int64_t wait_ms(const std::vector<std::int64_t>& schedule, std::int64_t attempts, std::int64_t spread) {
  if (attempts < 1 || static_cast<std::size_t>(attempts) > schedule.size()) return -1;
  const std::int64_t wait = schedule[static_cast<std::size_t>(attempts - 1)] * 1000;
  return wait + wait / 10 * (spread % 100) / 100;  // so that not all come back at once
}

std::string base64(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j)
      out += i + j <= bytes.size() ? alphabet[group >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

bool from_base64(std::string_view text, std::string& out) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  if (text.empty() || text.size() % 4 == 1) return false;
  std::uint32_t bits = 0;
  int count = 0;
  out.clear();
  for (const char c : text) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if ((count += 6) < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xff);
  }
  return true;
}

}  // namespace merchant_webhooks
