#include "model/status.h"

#include <array>
#include <utility>

namespace orderd {
namespace {

template <typename Enum, std::size_t Size>
using Names = std::array<std::pair<Enum, std::string_view>, Size>;

constexpr Names<Status, 7> statuses{{{Status::pending, "PENDING"},
                                     {Status::payment_authorized, "PAYMENT_AUTHORIZED"},
                                     {Status::inventory_reserved, "INVENTORY_RESERVED"},
                                     {Status::confirmed, "CONFIRMED"},
                                     {Status::cancelling, "CANCELLING"},
                                     {Status::cancelled, "CANCELLED"},
                                     {Status::rejected, "REJECTED"}}};

constexpr Names<PaymentStatus, 11> payment_statuses{
    {{PaymentStatus::none, "NONE"},
     {PaymentStatus::pending, "PENDING"},
     {PaymentStatus::action_required, "ACTION_REQUIRED"},
     {PaymentStatus::authorized, "AUTHORIZED"},
     {PaymentStatus::captured, "CAPTURED"},
     {PaymentStatus::voided, "VOIDED"},
     {PaymentStatus::partially_refunded, "PARTIALLY_REFUNDED"},
     {PaymentStatus::refunded, "REFUNDED"},
     {PaymentStatus::failed, "FAILED"},
     {PaymentStatus::unknown, "UNKNOWN"},
     {PaymentStatus::not_required, "NOT_REQUIRED"}}};

constexpr Names<EventType, 10> event_types{{{EventType::order_created, "ORDER_CREATED"},
                                            {EventType::payment_authorized, "PAYMENT_AUTHORIZED"},
                                            {EventType::inventory_reserved, "INVENTORY_RESERVED"},
                                            {EventType::order_confirmed, "ORDER_CONFIRMED"},
                                            {EventType::order_cancel_requested, "ORDER_CANCEL_REQUESTED"},
                                            {EventType::order_compensating, "ORDER_COMPENSATING"},
                                            {EventType::order_cancelled, "ORDER_CANCELLED"},
                                            {EventType::order_rejected, "ORDER_REJECTED"},
                                            {EventType::payment_updated, "PAYMENT_UPDATED"},
                                            {EventType::step_completed, "STEP_COMPLETED"}}};

template <typename Enum, std::size_t Size>
std::string_view find_name(const Names<Enum, Size>& names, Enum value) {
  for (const auto& [known, text] : names)
    if (known == value) return text;
  return "?";
}

template <typename Enum, std::size_t Size>
std::optional<Enum> find_value(const Names<Enum, Size>& names, std::string_view text) {
  for (const auto& [known, name] : names)
    if (name == text) return known;
  return std::nullopt;
}

}  // namespace

std::string_view name(Status status) { return find_name(statuses, status); }
std::string_view name(PaymentStatus status) { return find_name(payment_statuses, status); }
std::string_view name(EventType type) { return find_name(event_types, type); }
std::optional<Status> parse_status(std::string_view text) { return find_value(statuses, text); }
std::optional<PaymentStatus> parse_payment_status(std::string_view text) {
  return find_value(payment_statuses, text);
}
std::optional<EventType> parse_event_type(std::string_view text) { return find_value(event_types, text); }

}  // namespace orderd
