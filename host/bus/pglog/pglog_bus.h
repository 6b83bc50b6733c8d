#pragma once
#include <memory>
#include <string>

#include "bus/event_bus.h"
#include "store/connection.h"

namespace orderd::bus {

/// The embedded bus: subscriptions read the outbox table by position. Nothing is moved, copied or deleted.
class PglogBus final : public EventBus {
 public:
  explicit PglogBus(store::ConnectionOptions options) : options_(std::move(options)) {}
  std::unique_ptr<Subscription> subscribe(const std::string& consumer) override;
  const char* name() const override { return "pglog"; }

 private:
  const store::ConnectionOptions options_;
};

}  // namespace orderd::bus
