#include "currency.h"

#include <algorithm>
#include <array>
#include <limits>

namespace stripe {
namespace {

struct Currency {
  std::string_view code;
  std::uint32_t iso_digits, stripe_digits;
};

// All others have two digits on both sides.
constexpr std::array<Currency, 22> exceptions{{
    {"BHD", 3, 3}, {"BIF", 0, 0}, {"CLP", 0, 0}, {"DJF", 0, 0}, {"GNF", 0, 0}, {"ISK", 0, 2},
    {"JOD", 3, 3}, {"JPY", 0, 0}, {"KMF", 0, 0}, {"KRW", 0, 0}, {"KWD", 3, 3}, {"MGA", 2, 0},
    {"OMR", 3, 3}, {"PYG", 0, 0}, {"RWF", 0, 0}, {"TND", 3, 3}, {"UGX", 0, 2}, {"VND", 0, 0},
    {"VUV", 0, 0}, {"XAF", 0, 0}, {"XOF", 0, 0}, {"XPF", 0, 0},
}};

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

Currency find(std::string_view code) {
  const std::string name = upper(code);
  const auto found = std::find_if(exceptions.begin(), exceptions.end(),
                                  [&](const Currency& one) { return one.code == name; });
  return found == exceptions.end() ? Currency{"", 2, 2} : *found;
}

}  // namespace

Amount to_stripe(const orderd_money& money) {
  const std::string code = money.currency;
  if (code.size() != 3 || !std::all_of(code.begin(), code.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
    return {0, "\"" + std::string(code.size() <= 3 ? code : "") + "\" is no currency"};
  const Currency currency = find(code);
  if (money.exponent != currency.iso_digits)
    return {0, code + " with " + std::to_string(money.exponent) + " digits is not what Stripe takes"};
  if (money.amount <= 0) return {0, "the amount must be above 0"};
  if (currency.stripe_digits > currency.iso_digits) {
    if (money.amount > std::numeric_limits<std::int64_t>::max() / 100) return {0, "the amount is too large"};
    return {money.amount * 100, ""};
  }
  if (currency.stripe_digits < currency.iso_digits) {
    if (money.amount % 100 != 0) return {0, "Stripe takes " + code + " in whole units only"};
    return {money.amount / 100, ""};
  }
  // Stripe's partners know two digits: the third must be 0.
  if (currency.stripe_digits == 3 && money.amount % 10 != 0)
    return {0, "Stripe takes " + code + " in steps of 10 of its minor unit only"};
  return {money.amount, ""};
}

std::int64_t from_stripe(std::string_view code, std::int64_t units) {
  const Currency currency = find(code);
  if (currency.stripe_digits > currency.iso_digits) return units / 100;
  if (currency.stripe_digits < currency.iso_digits)
    return units <= std::numeric_limits<std::int64_t>::max() / 100 ? units * 100 : units;
  return units;
}

}  // namespace stripe
