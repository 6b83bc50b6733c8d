#pragma once
// What goes through the storage port (store.h), as values.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/event.h"
#include "model/order.h"
#include "outbox/dead_letter.h"
#include "saga/core/state.h"

namespace orderd::saga {

struct LiveSaga {
  Saga saga;
  OrderBody body;
  std::string traceparent;
};

/// An order that has no live saga, looked up for a cancellation.
struct OrderNow {
  Status status = Status::pending;
  std::int32_t version = 0;
  std::int16_t shard = 0;
  OrderBody body;
  std::string traceparent;
  std::optional<Saga> finished;  // its last saga, from the journal
  // The last cancellation that was asked for; version 0 if none.
  std::int32_t cancel_version = 0;
  Time cancel_at{};
  Reason cancel_reason;
};

/// What one transaction writes for one order.
struct Change {
  Saga saga;
  std::int32_t expected_version = 0;  // of the order when it was read: another means conflict
  std::vector<Event> events;
  bool starts = false;   // the order's first saga: is not written if the order was seen before (a duplicate)
  bool reopens = false;  // a cancellation after the end: a new row for a finished saga
  bool guard =
      false;  // no event of its own, but begins something: the version must still be the expected one
  bool secret_settled = false;
  bool attention_moved = false;  // a person is needed, or no longer
};

/// What `attention` shows while an event of the order waits as a dead letter: its saga does not move.
inline constexpr const char* event_parked_code = "EVENT_PARKED";

using outbox::DeadLetter;

/// An open order that nothing works on: no saga, no dead letter, and its newest event was read.
struct Forgotten {
  Uuid order_id;
  std::int32_t version = 0;
  std::int16_t shard = 0;
  std::int64_t pos = 0;  // of its newest event in the log
};
/// Where the round over all orders is, newest first; from the start when there is none.
using ForgottenCursor = std::optional<Uuid>;

/// A row of `saga_inbox` (saga/storage/inbox.h).
struct InboxItem {
  std::int64_t id = 0;
  Uuid order_id;
  std::int16_t shard = 0, kind = 0;
  std::string data;
};

/// Where to read on in the inbox: what is behind `settled`, and between `swept` and it.
struct InboxPlace {
  std::int64_t settled = 0, swept = 0;
};

/// What this host says of one plugin instance.
struct PluginStatus {
  std::string instance, breaker;  // closed, open, half_open
  std::int32_t parked = 0;        // sagas that wait for it
  Time since{};                   // of the breaker's state
  bool operator==(const PluginStatus&) const = default;
};

}  // namespace orderd::saga
