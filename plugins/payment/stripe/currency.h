#pragma once
// Amounts as Stripe counts them. Both sides count in minor units, and for most currencies in the same; the
// exceptions are in a table here (docs.stripe.com/currencies). Pure.
#include <orderd/money.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace stripe {

struct Amount {
  std::int64_t units = 0;
  std::string problem;  // not empty: Stripe cannot take this amount, and why
};

/// An amount of ours as Stripe takes it.
Amount to_stripe(const orderd_money& money);
/// An amount of Stripe's in ISO 4217's minor unit. `currency` in either case.
std::int64_t from_stripe(std::string_view currency, std::int64_t units);

}  // namespace stripe
