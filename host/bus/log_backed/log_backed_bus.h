#pragma once
// A bus with the log behind it: what the bus lacks is read from order_events, and what the log does not know
// is not delivered. The bus may lose records in any way (retention, a topic made anew, a broker that lost its
// tail) and may hold records of a log that is no more (the database was restored): consumers notice neither.
//
// 1. A record says where the log has its event. One that is further than the next was preceded by something
//    that the bus lacks: that is read from the log first.
// 2. What the relay saw acknowledged and the bus does not deliver for a while is read from the log, too: a
//    lost tail has no record behind it.
// 3. A record of this epoch of the log, and not beyond its end, is in it. Any other is looked up.
#include <chrono>
#include <memory>
#include <string>

#include "bus/event_bus.h"
#include "store/connection.h"

namespace orderd::bus {

struct LogBackedOptions {
  store::ConnectionOptions database;
  std::string relay;                            // the relay's name in `positions`
  std::chrono::milliseconds check_every{2000};  // between two looks at what the relay saw acknowledged
};

class LogBackedBus final : public EventBus {
 public:
  /// `bus` outlives it.
  LogBackedBus(EventBus& bus, LogBackedOptions options) : bus_(bus), options_(std::move(options)) {}
  /// Owns a session with PostgreSQL besides what the bus needs.
  std::unique_ptr<Subscription> subscribe(const std::string& consumer) override;
  const char* name() const override { return bus_.name(); }

 private:
  EventBus& bus_;
  const LogBackedOptions options_;
};

}  // namespace orderd::bus
