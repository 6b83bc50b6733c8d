// Amounts as providers write them: "19.99" is 1999 in a currency of two digits. Exact, never floating point.
#ifndef ORDERD_SDK_DECIMAL_HPP
#define ORDERD_SDK_DECIMAL_HPP

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace orderd::sdk {

/// The minor unit of ISO 4217, where no command tells it: webhooks, lists. nullopt for what is not three
/// capitals. Some providers have a table of their own for a few currencies: theirs decides what they mean.
inline std::optional<std::uint32_t> currency_exponent(std::string_view code) {
  constexpr std::string_view none = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
  constexpr std::string_view three = "BHD IQD JOD KWD LYD OMR TND", four = "CLF UYW";
  if (code.size() != 3) return std::nullopt;
  for (const char c : code)
    if (c < 'A' || c > 'Z') return std::nullopt;
  for (const auto& [codes, exponent] : {std::pair(none, 0u), std::pair(three, 3u), std::pair(four, 4u)})
    if (codes.find(code) != std::string_view::npos) return exponent;
  return 2;
}

/// 1999 and 2 are "19.99", 500 and 0 are "500", -5 and 2 are "-0.05".
inline std::string to_decimal(std::int64_t amount, std::uint32_t exponent) {
  const bool negative = amount < 0;
  const auto size = negative ? ~static_cast<std::uint64_t>(amount) + 1 : static_cast<std::uint64_t>(amount);
  std::string digits = std::to_string(size);
  if (digits.size() <= exponent) digits.insert(0, exponent + 1 - digits.size(), '0');
  if (exponent > 0) digits.insert(digits.size() - exponent, ".");
  return negative ? "-" + digits : digits;
}

/// "19.99" and 2 are 1999; "19.9" is 1990 then, and so is "19.900". nullopt for what is no plain decimal
/// number ("1e3", "1,000", ".5"), is finer than the minor unit, or is beyond 64 bits.
inline std::optional<std::int64_t> from_decimal(std::string_view text, std::uint32_t exponent) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative) text.remove_prefix(1);
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string_view whole = text.substr(0, point), part = text.substr(std::min(point + 1, text.size()));
  if (whole.empty() || (point < text.size() && part.empty())) return std::nullopt;
  while (part.size() > exponent && part.back() == '0') part.remove_suffix(1);
  if (part.size() > exponent) return std::nullopt;
  std::int64_t amount = 0;
  const auto take = [&](char c) {
    return c >= '0' && c <= '9' && !__builtin_mul_overflow(amount, 10, &amount) &&
           !__builtin_sub_overflow(amount, c - '0', &amount);  // downwards: there is one more negative number
  };
  for (const char c : whole)
    if (!take(c)) return std::nullopt;
  for (const char c : part)
    if (!take(c)) return std::nullopt;
  for (std::size_t i = part.size(); i < exponent; ++i)
    if (!take('0')) return std::nullopt;
  if (!negative && amount == INT64_MIN) return std::nullopt;
  return negative ? amount : -amount;
}

}  // namespace orderd::sdk
#endif
