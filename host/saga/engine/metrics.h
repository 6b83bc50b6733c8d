#pragma once
// What a host's engine shows on /metrics. [the engine's thread]
#include <map>
#include <string>

#include "base/metrics.h"
#include "bus/event_bus.h"

namespace orderd::saga {

struct EngineMetrics {
  Metrics::Value& started = metrics().counter("orderd_sagas_started_total", "Sagas begun by this host");
  Metrics::Value& finished =
      metrics().counter("orderd_sagas_finished_total", "Sagas that came to their end on this host");
  Metrics::Value& stale =
      metrics().counter("orderd_saga_stale_answers_total", "Outcomes that belonged to nothing open");
  Metrics::Value& taken_up = metrics().counter(
      "orderd_sagas_forgotten_total", "Open orders without saga or dead letter that were found and taken up");
  Metrics::Value& live = metrics().gauge("orderd_sagas_live", "Sagas of this host that are not at their end");
  Metrics::Value& stuck = metrics().gauge("orderd_sagas_stuck", "Sagas of this host that wait for a person");
  Metrics::Value& lag = metrics().gauge(bus::lag_name("saga"), bus::lag_help);
  Metrics::Histogram& confirmed =
      metrics().histogram("orderd_order_confirmed_seconds", "From an order's acceptance to its confirmation");
  /// Of one plugin instance.
  Metrics::Histogram& calls(const std::string& instance) {
    auto& found = calls_[instance];
    if (!found)
      found = &metrics().histogram("orderd_plugin_call_seconds{instance=\"" + instance + "\"}",
                                   "From a call's sending to its outcome");
    return *found;
  }

 private:
  std::map<std::string, Metrics::Histogram*> calls_;
};

}  // namespace orderd::saga
