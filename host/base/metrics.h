#pragma once
// What the parts of this process count and measure, as families of a registry of prometheus-cpp; `/metrics`
// shows them. Names follow Prometheus: `orderd_orders_accepted_total`.
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <string>
#include <vector>

namespace orderd {

/// The same name and labels are always the same metric; look it up once, a reference stays valid for the
/// registry's life. Throws std::invalid_argument for a name that is none, or that has another kind already.
/// [any thread]
class Metrics {
 public:
  using Counter = prometheus::Counter;
  using Gauge = prometheus::Gauge;
  using Histogram = prometheus::Histogram;
  using Labels = prometheus::Labels;  // by name, in order

  /// Only ever rises; its name ends in `_total`.
  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  /// How long things took, from 1 ms to 5 min; its name ends in `_seconds`: see observe().
  Histogram& durations(const std::string& name, const std::string& help, const Labels& labels = {});
  /// With upper bounds of its own, rising.
  Histogram& histogram(const std::string& name, const std::string& help, const Labels& labels,
                       const std::vector<double>& bounds);

  std::vector<prometheus::MetricFamily> collect() const { return registry_.Collect(); }
  /// Prometheus text format 0.0.4.
  std::string to_text() const;

 private:
  prometheus::Registry registry_;
};

inline void observe(Metrics::Histogram& durations, std::chrono::milliseconds time) {
  durations.Observe(static_cast<double>(time.count()) / 1000);
}

/// The process's own.
Metrics& metrics();

}  // namespace orderd
