#pragma once
// The metrics of a plugin that runs in a process of its own: nobody would see them there, so each pong brings
// them to the host.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "plugin_host/isolation/wire.h"

namespace orderd::plugins::isolation {

/// What the plugin of this process has declared. [any thread]
Out plugin_metrics_now();

/// The host's side, of one instance. [the process's thread]
class ProcessMetrics {
 public:
  explicit ProcessMetrics(std::string instance) : instance_(std::move(instance)) {}
  /// Takes over what plugin_metrics_now() wrote. A process that was made again begins at zero, the host's
  /// counters go on. "", or what makes no sense: the process is not believed.
  std::string show(In& in);

 private:
  struct Last {
    std::int64_t value = 0;                    // of a counter; of a histogram the sum
    std::vector<std::int64_t> bounds, counts;  // of a histogram; counts is one longer, and cumulative
  };
  bool show_one(In& in, std::uint8_t kind, const std::string& name, const std::string& help);
  const std::string instance_;
  std::map<std::string, Last> last_;
};

}  // namespace orderd::plugins::isolation
