#pragma once
// What the host does for one instance beyond its commands: clock, HTTP client, metrics, signatures; and the
// tables of the ABI on them.
#include <orderd/host.h>

#include "plugin_host/services/http_client.h"
#include "plugin_host/services/plugin_metrics.h"
#include "plugin_host/services/timers.h"

namespace orderd::plugins {

struct Services {
  explicit Services(const std::string& instance) : metrics(instance) {}
  Timers timers;
  PluginMetrics metrics;
  HttpClient http;

  /// start() returned: timers may fire.
  void open() { timers.open(); }
  /// stop() returned: nothing calls the plugin any more.
  void end() {
    timers.end();
    http.end();
  }
};

/// The table behind an id; nullptr if it is none of these. Its functions find the services by
/// Instance::services().
const void* service_table(std::string_view id);

}  // namespace orderd::plugins
