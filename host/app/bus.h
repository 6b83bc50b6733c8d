#pragma once
// The event bus that the settings name, and the relay's way into it if it is not the outbox itself.
#include <memory>
#include <string>
#include <vector>

#include "bus/kafka/kafka_bus.h"
#include "config/settings.h"

namespace orderd {

struct Bus {
  explicit Bus(const config::Settings& settings);
  /// For readiness: what keeps events from moving at the moment.
  std::vector<std::string> problems() const;

  std::unique_ptr<bus::KafkaBus> kafka;  // nullptr: the outbox is the bus
  std::unique_ptr<bus::EventBus> events;
};

}  // namespace orderd
