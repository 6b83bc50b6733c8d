#pragma once
// What a client sends, checked against API.md: JSON text in, a draft that can be written or a list of what is
// wrong out. Nothing here echoes a value back: texts of buyers do not belong into answers or logs. Pure. [any
// thread]
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/order.h"

namespace orderd::intake {

// Limits of API.md. The body's size (256 KiB) is the HTTP front's.
inline constexpr std::size_t json_depth_max = 32;
inline constexpr std::size_t items_max = 200, adjustments_max = 200;
inline constexpr std::int64_t quantity_max = 1'000'000;
inline constexpr std::int64_t unit_price_max = 1'000'000'000'000;  // minor unit
inline constexpr std::size_t text_characters_max = 200;            // Unicode code points
inline constexpr std::size_t metadata_keys_max = 50;
inline constexpr std::size_t metadata_bytes_max = 8 * 1024;  // as compact JSON
/// More than a person would read; the rest is not listed.
inline constexpr std::size_t errors_max = 50;

/// One thing that is wrong with a request, where RFC 6901 says.
struct FieldError {
  std::string pointer, message;
  bool operator==(const FieldError&) const = default;
};

struct Invalid {
  enum class Kind {
    malformed,    // not JSON as RFC 8259 and this API's strictness have it
    invalid,      // JSON, but not a valid request
    card_number,  // a payment card number is where none may be
  };
  Kind kind = Kind::invalid;
  std::vector<FieldError> errors;
};

using ValidatedOrder = std::variant<OrderDraft, Invalid>;
ValidatedOrder validate_order(std::string_view json_text);

/// The body of a cancellation: empty, or {"reason":"…"} with `reason` optional.
struct CancelBody {
  std::string reason;  // "" if none was given
};
using ValidatedCancel = std::variant<CancelBody, Invalid>;
ValidatedCancel validate_cancel(std::string_view json_text);

}  // namespace orderd::intake
