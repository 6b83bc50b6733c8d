#pragma once
// What a saga knows of its money beside the totals that the provider reported last. Pure values, all amounts
// in the minor unit.
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "model/order.h"
#include "model/step.h"

namespace orderd::saga {

struct Books {
  // What a person answered for. The provider's totals need never show it.
  std::int64_t refunded = 0, voided = 0;  // skipped: given back or let go past the provider
  std::int64_t refunded_to = 0;  // marked done: the total that this and later refunds come to; 0: never
  std::int64_t voided_to = 0;    // the same of voids
  std::optional<Time> decided;   // when a person last answered for money that goes back

  // What the provider itself took back, by name: its totals may be lower by as much.
  std::int64_t captures_failed = 0, refunds_failed = 0;
  std::uint32_t refund_failures = 0;  // refunds that were reported as done and failed later

  std::optional<PaymentTotals> disputed;  // the last totals that contradict the saga: asked about once
  std::optional<std::int64_t> accepted;   // what was left of the money when a person acknowledged it
  std::optional<Reason> withheld;         // why nothing more goes back without a person's verb

  bool operator==(const Books&) const = default;
};

}  // namespace orderd::saga
