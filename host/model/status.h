#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace orderd {

/// The order's own state. The numbers are stored; never reuse one.
enum class Status : std::int16_t {
  pending = 1,
  payment_authorized = 2,
  inventory_reserved = 3,
  confirmed = 4,
  cancelling = 5,
  cancelled = 6,
  rejected = 7,
};

/// What is known of the order's money. The numbers are stored; never reuse one.
enum class PaymentStatus : std::int16_t {
  none = 1,
  pending = 2,
  action_required = 3,
  authorized = 4,
  captured = 5,
  voided = 6,
  partially_refunded = 7,
  refunded = 8,
  failed = 9,
  unknown = 10,
  not_required = 11,
};

/// One event = one version of the order. The numbers are stored; never reuse one.
enum class EventType : std::int16_t {
  order_created = 1,
  payment_authorized = 2,
  inventory_reserved = 3,
  order_confirmed = 4,
  order_cancel_requested = 5,
  order_compensating = 6,
  order_cancelled = 7,
  order_rejected = 8,
  payment_updated = 9,
  step_completed = 10,
};

/// Names as API and events spell them: "PAYMENT_AUTHORIZED", "ORDER_CREATED", ...
std::string_view name(Status);
std::string_view name(PaymentStatus);
std::string_view name(EventType);
std::optional<Status> parse_status(std::string_view);
std::optional<PaymentStatus> parse_payment_status(std::string_view);
std::optional<EventType> parse_event_type(std::string_view);

/// CANCELLED and REJECTED: nothing can follow.
inline bool is_terminal(Status status) { return status == Status::cancelled || status == Status::rejected; }
/// Terminal, or CONFIRMED, from which only a cancellation leads on.
inline bool is_final(Status status) { return is_terminal(status) || status == Status::confirmed; }

}  // namespace orderd
