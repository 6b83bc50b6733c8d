#pragma once
// Orders and events as JSON: one picture for API, bus and read model. Field names are API.md's.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/event.h"
#include "model/json.h"
#include "model/order.h"

namespace orderd {

/// Raised when a field of an event changes its meaning; readers look at it before anything else.
inline constexpr int event_schema_version = 1;

/// {"method":…,"status":…,"provider":…,"authorized":…,"captured":…,"refunded":…,"nextAction":…}, with
/// "settled" where a person settled something.
std::string payment_json(const PaymentView& payment);
/// The same, read back.
PaymentView read_payment(const json::Value& payment);
/// {"code":…,"message":…}, or null
std::string reason_json(const std::optional<Reason>& reason);
/// The members "customerId" to "metadata", without braces: the same text in ORDER_CREATED, read model and
/// answers.
std::string body_members(const OrderBody& body);

/// The payload of an event: what the order is after it. `members` (body_members) is for version 1 only, else
/// "".
std::string event_payload(const OrderHead& head, std::string_view members);

/// Reads a payload back; nullopt if it is damaged. Not for text from outside.
std::optional<OrderHead> read_head(const Event& event);
/// Reads the order's content from an ORDER_CREATED payload; nullopt if it is damaged.
std::optional<OrderBody> read_body(std::string_view created_payload);

/// One order as the read side has it: from its events, or from a row of the read model.
struct OrderSnapshot {
  Uuid id;
  Status status = Status::pending;
  std::int32_t version = 0;
  std::string members;             // body_members
  std::string payment = "null";    // payment_json
  std::string reason = "null";     // reason_json
  std::string attention = "null";  // {"code":…,"since":…}
  Time created{}, updated{};
};

struct HistoryEntry {
  std::int32_t version = 0;
  Status status = Status::pending;
  PaymentStatus payment_status = PaymentStatus::none;
  Time at{};
  std::string reason = "null";  // reason_json
};

/// The order as the API shows it; with "history" unless it is nullptr. `tracking_token` "" leaves it out.
std::string order_json(const OrderSnapshot& order, const std::vector<HistoryEntry>* history,
                       std::string_view tracking_token = {});
/// Folds an order's events (all of them, in version order) into what the API shows; nullopt if they are
/// damaged.
struct FoldedOrder {
  OrderSnapshot snapshot;
  std::vector<HistoryEntry> history;
};
std::optional<FoldedOrder> fold_order(const std::vector<Event>& events);
/// The data of one SSE message.
std::string stream_json(const Uuid& id, const HistoryEntry& entry);

}  // namespace orderd
