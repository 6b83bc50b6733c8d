#pragma once
// What a host's engine shows on /metrics. [the engine's thread]
#include <map>
#include <string>

#include "base/metrics.h"
#include "bus/event_bus.h"

namespace orderd::saga {

struct EngineMetrics {
  Metrics::Counter& started = metrics().counter("orderd_sagas_started_total", "Sagas begun by this host");
  Metrics::Counter& finished =
      metrics().counter("orderd_sagas_finished_total", "Sagas that came to their end on this host");
  Metrics::Counter& stale =
      metrics().counter("orderd_saga_stale_answers_total", "Outcomes that belonged to nothing open");
  Metrics::Counter& taken_up = metrics().counter(
      "orderd_sagas_forgotten_total", "Open orders without saga or dead letter that were found and taken up");
  Metrics::Gauge& live = metrics().gauge("orderd_sagas_live", "Sagas of this host that are not at their end");
  Metrics::Gauge& stuck = metrics().gauge("orderd_sagas_stuck", "Sagas of this host that wait for a person");
  Metrics::Gauge& lag = metrics().gauge(bus::lag_name, bus::lag_help, {{"consumer", "saga"}});
  Metrics::Histogram& confirmed =
      metrics().durations("orderd_order_confirmed_seconds", "From an order's acceptance to its confirmation");
  /// For one plugin instance.
  Metrics::Histogram& calls(const std::string& instance) {
    auto& found = calls_[instance];
    if (!found)
      found = &metrics().durations("orderd_plugin_call_seconds", "From a call's sending to its outcome",
                                   {{"instance", instance}});
    return *found;
  }

 private:
  std::map<std::string, Metrics::Histogram*> calls_;
};

}  // namespace orderd::saga
