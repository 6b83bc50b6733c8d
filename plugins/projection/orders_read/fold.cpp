#include "fold.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace orders_read {
namespace {

template <std::size_t Size>
std::int16_t number_of(const std::array<std::string_view, Size>& names, std::string_view name,
                       const char* what) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw orderd::sdk::Refused(std::string("unknown ") + what + " " + std::string(name));
  return static_cast<std::int16_t>(found - names.begin() + 1);
}

/// Behind the string that begins at `at`.
std::size_t skip_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return at + 1;
}

/// Behind the value that begins at `at`.
std::size_t skip_value(std::string_view text, std::size_t at) {
  int depth = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      at = skip_string(text, at) - 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      --depth;
    } else if (c == ',' && depth == 0) {
      return at;
    }
  }
  return at;
}

/// The payload's members "customerId" to "metadata", as they stand.
std::string members_of(std::string_view payload) {
  const auto from = raw_member(payload, "customerId"), to = raw_member(payload, "metadata");
  if (from.empty() || to.empty()) throw orderd::sdk::Refused("ORDER_CREATED without customerId or metadata");
  const char* begin = from.data() - std::strlen("\"customerId\":");
  return {begin, static_cast<std::size_t>(to.data() + to.size() - begin)};
}

/// A JSON string's text, for the column that lists are filtered by.
std::string unescaped(std::string_view raw) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(raw.data(), raw.size());
  if (document.HasParseError() || !document.IsString()) throw orderd::sdk::Refused("customerId is no string");
  return {document.GetString(), document.GetStringLength()};
}

/// Throws if there is none.
std::string_view needed_member(std::string_view payload, std::string_view name) {
  const auto raw = raw_member(payload, name);
  if (raw.empty()) throw orderd::sdk::Refused("the event's payload has no " + std::string(name));
  return raw;
}

void take(Folded& order, const EventView& event, std::size_t index) {
  const std::string_view payload = event.payload_json();
  if (event.version() == 1) {
    order.created_ms = event.at_ms();
    order.members = members_of(payload);
    order.customer_id = unescaped(raw_member(payload, "customerId"));
  }
  order.last = event.version();
  order.updated_ms = event.at_ms();
  order.status = status_number(event.status());
  order.payment_status = payment_status_number(event.payment_status());
  order.payment = std::string(needed_member(payload, "payment"));
  if (const auto reason = raw_member(payload, "reason"); !reason.empty() && reason != "null")
    order.reason = std::string(reason);
  order.events.push_back(index);
}

}  // namespace

std::int16_t status_number(std::string_view name) {
  static constexpr std::array<std::string_view, 7> names{
      "PENDING", "PAYMENT_AUTHORIZED", "INVENTORY_RESERVED", "CONFIRMED", "CANCELLING", "CANCELLED",
      "REJECTED"};
  return number_of(names, name, "status");
}

std::int16_t payment_status_number(std::string_view name) {
  static constexpr std::array<std::string_view, 11> names{
      "NONE",     "PENDING", "ACTION_REQUIRED", "AUTHORIZED",  "CAPTURED", "VOIDED", "PARTIALLY_REFUNDED",
      "REFUNDED", "FAILED",  "UNKNOWN",         "NOT_REQUIRED"};
  return number_of(names, name, "payment status");
}

std::string_view raw_member(std::string_view object, std::string_view name) {
  std::size_t at = object.find('{') + 1;
  while (at < object.size() && object[at] == '"') {
    const std::size_t key_end = skip_string(object, at);
    const std::string_view key = object.substr(at + 1, key_end - at - 2);
    const std::size_t value = key_end + 1;  // behind the colon: payloads are written without spaces
    const std::size_t end = skip_value(object, value);
    if (key == name) return object.substr(value, end - value);
    at = end + 1;
  }
  return {};
}

std::vector<Folded> fold(const std::vector<EventView>& events, std::vector<Verdict>& verdicts) {
  const auto less = [](const orderd_uuid& a, const orderd_uuid& b) {
    return std::memcmp(a.bytes, b.bytes, sizeof a.bytes) < 0;
  };
  std::map<orderd_uuid, Folded, decltype(less)> orders(less);
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto [found, is_new] = orders.try_emplace(events[i].order_id());
    Folded& order = found->second;
    if (is_new) {
      order.id = events[i].order_id();
      order.first = events[i].version();
    } else if (events[i].version() != order.last + 1) {
      verdicts[i] = events[i].version() <= order.last ? Verdict::duplicate : Verdict::gap;
      continue;
    }
    take(order, events[i], i);
  }
  std::vector<Folded> out;
  for (auto& [id, order] : orders) out.push_back(std::move(order));
  return out;
}

}  // namespace orders_read
