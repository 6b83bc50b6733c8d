#pragma once
// A client's wish to cancel: decided under the order's lock, written as ORDER_CANCEL_REQUESTED. What follows
// from it (void, refund, restock) is the saga's. Used by web workers; a cancellation is one short
// transaction. [any thread]
#include <optional>
#include <string>
#include <vector>

#include "intake/idempotency.h"
#include "model/order_json.h"
#include "store/pool.h"

namespace orderd::intake {

enum class CancelDecision {
  request,            // write the event, go to CANCELLING
  already_under_way,  // CANCELLING, by request or as a failure's compensation: accepted, nothing to write
  already_cancelled,
  refused,  // REJECTED: there is nothing to cancel
};
/// Pure.
CancelDecision decide_cancel(Status status);

struct CancelWish {
  Uuid order_id;
  std::string reason;  // "": none was given
  /// If-Match: only if the order still is at one of these versions.
  std::optional<std::vector<std::int32_t>> if_versions;
  std::optional<std::string> only_customer;  // every other customer's order is not found
  std::string traceparent;
  IdempotencyKey key;  // key.value "": none was given
};

struct Cancelled {
  enum class Kind {
    accepted,           // 202
    already_cancelled,  // 200
    not_found,
    refused,
    version_differs,
    key_reused,
  };
  Kind kind = Kind::not_found;
  bool replayed = false;
  FoldedOrder order;  // accepted, already_cancelled; refused and version_differs too, to say why
};

/// Throws store::DbError.
Cancelled cancel(store::Pool& pool, const CancelWish& wish);

}  // namespace orderd::intake
