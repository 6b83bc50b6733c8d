#include "app/bus.h"

#include "app/wiring.h"
#include "bus/log_backed/log_backed_bus.h"
#include "bus/pglog/pglog_bus.h"

namespace orderd {

Bus::Bus(const config::Settings& settings) {
  if (settings.bus == "pglog") {
    events = std::make_unique<bus::PglogBus>(database(settings));
    return;
  }
  kafka = std::make_unique<bus::KafkaBus>(kafka_options(settings));
  events = std::make_unique<bus::LogBackedBus>(
      *kafka, bus::LogBackedOptions{database(settings), consumer_name(settings, "relay")});
}

std::vector<std::string> Bus::problems() const {
  if (!kafka || kafka->last_problem().empty()) return {};
  return {"kafka: " + kafka->last_problem()};
}

}  // namespace orderd
