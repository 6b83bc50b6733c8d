#pragma once
// A live saga, a piece of work for one, and what one order changes in a tick.
#include <map>
#include <memory>
#include <string>

#include "saga/core/decide.h"
#include "saga/routing/bindings.h"
#include "saga/storage/records.h"

namespace orderd::saga {

struct Live {
  Saga saga;
  std::shared_ptr<const OrderBody> body;
  std::string traceparent;
  std::shared_ptr<const PluginBindings> bindings;
};

/// The part of a W3C traceparent that names all that one request caused; "" if there is none.
inline std::string trace_id(const std::string& traceparent) {
  return traceparent.size() < 35 ? "" : traceparent.substr(3, 32);
}

/// What one order changes in a tick.
struct OrderChange {
  Live live;
  Decision decision;
  std::int32_t expected_version = 0;
  bool starts = false, reopens = false;
};
struct Task {
  Uuid order_id;
  Input input;
  std::shared_ptr<const OrderBody> body{};  // Begin only
  std::string traceparent{};                // Begin only
  DeadLetter origin{};                      // from the log: where it came from
  std::int64_t inbox = 0;                   // the row that it came from, or 0
  std::uint32_t failures = 0;
  std::int64_t read = 0, before = 0;  // from the log: the how many-th, and the shard's position before it
  bool blocked = false;               // set aside: what comes for its order waits behind it
};
using Positions = std::map<std::int16_t, std::int64_t>;
using OrderChanges = std::map<Uuid, OrderChange>;

inline Cancel cancel_of(const OrderNow& order) {
  return {order.cancel_version, order.cancel_at, order.cancel_reason};
}

}  // namespace orderd::saga
