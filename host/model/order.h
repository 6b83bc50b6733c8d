#pragma once
// An order as it is placed, and as it is shown. Pure values; JSON is in order_json.h.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "model/status.h"

namespace orderd {

struct Item {
  std::uint32_t line_id = 0;  // from 1, in the order of the request
  std::string sku;
  std::int64_t quantity = 0;
  std::int64_t unit_price = 0;  // minor unit
};

struct Adjustment {
  std::string kind, label;
  std::int64_t amount = 0;  // minor unit; may be negative
};

/// What everybody who follows an order may see of its content: goes into ORDER_CREATED.
struct OrderBody {
  std::string customer_id;
  std::string currency;  // ISO 4217
  std::int64_t total = 0;
  std::vector<Item> items;
  std::vector<Adjustment> adjustments;
  std::string payment_method;  // "card"
  std::string metadata_json = "{}";
};

/// A valid request, ready to be written. What nobody gets to see again is kept apart from the body.
struct OrderDraft {
  OrderBody body;
  std::string secret_json;  // {"token":…,"returnUrl":…,"buyer":…}: encrypted at rest, for the provider only
  std::string addresses_json;  // {"shippingAddress":…,"billingAddress":…} or "{}": in `orders.body` only
};

struct Reason {
  std::string code, message;
  bool operator==(const Reason&) const = default;
};

/// The payment as API and events show it.
struct PaymentView {
  std::string method;
  PaymentStatus status = PaymentStatus::none;
  std::string provider;  // the plugin instance, "" while none was asked
  std::int64_t authorized = 0, captured = 0, refunded = 0;
  std::int64_t settled = 0;  // by a person's word, beyond what the provider reports; `refunded` includes it
  std::string next_action_type, next_action_url;  // "" unless ACTION_REQUIRED
  std::optional<Time> next_action_expires;
  bool operator==(const PaymentView&) const = default;
};

/// What an event says besides the order's content: the order's state after it.
struct OrderHead {
  Uuid id;
  std::int32_t version = 0;
  EventType type = EventType::order_created;
  Time at{};
  Status status = Status::pending;
  std::optional<Reason> reason;
  PaymentView payment;
};

}  // namespace orderd
