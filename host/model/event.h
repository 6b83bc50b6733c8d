#pragma once
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/uuid.h"
#include "model/status.h"

namespace orderd {

/// One version of one order: a row of `order_events`, a message on the bus, a history entry, an SSE message.
struct Event {
  Uuid order_id;
  std::int32_t version = 0;  // from 1, by one
  EventType type = EventType::order_created;
  Time at{};
  std::string payload;      // JSON (UTF-8), the bytes that go to the bus; model/order_json.h
  std::string traceparent;  // W3C Trace Context, or ""
};

}  // namespace orderd
