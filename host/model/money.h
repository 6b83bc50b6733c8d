#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace orderd {

/// Digits behind the decimal point of an ISO 4217 currency ("EUR": 2, "JPY": 0); nullopt if there is no such
/// currency.
std::optional<std::uint8_t> currency_exponent(std::string_view code);

/// Sums and products in minor units; nullopt when the result leaves int64.
inline std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? std::nullopt : std::optional(sum);
}
inline std::optional<std::int64_t> checked_multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product;
  return __builtin_mul_overflow(a, b, &product) ? std::nullopt : std::optional(product);
}

}  // namespace orderd
